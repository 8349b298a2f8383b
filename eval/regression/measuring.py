"""Measures one set: the fused ranking as users get it, each leg alone, and the difference to the better one."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval.metrics import Mean, paired, scores
from eval.metrics.means import mean, resampled_means
from eval.regression.legs import LEGS, legs_alone
from eval.regression.sets import RetrievalSet, load_set
from eval.results import CaseResult, RunInfo
from eval.runner import Options, Progress, index_key, run
from rag.embedding import Embedder
from rag.library import Library
from rag.settings import Settings

FUSED = "fused"
SHOWN = ("recall@1", "recall@5", "mrr@10", "ndcg@10")
MAIN = "ndcg@10"
"""The one metric in which every rank down to ten counts: the legs and their differences are shown by it first."""
AVERAGE = "average"

Tell = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Difference:
    """The fused ranking less the better ``leg``, paired by question, with its 95 % interval and two-sided ``p``.

    ``leg`` is empty where it is not the same one in all sets.
    """

    leg: str
    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class Row:
    """One set in the table. ``means`` maps "fused", "dense" and "lexical" to each metric's mean.

    ``milliseconds`` is the median time of a question, fused. Where ``reason`` is not empty the set could not be
    measured, and there are no figures.
    """

    name: str
    documents: int = 0
    chunks: int = 0
    n: int = 0
    means: Mapping[str, Mapping[str, Mean]] = field(default_factory=dict)
    differences: Mapping[str, Difference] = field(default_factory=dict)
    milliseconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """A set's row, and the results behind it: the fused ones and each leg's, over the same cases."""

    row: Row
    info: RunInfo
    fused: Sequence[CaseResult]
    legs: Mapping[str, Sequence[CaseResult]]


def measure(
    wanted: RetrievalSet,
    limit: int | None,
    seed: int,
    settings: Settings,
    embedder: Embedder,
    cache: Path,
    tell: Tell = lambda _: None,
) -> Measured:
    """Measure a set over its whole corpus.

    :param limit: so many questions, drawn with ``seed``; None for the set's own number
    :param cache: where indexes are kept between runs; encoding is what takes long
    :raises WenzhengError: when the set cannot be read, or the model or the library cannot be used
    """
    benchmark = load_set(wanted)
    # One question at a time, so that its milliseconds are its own.
    options = Options(
        limit=wanted.questions if limit is None else limit, seed=seed, only_retrieval=True, parallel=1
    )
    with tempfile.TemporaryDirectory() as folder:
        info, fused = run(benchmark, options, settings, cache, Path(folder), tell, embedder)
    home = cache / "indexes" / index_key(benchmark, settings, embedder)
    with Library.open(settings.model_copy(update={"home": home}), embedder, writable=False) as library:
        cases = [result.case for result in fused]
        legs = legs_alone(
            library, benchmark, cases, settings, lambda done: tell(Progress("legs", done, len(cases)))
        )
    return Measured(row_of(wanted.name, info, fused, legs), info, fused, legs)


def row_of(
    name: str, info: RunInfo, fused: Sequence[CaseResult], legs: Mapping[str, Sequence[CaseResult]]
) -> Row:
    """A set's figures from its results."""
    series: dict[str, Sequence[CaseResult]] = {FUSED: fused, **legs}
    means = {
        kind: {metric: found for metric in SHOWN if (found := mean(_values(results, metric))) is not None}
        for kind, results in series.items()
    }
    differences: dict[str, Difference] = {}
    for metric in SHOWN:
        leg = better_leg(means, metric)
        compared = paired(legs[leg], fused, metric) if leg else None
        if leg and compared is not None:
            differences[metric] = Difference(
                leg, compared.difference, compared.low, compared.high, compared.p
            )
    timed = [result.timings["evidence"] for result in fused if "evidence" in result.timings]
    return Row(
        name,
        info.documents,
        info.chunks,
        len(fused),
        means,
        differences,
        round(1000 * statistics.median(timed), 1) if timed else 0.0,
    )


def rounded(record: Any) -> Any:
    """A record of plain data with its fractions to four places, so that a table's JSON reads well and differs little."""
    if isinstance(record, float):
        return round(record, 4)
    if isinstance(record, dict):
        return {key: rounded(value) for key, value in record.items()}
    return [rounded(value) for value in record] if isinstance(record, list) else record


def better_leg(means: Mapping[str, Mapping[str, Mean]], metric: str) -> str | None:
    """The leg with the higher mean, the dense one where they are equal; None where neither has the metric."""
    there = {leg: means[leg][metric].value for leg in LEGS if metric in means.get(leg, {})}
    return max(there, key=lambda leg: there[leg], default=None)


def average(measured: Sequence[Measured], resamples: int = 1000) -> Row | None:
    """Every set weighing the same; None for fewer than two.

    Intervals are of the stratified bootstrap: each set's cases are drawn anew by themselves and the sets' means averaged.
    The difference is to the better leg of each set.
    """
    if len(measured) < 2:
        return None
    means: dict[str, dict[str, Mean]] = {}
    differences: dict[str, Difference] = {}
    for metric in SHOWN:
        fused = [_values(item.fused, metric) for item in measured]
        means.setdefault(FUSED, {})[metric] = _macro(fused, resamples)
        for leg in LEGS:
            alone = [_values(item.legs[leg], metric) for item in measured]
            means.setdefault(leg, {})[metric] = _macro(alone, resamples)
        better = [item.row.differences[metric].leg for item in measured]
        against = [_values(item.legs[leg], metric) for item, leg in zip(measured, better, strict=True)]
        gained = [
            [a - b for a, b in zip(one, other, strict=True)]
            for one, other in zip(fused, against, strict=True)
        ]
        found = _macro(gained, resamples)
        differences[metric] = Difference(
            better[0] if len(set(better)) == 1 else "",
            found.value,
            found.low,
            found.high,
            _p(gained, resamples),
        )
    return Row(
        AVERAGE,
        sum(item.row.documents for item in measured),
        sum(item.row.chunks for item in measured),
        sum(item.row.n for item in measured),
        means,
        differences,
        round(statistics.fmean(item.row.milliseconds for item in measured), 1),
    )


def _values(results: Sequence[CaseResult], metric: str) -> list[float]:
    """The metric of every case; all cases name gold, so that each has it."""
    return [found[metric] for result in results if metric in (found := scores(result))]


def _drawn(values: Sequence[Sequence[float]], resamples: int) -> Any:
    import numpy as np

    draws = [
        resampled_means(np.array(some, dtype=np.float64), seed, resamples) for seed, some in enumerate(values)
    ]
    return np.mean(draws, axis=0)


def _macro(values: Sequence[Sequence[float]], resamples: int) -> Mean:
    import numpy as np

    low, high = np.percentile(_drawn(values, resamples), (2.5, 97.5))
    return Mean(
        statistics.fmean(statistics.fmean(some) for some in values),
        sum(len(some) for some in values),
        float(low),
        float(high),
    )


def _p(differences: Sequence[Sequence[float]], resamples: int) -> float:
    """As `eval.metrics.paired` has it."""
    drawn = _drawn(differences, resamples)
    beyond = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return min(1.0, 2 * (beyond + 1) / (resamples + 1))
