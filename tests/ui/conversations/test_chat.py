"""Kept conversations without a browser: restored with their history, asked again, edited, deleted in use."""

from __future__ import annotations

import dataclasses
import hashlib
import threading

import httpx
import pytest

from rag.errors import EndpointUnreachable
from rag.types import Answer, Filters, Turn
from ui.app import build_app, close, launch
from ui.conversations.store import ConversationStore
from ui.conversations.users import COOKIE, user_of
from ui.conversing import Conversations
from ui.session import Session, View
from ui.texts import TEXTS

ZH = TEXTS["zh-Hans"]
Q = "住建局承诺了什么？"
ME, OTHER = (hashlib.sha256(name).hexdigest() for name in (b"me", b"other"))


@pytest.fixture
def conversations(scripted, settings) -> Conversations:
    return Conversations(scripted, settings)


@pytest.fixture
def store(settings) -> ConversationStore:
    return ConversationStore(settings.home / "conversations")


def page(conversations, user: str = ME) -> tuple[Session, View]:
    session = Session()
    return session, conversations.open(session, "zh-Hans", user)


def after(views) -> View:
    shown = View()
    for view in views:
        shown = view.over(shown)
    return shown


def test_a_new_page_shows_the_last_conversation_and_a_follow_up_knows_it(
    scripted, settings, conversations, answer
):
    scripted.scripts = {Q: [answer], "什么时候？": [answer]}
    session, _ = page(conversations)
    session.filters = Filters(since="2024")
    after(conversations.ask(session, Q))
    # Another process over the same library.
    again = Conversations(scripted, settings)
    session, view = page(again)
    assert 'id="wz-1-source-1"' in view.live_sources
    assert 'data-turn="1"' in view.live
    assert view.welcome == ""
    assert session.filters == Filters(since="2024")
    after(again.ask(session, "什么时候？"))
    assert scripted.histories[-1] == (Turn("user", Q), Turn("assistant", answer.text))
    _, other = page(again, OTHER)
    assert other.welcome
    assert not other.live
    assert Q not in str(other).replace(other.welcome, "")


def test_a_browser_without_a_cookie_is_told_and_answered(scripted, conversations, answer, settings):
    scripted.scripts[Q] = [answer]
    session, view = page(conversations, "")
    assert ZH.history_cookie in view.unkept
    assert 'data-phase="done"' in after(conversations.ask(session, Q)).live
    assert not (settings.home / "conversations").exists()


@pytest.mark.parametrize("action", ["open", "rename", "delete"])
def test_anothers_conversation_is_not_there(scripted, conversations, store, answer, action):
    scripted.scripts[Q] = [answer]
    session, _ = page(conversations)
    after(conversations.ask(session, Q))
    id_ = session.kept.conversation
    thief, _ = page(conversations, OTHER)
    view = conversations.browse(thief, {"action": action, "id": id_, "title": "我的"}, OTHER)
    assert ZH.history_gone in view.history
    assert thief.current is None
    assert store.load(ME, id_).title == Q


@pytest.mark.parametrize("sent", [None, [], "x", {"action": 1, "id": {}, "query": []}, {"action": "open"}])
def test_whatever_the_page_sends_lists_at_most(scripted, conversations, answer, sent):
    scripted.scripts[Q] = [answer]
    session, _ = page(conversations)
    after(conversations.ask(session, Q))
    assert Q in conversations.browse(session, sent, ME).history
    assert list(conversations.again(session, sent)) == []
    assert session.current.phase == "done"


def test_asking_again_replaces_the_answer_and_does_not_know_itself(scripted, conversations, store, answer):
    scripted.scripts[Q] = [answer]
    session, _ = page(conversations)
    after(conversations.ask(session, Q))
    first = session.current.id
    scripted.scripts[Q] = [dataclasses.replace(answer, text="改了[1]。")]
    view = after(conversations.again(session, {"action": "again", "answer": first}))
    assert view.box is None, "what has been typed stays"
    assert scripted.histories == [(), ()]
    assert session.past == []
    (kept,) = store.load(ME, session.kept.conversation).exchanges
    assert (kept.answer.text, kept.number) == ("改了[1]。", 1)
    assert list(conversations.again(session, {"action": "again", "answer": first})) == [], "that is gone"


def test_an_answer_gives_way_only_to_an_answer(scripted, conversations, store, answer):
    scripted.scripts[Q] = [answer]
    session, _ = page(conversations)
    after(conversations.ask(session, Q))
    scripted.scripts[Q] = [EndpointUnreachable("Nothing answers.", "Start it.")]
    view = after(conversations.again(session, {"action": "again", "answer": session.current.id}))
    assert answer.text[:6] in view.past
    assert 'data-turn="2" data-phase="failed"' in view.live
    kept = store.load(ME, session.kept.conversation).exchanges
    assert [one.phase for one in kept] == ["done", "failed"]


def test_an_edited_question_takes_the_place_of_the_last(scripted, conversations, store, answer):
    scripted.scripts = {Q: [answer], "甲": [answer], "乙": [answer], "丙": [answer]}
    session, _ = page(conversations)
    for question in (Q, "甲"):
        after(conversations.ask(session, question))
    (view,) = conversations.again(session, {"action": "edit", "answer": session.current.id})
    assert view.box == "甲"
    assert ZH.editing in view.editing
    view = after(conversations.ask(session, "乙"))
    assert view.editing == ""
    assert [one.question for one in session.exchanges] == [Q, "乙"]
    assert scripted.histories[-1] == (Turn("user", Q), Turn("assistant", answer.text))
    (view,) = conversations.again(session, {"action": "edit", "answer": session.current.id})
    (view,) = conversations.again(session, {"action": "cancel"})
    assert (view.editing, view.box) == ("", "")
    after(conversations.ask(session, "丙"))
    assert [one.question for one in store.load(ME, session.kept.conversation).exchanges] == [Q, "乙", "丙"]


def test_a_conversation_left_in_mid_answer_keeps_its_question_and_the_new_one_is_apart(
    scripted, conversations, store, answer
):
    scripted.scripts = {Q: [answer, threading.Event()], "甲": [answer]}
    session, _ = page(conversations)
    views = conversations.ask(session, Q)
    while session.current is None or session.current.answer is None:
        next(views)
    first = session.kept.conversation
    conversations.reset(session)
    list(views)
    after(conversations.ask(session, "甲"))
    assert session.kept.conversation != first
    (left,) = store.load(ME, first).exchanges
    assert (left.question, left.phase) == (Q, "stopped")
    assert [one.question for one in store.load(ME, session.kept.conversation).exchanges] == ["甲"]


def test_deleting_what_is_on_the_page_clears_it(scripted, conversations, store, answer):
    scripted.scripts[Q] = [answer]
    session, _ = page(conversations)
    after(conversations.ask(session, Q))
    view = conversations.browse(session, {"action": "delete", "id": session.kept.conversation}, ME)
    assert view.live == ""
    assert view.welcome
    assert ZH.history_empty in view.history
    after(conversations.ask(session, Q))
    assert len(store.list(ME).conversations) == 1


def test_one_deleted_elsewhere_goes_on_unkept(scripted, conversations, store, answer):
    scripted.scripts[Q] = [answer]
    session, _ = page(conversations)
    after(conversations.ask(session, Q))
    store.delete(ME, session.kept.conversation)
    view = after(conversations.ask(session, Q))
    assert 'data-phase="done"' in view.live
    assert ZH.unkept_gone in view.unkept
    assert store.list(ME).conversations == ()


def test_a_verdict_is_there_again(scripted, conversations, answer):
    scripted.scripts[Q] = [answer]
    session, _ = page(conversations)
    after(conversations.ask(session, Q))
    conversations.rate(session, {"answer": session.current.id, "verdict": "up"})
    session, view = page(conversations)
    assert session.current.verdict == "up"
    assert 'data-rate="up"' in view.live
    assert conversations.rate(session, {"answer": session.current.id, "verdict": "none"}).rated


def test_titles_and_searches_are_escaped(scripted, conversations, answer):
    question = "<img src=x onerror=1>\"'"
    scripted.scripts[question] = [dataclasses.replace(answer, question=question)]
    session, _ = page(conversations)
    after(conversations.ask(session, question))
    view = conversations.browse(session, {"action": "list", "query": "onerror"}, ME)
    assert "<img" not in view.history
    assert "&lt;img src=x onerror=1&gt;" in view.history


@pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated")
@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated")
def test_the_route_gives_a_conversation_to_its_cookie_alone(scripted, settings, store, answer):
    app = build_app(scripted, settings)
    url = launch(app, settings, block=False)
    try:
        with httpx.Client(base_url=url) as mine, httpx.Client(base_url=url) as theirs:
            given = mine.get("/").headers["set-cookie"]
            theirs.get("/")
            assert f"{COOKIE}=" in given
            assert "HttpOnly" in given
            assert mine.cookies[COOKIE] != theirs.cookies[COOKIE]
            held = mine.cookies[COOKIE]
            mine.get("/")
            assert mine.cookies[COOKIE] == held
            session, _ = page(Conversations(scripted, settings), user_of({COOKIE: held}))
            scripted.scripts[Q] = [answer]
            after(Conversations(scripted, settings).ask(session, Q))
            path = f"/wenzheng/conversations/{session.kept.conversation}/export"
            for kind in ("md", "html", "docx"):
                response = mine.get(path, params={"format": kind})
                assert response.status_code == 200
                assert response.headers["content-disposition"].startswith("attachment; ")
                assert response.headers["x-content-type-options"] == "nosniff"
                assert "sandbox" in response.headers["content-security-policy"]
                assert theirs.get(path, params={"format": kind}).status_code == 404
            assert answer.text in mine.get(path).text
            assert mine.get(path, params={"format": "exe"}).status_code == 404
            assert mine.post(path).status_code == 404
            assert httpx.get(url.rstrip("/") + path).status_code == 404
            for odd in ("../x/export", f"{'0' * 32}/export", "%2e%2e%2fx/export", "export"):
                assert mine.get(f"/wenzheng/conversations/{odd}").status_code == 404
    finally:
        close(app)


def test_a_stopped_question_is_kept_with_what_there_is(scripted, conversations, store, answer):
    half = Answer(Q, "zh-Hans", text=answer.text[:6], passages=answer.passages)
    scripted.scripts[Q] = [half, threading.Event()]
    session, _ = page(conversations)
    views = conversations.ask(session, Q)
    while session.current is None or session.current.answer is None:
        next(views)
    # The browser has gone: Gradio closes the generator.
    views.close()
    (kept,) = store.load(ME, session.kept.conversation).exchanges
    assert (kept.phase, kept.answer) == ("stopped", half)


def test_questions_to_go_on_with_stand_under_the_last_answer(conversations, scripted, answer) -> None:
    scripted.suggested = ("教育局承诺了什么？", "<b>谁</b>？")
    scripted.scripts["q"] = [answer]
    session, _ = page(conversations)
    last = [view.last for view in conversations.ask(session, "q") if view.last][-1]
    assert 'data-ask="教育局承诺了什么？"' in last
    assert "<b>" not in last
    assert "&lt;b&gt;谁" in last
