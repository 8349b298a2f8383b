"""Files from the disk: read whole, within a limit, and only when nobody is writing them."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from pathlib import Path
from typing import BinaryIO

from ingest.messages import fault
from rag.errors import SourceError

_MB = 2**20
_TRIES = 3
_PAUSE_SECONDS = 0.3


def read_bytes(path: Path, max_mb: int) -> bytes:
    """A file's bytes, as they stood at one moment.

    A file that changes while it is read is read again, a moment later, up to three times.

    :raises SourceNotFound: when it is not there, is no plain file or cannot be read
    :raises SourceTooLarge: when it is over ``max_mb`` megabytes; it is not read then
    :raises SourceChanged: when it keeps changing
    """
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE_SECONDS)
        try:
            with _open(path) as file:
                before = os.fstat(file.fileno())
                _check_kind(path, before)
                if before.st_size > max_mb * _MB:
                    raise fault("too_large", path.name, size=before.st_size // _MB, limit=max_mb)
                # One byte more than allowed shows a file that grows while it is read.
                data = file.read(max_mb * _MB + 1)
                after = os.fstat(file.fileno())
        except OSError as error:
            raise _not_read(path, error) from error
        if _state(before) == _state(after) and len(data) == after.st_size:
            return data
    raise fault("changed", path.name)


def digest_of(data: bytes) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _open(path: Path) -> BinaryIO:
    # Without the flag, opening a named pipe would wait for its writer.
    return os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb")


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino


def _check_kind(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise fault("folder", str(path))
    if not stat.S_ISREG(status.st_mode):
        raise fault("no_file", str(path))


def _not_read(path: Path, error: OSError) -> SourceError:
    if isinstance(error, IsADirectoryError):
        return fault("folder", str(path))
    if isinstance(error, FileNotFoundError):
        return fault("missing", str(path))
    return fault("no_access", str(path), detail=error.strerror or type(error).__name__)
