"""Files that came through the page, in the library's own folder: those in force, those that wait, and earlier versions.

Each lies at ``uploads/files/NAME``, which is its path in the library, so that the same name again is a new version of
it. What it replaces is kept below ``uploads/earlier/NAME``. A file that waits for its turn lies under its number only.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import time
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ingest.messages import fault
from rag.errors import LibraryError, SourceNotFound, StorageFull

FOLDER = "uploads"
MAX_NAME_BYTES = 180
"""Of a file's name: file systems end at 255, and versions and numbers are added."""

_WAITING, _FILES, _EARLIER = "waiting", "files", "earlier"
_ID = re.compile(r"[0-9a-f]{16}")
_VERSION = re.compile(r"\d{8}-\d{6}-\d{2}")
_UNUSABLE = re.compile(
    r'[<>:"|?*\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]'
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A version that was replaced: its name among the versions, its size in bytes, when it was replaced (epoch seconds)."""

    id: str
    size: int
    replaced: float


def safe_name(name: str) -> str:
    """A file name that any system stores and that leads nowhere else: the last part of what a browser sent.

    :raises SourceNotFound: nothing of it is left
    """
    last = PurePosixPath(name.replace("\\", "/")).name
    cleaned = _UNUSABLE.sub("_", unicodedata.normalize("NFC", last)).strip(" .")
    stem, dot, suffix = cleaned.rpartition(".")
    if not dot:
        stem, suffix = cleaned, ""
    room = MAX_NAME_BYTES - len(suffix.encode()) - 1
    if room < MAX_NAME_BYTES // 2:
        stem, dot, suffix, room = cleaned, "", "", MAX_NAME_BYTES
    # Office programs' lock files (~$name) are left out of folders; here somebody chose the file.
    stem = stem.encode()[:room].decode("utf-8", "ignore").strip(" .").lstrip("~$ .")
    if not stem.strip("_"):
        raise fault("missing", last or name or "?")
    return f"{stem}{dot}{suffix}"


class Uploads:
    """The folder of uploaded files. One process writes at a time."""

    def __init__(self, home: Path) -> None:
        self._root = home / FOLDER

    def receive(self, id_: str) -> Path:
        """Where the bytes of a file are to be written that then waits under this number.

        :raises LibraryError: the folder cannot be made
        """
        path = self._waiting(id_)
        with _translated(self._root):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def put(self, id_: str, data: bytes) -> None:
        """Have these bytes wait under this number; they are on the disk when this returns.

        :raises StorageFull: the disk has no room
        """
        path = self.receive(id_)
        try:
            with _translated(self._root), path.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except LibraryError:
            path.unlink(missing_ok=True)
            raise

    def waits(self, id_: str) -> bool:
        """Whether a file waits under this number."""
        return self._waiting(id_).is_file()

    def drop(self, id_: str) -> None:
        """Forget a file that waits; none is no fault."""
        with _translated(self._root):
            self._waiting(id_).unlink(missing_ok=True)

    def waiting(self) -> set[str]:
        """The numbers of all files that wait."""
        folder = self._root / _WAITING
        return (
            {path.name for path in folder.glob("*") if _ID.fullmatch(path.name)} if folder.is_dir() else set()
        )

    def path(self, name: str) -> Path:
        """Where the file of this name lies that is in force; absolute, as the library knows it."""
        return (self._root / _FILES / name).absolute()

    def name_at(self, path: str) -> str:
        """The name of the uploaded file at a path of the library, also for what lies inside an archive; else empty."""
        root = f"{(self._root / _FILES).absolute()}{os.sep}"
        return path[len(root) :].replace("\\", "/").partition("/")[0] if path.startswith(root) else ""

    def place(self, id_: str, name: str) -> str:
        """Put the file that waits in force; what lay there becomes an earlier version.

        :return: the name of that version, empty where there was none
        :raises SourceNotFound: nothing waits under this number
        """
        source, target = self._waiting(id_), self.path(name)
        if not source.is_file():
            raise fault("missing", name)
        with _translated(self._root):
            target.parent.mkdir(parents=True, exist_ok=True)
            version = ""
            if target.exists():
                version = self._free_version(name)
                kept = self._version(name, version)
                kept.parent.mkdir(parents=True, exist_ok=True)
                # A link, so that at no moment there is nothing at its path.
                _copied(target, kept)
            source.replace(target)
        return version

    def take_back(self, id_: str, name: str, version: str) -> None:
        """Undo `place`: the file waits again, and the version it replaced is in force again."""
        target = self.path(name)
        with _translated(self._root):
            if target.exists():
                target.replace(self.receive(id_))
            if version:
                self._version(name, version).replace(target)

    def earlier(self, name: str) -> list[Earlier]:
        """The versions that were replaced, the newest first."""
        folder = self._root / _EARLIER / name
        found = []
        for path in folder.glob("*") if name and folder.is_dir() else ():
            if _VERSION.fullmatch(path.name):
                stamp = time.mktime(time.strptime(path.name[:15], "%Y%m%d-%H%M%S"))
                found.append(Earlier(path.name, path.stat().st_size, stamp))
        return sorted(found, key=lambda one: one.id, reverse=True)

    def read_earlier(self, name: str, version: str) -> bytes:
        """The bytes of an earlier version.

        :raises SourceNotFound: there is none of that name
        """
        if not _VERSION.fullmatch(version) or name != PurePosixPath(name).name:
            raise fault("missing", name)
        path = self._version(name, version)
        if not path.is_file():
            raise fault("missing", name)
        with _translated(self._root):
            return path.read_bytes()

    def forget_earlier(self, name: str, version: str) -> None:
        """Delete one earlier version; none is no fault."""
        with _translated(self._root):
            self._version(name, version).unlink(missing_ok=True)

    def forget(self, names: Iterable[str]) -> None:
        """Delete files with all their versions; those that are not there are no fault."""
        for name in names:
            with _translated(self._root):
                self.path(name).unlink(missing_ok=True)
                folder = self._root / _EARLIER / name
                if name and folder.is_dir():
                    shutil.rmtree(folder)

    def _waiting(self, id_: str) -> Path:
        if not _ID.fullmatch(id_):
            raise SourceNotFound(f"{id_!r} is no upload.", "Reload the page.")
        return self._root / _WAITING / id_

    def _version(self, name: str, version: str) -> Path:
        return self._root / _EARLIER / name / version

    def _free_version(self, name: str) -> str:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        number = 0
        while self._version(name, f"{stamp}-{number:02d}").exists():
            number += 1
        return f"{stamp}-{number:02d}"


def _copied(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Not every file system has links.
        shutil.copyfile(source, target)


@contextlib.contextmanager
def _translated(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(
                f"No space is left on the disk that holds {root}.",
                "Free some space and try again; nothing that was findable is lost.",
            ) from error
        raise LibraryError(
            f"{root} cannot be written: {error.strerror}.", "Check that you may write there."
        ) from error
