"""Repair of GBK text out of step: texts damaged here by the mechanism, and clean texts that must stay as they are."""

from __future__ import annotations

import random
import re

import pypinyin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import mojibake, pinyin
from rag.text import to_script

SIMPLIFIED = """鹿汀区召开全区经济工作会议。会议指出，要加快推进产业规模化发展，扎实做好民生实事。
区住房和城乡建设局负责人表示，今年将改造老旧小区四十二个，惠及居民一万八千户，城市更新蕴藏着巨大的发展潜力。
全区上下要坚持稳中求进，推动经济社会高质量发展取得更大成效。要优化营商环境，服务企业发展，为全市大局作出更大贡献。
教育部门要办好人民满意的教育，新建学校三所。卫生部门要提升基层医疗服务能力，保障群众健康。
会议强调，各级干部要认真落实各项任务，争取更大主动，开创现代化建设新局面，让人民群众有更多获得感。"""
TRADITIONAL = to_script(SIMPLIFIED, "zh-Hant")
ANNOTATED = "區發動會議經濟優展範節規學業務質獻實現環境當對產組織衛員辦設"


def user_defined(lead: int, trail: int) -> bool:
    if trail >= 0xA1:
        return 0xAA <= lead <= 0xAF or lead >= 0xF8
    return 0xA1 <= lead <= 0xA7


def damage(text: str, annotate: str = "", marks: bool = False, half_width: bool = True) -> str:
    """Put pinyin after each match of an annotated character's bytes and a mark before each full stop's, then decode."""
    data = text.encode("gbk")
    readings = {c.encode("gbk"): f"({pypinyin.pinyin(c)[0][0]})" for c in annotate}
    stops = {c.encode("gbk") for c in "。！？；"} if marks else set()
    units: list[int | str] = []
    for i in range(len(data)):
        if data[i : i + 2] in stops:
            units.append("\0")
        units.append(data[i])
        if inserted := readings.get(data[i - 1 : i + 1]):
            units.extend(inserted)
    return decode(units, half_width)


def decode(units: list[int | str], half_width: bool) -> str:
    shown: list[str] = []
    i = 0
    while i < len(units):
        unit = units[i]
        if isinstance(unit, str) or unit < 0x80:
            shown.append(unit if isinstance(unit, str) else chr(unit))
            i += 1
            continue
        following = units[i + 1] if i + 1 < len(units) else "\0"
        i += 2
        if isinstance(following, str) or following < 0x40:
            shown.append("?")
        elif not user_defined(unit, following):
            shown.append(bytes((unit, following)).decode("gbk", "replace").replace("\ufffd", "?")[:1])
    text = "".join(shown).replace("\0", "")
    return text.translate({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}) if half_width else text


def repaired(text: str) -> str:
    for repair in reversed(mojibake.find(text)):
        text = text[: repair.start] + repair.text + text[repair.end :]
    return pinyin.BRACKET.sub("", text)


def half_width(text: str) -> str:
    return text.translate({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)})


def is_honest(result: str, original: str) -> bool:
    """Whether all that the result says instead of U+FFFD stands in the original, in order."""
    pieces = re.split("\ufffd+", result)
    return re.fullmatch(".{0,60}".join(map(re.escape, pieces)), original, re.DOTALL) is not None


@pytest.mark.parametrize(
    ("original", "annotate"),
    [
        ("以新的實績為全市大局作出貢獻", "績優獻"),
        ("發展爭取主動。", "動範"),
        ("蘊藏著巨大的發展潛力。全區", "節區發"),
    ],
)
def test_an_annotation_inside_a_character(original: str, annotate: str) -> None:
    damaged = damage(original, annotate)
    assert "?" in damaged
    result = repaired(damaged)
    assert is_honest(result.strip("?"), original)
    assert result.replace(mojibake.GAP, "") != pinyin.BRACKET.sub("", damaged)


def test_a_decoder_that_shows_the_lost_byte_and_keeps_the_bracket() -> None:
    damaged = damage("發展爭取主動。", "動範")
    assert "?fàn)" in damaged
    shown = damaged.replace("?fàn)", "\ufffd(fàn)")
    assert [r.text for r in mojibake.find(shown)] == [r.text for r in mojibake.find(damaged)]


def test_a_mark_inside_a_character_with_an_annotation_after_it() -> None:
    original = "推進規模化發展,全區持續用力,取得更大成效。”區長表示。"
    damaged = "推進規(guī)?;l(fā)展,全區持續用力,取得更大成效?!眳^(qū)長表示。"
    context = half_width(TRADITIONAL)
    assert repaired(f"{context}\n{damaged}") == f"{context}\n{original}"


def test_full_width_punctuation_returns_as_the_document_writes_it() -> None:
    damaged = damage(TRADITIONAL, "動範", half_width=False)
    assert "," not in repaired(damaged)


def test_a_whole_annotated_document() -> None:
    damaged = damage(TRADITIONAL, ANNOTATED)
    assert damaged.count("?") >= 1
    result = repaired(damaged)
    assert is_honest(result, half_width(TRADITIONAL))


def test_simplified_script_without_annotations() -> None:
    # 规模化: the mark went in before BB, inside 化 it is not; the sentence is out of step up to its full stop.
    head, tail = "产业规".encode("gbk"), "模化发展水平不断提高。".encode("gbk")
    units: list[int | str] = [*head, tail[0], "\0", *tail[1:-2], "\0", *tail[-2:]]
    damaged = SIMPLIFIED.translate({0xFF0C: ","}) + "\n" + decode(units, True)
    result = repaired(damaged).rpartition("\n")[2]
    assert is_honest(result, "产业规模化发展水平不断提高。")
    assert "水平" in result or mojibake.GAP in result


def test_what_cannot_be_proved_is_marked() -> None:
    damaged = "他说眙?qū)。"
    assert [repair.text for repair in mojibake.find(damaged)] == [mojibake.GAP]


@pytest.mark.parametrize(
    "text",
    [
        "加快推動“站產城人”融合發展?相城區委常委、副區長表示,將搶抓機遇。",
        "真的吗?!真的;他说:好?不好?",
        "你吃了吗?le)",
        "姓名?梁智垚说。龘字怎么读?龘读dá。",
        "Is it true? 是的?A座?B座?C区",
        "问题?1.什么?2.为什么?^_^",
        "(你去吗?qù)",
        "?眳摿幦槿",
        "",
        "?",
        "什么�么",
        "什么是垚?(yáo)字好写",
    ],
)
def test_clean_text_stays(text: str) -> None:
    assert mojibake.find(text) == []


@pytest.mark.parametrize("text", [SIMPLIFIED, TRADITIONAL])
def test_question_marks_put_anywhere_into_clean_text_are_no_damage(text: str) -> None:
    rng = random.Random(4)
    chars = list(text)
    for _ in range(60):
        chars.insert(rng.randrange(len(chars)), rng.choice(["?", "？", "?!", "?;"]))
    assert mojibake.find("".join(chars)) == []


@settings(max_examples=12, deadline=None)
@given(st.sets(st.sampled_from(ANNOTATED), min_size=3), st.integers(0, 4))
def test_nothing_is_invented(annotate: set[str], start: int) -> None:
    lines = TRADITIONAL.split("\n")
    original = "\n".join(lines[start:] + lines[:start])
    result = repaired(damage(original, "".join(sorted(annotate))))
    assert is_honest(result, half_width(original))


def test_the_same_text_is_repaired_in_the_same_way() -> None:
    damaged = damage(TRADITIONAL, ANNOTATED)
    assert mojibake.find(damaged) == mojibake.find(damaged)
