"""Where an answer stands: literally, and where the question's words are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.training.spans import answer_span

FAR = "。" + "此外，会议还讨论了其他事项" * 5 + "。"
TEXT = f"道路改造投资22万元{FAR}每台电梯补贴22万元{FAR}绿化工程投资22万元。"


@pytest.mark.parametrize(
    ("question", "before"),
    [
        ("每台电梯补贴多少？", "电梯补贴"),
        ("道路改造投资多少？", "道路改造投资"),
        ("绿化工程投资？", "绿化工程投资"),
    ],
)
def test_of_several_places_the_one_the_question_is_about_is_taken(question: str, before: str) -> None:
    found = answer_span(TEXT, ["22万元"], question)
    assert found is not None
    start, end = found
    assert TEXT[start:end] == "22万元"
    assert TEXT[:start].endswith(before)


def test_of_places_that_tell_alike_the_first_is_taken() -> None:
    assert answer_span("甲，甲。", ["甲"], "谁？") == (0, 1)


def test_the_first_answer_that_stands_there_counts() -> None:
    assert answer_span("补贴为22万元。", ["二十二万元", "22万元", "补贴"], "补贴多少？") == (3, 7)


def test_an_answer_is_looked_for_in_simplified_script_without_the_marks_around_it() -> None:
    assert answer_span("由住建局负责。", [" 住建局。"], "谁负责？") == (1, 4)
    assert answer_span("补贴22万元。", ["22萬元；"], "补贴多少？") == (2, 6)


@pytest.mark.parametrize("answers", [[], [""], ["。"], ["23万元"]])
def test_what_does_not_stand_there_has_no_place(answers: list[str]) -> None:
    assert answer_span("补贴22万元。", answers, "补贴多少？") is None


@given(
    st.text("甲乙丙，", max_size=60), st.text("甲乙丙", min_size=1, max_size=3), st.text("甲乙丙", max_size=6)
)
def test_a_place_holds_the_answer(text: str, answer: str, question: str) -> None:
    found = answer_span(text, [answer], question)
    assert (found is not None) == (answer in text)
    if found is not None:
        assert text[slice(*found)] == answer
