"""SQuAD's form and its relatives: SQuAD 1 and 2, CMRC 2018, DRCD, XQuAD, DuReader-robust, CAIL 2019 (CJRC).

``{"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers": [{"text"}]}]}]}]}`` (Rajpurkar
et al. 2016, arXiv 1606.05250), with ``is_impossible`` for questions that the context does not answer (2018, arXiv
1806.03822). CAIL 2019 writes that flag as text, has "YES" and "NO" among the answers, an empty answer where an
annotator found none, and a ``casename`` for the title.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eval.benchmarks.corpus import Cases, Texts, lang_of, main_script
from eval.benchmarks.reading import Record, record
from eval.cases import Benchmark, Case
from rag.errors import SourceError
from rag.types import Script

_YES_NO = frozenset({"YES", "NO"})


def is_squad(value: Any) -> bool:
    """Whether a JSON value has this form."""
    return isinstance(value, dict) and "data" in value


def load_squad(value: Any, place: str, name: str) -> Benchmark:
    """Read the form from its JSON value.

    One document for each distinct context; each case has its context's document as gold and given. Ids of documents
    are "article:paragraph", counted from 0. Questions without a word, of which CMRC 2018 has some, are passed over.

    :param place: the file's name, for errors
    :raises SourceError: a record is malformed, or no question of the file has an answer
    """
    paragraphs = list(_paragraphs(record(value, place)))
    default = main_script(_contexts(paragraphs))
    texts, cases = Texts(), Cases()
    for id_, title, paragraph in paragraphs:
        document = texts.add(id_, paragraph.text("context", blank=False), title, default=default)
        for qa in paragraph.records("qas"):
            if qa.text("question").strip():
                cases.add(_case(qa, document, default), qa)
    if cases.cases and not any(case.answerable for case in cases.cases):
        raise SourceError(
            f"{place} has no answer to any of its questions.",
            "It may be a test part whose answers are held back; take another part.",
        )
    return Benchmark(
        name,
        "squad",
        tuple(texts.documents.values()),
        tuple(cases.cases),
        closed_possible=any(not case.answerable for case in cases.cases),
    )


def _paragraphs(root: Record) -> Iterator[tuple[str, str, Record]]:
    """Each paragraph with its id and title."""
    for i, article in enumerate(root.records("data")):
        title = article.optional_text("title")
        for j, paragraph in enumerate(article.records("paragraphs")):
            own = paragraph.optional_text("title") or paragraph.optional_text("casename")
            yield f"{i}:{j}", own or title, paragraph


def _contexts(paragraphs: list[tuple[str, str, Record]]) -> Iterator[str]:
    return (paragraph.text("context") for _, _, paragraph in paragraphs)


def _case(qa: Record, document: str, default: Script) -> Case:
    question = qa.text("question")
    impossible = qa.has("is_impossible") and qa.flag("is_impossible")
    answers = () if impossible else tuple(dict.fromkeys(_answers(qa)))
    kind = "span"
    if not answers:
        kind = "unanswerable"
    elif _YES_NO.intersection(answers):
        kind = "yesno"
    return Case(
        id=qa.identifier("id"),
        question=question,
        answers=answers,
        gold=(document,),
        answerable=bool(answers),
        lang=lang_of(question, default),
        type=kind,
        given=(document,),
    )


def _answers(qa: Record) -> Iterator[str]:
    """The texts of the answers; one that is empty, or "unknown" without a place in the context, is none."""
    for answer in qa.records("answers"):
        text = answer.text("text").strip()
        unknown = text.casefold() == "unknown" and answer.fields.get("answer_start", -1) == -1
        if text and not unknown:
            yield text
