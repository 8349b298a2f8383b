"""Adding to a file of lines so that each is there whole or not at all, also over a crash and on a full disk."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path


def append_durably(path: Path, lines: bytes) -> None:
    """Add lines to a file, which is made if it is not there; they are on the disk when this returns.

    What a crash once left of a line stays on a line of its own; what a failed write left is cut off again. The caller
    holds the lock that keeps other writers away.

    :param lines: ends with a line feed
    :raises OSError: it cannot be written; the file is then as it was
    """
    new = not path.exists()
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    # What visitors wrote is for the service's own account alone.
    handle = os.open(path, flags, 0o600)
    try:
        size = os.lseek(handle, 0, os.SEEK_END)
        if size:
            os.lseek(handle, -1, os.SEEK_END)
            if os.read(handle, 1) != b"\n":
                lines = b"\n" + lines
        try:
            written = os.write(handle, lines)
            if written < len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(handle)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)
    if new:
        # The file's name reaches the disk with its folder, not with the file.
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system knows of such a thing."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
