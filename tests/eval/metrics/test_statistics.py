from __future__ import annotations

import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.cases import Case
from eval.metrics import by_group, in_words, mean, paired, summary
from eval.results import CaseResult


def run(values: Sequence[float | None], metric: str = "f1_cmrc", start: int = 0) -> list[CaseResult]:
    return [
        CaseResult(
            Case(str(number), "问？", answers=("甲",), type="even" if number % 2 == 0 else "odd", lang="en"),
            outcome="answered",
            metrics={"containment": 1.0} if value is None else {metric: value},
        )
        for number, value in enumerate(values, start=start)
    ]


def test_a_mean_has_its_n_and_an_interval_around_it() -> None:
    found = mean([1.0, 0.0, None, 1.0, 1.0])
    assert found is not None
    assert (found.value, found.n) == (0.75, 4)
    assert 0.0 <= found.low < found.value <= found.high <= 1.0
    assert mean([None]) is None
    assert mean([]) is None
    assert str(mean([0.5, 0.5])) == "0.500 [0.500, 0.500] n=2"


def test_the_interval_is_that_of_the_normal_distribution_where_there_are_many() -> None:
    found = mean([1.0, 0.0] * 1000, resamples=4000)
    assert found is not None
    half = 1.96 * 0.5 / 2000**0.5
    assert found.low == pytest.approx(0.5 - half, abs=0.003)
    assert found.high == pytest.approx(0.5 + half, abs=0.003)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [random.Random(3).random() for _ in range(50)]
    assert mean(values, seed=1) == mean(values, seed=1)


def test_six_thousand_values_take_no_time() -> None:
    values = [random.Random(5).random() for _ in range(6000)]
    start = time.perf_counter()
    mean(values)
    assert time.perf_counter() - start < 5


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_an_interval_lies_within_the_values(values: list[float]) -> None:
    found = mean(values, resamples=50)
    assert found is not None
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9


def test_a_summary_has_each_metric_with_its_own_n() -> None:
    found = summary(
        [*run([1.0, 0.0, None, 0.5]), CaseResult(Case("x", "问？", answers=("甲",)), error="timeout")]
    )
    assert found["f1_cmrc"].n == 4
    assert found["f1_cmrc"].value == pytest.approx(1.5 / 4)
    assert found["containment"].value == 0.5
    assert found["false_refusal"].value == 1.0
    assert "recall@1" not in found


def test_groups_of_cases() -> None:
    found = by_group(run([1.0, 0.0, 0.5]), "type")
    assert list(found) == ["even", "odd"]
    assert (found["even"]["f1_cmrc"].value, found["even"]["f1_cmrc"].n) == (0.75, 2)
    assert list(by_group(run([1.0, 0.0]), "lang")) == ["en"]


def test_pairs_are_cases_with_the_same_id() -> None:
    found = paired(run([0.0, 0.5, 1.0, None, 0.5]), run([0.5, 0.5, 0.0, 1.0], start=1), "f1_cmrc")
    # Cases 1, 2 and 4: 0.5 -> 0.5, 1.0 -> 0.5, 0.5 -> 1.0. Cases 0 and 3 are in one run only.
    assert found is not None
    assert (found.n, found.wins, found.losses, found.ties, found.unpaired) == (3, 1, 1, 1, 2)
    assert (found.mean_a, found.mean_b) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found.difference == pytest.approx(0.0)
    assert found.p == pytest.approx(1.0, abs=0.5)


def test_a_clear_difference_is_told_from_chance() -> None:
    rng = random.Random(2)
    before = [rng.random() / 2 for _ in range(200)]
    found = paired(run(before), run([value + 0.1 + rng.random() / 10 for value in before]), "f1_cmrc")
    assert found is not None
    assert found.low > 0.1
    assert found.p == pytest.approx(2 / 1001)
    assert found.wins == 200
    assert "the second is better here" in in_words(found)
    assert "第二次较好" in in_words(found, language="zh")


def test_less_is_better_where_less_is_better() -> None:
    found = paired(run([3.0] * 40, "latency_done"), run([2.0] * 40, "latency_done"), "latency_done")
    assert found is not None
    assert (found.difference, found.wins, found.losses) == (-1.0, 40, 0)
    assert "the second is better here" in in_words(found)
    reverse = paired(run([2.0] * 40, "latency_done"), run([3.0] * 40, "latency_done"), "latency_done")
    assert reverse is not None
    assert "the second is worse here" in in_words(reverse)
    assert "第二次较差" in in_words(reverse, language="zh")


def test_words_do_not_claim_more_than_the_numbers() -> None:
    rng = random.Random(4)
    noise = [[rng.random() for _ in range(60)] for _ in range(2)]
    unsure = paired(run(noise[0]), run(noise[1]), "f1_cmrc")
    assert unsure is not None
    assert unsure.low < 0 < unsure.high
    assert "do not show which run is better" in in_words(unsure)
    assert "不足以说明" in in_words(unsure, language="zh")
    few = paired(run([0.0] * 5), run([1.0] * 5), "f1_cmrc")
    assert few is not None
    assert "too few cases" in in_words(few)
    assert "问题太少" in in_words(few, language="zh")
    same = paired(run([0.5] * 50), run([0.5] * 50), "f1_cmrc")
    assert same is not None
    assert same.p == 1.0
    assert "no case different" in in_words(same)
    assert "没有一个问题不同" in in_words(same, language="zh")


def test_runs_without_a_case_in_common_are_not_compared() -> None:
    assert paired(run([1.0]), run([1.0], start=5), "f1_cmrc") is None
    with pytest.raises(KeyError):
        paired(run([1.0]), run([1.0]), "no_such_metric")
    with pytest.raises(ValueError, match="twice"):
        paired([*run([1.0]), *run([1.0])], run([1.0]), "f1_cmrc")


def test_a_difference_by_chance_is_rarely_called_sure() -> None:
    sure = 0
    for seed in range(60):
        rng = random.Random(seed)
        found = paired(
            run([rng.random() for _ in range(60)]),
            run([rng.random() for _ in range(60)]),
            "f1_cmrc",
            resamples=300,
        )
        assert found is not None
        sure += found.p < 0.05
    assert sure <= 9
