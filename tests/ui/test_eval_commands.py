from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import FakeEmbedder

from ui import cli

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    fake = FakeEmbedder()
    monkeypatch.setattr("eval.runner.open_embedder", lambda settings: fake)
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


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    folder = tmp_path / "鹿汀"
    folder.mkdir()
    documents = [
        {"id": "d1", "title": "住建", "text": "区住建局将改造老旧小区28个。", "lang": "zh-Hans"},
        {"id": "d2", "title": "文旅", "text": "区文旅局将打造湖畔音乐节品牌。", "lang": "zh-Hans"},
    ]
    cases = [
        {"id": "q1", "question": "改造多少老旧小区？", "answers": ["28个"], "gold": ["d1"]},
        {"id": "q2", "question": "打造什么品牌？", "answers": ["湖畔音乐节"], "gold": ["d2"]},
    ]
    shared = {"answerable": True, "history": [], "lang": "zh-Hans", "split": "dev", "type": "fact"}
    write = "\n".join(json.dumps(d, ensure_ascii=False) for d in documents)
    (folder / "corpus.jsonl").write_text(write, encoding="utf-8")
    write = "\n".join(json.dumps(c | shared, ensure_ascii=False) for c in cases)
    (folder / "queries.jsonl").write_text(write, encoding="utf-8")
    return folder


def test_a_run_prints_its_metrics_and_leaves_its_reports(run: Run, benchmark: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    code, out, _ = run("eval", str(benchmark), "--only", "retrieval", "-o", str(folder))
    assert code == 0
    assert "鹿汀, open, 2 documents, 2 of 2 cases" in out
    assert "recall@1" in out
    assert {"run.json", "cases.jsonl", "report.md", "report.html", "summary.json"} <= {
        path.name for path in folder.iterdir()
    }
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "改造多少老旧小区" in page
    assert "http-equiv" in page
    code, out, _ = run("eval", str(benchmark), "--only", "retrieval", "-o", str(folder), "--json")
    record = json.loads(out)
    assert record["metrics"]["recall@1"] == {"value": 1.0, "n": 2, "low": 1.0, "high": 1.0}
    assert record["run"]["documents"] == 2


def test_a_name_is_looked_up_and_what_there_is_is_told(run: Run, benchmark: Path) -> None:
    code, _, err = run("eval", "没有这个", "--benchmarks", str(benchmark.parent), "--only", "retrieval")
    assert code == 1
    assert "鹿汀" in err
    code, out, _ = run(
        "eval", "鹿汀", "--benchmarks", str(benchmark.parent), "--only", "retrieval", "--limit", "1"
    )
    assert (code, "1 of 2 cases" in out) == (0, True)


def test_two_runs_are_compared_and_one_is_gated(run: Run, benchmark: Path, tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    run("eval", str(benchmark), "--only", "retrieval", "-o", str(a))
    run("eval", str(benchmark), "--only", "retrieval", "-o", str(b), "--set", "candidates=7")
    code, out, _ = run("eval", "compare", str(a), str(b))
    assert code == 0
    assert "| candidates | 50 | 7 |" in out
    page = tmp_path / "compared.html"
    assert run("eval", "compare", str(a), str(b), "-o", str(page), "--language", "zh")[0] == 0
    assert "candidates" in page.read_text(encoding="utf-8")
    assert run("eval", "gate", str(a), "--min", "recall@1=0.9")[0] == 0
    code, out, _ = run("eval", "gate", str(a), "--max", "recall@1=0.5")
    assert (code, "MISSED" in out) == (1, True)
    code, _, err = run("eval", "gate", str(a), "--min", "recal@1=0.9")
    assert (code, "recall@1" in err) == (1, True)
    assert run("eval", "gate", str(a))[0] == 1
    assert run("eval", "report", str(a), "--language", "zh")[0] == 0


def test_correct_passages_stand_beside_falsified_ones(run: Run, tmp_path: Path) -> None:
    """RGB's counterfactual part: shares of noise and of right passages, the rest falsified."""
    path = tmp_path / "rgb.jsonl"
    record = {
        "id": 1,
        "query": "改造多少老旧小区？",
        "answer": "28个",
        "fakeanswer": "82个",
        "positive": [f"报道{i}：区住建局将改造老旧小区28个。" for i in range(5)],
        "positive_wrong": [f"报道{i}：区住建局将改造老旧小区82个。" for i in range(5)],
        "negative": [f"报道{i}：区文旅局将打造湖畔音乐节品牌。" for i in range(5)],
    }
    path.write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
    for share, drawn in (("0.4", (1, 2, 2)), ("0", (1, 0, 4))):
        folder = tmp_path / f"run{share}"
        options = ("--closed", "--only", "retrieval", "--noise", "0.2", "--correct", share)
        code, _, err = run("eval", str(path), *options, "-o", str(folder))
        assert (code, err) == (0, err)
        (line,) = (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()
        given = [id_.split(":")[1] for id_ in json.loads(line)["case"]["given"]]
        assert tuple(map(given.count, ("negative", "positive", "positive_wrong"))) == drawn
    code, _, err = run("eval", str(path), "--noise", "0.8", "--correct", "0.4", "--only", "retrieval")
    assert (code, "no more than 1 together" in err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("eval", "samples", "--only", "answers"), 2, "retrieval"),
        (("eval", "gate", "/nowhere", "--min", "recall@1=1"), 1, "holds no run"),
        (("eval", "compare", "/nowhere", "/nowhere"), 1, "holds no run"),
        (("eval", "samples", "--noise", "0.4", "--only", "retrieval"), 1, "noise"),
        (("eval", "samples", "--correct", "0.4", "--only", "retrieval"), 1, "RGB"),
        (("eval", "samples", "--correct", "1.4", "--only", "retrieval"), 2, "correct"),
    ],
)
def test_bad_input_ends_in_a_message(run: Run, arguments: tuple[str, ...], code: int, said: str) -> None:
    ended, out, err = run(*arguments)
    assert ended == code
    assert said in err
    assert "Traceback" not in out + err


def test_a_folder_that_holds_another_run_is_left_alone(run: Run, benchmark: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run("eval", str(benchmark), "--only", "retrieval", "-o", str(folder))
    before = (folder / "cases.jsonl").read_bytes()
    code, _, err = run(
        "eval", str(benchmark), "--only", "retrieval", "-o", str(folder), "--set", "candidates=9"
    )
    assert (code, "another settings" in err) == (1, True)
    assert (folder / "cases.jsonl").read_bytes() == before
