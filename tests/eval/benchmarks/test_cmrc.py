from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks import load_benchmark
from rag.errors import SourceError


def query(id_: str, *answers: str) -> dict[str, Any]:
    return {"query_id": id_, "query_text": "补贴多少？", "answers": list(answers)}


def context(id_: str, *qas: dict[str, Any], text: str = "每台补贴22万元。") -> dict[str, Any]:
    return {"context_id": id_, "context_text": text, "title": "补贴", "qas": list(qas)}


def write(tmp_path: Path, value: Any) -> Path:
    path = tmp_path / "file"
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def test_contexts_become_documents_and_queries_cases(tmp_path: Path) -> None:
    value = [
        context("c1", query("q1", "22万元", "22万元", "每台22万元")),
        context("c2", query("q2", "22万元")),
    ]
    benchmark = load_benchmark(write(tmp_path, value), name="cmrc")
    assert (benchmark.form, benchmark.name) == ("cmrc", "cmrc")
    assert [(d.id, d.title) for d in benchmark.documents] == [("c1", "补贴")]
    assert [(c.id, c.answers, c.gold, c.given) for c in benchmark.cases] == [
        ("q1", ("22万元", "每台22万元"), ("c1",), ("c1",)),
        ("q2", ("22万元",), ("c1",), ("c1",)),
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([{"context_text": "x", "qas": []}], r'file, \[0\] has no "context_id"'),
        ([{"context_id": "x"}], r'\[0\] has no "context_text"'),
        ([context("a", query("q", "x")), 3], r"\[1\] is a number, not an object"),
        ([context("a", query("q"))], r"\[0\], qas\[0\] has no answer"),
        ([context("a", query("q", "x"), query("q", "y"))], r'qas\[1\] repeats the id "q"'),
        ([context("a", query("q", "x")), context("a", text="别的")], 'repeats the id "a" with another text'),
        ([context("a", query("q", "x") | {"answers": [3]})], r'a number in "answers\[0\]" where text'),
    ],
)
def test_what_is_malformed_is_reported_with_its_place(tmp_path: Path, value: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        load_benchmark(write(tmp_path, value))
