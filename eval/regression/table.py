"""The table as data (``retrieval.json``), as Markdown (``retrieval.md``) and as the section that the READMEs quote. Pure
but for `publish`, which writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.metrics import Mean
from eval.regression.legs import LEGS
from eval.regression.measuring import FUSED, MAIN, SHOWN, Difference, Row, rounded
from eval.reporting.markdown import inline
from eval.reporting.markdown import table as markdown_table
from eval.reporting.shapes import Language
from eval.reporting.texts import figure, signed, span
from eval.storage import plain, restored
from rag.errors import SourceError, SourceNotFound

JSON_FILE, MARKDOWN_FILE = "retrieval.json", "retrieval.md"
START, END = "<!-- retrieval table -->", "<!-- end -->"
_SECTION = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)
_NOTE = (
    "The whole corpus of each set; questions are drawn from those that name the documents to find, answerable or not. "
    "A document counts once, at its first passage, among the first ten passages. “Dense alone” and “lexical alone” are each "
    "leg's own ranking for the same questions over the same index, by nDCG@10 here; the difference is fused less the better "
    "leg, paired by question. Since the better one is chosen on these questions, the difference is if anything too low. "
    "Intervals are 95 %, by bootstrap; the average gives every set the same weight. Time is the median of a question."
)
_WORDS: dict[str, tuple[str, str]] = {
    "set": ("set", "数据集"),
    "documents": ("documents", "文件数"),
    "questions": ("questions", "问题数"),
    "dense": ("dense alone", "仅向量"),
    "lexical": ("lexical alone", "仅词法"),
    "average": ("average", "平均"),
    "unread": ("could not be measured", "未能评测"),
    "told": (
        "Retrieval, nDCG@10 with its 95 % interval, beside each leg alone; {date}{commit}, {machine}, "
        "{embedding}. More in [benchmarks/retrieval.md](benchmarks/retrieval.md).",
        "检索效果：nDCG@10 及其 95% 区间，旁边是向量、词法两路各自单独检索的结果；{date}{commit}，{machine}，"
        "{embedding}。详见 [benchmarks/retrieval.md](benchmarks/retrieval.md)。",
    ),
}


@dataclass(frozen=True, slots=True)
class Table:
    """One run over the sets. ``settings`` are those that differ from the defaults and bear on retrieval."""

    date: str
    commit: str
    machine: str
    embedding: str
    seed: int
    settings: Mapping[str, Any]
    rows: tuple[Row, ...]
    average: Row | None = None


def read_table(path: Path) -> Table:
    """The table that ``retrieval.json`` holds.

    :raises SourceNotFound: when it is not there
    :raises SourceError: when it is damaged
    """
    try:
        return restored(Table, json.loads(path.read_bytes()))
    except FileNotFoundError as error:
        raise SourceNotFound(f"{path} is not there.", "Run make bench.") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise SourceError(f"{path} is damaged: {error}.", "Run make bench to make it anew.") from error


def publish(table: Table, output: Path, readmes: Mapping[Path, Language]) -> None:
    """Write ``retrieval.json`` and ``retrieval.md`` into ``output``, and the READMEs' sections from the same table.

    :raises SourceError: when a README has no section to fill; nothing is written then
    """
    # What a reader of the JSON gets, so that the READMEs can be held against it.
    record = rounded(plain(table))
    table = restored(Table, record)
    texts = {path: with_section(path, readme_section(table, language)) for path, language in readmes.items()}
    output.mkdir(parents=True, exist_ok=True)
    texts[output / JSON_FILE] = json.dumps(record, ensure_ascii=False, indent=1) + "\n"
    texts[output / MARKDOWN_FILE] = markdown(table)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")


def with_section(path: Path, section: str) -> str:
    """A README's text with the section between its markers exchanged.

    :raises SourceError: when it has no such markers
    """
    text = path.read_text(encoding="utf-8")
    if _SECTION.search(text) is None:
        raise SourceError(
            f"{path} has no section {START} … {END}.", "Put the two markers where the table belongs."
        )
    return _SECTION.sub(lambda _: section, text, count=1)


def section_of(path: Path) -> str:
    """The section of a README, its markers included; "" where it has none."""
    found = _SECTION.search(path.read_text(encoding="utf-8"))
    return found.group() if found else ""


def readme_section(table: Table, language: Language) -> str:
    """The short table with its markers: nDCG@10, the legs, recall."""
    header = [
        _word(key, language) if key in _WORDS else key
        for key in (
            "set",
            "documents",
            "questions",
            "recall@1",
            "recall@5",
            "nDCG@10",
            "dense",
            "lexical",
            "ms",
        )
    ]
    rows = []
    for row in _all(table):
        name = _word("average", language) if row is table.average else inline(row.name)
        if row.reason:
            rows.append([f"{name} ({_word('unread', language)})", *["–"] * (len(header) - 1)])
            continue
        rows.append(
            [
                name,
                f"{row.documents:,}",
                f"{row.n:,}",
                *(_value(row, FUSED, metric) for metric in ("recall@1", "recall@5")),
                _with_interval(row, FUSED, MAIN),
                *(_value(row, leg, MAIN) for leg in LEGS),
                f"{row.milliseconds:.0f}",
            ]
        )
    told = _word("told", language).format(
        date=table.date[:10],
        commit=(f" ({table.commit})" if language == "en" else f"（{table.commit}）") if table.commit else "",
        machine=inline(table.machine),
        embedding=inline(table.embedding),
    )
    return f"{START}\n{markdown_table(header, rows, range(1, len(header)))}\n\n{told}\n{END}"


def markdown(table: Table) -> str:
    """The whole report."""
    changed = ", ".join(f"{name} = {value}" for name, value in table.settings.items())
    facts = (
        ("date", table.date),
        ("commit", table.commit or "–"),
        ("machine", table.machine),
        ("embedding model", table.embedding),
        ("seed", str(table.seed)),
        ("settings that differ from the defaults", changed or "none"),
    )
    parts = [
        "# Retrieval",
        "Made by `make bench` (`python -m eval.regression`); not edited by hand.",
        "\n".join(f"- {name}: {inline(value)}" for name, value in facts),
        _first(table),
        _NOTE,
        "## Each metric, fused and by each leg alone",
        _second(table),
    ]
    failed = [row for row in table.rows if row.reason]
    if failed:
        told = "\n".join(f"- {inline(row.name)}: {inline(row.reason)}" for row in failed)
        parts.append(f"## Sets that could not be measured\n\n{told}")
    return "\n\n".join(parts) + "\n"


def _first(table: Table) -> str:
    header = [
        "set",
        "documents",
        "chunks",
        "n",
        *SHOWN,
        *(_word(leg, "en") for leg in LEGS),
        "difference",
        "ms",
    ]
    rows = []
    for row in _all(table):
        if row.reason:
            rows.append([inline(row.name), *["–"] * (len(header) - 3), inline(row.reason), "–"])
            continue
        rows.append(
            [
                inline(row.name),
                f"{row.documents:,}",
                f"{row.chunks:,}",
                f"{row.n:,}",
                *(_value(row, FUSED, metric) for metric in SHOWN if metric != MAIN),
                _with_interval(row, FUSED, MAIN),
                *(_value(row, leg, MAIN) for leg in LEGS),
                _difference(row.differences.get(MAIN)),
                f"{row.milliseconds:.0f}",
            ]
        )
    return markdown_table(header, rows, range(1, len(header)))


def _second(table: Table) -> str:
    header = ["set", "metric", FUSED, *LEGS, "difference to the better leg"]
    rows = [
        [
            inline(row.name) if first else "",
            metric,
            *(_with_interval(row, kind, metric) for kind in (FUSED, *LEGS)),
            _difference(row.differences.get(metric)),
        ]
        for row in _all(table)
        if not row.reason
        for first, metric in zip((True, *(False,) * len(SHOWN)), SHOWN, strict=False)
    ]
    return markdown_table(header, rows, range(2, len(header)))


def _all(table: Table) -> Sequence[Row]:
    return (*table.rows, table.average) if table.average is not None else table.rows


def _mean(row: Row, kind: str, metric: str) -> Mean | None:
    return row.means.get(kind, {}).get(metric)


def _value(row: Row, kind: str, metric: str) -> str:
    found = _mean(row, kind, metric)
    return figure(found.value) if found is not None else "–"


def _with_interval(row: Row, kind: str, metric: str) -> str:
    found = _mean(row, kind, metric)
    return f"{figure(found.value)} {span(found.low, found.high)}" if found is not None else "–"


def _difference(found: Difference | None) -> str:
    if found is None:
        return "–"
    leg = f" ({found.leg})" if found.leg else ""
    return f"{signed(found.value)} [{signed(found.low)}, {signed(found.high)}]{leg}"


def _word(key: str, language: Language) -> str:
    return _WORDS[key][1 if language == "zh" else 0]
