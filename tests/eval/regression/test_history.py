from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from measured_sets import INFO, ranked

from eval.regression.history import compare_with_last, entries, last, remember
from eval.regression.measuring import Measured, row_of
from eval.results import CaseResult
from rag.errors import SourceError


def of(ranks: list[int | None], seed: int = 1, run: str = "first") -> Measured:
    results: list[CaseResult] = [ranked(n, rank) for n, rank in enumerate(ranks)]
    info = replace(INFO, id=run, seed=seed)
    legs = {"dense": results, "lexical": results}
    return Measured(row_of("路灯", info, results, legs), info, results, legs)


def test_a_run_leaves_a_line_and_its_rows_without_the_passages(tmp_path: Path) -> None:
    history, rows = tmp_path / "out" / "history.jsonl", tmp_path / "rows"
    remember(history, rows, [of([1] * 40)])
    remember(history, rows, [of([2] * 40, run="second")])
    first, second = entries(history)
    assert (first.set, first.n, first.seed, first.commit, first.embedding) == (
        "路灯",
        40,
        1,
        "abc1234",
        "fake",
    )
    assert first.metrics["recall@1"].value == 1.0
    assert second.metrics["mrr@10"].value == 0.5
    assert last(history, "路灯", 40, 1) == second
    assert last(history, "路灯", 39, 1) is None
    assert last(history, "路灯", 40, 2) is None
    assert 'passages":[{' not in (rows / second.run / "cases.jsonl").read_text(encoding="utf-8")


def test_what_fell_is_told_case_by_case(tmp_path: Path) -> None:
    history, rows = tmp_path / "history.jsonl", tmp_path / "rows"
    remember(history, rows, [of([1] * 40)])
    verdict = compare_with_last(history, rows, of([1] * 20 + [None] * 20, run="later"))
    assert verdict.fell
    assert "路灯: FELL since 2026-01-01 (abc1234)" in verdict.message
    assert "worse on 20" in verdict.message


def test_no_change_a_gain_and_a_slip_within_chance_are_no_fall(tmp_path: Path) -> None:
    history, rows = tmp_path / "history.jsonl", tmp_path / "rows"
    remember(history, rows, [of([1] * 20 + [2] * 20)])
    for ranks in ([1] * 20 + [2] * 20, [1] * 40, [1] * 19 + [2] * 21):
        verdict = compare_with_last(history, rows, of(ranks, run="later"))
        assert not verdict.fell
        assert "nothing fell significantly" in verdict.message
        assert "paired on 40 questions" in verdict.message


def test_too_few_questions_tell_nothing(tmp_path: Path) -> None:
    history, rows = tmp_path / "history.jsonl", tmp_path / "rows"
    remember(history, rows, [of([1] * 12)])
    for there in (True, False):
        if not there:
            shutil.rmtree(rows)
        verdict = compare_with_last(history, rows, of([None] * 12, run="later"))
        assert not verdict.fell
        assert "too few to tell" in verdict.message


def test_without_that_runs_rows_the_intervals_decide(tmp_path: Path) -> None:
    history, rows = tmp_path / "history.jsonl", tmp_path / "rows"
    remember(history, rows, [of([1] * 35 + [None] * 5)])
    shutil.rmtree(rows)
    slipped = compare_with_last(history, rows, of([1] * 32 + [None] * 8, run="later"))
    assert not slipped.fell
    assert "by intervals alone" in slipped.message
    fallen = compare_with_last(history, rows, of([None] * 40, run="later"))
    assert fallen.fell
    assert "the intervals do not meet" in fallen.message


def test_other_questions_are_not_compared(tmp_path: Path) -> None:
    history, rows = tmp_path / "history.jsonl", tmp_path / "rows"
    remember(history, rows, [of([1] * 40)])
    verdict = compare_with_last(history, rows, of([None] * 40, seed=2))
    assert not verdict.fell
    assert "first time" in verdict.message
    assert not compare_with_last(tmp_path / "none.jsonl", rows, of([None] * 40)).fell


def test_a_malformed_line_is_named(tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    remember(history, tmp_path / "rows", [of([1] * 3)])
    history.write_text(history.read_text(encoding="utf-8") + '{"set": "路灯"}\n', encoding="utf-8")
    with pytest.raises(SourceError, match=r"history\.jsonl, line 2"):
        last(history, "路灯", 3, 1)
