"""The embedded chat model's process: ``python -m rag.llama_worker``, started by `rag.embedded` alone.

It reads one line of JSON from its standard input (a `WorkerConfig`, and with it the key that requests must
carry), loads the model, serves the OpenAI-compatible API on a free port of 127.0.0.1, and says so in lines of
JSON on its standard output: ``{"state": "loading"}``, then ``{"state": "ready", "port": 40123}`` or
``{"state": "failed", "detail": "..."}``. Logs go to standard error. It lives no longer than its parent.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from rag.processes import end_with_parent


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """What the process is told. The defaults are those that measured best; see docs/experiments.md."""

    model: str
    alias: str
    api_key: str
    parent: int = 0
    threads: int = 0
    context: int = 4096
    slots: int = 2
    batch: int = 512
    ubatch: int = 512
    prompt_cache_mb: int = 256
    draft_match: int = 3
    draft_length: int = 8


def main() -> int:
    """Serve until the parent goes away; the process's exit code."""
    # Ctrl-C in a terminal reaches the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    say = _protocol()
    line = sys.stdin.readline()
    if not line:
        return 0
    config = WorkerConfig(**json.loads(line))
    _die_with_parent(config.parent)
    say({"state": "loading"})
    try:
        server = _serve(config)
    except Exception as error:  # noqa: BLE001 - a C++ exception of any kind; the parent is told and decides
        say({"state": "failed", "detail": str(error)})
        return 1
    say({"state": "ready", "port": int(server.listening_address.rsplit(":", 1)[1])})
    threading.Event().wait()
    return 0


def _protocol() -> Any:
    """Keep standard output for the protocol: the C++ code prints there too, so it gets standard error."""
    lines: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)

    def say(message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the parent has gone, and so will this process in a moment
            print(json.dumps(message), file=lines, flush=True)

    return say


def _die_with_parent(parent: int) -> None:
    """End this process when the parent ends, however it ends.

    The end of standard input works everywhere, but its watcher needs the interpreter's lock, which a long
    call into C++ may hold; the kernel's own signal (Linux) needs nothing.
    """
    end_with_parent(parent)

    def watch() -> None:
        with contextlib.suppress(OSError, ValueError):
            while sys.stdin.buffer.read(4096):
                pass
        os._exit(0)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _cores() -> int:
    """The physical cores that this process may use: more threads than that wait for one another in turns."""
    import psutil

    count = int(psutil.cpu_count(logical=False) or os.cpu_count() or 1)
    with contextlib.suppress(AttributeError):
        count = min(count, len(os.sched_getaffinity(0)))
    with contextlib.suppress(OSError, ValueError):  # a container's share, where there is one
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        count = min(count, max(1, round(int(quota) / int(period))))
    return count


def _serve(config: WorkerConfig) -> Any:
    """Load the model and start the server; returns when it answers."""
    import xllamacpp as xl

    params = xl.CommonParams()
    params.model.path = config.model
    params.model_alias = {config.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [config.api_key]
    # A browser page has no business here.
    params.ui = False
    params.cors_origins = ""
    params.endpoint_slots = False
    params.verbosity = 2
    threads = config.threads or _cores()
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.n_ctx = config.context
    params.n_parallel = config.slots
    params.kv_unified = True
    params.n_batch = config.batch
    params.n_ubatch = config.ubatch
    params.cache_prompt = True
    params.cache_ram_mib = config.prompt_cache_mb
    if config.draft_match:
        # Answers quote the passages, so what followed the same few tokens in the prompt is a good guess of what
        # comes next; guesses are checked in one pass, which costs little more than one token.
        params.speculative.types = [xl.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
        params.speculative.ngram_simple.size_n = config.draft_match
        params.speculative.ngram_simple.size_m = config.draft_length
    return xl.Server(params)


if __name__ == "__main__":
    sys.exit(main())
