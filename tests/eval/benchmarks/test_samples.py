from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from eval.benchmarks import find_benchmark, load_benchmark
from ingest.documents import load
from ingest.loading import is_supported
from rag.errors import SourceError
from rag.text import fold
from rag.types import Turn

SAMPLES = ROOT / "samples"
QUESTION: dict[str, Any] = {
    "id": "a",
    "question": "补贴多少",
    "answers": ["22万元"],
    "gold": ["通知.txt"],
    "answerable": True,
}


def folder(tmp_path: Path, *questions: dict[str, Any]) -> Path:
    (tmp_path / "通知.txt").write_text("补贴标准为22万元。", encoding="utf-8")
    text = "".join(json.dumps(question, ensure_ascii=False) + "\n" for question in questions)
    (tmp_path / "questions.jsonl").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_samples_are_many_and_of_every_kind() -> None:
    cases = load_benchmark(SAMPLES).cases
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
    for case in load_benchmark(SAMPLES).cases:
        assert case.answerable is bool(case.gold and case.answers), case.id
        assert set(case.gold) <= set(texts), case.id
        evidence = "\n".join(texts[name] for name in case.gold)
        for group in case.required:
            assert any(fold(part) in evidence for part in group), (case.id, group)
        if case.answerable:
            assert any(fold(answer) in evidence for answer in case.answers), case.id


def test_every_sample_is_dated_and_titled() -> None:
    for path in SAMPLES.iterdir():
        if is_supported(path.name):
            source = load(path).source
            assert source.published, path.name
            assert source.title, path.name


def test_the_samples_stay_files() -> None:
    benchmark = load_benchmark(find_benchmark("samples", []))
    assert (benchmark.form, benchmark.name, benchmark.documents) == ("samples", "samples", ())
    assert benchmark.folder is not None
    assert not benchmark.short_answers
    assert benchmark.cases
    assert all((benchmark.folder / name).is_file() for case in benchmark.cases for name in case.gold)


def test_each_required_text_is_a_group_and_messages_alternate(tmp_path: Path) -> None:
    question = QUESTION | {"all": ["22万元", "每台"], "history": ["电梯补贴有吗", "有。"]}
    (case,) = load_benchmark(folder(tmp_path, question)).cases
    assert case.required == (("22万元",), ("每台",))
    assert case.history == (Turn("user", "电梯补贴有吗"), Turn("assistant", "有。"))


def test_a_file_that_is_not_in_the_folder_is_named(tmp_path: Path) -> None:
    path = folder(tmp_path, QUESTION, QUESTION | {"id": "b", "gold": ["报告.txt"]})
    with pytest.raises(SourceError, match=r"questions\.jsonl, line 2, names in .*报告\.txt"):
        load_benchmark(path)


def test_a_type_can_be_chosen(tmp_path: Path) -> None:
    path = folder(tmp_path, QUESTION | {"type": "number"}, QUESTION | {"id": "b", "type": "date"})
    assert [case.id for case in load_benchmark(path, part="date").cases] == ["b"]
    with pytest.raises(SourceError, match="Choose one of date, number"):
        load_benchmark(path, part="fact")


def test_a_malformed_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"id": "a"}\n', encoding="utf-8")
    with pytest.raises(SourceError, match=r"questions\.jsonl, line 1"):
        load_benchmark(tmp_path)
