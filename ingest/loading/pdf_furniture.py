"""Page headers, footers and page numbers: told from the text by their place and by their repetition. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from ingest.loading.pdf_lines import Line, Page, rows_of
from rag.types import Change

_MARGIN = 0.12
"""The share of a page's height at its top and bottom in which headers and footers stand."""
_NUMBER_MARGIN = 0.15
"""The same for page numbers, which are told by their form."""
_ROWS = 3
_EXAMPLES = 20
_DIGITS = re.compile(r"\d+|[〇零一二三四五六七八九十百]+(?=页|頁)|\b[ivxlc]+\b", re.IGNORECASE)
_NUMBER = r"(?:\d{1,4}|[ivxl]{1,6})"
_PAGE_NUMBER = re.compile(
    rf"[-—–~·•|\s]*{_NUMBER}[-—–~·•|\s]*|第?\s*{_NUMBER}\s*[页頁]?\s*[/／,，]?\s*(?:共|of|/|／)\s*\d{{1,4}}\s*[页頁]?"
    rf"|第\s*(?:\d{{1,4}}|[一二三四五六七八九十百]{{1,5}})\s*[页頁]|page\s*{_NUMBER}(?:\s*(?:of|/)\s*\d+)?",
    re.IGNORECASE,
)


def without_furniture(pages: Sequence[Page]) -> tuple[list[Page], Change | None]:
    """The pages without their headers, footers and page numbers, and what was left out.

    A line goes when it stands in the margin of at least three pages (half of the pages where there are fewer) with
    the same words at the same height, numbers aside; or when it is the outermost line and a bare page number.
    """
    needed = max(2, min(3, (len(pages) + 1) // 2))
    rows = [_margin_rows(page) for page in pages]
    seen: dict[tuple[str, bool], list[tuple[int, float]]] = defaultdict(list)
    for page, found in zip(pages, rows, strict=True):
        for row in found:
            seen[_key(row, page)].append((page.number, row.middle / page.height))
    kept: list[Page] = []
    gone: list[str] = []
    for page, found in zip(pages, rows, strict=True):
        drop = _repeated(found, page, seen, needed)
        numbers = _page_numbers(page, [row for row in found if row not in drop])
        # A document that is nothing but a number says that number.
        if len(pages) > 1 or len(page.lines) > len(numbers) or page.tables:
            drop += numbers
        gone += [row.text for row in drop]
        kept.append(_without(page, drop) if drop else page)
    if not gone:
        return kept, None
    return kept, Change("page-furniture", len(gone), tuple((text, "") for text in gone[:_EXAMPLES]))


def _margin_rows(page: Page) -> list[Line]:
    """The outermost rows at the top and at the bottom, outside of tables."""
    top, bottom = page.height * _NUMBER_MARGIN, page.height * (1 - _NUMBER_MARGIN)
    near = [line for line in page.lines if line.middle < top or line.middle > bottom]
    rows = rows_of(near)
    upper = [row for row in rows if row.middle < top][:_ROWS]
    lower = [row for row in rows if row.middle > bottom][-_ROWS:]
    return upper + lower


def _key(row: Line, page: Page) -> tuple[str, bool]:
    return "".join(_DIGITS.sub("#", row.text).split()).casefold(), row.middle < page.height / 2


def _repeated(
    rows: list[Line], page: Page, seen: dict[tuple[str, bool], list[tuple[int, float]]], needed: int
) -> list[Line]:
    """The rows that stand on other pages too, from each edge up to the first that does not, page numbers aside."""
    found: list[Line] = []
    upper = [row for row in rows if row.middle < page.height / 2]
    lower = [row for row in rows if row.middle > page.height / 2]
    for side in (upper, lower[::-1]):
        for row in side:
            here = row.middle / page.height
            pages = {number for number, place in seen[_key(row, page)] if abs(place - here) < 0.02}
            if min(here, 1 - here) < _MARGIN and len(pages) >= needed:
                found.append(row)
            elif not _PAGE_NUMBER.fullmatch(row.text.strip()):
                break
    return found


def _page_numbers(page: Page, rows: list[Line]) -> list[Line]:
    upper = [row for row in rows if row.middle < page.height / 2][:1]
    lower = [row for row in rows if row.middle > page.height / 2][-1:]
    return [row for row in upper + lower if _PAGE_NUMBER.fullmatch(row.text.strip())]


def _without(page: Page, drop: list[Line]) -> Page:
    def dropped(line: Line) -> bool:
        return any(
            row.top <= line.middle <= row.bottom and row.left <= line.left and line.right <= row.right
            for row in drop
        )

    return replace(page, lines=tuple(line for line in page.lines if not dropped(line)))
