from __future__ import annotations

import pytest

from rag.questions import analyse
from rag.rewriting import leans, rewrite
from rag.types import Turn


def rewritten(question: str, *turns: str) -> str:
    history = [Turn("user" if i % 2 == 0 else "assistant", text) for i, text in enumerate(turns)]
    return rewrite(analyse(question, 2000), history, 2000).standalone


def test_a_body_is_exchanged_in_the_question_before() -> None:
    assert rewritten("那教育局呢？", "住建局承诺了什么？", "改造老旧小区。") == "教育局承诺了什么？"
    assert rewritten("What about the finance bureau?", "What did the housing bureau promise?", "…") == (
        "What did the the finance bureau promise?"
    ).replace("the the", "the")


def test_a_pronoun_is_joined_to_the_question_before() -> None:
    assert rewritten("他还说了什么？", "住建局局长是谁？", "田禾。") == "住建局局长是谁？ 他还说了什么？"


def test_a_chain_goes_back_to_the_question_that_stood_alone() -> None:
    found = rewritten("那它呢？", "加装电梯补贴多少？", "22万元。", "它什么时候截止？", "9月30日。")
    assert "加装电梯补贴多少" in found


@pytest.mark.parametrize(
    "question", ["住建局承诺了什么？", "加装电梯补贴标准是多少？", "住建局局长是谁？他说了什么？"]
)
def test_a_question_that_stands_alone_is_left_as_it_is(question: str) -> None:
    assert not leans(analyse(question, 2000))
    assert rewritten(question, "文旅局承诺了什么？", "音乐节。") == question


def test_without_history_nothing_changes() -> None:
    assert rewritten("那教育局呢？") == "那教育局呢？"


def test_the_result_is_never_longer_than_a_question_may_be() -> None:
    history = [Turn("user", "长" * 5000), Turn("assistant", "…")]
    assert len(rewrite(analyse("它呢？", 2000), history, 2000).standalone) <= 2000
