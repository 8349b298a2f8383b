"""An `Answer` as plain data for JSON. Pure.

`answer_record` is what programs read: command line, HTTP, stored runs. `stored_answer` holds all of an answer, and
`restored_answer` makes an equal one of it again.
"""

from __future__ import annotations

import types
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from functools import cache
from typing import Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

from rag.errors import LibraryDamaged
from rag.types import Answer, Citation, Filters, Passage, Usage

STORED_VERSION: Final = 1
"""The form of `stored_answer`."""


def answer_record(answer: Answer) -> dict[str, Any]:
    """Everything an answer holds, as dictionaries, lists, strings and numbers."""
    return {
        "question": answer.question,
        "standalone": answer.standalone or answer.question,
        "script": answer.script,
        "text": answer.text,
        "outcome": answer.outcome,
        "reason": answer.reason,
        "claims": [
            {
                "text": claim.text,
                "start": claim.start,
                "end": claim.end,
                "numbers": list(claim.numbers),
                "verdict": claim.verdict,
                "reason": claim.reason,
                "ranges": [list(range_) for range_ in claim.ranges],
            }
            for claim in answer.claims
        ],
        "citations": [citation_record(citation) for citation in answer.citations],
        "passages": [
            passage_record(passage, number) for number, passage in enumerate(answer.passages, start=1)
        ],
        "shown": list(answer.shown),
        "confidence": answer.confidence,
        "model": answer.model,
        "timings": dict(answer.timings),
        "usage": usage_record(answer.usage) if answer.usage is not None else None,
        "filters": filters_record(answer.filters),
        "undated": answer.undated,
    }


def filters_record(filters: Filters) -> dict[str, Any]:
    """What an answer was restricted to; records stored before there were filters lack it, which means nothing was."""
    return {
        "bodies": list(filters.bodies),
        "speaker": filters.speaker,
        "since": filters.since,
        "until": filters.until,
        "collection": filters.collection,
    }


def usage_record(usage: Usage) -> dict[str, int]:
    """What an answer took of the chat model, in its tokens."""
    return {"tokens_read": usage.read, "tokens_written": usage.written}


def citation_record(citation: Citation) -> dict[str, Any]:
    """A citation with its document; offsets index into the document's cleaned text."""
    source = citation.passage.source
    return {
        "number": citation.number,
        "document_id": source.id,
        "title": source.title,
        "source": source.path,
        "published": source.published,
        "page": citation.passage.chunk.page,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
    }


def passage_record(passage: Passage, number: int) -> dict[str, Any]:
    """A passage with its document and scores; ``number`` is what ``[n]`` in the answer refers to."""
    return {
        "number": number,
        "document_id": passage.source.id,
        "title": passage.source.title,
        "source": passage.source.path,
        "published": passage.source.published,
        "heading": passage.chunk.heading,
        "page": passage.chunk.page,
        "speeches": [asdict(speech) for speech in passage.chunk.speeches],
        "start": passage.chunk.start,
        "end": passage.chunk.end,
        "text": passage.chunk.text,
        "score": passage.score,
        "similarity": passage.similarity,
        "coverage": passage.coverage,
        "dense_rank": passage.dense_rank,
        "lexical_rank": passage.lexical_rank,
    }


def stored_answer(answer: Answer) -> dict[str, Any]:
    """An answer whole, for `restored_answer`; each passage stands in it once, however often it is cited."""
    passages = list(answer.passages)
    places = {passage: place for place, passage in reversed(list(enumerate(passages)))}
    citations = []
    for citation in answer.citations:
        if citation.passage not in places:
            places[citation.passage] = len(passages)
            passages.append(citation.passage)
        plain = {"number": citation.number, "start": citation.start, "end": citation.end}
        citations.append({**plain, "quote": citation.quote, "passage": places[citation.passage]})
    record: dict[str, Any] = {"version": STORED_VERSION, "found": len(answer.passages)}
    for part in fields(answer):
        if part.name not in ("passages", "citations"):
            record[part.name] = _plain(getattr(answer, part.name))
    return {**record, "passages": [_plain(passage) for passage in passages], "citations": citations}


def restored_answer(record: object) -> Answer:
    """The answer of which `stored_answer` made this record, also after JSON.

    :raises LibraryDamaged: when it is no such record, or one of a later version
    """
    try:
        given = dict(_mapping(record, "answer"))
        version = given.pop("version", None)
        if version != STORED_VERSION:
            raise _Malformed(f"its version is {version!r}, not {STORED_VERSION}")
        passages = _typed(given.pop("passages", None), tuple[Passage, ...], "passages")
        found = given.pop("found", None)
        if type(found) is not int or not 0 <= found <= len(passages):
            raise _Malformed("found counts no passages of its own")
        listed = given.pop("citations", None)
        if not isinstance(listed, list):
            raise _Malformed("citations is no list")
        citations = []
        for item in listed:
            citation = dict(_mapping(item, "citations"))
            place = citation.get("passage")
            if type(place) is not int or not 0 <= place < len(passages):
                raise _Malformed("a citation's passage is not there")
            citation["passage"] = passages[place]
            citations.append(_made(Citation, citation, "citations"))
        parts = {**given, "passages": passages[:found], "citations": tuple(citations)}
        answer: Answer = _made(Answer, parts, "answer")
    except _Malformed as error:
        raise LibraryDamaged(
            f"A stored answer cannot be read: {error}.", "Ask its question again; the rest is not affected."
        ) from error
    return answer


class _Malformed(Exception):
    """What a record lacks to be an answer."""


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {part.name: _plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, dict) else value


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _Malformed(f"{where} is no record")
    return value


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _made(kind: type[Any], given: Mapping[str, Any], where: str) -> Any:
    """An instance of a dataclass; values that are not plain any more are taken as they are."""
    hints = _hints(cast("Hashable", kind))
    unknown = set(given) - set(hints)
    if unknown:
        raise _Malformed(f"{where} has an unknown field, {min(unknown)[:40]!r}")
    values: dict[str, Any] = {}
    for part in fields(kind):
        name = f"{where}.{part.name}"
        if part.name not in given:
            if part.default is MISSING and part.default_factory is MISSING:
                raise _Malformed(f"{name} is missing")
        elif isinstance(given[part.name], (tuple, Passage)):
            values[part.name] = given[part.name]
        else:
            values[part.name] = _typed(given[part.name], hints[part.name], name)
    return kind(**values)


def _typed(value: object, wanted: Any, where: str) -> Any:
    """The plain value as what a field of `rag.types` holds."""
    kind, inner = get_origin(wanted), get_args(wanted)
    if kind in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        (wanted,) = (one for one in inner if one is not type(None))
        return _typed(value, wanted, where)
    if kind is Literal and isinstance(value, str) and value in inner:
        return value
    if kind is tuple and isinstance(value, list):
        if inner[-1] is Ellipsis:
            return tuple(_typed(item, inner[0], where) for item in value)
        if len(value) == len(inner):
            return tuple(_typed(item, one, where) for item, one in zip(value, inner, strict=True))
    elif kind is dict and isinstance(value, dict):
        return {_typed(key, inner[0], where): _typed(item, inner[1], where) for key, item in value.items()}
    elif is_dataclass(wanted) and isinstance(wanted, type) and isinstance(value, dict):
        return _made(wanted, value, where)
    elif (wanted is float and type(value) in (int, float)) or (kind is None and type(value) is wanted):
        return value
    raise _Malformed(f"{where} is not what belongs there")
