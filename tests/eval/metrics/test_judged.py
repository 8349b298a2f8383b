from __future__ import annotations

from dataclasses import replace

import pytest

from eval.cases import Case
from eval.metrics import score, summary
from eval.results import CaseResult, Judged, Judgement

CASE = Case("1", "问？", answers=("28个",))
RESULT = CaseResult(CASE, text="28个。", outcome="answered")


def judged(result: CaseResult) -> dict[str, float]:
    return {name: value for name, value in score(result).items() if name.startswith("judge_")}


@pytest.mark.parametrize(("verdict", "value"), [("yes", 1.0), ("no", 0.0), ("unclear", 0.0)])
def test_only_a_clear_yes_counts(verdict: Judged, value: float) -> None:
    found = judged(replace(RESULT, judgement=Judgement(verdict, verdict, "m")))
    assert found == {"judge_faithful": value, "judge_correct": value}


def test_what_was_not_judged_or_does_not_apply_is_absent() -> None:
    assert judged(RESULT) == {}
    assert judged(CaseResult(CASE, error="timeout")) == {}
    assert judged(replace(RESULT, judgement=Judgement(None, None, "m"))) == {}
    unanswerable = replace(RESULT, case=Case("1", "问？", answerable=False))
    assert judged(replace(unanswerable, judgement=Judgement("no", None, "m"))) == {"judge_faithful": 0.0}


def test_a_failed_case_that_was_judged_has_the_worst() -> None:
    failed = CaseResult(CASE, error="timeout", judgement=Judgement("no", "no", "m"))
    assert judged(failed) == {"judge_faithful": 0.0, "judge_correct": 0.0}


def test_means_are_over_the_judged_cases() -> None:
    results = [
        replace(RESULT, judgement=Judgement("yes", None, "m")),
        replace(RESULT, judgement=Judgement("unclear", None, "m")),
        RESULT,
    ]
    found = summary(results)
    assert (found["judge_faithful"].value, found["judge_faithful"].n) == (0.5, 2)
    assert "judge_correct" not in found
