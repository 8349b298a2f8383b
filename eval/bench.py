"""``make bench``: indexing rate, retrieval and, with ``--answers N``, answers over ``samples/``; prints a table."""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from eval.benchmarks import Case, load_cases
from eval.metrics import containment, false_refusal, mean, recall, refusal
from ingest.sync import sync
from rag.embedding import open_embedder
from rag.library import Library
from rag.pipeline import Pipeline
from rag.settings import Settings, load_settings
from rag.types import Answer, Passage

_SEED = 20260101


def run(samples: Path, settings: Settings, answers: int) -> list[tuple[str, str]]:
    """Measure over a folder with ``questions.jsonl``; returns the rows of the table."""
    from rag.model import open_model

    cases = load_cases(samples / "questions.jsonl")
    rows: list[tuple[str, str]] = []
    embedder = open_embedder(settings)
    with Library.open(settings, embedder, writable=True) as library:
        start = time.perf_counter()
        sync([samples], library, settings)
        took = time.perf_counter() - start
        chunks = library.catalog.chunk_count()
        rows.append(("documents / chunks", f"{len(library.documents())} / {chunks}"))
        rows.append(("indexing", f"{chunks / took:.1f} chunks/s"))
        model = open_model(settings)
        try:
            pipeline = Pipeline(library, model, settings)
            rows.extend(_retrieval(pipeline, cases))
            if answers:
                model_cases = random.Random(_SEED).sample(cases, min(answers, len(cases)))  # noqa: S311
                rows.extend(_answers(pipeline, model_cases))
        finally:
            model.close()
    return rows


def _retrieval(pipeline: Pipeline, cases: Sequence[Case]) -> list[tuple[str, str]]:
    found: list[tuple[Case, tuple[Passage, ...]]] = []
    times = []
    for case in cases:
        start = time.perf_counter()
        found.append((case, pipeline.retrieve(case.question, case.history, 10)))
        times.append(time.perf_counter() - start)
    rows = [(f"document recall@{k}", str(mean([recall(c, p, k) for c, p in found]))) for k in (1, 5)]
    times.sort()
    rows.append(
        (
            "retrieval time",
            f"median {times[len(times) // 2] * 1000:.0f} ms, p95 {times[int(len(times) * 0.95)] * 1000:.0f} ms",
        )
    )
    return rows


def _answers(pipeline: Pipeline, cases: Sequence[Case]) -> list[tuple[str, str]]:
    answered: list[tuple[Case, Answer]] = []
    for number, case in enumerate(cases, start=1):
        answer = pipeline.ask(case.question, case.history)
        answered.append((case, answer))
        sys.stderr.write(f"\r{number}/{len(cases)} {answer.outcome:9} {case.id:20}")
    sys.stderr.write("\n")
    timings = [a.timings for _, a in answered]
    first = [t["first_word"] for t in timings if "first_word" in t]
    done = [t["done"] for t in timings if "first_word" in t]
    rows = [
        ("containment", str(mean([containment(c, a) for c, a in answered]))),
        ("refused, unanswerable", str(mean([refusal(c, a) for c, a in answered]))),
        ("refused, answerable", str(mean([false_refusal(c, a) for c, a in answered]))),
    ]
    if first:
        rows.append(("first word", f"median {statistics.median(first):.1f} s (n={len(first)})"))
        rows.append(("whole answer", f"median {statistics.median(done):.1f} s"))
    for kind in sorted({case.type for case in cases}):
        some = [(c, a) for c, a in answered if c.type == kind]
        metric = refusal if kind == "unanswerable" else containment
        rows.append((f"  {kind}", str(mean([metric(c, a) for c, a in some]))))
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry: measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, default=Path(__file__).parent.parent / "samples")
    parser.add_argument(
        "--answers", type=int, default=0, metavar="N", help="also ask the chat model N questions"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home:
        rows = run(options.samples, load_settings({"home": home}), options.answers)
    width = max(len(name) for name, _ in rows)
    sys.stdout.write("\n".join(f"| {name:{width}} | {value} |" for name, value in rows) + "\n")


if __name__ == "__main__":
    main()
