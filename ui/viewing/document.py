"""A document's text as HTML: its structure, its pages, stretches of it marked, in its own or another script. Pure.

Offsets are of the text as it is stored. It is cut first and each piece converted afterwards, so that a mark stands where
it belongs even where conversion changes a length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from rag.text import has_han, to_script
from rag.types import Document, Mark
from ui.rendering.sources import file_name, title_of
from ui.texts import TEXTS, Language
from ui.viewing.texts import VIEWER_TEXTS, ViewerTexts

Shown = Literal["original", "zh-Hans", "zh-Hant"]
TARGET = "wz-view-target"
"""The id of the first mark, to which the page scrolls."""
WINDOW = 120_000
"""Characters that are shown at a time: more would make a browser slow."""


@dataclass(frozen=True, slots=True)
class View:
    """What is to be shown: marked ranges, script, and the offset around which to show a long text.

    ``page`` is that of the cited passage, for the link to the original; ``changed`` that the document is not the one
    that was cited any more, so that nothing is marked.
    """

    ranges: tuple[tuple[int, int], ...] = ()
    script: Shown = "original"
    around: int | None = None
    page: int | None = None
    changed: bool = False
    original: bool = False


@dataclass(frozen=True, slots=True)
class _Block:
    start: int
    end: int
    mark: Mark | None


def render_document(document: Document, language: Language, view: View = View()) -> str:
    """The whole viewer for one document: what it is, what can be done, and its text."""
    texts = VIEWER_TEXTS[language]
    source = document.source
    title = title_of(source)
    facts = [source.published or texts.undated, source.issuer or ""]
    if source.pages:
        facts.append(texts.pages.format(count=source.pages))
    facts.append(file_name(source.path))
    listed = "".join(f"<span>{escape(fact)}</span>" for fact in facts if fact)
    notices = "".join(
        f'<p class="wz-view-notice" role="status">{escape(words)}</p>'
        for words, told in (
            (texts.changed, view.changed),
            (texts.converted, view.script != "original"),
        )
        if told
    )
    return (
        f'<header class="wz-view-head"><p class="wz-actions"><button type="button" class="wz-small" data-view="back">'
        f"{escape(texts.back)}</button>{_script_switch(document, view, texts)}{_original(document, view, texts)}</p>"
        f'<h2>{escape(title)}</h2><p class="wz-facts">{listed}</p></header>{notices}'
        f'<div class="wz-view-text" tabindex="0" role="region" aria-label="{escape(title)}">'
        f"{render_text(document, language, view)}</div>"
    )


def render_text(document: Document, language: Language, view: View = View()) -> str:
    """The text, at most `WINDOW` characters of it, with buttons for what comes before and after."""
    texts = VIEWER_TEXTS[language]
    ranges = [] if view.changed else joined_ranges(view.ranges, len(document.text))
    first, last = _window(len(document.text), view.around, ranges)
    page: int | None = None
    pieces: list[str] = []
    targeted = False
    shown_first: int | None = None
    shown_last = 0
    for block in _blocks(document):
        if block.end <= first or block.start >= last:
            continue
        shown_first = block.start if shown_first is None else shown_first
        shown_last = block.end
        if block.mark is not None and block.mark.page is not None and block.mark.page != page:
            page = block.mark.page
            pieces.append(f'<p class="wz-view-page">{escape(TEXTS[language].page.format(page=page))}</p>')
        inner, marked = _marked(document.text, block, ranges, view.script, targeted)
        targeted = targeted or marked
        pieces.append(_element(block.mark, inner))
    before = after = ""
    if shown_first is not None and document.text[:shown_first].strip():
        before = _button(max(0, shown_first - WINDOW // 2), texts.earlier)
    if document.text[shown_last:].strip() and shown_first is not None:
        after = _button(shown_last + WINDOW // 2, texts.later)
    return f"{before}{''.join(pieces)}{after}"


def joined_ranges(ranges: Iterable[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """The ranges within a text of this length, in order, overlapping ones joined; empty and reversed ones left out."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted((max(0, start), min(length, end)) for start, end in ranges):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _window(length: int, around: int | None, ranges: Sequence[tuple[int, int]]) -> tuple[int, int]:
    centre = around if around is not None else ranges[0][0] if ranges else 0
    first = max(0, min(centre, length) - WINDOW // 2)
    return first, first + WINDOW


def _blocks(document: Document) -> Iterator[_Block]:
    """The text cut into the parts that the file told of, and lines where it told nothing."""
    position = 0
    for mark in document.marks:
        if mark.start < position or mark.end > len(document.text) or mark.end <= mark.start:
            continue
        yield from _lines(document.text, position, mark.start)
        yield _Block(mark.start, mark.end, mark)
        position = mark.end
    yield from _lines(document.text, position, len(document.text))


def _lines(text: str, start: int, end: int) -> Iterator[_Block]:
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        # A line that is longer than can be shown at once is cut.
        for position in range(start, stop, WINDOW // 4):
            if text[position : min(stop, position + WINDOW // 4)].strip():
                yield _Block(position, min(stop, position + WINDOW // 4), None)
        start = stop + 1


def _marked(
    text: str, block: _Block, ranges: Sequence[tuple[int, int]], script: Shown, targeted: bool
) -> tuple[str, bool]:
    """The block's text with what is marked of it, and whether anything is."""
    pieces: list[str] = []
    position, found = block.start, False
    for start, end in ranges:
        left, right = max(start, block.start), min(end, block.end)
        if left >= right:
            continue
        name = "" if targeted or found else f' id="{TARGET}"'
        found = True
        pieces.append(_written(text[position:left], script))
        pieces.append(f"<mark{name}>{_written(text[left:right], script)}</mark>")
        position = right
    pieces.append(_written(text[position : block.end], script))
    return "".join(pieces), found


def _written(text: str, script: Shown) -> str:
    return escape(text if script == "original" or not text else to_script(text, script))


def _element(mark: Mark | None, inner: str) -> str:
    kind = mark.kind if mark is not None else "paragraph"
    level = min(max(mark.level if mark is not None else 0, 1), 4)
    if kind == "heading":
        return f'<p class="wz-view-heading" role="heading" aria-level="{level + 2}" data-level="{level}">{inner}</p>'
    return f'<p class="wz-view-{kind}" data-level="{level}">{inner}</p>'


def _button(around: int, words: str) -> str:
    return (
        f'<p class="wz-actions"><button type="button" class="wz-small" data-view="around" data-around="{around}">'
        f"{escape(words)}</button></p>"
    )


def _script_switch(document: Document, view: View, texts: ViewerTexts) -> str:
    if not has_han(document.text[:WINDOW]):
        return ""
    buttons = "".join(
        f'<button type="button" class="wz-small" data-view="script" data-script="{name}" '
        f'aria-pressed="{"true" if name == view.script else "false"}"{tag}>{escape(words)}</button>'
        for name, words, tag in (
            ("original", texts.script_original, ""),
            ("zh-Hans", texts.script_simplified, ' lang="zh-CN"'),
            ("zh-Hant", texts.script_traditional, ' lang="zh-TW"'),
        )
    )
    return f'<span class="wz-view-scripts" role="group" aria-label="{escape(texts.script)}">{buttons}</span>'


def _original(document: Document, view: View, texts: ViewerTexts) -> str:
    if not view.original:
        return ""
    is_pdf = document.source.media_type == "application/pdf"
    place = f"#page={view.page}" if is_pdf and view.page else ""
    words = texts.original_page.format(page=view.page) if place else texts.original
    return (
        f'<a class="wz-small" href="wenzheng/documents/{escape(document.source.id)}/original{place}" target="_blank" '
        f'rel="noopener">{escape(words)}</a>'
    )
