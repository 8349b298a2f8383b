from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text import bigrams, english_stem, fold, script_of, sentences, terms, to_script, to_simplified, words

MIXED = st.text(
    alphabet=st.sampled_from("区住建局表示，。！？“”（）\n .abcXYZ123é％ 們這國.!?'\"①㈱\u200b𠮷"),
    max_size=80,
)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("住建局承诺了什么？", "zh-Hans"),
        ("住建局承諾了什麼？", "zh-Hant"),
        ("What did the housing bureau promise?", "en"),
        ("What did 住建局 promise?", "en"),
        ("TOD综合开发是什么", "zh-Hans"),
        ("股市", "zh-Hans"),
        ("12345", "zh-Hans"),
    ],
)
def test_script_of(text: str, script: str) -> None:
    assert script_of(text) == script


def test_script_of_takes_the_default_where_a_text_shows_none() -> None:
    assert script_of("股市", default="zh-Hant") == "zh-Hant"


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ＡＢＣ１２", "abc12"),
        ("蘇州市相城區", "苏州市相城区"),
        ("Straße", "strasse"),
        ("住\u200b建局", "住建局"),
        ("％", "%"),
    ],
)
def test_fold_brings_forms_together(written: str, folded: str) -> None:
    assert fold(written) == folded


@given(MIXED)
def test_fold_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_words_keep_the_names_of_bodies_whole() -> None:
    assert "住建局" in words("区住建局局长")
    assert "住建局" in words("區住建局局長")


def test_terms_of_both_scripts_are_the_same() -> None:
    assert terms("改造城鎮老舊小區") == terms("改造城镇老旧小区")


def test_a_single_han_character_can_be_found() -> None:
    assert terms("路 A")[1] == ["路", "a"]


@pytest.mark.parametrize(
    ("forms"),
    [
        ("promise", "promises", "promised", "promising"),
        ("policy", "policies"),
        ("plan", "plans"),
        ("house", "houses"),
    ],
)
def test_english_forms_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({english_stem(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("他说：“好。”然后走了！", ["他说：“好。”", "然后走了！"]),
        ("It cost 3.5 million. Mr. Li agreed.", ["It cost 3.5 million.", "Mr. Li agreed."]),
        ("1. First point\n2. Second point", ["1. First point", "2. Second point"]),
        ("真的吗？！好。", ["真的吗？！", "好。"]),
        ("没有句号", ["没有句号"]),
        ("（见附件。）另行通知。", ["（见附件。）", "另行通知。"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


@given(MIXED)
def test_sentences_cover_all_that_is_not_white_space_once_and_in_order(text: str) -> None:
    spans = sentences(text)
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in zip(spans, spans[1:], strict=False))
    outside = list(text)
    for start, end in spans:
        outside[start:end] = [" "] * (end - start)
    assert not "".join(outside).strip()


@given(st.text(alphabet=st.sampled_from("区住建局示这国说话发展面条后来"), max_size=30))
def test_traditional_script_comes_back_to_simplified(text: str) -> None:
    assert to_simplified(to_script(text, "zh-Hant")) == to_simplified(text)


def test_bigrams_ignore_punctuation_and_script() -> None:
    assert bigrams("老舊，小區") == ["老旧", "旧小", "小区"]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("三百个小区", "改造小区300个"),
        ("300个小区", "改造小区三百个"),
        ("2024年预算", "民國113年預算"),
        ("投资1.2万元", "投资12,000元"),
        ("二〇二五年计划", "2025年计划"),
    ],
)
def test_a_number_is_the_same_term_however_it_is_written(question: str, text: str) -> None:
    numbers = [{term for term in terms(side)[0] if term.isdigit()} for side in (question, text)]
    assert numbers[0] & numbers[1]


def test_plain_digits_are_one_term_once() -> None:
    assert terms("改造300个小区")[0].count("300") == 1
