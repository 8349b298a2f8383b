"""Office files from before 2007 (.doc, .xls, .ppt) and those of WPS (.wps, .et, .dps), converted by LibreOffice.

Many files with these endings are something else: web pages, rich text, new Office files. They are told by their
content and read by their own loader, for which LibreOffice is not needed.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from ingest.loading import opendocument, rtf, sheets, slides, word
from ingest.loading.blocks import Loader, Parsed, Task
from ingest.loading.packages import MEGABYTE, OLE_MAGIC, ole_streams, open_ole
from ingest.messages import fault
from rag.errors import SourceError

if TYPE_CHECKING:
    import olefile

_USUAL_PLACES = (
    "/opt/libreoffice*/program/soffice",
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    "C:/Program Files/LibreOffice/program/soffice.exe",
    "C:/Program Files (x86)/LibreOffice/program/soffice.exe",
)
_POLL_SECONDS = 0.1
_STALLS = 3
"""How many times the usual patience LibreOffice gets: it has to start, too."""
_HEAD = 4096
_MACRO_NAME = re.compile(r"(?:^|/)(?:_vba_project(?:_cur)?|vba|macros)(?:/|$)", re.IGNORECASE)
_PPT_MACROS = re.compile(rb"\x1f\x00\xff\x03.{4}\x02\x00\x00\x04\x0c\x00\x00\x00.{4}(.{4})", re.DOTALL)
_WEB_PAGE = re.compile(
    rb"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|meta|body|table|div|style|p)\b",
    re.I | re.S,
)
_MAIL = re.compile(rb"^\s*(?:mime-version|from|content-type|x-\S+|date|subject):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What an old file becomes: the ending of the new one, LibreOffice's module, and the loader that reads it."""

    ending: str
    module: str
    load: Loader


_WORD = _Kind("docx", "writer", word.load)
_SHEETS = _Kind("xlsx", "calc", sheets.load)
_SLIDES = _Kind("pptx", "impress", slides.load)
_KINDS = {
    "worddocument": (_WORD, "doc"),
    "workbook": (_SHEETS, "xls"),
    "book": (_SHEETS, "xls"),
    "powerpoint document": (_SLIDES, "ppt"),
}
"""By the stream that holds the document, which is the same for Microsoft's programs and WPS."""


def load(task: Task) -> Parsed:
    """Read an old office file.

    :raises SourceUnsupported: when it needs LibreOffice and that is not installed, or it is of no known kind
    :raises SourceError: when it is encrypted, has macros, is damaged or takes too long
    """
    if not task.data:
        raise fault("empty", task.name)
    if not task.data.startswith(OLE_MAGIC):
        return _by_content(task)(task)
    with open_ole(task) as ole:
        try:
            kind, ending = _examine(ole, task)
        except SourceError:
            raise
        except Exception as error:  # the parser meets damaged files with errors of many kinds
            raise fault("damaged", task.name, detail="its OLE container cannot be read") from error
    program = find_libreoffice()
    if program is None:
        shown = PurePath(task.name).suffix.lower() or f".{ending}"
        raise fault("needs_libreoffice", task.name, detail=shown, kinds=f".{kind.ending}")
    return kind.load(replace(task, data=_convert(program, kind, ending, task)))


def find_libreoffice() -> Path | None:
    """LibreOffice's program, on the PATH or where its installers put it."""
    for name in ("soffice", "libreoffice"):
        if found := shutil.which(name):
            return Path(found)
    for pattern in _USUAL_PLACES:
        path = Path(pattern)
        anchor = Path(path.anchor)
        if anchor.is_dir():
            for candidate in sorted(anchor.glob(str(path.relative_to(anchor))), reverse=True):
                if candidate.is_file():
                    return candidate
    return None


def _by_content(task: Task) -> Loader:
    """The loader for a file that is none of the old kinds."""
    head = task.data[:_HEAD].removeprefix(b"\xef\xbb\xbf")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head[2:].replace(b"\x00", b"")
    if head.startswith(b"PK\x03\x04"):
        return _package_loader(task)
    if head.lstrip().startswith(b"{\\rtf"):
        return rtf.load
    if _WEB_PAGE.match(head):
        from ingest.loading import html

        return html.load
    if _MAIL.match(head) and b"multipart/related" in head.lower():
        from ingest.loading import mhtml

        return mhtml.load
    raise fault("not_its_kind", task.name, detail="it is no office file")


def _package_loader(task: Task) -> Loader:
    import io

    try:
        with zipfile.ZipFile(io.BytesIO(task.data)) as package:
            names = package.namelist()
    except Exception as error:  # a damaged directory raises errors of many kinds
        raise fault("damaged", task.name, detail="it is no complete ZIP package") from error
    for beginning, loader in (
        ("word/", word.load),
        ("xl/", sheets.load),
        ("ppt/", slides.load),
        ("content.xml", opendocument.load),
    ):
        if any(name.startswith(beginning) for name in names):
            return loader
    raise fault("not_its_kind", task.name, detail="it is a ZIP archive")


def _examine(ole: olefile.OleFileIO, task: Task) -> tuple[_Kind, str]:
    """What kind of document an OLE file holds and its usual ending; refuses what is encrypted or has macros."""
    names = {name.lower(): name for name in ole_streams(ole, task)}
    if "encryptedpackage" in names or "encryptedsummary" in names:
        raise fault("encrypted", task.name)
    if any(_MACRO_NAME.search(name) for name in names):
        raise fault("macros", task.name)
    stream = next((name for name in _KINDS if name in names), None)
    if stream is None:
        raise fault("not_its_kind", task.name, detail="it holds no text, workbook or slides")
    limit = task.limits.file_mb * MEGABYTE
    with ole.openstream(names[stream]) as opened:
        data: bytes = opened.read(limit)
    kind, ending = _KINDS[stream]
    if kind is _WORD and len(data) > 12 and data[11] & 0x01:
        # fEncrypted, a flag in the first lines of the file information block.
        raise fault("encrypted", task.name)
    if kind is _SHEETS:
        _examine_records(data, task)
    if kind is _SLIDES and (match := _PPT_MACROS.search(data)) and any(match.group(1)):
        raise fault("macros", task.name)
    return kind, ending


def _examine_records(data: bytes, task: Task) -> None:
    """The records of a workbook up to the end of its globals: one stands for encryption, one for each sheet."""
    for record, content in _records(data):
        if record == 0x2F:
            raise fault("encrypted", task.name)
        if record == 0x85 and len(content) > 5 and content[5] in (1, 6):
            # A sheet of macros, Excel's way before it had Basic, or a module.
            raise fault("macros", task.name)
        if record == 0x0A:
            return


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + 4 <= len(data):
        record = int.from_bytes(data[position : position + 2], "little")
        length = int.from_bytes(data[position + 2 : position + 4], "little")
        yield record, data[position + 4 : position + 4 + length]
        position += 4 + length


def _convert(program: Path, kind: _Kind, ending: str, task: Task) -> bytes:
    """The file as a new Office file, made by a LibreOffice of its own that leaves nothing behind."""
    with tempfile.TemporaryDirectory(prefix="wenzheng-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        source = home / f"source.{ending}"
        source.write_bytes(task.data)
        made = home / "made"
        command = [
            str(program),
            f"-env:UserInstallation={(home / 'profile').as_uri()}",
            "--headless",
            "--norestore",
            "--nologo",
            "--nolockcheck",
            "--convert-to",
            kind.ending,
            "--outdir",
            str(made),
            str(source),
        ]
        _run(command, home, kind, task)
        converted = made / f"source.{kind.ending}"
        try:
            size = converted.stat().st_size
            if size > task.limits.archive_mb * MEGABYTE:
                raise fault("archive_too_large", task.name, limit=task.limits.archive_mb)
            return converted.read_bytes()
        except OSError as error:
            detail = "it made no document of it"
            raise fault("libreoffice_failed", task.name, detail=detail, kinds=f".{kind.ending}") from error


def _run(command: list[str], home: Path, kind: _Kind, task: Task) -> None:
    environment = os.environ | {"HOME": str(home), "TMPDIR": str(home), "SAL_USE_VCLPLUGIN": "svp"}
    try:
        process = subprocess.Popen(
            command,
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        detail = "it cannot be started"
        raise fault("libreoffice_failed", task.name, detail=detail, kinds=f".{kind.ending}") from error
    patience = task.limits.stall_seconds * _STALLS
    deadline = time.monotonic() + patience
    try:
        while process.poll() is None:
            if time.monotonic() > deadline:
                raise fault("too_slow", task.name, limit=f"{patience:g}")
            task.beat()
            time.sleep(_POLL_SECONDS)
    finally:
        _end(process)
    if process.returncode:
        detail = f"exit code {process.returncode}"
        raise fault("libreoffice_failed", task.name, detail=detail, kinds=f".{kind.ending}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End LibreOffice with all it started, which outlives its starter otherwise."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()
