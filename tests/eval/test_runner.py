from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import FakeEmbedder, ScriptedModel

from eval.cases import Benchmark, BenchmarkDocument, Case
from eval.runner import Options, Progress, chosen, index_key, run
from eval.storage import RunFolder
from rag.errors import EndpointUnreachable
from rag.settings import Settings

DOCUMENTS = (
    BenchmarkDocument("d1", "区住建局局长田禾表示，将改造老旧小区28个，惠及居民1.2万户。", "住建报道"),
    BenchmarkDocument(
        "d2", "区文旅局局长白露表示，将打造湖畔音乐节品牌，全年接待游客300万人次。", "文旅报道"
    ),
    BenchmarkDocument("d3", "区水务局局长祝海表示，将整治河道12条，新建泵站3座。", "水务报道"),
    BenchmarkDocument("空", "\u200b", ""),
)
CASES = (
    Case(
        "q1",
        "住建局要改造多少老旧小区？",
        ("28个",),
        gold=("d1",),
        given=("d1",),
        lang="zh-Hans",
        type="fact",
    ),
    Case(
        "q2",
        "文旅局要打造什么品牌？",
        ("湖畔音乐节",),
        gold=("d2",),
        given=("d2",),
        lang="zh-Hans",
        type="fact",
    ),
    Case(
        "q3", "水务局要整治多少条河道？", ("12条",), gold=("d3",), given=("d1",), lang="zh-Hans", type="hard"
    ),
    Case(
        "q4", "教育局要新建几所小学？", answerable=False, given=("d1",), lang="zh-Hans", type="unanswerable"
    ),
)
BENCHMARK = Benchmark("鹿汀", "wenzheng", DOCUMENTS, CASES, closed_possible=True)


class Echo(ScriptedModel):
    """Answers with the first passage it is shown."""

    def stream(self, messages: Sequence[Any], **_: Any) -> Iterator[str]:
        self.asked.append(messages)
        said = str(messages[-1].content)
        first = said.split("[1]", 1)[1].split("\n", 1)[1].split("\n", 1)[0]
        yield f"{first.rstrip('。')}[1]。"


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Echo:
    echo = Echo()
    fake = FakeEmbedder()
    monkeypatch.setattr("eval.runner.open_model", lambda settings: echo)
    monkeypatch.setattr("eval.runner.open_embedder", lambda settings: fake)
    return echo


def go(tmp_path: Path, name: str, options: Options = Options(), **changes: Any) -> Any:  # noqa: B008
    settings = Settings(home=tmp_path / "home", models=tmp_path / "models", **changes)
    return run(BENCHMARK, options, settings, tmp_path / "cache", tmp_path / name)


def test_every_case_has_a_record_with_its_metrics(tmp_path: Path, model: Echo) -> None:
    info, results = go(tmp_path, "one")
    by_id = {result.case.id: result for result in results}
    assert set(by_id) == {"q1", "q2", "q3", "q4"}
    assert by_id["q1"].outcome == "answered"
    assert by_id["q1"].passages[0].document == "d1"
    assert by_id["q1"].metrics["containment"] == 1.0
    assert by_id["q1"].loss == "none"
    assert by_id["q1"].shown == (1,)
    assert by_id["q4"].outcome == "refused"
    assert (info.documents, info.cases, info.mode, info.form) == (3, 4, "open", "wenzheng")
    assert info.settings["chunk_chars"] == 260
    assert "chat_api_key" not in info.settings
    assert model.closed


def test_a_second_run_encodes_nothing_and_asks_the_model_nothing(tmp_path: Path, model: Echo) -> None:
    _, first = go(tmp_path, "one")
    asked = len(model.asked)
    _, second = go(tmp_path, "two")
    assert len(model.asked) == asked
    assert [r.text for r in first] == [r.text for r in second]
    go(tmp_path, "three", prompt_chars=500)
    assert len(model.asked) > asked  # another setting, other answers


def test_a_run_that_was_cut_off_goes_on(tmp_path: Path, model: Echo) -> None:
    go(tmp_path, "one")
    cases = tmp_path / "one" / "cases.jsonl"
    lines = cases.read_bytes().splitlines(keepends=True)
    cases.write_bytes(b"".join(lines[:2]) + lines[2][:40])
    _, results = go(tmp_path, "one")
    assert sorted(result.case.id for result in results) == ["q1", "q2", "q3", "q4"]
    assert sorted(result.case.id for result in RunFolder(tmp_path / "one").results()) == [
        "q1",
        "q2",
        "q3",
        "q4",
    ]


def test_a_closed_run_asks_the_given_documents_alone(tmp_path: Path, model: Echo) -> None:
    info, results = go(tmp_path, "closed", Options(mode="closed"))
    assert info.mode == "closed"
    for result in results:
        assert {passage.document for passage in result.passages} <= set(result.case.given)
    lost = next(result for result in results if result.case.id == "q3")
    assert lost.loss == "not_retrieved"


def test_retrieval_alone_needs_no_model(tmp_path: Path, model: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(settings: Settings) -> None:
        raise AssertionError("the model was opened")

    monkeypatch.setattr("eval.runner.open_model", never)
    info, results = go(tmp_path, "retrieval", Options(only_retrieval=True))
    assert info.only_retrieval
    assert {r.outcome for r in results} == {""}
    assert next(r for r in results if r.case.id == "q1").metrics["recall@1"] == 1.0
    assert "containment" not in results[0].metrics


def test_a_failed_case_is_kept_with_the_worst_values(
    tmp_path: Path, model: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Iterator[str]:
        raise EndpointUnreachable("Nothing answers.", "Start it.")
        yield ""

    monkeypatch.setattr(model, "stream", broken)
    _, results = go(tmp_path, "broken")
    failed = next(result for result in results if result.case.id == "q1")
    assert failed.error.startswith("Nothing answers.")
    assert failed.loss == "failed"
    assert failed.metrics["containment"] == 0.0
    monkeypatch.undo()


def test_drawing_is_by_seed_and_keeps_the_order() -> None:
    some = chosen(CASES, Options(limit=2, seed=3))
    assert some == chosen(CASES, Options(limit=2, seed=3))
    assert [case.id for case in some] == sorted(case.id for case in some)
    assert len({tuple(c.id for c in chosen(CASES, Options(limit=2, seed=s))) for s in range(9)}) > 1
    assert chosen(CASES, Options(limit=99)) == list(CASES)
    assert chosen(CASES, Options(split="dev")) == []


def test_an_index_is_named_by_its_content_and_settings() -> None:
    fake, settings = FakeEmbedder(), Settings()
    key = index_key(BENCHMARK, settings, fake)
    assert key == index_key(BENCHMARK, settings.model_copy(update={"passages": 9}), fake)
    assert key != index_key(BENCHMARK, settings.model_copy(update={"chunk_chars": 99}), fake)
    assert key != index_key(BENCHMARK, settings, FakeEmbedder("other"))
    other = Benchmark("鹿汀", "wenzheng", DOCUMENTS[:2], CASES)
    assert key != index_key(other, settings, fake)


def test_progress_is_told(tmp_path: Path, model: Echo) -> None:
    told: list[Progress] = []
    settings = Settings(home=tmp_path / "home", models=tmp_path / "models")
    run(BENCHMARK, Options(parallel=3), settings, tmp_path / "cache", tmp_path / "r", told.append)
    assert told[0].phase == "indexing"
    assert (told[-1].phase, told[-1].done, told[-1].total) == ("asking", 4, 4)
    assert json.loads((tmp_path / "r" / "run.json").read_text(encoding="utf-8"))["version"] == 1
