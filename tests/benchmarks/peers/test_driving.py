from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.peers.driving import drive, peer_environment, with_clock
from benchmarks.peers.measured import read_lines


def run(script: str, tmp_path: Path, patience: float = 30.0) -> tuple[str, list[Mapping[str, Any]]]:
    heard: list[Mapping[str, Any]] = []
    failure = drive(
        [sys.executable, "-c", script],
        {"question": "几号？"},
        lines=tmp_path / "results" / "x.jsonl",
        log=tmp_path / "logs" / "x.log",
        cwd=tmp_path,
        environ=dict(os.environ),
        patience=patience,
        tell=heard.append,
    )
    return failure, heard


def test_records_are_heard_and_kept(tmp_path: Path) -> None:
    script = """
import json, sys
job = json.loads(sys.stdin.readline())
print("noise")
print(json.dumps({"kind": "asked"}))
print(json.dumps({"kind": "answer", "id": "1", "text": job["question"]}))
print(json.dumps({"kind": "end", "peak_mb": 3}))
"""
    failure, heard = run(script, tmp_path)
    assert failure == ""
    assert [record["kind"] for record in heard] == ["asked", "answer", "end"]
    kept = read_lines(tmp_path / "results" / "x.jsonl")
    assert [record["kind"] for record in kept] == ["answer", "end"]
    assert kept[0]["text"] == "几号？"


def test_a_second_run_adds_to_what_the_first_kept(tmp_path: Path) -> None:
    script = 'print(\'{"kind": "answer", "id": "1"}\'); print(\'{"kind": "end"}\')'
    run(script, tmp_path)
    run(script, tmp_path)
    assert len(read_lines(tmp_path / "results" / "x.jsonl")) == 4


def test_a_crash_gives_its_last_words_and_keeps_what_was_said(tmp_path: Path) -> None:
    script = 'print(\'{"kind": "answer", "id": "1"}\', flush=True); raise ModuleNotFoundError("No module named zzz")'
    failure, _ = run(script, tmp_path)
    assert failure == "it ended with code 1: ModuleNotFoundError: No module named zzz"
    assert len(read_lines(tmp_path / "results" / "x.jsonl")) == 1


def test_one_that_stops_before_the_end_has_failed(tmp_path: Path) -> None:
    failure, _ = run("pass", tmp_path)
    assert failure == "it ended with code 0: no word of why"


def test_one_that_falls_silent_is_ended(tmp_path: Path) -> None:
    failure, _ = run("import time; time.sleep(60)", tmp_path, patience=0.5)
    assert failure.startswith("not a word for")


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    failure = drive(
        [str(tmp_path / "nothing")],
        {},
        lines=tmp_path / "x.jsonl",
        log=tmp_path / "x.log",
        cwd=tmp_path,
        environ={},
        patience=5,
        tell=lambda _: None,
    )
    assert failure.startswith("it cannot be started")


def test_a_peer_gets_no_keys_and_says_nothing_to_anybody(tmp_path: Path) -> None:
    environ = peer_environment({"PATH": "/bin", "OPENAI_API_KEY": "secret", "HTTPS_PROXY": "x"}, tmp_path)
    assert "secret" not in environ.values()
    assert "HTTPS_PROXY" not in environ
    assert environ["PATH"] == "/bin"
    assert environ["HOME"] == str(tmp_path)
    assert environ["HF_HUB_OFFLINE"] == "1"
    assert environ["HAYSTACK_TELEMETRY_ENABLED"] == "False"
    assert environ["ANONYMIZED_TELEMETRY"] == "False"
    assert environ["LANGSMITH_TRACING"] == "false"


def test_progress_is_told_line_by_line() -> None:
    written: list[str] = []
    tell = with_clock(written.append, "X", 2)
    tell({"kind": "indexed", "chunks": 5, "indexing_seconds": 1.5})
    tell({"kind": "answer", "error": ""})
    tell({"kind": "answer", "error": "HTTP 400"})
    assert written[0] == "X: 5 chunks in 1.5 s\n"
    assert written[1].startswith("X: 1/2 ")
    assert written[2].endswith("error: HTTP 400\n")
