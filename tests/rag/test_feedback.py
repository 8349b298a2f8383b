"""Feedback is whole or not there, whoever writes and however a writer ends."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from rag.errors import LibraryError, LibraryLocked, StorageFull
from rag.feedback import MAX_BETTER, MAX_COMMENT, Feedback, FeedbackStore
from rag.settings import Settings
from rag.types import Answer, Chunk, Citation, Passage, Source, Turn

ROOT = Path(__file__).parents[2]
TEXT = "每台电梯补贴标准为22万元。"
WRITER = """
import sys
from pathlib import Path
from rag.feedback import Feedback, FeedbackStore
store = FeedbackStore(Path(sys.argv[1]))
for n in range(int(sys.argv[3])):
    store.append(Feedback(f"{sys.argv[2]}-{n}", "2026-01-01T00:00:00+00:00", "up", "问" * 3000))
    print(n, flush=True)
"""


def answer(text: str = "补贴22万元[1]。") -> Answer:
    source = Source("d1", "/文件/通知.txt", "通知", "0", "text/plain")
    passage = Passage(Chunk("d1", 0, 0, len(TEXT), TEXT), source, 1.0, similarity=0.5)
    citation = Citation(1, passage, 0, len(TEXT), TEXT)
    return Answer("补贴多少？", "zh-Hans", text, citations=(citation,), passages=(passage,), done=True)


def judged(id_: str = "a1", verdict: str = "up", **more: object) -> Feedback:
    return Feedback.of(id_, verdict, answer(), Settings(), **more)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> FeedbackStore:
    return FeedbackStore(tmp_path / "home" / "feedback")


def test_what_was_stored_comes_back_whole(store: FeedbackStore) -> None:
    history = (Turn("user", "你好"), Turn("assistant", "请问。"))
    given_ = judged(
        "a1", "down", question=" 补贴？", history=history, reason="incomplete", comment="少", better="22万元"
    )
    store.append(given_)
    assert store.entries() == [given_]
    assert given_.answer["citations"][0]["quote"] == TEXT
    assert given_.answer["passages"][0]["document_id"] == "d1"
    assert given_.question == " 补贴？"
    assert given_.time.endswith("+00:00")


def test_without_feedback_there_is_none_and_no_folder_is_made(store: FeedbackStore) -> None:
    assert store.entries() == []
    assert not store.path.parent.exists()


def test_a_later_verdict_replaces_the_earlier_of_the_same_answer(store: FeedbackStore) -> None:
    for id_, verdict in (("a1", "up"), ("a2", "down"), ("a1", "down"), ("a1", "none")):
        store.append(judged(id_, verdict))
    assert [(entry.id, entry.verdict) for entry in store.entries()] == [("a1", "none"), ("a2", "down")]
    assert len(store.path.read_bytes().splitlines()) == 4, "nothing is written over"


def test_settings_are_kept_without_secrets_and_folders() -> None:
    settings = Settings(
        chat_api_key="sk-geheim",  # type: ignore[arg-type]
        chat_base_url="https://user:pass@host:8443/v1?key=abc",
        passages=7,
    )
    kept = Feedback.of("a", "up", answer(), settings).settings
    assert kept["passages"] == 7
    assert not any(secret in json.dumps(kept) for secret in ("geheim", "pass@", "abc"))


def test_texts_are_bounded(store: FeedbackStore) -> None:
    long = "长" * 100_000
    store.append(
        Feedback.of(
            "i" * 1000,
            "down",
            answer(long),
            Settings(),
            question=long,
            history=tuple(Turn("user", long) for _ in range(100)),
            comment=long,
            better=long,
        )
    )
    (entry,) = store.entries()
    assert (len(entry.comment), len(entry.better)) == (MAX_COMMENT, MAX_BETTER)
    assert max(len(entry.question), len(entry.answer["text"]), len(entry.history[0].text)) <= 20_000
    assert (len(entry.id), len(entry.history)) == (64, 64)


@examples(max_examples=40, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=30), min_size=1, max_size=4))
def test_any_text_can_be_stored(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = FeedbackStore(Path(folder))
        for n, text in enumerate(texts):
            store.append(
                judged(f"a{n}", "down", question=text, comment=text, better=text + "\n\u2028\x00\x85")
            )
        entries = store.entries()
        assert [entry.id for entry in entries] == [f"a{n}" for n in range(len(texts))]
        for entry, text in zip(entries, texts, strict=True):
            assert entry.comment == "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


def test_a_torn_last_line_is_ignored_and_the_next_is_whole(store: FeedbackStore) -> None:
    store.append(judged("a1"))
    whole = store.path.read_bytes()
    store.append(judged("a2"))
    both = store.path.read_bytes()
    for cut in random.Random(0).sample(range(len(whole) + 1, len(both)), 25):
        store.path.write_bytes(both[:cut])
        assert [entry.id for entry in store.entries()] == ["a1"]
        store.append(judged("a3"))
        ids = [entry.id for entry in store.entries()]
        # All of a line but its end is a whole record once the next line has ended it.
        assert ids == (["a1", "a2", "a3"] if cut == len(both) - 1 else ["a1", "a3"])


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"version":1}',
        b'{"version":9,"id":"x"}',
        b"[" * 100_000,
        b'{"version":1,"id":1,"time":"","verdict":"up","question":"","history":[]}',
        b'{"version":1,"id":"x","time":"","verdict":"sideways","question":"","history":[]}',
        b'{"version":1,"id":"x","time":"","verdict":"up","question":"","history":[{"role":"root","text":""}]}',
    ],
)
def test_lines_that_are_no_feedback_are_left_out_and_told(
    store: FeedbackStore, line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    store.append(judged("a1"))
    with store.path.open("ab") as file:
        file.write(line + b"\n")
    store.append(judged("a2"))
    assert [entry.id for entry in store.entries()] == ["a1", "a2"]
    assert "1 lines" in caplog.text


def test_threads_append_at_the_same_time(store: FeedbackStore) -> None:
    def write(name: int) -> None:
        for n in range(10):
            FeedbackStore(store.path.parent).append(judged(f"{name}-{n}", comment="字" * MAX_COMMENT))

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.entries()) == 40


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), name, str(count)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_append_at_the_same_time(
    store: FeedbackStore, caplog: pytest.LogCaptureFixture
) -> None:
    processes = [writer(store.path.parent, name, 60) for name in "ab"]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert {entry.id for entry in store.entries()} == {f"{name}-{n}" for name in "ab" for n in range(60)}
    assert caplog.text == ""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system kills otherwise")
def test_killing_a_writer_loses_nothing_that_was_confirmed(store: FeedbackStore) -> None:
    dice = random.Random(1)
    confirmed: set[str] = set()
    for name in "abcd":
        process = writer(store.path.parent, name, 100_000)
        assert process.stdout is not None
        for _ in range(dice.randint(3, 40)):
            process.stdout.readline()
        process.kill()
        rest = process.communicate()[0]
        assert process.returncode == -signal.SIGKILL
        last = max((int(line) for line in rest.split("\n")[:-1]), default=2)
        confirmed |= {f"{name}-{n}" for n in range(last + 1)}
        store.append(judged(f"after-{name}"))
        confirmed.add(f"after-{name}")
        assert confirmed <= {entry.id for entry in store.entries()}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("making a small file system needs the right to mount one")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def test_a_full_disk_is_said_and_loses_nothing(small_disk: Path) -> None:
    store = FeedbackStore(small_disk / "feedback")
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"0" * 100_000)
    kept: list[str] = []

    def fill() -> None:
        for n in range(1000):
            store.append(judged(f"a{n}", comment="字" * MAX_COMMENT))
            kept.append(f"a{n}")

    with pytest.raises(StorageFull, match="No space is left"):
        fill()
    assert kept
    assert store.path.read_bytes().endswith(b"\n"), "no part of a line is left behind"
    assert [entry.id for entry in store.entries()] == kept
    ballast.unlink()
    store.append(judged("later"))
    assert [entry.id for entry in store.entries()] == [*kept, "later"]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "feedback").write_text("in the way")
    with pytest.raises(LibraryError, match="cannot be written"):
        FeedbackStore(tmp_path / "feedback").append(judged())


def test_a_file_that_cannot_be_read_is_said(store: FeedbackStore) -> None:
    store.path.mkdir(parents=True)
    with pytest.raises(LibraryError, match="cannot be read"):
        store.entries()


def test_a_store_that_is_held_is_said(store: FeedbackStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    store.append(judged())
    monkeypatch.setattr("rag.feedback._LOCK_SECONDS", 0.1)
    with FileLock(store.path.with_name(f"{store.path.name}.lock")), pytest.raises(LibraryLocked):
        store.append(replace(judged(), id="a2"))
    assert [entry.id for entry in store.entries()] == ["a1"]


def test_the_file_is_for_its_owner_alone(store: FeedbackStore) -> None:
    store.append(judged())
    if os.name == "posix":
        assert store.path.stat().st_mode & 0o077 == 0
