"""Where to look for a question: what it states of bodies, speakers and dates joined with what is given. Reads the library."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rag.filters import keeper, overridden, restriction, says_nothing
from rag.library import Library
from rag.questions import Question, analyse
from rag.retrieval import Keep
from rag.types import Filters, Turn


@dataclass(frozen=True, slots=True)
class Scope:
    """A question without the words of its restrictions, the filters in force, and where they leave to look."""

    question: Question
    filters: Filters
    documents: Collection[str] | None
    keep: Keep | None
    undated: int = 0


def scope_of(
    question: Question,
    library: Library,
    within: Collection[str] | None,
    given: Filters | None,
    earlier: Filters,
    read: bool,
    max_chars: int,
) -> Scope:
    """Where to look for a question: what it states and what is given, joined; without the words that state it.

    :param within: ids of the documents to look in; None for all
    :param given: restrictions in place of those of the same kind that the question states
    :param earlier: restrictions that earlier turns state
    :param read: whether restrictions that the question states hold
    """
    stated = restriction(question.text, datetime.now().date())
    found = overridden(stated.filters, earlier)
    in_force = overridden(given or Filters(), found if read else Filters())
    selection = library.matching(in_force) if in_force else None
    if selection is not None and not selection.documents and selection.undated and not _dates(given):
        # Words about time can't be meant for documents none of which is dated.
        in_force = replace(in_force, since=None, until=None)
        stated = replace(stated, rest=question.text)
        selection = library.matching(in_force) if in_force else None
    if stated.filters:
        question = _restated(question, stated.rest, max_chars)
    if selection is None:
        return Scope(question, in_force, within, None)
    documents = selection.documents if within is None else selection.documents & set(within)
    return Scope(question, in_force, documents, keeper(in_force), selection.undated)


def asked_again(question: str, history: Sequence[Turn]) -> tuple[str, Filters]:
    """What is asked by a follow-up that only restricts ("只看2024年以来的"): the question before it, and all restrictions.

    Any other question is given back as it is.
    """
    today = datetime.now().date()
    stated = restriction(question, today)
    filters = stated.filters
    if not filters or not says_nothing(stated.rest):
        return question, Filters()
    for turn in reversed(history):
        if turn.role == "user":
            before = restriction(turn.text, today)
            filters = overridden(filters, before.filters)
            if not says_nothing(before.rest):
                return before.rest, filters
    return question, Filters()


def _restated(question: Question, rest: str, max_chars: int) -> Question:
    """The question in the words that a restriction leaves of it, if those still ask something."""
    if any(char.isalnum() for char in rest):
        shorter = analyse(rest, max_chars)
        if shorter.weights or shorter.bodies or shorter.quoted:
            return replace(shorter, script=question.script)
    return replace(question, years=frozenset())


def _dates(filters: Filters | None) -> bool:
    return filters is not None and bool(filters.since or filters.until)
