"""The embedded chat model: a supervised child process that serves a model file on loopback.

The child (`rag.llama_worker`) is a process of its own so that a crash in native code, or the kernel taking
the memory back, costs one answer and not the service: it is started again, under a new port and a new key. It
ends with this process, however this process ends.
"""

from __future__ import annotations

import atexit
import contextlib
import http.client
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from rag.errors import EndpointUnreachable, ModelLoading
from rag.llama_worker import WorkerConfig

State = Literal["stopped", "loading", "ready", "restarting", "failed"]

LOG_LIMIT = 4 * 1024 * 1024
QUOTED_LINES = 4


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """Where a chat model stands: state, a line of detail, since when, and how often it was started again."""

    state: State
    detail: str = ""
    since: float = 0.0
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Supervision:
    """How patiently the child is watched over. Times are in seconds."""

    quick_deaths: int = 3
    """Deaths in a row, each sooner than `settled` after becoming ready, after which it is given up."""
    settled: float = 30.0
    backoff: float = 0.5
    """Pause before the first new start; doubled with each further quick death."""
    load_timeout: float = 600.0
    health_interval: float = 15.0
    health_timeout: float = 5.0
    health_failures: int = 3
    grace: float = 3.0
    """How long the child may take to end before it is killed."""


class EmbeddedModel:
    """Supervises the child process that serves one model file. Safe to use from several threads.

    :param model_path: the GGUF file
    :param threads: threads of the model; 0 for one a core
    :param context: context length in tokens, shared by the requests that run at the same time
    :param alias: the model's name in messages and in the API
    :param log: file that takes the child's log; None keeps only the last lines, in memory
    :param command: the child's command line, for tests; by default ``python -m rag.llama_worker``
    """

    def __init__(
        self,
        model_path: Path,
        *,
        threads: int = 0,
        context: int = 4096,
        alias: str,
        log: Path | None = None,
        command: Sequence[str] | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        self.model_path = model_path
        self.alias = alias
        self.log = log
        self._config = WorkerConfig(
            model=str(model_path),
            alias=alias,
            api_key="",
            parent=os.getpid(),
            threads=threads,
            context=context,
        )
        # -P keeps the current folder off the path, where any file could pass for a library.
        self._command = list(command or [sys.executable, "-P", "-m", "rag.llama_worker"])
        self._supervision = supervision or Supervision()
        self._changed = threading.Condition()
        self._status = ModelStatus("stopped", since=time.time())
        self._base_url: str | None = None
        self._api_key = ""
        self._supervisor: _Supervisor | None = None

    def start(self) -> None:
        """Start the child unless it runs; returns at once, while the model loads in the background."""
        with self._changed:
            if self._supervisor is not None and self._supervisor.is_alive():
                return
            atexit.unregister(self.stop)
            atexit.register(self.stop)
            self._status = ModelStatus("loading", since=time.time())
            self._supervisor = _Supervisor(self)
            self._supervisor.start()
            self._changed.notify_all()

    @property
    def status(self) -> ModelStatus:
        """Where the model stands now."""
        with self._changed:
            return self._status

    @property
    def base_url(self) -> str | None:
        """The address of the API (``http://127.0.0.1:PORT/v1``), None while the model is not ready."""
        with self._changed:
            return self._base_url

    @property
    def api_key(self) -> str:
        """The key that requests must carry; another one with each start of the child."""
        with self._changed:
            return self._api_key

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is no child."""
        with self._changed:
            supervisor = self._supervisor
        return supervisor.pid if supervisor is not None else None

    def wait_ready(self, timeout: float) -> str:
        """Wait until the model answers, and return its address.

        :raises ModelLoading: when it is not ready within `timeout` seconds
        :raises EndpointUnreachable: when it has been given up, or was never started
        """
        return self.wait_endpoint(timeout)[0]

    def wait_endpoint(self, timeout: float) -> tuple[str, str]:
        """Like `wait_ready`; returns address and key, which change together when the child starts again."""
        with self._changed:
            self._changed.wait_for(lambda: self._status.state in ("ready", "failed", "stopped"), timeout)
            status = self._status
            if status.state == "ready" and self._base_url is not None:
                return self._base_url, self._api_key
        if status.state == "failed":
            raise EndpointUnreachable(
                f"The embedded chat model {self.alias} does not run: {status.detail}", self._fix()
            )
        if status.state == "stopped":
            raise EndpointUnreachable(
                f"The embedded chat model {self.alias} is stopped.", "Start the service again."
            )
        raise ModelLoading(
            f"The embedded chat model {self.alias} is still being loaded.", "Ask again in a few seconds."
        )

    def stop(self) -> None:
        """End the child and wait for its end. May be called any number of times, and is called at exit."""
        with self._changed:
            supervisor, self._supervisor = self._supervisor, None
        atexit.unregister(self.stop)
        if supervisor is not None:
            supervisor.stop()
        self._set("stopped", "", None)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _set(
        self, state: State, detail: str, endpoint: tuple[str, str] | None, restarts: int | None = None
    ) -> None:
        with self._changed:
            count = self._status.restarts if restarts is None else restarts
            self._status = ModelStatus(state, detail, time.time(), count)
            self._base_url, self._api_key = endpoint or (None, "")
            self._changed.notify_all()

    def _fix(self) -> str:
        more = f" The log is {self.log}." if self.log else ""
        return (
            "Fetch the model file again with 'wenzheng models pull', or set chat_model to 'small' if memory"
            f" is short, then start again.{more}"
        )


class _Supervisor(threading.Thread):
    """One `EmbeddedModel.start`: the thread that starts the child, listens to it and starts it again.

    It must outlive the child: on Linux the child asks to be killed when the *thread* that started it ends.
    """

    def __init__(self, model: EmbeddedModel) -> None:
        super().__init__(name=f"embedded-{model.alias}", daemon=True)
        self._model = model
        self._care = model._supervision
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._news: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._tail: deque[str] = deque(maxlen=40)
        self._logged = 0

    @property
    def pid(self) -> int | None:
        with self._lock:
            child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def stop(self) -> None:
        self._stopping.set()
        self._news.put({})
        with self._lock:
            child = self._child
        if child is not None:
            _end(child, self._care.grace)
        if self is not threading.current_thread():
            self.join(self._care.grace + 2 * self._care.health_timeout)

    def run(self) -> None:
        quick = restarts = 0
        while not self._stopping.is_set():
            lived, why = self._one_life()
            if self._stopping.is_set():
                return
            quick = quick + 1 if lived < self._care.settled else 1
            if quick >= self._care.quick_deaths:
                self._model._set("failed", f"it ended {quick} times in a row, {why}", None)
                return
            pause = self._care.backoff * 2 ** (quick - 1)
            restarts += 1
            self._model._set("restarting", f"it ended, {why}", None, restarts)
            self._stopping.wait(pause)

    def _one_life(self) -> tuple[float, str]:
        """Run the child until it ends; how long it was ready, and why it ended."""
        key = secrets.token_urlsafe(32)
        self._tail.clear()
        self._news = queue.SimpleQueue()
        try:
            child = self._spawn()
        except OSError as error:
            return 0.0, f"it cannot be started: {error}"
        with child:
            threads = [
                threading.Thread(target=self._listen, args=(child, self._news), daemon=True),
                threading.Thread(target=self._keep_log, args=(child,), daemon=True),
            ]
            for thread in threads:
                thread.start()
            self._tell(child, key)
            lived, why = self._watch(key)
            _end(child, self._care.grace)
            for thread in threads:
                thread.join()
        with self._lock:
            self._child = None
        return lived, self._explain(child, why)

    def _spawn(self) -> subprocess.Popen[bytes]:
        # The package need not be installed: a checkout in the path of this process serves the child as well.
        root = str(Path(__file__).resolve().parent.parent)
        path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
        with self._lock:
            if self._stopping.is_set():
                raise InterruptedError("stopped")
            self._child = subprocess.Popen(
                self._model._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Threads that spin while they wait for one another bring the model to a standstill as soon as
                # anything else wants the processor: measured 0.5 against 2.9 tokens a second on a busy machine.
                env={"OMP_WAIT_POLICY": "passive", **os.environ, "PYTHONPATH": path},
            )
            return self._child

    def _tell(self, child: subprocess.Popen[bytes], key: str) -> None:
        """Hand the configuration over through the pipe: any user of the machine can read a command line."""
        assert child.stdin is not None
        config = asdict(self._model._config) | {"api_key": key, "parent": os.getpid()}
        try:
            child.stdin.write(json.dumps(config).encode() + b"\n")
            child.stdin.flush()
        except OSError:
            # A child that is already dead is noticed by its end of output; what its pipe still holds must not be
            # flushed again when the process object is left.
            with contextlib.suppress(OSError):
                child.stdin.close()

    def _watch(self, key: str) -> tuple[float, str]:
        """Follow the child's news until it is at its end; how long it was ready, and what it said last."""
        port: int | None = None
        ready_at = sick = 0.0
        deadline = time.monotonic() + self._care.load_timeout
        while True:
            lived = time.monotonic() - ready_at if port is not None else 0.0
            wait = self._care.health_interval if port is not None else max(0.0, deadline - time.monotonic())
            try:
                news = self._news.get(timeout=wait)
            except queue.Empty:
                if port is None:
                    return 0.0, f"not loaded after {self._care.load_timeout:.0f} s"
                sick = 0 if self._healthy(port) else sick + 1
                if sick >= self._care.health_failures:
                    return lived, "it did not answer any more"
                continue
            if self._stopping.is_set() or "end" in news:
                return lived, ""
            if news.get("state") == "failed":
                return 0.0, str(news.get("detail", ""))
            if news.get("state") == "ready":
                port, ready_at = int(news["port"]), time.monotonic()
                self._model._set("ready", "", (f"http://127.0.0.1:{port}/v1", key))

    def _healthy(self, port: int) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=self._care.health_timeout)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    @staticmethod
    def _listen(child: subprocess.Popen[bytes], news: queue.SimpleQueue[dict[str, Any]]) -> None:
        assert child.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            for line in child.stdout:
                with contextlib.suppress(ValueError):
                    message = json.loads(line)
                    if isinstance(message, dict):
                        news.put(message)
        news.put({"end": True})

    def _keep_log(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stderr is not None
        with contextlib.ExitStack() as stack:
            file: IO[str] | None = None
            if self._model.log is not None:
                with contextlib.suppress(OSError):  # a log that cannot be written must not stop the model
                    self._model.log.parent.mkdir(parents=True, exist_ok=True)
                    mode = "a" if self._logged else "w"
                    file = stack.enter_context(self._model.log.open(mode, encoding="utf-8"))
            with contextlib.suppress(OSError, ValueError):
                for line in child.stderr:
                    text = line.decode("utf-8", "replace").rstrip()
                    if text:
                        self._tail.append(text)
                    self._logged += len(line)
                    if file is not None and self._logged < LOG_LIMIT:
                        print(text, file=file, flush=True)

    def _explain(self, child: subprocess.Popen[bytes], why: str) -> str:
        code = child.returncode
        parts = [why] if why else []
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                parts.append(_SIGNALS.get(-code) or signal.Signals(-code).name)
        elif not why:
            parts.append(f"exit code {code}")
        tail = list(self._tail)[-QUOTED_LINES:]
        if tail:
            parts.append("last lines of its log: " + " | ".join(tail))
        return "; ".join(parts)


_SIGNALS = {
    int(signal.SIGILL): "SIGILL (this processor lacks instructions that it needs)",
    9: "SIGKILL (killed, perhaps for want of memory)",
}


def _end(child: subprocess.Popen[bytes], grace: float) -> None:
    """Terminate, then kill; the child is gone afterwards."""
    if child.poll() is not None:
        return
    with contextlib.suppress(OSError):
        child.terminate()
    try:
        child.wait(grace)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(OSError):
            child.kill()
        child.wait()
