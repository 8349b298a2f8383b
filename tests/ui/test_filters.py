"""Filters on the page: shown, set, removed, and never taken from what is not a filter."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from rag.types import Answer, Filters
from ui.conversing import Conversations
from ui.rendering import Exchange, render_chosen, render_exchange, render_exchanges, render_filter_form
from ui.session import Session, View
from ui.texts import TEXTS

ZH, EN = TEXTS["zh-Hans"], TEXTS["en"]
HOUSING, SCHOOLS = "住房和城乡建设局", "教育局"
BOTH = Filters((HOUSING,), since="2024")
Q = "住建局承诺了什么？"


def page_after(views) -> View:
    """What is on the page after all these views."""
    shown = View()
    for view in views:
        shown = view.over(shown)
    return shown


def done(answer: Answer, filters: Filters = BOTH, **changes: Any) -> Exchange:
    return Exchange(1, Q, "done", replace(answer, filters=filters, **changes), id="a1")


def test_each_filter_in_force_is_named_with_a_button_that_removes_it(answer: Answer) -> None:
    html = render_exchange(done(answer), "zh-Hans")
    assert "住建局" in html
    assert "2024年以来" in html
    assert f'data-refine="body:{HOUSING}" data-answer="a1"' in html
    assert 'data-refine="dates"' in html
    assert f'aria-label="{ZH.filter_remove.format(name="住建局")}"' in html
    english = render_exchange(done(answer), "en")
    assert "Housing bureau" in english
    assert EN.filter_remove.format(name="Since 2024") in english


def test_without_filters_nothing_is_shown(answer: Answer) -> None:
    assert "wz-chip" not in render_exchange(done(answer, Filters()), "zh-Hans")


def test_only_the_newest_whole_answers_filters_can_be_removed(answer: Answer) -> None:
    past = render_exchanges([done(answer)], "zh-Hans")
    writing = render_exchange(replace(done(answer), phase="writing"), "zh-Hans")
    for html in (past, writing):
        assert "住建局" in html
        assert "data-refine" not in html


def test_documents_left_out_for_their_missing_date_are_counted_unless_the_refusal_says_it(
    answer: Answer,
) -> None:
    assert "另有3份文件" in render_exchange(done(answer, undated=3), "zh-Hans")
    refused = done(answer, undated=3, outcome="refused", text="无。", reason="无。")
    assert "另有3份文件" not in render_exchange(refused, "zh-Hans")


def test_names_stay_text(answer: Answer) -> None:
    hostile = Filters(('"><img src=x>',), "<b>王</b>", "2024")
    chips = (
        render_exchange(done(answer, hostile), "en")
        + render_chosen(hostile, "en")
        + render_filter_form(hostile.bodies, "en")
    )
    assert "<img" not in chips
    assert "<b>" not in chips


def test_the_form_offers_the_librarys_bodies() -> None:
    html = render_filter_form((SCHOOLS, HOUSING), "zh-Hant")
    assert re.findall('<option value="([^"]*)"', html) == ["", SCHOOLS, HOUSING]
    assert html.count('type="date"') == 2
    assert "<select" not in render_filter_form((), "zh-Hans")


@pytest.fixture
def conversations(scripted, settings) -> Conversations:
    return Conversations(scripted, settings)


@pytest.fixture
def session(conversations) -> Session:
    session = Session()
    conversations.open(session, "zh-Hans")
    return session


def test_filters_set_by_hand_hold_until_they_are_removed(scripted, conversations, session, answer) -> None:
    scripted.scripts[Q] = [answer]
    view = conversations.narrow(session, {"body": HOUSING, "since": "2024-01-01", "until": ""})
    assert "2024年1月1日以来" in view.chosen
    assert f'data-body="{HOUSING}" data-since="2024-01-01" data-until=""' in view.chosen
    page_after(conversations.ask(session, Q))
    page_after(conversations.ask(session, Q))
    conversations.narrow(session, {"drop": "dates"})
    page_after(conversations.ask(session, Q))
    by_hand = Filters((HOUSING,), since="2024-01-01")
    assert scripted.filters == [(by_hand, True), (by_hand, True), (Filters((HOUSING,)), True)]
    view = conversations.reset(session)
    assert "wz-chip" not in view.chosen
    page_after(conversations.ask(session, Q))
    assert scripted.filters[-1] == (Filters(), True)


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "x",
        {"body": "不存在局"},
        {"body": 3},
        {"since": "2024-99-01"},
        {"since": ["2024"]},
        {"since": "2025-01-01", "until": "2024-01-01"},
    ],
)
def test_what_is_no_filter_sets_none(conversations, session, sent) -> None:
    conversations.narrow(session, {"body": SCHOOLS})
    view = conversations.narrow(session, sent)
    if isinstance(sent, dict):
        assert session.filters == Filters((SCHOOLS,))
        assert ZH.filter_unknown in view.hint or ZH.filter_order in view.hint
    else:
        assert session.filters == Filters()


def test_removing_a_filter_asks_again_without_it(scripted, conversations, session, answer) -> None:
    scripted.scripts[Q] = [replace(answer, filters=BOTH)]
    conversations.narrow(session, {"body": HOUSING})
    page_after(conversations.ask(session, Q))
    view = page_after(
        conversations.refine(session, {"answer": session.current.id, "part": f"body:{HOUSING}"})
    )
    assert scripted.asked == [Q, Q]
    assert scripted.filters[-1] == (Filters(since="2024"), False)
    assert session.filters == Filters()
    assert "wz-chip" not in view.chosen
    assert 'data-turn="2"' in view.live


@pytest.mark.parametrize(
    "sent", [None, {}, {"answer": "other", "part": "dates"}, {"part": "speaker"}, {"part": []}]
)
def test_what_names_no_filter_of_the_conversation_is_refused(
    scripted, conversations, session, answer, sent
) -> None:
    scripted.scripts[Q] = [replace(answer, filters=BOTH)]
    page_after(conversations.ask(session, Q))
    if isinstance(sent, dict) and "answer" not in sent:
        sent["answer"] = session.current.id
    (view,) = conversations.refine(session, sent)
    assert ZH.filter_unknown in view.hint
    assert scripted.asked == [Q]


def test_a_removed_restriction_does_not_come_back_with_the_next_question(
    scripted, conversations, session, answer
) -> None:
    question = "2024年以来要改造多少老旧小区？"
    scripted.scripts = {question: [replace(answer, filters=Filters(since="2024"))], Q: [answer]}
    page_after(conversations.ask(session, question))
    page_after(conversations.refine(session, {"answer": session.current.id, "part": "dates"}))
    page_after(conversations.ask(session, Q))
    asked = [turn.text for turn in scripted.histories[-1] if turn.role == "user"]
    assert asked == [question, "要改造多少老旧小区？"]


def test_what_was_searched_for_is_told_where_it_is_not_what_was_typed(answer: Answer) -> None:
    asked = replace(answer, question="那教育局呢？", standalone="教育局<b>承诺了什么？", filters=Filters())
    html = render_exchange(done(asked), "zh-Hans")
    assert ZH.searched.format(question="教育局&lt;b&gt;承诺了什么？") in html
    same = replace(asked, standalone="那教育局呢？")
    assert ZH.searched.partition("{")[0] not in render_exchange(done(same), "zh-Hans")
