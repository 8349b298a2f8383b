"""The evidence beside an answer, as HTML: what is cited, its sentences marked, and what else was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from html import escape
from pathlib import PurePosixPath, PureWindowsPath

from rag.types import Chunk, Citation, Passage, Source
from ui.rendering.types import RUNNING, Exchange
from ui.texts import TEXTS, Language, Texts


def render_sources(exchange: Exchange, language: Language, *, past: bool = False) -> str:
    """The evidence of one question: what the answer cites, sentences marked, then what else was found."""
    texts = TEXTS[language]
    answer = exchange.answer
    if answer is None or not (answer.passages or answer.citations):
        return ""
    turn = exchange.number
    cited = group_citations(answer.citations)
    used = {_identity(citation.passage) for citations in cited.values() for citation in citations}
    others = [passage for passage in answer.passages if _identity(passage) not in used]
    parts: list[str] = []
    if exchange.phase in RUNNING and not cited:
        parts += [_heading(texts.sources_found, len(others)), *(_plain_source(p, texts) for p in others)]
    elif answer.outcome == "refused" or not cited:
        heading = texts.sources_nearest if answer.outcome == "refused" else texts.sources_found
        # A refusal rests on no sentence: nothing is marked even where a citation has slipped in.
        parts += [
            _heading(heading, len(answer.passages)),
            *(_plain_source(p, texts) for p in answer.passages),
        ]
    else:
        parts.append(_heading(texts.sources_cited, len(cited)))
        parts += [_cited_source(number, found, turn, texts) for number, found in cited.items()]
        if others:
            parts.append(
                f'<details class="wz-others"><summary>{escape(texts.sources_other)}'
                f'<span class="wz-count">{len(others)}</span></summary>'
                f"{''.join(_plain_source(p, texts) for p in others)}</details>"
            )
    top = ""
    if past:
        top = (
            f'<div class="wz-past-head"><p><span>{escape(texts.sources_past)}</span>'
            f"{escape(exchange.question)}</p>"
            f'<button type="button" class="wz-link" data-action="latest">'
            f"{escape(texts.sources_latest)}</button></div>"
        )
    return (
        f'<section class="wz-sources" data-turn="{turn}" aria-label="{escape(texts.sources_title)}">'
        f"{top}{''.join(parts)}</section>"
    )


def render_no_sources(language: Language) -> str:
    """What the panel says before the first question."""
    return f'<p class="wz-placeholder">{escape(TEXTS[language].sources_empty)}</p>'


def render_marked(chunk: Chunk, citations: Sequence[Citation]) -> str:
    """The passage with the cited ranges marked.

    A citation may reach out of its passage on either side, or lie beside it: its quote then supplies the text
    that the passage lacks, and a gap that neither covers is shown as one.
    """
    pieces: list[str] = []
    marks = _union((c.start, c.end) for c in citations)
    previous: int | None = None
    for start, text in _evidence(chunk, citations):
        if previous is not None:
            pieces.append('<span class="wz-gap">……</span>')
        position = start
        end = start + len(text)
        for mark_start, mark_end in marks:
            left, right = max(mark_start, start), min(mark_end, end)
            if left >= right:
                continue
            pieces.append(escape(text[position - start : left - start]))
            pieces.append(f"<mark>{escape(text[left - start : right - start])}</mark>")
            position = right
        pieces.append(escape(text[position - start :]))
        previous = end
    return "".join(pieces)


def group_citations(citations: Iterable[Citation]) -> dict[int, list[Citation]]:
    """The citations of each number, in the order of the numbers."""
    grouped: dict[int, list[Citation]] = {}
    for citation in sorted(citations, key=lambda c: (c.number, c.start)):
        grouped.setdefault(citation.number, []).append(citation)
    return grouped


def render_panel_head(language: Language) -> str:
    """The heading of the sources panel, with the button that closes it where it is a sheet."""
    texts = TEXTS[language]
    return (
        f'<div class="wz-panel-head"><h2 id="wz-sources-title">{escape(texts.sources_title)}</h2>'
        f'<button type="button" class="wz-small wz-close" data-action="close">'
        f"{escape(texts.sources_close)}</button></div>"
    )


def _heading(text: str, count: int) -> str:
    return f'<h3>{escape(text)}<span class="wz-count">{count}</span></h3>' if count else ""


def _cited_source(number: int, citations: Sequence[Citation], turn: int, texts: Texts) -> str:
    passage = citations[0].passage
    label = escape(texts.source_label.format(number=number))
    return (
        f'<article class="wz-source" id="{source_id(turn, number)}" tabindex="-1" aria-label="{label}">'
        f'<header><span class="wz-number" aria-hidden="true">{number}</span>'
        f"{_source_head(passage, texts, [(c.start, c.end) for c in citations])}</header>"
        f"<blockquote>{_where(passage)}{render_marked(_trimmed(passage.chunk), citations)}</blockquote>"
        "</article>"
    )


def _plain_source(passage: Passage, texts: Texts) -> str:
    return (
        f'<article class="wz-source"><header>{_source_head(passage, texts)}</header>'
        f"<blockquote>{_where(passage)}{escape(passage.chunk.text.strip())}</blockquote></article>"
    )


def _source_head(passage: Passage, texts: Texts, ranges: Sequence[tuple[int, int]] = ()) -> str:
    source, chunk = passage.source, passage.chunk
    at = ",".join(f"{start}-{end}" for start, end in ranges or [(chunk.start, chunk.end)])
    title = title_of(source)
    label = escape(texts.source_open.format(title=title))
    button = (
        f'<button type="button" class="wz-open-document" data-document="{escape(source.id)}" data-at="{at}" '
        f'data-page="{chunk.page or ""}" data-digest="{escape(source.digest)}" title="{label}" aria-label="{label}">'
        f"{escape(title)}</button>"
    )
    facts = [escape(source.published) if source.published else escape(texts.undated)]
    if source.issuer:
        facts.append(escape(source.issuer))
    if passage.chunk.page is not None:
        facts.append(escape(texts.page.format(page=passage.chunk.page)))
    facts.append(
        f'<span class="wz-file" title="{escape(source.path)}">{escape(file_name(source.path))}</span>'
    )
    inner = "".join(f"<span>{fact}</span>" for fact in facts[:-1]) + facts[-1]
    return f'<div><h4>{button}</h4><p class="wz-facts">{inner}</p></div>'


def _where(passage: Passage) -> str:
    heading = passage.chunk.heading.strip()
    return f'<span class="wz-where">{escape(heading)}</span>' if heading else ""


def source_id(turn: int, number: int) -> str:
    """The id of a cited source's element, which ``[n]`` in the answer links to."""
    return f"wz-{turn}-source-{number}"


def title_of(source: Source) -> str:
    """What a document is called on the page."""
    return source.title.strip() or file_name(source.path)


def file_name(path: str) -> str:
    """The last part of a path, of whichever system."""
    # A library built on Windows may be read elsewhere: both kinds of separator are understood.
    name = PureWindowsPath(path).name if "\\" in path else PurePosixPath(path).name
    return name or path


def _identity(passage: Passage) -> tuple[str, int, int]:
    return passage.chunk.document_id, passage.chunk.start, passage.chunk.end


def _trimmed(chunk: Chunk) -> Chunk:
    """The chunk without white space around it, which would be shown as empty lines."""
    lead = len(chunk.text) - len(chunk.text.lstrip())
    text = chunk.text.strip()
    return replace(chunk, text=text, start=chunk.start + lead, end=chunk.start + lead + len(text))


def _evidence(chunk: Chunk, citations: Sequence[Citation]) -> list[tuple[int, str]]:
    """What passage and quotes supply of the document's text: stretches (start, text), apart and in order."""
    spans = [(chunk.start, chunk.text)]
    spans += [
        (c.start, c.quote)
        for c in citations
        # Text whose length belies its offsets would put every mark after it in the wrong place.
        if c.passage.chunk.document_id == chunk.document_id and len(c.quote) == c.end - c.start
    ]
    spans.sort(key=lambda span: span[0])
    merged: list[tuple[int, str]] = []
    for start, text in spans:
        if merged and start <= merged[-1][0] + len(merged[-1][1]):
            first, so_far = merged[-1]
            merged[-1] = (first, so_far + text[first + len(so_far) - start :])
        else:
            merged.append((start, text))
    return merged


def _union(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
