"""Tables that a PDF page draws with ruling lines, read with pdfplumber."""

from __future__ import annotations

import io
import logging
import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ingest.loading.blocks import Block
from ingest.loading.pdf_lines import Line, Table, join, rows_of
from ingest.loading.tables import Merged, repeated_below, table_blocks

if TYPE_CHECKING:
    import pypdfium2

_MOST_PATHS = 20_000
"""Drawings have more; pdfplumber would take minutes over them."""
_LEAST_TAKEN = 0.85
"""The share of the letters inside a table's frame that its cells must hold: else the frame is no table."""
_MOST_TAKEN = 1.15
"""More, and a cell holds other cells: a drawing's frame."""
_FIGURE = re.compile(r"[-+]?[\d.,，%％]+")
_SLIPS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, AssertionError)


def pdfminer_slips() -> tuple[type[Exception], ...]:
    """What pdfminer raises on a file that PDFium reads, but that is too broken for it."""
    import pdfminer.pdfparser
    import pdfminer.psexceptions
    from pdfplumber.utils.exceptions import MalformedPDFException, PdfminerException

    of_pdfminer = (pdfminer.psexceptions.PSException, PdfminerException, MalformedPDFException)
    return (*_SLIPS, *of_pdfminer, OSError, struct.error, zlib.error)


@dataclass(frozen=True, slots=True)
class _Last:
    """The last table that was read: what the next page may go on with."""

    page: int
    header: tuple[str, ...]
    edges: tuple[float, ...]
    low: bool
    row: tuple[str, ...]


@dataclass(slots=True)
class TableReader:
    """Reads the tables of one document, page after page.

    ``amended`` is the last row of the page before, whole, where the page break cut it in two: it takes the place of
    the last block there.
    """

    data: bytes
    amended: Block | None = None
    _pdf: Any = None
    _last: _Last | None = None
    _failed: bool = field(default=False)

    def tables(self, page: pypdfium2.PdfPage, number: int, lines: Sequence[Line]) -> list[Table]:
        """The tables of a page, none where it has no grid of ruling lines or its grid cannot be read.

        :param lines: the page's text, to see that no text inside a table's frame gets lost
        """
        self.amended = None
        if self._failed or not lines or not has_grid(page):
            return []
        try:
            found = self._found(number, lines)
        except pdfminer_slips():  # then its tables are read as text
            self._failed = self._pdf is None
            return []
        tables = []
        for grid, box, edges, height in found:
            table = self._table(grid, box, edges, height, number, lines)
            if table is not None:
                tables.append(table)
        return tables

    def close(self) -> None:
        """Let go of the document."""
        if self._pdf is not None:
            self._pdf.close()

    def _found(
        self, number: int, lines: Sequence[Line]
    ) -> list[tuple[list[list[str]], tuple[float, ...], tuple[float, ...], float]]:
        import pdfplumber

        if self._pdf is None:
            logging.getLogger("pdfminer").setLevel(logging.CRITICAL)
            self._pdf = pdfplumber.open(io.BytesIO(self.data))
        page = self._pdf.pages[number - 1]
        found = []
        for table in page.find_tables():
            grid, edges = _grid(table, lines)
            found.append((grid, tuple(float(v) for v in table.bbox), edges, float(page.height)))
        page.close()
        return found

    def _table(
        self,
        grid: list[list[str]],
        box: tuple[float, ...],
        edges: tuple[float, ...],
        height: float,
        number: int,
        lines: Sequence[Line],
    ) -> Table | None:
        filled = [row for row in grid if any(cell for cell in row)]
        if len(filled) < 2 or len(edges) < 2 or max(len(_own(row)) for row in filled) < 2:
            return None
        inside = [line for line in lines if in_box(line, box)]
        framed = sum(len("".join(line.text.split())) for line in inside)
        taken = sum(len("".join(cell.split())) for row in grid for cell in _own(row))
        if (
            not framed
            or not _LEAST_TAKEN <= taken / framed <= _MOST_TAKEN
            or any("(cid:" in cell for row in grid for cell in row)
        ):
            return None
        header = self._goes_on(filled, box, edges, height, number)
        if header and self._last is not None and _is_rest(filled[0], self._last.row):
            whole = [join(cell, rest) for cell, rest in zip(self._last.row, filled.pop(0), strict=True)]
            self.amended = table_blocks([header, whole], header_rows=1, page=number - 1)[-1]
        if not filled:
            return Table(box[0], box[1], box[2], box[3], ())
        blocks = (
            table_blocks(filled, page=number)
            if not header
            else table_blocks([header, *filled], header_rows=1, page=number)
        )
        first = header or next((row for row in filled if len(_own(row)) > 1), filled[0])
        named = all(cell.strip() and not _FIGURE.fullmatch(cell.strip()) for cell in first)
        self._last = _Last(
            number, tuple(first) if named else (), edges, box[3] > 0.7 * height, tuple(filled[-1])
        )
        return Table(box[0], box[1], box[2], box[3], tuple(blocks))

    def _goes_on(
        self,
        grid: list[list[str]],
        box: tuple[float, ...],
        edges: tuple[float, ...],
        height: float,
        number: int,
    ) -> list[str]:
        """The header of the table that this one goes on with from the page before, empty where it begins anew."""
        last = self._last
        if (
            last is None
            or not last.header
            or last.page != number - 1
            or not last.low
            or box[1] > 0.25 * height
            or len(edges) != len(last.edges)
            or any(abs(a - b) > 6 for a, b in zip(edges, last.edges, strict=True))
        ):
            return []
        same = ["".join(cell.split()) for cell in grid[0]] == ["".join(cell.split()) for cell in last.header]
        return [] if same else list(last.header)


def _is_rest(row: Sequence[str], before: Sequence[str]) -> bool:
    """Whether the first row of a page is the end of the last one before it: a few cells that go on, the first empty."""
    if len(row) != len(before) or row[0].strip():
        return False
    filled = [i for i, cell in enumerate(row) if cell.strip()]
    return 0 < len(filled) <= len(row) // 2 and all(before[i].strip() for i in filled)


def has_grid(page: pypdfium2.PdfPage) -> bool:
    """Whether a page draws enough horizontal and vertical lines for a table, told without reading its text."""
    import pypdfium2.raw as raw

    across = upright = 0
    for count, item in enumerate(page.get_objects(filter=(raw.FPDF_PAGEOBJ_PATH,), max_depth=4)):
        if count > _MOST_PATHS:
            return False
        left, bottom, right, top = item.get_bounds()
        width, height = right - left, top - bottom
        if width > 20 and height < 3:
            across += 1
        elif height > 8 and width < 3:
            upright += 1
        elif width > 20 and height > 8:
            # A frame has two of each; a path of many strokes may be the whole grid.
            strokes = raw.FPDFPath_CountSegments(item.raw)
            across += 2 if strokes < 8 else 3
            upright += 2 if strokes < 8 else 3
    return across >= 3 and upright >= 2


def in_box(line: Line, box: Sequence[float]) -> bool:
    """Whether the middle of a line lies in a box (left, top, right, bottom)."""
    return (
        box[0] - 1 <= (line.left + line.right) / 2 <= box[2] + 1 and box[1] - 1 <= line.middle <= box[3] + 1
    )


def _own(row: Sequence[str]) -> list[str]:
    return [cell for cell in row if cell and not isinstance(cell, Merged | _Below)]


class _Below(str):
    """The text of a cell, repeated in a row below that the cell spans."""

    __slots__ = ()


def _grid(table: Any, lines: Sequence[Line]) -> tuple[list[list[str]], tuple[float, ...]]:
    """The cells' texts, what a merged cell covers filled in; and the left edges of the columns."""
    texts = table.extract()
    rows = table.rows
    by_box = {
        cell: (_cell_text(cell, text or "", lines), r)
        for r, (row, line) in enumerate(zip(rows, texts, strict=True))
        for cell, text in zip(row.cells, line, strict=True)
        if cell is not None
    }
    width = max((len(row.cells) for row in rows), default=0)
    edges = [
        min((row.cells[c][0] for row in rows if c < len(row.cells) and row.cells[c] is not None), default=0.0)
        for c in range(width)
    ]
    grid: list[list[str]] = []
    for r, row in enumerate(rows):
        top = row.bbox[1]
        line: list[str] = []
        for c in range(width):
            cell = row.cells[c] if c < len(row.cells) else None
            if cell is not None:
                line.append(by_box[cell][0])
                continue
            line.append(_covering(by_box, edges[c] + 1, top + 1, r))
        grid.append(line)
    return grid, tuple(float(edge) for edge in edges)


def _cell_text(cell: tuple[float, float, float, float], text: str, lines: Sequence[Line]) -> str:
    """The text of a cell: what PDFium reads there, the other library's ``text`` where a line goes over the edge."""
    left, top, right, bottom = cell
    inside = []
    for line in lines:
        if not top <= line.middle <= bottom or line.right <= left + 2 or line.left >= right - 2:
            continue
        if line.left < left - 3 or line.right > right + 3:
            return text
        inside.append(line)
    found = ""
    for row in rows_of(inside):
        found = join(found, row.text)
    return found


def _covering(by_box: dict[Any, tuple[str, int]], x: float, y: float, row: int) -> str:
    for (left, top, right, bottom), (text, first) in by_box.items():
        if left <= x < right and top <= y < bottom:
            return Merged(text) if first == row else _Below(repeated_below(text))
    return ""
