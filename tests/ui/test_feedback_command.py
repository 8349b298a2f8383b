"""The command that writes feedback as a benchmark, called as the command line calls it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from eval.benchmarks import load_benchmark
from rag.errors import LibraryError, SourceError
from rag.feedback import Feedback, FeedbackStore
from rag.pipeline import Pipeline
from rag.settings import Settings
from ui.feedback_command import eval_feedback

QUESTION = "每台电梯补贴多少？"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", models=tmp_path / "models")


@pytest.fixture
def call(settings: Settings) -> Callable[..., Result]:
    app = typer.Typer()
    app.command("feedback")(eval_feedback)

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(app, [*map(str, arguments), "--home", str(settings.home)])

    return call


@pytest.fixture
def judged(make_pipeline: Callable[..., Pipeline], settings: Settings) -> FeedbackStore:
    answer = make_pipeline("每台电梯补贴标准为22万元。[1]").ask(QUESTION)
    store = FeedbackStore(settings.home / "feedback")
    for id_, verdict, better in (("a1", "up", ""), ("a2", "down", "22万元"), ("a3", "down", "")):
        store.append(Feedback.of(id_, verdict, answer, settings, better=better))  # type: ignore[arg-type]
    return store


def test_the_folder_holds_a_benchmark_and_its_kinds_are_told(
    call: Callable[..., Result], judged: FeedbackStore, tmp_path: Path
) -> None:
    result = call(tmp_path / "[set]")
    assert result.exit_code == 0, result.output
    assert "3 cases (liked 1, corrected 1, disliked 1) over 2 documents" in result.output
    loaded = load_benchmark(tmp_path / "[set]")
    assert [case.type for case in loaded.cases] == ["liked", "corrected", "disliked"]
    assert {case.question for case in loaded.cases} == {QUESTION}


def test_a_folder_that_is_not_empty_is_written_only_by_force(
    call: Callable[..., Result], judged: FeedbackStore, tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    refused = call(folder)
    assert isinstance(refused.exception, SourceError)
    assert "--force" in refused.exception.fix
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    assert call(folder, "--force").exit_code == 0
    assert (folder / "notes.txt").read_text() == "mine"
    assert isinstance(call(folder / "notes.txt").exception, SourceError)


def test_without_feedback_it_says_so(call: Callable[..., Result], tmp_path: Path) -> None:
    result = call(tmp_path / "set")
    assert result.exit_code == 1
    assert "There is no feedback" in result.output
    assert not (tmp_path / "set").exists()


def test_feedback_that_was_taken_back_is_none(
    call: Callable[..., Result], judged: FeedbackStore, settings: Settings, tmp_path: Path
) -> None:
    from dataclasses import replace

    for entry in judged.entries():
        judged.append(replace(entry, verdict="none"))
    assert call(tmp_path / "set").exit_code == 1


def test_without_a_library_it_says_so(
    call: Callable[..., Result], judged: FeedbackStore, settings: Settings, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / "feedback").mkdir(parents=True)
    (other / "feedback" / "feedback.jsonl").write_bytes(judged.path.read_bytes())
    app = typer.Typer()
    app.command("feedback")(eval_feedback)
    result = CliRunner().invoke(app, [str(tmp_path / "set"), "--home", str(other)])
    assert isinstance(result.exception, LibraryError)
    assert not (tmp_path / "set").exists()
