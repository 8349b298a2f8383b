"""Completeness: told of what was retrieved, whatever was not."""

from __future__ import annotations

import pytest

from eval.cases import Case
from eval.metrics import score
from eval.results import CaseResult, Cited, Retrieved

TEXT = "全年改造老旧小区28个。新增停车位1200个。加装电梯60台。"


def result(text: str, *held: str, quotes: tuple[str, ...] = (), **case: object) -> CaseResult:
    asked = Case("1", "承诺了哪些？", gold=("a",), **case)  # type: ignore[arg-type]
    passages = tuple(Retrieved(n, "a", "", one, 0, len(one), 1.0) for n, one in enumerate(held, start=1))
    cited = tuple(Cited(1, "a", quote) for quote in quotes)
    return CaseResult(asked, passages=passages, text=text, outcome="answered", citations=cited)


REQUIRED = (("28个", "二十八个"), ("1200个",), ("60台",))


@pytest.mark.parametrize(
    ("text", "held", "value"),
    [
        ("改造28个[1]，停车位1200个[1]，电梯60台[1]。", TEXT, 1.0),
        ("改造二十八个小区[1]。", TEXT, 1 / 3),
        ("改造28个小区[1]。", "全年改造老旧小区28个。加装电梯60台。", 1 / 2),
        ("資料沒有說。", TEXT, 0.0),
    ],
)
def test_required_parts(text: str, held: str, value: float) -> None:
    assert score(result(text, held, required=REQUIRED))["completeness"] == pytest.approx(value)


def test_nothing_retrieved_is_no_fault_of_the_answer() -> None:
    assert "completeness" not in score(result("改造28个。", "天气晴朗。", required=REQUIRED))


def test_one_part_is_no_list() -> None:
    assert "completeness" not in score(result("28个", TEXT, required=(("28个",),)))
    assert "completeness" not in score(result("28个", TEXT, answers=("28个",)))


def test_sentences_of_the_evidence_are_told_when_said_or_cited() -> None:
    evidence = ("全年改造老旧小区28个。", "新增停车位1200个。", "加装电梯60台。")
    some = result("全年改造老旧小区28个[1]。", TEXT, quotes=("加装电梯60台。",), evidence=evidence)
    assert score(some)["completeness"] == pytest.approx(2 / 3)


def test_a_refusal_tells_nothing_and_an_unanswerable_question_has_no_parts() -> None:
    refused = CaseResult(
        Case("1", "哪些？", gold=("a",), required=REQUIRED),
        passages=(Retrieved(1, "a", "", TEXT, 0, len(TEXT), 1.0),),
        text="资料没有说28个以外的事。",
        outcome="refused",
    )
    assert score(refused)["completeness"] == 0.0
    assert "completeness" not in score(result("28个", TEXT, required=REQUIRED, answerable=False))
