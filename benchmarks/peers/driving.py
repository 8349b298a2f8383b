"""Runs one system in a process of its own and keeps the lines that it says, so that a run can be gone on with."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

KEPT_KINDS = ("indexed", "answer", "end")
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
    "TOKENIZERS_PARALLELISM": "false",
    # As Wenzheng sets it for itself: spinning threads of the embedding model would slow the chat model down.
    "OMP_WAIT_POLICY": "passive",
    "PYTHONIOENCODING": "utf-8",
}
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


def peer_environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """The variables that a peer runs under: no telemetry, no downloads, no keys, and a home of its own."""
    kept = {name: environ[name] for name in _KEPT_VARIABLES if name in environ}
    return kept | _OFFLINE | {"HOME": str(home)}


def drive(
    command: Sequence[str],
    job: Mapping[str, Any],
    *,
    lines: Path,
    log: Path,
    cwd: Path,
    environ: Mapping[str, str],
    patience: float,
    tell: Callable[[Mapping[str, Any]], None],
) -> str:
    """Run a system to its end; returns why it failed, "" where it did not.

    :param job: handed over on standard input as one line of JSON
    :param lines: the file that takes the records which it says
    :param log: the file that takes its standard error
    :param patience: seconds without a line after which it is ended
    :param tell: called with each record
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    lines.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as errors, lines.open("a", encoding="utf-8") as kept:
        try:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=cwd,
                env=dict(environ),
                encoding="utf-8",
            )
        except OSError as error:
            return f"it cannot be started: {error}"
        try:
            return _follow(process, job, kept, patience, tell, log)
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


def _follow(
    process: subprocess.Popen[str],
    job: Mapping[str, Any],
    kept: IO[str],
    patience: float,
    tell: Callable[[Mapping[str, Any]], None],
    log: Path,
) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    news: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(process.stdout, news), daemon=True).start()
    try:
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
    except OSError:
        pass  # it is dead already; its log says why
    ended = False
    while True:
        try:
            line = news.get(timeout=patience)
        except queue.Empty:
            return f"not a word for {patience:.0f} s"
        if line is None:
            break
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if record.get("kind") in KEPT_KINDS:
            kept.write(json.dumps(record, ensure_ascii=True) + "\n")
            kept.flush()
        ended = ended or record.get("kind") == "end"
        tell(record)
    code = _code(process)
    return "" if ended and code == 0 else f"it ended with code {code}: {last_line(log)}"


def _listen(stream: IO[str], news: queue.SimpleQueue[str | None]) -> None:
    for line in stream:
        news.put(line)
    news.put(None)


def _code(process: subprocess.Popen[str]) -> int | None:
    try:
        return process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        return None


def last_line(log: Path) -> str:
    """What a log says last."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line), "no word of why")[:300]


def with_clock(write: Callable[[str], object], name: str, total: int) -> Callable[[Mapping[str, Any]], None]:
    """A `tell` for `drive` that writes a line of progress for each record."""
    started = time.monotonic()
    count = 0

    def tell(record: Mapping[str, Any]) -> None:
        nonlocal count
        seconds = time.monotonic() - started
        if record.get("kind") == "indexed":
            write(f"{name}: {record.get('chunks')} chunks in {record.get('indexing_seconds')} s\n")
        elif record.get("kind") in ("answer", "asked"):
            count += 1
            error = f", error: {record['error'][:80]}" if record.get("error") else ""
            write(f"{name}: {count}/{total} after {seconds:.0f} s{error}\n")

    return tell


def inherited() -> dict[str, str]:
    """This process's own variables, for the project's own process."""
    return dict(os.environ)
