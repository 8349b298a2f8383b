"""PDF files from their bytes to blocks: text layers, tables, scans, and hostile files."""

from __future__ import annotations

import io
import random
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import SHARED
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from ingest.loading import ocr, pdf
from ingest.loading.blocks import Limits, Parsed, Task
from ingest.loading.pdf_text import TextLayer, agree, readable
from ingest.loading.pdf_unplaced import unplaced_layer
from rag import errors
from rag.types import Note

canvas_module = pytest.importorskip("reportlab.pdfgen.canvas", reason="reportlab makes the PDF files")
SAMPLES = SHARED / "samples" / "pdf"
FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
needs_font = pytest.mark.skipif(not FONT.exists(), reason="no font with Chinese letters is installed")
SENTENCE = "槐荫区今年改造老旧小区二十八个，惠及居民一万二千户。"


def made(*pages: Callable[[Any], None], size: tuple[float, float] = (595, 842), **more: Any) -> bytes:
    """A PDF with one page for each function that draws one."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        canvas = canvas_module.Canvas(out, pagesize=size, **more)
        for page in pages:
            page(canvas)
            canvas.showPage()
        canvas.save()
    return out.getvalue()


def writes(
    *lines: tuple[float, float, str], size: float = 12, font: str = "STSong-Light"
) -> Callable[[Any], None]:
    def draw(canvas: Any) -> None:
        canvas.setFont(font, size)
        for x, y, text in lines:
            canvas.drawString(x, y, text)

    return draw


def load(data: bytes, **limits: Any) -> Parsed:
    return pdf.load(Task(data, "公告.pdf", Limits(**limits)))


def texts(parsed: Parsed) -> list[str]:
    return [block.text for block in parsed.blocks]


def picture(*lines: str) -> Image.Image:
    image = Image.new("RGB", (1000, 700), "white")
    pen = ImageDraw.Draw(image)
    font = ImageFont.truetype(str(FONT), 40)
    for i, text in enumerate(lines):
        pen.text((80, 100 + i * 160), text, font=font, fill="black")
    return image


def shows(image: Image.Image) -> Callable[[Any], None]:
    from reportlab.lib.utils import ImageReader

    return lambda canvas: canvas.drawImage(ImageReader(image), 20, 200, 550, 385)


def no_reading(monkeypatch: pytest.MonkeyPatch, *lines: str) -> list[tuple[int, ...]]:
    """Let the engine read these lines, and remember the shapes of the pictures it was given."""
    shown: list[tuple[int, ...]] = []

    def read(image: Any, *_: Any) -> ocr.Reading:
        shown.append(image.shape)
        found = tuple(ocr.Line(text, (10, 30.0 * i, 400, 30.0 * i + 20), 0.9) for i, text in enumerate(lines))
        return ocr.Reading(found, image.shape[1], image.shape[0])

    monkeypatch.setattr(ocr, "read_upright", read)
    return shown


def test_paragraphs_have_their_page() -> None:
    data = made(writes((72, 700, SENTENCE)), writes((72, 700, "第二页说明资金来源。")))
    parsed = load(data)
    assert [(block.page, block.text) for block in parsed.blocks] == [
        (1, SENTENCE),
        (2, "第二页说明资金来源。"),
    ]
    assert parsed.pages == 2
    assert parsed.notes == ()


def test_spaces_between_han_characters_go_and_a_wide_gap_stays() -> None:
    data = made(writes((72, 700, " ".join("全区上下齐心协力")), (72, 500, "槐荫区  田禾")))
    assert texts(load(data)) == ["全区上下齐心协力", "槐荫区 田禾"]


def test_english_text() -> None:
    data = made(writes((72, 700, "The committee met on 3 May 2026."), font="Helvetica"))
    assert texts(load(data)) == ["The committee met on 3 May 2026."]


TURNED = ["第一行说的是街道情况。", "第二行说的是社区情况。"]


def turned(turn: int) -> Callable[[Any], None]:
    def draw(canvas: Any) -> None:
        canvas.translate(297, 421)
        canvas.rotate(turn)
        writes((-200, 100, TURNED[0]), (-200, -50, TURNED[1]))(canvas)

    return draw


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_turned_text_is_read_in_its_direction(turn: int) -> None:
    assert texts(load(made(turned(turn)))) == TURNED


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_turned_text_is_read_where_the_machine_has_no_chinese_font(
    turn: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What PDFium makes of it then: text that it leaves out.
    monkeypatch.setattr(pdf, "text_layer", lambda page: TextLayer((), *page.get_size()))
    assert texts(load(made(turned(turn)))) == TURNED


def test_a_file_that_pdfminer_cannot_follow_tells_nothing() -> None:
    data = made(turned(90))
    assert unplaced_layer(data[:300], 1, 1000) is None
    assert unplaced_layer(data, 2, 1000) is None


def test_slanted_watermarks_are_left_out() -> None:
    def draw(canvas: Any) -> None:
        writes((72, 700, SENTENCE))(canvas)
        canvas.rotate(40)
        writes((300, 200, "内部资料"), size=40)(canvas)

    assert texts(load(made(draw))) == [SENTENCE]


def grid(rows: Sequence[Sequence[str]], top: float) -> Callable[[Any], None]:
    def draw(canvas: Any) -> None:
        edges = [72, 220, 360, 500]
        lines = [top - 24 * i for i in range(len(rows) + 1)]
        canvas.grid(edges, lines)
        canvas.setFont("STSong-Light", 11)
        for y, row in zip(lines, rows, strict=False):
            for x, text in zip(edges, row, strict=False):
                canvas.drawString(x + 4, y - 17, text)

    return draw


HEADER = ("项目", "投资额", "责任单位")
ROWS = [(f"第{sign}小学扩建", f"{n}00万元", "区教育局") for n, sign in enumerate("一二三四五六", 1)]


def test_a_ruled_table_becomes_rows_once() -> None:
    def draw(canvas: Any) -> None:
        writes((72, 760, "下表列出各项目。"))(canvas)
        grid([HEADER, *ROWS], 700)(canvas)
        writes((72, 400, "以上项目由区财政保障。"))(canvas)

    parsed = load(made(draw))
    rows = [block.text for block in parsed.blocks if block.kind == "row"]
    assert rows[0] == "项目：第一小学扩建；投资额：100万元；责任单位：区教育局"
    assert len(rows) == len(ROWS)
    assert [block.text for block in parsed.blocks if block.kind != "row"] == [
        "下表列出各项目。",
        "以上项目由区财政保障。",
    ]


def test_a_table_on_the_next_page_keeps_its_header() -> None:
    parsed = load(made(grid([HEADER, *ROWS[:3]], 230), grid(ROWS[3:], 800)))
    rows = [(block.page, block.text) for block in parsed.blocks if block.kind == "row"]
    assert rows[3] == (2, "项目：第四小学扩建；投资额：400万元；责任单位：区教育局")
    assert len(rows) == 6


def test_a_row_that_the_page_break_cuts_is_put_together() -> None:
    cut = [*ROWS[:2], ("第三小学扩建", "300万元", "区教育局、区自然")]
    rest = [("", "", "资源局"), *ROWS[3:]]
    parsed = load(made(grid([HEADER, *cut], 230), grid(rest, 800)))
    rows = [(block.page, block.text) for block in parsed.blocks if block.kind == "row"]
    assert rows[2] == (1, "项目：第三小学扩建；投资额：300万元；责任单位：区教育局、区自然资源局")
    assert rows[3] == (2, "项目：第四小学扩建；投资额：400万元；责任单位：区教育局")
    assert len(rows) == 6


def test_a_row_without_a_name_on_the_same_page_stays_a_row() -> None:
    rows = [*ROWS[:2], ("", "", "区财政局"), ROWS[3]]
    parsed = load(made(grid([HEADER, *rows], 700)))
    assert [b.text for b in parsed.blocks if b.kind == "row"][2] == "责任单位：区财政局"


def test_the_gap_that_programs_set_beside_figures_is_no_space() -> None:
    def draw(canvas: Any) -> None:
        canvas.setFont("STSong-Light", 12)
        x = 72.0
        for part in ("改造", "28", "个小区，", "2026", "年完成"):
            canvas.drawString(x, 700, part)
            x += canvas.stringWidth(part, "STSong-Light", 12) + 3

    assert texts(load(made(draw))) == ["改造28个小区，2026年完成"]


def test_a_frame_around_text_is_no_table() -> None:
    def draw(canvas: Any) -> None:
        for y in (600, 650, 700):
            canvas.rect(60, y, 400, 45)
        writes((72, 720, SENTENCE))(canvas)

    assert texts(load(made(draw))) == [SENTENCE]


@needs_font
def test_a_scanned_page_is_read_from_its_picture() -> None:
    data = made(
        writes((72, 700, SENTENCE)), shows(picture("全区新建社区食堂二十六家", "由区民政局负责落实到位"))
    )
    parsed = load(data)
    assert any("全区新建社区食堂二十六家" in block.text for block in parsed.blocks if block.page == 2)
    assert "".join(texts(parsed)).count("由区民政局负责落实到位") == 1
    assert parsed.notes == (Note("ocr", "2"),)


def scans(count: int) -> bytes:
    image = Image.fromarray(np.random.default_rng(1).integers(0, 255, (60, 80, 3), dtype=np.uint8))
    return made(*[shows(image)] * count)


def test_pages_beyond_the_limit_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = no_reading(monkeypatch, "社区食堂开业")
    parsed = load(scans(5), ocr_pages=2)
    assert len(shown) == 2
    assert parsed.notes == (Note("ocr", "1-2"), Note("ocr_limit", "3-5"))


def test_scans_without_ocr() -> None:
    with pytest.raises(errors.SourceEmpty, match="switched off"):
        load(scans(1), ocr=False)


def test_a_scan_beside_text_without_ocr_is_told() -> None:
    image = Image.new("RGB", (90, 60), "grey")
    parsed = load(made(writes((72, 700, SENTENCE)), shows(image)), ocr=False)
    assert parsed.notes == (Note("unreadable_pages", "2"),)


def test_a_blank_file_has_no_text() -> None:
    with pytest.raises(errors.SourceEmpty, match="no text"):
        load(made(lambda canvas: None))


def test_a_layer_without_meaning_is_replaced_by_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    no_reading(monkeypatch, "区政府常务会议纪要")
    rare = "龘靐齉爩鱻麤龗灪吁龖厵滟爨癵籱饢驫鲡鹂鸾讟钃"
    parsed = load(made(writes((72, 700, rare), (72, 600, rare[::-1]))))
    assert texts(parsed) == ["区政府常务会议纪要"]
    assert parsed.notes == (Note("ocr", "1"),)


def test_a_doubtful_layer_stays_where_the_picture_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "哈哈哈哈哈大家一起来参加社区活动"
    no_reading(monkeypatch, text[1:])
    parsed = load(made(writes((72, 700, text))))
    assert texts(parsed) == [text]
    assert parsed.notes == ()


def test_a_file_of_which_nothing_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    no_reading(monkeypatch)
    rare = "龘靐齉爩鱻麤龗灪吁龖厵滟爨癵籱饢驫鲡鹂鸾讟钃"
    with pytest.raises(errors.SourceEmpty, match="No page"):
        load(made(writes((72, 700, rare))))


def test_titles_are_taken_where_the_first_page_shows_them() -> None:
    draw = writes((72, 700, "槐荫区节水行动方案"), (72, 650, SENTENCE))
    assert load(titled(draw, "槐荫区节水行动方案")).title == "槐荫区节水行动方案"
    for title in ("Microsoft Word - 文档1", "方案.doc", "untitled", "", "另一份文件的标题"):
        assert load(titled(draw, title)).title is None


def titled(draw: Callable[[Any], None], title: str) -> bytes:
    def first(canvas: Any) -> None:
        canvas.setTitle(title)
        draw(canvas)

    return made(first)


def test_a_password() -> None:
    from reportlab.lib.pdfencrypt import StandardEncryption

    data = made(writes((72, 700, SENTENCE)), encrypt=StandardEncryption("secret", strength=128))
    with pytest.raises(errors.SourceEncrypted):
        load(data)


def test_a_file_that_only_forbids_changes_is_read() -> None:
    from reportlab.lib.pdfencrypt import StandardEncryption

    data = made(writes((72, 700, SENTENCE)), encrypt=StandardEncryption("", "owner", strength=128))
    assert texts(load(data)) == [SENTENCE]


def test_too_many_pages_and_too_much_text() -> None:
    data = made(*[writes((72, 700, SENTENCE))] * 4)
    with pytest.raises(errors.SourceTooLarge, match="4 pages, over the limit of 3"):
        load(data, pages=3)
    with pytest.raises(errors.SourceTooLarge, match="characters"):
        load(data, text_chars=60)


def test_each_page_beats() -> None:
    beats: list[int] = []
    pdf.load(Task(made(*[writes((72, 700, SENTENCE))] * 3), "a.pdf", beat=lambda: beats.append(1)))
    assert len(beats) >= 3


def raw(*objects: str) -> bytes:
    body = b"%PDF-1.4\n"
    places = []
    for i, text in enumerate(objects, 1):
        places.append(len(body))
        body += f"{i} 0 obj\n{text}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    tail = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\n"
    return body + tail.encode() + f"startxref\n{len(body)}\n%%EOF".encode()


def test_a_page_tree_that_claims_too_much() -> None:
    data = raw(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 100000>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>",
    )
    with pytest.raises((errors.SourceTooLarge, errors.SourceEmpty, errors.SourceDamaged)):
        load(data)
    with pytest.raises((errors.SourceEmpty, errors.SourceDamaged)):
        load(data.replace(b"100000", b"4999  "))


def test_a_page_tree_that_loops() -> None:
    data = raw(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R 3 0 R]/Count 8>>",
        "<</Type/Pages/Kids[2 0 R 3 0 R]/Parent 2 0 R/Count 4>>",
    )
    with pytest.raises((errors.SourceEmpty, errors.SourceDamaged)):
        load(data)


def test_a_deep_page_tree() -> None:
    depth = 3000
    nodes = [f"<</Type/Pages/Kids[{n + 1} 0 R]/Count 1>>" for n in range(2, depth)]
    with pytest.raises((errors.SourceEmpty, errors.SourceDamaged)):
        load(raw("<</Type/Catalog/Pages 2 0 R>>", *nodes, "<</Type/Page/MediaBox[0 0 99 99]>>"))


def test_a_page_of_enormous_size_is_drawn_small(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = no_reading(monkeypatch, "大幅规划图说明")
    image = Image.new("RGB", (90, 60), "grey")
    from reportlab.lib.utils import ImageReader

    data = made(
        lambda canvas: canvas.drawImage(ImageReader(image), 0, 0, 14_400, 14_400), size=(14_400, 14_400)
    )
    load(data)
    load(data, image_pixels=1_000_000)
    assert [
        shape[0] * shape[1] <= most for shape, most in zip(shown, (16_000_000, 1_000_000), strict=True)
    ] == [True] * 2


def test_no_pdf_and_truncated_files() -> None:
    data = made(writes((72, 700, SENTENCE)))
    for part in (b"", b"%PDF-1.7\n", b"hello", data[: len(data) // 3]):
        with pytest.raises((errors.SourceDamaged, errors.SourceEmpty)):
            load(part)


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bits_end_in_text_or_a_fault(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    no_reading(monkeypatch)

    def draw(canvas: Any) -> None:
        writes((72, 760, SENTENCE))(canvas)
        grid([HEADER, *ROWS], 700)(canvas)

    chance = random.Random(seed)
    spoilt = bytearray(made(draw, writes((72, 700, SENTENCE)), pageCompression=seed % 2))
    for _ in range(1 + seed):
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
    if seed % 4 == 0:
        del spoilt[chance.randrange(len(spoilt)) :]
    try:
        parsed = load(bytes(spoilt))
    except errors.SourceError:
        return
    assert parsed.blocks


def test_what_reads_like_language() -> None:
    assert readable("槐荫区人民政府关于印发节水行动方案的通知") == "good"
    assert readable("The committee met on 3 May 2026 and approved the annual plan of the district.") == "good"
    assert readable("收件人：胡駿\ue687，地址：槐荫区和平路十二号") == "good"
    assert readable("\ue001\ue002\ue003\ue004\ue005\ue006") == "bad"
    assert readable("(cid:12)(cid:40)(cid:7)") == "bad"
    assert readable("\ufffd\ufffd政\ufffd\ufffd府") == "bad"
    assert readable("») ±±¶·ÐÇ ¹¤×÷±¨¸æ ÊÐÕþ¸® °ì¹«ÊÒ") == "bad"
    assert readable("轉轉：針針針針針針") == "doubtful"
    assert (
        readable("Wkh frpplwwhh phw rq wkh wklug dqg dssuryhg wkh dqqxdo sodq ri wkh glvwulfw") == "doubtful"
    )


@given(st.text(), st.text())
def test_judgements_hold_for_any_text(first: str, second: str) -> None:
    assert readable(first) in {"good", "doubtful", "bad"}
    assert agree(first, second) == agree(second, first)


EXPECTED = {
    "SimFang-variant.pdf": "全世界无产者，联合起来",
    "XiaoBiaoSong.pdf": "中日战争爆发后的形势与任务",
    "issue12823.pdf": "描述团队的共同目标，有利于团队成员理解目标并朝着目标努力。",
    "issue15690.pdf": "ｒｅｓｐｏｎｓｅ ｓｕｒｆａｃｅ ｍｅｔｈｏｄ",
    "issue19182.pdf": "胡駿",
    "issue19360.pdf": "坚持社会主义核心价值体系",
    "issue20489.pdf": "北斗星",
    "issue2128r.pdf": "山西省闻喜县诚镇初中 李新录",
    "issue3521.pdf": "我们都是黑体字",
    "issue4061.pdf": "轉寄：針對港鐵幕門安全性的投訴",
    "issue8372.pdf": "目录",
}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample files are not here")
@pytest.mark.parametrize("name", EXPECTED)
def test_hard_samples(name: str) -> None:
    parsed = pdf.load(Task((SAMPLES / name).read_bytes(), name))
    assert EXPECTED[name] in "\n".join(texts(parsed))
    assert parsed.title is None
