"""Decides for each file of a run what is to be done, and prepares it: read, cleaned, cut into chunks.

Nothing here writes to the library. What is to be done comes out as actions, in the order the files are met, so that
preparing the next documents can go on while earlier ones are being encoded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from ingest.chunking import split
from ingest.documents import content_key, id_of, make_document, readable_stem
from ingest.isolation import ParserProcess
from ingest.loading import ARCHIVES, Limits, is_supported, kind_of, suffix_of
from ingest.messages import fault
from ingest.reading import digest_of, read_bytes
from ingest.reports import FileReport, FileStatus, failure
from ingest.walking import Found
from rag.catalog import Copy
from rag.errors import SourceError
from rag.library import Addition, Library
from rag.settings import Settings
from rag.text import HAN, fold
from rag.types import Document

_MAIL = ".eml"
_ADDED_SHARE, _ADDED_CHARS = 0.03, 40
_LONGEST_COMPARED = 200_000


@dataclass(frozen=True, slots=True)
class Add:
    """Index a document, new or in place of its earlier version; forget copies that no longer are ones."""

    addition: Addition
    report: FileReport
    no_longer_copies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """Record a file with the content of a known document."""

    copy: Copy
    original: bytes | None
    report: FileReport


@dataclass(frozen=True, slots=True)
class Relocate:
    """Record that a document's file has another path."""

    document_id: str
    path: str
    digest: str
    media_type: str
    title: str
    report: FileReport


@dataclass(frozen=True, slots=True)
class Tell:
    """Nothing to be done but to report."""

    report: FileReport


Action = Add | Link | Relocate | Tell


def limits_of(settings: Settings) -> Limits:
    """The limits that the settings set for one file."""
    return Limits(
        file_mb=settings.max_file_mb,
        pages=settings.max_pages,
        ocr=settings.ocr,
        ocr_pages=settings.max_ocr_pages,
        image_pixels=settings.max_image_pixels,
        text_chars=settings.max_text_chars,
        table_rows=settings.max_table_rows,
        archive_files=settings.max_archive_files,
        archive_mb=settings.max_archive_mb,
        archive_ratio=settings.max_archive_ratio,
        archive_depth=settings.max_archive_depth,
        stall_seconds=settings.parse_stall_seconds,
        total_seconds=settings.parse_total_seconds,
        memory_mb=settings.parse_memory_mb,
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    """A document that is known, from the library or from earlier in the run."""

    id: str
    path: str
    digest: str
    media_type: str
    title: str
    chunks: int
    content: str


class Preparer:
    """Prepares the files of one run. Keeps what it has met, so that equal files are told apart from new ones."""

    def __init__(
        self,
        library: Library,
        settings: Settings,
        parser: ParserProcess,
        found: Sequence[Found],
        waiting: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare ``found`` against what ``library`` holds; ``waiting`` is called while a file is being read."""
        self._library = library
        self._settings = settings
        self._limits = limits_of(settings)
        self._parser = parser
        self._waiting = waiting
        self._by_path: dict[str, _Entry] = {}
        self._by_digest: dict[str, _Entry] = {}
        self._by_content: dict[str, _Entry] = {}
        self._by_stem: dict[str, list[_Entry]] = {}
        self._entries: dict[str, _Entry] = {}
        self._texts: dict[str, str] = {}
        self._copies = {copy.path: copy for copy in library.catalog.copies()}
        self._copies_of: dict[str, list[str]] = {}
        for copy in self._copies.values():
            self._copies_of.setdefault(copy.document_id, []).append(copy.path)
        for version in library.documents():
            source = version.source
            self._know(
                _Entry(
                    source.id,
                    source.path,
                    source.digest,
                    source.media_type,
                    source.title,
                    version.chunks,
                    version.content,
                )
            )
        self._twins = _twins([*(str(f.path) for f in found), *self._by_path])
        self._again: list[Found] = []
        self._found = {str(f.path.absolute()): f for f in found}
        self.present: set[str] = set(self._found)
        """Paths that were met, inside archives too."""
        self.unread: list[str] = []
        """Archives whose members could not all be listed: what they held is not known to be gone."""

    def actions(self, found: Found) -> Iterator[Action]:
        """What is to be done for one file, and for the files inside it."""
        path = str(found.path.absolute())
        name = found.path.name
        if found.leads_out:
            yield Tell(failure(path, fault("link", name)))
            return
        if not found.named and not is_supported(name):
            yield Tell(_skipped(path))
            return
        try:
            data = read_bytes(found.path, self._limits.file_mb)
        except SourceError as error:
            self.unread.append(path)
            yield Tell(failure(path, error))
            return
        yield from self._item(path, data, depth=0)

    def revisited(self) -> Iterator[Action]:
        """What is to be done for files that were copies of a document which has been updated since."""
        while self._again:
            yield from self.actions(self._again.pop(0))

    def _item(self, path: str, data: bytes, depth: int) -> Iterator[Action]:
        if suffix_of(path) in ARCHIVES:
            yield from self._members(path, data, depth)
            return
        try:
            yield self._document(path, data)
        except SourceError as error:
            yield Tell(failure(path, error))
        if suffix_of(path) == _MAIL:
            yield from self._members(path, data, depth)

    def _members(self, path: str, data: bytes, depth: int) -> Iterator[Action]:
        if depth >= self._limits.archive_depth:
            self.unread.append(path)
            yield Tell(failure(path, fault("too_deep", path, limit=self._limits.archive_depth)))
            return
        from ingest.loading import archive, mail

        read = mail.members if suffix_of(path) == _MAIL else archive.members
        try:
            for member in read(data, PurePath(path).name, self._limits):
                inside = f"{path}/{member.name}"
                self.present.add(inside)
                if member.error is not None:
                    yield Tell(failure(inside, member.error))
                elif not is_supported(member.name):
                    yield Tell(_skipped(inside))
                else:
                    yield from self._item(inside, member.data, depth + 1)
        except SourceError as error:
            self.unread.append(path)
            yield Tell(failure(path, error))

    def _document(self, path: str, data: bytes) -> Action:
        digest = digest_of(data)
        known = self._by_path.get(path)
        if known is not None and known.digest == digest:
            return Tell(FileReport(path, "unchanged", title=known.title, chunks=known.chunks))
        if known is not None:
            return self._add(path, data, digest, known, "updated")
        copy = self._copies.get(path)
        same = self._by_digest.get(digest)
        if same is not None and copy is not None and copy.digest == digest and copy.document_id == same.id:
            return Tell(FileReport(path, "unchanged", title=same.title, same_as=same.path))
        if same is not None:
            return self._same_bytes(path, data, digest, same)
        if copy is not None and copy.digest == digest and (entry := self._entry(copy.document_id)):
            return Tell(FileReport(path, "unchanged", title=entry.title, same_as=entry.path))
        return self._add(path, data, digest, None, "added")

    def _same_bytes(self, path: str, data: bytes, digest: str, same: _Entry) -> Action:
        kind = kind_of(path)
        media_type = kind.media_type if kind else ""
        if not self._gone(same.path):
            return self._link(path, data, digest, same)
        if media_type != same.media_type or same.title == readable_stem(PurePath(same.path).name):
            # Its kind or its title came from the old name.
            return self._add(path, data, digest, same, "renamed")
        report = FileReport(path, "renamed", title=same.title, chunks=same.chunks, same_as=same.path)
        self._know(replace(same, path=path))
        return Relocate(same.id, path, digest, media_type, same.title, report)

    def _add(self, path: str, data: bytes, digest: str, known: _Entry | None, status: FileStatus) -> Action:
        name = PurePath(path).name
        parsed = self._parser.parse(data, name, self._limits, self._waiting)
        document = make_document(parsed, path=path, digest=digest, document_id=known.id if known else None)
        content = content_key(document.text)
        if known is None:
            same = self._by_content.get(content) or self._twin(path, document)
            if same is not None and not self._gone(same.path):
                return self._link(path, data, digest, same)
            if same is not None:
                known, status = same, "renamed"
                document = replace(document, source=replace(document.source, id=same.id))
            elif document.source.id in self._entries:
                document = replace(document, source=replace(document.source, id=self._free_id(path)))
        chunks = split(document, self._settings.chunk_chars)
        source = document.source
        report = FileReport(
            path,
            status,
            title=source.title,
            chunks=len(chunks),
            pages=source.pages,
            encoding=source.encoding,
            changes=document.changes,
            notes=document.notes,
        )
        dropped = self._dropped_copies(path, known, content)
        self._know(_Entry(source.id, path, digest, source.media_type, source.title, len(chunks), content))
        if self._stem(path) in self._twins:
            self._texts[source.id] = document.text
        original = data if self._settings.keep_originals else None
        return Add(Addition(document, chunks, original, content), report, dropped)

    def _dropped_copies(self, path: str, known: _Entry | None, content: str) -> tuple[str, ...]:
        """Files that are no copies any more: of a document whose content changed, or one that is a document now."""
        dropped = [path] if path in self._copies else []
        if known is not None and known.content != content:
            dropped += self._copies_of.pop(known.id, [])
        for copy in dropped:
            self._copies.pop(copy, None)
            if copy != path and copy in self._found:
                self._again.append(self._found[copy])
        return tuple(dropped)

    def _link(self, path: str, data: bytes, digest: str, same: _Entry) -> Link:
        kind = kind_of(path)
        copy = Copy(path, digest, kind.media_type if kind else "", same.id)
        self._copies[path] = copy
        self._copies_of.setdefault(same.id, []).append(path)
        report = FileReport(path, "linked", title=same.title, same_as=same.path)
        return Link(copy, data if self._settings.keep_originals else None, report)

    def _twin(self, path: str, document: Document) -> _Entry | None:
        """A known document of the same name in another format whose text is the same but for its layout."""
        stem = self._stem(path)
        if stem not in self._twins:
            return None
        for entry in self._by_stem.get(stem, []):
            if suffix_of(entry.path) != suffix_of(path) and same_text(document.text, self._text(entry)):
                return entry
        return None

    def _text(self, entry: _Entry) -> str:
        if entry.id not in self._texts:
            stored = self._library.catalog.document(entry.id)
            self._texts[entry.id] = stored.text if stored is not None else ""
        return self._texts[entry.id]

    def _know(self, entry: _Entry) -> None:
        before = self._entry(entry.id)
        if before is not None:
            self._by_path.pop(before.path, None)
            if self._by_digest.get(before.digest) is before:
                del self._by_digest[before.digest]
            if self._by_content.get(before.content) is before:
                del self._by_content[before.content]
            stems = self._by_stem.get(self._stem(before.path), [])
            if before in stems:
                stems.remove(before)
        self._by_path[entry.path] = entry
        self._by_digest.setdefault(entry.digest, entry)
        if entry.content:
            self._by_content.setdefault(entry.content, entry)
        self._by_stem.setdefault(self._stem(entry.path), []).append(entry)
        self._entries[entry.id] = entry

    def _entry(self, document_id: str) -> _Entry | None:
        return self._entries.get(document_id)

    def _gone(self, path: str) -> bool:
        """Whether a known file is no longer where it was. What lies in an archive that is there is taken to be there."""
        place = Path(path)
        return path not in self.present and not any(p.is_file() for p in (place, *place.parents))

    def _free_id(self, path: str) -> str:
        number = 1
        while id_of(path, number) in self._entries:
            number += 1
        return id_of(path, number)

    @staticmethod
    def _stem(path: str) -> str:
        return PurePath(path).stem


def same_text(one: str, other: str) -> bool:
    """Whether two texts are one in two formats: one is the other with a little added, and no figure differs.

    What one format has and the other has not is page furniture: whole clauses, few of them. A word or a figure that
    stands in place of another makes another document: last year's notice, or a draft.
    """
    if not one or not other or max(len(one), len(other)) > _LONGEST_COMPARED:
        return False
    left, right = fold(one), fold(other)
    if Counter(_NUMBER.findall(left)) != Counter(_NUMBER.findall(right)):
        return False
    shorter, longer = sorted((_clauses(left), _clauses(right)), key=lambda clauses: sum(map(len, clauses)))
    length = sum(map(len, longer))
    added = length - sum(map(len, shorter))
    if added > max(_ADDED_CHARS, _ADDED_SHARE * length):
        return False
    rest = iter(longer)
    return all(clause in rest for clause in shorter)  # each found after the one before


def _clauses(folded: str) -> list[str]:
    return _CLAUSE.findall(_SPACE_BY_HAN.sub("", folded))


_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_CLAUSE = re.compile(r"[^\W_]+")
_SPACE_BY_HAN = re.compile(f"(?<=[{HAN}])[^\\S\n]+|[^\\S\n]+(?=[{HAN}])")


def _twins(paths: Sequence[str]) -> frozenset[str]:
    """Names without ending that occur with several endings."""
    endings: dict[str, set[str]] = {}
    for path in paths:
        endings.setdefault(PurePath(path).stem, set()).add(suffix_of(path))
    return frozenset(stem for stem, found in endings.items() if len(found) > 1)


def _skipped(path: str) -> FileReport:
    return FileReport(path, "skipped", "a kind of file that is not read", "不读取的文件类型")
