"""Answers of the chat model over the samples, in one Markdown report. Each is generated anew: nothing comes from a cache."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from eval.benchmarks import load_benchmark
from eval.metrics import METRICS, by_group
from eval.reporting.markdown import markdown
from eval.reports import means
from eval.runner import Options, Progress, run
from rag.settings import Settings

ANSWERS_FILE = "answers.md"


def answers(
    samples: Path,
    count: int,
    seed: int,
    settings: Settings,
    output: Path,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Path:
    """Ask ``count`` questions drawn with ``seed`` and write metrics, intervals and latencies; returns the report's path.

    :raises WenzhengError: when the samples cannot be read, or a model or the library cannot be used
    """
    benchmark = load_benchmark(samples)
    # An answer kept from an earlier run would hide what a change of the prompts does, and how long it takes.
    with tempfile.TemporaryDirectory() as folder:
        info, results = run(
            benchmark,
            Options(limit=count, seed=seed),
            settings,
            Path(folder) / "cache",
            Path(folder) / "run",
            tell,
        )
    # The report may be shown to others: the model's address stays here.
    info = replace(info, settings={k: v for k, v in info.settings.items() if k != "chat_base_url"})
    groups = {"type": by_group(results, "type"), "lang": by_group(results, "lang")}
    descriptions = {name: metric.description for name, metric in METRICS.items()}
    output.mkdir(parents=True, exist_ok=True)
    path = output / ANSWERS_FILE
    text = markdown(info, results, means(results), groups, descriptions=descriptions)
    path.write_text(text, encoding="utf-8", errors="replace")
    return path
