"""Does this passage bear out this sentence? Numbers, dates, names, bodies, negation and wording. Pure, given a comparison.

A sentence is checked against windows of one to three sentences of the passages. Strict things (`rag.facts`, bodies) must
all be in the window or in what frames it (title, heading, the speaker named before it in the same paragraph); wording
must overlap, or, across languages, mean the same by the embedding. Sentences that give orders to a model
(`rag.addressed`) bear nothing out.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag.addressed import addressed_spans
from rag.bearing import is_heading, is_question, misplaced, only_announces, other_row, other_year
from rag.bodies import Body, bodies_in
from rag.cross_lingual import Comparison, nearest
from rag.facts import Facts, facts_of, missing_fact, opposed
from rag.framing import folded_frame
from rag.names import is_person, names_in
from rag.numerals import ungrouped
from rag.pinyin import sounds_like
from rag.relative_dates import same_time
from rag.text import bigrams, fold, has_han, script_of, sentences
from rag.types import Passage
from rag.wording import AROUND, Wording, echoes, repeats, verbatim, wording_of

_LEAST_FOREIGN = 0.7
"""Probability from which a sentence in another language says what a claim does: 0.93 of what is said passes, 0.10 of what stands
beside it does (XQuAD, articles held out, 206 and 266).
"""
_LONGEST_WINDOW = 3
_WHOSE = ("name ", "body ", "person ")
"""Faults that tell that the words are not those of the one who is named."""
_LEAST_OWN = 0.5
"""Share of what a claim says beyond a question for what somebody said that a sentence holds itself."""
_HARDLY_MORE = 0.05
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?=年|\b)")
LIST_MARK = re.compile(r"^\s*(?:[-*•·]|\(?\d{1,2}[.、)）](?!\d)|[（(][一二三四五六七八九十\d]+[)）])\s*")
_NO_ANSWER = re.compile(
    r"(?:资料|文件|文中|材料|原文|以上|上述|文档|信息)[^。，]{0,12}(?:没有|未|并未|无)[^。]{0,6}"
    r"(?:提到|提及|说|涉及|给出|提供|包含|说明|明确|相关)"
    r"|(?:没有|未|并未)(?:提到|提及|说明|给出|提供)[^。]{0,20}$|无法(?:回答|确定|得知|判断)"
    r"|(?:documents?|sources?|text|passages?|information|context)[^.]{0,40}(?:do(?:es)? not|don't|doesn't|did not|no)\b"
    r"[^.]{0,30}(?:say|mention|tell|provide|specif|state|contain|include|information)|\bno information\b"
    r"|\bnot (?:mentioned|specified|stated|provided)\b|cannot be (?:determined|answered)"
)
_ONE_SIGN = re.compile("[0-9a-z零一二两三四五六七八九十百千]")
"""One character that is a whole answer: a number, a letter."""
_NO_FACTS = Facts((), frozenset(), ())
_LEAD_IN = re.compile(r"[:：]$")


@dataclass(frozen=True, slots=True)
class Assertion:
    """A sentence to be checked, without markers; ``lead`` is the line it stands under, whose bodies count as its own."""

    text: str
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What verification knows of the question.

    ``text`` is the question folded, ``names`` its words that only a name can be (folded), ``relevance`` tells how
    much of the question a folded text holds, 0 to 1, ``years`` are the years that it names, ``speakers`` the persons whose words it
    asks for (folded), ``statement`` whether it asks what somebody said or promised: what only announces that something follows is
    no answer to that.
    """

    text: str
    names: tuple[str, ...]
    relevance: Callable[[str], float]
    years: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    statement: bool = False


@dataclass(frozen=True, slots=True)
class Support:
    """What bears a sentence out: the passage's position, the range in its document, and how well it does."""

    passage: int
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome for one sentence: its support, or the fault that the nearest window has."""

    support: Support | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class _Stated:
    """A sentence as it is compared: its text, folded, its wording, its facts, and the bodies and names that its evidence must
    have; ``known`` is the sentence with its question, ``years`` are the question's.
    """

    text: str
    folded: str
    wording: Wording
    facts: Facts
    bodies: Sequence[Body]
    names: Sequence[str]
    known: str
    years: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Window:
    passage: int
    start: int
    end: int
    text: str
    folded: str
    frame: str
    about: str
    opening: str
    length: int
    published: str | None
    heading: bool
    announces: bool


def says_no_answer(sentence: str) -> bool:
    """Whether a sentence says that the documents do not tell."""
    return _NO_ANSWER.search(fold(sentence)) is not None


def is_claim(sentence: str) -> bool:
    """Whether a sentence asserts something that can be checked: not a lead-in to a list, nor a bare list mark."""
    body = LIST_MARK.sub("", sentence).strip()
    if _LEAD_IN.search(body):
        return False
    return len(bigrams(body)) >= 1 or _ONE_SIGN.fullmatch(fold(body).strip(AROUND)) is not None


def verify(
    claims: Sequence[Assertion],
    passages: Sequence[Passage],
    comparison: Comparison | None = None,
    asked: Asked | None = None,
) -> list[Finding]:
    """Check sentences against passages.

    :param comparison: used where wording alone does not decide; without it, such sentences are unsupported
    :param asked: the question. A sentence that only repeats it is no answer; a name that a sentence takes over from it
        must be in the evidence; and of places that bear a sentence out equally well ("28个" alone), the one that
        speaks of what was asked is cited
    :returns: one finding a sentence, in order
    """
    windows = [window for index, passage in enumerate(passages) for window in _windows(index, passage)]
    if asked is not None and asked.statement:
        windows = [window for window in windows if not window.announces]
    return [_verify_one(claim, windows, comparison, asked) for claim in claims]


def _verify_one(
    assertion: Assertion, windows: Sequence[_Window], comparison: Comparison | None, asked: Asked | None
) -> Finding:
    claim = LIST_MARK.sub("", assertion.text).strip()
    folded = ungrouped(fold(claim))
    if not windows:
        return Finding(None, "no passage")
    if asked is not None and (repeats(folded, asked.text) or echoes(folded, asked.text)):
        return Finding(None, "repeats the question")
    names = tuple(name for name in asked.names if name in folded) if asked is not None else ()
    lead = fold(assertion.lead)
    names += tuple(name.folded for name in names_in(lead) if name.person)
    names += asked.speakers if asked is not None else ()
    foreign = script_of(claim) == "en"
    said = _Stated(
        claim,
        folded,
        wording_of(folded, english=foreign),
        facts_of(folded, persons=not foreign),
        bodies_in(fold(f"{assertion.lead} {claim}")),
        names,
        f"{asked.text if asked is not None else ''}\n{lead}\n{folded}",
        asked.years if asked is not None else (),
    )
    stands_in = verbatim(folded)
    # A name or a number is the same in any language.
    domestic = [w for w in windows if has_han(w.text) != foreign or stands_in(w.folded)]
    abroad = [w for w in windows if has_han(w.text) == foreign]
    faults: list[tuple[float, str]] = []
    unnamed: list[tuple[float, _Window, str]] = []
    best: Support | None = None
    least = said.wording.least
    shares = (
        1.0 if stands_in(w.folded) else said.wording.share(w.folded, w.frame, heading=w.heading)
        for w in domestic
    )
    scored = sorted(
        ((share, -domestic[index].length, index) for index, share in enumerate(shares)), reverse=True
    )
    for wording, _, index in scored[:12]:
        window = domestic[index]
        if wording < least.with_meaning:
            faults.append((wording, "wording"))
            break
        fault = _strict_fault(said, window)
        if fault.startswith(_WHOSE):
            unnamed.append((wording, window, fault))
        elif not fault:
            # What says it alone, and not of the one that is named, is not made that one's by the sentence beside it.
            alone = [f for told, one, f in unnamed if _inside(one, window) and told >= wording - _HARDLY_MORE]
            fault = next(iter(alone), "")
        if not fault and asked is not None and asked.statement:
            # That somebody said something is not told by a document's title.
            fault = "" if said.wording.own_share(window.folded, asked.text) >= _LEAST_OWN else "wording"
        if not fault and wording < least.wording:
            meaning = float(comparison.similarity([claim], [window.text])[0, 0]) if comparison else 0.0
            fault = "" if meaning >= least.meaning else "wording"
        if fault:
            faults.append((wording, fault))
            continue
        # A longer window must earn its length: the tightest one that bears the sentence out is cited.
        score = wording - 0.06 * (window.length - 1)
        if asked is not None:
            score += 0.2 * asked.relevance(f"{window.frame}\n{window.folded}")
        if best is None or score > best.score:
            best = Support(window.passage, window.start, window.end, score)
    if best is None and abroad and comparison is not None:
        best, fault = _foreign_support(said, abroad, comparison)
        if fault:
            faults.append((0.0, fault))
    if best is not None:
        return Finding(best)
    return Finding(None, max(faults)[1] if faults else "wording")


def _inside(one: _Window, other: _Window) -> bool:
    return one.passage == other.passage and one.start >= other.start and one.end <= other.end


def _foreign_support(
    stated: _Stated, windows: Sequence[_Window], comparison: Comparison
) -> tuple[Support | None, str]:
    """Support in another language: a sentence that says what the claim does (`rag.cross_lingual`)."""
    single = [window for window in windows if window.length == 1]
    exact = bool(stated.facts.amounts or stated.facts.dates or stated.facts.months)
    fault = "wording"
    for found in nearest(stated.text, [window.text for window in single], comparison, exact=exact):
        if found.probability < _LEAST_FOREIGN:
            break
        window = single[found.sentence]
        fault = _strict_fault(replace(stated, names=()), window)
        if not fault:
            return Support(window.passage, window.start, window.end, found.probability), ""
    return None, fault


@functools.lru_cache(maxsize=64)
def _windows(index: int, passage: Passage) -> tuple[_Window, ...]:
    """The windows of a passage, remembered: what is put right is checked against the same ones again."""
    chunk = passage.chunk
    orders = addressed_spans(chunk.text)
    spans = sentences(chunk.text)
    announces = [
        only_announces(chunk.text[start:end]) or chunk.text[start:end].strip() == passage.source.title.strip()
        for start, end in spans
    ]
    found = []
    for first in range(len(spans)):
        line_start = chunk.text.rfind("\n", 0, spans[first][0]) + 1
        before = chunk.text[line_start : spans[first][0]]
        at, until = chunk.start + spans[first][0], chunk.start + spans[first][1]
        about = folded_frame(passage, at, until)
        frame = f"{about}\n{fold(before)}"
        opening = fold(chunk.text[spans[first][0] : spans[first][1]])
        for length in range(1, min(_LONGEST_WINDOW, len(spans) - first) + 1):
            start, end = spans[first][0], spans[first + length - 1][1]
            if any(begun < end and ended > start for begun, ended in orders):
                break
            last = spans[first + length - 1]
            heading = is_heading(chunk.text, *last, chunk.heading)
            if is_question(chunk.text[slice(*last)]) or (heading and length > 1):
                continue
            text = chunk.text[start:end]
            folded = ungrouped(fold(text))
            found.append(
                _Window(
                    index,
                    chunk.start + start,
                    chunk.start + end,
                    text,
                    folded,
                    frame,
                    about,
                    opening,
                    length,
                    passage.source.published,
                    heading,
                    any(announces[first : first + length]),
                )
            )
    return tuple(found)


def _strict_fault(said: _Stated, window: _Window) -> str:
    evidence = f"{window.frame}\n{window.folded}"
    if fault := _other_year(said.folded, window):
        return fault
    # What stands before in the paragraph tells who speaks, but a number there is another sentence's.
    near = f"{window.about}\n{window.folded}"
    exact, persons = replace(said.facts, persons=()), Facts((), frozenset(), said.facts.persons)
    if fault := missing_fact(exact, said.folded, _facts(near), near):
        return fault
    if fault := missing_fact(persons, said.folded, _NO_FACTS, evidence):
        return fault
    # A body named only later in the window is not the one whose words these are.
    present = bodies_in(f"{window.frame}\n{window.opening}")
    for body in said.bodies:
        if body not in present:
            return f"body {body.name}"
    # A name in Chinese characters does not stand in English text, whoever speaks there.
    for name in said.names if has_han(window.text) else ():
        if name not in evidence and not _typed_by_sound(name, evidence):
            return f"name {name}"
    if year := other_year(said.folded, said.facts, window.folded, said.years):
        return f"date {year}"
    if number := misplaced(said.folded, said.facts, window.folded):
        return f"number {number}"
    if not said.wording.words and other_row(said.facts, window.folded, said.known):
        return "wording"
    return opposed(said.folded, window.folded)


def _typed_by_sound(name: str, evidence: str) -> bool:
    """Whether a question's word that no dictionary has stands in the evidence in the right characters (监都, 监督); a person's name
    must be as it is written.
    """
    if is_person(name) or len(name) < 2:
        return False
    return any(
        sounds_like(name, evidence[at : at + len(name)]) for at in range(len(evidence) - len(name) + 1)
    )


def _other_year(folded_claim: str, window: _Window) -> str:
    """The year that a claim names where the window speaks of other years alone; its document's own year does not count then."""
    here = set(_YEAR.findall(window.folded))
    if not here:
        return ""
    for year in _YEAR.findall(folded_claim):
        if year not in here and not same_time(f"{year}年", None, window.text, window.published):
            return f"date {year}"
    return ""


@functools.lru_cache(maxsize=512)
def _facts(folded_evidence: str) -> Facts:
    """The facts of a window, remembered: each sentence of an answer looks at the same ones."""
    return facts_of(folded_evidence, persons=False)
