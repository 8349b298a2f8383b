"""Files to documents: ``load(path)`` picks a loader by media type, decodes, cleans and describes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from ingest.cleaning import clean
from ingest.decoding import decode
from ingest.structure import describe
from rag.errors import SourceEmpty, SourceNotFound, SourceTooLarge, SourceUnsupported
from rag.types import Document, Source

Loader = Callable[[bytes, str], tuple[str, str]]
"""Bytes and a name for errors in; text and the name of its encoding out."""


def _load_text(data: bytes, name: str) -> tuple[str, str]:
    decoded = decode(data, name)
    return decoded.text, decoded.encoding


MEDIA_TYPES: dict[str, str] = {
    ".txt": "text/plain",
    ".text": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
}
LOADERS: dict[str, Loader] = {"text/plain": _load_text, "text/markdown": _load_text}

_BYTES_PER_MB = 1024 * 1024


def is_supported(path: Path) -> bool:
    """Whether a loader takes files of that name."""
    return path.suffix.lower() in MEDIA_TYPES


def document_id(path: Path) -> str:
    """A document's id, from where it lies: the same over edits of the file."""
    return hashlib.sha256(str(path.absolute()).encode("utf-8", errors="surrogateescape")).hexdigest()[:16]


def read_bytes(path: Path, max_mb: int) -> bytes:
    """A file's bytes.

    :raises SourceNotFound: when it is not there or cannot be read
    :raises SourceTooLarge: when it is over ``max_mb`` megabytes; it is not read then
    """
    try:
        if not path.is_file():
            kind = (
                "is a folder"
                if path.is_dir()
                else "does not exist"
                if not path.exists()
                else "is no plain file"
            )
            raise SourceNotFound(f"{_shown(path)} {kind}.", "Check the path.")
        size = path.stat().st_size
        if size > max_mb * _BYTES_PER_MB:
            raise SourceTooLarge(
                f"{path.name} is {size / _BYTES_PER_MB:,.0f} MB, over the limit of {max_mb} MB.",
                "Split it, or raise the limit with WENZHENG_MAX_FILE_MB.",
            )
        with path.open("rb") as file:
            # One byte more than allowed shows a file that grows while it is read.
            data = file.read(max_mb * _BYTES_PER_MB + 1)
    except OSError as error:
        raise SourceNotFound(
            f"{_shown(path)} cannot be read: {error.strerror}.", "Check that you may read it, then try again."
        ) from error
    if len(data) > max_mb * _BYTES_PER_MB:
        raise SourceTooLarge(
            f"{path.name} grew over {max_mb} MB while it was read.", "Try again when it is complete."
        )
    return data


def digest_of(data: bytes) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def load(path: Path, max_mb: int = 64) -> Document:
    """Load a file as a cleaned document.

    :raises SourceError: with the reason, when it cannot be taken in; see `rag.errors`
    """
    return parse(path, read_bytes(path, max_mb))


def parse(path: Path, data: bytes) -> Document:
    """Make a document of a file's bytes; ``path`` gives its id, its kind and a title when it has none.

    :raises SourceError: with the reason, when it cannot be taken in
    """
    media_type = MEDIA_TYPES.get(path.suffix.lower())
    if media_type is None:
        raise SourceUnsupported(
            f"{path.name} is of a kind that is not read ({path.suffix or 'no extension'}).",
            f"Convert it to one of: {', '.join(sorted(MEDIA_TYPES))}.",
        )
    if not data.strip():
        raise SourceEmpty(f"{path.name} is empty.", "Remove it, or put its text in.")
    text, encoding = LOADERS[media_type](data, path.name)
    text, changes = clean(text)
    text = text.strip("\n")
    if not text.strip():
        raise SourceEmpty(f"{path.name} holds no text.", "Remove it, or put its text in.")
    described = describe(text)
    source = Source(
        id=document_id(path),
        path=str(path.absolute()),
        title=described.title or _readable_stem(path),
        digest=digest_of(data),
        media_type=media_type,
        encoding=encoding,
        published=described.published,
        issuer=described.issuer,
    )
    return Document(source, text, changes)


def _readable_stem(path: Path) -> str:
    return re.sub(r"[_\s]+", " ", path.stem).strip() or path.name


def _shown(path: Path) -> str:
    return str(path).encode("utf-8", errors="replace").decode("utf-8")
