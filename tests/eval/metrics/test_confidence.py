from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.cases import Case
from eval.metrics import coverage_accuracy, reliability
from eval.results import CaseResult


def given_answer(
    confidence: float | None,
    right: bool,
    *,
    outcome: str = "answered",
    answerable: bool = True,
    error: str = "",
) -> CaseResult:
    case = Case("1", "问？", answers=("甲",), answerable=answerable)
    return CaseResult(case, text="甲" if right else "乙", outcome=outcome, confidence=confidence, error=error)


def test_the_curve_goes_from_the_most_confident_to_all() -> None:
    curve = coverage_accuracy(
        [given_answer(0.9, True), given_answer(0.2, False), given_answer(0.8, False), given_answer(0.5, True)]
    )
    assert [(point.coverage, point.accuracy) for point in curve.points] == [
        (0.25, 1.0),
        (0.5, 0.5),
        (0.75, pytest.approx(2 / 3)),
        (1.0, 0.5),
    ]
    assert curve.area == pytest.approx((1 + 1 / 2 + 2 / 3 + 1 / 2) / 4)
    assert (curve.n, curve.left_out) == (4, 0)


def test_equal_confidence_is_one_point_whatever_the_order() -> None:
    results = [given_answer(0.5, True), given_answer(0.5, False), given_answer(0.9, True)]
    curve = coverage_accuracy(results)
    assert [(point.n, point.confidence) for point in curve.points] == [(1, 0.9), (3, 0.5)]
    # One of the two is right: of 2, 1.5 are right on average; of 3, 2.
    assert curve.area == pytest.approx((1 + 1.5 / 2 + 2 / 3) / 3)
    random.Random(1).shuffle(results)
    assert coverage_accuracy(results) == curve


def test_only_answers_given_are_on_it_and_those_to_the_unanswerable_are_wrong() -> None:
    curve = coverage_accuracy(
        [
            given_answer(0.9, True, answerable=False),
            given_answer(0.7, True, outcome="partial"),
            given_answer(0.1, True, outcome="refused"),
            given_answer(None, True),
            given_answer(0.9, True, error="timeout"),
        ]
    )
    assert [(point.coverage, point.accuracy) for point in curve.points] == [(0.5, 0.0), (1.0, 0.5)]
    assert (curve.n, curve.left_out) == (2, 3)


def test_another_correctness_can_be_asked_for() -> None:
    results = [given_answer(0.9, False), given_answer(0.8, False)]
    assert coverage_accuracy(results, lambda result: 0.25).area == 0.25
    assert coverage_accuracy(results, lambda result: None).n == 0


def test_without_answers_there_is_no_area() -> None:
    curve = coverage_accuracy([])
    assert (curve.points, curve.area) == ((), None)
    assert reliability([]).error is None


def test_reliability_by_hand() -> None:
    found = reliability(
        [
            given_answer(0.91, True),
            given_answer(0.95, False),
            given_answer(0.30, False),
            given_answer(1.0, True),
        ]
    )
    low, high = found.bins
    assert (low.low, low.high, low.n, low.correct) == (0.3, 0.4, 1, 0.0)
    assert (high.n, high.correct) == (3, pytest.approx(2 / 3))
    expected = 1 / 4 * 0.30 + 3 / 4 * abs((0.91 + 0.95 + 1.0) / 3 - 2 / 3)
    assert found.error == pytest.approx(expected)
    assert found.n == 4


@given(st.lists(st.tuples(st.floats(-0.5, 1.5), st.booleans()), min_size=1, max_size=20))
def test_curves_stay_in_bounds(pairs: list[tuple[float, bool]]) -> None:
    results = [given_answer(confidence, right) for confidence, right in pairs]
    curve = coverage_accuracy(results)
    assert curve.area is not None
    assert -1e-9 <= curve.area <= 1 + 1e-9
    assert curve.points[-1].coverage == 1.0
    assert curve.points[-1].accuracy == pytest.approx(sum(right for _, right in pairs) / len(pairs))
    assert sum(part.n for part in reliability(results).bins) == len(pairs)
