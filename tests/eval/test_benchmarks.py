from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT

from eval.benchmarks import load_cases
from ingest.documents import load
from ingest.loading import is_supported
from rag.errors import SourceError
from rag.text import fold

SAMPLES = ROOT / "samples"


def test_the_samples_are_many_and_of_every_kind() -> None:
    cases = load_cases(SAMPLES / "questions.jsonl")
    assert len(cases) >= 80
    assert len({case.id for case in cases}) == len(cases)
    assert sum(not case.answerable for case in cases) >= 20
    kinds = {"fact", "promise", "number", "date", "comparison", "follow-up", "cross-lingual", "cross-script"}
    assert kinds <= {case.type for case in cases}


def test_what_the_samples_ask_for_stands_in_their_documents() -> None:
    documents = {path.name: load(path) for path in SAMPLES.iterdir() if is_supported(path.name)}
    assert len(documents) >= 15
    assert {"gb18030", "big5hkscs"} <= {d.source.encoding for d in documents.values()}
    texts = {name: fold(d.text) for name, d in documents.items()}
    for case in load_cases(SAMPLES / "questions.jsonl"):
        assert case.answerable is bool(case.gold and case.answers), case.id
        assert set(case.gold) <= set(texts), case.id
        evidence = "\n".join(texts[name] for name in case.gold)
        for part in case.required:
            assert fold(part) in evidence, (case.id, part)
        if case.answerable:
            assert any(fold(answer) in evidence for answer in case.answers), case.id


def test_every_sample_is_dated_and_titled() -> None:
    for path in SAMPLES.iterdir():
        if is_supported(path.name):
            source = load(path).source
            assert source.published, path.name
            assert source.title, path.name


def test_a_malformed_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"id": "a"}\n', encoding="utf-8")
    with pytest.raises(SourceError, match=r"questions\.jsonl, line 1"):
        load_cases(path)
