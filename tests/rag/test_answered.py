"""Whether a checked answer answers: the reader's own words and the cited sentence are held against it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answered import (
    FILE,
    NAMES,
    answered_probability,
    can_be_judged,
    cited_texts,
    features,
)
from rag.calibration import shipped
from rag.questions import analyse
from rag.reading import Reading
from rag.reranking import reranking_text
from rag.types import Chunk, Citation, Passage, Source

TEXT = "首趟班列从南宁开出。每台电梯补贴标准为22万元，由区住建局负责受理。"
ASKED = "每台电梯补贴多少？"
SENTENCE = "每台电梯补贴标准为22万元，由区住建局负责受理。"


def passage(text: str = TEXT) -> Passage:
    source = Source("d", "/d.txt", "通知", "0" * 64, "text/plain")
    return Passage(Chunk("d", 0, 0, len(text), text), source, 1.0, 0.88)


def citation(quote: str = SENTENCE, text: str = TEXT) -> Citation:
    start = text.index(quote)
    return Citation(1, passage(text), start, start + len(quote), quote)


def reading(text: str, words: str, score: float = 3.0) -> Reading:
    at = text.find(words)
    return Reading(score, score, score, max(at, 0), max(at, 0) + (len(words) if at >= 0 else 0))


def row(
    said: str,
    *,
    own: str = "22万元",
    cited: str = "22万元",
    score: float = 3.0,
    question: str = ASKED,
    hesitated: float | None = 0.5,
) -> dict[str, float]:
    quoted = citation()
    whole = reranking_text(quoted.passage.source, quoted.passage.chunk)
    (text,) = cited_texts([quoted])
    values = features(
        analyse(question, 2000),
        said,
        [quoted],
        [quoted.passage],
        [reading(whole, own, score)],
        [reading(text, cited, score)],
        0.8,
        hesitated,
    )
    return dict(zip(NAMES, map(float, values), strict=True))


def test_the_words_that_reading_finds_are_held_against_what_was_said() -> None:
    assert row("补贴22万元[1]。")["agreement"] == 1.0
    assert row("南宁")["agreement"] == 0.0
    assert row("22萬元")["agreement"] == 1.0, "scripts do not differ"
    assert row("22万元", own="不在其中")["agreement"] == 0.0


def test_the_cited_sentence_is_held_against_the_question() -> None:
    near, far = row("22万元"), row("22万元", question="昆山音乐节门票多少？")
    assert near["coverage_of_cited"] > far["coverage_of_cited"]
    assert row("22万元", score=3.0)["cited"] > row("22万元", score=-3.0)["cited"]


@given(
    said=st.text(max_size=60),
    score=st.floats(-50, 50),
    likely=st.floats(0, 1),
    hesitated=st.none() | st.floats(0, 20),
)
def test_whatever_was_said_gives_a_probability(
    said: str, score: float, likely: float, hesitated: float | None
) -> None:
    quoted = citation()
    readings = [Reading(score, score, score, 0, 3)]
    found = answered_probability(
        features(
            analyse(ASKED, 2000), said, [quoted], [quoted.passage], readings, readings, likely, hesitated
        )
    )
    assert 0.0 <= found <= 1.0
    assert np.isfinite(found)


def test_the_less_a_model_hesitated_the_likelier_it_answers() -> None:
    def probability(hesitated: float | None) -> float:
        return answered_probability(np.asarray(list(row("22万元", hesitated=hesitated).values()), np.float32))

    sure, unsure, lost = probability(0.0), probability(1.5), probability(9.0)
    assert lost == probability(3.0), "more than that is guessing, whatever the number"
    assert sure >= unsure >= lost
    assert sure > lost
    assert lost < probability(None) < sure, "what is not told counts as the mean"


def test_the_weights_fit_the_features() -> None:
    found = shipped(FILE, NAMES)
    for numbers in (found.mean, found.deviation, found.weights):
        assert numbers.shape == (len(NAMES),)
        assert np.isfinite(numbers).all()
    assert (found.deviation > 0).all()


def test_it_tells_apart_what_reading_tells_apart() -> None:
    def probability(likely: float, score: float, words: str) -> float:
        quoted = citation()
        whole = reranking_text(quoted.passage.source, quoted.passage.chunk)
        own, cited = reading(whole, words, score), reading(cited_texts([quoted])[0], words, score)
        return answered_probability(
            features(analyse(ASKED, 2000), "22万元", [quoted], [quoted.passage], [own], [cited], likely, None)
        )

    assert probability(0.1, -5.0, "区住建局") < 0.3 < 0.7 < probability(0.95, 5.0, "22万元")


def test_a_cited_sentence_is_read_with_what_it_is_about_and_in_simplified_script() -> None:
    text = "前一段。\n文化中心免費開放。週一閉館。"
    (read,) = cited_texts([citation("週一閉館。", text)])
    assert read == "通知\n文化中心免费开放。周一闭馆。"
    (clipped,) = cited_texts([citation("止。", "长" * 500 + "止。")])
    assert clipped == "通知\n" + "长" * 120 + "止。"


@pytest.mark.parametrize(
    ("question", "judged"),
    [
        (ASKED, True),
        ("住建局承诺了什么？", False),
        ("秦守诚的承诺有哪些？", False),
        ("How much is the subsidy for a lift?", False),
    ],
)
def test_reading_does_not_judge_what_it_never_learned(question: str, judged: bool) -> None:
    assert can_be_judged(analyse(question, 2000), [citation()]) is judged
