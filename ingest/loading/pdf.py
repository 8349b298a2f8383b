"""Reads PDF files: the text layer where it means something, else the picture of the page."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ingest.loading import ocr
from ingest.loading.blocks import Block, Parsed, Task
from ingest.loading.pdf_layout import layout
from ingest.loading.pdf_lines import Page, rows_of, spans
from ingest.loading.pdf_tables import TableReader, in_box
from ingest.loading.pdf_text import agree, readable, text_layer
from ingest.loading.pdf_unplaced import MOST_OBJECTS, draws_text, unplaced_layer
from ingest.messages import fault
from rag.errors import SourceError
from rag.types import Note

if TYPE_CHECKING:
    import pypdfium2

_DPI = 200
_MOST_PIXELS = 16_000_000
_LONGEST_SIDE = 3000
_FEW_SIGNS = 20
"""A scanned page may have a page number or a stamp as text."""
_GOOD_PART = 0.3
"""The share of a page that its pictures must cover for it to be a scan."""
_MANY_PATHS = 30
"""Drawn shapes from which a page without text may be text turned into outlines."""
_NO_TITLE = re.compile(
    r"^microsoft \w+ -|^(?:untitled|no title|无标题|文档\s*\d*)|\.[a-z]{2,5}$", re.IGNORECASE
)


@dataclass(slots=True)
class _Found:
    """What the pages came to."""

    pages: list[Page] = field(default_factory=list)
    pictured: list[int] = field(default_factory=list)
    unreadable: list[int] = field(default_factory=list)
    beyond: list[int] = field(default_factory=list)
    broken: int = 0
    meaningless: int = 0
    scanned: int = 0
    chars: int = 0
    tried: int = 0


def load(task: Task) -> Parsed:
    """Read a PDF file.

    :raises SourceEncrypted: when it asks for a password
    :raises SourceTooLarge: when it has more pages or text than the limits allow
    :raises SourceDamaged: when it is no PDF, or a damaged one
    :raises SourceEmpty: when it has no text, or none that can be read
    """
    try:
        return _load(task)
    except SourceError:
        raise
    except MemoryError as error:
        raise fault("too_much_memory", task.name, limit=task.limits.memory_mb) from error
    except Exception as error:
        raise fault("damaged", task.name, detail="its structure cannot be followed") from error


def _load(task: Task) -> Parsed:
    import pypdfium2
    import pypdfium2.raw as raw

    try:
        pdf = pypdfium2.PdfDocument(task.data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise fault("encrypted", task.name) from error
        raise fault("damaged", task.name, detail="it cannot be opened as a PDF") from error
    try:
        return _read(pdf, task)
    finally:
        pdf.close()


def _read(pdf: pypdfium2.PdfDocument, task: Task) -> Parsed:
    count = len(pdf)
    if count > task.limits.pages:
        raise fault("too_many_pages", task.name, count=count, limit=task.limits.pages)
    if count < 1:
        raise fault("damaged", task.name, detail="it has no pages")
    found = _Found()
    tables = TableReader(task.data)
    try:
        for number in range(1, count + 1):
            _read_page(pdf, number, tables, task, found)
            task.beat()
    finally:
        tables.close()
    laid_out = layout(found.pages)
    if not laid_out.blocks:
        raise _nothing(found, count, task)
    notes = [
        Note(key, spans(sorted(numbers)))
        for key, numbers in (
            ("ocr", found.pictured),
            ("unreadable_pages", found.unreadable),
            ("ocr_limit", found.beyond),
        )
        if numbers
    ]
    title = _title(pdf, found.pages[0])
    return Parsed(laid_out.blocks, title=title, pages=count, changes=laid_out.changes, notes=tuple(notes))


def _nothing(found: _Found, count: int, task: Task) -> SourceError:
    if found.broken == count:
        return fault("damaged", task.name, detail="none of its pages can be opened")
    if found.meaningless and not found.beyond:
        return fault("unreadable", task.name)
    if found.scanned and not task.limits.ocr:
        return fault("no_ocr", task.name)
    return fault("unreadable" if found.beyond else "no_text", task.name)


def _read_page(
    pdf: pypdfium2.PdfDocument, number: int, tables: TableReader, task: Task, found: _Found
) -> None:
    import pypdfium2

    try:
        page = pdf[number - 1]
    except pypdfium2.PdfiumError:
        found.broken += 1
        found.unreadable.append(number)
        return
    try:
        layer = text_layer(page)
        if not layer.lines and draws_text(page):
            layer = unplaced_layer(task.data, number, task.limits.text_chars) or layer
        placed = Page(number, max(layer.width, 1.0), max(layer.height, 1.0), layer.lines)
        text = "\n".join(line.text for line in layer.lines)
        found.chars += len(text)
        if found.chars > task.limits.text_chars:
            raise fault("too_much_text", task.name, limit=task.limits.text_chars, detail="characters/个字")
        signs = len("".join(text.split()))
        if signs < _FEW_SIGNS and _is_picture(page, signs):
            found.scanned += 1
            _read_picture(page, placed, "", task, found)
            return
        verdict = readable(text) if signs else "good"
        if verdict == "good":
            framed = tables.tables(page, number, layer.lines)
            if tables.amended is not None and found.pages[-1].tables:
                found.pages[-1] = _amended(found.pages[-1], tables.amended)
            lines = tuple(
                line
                for line in layer.lines
                if not any(in_box(line, (t.left, t.top, t.right, t.bottom)) for t in framed)
            )
            found.pages.append(replace(placed, lines=lines, tables=tuple(framed)))
        elif verdict == "doubtful":
            _read_picture(page, placed, text, task, found)
        else:
            found.meaningless += 1
            _read_picture(page, replace(placed, lines=()), "", task, found)
    finally:
        page.close()


def _amended(page: Page, block: Block) -> Page:
    """A page whose last table ends with that row."""
    *before, last = page.tables
    return replace(page, tables=(*before, replace(last, blocks=(*last.blocks[:-1], block))))


def _read_picture(page: pypdfium2.PdfPage, layer: Page, text: str, task: Task, found: _Found) -> None:
    """Take a page from its picture; from its text layer where that says the same or the picture says nothing.

    ``text`` is the layer's text where it is only doubtful, else empty.
    """
    number = layer.number
    limits = task.limits
    if not limits.ocr or found.tried >= limits.ocr_pages:
        if not text:
            (found.beyond if limits.ocr else found.unreadable).append(number)
        found.pages.append(layer)
        return
    found.tried += 1
    task.beat()
    reading = _pictured(page, task)
    said = "\n".join(line.text for line in reading.lines)
    if text and (not said or agree(text, said)):
        found.pages.append(layer)
        return
    if not said:
        found.unreadable.append(number)
        found.pages.append(layer)
        return
    found.pictured.append(number)
    width, height = page.get_size()
    factor = max(width, height, 1.0) / max(reading.width, reading.height, 1)
    found.pages.append(ocr.as_page(reading, number, factor))


def _pictured(page: pypdfium2.PdfPage, task: Task) -> ocr.Reading:
    import numpy as np
    import pypdfium2

    width, height = (side if math.isfinite(side) and side > 0 else 1.0 for side in page.get_size())
    most = min(_MOST_PIXELS, task.limits.image_pixels)
    scale = min(_DPI / 72, math.sqrt(most / (width * height)) * 0.99, _LONGEST_SIDE / max(width, height))
    if width * scale < 2 or height * scale < 2:
        return ocr.Reading((), 1, 1)
    try:
        bitmap = page.render(scale=scale, rev_byteorder=True)
    except pypdfium2.PdfiumError:
        return ocr.Reading((), 1, 1)
    image = np.array(bitmap.to_numpy(), dtype=np.uint8)
    bitmap.close()
    if image.ndim == 2 or image.shape[2] == 1:
        image = np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    return ocr.read_upright(np.ascontiguousarray(image[:, :, :3]), task.name, task.beat)


def _is_picture(page: pypdfium2.PdfPage, signs: int) -> bool:
    """Whether a page with next to no text shows a picture, or shapes that may be outlined letters."""
    import pypdfium2.raw as raw

    width, height = page.get_size()
    area = max(width * height, 1.0)
    covered = 0.0
    paths = 0
    for count, item in enumerate(page.get_objects(max_depth=4)):
        if count > MOST_OBJECTS:
            break
        if item.type == raw.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = item.get_bounds()
            covered += max(0.0, min(right, width) - max(left, 0)) * max(
                0.0, min(top, height) - max(bottom, 0)
            )
        elif item.type in (raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_SHADING):
            paths += 1
    return covered > (_GOOD_PART if signs else 0.02) * area or (not signs and paths >= _MANY_PATHS)


def _title(pdf: pypdfium2.PdfDocument, first: Page) -> str | None:
    """The title that the file states, where its first page shows it: programs put all sorts of things there."""
    title = " ".join(pdf.get_metadata_value("Title").split())
    if len(title) < 4 or len(title) > 120 or _NO_TITLE.search(title) or readable(title) != "good":
        return None
    shown = "".join("".join(row.text.split()) for row in rows_of(first.lines))
    return title if "".join(title.split()) in shown else None
