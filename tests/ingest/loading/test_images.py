"""Picture files: what they show, and what is refused before it is decoded."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ingest.loading import images, ocr
from ingest.loading.blocks import Limits, Task
from rag import errors
from rag.types import Note

FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
needs_font = pytest.mark.skipif(not FONT.exists(), reason="no font with Chinese letters is installed")
TEXT = "全区新建社区食堂二十六家"


def drawn(text: str = TEXT, mode: str = "RGB", ground: Any = "white") -> Image.Image:
    image = Image.new(mode, (800, 200), ground)
    font = ImageFont.truetype(str(FONT), 40)
    ImageDraw.Draw(image).text((60, 70), text, font=font, fill="black")
    return image


def saved(image: Image.Image, kind: str, **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def load(data: bytes, name: str = "scan.png", **limits: Any) -> Any:
    return images.load(Task(data, name, Limits(**limits)))


def without_reading(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Let the engine see nothing, and remember the shapes it was shown."""
    shown: list[tuple[int, ...]] = []

    def read(image: Any, *_: Any) -> ocr.Reading:
        shown.append(image.shape)
        return ocr.Reading((), image.shape[1], image.shape[0])

    monkeypatch.setattr(ocr, "read_upright", read)
    return shown


@needs_font
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF"])
def test_every_kind_is_read(kind: str) -> None:
    parsed = load(saved(drawn(), kind))
    assert [block.text for block in parsed.blocks] == [TEXT]
    assert parsed.notes == (Note("ocr", "1"),)


@needs_font
def test_black_letters_on_nothing_are_read() -> None:
    assert load(saved(drawn(mode="RGBA", ground=(0, 0, 0, 0)), "PNG")).blocks[0].text == TEXT


@needs_font
def test_pages_of_a_tiff_and_the_limit() -> None:
    pages = [drawn("第一页写着街道名称"), drawn("第二页写着社区名称"), drawn("第三页写着楼栋名称")]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    parsed = load(data, ocr_pages=2)
    assert [(block.page, block.text) for block in parsed.blocks] == [
        (1, "第一页写着街道名称"),
        (2, "第二页写着社区名称"),
    ]
    assert parsed.pages == 3
    assert parsed.notes == (Note("ocr", "1-2"), Note("ocr_limit", "3"))


def test_the_camera_was_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = without_reading(monkeypatch)
    exif = Image.Exif()
    exif[0x0112] = 6
    with pytest.raises(errors.SourceEmpty):
        load(saved(Image.new("RGB", (1200, 1100), "white"), "JPEG", exif=exif))
    assert shown == [(1200, 1100, 3)]


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I", "I;16", "CMYK", "F"])
def test_every_colour_mode_becomes_rgb(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = without_reading(monkeypatch)
    kind = "TIFF" if mode in {"CMYK", "F", "I"} else "PNG"
    with pytest.raises(errors.SourceEmpty):
        load(saved(Image.new(mode, (1200, 300)), kind))
    assert shown == [(300, 1200, 3)]


def test_large_scans_are_scaled_down(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = without_reading(monkeypatch)
    with pytest.raises(errors.SourceEmpty):
        load(saved(Image.new("L", (6000, 4000), 255), "PNG"))
    assert shown == [(2000, 3000, 3)]


def png_of(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [8_000, 11_000, 60_000])
def test_too_many_pixels_are_refused_undecoded(side: int) -> None:
    with pytest.raises(errors.SourceTooLarge, match="over the limit of 50 million"):
        load(png_of(side, side))


def test_switched_off() -> None:
    with pytest.raises(errors.SourceEmpty, match="switched off"):
        load(saved(Image.new("L", (300, 300)), "PNG"), ocr=False)


def test_no_text() -> None:
    with pytest.raises(errors.SourceEmpty, match="no text"):
        load(saved(Image.new("L", (300, 300), 255), "PNG"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF"])
def test_truncated_files_are_damaged(kind: str) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), kind)
    for part in (0, 10, len(data) // 3, len(data) // 2):
        with pytest.raises(errors.SourceDamaged):
            load(data[:part])


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP"])
def test_flipped_bits_end_in_a_fault_or_a_picture(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without_reading(monkeypatch)
    data = saved(Image.linear_gradient("L").convert("RGB"), kind)
    for seed in range(20):
        chance = random.Random(seed)
        spoilt = bytearray(data)
        for _ in range(8):
            spoilt[chance.randrange(min(len(spoilt), 600))] ^= 1 << chance.randrange(8)
        with pytest.raises(errors.SourceError):
            load(bytes(spoilt))
