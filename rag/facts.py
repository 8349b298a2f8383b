"""What a sentence states that must be exact: amounts with their units, dates, persons, negation, bounds. Pure.

Texts are taken folded (`rag.text.fold`). `missing_fact` names the first fact of a claim that its evidence does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.english_numbers import (
    counted_behind,
    english_decades,
    english_months,
    english_quantities,
    units_of,
)
from rag.names import names_in
from rag.numerals import MONTHS, UNITS, chinese_month, chinese_number, dates, quantities
from rag.text import bigrams

_UNIT_BEHIND = re.compile(rf"\s?(?:多|余|几)?(?P<unit>{UNITS})")
_SAME_UNIT = (
    ("人", "名", "位"),
    ("元", "人民币"),
    ("平方米", "平米"),
    ("公里", "千米"),
    ("平方公里", "平方千米"),
    ("公斤", "千克"),
    ("栋", "幢", "座"),
    ("日", "天"),
    ("个百分点", "百分点"),
    ("个", "家", "处", "座", "项", "所"),
    ("个", "张"),
    ("岁", "周岁"),
    ("台", "辆"),
    ("棵", "株"),
)
"""Units that are used for one another."""
_LOOSE = frozenset("年月日")
"""Behind a number they make a date as often as a length of time: `dates` and the number itself tell."""
_HEADED = re.compile(
    rf"[(（](?:单位[:：])?\s?(?P<scale>百万|千万|百亿|千亿|万亿|万|亿)?(?P<unit>{UNITS})[)）]\s?[:：]\s?(?P<number>\d+(?:\.\d+)?)(?![\d.]|\s?[万亿%])"
)
_TENTHS = re.compile(
    r"(?P<tens>[一二三四五六七八九])成(?P<ones>[一二三四五六七八九]?)(?![为立员长本交功就熟型果])"
)
"""Tenths: 九成 is 90%."""
_PERCENT = re.compile(r"(?<=\d)\s?(?:percent|per cent)\b")
_SMALL = re.compile(rf"(?!(?<!第)一(?:批|次性|部分|点))(?P<number>[一二两三四五六七八九十])(?:{UNITS})")
_NEGATION = re.compile(
    r"不得|不会|不能|不予|不具|不存在|不构成|不成立|不同意|不认可|不再|不是|不可|不准|不许|不应|不需|不用|不收|不列入|不纳入|不享受|不适用|不属于|不符合|不承担|不支持"
    r"|不参加|不包括|不含|没有|没|未(?!来|必|成年|央|知)|无需|无须|无法|禁止|严禁|停止|取消|拒绝"
    r"|\b(?:not|never|no longer|cannot|without|nor|neither)\b|n't\b"
)
_WEAK_DENIAL = re.compile(
    r"不(?!仅|断|同|动产|但|只|管|锈|论)|无(?!线|锡|论|障碍|人机|偿|疑|缝)|未(?!来|必|成年|央|知)|免|勿|\bno\b|\bfree\b"
)
"""What bears out a claim that denies: "免收" beside "不收", "不超过" beside "不得超过"."""
_MODAL = re.compile(r"可以|能够|允许|必须|应当")
"""What a denial takes the place of ("可以收取", "不得收取"): it does not count towards saying the same."""
_ONLY_MEASURED = re.compile(
    rf"(?:[\d\s.,:%~至到\-–—/零一二两三四五六七八九十百千万亿]|{UNITS}|年|月|日|号|第)+[。.]?"
)
"""A bare number or date says nothing that a denial could turn round."""
_CLAUSE = re.compile(r"[，,；;：:。！？!?\n]+")
_UPPER = re.compile(
    r"不超过|不高于|不多于|不大于|最多|至多|上限|以下|以内|之内|up to|at most|no more than|not exceed"
)
_LOWER = re.compile(r"不少于|不低于|不小于|至少|最少|下限|以上|at least|no less than|minimum")
_SAME_CLAUSE = 0.75
"""Share of a claim's character pairs in one clause from which the clause says the same or its contrary."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in its one form (`rag.numerals`), with its unit where one stands behind it."""

    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class Facts:
    """The exact things of a text. ``persons`` are folded names; ``dates`` as `rag.numerals.dates` gives them, ``months`` those that
    an English text names.
    """

    amounts: tuple[Amount, ...]
    dates: frozenset[str]
    persons: tuple[str, ...]
    months: frozenset[int] = frozenset()


def facts_of(folded: str, *, persons: bool = True) -> Facts:
    """The amounts, dates and (where wanted) persons of a folded text."""
    folded = _PERCENT.sub("%", folded)
    amounts = []
    decades = english_decades(folded)
    spoken = english_quantities(folded)
    digits = [q for q in quantities(folded) if not any(q.start < s.end and q.end > s.start for s in spoken)]
    for quantity in sorted((*digits, *spoken), key=lambda one: one.start):
        if quantity.value.isdigit() and int(quantity.value) in decades:
            continue
        behind = _UNIT_BEHIND.match(folded, quantity.end)
        unit = behind["unit"] if behind else counted_behind(folded, quantity.start, quantity.end)
        amounts.append(Amount(quantity.value, unit))
    amounts += headed_amounts(folded)
    for match in _TENTHS.finditer(folded):
        share = 10 * (chinese_number(match["tens"]) or 0) + (chinese_number(match["ones"] or "零") or 0)
        amounts.append(Amount(f"{share}%", ""))
    for match in _SMALL.finditer(folded):
        value = chinese_number(match["number"])
        if value is not None:
            behind = _UNIT_BEHIND.match(folded, match.end("number"))
            amounts.append(Amount(str(value), behind["unit"] if behind else ""))
    named = tuple(name.folded for name in names_in(folded) if name.person) if persons else ()
    months = frozenset(english_months(folded))
    return Facts(tuple(dict.fromkeys(amounts)), frozenset(dates(folded)), named, months)


def headed_amounts(folded: str) -> list[Amount]:
    """The numbers under a column's head that tells their unit ("2026年预算（亿元）：27.4"), as rows of tables are read, in that unit."""
    found = []
    for match in _HEADED.finditer(folded):
        (scaled,) = quantities(f"{match['number']}{match['scale'] or ''}")
        found.append(Amount(scaled.value, match["unit"]))
    return found


def in_digits(folded: str) -> str:
    """A folded text with its numbers in plain digits, so that 三百户 and 300户 share their characters."""
    kept, last = [], 0
    for quantity in quantities(folded):
        kept += [folded[last : quantity.start], quantity.value]
        last = quantity.end - (1 if folded[quantity.end - 1 : quantity.end] == "年" else 0)
    return "".join((*kept, folded[last:]))


def missing_fact(claim: Facts, folded_claim: str, evidence: Facts, folded_evidence: str) -> str:
    """What a claim states and its evidence does not hold, as "number 28", "unit 户", "date 2025-03-01" or "person 周建明".

    "" where every fact is there.

    :param evidence: the facts of what bears the claim out, its frame included, persons left out
    """
    units: dict[str, set[str]] = {}
    for amount in evidence.amounts:
        units.setdefault(amount.value, set()).add(amount.unit)
    for amount in claim.amounts:
        held = units.get(amount.value)
        if held is None:
            if not _stands_in(amount.value, folded_evidence):
                return f"number {amount.value}"
            continue
        if amount.unit and amount.unit not in _LOOSE and held and not _unit_fits(amount.unit, held):
            return f"unit {amount.unit}"
    for date in claim.dates:
        if len(date) == len("03-15") and date not in evidence.dates:
            return f"date {date}"
    for month in sorted(claim.months):
        if not _is_of_month(month, evidence, folded_evidence):
            return f"date {MONTHS[month - 1]}"
    for decade, pattern in english_decades(folded_claim).items():
        if re.search(pattern, folded_evidence) is None:
            return f"date {decade}s"
    for person in claim.persons:
        if person in folded_claim and person not in folded_evidence:
            return f"person {person}"
    return ""


def opposed(folded_claim: str, folded_evidence: str) -> str:
    """ "negation" where the evidence says the contrary of a claim, "bound" where a limit is turned round; else "".

    A claim that denies needs a denial in its evidence. One that does not is opposed by a clause that says the same and
    denies it. "至少三年" is not borne out by "不超过三年".
    """
    if _ONLY_MEASURED.fullmatch(folded_claim):
        return ""
    denies = _NEGATION.search(folded_claim) is not None
    if denies and not (_NEGATION.search(folded_evidence) or _WEAK_DENIAL.search(folded_evidence)):
        return "negation"
    if not denies and _denied(folded_claim, folded_evidence):
        return "negation"
    for one, other in ((_UPPER, _LOWER), (_LOWER, _UPPER)):
        says = one.search(folded_claim) is not None and other.search(folded_claim) is None
        if says and other.search(folded_evidence) and not one.search(folded_evidence):
            return "bound"
    return ""


def _denied(folded_claim: str, folded_evidence: str) -> bool:
    """Whether each clause of the evidence that says what one of the claim's says denies it."""
    for clause in _CLAUSE.split(_MODAL.sub("", folded_claim)):
        pairs = set(bigrams(clause))
        if len(pairs) < 3:
            continue
        alike = [
            other
            for other in _CLAUSE.split(folded_evidence)
            if len(pairs.intersection(bigrams(other))) >= _SAME_CLAUSE * len(pairs)
        ]
        if alike and all(_denies_what(clause, other) for other in alike):
            return True
    return False


def _denies_what(clause: str, other: str) -> bool:
    """Whether a clause denies what another says: the denial stands before or among the words they share."""
    for match in _NEGATION.finditer(other):
        behind = set(bigrams(other[match.end() :]))
        if behind.intersection(bigrams(clause)):
            return True
    return False


def _is_of_month(month: int, evidence: Facts, folded_evidence: str) -> bool:
    """Whether evidence names a month, alone or in a date."""
    dated = {int(date[5:7] if date[4:5] == "-" else date[:2]) for date in evidence.dates}
    if month in dated:
        return True
    name = MONTHS[month - 1]
    alone = rf"(?<!\d){month}月|(?<![一二十]){chinese_month(month)}月|\b{name}\b|\b{name[:3]}\b"
    return re.search(alone, folded_evidence) is not None


def _stands_in(value: str, folded_evidence: str) -> bool:
    return re.search(rf"(?<![\d.]){re.escape(value)}(?!\d|\.\d|\s?[百千万亿%])", folded_evidence) is not None


def _unit_fits(unit: str, held: Sequence[str] | set[str]) -> bool:
    if unit in held or "" in held:
        return True
    if any(other in units_of(unit) or unit in units_of(other) for other in held):
        return True
    return any(unit in group and any(other in group for other in held) for group in _SAME_UNIT)
