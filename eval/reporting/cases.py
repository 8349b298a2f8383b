"""One case as HTML: its line in the list, and what opens under it. Pure; everything from data is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from eval.reporting.markup import escape
from eval.reporting.shapes import Language
from eval.reporting.texts import figure, word
from eval.results import CaseResult, Judgement, Retrieved
from rag.text import clip

MOST_PASSAGES = 10
"""Passages listed in full; of the others only those that were shown or hold the answer."""
_REST_CUT = 100
"""Characters of a passage that neither was shown nor holds the answer."""
_QUESTION, _ANSWER, _ITEM, _ITEMS = 600, 4000, 400, 12
"""Longest texts, in characters, and most items of a list: one odd record must not swell the page."""


def line(result: CaseResult, inner: str | None, language: Language) -> str:
    """A case's line; it opens to ``inner``, which is HTML already, or to nothing where that is None."""
    case = result.case
    data = (
        f'data-loss="{escape(result.loss)}" data-type="{escape(case.type)}" '
        f'data-outcome="{escape(result.outcome)}"'
    )
    tone = "good" if result.loss == "none" else "bad"
    tags = [f'<span class="tag {tone}">{word(result.loss, language)}</span>']
    if result.outcome and result.outcome != "answered":
        tags.append(f'<span class="tag">{escape(word(result.outcome, language))}</span>')
    if case.type:
        tags.append(f'<span class="tag">{escape(clip(case.type, 40))}</span>')
    head = (
        f'<span class="id">{escape(clip(case.id, 60))}</span>'
        f'<span class="q">{escape(clip(case.question, 160))}</span> {" ".join(tags)}'
    )
    if inner is None:
        return f'<div class="case line" {data}>{head}</div>'
    return f'<details class="case" {data}><summary>{head}</summary><div class="body">{inner}</div></details>'


def body(result: CaseResult, cut: int, language: Language) -> str:
    """What a case's line opens to. Passages that were shown or hold the answer are cut to ``cut`` characters."""
    case = result.case
    left = [part("question", _text(case.question, _QUESTION), language)]
    if case.history:
        turns = [
            f"<b>{word(t.role, language)}</b> {escape(clip(t.text, _ITEM))}" for t in case.history[-_ITEMS:]
        ]
        left.insert(0, part("history", _list(turns, plain=True), language))
    left.append(part("gold", _expected(result, language), language))
    right = [part("answer", answer(result, language), language)]
    if result.error:
        right.insert(
            0, f'<p class="error"><b>{word("error", language)}</b> {escape(clip(result.error, 1000))}</p>'
        )
    if result.citations:
        quotes = [
            f'[{cited.number}] <span class="mono">{escape(clip(cited.document, 80))}</span> '
            f"{escape(clip(cited.quote, _ITEM))}"
            for cited in result.citations[:_ITEMS]
        ]
        right.append(part("citations", _list(quotes, plain=True), language))
    parts = [f'<div class="pair"><div>{"".join(left)}</div><div>{"".join(right)}</div></div>']
    if result.passages:
        parts.append(part("passages", _passages(result, cut, language), language))
    if result.judgement is not None:
        parts.append(part("judge", _judgement(result.judgement, language), language))
    if result.metrics:
        parts.append(part("metrics", _pairs(result.metrics), language))
    if result.timings:
        tokens = ""
        if result.tokens_read is not None or result.tokens_written is not None:
            read, written = (
                "–" if n is None else f"{n:,}" for n in (result.tokens_read, result.tokens_written)
            )
            tokens = f'<p class="note">{word("tokens", language, read=read, written=written)}</p>'
        parts.append(part("timings", _pairs(result.timings) + tokens, language))
    return "".join(parts)


def part(key: str, inner: str, language: Language) -> str:
    """A titled part of a case; ``inner`` is HTML already."""
    return f"<div><h3>{word(key, language)}</h3>{inner}</div>"


def answer(result: CaseResult, language: Language) -> str:
    """The answer with its sentences marked by verdict, its outcome and why; sentences that were left out last."""
    if not result.text and not result.claims:
        told = f'<p class="note">{word("no_answer", language)}</p>'
        return told + _why(result, language)
    text = result.text
    out = []
    place = 0
    left_out = []
    for sentence, verdict in result.claims[:60]:
        found = text.find(sentence, place) if sentence else -1
        if found < 0:
            left_out.append((sentence, verdict))
            continue
        out.append(escape(text[place:found]))
        out.append(_sentence(sentence, verdict, language))
        place = found + len(sentence)
    out.append(escape(clip(text[place:], _ANSWER)))
    dropped = _list(_sentence(clip(text, _ITEM), verdict, language) for text, verdict in left_out[:_ITEMS])
    return (
        f'<p class="text">{"".join(out)}</p>{_why(result, language)}'
        f"{part('dropped', dropped, language) if left_out else ''}"
    )


def _sentence(sentence: str, verdict: str, language: Language) -> str:
    kind = verdict if verdict in ("supported", "unsupported", "not_a_claim") else ""
    return f'<span class="v {kind}" title="{escape(word(verdict, language))}">{escape(clip(sentence, _ANSWER))}</span>'


def _why(result: CaseResult, language: Language) -> str:
    told = [escape(word(result.outcome, language))] if result.outcome else []
    if result.confidence is not None:
        told.append(f"{word('confidence', language)} {figure(result.confidence)}")
    if result.reason:
        told.append(escape(clip(result.reason, _ITEM)))
    return f'<p class="note">{" · ".join(told)}</p>' if told else ""


def _expected(result: CaseResult, language: Language) -> str:
    case = result.case
    parts = []
    if not case.answerable:
        parts.append(f'<p class="text">{word("unanswerable", language)}</p>')
    if case.answers:
        parts.append(_list(escape(clip(text, _ITEM)) for text in case.answers[:_ITEMS]))
    for key, values in (
        ("required", [" / ".join(group) for group in case.required]),
        ("gold_documents", list(case.gold)),
        ("misleading", list(case.misleading)),
    ):
        if values:
            listed = escape("; ".join(clip(value, _ITEM) for value in values[:_ITEMS]))
            parts.append(f'<p class="note">{word(key, language)}: {listed}</p>')
    return "".join(parts)


def _passages(result: CaseResult, cut: int, language: Language) -> str:
    shown, gold = set(result.shown), set(result.case.gold)
    listed = [
        passage
        for place, passage in enumerate(result.passages)
        if place < MOST_PASSAGES or passage.number in shown
    ]
    # A ranking can be long and its document's passages many: the first ten that hold the answer are enough.
    extra = [p for p in result.passages[MOST_PASSAGES:] if p.document in gold and p.number not in shown][
        :MOST_PASSAGES
    ]
    out = [
        _passage(passage, passage.number in shown, passage.document in gold, cut, language)
        for passage in (*listed, *extra)
    ]
    further = len(result.passages) - len(out)
    note = f'<p class="note">{word("further", language, n=further)}</p>' if further else ""
    return "".join(out) + note


def _passage(passage: Retrieved, shown: bool, gold: bool, cut: int, language: Language) -> str:
    classes = f"passage{' is-shown' if shown else ''}{' is-gold' if gold else ''}"
    tags = "".join(
        f' <span class="tag {name}">{word(f"{name}_mark", language)}</span>'
        for name, holds in (("shown", shown), ("gold", gold))
        if holds
    )
    text = clip(passage.text, cut if shown or gold else min(cut, _REST_CUT))
    title = (
        f"{escape(clip(passage.title, 80))} " if passage.title and passage.title != passage.document else ""
    )
    return (
        f'<div class="{classes}">[{passage.number}] {title}<span class="mono">{escape(clip(passage.document, 80))}'
        f'</span> {figure(passage.score)}{tags}<p class="text">{escape(text)}</p></div>'
    )


def _judgement(judgement: Judgement, language: Language) -> str:
    told = [
        f"{escape(word(f'judge_{key}', language))} <b>{escape(word(f'verdict_{verdict}', language))}</b>"
        for key, verdict in (("faithful", judgement.faithful), ("correct", judgement.correct))
        if verdict is not None
    ]
    return f'<p class="note">{escape(judgement.model)}: {" · ".join(told) or "–"}</p>'


def _text(text: str, longest: int) -> str:
    return f'<p class="text">{escape(clip(text, longest))}</p>'


def _list(items: Iterable[str], *, plain: bool = False) -> str:
    classes = ' class="plain"' if plain else ""
    return f"<ul{classes}>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def _pairs(values: Mapping[str, float]) -> str:
    rows = (
        f'<li><span class="mono">{escape(name)}</span> <b>{figure(value)}</b></li>'
        for name, value in values.items()
    )
    return f'<ul class="pairs">{"".join(rows)}</ul>'
