"""What an exported conversation says, before it has the form of any kind of file. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.types import Answer
from ui.conversations.panel import local_time
from ui.conversations.records import Conversation
from ui.rendering import Exchange, group_citations
from ui.texts import TEXTS, Language, Texts, error_heading

# What XML 1.0 cannot hold, and what would let a text run backwards or hide: no file needs them.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
    "|[\U0001fffe\U0001ffff]"
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of an answer; ``struck`` where it did not pass the check."""

    text: str
    struck: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """What stands behind ``[number]``: where it is from, in one line, and the quoted sentences."""

    number: int
    place: str
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One question: the heading and the words of what is to be said of its answer, the answer, its references."""

    question: str
    heading: str
    notice: str
    lines: tuple[tuple[Stretch, ...], ...]
    references: tuple[Reference, ...]
    struck: bool


@dataclass(frozen=True, slots=True)
class Outline:
    """A conversation ready to be written: ``tag`` is its language tag, the rest is plain text."""

    tag: str
    title: str
    facts: str
    sections: tuple[Section, ...]
    question_label: str
    answer_label: str
    sources_label: str
    unsupported: str
    note: str


def outline(conversation: Conversation, language: Language) -> Outline:
    """What a file of this conversation says, without characters that cannot be shown."""
    texts = TEXTS[language]
    return Outline(
        texts.tag,
        clean(conversation.title),
        texts.export_begun.format(time=clean(local_time(conversation.created))),
        tuple(_section(exchange, texts) for exchange in conversation.exchanges),
        texts.question_label,
        texts.answer_label,
        texts.sources_title,
        texts.export_unsupported,
        texts.tagline,
    )


def clean(text: str) -> str:
    """The text without what no file can hold; every kind of line end as one line feed."""
    return _UNSHOWABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _section(exchange: Exchange, texts: Texts) -> Section:
    answer = exchange.answer
    heading = notice = ""
    if exchange.phase == "failed" and exchange.error is not None:
        heading = error_heading(texts, exchange.error.code)
        notice = f"{exchange.error.what} {exchange.error.fix}".strip()
    elif exchange.phase != "done" or answer is None:
        heading = texts.stopped_title
        notice = texts.stopped_text if answer is not None and answer.text.strip() else ""
    elif answer.outcome != "answered":
        headings = {
            "partial": texts.outcome_partial,
            "refused": texts.outcome_refused,
            "clarify": texts.outcome_clarify,
        }
        heading, notice = headings[answer.outcome], answer.reason.strip()
    lines: tuple[tuple[Stretch, ...], ...] = ()
    references: tuple[Reference, ...] = ()
    # Where the pipeline gives the reason as the text as well, it is said once.
    if answer is not None and answer.text.strip() and answer.text.strip() != notice:
        lines = _lines(answer)
    if answer is not None and answer.outcome != "refused":
        references = _references(answer, texts)
    struck = any(stretch.struck for line in lines for stretch in line)
    return Section(clean(exchange.question), clean(heading), clean(notice), lines, references, struck)


def _lines(answer: Answer) -> tuple[tuple[Stretch, ...], ...]:
    """The answer's lines; offsets are of the text as it is, so that it is cleaned last."""
    text = answer.text
    stretches: list[Stretch] = []
    position = 0
    for claim in sorted(answer.claims, key=lambda claim: claim.start):
        start, end = max(claim.start, position), min(claim.end, len(text))
        if claim.verdict == "unsupported" and start < end:
            stretches += [Stretch(text[position:start]), Stretch(text[start:end], struck=True)]
            position = end
    stretches.append(Stretch(text[position:]))
    lines: list[list[Stretch]] = [[]]
    for stretch in stretches:
        first, *rest = clean(stretch.text).split("\n")
        for number, part in enumerate([first, *rest]):
            if number:
                lines.append([])
            if part:
                lines[-1].append(Stretch(part, stretch.struck))
    return tuple(tuple(line) for line in lines if any(stretch.text.strip() for stretch in line))


def _references(answer: Answer, texts: Texts) -> tuple[Reference, ...]:
    found = []
    for number, citations in group_citations(answer.citations).items():
        passage = citations[0].passage
        source = passage.source
        title = source.title.strip()
        facts = [source.published or texts.undated, source.issuer or ""]
        if passage.chunk.page is not None:
            facts.append(texts.page.format(page=passage.chunk.page))
        facts.append(source.path)
        place = " · ".join(part for part in (title, *facts) if part)
        quotes = dict.fromkeys(" ".join(clean(citation.quote).split()) for citation in citations)
        found.append(Reference(number, " ".join(clean(place).split()), tuple(q for q in quotes if q)))
    return tuple(found)
