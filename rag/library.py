"""The library: catalog, index and embedder kept in step.

A document becomes findable in one catalog transaction, after its vectors and terms are durable; what it replaces is
cleared away afterwards. Whatever a crash leaves half done is undone when the library is next opened for writing, and
is invisible until then.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.catalog import URL, Catalog, Copy, Version, chunk_key, sqlite_url
from rag.errors import LibraryError, LibraryLocked, LibraryMismatch
from rag.filters import Facts, Selection, facts, select
from rag.framing import frame
from rag.index import LAYOUT, METRIC, EmbeddedIndex, Entry, Index, remove_index
from rag.originals import Originals, folder_bytes
from rag.processes import blank_memory
from rag.settings import Settings
from rag.text import FOLDING_VERSION, to_simplified
from rag.types import Chunk, Document, Filters, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.embedding import Embedder

CHUNKING_VERSION = 2
"""Raised whenever the chunker would cut the same text elsewhere."""

_CATALOG_FILE = "catalog.sqlite3"
_LOCK_FILE = "writer.lock"
_HOLDER_FILE = "writer.json"
_INDEX_FOLDER = "index"
_NEW_INDEX, _OLD_INDEX = "index.new", "index.old"
_ORIGINALS_FOLDER = "originals"
_VACUUM_CHUNKS = 4096


@dataclass(frozen=True, slots=True)
class Addition:
    """A document to be made findable: its chunks, its file's bytes to be kept (None: not), and a key of its content.

    The content key is the same for the same content in another format (`Catalog.add_pending`).
    """

    document: Document
    chunks: Sequence[Chunk]
    original: bytes | None = None
    content: str = ""


class Library:
    """The documents that can be asked about. Open with `Library.open`; threads may share it."""

    def __init__(
        self, catalog: Catalog, index: Index, embedder: Embedder, lock: WriterLock | None, home: Path
    ) -> None:
        self.catalog = catalog
        self.index = index
        self.embedder = embedder
        self.originals = Originals(home / _ORIGINALS_FOLDER)
        self._lock = lock
        self._home = home
        self._facts: dict[int, Facts] = {}

    @classmethod
    def open(cls, settings: Settings, embedder: Embedder, *, writable: bool) -> Library:
        """Open the library in ``settings.home``, creating it when it is to be written.

        :raises LibraryLocked: another process writes it (only when ``writable``)
        :raises LibraryMismatch: it was built with another embedding model, metric, chunking or folding
        :raises LibraryError: there is none (only when not ``writable``), or a store is damaged
        """
        home = settings.home
        if not writable and not (home / _CATALOG_FILE).exists():
            raise _no_library(home)
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
            if writable:
                _finish_swap(home)
            index = EmbeddedIndex(home / _INDEX_FOLDER, writable=writable)
            library = cls(catalog, index, embedder, lock, home)
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
        items: Sequence[Addition],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Make these documents findable, each in place of the version of the same id that is there.

        All of them become findable together. When anything fails, none does and what was findable stays so.

        :param progress: called with the number of passages encoded since the last call
        """
        self.commit(items, self.encode(items, progress))

    def encode(
        self, items: Sequence[Addition], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """The vectors of all chunks of these documents, in order; nearly all of the time, and touches no store.

        :param progress: called with the number of passages encoded since the last call
        """
        texts = [embedding_text(item.document.source, chunk) for item in items for chunk in item.chunks]
        return self.embedder.embed_passages(texts, progress)

    def commit(self, items: Sequence[Addition], vectors: NDArray[np.float32]) -> None:
        """Make encoded documents findable, each in place of the version of the same id that is there.

        :param vectors: what `encode` returned for the same documents
        """
        if not items:
            return
        version_ids: list[int] = []
        try:
            version_ids = self.catalog.add_pending([(i.document, i.chunks, i.content) for i in items])
            index_entries: list[Entry] = []
            for item, version_id in zip(items, version_ids, strict=True):
                if item.original is not None:
                    self.originals.put(item.document.source.digest, item.original)
                index_entries.extend(_entries(version_id, [(c, item.document.source) for c in item.chunks]))
            self.index.add(index_entries, vectors)
            self.catalog.make_live(version_ids)
        except BaseException:
            # The disk may be full or the process on its way out: what can't be cleared now is on the next opening.
            with contextlib.suppress(LibraryError):
                self._clear(version_ids)
            raise
        self._clear(self.catalog.superseded_ids())

    def remove(self, document_id: str) -> bool:
        """Remove a document with its copies: text, vectors, terms and kept files; False when there is none of that id."""
        return self.remove_all([document_id]) > 0

    def remove_all(self, document_ids: Sequence[str]) -> int:
        """Remove documents as `remove` does, in one go; returns how many there were."""
        found = self.catalog.retire(document_ids)
        self._clear(self.catalog.superseded_ids())
        return found

    def link(self, copy: Copy, original: bytes | None = None) -> None:
        """Record a file whose content is that of a findable document, and keep its bytes where given."""
        self.catalog.add_copy(copy)
        if original is not None:
            self.originals.put(copy.digest, original)

    def relocate(self, document_id: str, path: str, digest: str, media_type: str, title: str) -> None:
        """Record that a document's file, with the same content, now lies elsewhere; a copy there is one no longer."""
        known = self.catalog.source(document_id)
        self.catalog.relocate(document_id, path, digest, media_type, title)
        if known is not None and known.digest != digest:
            self.originals.remove({known.digest} - self.catalog.files_in_use([known.digest]))

    def unlink(self, paths: Sequence[str]) -> None:
        """Forget copies at these paths, with their kept files."""
        digests = {copy.digest for copy in self.catalog.copies() if copy.path in set(paths)}
        self.catalog.remove_copies(paths)
        self.originals.remove(digests - self.catalog.files_in_use(digests))

    def vacuum(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Give disk back: what deletions and updates left in the catalog, the index and the kept files.

        The index is written anew beside the old one, from the vectors that are there, and put in its place.

        :param progress: called with the chunks done and their total
        :return: the bytes freed
        """
        before = folder_bytes(self._home)
        self.reconcile()
        self.originals.keep_only(self.catalog.files_in_use())
        self.catalog.vacuum()
        remove_index(self._home / _NEW_INDEX)
        with blank_memory():
            fresh = EmbeddedIndex(self._home / _NEW_INDEX, writable=True)
            try:
                total, done = self.catalog.chunk_count(), 0
                for entries in self._all_entries():
                    fresh.add(entries, self.index.vectors([entry.key for entry in entries]))
                    done += len(entries)
                    if progress is not None:
                        progress(done, total)
            finally:
                fresh.close()
        self.index.close()
        _swap_index(self._home)
        self.index = EmbeddedIndex(self._home / _INDEX_FOLDER, writable=True)
        return before - folder_bytes(self._home)

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

    def matching(self, filters: Filters) -> Selection:
        """The documents of which these filters let anything through, and how many only lack a date."""
        known = self.facts()
        if filters.collection:
            # Asked for anew each time: a document may be put elsewhere without another version of it.
            collections = self.catalog.collections()
            known = [one for one in known if collections.get(one.source.id) == filters.collection]
        return select(filters, known)

    def facts(self, sources: Mapping[int, Source] | None = None) -> list[Facts]:
        """What filters look at of every document; what a version says is read once, for it never changes.

        :param sources: the live versions' descriptions by number, where they have been read already
        """
        sources = self.catalog.sources() if sources is None else sources
        known = self._facts
        new = [
            version
            for version, source in sources.items()
            if version not in known or known[version].source != source
        ]
        speeches = self.catalog.speeches(new) if new else {}
        self._facts = {
            **{version: known[version] for version in sources if version in known},
            **{version: facts(sources[version], speeches.get(version, ())) for version in new},
        }
        return list(self._facts.values())

    def _index_version(self, version_id: int) -> None:
        found = [(chunk, source) for _, chunk, source in self.catalog.version_chunks(version_id)]
        vectors = self.embedder.embed_passages([embedding_text(source, chunk) for chunk, source in found])
        self.index.add(_entries(version_id, found), vectors)

    def _all_entries(self) -> Iterator[list[Entry]]:
        batch: list[Entry] = []
        for version in self.catalog.versions():
            chunks = self.catalog.version_chunks(version.id)
            batch.extend(_entries(version.id, [(chunk, source) for _, chunk, source in chunks]))
            if len(batch) >= _VACUUM_CHUNKS:
                yield batch
                batch = []
        if batch:
            yield batch

    def _clear(self, version_ids: Sequence[int]) -> None:
        if not version_ids:
            return
        self.index.delete_versions(version_ids)
        # The catalog is last: as long as it knows the version, a crash is followed by another attempt.
        files = self.catalog.files_of(version_ids)
        self.originals.remove(files - self.catalog.files_in_use(files))
        self.catalog.purge(version_ids)


@contextlib.contextmanager
def open_catalog(settings: Settings) -> Iterator[Catalog]:
    """The catalog of the library in ``settings.home``, for reading; no model is needed.

    :raises LibraryError: there is none, or it is damaged
    """
    path = settings.home / _CATALOG_FILE
    if not path.exists():
        raise _no_library(settings.home)
    catalog = Catalog.open(sqlite_url(path))
    try:
        yield catalog
    finally:
        catalog.close()


def originals_of(settings: Settings) -> Originals:
    """The kept files of the library in ``settings.home``."""
    return Originals(settings.home / _ORIGINALS_FOLDER)


def _no_library(home: Path) -> LibraryError:
    return LibraryError(
        f"There is no library in {home}.",
        "Make one with `wenzheng ingest PATH`, or name another with --home.",
    )


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
    context = " ".join(part for part in frame(source, chunk) if part not in chunk.text)
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
                library = Library(catalog, index, embedder, None, home)
                versions = catalog.versions()
                for version in versions:
                    document = catalog.document(version.source.id)
                    if document is not None:
                        library.replace([Addition(document, chunker(document), content=version.content)])
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
            " ".join(frame(source, chunk)),
        )
        for chunk, source in chunks
    ]


def _swap_index(home: Path) -> None:
    """Put the new index in the place of the old one; `_finish_swap` goes on where a crash cuts it off."""
    with _made(home):
        shutil.rmtree(home / _OLD_INDEX, ignore_errors=True)
        (home / _INDEX_FOLDER).rename(home / _OLD_INDEX)
        (home / _NEW_INDEX).rename(home / _INDEX_FOLDER)
    shutil.rmtree(home / _OLD_INDEX, ignore_errors=True)


def _finish_swap(home: Path) -> None:
    if not (home / _OLD_INDEX).exists():
        # The old one is still in its place: what is new may be half written.
        shutil.rmtree(home / _NEW_INDEX, ignore_errors=True)
        return
    if (home / _NEW_INDEX).exists():
        # Nothing that matters: a reader may have made an empty folder meanwhile.
        shutil.rmtree(home / _INDEX_FOLDER, ignore_errors=True)
        with _made(home):
            (home / _NEW_INDEX).rename(home / _INDEX_FOLDER)
    shutil.rmtree(home / _OLD_INDEX, ignore_errors=True)


def _catalog_url(home: Path) -> URL:
    return sqlite_url(home / _CATALOG_FILE)


def _fingerprint(settings: Settings, embedder: Embedder) -> dict[str, str]:
    return {
        "embedding model": embedder.name,
        "dimension": str(embedder.dimension),
        "metric": METRIC,
        "index layout": str(LAYOUT),
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
