from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ingest.isolation import ParserProcess
from ingest.loading import Limits, Task, parse
from ingest.sync import sync
from rag.errors import SourceDamaged, SourceEmpty, SourceError, SourceTooLarge, SourceTooSlow
from rag.library import Library
from rag.settings import Settings

PAGE = (
    "<html><head><title>关于停水的通知</title></head><body><article><h1>关于停水的通知</h1>"
    + "".join(f"<p>第{n}条：鹿汀区芦湾街道今晚停水，请居民提前储水，恢复时间另行通知。</p>" for n in range(9))
    + "</article></body></html>"
).encode()


@pytest.fixture
def parser() -> Iterator[ParserProcess]:
    with ParserProcess() as opened:
        yield opened


def children() -> set[int]:
    return {
        child.pid
        for child in psutil.Process().children()
        if "ingest.parser_worker" in " ".join(child.cmdline())
    }


def test_what_comes_back_is_what_was_read_there(parser: ParserProcess) -> None:
    assert parser.parse(PAGE, "通知.html", Limits()) == parse(Task(PAGE, "通知.html"))


def test_plain_text_needs_no_process(parser: ParserProcess) -> None:
    assert parser.parse("正文。".encode(), "a.txt", Limits()).text == "正文。"
    assert children() == set()


def test_a_fault_comes_back_as_it_is_and_the_process_lives_on(parser: ParserProcess) -> None:
    parser.parse(PAGE, "a.html", Limits())
    (before,) = children()
    with pytest.raises(SourceError) as caught:
        parser.parse(b"PK\x03\x04 broken", "通知.docx", Limits())
    assert "通知.docx" in caught.value.what
    assert "通知.docx" in caught.value.chinese
    with pytest.raises(SourceEmpty):
        parser.parse(b"  ", "空.html", Limits())
    parser.parse(PAGE, "b.html", Limits())
    assert children() == {before}


def test_a_crash_costs_one_file(parser: ParserProcess) -> None:
    parser.parse(PAGE, "a.html", Limits())

    def crash() -> None:
        for pid in children():
            os.kill(pid, signal.SIGSEGV)
            os.kill(pid, signal.SIGCONT)

    _stopped(parser)
    with pytest.raises(SourceDamaged, match=r"坏\.html made its reader end unexpectedly \(SIGSEGV\)"):
        parser.parse(PAGE, "坏.html", Limits(), crash)
    assert parser.parse(PAGE, "b.html", Limits()).blocks


def _stopped(parser: ParserProcess) -> None:
    """Make the next file wait for the child, so that there is something to interrupt."""
    parser.parse(PAGE, "a.html", Limits())
    for pid in children():
        os.kill(pid, signal.SIGSTOP)


def test_a_hang_is_ended_and_the_next_file_is_read(parser: ParserProcess) -> None:
    _stopped(parser)
    start = time.monotonic()
    with pytest.raises(SourceTooSlow, match="without getting on"):
        parser.parse(PAGE, "停.html", Limits(stall_seconds=0.5))
    assert time.monotonic() - start < 5
    assert parser.parse(PAGE, "b.html", Limits()).blocks


def test_all_a_file_may_take_is_bounded(parser: ParserProcess) -> None:
    _stopped(parser)
    with pytest.raises(SourceTooSlow, match="in all"):
        parser.parse(PAGE, "慢.html", Limits(total_seconds=0.3))


def test_memory_is_bounded(parser: ParserProcess) -> None:
    _stopped(parser)
    with pytest.raises(SourceTooLarge, match="needs more than 1 MB"):
        parser.parse(PAGE, "大.html", Limits(memory_mb=1))
    assert children() == set()


def test_an_allocation_beyond_the_limit_fails_in_the_child() -> None:
    import subprocess
    import sys

    code = (
        "from ingest.parser_worker import _bound_memory\n_bound_memory(256)\n"
        "try:\n    b = bytearray(2**30)\nexcept MemoryError:\n    print('refused')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "refused" or not hasattr(signal, "SIGKILL")


def test_what_waiting_raises_ends_the_reading(parser: ParserProcess) -> None:
    _stopped(parser)

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parser.parse(PAGE, "a.html", Limits(), stop)
    assert children() == set()


def test_closing_ends_the_process() -> None:
    with ParserProcess() as opened:
        opened.parse(PAGE, "a.html", Limits())
        assert children()
    assert children() == set()


def test_an_interrupted_run_leaves_no_process(
    tmp_path: Path, library: Library, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(20):
        (tmp_path / f"{n}.html").write_bytes(PAGE.replace("停水".encode(), f"停水{n}".encode()))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(library, "commit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sync([tmp_path], library, settings)
    assert children() == set()
    monkeypatch.undo()
    assert sync([tmp_path], library, settings).count("added") == 20
