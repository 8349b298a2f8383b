"""Reads files of complicated formats in a process of its own, with limits on time and memory.

The libraries for PDF, pictures and office formats are large and meet whatever an office was sent. Here a crash, a
hang or a bomb costs one file its place in the library, and not the service its life.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Self

from ingest.loading import Block, Limits, Parsed, Task, kind_of, parse
from ingest.messages import fault
from rag import errors
from rag.types import Change, Note

_LOOK_SECONDS = 0.1
_START_SECONDS = 60.0
_MB = 2**20
_REPLY_BYTES = 512 * _MB


class ParserProcess:
    """A parser in a child process, started when first needed and again after it was lost. One thread uses it."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._fresh = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def parse(
        self,
        data: bytes,
        name: str,
        limits: Limits,
        waiting: Callable[[], None] = lambda: None,
    ) -> Parsed:
        """Read a file; kinds that need no isolation are read in this process.

        :param waiting: called some times a second meanwhile; what it raises ends the reading
        :raises SourceError: with the reason, when it cannot be taken in
        """
        kind = kind_of(name)
        if (
            kind is None
            or not kind.isolated
            or len(data) > limits.file_mb * _MB
            or not data.strip(b"\0\t\n\r ")
        ):
            return parse(Task(data, name, limits))
        finished = False
        try:
            parsed = self._ask(data, name, limits, waiting)
            finished = True
        except errors.SourceError as error:
            # A fault that the child told leaves it ready for the next file; one found here has ended it.
            finished = self._child is not None
            raise error
        finally:
            if not finished:
                self.close()
        return parsed

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is None:
            return
        _kill(child)
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _ask(self, data: bytes, name: str, limits: Limits, waiting: Callable[[], None]) -> Parsed:
        child = self._running()
        begun = time.monotonic()
        sender = threading.Thread(target=_send, args=(child, data, name, limits), daemon=True)
        sender.start()
        heard = begun
        # The first file waits for the libraries to be imported; their time is not the file's.
        patience = max(limits.stall_seconds, _START_SECONDS if self._fresh else 0.0)
        while True:
            with contextlib.suppress(queue.Empty):
                line = self._lines.get(timeout=_LOOK_SECONDS)
                if not line:
                    code = self._lost()
                    sender.join()
                    raise fault("crashed", name, detail=code)
                reply = json.loads(line.decode("utf-8", "surrogatepass"))
                heard = time.monotonic()
                patience = limits.stall_seconds
                if "beat" not in reply:
                    sender.join()
                    self._fresh = False
                    return _result(reply, name, limits)
            waiting()
            now = time.monotonic()
            if _memory(child) > limits.memory_mb * _MB:
                self.close()
                raise fault("too_much_memory", name, limit=limits.memory_mb)
            if now - heard > patience:
                self.close()
                raise fault("too_slow", name, limit=round(patience))
            if now - begun > limits.total_seconds:
                self.close()
                raise fault("too_long", name, limit=round(limits.total_seconds))

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self.close()
        self._fresh = True
        self._child = subprocess.Popen(
            [sys.executable, "-m", "ingest.parser_worker", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_WAIT_POLICY": "passive", "PYTHONIOENCODING": "utf-8"},
            start_new_session=True,
        )
        self._lines = queue.SimpleQueue()
        threading.Thread(target=_receive, args=(self._child, self._lines), daemon=True).start()
        return self._child

    def _lost(self) -> str:
        child = self._child
        code = child.wait() if child is not None else 0
        self.close()
        if code < 0:
            with contextlib.suppress(ValueError):
                return signal.Signals(-code).name
        return f"exit {code}"


def _receive(child: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Pass on the lines that the child says; an empty one stands for its end."""
    assert child.stdout is not None
    with contextlib.suppress(OSError, ValueError):
        while (line := child.stdout.readline(_REPLY_BYTES)).endswith(b"\n"):
            lines.put(line)
    lines.put(b"")


def _send(child: subprocess.Popen[bytes], data: bytes, name: str, limits: Limits) -> None:
    request = {"name": name, "size": len(data), "limits": asdict(limits)}
    assert child.stdin is not None
    # A child that dies while it is being written to is told of by its silence.
    with contextlib.suppress(OSError, ValueError):
        child.stdin.write(json.dumps(request).encode("ascii") + b"\n")
        child.stdin.write(data)
        child.stdin.flush()


def _result(reply: dict[str, Any], name: str, limits: Limits) -> Parsed:
    if "parsed" in reply:
        return _parsed(reply["parsed"])
    if "memory" in reply:
        raise fault("too_much_memory", name, limit=limits.memory_mb)
    if "fault" in reply:
        told = reply["fault"]
        kind = getattr(errors, told["code"], errors.SourceDamaged)
        raise kind(told["what"], told["fix"], chinese=told["chinese"])
    raise fault("crashed", name, detail=reply.get("slip", "no reply"))


def _parsed(found: dict[str, Any]) -> Parsed:
    return Parsed(
        blocks=tuple(Block(**block) for block in found["blocks"]),
        title=found["title"],
        published=found["published"],
        issuer=found["issuer"],
        encoding=found["encoding"],
        pages=found["pages"],
        changes=tuple(
            Change(change["kind"], change["count"], tuple((a, b) for a, b in change["examples"]))
            for change in found["changes"]
        ),
        notes=tuple(Note(**note) for note in found["notes"]),
        text=found["text"],
    )


def _memory(child: subprocess.Popen[bytes]) -> int:
    import psutil

    try:
        process = psutil.Process(child.pid)
        # Helpers such as LibreOffice are its children.
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it started, which share a session."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()
