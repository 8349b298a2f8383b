"""What a system left behind, read back from its lines of JSON, and scored by the same rules for all. Pure but for reading."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from eval.cases import Case
from eval.metrics import Mean, refusal_summary, score, summary
from eval.metrics.reading import contains
from eval.results import CaseResult, Retrieved
from rag.errors import SourceDamaged
from rag.text import fold
from rag.verification import says_no_answer

_UNKNOWING = re.compile(
    r"不知道|不清楚|无从得知|没有(?:找到|足够|相关)|未找到|抱歉|对不起"
    r"|\b(?:do not|don't|cannot|can't|could not|couldn't|unable to) (?:know|find|have|determine|answer|provide)\b|\bunknown\b"
)
REFUSAL_RULE = (
    "A peer has no refusal of its own: its answer counts as one when it says that it does not know or that the documents do "
    'not tell (`rag.verification.says_no_answer`, and a short list of phrases such as 不知道, 抱歉, "don\'t have"), unless it '
    "holds the reference answer all the same; the rule is one for all peers. Wenzheng's is its outcome `refused`."
)


@dataclass(frozen=True, slots=True)
class System:
    """One system's results.

    ``failure`` is empty unless the system as a whole failed. Times are in seconds, ``peak_mb`` in MiB and without the
    chat model, which runs in a process of its own for all.
    """

    name: str
    results: tuple[CaseResult, ...] = ()
    failure: str = ""
    chunks: int | None = None
    indexing_seconds: float | None = None
    peak_mb: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """How many questions ended in an error."""
        return sum(1 for result in self.results if result.error)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The records of a system's file; a last line that was cut off is dropped.

    :raises SourceDamaged: naming a line before the last that is no record
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    records: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except ValueError as error:
            if number == len(lines):
                break
            raise SourceDamaged(f"Line {number} of {path} is no JSON.", "Run again with --fresh.") from error
        if not isinstance(record, dict) or "kind" not in record:
            raise SourceDamaged(f"Line {number} of {path} is no record.", "Run again with --fresh.")
        records.append(record)
    return records


def is_finished(records: Sequence[Mapping[str, Any]], cases: Sequence[Case]) -> bool:
    """Whether a system has gone to its end and has a line for each case."""
    answered = {record["id"] for record in records if record["kind"] == "answer"}
    ended = any(record["kind"] == "end" for record in records)
    return ended and answered >= {case.id for case in cases}


def system_of(
    name: str, records: Sequence[Mapping[str, Any]], cases: Sequence[Case], failure: str = ""
) -> System:
    """A peer's results, scored. Of several "indexed" and "end" lines, left by resumed runs, the first and the greatest count."""
    answers = {record["id"]: record for record in records if record["kind"] == "answer"}
    results = [result_of(case, answers[case.id]) for case in cases if case.id in answers]
    missing = len(cases) - len(results)
    if missing and not failure:
        failure = f"no answer to {missing} of {len(cases)} questions"
    indexed = next((record for record in records if record["kind"] == "indexed"), {})
    peaks = [float(record["peak_mb"]) for record in records if record["kind"] == "end"]
    return System(
        name,
        tuple(results),
        failure,
        indexed.get("chunks"),
        indexed.get("indexing_seconds"),
        max(peaks, default=None),
        dict(indexed.get("versions", {})),
    )


def result_of(case: Case, record: Mapping[str, Any]) -> CaseResult:
    """A peer's line as a case's result, with every metric that applies.

    A question that ended in an error has the worst value of each metric of the answer; its ranking, where there is one,
    is scored as it is.
    """
    text = str(record["text"]).strip()
    result = CaseResult(
        case,
        tuple(
            Retrieved(number, passage["document"], "", passage["text"], 0, 0, 0.0)
            for number, passage in enumerate(record["passages"], start=1)
        ),
        text=text,
        outcome="refused" if is_refusal(case, text) else "answered",
        timings=dict(record.get("seconds", {})),
        error=str(record["error"]),
    )
    metrics = score(result)
    if result.error and result.passages:
        metrics |= score(replace(result, error="", outcome=""), only_retrieval=True)
    return replace(result, metrics=metrics)


def is_refusal(case: Case, text: str) -> bool:
    """Whether a peer's answer is taken for a refusal; see `REFUSAL_RULE`. An empty answer is one."""
    if not text:
        return True
    if not (says_no_answer(text) or _UNKNOWING.search(fold(text))):
        return False
    return not contains(case, text)


def figures(system: System) -> dict[str, Mean]:
    """The means over a system's cases, with n and intervals; nothing where it failed as a whole."""
    if system.failure:
        return {}
    return summary(system.results) | refusal_summary(system.results)
