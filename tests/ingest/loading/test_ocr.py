"""Text read from pictures that the tests draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ingest.loading import ocr
from rag.errors import SourceError

FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
needs_font = pytest.mark.skipif(not FONT.exists(), reason="no font with Chinese letters is installed")
LINES = ("槐荫区养老服务实施办法", "全区新建社区食堂二十六家", "由区民政局负责落实到位")


def drawn(*lines: str, size: int = 34, width: int = 760) -> Image.Image:
    image = Image.new("RGB", (width, 60 + len(lines) * (size + 26)), "white")
    pen = ImageDraw.Draw(image)
    font = ImageFont.truetype(str(FONT), size)
    for i, text in enumerate(lines):
        pen.text((40, 30 + i * (size + 26)), text, font=font, fill="black")
    return image


def read(image: Image.Image) -> list[str]:
    lines = ocr.read_upright(np.asarray(image)).lines
    return [line.text for line in sorted(lines, key=lambda line: line.box[1])]


@needs_font
def test_lines_are_read_with_their_places() -> None:
    lines = sorted(ocr.read_picture(np.asarray(drawn(*LINES))), key=lambda line: line.box[1])
    assert [line.text for line in lines] == list(LINES)
    left, top, right, bottom = lines[1].box
    assert 20 < left < 60
    assert 60 < top < bottom < 160
    assert right > 400
    assert all(line.score > 0.8 for line in lines)


@needs_font
@pytest.mark.parametrize("turn", [90, 180, 270])
def test_turned_pictures_are_read_from_top_to_bottom(turn: int) -> None:
    assert read(drawn(*LINES).rotate(turn, expand=True)) == list(LINES)


@needs_font
def test_a_long_screenshot_is_read_in_pieces() -> None:
    lines = [f"第{n}号便民服务点开放时间" for n in range(10, 46)]
    image = drawn(*lines, size=30, width=560)
    assert image.height > ocr.LONGEST_SIDE
    found = read(image)
    assert [text for text in lines if text not in found] == []
    assert found == lines


def test_a_blank_picture_has_no_lines() -> None:
    assert ocr.read_picture(np.full((400, 600, 3), 255, np.uint8)) == []


def test_nothing_is_fetched_when_a_model_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import rapidocr.utils.download_file

    def fetch(*_: Any, **__: Any) -> None:
        raise AssertionError("tried to fetch")

    monkeypatch.setattr(rapidocr.utils.download_file.DownloadFile, "run", fetch)
    monkeypatch.setitem(ocr._MODELS, "Rec", "absent.onnx")
    ocr._loaded.cache_clear()
    try:
        with pytest.raises(SourceError, match="RapidOCR"):
            ocr.read_picture(np.full((80, 80, 3), 255, np.uint8), "scan.png")
    finally:
        ocr._loaded.cache_clear()
