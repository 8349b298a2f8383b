"""Bounds on a run's means: reading them, holding them, saying by how much they are missed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.gating import Gate, check, parse_gates
from rag.errors import SettingsError


@dataclass(frozen=True)
class Mean:
    value: float
    n: int = 100
    low: float = 0.0
    high: float = 1.0


def test_gates_are_read() -> None:
    assert parse_gates(["recall@5=0.9", "false_refusal<=0.1", " f1 >= .6 "]) == [
        Gate("recall@5", ">=", 0.9),
        Gate("false_refusal", "<=", 0.1),
        Gate("f1", ">=", 0.6),
    ]
    assert parse_gates(["false_refusal=0.1"], "<=") == [Gate("false_refusal", "<=", 0.1)]


@pytest.mark.parametrize(
    "text", ["", "recall@5", "recall@5>0.9", "=0.9", "x=", "x=high", "x=nan", "x=inf", "a=1=2"]
)
def test_what_is_no_gate_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="is not a bound"):
        parse_gates([text])


def test_gates_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(SettingsError, match="both"):
        parse_gates(["x>=0.9", "x<=0.1"])
    assert len(parse_gates(["x>=0.1", "x<=0.9"])) == 2


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_gate_is_kept_exactly_on_its_side(value: float, bound: float) -> None:
    least, most = check([Gate("m", ">=", bound), Gate("m", "<=", bound)], {"m": Mean(value)})
    assert least.passed is (value >= bound)
    assert most.passed is (value <= bound)
    assert least.missed_by == (0 if least.passed else bound - value)


def test_a_miss_says_how_far_and_how_sure() -> None:
    (verdict,) = check([Gate("recall@5", ">=", 0.9)], {"recall@5": Mean(0.85, 20, 0.8, 0.95)})
    assert not verdict.passed
    for words in (
        "MISSED recall@5 >= 0.9",
        "0.85",
        "n = 20",
        "0.8 to 0.95",
        "missed by 0.05",
        "inside",
        "small",
    ):
        assert words in verdict.message
    (sure,) = check([Gate("recall@5", ">=", 0.9)], {"recall@5": Mean(0.5, 200, 0.4, 0.6)})
    assert "inside" not in sure.message
    assert "small" not in sure.message


def test_a_metric_that_no_case_has_is_a_miss() -> None:
    (verdict,) = check([Gate("f1", ">=", 0.1)], {}, known=["f1"])
    assert not verdict.passed
    assert verdict.value is None
    assert "no case" in verdict.message


def test_an_unknown_metric_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"recal@5.*nearest are: recall@5"):
        check([Gate("recal@5", ">=", 0.9)], {"recall@5": Mean(1), "f1": Mean(1)})
