"""The report of a run as Markdown, for terminals, pull requests and archives. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from eval.reporting import facts
from eval.reporting.shapes import FEW, Groups, Language, Means
from eval.reporting.texts import figure, is_few, span, word
from eval.results import CaseResult, RunInfo
from eval.storage import encodable
from rag.text import clip

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def inline(text: str) -> str:
    """Text from data as one line that Markdown shows as it is, in a table cell as well."""
    return _SPECIAL.sub(r"\\\1", _CONTROL.sub(" ", encodable(text)).strip())


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A Markdown table of cells that are Markdown already; ``right`` are the columns aligned to the right."""
    rule = ["---:" if column in right else "---" for column in range(len(header))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


def markdown(
    info: RunInfo,
    results: Sequence[CaseResult],
    summary: Means,
    groups: Groups,
    *,
    language: Language = "en",
    descriptions: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> str:
    """The whole report.

    ``summary`` is each metric's mean, ``groups`` the means by "type" and "lang"; ``descriptions`` say what a metric
    means; ``defaults`` are the settings that are not worth a word, the program's own where None.
    """
    parts = [
        f"# {word('report', language)}: {inline(info.benchmark)}",
        "\n".join(f"- {label}: {inline(text)}" for label, text in facts.head(info, len(results), language)),
        _settings(info, facts.default_settings() if defaults is None else defaults, language),
        _metrics(results, summary, descriptions or {}, language),
        _judge(info, results, language),
    ]
    for key, rows in groups.items():
        if len(rows) > 1 or any(rows):
            label = (
                word(f"by_{key}", language)
                if key in ("type", "lang")
                else word("by_other", language, key=key)
            )
            parts.append(f"## {label}\n\n{_grouped(rows, list(summary), language)}")
    parts.append(_losses(results, language))
    parts.append(_latency(results, language))
    if failed := [result for result in results if result.error]:
        parts.append(_failed(failed, language))
    return "\n\n".join(part for part in parts if part) + "\n"


def _settings(info: RunInfo, defaults: Mapping[str, Any], language: Language) -> str:
    changed = facts.changed_settings(info.settings, defaults)
    title = word("settings", language)
    if not changed:
        return f"{title}: {word('settings_none', language)}."
    lines = [
        f"- {inline(name)} = {inline(str(value))} ({word('default', language)}: {inline(str(default))})"
        for name, (value, default) in changed.items()
    ]
    return f"{title}:\n\n" + "\n".join(lines)


def _metrics(
    results: Sequence[CaseResult], summary: Means, descriptions: Mapping[str, str], language: Language
) -> str:
    rows = []
    for name, mean in summary.items():
        n = f"{mean.n:,}" + (f" ({word('few', language)})" if is_few(mean) else "")
        rows.append([inline(name), figure(mean.value), span(mean.low, mean.high), n])
        if descriptions:
            rows[-1].append(inline(descriptions.get(name, "")))
    header = [word(key, language) for key in ("metric", "value", "interval", "cases_n")]
    if descriptions:
        header.append(word("meaning", language))
    notes = [word("absent_note", language)]
    if any(is_few(mean) for mean in summary.values()):
        notes.append(word("few_note", language))
    if failed := sum(bool(result.error) for result in results):
        notes.append(word("failed_note", language, n=failed))
    return f"## {word('metrics', language)}\n\n{table(header, rows, (1, 2, 3))}\n\n{' '.join(notes)}"


def _judge(info: RunInfo, results: Sequence[CaseResult], language: Language) -> str:
    rows = [[inline(cell) for cell in row] for row in facts.judge_rows(info, language)]
    if not rows:
        return ""
    told = table(facts.judge_header(language), rows, range(1, 5))
    notes = " ".join(inline(note) for note in facts.judge_notes(info, results, language))
    return f"## {word('judge', language)}\n\n{told}\n\n{notes}"


def _grouped(rows: Mapping[str, Means], names: Sequence[str], language: Language) -> str:
    names = [name for name in names if any(name in means for means in rows.values())]
    lines = []
    for group, means in rows.items():
        n = max((mean.n for mean in means.values()), default=0)
        cells = [inline(group) or word("no_type", language)]
        cells.append(f"{n:,}" + (f" ({word('few', language)})" if n < FEW else ""))
        for name in names:
            mean = means.get(name)
            cells.append(f"{figure(mean.value)} {span(mean.low, mean.high)}" if mean else "–")
        lines.append(cells)
    header = [word("group", language), word("cases_n", language), *map(inline, names)]
    return table(header, lines, range(1, len(header)))


def _losses(results: Sequence[CaseResult], language: Language) -> str:
    rows = [
        [word(name, language), f"{count:,}", f"{share:.1%}"] for name, count, share in facts.losses(results)
    ]
    header = [word(key, language) for key in ("loss", "count", "share")]
    title, note = word("losses", language), word("losses_note", language)
    return f"## {title}\n\n{table(header, rows, (1, 2))}\n\n{note}"


def _latency(results: Sequence[CaseResult], language: Language) -> str:
    found = facts.latencies(results)
    if not found:
        return ""
    rows = [
        [inline(row.name), *map(figure, (row.median, row.p90, row.p99, row.longest)), f"{row.n:,}"]
        for row in found
    ]
    header = [word(key, language) for key in ("until", "median", "p90", "p99", "longest", "cases_n")]
    slow = [
        [inline(result.case.id), figure(seconds), inline(clip(result.case.question, 80))]
        for result, seconds in facts.slowest(results)
    ]
    slow_header = [word(key, language) for key in ("case", "seconds", "question")]
    return (
        f"## {word('latency', language)}\n\n{word('latency_note', language)}\n\n{table(header, rows, range(1, 6))}\n\n"
        f"### {word('slowest', language)}\n\n{table(slow_header, slow, (1,))}"
    )


def _failed(failed: Sequence[CaseResult], language: Language, most: int = 20) -> str:
    rows = [
        [inline(result.case.id), inline(clip(result.case.question, 60)), inline(clip(result.error, 200))]
        for result in failed[:most]
    ]
    text = f"## {word('failures', language)}\n\n"
    text += table([word(key, language) for key in ("case", "question", "error")], rows)
    return text + (f"\n\n{word('more', language, n=len(failed) - most)}" if len(failed) > most else "")
