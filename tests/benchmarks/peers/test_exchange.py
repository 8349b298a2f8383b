from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers.__main__ import ROOT
from benchmarks.peers.pipelines.exchange import Job, Watch
from benchmarks.peers.work import Text, write_work
from eval.cases import Case

PEER = """
import socket, sys, time
from benchmarks.peers.pipelines.exchange import serve

class Peer:
    packages = ("pytest", "no-such-package")
    def __init__(self, job):
        print("chatter of a library")
    def index(self, files):
        self.names = [file.name for file in files]
        return len(files)
    def rank(self, question, depth):
        return [(name, question) for name in self.names][:depth]
    def ask(self, question, watch):
        if question == "break":
            raise ValueError("broken")
        if question == "call out":
            socket.create_connection(("192.0.2.1", 80), timeout=2)
        if question == "wait":
            time.sleep(60)
        watch.mark("evidence")
        return "said: " + question

serve(Peer)
"""


def start(tmp_path: Path, *questions: str, done: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    cases = [Case(f"q{n}", question) for n, question in enumerate(questions)]
    write_work(tmp_path, [Text("甲.txt", "", "一"), Text("乙.txt", "", "二")], cases)
    job = Job(str(tmp_path), "", "http://127.0.0.1:9/v1", "k", "m", 0.0, 8, 5.0, 1024, 10, done)
    process = subprocess.Popen(
        [sys.executable, "-c", PEER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=ROOT,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(job)) + "\n")
    process.stdin.flush()
    return process


def finished(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    assert process.stdout is not None
    lines = process.stdout.readlines()
    assert process.wait(timeout=30) == 0
    process.communicate()
    return [json.loads(line) for line in lines]


def test_a_job_is_done_question_by_question(tmp_path: Path) -> None:
    indexed, one, broken, two, end = finished(start(tmp_path, "first", "break", "last"))
    assert (indexed["kind"], indexed["chunks"]) == ("indexed", 2)
    assert indexed["versions"]["pytest"]
    assert indexed["versions"]["no-such-package"] == ""
    assert one["text"] == "said: first"
    assert [passage["document"] for passage in one["passages"]] == ["甲.txt", "乙.txt"]
    assert 0 <= one["seconds"]["evidence"] <= one["seconds"]["done"]
    assert broken["error"] == "ValueError: broken"
    assert len(broken["passages"]) == 2
    assert two["text"] == "said: last"
    assert end["kind"] == "end"
    assert end["peak_mb"] > 1


def test_what_was_answered_before_is_not_asked_again(tmp_path: Path) -> None:
    records = finished(start(tmp_path, "first", "last", done=("q0",)))
    assert [record["id"] for record in records if record["kind"] == "answer"] == ["q1"]


def test_a_peer_reaches_nobody_but_the_endpoint(tmp_path: Path) -> None:
    _, record, _ = finished(start(tmp_path, "call out"))
    assert record["error"].startswith("ConnectionRefusedError")
    assert "offline" in record["error"]


def test_a_peer_ends_with_its_driver(tmp_path: Path) -> None:
    process = start(tmp_path, "wait")
    assert process.stdout is not None
    assert process.stdin is not None
    assert json.loads(process.stdout.readline())["kind"] == "indexed"
    process.stdin.close()
    try:
        assert process.wait(timeout=20) == 1
    finally:
        process.kill()
        process.stdout.close()
        assert process.stderr is not None
        process.stderr.close()


def test_a_watch_notes_the_first_time() -> None:
    watch = Watch()
    watch.mark("first_word")
    first = watch.seconds["first_word"]
    watch.mark("first_word")
    assert watch.seconds == {"first_word": pytest.approx(first)}
