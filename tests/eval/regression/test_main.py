from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import FakeEmbedder, ScriptedModel
from measured_sets import write_set

from eval.regression.__main__ import main
from eval.regression.history import HISTORY, entries
from eval.regression.table import JSON_FILE, MARKDOWN_FILE, read_table

QUESTIONS = (
    {
        "id": "a",
        "question": "每台电梯补贴多少？",
        "answers": ["22万元"],
        "gold": ["通知.txt"],
        "answerable": True,
    },
    {"id": "b", "question": "路灯由谁值守？", "answers": ["二班"], "gold": ["路灯.txt"], "answerable": True},
    {"id": "c", "question": "市长几岁？", "answers": [], "gold": [], "answerable": False},
)


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> FakeEmbedder:
    fake = FakeEmbedder()
    for module in ("eval.runner", "eval.regression.__main__"):
        monkeypatch.setattr(f"{module}.open_embedder", lambda settings: fake)
    return fake


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    folder = tmp_path / "samples"
    folder.mkdir()
    (folder / "通知.txt").write_text("每台电梯补贴标准为22万元。", encoding="utf-8")
    (folder / "路灯.txt").write_text("槐安巷路灯由二班值守。", encoding="utf-8")
    lines = "".join(json.dumps(question, ensure_ascii=False) + "\n" for question in QUESTIONS)
    (folder / "questions.jsonl").write_text(lines, encoding="utf-8")
    return folder


@pytest.fixture
def go(tmp_path: Path, samples: Path, embedder: FakeEmbedder) -> Any:
    def run(*arguments: str, data: Path | None = None, output: bool = True) -> int:
        given = ["--samples", str(samples), "--home", str(tmp_path / "home"), *arguments]
        given += ["--data", str(data or tmp_path / "nowhere")]
        return main([*given, "--output", str(tmp_path / "out")] if output else given)

    return run


def nothing_found(*_: Any, **__: Any) -> Sequence[Any]:
    return ()


def test_without_the_public_sets_the_samples_are_measured(
    go: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert go() == 0
    told = capsys.readouterr()
    assert told.err.count("nowhere is not there: only the samples are measured.") == 1
    table = read_table(tmp_path / "out" / JSON_FILE)
    (row,) = table.rows
    assert (row.name, row.documents, row.n, row.reason) == ("samples", 2, 2, "")
    assert row.means["fused"]["recall@1"].value == 1.0
    assert table.average is None
    assert table.settings == {}
    assert "# Retrieval" in told.out
    assert len(list(entries(tmp_path / "out" / HISTORY))) == 1


def test_a_part_of_the_sets_leaves_the_projects_own_table_alone(go: Any, tmp_path: Path) -> None:
    assert go(output=False) == 0
    assert (tmp_path / "home" / "eval" / "benchmarks" / MARKDOWN_FILE).is_file()


def test_a_set_that_cannot_be_read_has_its_reason_and_the_rest_goes_on(
    go: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    write_set(data / "drcd")
    broken = write_set(data / "cmrc2018")
    (broken / "queries.jsonl").write_text('{"id": "x"}\n', encoding="utf-8")
    assert go("--only", "samples", "cmrc2018", "xquad", "drcd", data=data) == 0
    table = read_table(tmp_path / "out" / JSON_FILE)
    rows = {row.name: row for row in table.rows}
    assert list(rows) == ["samples", "cmrc2018", "drcd", "xquad"]
    assert "line 1" in rows["cmrc2018"].reason
    assert "xquad is not there" in rows["xquad"].reason
    assert str(tmp_path) not in rows["cmrc2018"].reason + rows["xquad"].reason
    assert rows["drcd"].n == 4
    assert table.average is not None
    assert table.average.n == 6
    told = capsys.readouterr()
    assert "cmrc2018: could not be measured." in told.err
    assert "drcd (3 of 4): asking 4 of 4" in told.err
    assert [entry.set for entry in entries(tmp_path / "out" / HISTORY)] == ["samples", "drcd"]


def test_a_check_ends_with_one_when_something_fell_and_writes_nothing(
    go: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    write_set(data / "drcd", 32)
    assert go("--only", "drcd", data=data) == 0
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert go("--only", "drcd", "--check", data=data) == 0
    assert "drcd: nothing fell significantly" in capsys.readouterr().out
    monkeypatch.setattr("rag.pipeline.Pipeline.retrieve", nothing_found)
    assert go("--only", "drcd", "--check", data=data) == 1
    assert "drcd: FELL since" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert go("--only", "drcd", data=data) == 0  # a run without --check records what it finds


def test_a_check_ends_with_one_when_a_set_is_lost(go: Any, tmp_path: Path) -> None:
    data = tmp_path / "data"
    folder = write_set(data / "drcd")
    assert go("--only", "drcd", "--check", data=data) == 0  # never measured before
    assert go("--only", "drcd", data=data) == 0
    (folder / "queries.jsonl").unlink()
    assert go("--only", "drcd", "--check", data=data) == 1


def test_a_setting_that_differs_is_in_the_table(
    go: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WENZHENG_CANDIDATES", "7")
    monkeypatch.setenv("WENZHENG_CHAT_BASE_URL", "http://chat.example/v1")
    assert go() == 0
    assert read_table(tmp_path / "out" / JSON_FILE).settings == {"candidates": 7}


def test_a_wrong_name_and_a_damaged_history_are_told_at_once(
    go: Any, tmp_path: Path, embedder: FakeEmbedder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert go("--only", "sample") == 1
    assert 'There is no set "sample". There are samples.' in capsys.readouterr().err
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / HISTORY).write_text("{\n", encoding="utf-8")
    assert go() == 1
    assert "line 1 is malformed" in capsys.readouterr().err
    assert embedder.encoded == []
    with pytest.raises(SystemExit):
        go("--limit", "0")


def test_answers_are_asked_for_and_always_anew(
    go: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[ScriptedModel] = []

    def opened(settings: Any) -> ScriptedModel:
        asked.append(ScriptedModel(*["每台电梯补贴标准为22万元[1]。"] * 3))
        return asked[-1]

    monkeypatch.setattr("eval.runner.open_model", opened)
    monkeypatch.setenv("WENZHENG_CHAT_BASE_URL", "http://chat.example/v1")
    assert go() == 0
    assert asked == []
    assert not (tmp_path / "out" / "answers.md").exists()
    for _ in range(2):
        assert go("--answers", "3") == 0
        assert asked[-1].asked
        assert asked[-1].closed
    text = (tmp_path / "out" / "answers.md").read_text(encoding="utf-8")
    assert "| containment |" in text
    assert "chat.example" not in text
    assert "first\\_word" in text or "first word" in text
