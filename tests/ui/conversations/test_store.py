"""Kept conversations: whole after writing, apart for each visitor, bounded, and robust against damage."""

from __future__ import annotations

import errno
import hashlib
import os
import threading

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from rag.errors import LibraryDamaged, LibraryError, StorageFull
from rag.types import Filters
from ui.conversations.keeping import Kept, judge, put
from ui.conversations.records import (
    MAX_TITLE,
    NotAConversation,
    conversation_of,
    exchange_lines,
    head_line,
    summary_of,
    title_of,
)
from ui.conversations.store import ConversationStore, NoSuchConversation, TooMany
from ui.conversations.users import COOKIE, cookie_header, cookies_in, is_user, user_of
from ui.rendering import Exchange, Failure

ME, OTHER = (hashlib.sha256(name).hexdigest() for name in (b"me", b"other"))
HOUSING = Filters(("住房和城乡建设局",), since="2024")


@pytest.fixture
def store(tmp_path) -> ConversationStore:
    return ConversationStore(tmp_path / "conversations", max_conversations=3, max_exchanges=3)


@pytest.fixture
def exchange(answer) -> Exchange:
    return Exchange(1, "住建局承诺了什么？", "done", answer, id="a1")


def kept_one(store, exchange, user=ME) -> str:
    id_ = store.begin(user, exchange.question)
    store.put(user, id_, exchange, HOUSING)
    return id_


# -- Writing and reading


def test_an_exchange_comes_back_whole(store, exchange):
    failed = Exchange(
        2, "模型坏了吗？", "failed", None, Failure("ModelError", "坏了", "重来"), id="a2", read=False
    )
    id_ = kept_one(store, exchange)
    store.put(ME, id_, failed)
    loaded = store.load(ME, id_)
    assert loaded.exchanges == (exchange, failed)
    assert loaded.title == exchange.question
    assert loaded.filters == Filters(), "those of the last question hold"
    assert loaded.created <= loaded.updated


def test_what_is_under_way_is_kept_as_stopped_and_then_as_answered(store, exchange):
    id_ = store.begin(ME, exchange.question)
    store.put(ME, id_, Exchange(1, exchange.question, "searching", id="a1"))
    (begun,) = store.load(ME, id_).exchanges
    assert (begun.phase, begun.answer) == ("stopped", None)
    store.put(ME, id_, exchange)
    assert store.load(ME, id_).exchanges == (exchange,)


def test_an_exchange_takes_the_place_of_another(store, exchange, answer):
    id_ = kept_one(store, exchange)
    other = Exchange(1, "改过的问题", "done", answer, id="a2")
    store.put(ME, id_, other, replaced="a1")
    assert store.load(ME, id_).exchanges == (other,)
    assert store.list(ME).conversations[0].count == 1


def test_a_verdict_and_a_title_are_noted(store, exchange):
    id_ = kept_one(store, exchange)
    store.judge(ME, id_, "a1", "up")
    store.judge(ME, id_, "unknown", "down")
    store.rename(ME, id_, "  旧改\n计划 ")
    store.rename(ME, id_, " ")
    loaded = store.load(ME, id_)
    assert [one.verdict for one in loaded.exchanges] == ["up"]
    assert loaded.title == store.list(ME).conversations[0].title == "旧改 计划"


@given(st.text())
def test_a_title_is_one_short_line(text):
    title = title_of(text)
    assert len(title) <= MAX_TITLE
    assert title.isprintable()
    assert title == title_of(title)


def test_newest_first_and_deleted_for_good(store, exchange, tmp_path):
    first, second = kept_one(store, exchange), kept_one(store, exchange)
    store.put(ME, first, Exchange(2, "再问", "stopped", id="a9"))
    assert [one.id for one in store.list(ME).conversations] == [first, second]
    assert store.latest(ME).id == first
    store.delete(ME, first)
    assert [one.id for one in store.list(ME).conversations] == [second]
    with pytest.raises(NoSuchConversation):
        store.put(ME, first, exchange)
    with pytest.raises(NoSuchConversation):
        store.delete(ME, first)
    assert not any(first in str(path) for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("承諾", True),
        ("住建局 28個", True),
        ("ＤＯＣ", False),
        ("住建局 公园", False),
        ("  ", True),
    ],
)
def test_search_looks_at_titles_questions_and_answers_in_either_script(store, exchange, query, found):
    kept_one(store, exchange)
    listing = store.list(ME, query)
    assert (len(listing.conversations) == 1) is found
    assert listing.total == 1


# -- One visitor apart from another


def test_nobody_reaches_anothers_conversations(store, exchange):
    id_ = kept_one(store, exchange)
    assert store.list(OTHER).conversations == ()
    assert store.latest(OTHER) is None
    kept_one(store, exchange, OTHER)
    attempts = [
        lambda: store.load(OTHER, id_),
        lambda: store.put(OTHER, id_, exchange),
        lambda: store.judge(OTHER, id_, "a1", "down"),
        lambda: store.rename(OTHER, id_, "我的"),
        lambda: store.delete(OTHER, id_),
    ]
    for attempt in attempts:
        with pytest.raises(NoSuchConversation):
            attempt()
    assert store.load(ME, id_).exchanges == (exchange,)


@pytest.mark.parametrize(
    "name", ["", "..", f"../conversations/{ME}", ME + "/", ME.upper(), "x" * 64, ME + "\n"]
)
def test_only_a_digest_names_a_visitor_and_only_an_id_a_conversation(store, exchange, name):
    id_ = kept_one(store, exchange)
    assert store.list(name).conversations == ()
    with pytest.raises(NoSuchConversation):
        store.load(name, id_)
    with pytest.raises(NoSuchConversation):
        store.begin(name, "问")
    for odd in (name, f"../{ME}/{id_}", f"{id_}\n", id_ + ".jsonl"):
        with pytest.raises(NoSuchConversation):
            store.load(ME, odd)


def test_the_cookie_is_long_random_and_not_for_scripts():
    headers = {cookie_header({}, secure=False) for _ in range(50)}
    assert len(headers) == 50
    for header in headers:
        name, _, rest = header.partition("=")
        secret = rest.partition(";")[0]
        assert name == COOKIE
        assert len(secret) == 43, "256 bits"
        assert "HttpOnly" in header
        assert "SameSite=Lax" in header
        assert "Secure" not in header
        user = user_of(cookies_in(f"other=1; {COOKIE}={secret}"))
        assert is_user(user)
        assert secret not in user
        # One that is there is kept, not changed.
        assert f"={secret};" in cookie_header({COOKIE: secret}, secure=True)
    assert "; Secure" in cookie_header({}, secure=True)


@pytest.mark.parametrize(
    "header", [None, "", f"{COOKIE}=short", f"{COOKIE}=../../../etc", "=;;==", f"{COOKIE}={'ä' * 43}"]
)
def test_what_is_no_cookie_of_ours_is_nobody(header):
    assert user_of(cookies_in(header)) == ""


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_files_are_for_the_services_account_alone(store, exchange, tmp_path):
    kept_one(store, exchange)
    (file,) = tmp_path.glob("conversations/*/*.jsonl")
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


# -- Bounds, damage, disks


def test_what_is_too_much_is_refused_and_nothing_is_lost(store, exchange):
    ids = [kept_one(store, exchange) for _ in range(3)]
    with pytest.raises(TooMany, match="3 conversations"):
        store.begin(ME, "第四段")
    store.begin(OTHER, "别人的第一段")
    for n in (2, 3):
        store.put(ME, ids[0], Exchange(n, "再问", "stopped", id=f"b{n}"))
    with pytest.raises(TooMany, match="3 questions"):
        store.put(ME, ids[0], Exchange(4, "再问", "stopped", id="b4"))
    store.put(ME, ids[0], Exchange(3, "再问", "stopped", id="b3"))
    store.put(ME, ids[0], Exchange(3, "改问", "stopped", id="b5"), replaced="b3")
    assert [one.id for one in store.load(ME, ids[0]).exchanges] == ["a1", "b2", "b5"]
    assert len(store.list(ME).conversations) == 3


def test_a_damaged_file_is_left_out_and_counted(store, exchange, tmp_path, caplog):
    good, bad, odd = (kept_one(store, exchange) for _ in range(3))
    folder = tmp_path / "conversations" / ME
    (folder / f"{bad}.jsonl").write_bytes(b"\x00\xff not json\n")
    (folder / f"{odd}.jsonl").write_bytes((folder / f"{good}.jsonl").read_bytes())
    listing = store.list(ME)
    assert [one.id for one in listing.conversations] == [good]
    assert listing.damaged == 2
    assert bad in caplog.text
    with pytest.raises(LibraryDamaged):
        store.load(ME, bad)
    assert store.latest(ME).id == good
    store.delete(ME, bad)
    assert store.list(ME).damaged == 1


def test_a_line_that_a_crash_cut_off_costs_only_itself(store, exchange, tmp_path):
    id_ = kept_one(store, exchange)
    file = tmp_path / "conversations" / ME / f"{id_}.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + whole.splitlines()[1][:50])
    store.put(ME, id_, Exchange(2, "再问", "stopped", id="a2"))
    assert [one.question for one in store.load(ME, id_).exchanges] == [exchange.question, "再问"]


def test_an_answer_of_another_form_leaves_its_question(exchange):
    data = head_line("x", "题", "2026") + exchange_lines(exchange, Filters(), "2026")
    (left,) = conversation_of(data.replace(b'"answer":{"version":1', b'"answer":{"version":9')).exchanges
    assert (left.question, left.phase, left.answer) == (exchange.question, "stopped", None)


@trials(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=40), st.integers(0, 3000), st.integers(0, 60))
def test_no_damage_does_more_than_lose_what_it_hit(exchange, noise, place, length):
    data = head_line("x", "题", "2026") + exchange_lines(exchange, Filters(), "2026")
    damaged = data[:place] + noise + data[place + length :]
    try:
        conversation = conversation_of(damaged)
        summary = summary_of(damaged)
    except NotAConversation:
        return
    assert len(conversation.exchanges) == summary.count <= 1 + noise.count(b"\n")


def test_lone_surrogates_and_odd_characters_are_written(store, answer):
    odd = Exchange(1, "问\ud800\u2028\x00题", "stopped", id="a1")
    id_ = kept_one(store, odd)
    assert store.load(ME, id_).exchanges[0].question == "问\ufffd\u2028\x00题"


def test_a_full_disk_leaves_the_file_as_it_was(store, exchange, monkeypatch, tmp_path):
    id_ = kept_one(store, exchange)
    (file,) = tmp_path.glob("conversations/*/*.jsonl")
    before, write = file.read_bytes(), os.write

    def full(handle, data):
        write(handle, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(StorageFull):
            store.put(ME, id_, Exchange(2, "再问", "stopped", id="a2"))
    assert file.read_bytes() == before


def test_threads_write_one_conversation_at_the_same_time(tmp_path, answer):
    store = ConversationStore(tmp_path)
    id_ = store.begin(ME, "问")
    threads = [
        threading.Thread(target=store.put, args=(ME, id_, Exchange(n, "问", "done", answer, id=f"a{n}")))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.id for one in store.load(ME, id_).exchanges} == {f"a{n}" for n in range(8)}


# -- Keeping what a page shows


def test_what_could_not_be_written_is_written_later(store, exchange, tmp_path):
    folder = tmp_path / "conversations"
    folder.write_text("in the way")
    kept = put(store, Kept(ME), exchange, HOUSING)
    assert (kept.problem, kept.conversation) == ("failed", "")
    kept = put(store, kept, Exchange(2, "再问", "stopped", id="a2"), Filters())
    folder.unlink()
    kept = put(store, kept, Exchange(3, "三问", "stopped", id="a3"), HOUSING)
    assert (kept.problem, kept.pending) == ("", ())
    loaded = store.load(ME, kept.conversation)
    assert [one.id for one in loaded.exchanges] == ["a1", "a2", "a3"]
    assert loaded.filters == HOUSING
    assert loaded.title == exchange.question


def test_every_reason_not_to_keep_is_told(store, exchange):
    assert put(store, Kept(), exchange, HOUSING).problem == "cookie"
    ids = [kept_one(store, exchange) for _ in range(3)]
    assert put(store, Kept(ME), exchange, HOUSING).problem == "many"
    here = Kept(ME, ids[0])
    for n in (2, 3):
        here = put(store, here, Exchange(n, "再问", "stopped", id=f"b{n}"), Filters())
        assert here.problem == ""
    assert put(store, here, Exchange(4, "再问", "stopped", id="b4"), Filters()).problem == "long"
    store.delete(ME, ids[1])
    assert put(store, Kept(ME, ids[1]), exchange, HOUSING).problem == "gone"
    judge(store, Kept(ME, ids[1]), "a1", "up")
    with pytest.raises(LibraryError):
        store.load(ME, ids[1])
