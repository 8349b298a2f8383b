"""Tables as plain text (.csv, .tsv): the separator is told by the content, and every row names its columns."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import Literal

from ingest.decoding import decode
from ingest.loading.blocks import Block, Parsed, Task
from ingest.loading.markup import one_line
from ingest.messages import fault

_DELIMITERS = (",", "\t", ";", "|")
_SAMPLE = 100_000
_SAMPLE_ROWS = 300
_LEAST_SHARE = 0.6
"""Of the rows that hold anything, so many must have the same number of columns."""
_LONGEST_CELL = 1_000_000
_MOST_LINES = 60
"""Lines in one cell beyond which a quotation mark was left open rather than a text put in."""
_BEAT_EVERY = 500
_FORMULA = re.compile(r'="([^"]*)"')
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)


def load(task: Task) -> Parsed:
    """Read a table; a file that is none is read line by line.

    :raises SourceEmpty: when it holds nothing
    :raises SourceUndecodable: when no encoding gives readable text
    :raises SourceTooLarge: when it has more rows, or a longer cell, than the limit
    """
    if not task.data.strip():
        raise fault("empty", task.name)
    decoded = decode(task.data, task.name)
    text = decoded.text.replace("\x00", "")
    stated = _SEPARATOR_LINE.match(text)
    if stated:
        text = text[stated.end() :]
    delimiter = stated.group(1) if stated else find_delimiter(text)
    if delimiter is None:
        blocks = _as_lines(text, task)
    else:
        from ingest.loading.tables import table_blocks

        blocks = table_blocks(_rows(text, delimiter, task))
    if not blocks:
        raise fault("no_text", task.name)
    return Parsed(tuple(blocks), encoding=decoded.encoding)


def find_delimiter(text: str) -> str | None:
    """The separator by which most rows have the same number of cells, two or more; None where none does."""
    sample = text[:_SAMPLE]
    if len(text) > _SAMPLE:
        sample = sample.rpartition("\n")[0] or sample
    best: tuple[float, int, str] | None = None
    for delimiter in _DELIMITERS:
        if delimiter not in sample:
            continue
        widths = [len(row) for row in _sampled(sample, delimiter) if any(cell.strip() for cell in row)]
        width, count = Counter(widths).most_common(1)[0] if widths else (0, 0)
        if width < 2 or (len(widths) < 2 and delimiter != "\t"):
            # Rows of one cell each may still be titles above a narrow table: the next common width is looked at.
            wider = Counter(width for width in widths if width > 1).most_common(1)
            if not wider or wider[0][1] < 2:
                continue
            width, count = wider[0]
        share = count / len(widths)
        if share >= _LEAST_SHARE and (best is None or (share, width) > best[:2]):
            best = (share, width, delimiter)
    return best[2] if best else None


def _sampled(sample: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            rows.append(row)
            if len(rows) >= _SAMPLE_ROWS:
                break
    except csv.Error:
        pass
    if any(cell.count("\n") > _MOST_LINES for row in rows for cell in row):
        lines = sample.splitlines()[:_SAMPLE_ROWS]
        return [line.split(delimiter) for line in lines]
    return rows


def _rows(text: str, delimiter: str, task: Task) -> list[list[str]]:
    try:
        rows = list(_read(text, delimiter, csv.QUOTE_MINIMAL, task))
    except _OpenQuote:
        rows = list(_read(text, delimiter, csv.QUOTE_NONE, task))
    return rows


class _OpenQuote(Exception):
    """A quotation mark that nothing closes swallows the rows after it."""


def _read(text: str, delimiter: str, quoting: Literal[0, 3], task: Task) -> Iterator[list[str]]:
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, skipinitialspace=True
        )
        count = 0
        for row in reader:
            if not any(row):
                continue
            count += 1
            if count > task.limits.table_rows:
                raise fault("too_much_text", task.name, limit=task.limits.table_rows, detail="rows/行")
            if count % _BEAT_EVERY == 0:
                task.beat()
            if quoting != csv.QUOTE_NONE and any("\n" in c and c.count("\n") > _MOST_LINES for c in row):
                raise _OpenQuote
            yield [_cell(cell) for cell in row]
    except csv.Error as error:
        if quoting != csv.QUOTE_NONE and '"' in text:
            raise _OpenQuote from error
        raise fault(
            "too_much_text", task.name, limit=_LONGEST_CELL, detail="characters in a cell/个字的单元格"
        ) from error
    finally:
        csv.field_size_limit(before)


def _cell(text: str) -> str:
    # Spreadsheets write ="001" to keep the zeros.
    if text.startswith('="') and (match := _FORMULA.fullmatch(text)):
        text = match.group(1)
    return one_line(text)


def _as_lines(text: str, task: Task) -> list[Block]:
    if len(text) > task.limits.text_chars:
        raise fault("too_much_text", task.name, limit=task.limits.text_chars, detail="characters/个字")
    lines = (one_line(line.strip().strip('"')) for line in text.splitlines())
    return [Block(line) for line in lines if line.strip("".join(_DELIMITERS))]
