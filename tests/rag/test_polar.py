"""Yes and no: which questions ask for them, and what they assert."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.checking import check
from rag.polar import asks_yes_or_no, asserted, polarity
from rag.questions import analyse
from rag.types import Chunk, Passage, Source


@pytest.mark.parametrize(
    ("question", "yes", "no"),
    [
        ("徐某在车祸后是否被送至医院？", "徐某在车祸后被送至医院", "徐某在车祸后未被送至医院"),
        ("管某参与殴打了吗？", "管某参与殴打", "没有管某参与殴打"),
        ("這間學校受不受限制", "这间学校受限制", "这间学校不受限制"),
        ("台风有没有造成人员死亡？", "台风有造成人员死亡", "台风没有造成人员死亡"),
        ("外地人能否申请补贴？", "外地人能申请补贴", "外地人不能申请补贴"),
        ("他去了没有？", "他去", "没有他去"),
    ],
)
def test_yes_and_no_assert_what_is_asked_and_its_contrary(question: str, yes: str, no: str) -> None:
    assert asks_yes_or_no(question)
    assert asserted(question, "是的。[1]") == yes
    assert asserted(question, "否") == no


@pytest.mark.parametrize(
    "question", ["补贴多少？", "什么时候能申请吗", "是男还是女？", "谁是不是局长", "How many?", ""]
)
def test_other_questions_are_not_answered_so(question: str) -> None:
    assert not asks_yes_or_no(question)
    assert asserted(question, "是") == ""


def test_an_answer_that_says_more_speaks_for_itself() -> None:
    assert asserted("外地人能否申请补贴？", "可以，凭居住证申请。") == ""


@pytest.mark.parametrize(
    ("answer", "polar"),
    [
        ("是", "yes"),
        ("可以，凭居住证申请[1]。", "yes"),
        ("否。", "no"),
        ("不能", "no"),
        ("未参与", ""),
        ("22万元", ""),
        ("", ""),
    ],
)
def test_the_first_word_tells(answer: str, polar: str) -> None:
    assert polarity(answer) == polar


@pytest.mark.parametrize(
    ("question", "answer", "text", "verdict"),
    [
        ("管某是否参与了殴打？", "是", "经查，管某参与了殴打被害人。", "supported"),
        ("管某是否参与了殴打？", "否", "经查，管某参与了殴打被害人。", "unsupported"),
        ("管某是否参与了殴打？", "是", "经查，管某未参与殴打被害人。", "unsupported"),
        ("管某是否参与了殴打？", "否", "经查，管某未参与殴打被害人。", "supported"),
        ("管某是否参与了殴打？", "是", "会议由区长主持，是一次重要的会议。", "unsupported"),
        ("补贴多少？", "是", "补贴是22万元。", "not_a_claim"),
    ],
)
def test_a_bare_yes_or_no_is_held_against_the_document(
    question: str, answer: str, text: str, verdict: str
) -> None:
    source = Source("d", "/d.txt", "判决书", "0" * 64, "text/plain")
    one = Passage(Chunk("d", 0, 0, len(text), text), source, 1.0)
    (sentence,) = check(answer, analyse(question, 2000), [one], None).checked
    assert sentence.verdict == verdict
    assert sentence.text == answer


@given(
    st.text(alphabet="是否有没不能吗管某参与了？。", max_size=30),
    st.sampled_from(["是", "否", "没有", "可以"]),
)
def test_any_question_can_be_asked(question: str, answer: str) -> None:
    assert isinstance(asserted(question, answer), str)
