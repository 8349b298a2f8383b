from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import typer
from conftest import ScriptedModel
from typer.testing import CliRunner, Result

from eval.cases import Case
from eval.judging import load_labelled, prompts
from eval.results import CaseResult, Judgement, Retrieved, RunInfo
from eval.storage import RunFolder
from rag.errors import SettingsError, SourceNotFound
from rag.model import HostedChatModel
from rag.settings import Settings
from ui.judge_command import eval_judge, open_judge

INFO = RunInfo(
    id="r1", benchmark="砚湖", form="wenzheng", mode="open", only_retrieval=False, documents=1, chunks=1, cases=2,
    cases_of=2, seed=0, split="", settings={}, model="m", embedding="e", commit="", date="2026-01-02", machine="x",
)  # fmt: skip


class Agreeable(ScriptedModel):
    """Says yes to everything."""

    name = "agreeable"

    def stream(self, messages: Sequence[Any], **_: Any) -> Iterator[str]:
        self.asked.append(messages)
        yield "Yes"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = RunFolder(tmp_path / "run")
    store.start(INFO)
    for name in ("a", "b"):
        passages = (Retrieved(1, "d", "", "改造36个。", 0, 6, 1.0),)
        case = Case(name, "问？", answers=("36个",))
        store.append(CaseResult(case, passages, (1,), "36个。", "answered"))
    store.finish(INFO)
    return tmp_path / "run"


def call(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(eval_judge)
    return CliRunner().invoke(app, arguments, catch_exceptions=True)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Agreeable:
    found = Agreeable()
    monkeypatch.setattr("ui.judge_command.open_judge", lambda *_: found)
    monkeypatch.setenv("WENZHENG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("COLUMNS", "200")
    return found


def test_judging_says_the_agreement_beside_the_figures(folder: Path, model: Agreeable) -> None:
    done = call(str(folder), "--base-url", "http://localhost:1/v1", "--model", "agreeable")
    assert done.exit_code == 0, done.output
    assert "judge_faithful" in done.output
    # Yes to everything is no better than chance, and told so.
    assert "Judge agreeable: κ 0.000 [0.000, 0.000]" in done.output
    assert "2 judged now, 0 before, 0 not yet." in done.output
    assert model.closed
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "## Judge model" in report
    assert "its agreement cannot be told from chance" in report
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert 'id="judge"' in page
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["run"]["judge"]["model"] == "agreeable"
    assert summary["metrics"]["judge_correct"]["value"] == 1.0


def test_judging_again_keeps_the_verdicts_and_the_agreement(folder: Path, model: Agreeable) -> None:
    first = call(str(folder), "--limit", "1", "--json")
    assert first.exit_code == 0, first.output
    asked = len(model.asked)
    done = call(str(folder))
    assert "1 judged now, 1 before, 0 not yet." in done.output
    assert len(model.asked) == asked + 2


def test_a_folder_without_a_run_is_told_before_a_model_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WENZHENG_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("ui.judge_command.open_judge", lambda *_: pytest.fail("opened"))
    assert isinstance(call(str(tmp_path)).exception, SourceNotFound)


def test_a_name_without_an_address_is_a_model_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Settings] = []
    monkeypatch.setattr("rag.model.open_model", opened.append)
    elsewhere = Settings(chat_model="big", chat_base_url="http://localhost:1/v1")
    for name in ("default", "small"):
        open_judge(elsewhere, name, None, None)
    assert [(used.chat_model, used.chat_base_url) for used in opened] == [("default", None), ("small", None)]
    with pytest.raises(SettingsError, match="big"):
        open_judge(elsewhere, "big", None, None)


def test_the_key_comes_from_the_named_variable_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "k")
    monkeypatch.delenv("NO_KEY", raising=False)
    opened: list[tuple[str, str, str | None]] = []

    class Recorded(HostedChatModel):
        def __init__(self, name: str, base_url: str, api_key: str | None, *, timeout: float) -> None:
            opened.append((name, base_url, api_key))

    monkeypatch.setattr("rag.model.HostedChatModel", Recorded)
    url = "http://localhost:1/v1"
    settings = Settings(chat_api_key="meant for another")  # type: ignore[arg-type]
    open_judge(settings, "big", url, "JUDGE_KEY")
    open_judge(settings, "big", url, None)
    assert opened == [("big", url, "k"), ("big", url, None)]
    with pytest.raises(SettingsError, match="NO_KEY"):
        open_judge(settings, "big", url, "NO_KEY")
    with pytest.raises(SettingsError, match="address"):
        open_judge(settings, "default", None, "JUDGE_KEY")


class Endpoint(BaseHTTPRequestHandler):
    """An OpenAI-compatible judge that is cut off after its verdict, as by a limit on the reply."""

    asked: ClassVar[list[tuple[str | None, dict[str, Any]]]] = []

    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.headers["Authorization"], body))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for delta, reason in (
            ({"role": "assistant", "content": "否，"}, None),
            ({"content": "因"}, "length"),
        ):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            chunk = {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "j",
                "choices": [choice],
            }
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")


def test_a_judge_behind_an_address_is_asked_with_its_key(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WENZHENG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUDGE_KEY", "geheim-77")
    monkeypatch.setattr("eval.judging.load_labelled", lambda: load_labelled()[:3])
    Endpoint.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        done = call(str(folder), "--model", "j", "--base-url", url, "--api-key-env", "JUDGE_KEY")
        server.shutdown()
    assert done.exit_code == 0, done.output
    assert "2 judged now" in done.output
    assert len(Endpoint.asked) == 3 * 2 + 2 * 2
    assert {key for key, _ in Endpoint.asked} == {"Bearer geheim-77"}
    assert {(body["model"], body["temperature"]) for _, body in Endpoint.asked} == {("j", 0)}
    assert [result.judgement for result in RunFolder(folder).results()] == [
        Judgement("no", "no", "j", prompts.VERSION)
    ] * 2
    for path in (*folder.iterdir(), tmp_path / "home" / "eval" / "judges.json"):
        assert "geheim" not in path.read_text(encoding="utf-8")
