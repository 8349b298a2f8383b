"""The data that flows through the pipeline: frozen, composed, standard library only.

A `Passage` holds a `Chunk` and the `Source` it stands in; a `Citation` holds a `Passage`. Offsets always index
into the cleaned text of the document in its original script (`Document.text`), which is what is shown and quoted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Script = Literal["zh-Hans", "zh-Hant", "en"]
Outcome = Literal["answered", "partial", "refused", "clarify"]
Verdict = Literal["supported", "unsupported", "not_a_claim"]
Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of change that cleaning made: how often, and some places with what stood there before and after."""

    kind: str
    count: int
    examples: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know of a file that was taken in, as a key of `ingest.messages.NOTES` with its detail."""

    key: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """What the file told of a stretch ``text[start:end]`` of its document: its role and its page.

    ``level`` is 1 for the highest heading and counts the nesting of list items; ``page`` counts from 1.
    """

    start: int
    end: int
    kind: Literal["paragraph", "heading", "item", "row"]
    level: int = 0
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Speech:
    """What somebody says, ``text[start:end]`` of a document.

    ``speaker`` is the person with or without office ("局长周建明"), empty when a body itself speaks; ``body`` the body
    spoken for: its full name in `rag.bodies` where it is one of those, else as the document writes it, empty when
    none is named.
    """

    start: int
    end: int
    speaker: str
    body: str


@dataclass(frozen=True, slots=True)
class Source:
    """What a document is, without its text.

    ``id`` comes from ``path`` and stays over edits; ``digest`` is the SHA-256 of the file's bytes.
    ``published`` is an ISO date (YYYY, YYYY-MM or YYYY-MM-DD) or None where the document states none.
    """

    id: str
    path: str
    title: str
    digest: str
    media_type: str
    encoding: str = "utf-8"
    published: str | None = None
    issuer: str | None = None
    pages: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A file as loaded and cleaned: its description, its text, and what cleaning changed.

    ``marks`` are in order, do not overlap, and are empty for plain text, whose structure is read from its lines.
    """

    source: Source
    text: str
    changes: tuple[Change, ...] = ()
    marks: tuple[Mark, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch ``text[start:end]`` of one document, the unit that is embedded and found.

    ``heading`` is the nearest heading above it, given to the embedding and the lexical index as context.
    ``page`` is the page it starts on, where the file has pages; ``speeches`` what is said in it, clipped to it.
    """

    document_id: str
    ordinal: int
    start: int
    end: int
    text: str
    heading: str = ""
    page: int | None = None
    speeches: tuple[Speech, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk found for a question, with its place in the ranking.

    ``score`` orders passages: how likely it is to answer beside the best one, which has 1; ``similarity`` is the cosine of question and chunk, None when the
    dense leg did not see it; ``coverage`` the idf-weighted share of the question's terms that the chunk and its
    context hold, 0 to 1. Ranks count from 1 and are None where a leg did not find the chunk.
    """

    chunk: Chunk
    source: Source
    score: float
    similarity: float | None = None
    coverage: float = 0.0
    dense_rank: int | None = None
    lexical_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """The evidence behind ``[number]``: a range of the document, inside or around ``passage``."""

    number: int
    passage: Passage
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence ``Answer.text[start:end]`` with the numbers it cites and whether the evidence bears it out.

    ``ranges`` has for each number the range of that passage's document that bears it out. ``reason`` is, of an unsupported
    one, its fault (`rag.verification.Finding`).
    """

    text: str
    start: int
    end: int
    numbers: tuple[int, ...]
    verdict: Verdict
    reason: str = ""
    ranges: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of a conversation."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer took of the chat model, in its own tokens: those of the whole prompt, and those of the answer."""

    read: int
    written: int


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search is restricted to; empty in all its parts for everything.

    ``bodies`` are full names of `rag.bodies`, any of which may have issued or said it; ``speaker`` is a person's name.
    ``since`` and ``until`` are ISO dates (YYYY, YYYY-MM or YYYY-MM-DD) of publication, both counted in; ``collection``
    is the name under which documents were put together.
    """

    bodies: tuple[str, ...] = ()
    speaker: str = ""
    since: str | None = None
    until: str | None = None
    collection: str = ""

    def __bool__(self) -> bool:
        """Whether anything is restricted."""
        return bool(self.bodies or self.speaker or self.since or self.until or self.collection)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question got: a snapshot while ``done`` is False, the result when it is True.

    ``shown`` are the numbers of the passages that the chat model was given, ``confidence`` how far the evidence answers
    the question, 0 to 1, by which it is decided whether to answer.
    ``reason`` says why in plain words when ``outcome`` is not "answered". ``timings`` are seconds since the question
    arrived: "evidence", "first_word", "done", and the parts in between. ``usage`` is known at the end, if the model was
    asked and its endpoint tells. ``filters`` are those in force; ``undated`` counts the documents that they leave out only
    for having no date.
    """

    question: str
    script: Script
    text: str = ""
    outcome: Outcome = "answered"
    reason: str = ""
    claims: tuple[Claim, ...] = ()
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    standalone: str = ""
    model: str = ""
    timings: dict[str, float] = field(default_factory=dict)
    done: bool = False
    shown: tuple[int, ...] = ()
    confidence: float | None = None
    usage: Usage | None = None
    filters: Filters = Filters()
    undated: int = 0

    @property
    def restated(self) -> bool:
        """Whether something else was searched for than what was typed: a follow-up completed, a name put right."""
        return bool(self.standalone) and self.standalone.split() != self.question.split()
