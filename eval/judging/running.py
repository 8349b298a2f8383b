"""Judges the answers of a finished run and records the verdicts with them; goes on where it was cut off.

Verdicts are appended to ``judgements.jsonl`` in the run's folder as they come. At the end, and when something fails on
the way, they go into the run's records, and that file goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from eval.at_once import at_once
from eval.judging import prompts
from eval.judging.agreement import agreement
from eval.judging.labelled import LabelledItem
from eval.judging.verdicts import tried
from eval.metrics import score, scores
from eval.metrics.judged import NAMES
from eval.results import CaseResult, Judgement, RunInfo
from eval.runner import Progress, Tell
from eval.storage import RunFolder, plain, restored
from rag.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from rag.model import ChatModel

JUDGEMENTS_FILE = "judgements.jsonl"
GIVE_UP = 3
"""After so many failures in a row the judge is taken to be gone, and judging ends with the last one's error."""


@dataclass(frozen=True, slots=True)
class Judging:
    """What became of judging a run.

    ``judged`` counts the cases judged now, ``kept`` those that had a verdict before, ``left`` those without one yet.
    ``failed`` are (id, error) of those that the judge gave no reply on; they are tried again the next time.
    """

    info: RunInfo
    results: Sequence[CaseResult]
    judged: int
    kept: int
    left: int
    failed: tuple[tuple[str, str], ...] = ()


def judge_run(
    folder: Path,
    model: ChatModel,
    labelled: Sequence[LabelledItem],
    *,
    cache: Path | None = None,
    place: str = "",
    limit: int | None = None,
    workers: int = 1,
    tell: Tell = lambda _: None,
) -> Judging:
    """Measure the judge, judge the run's answers, and record both with the run.

    Verdicts of the same model under the same prompts are kept; those of another judge are dropped, since figures of
    two judges do not mix. ``limit`` judges at most so many cases now. ``cache`` and ``place`` as for `agreement`.

    :raises SourceError: when the folder holds no run, or one that is damaged
    :raises SettingsError: when the run has no answers
    :raises ModelError: when the judge gives no reply on the labelled items, or on several cases in a row
    """
    store = RunFolder(folder)
    info, results = store.info(), list(store.results())
    if info.only_retrieval:
        raise SettingsError(
            f"The run in {folder} is of retrieval alone: there are no answers to judge.",
            "Run the benchmark without --only retrieval.",
        )

    def measured(done: int, total: int) -> None:
        tell(Progress("measuring the judge", done, total))

    found = agreement(model, labelled, cache, place=place, workers=workers, tell=measured)
    interim = folder / JUDGEMENTS_FILE
    known = {result.case.id: result.judgement for result in results if result.judgement is not None}
    known |= dict(_interim(interim))
    verdicts = {case: verdict for case, verdict in known.items() if _by(verdict, model)}
    kept = len(verdicts.keys() & {result.case.id for result in results})
    wanted = [result for result in results if result.case.id not in verdicts]
    now = wanted if limit is None else wanted[:limit]
    failed: list[tuple[str, str]] = []
    try:
        with interim.open("ab") as file:
            file.write(b"\n")  # what a kill cut off must not run into the next line
            _judge(now, model, workers, verdicts, failed, file, tell)
    finally:
        # A judge that fell silent before its first verdict leaves another's as they were.
        if verdicts or not wanted:
            info = replace(info, judge=found)
            results = [_with(result, verdicts.get(result.case.id)) for result in results]
            store.rewrite(info, results)
        interim.unlink(missing_ok=True)
    judged = len(now) - len(failed)
    return Judging(info, results, judged, kept, len(wanted) - judged, tuple(failed))


def _judge(
    results: Sequence[CaseResult],
    model: ChatModel,
    workers: int,
    verdicts: dict[str, Judgement],
    failed: list[tuple[str, str]],
    file: BinaryIO,
    tell: Tell,
) -> None:
    """Judge each result; its verdict goes to ``verdicts`` and ``file``, or its error to ``failed``."""
    in_a_row = 0
    tell(Progress("judging", 0, len(results)))
    found = at_once(lambda result: (result, tried(result, model)), results, workers)
    for count, (result, verdict) in enumerate(found, start=1):
        if isinstance(verdict, ModelError):
            failed.append((result.case.id, str(verdict)))
            in_a_row += 1
            if in_a_row >= min(GIVE_UP, len(results)):
                raise verdict
        else:
            in_a_row = 0
            verdicts[result.case.id] = verdict
            record = {"id": result.case.id, "judgement": plain(verdict)}
            file.write(json.dumps(plain(record), ensure_ascii=False).encode("utf-8") + b"\n")
            file.flush()
        tell(Progress("judging", count, len(results)))


def _interim(path: Path) -> Iterator[tuple[str, Judgement]]:
    """The verdicts of a judging that was cut off; a line that is not whole is judged anew."""
    if not path.exists():
        return
    for line in path.read_bytes().splitlines():
        try:
            record = json.loads(line)
            yield str(record["id"]), restored(Judgement, record["judgement"])
        except (KeyError, TypeError, ValueError):
            continue


def _by(judgement: Judgement, model: ChatModel) -> bool:
    return (judgement.model, judgement.prompts) == (model.name, prompts.VERSION)


def _with(result: CaseResult, judgement: Judgement | None) -> CaseResult:
    """The result with this verdict or none, and the metrics that follow from it."""
    others = {name: value for name, value in scores(result).items() if name not in NAMES}
    judged = replace(result, judgement=judgement)
    new = {name: value for name, value in score(judged).items() if name in NAMES}
    return replace(judged, metrics=others | new)
