"""The words of an answer as metrics read them."""

from __future__ import annotations

import pytest

from eval.cases import Case
from eval.metrics import score
from eval.metrics.metric import said
from eval.results import CaseResult


def result(text: str, *answers: str, outcome: str = "answered") -> CaseResult:
    return CaseResult(Case("1", "是否？", answers=answers), text=text, outcome=outcome)


@pytest.mark.parametrize(
    ("text", "answers", "words"),
    [
        ("是[1]。", ("YES",), "YES"),
        ("否", ("NO", "YES"), "NO"),
        ("可以，凭证申请[1]。", ("YES",), "YES"),
        ("未参与", ("NO",), "未参与"),
        ("是[1]", ("是", "YES"), "是"),
        ("22万元[1]", ("22万元",), "22万元"),
    ],
)
def test_yes_and_no_are_the_words_of_cjrc_where_these_are_the_references(
    text: str, answers: tuple[str, ...], words: str
) -> None:
    assert said(result(text, *answers)) == words


def test_a_refusal_says_nothing() -> None:
    assert said(result("是", "YES", outcome="refused")) == ""


def test_a_yes_in_another_word_is_right() -> None:
    assert score(result("是[1]。", "YES"))["containment"] == 1.0
    assert score(result("否。", "YES"))["containment"] == 0.0


def test_a_number_is_contained_with_grouping_and_without() -> None:
    assert score(result("2,318 cases[1]", "2318"))["containment"] == 1.0
    assert score(result("2318件[1]", "2,318"))["containment"] == 1.0
    assert score(result("12,3[1]", "123"))["containment"] == 0.0
