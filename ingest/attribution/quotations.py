"""Quotations: where they are in a text, the copy with them blanked out, and to whom they belong."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from ingest.attribution.levelling import level
from ingest.attribution.speakers import Cue, Who
from rag.text import sentences

_LONGEST_QUOTATION = 3000
_LONGEST_TERM = 12

_QUOTE_MARK = re.compile('[“”「」"\n]')
_FILLED = re.compile("[^\n]")


@dataclass(slots=True)
class Quotation:
    """A quotation that is longer than a term, and whose it is."""

    start: int
    end: int
    who: Who | None = None
    assumed: bool = False
    """Whether it is only its place after a speech that gives it to that speaker."""


class Page:
    """A text with its sentences, its levelled copy, and that copy with what is quoted blanked out."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.level = level(text)
        self.spans = sentences(text)
        self.quotations: list[Quotation] = []
        self.masked = self._mask()
        self._opens = [quotation.start for quotation in self.quotations]
        self.closing = {quotation.end: quotation for quotation in self.quotations}
        self.english = re.search(r"[a-z]{3} [a-z]{2}", self.level) is not None

    def _mask(self) -> str:
        """The levelled text with what is quoted blanked out; quotations that are longer than a term are kept apart."""
        pieces: list[str] = []
        cursor = 0
        opened: int | None = None
        closer = ""
        for match in _QUOTE_MARK.finditer(self.level):
            mark, at = match.group(), match.start()
            if opened is None:
                if mark in '“「"':
                    opened, closer = at, {"“": "”", "「": "」", '"': '"'}[mark]
                continue
            if mark == "\n":
                if closer == '"' or at - opened > _LONGEST_QUOTATION or not self._still_open(at, closer):
                    pieces.append(self.level[cursor:at])
                    self.quotations.append(Quotation(opened, at))
                    pieces[-1] = self.level[cursor:opened] + "“" + "□" * (at - opened - 1)
                    cursor, opened = at, None
                continue
            if mark != closer:
                continue
            inner = self.level[opened + 1 : at]
            term = len(inner) <= _LONGEST_TERM and not re.search(r"[。!?,;.\n…]", inner)
            blank = _FILLED.sub("□", inner)
            pieces.append(self.level[cursor:opened] + (f"□{blank}□" if term else f"“{blank}”"))
            if not term:
                self.quotations.append(Quotation(opened, at + 1))
            cursor, opened = at + 1, None
        pieces.append(self.level[cursor:])
        return "".join(pieces)

    def _still_open(self, line_end: int, closer: str) -> bool:
        """Whether a quotation goes on past this line: the next line opens again, or closes before it opens."""
        opener = "“" if closer == "”" else "「"
        after = self.level[line_end : line_end + _LONGEST_TERM].lstrip()
        if after.startswith(opener):
            return True
        window = self.level[line_end : line_end + 600]
        shut, again = window.find(closer), window.find(opener)
        return shut >= 0 and (again < 0 or shut < again)

    def quotation_at(self, at: int) -> Quotation | None:
        """The quotation that a place lies in."""
        index = bisect_right(self._opens, at) - 1
        if index < 0:
            return None
        quotation = self.quotations[index]
        return quotation if quotation.start <= at < quotation.end else None

    def quoted(self, start: int, sentence: str) -> bool:
        """Whether a sentence begins in a quotation or with one."""
        return sentence.startswith("“") or (sentence.startswith("□") and self.quotation_at(start) is not None)

    def quotation_closed(self, end: int) -> bool:
        """Whether a quotation closes right there."""
        return end in self.closing

    def claim(self, cues: list[Cue], i: int, owners: list[Who | None]) -> None:
        """Give the quotations right before and right after each cue to its speaker."""
        for cue in cues:
            if cue.who is None or cue.alone:
                continue
            at = cue.start
            while at > 0 and self.level[at - 1] in ", \t":
                at -= 1
            before = self.closing.get(at)
            if before is not None and (before.who is None or before.assumed):
                assumed, before.assumed = before.who, False
                before.who = cue.who
                j = i - 1
                while j >= 0 and self.spans[j][1] > before.start:
                    inside = self.spans[j][0] >= before.start
                    if inside or owners[j] is None or owners[j] is assumed:
                        owners[j] = cue.who
                    j -= 1
            after = self.quotation_at(cue.end)
            if after is not None and after.start == cue.end:
                after.who = cue.who


def opens_quote(masked: str, at: int) -> bool:
    """Whether a quotation opens right there in the masked text."""
    return masked[at : at + 1] == "“"
