"""Two runs compared: what is shared, what differs, which cases changed, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from eval.cases import Case
from eval.comparison import compare
from eval.reporting.compared import comparison_markdown, comparison_page, verdict
from eval.results import CaseResult, Loss, RunInfo
from rag.errors import SettingsError

INFO = RunInfo(
    id="r1", benchmark="CMRC", form="cmrc", mode="open", only_retrieval=False, documents=3, chunks=9, cases=8,
    cases_of=50, seed=1, split="dev", settings={"passages": 4, "same": 1, "home": "/a"}, model="m",
    embedding="e", commit="c", date="2026-01-02", machine="x",
)  # fmt: skip
OTHER = replace(INFO, id="r2", commit="d", settings={"passages": 6, "same": 1, "home": "/b"})


@dataclass(frozen=True)
class Paired:
    mean_a: float
    mean_b: float
    difference: float
    low: float
    high: float
    p: float
    n: int
    wins: int
    losses: int
    ties: int


def paired(a: Sequence[CaseResult], b: Sequence[CaseResult], metric: str, seed: int) -> Paired | None:
    steps = [
        y.metrics[metric] - x.metrics[metric]
        for x, y in zip(a, b, strict=True)
        if metric in x.metrics and metric in y.metrics
    ]
    if not steps:
        return None
    mean = sum(steps) / len(steps)
    won, lost = sum(s > 0 for s in steps), sum(s < 0 for s in steps)
    return Paired(
        0.5, 0.5 + mean, mean, mean - 0.1, mean + 0.1, 0.2, len(steps), won, lost, len(steps) - won - lost
    )


def result(
    name: str, score: float, loss: Loss = "none", text: str = "答", question: str = "问？"
) -> CaseResult:
    return CaseResult(Case(name, question, answers=("28",)), text=text, metrics={"f1": score}, loss=loss)


def test_changed_cases_come_in_order_of_their_change() -> None:
    a = [result("same", 0.5), result("up", 0.2, "wrong"), result("slightly", 0.5), result("down", 0.9)]
    b = [result("down", 0.0, "wrong"), result("slightly", 0.6), result("up", 1.0), result("same", 0.5)]
    found = compare(INFO, a, OTHER, b, ["f1", "absent"], paired)
    assert [change.a.case.id for change in found.better] == ["up", "slightly"]
    assert [change.a.case.id for change in found.worse] == ["down"]
    assert found.better[0].b.metrics["f1"] == 1.0
    assert list(found.metrics) == ["f1"]
    assert found.settings == {"commit": ("c", "d"), "passages": (4, 6)}


def test_lower_can_be_better() -> None:
    found = compare(
        INFO, [result("q", 0.9)], INFO, [result("q", 0.1)], ["f1"], paired, lower_is_better=["f1"]
    )
    assert [change.a.case.id for change in found.better] == ["q"]


def test_only_what_both_runs_have_is_compared_and_the_rest_is_told() -> None:
    a = [result("x", 0), result("a1", 0), result("reworded", 0)]
    b = [result("x", 1), result("b1", 0), result("b2", 0), result("reworded", 1, question="别的？")]
    found = compare(INFO, a, OTHER, b, ["f1"], paired)
    assert (found.shared, found.only_a, found.only_b, found.reworded) == (1, 1, 2, 1)
    assert found.metrics["f1"].n == 1
    text = comparison_markdown(found)
    assert "Compared on the 1 cases" in text
    assert "1 are in the first alone, 2 in the second alone" in text
    assert "another question" in text


def test_what_cannot_be_compared_is_refused() -> None:
    one = [result("x", 0)]
    with pytest.raises(SettingsError, match="different benchmarks"):
        compare(INFO, one, replace(INFO, benchmark="RGB"), one, ["f1"], paired)
    with pytest.raises(SettingsError, match="no case in common"):
        compare(INFO, one, INFO, [result("y", 0)], ["f1"], paired)


def test_other_modes_are_warned_of() -> None:
    found = compare(INFO, [result("x", 0)], replace(INFO, mode="closed"), [result("x", 0)], ["f1"], paired)
    assert "made differently" in comparison_markdown(found)
    assert "made differently" in comparison_page(found)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Paired(0.5, 0.7, 0.2, 0.1, 0.3, 0.001, 100, 30, 5, 65), "B is better by 0.200"),
        (Paired(0.5, 0.3, -0.2, -0.3, -0.1, 0.001, 100, 5, 30, 65), "B is worse by 0.200"),
        (Paired(0.5, 0.52, 0.02, -0.1, 0.14, 0.6, 100, 12, 10, 78), "no sure difference"),
        (Paired(0.5, 0.5, 0.0, 0.0, 0.0, 1.0, 100, 0, 0, 100), "no difference at all"),
        (Paired(0.5, 0.9, 0.4, 0.1, 0.6, 0.01, 12, 6, 1, 5), "n is small"),
    ],
)
def test_the_verdict_claims_no_more_than_it_knows(given: Paired, said: str) -> None:
    assert said in verdict(given)


def test_both_answers_stand_side_by_side_and_escaped() -> None:
    evil = "<script>alert(1)</script>|x"
    a, b = [result("q", 0, "wrong", text="旧答" + evil)], [result("q", 1, text="新答" + evil)]
    found = compare(INFO, a, OTHER, b, ["f1"], paired)
    html, text = comparison_page(found, language="zh"), comparison_markdown(found, language="zh")
    for written in (html, text):
        assert "旧答" in written
        assert "新答" in written
        assert "B 更好的题目" in written
    assert html.count("<script") == 1
    assert "\\<script\\>alert(1)\\</script\\>\\|x" in text


def test_the_verdict_can_be_said_by_another() -> None:
    found = compare(INFO, [result("q", 0)], OTHER, [result("q", 1)], ["f1"], paired)
    assert "so far so good" in comparison_page(found, in_words=lambda _: "so far so good")
