"""The names of files inside other files: decoded from whatever their packer wrote, and checked before use."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from ingest.decoding import decode
from rag.errors import SourceError

_DRIVE = re.compile(r"^[A-Za-z]:")
_LEGACY = ("gb18030", "big5hkscs")
_LITTER = frozenset(("thumbs.db", "desktop.ini", ".ds_store", "__macosx"))
_CONTROL = re.compile("[\x00-\x1f\x7f\u2028\u2029]")
_LONGEST = 250


def decode_names(raws: Sequence[bytes]) -> list[str]:
    """Names in one unknown encoding, decided over all of them: UTF-8, GB18030 or Big5, whichever reads like names."""
    joined = b"\n".join(raws)
    try:
        return [raw.decode("utf-8") for raw in raws]
    except UnicodeDecodeError:
        pass
    encoding = _legacy(joined)
    return [raw.decode(encoding, "replace") for raw in raws]


def _legacy(joined: bytes) -> str:
    try:
        return decode(joined, "names").encoding
    except SourceError:
        pass
    for encoding in _LEGACY:
        try:
            joined.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "cp437"


def leads_out(name: str) -> bool:
    """Whether a path with "/" leads out of the place that it is relative to, or is absolute."""
    return name.startswith("/") or _DRIVE.match(name) is not None or ".." in name.split("/")


def tidy_path(name: str) -> str:
    """A path inside an archive with "/" between its parts, without control characters and empty parts."""
    name = _CONTROL.sub("", name).replace("\\", "/")
    absolute = "/" if name.startswith("/") else ""
    # "a/./b" and "a//b" are "a/b"; ".." is left for `leads_out` to see.
    return absolute + "/".join(part for part in name.split("/") if part not in ("", "."))


def is_litter(name: str) -> bool:
    """Whether a path is what an operating system leaves behind, or a hidden file."""
    parts = [part for part in name.lower().split("/") if part]
    return not parts or any(part in _LITTER or (part.startswith(".") and part != "..") for part in parts)


def file_name(text: str, default: str) -> str:
    """A single name fit for a file out of what a letter calls its attachment: no folders, no control characters."""
    name = posixpath.basename(tidy_path(text)).strip(" .") or default
    stem, dot, ending = name.rpartition(".")
    return (
        f"{stem[: _LONGEST - len(ending)]}{dot}{ending}" if len(name) > _LONGEST and stem else name[:_LONGEST]
    )
