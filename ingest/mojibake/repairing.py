"""The repair of a text: each suspected place solved, and what is not certain enough left as a gap."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ingest import pinyin
from ingest.mojibake.gbk import ANY_LEAD, characters, pair
from ingest.mojibake.language import CLOSERS, Language, log_add
from ingest.mojibake.lattice import Lattice
from ingest.mojibake.signs import GAP, IS_HAN, TONED
from ingest.mojibake.suspects import SUSPECT, is_suspicious
from ingest.mojibake.tokens import Token, read_tokens

_MARGIN = 16.0
"""Nats by which the damaged reading must beat the text as it stands: the odds against damage, and a reserve."""
_MARGIN_PROVED = 8.0
_CERTAIN = 0.985
_CERTAIN_PROVED = 0.93
"""The posterior from which a character counts as known; lower where an annotation proves the damage."""
_MOST_GAPS = 0.25
_MOST_GAPS_PROVED = 0.5
"""The share of doubtful characters from which a whole stretch is given up: doubt spreads to neighbours."""
_SHORTEST_SENTENCE = 8
_MAY_BE_MISSING = 0.015
_MAY_BE_MISSING_PROVED = 0.05
"""The probability of one more vanished pair from which a gap is put there."""
_LONGEST = 160
_BUDGET = 1500
"""Characters read in lattices per document, at some 10 ms each; damage beyond that stays as it is."""


@dataclass(frozen=True, slots=True)
class Repair:
    """``text[start:end]`` of the damaged text is to become ``text``."""

    start: int
    end: int
    text: str

    @property
    def whole(self) -> bool:
        """Whether everything lost was recovered."""
        return GAP not in self.text


def find(text: str) -> list[Repair]:
    """The damaged places of a text and what to put there, in order and without overlap; [] for clean text."""
    found: list[Repair] = []
    language: Language | None = None
    budget = _BUDGET
    at = 0
    while (suspect := SUSPECT.search(text, at)) is not None:
        at = suspect.end()
        if not is_suspicious(text, suspect.start()):
            continue
        if language is None:
            language = Language(text)
        before = _before(text, suspect.start(), found)
        repair, cost = _solve(text, suspect.start(), before, language)
        budget -= cost
        if budget < 0:
            break
        if repair is not None:
            found.append(repair)
            at = max(at, repair.end)
    return found


def _before(text: str, position: int, found: list[Repair]) -> str:
    """The characters of the line before a position, earlier repairs applied and annotations out."""
    start = max(0, position - 60)
    start = max(text.rfind("\n", start, position) + 1, start)
    pieces: list[str] = []
    cursor = start
    for repair in found[-60:]:
        if repair.end > cursor:
            pieces.append(text[cursor : max(cursor, repair.start)])
            pieces.append(repair.text)
            cursor = repair.end
    pieces.append(text[cursor:position])
    return pinyin.BRACKET.sub("", "".join(pieces))


def _solve(text: str, position: int, before: str, language: Language) -> tuple[Repair | None, int]:
    tokens: list[Token] = []
    for token in read_tokens(text, position + 1):
        tokens.append(token)
        if len(tokens) >= _LONGEST:
            break
    if not tokens:
        return None, 0
    left = _left_prefixes(before, language)
    starts = [ANY_LEAD]
    proved = False
    first = 0
    if tokens[0].kind == "orphan":
        first = 1
        starts = _leads_that_read(before, tokens[0].value)
        proved = bool(starts)
        if not starts:
            return _gap_only(text, position, tokens[0]), 0
    lattice = Lattice(tokens, first, left, starts, language)
    result = lattice.run(text[position])
    if result is None or result.advantage < (_MARGIN_PROVED if proved else _MARGIN):
        repair = _gap_only(text, position, tokens[0]) if tokens[0].kind == "orphan" else None
        return repair, lattice.read
    after = tokens[result.end] if result.end < len(tokens) else None
    last = result.chars[-1][0] if result.chars else ""
    proved = proved or (after is not None and after.kind == "annotation" and pinyin.reads(last, after.value))
    missing = _MAY_BE_MISSING_PROVED if proved else _MAY_BE_MISSING
    chars: list[tuple[str, float]] = []
    for char, certainty, dropped in result.chars:
        if dropped > missing:
            chars.append((GAP, 0.0))
        chars.append((char, certainty if char != GAP else 0.0))
    if not proved and _ends_a_term(before, chars):
        chars[0] = (GAP, 0.0)
    certain = _CERTAIN_PROVED if proved else _CERTAIN
    gaps = sum(certainty < certain for _, certainty in chars)
    end = tokens[result.end - 1].end
    if gaps > (_MOST_GAPS_PROVED if proved else _MOST_GAPS) * len(chars):
        return Repair(position, end, GAP), lattice.read
    restored = "".join(
        _as_written(char, language) if certainty >= certain else GAP for char, certainty in chars
    )
    return Repair(position, end, restored), lattice.read


def _ends_a_term(before: str, chars: list[tuple[str, float]]) -> bool:
    """Whether a full stop would end a few quoted words: a quoted term has none, a quoted sentence does."""
    if len(chars) < 2 or chars[0][0] != "。" or chars[1][0] not in CLOSERS:
        return False
    opened = max(before.rfind(sign) for sign in "“「『《（(")
    inside = before[opened + 1 :]
    return opened >= 0 and len(inside) < _SHORTEST_SENTENCE and not re.search("[，,、；;]", inside)


def _as_written(char: str, language: Language) -> str:
    """The character as the document writes it: full-width ASCII is half-width where the document does so."""
    if language.is_half_width and "\uff01" <= char <= "\uff5e":
        return chr(ord(char) - 0xFEE0)
    return char


def _gap_only(text: str, position: int, orphan: Token) -> Repair | None:
    """The mark for what is surely damaged but unsolved: a reading with tones whose bracket was swallowed."""
    if not TONED.search(orphan.value) or text[orphan.start] in "(（":
        return None
    nearby = max(0, position - 200)
    opened = max(text.rfind(bracket, nearby, position) for bracket in "(（")
    closed = max(text.rfind(bracket, nearby, position) for bracket in ")）\n")
    if opened > closed:
        return None
    return Repair(position, orphan.end, GAP)


def _left_prefixes(before: str, language: Language) -> list[tuple[str, float]]:
    """The unfinished words before the damage, with their log probabilities."""
    layer: dict[str, float] = {"": 0.0}
    for char in before[-8:]:
        following: dict[str, float] = {}
        for prefix, value in layer.items():
            for state, weight in language.steps(prefix, char):
                following[state] = log_add(following.get(state, -math.inf), value + weight)
        layer = following
    return list(layer.items())


def _leads_that_read(before: str, written: str) -> list[int]:
    """The lost bytes that make, after the second byte before them, a character of that reading: the proof."""
    code = pair(before[-1]) if before else None
    if code is None:
        return []
    table = characters()
    return [
        trail
        for trail in range(0x81, 0xFF)
        if (char := table.get((code[1], trail))) is not None
        and IS_HAN.match(char)
        and pinyin.reads(char, written)
    ]
