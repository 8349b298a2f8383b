"""Speakers in English sentences: "Tian He, director of the housing bureau, said ..."."""

from __future__ import annotations

import re

from ingest.attribution.quotations import Page
from ingest.attribution.speakers import Cue, Who
from ingest.attribution.subjects import Known
from rag.bodies import mentions

_TITLE_WORDS = (
    "director|deputy|head|chief|secretary|mayor|chairman|chairwoman|chair|manager|spokesman|spokeswoman|spokesperson|"
    "president|minister|commissioner|officer|governor|general|vice|party"
)
_SAYS = re.compile(
    r"\b(?:said|says|pledged|promised|announced|stressed|added|noted|explained|vowed|emphasi[sz]ed|stated|told reporters)\b"
)
_NAME = re.compile(r"[A-Z][a-z]+(?:-[a-z]+)?(?: [A-Z][a-z]+(?:-[a-z]+)?){0,3}")
_PRONOUN = re.compile(r"(?:and |but )?(?:he|she)(?: also| then| further)?\s*$")
_PASSIVE = re.compile(r"\b(?:was|is|were|be|been|are|as|it|which|that|who)\s*$")
_TITLE = re.compile(rf"\b(?:{_TITLE_WORDS})\b")
_REST = re.compile(
    rf"(?:'s|,|\s|\b(?:the|a|an|of|and|also|has|have|had|its|for|district|city|county|municipal|local|{_TITLE_WORDS})\b)*$"
)
_NO_NAME = re.compile(
    rf"(?:{_TITLE_WORDS}|the|on|in|at|a|an|but|and|district|city|county|municipal|bureau|department|office|commission|"
    "committee|monday|tuesday|wednesday|thursday|friday|saturday|sunday|mr|mrs|ms|dr|this|these|for|after|when|however)"
)


def english_cues(page: Page, known: Known, start: int, end: int, i: int) -> list[Cue]:
    """The cue of the ``i``th sentence, if it is an English one that names its speaker."""
    for match in _SAYS.finditer(page.masked, start, end):
        begin = start
        shut = page.masked.rfind("”", start, match.start())
        if shut >= 0:
            begin = shut + 1
        left = page.masked[begin : match.start()]
        if page.quotation_at(match.start()) is not None or len(left) > 160:
            continue
        if not left.strip(" ,"):
            stop = min(
                [p for p in (page.masked.find(c, match.end(), end) for c in ".“;") if p >= 0], default=end
            )
            right = page.text[match.end() : stop]
            who = (
                _english_who(page, known, right, right.lower(), i)
                if begin in page.closing or begin == start
                else None
            )
            cue_start = begin
        else:
            if _PASSIVE.search(left):
                return []
            who = _english_who(page, known, page.text[begin : match.start()], left, i)
            cue_start = begin + len(left) - len(left.lstrip(" ,"))
        if who is None:
            return []
        at = match.end()
        while at < end and page.masked[at] in ", :":
            at += 1
        return [Cue(cue_start, at, who)]
    return []


def _english_who(page: Page, known: Known, original: str, lowered: str, i: int) -> Who | None:
    if _PRONOUN.fullmatch(lowered.strip(" ,") + " "):
        return known.last if known.near(page, i) else None
    found = mentions(lowered)
    body = found[0][2].name if found else ""
    free = original
    for start, stop, _ in found:
        free = free[:start] + " " * (stop - start) + free[stop:]
    names: list[str] = []
    for match in _NAME.finditer(free):
        words = [w for w in match.group().split() if not _NO_NAME.fullmatch(w.lower())]
        if words:
            names.append(" ".join(words))
    names = [name for name in names if name in known.people or " " in name or _english_known(known, name)]
    if names:
        if old := _english_known(known, names[0]):
            return old
        if not (body or _TITLE.search(lowered) or original.strip(" ,") == names[0]):
            return None
        return known.keep(names[0], body, names[0])
    if found and _REST.match(lowered, found[-1][1]) and re.match(r"[\sa-z,]*$", lowered[: found[0][0]]):
        title = _TITLE.search(lowered)
        return Who(title.group() if title else "", body)
    return None


def _english_known(known: Known, name: str) -> Who | None:
    if name in known.people:
        return known.people[name]
    same = [who for other, who in known.people.items() if name in other.split()]
    return same[0] if len(same) == 1 else None
