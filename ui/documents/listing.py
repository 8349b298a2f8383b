"""The list of documents as a table: rows, searched, narrowed and sorted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from rag.bodies import bodies_in
from rag.catalog import Version
from rag.text import fold, to_simplified
from ui.rendering.sources import file_name, title_of

Sort = Literal["added", "published", "title", "size"]
NO_COLLECTION = "-"
"""What is asked for to see the documents in no collection; no name of one is that short and bare."""
MAX_QUERY = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One document of the table; ``size`` is the bytes of its file, None where the file is not kept."""

    id: str
    title: str
    file: str
    published: str
    issuer: str
    bodies: frozenset[str]
    collection: str
    pages: int | None
    chunks: int
    size: int | None
    added: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are wanted, in which order; empty for all. ``body`` is a full name of `rag.bodies`."""

    query: str = ""
    collection: str = ""
    body: str = ""
    sort: Sort = "added"


def wanted(parameters: Mapping[str, str]) -> Wanted:
    """What a request asks for; what makes no sense is left out."""
    sort = parameters.get("sort", "")
    return Wanted(
        parameters.get("query", "")[:MAX_QUERY],
        parameters.get("collection", "")[:MAX_QUERY],
        parameters.get("body", "")[:MAX_QUERY],
        cast("Sort", sort) if sort in get_args(Sort) else "added",
    )


def rows(
    versions: Iterable[Version], collections: Mapping[str, str], sizes: Mapping[str, int | None]
) -> list[Row]:
    """The table's rows.

    :param collections: names by document id
    :param sizes: of the files, by digest
    """
    return [
        Row(
            version.source.id,
            title_of(version.source),
            file_name(version.source.path),
            version.source.published or "",
            version.source.issuer or "",
            frozenset(body.name for body in bodies_in(fold(version.source.issuer or ""))),
            collections.get(version.source.id, ""),
            version.source.pages,
            version.chunks,
            sizes.get(version.source.digest),
            version.added_at,
        )
        for version in versions
    ]


def chosen(all_rows: Sequence[Row], asked: Wanted) -> list[Row]:
    """The rows that are asked for, in order; words of the query may be in either script, all must occur."""
    words = to_simplified(fold(asked.query)).split()

    def passes(row: Row) -> bool:
        if asked.collection and row.collection != (
            "" if asked.collection == NO_COLLECTION else asked.collection
        ):
            return False
        if asked.body and asked.body not in row.bodies:
            return False
        text = to_simplified(fold(f"{row.title} {row.file} {row.issuer} {row.collection}"))
        return all(word in text for word in words)

    found = [row for row in all_rows if passes(row)]
    found.sort(key=lambda row: (row.title, row.file))
    if asked.sort == "added":
        found.sort(key=lambda row: row.added, reverse=True)
    elif asked.sort == "published":
        found.sort(key=lambda row: row.published, reverse=True)
    elif asked.sort == "size":
        found.sort(key=lambda row: row.size or 0, reverse=True)
    return found


def size_words(size: int | None) -> str:
    """A file's size as people read it; empty where it is not known."""
    if size is None:
        return ""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} KB"
