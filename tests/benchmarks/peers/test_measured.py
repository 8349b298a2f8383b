from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.peers.measured import figures, is_finished, is_refusal, read_lines, result_of, system_of
from eval.cases import Case
from rag.errors import SourceDamaged

FACT = Case("a", "地铁几号开通？", answers=("6月1日",), gold=("地铁.txt",))
NONE = Case("b", "机场几号开通？", answerable=False)


def answer(case: Case, text: str = "", error: str = "", documents: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "kind": "answer",
        "id": case.id,
        "passages": [{"document": name, "text": "……"} for name in documents],
        "text": text,
        "error": error,
        "seconds": {} if error else {"evidence": 0.1, "first_word": 1.5, "done": 2.5},
    }


@pytest.mark.parametrize(
    "text",
    [
        "文中没有提到机场的开通时间。",
        "我不知道。",
        "抱歉，我無法回答。",
        "The context does not provide the opening date.",
        "I don't know.",
        "",
    ],
)
def test_answers_that_say_nothing_are_refusals(text: str) -> None:
    assert is_refusal(NONE, text)


def test_an_answer_is_no_refusal() -> None:
    assert not is_refusal(NONE, "机场将于6月1日开通。")


def test_an_answer_that_holds_what_was_asked_is_no_refusal_whatever_else_it_says() -> None:
    text = "地铁6月1日开通，具体时刻文中没有提到。"
    assert not is_refusal(FACT, text)
    assert is_refusal(FACT, text.replace("6月1日", "不久"))


def test_an_answer_is_scored_like_any_other() -> None:
    result = result_of(FACT, answer(FACT, "6月1日开通。", documents=("公交.txt", "地铁.txt", "地铁.txt")))
    assert result.metrics["containment"] == 1
    assert result.metrics["recall@1"] == 0
    assert result.metrics["recall@5"] == 1
    assert result.metrics["false_refusal"] == 0
    assert result.metrics["latency_first_word"] == 1.5


def test_an_error_scores_the_worst_of_the_answer_but_not_of_the_ranking() -> None:
    result = result_of(FACT, answer(FACT, error="BadRequestError: too long", documents=("地铁.txt",)))
    assert result.metrics["containment"] == 0
    assert result.metrics["false_refusal"] == 1
    assert result.metrics["recall@1"] == 1
    assert "latency_done" not in result.metrics


def test_an_error_before_the_ranking_scores_the_worst_of_both() -> None:
    assert result_of(FACT, answer(FACT, error="ValueError: broken")).metrics["recall@5"] == 0


def test_figures_have_their_number_of_cases() -> None:
    records = [
        {"kind": "indexed", "chunks": 7, "indexing_seconds": 2.0, "versions": {"x": "1"}},
        answer(FACT, "6月1日", documents=("地铁.txt",)),
        answer(NONE, "文中没有提到。"),
        {"kind": "end", "peak_mb": 800.5},
    ]
    system = system_of("X", records, [FACT, NONE])
    assert (system.chunks, system.indexing_seconds, system.peak_mb) == (7, 2.0, 800.5)
    found = figures(system)
    assert (found["containment"].value, found["containment"].n) == (1.0, 1)
    assert (found["refused"].value, found["refused"].n) == (1.0, 1)
    assert found["balanced_accuracy"].value == 1.0


def test_a_system_that_stopped_half_way_has_no_figures() -> None:
    system = system_of("X", [answer(FACT, "6月1日")], [FACT, NONE])
    assert "1 of 2" in system.failure
    assert figures(system) == {}


def test_a_failure_that_is_known_is_kept() -> None:
    assert system_of("X", [], [FACT], "no such package").failure == "no such package"


def test_finished_is_who_went_to_the_end_with_all_cases() -> None:
    both = [answer(FACT), answer(NONE)]
    end = {"kind": "end", "peak_mb": 1.0}
    assert is_finished([*both, end], [FACT, NONE])
    assert not is_finished(both, [FACT, NONE])
    assert not is_finished([both[0], end], [FACT, NONE])


@given(st.lists(st.text(max_size=20), max_size=5), st.integers(min_value=1, max_value=30))
def test_reading_survives_a_cut_off_last_line(texts: list[str], cut: int) -> None:
    import tempfile

    records = [{"kind": "answer", "id": str(n), "text": text} for n, text in enumerate(texts)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.jsonl"
        whole = "".join(json.dumps(record) + "\n" for record in records)
        path.write_text(whole + json.dumps({"kind": "end", "peak_mb": 1234567.0})[:cut], encoding="utf-8")
        assert read_lines(path) == records


def test_a_broken_line_in_the_middle_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"kind": "ind\n{"kind": "end"}\n', encoding="utf-8")
    with pytest.raises(SourceDamaged, match="Line 1"):
        read_lines(path)


def test_no_file_is_no_records(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "none.jsonl") == []
