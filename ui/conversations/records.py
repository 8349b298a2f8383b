"""The lines of a conversation's file: what each says, and the conversation that they make together. Pure.

The first line names the conversation. An exchange takes two lines, its answer alone on the second, so that listing
need not read what is long. Later lines replace, retitle, judge or remove what stands before them.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Final, cast, get_args

from rag.errors import LibraryDamaged
from rag.feedback import Thumb
from rag.serialization import filters_record, restored_answer, stored_answer
from rag.types import Answer, Filters
from ui.rendering import RUNNING, Exchange, Failure, Phase

VERSION: Final = 1

MAX_TITLE: Final = 80
"""Longest title in characters."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_ANSWER: Final = '{"kind":"answer"'


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of one visitor. ``created`` and ``updated`` are ISO dates and times in UTC.

    ``filters`` are those set by hand that hold for its next question.
    """

    id: str
    title: str
    created: str
    updated: str
    exchanges: tuple[Exchange, ...] = ()
    filters: Filters = field(default_factory=Filters)


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation as a list shows it; ``words`` are its title, questions and answers, to be searched."""

    id: str
    title: str
    created: str
    updated: str
    count: int
    words: str = field(default="", repr=False)


class NotAConversation(ValueError):
    """The lines make no conversation that this version can read."""


def title_of(text: str) -> str:
    """A title in one line, within its bound; empty where nothing is left to show."""
    line = " ".join("".join(c if c.isprintable() else " " for c in _clean(text[: 4 * MAX_TITLE])).split())
    return line if len(line) <= MAX_TITLE else line[: MAX_TITLE - 1].rstrip() + "…"


def head_line(id_: str, title: str, time: str) -> bytes:
    """The first line of a file."""
    return _line({"kind": "conversation", "version": VERSION, "id": id_, "title": title, "time": time})


def exchange_lines(exchange: Exchange, filters: Filters, time: str, replaced: str = "") -> bytes:
    """The lines of an exchange; one that is still under way is kept as stopped.

    :param filters: those set by hand when it was asked
    :param replaced: the id of an exchange in whose place it stands
    :raises ValueError: its answer holds a number that JSON does not know
    """
    answer = exchange.answer
    record: dict[str, Any] = {
        "kind": "exchange",
        "id": exchange.id,
        "time": time,
        "question": exchange.question,
        "phase": "stopped" if exchange.phase in RUNNING else exchange.phase,
        "verdict": exchange.verdict,
        "read": exchange.read,
        "filters": filters_record(filters),
        "error": asdict(exchange.error) if exchange.error is not None else None,
        "text": (answer.text.strip() or answer.reason) if answer is not None else "",
    }
    if replaced:
        record["replaces"] = replaced
    lines = _line(record)
    if answer is not None:
        lines += _line({"kind": "answer", "id": exchange.id, "answer": stored_answer(answer)})
    return lines


def title_line(title: str) -> bytes:
    """A line that gives the conversation another title."""
    return _line({"kind": "title", "title": title})


def verdict_line(id_: str, verdict: Thumb) -> bytes:
    """A line that says what the visitor thinks of an answer."""
    return _line({"kind": "verdict", "id": id_, "verdict": verdict})


def summary_of(data: bytes) -> Summary:
    """What a list shows of a file.

    :raises NotAConversation: it is none
    """
    read = _Reader(data, whole=False)
    words = "\n".join([read.title, *(f"{kept['question']}\n{kept['text']}" for kept in read.kept.values())])
    return Summary(read.id, read.title, read.created, read.updated, len(read.kept), words)


def conversation_of(data: bytes) -> Conversation:
    """The conversation in a file; an answer that cannot be read leaves its question, as one that was stopped.

    :raises NotAConversation: it is none
    """
    read = _Reader(data, whole=True)
    exchanges = [_exchange(kept, read.answers, n) for n, kept in enumerate(read.kept.values(), start=1)]
    return Conversation(read.id, read.title, read.created, read.updated, tuple(exchanges), read.filters)


class _Reader:
    """Reads the lines; what is no line of ours, as a crash leaves it, is passed over."""

    def __init__(self, data: bytes, *, whole: bool) -> None:
        first, *rest = data.decode("utf-8", errors="replace").split("\n")
        head = _parsed(first)
        if head.get("kind") != "conversation" or head.get("version") != VERSION:
            raise NotAConversation
        self.id, self.title, self.created = (_text(head, key) for key in ("id", "title", "time"))
        self.updated = self.created
        self.filters = Filters()
        self.kept: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, object] = {}
        for line in rest:
            if not line or (line.startswith(_ANSWER) and not whole):
                continue
            try:
                self._take(_parsed(line))
            except NotAConversation:
                continue

    def _take(self, record: dict[str, Any]) -> None:
        kind = record.get("kind")
        if kind == "exchange":
            for key in ("question", "text", "phase"):
                _text(record, key)
            id_, time = _text(record, "id"), _text(record, "time")
            self.kept.pop(record.get("replaces", ""), None)
            # Begun again with the same id it keeps its place; its answer is that which follows.
            self.answers.pop(id_, None)
            self.kept[id_] = record
            self.updated = max(self.updated, time)
            self.filters = _filters(record.get("filters"))
        elif kind == "answer":
            self.answers[_text(record, "id")] = record.get("answer")
        elif kind == "title":
            self.title = _text(record, "title")
        elif (
            kind == "verdict"
            and _text(record, "id") in self.kept
            and record.get("verdict") in get_args(Thumb)
        ):
            self.kept[record["id"]]["verdict"] = record["verdict"]


def _exchange(kept: dict[str, Any], answers: dict[str, object], number: int) -> Exchange:
    answer: Answer | None = None
    if kept["id"] in answers:
        try:
            answer = restored_answer(answers[kept["id"]])
        except LibraryDamaged:
            answer = None
    error = kept.get("error")
    failure = None
    if isinstance(error, dict) and all(isinstance(error.get(key), str) for key in ("code", "what", "fix")):
        failure = Failure(error["code"], error["what"], error["fix"])
    phase: Phase = "stopped"
    if kept["phase"] == "done" and answer is not None and answer.done:
        phase = "done"
    elif kept["phase"] == "failed" and failure is not None:
        phase = "failed"
    verdict = kept.get("verdict")
    return Exchange(
        number,
        kept["question"],
        phase,
        answer,
        failure,
        id=kept["id"],
        verdict=cast("Thumb", verdict) if verdict in get_args(Thumb) else "none",
        read=kept.get("read") is not False,
    )


def _filters(record: object) -> Filters:
    if not isinstance(record, dict):
        return Filters()
    bodies, speaker, since, until, collection = (
        record.get(key) for key in ("bodies", "speaker", "since", "until", "collection")
    )
    if not isinstance(bodies, list) or not all(isinstance(body, str) for body in bodies):
        return Filters()
    return Filters(
        tuple(bodies),
        speaker if isinstance(speaker, str) else "",
        since if isinstance(since, str) else None,
        until if isinstance(until, str) else None,
        collection if isinstance(collection, str) else "",
    )


def _text(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        raise NotAConversation
    return value


def _parsed(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _line(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _clean(text).encode() + b"\n"


def _clean(text: str) -> str:
    # One character for one: offsets into the text hold.
    return _SURROGATE.sub("\ufffd", text)
