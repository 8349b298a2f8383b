"""Blocks to documents: what a loader read is cleaned, described and joined to one text with marks. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path, PurePath

from ingest.cleaning import clean
from ingest.loading import Block, Limits, Parsed, Task, kind_of, parse
from ingest.messages import fault
from ingest.reading import digest_of, read_bytes
from ingest.structure import describe, formal_title
from rag.text import fold
from rag.types import Change, Document, Mark, Source

DEFAULT_LIMITS = Limits()
_TITLE_BLOCKS = 6
_HEAD_MARKS = 12
_MOST_EXAMPLES = 20


def load(path: Path, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Read a file in this process as a cleaned document.

    :raises SourceError: with the reason, when it cannot be taken in; see `rag.errors`
    """
    data = read_bytes(path, limits.file_mb)
    parsed = parse(Task(data, path.name, limits))
    return make_document(parsed, path=str(path.absolute()), digest=digest_of(data))


def make_document(parsed: Parsed, *, path: str, digest: str, document_id: str | None = None) -> Document:
    """A document of what a loader read: cleaned, described, with the marks of its blocks.

    :param path: where the file lies; gives the kind, the id when none is given, and a title when it has none
    :param digest: SHA-256 of the file's bytes
    :raises SourceEmpty: when cleaning leaves no text
    """
    name = PurePath(path).name
    marks: tuple[Mark, ...] = ()
    if parsed.text is not None:
        text, changes = clean(parsed.text)
        text = text.strip("\n")
    else:
        text, marks, changes = _joined(parsed.blocks)
    if not text.strip():
        raise fault("no_text", name)
    described = describe(text)
    kind = kind_of(name)
    source = Source(
        id=document_id or id_of(path),
        path=path,
        title=_title(parsed, text, marks, described.title) or readable_stem(name),
        digest=digest,
        media_type=kind.media_type if kind else "application/octet-stream",
        encoding=parsed.encoding,
        published=parsed.published or described.published,
        issuer=parsed.issuer or described.issuer,
        pages=parsed.pages,
    )
    return Document(source, text, _merged((*parsed.changes, *changes)), marks, parsed.notes)


def id_of(path: str, number: int = 0) -> str:
    """A document's id, from where it was first found: the same over edits of the file.

    ``number`` gives another one where a file has moved away from that place and keeps the first.
    """
    key = path if not number else f"{path}\0{number}"
    return hashlib.sha256(key.encode("utf-8", errors="surrogateescape")).hexdigest()[:16]


def readable_stem(name: str) -> str:
    """A file's name without its ending, fit to be a title."""
    stem = PurePath(name).stem.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[_\s]+", " ", stem).strip() or stem


def content_key(text: str) -> str:
    """A digest of a text's letters, digits and Han characters: the same for the same content in another format."""
    return hashlib.sha256("".join(_CONTENT.findall(fold(text))).encode("utf-8", "replace")).hexdigest()


_CONTENT = re.compile(r"[^\W_]+")


def _joined(blocks: Iterable[Block]) -> tuple[str, tuple[Mark, ...], tuple[Change, ...]]:
    """The blocks as lines of one cleaned text, with a mark for each."""
    kept = [block for block in blocks if block.text.strip()]
    cleaned, changes = clean("\n".join(" ".join(block.text.split("\n")) for block in kept))
    lines = cleaned.split("\n")
    if len(lines) != len(kept):
        # Cleaning took a line out or joined two: one by one, so that each keeps its role.
        each = [clean(block.text) for block in kept]
        lines = [" ".join(line.split("\n")).strip() for line, _ in each]
        changes = _merged(change for _, some in each for change in some)
    texts: list[str] = []
    marks: list[Mark] = []
    at = 0
    for block, line in zip(kept, lines, strict=True):
        line = line.strip()
        if not line:
            continue
        texts.append(line)
        marks.append(Mark(at, at + len(line), block.kind, block.level, block.page))
        at += len(line) + 1
    return "\n".join(texts), tuple(marks), changes


def _title(parsed: Parsed, text: str, marks: tuple[Mark, ...], described: str | None) -> str | None:
    if parsed.title and (title := clean(" ".join(parsed.title.split()))[0].strip()):
        return title[:200]
    if marks and (formal := formal_title([text[m.start : m.end] for m in marks[:_HEAD_MARKS]])):
        return formal
    for mark in marks[:_TITLE_BLOCKS]:
        if mark.kind == "heading":
            return text[mark.start : mark.end][:200]
    if marks and marks[0].kind in ("row", "item"):
        return None
    return described


def _merged(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Changes with one entry for each kind."""
    merged: dict[str, Change] = {}
    for change in changes:
        known = merged.get(change.kind)
        if known is None:
            merged[change.kind] = change
        else:
            examples = (*known.examples, *change.examples)[:_MOST_EXAMPLES]
            merged[change.kind] = Change(change.kind, known.count + change.count, examples)
    return tuple(merged.values())
