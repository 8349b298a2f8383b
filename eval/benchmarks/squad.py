"""SQuAD's form and its relatives: SQuAD 1 and 2, CMRC 2018, DRCD, XQuAD, DuReader-robust, CAIL 2019 (CJRC).

``{"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers": [{"text"}]}]}]}]}`` (Rajpurkar
et al. 2016, arXiv 1606.05250), with ``is_impossible`` for questions that the context does not answer (2018, arXiv
1806.03822). CAIL 2019 writes that flag as text, has "YES" and "NO" among the answers, an empty answer where an
annotator found none, and a ``casename`` for the title.

Also as JSON lines: an entry of "data" a line, a paragraph a line, or a question a line as Hugging Face's `datasets` writes
SQuAD: ``{"id", "title", "context", "question", "answers": {"text": [], "answer_start": []}}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from eval.benchmarks.corpus import Cases, Texts, lang_of, main_script
from eval.benchmarks.reading import Record, record
from eval.cases import Benchmark, Case
from rag.errors import SourceError
from rag.types import Script

_YES_NO = frozenset({"YES", "NO"})
_Paragraph = tuple[str, str, Record, Sequence[Record]]
"""The id of a paragraph's document, its title, the record with its context, and its questions."""


def is_squad(value: Any) -> bool:
    """Whether a JSON value has this form."""
    return isinstance(value, dict) and "data" in value


def is_squad_line(value: Any) -> bool:
    """Whether a JSON value, the first line of a file, is a record of this form: an entry, a paragraph or a question."""
    if not isinstance(value, dict):
        return False
    return "paragraphs" in value or ("context" in value and not {"qas", "question"}.isdisjoint(value))


def load_squad_lines(records: Iterable[Record], place: str, name: str) -> Benchmark:
    """Read the form from JSON lines, which may be of all three kinds. As `load_squad`; ids count the records."""
    return _benchmark(list(_paragraphs_of_lines(records)), place, name)


def load_squad(value: Any, place: str, name: str) -> Benchmark:
    """Read the form from its JSON value.

    One document for each distinct context; each case has its context's document as gold and given. Ids of documents
    are "article:paragraph", counted from 0. Questions without a word, of which CMRC 2018 has some, are passed over.

    :param place: the file's name, for errors
    :raises SourceError: a record is malformed, or no question of the file has an answer
    """
    return _benchmark(list(_paragraphs(record(value, place))), place, name)


def _benchmark(paragraphs: list[_Paragraph], place: str, name: str) -> Benchmark:
    default = main_script(_contexts(paragraphs))
    texts, cases = Texts(), Cases()
    for id_, title, paragraph, questions in paragraphs:
        document = texts.add(id_, paragraph.text("context", blank=False), title, default=default)
        for qa in questions:
            if qa.text("question").strip():
                cases.add(_case(qa, document, default), qa)
    if cases.cases and not any(case.answerable for case in cases.cases):
        raise SourceError(
            f"{place} has no answer to any of its questions.",
            "It may be a test part whose answers are held back; take another part.",
            chinese=f"“{place}”里没有一个问题带有答案。可能是不公开答案的测试集，请换用其他部分。",
        )
    return Benchmark(
        name,
        "squad",
        tuple(texts.documents.values()),
        tuple(cases.cases),
        closed_possible=any(not case.answerable for case in cases.cases),
    )


def _paragraphs(root: Record) -> Iterator[_Paragraph]:
    for i, article in enumerate(root.records("data")):
        yield from _of_article(i, article)


def _paragraphs_of_lines(records: Iterable[Record]) -> Iterator[_Paragraph]:
    for i, item in enumerate(records):
        if item.has("paragraphs"):
            yield from _of_article(i, item)
        else:
            questions = tuple(item.records("qas")) if item.has("qas") else (item,)
            yield f"{i}:0", _title(item), item, questions


def _of_article(i: int, article: Record) -> Iterator[_Paragraph]:
    title = article.optional_text("title")
    for j, paragraph in enumerate(article.records("paragraphs")):
        yield f"{i}:{j}", _title(paragraph) or title, paragraph, tuple(paragraph.records("qas"))


def _title(paragraph: Record) -> str:
    return paragraph.optional_text("title") or paragraph.optional_text("casename")


def _contexts(paragraphs: list[_Paragraph]) -> Iterator[str]:
    return (paragraph.text("context") for _, _, paragraph, _ in paragraphs)


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
    for said, start in _given_answers(qa):
        text = said.strip()
        if text and not (text.casefold() == "unknown" and start == -1):
            yield text


def _given_answers(qa: Record) -> Iterator[tuple[str, Any]]:
    """Each answer with its place in the context, -1 where none is given: a list of objects, or an object of lists."""
    answers = qa.get("answers")
    if not isinstance(answers, dict):
        for answer in qa.records("answers"):
            yield answer.text("text"), answer.fields.get("answer_start", -1)
        return
    columns = qa.record("answers")
    found = columns.texts("text")
    starts = columns.values("answer_start") if columns.has("answer_start") else [-1] * len(found)
    if len(starts) != len(found):
        raise qa.wrong(
            f'has {len(found)} texts but {len(starts)} places in "answers"',
            f"的“answers”里有{len(found)}个文本，却有{len(starts)}个位置",
        )
    yield from zip(found, starts, strict=True)
