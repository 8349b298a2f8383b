"""The chat without a browser: streaming, stopping, sessions apart, errors as errors; the service."""

from __future__ import annotations

import copy
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from rag.errors import EndpointUnreachable, LibraryDamaged, QuestionError, SettingsError, WenzhengError
from rag.feedback import MAX_BETTER, FeedbackStore
from rag.settings import load_settings
from rag.types import Answer, Turn
from ui.app import build_app, close, launch
from ui.conversing import RATINGS, Conversations
from ui.runs import Line
from ui.session import Session, View
from ui.texts import TEXTS

ZH = TEXTS["zh-Hans"]
Q = "住建局承诺了什么？"


@pytest.fixture
def conversations(scripted, settings) -> Conversations:
    return Conversations(scripted, settings)


@pytest.fixture
def session(conversations) -> Session:
    session = Session()
    conversations.open(session, "zh-Hans")
    return session


def page_after(views) -> View:
    """What is on the page after all these views."""
    shown = View()
    for view in views:
        shown = view.over(shown)
    return shown


def wait_until(true, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.005)


def growing(answer: Answer) -> list[Answer]:
    found = Answer(answer.question, answer.script, passages=answer.passages)
    half = Answer(answer.question, answer.script, text=answer.text[:6], passages=answer.passages)
    return [found, half, answer]


# -- One question


def test_evidence_then_words_then_the_checked_answer(scripted, conversations, session, answer):
    found, half, whole = growing(answer)
    first, second = threading.Event(), threading.Event()
    scripted.scripts[Q] = [found, first, half, second, whole]
    views = conversations.ask(session, f"  {Q}\n")
    seen = View()

    def until(words: str) -> None:
        nonlocal seen
        while words not in (seen.live or "") + (seen.live_sources or ""):
            seen = next(views).over(seen)

    until(Q)
    assert seen.welcome == ""
    assert seen.box == ""
    assert seen.running is True
    until(ZH.sources_found)
    assert ZH.phase_reading in seen.live
    assert "报告.txt" in seen.live_sources
    first.set()
    until(half.text)
    assert ZH.phase_writing in seen.live
    second.set()
    seen = page_after([seen, *views])
    assert seen.running is False
    assert 'data-phase="done"' in seen.live
    assert "wz-1-source-1" in seen.live
    assert "<mark>" in seen.live_sources
    assert "28个" in seen.announcement
    assert scripted.closed == [Q]
    assert session.run is None


def test_views_name_only_what_changed(scripted, conversations, session, answer):
    scripted.scripts[Q] = growing(answer)
    _, *later = conversations.ask(session, Q)
    assert all(view.past is None and view.box is None and view.hint is None for view in later)
    assert all(view.running is None for view in later[:-1])


def test_many_words_are_few_updates(scripted, conversations, session, answer):
    scripted.scripts[Q] = [
        Answer(Q, "zh-Hans", text="字" * n, passages=answer.passages) for n in range(1, 2000)
    ] + [answer]
    assert len(list(conversations.ask(session, Q))) < 200


def test_a_model_that_loads_shows_the_evidence_at_once(scripted, conversations, session, answer, make):
    ready = threading.Event()
    scripted.model_status = make.status("loading")
    scripted.scripts[Q] = [growing(answer)[0], ready, answer]
    views = conversations.ask(session, Q)
    seen = View()
    while ZH.phase_loading not in (seen.live or ""):
        seen = next(views).over(seen)
    assert "报告.txt" in seen.live_sources
    assert ZH.model_loading in seen.status
    assert seen.polling is True
    scripted.model_status = make.status("ready")
    ready.set()
    seen = page_after([seen, *views])
    assert 'data-phase="done"' in seen.live
    assert seen.polling is False


def test_follow_ups_carry_the_answered_conversation_only(scripted, conversations, session, answer):
    scripted.scripts = {
        "甲": [answer],
        "乙": [EndpointUnreachable("x", "y")],
        "丙": [Answer("丙", "zh-Hans", outcome="refused", reason="没有提到。", done=True)],
        "丁": [answer],
    }
    pages = [page_after(conversations.ask(session, question)) for question in "甲乙丙丁"]
    told = (Turn("user", "甲"), Turn("assistant", answer.text))
    assert scripted.histories[:3] == [(), told, told]
    assert scripted.histories[3] == (*told, Turn("user", "丙"), Turn("assistant", "没有提到。"))
    last = pages[-1]
    assert [int(n) for n in re.findall(r'data-turn="(\d)" data-phase', last.past)] == [1, 2, 3]
    assert 'data-turn="4"' in last.live
    assert 'id="wz-1-source-1"' in last.past_sources


def test_the_history_has_an_end(scripted, conversations, session, answer):
    for n in range(12):
        scripted.scripts[str(n)] = [answer]
        list(conversations.ask(session, str(n)))
    assert len(scripted.histories[-1]) == 10
    assert scripted.histories[-1][0].role == "user"


# -- What is not answered


@pytest.mark.parametrize("question", ["", "   \n"])
def test_an_empty_question_asks_nothing(scripted, conversations, session, question):
    (view,) = conversations.ask(session, question)
    assert ZH.hint_empty in view.hint
    assert view.box is None, "what has been typed stays"
    assert scripted.asked == []


def test_a_question_that_is_too_long(scripted, conversations, session):
    (view,) = conversations.ask(session, "字" * 2001)
    assert "2001" in view.hint
    assert "2000" in view.hint
    assert scripted.asked == []


def test_an_error_of_the_service_is_shown_as_one(scripted, conversations, session, answer):
    scripted.scripts[Q] = [growing(answer)[0], EndpointUnreachable("Nothing answers at x.", "Start it.")]
    page = page_after(conversations.ask(session, Q))
    assert 'data-phase="failed"' in page.live
    assert all(
        part in page.live for part in (ZH.errors["EndpointUnreachable"], "Nothing answers at x.", "Start it.")
    )
    assert "报告.txt" in page.live_sources, "the evidence stays"
    assert page.running is False


def test_an_error_that_nobody_expected_is_shown_and_logged(scripted, conversations, session, caplog):
    scripted.scripts[Q] = [ValueError("secret detail")]
    page = page_after(conversations.ask(session, Q))
    assert ZH.errors["Unexpected"] in page.live
    assert "ValueError" in page.live
    assert "secret detail" not in page.live
    assert "secret detail" in caplog.text


def test_a_stream_without_an_end_is_an_error(scripted, conversations, session, answer, caplog):
    scripted.scripts[Q] = growing(answer)[:2]
    page = page_after(conversations.ask(session, Q))
    assert 'data-phase="failed"' in page.live
    assert session.history() == ()


def test_a_damaged_library_is_said_when_the_page_opens(scripted, conversations):
    scripted.library = LibraryDamaged("The catalog is gone.", "Restore it.")
    view = conversations.open(Session(), "zh-Hans")
    assert ZH.errors["LibraryDamaged"] in view.welcome
    assert "Restore it." in view.welcome


# -- Stopping


def test_stop_sets_the_event_and_closes_the_generator(scripted, conversations, session, answer):
    never = threading.Event()
    scripted.scripts[Q] = [*growing(answer)[:2], never]
    views = conversations.ask(session, Q)
    seen = View()
    while answer.text[:6] not in (seen.live or ""):
        seen = next(views).over(seen)
    (event,) = scripted.stops
    assert not event.is_set()
    conversations.stop(session)
    assert event.is_set()
    seen = page_after([seen, *views])
    assert 'data-phase="stopped"' in seen.live
    assert ZH.stopped_text in seen.live
    assert answer.text[:6] in seen.live
    assert seen.running is False
    wait_until(lambda: scripted.closed == [Q])
    assert session.history() == ()


def test_stop_acts_at_once_on_a_pipeline_that_does_not_listen(settings, answer):
    let_go = threading.Event()

    class Deaf:
        model_status = property(lambda self: type("S", (), {"state": "ready", "detail": ""})())
        closed = False

        def overview(self):
            raise LibraryDamaged("x")

        def stream(self, question, history=(), stop=None, **restrictions):
            try:
                yield growing(answer)[0]
                let_go.wait(10)
                yield answer
            finally:
                self.closed = True

    source, session = Deaf(), Session()
    conversations = Conversations(source, settings, places=1)
    views = conversations.ask(session, Q)
    while session.current is None or session.current.answer is None:
        next(views)
    began = time.monotonic()
    conversations.stop(session)
    assert 'data-phase="stopped"' in page_after(views).live
    assert time.monotonic() - began < 1
    # Its place is not free before it has let go.
    other = conversations.ask(Session(), "另一个问题")
    waiting = page_after([next(other), next(other)])
    assert ZH.phase_queued.format(ahead=1) in waiting.live
    other.close()
    let_go.set()
    wait_until(lambda: source.closed)


def test_a_browser_that_goes_stops_the_run(scripted, conversations, session, answer):
    scripted.scripts[Q] = [growing(answer)[0], threading.Event()]
    views = conversations.ask(session, Q)
    while not scripted.stops:
        next(views)
    views.close()
    assert scripted.stops[0].is_set()
    assert session.run is None
    wait_until(lambda: scripted.closed == [Q])


def test_a_new_conversation_stops_the_run_and_forgets(scripted, conversations, session, answer):
    scripted.scripts |= {"甲": [answer], "乙": [growing(answer)[0], threading.Event()], "丙": [answer]}
    list(conversations.ask(session, "甲"))
    views = conversations.ask(session, "乙")
    while len(scripted.stops) < 2:
        next(views)
    blank = conversations.reset(session)
    assert scripted.stops[1].is_set()
    assert blank.live == blank.past == blank.past_sources == ""
    assert blank.running is False
    assert Q in blank.welcome
    assert list(views) == [], "the stopped run writes nothing over the new conversation"
    list(conversations.ask(session, "丙"))
    assert scripted.histories[-1] == ()


def test_a_question_while_another_runs_is_held_back(scripted, conversations, session, answer):
    scripted.scripts[Q] = [growing(answer)[0], threading.Event()]
    views = conversations.ask(session, Q)
    next(views)
    (view,) = conversations.ask(session, "第二个")
    assert ZH.hint_running in view.hint
    views.close()


# -- Sessions and the line


def test_a_copy_of_a_session_is_a_new_one(session, conversations, scripted, answer):
    scripted.scripts[Q] = [answer]
    list(conversations.ask(session, Q))
    assert copy.deepcopy(session) == Session()


def test_two_sessions_do_not_mix(scripted, conversations, answer):
    scripted.scripts |= {"甲": [threading.Event()], "乙": [answer]}
    first, second = Session(), Session()
    conversations.open(first, "zh-Hans")
    conversations.open(second, "en")
    running = conversations.ask(first, "甲")
    while not scripted.stops:
        next(running)
    page = page_after(conversations.ask(second, "乙"))
    assert 'data-phase="done"' in page.live
    assert "甲" not in page.live
    assert TEXTS["en"].copy in page.live
    assert [event.is_set() for event in scripted.stops[:1]] == [False]
    conversations.stop(second)
    assert not scripted.stops[0].is_set()
    running.close()


def test_the_line_tells_its_place_and_moves_on(scripted, settings, answer):
    release = threading.Event()
    scripted.scripts = {"甲": [release, answer], "乙": [release, answer], "丙": [answer]}
    conversations = Conversations(scripted, settings, places=1)
    runs = [conversations.ask(Session(), question) for question in "甲乙丙"]
    pages = [page_after([next(views), next(views)]) for views in runs]
    assert [ZH.phase_queued.format(ahead=n) in page.live for n, page in enumerate(pages)] == [
        False,
        True,
        True,
    ]
    assert scripted.asked == ["甲"] or scripted.asked == []
    runs[1].close()  # who goes, leaves the line
    release.set()
    assert 'data-phase="done"' in page_after(runs[0]).live
    assert 'data-phase="done"' in page_after(runs[2]).live
    assert scripted.asked == ["甲", "丙"]


def test_stop_while_waiting_in_line(scripted, settings, answer):
    scripted.scripts["甲"] = [threading.Event()]
    conversations = Conversations(scripted, settings, places=1)
    first = conversations.ask(Session(), "甲")
    next(first)
    waiting = Session()
    views = conversations.ask(waiting, "乙")
    next(views)
    conversations.stop(waiting)
    assert 'data-phase="stopped"' in page_after(views).live
    assert "乙" not in scripted.asked
    first.close()


def test_line():
    line = Line(2)
    tickets = [line.enter() for _ in range(4)]
    assert [line.ahead(ticket) for ticket in tickets] == [0, 0, 1, 2]
    line.leave(tickets[0])
    line.leave(tickets[0])
    assert [line.ahead(ticket) for ticket in tickets[1:]] == [0, 0, 1]


# -- What visitors think of answers


@pytest.fixture
def store(settings) -> FeedbackStore:
    return FeedbackStore(settings.home / "feedback")


def answered(conversations, session, question=Q) -> str:
    """Ask, and return the id of the answer as the page has it."""
    page = page_after(conversations.ask(session, question))
    return re.search(r'data-answer="([^"]+)"', page.live).group(1)


def test_a_thumb_is_stored_at_once_with_all_it_was_given_on(scripted, conversations, session, answer, store):
    scripted.scripts |= {"甲": [answer], Q: [answer]}
    answered(conversations, session, "甲")
    id_ = answered(conversations, session)
    view = conversations.rate(session, {"answer": id_, "verdict": "up"})
    assert 'data-verdict="up"' in view.rated
    assert ZH.feedback_thanks in view.rated
    (entry,) = store.entries()
    assert (entry.id, entry.verdict, entry.question) == (id_, "up", Q)
    assert entry.history == (Turn("user", "甲"), Turn("assistant", answer.text))
    assert entry.answer["text"] == answer.text
    assert entry.settings["passages"] == 4


def test_a_verdict_outlives_the_next_question_and_can_be_taken_back(
    scripted, conversations, session, answer, store
):
    scripted.scripts |= {Q: [answer], "乙": [answer]}
    id_ = answered(conversations, session)
    assert 'aria-pressed="true"' not in page_after(conversations.ask(Session(), Q)).live
    conversations.rate(session, {"answer": id_, "verdict": "down"})
    page = page_after(conversations.ask(session, "乙"))
    pressed = re.findall(r'data-rate="(\w+)"[^>]*aria-pressed="true"', page.past)
    assert pressed == ["down"]
    assert 'aria-pressed="true"' not in page.live
    view = conversations.rate(session, {"answer": id_, "verdict": "none"})
    assert ZH.feedback_taken_back in view.rated
    assert 'aria-pressed="true"' not in page_after(conversations.ask(session, "乙")).past
    assert [entry.verdict for entry in store.entries()] == ["none"]


def test_what_is_wrong_can_be_said(scripted, conversations, session, answer, store):
    scripted.scripts[Q] = [answer]
    id_ = answered(conversations, session)
    assert ZH.feedback_tell_more in conversations.rate(session, {"answer": id_, "verdict": "down"}).rated
    form = {"reason": "incomplete", "comment": " 少了工期 ", "better": "<b>28个</b>\n8月底开工\ud800\x00"}
    view = conversations.rate(session, {"answer": id_, "verdict": "down", **form})
    assert ZH.feedback_thanks in view.rated
    (entry,) = store.entries()
    assert (entry.verdict, entry.reason, entry.comment) == ("down", "incomplete", "少了工期")
    assert entry.better == "<b>28个</b>\n8月底开工\ufffd\x00"


def test_nobody_judges_anothers_answer(scripted, conversations, session, answer, store):
    scripted.scripts[Q] = [answer]
    other = Session()
    id_ = answered(conversations, other)
    view = conversations.rate(session, {"answer": id_, "verdict": "down"})
    assert ZH.feedback_unknown in view.rated
    assert "data-verdict" not in view.rated
    assert store.entries() == []
    conversations.reset(other)
    assert ZH.feedback_unknown in conversations.rate(other, {"answer": id_, "verdict": "up"}).rated


@pytest.mark.parametrize(
    "change",
    [
        {"answer": None},
        {"answer": ""},
        {"answer": ["x"]},
        {"answer": '"><img src=x>' * 50},
        {"verdict": "sideways"},
        {"verdict": {}},
        {"verdict": None},
        {"reason": "x"},
        {"reason": []},
        {"comment": 5},
        {"better": {"a": 1}},
    ],
)
def test_what_is_no_feedback_is_refused(scripted, conversations, session, answer, store, change):
    scripted.scripts[Q] = [answer]
    id_ = answered(conversations, session)
    view = conversations.rate(session, {"answer": id_, "verdict": "up"} | change)
    assert ZH.feedback_unknown in view.rated
    assert "<img" not in view.rated
    assert len(view.rated) < 1000
    assert store.entries() == []


@pytest.mark.parametrize("sent", [None, [], "up", 7])
def test_what_is_nothing_at_all_is_refused(conversations, session, sent):
    assert ZH.feedback_unknown in conversations.rate(session, sent).rated


def test_feedback_has_an_end(scripted, conversations, session, answer, store):
    scripted.scripts[Q] = [answer]
    id_ = answered(conversations, session)
    sent = {"answer": id_, "verdict": "down", "reason": "other", "better": "字" * (MAX_BETTER + 1)}
    view = conversations.rate(session, sent)
    assert ZH.feedback_too_long.format(limit=MAX_BETTER) in view.rated
    session.ratings = RATINGS
    assert ZH.feedback_too_many in conversations.rate(session, {"answer": id_, "verdict": "up"}).rated
    assert store.entries() == []


def test_the_same_outcome_twice_is_a_change_of_the_page(scripted, conversations, session, answer):
    scripted.scripts[Q] = [answer]
    sent = {"answer": answered(conversations, session), "verdict": "up"}
    assert conversations.rate(session, sent) != conversations.rate(session, sent)


def test_a_store_that_fails_is_said_and_nothing_counts_as_given(
    scripted, conversations, session, answer, settings, caplog
):
    (settings.home / "feedback").write_text("in the way")
    scripted.scripts |= {Q: [answer], "乙": [answer]}
    id_ = answered(conversations, session)
    view = conversations.rate(session, {"answer": id_, "verdict": "up"})
    assert ZH.feedback_failed.format(reason=ZH.errors["LibraryError"]) in view.rated
    assert "data-verdict" not in view.rated
    assert str(settings.home) not in view.rated, "the server's folders are not the visitor's business"
    assert "cannot be written" in caplog.text
    assert 'aria-pressed="true"' not in page_after(conversations.ask(session, "乙")).past


def test_only_finished_answers_are_judged(scripted, conversations, session, answer):
    scripted.scripts |= {"坏": [EndpointUnreachable("x", "y")], "停": [growing(answer)[1], threading.Event()]}
    assert "data-rate" not in page_after(conversations.ask(session, "坏")).live
    views = conversations.ask(session, "停")
    seen = View()
    while answer.text[:6] not in (seen.live or ""):
        seen = next(views).over(seen)
    assert "data-rate" not in seen.live
    assert session.current.id
    refused = conversations.rate(session, {"answer": session.current.id, "verdict": "up"})
    assert ZH.feedback_unknown in refused.rated
    conversations.stop(session)
    assert "data-rate" not in page_after(views).live


# -- The whole answer for programs


def test_answer_for_programs(scripted, conversations, answer):
    scripted.scripts[Q] = growing(answer)
    payload = conversations.answer(f" {Q} ")
    assert payload["text"] == answer.text
    assert payload["citations"][0]["number"] == 1


def test_answer_for_programs_refuses_what_is_no_question(conversations):
    with pytest.raises(QuestionError):
        conversations.answer(" ")
    with pytest.raises(QuestionError):
        conversations.answer("x" * 2001)


def test_answer_for_programs_gives_its_place_back(scripted, settings, answer):
    conversations = Conversations(scripted, settings, places=1)
    scripted.scripts |= {"甲": [EndpointUnreachable("x")], "乙": [answer], "丙": []}
    with pytest.raises(EndpointUnreachable):
        conversations.answer("甲")
    with pytest.raises(WenzhengError, match="no answer"):
        conversations.answer("丙")
    assert conversations.answer("乙")["text"]


# -- The service


@contextmanager
def serving(scripted, settings):
    app = build_app(scripted, settings)
    url = launch(app, settings, block=False)
    try:
        yield url
    finally:
        close(app)


@pytest.fixture
def client():
    """gradio_client, with its own warnings about closing left to it."""
    with warnings.catch_warnings():
        # Both come from gradio_client and the libraries below it, on import and at exit.
        warnings.filterwarnings("ignore", module=r"gradio_client|websockets|huggingface_hub")
        from gradio_client import Client

        yield Client


# Gradio keeps statistics of its queue in a data frame, with options that pandas is about to drop.
@pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated")
@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated")
def test_the_endpoint_ask(scripted, settings, answer, client):
    scripted.scripts |= {Q: growing(answer), "坏": [EndpointUnreachable("Nothing answers.", "Start it.")]}
    with serving(scripted, settings) as url:
        asker = client(url, verbose=False, analytics_enabled=False)
        result = asker.predict(Q, api_name="/ask")
        assert result["text"] == answer.text
        assert result["citations"][0]["quote"] == answer.citations[0].quote
        with pytest.raises(Exception, match=r"EndpointUnreachable: Nothing answers\. Start it\."):
            asker.predict("坏", api_name="/ask")
        endpoints = asker.view_api(return_format="dict", print_info=False)
        assert list(endpoints["named_endpoints"]) == ["/ask"]
        assert endpoints["unnamed_endpoints"] == {}
        asker.close()


def test_the_page_points_nowhere_else(scripted, settings):
    with serving(scripted, settings) as url, httpx.Client(base_url=url, trust_env=False) as http:
        response = http.get("/", headers={"accept-language": "zh-TW"})
        assert response.status_code == 200
        assert '<html\n\tlang="zh-TW"' in response.text
        head = re.sub(r"<script nonce[^>]*>.*?</script>", "", response.text, flags=re.DOTALL)
        assert not re.findall(r"""(?:src|href|content)=["']?(?:https?:)?//[^"']*""", head)
        policy = response.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
        assert not re.search(r"https?:|\*", policy)
        nonces = set(re.findall(r'nonce="([^"]+)"', response.text))
        assert len(nonces) == 1
        assert f"'nonce-{nonces.pop()}'" in policy
        assert not re.findall(r"<script(?![^>]*(?:src|nonce)=)", response.text)
        assert http.get("/").headers["content-security-policy"] != policy, "a nonce serves once"


@pytest.mark.parametrize("setting", ["zh", "en"])
def test_the_language_setting_outweighs_the_browser(scripted, settings, setting):
    fixed = settings.model_copy(update={"language": setting})
    with serving(scripted, fixed) as url, httpx.Client(base_url=url, trust_env=False) as http:
        page = http.get("/", headers={"accept-language": "en" if setting == "zh" else "zh-CN"}).text
        assert f'lang="{"zh-CN" if setting == "zh" else "en"}"' in page


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/wenzheng/chat.css", 200),
        ("/wenzheng/chat.js", 200),
        ("/wenzheng/icon.svg", 200),
        ("/wenzheng/nothing.css", 404),
        ("/wenzheng/../app.py", 404),
        ("/wenzheng/..%2fapp.py", 404),
        ("/wenzheng/%2e%2e/chat.py", 404),
        ("/gradio_api/proxy=https://huggingface.co/", 404),
        ("/gradio_api/runs", 404),
        ("/manifest.json", 404),
        ("/monitoring", 404),
        ("/docs", 404),
        ("/openapi.json", 404),
    ],
)
def test_files_and_closed_doors(scripted, settings, path, status):
    with serving(scripted, settings) as url, httpx.Client(base_url=url, trust_env=False) as http:
        response = http.get(path)
        assert response.status_code == status
        if status == 200:
            assert response.headers["x-content-type-options"] == "nosniff"


def test_a_busy_port_is_named_and_the_flag_said(scripted, settings):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"Port {port} .*--port") as caught:
            launch(build_app(scripted, settings), settings.model_copy(update={"port": port}), block=False)
        assert isinstance(caught.value, WenzhengError)


def test_an_address_of_another_machine(scripted, settings):
    with pytest.raises(SettingsError, match="--host"):
        launch(build_app(scripted, settings), settings.model_copy(update={"host": "192.0.2.1"}), block=False)
    with pytest.raises(SettingsError, match="--host"):
        launch(
            build_app(scripted, settings),
            settings.model_copy(update={"host": "no.such.invalid"}),
            block=False,
        )


def test_the_port_is_free_after_closing(scripted, settings):
    with serving(scripted, settings) as url:
        port = int(url.rstrip("/").rpartition(":")[2])
    again = settings.model_copy(update={"port": port})
    with serving(scripted, again) as second:
        assert second == url


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_block_ends_in_order_when_asked_to(tmp_path, number):
    program = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from conftest import Scripted
from rag.feedback import MAX_BETTER, FeedbackStore
from rag.settings import load_settings
from ui.app import build_app, launch
settings = load_settings({{"home": {str(tmp_path)!r}, "port": 0}}, {{}})
app = build_app(Scripted(), settings)
import threading, ui.app
started = ui.app._Server.start
def start(self):
    started(self)
    print("up", flush=True)
ui.app._Server.start = start
print(launch(app, settings, block=True), flush=True)
"""
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        time.sleep(0.3)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, err
    assert out.startswith("http://127.0.0.1:")
    assert "Traceback" not in err


def test_settings_host_of_all_interfaces_is_shown_as_this_machine(tmp_path, scripted):
    settings = load_settings({"home": tmp_path, "port": 0, "host": "0.0.0.0"}, {})
    with serving(scripted, settings) as url:
        assert url.startswith("http://127.0.0.1:")
