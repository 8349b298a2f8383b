"""BEIR's form: a folder with corpus, queries and judgements (Thakur et al. 2021, arXiv 2104.08663).

``corpus.jsonl`` (``_id, title, text``), ``queries.jsonl`` (``_id, text``) and ``qrels/<split>.tsv`` (a header line, then
query id, corpus id and score, divided by tabs). It measures retrieval: there are no answers.
"""

from __future__ import annotations

from pathlib import Path

from eval.benchmarks.corpus import Cases, lang_of, main_script
from eval.benchmarks.own import corpus_path
from eval.benchmarks.reading import Record, lines, text_lines
from eval.cases import Benchmark, BenchmarkDocument, Case
from rag.errors import SourceError


def is_beir(folder: Path) -> bool:
    """Whether a folder has this form: its corpus says ``_id``, or there are judgements."""
    corpus = corpus_path(folder)
    if corpus is None:
        return False
    first = next(lines(corpus), None)
    return (folder / "qrels").is_dir() or (
        first is not None and "_id" in first.fields and "id" not in first.fields
    )


def load_beir(folder: Path, name: str, split: str | None = None) -> Benchmark:
    """Read a folder.

    Cases are the queries that the split judges; gold are the documents with a score above 0.

    :param split: names the judgements' file; None for "test", or for the only one there is
    :raises SourceError: a record is malformed, an id is not there or there twice, or there is no such split
    """
    corpus = corpus_path(folder)
    if corpus is None:
        raise SourceError(
            f"{folder.name} has no corpus.jsonl.",
            "Put the corpus there.",
            chinese=f"{folder.name} 中没有 corpus.jsonl。请把文集放在那里。",
        )
    path = _qrels(folder, split)
    documents: dict[str, BenchmarkDocument] = {}
    for item in lines(corpus):
        id_ = item.identifier("_id")
        if id_ in documents:
            raise item.wrong(f'repeats the id "{id_}"', f"重复了编号“{id_}”")
        documents[id_] = BenchmarkDocument(id_, item.text("text"), item.optional_text("title"))
    default = main_script(document.text for document in documents.values())
    queries: dict[str, Record] = {}
    for item in lines(folder / "queries.jsonl"):
        id_ = item.identifier("_id")
        if id_ in queries:
            raise item.wrong(f'repeats the id "{id_}"', f"重复了编号“{id_}”")
        queries[id_] = item
    cases = Cases()
    for query, gold in _judgements(path, set(queries), set(documents)).items():
        item = queries[query]
        question = item.text("text", blank=False)
        case = Case(query, question, gold=gold, lang=lang_of(question, default), split=path.stem)
        cases.add(case, item)
    return Benchmark(name, "beir", tuple(documents.values()), tuple(cases.cases), short_answers=False)


def _qrels(folder: Path, split: str | None) -> Path:
    there = {path.stem: path for path in sorted((folder / "qrels").glob("*.tsv"))}
    if not there:
        raise SourceError(
            f"{folder.name} has no judgements.",
            "Put them into qrels/test.tsv.",
            chinese=f"{folder.name} 中没有相关性标注。请把它放进 qrels/test.tsv。",
        )
    wanted = split or ("test" if "test" in there else next(iter(there)) if len(there) == 1 else "test")
    if wanted not in there:
        raise SourceError(
            f'{folder.name} has no split "{wanted}".',
            f"Choose one of {', '.join(there)}.",
            chinese=f"{folder.name} 中没有名为“{wanted}”的划分。可选：{'、'.join(there)}。",
        )
    return there[wanted]


def _judgements(path: Path, queries: set[str], documents: set[str]) -> dict[str, tuple[str, ...]]:
    """The gold documents of each query that has one, in the file's order."""
    gold: dict[str, dict[str, None]] = {}
    header = True
    for number, line in text_lines(path):
        columns = [column.strip() for column in line.rstrip("\r\n").split("\t")]
        place = Record({}, f"qrels/{path.name}, line {number},")
        if len(columns) != 3:
            raise place.wrong(
                f"has {len(columns)} columns where query id, corpus id and score belong",
                f"有 {len(columns)} 列，应为三列：问题编号、文档编号、分数",
            )
        query, document, score = columns
        try:
            relevant = float(score) > 0
        except ValueError as error:
            if header:
                header = False
                continue
            raise place.wrong(
                f'has the score "{score}", which is no number', f"的分数“{score}”不是数字"
            ) from error
        header = False
        if query not in queries:
            raise place.wrong(
                f'names the query "{query}", which queries.jsonl does not hold',
                f"提到 queries.jsonl 中没有的问题“{query}”",
            )
        if relevant and document not in documents:
            raise place.wrong(
                f'names the document "{document}", which the corpus does not hold',
                f"提到文集中没有的文档“{document}”",
            )
        if relevant:
            gold.setdefault(query, {})[document] = None
    return {query: tuple(found) for query, found in gold.items()}
