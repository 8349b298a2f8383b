"""The disk of the models folder: its room, its locks, its errors, reading by blocks."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from filelock import FileLock, Timeout

from rag.errors import StorageFull, WeightsError

_BLOCK: Final = 1 << 20
_MARGIN: Final = 64 << 20
"""Bytes left free on the disk beside what a pull writes."""


@contextlib.contextmanager
def one_at_a_time(models: Path, name: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock ``name`` of the models folder; calls ``waiting`` once if another process holds it."""
    folder = models / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting()
        lock.acquire(poll_interval=0.25)
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn errors of the disk into `StorageFull` or a `WeightsError` that names ``path`` or the file."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            raise StorageFull(
                f"No space is left on the disk of {path}.",
                "Free some space or name another folder in WENZHENG_MODELS; what was fetched so far is kept.",
            ) from error
        raise WeightsError(
            f"{error.filename or path} cannot be read or written: {error.strerror or error}.",
            "Mend the folder's permissions or name another folder in WENZHENG_MODELS.",
        ) from error


def require_space(folder: Path, needed: int) -> None:
    """Check that the disk of ``folder`` has room for ``needed`` bytes and a margin.

    :raises StorageFull: if it has not
    """
    free = shutil.disk_usage(folder).free
    if free < needed + _MARGIN:
        raise StorageFull(
            f"The disk of {folder} has {free:,} bytes free; {needed + _MARGIN:,} are needed.",
            "Free some space or name another folder in WENZHENG_MODELS; what was fetched so far is kept.",
        )


def blocks(stream: IO[bytes], limit: int = sys.maxsize) -> Iterator[bytes]:
    """The bytes of a stream to its end or ``limit``, in pieces that fit in memory."""
    while block := stream.read(min(_BLOCK, limit)):
        limit -= len(block)
        yield block


def size_of(path: Path) -> int:
    """A file's size in bytes, 0 if it is missing."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def folder_size(folder: Path) -> int:
    """The bytes of all files below a folder."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            total += size_of(Path(parent, name))
    return total


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` durable, where the system can."""
    # Not possible on every system, and then not needed for the file to be whole: its bytes are synced.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
