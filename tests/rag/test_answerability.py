"""How likely passages answer a question: more so the surer reading is, and only with weights that fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answerability import FILE, NAMES, answer_probability, features
from rag.calibration import shipped
from rag.questions import analyse
from rag.reading import Reading
from rag.types import Chunk, Passage, Source

TEXT = "每台电梯补贴标准为22万元，申报截止日期为2026年9月30日，由区住建局负责受理。"
ASKED = "每台电梯补贴多少？"


def passage(text: str = TEXT, similarity: float | None = 0.88) -> Passage:
    chunk = Chunk("d", 0, 0, len(text), text)
    return Passage(chunk, Source("d", "/d.txt", "通知", "0" * 64, "text/plain"), 1.0, similarity)


def reading(answers: float, margin: float = 0.0, relevance: float = 0.0) -> Reading:
    return Reading(relevance, answers, margin, 0, 2)


def probability(*readings: Reading, question: str = ASKED) -> float:
    return answer_probability(analyse(question, 2000), [passage()] * len(readings), readings, 0.0)


def column(name: str, question: str, *passages: Passage, readings: list[Reading] | None = None) -> float:
    row = features(analyse(question, 2000), passages, readings or [reading(1.0) for _ in passages])
    assert row.shape == (len(NAMES),)
    return float(row[NAMES.index(name)])


def test_without_readings_nothing_is_likely() -> None:
    assert answer_probability(analyse(ASKED, 2000), [], [], 0.4) == 0.4


@given(st.floats(-15, 15), st.floats(0.1, 5), st.floats(-15, 15), st.lists(st.floats(-15, 15), max_size=3))
def test_it_grows_with_answers_and_margin(
    answers: float, more: float, margin: float, others: list[float]
) -> None:
    rest = [reading(min(one, answers), min(one, margin)) for one in others]
    least = probability(reading(answers, margin), *rest)
    assert 0.0 < least < 1.0
    assert probability(reading(answers + more, margin), *rest) >= least
    assert probability(reading(answers, margin + more), *rest) >= least


def test_it_tells_apart_what_reading_tells_apart() -> None:
    sure, lost = probability(reading(4.0, 6.0, 4.0)), probability(reading(-5.0, -10.0, -8.0))
    assert lost < 0.2 < 0.8 < sure


def test_the_weights_fit_the_features() -> None:
    found = shipped(FILE, NAMES)
    for numbers in (found.mean, found.deviation, found.weights):
        assert numbers.shape == (len(NAMES),)
        assert np.isfinite(numbers).all()
    assert (found.deviation > 0).all()


def test_words_of_the_question_are_looked_for_in_the_passages() -> None:
    other = passage("音乐节将在湖畔举行。")
    assert column("coverage", ASKED, other) < column("coverage", ASKED, passage())
    assert column("unknown_words", ASKED, other) > column("unknown_words", ASKED, passage())
    both = [reading(1.0), reading(3.0)]
    assert column("coverage_of_best", ASKED, passage(), other, readings=both) < column(
        "coverage", ASKED, passage(), other, readings=both
    ), "the best is the one that reading is surest of"


def test_numbers_that_the_passage_lacks_are_counted_but_for_years() -> None:
    assert column("unknown_numbers", "补贴22万元的是什么？", passage()) == 0.0
    assert column("unknown_numbers", "补贴35万元的是什么？", passage()) == 1.0
    assert column("unknown_numbers", "2019年的补贴是多少？", passage()) == 0.0


def test_over_the_languages_words_are_not_compared() -> None:
    english = "How much is the subsidy for a lift in Zorbia?"
    for name in ("coverage", "coverage_of_best", "unknown_names", "unknown_words"):
        assert column(name, english, passage()) == 0.0
    assert column("across", english, passage()) == column("latin", english, passage()) == 1.0
    assert column("across", ASKED, passage()) == column("latin", ASKED, passage()) == 0.0


def test_a_passage_without_a_similarity_is_a_far_one() -> None:
    assert column("similarity", ASKED, passage(similarity=None)) == 0.0
    assert column("similarity", ASKED, passage(similarity=None), passage()) == pytest.approx(0.08)


def test_readings_that_agree_are_told_from_those_that_do_not() -> None:
    two = [passage(), passage()]
    assert column("agreement", ASKED, *two, readings=[reading(3.0, 4.0), reading(1.0, 1.0)]) == 1.0
    assert column("agreement", ASKED, *two, readings=[reading(3.0, 0.0), reading(1.0, 1.0)]) == 0.0
    assert column("others", ASKED, *two, readings=[reading(3.0), reading(1.0)]) == 1.0


def test_what_a_named_body_promised_is_not_left_to_reading_alone() -> None:
    low = [reading(-6.0, -9.0)]
    asked = analyse("住建局承诺了什么？", 2000)
    assert answer_probability(asked, [passage()], low, 0.9) == pytest.approx(0.54)
    assert answer_probability(analyse(ASKED, 2000), [passage()], low, 0.9) < 0.3
