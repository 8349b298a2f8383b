"""Two runs compared, as Markdown and as one self-contained HTML page. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from eval.comparison import Change, Comparison
from eval.reporting import markdown as md
from eval.reporting.cases import answer, part
from eval.reporting.markup import breakable, document, escape, table
from eval.reporting.page import fact_list
from eval.reporting.shapes import FEW, Language, PairedLike
from eval.reporting.texts import figure, probability, signed, span, word
from eval.results import CaseResult
from rag.text import clip

P = TypeVar("P", bound=PairedLike)
Words = Callable[[P], str]
"""Says one metric's comparison in words."""

MOST = 25
"""Changed cases listed in either direction."""


def verdict(paired: PairedLike, language: Language = "en") -> str:
    """One metric's comparison in words: no difference is called sure whose interval holds zero."""
    if not paired.wins and not paired.losses:
        return word("same", language)
    sure = not paired.low <= 0 <= paired.high and paired.p < 0.05
    if not sure:
        told = word("unsure", language, n=paired.n)
    else:
        told = word(
            "better" if paired.wins > paired.losses else "worse",
            language,
            d=figure(abs(paired.difference)),
        )
    return f"{told} ({word('few', language)})" if paired.n < FEW else told


def comparison_markdown(
    comparison: Comparison[P], *, language: Language = "en", in_words: Words[P] | None = None
) -> str:
    """The comparison as Markdown; ``in_words`` says a metric's verdict, `verdict` where None."""
    header = [word(key, language) for key in ("metric", "a", "b", "difference", "interval", "p")]
    header += [word(key, language) for key in ("balance", "cases_n", "verdict")]
    rows = [[md.inline(cell) for cell in row] for row in _rows(comparison.metrics, language, in_words)]
    parts = [
        f"# {word('comparison', language)}: {md.inline(comparison.info_a.benchmark)}",
        f"- {word('a', language)}: {md.inline(_run(comparison.info_a.id, comparison.info_a.date))}\n"
        f"- {word('b', language)}: {md.inline(_run(comparison.info_b.id, comparison.info_b.date))}",
        " ".join(_notes(comparison, language)),
        f"## {word('metrics', language)}\n\n{md.table(header, rows, range(1, 8))}",
        f"## {word('what_differs', language)}\n\n{_settings(comparison, language)}",
    ]
    for key, changes in (("better_cases", comparison.better), ("worse_cases", comparison.worse)):
        listed = [_change_markdown(change, language) for change in changes[:MOST]]
        if len(changes) > MOST:
            listed.append(word("more", language, n=len(changes) - MOST))
        title = f"## {word(key, language)} ({len(changes):,})"
        parts.append("\n\n".join([title, *(listed or [word("no_cases", language)])]))
    return "\n\n".join(parts) + "\n"


def comparison_page(
    comparison: Comparison[P], *, language: Language = "en", in_words: Words[P] | None = None
) -> str:
    """The comparison as one HTML file without anything from elsewhere; arguments as for the Markdown."""
    title = f"{word('comparison', language)}: {comparison.info_a.benchmark}"
    header = [word(key, language) for key in ("metric", "a", "b", "difference", "interval", "p")]
    header += [word(key, language) for key in ("balance", "cases_n", "verdict")]
    metrics = [
        [breakable(name), *map(escape, cells)]
        for name, *cells in _rows(comparison.metrics, language, in_words)
    ]
    differing = [
        [escape(cell) for cell in (name, before, after)]
        for name, (before, after) in comparison.settings.items()
    ]
    labels = [word("setting", language), "A", "B"]
    differs = word("what_differs", language)
    runs = fact_list(
        [
            (word("a", language), _run(comparison.info_a.id, comparison.info_a.date)),
            (word("b", language), _run(comparison.info_b.id, comparison.info_b.date)),
        ]
    )
    shown = table(labels, differing, differs) if differing else f"<p>{word('nothing_differs', language)}</p>"
    parts = [
        f'<header class="top"><h1>{escape(title)}</h1>{runs}'
        f'<p class="note">{" ".join(_notes(comparison, language))}</p></header>',
        f"<main><h2>{word('metrics', language)}</h2>"
        f"{table(header, metrics, word('metrics', language), 'compared wide stacked')}",
        f"<h2>{differs}</h2>{shown}",
    ]
    for key, changes in (("better_cases", comparison.better), ("worse_cases", comparison.worse)):
        listed = "".join(_change_page(change, language) for change in changes[:MOST])
        if len(changes) > MOST:
            listed += f'<p class="note">{word("more", language, n=len(changes) - MOST)}</p>'
        parts.append(
            f"<h2>{word(key, language)} ({len(changes):,})</h2>{listed or word('no_cases', language)}"
        )
    return document(title, "\n".join([*parts, "</main><footer></footer>"]), language)


def _run(name: str, date: str) -> str:
    return f"{name} ({date})"


def _notes(comparison: Comparison[P], language: Language) -> list[str]:
    notes = [
        word("shared", language, n=comparison.shared, a=comparison.only_a, b=comparison.only_b),
    ]
    if comparison.reworded:
        notes.append(word("reworded", language, n=comparison.reworded))
    if {"mode", "only_retrieval"} & set(comparison.settings):
        notes.append(word("modes_differ", language))
    if _judged_otherwise(comparison):
        notes.append(word("judges_differ", language))
    if len(comparison.metrics) > 1:
        notes.append(word("chance", language, n=len(comparison.metrics)))
    return notes


def _judged_otherwise(comparison: Comparison[P]) -> bool:
    """Whether both runs were judged, and not by the same model under the same prompts."""
    a, b = comparison.info_a.judge, comparison.info_b.judge
    return a is not None and b is not None and (a.model, a.prompts) != (b.model, b.prompts)


def _rows(metrics: Mapping[str, P], language: Language, in_words: Words[P] | None) -> Sequence[Sequence[str]]:
    return [
        [
            name,
            figure(paired.mean_a),
            figure(paired.mean_b),
            signed(paired.difference),
            span(paired.low, paired.high),
            probability(paired.p),
            f"{paired.wins} / {paired.losses} / {paired.ties}",
            f"{paired.n:,}",
            in_words(paired) if in_words else verdict(paired, language),
        ]
        for name, paired in metrics.items()
    ]


def _settings(comparison: Comparison[P], language: Language) -> str:
    if not comparison.settings:
        return word("nothing_differs", language)
    rows = [
        [md.inline(str(cell)) for cell in (name, before, after)]
        for name, (before, after) in comparison.settings.items()
    ]
    return md.table([word("setting", language), "A", "B"], rows)


def _change_markdown(change: Change, language: Language) -> str:
    case = change.a.case
    rows = [
        [name, word(result.loss, language), md.inline(clip(_told(result, language), 400))]
        for name, result in (("A", change.a), ("B", change.b))
    ]
    header = ["", word("loss", language), word("answer", language)]
    gold = md.inline("; ".join(clip(text, 200) for text in case.answers[:4])) or "–"
    return (
        f"### {md.inline(clip(case.id, 60))}: {md.inline(clip(case.question, 200))}\n\n"
        f"{word('gold', language)}: {gold}\n\n{md.table(header, rows)}"
    )


def _told(result: CaseResult, language: Language) -> str:
    return result.error or result.text or word("no_answer", language)


def _change_page(change: Change, language: Language) -> str:
    case = change.a.case
    sides = []
    for name, result in (("A", change.a), ("B", change.b)):
        tone = "good" if result.loss == "none" else "bad"
        error = f'<p class="error">{escape(clip(result.error, 1000))}</p>' if result.error else ""
        sides.append(
            f'<div><h3>{name} <span class="tag {tone}">{word(result.loss, language)}</span></h3>'
            f"{error}{answer(result, language)}</div>"
        )
    gold = "".join(f"<li>{escape(clip(text, 400))}</li>" for text in case.answers[:6])
    expected = part("gold", f"<ul>{gold}</ul>" if gold else "–", language)
    return (
        f'<details class="case" open><summary><span class="id">{escape(clip(case.id, 60))}</span>'
        f'<span class="q">{escape(clip(case.question, 300))}</span></summary>'
        f'<div class="body">{expected}<div class="pair">{"".join(sides)}</div></div></details>'
    )
