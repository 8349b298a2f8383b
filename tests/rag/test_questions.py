from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import QuestionError
from rag.questions import also_called, analyse, coverage, embedding_text
from rag.text import fold


@pytest.mark.parametrize("text", ["", "   ", "？！", "\u200b", "……", "\n\t"])
def test_a_question_without_a_letter_or_digit_is_refused(text: str) -> None:
    with pytest.raises(QuestionError, match="empty"):
        analyse(text, 2000)


def test_a_question_that_is_too_long_is_refused_with_both_lengths() -> None:
    with pytest.raises(QuestionError, match=r"50,000 characters; the limit is 2,000"):
        analyse("问" * 50_000, 2000)


def test_words_that_only_shape_the_question_carry_no_weight() -> None:
    assert set(analyse("住建局承诺了什么？", 2000).weights) == set()
    assert set(analyse("What did the housing bureau promise about parking?", 2000).weights) == {"park"}


def test_a_body_is_known_and_called_as_it_was() -> None:
    question = analyse("What did the Housing Bureau promise?", 2000)
    assert [body.name for body in question.bodies] == ["住房和城乡建设局"]
    assert question.called == ("housing bureau",)


def test_years_and_quoted_names_are_told() -> None:
    question = analyse("2026年“大市民服务中心”建设由谁负责？", 2000)
    assert question.years == {"2026"}
    assert question.quoted == ("大市民服务中心",)


def test_coverage_knows_a_body_by_any_name_and_script() -> None:
    question = analyse("住房和城鄉建設局承諾了什麼？", 2000)
    assert coverage(question, fold("區住建局局長表示")) == 1.0
    assert coverage(question, fold("区教育局局长表示")) < 0.5


def test_the_lexical_leg_looks_for_all_names_of_a_body() -> None:
    names = dict(also_called(analyse("What did the housing bureau promise?", 2000)))
    assert names["住房城乡建设局"] > names["housing department"]
    assert "housing bureau" not in names
    assert also_called(analyse("加装电梯补贴多少？", 2000)) == ()
    assert "住建局" in embedding_text(analyse("What did the housing bureau promise?", 2000))


def test_a_body_in_wrong_characters_is_known_and_told() -> None:
    question = analyse("區助建局承諾了什麼？", 2000)
    assert [body.name for body in question.bodies] == ["住房和城乡建设局"]
    assert question.called == ("住建局",)
    assert question.corrected == (("助建局", "住建局"),)
    assert question.text == "區助建局承諾了什麼？"
    assert not any("建局" in word for word in question.weights)
    assert "住建局" in embedding_text(question)
    assert "助建局" not in embedding_text(question)
    assert "住房城乡建设局" in dict(also_called(question))


def test_bodies_typed_right_and_wrong_keep_their_order() -> None:
    question = analyse("助建局和教育局", 2000)
    assert question.called == ("住建局", "教育局")
    assert question.corrected == (("助建局", "住建局"),)


def test_what_is_typed_right_is_not_corrected() -> None:
    assert analyse("住建局和交通局的局长是谁？", 2000).corrected == ()


@given(st.text(max_size=60), st.text(max_size=60))
def test_coverage_is_a_share(text: str, document: str) -> None:
    try:
        question = analyse(text, 2000)
    except QuestionError:
        return
    assert 0.0 <= coverage(question, fold(document)) <= 1.0 + 1e-9
