"""The chat model's own word, weighed: what is read from its first token, and what becomes of the question."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.assessment import assessed_probability, comparable, features, hesitation, yes_log_odds
from rag.pipeline import Pipeline
from rag.types import Answer

ODDS = st.floats(-30, 30)
PROBABILITIES = st.floats(0, 1)


def logs(**probabilities: float) -> dict[str, float]:
    return {token: math.log(value) for token, value in probabilities.items()}


def test_log_odds_of_yes_gather_all_ways_of_saying_it() -> None:
    first = logs(是=0.5, 有=0.1, 否=0.2) | {" No": math.log(0.1), "根据": math.log(0.1)}
    assert yes_log_odds(first) == pytest.approx(math.log(0.6 / 0.3))


@pytest.mark.parametrize("first", [{}, logs(根据=0.9), {"是": -40.0}])
def test_what_is_neither_yes_nor_no_tells_nothing(first: dict[str, float]) -> None:
    assert yes_log_odds(first) is None


def test_only_one_of_both_is_sure_and_finite() -> None:
    yes, no = yes_log_odds(logs(Yes=1.0)), yes_log_odds(logs(no=1.0))
    assert yes is not None
    assert no is not None
    assert yes > 10
    assert no < -10
    assert math.isfinite(yes)
    assert math.isfinite(no)


@given(ODDS, st.booleans())
def test_behind_an_english_prompt_less_of_a_yes_means_as_much(odds: float, short: bool) -> None:
    assert comparable(odds, english=False, short=short) == odds
    assert comparable(odds, english=True, short=short) > odds
    assert comparable(odds, english=True, short=False) > comparable(odds, english=True, short=True)


@given(PROBABILITIES, ODDS, ODDS)
def test_the_surer_the_model_the_likelier_the_answer(likely: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= assessed_probability(likely, low) <= assessed_probability(likely, high) <= 1


@given(PROBABILITIES, PROBABILITIES, ODDS)
def test_the_surer_reading_the_likelier_the_answer(one: float, other: float, odds: float) -> None:
    low, high = sorted((one, other))
    assert assessed_probability(low, odds) <= assessed_probability(high, odds)


@given(PROBABILITIES, ODDS)
def test_features_are_bounded(likely: float, odds: float) -> None:
    assert all(abs(value) <= 8 for value in features(likely, odds))


def test_a_model_hesitates_between_tokens() -> None:
    assert hesitation({}) is None
    assert hesitation(logs(南=1.0)) == pytest.approx(0.0)
    assert hesitation(logs(南=0.5, 西=0.5)) == pytest.approx(math.log(2))
    assert hesitation(logs(南=0.5)) == pytest.approx(math.log(2)), "what is left counts as one more"


@given(st.dictionaries(st.text(max_size=3), st.floats(-60, 0.5), max_size=20))
def test_hesitation_is_finite_and_not_negative(first: dict[str, float]) -> None:
    found = hesitation(first)
    assert found is None or (math.isfinite(found) and found >= 0)


ASKED = "区住建局承诺改造多少个老旧小区？"


def asked(
    make_pipeline: Callable[..., Pipeline], first: dict[str, float], **changes: object
) -> tuple[Answer, Pipeline]:
    pipeline = make_pipeline("将改造老旧小区28个[1]。", **changes)
    pipeline.model.likeliest = first
    return pipeline.ask(ASKED), pipeline


def test_a_model_that_would_say_no_leads_to_a_refusal_before_a_word(
    make_pipeline: Callable[..., Pipeline],
) -> None:
    answer, pipeline = asked(make_pipeline, logs(否=0.9999))
    assert answer.outcome == "refused"
    assert pipeline.model.asked == []
    assert "first_word" not in answer.timings


@pytest.mark.parametrize("first", [logs(是=0.9999), {}])
def test_one_that_would_say_yes_or_tells_nothing_answers(
    make_pipeline: Callable[..., Pipeline], first: dict[str, float]
) -> None:
    answer, pipeline = asked(make_pipeline, first)
    assert answer.outcome == "answered"
    assert len(pipeline.model.assessed) == 1


def test_it_is_asked_behind_the_prompt_that_the_answer_is_asked_with(
    make_pipeline: Callable[..., Pipeline],
) -> None:
    _, pipeline = asked(make_pipeline, {})
    whether, answering = (
        str(calls[0][-1].content) for calls in (pipeline.model.assessed, pipeline.model.asked)
    )
    assert whether.startswith(answering)


@pytest.mark.parametrize("changes", [{"assess": False}, {"evidence_threshold": 0.0}])
def test_where_nothing_depends_on_it_the_model_is_not_asked(
    make_pipeline: Callable[..., Pipeline], changes: dict[str, object]
) -> None:
    answer, pipeline = asked(make_pipeline, logs(否=0.9999), **changes)
    assert answer.outcome == "answered"
    assert pipeline.model.assessed == []
