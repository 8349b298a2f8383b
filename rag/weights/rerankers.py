"""CrossEncoder models of a hub, which are folders and not files of the catalogue: fetched by command, found by name.

A hub's folder changes as its publisher likes, so no digest can be known beforehand; the commit that was fetched is noted in
it. Weights are taken as safetensors alone and no program code: reading either cannot run anything.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from pathlib import Path
from typing import Final

from rag.errors import WeightsError
from rag.settings import Settings
from rag.weights.disk import disk_errors, one_at_a_time, require_space, sync_folder

FOLDER: Final = "rerankers"
MARKER: Final = ".wenzheng.json"
_WANTED: Final = ("*.json", "*.txt", "*.model", "*.jinja", "*.safetensors")
_UNWANTED: Final = ("onnx/*", "openvino/*", ".*")
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def is_hub_name(name: str) -> bool:
    """Whether this is of the form owner/name, in which a hub names its models."""
    return _NAME.fullmatch(name) is not None and ".." not in name and "--" not in name


def locate_reranker(name: str, settings: Settings) -> Path | None:
    """The folder of a reranker of the hub: one that `pull_reranker` fetched, else one in the hub library's own cache.

    Nothing is fetched.

    :param name: owner/name
    """
    target = _target(name, settings)
    if (target / MARKER).is_file():
        return target
    from huggingface_hub import snapshot_download

    # OSError and ValueError: what the library raises for a model that its cache does not hold, whole or at all.
    with contextlib.suppress(OSError, ValueError):
        return Path(snapshot_download(name, local_files_only=True))
    return None


def pull_reranker(name: str, settings: Settings) -> Path:
    """Make sure that a reranker of the hub is on this machine, fetching it if it is not.

    What was fetched before an interruption is kept and not fetched again. It is used only once it is whole.

    :param name: owner/name, as the hub of `Settings.models_hub` names it
    :return: its folder
    :raises WeightsError: the name is of another form, no hub is named, it cannot be reached or has no such model, or the
        model has no weights as safetensors
    :raises StorageFull: if the disk has no room for it
    """
    if not is_hub_name(name):
        raise WeightsError(
            f"{name!r} is not the name of a model of a hub.", "Give it as owner/name; a folder needs no pull."
        )
    target = _target(name, settings)
    if (target / MARKER).is_file():
        return target
    if not settings.models_hub:
        raise WeightsError(
            f"The reranker {name} cannot be fetched: no hub is named.",
            "Name one in WENZHENG_MODELS_HUB, or set rerank to a folder that you placed by hand.",
        )
    with disk_errors(settings.models):
        target.parent.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(settings.models, f"reranker-{target.name}", lambda: None):
            if not (target / MARKER).is_file():
                draft = settings.models / ".partial" / f"reranker-{target.name}"
                draft.mkdir(parents=True, exist_ok=True)
                commit = _fetch(name, settings.models_hub, draft)
                _install(name, commit, draft, target)
    return target


def _fetch(name: str, hub: str, draft: Path) -> str:
    """Fetch the folder's files into ``draft``; the commit that they are of."""
    import httpx
    from huggingface_hub import HfApi, snapshot_download

    fix = (
        f"Look whether {hub.rstrip('/')}/{name} is right and can be reached, and run "
        f"`wenzheng models pull --reranker {name}` again; or place the model in a folder by hand and set rerank to it."
    )
    try:
        found = HfApi(endpoint=hub).model_info(name, files_metadata=True)
        sizes = {file.rfilename: file.size or 0 for file in found.siblings or ()}
        weights = {path: size for path, size in sizes.items() if path.endswith(".safetensors")}
    except (OSError, ValueError, httpx.HTTPError) as error:
        raise _failed(name, hub, error, fix) from error
    if not any("/" not in path for path in weights):
        raise WeightsError(
            f"The reranker {name} at {hub} has no weights as safetensors.", "Name another model."
        )
    require_space(draft, sum(size for path, size in weights.items() if "/" not in path))
    try:
        snapshot_download(
            name,
            revision=found.sha,
            local_dir=draft,
            endpoint=hub,
            allow_patterns=list(_WANTED),
            ignore_patterns=list(_UNWANTED),
        )
    except (OSError, ValueError, httpx.HTTPError) as error:
        raise _failed(name, hub, error, fix) from error
    return str(found.sha)


def _failed(name: str, hub: str, error: Exception, fix: str) -> WeightsError:
    first = (str(error).strip() or "no reason given").splitlines()[0]
    shown = re.sub(r"://[^/@\s]+@", "://***@", f"{hub}: {type(error).__name__}: {first}")
    return WeightsError(f"The reranker {name} could not be fetched from {shown}", fix)


def _install(name: str, commit: str, draft: Path, target: Path) -> None:
    """Move a whole folder to its place."""
    shutil.rmtree(draft / ".cache", ignore_errors=True)
    marker = {"name": name, "commit": commit}
    (draft / MARKER).write_text(json.dumps(marker) + "\n", encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)
    sync_folder(target.parent)


def _target(name: str, settings: Settings) -> Path:
    return settings.models / FOLDER / name.replace("/", "--")
