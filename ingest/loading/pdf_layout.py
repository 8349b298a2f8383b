"""Lines on pages to paragraphs, headings and list items in reading order. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ingest.loading.blocks import Block
from ingest.loading.numbering import BULLET
from ingest.loading.pdf_furniture import without_furniture
from ingest.loading.pdf_lines import Line, Page, Table, columns_of, is_wide, join, unhyphenated
from rag.types import Change

_EXAMPLES = 20
_LONGEST_HEADING = 80
_LONGEST_NUMBERED = 34
_LONGEST_BOLD = 40
_DEEPEST = 6
_NUMERAL = "[〇零一二三四五六七八九十百]{1,5}"
_MARKERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("chapter", re.compile(rf"第(?:{_NUMERAL}|\d{{1,3}})[编編篇章部]")),
    ("section", re.compile(rf"第(?:{_NUMERAL}|\d{{1,3}})[节節]")),
    ("article", re.compile(rf"第(?:{_NUMERAL}|\d{{1,3}})[条條款]")),
    ("first", re.compile(rf"{_NUMERAL}、")),
    ("second", re.compile(rf"[（(]{_NUMERAL}[）)]")),
    ("bullet", re.compile(r"[•●■◆▪◦‣·○□➢►▶★☆※\uf0b7\uf06c\uf0d8\uf0a7\uf075]\s*(?=\S)|[-–—]\s+(?=\S)")),
    ("number", re.compile(r"(?P<n>\d{1,3})(?:[、．]|\.(?!\d)|[)）])\s*(?=\S)")),
    ("bracketed", re.compile(r"[（(](?P<n>\d{1,3})[）)]\s*(?=\S)")),
    ("circled", re.compile(r"(?P<n>[①-⑳])\s*(?=\S)")),
    ("decimal", re.compile(r"\d{1,2}(?:\.\d{1,2}){1,3}[.、．]?\s+(?=[^\d\s%元万亿])")),
)
_HEADING_RANK = {"": 0, "chapter": 1, "section": 2, "first": 3, "second": 4}
_SENTENCE_END = re.compile(r"[。！？!?；;：:…][”’」』）)】》\"']*$|[.][\"')]*$")
_NO_HEADING_END = re.compile(r"[。；;，,、！!][”’」』）)】\"']*$")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_NOT_AT_START = "，。、；：？！）】》」』”’,.;:?!)]}%％"


@dataclass(frozen=True, slots=True)
class Layout:
    """The blocks of a document in reading order, and what was taken out or joined on the way."""

    blocks: tuple[Block, ...]
    changes: tuple[Change, ...]


@dataclass(slots=True)
class _Paragraph:
    text: str
    page: int
    last: Line
    first: Line
    column: _Column
    marker: str
    lines: int = 1
    rough: bool = False


@dataclass(frozen=True, slots=True)
class _Column:
    left: float
    right: float
    page_width: float


@dataclass(slots=True)
class _Hyphens:
    count: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)

    def joined(self, first: str, second: str) -> str:
        whole = unhyphenated(first, second)
        if whole is None:
            return join(first, second)
        self.count += 1
        if len(self.examples) < _EXAMPLES:
            word, rest = first.rsplit(maxsplit=1)[-1], second.split(maxsplit=1)[0]
            self.examples.append((f"{word} {rest}", f"{word[:-1]}{rest}"))
        return whole


def layout(pages: Sequence[Page], *, furniture: bool = True) -> Layout:
    """The blocks of a document.

    :param pages: the pages in order; their lines may come in any order
    :param furniture: whether headers, footers and page numbers are taken out; a photograph has none

    Changes are "page-furniture" and "hyphenation". Never raises.
    """
    changes = []
    if furniture:
        pages, change = without_furniture(pages)
        changes += [change] if change else []
    body = _body_size(pages)
    hyphens = _Hyphens()
    parts = list(_parts(pages, body, hyphens))
    if hyphens.count:
        changes.append(Change("hyphenation", hyphens.count, tuple(hyphens.examples)))
    return Layout(tuple(_blocks(parts, body)), tuple(changes))


def marker_of(text: str) -> str:
    """The kind of number or bullet that a line begins with, "" for none."""
    for name, pattern in _MARKERS:
        if pattern.match(text):
            return name
    return ""


def _body_size(pages: Sequence[Page]) -> float:
    """The size that most letters have, to half a point."""
    sizes = Counter[float]()
    for page in pages:
        for line in page.lines:
            sizes[round(line.size * 2) / 2] += len(line.text)
    if not sizes:
        return 10.0
    if not any(page.rough for page in pages):
        return sizes.most_common(1)[0][0]
    # Heights measured on a picture scatter: the middle letter's is steadier than the commonest.
    half, passed = sizes.total() / 2, 0
    for size in sorted(sizes):
        passed += sizes[size]
        if passed >= half:
            return size
    return max(sizes)


def _parts(pages: Sequence[Page], body: float, hyphens: _Hyphens) -> Iterator[_Paragraph | Table]:
    """Paragraphs and tables in reading order; paragraphs that go over a page's end are one."""
    margins = _usual_margins(pages)
    pitch = _pitch(pages, body)
    current: _Paragraph | None = None
    for page in pages:
        new_page = True
        for column, item in _items(page, margins):
            if isinstance(item, Table):
                if current is not None:
                    yield current
                current = None
                yield item
                new_page = False
                continue
            marker = marker_of(item.text)
            if current is not None and _continues(current, item, column, marker, body, pitch, new_page):
                current.text = hyphens.joined(current.text, item.text)
                current.last, current.column = item, column
                current.lines += 1
            else:
                if current is not None:
                    yield current
                current = _Paragraph(item.text, page.number, item, item, column, marker, rough=page.rough)
            new_page = False
    if current is not None:
        yield current


def _items(page: Page, margins: tuple[float, float] | None) -> Iterator[tuple[_Column, Line | Table]]:
    """The lines and tables of a page in reading order, each with the column it stands in."""
    bands: list[list[Line]] = []
    tables = sorted(page.tables, key=lambda table: table.top)
    above = float("-inf")
    for table in [*tables, None]:
        limit = table.top if table is not None else float("inf")
        between = [line for line in page.lines if above <= line.middle < limit]
        bands = columns_of(between)
        for lines in bands:
            left, right = min(line.left for line in lines), max(line.right for line in lines)
            if len(bands) == 1 and margins is not None:
                left, right = min(left, margins[0]), max(right, margins[1]) if len(lines) < 6 else right
            if len(bands) == 1 and margins is None and len(lines) < 4:
                # Two or three short lines do not show where the margin is.
                right = max(right, 0.75 * page.width)
            column = _Column(left, right, page.width)
            yield from ((column, line) for line in lines)
        if table is not None:
            yield _Column(table.left, table.right, page.width), table
            above = table.top


def _usual_margins(pages: Sequence[Page]) -> tuple[float, float] | None:
    """Left and right edge of the text on most pages: what a page with few lines is measured by."""
    edges = [
        (min(line.left for line in page.lines), max(line.right for line in page.lines))
        for page in pages
        if len(page.lines) >= 6
    ]
    if not edges:
        return None
    lefts, rights = sorted(edge[0] for edge in edges), sorted(edge[1] for edge in edges)
    return lefts[len(lefts) // 2], rights[len(rights) // 2]


def _pitch(pages: Sequence[Page], body: float) -> float:
    """The distance from line to line in running text: the commonest of the plausible ones."""
    steps = Counter[float]()
    for page in pages:
        lines = sorted(page.lines, key=lambda line: line.middle)
        for upper, lower in zip(lines, lines[1:], strict=False):
            step = lower.middle - upper.middle
            if 0.8 * body < step < 4 * body:
                steps[round(step)] += 1
    return steps.most_common(1)[0][0] if steps else 1.5 * body


def _continues(
    before: _Paragraph,
    line: Line,
    column: _Column,
    marker: str,
    body: float,
    pitch: float,
    new_page: bool,
) -> bool:
    """Whether a line goes on with the paragraph before it."""
    last = before.last
    size = max(last.size, 1.0)
    slack = 0.35 if before.rough else 0.12
    if abs(line.size - size) > slack * max(size, line.size):
        return False
    if line.text[0] in _NOT_AT_START and line.text[0] not in "·" and _reaches(last, line, before.column, 2.5):
        return True
    if marker:
        return False
    new_column = column.left > before.column.left + size or line.middle < last.middle
    if _is_title(before, line, column, body) and not new_page and not new_column:
        gap = line.middle - last.middle
        return gap < 2.2 * size and not _SENTENCE_END.search(last.text) and before.lines < 4
    if last.bold != line.bold and not before.rough and not _reaches(last, line, before.column, 1.0):
        return False
    if not _reaches(last, line, before.column, 2.0):
        return False
    indent = line.left - column.left
    if new_page or new_column:
        return indent < 1.2 * size and not _SENTENCE_END.search(last.text) and before.last.size <= body * 1.15
    if line.middle - last.middle > max(1.45 * pitch, 1.9 * size) and line.middle - last.middle > 1.3 * pitch:
        return False
    # An indented line begins a paragraph; in a list item all lines but the first stand further in.
    hanging = before.marker != "" and before.lines == 1
    return hanging or line.left - (last.left if before.lines > 1 else before.column.left) < 1.2 * size


def _reaches(last: Line, line: Line, column: _Column, signs: float) -> bool:
    """Whether a line is full: what begins the next one would not have fitted in."""
    letters = max(len(line.text), 1)
    if is_wide(line.text[0]) or is_wide(last.text[-1]):
        needed = signs * last.size
    else:
        word = line.text.split(maxsplit=1)[0]
        needed = (len(word) + 1) * line.width / letters + 0.5 * last.size
    return last.right + needed >= column.right


def _is_title(before: _Paragraph, line: Line, column: _Column, body: float) -> bool:
    """Whether two lines are both larger than the text and centred, or both of one heading set large."""
    if min(before.last.size, line.size) < body * (1.25 if before.rough else 1.12):
        return False
    centred = all(
        abs((part.left + part.right) / 2 - column.page_width / 2) < 0.06 * column.page_width
        for part in (before.last, line)
    )
    return centred or abs(before.first.left - line.left) < 0.5 * line.size


def _blocks(parts: Sequence[_Paragraph | Table], body: float) -> Iterator[Block]:
    kinds = [
        _heading_key(part, body, i == 0) if isinstance(part, _Paragraph) else None
        for i, part in enumerate(parts)
    ]
    order = sorted({key for key in kinds if key is not None})
    levels = {key: min(i + 1, _DEEPEST) for i, key in enumerate(order)}
    listed = _listed(parts)
    for i, part in enumerate(parts):
        if isinstance(part, Table):
            yield from part.blocks
            continue
        text = " ".join(_CONTROL.sub("", part.text).split())
        key = kinds[i]
        if not text:
            continue
        if key is not None:
            yield Block(text, "heading", levels[key], part.page)
        elif part.marker == "bullet":
            yield Block(f"{BULLET} {_MARKERS[5][1].sub('', text, count=1).strip()}", "item", 1, part.page)
        elif i in listed:
            yield Block(text, "item", 1, part.page)
        else:
            yield Block(text, page=part.page)


def _heading_key(part: _Paragraph, body: float, opens: bool) -> tuple[float, bool, int] | None:
    """What a heading looks like, in the order of headings' importance; None for what is no heading."""
    text = part.text
    if (
        _NO_HEADING_END.search(text)
        or len(text) > _LONGEST_HEADING
        or not any(char.isalpha() for char in text)
    ):
        return None
    first = part.first
    size = (
        round(first.size) if not part.rough else round(max(first.size, part.last.size) / body * 2) / 2 * body
    )
    larger = max(first.size, part.last.size) >= body * (1.28 if part.rough else 1.12)
    middle = (first.left + first.right) / 2
    centred = abs(middle - part.column.page_width / 2) < 0.05 * part.column.page_width
    rank = _HEADING_RANK.get(part.marker)
    if larger and part.marker not in {"bullet", "circled"}:
        return (-size, not first.bold, rank or 0)
    if rank and len(text) <= _LONGEST_NUMBERED and part.lines <= 2 and not _SENTENCE_END.search(text):
        return (-body, True, rank)
    if first.bold and part.lines <= 2 and len(text) <= _LONGEST_BOLD and part.marker in {"", "decimal"}:
        # Bold alone makes a heading where the line is short and ends before the margin, or opens the document.
        if (opens or part.page == 1) and centred:
            return (-body - 0.5, False, 0)
        if part.last.right < part.column.right - 4 * first.size and not _SENTENCE_END.search(text):
            return (-body, False, 0)
    return None


def _listed(parts: Sequence[_Paragraph | Table]) -> set[int]:
    """Which paragraphs are items of a list: their Arabic number follows or is followed by its neighbour's."""
    found: set[int] = set()
    latest: dict[str, tuple[int, int]] = {}
    for i, part in enumerate(parts):
        if not isinstance(part, _Paragraph) or part.marker not in {"number", "bracketed", "circled"}:
            continue
        pattern = dict(_MARKERS)[part.marker]
        match = pattern.match(part.text)
        if match is None:
            continue
        sign = match["n"]
        number = int(sign) if sign.isdecimal() else ord(sign) - ord("①") + 1
        before = latest.get(part.marker)
        if before is not None and before[1] + 1 == number and i - before[0] <= 30:
            found |= {before[0], i}
        latest[part.marker] = (i, number)
    return found


def scaled(line: Line, factor: float) -> Line:
    """A line whose measures are multiplied, from a picture's pixels to points."""
    return replace(
        line,
        left=line.left * factor,
        top=line.top * factor,
        right=line.right * factor,
        bottom=line.bottom * factor,
        size=line.size * factor,
    )
