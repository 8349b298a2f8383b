from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks import load_benchmark
from rag.errors import SourceError

HEADER = "query-id\tcorpus-id\tscore\n"
CORPUS = [{"_id": "d1", "title": "补贴", "text": "每台补贴22万元。"}, {"_id": "d2", "text": "停水通知。"}]
QUERIES = [{"_id": "q1", "text": "补贴多少"}, {"_id": "q2", "text": "何时停水"}]


def lines(records: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in records)


def write(
    folder: Path,
    corpus: list[dict[str, Any]] = CORPUS,
    queries: list[dict[str, Any]] = QUERIES,
    **qrels: str,
) -> Path:
    (folder / "corpus.jsonl").write_text(lines(corpus), encoding="utf-8")
    (folder / "queries.jsonl").write_text(lines(queries), encoding="utf-8")
    (folder / "qrels").mkdir()
    for name, text in qrels.items():
        (folder / "qrels" / f"{name}.tsv").write_text(text, encoding="utf-8")
    return folder


def test_the_queries_that_the_split_judges_are_the_cases(tmp_path: Path) -> None:
    test = HEADER + "q1\td1\t1\nq1\td2\t0\n"
    path = write(tmp_path, test=test, dev=HEADER + "q2\td2\t2\r\nq2\td1\t1\r\n")
    benchmark = load_benchmark(path, name="beir")
    assert (benchmark.form, benchmark.name, benchmark.short_answers) == ("beir", "beir", False)
    assert [(d.id, d.title) for d in benchmark.documents] == [("d1", "补贴"), ("d2", "")]
    (case,) = benchmark.cases
    assert (case.id, case.question, case.gold, case.split, case.lang) == (
        "q1",
        "补贴多少",
        ("d1",),
        "test",
        "zh-Hans",
    )
    (other,) = load_benchmark(path, split="dev").cases
    assert (other.id, other.gold) == ("q2", ("d2", "d1"))
    with pytest.raises(SourceError, match=r'no split "train".*Choose one of dev, test'):
        load_benchmark(path, split="train")


def test_the_only_split_is_taken_and_a_header_may_be_missing(tmp_path: Path) -> None:
    assert [c.split for c in load_benchmark(write(tmp_path, dev="q1\td1\t1\n")).cases] == ["dev"]


def test_a_gzipped_corpus_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, test=HEADER + "q1\td1\t1\n")
    plain = path / "corpus.jsonl"
    (path / "corpus.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    assert len(load_benchmark(path).documents) == 2


@pytest.mark.parametrize(
    ("qrels", "message"),
    [
        (HEADER + "q1\td9\t1\n", r'qrels/test\.tsv, line 2, names the document "d9"'),
        (HEADER + "q9\td1\t1\n", 'names the query "q9"'),
        (HEADER + "q1\td1\n", "has 2 columns"),
        (HEADER + "q1\td1\tyes\n", 'the score "yes"'),
        (HEADER, "has no questions"),
    ],
)
def test_malformed_judgements_are_reported_with_their_line(tmp_path: Path, qrels: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        load_benchmark(write(tmp_path, test=qrels))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"corpus": [*CORPUS, CORPUS[0]]}, r'corpus\.jsonl, line 3, repeats the id "d1"'),
        ({"corpus": [{"_id": "d1"}]}, r'corpus\.jsonl, line 1, has no "text"'),
        ({"queries": [*QUERIES, QUERIES[1]]}, r'queries\.jsonl, line 3, repeats the id "q2"'),
        ({"queries": [{"_id": "q1", "text": 3}]}, 'a number in "text"'),
    ],
)
def test_malformed_records_are_reported_with_their_line(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        load_benchmark(write(tmp_path, test=HEADER + "q1\td1\t1\n", **changes))


def test_without_judgements_it_says_where_they_belong(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"qrels/test\.tsv"):
        load_benchmark(write(tmp_path))
