"""The catalog: which documents and chunks exist. The source of truth, and the only module that speaks SQL.

Files with the same content as a document are its *copies*: they are known, and indexed once. A document has versions. A version is *pending* while its vectors and terms are being written, *live* when it can be
found, *retired* once a newer one is live or the document was removed, until its traces are gone from the index.
Going live and retiring the version before is one transaction.
"""

from __future__ import annotations

import contextlib
import functools
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import URL as URL

from rag.errors import LibraryDamaged, StorageFull
from rag.types import Change, Chunk, Document, Mark, Note, Source, Speech

VersionState = Literal["pending", "live", "retired"]

_metadata = sa.MetaData()
_fingerprint = sa.Table(
    "fingerprint",
    _metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)
_versions = sa.Table(
    "versions",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("document_id", sa.String, nullable=False, index=True),
    sa.Column("state", sa.String, nullable=False, index=True),
    sa.Column("path", sa.String, nullable=False),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("digest", sa.String, nullable=False, index=True),
    sa.Column("media_type", sa.String, nullable=False),
    sa.Column("encoding", sa.String, nullable=False),
    sa.Column("published", sa.String),
    sa.Column("issuer", sa.String),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("changes", sa.JSON, nullable=False),
    sa.Column("added_at", sa.Float, nullable=False),
    sa.Column("pages", sa.Integer),
    sa.Column("content", sa.String, nullable=False, index=True, server_default=""),
    sa.Column("marks", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("notes", sa.JSON, nullable=False, server_default="[]"),
    sqlite_autoincrement=True,
)
_chunks = sa.Table(
    "chunks",
    _metadata,
    sa.Column("version_id", sa.Integer, sa.ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("end", sa.Integer, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("heading", sa.String, nullable=False),
    sa.Column("page", sa.Integer),
    sa.Column("speeches", sa.JSON, nullable=False, server_default="[]"),
)
_copies = sa.Table(
    "copies",
    _metadata,
    sa.Column("path", sa.String, primary_key=True),
    sa.Column("digest", sa.String, nullable=False, index=True),
    sa.Column("media_type", sa.String, nullable=False),
    sa.Column("document_id", sa.String, nullable=False, index=True),
    sa.Column("added_at", sa.Float, nullable=False),
)
_collections = sa.Table(
    "collections",
    _metadata,
    sa.Column("document_id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False, index=True),
)

_SOURCE_COLUMNS = (
    _versions.c.document_id,
    _versions.c.path,
    _versions.c.title,
    _versions.c.digest,
    _versions.c.media_type,
    _versions.c.encoding,
    _versions.c.published,
    _versions.c.issuer,
    _versions.c.pages,
)
_MOST_PARAMETERS = 500
_WANTED = 40
"""Chunks that are looked up in one query: as many as a search looks at (`rag.retrieval`)."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a document, without its text."""

    id: int
    state: VersionState
    source: Source
    chunks: int
    characters: int
    added_at: float
    content: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """A file whose content is that of a document which was taken in from elsewhere."""

    path: str
    digest: str
    media_type: str
    document_id: str


class Catalog:
    """The catalog in one database. Threads may share it; each call is one transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: URL) -> Catalog:
        """Open the database at an SQLAlchemy URL (`sqlite_url` makes one from a path), bringing its schema up to date.

        :raises LibraryDamaged: when it is no database, or one written by a newer Wenzheng
        :raises StorageFull: when the disk has no room for it
        """
        engine = sa.create_engine(url)
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _prepare_sqlite)
        with _translated(engine):
            _migrate(engine)
        return cls(engine)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    # Fingerprint

    def fingerprint(self) -> dict[str, str]:
        """What the index was built with; empty for a new library."""
        with self._begin() as connection:
            return {row.key: row.value for row in connection.execute(sa.select(_fingerprint))}

    def set_fingerprint(self, values: Mapping[str, str]) -> None:
        """Replace what the index was built with."""
        with self._begin() as connection:
            connection.execute(sa.delete(_fingerprint))
            if values:
                connection.execute(
                    sa.insert(_fingerprint), [{"key": k, "value": v} for k, v in values.items()]
                )

    # Writing

    def add_pending(self, items: Sequence[tuple[Document, Sequence[Chunk], str]]) -> list[int]:
        """Write new versions that cannot be found yet, in one transaction; returns their numbers.

        :param items: documents, each with its chunks and a key that is the same for the same content in another
            format
        """
        with self._begin() as connection:
            return [_insert(connection, *item) for item in items]

    def make_live(self, version_ids: Sequence[int]) -> None:
        """Make pending versions findable and retire what they replace, in one transaction."""
        with self._begin() as connection:
            documents = sa.select(_versions.c.document_id).where(_versions.c.id.in_(version_ids))
            connection.execute(
                sa.update(_versions)
                .where(_versions.c.document_id.in_(documents), _versions.c.state == "live")
                .values(state="retired")
            )
            connection.execute(
                sa.update(_versions).where(_versions.c.id.in_(version_ids)).values(state="live")
            )

    def retire(self, document_ids: Sequence[str]) -> int:
        """Make documents unfindable, all in one transaction; returns how many could be found."""
        with self._begin() as connection:
            return sum(
                connection.execute(
                    sa.update(_versions)
                    .where(_versions.c.document_id.in_(some), _versions.c.state == "live")
                    .values(state="retired")
                ).rowcount
                for some in _slices(document_ids)
            )

    def relocate(self, document_id: str, path: str, digest: str, media_type: str, title: str) -> None:
        """Record that a document's file, with the same content, now lies elsewhere; a copy there is one no longer."""
        with self._begin() as connection:
            connection.execute(
                sa.update(_versions)
                .where(_versions.c.document_id == document_id, _versions.c.state == "live")
                .values(path=path, digest=digest, media_type=media_type, title=title)
            )
            connection.execute(sa.delete(_copies).where(_copies.c.path == path))

    def add_copy(self, copy: Copy) -> None:
        """Record a copy, in place of what was recorded at its path."""
        with self._begin() as connection:
            connection.execute(sa.delete(_copies).where(_copies.c.path == copy.path))
            connection.execute(sa.insert(_copies).values(**asdict(copy), added_at=time.time()))

    def remove_copies(self, paths: Sequence[str]) -> None:
        """Forget the copies at these paths."""
        with self._begin() as connection:
            for some in _slices(paths):
                connection.execute(sa.delete(_copies).where(_copies.c.path.in_(some)))

    def collect(self, document_ids: Sequence[str], name: str) -> int:
        """Put documents that can be found into a collection, each out of the one it was in; returns how many.

        :param name: the collection's; empty for none
        """
        with self._begin() as connection:
            found = 0
            for some in _slices(document_ids):
                live = list(
                    connection.execute(_live_ids().where(_versions.c.document_id.in_(some))).scalars()
                )
                found += len(live)
                connection.execute(sa.delete(_collections).where(_collections.c.document_id.in_(live)))
                if name and live:
                    rows = [{"document_id": id_, "name": name} for id_ in live]
                    connection.execute(sa.insert(_collections), rows)
            return found

    def purge(self, version_ids: Sequence[int]) -> None:
        """Delete versions with their text and chunks, and what is known of documents that can't be found any more."""
        with self._begin() as connection:
            for known in (_copies, _collections):
                connection.execute(sa.delete(known).where(known.c.document_id.not_in(_live_ids())))
            for some in _slices(version_ids):
                connection.execute(sa.delete(_chunks).where(_chunks.c.version_id.in_(some)))
                connection.execute(sa.delete(_versions).where(_versions.c.id.in_(some)))

    def vacuum(self) -> None:
        """Give the space of what was deleted back to the disk, and leave no trace of it in the file."""
        if self._engine.dialect.name != "sqlite":
            return
        with _translated(self._engine):
            connection = self._engine.raw_connection()
            try:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()

    # Reading

    def copies(self) -> list[Copy]:
        """Every copy, by path."""
        query = sa.select(
            _copies.c.path, _copies.c.digest, _copies.c.media_type, _copies.c.document_id
        ).order_by(_copies.c.path)
        with self._begin() as connection:
            return [Copy(*row) for row in connection.execute(query)]

    def collections(self) -> dict[str, str]:
        """The collection's name for each document that is in one, by the document's id."""
        with self._begin() as connection:
            query = sa.select(_collections.c.document_id, _collections.c.name)
            return {row.document_id: row.name for row in connection.execute(query)}

    def noted(self) -> frozenset[str]:
        """The ids of documents of which there is something to know, as `Document.notes` says."""
        query = _live_ids().where(sa.cast(_versions.c.notes, sa.String) != "[]")
        with self._begin() as connection:
            return frozenset(connection.execute(query).scalars())

    def documents_at(self, path: str) -> list[str]:
        """The ids of the documents that lie at a path, or inside the archive or mail that lies there."""
        query = _live_ids().where(
            sa.or_(_versions.c.path == path, _versions.c.path.startswith(f"{path}/", autoescape=True))
        )
        copied = sa.select(_copies.c.document_id).where(
            sa.or_(_copies.c.path == path, _copies.c.path.startswith(f"{path}/", autoescape=True))
        )
        with self._begin() as connection:
            found = [*connection.execute(query).scalars(), *connection.execute(copied).scalars()]
        return list(dict.fromkeys(found))

    def files_of(self, version_ids: Sequence[int]) -> set[str]:
        """The digests of the files behind these versions, and behind copies whose document can't be found any more."""
        lost = sa.select(_copies.c.digest).where(_copies.c.document_id.not_in(_live_ids()))
        with self._begin() as connection:
            found = set(connection.execute(lost).scalars())
            for some in _slices(version_ids):
                query = sa.select(_versions.c.digest).where(_versions.c.id.in_(some))
                found.update(connection.execute(query).scalars())
            return found

    def files_in_use(self, digests: Iterable[str] | None = None) -> set[str]:
        """The digests, of those given or of all, that a live version or a copy of a live document stands for."""
        live = sa.select(_versions.c.digest).where(_versions.c.state == "live")
        copied = sa.select(_copies.c.digest).where(_copies.c.document_id.in_(_live_ids()))
        with self._begin() as connection:
            if digests is None:
                return {*connection.execute(live).scalars(), *connection.execute(copied).scalars()}
            found: set[str] = set()
            for some in _slices(list(digests)):
                found.update(connection.execute(live.where(_versions.c.digest.in_(some))).scalars())
                found.update(connection.execute(copied.where(_copies.c.digest.in_(some))).scalars())
            return found

    def superseded_ids(self) -> list[int]:
        """Versions that are not findable: pending or retired ones."""
        with self._begin() as connection:
            query = sa.select(_versions.c.id).where(_versions.c.state != "live").order_by(_versions.c.id)
            return list(connection.execute(query).scalars())

    def source(self, document_id: str) -> Source | None:
        """The live version's description."""
        with self._begin() as connection:
            row = connection.execute(
                sa.select(*_SOURCE_COLUMNS).where(
                    _versions.c.document_id == document_id, _versions.c.state == "live"
                )
            ).first()
        return _source(row) if row else None

    def live_ids(self, document_ids: Iterable[str]) -> list[int]:
        """The live versions of these documents."""
        found: list[int] = []
        with self._begin() as connection:
            for some in _slices(list(document_ids)):
                query = sa.select(_versions.c.id).where(
                    _versions.c.document_id.in_(some), _versions.c.state == "live"
                )
                found.extend(connection.execute(query).scalars())
        return sorted(found)

    def document(self, document_id: str) -> Document | None:
        """The live version with its text."""
        with self._begin() as connection:
            row = connection.execute(
                sa.select(
                    *_SOURCE_COLUMNS,
                    _versions.c.text,
                    _versions.c.changes,
                    _versions.c.marks,
                    _versions.c.notes,
                ).where(_versions.c.document_id == document_id, _versions.c.state == "live")
            ).first()
        if row is None:
            return None
        marks = tuple(Mark(*mark) for mark in row.marks)
        notes = tuple(Note(*note) for note in row.notes)
        return Document(_source(row), row.text, _changes(row.changes), marks, notes)

    def versions(self) -> list[Version]:
        """Every live document, by path."""
        counts = (
            sa.select(_chunks.c.version_id, sa.func.count().label("n"))
            .group_by(_chunks.c.version_id)
            .subquery()
        )
        query = (
            sa.select(
                _versions.c.id,
                _versions.c.state,
                _versions.c.added_at,
                _versions.c.content,
                sa.func.length(_versions.c.text).label("characters"),
                sa.func.coalesce(counts.c.n, 0).label("chunks"),
                *_SOURCE_COLUMNS,
            )
            .outerjoin(counts, counts.c.version_id == _versions.c.id)
            .where(_versions.c.state == "live")
            .order_by(_versions.c.path)
        )
        with self._begin() as connection:
            return [
                Version(
                    row.id, row.state, _source(row), row.chunks, row.characters, row.added_at, row.content
                )
                for row in connection.execute(query)
            ]

    def chunk_count(self) -> int:
        """How many chunks can be found."""
        with self._begin() as connection:
            query = (
                sa.select(sa.func.count())
                .select_from(_chunks.join(_versions, _chunks.c.version_id == _versions.c.id))
                .where(_versions.c.state == "live")
            )
            return int(connection.execute(query).scalar_one())

    def version_chunks(self, version_id: int) -> list[tuple[str, Chunk, Source]]:
        """A version's chunks in order, each with its key and the description of its document."""
        with self._begin() as connection:
            query = self._chunk_query().where(_chunks.c.version_id == version_id).order_by(_chunks.c.ordinal)
            return [(_key(row), _chunk(row), _source(row)) for row in connection.execute(query)]

    def sources(self) -> dict[int, Source]:
        """The description of every live document, by the number of its version."""
        query = sa.select(_versions.c.id, *_SOURCE_COLUMNS).where(_versions.c.state == "live")
        with self._begin() as connection:
            return {row.id: _source(row) for row in connection.execute(query)}

    def speeches(self, version_ids: Sequence[int]) -> dict[int, set[tuple[str, str]]]:
        """Who speaks in these versions, as (speaker, body); versions in which nobody does are left out."""
        found: dict[int, set[tuple[str, str]]] = {}
        with self._begin() as connection:
            for some in _slices(version_ids):
                query = sa.select(_chunks.c.version_id, _chunks.c.speeches).where(
                    _chunks.c.version_id.in_(some), sa.cast(_chunks.c.speeches, sa.String) != "[]"
                )
                for row in connection.execute(query):
                    for speech in row.speeches:
                        _, _, speaker, body = speech
                        found.setdefault(row.version_id, set()).add((speaker, body))
        return found

    def live_chunks(self, keys: Iterable[str]) -> dict[str, tuple[Chunk, Source]]:
        """The chunks behind these keys that can be found; keys of other versions and unknown ones are left out."""
        by_version: dict[int, list[int]] = {}
        for key in keys:
            version, _, ordinal = key.partition(":")
            if version.isdigit() and ordinal.isdigit():
                by_version.setdefault(int(version), []).append(int(ordinal))
        pairs = [(version, ordinal) for version, ordinals in by_version.items() for ordinal in ordinals]
        found: dict[str, tuple[Chunk, Source]] = {}
        query = _wanted_chunks()
        with self._begin() as connection:
            for start in range(0, len(pairs), _WANTED):
                some = pairs[start : start + _WANTED]
                some += some[-1:] * (_WANTED - len(some))
                names = {f"version{n}": version for n, (version, _) in enumerate(some)}
                names |= {f"ordinal{n}": ordinal for n, (_, ordinal) in enumerate(some)}
                for row in connection.execute(query, names):
                    if row.state == "live":
                        found[_key(row)] = (_chunk(row), _source(row))
        return found

    @staticmethod
    def _chunk_query() -> sa.Select[Any]:
        return sa.select(
            _chunks.c.version_id,
            _chunks.c.ordinal,
            _chunks.c.start,
            _chunks.c.end,
            _chunks.c.text,
            _chunks.c.heading,
            _chunks.c.page,
            _chunks.c.speeches,
            *_SOURCE_COLUMNS,
        ).join(_versions, _chunks.c.version_id == _versions.c.id)

    @contextlib.contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        with _translated(self._engine), self._engine.begin() as connection:
            yield connection


@functools.cache
def _wanted_chunks() -> sa.Select[Any]:
    """A query for `_WANTED` chunks by version and place, with their version's state; built once, for that takes longer than running it.

    SQLite looks each pair up in the key only where pairs are written out, and the state is not asked for: with a list of
    pairs, or a condition on the state, it reads through all versions.
    """
    pairs = (
        sa.and_(
            _chunks.c.version_id == sa.bindparam(f"version{n}", type_=sa.Integer),
            _chunks.c.ordinal == sa.bindparam(f"ordinal{n}", type_=sa.Integer),
        )
        for n in range(_WANTED)
    )
    return Catalog._chunk_query().add_columns(_versions.c.state).where(sa.or_(*pairs))


def sqlite_url(path: Path) -> URL:
    """The URL of an SQLite file, whatever characters its path holds."""
    return URL.create("sqlite", database=str(path))


def chunk_key(version_id: int, ordinal: int) -> str:
    """The name under which the index knows a chunk."""
    return f"{version_id}:{ordinal}"


def _insert(connection: sa.Connection, document: Document, chunks: Sequence[Chunk], content: str) -> int:
    source = document.source
    result = connection.execute(
        sa.insert(_versions).values(
            document_id=source.id,
            state="pending",
            path=source.path,
            title=source.title,
            digest=source.digest,
            media_type=source.media_type,
            encoding=source.encoding,
            published=source.published,
            issuer=source.issuer,
            text=document.text,
            changes=[asdict(change) for change in document.changes],
            added_at=time.time(),
            pages=source.pages,
            content=content,
            marks=[[m.start, m.end, m.kind, m.level, m.page] for m in document.marks],
            notes=[[note.key, note.detail] for note in document.notes],
        )
    )
    assert result.inserted_primary_key is not None
    version_id = int(result.inserted_primary_key[0])
    rows = [
        {
            "version_id": version_id,
            "ordinal": chunk.ordinal,
            "start": chunk.start,
            "end": chunk.end,
            "text": chunk.text,
            "heading": chunk.heading,
            "page": chunk.page,
            "speeches": [[s.start, s.end, s.speaker, s.body] for s in chunk.speeches],
        }
        for chunk in chunks
    ]
    if rows:
        connection.execute(sa.insert(_chunks), rows)
    return version_id


def _live_ids() -> sa.Select[Any]:
    return sa.select(_versions.c.document_id).where(_versions.c.state == "live")


def _key(row: Any) -> str:
    return chunk_key(row.version_id, row.ordinal)


def _chunk(row: Any) -> Chunk:
    return Chunk(
        row.document_id,
        row.ordinal,
        row.start,
        row.end,
        row.text,
        row.heading,
        row.page,
        tuple(Speech(*speech) for speech in row.speeches),
    )


def _source(row: Any) -> Source:
    return Source(
        id=row.document_id,
        path=row.path,
        title=row.title,
        digest=row.digest,
        media_type=row.media_type,
        encoding=row.encoding,
        published=row.published,
        issuer=row.issuer,
        pages=row.pages,
    )


def _changes(stored: Any) -> tuple[Change, ...]:
    records = json.loads(stored) if isinstance(stored, str) else stored
    return tuple(
        Change(
            record["kind"], record["count"], tuple((before, after) for before, after in record["examples"])
        )
        for record in records
    )


def _slices(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _MOST_PARAMETERS):
        yield items[start : start + _MOST_PARAMETERS]


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    # Readers go on while a writer writes; FULL so that a version once live survives a power cut; what is deleted is
    # overwritten, so that a removed document's text is gone from the file.
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=10000",
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(engine: sa.Engine) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    head = ScriptDirectory.from_config(config).get_current_head()
    with engine.begin() as connection:
        from alembic.runtime.migration import MigrationContext

        current = MigrationContext.configure(connection).get_current_revision()
        if current == head:
            return
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except Exception as error:
            from alembic.util.exc import CommandError

            if isinstance(error, CommandError):
                raise LibraryDamaged(
                    f"The catalog {engine.url.database} was written by another version of Wenzheng ({current}).",
                    "Open it with the version that wrote it, or upgrade this one.",
                ) from error
            raise


@contextlib.contextmanager
def _translated(engine: sa.Engine) -> Iterator[None]:
    where = engine.url.database
    try:
        yield
    except sa.exc.DBAPIError as error:
        detail = str(error.orig)
        if "full" in detail:
            raise StorageFull(
                f"No space is left on the disk that holds {where}.",
                "Free some space and run the same command again; nothing that was findable is lost.",
            ) from error
        raise LibraryDamaged(
            f"The catalog {where} cannot be used: {detail}.",
            "Check that the file is readable and writable, or restore it from a backup.",
        ) from error
