"""Wenzheng's own form: a folder with ``corpus.jsonl`` and ``queries.jsonl``, which every other form can be written as.

``corpus.jsonl`` (or ``corpus.jsonl.gz``): ``id, text`` and optionally ``title, lang``. ``queries.jsonl``: ``id, question,
answers, gold, answerable`` and optionally

- ``history``: earlier messages, as texts in turn of which the last is the assistant's, as ``{role, text}``, or as pairs
  of a question and its answers
- ``all``: what a complete answer must hold, each a text or a list of alternatives
- ``refs``: sentences that bear the answer out, as texts or as objects with their ``content``
- ``given``: the documents that a closed run asks alone
- ``gold_xling``: documents that hold the answer in another language
- ``fake``: answers that a falsified document suggests
- ``lang, split, type``

``benchmark.json``, which may be missing, holds ``name, short_answers, closed_possible``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from eval.benchmarks.corpus import Cases, check_documents
from eval.benchmarks.reading import Record, lines, record, whole
from eval.cases import Benchmark, BenchmarkDocument, Case
from rag.errors import SourceError
from rag.types import Role, Turn

QUERIES = "queries.jsonl"
CORPUS = "corpus.jsonl"
_ABOUT = "benchmark.json"
_SHORT = 60
"""Characters up to which an answer counts as one of a few words."""


def corpus_path(folder: Path) -> Path | None:
    """The corpus of a folder, plain or gzipped; None where there is none."""
    found = (path for path in (folder / CORPUS, folder / f"{CORPUS}.gz") if path.is_file())
    return next(found, None)


def load_own(folder: Path, name: str | None = None, part: str | None = None) -> Benchmark:
    """Read a folder.

    Where ids of questions come once in each of several languages (XQuAD), the language is put behind them. Where some
    questions are unanswerable and all name their document, that document is given, so that a closed run is possible.

    :param name: None for the one it was written with, or the folder's
    :param part: "zh-Hans>en" asks the questions in the first language of the documents in the second alone, gold being
        ``gold_xling``; None for all questions of all documents
    :raises SourceError: a record is malformed, an id is there twice, or a document named is not in the corpus
    """
    corpus = corpus_path(folder)
    if corpus is None:
        raise SourceError(
            f"{folder.name} has questions but no documents to ask them of.",
            f"Put the documents into {CORPUS}, or take another folder.",
            chinese=f"{folder.name} 中有问题而没有文档。请把文档放进 {CORPUS}，或换一个文件夹。",
        )
    documents: dict[str, BenchmarkDocument] = {}
    for item in lines(corpus):
        document = BenchmarkDocument(
            item.identifier("id"), item.text("text"), item.optional_text("title"), item.optional_text("lang")
        )
        if document.id in documents:
            raise item.wrong(f'repeats the id "{document.id}"', f"重复了编号“{document.id}”")
        documents[document.id] = document
    records = list(lines(folder / QUERIES))
    cases = _cases(records, documents)
    about = _about(folder)
    if _names_its_document(records, cases):
        cases = [replace(case, given=case.gold) for case in cases]
    if part is not None:
        cases, documents = _across(folder, part, records, cases, documents)
    return Benchmark(
        name=name or about.optional_text("name") or folder.resolve().name,
        form="wenzheng",
        documents=tuple(documents.values()),
        cases=tuple(cases),
        short_answers=about.flag("short_answers") if about.has("short_answers") else _are_short(cases),
        closed_possible=(
            about.flag("closed_possible")
            if about.has("closed_possible")
            else bool(cases) and all(case.given for case in cases)
        ),
    )


def case_of(item: Record) -> Case:
    """One record of ``queries.jsonl`` or ``questions.jsonl`` as a case. Raises `SourceError` where it is malformed."""
    return Case(
        id=item.identifier("id"),
        question=item.text("question", blank=False),
        answers=item.texts("answers"),
        required=_required(item),
        gold=_listed(item, "gold"),
        answerable=item.flag("answerable"),
        history=_history(item),
        lang=item.optional_text("lang"),
        type=item.optional_text("type"),
        split=item.optional_text("split"),
        evidence=tuple(_evidence(item)),
        given=item.identifiers("given"),
        misleading=item.flat("fake"),
    )


def write_own(benchmark: Benchmark, folder: Path) -> None:
    """Write a benchmark as a folder of this form, which `load_own` reads back as it was.

    The folder is made where it is missing; each file is replaced when it is complete.

    :raises SourceError: the benchmark's documents are files of their own, or the folder cannot be written
    """
    if benchmark.folder is not None:
        raise SourceError(
            f"{benchmark.name} asks about files, which this form does not hold.",
            "Copy its folder instead.",
            chinese=f"{benchmark.name} 的问题针对文件，这种格式存不下文件。请直接复制它的文件夹。",
        )
    about = {
        "name": benchmark.name,
        "short_answers": benchmark.short_answers,
        "closed_possible": benchmark.closed_possible,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / CORPUS, map(_document_record, benchmark.documents))
        _write(folder / QUERIES, map(_case_record, benchmark.cases))
        _write(folder / _ABOUT, [about])
    except OSError as error:
        raise SourceError(
            f"{folder} cannot be written: {error.strerror or error}.",
            "Choose another folder.",
            chinese=f"无法写入 {folder}：{error.strerror or error}。请换一个文件夹。",
        ) from error


def _cases(records: list[Record], documents: Mapping[str, BenchmarkDocument]) -> list[Case]:
    """The cases with ids that are unique, every document that they name being in the corpus."""
    langs: dict[str, set[str]] = {}
    for item in records:
        langs.setdefault(item.identifier("id"), set()).add(item.optional_text("lang"))
    cases = Cases()
    for item in records:
        case = case_of(item)
        if len(langs[case.id]) > 1 and case.lang:
            case = replace(case, id=f"{case.id}:{case.lang}")
        check_documents(case.gold, documents, "gold", item)
        check_documents(case.given, documents, "given", item)
        check_documents(item.identifiers("gold_xling"), documents, "gold_xling", item)
        cases.add(case, item)
    return cases.cases


def _about(folder: Path) -> Record:
    path = folder / _ABOUT
    return record(whole(path), _ABOUT) if path.is_file() else Record({}, _ABOUT)


def _names_its_document(records: list[Record], cases: list[Case]) -> bool:
    return (
        any(not case.answerable for case in cases)
        and all(case.gold for case in cases)
        and not any(item.has("given") for item in records)
    )


def _are_short(cases: list[Case]) -> bool:
    """Whether three quarters of the answerable cases have an answer of a few words."""
    lengths = [min(map(len, case.answers)) for case in cases if case.answerable and case.answers]
    return 4 * sum(length <= _SHORT for length in lengths) >= 3 * len(lengths)


def _across(
    folder: Path,
    part: str,
    records: list[Record],
    cases: list[Case],
    documents: dict[str, BenchmarkDocument],
) -> tuple[list[Case], dict[str, BenchmarkDocument]]:
    """The cases and documents of a part: across languages, or the cases of one type or language."""
    asked, arrow, told = part.partition(">")
    if not arrow:
        found = [case for case in cases if part in (case.type, case.lang)]
        there = {case.type for case in cases} | {case.lang for case in cases}
        if not found:
            raise SourceError(
                f'{folder.name} has no part "{part}".',
                f"Choose one of {', '.join(sorted(there - {''}))}.",
                chinese=f"{folder.name} 中没有部分“{part}”。可选：{'、'.join(sorted(there - {''}))}。",
            )
        return found, documents
    kept = {id_: document for id_, document in documents.items() if document.lang == told}
    crossed = [
        replace(case, gold=gold, given=())
        for item, case in zip(records, cases, strict=True)
        if case.lang == asked
        and (gold := tuple(id_ for id_ in item.identifiers("gold_xling") if id_ in kept))
    ]
    if not crossed:
        raise SourceError(
            f'{folder.name} has no part "{part}": no question in {asked or "?"} has its answer in {told or "?"}.',
            'Give two languages that "gold_xling" connects, such as zh-Hans>en.',
            chinese=f"{folder.name} 中没有部分“{part}”。请给出由“gold_xling”相连的两种语言，例如 zh-Hans>en。",
        )
    return crossed, kept


def _listed(item: Record, key: str) -> tuple[str, ...]:
    item.values(key)
    return item.identifiers(key)


def _required(item: Record) -> tuple[tuple[str, ...], ...]:
    groups = []
    for i, value in enumerate(item.optional_values("all")):
        alternatives = Record({f"all[{i}]": value}, item.place).flat(f"all[{i}]")
        if not alternatives:
            raise item.wrong(f'has nothing in "all[{i}]"', f"的“all[{i}]”中没有内容")
        groups.append(alternatives)
    return tuple(groups)


def _evidence(item: Record) -> Iterator[str]:
    for i, value in enumerate(item.optional_values("refs")):
        key = f"refs[{i}]"
        if isinstance(value, dict):
            yield from Record(value, f"{item.place} {key}").flat("content")
        else:
            yield from Record({key: value}, item.place).flat(key)


def _history(item: Record) -> tuple[Turn, ...]:
    """The earlier messages. Bare texts alternate, and the one before the question is the assistant's."""
    values = item.optional_values("history")
    turns: list[Turn] = []
    for i, value in enumerate(values):
        key = f"history[{i}]"
        if isinstance(value, dict):
            turn = Record(value, f"{item.place} {key}")
            role = turn.text("role")
            if role not in ("user", "assistant"):
                raise turn.wrong(
                    f'has the role "{role}" where user or assistant belongs',
                    f"的角色“{role}”应为 user 或 assistant",
                )
            turns.append(Turn(cast("Role", role), turn.text("text")))
        elif isinstance(value, list):
            pair = Record({key: value}, item.place)
            if len(value) != 2 or not pair.flat(key):
                raise item.wrong(f'has no pair of question and answer in "{key}"', f"的“{key}”中没有一问一答")
            turns.append(Turn("user", "\n".join(Record({key: value[0]}, item.place).flat(key))))
            turns.append(Turn("assistant", "\n".join(Record({key: value[1]}, item.place).flat(key))))
        else:
            role = "assistant" if (len(values) - i) % 2 else "user"
            turns.append(Turn(cast("Role", role), Record({key: value}, item.place).text(key)))
    return tuple(turns)


def _document_record(document: BenchmarkDocument) -> dict[str, Any]:
    return {"id": document.id, "title": document.title, "text": document.text, "lang": document.lang}


def _case_record(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "question": case.question,
        "answers": case.answers,
        "all": case.required,
        "gold": case.gold,
        "answerable": case.answerable,
        "history": [{"role": turn.role, "text": turn.text} for turn in case.history],
        "lang": case.lang,
        "type": case.type,
        "split": case.split,
        "refs": case.evidence,
        "given": case.given,
        "fake": case.misleading,
    }


def _write(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            for item in records:
                file.write(json.dumps(item, ensure_ascii=False) + "\n")
        os.replace(partial, path)  # noqa: PTH105
    finally:
        partial.unlink(missing_ok=True)
