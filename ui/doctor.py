"""``wenzheng doctor``: looks at everything that a run needs, and says how to mend each fault."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from rag.errors import WenzhengError
from rag.settings import Settings
from rag.weights import CATALOGUE, E5_SMALL, list_models, resolve

_PACKAGES = (
    "langchain-core",
    "langchain-openai",
    "chromadb",
    "tantivy",
    "sentence-transformers",
    "torch",
    "gradio",
)
_INSTALL = "Run `make install` again."
_OCR_MODELS = 3
_LEAST_DISK_GB = 2.0
_LEAST_MEMORY_GB = 3.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; ``fix`` is empty when it is in order."""

    name: str
    ok: bool
    finding: str
    fix: str = ""


def examine(settings: Settings) -> list[Check]:
    """Run all checks; none of them raises."""
    checks = [_python(), *_packages(), _disk(settings.home), _memory(settings), *_model_files(settings)]
    checks.append(_guarded("reranker", lambda: _reranker(settings)))
    checks.append(_ocr(settings))
    checks.append(_old_formats())
    checks.append(_guarded("library", lambda: _library(settings)))
    if not settings.embedded_chat:
        checks.append(_guarded("endpoint", lambda: _endpoint(settings)))
    return checks


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except WenzhengError as error:
        return Check(name, ok=False, finding=error.what, fix=error.fix)


def _python() -> Check:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    good = sys.version_info >= (3, 11)
    return Check("Python", good, found, "" if good else "Install Python 3.11 or newer.")


def _reranker(settings: Settings) -> Check:
    """Which reranker is in use. One of the user's is opened, for only that shows whether it can be used."""
    if settings.rerank == "off":
        return Check("reranker", ok=True, finding="none: the setting rerank is off")
    if settings.rerank != "auto":
        from rag.cross_encoding import open_cross_encoder

        found = open_cross_encoder(settings)
        return Check("reranker", ok=True, finding=f"{found.name}, a CrossEncoder, read from this machine")
    if settings.embedding_model != E5_SMALL.name:
        finding = f"none: the one that comes with the program is made for {E5_SMALL.name}"
        return Check("reranker", ok=True, finding=finding)
    return Check("reranker", ok=True, finding=f"the one that comes with the program, over {E5_SMALL.name}")


def _ocr(settings: Settings) -> Check:
    if not settings.ocr:
        return Check("scanned pages", ok=True, finding="not read: the setting ocr is off")
    found = find_spec("rapidocr")
    models = list(Path(found.origin).parent.glob("models/*.onnx")) if found and found.origin else []
    if len(models) < _OCR_MODELS:
        return Check("scanned pages", ok=False, finding="the models of rapidocr are missing", fix=_INSTALL)
    return Check("scanned pages", ok=True, finding="read with rapidocr")


def _old_formats() -> Check:
    from ingest.loading.legacy import find_libreoffice

    found = find_libreoffice()
    # Optional: everything else is read without it.
    finding = f"read with {found}" if found else "not read: LibreOffice is not installed"
    return Check("doc, xls, ppt, wps", ok=True, finding=finding)


def _packages() -> list[Check]:
    checks = []
    for package in _PACKAGES:
        try:
            checks.append(Check(f"package {package}", ok=True, finding=version(package)))
        except PackageNotFoundError:
            checks.append(Check(f"package {package}", ok=False, finding="not installed", fix=_INSTALL))
    return checks


def _disk(home: Path) -> Check:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free / 1e9
    good = free >= _LEAST_DISK_GB
    return Check(
        "disk",
        good,
        f"{free:.1f} GB free at {existing}",
        "" if good else f"Free at least {_LEAST_DISK_GB:.0f} GB.",
    )


def _memory(settings: Settings) -> Check:
    import psutil

    free = psutil.virtual_memory().available / 1e9
    good = free >= _LEAST_MEMORY_GB or not settings.embedded_chat
    fix = "" if good else "Close other programs, or use the small model: WENZHENG_CHAT_MODEL=small."
    return Check("memory", good, f"{free:.1f} GB available", fix)


def _model_files(settings: Settings) -> list[Check]:
    needed = {settings.embedding_model} if settings.embedding_model in CATALOGUE else set()
    if settings.embedded_chat:
        try:
            needed.add(resolve(settings.chat_model).name)
        except WenzhengError as error:
            return [Check("chat model", ok=False, finding=error.what, fix=error.fix)]
    checks = []
    for result in list_models(settings):
        if result.file.name in needed:
            good = result.state == "ok"
            fix = "" if good else f"Run `wenzheng models pull {result.file.name}`."
            checks.append(Check(f"model {result.file.name}", good, result.state, fix))
    return checks


def _library(settings: Settings) -> Check:
    from rag.embedding import open_embedder
    from rag.library import Library

    with Library.open(settings, open_embedder(settings), writable=False) as library:
        expected = library.catalog.chunk_count()
        dense, lexical = library.index.counts()
        found = f"{len(library.documents())} documents, {expected} chunks in {settings.home}"
        if dense < expected or lexical < expected:
            return Check(
                "library",
                ok=False,
                finding=f"{found}; vectors for {dense}, terms for {lexical}",
                fix="Run `wenzheng rebuild`.",
            )
        return Check("library", ok=True, finding=found)


def _endpoint(settings: Settings) -> Check:
    from langchain_core.messages import HumanMessage

    from rag.model import open_model

    model = open_model(settings)
    try:
        for _ in model.stream([HumanMessage("1+1=")], max_tokens=4):
            break
    finally:
        model.close()
    finding = f"{settings.chat_model} answers at {model.status.detail}"
    return Check("endpoint", ok=True, finding=finding)
