"""What a run's reports and its record hold: valid JSON, and the judge beside its figures."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from eval.cases import Case
from eval.metrics import Mean, score
from eval.reports import compared, record, write_reports
from eval.results import Agreement, CaseResult, Judgement, Rating, RunInfo
from eval.storage import RunFolder

INFO = RunInfo(
    id="r1", benchmark="砚湖", form="wenzheng", mode="open", only_retrieval=False, documents=1, chunks=1, cases=1,
    cases_of=1, seed=0, split="", settings={}, model="m", embedding="e", commit="", date="2026-01-02", machine="x",
)  # fmt: skip
GOOD = Rating(82, 0.9, 0.84, 0.95, 0.8, 0.7, 0.9, 0)
ROUGH = Rating(80, 0.7, 0.6, 0.8, 0.4, 0.2, 0.6, 3)
CHANCE = Rating(80, 0.5, 0.4, 0.6, 0.0, -0.1, 0.1, 0)


def strict(text: str) -> object:
    def refuse(constant: str) -> object:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def judged(judgement: Judgement | None = None) -> CaseResult:
    made = CaseResult(
        Case("q1", "问？", answers=("36个",)), text="36个。", outcome="answered", judgement=judgement
    )
    return replace(made, metrics=score(made))


def test_what_is_no_number_is_null() -> None:
    info = replace(INFO, seconds=math.inf, settings={"deep": [{"x": math.nan}]})
    means = {"a": Mean(math.nan, 1, -math.inf, math.inf), "b": Mean(0.5, 3, 0.1, 0.9)}
    told = record(info, means)
    text = json.dumps(told, allow_nan=False)
    assert strict(text) == told
    assert told["metrics"]["a"] == {"value": None, "n": 1, "low": None, "high": None}
    assert told["metrics"]["b"] == {"value": 0.5, "n": 3, "low": 0.1, "high": 0.9}
    assert told["run"]["seconds"] is None
    assert told["run"]["settings"] == {"deep": [{"x": None}]}


def test_reports_are_written_where_a_metric_is_no_number(tmp_path: Path) -> None:
    odd = replace(judged(), metrics={"containment": math.nan})
    write_reports(tmp_path, INFO, [odd, replace(odd, case=Case("q2", "问？", type="事实"))])
    summary = strict((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert isinstance(summary, dict)
    assert summary["metrics"]["containment"]["value"] is None
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "nan" not in page[page.index("<svg") : page.rindex("</svg>")].lower()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_report_says_who_judged_and_how_far_to_believe_it(tmp_path: Path, language: str) -> None:
    info = replace(INFO, judge=Agreement("法官|<b>", 2, "x", ROUGH, CHANCE))
    results = [judged(Judgement("yes", "unclear", "法官|<b>", 2)), replace(judged(), case=Case("q2", "问？"))]
    write_reports(tmp_path, info, results, language)  # type: ignore[arg-type]
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "0.400 \\[0.200, 0.600\\]" in text
    assert "法官\\|\\<b\\>" in text
    assert "<b>法官" not in page
    assert "0.400 [0.200, 0.600]" in page
    rough, chance = ("are rough", "from chance") if language == "en" else ("粗略", "无法区分")
    for report in (text, page):
        assert report.count(rough) == 1
        assert report.count(chance) == 1
    beside = next(line for line in text.splitlines() if line.startswith("| judge\\_faithful"))
    assert "κ 0.400" in beside


def test_a_judge_to_be_trusted_gets_no_warning_and_no_judge_no_section(tmp_path: Path) -> None:
    info = replace(INFO, judge=Agreement("m", 2, "x", GOOD, None))
    write_reports(tmp_path, info, [judged(Judgement("yes", None, "m", 2))])
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "## Judge model" in text
    assert "rough" not in text
    assert "from chance" not in text
    write_reports(tmp_path, INFO, [judged()])
    for name in ("report.md", "report.html"):
        assert "Judge model" not in (tmp_path / name).read_text(encoding="utf-8")


def test_runs_with_different_judges_are_compared_with_a_warning(tmp_path: Path) -> None:
    folders = []
    for name in ("one", "two", "three"):
        info = replace(INFO, id=name, judge=Agreement("x" if name == "three" else name, 2, "l", GOOD, None))
        store = RunFolder(tmp_path / name)
        store.start(info)
        store.append(judged(Judgement("yes", None, name, 2)))
        store.finish(info)
        folders.append(tmp_path / name)
    assert "judged by different" in compared(folders[0], folders[1])
    assert "judged by different" not in compared(folders[0], folders[0])
