from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.citations import Checked, assemble, parse, without_markers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("将改造28个小区[1]。投资4亿元[2]。", [("将改造28个小区。", (1,)), ("投资4亿元。", (2,))]),
        ("将改造28个小区。[1]投资4亿元。[2]", [("将改造28个小区。", (1,)), ("投资4亿元。", (2,))]),
        ("Twenty homes [1, 3]. More later.", [("Twenty homes.", (1, 3)), ("More later.", ())]),
        ("两处依据【1】【2】。", [("两处依据。", (1, 2))]),
        ("- 第一项[1]\n- 第二项[2]", [("- 第一项", (1,)), ("- 第二项", (2,))]),
        ("没有标记。", [("没有标记。", ())]),
        ("", []),
    ],
)
def test_markers_belong_to_the_sentence_they_follow(
    text: str, expected: list[tuple[str, tuple[int, ...]]]
) -> None:
    assert [(sentence.text, sentence.numbers) for sentence in parse(text)] == expected


def test_markers_go_before_the_closing_punctuation() -> None:
    text, claims = assemble([Checked("将改造28个小区。", "", (1,), "supported")], keep_unsupported=False)
    assert text == "将改造28个小区[1]。"
    assert text[claims[0].start : claims[0].end] == text


def test_an_unsupported_sentence_is_left_out_but_has_its_claim() -> None:
    checked = [
        Checked("甲。", "", (1,), "supported"),
        Checked("乙。", "", (), "unsupported", "number 5"),
        Checked("丙。", "\n", (2,), "supported"),
    ]
    text, claims = assemble(checked, keep_unsupported=False)
    assert text == "甲[1]。\n丙[2]。"
    assert [(c.text, c.verdict, c.reason) for c in claims][1] == ("乙。", "unsupported", "number 5")
    assert claims[1].start == claims[1].end
    kept, claims = assemble(checked, keep_unsupported=True)
    assert kept == "甲[1]。乙。\n丙[2]。"
    assert kept[claims[1].start : claims[1].end] == "乙。"


SENTENCE = st.text(alphabet=st.sampled_from("区住建局改造28个小区abc ，"), min_size=1, max_size=12).filter(
    lambda s: s.strip() == s and any(c.isalnum() for c in s)
)
CHECKED = st.builds(
    Checked,
    text=SENTENCE.map(lambda s: s + "。"),
    lead=st.sampled_from(["", "\n"]),
    numbers=st.lists(st.integers(1, 9), max_size=3, unique=True).map(tuple),
    verdict=st.sampled_from(["supported", "unsupported", "not_a_claim"]),
)


@given(st.lists(CHECKED, max_size=6), st.booleans())
def test_claims_lie_where_they_say_and_markers_can_be_taken_off_again(
    checked: list[Checked], keep: bool
) -> None:
    text, claims = assemble(checked, keep_unsupported=keep)
    assert len(claims) == len(checked)
    for claim, sentence in zip(claims, checked, strict=True):
        if claim.start != claim.end:
            assert without_markers(text[claim.start : claim.end]) == sentence.text
    shown = [c for c in checked if keep or c.verdict != "unsupported"]
    assert without_markers(text).replace("\n", "") == "".join(c.text for c in shown)


@given(st.text(alphabet=st.sampled_from("区住建。！[]12,，【】 \nab"), max_size=60))
def test_parsing_loses_no_letter(text: str) -> None:
    letters = [c for c in without_markers(text) if not c.isspace()]
    assert [c for s in parse(text) for c in s.text if not c.isspace()] == letters
