"""CRUD-RAG's split file: questions on one, two or three news items (Lyu et al. 2024, arXiv 2401.17043).

``{"questanswer_1doc": [{"ID", "event", "questions", "answers", "news1"}], "questanswer_2docs": [... "news2"],
"questanswer_3docs": [... "news3"], "event_summary": [...], "continuing_writing": [...], "hallu_modified": [...]}``. The
parts that ask no questions (summaries, continuations, corrections) are left out.
"""

from __future__ import annotations

from typing import Any

from eval.benchmarks.corpus import Cases, Texts, lang_of
from eval.benchmarks.reading import Record, record
from eval.cases import Benchmark, Case
from rag.errors import SourceError

PARTS = {
    "questanswer_1doc": ("news1",),
    "questanswer_2docs": ("news1", "news2"),
    "questanswer_3docs": ("news1", "news2", "news3"),
}
"""The parts with questions, and where their news stand."""


def is_crud(value: Any) -> bool:
    """Whether a JSON value has this form."""
    return isinstance(value, dict) and any(key in value for key in PARTS)


def load_crud(value: Any, place: str, name: str, part: str | None = None) -> Benchmark:
    """Read the form from its JSON value.

    One document for each distinct news item; all the news of a question are its gold and given. Ids of cases are
    "part:ID" (the entry's place where it has no ID), with a number behind where an ID comes again, ids of documents the same with the news' key.
    Entries with neither question nor answer, of which the published file has some, are passed over.

    :param place: the file's name, for errors
    :param part: one of `PARTS`; None for all of them
    :raises SourceError: a record is malformed, or there is no such part
    """
    root = record(value, place)
    there = [key for key in PARTS if root.has(key)]
    if part is not None and part not in there:
        raise SourceError(
            f'{place} has no part "{part}" with questions.',
            f"Choose one of {', '.join(there)}.",
            chinese=f"{place} 中没有带问题的部分“{part}”。可选：{'、'.join(there)}。",
        )
    texts, cases = Texts(), Cases()
    for key in there if part is None else [part]:
        used: dict[str, int] = {}
        for number, entry in enumerate(root.records(key)):
            question, answer = _joined(entry, "questions"), _joined(entry, "answers")
            if not question and not answer:
                continue
            if not question or not answer:
                lacking = "answers" if question else "questions"
                raise entry.wrong(f'has nothing in "{lacking}"', f"的“{lacking}”中没有内容")
            id_ = f"{key}:{entry.identifier('ID') if entry.has('ID') else number}"
            used[id_] = used.get(id_, 0) + 1
            if used[id_] > 1:
                id_ = f"{id_}:{used[id_]}"
            news = tuple(dict.fromkeys(_news(entry, field, id_, texts) for field in PARTS[key]))
            case = Case(
                id=id_,
                question=question,
                answers=(answer,),
                gold=news,
                lang=lang_of(question, "zh-Hans"),
                type=key,
                given=news,
            )
            cases.add(case, entry)
    return Benchmark(name, "crud", tuple(texts.documents.values()), tuple(cases.cases), short_answers=False)


def _joined(entry: Record, key: str) -> str:
    entry.get(key)
    return "\n".join(entry.flat(key)).strip()


def _news(entry: Record, key: str, case: str, texts: Texts) -> str:
    return texts.add(f"{case}:{key}", entry.text(key, blank=False), entry.optional_text("event"))
