"""Filters joined, overridden, taken apart. Pure."""

from __future__ import annotations

from dataclasses import replace

from rag.types import Filters


def joined_filters(one: Filters, other: Filters) -> Filters:
    """Both restrictions; where both say something of the same kind, ``one`` holds (bodies are joined)."""
    return Filters(
        bodies=tuple(dict.fromkeys((*one.bodies, *other.bodies))),
        speaker=one.speaker or other.speaker,
        since=one.since or other.since,
        until=one.until or other.until,
        collection=one.collection or other.collection,
    )


def overridden(given: Filters, read: Filters) -> Filters:
    """The filters in force: of each kind those given, else those read. Dates are one kind."""
    dates = given if given.since or given.until else read
    return Filters(
        bodies=given.bodies or read.bodies,
        speaker=given.speaker or read.speaker,
        since=dates.since,
        until=dates.until,
        collection=given.collection or read.collection,
    )


def parts(filters: Filters) -> tuple[tuple[str, Filters], ...]:
    """Each restriction by itself, under a name that stays: "body:NAME", "speaker", "dates", "collection"."""
    single = [(f"body:{name}", Filters(bodies=(name,))) for name in filters.bodies]
    if filters.speaker:
        single.append(("speaker", Filters(speaker=filters.speaker)))
    if filters.since or filters.until:
        single.append(("dates", Filters(since=filters.since, until=filters.until)))
    if filters.collection:
        single.append(("collection", Filters(collection=filters.collection)))
    return tuple(single)


def without(filters: Filters, name: str) -> Filters:
    """The filters without the restriction of that name (see `parts`); the same where there is none."""
    if name.startswith("body:"):
        return replace(filters, bodies=tuple(body for body in filters.bodies if f"body:{body}" != name))
    if name == "speaker":
        return replace(filters, speaker="")
    if name == "collection":
        return replace(filters, collection="")
    return replace(filters, since=None, until=None) if name == "dates" else filters
