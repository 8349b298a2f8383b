"""The text of an answer as HTML: paragraphs, lists, links to sources; what failed the check struck through."""

from __future__ import annotations

import re
from html import escape

from rag.types import Answer, Claim
from ui.rendering.sources import group_citations, source_id, title_of
from ui.texts import Texts

MARKER = re.compile(r"\[(\d{1,3})\]")
"""``[n]`` in an answer."""


_BULLET = re.compile(r"\s*[-*•·]\s+")


_ORDINAL = re.compile(r"\s*(\d{1,2})(?:[.)]\s+|、\s*)")


_QUOTE_LIMIT = 160


def render_answer_text(answer: Answer, turn: int, texts: Texts) -> str:
    """The answer's text: paragraphs, lists, links to sources; what failed the check is struck through."""
    if not answer.text.strip():
        return ""
    inline = _Inline(answer, turn, texts)
    blocks: list[str] = []
    paragraph: list[str] = []
    items: list[str] = []
    kind = ""

    def flush() -> None:
        nonlocal kind
        if paragraph:
            blocks.append(f"<p>{'<br>'.join(paragraph)}</p>")
            paragraph.clear()
        if items:
            blocks.append(f"<{kind}>{''.join(items)}</{kind}>")
            items.clear()
        kind = ""

    position = 0
    for line in answer.text.split("\n"):
        start, end = position, position + len(line)
        position = end + 1
        bullet = _BULLET.match(line)
        ordinal = _ORDINAL.match(line)
        if not line.strip():
            flush()
        elif bullet or ordinal:
            wanted = "ul" if bullet else "ol"
            if kind != wanted:
                flush()
            kind = wanted
            match = bullet or ordinal
            body = inline.render(start + (match.end() if match else 0), end)
            # The number is kept as written: an answer may begin at 3, or skip one.
            items.append(
                f'<li value="{int(ordinal.group(1))}">{body}</li>' if ordinal else f"<li>{body}</li>"
            )
        else:
            if items:
                flush()
            paragraph.append(inline.render(start, end))
    flush()
    return "".join(blocks)


class _Inline:
    """Renders stretches of an answer's text: escapes, links ``[n]``, strikes what failed the check."""

    def __init__(self, answer: Answer, turn: int, texts: Texts) -> None:
        self._text = answer.text
        self._turn = turn
        self._texts = texts
        # A refusal shows its passages unnumbered, so there is nothing that a number could lead to.
        self._cited = {} if answer.outcome == "refused" else group_citations(answer.citations)
        self._struck = sorted(
            (claim for claim in answer.claims if claim.verdict == "unsupported"),
            key=lambda claim: claim.start,
        )

    def render(self, start: int, end: int) -> str:
        """The stretch ``text[start:end]``."""
        parts: list[str] = []
        position = start
        for claim in self._struck:
            left, right = max(claim.start, position), min(claim.end, end)
            if left >= right:
                continue
            parts.append(self._linked(position, left))
            parts.append(self._strike(claim, left, right))
            position = right
        parts.append(self._linked(position, end))
        return "".join(parts)

    def _strike(self, claim: Claim, start: int, end: int) -> str:
        texts = self._texts
        why = texts.unsupported.format(reason=claim.reason) if claim.reason else texts.unsupported_plain
        return f'<del class="wz-unsupported" title="{escape(why)}">{self._linked(start, end)}</del>'

    def _linked(self, start: int, end: int) -> str:
        parts: list[str] = []
        position = start
        for match in MARKER.finditer(self._text, start, end):
            parts.append(escape(self._text[position : match.start()]))
            parts.append(self._reference(int(match.group(1)), match.group(0)))
            position = match.end()
        parts.append(escape(self._text[position:end]))
        return "".join(parts)

    def _reference(self, number: int, marker: str) -> str:
        found = self._cited.get(number)
        if not found:
            return f'<span class="wz-ref-open">{escape(marker)}</span>'
        quote = " …… ".join(" ".join(c.quote.split()) for c in found)
        if len(quote) > _QUOTE_LIMIT:
            quote = quote[: _QUOTE_LIMIT - 1] + "…"
        label = self._texts.source_label.format(number=number)
        return (
            f'<a class="wz-ref" href="#{source_id(self._turn, number)}" data-turn="{self._turn}" '
            f'data-source="{number}" data-title="{escape(title_of(found[0].passage.source))}" '
            f'data-quote="{escape(quote)}" aria-label="{escape(f"{label}: {quote}")}">{escape(marker)}</a>'
        )
