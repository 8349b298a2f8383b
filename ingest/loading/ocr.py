"""Text on pictures: RapidOCR with the models that its package carries; nothing is ever fetched."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.loading.blocks import Beat
from ingest.loading.pdf_layout import scaled
from ingest.loading.pdf_lines import Line as PlacedLine
from ingest.loading.pdf_lines import Page
from ingest.messages import fault

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

LONGEST_SIDE = 2000
_MOST_PIXELS = 1_800_000
"""Larger pictures are scaled down: the detector's memory goes with the area. An A4 page is read at 138 dpi."""
_STRIP = 2.5
"""Pictures this many times higher than wide (long screenshots) are read piece by piece."""
_SHORTEST_SIDE = 736
"""Narrower pictures would be blown up to this by the detector, many times over for a strip: they get a margin."""
_THREADS = 2
_PATIENCE = 180
"""Seconds that one look may take: pictures are bounded, so it ends."""
_LEAST_SCORE = 0.6
_SURE = 0.85
_MOST = 0.5
_MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line read from a picture: its text, its box (left, top, right, bottom in pixels) and how sure it is, 0 to 1."""

    text: str
    box: tuple[float, float, float, float]
    score: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from a picture; ``width`` and ``height`` are those of the picture turned upright."""

    lines: tuple[Line, ...]
    width: int
    height: int


def read_picture(image: Picture, name: str = "") -> list[Line]:
    """The lines of a picture, as it stands or turned upright, in no particular order.

    :param image: rows of RGB pixels (height, width, 3)
    :raises SourceUnsupported: when the models are not installed
    :raises SourceDamaged: when the engine fails on the picture
    """
    return list(read_upright(image, name).lines)


def read_upright(image: Picture, name: str = "", beat: Beat = lambda: None) -> Reading:
    """Like `read_picture`, with the size of the picture turned upright, in which the boxes stand.

    ``beat`` is called while the picture is looked at: a turned one takes up to three looks.
    """
    import numpy as np

    if image.shape[0] > max(_STRIP * image.shape[1], LONGEST_SIDE):
        return _strip(image, name, beat)
    image = _shrunk(image)
    best = _read(image, name, beat)
    if not best.seen or (best.sureness >= _SURE and not best.tall):
        return best.reading(image)
    # Lines that stand on end mean a page turned by 90 degrees, one way or the other; unsure ones maybe by 180.
    upright = image
    for turns in (1, 3) if best.tall else (2,):
        turned = np.ascontiguousarray(np.rot90(image, turns))
        other = _read(turned, name, beat)
        if not other.tall and other.sureness > best.sureness + (-1.0 if best.tall else 0.05):
            best, upright = other, turned
        if best.sureness >= _SURE and not best.tall:
            break
    return best.reading(upright)


def _strip(image: Picture, name: str, beat: Beat) -> Reading:
    """A long picture, cut where its rows are plainest."""
    import numpy as np

    height, width = image.shape[:2]
    step = max(int(1.4 * width), 400)
    lines: list[Line] = []
    start = 0
    while start < height:
        end = min(start + step, height)
        if end < height:
            near = image[end - step // 4 : end].astype(np.int16)
            plainness = np.abs(np.diff(near, axis=1)).sum(axis=(1, 2))
            plain = np.flatnonzero(plainness == plainness.min())
            end = end - step // 4 + int(plain[len(plain) // 2]) + 1
        piece = _shrunk(np.ascontiguousarray(image[start:end]))
        factor = width / piece.shape[1]
        for line in _read(piece, name, beat).lines:
            left, top, right, bottom = (value * factor for value in line.box)
            lines.append(Line(line.text, (left, top + start, right, bottom + start), line.score))
        start = end
    return Reading(tuple(lines), width, height)


def as_page(reading: Reading, number: int, factor: float = 1.0) -> Page:
    """A reading as a page for `ingest.loading.pdf_layout.layout`, its measures multiplied by ``factor``."""
    lines = tuple(
        scaled(PlacedLine(line.text, *line.box, size=0.8 * (line.box[3] - line.box[1])), factor)
        for line in reading.lines
    )
    return Page(number, reading.width * factor, reading.height * factor, lines, rough=True)


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at a picture: the lines that are sure enough, and of all that were seen, how sure they are.

    ``tall`` is whether most lines stand on end.
    """

    lines: tuple[Line, ...] = ()
    seen: int = 0
    sureness: float = 0.0
    tall: bool = False

    def reading(self, image: Picture) -> Reading:
        return Reading(self.lines, image.shape[1], image.shape[0])


def _shrunk(image: Picture) -> Picture:
    height, width = image.shape[:2]
    factor = min(LONGEST_SIDE / max(height, width), (_MOST_PIXELS / (height * width)) ** 0.5)
    if factor >= 1:
        return image
    import cv2
    import numpy as np

    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


@contextlib.contextmanager
def _patiently(beat: Beat) -> Iterator[None]:
    """Beat meanwhile, for a few minutes at most: a slow machine looks at one picture for longer than a stall lasts."""
    over = threading.Event()

    def go_on() -> None:
        for _ in range(_PATIENCE):
            if over.wait(1.0):
                return
            beat()

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _read(image: Picture, name: str, beat: Beat) -> _Look:
    engine = _engine(name)
    padded, shift = _with_margin(image)
    try:
        with _patiently(beat):
            # Without the classifier that turns single lines: a page on its head would read in reverse order.
            result = engine(padded[:, :, ::-1], use_cls=False)
    except Exception as error:
        raise fault("damaged", name, detail="the picture of a page could not be read") from error
    if getattr(result, "txts", None) is None or getattr(result, "boxes", None) is None:
        return _Look()
    lines = []
    letters = 0
    sure = tall = long = 0.0
    for box, found, score in zip(result.boxes, result.txts, result.scores, strict=True):
        text = " ".join(str(found).split())
        left, top = (float(value) - moved for value, moved in zip(box.min(axis=0), shift, strict=True))
        right, bottom = (float(value) - moved for value, moved in zip(box.max(axis=0), shift, strict=True))
        letters += len(text)
        sure += len(text) * float(score)
        width, height = right - left, bottom - top
        tall += height * (height > 1.5 * width)
        long += max(width, height) * (max(width, height) > 1.5 * min(width, height))
        if text and score >= _LEAST_SCORE:
            lines.append(Line(text, (left, top, right, bottom), float(score)))
    return _Look(tuple(lines), letters, sure / max(letters, 1), tall > _MOST * long > 0)


def _with_margin(image: Picture) -> tuple[Picture, tuple[int, int]]:
    """The picture on a ground of its border's colour, large enough, and how far it was moved (x, y)."""
    import numpy as np

    height, width = image.shape[:2]
    x, y = (max(0, (_SHORTEST_SIDE - side + 1) // 2) for side in (width, height))
    if not x and not y:
        return image, (0, 0)
    ground = np.median(image[:: max(1, height - 1), :].reshape(-1, 3), axis=0)
    padded = np.empty((height + 2 * y, width + 2 * x, 3), dtype=np.uint8)
    padded[:] = ground.astype(np.uint8)
    padded[y : y + height, x : x + width] = image
    return padded, (x, y)


def _engine(name: str) -> Any:
    """The one engine of this process.

    :raises SourceUnsupported: when the package or a model of it is missing
    """
    try:
        return _loaded()
    except (ImportError, OSError) as error:
        raise fault(
            "unsupported", name, detail="a picture; RapidOCR is not installed", kinds="txt, docx"
        ) from error


@functools.cache
def _loaded() -> Any:
    import rapidocr

    folder = Path(rapidocr.__file__).parent / "models"
    paths = {part: folder / file for part, file in _MODELS.items()}
    for path in paths.values():
        # Without its path the package would look its models up on the network.
        if not path.is_file():
            raise FileNotFoundError(path)
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    settings = {
        "Global.log_level": "critical",
        "Global.text_score": 0.0,
        "Global.max_side_len": LONGEST_SIDE,
        "EngineConfig.onnxruntime.intra_op_num_threads": _THREADS,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "Rec.rec_batch_num": 1,
        **{f"{part}.model_path": str(path) for part, path in paths.items()},
    }
    return rapidocr.RapidOCR(params=settings)
