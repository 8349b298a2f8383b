from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks import load_benchmark
from rag.errors import SourceError


def entry(id_: str, *news: str, **more: Any) -> dict[str, Any]:
    fields = {f"news{i}": text for i, text in enumerate(news, start=1)}
    return {
        "ID": id_,
        "event": "改造开工",
        "questions": "改造何时开工？",
        "answers": "3月开工。",
        "thoughts": "从新闻可知",
        **fields,
        **more,
    }


def write(tmp_path: Path, **parts: Any) -> Path:
    path = tmp_path / "split.json"
    path.write_text(json.dumps(parts, ensure_ascii=False), encoding="utf-8")
    return path


def test_questions_become_cases_and_news_documents(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        event_summary=[{"ID": "e", "event": "x", "text": "y", "summary": "z"}],
        questanswer_1doc=[entry("a", "三月开工。", news2="不算在内")],
        questanswer_2docs=[entry("a", "三月开工。", "工期一年。")],
        questanswer_3docs=[entry("b", "甲。", "乙。", "丙。")],
    )
    benchmark = load_benchmark(path)
    assert (benchmark.form, benchmark.short_answers) == ("crud", False)
    assert [d.text for d in benchmark.documents] == ["三月开工。", "工期一年。", "甲。", "乙。", "丙。"]
    assert benchmark.documents[0].title == "改造开工"
    one, two, three = benchmark.cases
    assert (one.id, one.type, one.answers) == ("questanswer_1doc:a", "questanswer_1doc", ("3月开工。",))
    assert two.gold == (one.gold[0], "questanswer_2docs:a:news2")
    assert two.given == two.gold
    assert len(three.gold) == 3


def test_a_part_has_its_own_documents_alone(tmp_path: Path) -> None:
    path = write(
        tmp_path, questanswer_1doc=[entry("a", "甲。")], questanswer_2docs=[entry("b", "乙。", "丙。")]
    )
    benchmark = load_benchmark(path, part="questanswer_2docs")
    assert [d.text for d in benchmark.documents] == ["乙。", "丙。"]
    with pytest.raises(SourceError, match="questanswer_1doc, questanswer_2docs"):
        load_benchmark(path, part="event_summary")


def test_empty_entries_are_passed_over_and_ids_given_twice_are_told_apart(tmp_path: Path) -> None:
    empty = entry("x", "空。", questions="", answers="")
    path = write(
        tmp_path, questanswer_1doc=[entry("a", "甲。"), empty, entry("a", "乙。", questions=["问？"])]
    )
    cases = load_benchmark(path).cases
    assert [(c.id, c.question) for c in cases] == [
        ("questanswer_1doc:a", "改造何时开工？"),
        ("questanswer_1doc:a:2", "问？"),
    ]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([entry("a")], r'split\.json, questanswer_1doc\[0\] has no "news1"'),
        ([entry("a", "")], 'nothing in "news1"'),
        ([entry("a", "甲", answers="")], 'nothing in "answers"'),
        ([{"ID": "a", "news1": "甲"}], 'has no "questions"'),
        ([entry("a", "甲", questions={})], 'an object in "questions" where text'),
        (["a"], r"questanswer_1doc\[0\] is text, not an object"),
        ({}, 'an object in "questanswer_1doc" where a list'),
    ],
)
def test_what_is_malformed_is_reported_with_its_place(tmp_path: Path, entries: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        load_benchmark(write(tmp_path, questanswer_1doc=entries))
