from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import prompts
from rag.questions import analyse
from rag.rewriting import (
    Rewritten,
    as_standalone,
    leans,
    rewrite,
    rewrite_with_model,
    standing_alone,
    trusted,
)
from rag.types import Turn

MOST = 2000


def turns(*texts: str) -> list[Turn]:
    return [Turn("user" if i % 2 == 0 else "assistant", text) for i, text in enumerate(texts)]


def made(question: str, *texts: str) -> Rewritten:
    return rewrite(analyse(question, MOST), turns(*texts), MOST)


def rewritten(question: str, *texts: str) -> str:
    return made(question, *texts).standalone


@pytest.mark.parametrize(
    ("question", "before", "expected"),
    [
        ("那教育局呢？", "住建局承诺了什么？", "教育局承诺了什么？"),
        ("那教育局呢？", "住建局承諾了什麼？", "教育局承諾了什麼？"),
        (
            "What about the finance bureau?",
            "What did the housing bureau promise?",
            "What did the finance bureau promise?",
        ),
        ("那2025年呢？", "2024年的财政预算是多少？", "2025年的财政预算是多少？"),
        ("《春江图》呢？", "《夏荷图》是谁画的？", "《春江图》是谁画的？"),
    ],
)
def test_what_an_elliptic_question_names_is_exchanged(question: str, before: str, expected: str) -> None:
    assert rewritten(question, before, "……[1]。") == expected


@pytest.mark.parametrize(
    ("question", "before", "answer", "expected"),
    [
        ("他还说了什么？", "住建局局长是谁？", "田禾[1]。", "田禾还说了什么？"),
        ("他们什么时候完成？", "住建局承诺了什么？", "改造小区28个[1]。", "住建局什么时候完成？"),
        ("它的票价是多少", "知道云湖海洋馆吗？", "在青荷路[1]。", "云湖海洋馆的票价是多少"),
        ("票价多少", "知道云湖海洋馆吗？", "在青荷路[1]。", "云湖海洋馆票价多少"),
        ("電話是多少？", "教育局承諾了什麼？", "新建學校[1]。", "教育局電話是多少？"),
        ("那裡幾點開門？", "介紹一下雲湖海洋館", "在青荷路[1]。", "雲湖海洋館幾點開門？"),
        (
            "What is its budget?",
            "What did the housing bureau promise?",
            "28 estates [1].",
            "What is the housing bureau's budget?",
        ),
    ],
)
def test_a_name_is_put_where_the_question_leans_on_it(
    question: str, before: str, answer: str, expected: str
) -> None:
    found = made(question, before, answer)
    assert (found.standalone, found.by, found.resolved) == (expected, "named", True)


def test_the_name_is_given_in_the_script_of_the_question() -> None:
    assert rewritten("電話是多少？", "住建局办公室在哪里，负责什么？", "……") == "住建局電話是多少？"


def test_the_name_is_put_into_the_part_that_asks() -> None:
    found = rewritten("嗯，知道了，那门票多少钱？", "介绍一下云湖海洋馆", "在青荷路。")
    assert found == "嗯，知道了，那云湖海洋馆门票多少钱？"


def test_the_thing_that_was_named_last_counts() -> None:
    texts = ("知道云湖海洋馆吗？", "在青荷路。", "《湖畔音乐节》什么时候举行？", "六月。")
    assert rewritten("它的票价是多少？", *texts) == "《湖畔音乐节》的票价是多少？"


def test_what_is_only_told_of_a_thing_is_not_what_is_asked_about() -> None:
    texts = ("介绍一下云湖海洋馆", "云湖海洋馆位于浙江省，云湖海洋馆很大。")
    assert rewritten("它的票价是多少？", *texts) == "云湖海洋馆的票价是多少？"


def test_a_refusal_gives_no_name() -> None:
    for by_script in prompts.REASONS.values():
        for text in by_script.values():
            refusal = text.format(names="水务局", count="3", topic="水务局", what="是谁")
            assert "水务局" not in rewritten("他们什么时候完成？", "计划多久完成？", refusal)
    assert rewritten(
        "电话是多少？",
        "住建局在哪？",
        prompts.reason("topic_silent", "zh-Hans", topic="水务局", what="在哪里"),
    ) == ("住建局电话是多少？")


def test_without_a_name_the_question_is_joined_to_the_one_before() -> None:
    found = made("它什么时候截止？", "加装电梯补贴多少？", "22万元[1]。")
    assert found == Rewritten(
        "加装电梯补贴多少？ 它什么时候截止？", "加装电梯补贴多少？", leaning=True, by="joined"
    )
    assert not found.resolved
    english = made("When will it open?", "Where is the new library?", "On Lake Road [1].")
    assert english.standalone == "Where is the new library? When will it open?"


def test_a_chain_goes_back_to_the_question_that_stood_alone() -> None:
    found = rewritten("那它呢？", "加装电梯补贴多少？", "22万元。", "它什么时候截止？", "9月30日。")
    assert "加装电梯补贴多少" in found


@pytest.mark.parametrize(
    "question",
    [
        "住建局承诺了什么？",
        "加装电梯补贴标准是多少？",
        "住建局局长是谁？他说了什么？",
        "什么是装配式建筑？",
        "《湖畔音乐节》的票价是多少？",
        "老年人乘车免费吗？",
        "老人摔伤了，他的医药费由谁出？",
        "为什么要建立这样的制度，装配式建造有什么好处？",
        "What did the housing bureau promise?",
        "How do bumblebees tell their nestmates about food?",
        "How long does it take to get a permit for a lift?",
        "谢谢！",
        "thank you very much",
    ],
)
def test_a_question_that_stands_alone_is_left_as_it_is(question: str) -> None:
    found = made(question, "知道云湖海洋馆吗？", "文旅局局长白露表示要办音乐节。")
    assert (found.standalone, found.by, found.resolved) == (question, "none", True)


def test_without_history_nothing_changes() -> None:
    assert rewritten("那教育局呢？") == "那教育局呢？"
    assert rewritten("那教育局呢？", "？", "……") == "那教育局呢？"


def test_the_question_keeps_its_script() -> None:
    asked = analyse("它呢？", MOST)
    found = as_standalone(asked, Rewritten("What is it? 它呢？", "", leaning=True, by="joined"), MOST)
    assert found.script == asked.script
    assert standing_alone("那教育局呢？", turns("住建局承诺了什么？"), MOST).text == "教育局承诺了什么？"


def test_far_turns_and_far_text_do_not_count() -> None:
    filler = ["好。"] * 40
    assert "云湖海洋馆" not in rewritten("它的票价是多少？", "知道云湖海洋馆吗？", "好。", *filler)
    long = "好" * 5000 + "知道云湖海洋馆吗？"
    assert "云湖海洋馆" not in rewritten("它的票价是多少？", long, "好。")


TEXTS = st.lists(
    st.text(alphabet="他它这那的呢吗？，。《》“[1]·田禾住建局票价多少 ab它Whatits'\n票價這們", max_size=30),
    max_size=6,
)


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.text(alphabet="他它这那的呢？，。《》田禾住建局票价多少 abit'這們", min_size=1, max_size=20))
def test_any_conversation_gives_a_question_of_bounded_length(texts: list[str], question: str) -> None:
    if not any(char.isalnum() for char in question):
        return
    asked = analyse(question, 40)
    found = rewrite(asked, turns(*texts), 40)
    assert 0 < len(found.standalone) <= 40
    assert (found.by == "none") == (found.standalone == asked.text) or found.leaning
    if not leans(asked):
        assert found.standalone == asked.text


HISTORY = turns("加装电梯补贴多少？", "每台22万元[1]。")
QUESTION = analyse("它什么时候截止？", MOST)


@pytest.mark.parametrize("said", ["加装电梯补贴什么时候截止？", " 改写后：加装电梯补贴什么时候截止？\n"])
def test_a_trusted_word_of_the_model_is_taken(scripted: Any, said: str) -> None:
    model = scripted(said)
    found = rewrite_with_model(model, QUESTION, HISTORY, MOST)
    assert found is not None
    assert (found.standalone, found.by, found.resolved) == ("加装电梯补贴什么时候截止？", "model", True)
    assert "它什么时候截止" in model.asked[0][1].content
    assert "[1]" not in model.asked[0][1].content


@pytest.mark.parametrize(
    "said",
    [
        "",
        "加装电梯补贴多少？",  # loses what was asked
        "公积金什么时候截止？",  # has a word from nowhere
        "加装电梯补贴什么时候截止？\n9月30日。",
        "加装电梯补贴什么时候截止？" * 20,
        "9月30日截止。",
    ],
)
def test_an_untrusted_word_of_the_model_is_not_taken(scripted: Any, said: str) -> None:
    assert rewrite_with_model(scripted(said), QUESTION, HISTORY, MOST) is None


def test_the_model_is_not_asked_about_nothing_nor_believed_when_stopped(scripted: Any) -> None:
    assert rewrite_with_model(scripted(), QUESTION, [], MOST) is None
    stop = threading.Event()
    stop.set()
    assert rewrite_with_model(scripted("加装电梯补贴什么时候截止？"), QUESTION, HISTORY, MOST, stop) is None


def test_a_body_of_the_question_must_stay() -> None:
    asked = analyse("教育局它什么时候截止？", MOST)
    assert trusted("教育局补贴什么时候截止？", asked, turns("补贴"), MOST)
    assert not trusted("补贴什么时候截止？", asked, turns("补贴"), MOST)


@pytest.mark.parametrize(
    ("setting", "asked", "standalone"),
    [
        ("rules", 0, "加装电梯补贴多少？ 它什么时候截止？"),
        ("model", 1, "加装电梯补贴什么时候截止？"),
        ("off", 0, "它什么时候截止？"),
    ],
)
def test_the_setting_decides(make_pipeline: Any, setting: str, asked: int, standalone: str) -> None:
    pipeline = make_pipeline("加装电梯补贴什么时候截止？", rewrite=setting)
    assert pipeline.standalone("它什么时候截止？", HISTORY).text == standalone
    assert len(pipeline.model.asked) == asked
    assert pipeline.standalone("住建局承诺了什么？", HISTORY).text == "住建局承诺了什么？"
    assert len(pipeline.model.asked) == asked


@pytest.fixture
def scripted(make_pipeline: Any) -> Any:
    """A chat model that says what the test gives."""

    def make(*replies: str) -> Any:
        return make_pipeline(*replies).model

    return make


def test_rewriting_reads_its_history_only(scripted: Any) -> None:
    history: Sequence[Turn] = tuple(HISTORY)
    rewrite_with_model(scripted("x"), QUESTION, history, MOST)
    assert history == tuple(HISTORY)


@pytest.mark.parametrize(
    ("earlier", "question", "expected"),
    [
        ("助建局承诺了什么？", "那教育局呢？", "教育局承诺了什么？"),
        ("住建局承诺了什么？", "那教誉局呢？", "教育局承诺了什么？"),
        ("區助建局承諾了什麼？", "那教育局呢？", "區教育局承諾了什麼？"),
    ],
)
def test_a_body_in_wrong_characters_is_exchanged_like_one_typed_right(
    earlier: str, question: str, expected: str
) -> None:
    found = rewrite(analyse(question, 2000), [Turn("user", earlier), Turn("assistant", "……")], 2000)
    assert found.standalone == expected
