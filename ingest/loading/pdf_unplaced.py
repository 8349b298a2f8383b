"""Text that PDFium drops because it cannot tell where it stands, read with pdfminer.

Where a font is neither in the file nor on the machine, PDFium has no shapes of its letters, and leaves out those that are
turned. Chinese offices' files name such fonts often, and servers seldom have any. pdfminer goes by the widths that the file
states.
"""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

from ingest.loading.pdf_tables import pdfminer_slips
from ingest.loading.pdf_text import Run, TextLayer, breaks, layer_of, started

if TYPE_CHECKING:
    import pypdfium2

MOST_OBJECTS = 2000
"""Drawn things of a page that are looked at."""


def draws_text(page: pypdfium2.PdfPage) -> bool:
    """Whether a page says that it draws text, whatever can be read of it."""
    import pypdfium2.raw as raw

    for count, item in enumerate(page.get_objects(max_depth=4)):
        if count > MOST_OBJECTS:
            break
        if item.type == raw.FPDF_PAGEOBJ_TEXT:
            return True
    return False


def unplaced_layer(data: bytes, number: int, most: int) -> TextLayer | None:
    """The lines of the page of that number, by pdfminer; None where it cannot follow the file.

    :param most: characters that are read at the most
    """
    logging.getLogger("pdfminer").setLevel(logging.CRITICAL)
    try:
        return _layer(data, number, most)
    except pdfminer_slips():
        return None


def _layer(data: bytes, number: int, most: int) -> TextLayer:
    import pdfplumber

    with pdfplumber.open(io.BytesIO(data), pages=[number]) as pdf:
        page = pdf.pages[0]
        runs: list[Run] = []
        spaced = False
        for item in page.chars[:most]:
            char = item["text"]
            if not char.strip():
                spaced = True
                continue
            place = (float(item["x0"]), float(item["y0"]), float(item["x1"]), float(item["y1"]))
            if not runs or breaks(runs[-1], place):
                a, b, *_ = item["matrix"]
                runs.append(started(float(item["size"]), "bold" in str(item["fontname"]).lower(), (a, b)))
                spaced = False
            runs[-1].add(char, place, spaced=spaced)
            spaced = False
        left, top, right, bottom = (float(side) for side in page.mediabox)
        return layer_of(runs, (left, min(top, bottom), right, max(top, bottom)))
