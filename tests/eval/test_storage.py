"""A run's folder: exact round trips, kills in mid-line, damage, versions, threads."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.cases import Case
from eval.results import CaseResult, Cited, Loss, Retrieved, RunInfo
from eval.storage import RunFolder, encodable, load_run, plain, restored
from rag.errors import SourceError, SourceNotFound
from rag.types import Turn

INFO = RunInfo(
    id="r1",
    benchmark="b",
    form="squad",
    mode="open",
    only_retrieval=False,
    documents=3,
    chunks=9,
    cases=2,
    cases_of=5,
    seed=1,
    split="dev",
    settings={"passages": 4, "nested": {"a": [1, None, True]}},
    model="m",
    embedding="e",
    commit="c",
    date="2026-01-02",
    machine="x",
    indexing_rate=1.5,
)

anything = st.text(st.characters(codec=None), max_size=12)
numbers = st.floats(allow_nan=False)
cases = st.builds(
    Case,
    id=anything,
    question=anything,
    answers=st.lists(anything, max_size=2).map(tuple),
    required=st.lists(st.lists(anything, max_size=2).map(tuple), max_size=2).map(tuple),
    history=st.lists(
        st.builds(Turn, role=st.sampled_from(["user", "assistant"]), text=anything), max_size=2
    ).map(tuple),
    answerable=st.booleans(),
)
results = st.builds(
    CaseResult,
    case=cases,
    passages=st.lists(
        st.builds(
            Retrieved,
            number=st.integers(),
            document=anything,
            title=anything,
            text=anything,
            start=st.integers(),
            end=st.integers(),
            score=numbers,
            similarity=st.none() | numbers,
        ),
        max_size=2,
    ).map(tuple),
    shown=st.lists(st.integers(), max_size=3).map(tuple),
    text=anything,
    citations=st.lists(
        st.builds(Cited, number=st.integers(), document=anything, quote=anything), max_size=2
    ).map(tuple),
    claims=st.lists(st.tuples(anything, anything), max_size=2).map(tuple),
    confidence=st.none() | numbers,
    timings=st.dictionaries(anything, numbers, max_size=2),
    tokens_read=st.none() | st.integers(),
    error=anything,
    metrics=st.dictionaries(anything, numbers, max_size=2),
    loss=st.sampled_from(get_args(Loss)),
)


def result(name: str, **changes: object) -> CaseResult:
    return replace(CaseResult(Case(name, "问？", answers=("答",))), **changes)  # type: ignore[arg-type]


@given(results)
def test_what_is_written_is_read(written: CaseResult) -> None:
    line = json.dumps(plain(written), ensure_ascii=False).encode("utf-8")
    read = restored(CaseResult, json.loads(line))
    assert plain(read) == plain(written)
    if not any(encodable(text) != text for text in (repr(written), written.text)):
        assert json.loads(line)["text"] == written.text


@given(st.text(max_size=30))
def test_text_that_can_be_encoded_is_kept_exactly(text: str) -> None:
    written = result("q", text=text, claims=((text, "supported"),), metrics={"m": 0.1 + 0.2})
    assert restored(CaseResult, json.loads(json.dumps(plain(written)))) == written


def test_lone_surrogates_are_replaced() -> None:
    assert restored(CaseResult, plain(result("q", text="a\ud800b"))).text == "a\ufffdb"


def test_a_run_is_written_and_read(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.start(INFO)
    assert not folder.finished
    written = [result("a", text="甲\u2028乙\n丙"), result("b", shown=(1, 2))]
    for one in written:
        folder.append(one)
    folder.finish(replace(INFO, seconds=3.0))
    assert folder.finished
    assert load_run(tmp_path / "run") == (replace(INFO, seconds=3.0), written)
    assert RunFolder(tmp_path / "run").done_ids() == {"a", "b"}


@pytest.mark.parametrize("kept", [1, 20, 60, -1])
def test_a_line_cut_off_by_a_kill_is_dropped_and_the_run_goes_on(
    tmp_path: Path, kept: int, caplog: pytest.LogCaptureFixture
) -> None:
    folder = RunFolder(tmp_path)
    folder.start(INFO)
    folder.append(result("a"))
    whole = folder.cases_path.stat().st_size
    folder.append(result("b"))
    folder.close()
    size = folder.cases_path.stat().st_size
    cut = whole + kept if kept > 0 else size - 2
    with folder.cases_path.open("r+b") as file:
        file.truncate(cut)
    again = RunFolder(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert again.done_ids() == {"a"}
    assert again.cut_off == cut - whole
    assert "line 2 was cut off" in caplog.text
    again.start(INFO)
    again.append(result("b"))
    again.append(result("c"))
    again.close()
    assert [one.case.id for one in again.results()] == ["a", "b", "c"]
    assert again.cut_off == 0


def test_only_the_line_break_cut_off_loses_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.append(result("a", text="长" * 100_000))
    folder.close()
    folder.cases_path.write_bytes(folder.cases_path.read_bytes()[:-1])
    folder.append(result("b"))
    folder.close()
    assert folder.done_ids() == {"a", "b"}


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"case": {"id": "x"}}',
        b'{"case": {"id": 1, "question": "q"}}',
        b'{"case": {"id": "x", "question": "q"}, "loss": "lost"}',
        b'{"case": {"id": "x", "question": "q"}, "surprise": 1}',
        b'{"case": {"id": "x", "question": "q"}, "shown": [true]}',
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: bytes) -> None:
    folder = RunFolder(tmp_path)
    folder.append(result("a"))
    folder.close()
    folder.cases_path.write_bytes(folder.cases_path.read_bytes() + line + b"\n")
    with pytest.raises(SourceError, match=r"cases\.jsonl, line 2 is malformed"):
        list(folder.results())


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    RunFolder(tmp_path).start(INFO)
    path = tmp_path / "run.json"
    record = json.loads(path.read_text("utf-8"))
    assert record["version"] == 1
    path.write_text(json.dumps({**record, "version": 2}), "utf-8")
    with pytest.raises(SourceError, match="version 2; this program reads up to 1"):
        RunFolder(tmp_path).info()


@pytest.mark.parametrize("content", ["", "[]", '{"version": "1"}', '{"version": 1, "info": {"id": "x"}}'])
def test_a_damaged_record_of_the_run_is_said_so(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content, "utf-8")
    with pytest.raises(SourceError, match=r"run\.json"):
        RunFolder(tmp_path).info()


def test_a_folder_without_a_run_or_with_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound):
        RunFolder(tmp_path).info()
    RunFolder(tmp_path).start(INFO)
    with pytest.raises(SourceError, match="another run"):
        RunFolder(tmp_path).start(replace(INFO, id="r2"))


def test_threads_do_not_mix_their_lines(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)

    def write(thread: int) -> None:
        for i in range(25):
            folder.append(result(f"{thread}-{i}", text="字" * 3000))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    folder.close()
    assert len(folder.done_ids()) == 100


def test_a_secret_is_not_written_in_the_clear() -> None:
    from pydantic import SecretStr

    assert "hunter2" not in json.dumps(plain(replace(INFO, settings={"chat_api_key": SecretStr("hunter2")})))
