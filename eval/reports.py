"""Joins a run's results with its metrics and writes its reports: ``summary.json``, ``report.md``, ``report.html``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.comparison import compare
from eval.metrics import (
    METRICS,
    Mean,
    by_group,
    coverage_accuracy,
    in_words,
    paired,
    refusal_summary,
    reliability,
    summary,
)
from eval.reporting.compared import comparison_markdown, comparison_page
from eval.reporting.facts import judge_beside
from eval.reporting.markdown import markdown
from eval.reporting.page import page
from eval.reporting.shapes import Curves, Language
from eval.results import CaseResult, RunInfo
from eval.storage import load_run, plain

MAIN = ("containment", "f1_cmrc_folded", "refused", "recall@1")
"""The metrics drawn by type, those of them that a run has."""


def means(results: Sequence[CaseResult]) -> dict[str, Mean]:
    """Every metric's mean over a run, those over cases and those over the run as a whole."""
    return {**summary(results), **refusal_summary(results)}


def record(info: RunInfo, found: Mapping[str, Mean]) -> dict[str, Any]:
    """A run's facts and means as plain data for JSON: value, n and interval of each metric.

    What is not a number or infinite, which JSON cannot write, is None.
    """
    metrics = {
        name: {"value": mean.value, "n": mean.n, "low": mean.low, "high": mean.high}
        for name, mean in found.items()
    }
    told: dict[str, Any] = _finite({"run": plain(info), "metrics": metrics})
    return told


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value


def write_reports(
    folder: Path, info: RunInfo, results: Sequence[CaseResult], language: Language = "en"
) -> dict[str, Mean]:
    """Write all reports of a run into its folder; returns its means."""
    found = means(results)
    groups = {"type": by_group(results, "type"), "lang": by_group(results, "lang")}
    coverage, bins = coverage_accuracy(results), reliability(results)
    curves = Curves(
        reliability=[(part.confidence, part.correct, part.n) for part in bins.bins],
        coverage=[(point.coverage, point.accuracy) for point in coverage.points],
        area=coverage.area,
        error=bins.error,
    )
    beside = judge_beside(info, language)
    descriptions = {
        name: f"{metric.description} {beside.get(name, '')}".strip() for name, metric in METRICS.items()
    }
    text = markdown(info, results, found, groups, language=language, descriptions=descriptions)
    html = page(info, results, found, groups, curves, language=language, descriptions=descriptions, main=MAIN)
    told = json.dumps(record(info, found), ensure_ascii=False, indent=2, allow_nan=False)
    for name, content in (("report.md", text), ("report.html", html), ("summary.json", told + "\n")):
        (folder / name).write_text(content, encoding="utf-8", errors="replace")
    return found


def compared(first: Path, second: Path, language: Language = "en", *, page: bool = False) -> str:
    """The comparison of two runs' folders, as Markdown or as an HTML page.

    :raises SourceError: when a folder holds no run
    :raises SettingsError: when the runs are of different benchmarks or have no case in common
    """
    a, b = load_run(first), load_run(second)
    lower = [name for name, metric in METRICS.items() if not metric.higher_is_better]
    comparison = compare(*a, *b, list(METRICS), paired, lower_is_better=lower)
    write = comparison_page if page else comparison_markdown
    return write(comparison, language=language, in_words=lambda found: in_words(found, language))
