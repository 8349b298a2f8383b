from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import NOTICE, REPORT, ROOT, FakeEmbedder, ScriptedModel

from rag.errors import EndpointUnreachable
from ui import cli

QUESTION = "住建局要改造多少老旧小区？"
GOOD = "住建局将改造老旧小区28个[1]。"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "文件"
    folder.mkdir()
    (folder / "报道.txt").write_text(REPORT, encoding="utf-8")
    (folder / "通知.txt").write_text(NOTICE, encoding="gb18030")
    return folder


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ScriptedModel:
    scripted = ScriptedModel()
    monkeypatch.setattr("rag.pipeline.open_model", lambda settings: scripted)
    return scripted


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], model: ScriptedModel
) -> Run:
    """The command as a user calls it, with the models replaced: returns exit code, output and errors."""
    fake = FakeEmbedder()
    monkeypatch.setattr("rag.embedding.open_embedder", lambda settings, progress=None: fake)
    monkeypatch.setattr("rag.pipeline.open_embedder", lambda settings, progress=None: fake)
    monkeypatch.setenv("WENZHENG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WENZHENG_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["wenzheng", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


def test_ingest_tells_what_became_of_each_file(run: Run, documents: Path) -> None:
    (documents / "空.txt").write_bytes(b"")
    code, out, _ = run("ingest", str(documents))
    assert code == 0
    assert re.search(r"added +2\nfailed +1\n", out)
    assert "空.txt is empty" in out
    code, out, _ = run("ingest", str(documents), "--json")
    record = json.loads(out)
    assert {file["status"] for file in record["files"]} == {"unchanged", "failed"}
    assert (record["summary"]["unchanged"], record["summary"]["failed"]) == (2, 1)


def test_the_report_is_written_to_a_file_and_told_in_chinese(
    run: Run, documents: Path, tmp_path: Path
) -> None:
    (documents / "空 【二】😀.txt").write_bytes(b"")
    target = tmp_path / "report.json"
    code, out, _ = run("ingest", str(documents), "--report", str(target), "--set", "language=zh")
    assert code == 0
    assert "“空 【二】😀.txt”是空文件" in out
    assert re.search(r"新增 +2\n失败 +1\n", out)
    assert json.loads(target.read_text(encoding="utf-8"))["summary"]["added"] == 2
    code, _, err = run("ingest", str(documents), "--report", str(tmp_path / "none" / "r.json"))
    assert code == 1
    assert "cannot be written" in err


def test_documents_are_listed_had_back_and_deleted(
    run: Run, documents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (documents / "通知 副本.txt").write_bytes((documents / "通知.txt").read_bytes())
    run("ingest", str(documents))
    code, out, _ = run("documents", "list")
    assert code == 0
    assert "报道.txt" in out
    rows = json.loads(run("documents", "list", "--json")[1])
    assert sorted(len(row["copies"]) for row in rows) == [0, 1]
    target = tmp_path / "原件.txt"
    name, copy = next((Path(row["path"]).name, Path(row["copies"][0]).name) for row in rows if row["copies"])
    assert run("documents", "original", copy, "-o", str(tmp_path / "copy.txt"))[0] == 0
    assert (tmp_path / "copy.txt").read_bytes() == (documents / copy).read_bytes()
    assert run("documents", "original", name, "-o", str(target))[0] == 0
    assert target.read_bytes() == (documents / "通知.txt").read_bytes()
    code, _, err = run("documents", "original", name, "-o", str(target))
    assert (code, "is there already" in err) == (1, True)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run("documents", "delete", name)[0] == 1
    assert len(json.loads(run("documents", "list", "--json")[1])) == 2
    assert run("documents", "delete", name, "--yes")[0] == 0
    assert len(json.loads(run("documents", "list", "--json")[1])) == 1
    code, _, err = run("documents", "delete", "没有.txt", "--yes")
    assert (code, "holds no document" in err) == (1, True)
    code, out, _ = run("vacuum")
    assert (code, "given back" in out) == (0, True)


def test_ask_prints_the_answer_and_the_cited_sentence(
    run: Run, documents: Path, model: ScriptedModel
) -> None:
    run("ingest", str(documents))
    model.replies.append(GOOD)
    code, out, _ = run("ask", QUESTION)
    assert code == 0
    assert "住建局将改造老旧小区28个[1]。" in out
    assert "田禾表示" in out
    assert "报道.txt" in out


def test_ask_as_json_prints_the_whole_answer(run: Run, documents: Path, model: ScriptedModel) -> None:
    run("ingest", str(documents))
    model.replies.append(GOOD)
    code, out, _ = run("ask", QUESTION, "--json")
    answer: dict[str, Any] = json.loads(out)
    assert (code, answer["outcome"], answer["question"]) == (0, "answered", QUESTION)
    citation = answer["citations"][0]
    assert {"number", "document_id", "title", "source", "start", "end", "quote"} <= set(citation)


def test_a_refusal_ends_with_3_and_shows_the_nearest_passages(run: Run, documents: Path) -> None:
    run("ingest", str(documents))
    code, out, _ = run("ask", "卫健委承诺了什么？")
    assert code == 3
    assert "卫健委" in out
    assert "相近段落" in out
    code, out, _ = run("ask", "卫健委承诺了什么？", "--json")
    assert (code, json.loads(out)["outcome"]) == (3, "refused")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("ask", ""), 1, "The question is empty"),
        (("ask", "？？"), 1, "The question is empty"),
        (("ask", "问" * 50_000), 1, "50,000 characters"),
        (("ask", QUESTION), 1, "There is no library"),
        (("ingest", "/nowhere/文件"), 1, "does not exist"),
        (("ask", QUESTION, "--set", "passages"), 2, "KEY=VALUE"),
        (("ask", QUESTION, "--set", "pasages=3"), 1, "Did you mean passages"),
        (("ask",), 2, "Missing argument"),
        (("frobnicate",), 2, "No such command"),
        (("models", "path", "nothing"), 1, "nothing"),
        (("models", "path", "small"), 1, "wenzheng models pull"),
    ],
)
def test_every_bad_input_ends_in_a_message_and_a_code(
    run: Run, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended, out, err = run(*arguments)
    assert ended == code
    assert said in err
    assert "Traceback" not in out + err


def test_a_named_file_that_cannot_be_taken_in_is_an_error(run: Run, documents: Path) -> None:
    picture = documents / "图.txt"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    code, out, _ = run("ingest", str(picture))
    assert code == 1
    assert "is a PNG image" in out


def test_an_error_of_the_endpoint_is_told_and_nothing_is_answered(
    run: Run, documents: Path, model: ScriptedModel
) -> None:
    run("ingest", str(documents))
    model.replies.append(EndpointUnreachable("Nothing answers at http://x.", "Start it."))
    code, out, err = run("ask", QUESTION)
    assert code == 1
    assert "Nothing answers at http://x." in err
    assert "28" not in out


def test_models_are_listed_with_licence_and_size(run: Run) -> None:
    code, out, _ = run("models", "list", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0
    assert rows["e5-small"]["licence"] == "MIT"
    assert {row["state"] for row in rows.values()} == {"missing"}


def test_doctor_names_each_fault_with_its_fix(run: Run) -> None:
    code, out, _ = run("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(out)}
    assert code == 1
    assert checks["Python"]["ok"]
    assert "wenzheng models pull" in checks["model e5-small"]["fix"]
    assert "wenzheng ingest" in checks["library"]["fix"]
    assert checks["scanned pages"]["finding"] == "read with rapidocr"
    assert checks["doc, xls, ppt, wps"]["ok"]
    switched_off = json.loads(run("doctor", "--json", "--set", "ocr=false")[1])
    assert any("the setting ocr is off" in check["finding"] for check in switched_off)


def test_rebuild_takes_new_settings(run: Run, documents: Path) -> None:
    run("ingest", str(documents))
    code, _, err = run("ingest", str(documents), "--set", "chunk_chars=80")
    assert code == 1
    assert "wenzheng rebuild" in err
    code, out, _ = run("rebuild", "--set", "chunk_chars=80")
    assert (code, "2 documents" in out) == (0, True)
    assert run("ingest", str(documents), "--set", "chunk_chars=80")[0] == 0


def test_the_version_is_told(run: Run) -> None:
    code, out, _ = run("--version")
    assert code == 0
    assert out.startswith("wenzheng 0.")


@pytest.fixture
def command() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "ui.cli", *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_help_answers_from_a_real_process(command: Callable[..., subprocess.Popen[str]]) -> None:
    out, _ = command("--help").communicate(timeout=30)
    assert "ingest" in out


@pytest.mark.model
def test_interrupting_an_ingest_keeps_what_is_in(
    command: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(400):
        (folder / f"{n:03}.txt").write_text(f"第{n}号文件说的是改造老旧小区{n}个。" * 30, encoding="utf-8")
    home = str(tmp_path / "home")
    process = command("ingest", str(folder), WENZHENG_HOME=home)
    catalog = tmp_path / "home" / "catalog.sqlite3"
    deadline = time.monotonic() + 120
    while not catalog.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(4)
    process.send_signal(2)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "what was done so far is kept" in err
    assert "Traceback" not in err


def test_ask_restricts_and_says_so(run: Run, documents: Path, model: ScriptedModel) -> None:
    run("ingest", str(documents))
    model.replies.append(GOOD)
    code, out, _ = run("ask", QUESTION, "--body", "住建局", "--since", "2025", "--until", "2025-12")
    assert code == 0
    assert "筛选：住建局2025年至2025年12月的文件" in out
    code, out, _ = run("ask", QUESTION, "--since", "2027")
    assert code == 3
    assert "2027年以来的文件" in out
    assert "1份" in out
    code, out, _ = run("ask", QUESTION, "--speaker", "王强", "--json")
    assert code == 3
    assert '"speaker": "王强"' in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--since", "昨天"), "2024-03-15"),
        (("--until", "2024-13"), "2024-13"),
        (("--body", "住建厅"), "住建局"),
        (("--since", "2025", "--until", "2024"), "after"),
    ],
)
def test_what_is_no_filter_ends_with_a_clear_error(run: Run, arguments: tuple[str, ...], words: str) -> None:
    code, _, err = run("ask", QUESTION, *arguments)
    assert code == 1
    assert words in err
