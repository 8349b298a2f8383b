"""The process in which files of complicated formats are read: ``python -m ingest.parser_worker``.

Started by `ingest.isolation` alone. A request on standard input is a line of JSON (name, size, limits) and then the
file's bytes; replies on standard output are lines of JSON: any number of ``{"beat": 1}``, then ``{"parsed": ...}``,
``{"fault": ...}`` or ``{"memory": 1}``. JSON and not pickle, because a file that takes this process over must not
take over the one that started it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict
from typing import Any, BinaryIO

from ingest.loading import Limits, Task, parse
from rag.errors import SourceError
from rag.processes import end_with_parent

_BEAT_SECONDS = 0.2
_MB = 2**20


def main() -> int:
    """Serve requests until the input ends."""
    # Ctrl-C in a terminal reaches the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replies: BinaryIO = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not mix with the replies
    end_with_parent(int(sys.argv[1]) if len(sys.argv) > 1 else 0)

    speaking = threading.Lock()

    def say(message: dict[str, Any]) -> None:
        line = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
        with speaking:
            replies.write(line)
            replies.flush()

    requests = sys.stdin.buffer
    while line := requests.readline():
        request = json.loads(line)
        data = requests.read(request["size"])
        if len(data) < request["size"]:
            break
        limits = Limits(**request["limits"])
        _bound_memory(limits.memory_mb)
        say(_answer(Task(data, request["name"], limits, _beat(say))))
    return 0


def _answer(task: Task) -> dict[str, Any]:
    try:
        return {"parsed": asdict(parse(task))}
    except SourceError as error:
        if _caused_by(error, MemoryError):
            return {"memory": 1}
        if _caused_by(error, ImportError):
            return {"slip": f"a package is missing: {error.__cause__}"[:300]}
        return {"fault": {"code": error.code, "what": error.what, "fix": error.fix, "chinese": error.chinese}}
    except MemoryError:
        return {"memory": 1}
    except Exception as error:  # noqa: BLE001 - a loader's slip; the parent names the file and goes on
        return {"slip": f"{type(error).__name__}: {error}"[:300]}


def _caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether a fault was found because of an error of that kind: then it is not the file that is damaged."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, kind):
            return True
        cause = cause.__cause__
    return False


def _beat(say: Any) -> Any:
    last = 0.0
    lock = threading.Lock()  # a loader may beat from a thread of its own

    def beat() -> None:
        nonlocal last
        with lock:
            now = time.monotonic()
            if now - last >= _BEAT_SECONDS:
                last = now
                say({"beat": 1})

    return beat


def _bound_memory(megabytes: int) -> None:
    """Have allocations beyond the limit fail, where the system can do that; the parent watches besides."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = (megabytes + 256) * _MB  # thread stacks and reserves count here, though they are hardly touched
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main())
