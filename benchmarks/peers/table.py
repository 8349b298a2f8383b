"""The table of systems beside one another, as Markdown and JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.peers.measured import REFUSAL_RULE, System, figures
from eval.metrics import Mean
from eval.storage import plain


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under what the systems were measured. ``characters`` are those of all documents."""

    benchmark: str
    questions: int
    questions_of: int
    documents: int
    characters: int
    seed: int
    model: str
    embedding: str
    settings: str
    date: str
    commit: str
    machine: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    key: str
    label: str
    higher_is_better: bool
    digits: int = 3


_ROWS = (
    _Row("recall@1", "gold documents among the first 1 (recall@1)", True),
    _Row("recall@5", "gold documents among the first 5 (recall@5)", True),
    _Row("containment", "answer holds what is asked for (containment)", True),
    _Row("f1_cmrc_folded", "F1 of the longest run in common (CMRC 2018)", True),
    _Row("refused", "unanswerable questions refused", True),
    _Row("false_refusal", "answerable questions refused", False),
    _Row("balanced_accuracy", "refusing decided rightly (balanced accuracy)", True),
    _Row("latency_evidence", "seconds to the evidence", False, 2),
    _Row("latency_first_word", "seconds to the first word", False, 2),
    _Row("latency_done", "seconds to the whole answer", False, 2),
)


def markdown(systems: Sequence[System], conditions: Conditions) -> str:
    """The page: the table with the best figure of each row in bold, whoever's it is, and the conditions."""
    means = [figures(system) for system in systems]
    lines = [
        "# Wenzheng beside stock pipelines",
        "",
        "Means with their 95 % bootstrap intervals; n is the number of questions that a row applies to. The best mean of a row "
        "is bold; where intervals overlap widely, that says little.",
        "",
        _cells(["", *(system.name for system in systems)]),
        _cells(["---"] * (len(systems) + 1)),
    ]
    for row in _ROWS:
        values = [found.get(row.key) for found in means]
        if any(values):
            lines.append(_cells([_label(row, values), *_marked(row, values)]))
    lines.append(
        _amounts("questions that ended in an error", [_errors(system) for system in systems], lower=True)
    )
    speeds = [_speed(system, conditions.characters) for system in systems]
    lines.append(_amounts("indexing, characters a second", speeds, lower=False))
    lines.append(
        _amounts("peak memory without the chat model, MiB", [_alive(s, s.peak_mb) for s in systems], True)
    )
    chunks = ["–" if system.chunks is None else f"{system.chunks:,}" for system in systems]
    lines.append(_cells(["chunks", *chunks]))
    failed = [
        f"- **{s.name}** failed and has no figures: {_inline(s.failure)}." for s in systems if s.failure
    ]
    erred = [
        f"- {s.name}: {s.errors} questions ended in an error, the first: {_inline(_first_error(s))}"
        for s in systems
        if s.errors and not s.failure
    ]
    lines += ["", *failed, *erred, *([""] if failed or erred else []), "## Conditions", ""]
    lines += [f"- {line}" for line in _told(conditions, systems)]
    return "\n".join(lines) + "\n"


def as_json(systems: Sequence[System], conditions: Conditions) -> dict[str, Any]:
    """Everything in the table, and each case's outcome, for machines."""
    return {
        "conditions": plain(conditions),
        "systems": [
            {
                "name": system.name,
                "failure": system.failure,
                "errors": system.errors,
                "chunks": system.chunks,
                "indexing_seconds": system.indexing_seconds,
                "characters_per_second": _speed(system, conditions.characters),
                "peak_mb": system.peak_mb,
                "versions": dict(system.versions),
                "metrics": plain(figures(system)),
                "cases": [_case(result) for result in system.results],
            }
            for system in systems
        ],
    }


def _case(result: Any) -> dict[str, Any]:
    return {
        "id": result.case.id,
        "outcome": result.outcome,
        "text": plain(result.text),
        "error": result.error,
        "metrics": {name: round(value, 4) for name, value in result.metrics.items()},
    }


def _label(row: _Row, values: Sequence[Mean | None]) -> str:
    counts = sorted({value.n for value in values if value is not None})
    return f"{row.label}, n={'–'.join(str(n) for n in dict.fromkeys((counts[0], counts[-1])))}"


def _marked(row: _Row, values: Sequence[Mean | None]) -> list[str]:
    shown = [None if value is None else round(value.value, row.digits) for value in values]
    present = [value for value in shown if value is not None]
    best = (max if row.higher_is_better else min)(present)
    marked = []
    for value, number in zip(values, shown, strict=True):
        if value is None or number is None:
            marked.append("–")
            continue
        text = f"{number:.{row.digits}f}"
        interval = f"[{value.low:.{row.digits}f}, {value.high:.{row.digits}f}]"
        marked.append(f"{f'**{text}**' if number == best else text} {interval}")
    return marked


def _amounts(label: str, values: Sequence[float | None], lower: bool) -> str:
    present = [round(value) for value in values if value is not None]
    if not present:
        return _cells([label, *("–" for _ in values)])
    best = (min if lower else max)(present)
    shown = [
        "–" if v is None else f"**{round(v):,}**" if round(v) == best else f"{round(v):,}" for v in values
    ]
    return _cells([label, *shown])


def _speed(system: System, characters: int) -> float | None:
    seconds = _alive(system, system.indexing_seconds)
    return round(characters / seconds, 1) if seconds else None


def _errors(system: System) -> float | None:
    return _alive(system, float(system.errors))


def _alive(system: System, value: float | None) -> float | None:
    return None if system.failure else value


def _first_error(system: System) -> str:
    return next(result.error for result in system.results if result.error)


def _told(conditions: Conditions, systems: Sequence[System]) -> list[str]:
    told = [
        f"{conditions.date}, commit {conditions.commit or 'unknown'}, {conditions.machine}.",
        f"Benchmark {conditions.benchmark}: {conditions.documents} documents with {conditions.characters:,} characters; "
        f"{conditions.questions} of {conditions.questions_of} questions, drawn with seed {conditions.seed}.",
        f"Chat model {conditions.model}, one endpoint for all; embedding model {conditions.embedding}; {conditions.settings}.",
        REFUSAL_RULE,
        *conditions.notes,
    ]
    for system in systems:
        if system.versions:
            named = ", ".join(f"{name} {version}" for name, version in system.versions.items())
            told.append(f"{system.name}: {named}.")
    return told


def _cells(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _inline(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())[:300]


def row_keys() -> Mapping[str, bool]:
    """The metrics in the table, and whether more of each is better."""
    return {row.key: row.higher_is_better for row in _ROWS}
