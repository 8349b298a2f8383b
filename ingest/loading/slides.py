"""Presentations (.pptx): slide by slide its title, its texts in reading order, its tables and the speaker's notes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

from ingest.loading import numbering, tables
from ingest.loading.blocks import Block, Parsed, Task
from ingest.loading.packages import open_package, property_title
from ingest.messages import fault
from rag.errors import SourceError
from rag.text import script_of
from rag.types import Note

_ROW_HEIGHT = 180_000
"""In EMU, 5 mm: shapes whose tops differ by less stand side by side and are read from the left."""
_DEEPEST_GROUP = 20
_FURNITURE = frozenset(("DATE", "FOOTER", "HEADER", "SLIDE_NUMBER"))
"""Placeholders that say the same on every slide."""
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


def load(task: Task) -> Parsed:
    """Read a presentation; pages are slides, hidden ones left out.

    :raises SourceError: when it is encrypted, unsafe, damaged, too large or without text
    """
    with open_package(task) as package:
        if not any(name.startswith("ppt/") for name in package.namelist()):
            raise fault("not_its_kind", task.name, detail="it is no presentation")
        title = property_title(package, "docProps/core.xml", task)
    try:
        return _read(task, title)
    except SourceError:
        raise
    except Exception as error:  # the library meets a damaged file with errors of every kind
        raise fault("damaged", task.name, detail="its slides cannot be made out") from error


def _read(task: Task, title: str | None) -> Parsed:
    import pptx

    slides = pptx.Presentation(io.BytesIO(task.data)).slides
    limits = task.limits
    if len(slides) > limits.pages:
        raise fault("too_many_pages", task.name, count=len(slides), limit=limits.pages)
    blocks: list[Block] = []
    chars = hidden = 0
    for page, slide in enumerate(slides, 1):
        task.beat()
        if slide.element.get("show") in ("0", "false"):
            hidden += 1
            continue
        found = list(_slide(slide, page))
        chars += sum(len(block.text) for block in found)
        if chars > limits.text_chars:
            raise fault("too_much_text", task.name, limit=limits.text_chars, detail="characters/字")
        blocks += found
    if not blocks:
        raise fault("no_text", task.name)
    notes = (Note("hidden_text", str(hidden)),) if hidden else ()
    return Parsed(tuple(blocks), title=title, pages=len(slides), notes=notes)


def _slide(slide: Any, page: int) -> Iterator[Block]:
    title = slide.shapes.title
    heading = _all_text(title.text_frame) if title is not None and title.has_text_frame else ""
    if heading:
        yield Block(heading, "heading", 1, page)
    for shape in _in_order(_flat(slide.shapes, 0, (0, 0, 1.0, 1.0))):
        if title is not None and shape.element is title.element:
            continue
        if getattr(shape, "has_table", False) and shape.has_table:
            yield from _table(shape.table, page)
        elif shape.has_text_frame and not _is_furniture(shape):
            yield from _paragraphs(shape.text_frame, page)
    if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None:
        text = tables.join_lines(line for paragraph in frame.paragraphs for line in _lines(paragraph))
        if text:
            chinese = script_of(heading + text) != "en"
            yield Block(f"备注：{text}" if chinese else f"Notes: {text}", page=page)


_Frame = tuple[float, float, float, float]
"""How the coordinates in a group lie on the slide: x offset, y offset, x scale, y scale."""


def _flat(shapes: Iterable[Any], depth: int, frame: _Frame) -> Iterator[tuple[float, float, Any]]:
    """The shapes that may hold text with their places (top, left) on the slide, those of groups too."""
    x, y, across, down = frame
    for shape in shapes:
        left, top = x + (shape.left or 0) * across, y + (shape.top or 0) * down
        if hasattr(shape, "shapes"):
            if depth < _DEEPEST_GROUP:
                yield from _flat(shape.shapes, depth + 1, _inside(shape, left, top, across, down))
        else:
            yield top, left, shape


def _inside(group: Any, left: float, top: float, across: float, down: float) -> _Frame:
    transform = group.element.grpSpPr.find(f"{_A}xfrm")
    if transform is None:
        return left, top, across, down
    offset, extent = transform.find(f"{_A}chOff"), transform.find(f"{_A}chExt")
    if offset is None or extent is None:
        return left, top, across, down
    wide = across * (group.width or 0) / max(1, int(extent.get("cx", "1")))
    high = down * (group.height or 0) / max(1, int(extent.get("cy", "1")))
    return left - int(offset.get("x", "0")) * wide, top - int(offset.get("y", "0")) * high, wide, high


def _in_order(shapes: Iterable[tuple[float, float, Any]]) -> list[Any]:
    """Shapes from the top down, those at about the same height from the left."""
    lines: list[tuple[float, list[tuple[float, Any]]]] = []
    for top, left, shape in sorted(shapes, key=lambda item: item[:2]):
        if lines and top - lines[-1][0] < _ROW_HEIGHT:
            lines[-1][1].append((left, shape))
        else:
            lines.append((top, [(left, shape)]))
    return [shape for _, line in lines for _, shape in sorted(line, key=lambda item: item[0])]


def _is_furniture(shape: Any) -> bool:
    return bool(shape.is_placeholder) and shape.placeholder_format.type.name in _FURNITURE


def _lines(paragraph: Any) -> list[str]:
    # The library gives a break within a paragraph as a vertical tab.
    return [text for line in paragraph.text.splitlines() if (text := tables.one_line(line))]


def _all_text(frame: Any) -> str:
    return tables.one_line("\n".join(line for paragraph in frame.paragraphs for line in _lines(paragraph)))


def _paragraphs(frame: Any, page: int) -> Iterator[Block]:
    counters: dict[int, int] = {}
    for paragraph in frame.paragraphs:
        text = tables.one_line("\n".join(_lines(paragraph)))
        if not text:
            continue
        depth = max(0, min(8, paragraph.level))
        number = _number(paragraph, depth, counters)
        if number:
            yield Block(numbering.with_number(number, text), "item", depth + 1, page)
        else:
            yield Block(text, page=page)


def _number(paragraph: Any, depth: int, counters: dict[int, int]) -> str:
    """The number or bullet that the paragraph itself asks for; what it takes over from the layout is only for looks."""
    properties = paragraph._p.pPr
    for lower in [lower for lower in counters if lower > depth]:
        del counters[lower]
    automatic = None if properties is None else properties.find(f"{_A}buAutoNum")
    if automatic is None:
        counters.pop(depth, None)
        bullet = None if properties is None else properties.find(f"{_A}buChar")
        return "" if bullet is None else numbering.BULLET
    start = automatic.get("startAt", "1")
    first = int(start) if start.isdecimal() and len(start) < 6 else 1
    counters[depth] = counters.get(depth, first - 1) + 1
    return _automatic(counters[depth], automatic.get("type", "arabicPeriod"))


def _automatic(number: int, kind: str) -> str:
    formats = {
        "arabic": "decimal",
        "alphaLc": "lowerLetter",
        "alphaUc": "upperLetter",
        "romanLc": "lowerRoman",
        "romanUc": "upperRoman",
        "ea1": "chineseCounting",
        "circleNum": "decimalEnclosedCircle",
    }
    style = next((style for prefix, style in formats.items() if kind.startswith(prefix)), "decimal")
    text = numbering.format_number(number, style)
    if kind.endswith("ParenBoth"):
        return f"({text})"
    if kind.endswith("ParenR"):
        return f"{text})"
    if kind.endswith("Period"):
        return f"{text}、" if style == "chineseCounting" else f"{text}."
    return text


def _table(table: Any, page: int) -> list[Block]:
    rows = []
    for row in table.rows:
        cells = []
        for cell in row.cells:
            if cell.is_spanned:
                continue
            text = tables.join_lines(line for p in cell.text_frame.paragraphs for line in _lines(p))
            cells.append(
                tables.Cell(text, *((cell.span_width, cell.span_height) if cell.is_merge_origin else (1, 1)))
            )
        rows.append(cells)
    return tables.table_blocks(tables.expand_spans(rows), page=page)
