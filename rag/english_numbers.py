"""Numbers written in English words, or with an English scale, what they count, and months and decades. "Sixteen and a half million" is
left alone, "16.5 million" and "one hundred and sixty-five" are numbers. Pure. Texts are taken folded (`rag.text.fold`).
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
_COUNTED = {
    "households": (("household", "families", "family"), ("户", "家", "个")),
    "people": (
        (
            *("people", "person", "resident", "inhabitant", "citizen", "villager", "visitor", "tourist"),
            *("student", "pupil", "child", "worker", "employee", "teacher", "doctor", "patient", "passenger"),
        ),
        ("人", "名", "位", "人次", "个", "口"),
    ),
    "yuan": (("yuan", "rmb"), ("元", "人民币")),
    "us dollars": (("us dollar",), ("美元",)),
    "hectares": (("hectare",), ("公顷",)),
    "mu": (("mu",), ("亩",)),
    "square kilometres": (("square kilometre", "square kilometer"), ("平方公里", "平方千米")),
    "square metres": (("square metre", "square meter"), ("平方米", "平米")),
    "cubic metres": (("cubic metre", "cubic meter"), ("立方米", "方")),
    "kilometres": (("kilometre", "kilometer", "km"), ("公里", "千米")),
    "metres": (("metre", "meter"), ("米",)),
    "kilograms": (("kilogram", "kg"), ("公斤", "千克")),
    "tonnes": (("tonne", "ton"), ("吨", "万吨")),
    "minutes": (("minute",), ("分钟", "分")),
    "hours": (("hour",), ("小时", "时", "个")),
    "days": (("working day", "day"), ("天", "日", "个工作日", "工作日")),
    "weeks": (("week",), ("周", "个")),
    "months": (("month",), ("个月", "月")),
}
"""What is counted, under one name: English words in the singular, and what may stand behind the number in Chinese."""
_NOUNS = {noun: name for name, (nouns, _) in _COUNTED.items() for noun in nouns}
_PLURAL = {"child": "children", "family": "families"}
_SINGULAR = {plural: noun for noun, plural in _PLURAL.items()}
_NOUN = "|".join(
    sorted((re.escape(form) for noun in _NOUNS for form in (noun, _PLURAL.get(noun, noun + "s"))), key=len)[
        ::-1
    ]
)
_BETWEEN = r"(?!(?:of|for|to|in|on|at|and|or|per|by|from|with|the|a|an|as|than|more|every|each|other)\b)[a-z][a-z'-]*"
_COUNTS = re.compile(rf"(?:[\s-]|(?<=\s))(?:{_BETWEEN}\s){{0,2}}?(?P<noun>{_NOUN})\b")
_NAMES_ONE = re.compile(
    r"\b(?:grade|class|year|age|aged|phase|no\.?|number|article|in|by|since|until|of)[\s-]$"
)
_A_YEAR = re.compile(r"(?:19|20)\d\d")
_DECADE = re.compile(r"(?<!\d)(?P<year>1[89]\d0|20\d0)s\b")
_SIGNS = "零一二三四五六七八九"


def counted_behind(folded: str, start: int, end: int) -> str:
    """What the number at ``folded[start:end]`` counts in English, under one name ("households" of "15,860 rural families"); "" where
    that is not told, or the number names a year, a grade or the like.
    """
    number = folded[start:end].strip()
    if _NAMES_ONE.search(folded, 0, start) and (_A_YEAR.fullmatch(number) or len(number) < 3):
        return ""
    found = _COUNTS.match(folded, end)
    if found is None:
        return ""
    noun = found["noun"]
    return _NOUNS.get(noun) or _NOUNS[_SINGULAR.get(noun, noun.removesuffix("s"))]


def units_of(counted: str) -> frozenset[str]:
    """The Chinese units that may stand for what `counted_behind` names."""
    return frozenset(_COUNTED[counted][1]) if counted in _COUNTED else frozenset()


def english_decades(folded: str) -> dict[int, str]:
    """The decades that an English text names ("the 1990s"), each by its first year with a pattern that finds it in a text of either
    language.
    """
    found = {}
    for match in _DECADE.finditer(folded):
        year = int(match["year"])
        ten = year % 100 // 10
        chinese = f"{_SIGNS[ten]}十|" if ten > 1 else "十|" if ten else ""
        found[year] = rf"(?:{chinese}(?<!\d){year % 100:02d}|{year})\s?年代|\b{year}s\b"
    return found


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
