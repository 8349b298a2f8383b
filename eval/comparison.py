"""Two runs of the same benchmark beside each other: each metric, what was set differently, the cases that changed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from eval.reporting.facts import changed_settings
from eval.reporting.shapes import PairedLike
from eval.results import CaseResult, RunInfo
from rag.errors import SettingsError

P = TypeVar("P", bound=PairedLike)

_FACTS = (
    "mode",
    "only_retrieval",
    "documents",
    "chunks",
    "cases",
    "seed",
    "split",
    "model",
    "embedding",
    "reranker",
    "commit",
    "machine",
)


@dataclass(frozen=True, slots=True)
class Change:
    """One case in both runs. ``score`` is how much better the second is, from -2 to 2."""

    score: float
    a: CaseResult
    b: CaseResult


@dataclass(frozen=True, slots=True)
class Comparison(Generic[P]):
    """Run b against run a on the cases that both have.

    ``metrics`` has each metric that some case has in both runs; ``settings`` what differs, as name to (a, b), from the
    settings and from what else was recorded; ``better`` and ``worse`` are the cases that changed, most first.
    ``reworded`` counts cases with the same id whose question or expected answer differs: they are not compared.
    """

    info_a: RunInfo
    info_b: RunInfo
    metrics: Mapping[str, P]
    settings: Mapping[str, tuple[Any, Any]]
    shared: int
    only_a: int
    only_b: int
    reworded: int
    better: Sequence[Change]
    worse: Sequence[Change]


def compare(
    info_a: RunInfo,
    results_a: Sequence[CaseResult],
    info_b: RunInfo,
    results_b: Sequence[CaseResult],
    metrics: Sequence[str],
    paired_function: Callable[[Sequence[CaseResult], Sequence[CaseResult], str, int], P | None],
    *,
    lower_is_better: Collection[str] = (),
) -> Comparison[P]:
    """Compare two runs.

    ``paired_function(a, b, metric, seed)`` compares one metric on the cases shared, None where no case has it in both.
    Raises SettingsError when the runs are of different benchmarks or have no case in common.
    """
    if (info_a.benchmark, info_a.form) != (info_b.benchmark, info_b.form):
        raise SettingsError(
            f"Runs of different benchmarks cannot be compared: {info_a.benchmark} ({info_a.form}) "
            f"and {info_b.benchmark} ({info_b.form}).",
            "Compare two runs of the same one.",
        )
    by_id_a = {result.case.id: result for result in results_a}
    by_id_b = {result.case.id: result for result in results_b}
    common = [case for case in by_id_a if case in by_id_b]
    shared = [case for case in common if _same(by_id_a[case], by_id_b[case])]
    if not shared:
        raise SettingsError(
            f"The runs have no case in common: the first has {len(by_id_a)}, the second {len(by_id_b)}.",
            "Run both with the same split, seed and number of cases.",
        )
    left, right = [by_id_a[case] for case in shared], [by_id_b[case] for case in shared]
    found = {name: paired_function(left, right, name, info_a.seed) for name in metrics}
    changes = [
        Change(_change(a, b, metrics, lower_is_better), a, b) for a, b in zip(left, right, strict=True)
    ]
    changes.sort(key=lambda change: (-abs(change.score), change.a.case.id))
    return Comparison(
        info_a=info_a,
        info_b=info_b,
        metrics={name: result for name, result in found.items() if result is not None and result.n},
        settings=_differences(info_a, info_b),
        shared=len(shared),
        only_a=len(by_id_a) - len(common),
        only_b=len(by_id_b) - len(common),
        reworded=len(common) - len(shared),
        better=[change for change in changes if change.score > 0],
        worse=[change for change in changes if change.score < 0],
    )


def _same(a: CaseResult, b: CaseResult) -> bool:
    """Whether both were asked the same and judged by the same: ``given`` and ``split`` do not matter for that."""
    one, other = a.case, b.case
    return (
        one.question == other.question
        and one.history == other.history
        and one.answers == other.answers
        and one.required == other.required
        and one.gold == other.gold
        and one.answerable == other.answerable
    )


def _change(a: CaseResult, b: CaseResult, metrics: Sequence[str], lower_is_better: Collection[str]) -> float:
    """Whether it became right or stopped being right, and then the mean change of the metrics that are shares."""
    steps = []
    for name in metrics:
        if name.startswith(("latency_", "tokens_")):
            continue  # seconds and tokens differ in every case and would drown what the answers do
        before, after = a.metrics.get(name), b.metrics.get(name)
        if before is not None and after is not None and 0 <= before <= 1 and 0 <= after <= 1:
            steps.append((before - after) if name in lower_is_better else (after - before))
    became = (b.loss == "none") - (a.loss == "none")
    return became + (sum(steps) / len(steps) if steps else 0.0)


def _differences(a: RunInfo, b: RunInfo) -> dict[str, tuple[Any, Any]]:
    facts = {
        name: (getattr(a, name), getattr(b, name)) for name in _FACTS if getattr(a, name) != getattr(b, name)
    }
    names = {*a.settings, *b.settings}
    full_a = {name: a.settings.get(name, "–") for name in names}
    full_b = {name: b.settings.get(name, "–") for name in names}
    changed = changed_settings(full_b, full_a)
    return {**facts, **{name: (before, after) for name, (after, before) in changed.items()}}
