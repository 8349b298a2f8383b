"""The text layer of a PDF page as lines, and a judgement whether it means anything."""

from __future__ import annotations

import ctypes
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ingest.decoding import common_characters
from ingest.loading.pdf_lines import Line, is_wide
from rag.text import HAN

if TYPE_CHECKING:
    import pypdfium2

Readability = Literal["good", "doubtful", "bad"]
Box = tuple[float, float, float, float]

_MOST_CHARS = 200_000
"""Characters read from one page: a poster of statistics holds a tenth of that."""
_HYPHENS = "\x02\xad\ufffe"
"""What PDFium writes for a hyphen at the end of a line."""
_HAN_CHAR = re.compile(f"[{HAN}]")
_CID = re.compile(r"\(cid:\d+\)")
_REPEATED = re.compile(f"([{HAN}])\\1{{3,}}")


@dataclass(slots=True)
class Run:
    """A line as its characters come in. ``spaced`` tells which characters have a space before them.

    ``angle`` counts quarter turns counter-clockwise; what stands slantwise is -1. Boxes are left, bottom, right, top.
    """

    size: float
    bold: bool
    angle: int
    chars: list[str] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    spaced: list[bool] = field(default_factory=list)

    def add(self, char: str, place: Box, *, spaced: bool) -> None:
        """The next character."""
        self.chars.append(char)
        self.boxes.append(place)
        self.spaced.append(spaced)


@dataclass(frozen=True, slots=True)
class TextLayer:
    """A page's lines, and the width and height of the page when it is turned so that they stand upright."""

    lines: tuple[Line, ...]
    width: float
    height: float


def text_layer(page: pypdfium2.PdfPage) -> TextLayer:
    """The lines of a page's text layer, in the order in which the file draws them.

    Text that stands slantwise (a watermark) is left out, and so is text turned against most of the page's.
    """
    return layer_of(_runs(page), page.get_bbox())


def layer_of(runs: Sequence[Run], bounds: Box) -> TextLayer:
    """The lines of a page whose left, bottom, right and top edge are ``bounds``; see `text_layer`."""
    turns = Counter[int]()
    for run in runs:
        turns[run.angle] += len(run.chars)
    turns.pop(-1, None)
    left, bottom, right, top = bounds
    width, height = right - left, top - bottom
    if not turns:
        return TextLayer((), width, height)
    angle = turns.most_common(1)[0][0]
    lines = [_line(run, angle, bounds) for run in runs if run.angle == angle]
    if angle % 2:
        width, height = height, width
    return TextLayer(tuple(line for line in lines if line is not None), width, height)


def _runs(page: pypdfium2.PdfPage) -> list[Run]:
    import pypdfium2.raw as raw

    textpage = page.get_textpage()
    handle = textpage.raw
    box = raw.FS_RECTF()
    runs: list[Run] = []
    run: Run | None = None
    spaced = False
    high = 0
    for i in range(min(textpage.count_chars(), _MOST_CHARS)):
        code = raw.FPDFText_GetUnicode(handle, i)
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000 and high:
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
        high = 0
        if code in (10, 13):
            run = None
            spaced = False
            continue
        char = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
        if char in _HYPHENS:
            char = "-"
        if char.isspace():
            spaced = True
            continue
        if not raw.FPDFText_GetLooseCharBox(handle, i, ctypes.byref(box)):
            continue
        place = (box.left, min(box.bottom, box.top), box.right, max(box.bottom, box.top))
        if run is None or breaks(run, place):
            run = _started(handle, i)
            runs.append(run)
            spaced = False
        run.add(char, place, spaced=spaced)
        spaced = False
    textpage.close()
    return runs


def _started(handle: object, i: int) -> Run:
    import pypdfium2.raw as raw

    matrix = raw.FS_MATRIX()
    size = float(raw.FPDFText_GetFontSize(handle, i))
    if raw.FPDFText_GetMatrix(handle, i, ctypes.byref(matrix)):
        size *= (matrix.c**2 + matrix.d**2) ** 0.5
    return started(size, raw.FPDFText_GetFontWeight(handle, i) >= 600, (matrix.a, matrix.b))


def started(size: float, bold: bool, direction: tuple[float, float]) -> Run:
    """An empty run of text whose base line goes in that direction."""
    degrees = math.degrees(math.atan2(direction[1], direction[0]))
    turn = round(degrees / 90) % 4 if abs(degrees - 90 * round(degrees / 90)) < 8 else -1
    return Run(min(max(size, 1.0), 500.0), bold, turn)


def breaks(run: Run, place: Box) -> bool:
    """Whether a character there does not go on with the run's line."""
    last = run.boxes[-1]
    sideways = run.angle in (1, 3)
    low, high = (0, 2) if sideways else (1, 3)
    shared = min(last[high], place[high]) - max(last[low], place[low])
    if shared <= 0.4 * min(last[high] - last[low], place[high] - place[low]):
        return True
    start, end = (1, 3) if sideways else (0, 2)
    backwards = run.angle in (2, 3)
    forward = last[start] - place[end] if backwards else place[start] - last[end]
    return forward > 2.2 * run.size or forward < -1.5 * run.size


def _line(run: Run, angle: int, bounds: Box) -> Line | None:
    boxes = [_upright(box, angle, bounds) for box in run.boxes]
    gaps = sorted(
        after[0] - before[2]
        for before, after, a, b in zip(boxes, boxes[1:], run.chars, run.chars[1:], strict=False)
        if _is_square(a) and _is_square(b)
    )
    usual = gaps[len(gaps) // 2] if gaps else 0.0
    pieces: list[str] = []
    for i, char in enumerate(run.chars):
        if i and run.spaced[i]:
            before = run.chars[i - 1]
            pair = (_is_square(char), _is_square(before))
            close = all(pair) or (any(pair) and (char.isdigit() or before.isdigit()))
            # A space between Han characters, or one and a figure, counts only where it shows: programs set a quarter
            # of a character there, and PDFium and spaced-out fonts add others.
            if not close or boxes[i][0] - boxes[i - 1][2] - usual > 0.4 * run.size:
                pieces.append(" ")
        pieces.append(char)
    text = "".join(pieces).strip()
    if not text:
        return None
    return Line(
        text,
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
        run.size,
        run.bold,
    )


def _is_square(char: str) -> bool:
    return is_wide(char) or "\uff01" <= char <= "\uff5e"


def _upright(box: Box, angle: int, bounds: Box) -> Box:
    """A box with the origin at the upper left of a page that was turned until its text stands upright."""
    left, bottom, right, top = box
    x0, y0, x1, y1 = bounds
    if angle == 1:
        return bottom - y0, left - x0, top - y0, right - x0
    if angle == 2:
        return x1 - right, bottom - y0, x1 - left, top - y0
    if angle == 3:
        return y1 - top, x1 - right, y1 - bottom, x1 - left
    return left - x0, y1 - top, right - x0, y1 - bottom


def readable(text: str) -> Readability:
    """Whether a text layer's text means anything: signs that its font's letters were mapped to the wrong characters.

    "bad" is sure; "doubtful" is to be compared with a picture of the page.
    """
    signs = "".join(text.split())
    if not signs:
        return "bad"
    lost = sum(len(match) for match in _CID.findall(signs)) + sum(
        char == "\ufffd" or unicodedata.category(char) in {"Cc", "Cn", "Co", "Cs"} for char in signs
    )
    foreign = sum("\x80" <= char <= "\u024f" for char in signs)
    share = lost / len(signs)
    han = _HAN_CHAR.findall(signs)
    common = sum(char in common_characters() for char in han) / len(han) if han else 1.0
    if share > 0.2 or (len(han) >= 20 and common < 0.55) or (len(signs) >= 20 and foreign > 0.4 * len(signs)):
        return "bad"
    if (share > 0.04 and lost > 3) or (len(han) >= 8 and common < 0.8) or _REPEATED.search(signs):
        return "doubtful"
    latin = [char for char in signs if char.isascii() and char.isalpha()]
    marks = sum(char.isascii() and not char.isalnum() for char in signs)
    if len(latin) >= 60 and len(latin) > 0.5 * len(signs):
        vowels = sum(char in "aeiouAEIOU" for char in latin) / len(latin)
        if not 0.2 < vowels < 0.6:
            return "doubtful"
    if len(signs) >= 40 and marks > 0.5 * len(signs) and marks - signs.count(".") > 0.3 * len(signs):
        return "doubtful"
    return "good"


def agree(first: str, second: str) -> bool:
    """Whether two readings of one page are by and large the same: half of their character pairs, letter case aside."""
    ours, theirs = _pairs(first), _pairs(second)
    total = ours.total() + theirs.total()
    return bool(total) and 2 * (ours & theirs).total() >= 0.5 * total


def _pairs(text: str) -> Counter[str]:
    signs = [char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum()]
    return Counter(a + b for a, b in zip(signs, signs[1:], strict=False)) or Counter(signs)
