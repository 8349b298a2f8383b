"""Files to blocks: `parse` picks a loader by the file's kind, and checks what every loader must keep to.

One module a format; `KINDS` names them, so that nothing is imported before a file of its kind is met.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import PurePath

from ingest.loading.blocks import Block, Limits, Loader, Parsed, Task
from ingest.messages import fault

__all__ = ["KINDS", "Block", "Kind", "Limits", "Loader", "Parsed", "Task", "is_supported", "kind_of", "parse"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its media type and the module in this folder that reads it.

    ``isolated`` kinds are read with libraries for complicated formats, in a process of its own.
    """

    media_type: str
    module: str
    isolated: bool = True


_TEXT = Kind("text/plain", "plain", isolated=False)
_MARKDOWN = Kind("text/markdown", "markdown", isolated=False)
_HTML = Kind("text/html", "html")
_MHTML = Kind("multipart/related", "mhtml")
_OFFICE = "application/vnd.openxmlformats-officedocument"
KINDS: dict[str, Kind] = {
    ".txt": _TEXT,
    ".text": _TEXT,
    ".md": _MARKDOWN,
    ".markdown": _MARKDOWN,
    ".csv": Kind("text/csv", "delimited"),
    ".tsv": Kind("text/tab-separated-values", "delimited"),
    ".html": _HTML,
    ".htm": _HTML,
    ".xhtml": _HTML,
    ".shtml": _HTML,
    ".mhtml": _MHTML,
    ".mht": _MHTML,
    ".eml": Kind("message/rfc822", "mail"),
    ".epub": Kind("application/epub+zip", "epub"),
    ".pdf": Kind("application/pdf", "pdf"),
    ".docx": Kind(f"{_OFFICE}.wordprocessingml.document", "word"),
    ".docm": Kind("application/vnd.ms-word.document.macroEnabled.12", "word"),
    ".pptx": Kind(f"{_OFFICE}.presentationml.presentation", "slides"),
    ".pptm": Kind("application/vnd.ms-powerpoint.presentation.macroEnabled.12", "slides"),
    ".xlsx": Kind(f"{_OFFICE}.spreadsheetml.sheet", "sheets"),
    ".xlsm": Kind("application/vnd.ms-excel.sheet.macroEnabled.12", "sheets"),
    ".odt": Kind("application/vnd.oasis.opendocument.text", "opendocument"),
    ".ods": Kind("application/vnd.oasis.opendocument.spreadsheet", "opendocument"),
    ".odp": Kind("application/vnd.oasis.opendocument.presentation", "opendocument"),
    ".rtf": Kind("application/rtf", "rtf"),
    ".doc": Kind("application/msword", "legacy"),
    ".wps": Kind("application/vnd.ms-works", "legacy"),
    ".xls": Kind("application/vnd.ms-excel", "legacy"),
    ".et": Kind("application/vnd.ms-excel", "legacy"),
    ".ppt": Kind("application/vnd.ms-powerpoint", "legacy"),
    ".dps": Kind("application/vnd.ms-powerpoint", "legacy"),
    ".png": Kind("image/png", "images"),
    ".jpg": Kind("image/jpeg", "images"),
    ".jpeg": Kind("image/jpeg", "images"),
    ".tif": Kind("image/tiff", "images"),
    ".tiff": Kind("image/tiff", "images"),
    ".bmp": Kind("image/bmp", "images"),
    ".webp": Kind("image/webp", "images"),
    ".gif": Kind("image/gif", "images"),
}
ARCHIVES = frozenset({".zip"})
"""Read member by member (`ingest.loading.archive`); they are no documents themselves."""


def suffix_of(name: str) -> str:
    """A file name's ending, in lower case."""
    return PurePath(name).suffix.lower()


def kind_of(name: str) -> Kind | None:
    """The kind of file that a name tells; None where no loader takes it."""
    return KINDS.get(suffix_of(name))


def is_supported(name: str) -> bool:
    """Whether files of that name are taken in, as documents or as archives of documents."""
    return suffix_of(name) in KINDS or suffix_of(name) in ARCHIVES


def parse(task: Task) -> Parsed:
    """Read a file's bytes with the loader of its kind, in this process.

    :raises SourceError: with the reason, when it cannot be taken in; see `rag.errors`
    """
    kind = kind_of(task.name)
    if kind is None:
        kinds = " ".join(sorted({*KINDS, *ARCHIVES}))
        raise fault("unsupported", task.name, detail=suffix_of(task.name) or "–", kinds=kinds)
    if not task.data.strip(b"\0\t\n\r "):
        raise fault("empty", task.name)
    limit = task.limits.file_mb
    if len(task.data) > limit * 2**20:
        raise fault("too_large", task.name, size=len(task.data) // 2**20, limit=limit)
    loader: Loader = importlib.import_module(f"ingest.loading.{kind.module}").load
    parsed = loader(task)
    length = len(parsed.text or "") + sum(len(block.text) for block in parsed.blocks)
    if length > task.limits.text_chars:
        raise fault("too_much_text", task.name, limit=task.limits.text_chars, detail="characters/字")
    if not (parsed.text or "").strip() and not any(block.text.strip() for block in parsed.blocks):
        raise fault("no_text", task.name)
    return parsed
