"""Word files (.docx): paragraphs, headings with their levels, numbered lists and tables, in document order.

The parts of the package are read directly: what a reader of the printed page would see counts, so automatic numbers
are worked out, and tracked deletions, hidden text, headers, footers and comments are left out.
"""

from __future__ import annotations

import itertools
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingest.loading import numbering, tables
from ingest.loading.blocks import Block, BlockKind, Parsed, Task
from ingest.loading.packages import open_package, property_title, relations, xml_part
from ingest.messages import fault
from rag.errors import SourceError
from rag.types import Change, Note

if TYPE_CHECKING:
    from lxml import etree

HEADING_NAME = re.compile(r"(?:heading|标题|標題|überschrift|titre)\s*([1-9])\b", re.IGNORECASE)
TITLE_NAME = re.compile(r"title|标题|標題|公文标题|文档标题", re.IGNORECASE)
"""What the styles for headings are called, with their level, and those for titles."""
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_BEAT_EVERY = 200
_MOST_SPAN = 63
"""Columns in a Word table."""
_BODY_LEVEL = 9
"""The outline level that stands for body text."""
_CONTENTS_NAME = re.compile(r"(?:toc|目录|目錄)\s*[1-9]", re.IGNORECASE)
_ENDS = re.compile(r"[。；;：:！!？?]\s*$|[:：]")
_LEFT_OUT = frozenset(
    _W + name
    for name in (
        "del", "moveFrom", "rPr", "pPr", "instrText", "delText", "delInstrText", "annotationRef", "softHyphen",
        "sdtPr", "sdtEndPr", "rt", "rubyPr",
    )
)  # fmt: skip
_BOXES = {
    "\uf0fe": "☑",
    "\uf052": "☑",
    "\uf0a8": "☐",
    "\uf0a3": "☐",
    "\uf06f": "☐",
    "\uf0fd": "☒",
    "\uf0fc": "✓",
}
"""The ticks that forms are filled in with, in the Wingdings fonts."""


def load(task: Task) -> Parsed:
    """Read a Word file.

    :raises SourceError: when it is encrypted, unsafe, damaged, too large or without text
    """
    with open_package(task) as package:
        try:
            return _read(package, task)
        except SourceError:
            raise
        except Exception as error:  # whatever a damaged file makes of the tree must not reach the caller
            raise fault("damaged", task.name, detail="its text cannot be made out") from error


def _read(package: zipfile.ZipFile, task: Task) -> Parsed:
    main = _main_part(package, task)
    related = _relations(package, main, task)
    reader = _Reader(
        task,
        _Styles.of(_optional(package, related.get("styles"), task)),
        _Numbering.of(_optional(package, related.get("numbering"), task)),
        {kind: _notes(_optional(package, related.get(kind), task)) for kind in ("footnotes", "endnotes")},
    )
    document = xml_part(package, main, task)
    body = document.find(f"{_W}body")
    if body is None:
        raise fault("not_its_kind", task.name, detail="it is no Word document")
    blocks = reader.blocks(body)
    if not blocks:
        raise fault("no_text", task.name)
    changes = (
        (Change("navigation", len(reader.contents), tuple((line, "") for line in reader.contents[:3])),)
        if reader.contents
        else ()
    )
    notes = (Note("hidden_text", str(reader.hidden)),) if reader.hidden else ()
    title = property_title(package, "docProps/core.xml", task)
    return Parsed(tuple(blocks), title=title, changes=changes, notes=notes)


def _main_part(package: zipfile.ZipFile, task: Task) -> str:
    target = _relations(package, "", task).get("officeDocument", "word/document.xml")
    if target not in package.NameToInfo:
        if any(name.startswith(("xl/", "ppt/")) for name in package.namelist()):
            raise fault("not_its_kind", task.name, detail="it is no Word document")
        raise fault("damaged", task.name, detail="its main part is missing")
    return target


def _relations(package: zipfile.ZipFile, part: str, task: Task) -> dict[str, str]:
    """The parts that a part refers to, by the kind of the relation."""
    found: dict[str, str] = {}
    for relation in relations(package, part, task):
        found.setdefault(relation.kind, relation.target)
    return found


def _optional(package: zipfile.ZipFile, part: str | None, task: Task) -> etree._Element | None:
    return xml_part(package, part, task) if part and part in package.NameToInfo else None


def _notes(tree: etree._Element | None) -> dict[str, etree._Element]:
    """Footnotes or endnotes by their number; the separators between text and notes are none."""
    if tree is None:
        return {}
    return {note.get(f"{_W}id", ""): note for note in tree if note.get(f"{_W}type") in (None, "normal")}


def _value(parent: etree._Element | None, path: str) -> str | None:
    """The value of a property below an element."""
    if parent is None:
        return None
    found = parent.find("/".join(_W + step for step in path.split("/")))
    return None if found is None else str(found.get(f"{_W}val", ""))


def _is_on(parent: etree._Element | None, name: str) -> bool | None:
    """Whether a property is switched on, None where nothing is said."""
    value = _value(parent, name)
    return None if value is None else value not in ("0", "false", "off")


def _number(value: str | None) -> int | None:
    # Bounded: int() of very many digits is slow.
    return int(value) if value is not None and re.fullmatch(r"-?\d{1,9}", value, re.ASCII) else None


@dataclass(frozen=True, slots=True)
class _Style:
    level: int | None = None
    """The heading level, 0 for body text, None where nothing is said."""
    numbering: tuple[str | None, int | None] = (None, None)
    hidden: bool | None = None
    contents: bool = False


@dataclass(frozen=True, slots=True)
class _Styles:
    """What the styles say, with what each takes over from the style it is based on."""

    styles: dict[str, _Style]
    default: str | None

    @classmethod
    def of(cls, tree: etree._Element | None) -> _Styles:
        elements: dict[str, etree._Element] = {}
        default = None
        for element in () if tree is None else tree.iter(f"{_W}style"):
            identifier = element.get(f"{_W}styleId", "")
            elements.setdefault(identifier, element)
            if element.get(f"{_W}type") == "paragraph" and element.get(f"{_W}default") in ("1", "true", "on"):
                default = identifier
        return cls({name: _whole_style(name, elements) for name in elements}, default)

    def get(self, name: str | None) -> _Style:
        return self.styles.get(name or self.default or "", _Style())


def _whole_style(name: str, elements: dict[str, etree._Element]) -> _Style:
    level: int | None = None
    number: str | None = None
    depth: int | None = None
    hidden: bool | None = None
    contents = False
    seen: set[str] = set()
    while name in elements and name not in seen:
        seen.add(name)
        element = elements[name]
        title = (_value(element, "name") or "").strip()
        outline = _number(_value(element, "pPr/outlineLvl"))
        if level is None and outline is not None:
            level = outline + 1 if 0 <= outline < _BODY_LEVEL else 0
        if level is None and (match := HEADING_NAME.match(title)):
            level = int(match.group(1))
        if level is None and TITLE_NAME.fullmatch(title):
            level = 1
        contents = contents or bool(_CONTENTS_NAME.fullmatch(title))
        number = number if number is not None else _value(element, "pPr/numPr/numId")
        depth = depth if depth is not None else _number(_value(element, "pPr/numPr/ilvl"))
        hidden = hidden if hidden is not None else _is_on(element.find(f"{_W}rPr"), "vanish")
        name = _value(element, "basedOn") or ""
    return _Style(level, (number, depth), hidden, contents)


@dataclass(slots=True)
class _Numbering:
    """The numberings of a document, counting as its paragraphs go by."""

    abstract: dict[str, str]
    """Number of a list to the definition it follows; lists that share one go on counting."""
    counters: dict[str, numbering.Counter]
    starts: dict[tuple[str, int], int]
    linked: dict[tuple[str, str], int] = field(default_factory=dict)
    """The level that belongs to a paragraph style in a definition."""

    @classmethod
    def of(cls, tree: etree._Element | None) -> _Numbering:
        if tree is None:
            return cls({}, {}, {})
        definitions = {e.get(f"{_W}abstractNumId", ""): e for e in tree.iter(f"{_W}abstractNum")}
        by_link = {
            link: name for name, e in definitions.items() if (link := _value(e, "styleLink")) is not None
        }
        found = cls({}, {}, {})
        for number in tree.iter(f"{_W}num"):
            identifier = number.get(f"{_W}numId", "")
            name = _value(number, "abstractNumId") or ""
            if name in definitions and (link := _value(definitions[name], "numStyleLink")) is not None:
                name = by_link.get(link, name)
            if name not in definitions:
                continue
            levels = dict(_levels(definitions[name]))
            overrides = dict(_levels(number))
            if overrides:
                # Its own levels make it a numbering of its own.
                name = f"{name}/{identifier}"
                levels |= overrides
            found.abstract[identifier] = name
            found.counters.setdefault(name, numbering.Counter(levels))
            for element in itertools.chain(definitions[name.split("/")[0]].iter(f"{_W}lvl")):
                style, depth = _value(element, "pStyle"), _number(element.get(f"{_W}ilvl"))
                if style is not None and depth is not None:
                    found.linked[name, style] = depth
            for override in number.iter(f"{_W}lvlOverride"):
                depth, start = _number(override.get(f"{_W}ilvl")), _number(_value(override, "startOverride"))
                if depth is not None and start is not None:
                    found.starts[identifier, depth] = start
        return found

    def next(self, identifier: str | None, depth: int | None, style: str | None) -> tuple[str, int] | None:
        """The number of the next paragraph of a list and its level from 0; None outside lists."""
        name = self.abstract.get(identifier or "")
        if name is None or identifier is None:
            return None
        if depth is None:
            depth = self.linked.get((name, style or ""), 0)
        counter = self.counters[name]
        start = self.starts.pop((identifier, depth), None)
        if start is not None:
            counter.restart(depth, start)
        return counter.next(depth), depth


def _levels(parent: etree._Element) -> Iterator[tuple[int, numbering.Level]]:
    for element in parent.iter(f"{_W}lvl"):
        depth = _number(element.get(f"{_W}ilvl"))
        if depth is None or not 0 <= depth <= 8:
            continue
        start = _number(_value(element, "start"))
        kind = _value(element, "numFmt") or "decimal"
        choice = element.find(f"{_MC}AlternateContent/{_MC}Fallback/{_W}numFmt")
        if element.find(f"{_W}numFmt") is None and choice is not None:
            kind = choice.get(f"{_W}val", "decimal")
        text = (_value(element, "lvlText") or "")[:40]
        yield (
            depth,
            numbering.Level(kind, text, 1 if start is None else start, bool(_is_on(element, "isLgl"))),
        )


@dataclass(slots=True)
class _Paragraph:
    """What was collected of one paragraph."""

    lines: list[str] = field(default_factory=lambda: [""])
    notes: list[tuple[str, str]] = field(default_factory=list)
    boxes: list[etree._Element] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.lines[-1] += text


@dataclass(slots=True)
class _Reader:
    """Walks the body. ``hidden`` counts the runs left out as hidden, ``contents`` holds the lines of the contents table."""

    task: Task
    styles: _Styles
    numbering: _Numbering
    notes: dict[str, dict[str, etree._Element]]
    hidden: int = 0
    contents: list[str] = field(default_factory=list)
    seen: int = 0
    chars: int = 0

    def blocks(self, parent: etree._Element) -> list[Block]:
        """The blocks of a body, a cell, a text box or a note."""
        found: list[Block] = []
        for element in _content(parent):
            self._step()
            if element.tag == f"{_W}p":
                found += self._paragraph(element)
            else:
                found += self._table(element)
        return found

    def _step(self) -> None:
        self.seen += 1
        if self.seen % _BEAT_EVERY == 0:
            self.task.beat()

    def _paragraph(self, element: etree._Element) -> list[Block]:
        properties = element.find(f"{_W}pPr")
        name = _value(properties, "pStyle")
        style = self.styles.get(name)
        paragraph = self._collect(element, bool(style.hidden))
        number = self._number(properties, name, style)
        after = [block for box in paragraph.boxes for block in self.blocks(box)]
        for kind, identifier in paragraph.notes:
            note = self.notes[kind].pop(identifier, None)
            after += self.blocks(note) if note is not None else []
        lines = [line for text in paragraph.lines if (line := tables.one_line(text))]
        if not lines:
            return after
        if style.contents:
            self.contents.append(" ".join(lines))
            return after
        self._count(lines)
        outline = _number(_value(properties, "outlineLvl"))
        level = style.level or 0
        if outline is not None:
            level = outline + 1 if 0 <= outline < _BODY_LEVEL else 0
        kind_: BlockKind = "heading" if level else "item" if number else "paragraph"
        depth = level or (number[1] + 1 if number else 0)
        centred = _value(properties, "jc") in ("center", "distribute")
        if kind_ != "paragraph" or centred or not any(_ENDS.search(line) for line in lines[:-1]):
            # A break inside a heading or a sentence is for looks.
            lines = [tables.one_line("\n".join(lines))]
        first = numbering.with_number(number[0], lines[0]) if number else lines[0]
        return [Block(first, kind_, depth), *(Block(line) for line in lines[1:]), *after]

    def _number(
        self, properties: etree._Element | None, name: str | None, style: _Style
    ) -> tuple[str, int] | None:
        identifier = _value(properties, "numPr/numId")
        depth = _number(_value(properties, "numPr/ilvl"))
        if identifier is None:
            identifier = style.numbering[0]
        if depth is None:
            depth = style.numbering[1]
        found = self.numbering.next(identifier, depth, name or self.styles.default)
        return found if found and found[0] else None

    def _count(self, lines: Iterable[str]) -> None:
        self.chars += sum(map(len, lines))
        limit = self.task.limits.text_chars
        if self.chars > limit:
            raise fault("too_much_text", self.task.name, limit=limit, detail="characters/字")

    def _collect(self, element: etree._Element, hidden: bool) -> _Paragraph:
        """The text of a paragraph as it shows, its lines apart."""
        found = _Paragraph()
        waiting: list[etree._Element] = list(reversed(element))
        while waiting:
            child = waiting.pop()
            tag = child.tag
            if tag in _LEFT_OUT or not isinstance(tag, str):
                continue
            if tag == f"{_W}r":
                if self._is_hidden(child, hidden):
                    if any(text.text for text in child.iter(f"{_W}t")):
                        self.hidden += 1
                    continue
                waiting.extend(reversed(child))
            elif tag in (f"{_W}t", _MATH_TEXT):
                found.add(child.text or "")
            elif tag in (f"{_W}tab", f"{_W}ptab"):
                found.add(" ")
            elif tag in (f"{_W}br", f"{_W}cr"):
                found.lines.append("")
            elif tag == f"{_W}noBreakHyphen":
                found.add("-")
            elif tag == f"{_W}sym":
                found.add(_symbol(child))
            elif tag in (f"{_W}footnoteReference", f"{_W}endnoteReference"):
                found.notes.append((tag[len(_W) : -len("Reference")] + "s", child.get(f"{_W}id", "")))
            elif tag == f"{_W}txbxContent":
                found.boxes.append(child)
            elif tag == f"{_MC}AlternateContent":
                # The same picture or box twice, for newer and older programs.
                waiting.extend(child[:1])
            elif tag == f"{_W}sdt" and child.find(f"{_W}sdtPr/{_W}showingPlcHdr") is not None:
                continue
            else:
                waiting.extend(reversed(child))
        return found

    def _is_hidden(self, run: etree._Element, otherwise: bool) -> bool:
        properties = run.find(f"{_W}rPr")
        own = _is_on(properties, "vanish")
        if own is None and (style := _value(properties, "rStyle")) is not None:
            own = self.styles.get(style).hidden
        return otherwise if own is None else own

    def _table(self, element: etree._Element) -> list[Block]:
        rows = list(_rows(element))
        cells = [list(_cells(row)) for row in rows]
        if max((len(row) for row in cells), default=0) == 1:
            # One column or one cell is a frame around text, not a table.
            return [block for row in cells for cell in row for block in self.blocks(cell)]
        outside = self.notes
        used: list[tuple[str, str]] = []
        grid: list[list[str]] = []
        for row, row_cells in zip(rows, cells, strict=True):
            self._step()
            if len(grid) >= self.task.limits.table_rows:
                raise fault(
                    "too_much_text", self.task.name, limit=self.task.limits.table_rows, detail="rows/行"
                )
            grid.append(self._row(row, row_cells, grid[-1] if grid else [], used))
        headers = sum(1 for _ in itertools.takewhile(_is_header, rows))
        blocks = tables.table_blocks(grid, header_rows=headers if 0 < headers < len(rows) else None)
        for kind, identifier in used:
            note = outside[kind].pop(identifier, None)
            blocks += self.blocks(note) if note is not None else []
        return blocks

    def _row(
        self,
        row: etree._Element,
        cells: Sequence[etree._Element],
        above: Sequence[str],
        used: list[tuple[str, str]],
    ) -> list[str]:
        line = [""] * min(_MOST_SPAN, max(0, _number(_value(row, "trPr/gridBefore")) or 0))
        for cell in cells:
            properties = cell.find(f"{_W}tcPr")
            span = min(_MOST_SPAN, max(1, _number(_value(properties, "gridSpan")) or 1))
            merge = _value(properties, "vMerge")
            text = self._cell_text(cell, used)
            if merge is not None and merge != "restart" and not text and len(line) < len(above):
                text = tables.repeated_below(above[len(line)])
            if _value(properties, "hMerge") in ("continue", "") and line and not text:
                line.append(tables.Merged(line[-1]))
                continue
            line += [text, *[tables.Merged(text)] * (span - 1)]
        return line

    def _cell_text(self, cell: etree._Element, used: list[tuple[str, str]]) -> str:
        texts: list[str] = []
        for element in _content(cell):
            if element.tag != f"{_W}p":
                texts += (block.text for block in self._table(element))
                continue
            properties = element.find(f"{_W}pPr")
            name = _value(properties, "pStyle")
            style = self.styles.get(name)
            paragraph = self._collect(element, bool(style.hidden))
            text = tables.one_line("\n".join(paragraph.lines))
            number = self._number(properties, name, style)
            if number is not None and (text or number[0] != numbering.BULLET):
                text = numbering.with_number(number[0], text)
            texts += [text, *(block.text for box in paragraph.boxes for block in self.blocks(box))]
            used += paragraph.notes
        text = tables.join_lines(texts)
        self._count([text])
        return text


def _content(parent: etree._Element) -> Iterator[etree._Element]:
    """The paragraphs and tables right below an element, those in content controls and insertions too."""
    waiting = list(reversed(parent))
    while waiting:
        child = waiting.pop()
        if child.tag in (f"{_W}p", f"{_W}tbl"):
            yield child
        elif child.tag == f"{_MC}AlternateContent":
            waiting.extend(child[:1])
        elif child.tag == f"{_W}sdt":
            content = child.find(f"{_W}sdtContent")
            if content is not None and child.find(f"{_W}sdtPr/{_W}showingPlcHdr") is None:
                waiting.extend(reversed(content))
        elif child.tag in (f"{_W}ins", f"{_W}moveTo", f"{_W}customXml", f"{_W}smartTag"):
            waiting.extend(reversed(child))


def _within(parent: etree._Element, tag: str) -> Iterator[etree._Element]:
    """Rows or cells right below an element, those in content controls too."""
    waiting = list(reversed(parent))
    while waiting:
        child = waiting.pop()
        if child.tag == tag:
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}moveTo", f"{_W}customXml"):
            waiting.extend(reversed(child))


def _rows(table: etree._Element) -> Iterator[etree._Element]:
    for row in _within(table, f"{_W}tr"):
        properties = row.find(f"{_W}trPr")
        if properties is None or (properties.find(f"{_W}del") is None and not _is_on(properties, "hidden")):
            yield row


def _cells(row: etree._Element) -> Iterator[etree._Element]:
    return _within(row, f"{_W}tc")


def _is_header(row: etree._Element) -> bool:
    return bool(_is_on(row.find(f"{_W}trPr"), "tblHeader"))


def _symbol(element: etree._Element) -> str:
    code = element.get(f"{_W}char", "")
    if not re.fullmatch(r"[0-9A-Fa-f]{4}", code):
        return ""
    char = chr(int(code, 16))
    # The private characters of symbol fonts mean nothing outside them.
    return _BOXES.get(char, "") if "\ue000" <= char <= "\uf8ff" or not char.isprintable() else char
