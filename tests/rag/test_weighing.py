"""How likely the documents answer, step by step: what each step looks at, and when it is left out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from conftest import ScriptedModel

from rag.checking import check
from rag.excerpts import excerpts
from rag.questions import analyse
from rag.reading import Reading
from rag.settings import Settings
from rag.types import Chunk, Passage, Source
from rag.weighing import Weighed, Weighing

TEXT = "首趟班列从南宁开出。每台电梯补贴标准为22万元，由区住建局负责受理。"
ASKED = analyse("每台电梯补贴多少？", 200)


class ConstantReader:
    """Finds every passage to answer as well, with its first words."""

    def __init__(self, score: float = 1.0) -> None:
        self.score = score
        self.asked: list[Sequence[str]] = []

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        self.asked.append(passages)
        return [Reading(self.score, self.score, self.score, 0, 4) for _ in passages]

    def words_met(self, text: str, others: Sequence[str]) -> np.ndarray:
        return np.zeros(len(others), np.float32)


def passage(text: str = TEXT) -> Passage:
    source = Source("d", "/d.txt", "电梯补贴通知", "0" * 64, "text/plain")
    return Passage(Chunk("d", 0, 0, len(text), text), source, 1.0, 0.88)


def weighing(settings: Settings, reader: ConstantReader | None = None, **changes: object) -> Weighing:
    return Weighing(reader or ConstantReader(), ScriptedModel(), settings.model_copy(update=changes))


def weighed(of: Weighing, text: str = TEXT, question: str = ASKED.text) -> Weighed:
    return of.passages(analyse(question, 200), [passage(text)])


def test_reading_makes_it_likelier(settings: Settings) -> None:
    low, high = (weighed(weighing(settings, ConstantReader(score))).likely for score in (-6.0, 6.0))
    assert low < 0.3 < 0.7 < high


def test_a_body_that_nothing_names_is_not_worth_reading_for(settings: Settings) -> None:
    reader = ConstantReader(6.0)
    found = weighed(weighing(settings, reader), question="教育局承诺了什么？")
    assert found.wanting
    assert reader.asked == []
    assert not found.worth_going_on(0.3)
    assert found.worth_going_on(0.0), "without a threshold nothing is refused for it"


@pytest.mark.parametrize(
    ("changes", "asked"), [({}, True), ({"assess": False}, False), ({"evidence_threshold": 0.0}, False)]
)
def test_the_models_word_counts_where_something_depends_on_it(
    settings: Settings, changes: dict[str, object], asked: bool
) -> None:
    assert weighed(weighing(settings, **changes)).assessed is asked


def test_the_models_word_is_weighed_with_reading(settings: Settings) -> None:
    def after(first: dict[str, float]) -> float:
        one = weighing(settings)
        one._model.likeliest = first  # type: ignore[attr-defined]
        found = weighed(one)
        parts = excerpts(ASKED, [passage()], 900)
        return one.assessed(ASKED, [passage()], parts, found, None)

    yes, no, nothing = after({"是": -0.01, "否": -5.0}), after({"否": -0.01, "是": -5.0}), after({})
    assert no < nothing
    assert no < yes
    assert nothing == weighed(weighing(settings)).likely, "what is not told changes nothing"


def test_behind_an_english_prompt_a_hesitant_yes_counts_for_more(settings: Settings) -> None:
    text = "Each lift is paid for with 220,000 yuan."
    question = analyse("How much is paid for each lift?", 200)
    one = weighing(settings)
    one._model.likeliest = {"Yes": math.log(0.6), "No": math.log(0.4)}  # type: ignore[attr-defined]
    found = one.passages(question, [passage(text)])
    english = one.assessed(question, [passage(text)], excerpts(question, [passage(text)], 900), found, None)
    chinese = one.assessed(ASKED, [passage()], excerpts(ASKED, [passage()], 900), found, None)
    assert english > chinese


@pytest.mark.parametrize(("style", "told"), [("short", True), ("full", False)])
def test_hesitation_counts_for_answers_of_a_few_words(settings: Settings, style: str, told: bool) -> None:
    one = weighing(settings, answer_style=style)
    draft = check("22万元", ASKED, [passage()], None)
    found = weighed(one)
    sure, guessed = (
        one.answered(ASKED, draft, [passage()], found, 0.6, first)
        for first in ({"22": 0.0}, {str(n): math.log(0.1) for n in range(10)})
    )
    assert (sure > guessed) is told
    assert (sure == guessed) is not told


def test_without_a_reader_the_probability_stays(settings: Settings) -> None:
    one = Weighing(None, ScriptedModel(), settings)
    draft = check("22万元", ASKED, [passage()], None)
    assert one.answered(ASKED, draft, [passage()], weighed(one), 0.6, {}) == 0.6
