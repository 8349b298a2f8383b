"""Pinyin annotations: found by the reading, and only as noise removed."""

from __future__ import annotations

import pytest

from ingest import pinyin


def without(text: str) -> str:
    for start, end in reversed(pinyin.to_remove(text)):
        text = text[:start] + text[end:]
    return text


@pytest.mark.parametrize(
    ("char", "written"),
    [
        ("區", "qū"),
        ("区", "qū"),
        ("區", "qu1"),
        ("區", "qu"),
        ("女", "nǚ"),
        ("女", "nv3"),
        ("女", "nü"),
        ("绿", "lv"),
        ("發", "fā"),
        ("发", "fà"),
        ("會", "kuài"),
        ("了", "le"),
        ("不", "bú"),
        ("区", "qu\u0304"),
        ("長", "zhǎnɡ"),
    ],
)
def test_a_reading_is_recognised(char: str, written: str) -> None:
    assert pinyin.reads(char, written)


@pytest.mark.parametrize(
    ("char", "written"),
    [
        ("區", "qú"),
        ("區", "fā"),
        ("区", "A"),
        ("中", "center"),
        ("发", "fa3"),
        ("路", "lü"),
        ("区", ""),
        ("x", "x"),
    ],
)
def test_what_is_no_reading_is_none(char: str, written: str) -> None:
    assert not pinyin.reads(char, written)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("鹿汀區(qū)發(fā)展會(huì)議", "鹿汀區發展會議"),
        ("鹿汀區（qū）發（fā）展會（huì）議", "鹿汀區發展會議"),
        ("区( qū )发(fa1)展(zhǎn)", "区发展"),
        ("全區(qū)", "全區"),
        ("鹿汀(lù tīng)的茶", "鹿汀的茶"),
        ("鹿汀(lùtīng)的茶", "鹿汀的茶"),
    ],
)
def test_noise_goes(text: str, expected: str) -> None:
    assert without(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "综治中心(矛调中心)",
        "一区(A)二区(B)三区(C)四区(D)",
        "區(a)",
        "中心(center)",
        "深圳(Shenzhen)与广州(Guangzhou)",
        "张三(zhāng sì)",
        "(qū)區",
        "總部(TOD)",
        "他们(them)",
    ],
)
def test_other_brackets_stay(text: str) -> None:
    assert without(text) == text


def test_a_gloss_on_a_rare_character_stays() -> None:
    text = "马儿尥(liào)蹶子，谁也拦不住。"
    assert without(text) == text


def test_an_unusual_reading_stays_where_little_else_is_annotated() -> None:
    text = "会议重(chóng)申了纪律。"
    assert without(text) == text


def test_in_an_annotated_document_rare_characters_lose_theirs_too() -> None:
    text = "鹿汀區(qū)發(fā)展動(dòng)員會(huì)，書記梁智垚(yáo)講話"
    assert without(text) == "鹿汀區發展動員會，書記梁智垚講話"
