"""Means over a run and its groups, and two runs compared case by case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from eval.metrics.means import Mean, mean, resampled_means
from eval.metrics.registry import METRICS, scores
from eval.results import CaseResult

Key = Literal["type", "lang", "split"]

FEW = 30
"""Under so many cases a bootstrap interval is itself unsure."""

_SURE = 0.05


def summary(results: Sequence[CaseResult], seed: int = 0, resamples: int = 1000) -> dict[str, Mean]:
    """The mean of every metric over the results it applies to, in the order of `METRICS`.

    Reads the metrics that the results hold and computes them where they hold none. Metrics that applied to no result
    are absent. Rates over a whole run (`eval.metrics.refusals.refusal_summary`) are not in it.
    """
    return _means([scores(result) for result in results], seed, resamples)


def by_group(
    results: Sequence[CaseResult], key: Key, seed: int = 0, resamples: int = 1000
) -> dict[str, dict[str, Mean]]:
    """`summary` of each group of cases with the same ``key``, the groups in order of their names."""
    grouped: dict[str, list[Mapping[str, float]]] = {}
    for result in results:
        grouped.setdefault(str(getattr(result.case, key)), []).append(scores(result))
    return {name: _means(grouped[name], seed, resamples) for name in sorted(grouped)}


def _means(scored: Sequence[Mapping[str, float]], seed: int, resamples: int) -> dict[str, Mean]:
    names = dict.fromkeys([*METRICS, *(name for found in scored for name in found)])
    means = {name: mean([found.get(name) for found in scored], seed, resamples) for name in names}
    return {name: value for name, value in means.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Paired:
    """Two runs, a and b, on the ``n`` cases that have the metric in both.

    ``difference`` is b less a, with its 95 % interval; ``p`` is two-sided. ``wins`` counts the cases on which b is the
    better one, ``losses`` those on which a is. ``unpaired`` counts the cases with the metric in one run only.
    """

    mean_a: float
    mean_b: float
    difference: float
    low: float
    high: float
    p: float
    n: int
    wins: int
    losses: int
    ties: int
    unpaired: int
    metric: str


def paired(
    a: Sequence[CaseResult], b: Sequence[CaseResult], metric: str, seed: int = 0, resamples: int = 1000
) -> Paired | None:
    """Compare two runs on one metric by the paired bootstrap over cases with the same id (Koehn 2004).

    ``p`` is twice the share of resamples in which the difference is on the other side of zero or on it, counting one
    more so that it is never 0. None when no case has the metric in both runs.

    :raises KeyError: when there is no such metric
    :raises ValueError: when an id occurs twice in one run
    """
    import numpy as np

    higher_is_better = METRICS[metric].higher_is_better
    left, right = _values(a, metric), _values(b, metric)
    both = [case for case in left if case in right]
    if not both:
        return None
    before = np.array([left[case] for case in both])
    after = np.array([right[case] for case in both])
    differences = after - before
    drawn = resampled_means(differences, seed, resamples)
    low, high = np.percentile(drawn, (2.5, 97.5))
    beyond = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    gained, lost = int((differences > 0).sum()), int((differences < 0).sum())
    wins, losses = (gained, lost) if higher_is_better else (lost, gained)
    return Paired(
        mean_a=float(before.mean()),
        mean_b=float(after.mean()),
        difference=float(differences.mean()),
        low=float(low),
        high=float(high),
        p=min(1.0, 2 * (beyond + 1) / (resamples + 1)),
        n=len(both),
        wins=wins,
        losses=losses,
        ties=len(both) - wins - losses,
        unpaired=len(left) + len(right) - 2 * len(both),
        metric=metric,
    )


def _values(results: Sequence[CaseResult], metric: str) -> dict[str, float]:
    ids = [result.case.id for result in results]
    if len(set(ids)) < len(ids):
        raise ValueError("A case occurs twice in one run, so that runs cannot be paired by case.")
    scored = ((result.case.id, scores(result)) for result in results)
    return {case: found[metric] for case, found in scored if metric in found}


def in_words(paired: Paired, language: Literal["en", "zh"] = "en") -> str:
    """The comparison in one plain sentence that claims no more than the interval and ``p`` bear out."""
    better = (paired.difference > 0) == METRICS[paired.metric].higher_is_better
    sure = paired.p < _SURE and not paired.low <= 0 <= paired.high
    numbers = _Numbers(paired)
    return (
        _in_chinese(paired, numbers, better, sure)
        if language == "zh"
        else _in_english(paired, numbers, better, sure)
    )


class _Numbers:
    """The numbers of a comparison as they are printed."""

    def __init__(self, paired: Paired) -> None:
        self.a, self.b = f"{paired.mean_a:.3f}", f"{paired.mean_b:.3f}"
        self.low, self.high = f"{paired.low:+.3f}", f"{paired.high:+.3f}"
        self.difference = f"{paired.difference:+.3f}"
        self.p = "p < 0.01" if paired.p < 0.01 else f"p = {paired.p:.2f}"


def _in_english(paired: Paired, numbers: _Numbers, better: bool, sure: bool) -> str:
    cases = f"the {paired.n} cases" if paired.n > 1 else "the one case"
    start = f"On {cases} that both runs have {paired.metric} for, it is "
    if not paired.wins and not paired.losses:
        return f"{start}{numbers.a} in both, with no case different."
    means = f"{numbers.a} in the first run and {numbers.b} in the second"
    interval = (
        f"(difference {numbers.difference}, 95 % interval {numbers.low} to {numbers.high}, {numbers.p}; "
        f"better on {paired.wins}, worse on {paired.losses}, equal on {paired.ties})"
    )
    if paired.n < FEW:
        verdict = "too few cases to tell the runs apart with any safety"
    elif sure:
        verdict = f"the second is {'better' if better else 'worse'} here by more than chance in the choice of cases would explain"
    else:
        verdict = "the cases do not show which run is better"
    return f"{start}{means} {interval}: {verdict}."


def _in_chinese(paired: Paired, numbers: _Numbers, better: bool, sure: bool) -> str:
    start = f"在两次运行都有 {paired.metric} 的 {paired.n} 个问题上，"
    if not paired.wins and not paired.losses:
        return f"{start}两次均为 {numbers.a}，没有一个问题不同。"
    means = f"第一次为 {numbers.a}，第二次为 {numbers.b}"
    interval = (
        f"（差 {numbers.difference}，95% 区间 {numbers.low} 至 {numbers.high}，{numbers.p}；"
        f"变好 {paired.wins} 个，变差 {paired.losses} 个，相同 {paired.ties} 个）"
    )
    if paired.n < FEW:
        verdict = "问题太少，还不能可靠地分出高下"
    elif sure:
        verdict = f"第二次{'较好' if better else '较差'}，差别大于抽取问题的偶然性所能解释的范围"
    else:
        verdict = "这些问题还不足以说明哪一次更好"
    return f"{start}{means}{interval}：{verdict}。"
