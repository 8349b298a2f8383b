"""Bounds that a run must keep, for continuous integration: "recall@5>=0.9", "false_refusal<=0.1". Pure."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from eval.reporting.shapes import FEW, MeanLike
from rag.errors import SettingsError

Sense = Literal[">=", "<="]

_GATE = re.compile(r"\s*([^<>=\s]+)\s*(>=|<=|=)\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Gate:
    """A metric's mean must be at least (">=") or at most ("<=") ``bound``."""

    metric: str
    sense: Sense
    bound: float

    def __str__(self) -> str:
        return f"{self.metric} {self.sense} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a gate was kept. ``missed_by`` is how far the mean is off, 0 where it was kept.

    ``value`` is None where no case of the run has the metric, which is a miss.
    """

    gate: Gate
    passed: bool
    value: float | None
    n: int
    low: float | None
    high: float | None
    missed_by: float
    message: str


def parse_gates(texts: Iterable[str], sense: Sense = ">=") -> list[Gate]:
    """Gates from "metric>=value", "metric<=value" or "metric=value", where ``sense`` says what "=" means.

    Raises SettingsError for text of another form, a value that is no finite number, or gates that contradict each
    other.
    """
    gates = [_parsed(text, sense) for text in texts]
    for gate in gates:
        for other in gates:
            if (
                gate.metric == other.metric
                and (gate.sense, other.sense) == (">=", "<=")
                and gate.bound > other.bound
            ):
                raise SettingsError(f"No value can be both {gate} and {other}.")
    return gates


def _parsed(text: str, sense: Sense) -> Gate:
    match = _GATE.fullmatch(text)
    try:
        bound = float(match.group(3)) if match else math.nan
    except ValueError:
        bound = math.nan
    if match is None or not math.isfinite(bound):
        raise SettingsError(
            f"“{text}” is not a bound.", "Write it as metric>=0.9, metric<=0.1 or metric=0.9."
        )
    found = match.group(2)
    return Gate(match.group(1), sense if found == "=" else (">=" if found == ">=" else "<="), bound)


def check(gates: Sequence[Gate], summary: Mapping[str, MeanLike], known: Iterable[str] = ()) -> list[Verdict]:
    """Each gate held against the run's means.

    ``known`` are all metrics there are: one of them that no case of this run has is a gate missed; a metric that is
    neither there nor in ``summary`` raises SettingsError with the nearest names.
    """
    names = sorted({*summary, *known})
    for gate in gates:
        if gate.metric not in names:
            near = difflib.get_close_matches(gate.metric, names, n=3, cutoff=0.4) or names[:8]
            raise SettingsError(
                f"There is no metric “{gate.metric}”.",
                f"The nearest are: {', '.join(near)}." if near else "This run has no metrics.",
            )
    return [_checked(gate, summary.get(gate.metric)) for gate in gates]


def _checked(gate: Gate, mean: MeanLike | None) -> Verdict:
    if mean is None or mean.n == 0 or math.isnan(mean.value):
        message = f"MISSED {gate}: no case of this run has this metric, so the bound cannot be held."
        return Verdict(gate, False, None, 0, None, None, 0.0, message)
    passed = mean.value >= gate.bound if gate.sense == ">=" else mean.value <= gate.bound
    missed_by = 0.0 if passed else abs(mean.value - gate.bound)
    parts = [
        f"{'kept' if passed else 'MISSED'} {gate}: {mean.value:.4g} "
        f"(n = {mean.n}, 95 % interval {mean.low:.4g} to {mean.high:.4g})"
    ]
    if not passed:
        parts.append(f"missed by {missed_by:.4g}")
    if mean.low <= gate.bound <= mean.high:
        parts.append("the bound lies inside the interval, so other cases could have turned it round")
    if mean.n < FEW:
        parts.append("n is small")
    return Verdict(gate, passed, mean.value, mean.n, mean.low, mean.high, missed_by, "; ".join(parts) + ".")
