"""Brings files and folders into the library: added, updated, renamed, linked, unchanged, removed, failed. Resumable.

What a folder holds is compared with the library by content digest; only what differs is worked on. Reading, cleaning
and cutting go on in a thread of their own while passages are encoded, and so does writing. Documents go in by batches, each of which is
findable as soon as it is in, so an interrupted run keeps what it has done and the next run goes on from there.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ingest.isolation import ParserProcess
from ingest.loading import suffix_of
from ingest.messages import fault
from ingest.preparing import Action, Add, Link, Preparer, Relocate
from ingest.reports import FileReport, FileStatus, SyncProgress, SyncReport
from ingest.walking import Found, walk
from rag.catalog import Copy
from rag.library import Addition, Library
from rag.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FileReport", "FileStatus", "SyncProgress", "SyncReport", "sync"]

_BATCH_CHUNKS = 256
_BATCH_SECONDS = 10.0
_TELLING = (".docx", ".pptx", ".xlsx", ".odt", ".md", ".doc", ".rtf", ".html", ".pdf", ".txt")
_AHEAD = 64
_AHEAD_CHARS = 4_000_000
"""How far reading may be ahead of encoding: enough to bridge a slow file, little enough to keep memory flat."""


class _Stopped(Exception):
    """The run has ended; reading is to end too."""


def sync(
    paths: Sequence[Path],
    library: Library,
    settings: Settings,
    progress: Callable[[SyncProgress], None] | None = None,
    *,
    prune: bool = False,
    reported: Callable[[FileReport], None] | None = None,
) -> SyncReport:
    """Bring these files and folders into the library.

    One bad file never stops the rest: it is reported as failed with the reason. Files of a kind that is not read are
    skipped when they are met in a folder, and failed when they are named.

    :param progress: called from this thread, whenever there is something to tell
    :param reported: called from a thread of the run with each file's report, as soon as it is true
    :param prune: remove documents from the library whose files have gone from the given folders
    :raises SourceNotFound: when a named path does not exist; nothing has been changed then
    :raises LibraryError: when the library cannot be written; what was findable stays so
    """
    for path in paths:
        if not path.exists():
            raise fault("missing", str(path))
    begun = time.monotonic()
    found = sorted(walk(paths, settings.home), key=_order)
    run = _Run(library, len(found), progress, reported)
    with contextlib.closing(run), ParserProcess() as parser, _Ahead() as ahead:
        preparer = Preparer(library, settings, parser, found, ahead.check)
        for step in ahead.over(preparer, found):
            run.take(step)
        run.flush()
        run.settle()
    if prune:
        for report in _prune(paths, preparer, library):
            run.reports.append(report)
    run.tell("")
    return SyncReport(tuple(run.reports), run.passages, time.monotonic() - begun)


class _Run:
    """Carries out actions in batches, and tells how far it is."""

    def __init__(
        self,
        library: Library,
        total: int,
        progress: Callable[[SyncProgress], None] | None,
        reported: Callable[[FileReport], None] | None = None,
    ) -> None:
        self._reported = reported
        self.reports: list[FileReport] = []
        self.passages = 0
        self._library = library
        self._progress = progress
        self._total = total
        self._files = 0
        self._prepared = 0
        self._batch: list[Action] = []
        self._chunks = 0
        self._since = time.monotonic()
        self._writer = ThreadPoolExecutor(1, "write")
        self._writing: Future[None] | None = None

    def take(self, step: Found | Action | None) -> None:
        """Go on by a file that is begun, an action, or a moment in which nothing came."""
        if isinstance(step, Found):
            self._files += 1
            self.tell(step.path.name)
        elif step is not None:
            self._batch.append(step)
            if isinstance(step, Add):
                self._chunks += len(step.addition.chunks)
                self._prepared += len(step.addition.chunks)
        if self._chunks >= _BATCH_CHUNKS or time.monotonic() - self._since > _BATCH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Encode what has gathered, and have it written while the next is being encoded."""
        batch, self._batch, self._chunks = self._batch, [], 0
        additions = [action.addition for action in batch if isinstance(action, Add)]
        vectors = self._library.encode(additions, self._encoded)
        self.settle()
        self._writing = self._writer.submit(self._write, batch, additions, vectors)
        self._since = time.monotonic()

    def settle(self) -> None:
        """Wait until all that was encoded is written."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def close(self) -> None:
        """End the writer, when what it is writing is written."""
        self._writer.shutdown()

    def _write(self, batch: list[Action], additions: list[Addition], vectors: NDArray[np.float32]) -> None:
        self._library.commit(additions, vectors)
        for action in batch:
            if isinstance(action, Add) and action.no_longer_copies:
                self._library.unlink(action.no_longer_copies)
            elif isinstance(action, Link):
                self._library.link(action.copy, action.original)
            elif isinstance(action, Relocate):
                self._library.relocate(
                    action.document_id, action.path, action.digest, action.media_type, action.title
                )
            self.reports.append(action.report)
            if self._reported is not None:
                self._reported(action.report)

    def _encoded(self, count: int) -> None:
        self.passages += count
        self.tell("")

    def tell(self, current: str) -> None:
        """Tell how far the run is."""
        if self._progress is None:
            return
        done = min(len(self.reports), self._total)
        seen = max(1, min(self._files, self._total))
        expected = max(self.passages, round(self._prepared * max(1.0, self._total / seen)))
        self._progress(
            SyncProgress(done, max(self._total, len(self.reports)), self.passages, expected, current)
        )


class _Ahead:
    """Runs a `Preparer` in a thread, so far ahead as its bounds allow."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Found | Action | BaseException | None] = queue.Queue()
        self._room = threading.Condition()
        self._waiting_chars = 0
        self._waiting = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with self._room:
            self._room.notify_all()
        if self._thread is not None:
            self._thread.join()

    def check(self) -> None:
        """Raise when the run has ended; called while a file is being read."""
        if self._stop.is_set():
            raise _Stopped

    def over(self, preparer: Preparer, found: Sequence[Found]) -> Iterator[Found | Action | None]:
        """Each file as it is begun, and then its actions; None when nothing has come for a second."""

        def work() -> None:
            end: BaseException | None = None
            try:
                for file in found:
                    self._put(file)
                    for action in preparer.actions(file):
                        self._put(action)
                for action in preparer.revisited():
                    self._put(action)
            except _Stopped:
                return
            except BaseException as error:  # noqa: BLE001 - carried over to the thread that asked for the work
                end = error
            self._queue.put(end)

        self._thread = threading.Thread(target=work, name="prepare", daemon=True)
        self._thread.start()
        while True:
            try:
                step = self._queue.get(timeout=1.0)
            except queue.Empty:
                yield None
                continue
            if step is None:
                return
            if isinstance(step, BaseException):
                raise step
            with self._room:
                self._waiting -= 1
                self._waiting_chars -= _size(step)
                self._room.notify_all()
            yield step

    def _put(self, step: Found | Action) -> None:
        size = _size(step)
        with self._room:
            self._room.wait_for(
                lambda: (
                    self._stop.is_set()
                    or (
                        self._waiting < _AHEAD
                        and (self._waiting_chars + size <= _AHEAD_CHARS or not self._waiting_chars)
                    )
                )
            )
            self.check()
            self._waiting += 1
            self._waiting_chars += size
        self._queue.put(step)


def _order(found: Found) -> tuple[str, str, int, str]:
    """By folder and name; of one name in several formats first the one that tells the most of its structure."""
    path = found.path.absolute()
    suffix = suffix_of(path.name)
    rank = _TELLING.index(suffix) if suffix in _TELLING else len(_TELLING)
    return str(path.parent), path.stem, rank, path.name


def _size(step: Found | Action) -> int:
    if isinstance(step, Add):
        return len(step.addition.document.text) + len(step.addition.original or b"")
    return len(step.original or b"") if isinstance(step, Link) else 0


def _prune(paths: Sequence[Path], preparer: Preparer, library: Library) -> Iterator[FileReport]:
    """Remove what lay in the given folders and is gone; a document that has a copy elsewhere lives on there."""
    folders = [path.absolute() for path in paths if path.is_dir()]

    def gone(text: str) -> bool:
        path = Path(text)
        if text in preparer.present or not any(path.is_relative_to(folder) for folder in folders):
            return False
        return not any(path.is_relative_to(archive) for archive in preparer.unread)

    copies: dict[str, list[Copy]] = {}
    lost: list[str] = []
    for copy in library.catalog.copies():
        if gone(copy.path):
            lost.append(copy.path)
            yield FileReport(copy.path, "removed")
        else:
            copies.setdefault(copy.document_id, []).append(copy)
    # All at once: each call commits to every store.
    library.unlink(lost)
    removed: list[str] = []
    for version in library.documents():
        source = version.source
        if not gone(source.path):
            continue
        if left := copies.get(source.id):
            heir = left[0]
            library.relocate(source.id, heir.path, heir.digest, heir.media_type, source.title)
            yield FileReport(source.path, "removed", title=source.title, same_as=heir.path)
            continue
        removed.append(source.id)
        yield FileReport(source.path, "removed", title=source.title)
    library.remove_all(removed)
