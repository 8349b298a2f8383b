"""What is in force and what it says against others: superseded passages set aside, disagreements told, dates said. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rag import prompts
from rag.checking import Draft, cite
from rag.citations import Checked
from rag.disagreement import Statement, disagreements
from rag.questions import Question
from rag.relative_dates import as_of
from rag.superseding import superseded
from rag.text import fold, joined, sentences
from rag.types import Citation, Passage, Script

_OUT_OF_FORCE = frozenset({"repealed", "replaced", "corrected"})
_MOST_DATES = 2
_MOST_TOLD = 2
_LONGEST_QUOTE = 120


@dataclass(frozen=True, slots=True)
class InForce:
    """Passages with those out of force behind: the first ``current`` of them may be given as what holds now."""

    passages: tuple[Passage, ...]
    current: int


def in_force(question: Question, passages: Sequence[Passage], today: date) -> InForce:
    """Set passages of documents aside that others of the passages repeal, replace or correct.

    A question for a year of such a document, or by its title, asks for it all the same.
    """
    gone = {
        number
        for number, found in superseded(passages).items()
        if found.reason in _OUT_OF_FORCE
        and (found.since is None or found.since <= today.isoformat())
        and not _wanted(question, passages[number])
    }
    kept = [passage for number, passage in enumerate(passages) if number not in gone]
    if not kept:
        return InForce(tuple(passages), len(passages))
    return InForce((*kept, *(passages[number] for number in sorted(gone))), len(kept))


def with_disagreements(draft: Draft, passages: Sequence[Passage], script: Script) -> Draft:
    """The draft with a line for each passage that contradicts what is cited, the later of both marked.

    :param passages: those in force, in the order of their numbers
    """
    cited = draft.citations
    if not cited:
        return draft
    statements: list[Statement] = []
    places: list[tuple[int, int, int, bool]] = []
    for citation in cited:
        _add(statements, places, citation.passage, citation.number, citation.start, citation.end, True)
    documents = {citation.passage.source.id for citation in cited}
    for number, passage in enumerate(passages, start=1):
        if passage.source.id in documents:
            continue
        for start, end in sentences(passage.chunk.text):
            _add(
                statements,
                places,
                passage,
                number,
                passage.chunk.start + start,
                passage.chunk.start + end,
                False,
            )
    checked, held = list(draft.checked), dict(draft.cited)
    told: set[tuple[int, int]] = set()
    for found in disagreements(statements):
        one, other = places[found.left.position], places[found.right.position]
        if one[3] == other[3]:
            continue
        foreign, at = (other, found.right.position) if one[3] else (one, found.left.position)
        number, start, end, _ = foreign
        if (start, end) in told or len(told) >= _MOST_TOLD:
            continue
        told.add((start, end))
        citation = cite(passages[number - 1], number, start, end)
        held[number, start, end] = citation
        checked.append(
            Checked(
                _other_word(citation, found.later == at, found.later is not None, script),
                "\n",
                (number,),
                "supported",
                ranges=((start, end),),
            )
        )
    return Draft(tuple(checked), held)


def dated(citations: Sequence[Citation], script: Script) -> str:
    """As of when an answer holds: the dates of the documents cited, "" where none is known."""
    dates = sorted(
        {c.passage.source.published for c in citations if c.passage.source.published}, reverse=True
    )
    if not dates:
        return ""
    if len(dates) > _MOST_DATES:
        return as_of(dates[0], script)
    return joined([as_of(on, script) for on in dates], script)


def _wanted(question: Question, passage: Passage) -> bool:
    title = fold(passage.source.title)
    published = passage.source.published or ""
    asked = fold(question.text)
    return any(year in title or published.startswith(year) for year in question.years) or title in asked


def _add(
    statements: list[Statement],
    places: list[tuple[int, int, int, bool]],
    passage: Passage,
    number: int,
    start: int,
    end: int,
    is_cited: bool,
) -> None:
    chunk, source = passage.chunk, passage.source
    text = chunk.text[start - chunk.start : end - chunk.start]
    statements.append(
        Statement(text, source.title, source.published, source.id, len(statements), chunk.heading)
    )
    places.append((number, start, end, is_cited))


def _other_word(citation: Citation, is_later: bool, known: bool, script: Script) -> str:
    source = citation.passage.source
    key = "other_later" if is_later else "other_earlier" if known else "other"
    quote = citation.quote.strip()
    quote = quote if len(quote) <= _LONGEST_QUOTE else f"{quote[:_LONGEST_QUOTE]}…"
    return prompts.DISAGREEMENTS[key][script].format(
        title=source.title, date=source.published or "", quote=quote
    )
