from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from ingest.reading import digest_of, read_bytes
from rag.errors import SourceChanged, SourceNotFound, SourceTooLarge


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "甲 【一】😀.txt").write_bytes(b"abc")
    assert read_bytes(tmp_path / "甲 【一】😀.txt", 1) == b"abc"
    assert digest_of(b"abc").startswith("ba7816bf")


def test_a_missing_path_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="does not exist") as caught:
        read_bytes(tmp_path / "没有.txt", 1)
    assert "不存在" in caught.value.chinese
    with pytest.raises(SourceNotFound, match="is a folder"):
        read_bytes(tmp_path, 1)


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "大.txt"
    with path.open("wb") as file:
        file.truncate(1024**3)
    with pytest.raises(SourceTooLarge, match=r"1024 MB, over the limit of 64 MB"):
        read_bytes(path, 64)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(SourceNotFound, match="no plain file"):
        read_bytes(tmp_path / "a.txt", 1)


def read_often(path: Path) -> None:
    for _ in range(200):  # one reading may just fit between two writes
        read_bytes(path, 64)


def test_a_file_that_keeps_being_written_is_told(tmp_path: Path) -> None:
    path = tmp_path / "写.txt"
    path.write_bytes(b"x" * 20_000_000)  # reading it takes longer than a write
    stop = threading.Event()

    def write() -> None:
        with path.open("ab", buffering=0) as file:
            while not stop.is_set():
                file.write(b"y" * 4096)
                time.sleep(0.0005)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(SourceChanged, match="was being changed"):
            read_often(path)
    finally:
        stop.set()
        writer.join()


def test_a_file_that_is_finished_meanwhile_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "慢.txt"
    path.write_bytes(b"half")
    monkeypatch.setattr("ingest.reading._PAUSE_SECONDS", 0.0)
    real, calls = os.fstat, 0

    def fstat(number: int) -> os.stat_result:
        nonlocal calls
        calls += 1
        if calls == 2:
            path.write_bytes(b"whole")
        return real(number)

    monkeypatch.setattr("ingest.reading.os.fstat", fstat)
    assert read_bytes(path, 1) == b"whole"
