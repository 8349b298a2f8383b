"""The metrics of RGB (Chen et al. 2023, "Benchmarking Large Language Models in Retrieval-Augmented Generation").

They apply to cases of RGB's types (`TYPES`) or with misleading answers. Matching is RGB's: substrings without case; spaces
do not count in Chinese (its script takes them out of the answer only; here out of both sides). A refusal is an outcome
"refused". RGB's further rates, where another model judges the answer, are not measured.
"""

from __future__ import annotations

from eval.cases import Case
from eval.metrics.metric import Metric, groups, metric, said, without_markers
from eval.results import CaseResult

TYPES = frozenset({"noise", "rejection", "noise+rejection", "integration", "counterfactual"})
REJECTIONS = ("信息不足", "insufficient information")
DETECTIONS = ("事实性错误", "factual errors")


def accuracy(result: CaseResult) -> float:
    """1 when the answer holds an alternative of every group and does not say that information is missing."""
    return float(_holds_answer(result) and not _says(result, REJECTIONS))


def rejection(result: CaseResult) -> float:
    """1 when a question without any document that answers it was refused."""
    return float(result.outcome == "refused")


def rejection_as_published(result: CaseResult) -> float:
    """As RGB's script counts at noise 1.0: refused, or the fixed phrase in the answer, or the right answer in it.

    The last is a fault of the script: an answer known by heart counts as a rejection.
    """
    return float(result.outcome == "refused" or _says(result, REJECTIONS) or _holds_answer(result))


def detection(result: CaseResult) -> float:
    """1 when the answer says, in the phrase that RGB asks for, that the documents hold factual errors."""
    return float(_says(result, DETECTIONS))


def correction(result: CaseResult) -> float | None:
    """Where the errors were detected, 1 when the answer is right; None where they were not.

    RGB's script also counts answers that say that information is missing; here they are not right.
    """
    return accuracy(result) if _says(result, DETECTIONS) else None


def _holds_answer(result: CaseResult) -> bool:
    of = groups(result.case)
    text = _plain(said(result), result.case)
    return bool(of) and all(any(_plain(part, result.case) in text for part in group) for group in of)


def _says(result: CaseResult, phrases: tuple[str, ...]) -> bool:
    text = _plain(without_markers(result.text), result.case)
    return any(_plain(phrase, result.case) in text for phrase in phrases)


def _plain(text: str, case: Case) -> str:
    return text.lower() if case.lang == "en" else "".join(text.lower().split())


def _of_rgb(case: Case) -> bool:
    return case.type in TYPES or bool(case.misleading)


def _answerable(case: Case) -> bool:
    return _of_rgb(case) and case.answerable and bool(groups(case))


def _unanswerable(case: Case) -> bool:
    return _of_rgb(case) and not case.answerable


def _falsified(case: Case) -> bool:
    # With noise alone (not answerable) nothing falsified is among the passages.
    return case.answerable and bool(case.misleading)


METRICS: tuple[Metric, ...] = (
    metric(
        "rgb_accuracy",
        "RGB's accuracy: the answer holds an alternative of every group.",
        accuracy,
        _answerable,
    ),
    metric(
        "rgb_rejection",
        "RGB's rejection rate, corrected: refused where no document holds the answer.",
        rejection,
        _unanswerable,
    ),
    metric(
        "rgb_rejection_as_published",
        "RGB's rejection rate as its script counts it, which also counts right answers.",
        rejection_as_published,
        _unanswerable,
    ),
    metric(
        "rgb_detection",
        "RGB's error detection rate: the answer says that the documents hold factual errors.",
        detection,
        _falsified,
    ),
    metric(
        "rgb_correction",
        "RGB's error correction rate: right answers among those that detected the errors.",
        correction,
        _falsified,
    ),
)
