"""Invented sets and rankings for the tests of `eval.regression`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from eval.cases import Case
from eval.metrics import score
from eval.results import CaseResult, Retrieved, RunInfo

INFO = RunInfo(
    id="20260101-000000-abcdef",
    benchmark="路灯",
    form="wenzheng",
    mode="open",
    only_retrieval=True,
    documents=3,
    chunks=4,
    cases=40,
    cases_of=40,
    seed=1,
    split="",
    settings={},
    model="",
    embedding="fake",
    commit="abc1234",
    date="2026-01-01T00:00:00+00:00",
    machine="x, 2 cores, y",
)


def ranked(number: int, rank: int | None) -> CaseResult:
    """A case whose gold document is found at that rank."""
    case = Case(f"q{number}", f"第{number}问？", gold=("gold",))
    names = [f"other{n}" for n in range(1, 11)]
    if rank is not None:
        names[rank - 1] = "gold"
    passages = tuple(Retrieved(n, name, name, "文", 0, 1, 1 / n) for n, name in enumerate(names, start=1))
    result = CaseResult(case, passages, timings={"evidence": 0.02})
    return replace(result, metrics=score(result, only_retrieval=True))


def write_set(folder: Path, count: int = 4, **more: Any) -> Path:
    """A set of so many documents, each with its question."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = [{"id": f"d{n}", "text": f"第{n}号路灯位于槐安巷{n * 7}号，由{n}班值守。"} for n in range(count)]
    queries = [
        {
            "id": f"q{n}",
            "question": f"第{n}号路灯在槐安巷几号？",
            "answers": [f"{n * 7}号"],
            "gold": [f"d{n}"],
            "answerable": True,
            **more,
        }
        for n in range(count)
    ]
    for file, records in (("corpus.jsonl", corpus), ("queries.jsonl", queries)):
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        (folder / file).write_text(text, encoding="utf-8")
    return folder
