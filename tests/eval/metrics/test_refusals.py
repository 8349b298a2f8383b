from __future__ import annotations

import pytest

from eval.cases import Case
from eval.metrics import refusal_summary, score
from eval.results import CaseResult


def outcome(answerable: bool, result: str, error: str = "") -> CaseResult:
    return CaseResult(Case("1", "问？", answerable=answerable), outcome=result, error=error)


def test_refusals_apply_to_their_own_cases_only() -> None:
    assert score(outcome(True, "refused")) == {"false_refusal": 1.0, "partial": 0.0}
    assert score(outcome(True, "partial")) == {"false_refusal": 0.0, "partial": 1.0}
    assert score(outcome(False, "refused")) == {"refused": 1.0}
    assert score(outcome(False, "clarify")) == {"refused": 0.0}


def run() -> list[CaseResult]:
    """3 refused and 1 answered of the unanswerable, 1 refused and 5 answered of the answerable."""
    return [
        *[outcome(False, "refused")] * 3,
        outcome(False, "answered"),
        outcome(True, "refused"),
        *[outcome(True, "answered")] * 5,
    ]


def test_rates_of_a_run() -> None:
    found = refusal_summary(run())
    assert found["refusal_precision"].value == pytest.approx(3 / 4)
    assert found["refusal_recall"].value == pytest.approx(3 / 4)
    assert found["refusal_f1"].value == pytest.approx(3 / 4)
    assert found["balanced_accuracy"].value == pytest.approx((3 / 4 + 5 / 6) / 2)
    assert [found[name].n for name in found] == [4, 4, 10, 10]
    for value in found.values():
        assert 0.0 <= value.low <= value.value <= value.high <= 1.0


def test_failures_are_wrong_decisions() -> None:
    found = refusal_summary([*run(), outcome(False, "", "timeout"), outcome(True, "", "timeout")])
    assert found["refusal_recall"].value == pytest.approx(3 / 5)
    assert found["refusal_precision"].value == pytest.approx(3 / 5)


def test_rates_without_their_cases_are_absent() -> None:
    assert refusal_summary([]) == {}
    assert refusal_summary([outcome(True, "")]) == {}
    assert refusal_summary([outcome(True, "answered"), outcome(True, "refused")]) == {}
    assert set(refusal_summary([outcome(False, "answered")] * 3)) == {"refusal_recall", "refusal_f1"}
