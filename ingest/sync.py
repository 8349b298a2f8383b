"""Brings files and folders into the library: added, updated, unchanged, removed, failed. Resumable.

What a folder holds is compared with the library by content digest; only what differs is worked on. Documents go in
by small batches, each of which is findable as soon as it is in, so an interrupted run keeps what it has done and the
next run goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ingest.chunking import split
from ingest.loading import digest_of, document_id, is_supported, parse, read_bytes
from rag.errors import SourceError, SourceNotFound
from rag.library import Library
from rag.settings import Settings
from rag.types import Change, Chunk, Document

FileStatus = Literal["added", "updated", "unchanged", "removed", "failed", "skipped"]
_BATCH_CHUNKS = 64


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file."""

    path: str
    status: FileStatus
    reason: str = ""
    code: str = ""
    title: str = ""
    chunks: int = 0
    encoding: str = ""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What became of all files of a run, in the order they were met."""

    files: tuple[FileReport, ...] = ()

    def count(self, status: FileStatus) -> int:
        """How many files ended so."""
        return sum(file.status == status for file in self.files)


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """How far a run is: files out of those found, and passages encoded so far."""

    done: int
    total: int
    passages: int
    current: str


@dataclass(slots=True)
class _Batch:
    items: list[tuple[Document, Sequence[Chunk]]] = field(default_factory=list)
    reports: list[FileReport] = field(default_factory=list)

    @property
    def chunks(self) -> int:
        return sum(len(chunks) for _, chunks in self.items)


def sync(
    paths: Sequence[Path],
    library: Library,
    settings: Settings,
    progress: Callable[[SyncProgress], None] | None = None,
    *,
    prune: bool = False,
) -> SyncReport:
    """Bring these files and folders into the library.

    One bad file never stops the rest: it is reported as failed with the reason. Files of a kind that is not read are
    skipped when they are met in a folder, and failed when they are named.

    :param prune: remove documents from the library whose files have gone from the given folders
    :raises SourceNotFound: when a named path does not exist; nothing has been changed then
    :raises LibraryError: when the library cannot be written; what was findable stays so
    """
    for path in paths:
        if not path.exists():
            raise SourceNotFound(f"{path} does not exist.", "Check the path; nothing was changed.")
    known = {version.source.id: version for version in library.documents()}
    found = list(_walk(paths))
    reports: list[FileReport] = []
    batch = _Batch()
    passages = 0

    def tell(current: str) -> None:
        if progress is not None:
            progress(SyncProgress(len(reports) + len(batch.reports), len(found), passages, current))

    def flush() -> None:
        nonlocal passages, batch
        if not batch.items:
            return
        library.replace(batch.items)
        passages += batch.chunks
        reports.extend(batch.reports)
        batch = _Batch()

    for path, named in found:
        tell(path.name)
        if not named and not is_supported(path):
            reports.append(FileReport(str(path), "skipped", "a kind of file that is not read"))
            continue
        version = known.get(document_id(path))
        try:
            data = read_bytes(path, settings.max_file_mb)
            if version is not None and version.source.digest == digest_of(data):
                reports.append(
                    FileReport(str(path), "unchanged", title=version.source.title, chunks=version.chunks)
                )
                continue
            document = parse(path, data)
        except SourceError as error:
            reports.append(FileReport(str(path), "failed", str(error), error.code))
            continue
        chunks = split(document, settings.chunk_chars)
        batch.items.append((document, chunks))
        batch.reports.append(
            FileReport(
                str(path),
                "updated" if version is not None else "added",
                title=document.source.title,
                chunks=len(chunks),
                encoding=document.source.encoding,
                changes=document.changes,
            )
        )
        if batch.chunks >= _BATCH_CHUNKS:
            flush()
    flush()
    if prune:
        reports.extend(_prune(paths, {str(path.absolute()) for path, _ in found}, library))
    tell("")
    return SyncReport(tuple(reports))


def _walk(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Every file once, sorted within its folder, with whether it was named itself. Hidden files are left out."""
    seen: set[Path] = set()
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in inside:
            hidden = path.is_dir() and any(part.startswith(".") for part in file.relative_to(path).parts)
            if hidden or not file.is_file() or file.absolute() in seen:
                continue
            if path.is_dir() and file.is_symlink() and not _inside(file, path):
                continue
            seen.add(file.absolute())
            yield file, not path.is_dir()


def _inside(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def _prune(paths: Sequence[Path], present: set[str], library: Library) -> Iterator[FileReport]:
    folders = [path.absolute() for path in paths if path.is_dir()]
    for version in library.documents():
        path = Path(version.source.path)
        if str(path) not in present and any(path.is_relative_to(folder) for folder in folders):
            library.remove(version.source.id)
            yield FileReport(str(path), "removed", title=version.source.title)
