"""What a judge model said of an answer (`eval.judging`), as metrics. Absent where none was asked."""

from __future__ import annotations

from eval.cases import Case
from eval.metrics.metric import Metric, metric, references
from eval.results import CaseResult, Judged


def judge_faithful(result: CaseResult) -> float | None:
    """1 when the judge found every statement of the answer borne out by the passages shown; unclear is 0."""
    return None if result.judgement is None else _value(result.judgement.faithful)


def judge_correct(result: CaseResult) -> float | None:
    """1 when the judge found that the answer says the same as the reference answer; unclear is 0."""
    return None if result.judgement is None else _value(result.judgement.correct)


def has_reference(case: Case) -> bool:
    """Whether there is something to hold the answer's correctness against."""
    return case.answerable and bool(references(case))


def _value(verdict: Judged | None) -> float | None:
    return None if verdict is None else float(verdict == "yes")


METRICS: tuple[Metric, ...] = (
    metric(
        "judge_faithful",
        "Of the answers given, those that a judge model found borne out by the passages shown.",
        judge_faithful,
        lambda _: True,
    ),
    metric(
        "judge_correct",
        "Of the answers given, those that a judge model found to say the same as the reference answer.",
        judge_correct,
        has_reference,
    ),
)
NAMES = frozenset(found.name for found in METRICS)
"""The metrics that only a judged result has, a failed one included."""
