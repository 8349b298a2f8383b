"""The report of a run as one HTML file that works offline, also without its script. Pure.

Everything that comes from documents, questions and the model is untrusted and goes through `markup.escape`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from eval.reporting import facts, plots
from eval.reporting.cases import body, line
from eval.reporting.markup import breakable, document, escape, table
from eval.reporting.shapes import FEW, Curves, Groups, Language, MeanLike, Means
from eval.reporting.texts import LOSSES, figure, is_few, span, word
from eval.results import CaseResult, RunInfo

RIGHT_SAMPLE = 200
"""How many right cases are kept in full; those that are not right are all kept while there is room."""
DETAIL_BYTES = 11_000_000
"""Room for the cases' details, so that the page stays under some 15 MB and opens fast."""
_CUTS = (400, 200, 100)


def page(
    info: RunInfo,
    results: Sequence[CaseResult],
    summary: Means,
    groups: Groups,
    curves: Curves,
    *,
    language: Language = "en",
    descriptions: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    main: Sequence[str] = (),
    detail_bytes: int = DETAIL_BYTES,
) -> str:
    """The whole page.

    Arguments as for `markdown.markdown`; ``main`` names the metrics drawn by type, the first of ``summary`` where
    empty; ``detail_bytes`` is the room for the cases' details, in bytes of UTF-8.
    """
    title = f"{word('report', language)}: {info.benchmark}"
    defaults = facts.default_settings() if defaults is None else defaults
    main = [name for name in main if name in summary] or list(summary)[:1]
    parts = [
        f'<a class="skip" href="#cases">{word("skip", language)}</a>',
        f'<header class="top"><h1>{escape(title)}</h1>{_head(info, len(results), defaults, language)}</header>',
        f"<main>{_metrics(results, summary, descriptions or {}, language)}",
        _judge(info, results, language),
        _plots(results, groups, curves, main, language),
        f'<div class="split">{_losses(results, language)}{_latency(results, language)}</div>',
        *(_grouped(key, rows, list(summary), language) for key, rows in groups.items() if any(rows)),
        _cases(results, info.seed, detail_bytes, language),
        "</main><footer></footer>",
    ]
    return document(title, "\n".join(parts), language)


def fact_list(pairs: Sequence[tuple[str, str]]) -> str:
    """Label and text side by side."""
    rows = (f"<div><dt>{escape(label)}</dt><dd>{escape(text)}</dd></div>" for label, text in pairs)
    return f'<dl class="facts">{"".join(rows)}</dl>'


def _head(info: RunInfo, done: int, defaults: Mapping[str, Any], language: Language) -> str:
    changed = facts.changed_settings(info.settings, defaults)
    listed = "; ".join(
        f"{name} = {value} ({word('default', language)}: {default})"
        for name, (value, default) in changed.items()
    )
    pairs = [*facts.head(info, done, language)]
    return (
        f"{fact_list(pairs)}<p><b>{word('settings', language)}:</b> "
        f"{escape(listed or word('settings_none', language))}</p>"
    )


def _count(n: int, language: Language) -> str:
    few = f' <span class="tag few">{word("few", language)}</span>' if n < FEW else ""
    return f"{n:,}{few}"


def _metrics(
    results: Sequence[CaseResult], summary: Means, descriptions: Mapping[str, str], language: Language
) -> str:
    rows = []
    for name, mean in summary.items():
        scale = 1.0 if mean.high <= 1 else mean.high
        row = [
            escape(name),
            f'<span class="mean">{figure(mean.value)}</span>',
            plots.interval_bar(mean, scale) if scale == 1.0 else "",
            f'<span class="range">{span(mean.low, mean.high)}</span>',
            _count(mean.n, language),
        ]
        if descriptions:
            row.append(escape(descriptions.get(name, "")))
        rows.append(row)
    header = [word("metric", language), word("value", language), "0 – 1", word("interval", language)]
    header.append(word("cases_n", language))
    if descriptions:
        header.append(word("meaning", language))
    notes = [word("absent_note", language)]
    if any(is_few(mean) for mean in summary.values()):
        notes.append(word("few_note", language))
    if failed := sum(bool(result.error) for result in results):
        notes.append(word("failed_note", language, n=failed))
    name = word("metrics", language)
    classes = "metrics stacked" if descriptions else "stacked"
    return (
        f"<section><h2>{name}</h2>{table(header, rows, name, f'{classes} figures-some')}"
        f'<p class="note">{" ".join(notes)}</p></section>'
    )


def _judge(info: RunInfo, results: Sequence[CaseResult], language: Language) -> str:
    rows = [[escape(cell) for cell in row] for row in facts.judge_rows(info, language)]
    if not rows:
        return ""
    title = word("judge", language)
    header = [escape(cell) for cell in facts.judge_header(language)]
    notes = " ".join(escape(note) for note in facts.judge_notes(info, results, language))
    return (
        f'<section id="judge"><h2>{title}</h2>{table(header, rows, title, "figures stacked")}'
        f'<p class="note">{notes}</p></section>'
    )


def _plots(
    results: Sequence[CaseResult], groups: Groups, curves: Curves, main: Sequence[str], language: Language
) -> str:
    figures = []
    right = word("share_right", language)
    for name in main:
        by_type: dict[str, MeanLike] = {
            group or word("no_type", language): means[name]
            for group, means in groups.get("type", {}).items()
            if name in means
        }
        if len(by_type) > 1:
            title = word("bars", language, metric=name)
            figures.append(_figure(title, plots.bars(by_type, title), word("bars_how", language)))
    if curves.reliability:
        title = word("reliability", language)
        svg = plots.reliability(curves.reliability, word("reliability_x", language), right, title)
        figures.append(
            _figure(title, svg, word("reliability_how", language), "calibration", curves.error, language)
        )
    if curves.coverage:
        title = word("coverage", language)
        svg = plots.coverage(curves.coverage, word("coverage_x", language), right, title)
        figures.append(_figure(title, svg, word("coverage_how", language), "area", curves.area, language))
    seconds = [took for result in results if not result.error and (took := facts.took(result)) is not None]
    if seconds:
        title = word("histogram", language)
        svg = plots.histogram(seconds, word("seconds", language), word("count", language), title)
        figures.append(_figure(title, svg, word("histogram_how", language)))
    return f'<div class="plots">{"".join(figures)}</div>'


def _figure(
    title: str, svg: str, how: str, key: str = "", value: float | None = None, language: Language = "en"
) -> str:
    told = f"<b>{word(key, language, value=figure(value))}</b>. " if key and value is not None else ""
    return f"<figure><h3>{escape(title)}</h3>{svg}<figcaption>{told}{how}</figcaption></figure>"


def _losses(results: Sequence[CaseResult], language: Language) -> str:
    rows = []
    for name, count, share in facts.losses(results):
        label = word(name, language)
        link = f'<a href="#loss-{name}" data-loss="{name}">{label}</a>' if count else label
        rows.append([link, f"{count:,}", f"{share:.1%}"])
    title = word("losses", language)
    header = [word(key, language) for key in ("loss", "count", "share")]
    return (
        f'<section><h2>{title}</h2>{table(header, rows, title)}<p class="note">{word("losses_note", language)}</p>'
        "</section>"
    )


def _latency(results: Sequence[CaseResult], language: Language) -> str:
    found = facts.latencies(results)
    if not found:
        return ""
    rows = [
        [escape(row.name), *map(figure, (row.median, row.p90, row.p99, row.longest)), f"{row.n:,}"]
        for row in found
    ]
    header = [word(key, language) for key in ("until", "median", "p90", "p99", "longest", "cases_n")]
    slow = "".join(
        f'<li><span class="mono">{escape(result.case.id)}</span> {figure(seconds)} {word("seconds", language)}</li>'
        for result, seconds in facts.slowest(results)
    )
    title = word("latency", language)
    return (
        f"<section><h2>{title}</h2>{table(header, rows, title, 'figures')}"
        f'<p class="note">{word("latency_note", language)}</p><h3>{word("slowest", language)}</h3>'
        f'<ol class="note">{slow}</ol></section>'
    )


def _grouped(key: str, rows: Mapping[str, Means], names: Sequence[str], language: Language) -> str:
    """A row for each metric and a column for each group: there are many metrics and few groups."""
    lines = []
    for name in names:
        if any(name in means for means in rows.values()):
            cells = [_mean(means.get(name)) for means in rows.values()]
            lines.append([f'<span class="mono">{breakable(name)}</span>', *cells])
    title = word(f"by_{key}", language) if key in ("type", "lang") else word("by_other", language, key=key)
    header = [word("metric", language)]
    for group, means in rows.items():
        n = max((mean.n for mean in means.values()), default=0)
        header.append(
            f'{escape(group) or word("no_type", language)}<br><span class="range">{word("cases_n", language)} '
            f"{_count(n, language)}</span>"
        )
    return f"<section><h2>{escape(title)}</h2>{table(header, lines, title, 'figures wide groups')}</section>"


def _mean(mean: MeanLike | None) -> str:
    if mean is None:
        return "–"
    return (
        f'<span class="mean">{figure(mean.value)}</span><br><span class="range">'
        f"{span(mean.low, mean.high)}</span>"
    )


def _cases(results: Sequence[CaseResult], seed: int, detail_bytes: int, language: Language) -> str:
    bodies, cut = _details(results, seed, detail_bytes, language)
    sections = []
    for loss in LOSSES:
        of_loss = [i for i, result in enumerate(results) if result.loss == loss]
        if of_loss:
            listed = "\n".join(line(results[i], bodies.get(i), language) for i in of_loss)
            sections.append(
                f'<section class="group" id="loss-{loss}"><h3>{word(loss, language)} ({len(of_loss):,})</h3>\n'
                f"{listed}</section>"
            )
    return (
        f'<section id="cases"><h2>{word("cases", language)}</h2>{_sampling(results, bodies, cut, language)}'
        f"{_filters(results, language)}"
        f'<p class="nothing" hidden>{word("nothing", language)}</p>{"".join(sections)}</section>'
    )


def _details(
    results: Sequence[CaseResult], seed: int, room: int, language: Language
) -> tuple[dict[int, str], int]:
    """The details of the cases that have them, by their place, and how many characters of a passage they show.

    Passages are cut shorter until everything fits; where it never does, the categories take turns, so that a frequent
    one does not push out the others.
    """
    right = [i for i, result in enumerate(results) if result.loss == "none"]
    if len(right) > RIGHT_SAMPLE:
        right = sorted(random.Random(seed).sample(right, RIGHT_SAMPLE))  # noqa: S311 - a sample, not a secret
    by_loss = [
        [i for i, result in enumerate(results) if result.loss == loss] for loss in LOSSES if loss != "none"
    ]
    turns = [i for turn in zip_longest(*by_loss, right) for i in turn if i is not None]
    bodies: dict[int, str] = {}
    for cut in _CUTS:
        bodies = {}
        used = 0
        for i in turns:
            made = body(results[i], cut, language)
            used += len(made.encode("utf-8"))
            if used > room:
                break
            bodies[i] = made
        else:
            return bodies, cut
    return bodies, _CUTS[-1]


def _sampling(results: Sequence[CaseResult], bodies: Mapping[int, str], cut: int, language: Language) -> str:
    all_right = sum(result.loss == "none" for result in results)
    right = sum(results[i].loss == "none" for i in bodies)
    notes = [word("cut", language, n=cut)]
    if len(bodies) < len(results):
        told = word(
            "sampled",
            language,
            full=f"{len(bodies):,}",
            right=f"{right:,}",
            all_right=f"{all_right:,}",
            rest=f"{len(results) - len(bodies):,}",
        )
        notes.insert(0, told)
    if left_out := len(results) - all_right - (len(bodies) - right):
        notes.append(word("left_out", language, n=f"{left_out:,}"))
    return f'<p class="note">{" ".join(notes)}</p>'


def _filters(results: Sequence[CaseResult], language: Language) -> str:
    present = {result.loss for result in results}
    options: dict[str, list[tuple[str, str]]] = {
        "loss": [(name, word(name, language)) for name in LOSSES if name in present],
        "type": [
            (name, name or word("no_type", language)) for name in sorted({r.case.type for r in results})
        ],
        "outcome": [
            (name, word(name, language)) for name in sorted({r.outcome for r in results if r.outcome})
        ],
    }
    selects = "".join(
        f'<label>{word(name, language)}<select name="{name}"><option value="">{word("all", language)}</option>'
        + "".join(f'<option value="{escape(value)}">{escape(label)}</option>' for value, label in choices)
        + "</select></label>"
        for name, choices in options.items()
        if len(choices) > 1
    )
    if 'name="loss"' not in selects:
        # The rows of the table of losses set this field, so it is there even when it offers no choice.
        selects = f'<select name="loss" hidden><option value=""></option></select>{selects}'
    return (
        f'<form class="filters" role="search"><label class="wide-field">{word("search", language)}'
        f'<input type="search" name="search" placeholder="{word("search_hint", language)}"></label>{selects}'
        f'<button type="reset">{word("clear", language)}</button>'
        f'<p class="tally" role="status" data-unit="{word("of_cases", language)}"></p></form>'
    )
