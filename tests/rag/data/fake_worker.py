"""A stand-in for rag.llama_worker: its line protocol, and an OpenAI-compatible server that needs no model.

Arguments: `serve`, `crash` (dies at once, with lines in its log), `refuse` (says that it cannot load),
`hang` (never gets ready), `once PATH` (crashes the first time, serves when PATH exists).
"""

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def say(**message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Handler(BaseHTTPRequestHandler):
    key = ""

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != f"Bearer {self.key}":
            self.send_response(401)
            self.end_headers()
            return
        question = body["messages"][-1]["content"]
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        if "die" in question:
            os._exit(3)
        for part in ("你好，", str(os.getpid())):
            self._send({"content": part})
            if "slow" in question:
                time.sleep(30)
            if "break" in question:
                os._exit(3)
        self._send({}, "stop", tokens={"prompt_tokens": 11, "completion_tokens": 2, "total_tokens": 13})
        self.wfile.write(b"data: [DONE]\n\n")

    def _send(
        self, delta: dict[str, str], reason: str | None = None, tokens: dict[str, int] | None = None
    ) -> None:
        chunk = {
            "id": "1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "fake",
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
            "usage": tokens,
        }
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()


def main() -> None:
    mode = sys.argv[1]
    config = json.loads(sys.stdin.readline())
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    say(state="loading")
    sys.stderr.write(f"loading {config['alias']}\n")
    if mode == "crash" or (mode == "once" and not Path(sys.argv[2]).exists()):
        if mode == "once":
            Path(sys.argv[2]).touch()
        sys.stderr.write("gguf: bad magic\n")
        sys.exit(7)
    if mode == "refuse":
        say(state="failed", detail="the file is damaged")
        sys.exit(1)
    if mode == "hang":
        time.sleep(600)
    Handler.key = config["api_key"]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    say(state="ready", port=server.server_address[1])
    server.serve_forever()


main()
