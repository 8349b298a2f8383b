"""The queue of files and addresses that come through the page: taken in one after another, each with what became of it.

One thread works through it in small batches. The queue is written to the disk whenever it changes, so that after a crash
or a restart it goes on where it was; a file that could not be taken in waits, with the reason, to be tried again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from ingest.messages import fault
from ingest.reports import FileReport, SyncProgress
from ingest.sync import sync
from ingest.uploads import FOLDER, Uploads, safe_name
from rag.errors import LibraryError, WenzhengError
from rag.library import Library
from rag.settings import Settings

logger = logging.getLogger(__name__)

State = Literal["fetching", "waiting", "reading", "indexing", "done", "failed", "cancelled"]
ACTIVE: frozenset[State] = frozenset({"fetching", "waiting", "reading", "indexing"})

MAX_WAITING = 2000
"""Files that may wait at a time."""
MAX_FINISHED = 300
"""Outcomes that are kept to be looked at."""
_BATCH = 8
"""Files that are taken in by one run: a removal waits for one such run at most."""
_FILE = "queue.json"
_STOP_SECONDS = 60.0

Fetch = Callable[[str], tuple[str, bytes]]
"""Fetches an address: the file's name and bytes; raises SourceError."""


@dataclass(frozen=True, slots=True)
class Item:
    """A file on its way into the library, or that has come to its end.

    ``outcome`` is the `ingest.reports.FileStatus` of a file that is done; ``reason`` and ``reason_zh`` say why it failed;
    ``parts`` counts the documents in an archive or mail, ``failed_parts`` those of them that failed. ``added`` and
    ``ended`` are epoch seconds, ``size`` bytes.
    """

    id: str
    name: str
    state: State
    size: int = 0
    collection: str = ""
    url: str = ""
    added: float = 0.0
    ended: float = 0.0
    outcome: str = ""
    title: str = ""
    same_as: str = ""
    chunks: int = 0
    pages: int | None = None
    parts: int = 0
    failed_parts: int = 0
    reason: str = ""
    reason_zh: str = ""
    code: str = ""
    placed: bool = False
    version: str = ""

    @property
    def active(self) -> bool:
        """Whether something is still to be done."""
        return self.state in ACTIVE


class _Closing(Exception):
    """The service ends: what is under way is given up, to be gone on with at the next start."""


class IngestQueue:
    """Takes uploaded files into a library, one batch after another, in a thread of its own. Threads may share it."""

    def __init__(self, library: Library, settings: Settings, fetch: Fetch | None = None) -> None:
        """Go on with what an earlier process left; `start` begins the work.

        :param library: open for writing
        :param fetch: fetches an address; None where that is not allowed
        """
        self._library = library
        self._settings = settings
        self._fetch = fetch
        self.uploads = Uploads(settings.home)
        self._file = settings.home / FOLDER / _FILE
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._items = _restored(self._file, self.uploads)
        self._revision = 0
        self._closing = False
        self._thread: threading.Thread | None = None

    # What is asked of it

    def start(self) -> None:
        """Begin to work through the queue."""
        self._thread = threading.Thread(target=self._work, name="ingest-queue", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the work; what is under way goes on at the next start."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def items(self) -> tuple[Item, ...]:
        """All files, the newest first."""
        with self._changed:
            return tuple(reversed(self._items))

    @property
    def revision(self) -> int:
        """A number that grows with each change."""
        with self._changed:
            return self._revision

    def knows(self, name: str) -> bool:
        """Whether a file of this name was uploaded before, or is on its way."""
        with self._changed:
            waiting = any(item.active and item.name == name for item in self._items)
        return waiting or self.uploads.path(name).exists()

    def add(self, name: str, data: bytes, collection: str = "", *, keep_both: bool = False) -> Item:
        """Have a file taken in; it is on the disk when this returns.

        :param keep_both: where a file of this name is known, give this one another name; else it is a new version
        :raises SourceError: the name is none, the file is empty or too large
        :raises LibraryError: it cannot be stored, or too many wait
        """
        name = safe_name(name)
        if not data:
            raise fault("empty", name)
        limit = self._settings.max_file_mb
        if len(data) > limit * 10**6:
            raise fault("too_large", name, size=round(len(data) / 1e6, 1), limit=limit)
        if keep_both:
            name = self._free_name(name)
        item = Item(_id(), name, "waiting", len(data), collection, added=time.time())
        self._admit()
        self.uploads.put(item.id, data)
        self._append(item)
        return item

    def add_url(self, url: str, collection: str = "") -> Item:
        """Have an address fetched and taken in.

        :raises LibraryError: too many wait
        """
        self._admit()
        item = Item(_id(), url, "fetching", 0, collection, url, added=time.time())
        self._append(item)
        return item

    def cancel(self, id_: str) -> bool:
        """Take out what has not been begun; whether it could be."""
        with self._changed:
            item = self._find(id_)
            if item is None or item.state not in ("waiting", "fetching") or item.placed:
                return False
            self._put(replace(item, state="cancelled", ended=time.time()))
        self.uploads.drop(id_)
        return True

    def retry(self, id_: str) -> bool:
        """Try once more what failed; whether there was anything to try."""
        with self._changed:
            item = self._find(id_)
            if item is None or item.state != "failed":
                return False
            if not item.url and not self.uploads.waits(id_):
                return False
            state: State = "waiting" if self.uploads.waits(id_) else "fetching"
            self._put(
                Item(item.id, item.name, state, item.size, item.collection, item.url, added=time.time())
            )
            self._changed.notify_all()
        return True

    def clear(self, id_: str = "") -> int:
        """Forget one outcome, or all that are there; returns how many. What is under way stays."""
        with self._changed:
            gone = [item for item in self._items if not item.active and (not id_ or item.id == id_)]
            self._items = [item for item in self._items if item not in gone]
            self._touch()
        for item in gone:
            self.uploads.drop(item.id)
        return len(gone)

    def restore(self, name: str, version: str, collection: str = "") -> Item:
        """Have an earlier version of an uploaded file taken in again as its newest.

        :raises SourceNotFound: there is none
        """
        return self.add(name, self.uploads.read_earlier(name, version), collection)

    def remove(self, document_ids: Sequence[str]) -> int:
        """Remove documents from the library, and the uploaded files that no document is left of; returns how many.

        It waits for the batch under way.

        :raises LibraryError: the library cannot be written
        """
        with self._writing:
            wanted = set(document_ids)
            names = self._names(wanted)
            removed = self._library.remove_all(sorted(wanted))
            self.uploads.forget(names - self._names())
            return removed

    def _names(self, document_ids: set[str] | None = None) -> set[str]:
        """The uploaded files behind these documents, or behind all."""
        places = [(version.source.id, version.source.path) for version in self._library.documents()]
        places += [(copy.document_id, copy.path) for copy in self._library.catalog.copies()]
        found = {
            self.uploads.name_at(path) for id_, path in places if document_ids is None or id_ in document_ids
        }
        return found - {""}

    # The work

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._closing and not any(item.active for item in self._items):
                    self._changed.wait()
                if self._closing:
                    return
                address = next((item for item in self._items if item.state == "fetching"), None)
                batch = _next_batch(self._items)
            try:
                if address is not None:
                    self._obtain(address)
                elif batch:
                    with self._writing:
                        self._ingest(batch)
            except _Closing:
                return
            except Exception as error:
                # Whatever it is: the file says so, the log has all of it, and the queue goes on with the next.
                logger.exception("Files of the queue could not be taken in.")
                for item in [address] if address is not None else batch:
                    self._fail(item.id, error)

    def _obtain(self, item: Item) -> None:
        try:
            if self._fetch is None:
                raise fault("fetch_forbidden", item.url, host="-")
            name, data = self._fetch(item.url)
            name = safe_name(name)
            self.uploads.put(item.id, data)
        except WenzhengError as error:
            self._fail(item.id, error)
            return
        with self._changed:
            now = self._find(item.id)
            if now is not None and now.state == "fetching":
                self._put(replace(now, state="waiting", name=name, size=len(data)))
                return
        self.uploads.drop(item.id)  # cancelled meanwhile

    def _ingest(self, batch: Sequence[Item]) -> None:
        placed: dict[str, Item] = {}
        for item in batch:
            with self._changed:
                now = self._find(item.id)
                if now is None or not now.active:
                    continue  # cancelled since the batch was chosen
                # From here on it cannot be.
                self._put(replace(now, state="indexing"))
            try:
                if not item.placed:
                    version = self.uploads.place(item.id, item.name)
                    item = self._update(item.id, placed=True, version=version)
                placed[item.name] = item
            except WenzhengError as error:
                self._fail(item.id, error)
        if not placed:
            return
        reports: dict[str, list[FileReport]] = {name: [] for name in placed}

        def told(progress: SyncProgress) -> None:
            if self._closing:
                raise _Closing
            if item := placed.get(progress.current):
                self._update(item.id, state="reading")

        def reported(report: FileReport) -> None:
            name = self.uploads.name_at(report.path)
            if name in reports:
                reports[name].append(report)

        paths = [self.uploads.path(name) for name in placed]
        try:
            sync(paths, self._library, self._settings, told, reported=reported)
        except WenzhengError as error:
            logger.exception("A batch of files could not be written into the library.")
            for name, item in placed.items():
                if _finished(reports[name]):
                    self._finish(item, reports[name])
                else:
                    self._undo(item)
                    self._fail(item.id, error)
            return
        for name, item in placed.items():
            self._finish(item, reports[name])

    def _finish(self, item: Item, reports: Sequence[FileReport]) -> None:
        """Say what became of a file, put it into its collection, or put back what it was to replace."""
        bad = [report for report in reports if report.status in ("failed", "skipped")]
        good = [report for report in reports if report.status not in ("failed", "skipped")]
        if not good:
            self._undo(item)
            why = bad[0] if bad else None
            if why is None:
                self._fail(item.id, fault("empty", item.name))
            else:
                self._end(item.id, "failed", reason=why.reason, reason_zh=why.reason_zh, code=why.code)
            return
        if item.collection:
            self._library.catalog.collect(
                self._library.catalog.documents_at(str(self.uploads.path(item.name))), item.collection
            )
        first = good[0]
        if item.version and first.status == "unchanged":
            self.uploads.forget_earlier(item.name, item.version)
        several = len(reports) > 1
        self._end(
            item.id,
            "done",
            outcome=first.status,
            title=item.name if several else first.title,
            same_as="" if several else first.same_as,
            chunks=sum(report.chunks for report in good),
            pages=None if several else first.pages,
            parts=len(reports) if several else 0,
            failed_parts=len(bad) if several else 0,
            reason=bad[0].reason if bad else "",
            reason_zh=bad[0].reason_zh if bad else "",
            code=bad[0].code if bad else "",
        )

    def _undo(self, item: Item) -> None:
        try:
            self.uploads.take_back(item.id, item.name, item.version)
        except LibraryError:
            logger.exception("An upload that failed could not be put back.")
        with contextlib.suppress(KeyError):
            self._update(item.id, placed=False, version="")

    def _fail(self, id_: str, error: Exception) -> None:
        english, chinese, code = str(error), str(error), "Unexpected"
        if isinstance(error, WenzhengError):
            chinese, code = error.chinese or str(error), error.code
        else:
            english = f"An unexpected error: {type(error).__name__}. The log has it."
            chinese = f"意外错误（{type(error).__name__}），详见日志。"
        with contextlib.suppress(KeyError):
            self._end(id_, "failed", reason=english, reason_zh=chinese, code=code)

    def _end(self, id_: str, state: State, **values: Any) -> None:
        self._update(id_, state=state, ended=time.time(), **values)

    # The list

    def _free_name(self, name: str) -> str:
        stem, dot, suffix = name.rpartition(".")
        stem, suffix = (stem, dot + suffix) if dot else (name, "")
        number, free = 2, name
        while self.knows(free):
            free = safe_name(f"{stem[:100]} ({number}){suffix}")
            number += 1
        return free

    def _admit(self) -> None:
        with self._changed:
            if self._closing:
                raise LibraryError("The service is ending.", "Add the file again when it has started.")
            if sum(item.active for item in self._items) >= MAX_WAITING:
                raise LibraryError(
                    f"{MAX_WAITING} files are waiting already.", "Add more when some of them are done."
                )

    def _append(self, item: Item) -> None:
        with self._changed:
            self._items.append(item)
            self._touch()
            self._changed.notify_all()

    def _find(self, id_: str) -> Item | None:
        return next((item for item in self._items if item.id == id_), None)

    def _update(self, id_: str, **values: Any) -> Item:
        with self._changed:
            item = self._find(id_)
            if item is None:
                raise KeyError(id_)
            changed = replace(item, **values)
            if changed != item:
                self._put(changed)
            return changed

    def _put(self, changed: Item) -> None:
        self._items = [changed if item.id == changed.id else item for item in self._items]
        self._touch()

    def _touch(self) -> None:
        """Count a change, and write it down; the lock is held."""
        self._revision += 1
        finished = [item for item in self._items if not item.active]
        if len(finished) > MAX_FINISHED:
            gone = {item.id for item in finished[: len(finished) - MAX_FINISHED]}
            self._items = [item for item in self._items if item.id not in gone]
            for id_ in gone:
                self.uploads.drop(id_)
        record = json.dumps([asdict(item) for item in self._items], ensure_ascii=False)
        partial = self._file.with_suffix(".partial")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(record, encoding="utf-8", errors="replace")
            partial.replace(self._file)
        except OSError:
            # The work goes on: what the list says of it is lost only if the service ends now.
            logger.exception("The queue of uploads could not be written.")


def _next_batch(items: Sequence[Item]) -> list[Item]:
    """The files to be taken in next: the oldest, no name twice, for the second is a new version of the first."""
    batch: dict[str, Item] = {}
    for item in items:
        if item.active and item.state != "fetching":
            batch.setdefault(item.name, item)
            if len(batch) == _BATCH:
                break
    return list(batch.values())


def _finished(reports: Sequence[FileReport]) -> bool:
    return any(report.status not in ("failed", "skipped") for report in reports)


def _restored(file: Path, uploads: Uploads) -> list[Item]:
    """What an earlier process wrote down, ready to be gone on with; what cannot be read is logged and left."""
    try:
        records = json.loads(file.read_text(encoding="utf-8"))
        found = [Item(**record) for record in records]
        if any(item.state not in get_args(State) for item in found):
            raise ValueError("an unknown state")
    except FileNotFoundError:
        found = []
    except (OSError, ValueError, TypeError):
        logger.exception("The queue of uploads could not be read; it begins anew.")
        found = []
    items = []
    for item in found:
        if item.active:
            if not (item.placed or uploads.waits(item.id) or item.url):
                item = replace(
                    item,
                    state="failed",
                    ended=time.time(),
                    reason="The file is not there any more. Add it again.",
                    reason_zh="文件已不在，请重新上传。",
                    code="SourceNotFound",
                )
            else:
                begun = item.placed or uploads.waits(item.id)
                item = replace(item, state="waiting" if begun else "fetching")
        items.append(item)
    known = {item.id for item in items}
    for id_ in uploads.waiting() - known:
        uploads.drop(id_)
    return items


def _id() -> str:
    return secrets.token_hex(8)
