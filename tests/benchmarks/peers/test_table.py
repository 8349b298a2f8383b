from __future__ import annotations

import json
from dataclasses import replace

from benchmarks.peers.measured import System, result_of
from benchmarks.peers.table import Conditions, as_json, markdown
from eval.cases import Case

CASE = Case("a", "地铁几号开通？", answers=("6月1日",), gold=("地铁.txt",))
CONDITIONS = Conditions(
    benchmark="invented",
    questions=1,
    questions_of=9,
    documents=3,
    characters=1000,
    seed=5,
    model="m.gguf",
    embedding="e5",
    settings="temperature 0",
    date="2026-01-02",
    commit="abc",
    machine="x86_64",
    notes=("A note.",),
)


def system(name: str, text: str, done: float, seconds: float = 2.0, error: str = "") -> System:
    record = {
        "id": "a",
        "passages": [{"document": "地铁.txt", "text": "……"}],
        "text": text,
        "error": error,
        "seconds": {} if error else {"evidence": 0.1, "done": done},
    }
    return System(name, (result_of(CASE, record),), "", 4, seconds, 900.0, {"package": "1.2"})


def row(page: str, label: str) -> str:
    return next(line for line in page.splitlines() if line.startswith(f"| {label}"))


def test_the_best_of_each_row_is_bold_whoevers_it_is() -> None:
    page = markdown([system("Ours", "6月2日", 1.0, 4.0), system("Theirs", "6月1日", 3.0)], CONDITIONS)
    assert row(page, "answer holds") == (
        "| answer holds what is asked for (containment), n=1 | 0.000 [0.000, 0.000] | **1.000** [1.000, 1.000] |"
    )
    assert "| **1.00** [1.00, 1.00] | 3.00 [3.00, 3.00] |" in row(page, "seconds to the whole answer")
    assert row(page, "indexing").endswith("| 250 | **500** |")


def test_equals_are_both_bold() -> None:
    page = markdown([system("A", "6月1日", 1.0), system("B", "6月1日", 1.0)], CONDITIONS)
    assert row(page, "gold documents among the first 1").count("**1.000**") == 2


def test_who_failed_has_the_reason_and_takes_no_prize() -> None:
    failed = System("Broken", (), "ImportError: no module | named x", 4, 0.1, 1.0)
    page = markdown([system("Ours", "不", 9.0), failed], CONDITIONS)
    assert "**Broken** failed and has no figures: ImportError: no module \\| named x." in page
    assert row(page, "seconds to the whole answer").endswith("| **9.00** [9.00, 9.00] | – |")
    assert row(page, "peak memory").endswith("| **900** | – |")


def test_errors_are_counted_and_the_first_is_quoted() -> None:
    page = markdown(
        [system("A", "6月1日", 1.0), system("B", "", 1.0, error="HTTP 400: too\nlong")], CONDITIONS
    )
    assert row(page, "questions that ended in an error").endswith("| **0** | 1 |")
    assert "B: 1 questions ended in an error, the first: HTTP 400: too long" in page


def test_a_row_that_applies_to_nobody_is_left_out() -> None:
    page = markdown([system("A", "6月1日", 1.0)], CONDITIONS)
    assert "unanswerable questions refused" not in page
    assert "first word" not in page.split("## Conditions")[0]


def test_conditions_are_told() -> None:
    page = markdown([system("A", "6月1日", 1.0)], CONDITIONS)
    for told in (
        "2026-01-02",
        "commit abc",
        "seed 5",
        "1 of 9",
        "m.gguf",
        "package 1.2",
        "A note.",
        "says_no_answer",
    ):
        assert told in page


def test_the_data_is_json_with_every_case() -> None:
    data = json.loads(json.dumps(as_json([system("A", "6月1日", 1.0)], replace(CONDITIONS, commit=""))))
    one = data["systems"][0]
    assert one["metrics"]["containment"] == {"value": 1.0, "n": 1, "low": 1.0, "high": 1.0}
    assert one["cases"][0]["text"] == "6月1日"
    assert one["characters_per_second"] == 500.0
