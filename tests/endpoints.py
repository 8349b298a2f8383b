"""OpenAI-compatible endpoints on this machine that play what a test puts on them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rag.model import HostedChatModel

KEY = "sk-very-secret-value"
Play = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Plays what the test has put on the server."""

    server: Endpoint

    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.path, headers, body))
        self.server.plays[min(len(self.server.requests), len(self.server.plays)) - 1](self)

    def open_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()

    def say(self, text: str, reason: str | None = None, **more: Any) -> None:
        choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": reason}
        chunk = {
            "id": "1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [choice],
        } | more
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def wait_for_hangup(self, seconds: float = 20.0) -> None:
        """Until the client closes the connection; notes when."""
        self.connection.settimeout(seconds)
        if self.connection.recv(1) == b"":
            self.server.hung_up.set()


class Endpoint(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.plays: Sequence[Play] = []
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.hung_up = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        pass

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def model(self, *plays: Play, timeout: float = 10.0) -> HostedChatModel:
        self.plays = plays
        return HostedChatModel("qwen", self.url, KEY, timeout=timeout)


@contextmanager
def serving(server: Endpoint) -> Iterator[Endpoint]:
    """The endpoint while it listens."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
