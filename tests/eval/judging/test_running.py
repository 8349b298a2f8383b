from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ScriptedModel

from eval.cases import Case
from eval.judging import LabelledItem, judge_run, prompts
from eval.judging.running import JUDGEMENTS_FILE, Judging
from eval.metrics import score
from eval.results import CaseResult, Judgement, Retrieved, RunInfo
from eval.runner import Progress
from eval.storage import CASES_FILE, RunFolder, load_run
from rag.errors import EndpointRefused, EndpointUnreachable, SettingsError, SourceNotFound

INFO = RunInfo(
    id="r1", benchmark="砚湖", form="wenzheng", mode="open", only_retrieval=False, documents=1, chunks=1, cases=4,
    cases_of=4, seed=0, split="", settings={}, model="m", embedding="e", commit="", date="2026-01-02", machine="x",
)  # fmt: skip
LABELS = (
    LabelledItem("1", "zh-Hans", "right", "问？", ("改造36个。",), "36个。", ("36个",), "yes", "yes"),
    LabelledItem("2", "zh-Hans", "number", "问？", ("改造36个。",), "63个。", ("36个",), "no", "no"),
)


class Judge(ScriptedModel):
    """Says yes to everything but answers with "63"; fails on cases that name "停"."""

    def __init__(self, name: str = "judge", *, fails: int = 10**9) -> None:
        super().__init__()
        self.name = name
        self.fails = fails
        self.lock = threading.Lock()

    def stream(
        self, messages: Sequence[Any], *, max_tokens: int, stop: threading.Event | None = None
    ) -> Iterator[str]:
        user = str(messages[1].content)
        with self.lock:
            self.asked.append(messages)
            if len(self.asked) > self.fails:
                raise EndpointUnreachable("The judge is gone.")
        if "停" in user:
            raise EndpointRefused("Too long.")
        yield "否" if "63" in user else "是"


def result(name: str, text: str = "改造36个。", **changes: Any) -> CaseResult:
    made = CaseResult(
        Case(name, f"问{name}？", answers=("36个",)),
        (Retrieved(1, "d", "", "改造36个。", 0, 6, 1.0),),
        (1,),
        text,
        "answered",
    )
    made = replace(made, **changes)
    return replace(made, metrics=score(made))


RESULTS = (
    result("a"),
    result("b", "改造63个。"),
    result("c", "", outcome="refused"),
    result("d", "", outcome="", error="timeout"),
)


def stored(folder: Path, *results: CaseResult, info: RunInfo = INFO) -> Path:
    store = RunFolder(folder)
    store.start(info)
    for each in results or RESULTS:
        store.append(each)
    store.finish(info)
    return folder


def verdicts(judging: Judging) -> dict[str, tuple[str | None, str | None] | None]:
    return {
        r.case.id: (r.judgement.faithful, r.judgement.correct) if r.judgement else None
        for r in judging.results
    }


def test_verdicts_and_agreement_are_recorded_with_the_run(tmp_path: Path) -> None:
    folder = stored(tmp_path / "run")
    told: list[Progress] = []
    judging = judge_run(folder, Judge(), LABELS, tell=told.append)
    assert verdicts(judging) == {"a": ("yes", "yes"), "b": ("no", "no"), "c": (None, None), "d": ("no", "no")}
    assert (judging.judged, judging.kept, judging.left, judging.failed) == (4, 0, 0, ())
    info, results = load_run(folder)
    assert RunFolder(folder).finished
    assert list(results) == list(judging.results)
    assert info.judge is not None
    assert info.judge.faithful is not None
    assert (info.judge.model, info.judge.faithful.kappa, info.judge.faithful.n) == ("judge", 1.0, 2)
    metrics = {r.case.id: r.metrics for r in results}
    assert (metrics["a"]["judge_faithful"], metrics["b"]["judge_correct"]) == (1.0, 0.0)
    assert "judge_faithful" not in metrics["c"]
    assert metrics["d"]["judge_faithful"] == 0.0
    assert metrics["a"]["containment"] == RESULTS[0].metrics["containment"]
    assert {step.phase for step in told} == {"measuring the judge", "judging"}
    assert told[-1] == Progress("judging", 4, 4)
    assert not (folder / JUDGEMENTS_FILE).exists()


def test_the_same_judge_is_asked_nothing_twice_and_goes_on_after_a_limit(tmp_path: Path) -> None:
    folder, cache = stored(tmp_path / "run"), tmp_path / "judges.json"
    first = judge_run(folder, Judge(), LABELS, cache=cache, limit=1)
    assert (first.judged, first.kept, first.left) == (1, 0, 3)
    model = Judge()
    second = judge_run(folder, model, LABELS, cache=cache)
    assert (second.judged, second.kept, second.left) == (3, 1, 0)
    assert len(model.asked) == 2  # both questions of b; neither the labels nor a again
    assert judge_run(folder, Judge(fails=0), LABELS, cache=cache).kept == 4


@pytest.mark.parametrize("other", ["model", "prompts"])
def test_verdicts_of_another_judge_are_not_mixed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    folder = stored(tmp_path / "run")
    judge_run(folder, Judge(), LABELS)
    if other == "prompts":
        monkeypatch.setattr(prompts, "VERSION", prompts.VERSION + 1)
    judging = judge_run(folder, Judge("judge" if other == "prompts" else "second"), LABELS, limit=1)
    assert (judging.judged, judging.kept, judging.left) == (1, 0, 3)
    assert [r.judgement is not None for r in judging.results] == [True, False, False, False]
    assert "judge_correct" not in judging.results[1].metrics


def test_what_was_judged_before_the_judge_fell_silent_is_kept(tmp_path: Path) -> None:
    folder = stored(tmp_path / "run", *(result(str(n)) for n in range(9)))
    with pytest.raises(EndpointUnreachable):
        judge_run(folder, Judge(fails=4 + 2 * 4), LABELS)
    _, results = load_run(folder)
    assert sum(r.judgement is not None for r in results) == 4
    assert judge_run(folder, Judge(), LABELS).kept == 4


def test_a_judge_that_says_nothing_leaves_another_ones_verdicts(tmp_path: Path) -> None:
    folder, cache = stored(tmp_path / "run"), tmp_path / "judges.json"
    judge_run(folder, Judge("second"), LABELS, cache=cache, limit=1)
    judge_run(folder, Judge("first"), LABELS)
    before = (folder / CASES_FILE).read_bytes()
    with pytest.raises(EndpointUnreachable):
        judge_run(folder, Judge("second", fails=0), LABELS, cache=cache, limit=1)
    assert (folder / CASES_FILE).read_bytes() == before


def test_a_case_that_the_judge_refuses_does_not_hold_up_the_others(tmp_path: Path) -> None:
    folder = stored(tmp_path / "run", result("a"), result("停"), result("b"))
    judging = judge_run(folder, Judge(), LABELS)
    assert verdicts(judging) == {"a": ("yes", "yes"), "停": None, "b": ("yes", "yes")}
    assert judging.failed == (("停", "Too long."),)
    assert (judging.judged, judging.left) == (2, 1)


def test_a_judging_that_was_killed_goes_on_from_its_verdicts(tmp_path: Path) -> None:
    folder = stored(tmp_path / "run")
    line = {
        "id": "a",
        "judgement": {"faithful": "unclear", "correct": "no", "model": "judge", "prompts": prompts.VERSION},
    }
    text = json.dumps(line) + "\n" + json.dumps(line | {"id": "b"})[:40]
    (folder / JUDGEMENTS_FILE).write_text(text, encoding="utf-8")
    judging = judge_run(folder, Judge(), LABELS)
    assert judging.kept == 1
    assert verdicts(judging)["a"] == ("unclear", "no")
    assert verdicts(judging)["b"] == ("no", "no")


def test_several_at_once_come_to_the_same(tmp_path: Path) -> None:
    results = [result(str(n), "改造63个。" if n % 3 else "改造36个。") for n in range(12)]
    one = judge_run(stored(tmp_path / "one", *results), Judge(), LABELS)
    four = judge_run(stored(tmp_path / "four", *results), Judge(), LABELS, workers=4)
    assert one == four


def test_a_run_of_retrieval_alone_and_no_run_are_told(tmp_path: Path) -> None:
    folder = stored(tmp_path / "run", info=replace(INFO, only_retrieval=True))
    with pytest.raises(SettingsError, match="retrieval alone"):
        judge_run(folder, Judge(), LABELS)
    with pytest.raises(SourceNotFound):
        judge_run(tmp_path / "nothing", Judge(), LABELS)


def test_a_run_from_before_there_were_judges_loads(tmp_path: Path) -> None:
    folder = stored(tmp_path / "run")
    records = [json.loads(line) for line in (folder / CASES_FILE).read_text(encoding="utf-8").splitlines()]
    for record in records:
        del record["judgement"]
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (folder / CASES_FILE).write_text(lines, encoding="utf-8")
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    del run["info"]["judge"]
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    info, results = load_run(folder)
    assert info.judge is None
    assert list(results) == list(RESULTS)


def test_a_judgement_is_read_as_it_was_written(tmp_path: Path) -> None:
    judged = replace(RESULTS[0], judgement=Judgement("unclear", None, "法官", 3))
    folder = stored(tmp_path / "run", judged)
    assert list(RunFolder(folder).results()) == [judged]
