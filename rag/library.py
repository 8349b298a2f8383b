"""The library: catalog, index and embedder kept in step.

A document becomes findable in one catalog transaction, after its vectors and terms are durable; what it replaces is
cleared away afterwards. Whatever a crash leaves half done is undone when the library is next opened for writing, and
is invisible until then.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.catalog import URL, Catalog, Version, chunk_key, sqlite_url
from rag.errors import LibraryError, LibraryLocked, LibraryMismatch
from rag.index import METRIC, EmbeddedIndex, Entry, Index, remove_index
from rag.settings import Settings
from rag.text import FOLDING_VERSION, to_simplified
from rag.types import Chunk, Document, Source

if TYPE_CHECKING:
    from rag.embedding import Embedder

CHUNKING_VERSION = 1
"""Raised whenever the chunker would cut the same text elsewhere."""

_CATALOG_FILE = "catalog.sqlite3"
_LOCK_FILE = "writer.lock"
_HOLDER_FILE = "writer.json"
_INDEX_FOLDER = "index"


class Library:
    """The documents that can be asked about. Open with `Library.open`; threads may share it."""

    def __init__(self, catalog: Catalog, index: Index, embedder: Embedder, lock: WriterLock | None) -> None:
        self.catalog = catalog
        self.index = index
        self.embedder = embedder
        self._lock = lock

    @classmethod
    def open(cls, settings: Settings, embedder: Embedder, *, writable: bool) -> Library:
        """Open the library in ``settings.home``, creating it when it is to be written.

        :raises LibraryLocked: another process writes it (only when ``writable``)
        :raises LibraryMismatch: it was built with another embedding model, metric, chunking or folding
        :raises LibraryError: there is none (only when not ``writable``), or a store is damaged
        """
        home = settings.home
        if not writable and not (home / _CATALOG_FILE).exists():
            raise LibraryError(
                f"There is no library in {home}.",
                "Make one with `wenzheng ingest PATH`, or name another with --home.",
            )
        lock = None
        if writable:
            with _made(home):
                home.mkdir(parents=True, exist_ok=True)
            lock = WriterLock(home)
            lock.acquire()
        catalog = index = None
        try:
            catalog = Catalog.open(_catalog_url(home))
            _check_fingerprint(catalog, _fingerprint(settings, embedder), home, writable=writable)
            index = EmbeddedIndex(home / _INDEX_FOLDER, writable=writable)
            library = cls(catalog, index, embedder, lock)
            if writable:
                library.reconcile()
        except BaseException:
            if index is not None:
                index.close()
            if catalog is not None:
                catalog.close()
            if lock is not None:
                lock.release()
            raise
        return library

    @property
    def writable(self) -> bool:
        """Whether this process holds the writer's lock."""
        return self._lock is not None

    def close(self) -> None:
        """Close the stores and let another process write."""
        self.index.close()
        self.catalog.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def replace(
        self,
        items: Sequence[tuple[Document, Sequence[Chunk]]],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Make these documents findable, each in place of the version of the same id that is there.

        All of them become findable together. When anything fails, none does and what was findable stays so.

        :param progress: called with the number of passages encoded since the last call
        """
        if not items:
            return
        entries = [
            [(chunk, embedding_text(document.source, chunk)) for chunk in chunks]
            for document, chunks in items
        ]
        texts = [text for document in entries for _, text in document]
        # Encoding comes first: it is nearly all of the time, and touches no store.
        vectors = self.embedder.embed_passages(texts)
        if progress is not None:
            progress(len(texts))
        version_ids: list[int] = []
        try:
            index_entries: list[Entry] = []
            for document, chunks in items:
                version_id = self.catalog.add_pending(document, chunks)
                version_ids.append(version_id)
                index_entries.extend(_entries(version_id, [(c, document.source) for c in chunks]))
            self.index.add(index_entries, vectors)
            self.catalog.make_live(version_ids)
        except BaseException:
            # The disk may be full or the process on its way out: what can't be cleared now is on the next opening.
            with contextlib.suppress(LibraryError):
                self._clear(version_ids)
            raise
        self._clear(self.catalog.superseded_ids())

    def remove(self, document_id: str) -> bool:
        """Remove a document with its text, vectors and terms; False when there is none of that id."""
        found = self.catalog.retire(document_id)
        self._clear(self.catalog.superseded_ids())
        return found

    def reconcile(self) -> None:
        """Undo what was left half done, and mend the index where it disagrees with the catalog."""
        self._clear(self.catalog.superseded_ids())
        expected = self.catalog.chunk_count()
        if self.index.counts() == (expected, expected):
            return
        dense, lexical = self.index.version_counts()
        live = {version.id: version for version in self.catalog.versions()}
        wrong = {
            version_id
            for version_id in {*dense, *lexical, *live}
            if version_id not in live
            or not dense.get(version_id, 0) == lexical.get(version_id, 0) == live[version_id].chunks
        }
        self.index.delete_versions(sorted(wrong))
        for version_id in sorted(wrong & set(live)):
            self._index_version(version_id)

    def documents(self) -> list[Version]:
        """Every document that can be found, by path."""
        return self.catalog.versions()

    def _index_version(self, version_id: int) -> None:
        found = [(chunk, source) for _, chunk, source in self.catalog.version_chunks(version_id)]
        vectors = self.embedder.embed_passages([embedding_text(source, chunk) for chunk, source in found])
        self.index.add(_entries(version_id, found), vectors)

    def _clear(self, version_ids: Sequence[int]) -> None:
        if version_ids:
            self.index.delete_versions(version_ids)
            self.catalog.purge(version_ids)


class WriterLock:
    """The right to write one library, held by one process and freed by the system when it dies."""

    def __init__(self, home: Path) -> None:
        from filelock import FileLock

        self._home = home
        self._lock = FileLock(str(home / _LOCK_FILE))

    def acquire(self) -> None:
        """Take the lock or raise `LibraryLocked`, naming the holder."""
        from filelock import Timeout

        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            holder = _read_holder(self._home / _HOLDER_FILE)
            who = (
                f"process {holder['pid']} ({holder['command']}, since {holder['since']})"
                if holder
                else "a process"
            )
            raise LibraryLocked(
                f"The library {self._home} is being written by {who}.",
                "Wait for it to end or stop it, then run this again.",
            ) from error
        holder_file = self._home / _HOLDER_FILE
        record = {
            "pid": os.getpid(),
            "command": _command_line(),
            "since": time.strftime("%Y-%m-%d %H:%M:%S"),
        }
        with contextlib.suppress(OSError):
            holder_file.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")

    def release(self) -> None:
        """Give the lock back."""
        with contextlib.suppress(OSError):
            (self._home / _HOLDER_FILE).unlink(missing_ok=True)
        self._lock.release()


def embedding_text(source: Source, chunk: Chunk) -> str:
    """What is embedded for a chunk: its context and text, in simplified script so that scripts meet in one space."""
    context = " ".join(part for part in (source.title, chunk.heading) if part and part not in chunk.text)
    return to_simplified(f"{context}\n{chunk.text}" if context else chunk.text)


def rebuild(settings: Settings, embedder: Embedder, chunker: Callable[[Document], Sequence[Chunk]]) -> int:
    """Make the index anew from the catalog's texts under the present settings; returns the number of documents.

    A rebuild that is cut off leaves a library that says so on opening, and is run again.

    :raises LibraryLocked: another process writes the library
    """
    home = settings.home
    lock = WriterLock(home)
    lock.acquire()
    try:
        catalog = Catalog.open(_catalog_url(home))
        try:
            # Until the last document is in, the fingerprint matches no settings: a half-made index is never searched.
            catalog.set_fingerprint({"state": "being rebuilt"})
            remove_index(home / _INDEX_FOLDER)
            index = EmbeddedIndex(home / _INDEX_FOLDER, writable=True)
            try:
                library = Library(catalog, index, embedder, lock=None)
                versions = catalog.versions()
                for version in versions:
                    document = catalog.document(version.source.id)
                    if document is not None:
                        library.replace([(document, chunker(document))])
                catalog.set_fingerprint(_fingerprint(settings, embedder))
                return len(versions)
            finally:
                index.close()
        finally:
            catalog.close()
    finally:
        lock.release()


def _entries(version_id: int, chunks: Sequence[tuple[Chunk, Source]]) -> list[Entry]:
    return [
        Entry(
            chunk_key(version_id, chunk.ordinal),
            version_id,
            chunk.text,
            f"{source.title} {chunk.heading}".strip(),
        )
        for chunk, source in chunks
    ]


def _catalog_url(home: Path) -> URL:
    return sqlite_url(home / _CATALOG_FILE)


def _fingerprint(settings: Settings, embedder: Embedder) -> dict[str, str]:
    return {
        "embedding model": embedder.name,
        "dimension": str(embedder.dimension),
        "metric": METRIC,
        "chunking": f"{CHUNKING_VERSION}/{settings.chunk_chars}",
        "folding": str(FOLDING_VERSION),
    }


def _check_fingerprint(catalog: Catalog, present: dict[str, str], home: Path, *, writable: bool) -> None:
    recorded = catalog.fingerprint()
    if not recorded:
        if writable:
            catalog.set_fingerprint(present)
        return
    for key, value in present.items():
        if recorded.get(key) != value:
            raise LibraryMismatch(
                f"The library {home} was built with {key} {recorded.get(key, 'unknown')}, not {value}.",
                "Set it back in the settings, or run `wenzheng rebuild` to make the index anew.",
            )


@contextlib.contextmanager
def _made(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LibraryError(
            f"The folder {home} cannot be made: {error.strerror}.",
            "Name another with --home or WENZHENG_HOME.",
        ) from error


def _read_holder(path: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and {"pid", "command", "since"} <= record.keys() else None


def _command_line() -> str:
    import sys

    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])
