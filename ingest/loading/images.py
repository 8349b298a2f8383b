"""Reads pictures (PNG, JPEG, TIFF with many pages, BMP, WebP, GIF) through OCR."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from ingest.loading import ocr
from ingest.loading.blocks import Limits, Parsed, Task
from ingest.loading.pdf_layout import layout
from ingest.loading.pdf_lines import spans
from ingest.messages import fault
from rag.errors import SourceError
from rag.types import Note

if TYPE_CHECKING:
    import PIL.Image

    from ingest.loading.pdf_lines import Page

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")
_LONGEST_SIDE = 3000
_MOST_HEIGHT = 20_000
_READABLE = 1000
"""Pixels: a smaller picture is doubled, since the letters of a screenshot are too small for the engine."""
_MILLION = 1_000_000


def load(task: Task) -> Parsed:
    """Read a picture file.

    :raises SourceDamaged: when it is no picture, or a damaged one
    :raises SourceTooLarge: when it has more pixels or pages than the limits allow; nothing is decoded then
    :raises SourceEmpty: when it shows no text, or OCR is switched off
    """
    try:
        return _load(task)
    except SourceError:
        raise
    except MemoryError as error:
        raise fault("too_much_memory", task.name, limit=task.limits.memory_mb) from error
    except Exception as error:
        raise fault("damaged", task.name, detail="the picture cannot be decoded") from error


def _load(task: Task) -> Parsed:
    import PIL.Image

    try:
        image = _opened(task)
    except (PIL.Image.DecompressionBombWarning, PIL.Image.DecompressionBombError) as error:
        # Pillow's own bound, for the whole process, may be the lower one.
        detail = (re.findall(r"\d+", str(error)) or ["?"])[0]
        raise fault("too_many_pixels", task.name, detail=detail, limit=_limit(task.limits)) from error
    with image:
        return _read(image, task)


def _opened(task: Task) -> PIL.Image.Image:
    import PIL.Image

    try:
        return PIL.Image.open(io.BytesIO(task.data), formats=_FORMATS)
    except PIL.UnidentifiedImageError as error:
        raise fault("damaged", task.name, detail="it is no picture of a known kind") from error


def _limit(limits: Limits) -> str:
    return f"{limits.image_pixels / _MILLION:g}"


def _read(image: PIL.Image.Image, task: Task) -> Parsed:
    # Pictures that move show the same again and again: the first one is read.
    many = image.format == "TIFF"
    count = getattr(image, "n_frames", 1) if many else 1
    limits = task.limits
    if count > limits.pages:
        raise fault("too_many_pages", task.name, count=count, limit=limits.pages)
    _check_size(image, task)
    if not limits.ocr:
        image.seek(0)
        image.load()
        raise fault("no_ocr", task.name)
    pages: list[Page] = []
    beyond = list(range(limits.ocr_pages + 1, count + 1))
    for index in range(min(count, limits.ocr_pages)):
        if many:
            image.seek(index)
            _check_size(image, task)
        pages.append(_page(image, index + 1, task))
        task.beat()
    found = layout(pages, furniture=count > 1)
    if not found.blocks:
        raise fault("no_text", task.name)
    read = [page.number for page in pages if page.lines]
    blank = [page.number for page in pages if not page.lines]
    notes = [Note("ocr", spans(read))]
    if blank:
        notes.append(Note("pictures", spans(blank)))
    if beyond:
        notes.append(Note("ocr_limit", spans(beyond)))
    return Parsed(found.blocks, pages=count if count > 1 else None, changes=found.changes, notes=tuple(notes))


def _check_size(image: PIL.Image.Image, task: Task) -> None:
    width, height = image.size
    if width * height > task.limits.image_pixels:
        raise fault("too_many_pixels", task.name, detail=f"{width} x {height}", limit=_limit(task.limits))


def _page(image: PIL.Image.Image, number: int, task: Task) -> Page:
    import numpy as np
    from PIL import ImageOps

    try:
        # JPEG can be decoded at a fraction of its size, which spares the memory.
        if image.height < 2 * image.width:
            image.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
        image.load()
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise fault("damaged", task.name, detail="a part of the picture is missing") from error
    shown = ImageOps.exif_transpose(image)
    # A long screenshot keeps its width, or its letters would be lost.
    shown.thumbnail((_LONGEST_SIDE, max(_LONGEST_SIDE, min(shown.height, _MOST_HEIGHT))))
    if max(shown.size) < _READABLE:
        shown = shown.convert("RGBA" if _transparent(shown) else "RGB").resize(
            (shown.width * 2, shown.height * 2)
        )
    return ocr.as_page(ocr.read_upright(np.asarray(_on_white(shown)), task.name, task.beat), number)


def _transparent(image: PIL.Image.Image) -> bool:
    return image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info


def _on_white(image: PIL.Image.Image) -> PIL.Image.Image:
    """The picture as RGB; what is transparent shows white, or black letters would stand on black."""
    import numpy as np
    from PIL import Image

    if image.mode.startswith("I") or image.mode == "F":
        # Sixteen bits and more: the range that occurs becomes the range of grey.
        wide = np.asarray(image, dtype=np.float64)
        low, span = float(wide.min()), float(np.ptp(wide)) or 1.0
        image = Image.fromarray(((wide - low) * (255.0 / span)).astype(np.uint8))
        return image.convert("RGB")
    if not _transparent(image):
        return image.convert("RGB")
    clear = image.convert("RGBA")
    ground = Image.new("RGBA", clear.size, "white")
    return Image.alpha_composite(ground, clear).convert("RGB")
