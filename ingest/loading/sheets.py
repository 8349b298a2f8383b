"""Workbooks (.xlsx): every visible sheet with its name, its tables row by row with the names of their columns.

Cells are streamed, so that a sheet that claims a million empty rows costs nothing; the results of formulas are those
that were stored when the file was saved.
"""

from __future__ import annotations

import datetime
import math
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingest.loading import tables
from ingest.loading.blocks import Block, Parsed, Task
from ingest.loading.packages import open_package, property_title, relations, xml_part
from ingest.messages import fault
from rag.errors import SourceError
from rag.types import Note

if TYPE_CHECKING:
    from lxml import etree

_BEAT_EVERY = 500
_MOST_CELLS = 4_000_000
"""Cells with text in a workbook: beyond it the blocks would not fit into the memory of a child."""
_MOST_COLUMNS = 16_384
_MOST_ROWS = 1_048_576
_MOST_MERGES = 100_000
_MOST_REPEATS = 500_000
"""Cells that merged ranges may add."""
_LONGEST_TITLE = 80
_PLAIN_NAME = re.compile(r"(?:sheet|工作表|表|feuil|tabelle)\s*\d*(?:\s*\(\d+\))?", re.IGNORECASE)
_RANGE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
"""What in a number format is shown as it stands."""


def load(task: Task) -> Parsed:
    """Read a workbook.

    :raises SourceError: when it is encrypted, unsafe, damaged, too large or without text
    """
    with open_package(task) as package:
        if not any(name.startswith("xl/") for name in package.namelist()):
            raise fault("not_its_kind", task.name, detail="it is no workbook")
        try:
            return _read(package, task)
        except SourceError:
            raise
        except Exception as error:  # the library meets a damaged file with errors of every kind
            raise fault("damaged", task.name, detail="its sheets cannot be made out") from error


@dataclass(slots=True)
class _Count:
    rows: int = 0
    cells: int = 0
    chars: int = 0
    hidden: int = 0
    formulas: int = 0


@dataclass(frozen=True, slots=True)
class _Book:
    """What the cells of all sheets refer to."""

    strings: Sequence[str]
    formats: Sequence[str]
    """The number formats by style."""
    epoch: datetime.datetime


_Rows = dict[int, dict[int, str]]
"""The texts by row and column, counted from 1; empty cells are not there."""


@dataclass(slots=True)
class _Sheet:
    rows: _Rows = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    """First row, first column, last row, last column, counted from 1."""


def _read(package: zipfile.ZipFile, task: Task) -> Parsed:
    top = {relation.kind: relation.target for relation in relations(package, "", task)}
    main = top.get("officeDocument", "xl/workbook.xml")
    targets = relations(package, main, task)
    workbook = xml_part(package, main, task)
    by_kind = {relation.kind: relation.target for relation in targets}
    book = _Book(
        _strings(package, by_kind.get("sharedStrings"), task),
        _formats(package, by_kind.get("styles"), task),
        _epoch(workbook),
    )
    worksheets = {
        relation.identifier: relation.target for relation in targets if relation.kind == "worksheet"
    }
    count = _Count()
    parts: list[tuple[str, list[Block]]] = []
    for element in workbook.iter("{*}sheet"):
        path = next(
            (worksheets[v] for k, v in element.items() if k.endswith("}id") and v in worksheets), None
        )
        if path is None:
            continue
        if element.get("state", "visible") != "visible":
            count.hidden += 1
            continue
        task.beat()
        if found := _blocks(_sheet(package, path, book, task, count)):
            parts.append((tables.one_line(element.get("name", "")), found))
    if not parts:
        raise fault("no_text", task.name)
    blocks: list[Block] = []
    for name, found in parts:
        if name and (len(parts) > 1 or not _PLAIN_NAME.fullmatch(name)):
            blocks.append(Block(name, "heading", 1))
        blocks += found
    notes = []
    if count.hidden:
        notes.append(Note("hidden_text", str(count.hidden)))
    if count.formulas:
        notes.append(Note("formulas", str(count.formulas)))
    title = property_title(package, "docProps/core.xml", task)
    return Parsed(tuple(blocks), title=title, notes=tuple(notes))


def _epoch(workbook: etree._Element) -> datetime.datetime:
    from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH

    properties = workbook.find("{*}workbookPr")
    mac = properties is not None and properties.get("date1904") in ("1", "true", "on")
    epoch: datetime.datetime = MAC_EPOCH if mac else WINDOWS_EPOCH
    return epoch


def _events(
    package: zipfile.ZipFile, path: str, task: Task, ends: tuple[str, ...]
) -> Iterator[etree._Element]:
    """The elements of these names in a part as they end; each is forgotten once it has been looked at."""
    from lxml import etree

    if path not in package.NameToInfo:
        raise fault("damaged", task.name, detail="one of its sheets is missing")
    with package.open(path) as part:
        events = etree.iterparse(
            part, events=("end",), tag=ends, resolve_entities=False, no_network=True, load_dtd=False
        )
        for seen, (_, element) in enumerate(events):
            if seen % _BEAT_EVERY == 0:
                task.beat()
            yield element
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]


def _strings(package: zipfile.ZipFile, path: str | None, task: Task) -> list[str]:
    if path is None or path not in package.NameToInfo:
        return []
    strings: list[str] = []
    chars = 0
    for element in _events(package, path, task, ("{*}si",)):
        strings.append(_string(element))
        chars += len(strings[-1])
        if chars > task.limits.text_chars * 2:
            raise fault("too_much_text", task.name, limit=task.limits.text_chars, detail="characters/字")
    return strings


def _string(element: etree._Element) -> str:
    """The text of a string, its readings (in Japanese and Chinese sheets) left out."""
    return tables.one_line(
        "".join(t.text or "" for t in element.iter("{*}t") if not t.getparent().tag.endswith("}rPh"))
    )


def _formats(package: zipfile.ZipFile, path: str | None, task: Task) -> list[str]:
    from openpyxl.styles.numbers import BUILTIN_FORMATS

    if path is None or path not in package.NameToInfo:
        return []
    styles = xml_part(package, path, task)
    # Chinese programs have dates at numbers that other languages leave empty.
    codes: dict[int, str] = (
        dict.fromkeys((*range(27, 32), 36, *range(50, 55), 57, 58), "yyyy-mm-dd") | BUILTIN_FORMATS
    )
    codes |= {_number(e.get("numFmtId")): e.get("formatCode", "") for e in styles.iter("{*}numFmt")}
    formats = styles.find("{*}cellXfs")
    return [] if formats is None else [codes.get(_number(e.get("numFmtId")), "General") for e in formats]


def _sheet(package: zipfile.ZipFile, path: str, book: _Book, task: Task, count: _Count) -> _Sheet:
    sheet = _Sheet()
    row = 0
    for element in _events(package, path, task, ("{*}row", "{*}col", "{*}mergeCell")):
        name = element.tag.rsplit("}", 1)[-1]
        if name == "row":
            row = _number(element.get("r")) or row + 1
            hidden = element.get("hidden") in ("1", "true")
            if cells := _cells(element, book, sheet, count, hidden):
                _add(sheet, row, cells, hidden, task, count)
        elif name == "col":
            if element.get("hidden") in ("1", "true"):
                first, last = _number(element.get("min")), _number(element.get("max"))
                sheet.hidden_columns.update(range(first, min(last, _MOST_COLUMNS) + 1))
        elif (area := _area(element.get("ref"))) is not None and len(sheet.merges) < _MOST_MERGES:
            sheet.merges.append(area)
    return sheet


def _cells(row: etree._Element, book: _Book, sheet: _Sheet, count: _Count, hidden: bool) -> dict[int, str]:
    found: dict[int, str] = {}
    column = 0
    for cell in row.iterchildren("{*}c"):
        place = _area(cell.get("r"))
        column = place[1] if place else column + 1
        text = _shown(cell, book)
        if text is None:
            count.formulas += not hidden and column not in sheet.hidden_columns
        elif text:
            found[column] = text
    return found


def _add(sheet: _Sheet, row: int, cells: dict[int, str], hidden: bool, task: Task, count: _Count) -> None:
    limits = task.limits
    if hidden:
        sheet.hidden_rows.add(row)
        count.hidden += 1
        return
    shown = {column: text for column, text in cells.items() if column not in sheet.hidden_columns}
    count.hidden += len(cells) - len(shown)
    if not shown:
        return
    count.rows += 1
    count.cells += len(shown)
    count.chars += sum(map(len, shown.values()))
    sheet.rows[row] = shown
    for value, limit, detail in (
        (count.rows, limits.table_rows, "rows/行"),
        (count.cells, _MOST_CELLS, "cells/单元格"),
        (count.chars, limits.text_chars, "characters/字"),
    ):
        if value > limit:
            raise fault("too_much_text", task.name, limit=limit, detail=detail)


def _shown(cell: etree._Element, book: _Book) -> str | None:
    """A cell's text as the sheet shows it, as far as matters for reading; None for a formula without a result."""
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        inline = cell.find("{*}is")
        return "" if inline is None else _string(inline)
    value = cell.findtext("{*}v") or ""
    if not value:
        # A formula whose result is an empty text is stored as a text without content.
        return None if kind != "str" and cell.find("{*}f") is not None else ""
    if kind == "s":
        index = _number(value)
        return book.strings[index] if value.isdecimal() and index < len(book.strings) else ""
    if kind == "b":
        return "TRUE" if value.strip() in ("1", "true") else "FALSE"
    if kind == "e":
        # What a formula shows that failed says nothing.
        return ""
    if kind == "n":
        style = _number(cell.get("s"))
        code = book.formats[style] if style < len(book.formats) else "General"
        return _shown_number(value, code, book.epoch)
    return tables.one_line(value)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) <= 9 else 0


def _area(reference: str | None) -> tuple[int, int, int, int] | None:
    """The rows and columns of "B2:D4", counted from 1, within what a sheet can have."""
    match = _RANGE.fullmatch(reference or "")
    if match is None:
        return None
    left, top = _column(match[1]), int(match[2])
    right, bottom = (_column(match[3]), int(match[4])) if match[3] else (left, top)
    if not (1 <= top <= bottom <= _MOST_ROWS and 1 <= left <= right <= _MOST_COLUMNS):
        return None
    return top, left, bottom, right


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _shown_number(stored: str, code: str, epoch: datetime.datetime) -> str:
    from openpyxl.styles.numbers import is_date_format, is_timedelta_format
    from openpyxl.utils.datetime import from_excel

    try:
        value = float(stored)
    except ValueError:
        return tables.one_line(stored)
    if is_date_format(code):
        try:
            moment = from_excel(value, epoch, timedelta=is_timedelta_format(code))
        except (OverflowError, ValueError):
            return ""
        return _shown_moment(moment, code)
    if not math.isfinite(value):
        return ""
    return _formatted(int(stored) if re.fullmatch(r"-?\d{1,15}", stored, re.ASCII) else value, code)


def _shown_moment(value: object, code: str) -> str:
    if isinstance(value, datetime.datetime):
        plain = value.time() == datetime.time() or not re.search("[hs]", _bare(code), re.IGNORECASE)
        return _shown_date(value.date(), code) if plain else value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.time):
        return value.strftime("%H:%M:%S" if value.second else "%H:%M")
    if isinstance(value, datetime.timedelta):
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60}:{minutes % 60:02d}"
    return ""


def _shown_date(date: datetime.date, code: str) -> str:
    pattern = _bare(code).lower()
    if "d" not in pattern and "y" in pattern:
        return f"{date.year:04d}-{date.month:02d}" if "m" in pattern else f"{date.year:04d}"
    return date.isoformat()


def _bare(code: str) -> str:
    return _QUOTED.sub("", code[:200])


def _formatted(value: float, code: str) -> str:
    pattern = _bare(code.split(";")[0])
    decimals = len(match[1]) if (match := re.search(r"[0#?]\.([0#?]+)", pattern)) else None
    if "%" in pattern:
        return _plain(value * 100, decimals) + "%"
    if re.fullmatch(r"0{2,15}", pattern) and value == int(value):
        # Codes and numbers with leading zeros.
        return f"{int(value):0{len(pattern)}d}"
    return _plain(value, decimals)


def _plain(value: float, decimals: int | None) -> str:
    """A number without thousands separators; as many decimals as its format shows, and no trail of binary rounding."""
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e15):
        # The text of an integer of very many digits is not worth computing.
        return str(int(value)) if abs(value) < 10**300 else f"{value:.6g}"
    text = f"{value:.{min(decimals, 15)}f}" if decimals is not None else f"{value:.12g}"
    if decimals is not None and float(text) == 0:
        text = f"{value:.12g}"
    if "e" in text:
        return text
    return text.rstrip("0").rstrip(".") if "." in text else text


def _blocks(sheet: _Sheet) -> list[Block]:
    """The tables of a sheet, which blank rows divide."""
    grid, numbers = _grid(sheet)
    blocks: list[Block] = []
    run: list[list[str]] = []
    before = None
    for number, row in zip(numbers, grid, strict=True):
        # Rows in between that are hidden do not divide.
        if before is not None and any(
            n not in sheet.hidden_rows for n in range(before + 1, min(number, before + 50))
        ):
            blocks += _run_blocks(run)
            run = []
        run.append(row)
        before = number
    blocks += _run_blocks(run)
    return blocks


def _grid(sheet: _Sheet) -> tuple[list[list[str]], list[int]]:
    rows = sheet.rows
    repeats = _MOST_REPEATS
    spread: dict[int, dict[int, tables.Merged | str]] = {}
    numbers = sorted(rows)
    for top, left, bottom, right in sheet.merges:
        text = rows.get(top, {}).get(left, "")
        if not text:
            continue
        right = min(right, left + _MOST_COLUMNS)
        for number in _between(numbers, top, bottom):
            shown = text if number == top else tables.repeated_below(text)
            for column in range(left, right + 1):
                if repeats <= 0 or not shown:
                    break
                if (number, column) != (top, left):
                    repeats -= 1
                    spread.setdefault(number, {})[column] = tables.Merged(shown) if column > left else shown
    grid = []
    for number in numbers:
        cells: Mapping[int, str] = {**spread.get(number, {}), **rows[number]}
        grid.append(_line(cells))
    return _without_empty_columns(grid), numbers


def _between(numbers: Sequence[int], first: int, last: int) -> Iterator[int]:
    from bisect import bisect_left

    for index in range(bisect_left(numbers, first), len(numbers)):
        if numbers[index] > last:
            return
        yield numbers[index]


def _line(cells: Mapping[int, str]) -> list[str]:
    line = [""] * max(cells, default=0)
    for column, text in cells.items():
        line[column - 1] = text
    return line


def _without_empty_columns(grid: list[list[str]]) -> list[list[str]]:
    used = sorted({column for row in grid for column, text in enumerate(row) if text})
    return [[row[column] for column in used if column < len(row)] for row in grid]


def _run_blocks(run: Sequence[Sequence[str]]) -> list[Block]:
    """The blocks of rows that follow each other; a text alone, on its own or above a table, is a title or a remark."""
    if len(run) == 1:
        texts = [text for text in run[0] if text and not isinstance(text, tables.Merged)]
        if len(texts) == 1:
            short = len(texts[0]) <= _LONGEST_TITLE and not re.search(
                r"[。；;：:，,\d.]$|^[（(]?(?:注|备注|note)", texts[0], re.I
            )
            return [Block(texts[0], "heading", 2) if short else Block(texts[0])]
    return tables.table_blocks(run, title_level=2)
