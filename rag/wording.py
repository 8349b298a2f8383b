"""How much of a claim's wording a text holds: whether it stands there word for word, its pairs of characters, in English its words. Pure.

Texts are taken folded (`rag.text.fold`), numbers without grouping.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.english_words import stems
from rag.facts import headed_amounts, in_digits
from rag.text import bigrams


@dataclass(frozen=True, slots=True)
class Least:
    """The share of a claim's wording that must be there, or be there where the embedding says that both mean the same."""

    wording: float
    with_meaning: float
    meaning: float


_IN_PAIRS = Least(0.6, 0.42, 0.90)
_IN_WORDS = Least(0.5, 0.3, 0.88)
"""For English, whose letters come in the same pairs everywhere, words count: with these 0.72 of the sentences of answers pass over
the places that they were made of and 0.10 over the text around those (rageval_dragonball, 200); by pairs of letters it was 0.76 and 0.33.
"""
_LEAST_OF_HEADING = 0.85
_REPEATED = 0.85
_ASKING = re.compile(r"几|多少|什么|哪|谁|如何|怎|是否|\b(?:what|which|who|when|where|how)\b")
_OFFERS = re.compile(
    r"还是|或|哪|吗|(?<![什怎那这多要])么|没有[?？]?$|能否|可否|是否|是不是|有没有|能不能|可不可以|谁(?:更|最|比)|\b(?:or|which|whether)\b|^(?:is|are|was|were|do|does|did|can|will)\b"
)
"""A question that holds its own answer: it offers some, or asks for a yes."""
AROUND = " 。．.，,、；;：:！!？?\"'“”‘’「」『』《》()（）"
_ASCII, _NUMERALS = "a-z0-9", "零一二两三四五六七八九十百千万亿"
_LIKE = dict.fromkeys("abcdefghijklmnopqrstuvwxyz0123456789", _ASCII) | dict.fromkeys(_NUMERALS, _NUMERALS)
"""Characters that, beside others of their kind, make another word or number."""


def repeats(folded_claim: str, folded_question: str) -> bool:
    """Whether a sentence says hardly more than the question, its question word included."""
    if not _ASKING.search(folded_claim):
        return False
    pairs = bigrams(folded_claim)
    held = set(bigrams(folded_question))
    return bool(pairs) and sum(pair in held for pair in pairs) / len(pairs) >= _REPEATED


def echoes(folded_claim: str, folded_question: str) -> bool:
    """Whether a claim is only words of the question ("安倍晋三" to "谁枪击了安倍晋三"), one that offers no answers itself.

    Of 14,130 reference answers of seven public sets 49 do the same, most of them cut names.
    """
    bare = folded_claim.strip(AROUND)
    return len(bare) > 1 and bare in folded_question and _OFFERS.search(folded_question) is None


def verbatim(folded_claim: str) -> Callable[[str], bool]:
    """Tells whether a folded text holds a claim word for word, not as a part of a longer word or number."""
    bare = folded_claim.strip(AROUND)
    if not bare:
        return lambda _: False
    before = rf"(?<![{_LIKE[bare[0]]}])" if bare[0] in _LIKE else ""
    after = rf"(?![{_LIKE[bare[-1]]}]|\.\d)" if bare[-1] in _LIKE else ""
    pattern = re.compile(f"{before}{re.escape(bare)}{after}")
    return lambda text: pattern.search(text) is not None


@dataclass(frozen=True, slots=True)
class Wording:
    """What of a claim its evidence must hold: its pairs of characters or, of English, its telling words."""

    pairs: Sequence[str]
    words: Sequence[str]

    @property
    def least(self) -> Least:
        """How much of it must be there."""
        return _IN_WORDS if self.words else _IN_PAIRS

    def share(self, evidence: str, frame: str, *, heading: bool) -> float:
        """The share of it that a stretch of text holds, 0 to 1; what frames the stretch counts half, but not alone.

        :param heading: whether the stretch is one: it bears out only what says the same
        """
        if self.words:
            wanted, held, framed = self.words, frozenset(stems(evidence)), frozenset(stems(frame))
        else:
            wanted, held, framed = self.pairs, _pairs(evidence), _pairs(frame)
        inside = sum(one in held for one in wanted)
        if not inside or (heading and inside < _LEAST_OF_HEADING * len(wanted)):
            return 0.0
        return (inside + 0.5 * sum(one in framed and one not in held for one in wanted)) / len(wanted)

    def own_share(self, evidence: str, question: str) -> float:
        """The share of what it says beyond the question that a stretch of text holds itself, not by what frames it; 1 where it says
        nothing beyond.

        :param question: folded, as the evidence
        """
        if self.words:
            wanted, asked, held = self.words, frozenset(stems(question)), frozenset(stems(evidence))
        else:
            wanted, asked, held = self.pairs, _pairs(question), _pairs(evidence)
        own = [one for one in wanted if one not in asked]
        return sum(one in held for one in own) / len(own) if own else 1.0


def wording_of(folded_claim: str, *, english: bool) -> Wording:
    """The wording of a claim; its numbers count in digits."""
    return Wording(
        bigrams(in_digits(folded_claim)), tuple(dict.fromkeys(stems(folded_claim))) if english else ()
    )


@functools.lru_cache(maxsize=2048)
def _pairs(folded: str) -> frozenset[str]:
    """The pairs of characters of a text, as it is and with its numbers in digits, those under a column's head with the unit that
    stands there; remembered, for every sentence of an answer is held against the same windows.
    """
    headed = (f"{amount.value}{amount.unit}" for amount in headed_amounts(folded))
    return frozenset(pair for text in (folded, in_digits(folded), *headed) for pair in bigrams(text))
