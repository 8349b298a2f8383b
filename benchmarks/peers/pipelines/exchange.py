"""How a peer's process is told its job and gives its results. Standard library only.

The job comes as one line of JSON on standard input, since a command line can be read by every user of the machine. The
work folder holds ``documents/*.txt``, ``documents.json`` (file name to document id) and ``questions.jsonl``. Results go
to standard output as lines of JSON: one of kind "indexed", one of kind "answer" for each question, one of kind "end".
What libraries print goes to standard error.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Job:
    """What a peer is given. ``timeout`` is in seconds, ``context`` in tokens; ``done`` are questions not to ask again."""

    work: str
    embedding: str
    base_url: str
    api_key: str
    model: str
    temperature: float
    max_tokens: int
    timeout: float
    context: int
    depth: int
    done: tuple[str, ...] = ()

    @property
    def files(self) -> list[Path]:
        """The documents, in order of their names."""
        return sorted((Path(self.work) / "documents").glob("*.txt"))


@dataclass(slots=True)
class Watch:
    """Seconds since the question was put: until the evidence was there, and until the first word."""

    start: float = field(default_factory=time.perf_counter)
    seconds: dict[str, float] = field(default_factory=dict)

    def mark(self, name: str) -> None:
        """Note the time now, the first time that this name is given."""
        self.seconds.setdefault(name, round(time.perf_counter() - self.start, 4))


Found = tuple[str, str]
"""A passage: the name of its file, and its text."""


class Peer(Protocol):
    """A stock pipeline."""

    packages: tuple[str, ...]
    """Packages whose versions are told."""

    def index(self, files: Sequence[Path]) -> int:
        """Read, split, embed and store the files; returns the number of chunks."""

    def rank(self, question: str, depth: int) -> list[Found]:
        """The first ``depth`` passages for the question, best first, as its retriever ranks them."""

    def ask(self, question: str, watch: Watch) -> str:
        """The answer; marks "evidence" and "first_word" on the way."""


def serve(build: Callable[[Job], Peer]) -> None:
    """Do the job that standard input brings; an error in one question is told in its line and the others go on."""
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    job = _job(sys.stdin.readline())
    end_with_driver()
    keep_offline(job.base_url)
    ids: dict[str, str] = json.loads((Path(job.work) / "documents.json").read_text(encoding="utf-8"))

    def say(record: Mapping[str, Any]) -> None:
        lines.write(json.dumps(record, ensure_ascii=True) + "\n")

    begun = time.perf_counter()
    peer = build(job)
    loaded = time.perf_counter()
    chunks = peer.index(job.files)
    indexed = time.perf_counter()
    say(
        {
            "kind": "indexed",
            "loading_seconds": round(loaded - begun, 3),
            "indexing_seconds": round(indexed - loaded, 3),
            "chunks": chunks,
            "versions": {name: _version(name) for name in peer.packages},
        }
    )
    for question in _questions(Path(job.work)):
        if question["id"] not in job.done:
            say(_answer(peer, job, question, ids))
    say({"kind": "end", "peak_mb": peak_mb()})


def end_with_driver() -> None:
    """End this process when the driver ends, however it ends: its end of standard input closes then."""

    def watch() -> None:
        # Not through sys.stdin, whose lock this thread would still hold when the interpreter shuts down.
        while os.read(0, 4096):
            pass
        os._exit(1)

    threading.Thread(target=watch, name="driver-watch", daemon=True).start()


def peak_mb() -> float:
    """The most memory that this process has held, in MiB (``ru_maxrss`` is in KiB on Linux and bytes on macOS)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def keep_offline(base_url: str) -> None:
    """Let this process reach its own machine and the chat endpoint, and nothing else."""
    allowed = {"127.0.0.1", "::1", "localhost", urlsplit(base_url).hostname or ""}

    def check(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo":
            host = arguments[0]
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            host = arguments[1][0]
        else:
            return
        host = host.decode() if isinstance(host, bytes) else host
        if host and host not in allowed:
            if event == "socket.getaddrinfo":
                sys.stderr.write(f"kept offline: {host}\n")
            elif urlsplit(base_url).hostname not in ("127.0.0.1", "localhost", "::1"):
                return  # the endpoint's own address, whose name has passed
            raise ConnectionRefusedError(f"{host} is not the chat endpoint; peers run offline")

    sys.addaudithook(check)


def _job(line: str) -> Job:
    told = json.loads(line)
    return Job(**{**told, "done": tuple(told.get("done", ()))})


def _questions(work: Path) -> list[dict[str, str]]:
    text = (work / "questions.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _answer(peer: Peer, job: Job, question: Mapping[str, str], ids: Mapping[str, str]) -> dict[str, Any]:
    record: dict[str, Any] = {"kind": "answer", "id": question["id"], "passages": [], "text": "", "error": ""}
    try:
        ranking = peer.rank(question["question"], job.depth)
        record["passages"] = [{"document": ids[file], "text": text} for file, text in ranking]
        watch = Watch()
        record["text"] = peer.ask(question["question"], watch)
        watch.mark("done")
        record["seconds"] = watch.seconds
    except Exception as error:  # noqa: BLE001 - any library's; one question must not end the run
        record["error"] = f"{type(error).__name__}: {error}"[:500]
    return record


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
