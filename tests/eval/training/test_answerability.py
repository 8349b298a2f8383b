"""Learning how likely passages answer: what tells is found, and no set or way of asking counts more for being larger."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.training.answerability import Judged, area, learn
from rag.answerability import NAMES
from rag.calibration import Calibration

TELLING = NAMES.index("margin")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Rows this short are learned from faster without threads that wait for each other."""
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def judged(count: int, seed: int, *, sign: float = 1.0, name: str = "s") -> list[Judged]:
    """Questions whose telling feature lies 3 higher (by ``sign``) where they are answered; the rest is noise."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        answered = number % 2 == 0
        row = rng.normal(size=len(NAMES))
        row[TELLING] += 1.5 * sign if answered else -1.5 * sign
        kind = "open" if answered else "near"
        found.append(Judged(name, kind, "fusion", answered, tuple(map(float, row))))
    return found


def probabilities(some: list[Judged], calibration: Calibration) -> tuple[list[float], list[float]]:
    """Those of answered questions, and those of the others."""
    told = [(one.answered, calibration.probability(np.asarray(one.row, np.float32))) for one in some]
    return [p for answered, p in told if answered], [p for answered, p in told if not answered]


def test_what_tells_is_found_and_serves_for_other_questions() -> None:
    calibration = learn(judged(300, 1))
    weights = calibration.weights
    assert weights.shape == calibration.mean.shape == calibration.deviation.shape == (len(NAMES),)
    assert weights[TELLING] > 5 * np.abs(np.delete(weights, TELLING)).max()
    answered, other = probabilities(judged(300, 2), calibration)
    assert area(answered, other) > 0.95
    assert np.mean(answered) > 0.8 > 0.2 > np.mean(other)


def test_it_learns_the_same_each_time() -> None:
    one, other = learn(judged(60, 1)), learn(judged(60, 1))
    assert one.weights.tolist() == other.weights.tolist()
    assert one.bias == other.bias


def test_a_large_set_does_not_outvote_a_small_one() -> None:
    large = judged(800, 1)
    small = judged(80, 2, sign=-1.0, name="t")
    weight = learn([*large, *small]).weights[TELLING]
    assert abs(weight) < 0.3 * learn(large).weights[TELLING], "two sets that say the contrary cancel out"


def test_each_way_of_asking_counts_the_same() -> None:
    others = [one for one in judged(600, 1) if not one.answered]
    often = [one for one in judged(600, 3) if one.answered]
    seldom = [
        Judged(one.set, "closed", one.part, True, one.row) for one in judged(60, 4, sign=-1.0) if one.answered
    ]
    calibration = learn([*others, *often, *seldom])
    below = [calibration.probability(np.asarray(one.row, np.float32)) for one in seldom]
    unweighted = learn(
        [*others, *often, *(Judged(one.set, "open", one.part, True, one.row) for one in seldom)]
    )
    assert np.mean(below) > 0.1 + np.mean(
        [unweighted.probability(np.asarray(one.row, np.float32)) for one in seldom]
    )


def test_each_outcome_counts_the_same() -> None:
    some = judged(400, 1)
    few = [one for n, one in enumerate(some) if one.answered or n % 20 == 1]
    answered, other = probabilities(judged(300, 2), learn(few))
    assert 0.4 < (np.mean(answered) + np.mean(other)) / 2 < 0.6


def test_a_feature_that_never_changes_is_no_fault() -> None:
    same = [Judged(o.set, o.kind, o.part, o.answered, (*o.row[:-1], 1.0)) for o in judged(60, 1)]
    calibration = learn(same)
    assert np.isfinite(calibration.weights).all()
    assert abs(calibration.weights[-1]) < 1e-3


def test_the_area_of_examples() -> None:
    assert area([0.9, 0.8], [0.1, 0.2]) == 1.0
    assert area([0.1], [0.9]) == 0.0
    assert area([0.5, 0.5], [0.5]) == 0.5
    assert area([0.9, 0.3], [0.5, 0.1]) == pytest.approx(0.75)


NUMBERS = st.lists(st.integers(0, 5), min_size=1, max_size=8)


@given(NUMBERS, NUMBERS)
def test_the_area_is_the_share_of_pairs(one: list[int], other: list[int]) -> None:
    won = sum((a > b) + 0.5 * (a == b) for a in one for b in other)
    assert area(one, other) == pytest.approx(won / (len(one) * len(other)))
    assert area(one, other) + area(other, one) == pytest.approx(1.0)
