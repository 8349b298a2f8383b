"""The files as they came, kept by content: one copy for each SHA-256, however many documents point to it."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from rag.errors import LibraryDamaged, LibraryError, StorageFull

_PARTIAL = ".partial"


class Originals:
    """A folder of files named by their digests. One process writes at a time; any may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, digest: str, data: bytes) -> None:
        """Keep a file's bytes; nothing happens when they are there.

        :raises StorageFull: when the disk has no room
        :raises LibraryError: when the folder cannot be written
        """
        path = self._path(digest)
        if path.exists():
            return
        partial = path.with_name(digest + _PARTIAL)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Not forced to the disk: after a power cut the digest tells, and the file can be had from its place.
            partial.write_bytes(data)
            partial.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise _translated(error, self._folder) from error

    def read(self, digest: str) -> bytes:
        """A file's bytes.

        :raises LibraryDamaged: when it is not kept or not what it was
        """
        try:
            data = self._path(digest).read_bytes()
        except OSError as error:
            raise LibraryDamaged(
                f"The original {digest[:12]} is not in {self._folder}.",
                "Ingest its file again with keep_originals set.",
            ) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise LibraryDamaged(
                f"The original {digest[:12]} in {self._folder} is not what it was.",
                "Delete it and ingest its file again.",
            )
        return data

    def holds(self, digest: str) -> bool:
        """Whether a file is kept."""
        return self._path(digest).exists()

    def sizes(self, digests: Iterable[str]) -> dict[str, int | None]:
        """The bytes that each of these files takes; None for one that is not kept."""
        found: dict[str, int | None] = {}
        for digest in digests:
            try:
                found[digest] = self._path(digest).stat().st_size
            except OSError:
                found[digest] = None
        return found

    def remove(self, digests: Iterable[str]) -> None:
        """Delete files; those that are not there are no fault.

        :raises LibraryError: when one cannot be deleted
        """
        for digest in digests:
            path = self._path(digest)
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise _translated(error, self._folder) from error
            with contextlib.suppress(OSError):
                path.parent.rmdir()  # when it was the last one in it

    def keep_only(self, digests: set[str]) -> int:
        """Delete every file but these, and what a crash left half written; returns how many went."""
        gone = 0
        for path in list(self._files()):
            if path.name not in digests:
                with contextlib.suppress(OSError):
                    path.unlink()
                    gone += 1
        return gone

    def _files(self) -> Iterator[Path]:
        return (path for path in self._folder.glob("??/*") if path.is_file())

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


def folder_bytes(folder: Path) -> int:
    """What a folder takes on the disk, in bytes."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(parent) / name).stat().st_size
    return total


def _translated(error: OSError, folder: Path) -> LibraryError:
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(
            f"No space is left on the disk that holds {folder}.",
            "Free some space and run the same command again; nothing that was findable is lost.",
        )
    return LibraryError(f"{folder} cannot be written: {error.strerror}.", "Check that you may write there.")
