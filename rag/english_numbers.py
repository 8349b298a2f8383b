"""Numbers written in English words, or with an English scale: "sixteen and a half million" is left alone, "16.5 million" and
"one hundred and sixty-five" are numbers. Pure. Texts are taken folded (`rag.text.fold`).
"""

from __future__ import annotations

import re
from decimal import Decimal

from rag.numerals import MONTHS, Quantity, plain

_ONES = (
    *(
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    ),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_VALUES = {word: n for n, word in enumerate(_ONES)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
_WORD = "|".join(sorted((*_VALUES, "hundred", *_SCALES), key=len, reverse=True))
_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_NUMBER = re.compile(
    rf"(?<![\w.,])(?:(?P<digits>{_DIGITS})[\s-](?P<scale>{'|'.join(_SCALES)})"
    rf"|(?P<words>(?:a\s(?=(?:hundred|{'|'.join(_SCALES)})\b))?(?:{_WORD})(?:(?:\s|-|\sand\s)(?:{_WORD}))*))\b"
)
_LEAST = 13
"""Smaller numbers in words seldom count: "one of the", "both two"."""
_IN_MONTH = re.compile(
    r"\b(?:in|by|from|until|till|since|of|before|after|during|late|early|mid|to)[\s-](?:mid-|early |late )?"
    rf"(?P<month>{'|'.join(MONTHS)})\b"
)


def english_quantities(folded: str) -> list[Quantity]:
    """The numbers in English words or with an English scale, in order, those of a few ones left out."""
    found = []
    for match in _NUMBER.finditer(folded):
        if match["digits"]:
            value: Decimal | None = Decimal(match["digits"].replace(",", "")) * _SCALES[match["scale"]]
        else:
            value = _spoken(match["words"])
        if value is not None and value >= _LEAST:
            found.append(Quantity(match.start(), match.end(), plain(value)))
    return found


def english_months(folded: str) -> set[int]:
    """The months that an English text names as times ("in June"), by number."""
    return {MONTHS.index(match["month"]) + 1 for match in _IN_MONTH.finditer(folded)}


def _spoken(words: str) -> Decimal | None:
    """The value of number words; None where they make no one number ("twenty thirty")."""
    total = section = 0
    last = "scale"
    for word in re.split(r"[\s-]+", words):
        if word == "and":
            continue
        if word == "a":
            section, last = 1, "one"
        elif word in _SCALES:
            if last == "scale" and total == section == 0:
                section = 1
            total, section, last = total + section * _SCALES[word], 0, "scale"
        elif word == "hundred":
            if last in ("ten", "hundred"):
                return None
            section, last = max(section, 1) * 100, "hundred"
        else:
            kind = "ten" if word in _TENS else "one"
            if last == "one" or (last == "ten" and (kind == "ten" or _VALUES[word] > 9)):
                return None
            section, last = section + _VALUES[word], kind
    return Decimal(total + section)
