"""Each peer for real in its own environment, against an endpoint that says what the test wants."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers.__main__ import PEERS, PYTHON, ROOT
from benchmarks.peers.driving import drive, peer_environment
from benchmarks.peers.measured import read_lines, system_of
from benchmarks.peers.pipelines.exchange import Job
from benchmarks.peers.work import Text, write_work
from eval.cases import Case
from rag.settings import load_settings

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-peers; make it with 'make bench-peers'"),
]

TEXTS = (
    Text("地铁.txt", "关于地铁九号线开通的公告", "九号线将于6月1日开通，票价3元。"),
    Text("停水.txt", "关于停水的通知", "明日上午河东街道停水三小时，请居民储水。"),
)
CASES = (
    Case("one", "九号线几号开通？", answers=("6月1日",), gold=("地铁.txt",)),
    Case("two", "河东街道哪天停水？", answers=("明日",), gold=("停水.txt",)),
)


class _Endpoint(BaseHTTPRequestHandler):
    """Answers the first question, and refuses the second as an endpoint does whose context is too short."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        told = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.heard.append((self.headers["Authorization"], json.loads(told)))  # type: ignore[attr-defined]
        if "停水？" in json.dumps(json.loads(told)["messages"][-1], ensure_ascii=False):
            self._send(400, "application/json", json.dumps({"error": {"message": "prompt too long"}}))
            return
        pieces = [{"role": "assistant", "content": ""}, {"content": "6月"}, {"content": "1日。"}, {}]
        lines = [
            "data: "
            + json.dumps(
                {
                    "id": "x",
                    "object": "chat.completion.chunk",
                    "created": 1,
                    "model": "fake",
                    "choices": [{"index": 0, "delta": piece, "finish_reason": None if piece else "stop"}],
                }
            )
            for piece in pieces
        ]
        self._send(200, "text/event-stream", "\n\n".join([*lines, "data: [DONE]"]) + "\n\n")

    def _send(self, code: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@contextmanager
def endpoint() -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint)
    server.heard = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", server.heard  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_indexes_retrieves_and_answers(name: str, tmp_path: Path) -> None:
    embedding = load_settings().models / "e5-small"
    if not (embedding / "modules.json").exists():
        pytest.skip("the embedding model is not on this machine")
    write_work(tmp_path, TEXTS, CASES)
    module, extra = PEERS[name]
    with endpoint() as (url, heard):
        job = Job(str(tmp_path), str(embedding), url, "a-key", "fake", 0.0, 64, 30.0, 4096, 10)
        failure = drive(
            [str(PYTHON), "-m", module, *extra],
            asdict(job),
            lines=tmp_path / "lines.jsonl",
            log=tmp_path / "log.txt",
            cwd=ROOT,
            environ=peer_environment(dict(os.environ), tmp_path),
            patience=240,
            tell=lambda _: None,
        )
    log = (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert failure == "", log[-2000:]
    assert "kept offline" not in log
    system = system_of(name, read_lines(tmp_path / "lines.jsonl"), CASES)
    assert (system.failure, system.chunks, system.errors) == ("", 2, 1)
    assert all(system.versions.values())
    answered, failed = system.results
    assert answered.text == "6月1日。"
    assert {passage.document for passage in answered.passages} == {"地铁.txt", "停水.txt"}
    assert answered.passages[0].document == "地铁.txt"
    assert 0 < answered.timings["evidence"] <= answered.timings["first_word"] <= answered.timings["done"]
    assert "prompt too long" in failed.error
    assert failed.metrics["recall@5"] == 1
    key, request = heard[0]
    assert key == "Bearer a-key"
    assert (request["model"], request["temperature"], request["stream"]) == ("fake", 0.0, True)
    assert 64 in (request.get("max_tokens"), request.get("max_completion_tokens"))
    assert "票价3元" in json.dumps(request["messages"], ensure_ascii=False)
