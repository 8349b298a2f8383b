"""What earlier runs measured, one line a set and run, and whether a new one fell behind. Figures of the fused ranking."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eval.metrics import Mean, Paired, in_words, paired
from eval.metrics.statistics import FEW
from eval.regression.measuring import FUSED, SHOWN, Measured, rounded
from eval.results import CaseResult
from eval.storage import RunFolder, load_run, plain, restored
from rag.errors import SourceError, SourceNotFound

HISTORY = "history.jsonl"
_SURE = 0.05


@dataclass(frozen=True, slots=True)
class Entry:
    """One set in one run. ``run`` names the folder of its cases' rows, on the machine where it was made."""

    date: str
    commit: str
    set: str
    n: int
    seed: int
    embedding: str
    metrics: Mapping[str, Mean]
    run: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a set fell significantly in any metric against its last entry, and that in words."""

    set: str
    fell: bool
    message: str


def entry_of(measured: Measured) -> Entry:
    """The line that a measured set leaves."""
    info, row = measured.info, measured.row
    name = f"{info.id}-{row.name.replace(' ', '_').replace('/', '_')}"
    return Entry(
        info.date, info.commit, row.name, row.n, info.seed, info.embedding, dict(row.means[FUSED]), name
    )


def entries(path: Path) -> Iterator[Entry]:
    """The lines of a history, oldest first; none where there is no file yet.

    :raises SourceError: naming a line that is malformed
    """
    if not path.exists():
        return
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield restored(Entry, json.loads(line))
        except (TypeError, ValueError, RecursionError) as error:
            raise SourceError(
                f"{path}, line {number} is malformed: {error}.", "Mend or delete that line."
            ) from error


def last(path: Path, name: str, n: int, seed: int) -> Entry | None:
    """The newest entry of a set asked the same number of questions, drawn with the same seed.

    :raises SourceError: naming a line that is malformed
    """
    same = [found for found in entries(path) if (found.set, found.n, found.seed) == (name, n, seed)]
    return same[-1] if same else None


def remember(path: Path, rows: Path, measured: Sequence[Measured]) -> None:
    """Add a line for each set, and keep its cases' metrics (without passages) under ``rows`` for a paired comparison."""
    for item in measured:
        entry = entry_of(item)
        folder = RunFolder(rows / entry.run)
        folder.start(item.info)
        done = folder.done_ids()
        for result in item.fused:
            if result.case.id not in done:
                folder.append(replace(result, passages=()))
        folder.finish(item.info)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        for item in measured:
            file.write(json.dumps(rounded(plain(entry_of(item))), ensure_ascii=False) + "\n")


def compare_with_last(path: Path, rows: Path, measured: Measured) -> Verdict:
    """A set held against its last entry, case by case where that run's rows are on this machine, else by intervals.

    It fell where a metric is lower by more than chance in the choice of questions explains: paired, with an interval
    below zero and p < 0.05 on at least 30 questions; unpaired, with intervals that do not meet.

    :raises SourceError: when the history or the rows are damaged
    """
    row = measured.row
    before = last(path, row.name, row.n, measured.info.seed)
    if before is None:
        return Verdict(row.name, False, f"{row.name}: measured for the first time with these questions.")
    try:
        earlier: Sequence[CaseResult] | None = load_run(rows / before.run)[1]
    except SourceNotFound:
        earlier = None
    then = f"since {before.date[:10]}" + (f" ({before.commit})" if before.commit else "")
    if earlier is None:
        return _by_intervals(row.name, then, before.metrics, row.means[FUSED])
    found = [p for metric in SHOWN if (p := paired(earlier, measured.fused, metric)) is not None]
    fallen = [comparison for comparison in found if _fell(comparison)]
    if fallen:
        told = " ".join(in_words(comparison) for comparison in fallen)
        return Verdict(row.name, True, f"{row.name}: FELL {then}. {told}")
    changes = ", ".join(f"{comparison.metric} {comparison.difference:+.3f}" for comparison in found)
    of = found[0].n if found else 0
    few = "; too few to tell" if of < FEW else ""
    return Verdict(
        row.name,
        False,
        f"{row.name}: nothing fell significantly {then} ({changes}; paired on {of} questions{few}).",
    )


def _fell(comparison: Paired) -> bool:
    return comparison.n >= FEW and comparison.high < 0 and comparison.p < _SURE


def _by_intervals(name: str, then: str, before: Mapping[str, Mean], now: Mapping[str, Mean]) -> Verdict:
    both = [metric for metric in SHOWN if metric in before and metric in now]
    fallen = [metric for metric in both if now[metric].high < before[metric].low and now[metric].n >= FEW]
    told = ", ".join(
        f"{metric} {before[metric].value:.3f} then, {now[metric].value:.3f} now" for metric in fallen or both
    )
    if fallen:
        return Verdict(name, True, f"{name}: FELL {then}: {told}; the intervals do not meet.")
    few = "; too few to tell" if any(now[metric].n < FEW for metric in both) else ""
    return Verdict(
        name,
        False,
        f"{name}: nothing fell significantly {then} "
        f"({told}; by intervals alone, since that run's rows are not here{few}).",
    )
