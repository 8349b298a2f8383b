"""Which documents and chunks a filter lets through. Pure."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rag.bodies import BODIES, bodies_in
from rag.filters.periods import published_within
from rag.text import fold
from rag.types import Chunk, Filters, Source


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a document tells whether a filter lets any of it through: bodies by name, speeches as (speaker, body)."""

    source: Source
    issuers: frozenset[str]
    titled: frozenset[str]
    speeches: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Selection:
    """The ids of the documents that a filter lets through, and how many it leaves out only for having no date."""

    documents: frozenset[str]
    undated: int = 0


def facts(source: Source, speeches: Iterable[tuple[str, str]]) -> Facts:
    """What a filter looks at of a document; ``speeches`` are all of it, as (speaker, body)."""
    return Facts(
        source,
        frozenset(body.name for body in bodies_in(fold(source.issuer or ""))),
        frozenset(body.name for body in bodies_in(fold(source.title))),
        frozenset(speeches),
    )


def select(filters: Filters, known: Iterable[Facts]) -> Selection:
    """The documents of which a filter lets anything through."""
    found: set[str] = set()
    undated = 0
    for one in known:
        if not _may_hold(filters, one):
            continue
        published = one.source.published
        if published_within(published, filters.since, filters.until):
            found.add(one.source.id)
        elif not published:
            undated += 1
    return Selection(frozenset(found), undated)


def _may_hold(filters: Filters, known: Facts) -> bool:
    if filters.speaker and not any(_is_speaker(filters.speaker, *speech) for speech in known.speeches):
        return False
    if not filters.bodies:
        return True
    wanted = set(filters.bodies)
    if wanted & known.issuers or any(body in wanted for _, body in known.speeches):
        return True
    return not known.issuers and bool(wanted & known.titled)


def keeper(filters: Filters) -> Callable[[Chunk, Source], bool] | None:
    """Whether a passage passes, for filters that tell passages of one document apart; None where documents are enough.

    For a body pass: all that it issued; else what it says; else what nobody says in a document that bears its name in
    the title and that no other body issued. So of a session's report in which seven bodies speak, only its own words.
    """
    if not (filters.bodies or filters.speaker):
        return None
    return functools.partial(passes, filters)


def passes(filters: Filters, chunk: Chunk, source: Source) -> bool:
    """Whether one passage passes all restrictions; see `keeper`."""
    if not published_within(source.published, filters.since, filters.until):
        return False
    if filters.speaker and not any(_is_speaker(filters.speaker, s.speaker, s.body) for s in chunk.speeches):
        return False
    if not filters.bodies:
        return True
    wanted = set(filters.bodies)
    issuers, titled = _named(source.issuer or ""), _named(source.title)
    if wanted & issuers:
        return True
    speaking = {speech.body for speech in chunk.speeches if speech.body}
    if speaking:
        return bool(wanted & speaking)
    return not issuers and bool(wanted & titled)


@functools.lru_cache(maxsize=4096)
def _named(text: str) -> frozenset[str]:
    return frozenset(body.name for body in bodies_in(fold(text)))


def _is_speaker(name: str, speaker: str, body: str) -> bool:
    return bool(speaker) and fold(name) in fold(f"{body}{speaker}")


def bodies_known(known: Iterable[Facts]) -> tuple[str, ...]:
    """The full names of the bodies that issued a document or speak in one, in the order of the list of bodies."""
    found: set[str] = set()
    for one in known:
        found |= one.issuers
        found.update(body for _, body in one.speeches)
    return tuple(body.name for body in BODIES if body.name in found)
