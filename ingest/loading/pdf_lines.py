"""Lines of text with their places on a page, and how the text of broken lines is put together. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.loading.blocks import Block
from rag.text import HAN

WIDE = f"{HAN}\u2e80-\u2fdf\u3001-\u303f\u3040-\u30ff\u3100-\u312f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\u2014\u2018-\u201d\u2026"
"""Characters that are set in a square and are not parted by spaces: Han, kana and their punctuation."""
_WIDE_CHAR = re.compile(f"[{WIDE}]")
_LONG_HYPHENATED = re.compile(r"[A-Za-z]{2,}-$")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, or a part of one, and its box. The origin is the upper left corner; units are points.

    ``size`` is the height of its letters' font.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size: float
    bold: bool = False

    @property
    def middle(self) -> float:
        """Where it stands between top and bottom of the page."""
        return (self.top + self.bottom) / 2

    @property
    def width(self) -> float:
        """From the first to the last letter."""
        return self.right - self.left


@dataclass(frozen=True, slots=True)
class Table:
    """A table on a page: where it stands, and its rows as blocks."""

    left: float
    top: float
    right: float
    bottom: float
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on a page, in no order yet. ``rough`` where lines were measured on a picture."""

    number: int
    width: float
    height: float
    lines: tuple[Line, ...]
    tables: tuple[Table, ...] = ()
    rough: bool = False


def is_wide(char: str) -> bool:
    """Whether this is a character that takes no space beside it."""
    return _WIDE_CHAR.match(char) is not None


def join(first: str, second: str) -> str:
    """Two lines of one paragraph as one: nothing between them beside a wide character, else a space."""
    first, second = first.rstrip(), second.lstrip()
    if not first or not second or is_wide(first[-1]) or is_wide(second[0]):
        return first + second
    return f"{first} {second}"


def unhyphenated(first: str, second: str) -> str | None:
    """Two lines as one without the hyphen that parted a word, None where no word is parted."""
    if (
        _LONG_HYPHENATED.search(first)
        and second[:1].isalpha()
        and second[:1].islower()
        and second.isprintable()
    ):
        return first[:-1] + second
    return None


def same_row(first: Line, second: Line) -> bool:
    """Whether two parts stand beside each other: they share more than half of the lower one's height."""
    shared = min(first.bottom, second.bottom) - max(first.top, second.top)
    return shared > 0.5 * min(first.bottom - first.top, second.bottom - second.top)


def rows_of(lines: Sequence[Line]) -> list[Line]:
    """The lines from top to bottom, with those that stand beside each other made one."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: (line.middle, line.left)):
        if rows and any(same_row(line, other) for other in rows[-1]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [_one(row) for row in rows]


def _one(row: list[Line]) -> Line:
    if len(row) == 1:
        return row[0]
    row.sort(key=lambda line: line.left)
    longest = max(row, key=lambda line: len(line.text))
    text = row[0].text
    for before, line in zip(row, row[1:], strict=False):
        # Pieces that touch are one run of letters in two fonts; a real gap is shown by a space.
        touching = line.left - before.right < 0.6 * longest.size
        text = join(text, line.text) if touching else f"{text} {line.text}"
    return Line(
        text,
        row[0].left,
        min(line.top for line in row),
        max(line.right for line in row),
        max(line.bottom for line in row),
        longest.size,
        all(line.bold for line in row),
    )


def columns_of(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines in reading order, as the columns they stand in; one list where the page has but one column.

    A column is taken for one when at least three lines stand on each side of a gutter, beside each other and long
    enough for running text: numbers that stand right of their labels are no column. Lines across the gutter part
    the page into bands that are read one after the other.
    """
    gutter = _gutter(lines)
    if gutter is None:
        return [rows_of(lines)] if lines else []
    groups: list[list[Line]] = []
    left: list[Line] = []
    right: list[Line] = []
    for line in sorted(lines, key=lambda line: line.middle):
        if line.right <= gutter:
            left.append(line)
        elif line.left >= gutter:
            right.append(line)
        else:
            groups += [rows_of(side) for side in (left, right) if side]
            groups.append([line])
            left, right = [], []
    groups += [rows_of(side) for side in (left, right) if side]
    return groups


def _gutter(lines: Sequence[Line]) -> float | None:
    if len(lines) < 6:
        return None
    least, most = min(line.left for line in lines), max(line.right for line in lines)
    span = most - least
    lefts = sorted(line.left for line in lines)
    tried: list[float] = []
    for x in lefts:
        if not least + 0.25 * span < x < least + 0.75 * span or (tried and x - tried[-1] < 3):
            continue
        tried.append(x)
        edge = x - 2
        left = [line for line in lines if line.right <= edge]
        right = [line for line in lines if line.left >= edge]
        if len(left) < 3 or len(right) < 3 or len(left) + len(right) < 0.6 * len(lines):
            continue
        if any(_median([line.width for line in side]) < 0.25 * span for side in (left, right)):
            continue
        shared = min(max(ln.bottom for ln in left), max(ln.bottom for ln in right)) - max(
            min(ln.top for ln in left), min(ln.top for ln in right)
        )
        lower = min(
            max(ln.bottom for ln in left) - min(ln.top for ln in left),
            max(ln.bottom for ln in right) - min(ln.top for ln in right),
        )
        if shared > 0.5 * lower:
            return edge
    return None


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def spans(numbers: Sequence[int]) -> str:
    """Page numbers in order as a reader writes them: "1, 4-7"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] + 1 == number:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ", ".join("-".join(map(str, part)) for part in parts)
