"""OpenDocument files (.odt, and the texts and tables of .ods and .odp): headings, paragraphs, lists and tables in order."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingest.loading import numbering, tables
from ingest.loading.blocks import Block, Parsed, Task
from ingest.loading.packages import open_package, property_title, xml_part
from ingest.messages import fault
from rag.errors import SourceError
from rag.types import Note

if TYPE_CHECKING:
    from lxml import etree

_OASIS = "{urn:oasis:names:tc:opendocument:xmlns:"
_OFFICE = _OASIS + "office:1.0}"
_TEXT = _OASIS + "text:1.0}"
_TABLE = _OASIS + "table:1.0}"
_STYLE = _OASIS + "style:1.0}"
_DRAW = _OASIS + "drawing:1.0}"
_BEAT_EVERY = 200
_MOST_REPEATED = 1000
"""Equal cells or rows that are told once and stand for many: empty ones of a sheet, by the ten thousand."""
_MOST_SPACES = 100
_LEFT_OUT = frozenset(
    (
        f"{_TEXT}tracked-changes",
        f"{_TEXT}hidden-text",
        f"{_TEXT}ruby-text",
        f"{_TEXT}note-citation",
        f"{_TEXT}sequence-decls",
        f"{_TEXT}variable-decls",
        f"{_TEXT}user-field-decls",
        f"{_TEXT}table-of-content",
        f"{_OFFICE}annotation",
        f"{_OFFICE}forms",
        f"{_OFFICE}scripts",
        f"{_OASIS}presentation:1.0}}settings",
    )
)
_FORMATS = {
    "1": "decimal",
    "a": "lowerLetter",
    "A": "upperLetter",
    "i": "lowerRoman",
    "I": "upperRoman",
    "一": "chineseCounting",
    "壹": "chineseLegalSimplified",
    "壱": "chineseLegalSimplified",
    "甲": "ideographTraditional",
    "子": "ideographZodiac",
    "①": "decimalEnclosedCircle",
    "１": "decimalFullWidth",
    "": "none",
}
"""Number formats by the first sign of their pattern, such as "一, 二, 三, ..."."""


def load(task: Task) -> Parsed:
    """Read an OpenDocument file; pages are counted in presentations.

    :raises SourceError: when it is encrypted, unsafe, damaged, too large or without text
    """
    with open_package(task) as package:
        if "content.xml" not in package.NameToInfo:
            raise fault("not_its_kind", task.name, detail="it is no OpenDocument file")
        try:
            return _read(package, task)
        except SourceError:
            raise
        except Exception as error:  # whatever a damaged file makes of the tree must not reach the caller
            raise fault("damaged", task.name, detail="its text cannot be made out") from error


def _read(package: zipfile.ZipFile, task: Task) -> Parsed:
    content = xml_part(package, "content.xml", task)
    trees = [content]
    if "styles.xml" in package.NameToInfo:
        trees.insert(0, xml_part(package, "styles.xml", task))
    body = content.find(f"{_OFFICE}body")
    if body is None:
        raise fault("damaged", task.name, detail="its text is missing")
    reader = _Reader(task, _Styles.of(trees))
    blocks = reader.blocks(body)
    if not blocks:
        raise fault("no_text", task.name)
    notes = (Note("hidden_text", str(reader.hidden)),) if reader.hidden else ()
    title = property_title(package, "meta.xml", task)
    return Parsed(tuple(blocks), title=title, pages=reader.page, notes=notes)


def _number(text: str | None, least: int, most: int) -> int:
    """A count as the file states it, within bounds."""
    if not text or not text.isdecimal():
        return least
    return most if len(text) > 9 else max(least, min(most, int(text)))


@dataclass(frozen=True, slots=True)
class _Styles:
    hidden: frozenset[str]
    titles: frozenset[str]
    lists: dict[str, dict[int, numbering.Level]]
    list_of_style: dict[str, str]
    """The list style that a paragraph style brings along."""

    @classmethod
    def of(cls, trees: list[etree._Element]) -> _Styles:
        hidden: set[str] = set()
        titles = {"Title"}
        lists: dict[str, dict[int, numbering.Level]] = {}
        list_of_style: dict[str, str] = {}
        for tree in trees:
            for style in tree.iter(f"{_STYLE}style"):
                name = style.get(f"{_STYLE}name", "")
                properties = style.find(f"{_STYLE}text-properties")
                if properties is not None and properties.get(f"{_TEXT}display") == "none":
                    hidden.add(name)
                if style.get(f"{_STYLE}parent-style-name") in titles:
                    titles.add(name)
                if of_style := style.get(f"{_STYLE}list-style-name"):
                    list_of_style[name] = of_style
            for style in tree.iter(f"{_TEXT}list-style"):
                lists[style.get(f"{_STYLE}name", "")] = dict(_levels(style))
        return cls(frozenset(hidden), frozenset(titles), lists, list_of_style)


def _levels(style: etree._Element) -> Iterator[tuple[int, numbering.Level]]:
    for element in style:
        if not isinstance(element.tag, str):
            continue
        depth = _number(element.get(f"{_TEXT}level"), 1, 10) - 1
        if element.tag == f"{_TEXT}list-level-style-number":
            kind = _FORMATS.get(element.get(f"{_STYLE}num-format", "")[:1], "decimal")
            shown = _number(element.get(f"{_TEXT}display-levels"), 1, depth + 1)
            number = ".".join(f"%{level + 1}" for level in range(depth + 1 - shown, depth + 1))
            text = (
                element.get(f"{_STYLE}num-prefix", "")[:20]
                + number
                + element.get(f"{_STYLE}num-suffix", "")[:20]
            )
            if kind == "none":
                text = ""
            start = _number(element.get(f"{_TEXT}start-value"), 1, 10**6)
            yield depth, numbering.Level(kind, text, start)
        elif element.tag == f"{_TEXT}list-level-style-bullet":
            yield depth, numbering.Level("bullet")


@dataclass(frozen=True, slots=True)
class _List:
    """The list in which a paragraph stands: its numbering, its depth from 0, and whether it is yet to be numbered."""

    counter: numbering.Counter
    depth: int


@dataclass(slots=True)
class _Reader:
    task: Task
    styles: _Styles
    hidden: int = 0
    page: int | None = None
    seen: int = 0
    chars: int = 0
    rows: int = 0
    counters: dict[str, numbering.Counter] = field(default_factory=dict)
    """The last numbering of each list style, and by the identifier of its list."""

    def blocks(self, parent: etree._Element) -> list[Block]:
        """The blocks below an element that holds paragraphs, tables or frames."""
        found: list[Block] = []
        for element in parent:
            self._step()
            tag = element.tag
            if tag in _LEFT_OUT or not isinstance(tag, str):
                continue
            if tag in (f"{_TEXT}p", f"{_TEXT}h"):
                found += self._paragraph(element, "")
            elif tag == f"{_TEXT}list":
                found += self._list(element, None)
            elif tag == f"{_TABLE}table":
                found += self._table(element)
            elif tag == f"{_DRAW}page":
                self.page = (self.page or 0) + 1
                found += self.blocks(element)
            elif tag == f"{_TEXT}section" and element.get(f"{_TEXT}display") == "none":
                self.hidden += 1
            else:
                found += self.blocks(element)
        return found

    def _step(self) -> None:
        self.seen += 1
        if self.seen % _BEAT_EVERY == 0:
            self.task.beat()

    def _count(self, text: str) -> None:
        self.chars += len(text)
        limit = self.task.limits.text_chars
        if self.chars > limit:
            raise fault("too_much_text", self.task.name, limit=limit, detail="characters/字")

    def _paragraph(self, element: etree._Element, number: str, depth: int = 0) -> list[Block]:
        text, below = self._text(element)
        after = [block for frame in below for block in self.blocks(frame)]
        if not text:
            return after
        self._count(text)
        text = numbering.with_number(number, text)
        if element.tag == f"{_TEXT}h":
            level = _number(element.get(f"{_TEXT}outline-level"), 1, 10)
            return [Block(text, "heading", level, self.page), *after]
        if element.get(f"{_TEXT}style-name") in self.styles.titles:
            return [Block(text, "heading", 1, self.page), *after]
        if number:
            return [Block(text, "item", depth + 1, self.page), *after]
        return [Block(text, page=self.page), *after]

    def _text(self, element: etree._Element) -> tuple[str, list[etree._Element]]:
        """A paragraph's text on one line, and the frames and notes in it, which follow it."""
        pieces: list[str] = []
        below: list[etree._Element] = []
        self._collect(element, pieces, below)
        return tables.one_line("".join(pieces)), below

    def _collect(self, element: etree._Element, pieces: list[str], below: list[etree._Element]) -> None:
        if element.get(f"{_TEXT}style-name") in self.styles.hidden:
            self.hidden += 1
            return
        # Line breaks in the file itself are white space; those of the text are elements.
        pieces.append(" ".join((element.text or "").splitlines()))
        for child in element:
            tag = child.tag
            if tag in _LEFT_OUT or not isinstance(tag, str):
                pass
            elif tag == f"{_TEXT}s":
                pieces.append(" " * _number(child.get(f"{_TEXT}c"), 1, _MOST_SPACES))
            elif tag == f"{_TEXT}tab":
                pieces.append(" ")
            elif tag == f"{_TEXT}line-break":
                pieces.append("\n")
            elif tag == f"{_TEXT}note":
                below.extend(child.iter(f"{_TEXT}note-body"))
            elif tag.startswith(_DRAW):
                below.append(child)
            else:
                self._collect(child, pieces, below)
            pieces.append(" ".join((child.tail or "").splitlines()))

    def _list(self, element: etree._Element, outer: _List | None) -> list[Block]:
        inner = self._enter(element, outer)
        found: list[Block] = []
        for item in element:
            self._step()
            if item.tag not in (f"{_TEXT}list-item", f"{_TEXT}list-header"):
                continue
            numbered = item.tag == f"{_TEXT}list-item"
            if numbered and (start := item.get(f"{_TEXT}start-value")):
                inner.counter.restart(inner.depth, _number(start, 0, 10**6))
            for child in item:
                if child.tag in (f"{_TEXT}p", f"{_TEXT}h"):
                    number = inner.counter.next(inner.depth) if numbered else ""
                    numbered = False
                    found += self._paragraph(child, number, inner.depth)
                elif child.tag == f"{_TEXT}list":
                    found += self._list(child, inner)
                elif isinstance(child.tag, str) and child.tag not in _LEFT_OUT:
                    found += self._table(child) if child.tag == f"{_TABLE}table" else self.blocks(child)
        return found

    def _enter(self, element: etree._Element, outer: _List | None) -> _List:
        name = element.get(f"{_TEXT}style-name")
        if outer is not None and name is None:
            return _List(outer.counter, outer.depth + 1)
        levels = self.styles.lists.get(name or "", {})
        depth = 0 if outer is None else outer.depth + 1
        counter = self.counters.get(element.get(f"{_TEXT}continue-list", ""))
        if counter is None and element.get(f"{_TEXT}continue-numbering") == "true":
            counter = self.counters.get(f"style {name}")
        if counter is None:
            counter = numbering.Counter(levels or {level: numbering.Level("bullet") for level in range(10)})
        self.counters[f"style {name}"] = counter
        identifier = element.get("{http://www.w3.org/XML/1998/namespace}id")
        if identifier:
            self.counters[identifier] = counter
        return _List(counter, depth)

    def _table(self, element: etree._Element) -> list[Block]:
        rows = list(self._rows(element, header=False))
        in_sheet = element.getparent().tag == f"{_OFFICE}spreadsheet"
        if not in_sheet and max((len(_cells(row)) for row, _ in rows), default=0) == 1:
            # One column or one cell is a frame around text, not a table.
            return [block for row, _ in rows for cell in _cells(row) for block in self.blocks(cell)]
        grid: list[list[tables.Cell]] = []
        for row, _ in rows:
            cells = self._row(row)
            copies = _number(row.get(f"{_TABLE}number-rows-repeated"), 1, _MOST_REPEATED)
            copies = copies if any(cell.text for cell in cells) else 1
            self.rows += copies
            if self.rows > self.task.limits.table_rows:
                raise fault(
                    "too_much_text", self.task.name, limit=self.task.limits.table_rows, detail="rows/行"
                )
            grid += [cells] * copies
        headers = sum(header for _, header in rows)
        filled = tables.expand_spans(grid)
        title_level = 2 if in_sheet else 0
        blocks = tables.table_blocks(
            filled,
            header_rows=headers if 0 < headers < len(rows) else None,
            page=self.page,
            title_level=title_level,
        )
        name = tables.one_line(element.get(f"{_TABLE}name", ""))
        return [Block(name, "heading", 1), *blocks] if in_sheet and blocks and name else blocks

    def _rows(self, parent: etree._Element, *, header: bool) -> Iterator[tuple[etree._Element, bool]]:
        for element in parent:
            self._step()
            if element.tag == f"{_TABLE}table-row":
                if element.get(f"{_TABLE}visibility") in ("collapse", "filter"):
                    self.hidden += 1
                else:
                    yield element, header
            elif element.tag in (f"{_TABLE}table-rows", f"{_TABLE}table-row-group"):
                yield from self._rows(element, header=header)
            elif element.tag == f"{_TABLE}table-header-rows":
                yield from self._rows(element, header=True)

    def _row(self, row: etree._Element) -> list[tables.Cell]:
        found: list[tables.Cell] = []
        for cell in _cells(row):
            text = self._cell_text(cell)
            across = _number(cell.get(f"{_TABLE}number-columns-spanned"), 1, _MOST_REPEATED)
            down = _number(cell.get(f"{_TABLE}number-rows-spanned"), 1, 10**6)
            copies = _number(cell.get(f"{_TABLE}number-columns-repeated"), 1, _MOST_REPEATED)
            self._count(text * min(copies, 2))
            found += [tables.Cell(text, across, down)] * copies
        while found and not found[-1].text and found[-1].rowspan == 1:
            found.pop()
        return found

    def _cell_text(self, cell: etree._Element) -> str:
        return tables.join_lines(block.text for block in self.blocks(cell))


def _cells(row: etree._Element) -> list[etree._Element]:
    """The cells of a row; those that a span covers have no text of their own."""
    return [cell for cell in row if cell.tag == f"{_TABLE}table-cell"]
