"""Visitors' feedback as a benchmark: what they liked is to be kept, what they put right is to be learnt.

Types of cases, each of one judged answer:

- ``liked``: an answer that was found helpful; it is the reference, what it cites are gold and evidence
- ``liked_refusal``: a refusal that was found helpful; the question counts as unanswerable
- ``liked_clarify``: a helpful question back; no references
- ``corrected``: the visitor wrote a better answer, which is the reference; gold is the document that it is found in
- ``disliked``: found unhelpful without a better answer; kept without references, so that neither metrics of answers nor
  of retrieval apply. Nobody said that it is unanswerable: it counts as answerable where refusals are measured.

Verdicts that were taken back make no case. Documents that have gone from the library are no gold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from eval.cases import Benchmark, BenchmarkDocument, Case
from eval.metrics.metric import folded, without_markers
from rag.feedback import Feedback
from rag.types import Document

NAME = "feedback"
TYPES = ("liked", "liked_refusal", "liked_clarify", "corrected", "disliked")
_LEAST = 4
"""Folded characters from which a better answer found in a passage is taken for found, and not for chance."""


def feedback_benchmark(entries: Iterable[Feedback], documents: Iterable[Document]) -> Benchmark:
    """The benchmark of all judged answers, over the library's documents.

    :param entries: the latest state of each answer, as `FeedbackStore.entries` gives them
    :param documents: the corpus
    """
    corpus = tuple(
        BenchmarkDocument(document.source.id, document.text, document.source.title) for document in documents
    )
    there = {document.id for document in corpus}
    cases = tuple(
        _case(entry, there) for entry in entries if entry.verdict != "none" and entry.question.strip()
    )
    return Benchmark(NAME, "wenzheng", corpus, cases, short_answers=False)


def counts(benchmark: Benchmark) -> dict[str, int]:
    """How many cases there are of each type, in the order of `TYPES`."""
    return {type_: sum(case.type == type_ for case in benchmark.cases) for type_ in TYPES}


def _case(entry: Feedback, there: set[str]) -> Case:
    type_, answers, gold, evidence = _references(entry)
    return Case(
        id=entry.id,
        question=entry.question,
        answers=answers,
        gold=tuple(dict.fromkeys(id_ for id_ in gold if id_ in there)),
        answerable=type_ != "liked_refusal",
        history=entry.history,
        lang=_text(entry.answer, "script"),
        type=type_,
        evidence=tuple(dict.fromkeys(quote for quote in evidence if quote.strip())),
    )


def _references(entry: Feedback) -> tuple[str, tuple[str, ...], list[str], list[str]]:
    """The type, the answers, the gold documents and the evidence that a verdict stands for."""
    if entry.verdict == "down":
        better = entry.better.strip()
        return ("corrected", (better,), _found(better, entry), []) if better else ("disliked", (), [], [])
    outcome = _text(entry.answer, "outcome")
    if outcome == "refused":
        return "liked_refusal", (), [], []
    text = without_markers(_text(entry.answer, "text")).strip()
    if outcome == "clarify" or not text:
        return "liked_clarify", (), [], []
    cited = _records(entry.answer, "citations")
    return (
        "liked",
        (text,),
        [_text(citation, "document_id") for citation in cited],
        [_text(citation, "quote") for citation in cited],
    )


def _found(better: str, entry: Feedback) -> list[str]:
    """The documents of the passages that hold a better answer word for word, spaces and script aside."""
    wanted = _squeezed(better).rstrip("。.！!")
    if len(wanted) < _LEAST:
        return []
    passages = _records(entry.answer, "passages")
    return [
        _text(passage, "document_id") for passage in passages if wanted in _squeezed(_text(passage, "text"))
    ]


def _squeezed(text: str) -> str:
    return "".join(folded(text).split())


def _records(record: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The records listed under a key; none where the stored answer is of another form."""
    values = record.get(key)
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""
