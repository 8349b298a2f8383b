from __future__ import annotations

import json
import threading
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import FakeEmbedder, ScriptedModel
from pydantic import SecretStr

from eval.cases import Benchmark, BenchmarkDocument, Case
from eval.results import CaseResult
from eval.runner import ALIKE, Options, Progress, chosen, index_key, run
from eval.storage import RunFolder
from rag.errors import EndpointRefused, EndpointUnreachable, ModelError, SourceError
from rag.model import Told
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
    """Answers with the first passage it is shown, once it has raised the errors that are queued."""

    def pieces(
        self, messages: Sequence[Any], stop: threading.Event | None
    ) -> Generator[str, None, Told | None]:
        del stop
        self.asked.append(messages)
        if self.replies and isinstance(reply := self.replies.pop(0), Exception):
            raise reply
        said = str(messages[-1].content)
        first = said.split("[1]", 1)[1].split("\n", 1)[1].split("\n", 1)[0]
        yield f"{first.rstrip('。')}[1]。"
        return Told(self.usage)


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


def test_what_each_answer_took_is_recorded(tmp_path: Path, model: Echo) -> None:
    _, results = go(tmp_path, "one")
    by_id = {result.case.id: result for result in results}
    assert (by_id["q1"].tokens_read, by_id["q1"].tokens_written) == (300, 20)
    assert (by_id["q4"].tokens_read, by_id["q4"].tokens_written) == (None, None)  # refused without the model
    assert by_id["q1"].metrics["tokens_read"] == 300.0
    assert "tokens_read" not in by_id["q4"].metrics
    _, again = go(tmp_path, "two")
    assert {r.case.id: r.tokens_read for r in again}["q1"] == 300
    model.usage = None
    _, untold = go(tmp_path, "three", prompt_chars=500)
    assert {r.tokens_read for r in untold} == {None}


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://clerk:pass-word-1@host.example:8443/v1", "https://***@host.example:8443/v1"),
        (
            "https://pass-word-1@host.example/v1?api-key=pass-word-1",
            "https://***@host.example/v1?api-key=***",
        ),
        ("https://host.example/v1", "https://host.example/v1"),
        ("http://[::1/pass-word-1", "***"),
    ],
)
def test_no_record_of_a_run_holds_a_secret(tmp_path: Path, model: Echo, address: str, told: str) -> None:
    secret = SecretStr("sk-pass-word-1")
    info, _ = go(tmp_path, "one", chat_base_url=address, chat_api_key=secret, embedding_model="my-key-model")
    assert info.settings["chat_base_url"] == told
    assert info.settings["embedding_model"] == "my-key-model"
    assert info.settings["answer_tokens"] == 320
    for file in (*(tmp_path / "one").rglob("*"), *(tmp_path / "cache").rglob("*.json*")):
        assert file.is_dir() or b"pass-word-1" not in file.read_bytes(), file


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


def test_a_failed_case_is_kept_with_the_worst_values(tmp_path: Path, model: Echo) -> None:
    model.replies = [EndpointUnreachable("Nothing answers.", "Start it.")]
    _, results = go(tmp_path, "broken")
    failed = next(result for result in results if result.case.id == "q1")
    assert failed.error.startswith("Nothing answers.")
    assert failed.loss == "failed"
    assert failed.metrics["containment"] == 0.0
    assert sum(bool(result.error) for result in results) == 1


MANY = Benchmark(
    "鹿汀",
    "wenzheng",
    DOCUMENTS,
    tuple(replace(CASES[3 if i == 2 else i % 2], id=f"m{i}", type=str(i)) for i in range(12)),
)
"""Twelve cases; the third is refused before the model is asked."""


def go_on(tmp_path: Path, name: str, *, parallel: int = 1, **changes: Any) -> list[CaseResult]:
    """A run over `MANY`, each with an answer of its own."""
    cases = tuple(replace(case, question=f"{case.question}（{case.id}）") for case in MANY.cases)
    settings = Settings(home=tmp_path / "home", models=tmp_path / "models", **changes)
    options = Options(parallel=parallel)
    _, results = run(replace(MANY, cases=cases), options, settings, tmp_path / "cache", tmp_path / name)
    return results


@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize(
    "fault",
    [
        EndpointUnreachable("Nothing answers at host.example.", "Start it."),
        EndpointRefused("The endpoint answered with HTTP 401.", "Set chat_api_key."),
    ],
)
def test_a_model_that_is_out_of_order_ends_the_run_and_it_can_go_on(
    tmp_path: Path, model: Echo, fault: ModelError, parallel: int
) -> None:
    model.replies = [fault] * 100
    with pytest.raises(ModelError) as caught:
        go_on(tmp_path, "run", parallel=parallel)
    assert fault.what in caught.value.what
    assert fault.fix in caught.value.fix
    assert f"--output {tmp_path / 'run'}" in caught.value.fix
    assert len(model.asked) == ALIKE if parallel == 1 else len(model.asked) < 100
    assert [result for result in RunFolder(tmp_path / "run").results() if result.error] == []
    assert not RunFolder(tmp_path / "run").finished
    assert model.closed
    model.replies = []
    results = go_on(tmp_path, "run", parallel=parallel)
    assert len(results) == 12
    assert not any(result.error for result in results)
    assert RunFolder(tmp_path / "run").finished


def test_a_model_that_goes_away_in_the_middle_ends_the_run(tmp_path: Path, model: Echo) -> None:
    model.replies = ["", "", *[EndpointUnreachable("Nothing answers.", "Start it.")] * 5]
    with pytest.raises(ModelError, match="Nothing answers"):
        go_on(tmp_path, "run")
    kept = list(RunFolder(tmp_path / "run").results())
    assert [result.case.id for result in kept] == ["m0", "m1", "m2"]
    assert len(go_on(tmp_path, "run")) == 12


def test_failures_that_differ_or_stop_are_failed_cases(tmp_path: Path, model: Echo) -> None:
    away = EndpointUnreachable("Nothing answers.", "Start it.")
    unlike = [ModelError(f"Fault {i}.", "Wait.") for i in range(3)]
    model.replies = [*[away] * 4, *unlike, "", *[ModelError("Refused.", "Ask otherwise.")] * 3]
    results = go_on(tmp_path, "run")
    assert sorted(result.case.id for result in results) == sorted(case.id for case in MANY.cases)
    assert sum(bool(result.error) for result in results) == 10


def test_what_fails_after_an_answer_for_the_questions_sake_ends_nothing(tmp_path: Path, model: Echo) -> None:
    model.replies = ["", *[EndpointRefused("HTTP 400: this is not talked about.", "Ask otherwise.")] * 99]
    assert sum(bool(result.error) for result in go_on(tmp_path, "run")) == 10


def test_a_quota_used_up_in_mid_run_ends_it(tmp_path: Path, model: Echo) -> None:
    model.replies = ["", *[EndpointRefused("HTTP 429: no more for today.", "Wait.", 429)] * 99]
    with pytest.raises(ModelError, match="no more for today"):
        go_on(tmp_path, "run")
    assert not any(result.error for result in RunFolder(tmp_path / "run").results())


def test_a_few_cases_that_all_fail_are_a_run(tmp_path: Path, model: Echo) -> None:
    model.replies = [EndpointUnreachable("Nothing answers.", "Start it.")] * 3
    _, results = go(tmp_path, "run")
    assert [bool(result.error) for result in results].count(True) == 3


def test_passages_drawn_otherwise_are_another_run(tmp_path: Path, model: Echo) -> None:
    go(tmp_path, "one", Options(mode="closed"))
    other = replace(BENCHMARK, cases=tuple(replace(case, given=("d2",)) for case in CASES))
    settings = Settings(home=tmp_path / "home", models=tmp_path / "models")
    with pytest.raises(SourceError, match="another drawing of passages"):
        run(other, Options(mode="closed"), settings, tmp_path / "cache", tmp_path / "one")


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
