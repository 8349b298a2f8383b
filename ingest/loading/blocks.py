"""What a loader makes of a file: blocks of text with their roles, and the limits it keeps to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rag.types import Change, Note

BlockKind = Literal["paragraph", "heading", "item", "row"]

Beat = Callable[[], None]
"""Called by a loader whenever it has got on, a page or a few hundred rows: a reader that falls silent is stopped."""


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, heading, list item or table row, on one line.

    ``level`` is 1 for the highest heading and counts the nesting of list items from 1; ``page`` counts from 1 where
    the file has pages or slides. The text of an item begins with its number or "• "; a row names its columns, as
    `ingest.loading.tables` writes it.
    """

    text: str
    kind: BlockKind = "paragraph"
    level: int = 0
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's text in reading order, and what the file says of itself (None where it says nothing).

    ``text`` is the whole text of a format without structure, whose blocks are then empty.
    ``published`` is an ISO date that the file states as its publication, not when it was saved. ``encoding`` is the
    character encoding of formats that leave it open. ``changes`` are what the loader itself took out or joined:
    "page-furniture", "hyphenation", "navigation"; ``notes`` what the reader of the report should know.
    """

    blocks: tuple[Block, ...]
    title: str | None = None
    published: str | None = None
    issuer: str | None = None
    encoding: str = ""
    pages: int | None = None
    changes: tuple[Change, ...] = ()
    notes: tuple[Note, ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one file may ask of the machine. Sizes in megabytes (2**20 bytes), times in seconds.

    ``stall_seconds`` is how long a loader may go on without a beat, ``total_seconds`` how long in all.
    """

    file_mb: int = 64
    pages: int = 5000
    ocr: bool = True
    ocr_pages: int = 300
    image_pixels: int = 50_000_000
    text_chars: int = 20_000_000
    table_rows: int = 200_000
    archive_files: int = 10_000
    archive_mb: int = 2048
    archive_ratio: int = 200
    archive_depth: int = 3
    stall_seconds: float = 30.0
    total_seconds: float = 1800.0
    memory_mb: int = 1024


@dataclass(frozen=True, slots=True)
class Task:
    """A file to be read: its bytes, its name for messages and kind, the limits, and whom to tell of progress."""

    data: bytes
    name: str
    limits: Limits = Limits()
    beat: Beat = lambda: None


Loader = Callable[[Task], Parsed]
"""Reads one file; raises `rag.errors.SourceError` (made by `ingest.messages.fault`) when it can't."""
