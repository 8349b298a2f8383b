"""Numbers as they are written in Chinese and with digits, brought to one form: 三百 and 300, 1.2万 and 12,000, 民国113年 and 2024年. Pure.

Texts are taken folded (`rag.text.fold`): width, script and letter case are one already.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_TENS = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "亿": 10**8}
_SCALE = {"百万": 10**6, "千万": 10**7, "百亿": 10**10, "千亿": 10**11, "万亿": 10**12, **_MYRIADS}
_ARABIC = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_CHINESE = "[零〇一二两三四五六七八九十百千万亿廿卅]+(?:点[零〇一二三四五六七八九]+)?"
_QUANTITY = re.compile(
    rf"(?P<republic>民国)?(?:(?P<share>百分之)(?P<part>{_ARABIC}|{_CHINESE})"
    rf"|(?P<arabic>{_ARABIC})\s?(?P<scale>{'|'.join(_SCALE)})?(?P<percent>%)?"
    rf"|(?P<chinese>{_CHINESE}))(?P<year>年)?"
)
_MOST_DIGITS = 24
"""Longer runs of digits are names of things, not quantities."""
_REPUBLIC = 1911
"""The year before the first of the Republic's calendar, which Taiwan counts by."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number at ``text[start:end]`` in its one form: digits without grouping, "%" behind a share of a hundred."""

    start: int
    end: int
    value: str


def quantities(folded: str) -> list[Quantity]:
    """The numbers in a folded text, in order.

    Left out are single Chinese digits (一 in 统一, 一个), which seldom count anything, and what is no number (千万不要).
    """
    found = []
    for match in _QUANTITY.finditer(folded):
        value = _value(match)
        if value is not None:
            found.append(Quantity(match.start(), match.end(), value))
    return found


def chinese_number(text: str) -> Decimal | None:
    """The value of a Chinese numeral, in places (三百二十, 一万五), with a point (三点五) or digit by digit (二〇二四).

    None where the signs make no number.
    """
    whole, point, fraction = text.partition("点")
    text = whole.replace("廿", "二十").replace("卅", "三十")
    if len(text) > 1 and all(char in _DIGITS for char in text):
        value: Decimal | None = Decimal("".join(str(_DIGITS[char]) for char in text))
    else:
        value = _places(text)
    if value is None or not point:
        return value
    return value + Decimal("0." + "".join(str(_DIGITS[char]) for char in fraction))


def _value(match: re.Match[str]) -> str | None:
    if match["arabic"]:
        digits = match["arabic"].replace(",", "")
        if len(digits) > _MOST_DIGITS:
            return None
        number: Decimal | None = Decimal(digits) * _SCALE.get(match["scale"] or "", 1)
    else:
        written = match["part"] or match["chinese"]
        single = match["chinese"] is not None and len(written) == 1 and written in _DIGITS
        if len(written) > _MOST_DIGITS or (single and not match["republic"]):
            return None
        arabic = written[0].isascii()
        number = Decimal(written.replace(",", "")) if arabic else chinese_number(written)
    if number is None:
        return None
    if match["republic"] and match["year"]:
        number += _REPUBLIC
    percent = "%" if match["share"] or match["percent"] else ""
    return f"{_plain(number)}{percent}"


def _places(text: str) -> Decimal | None:
    """A numeral in places. What ends in a digit after a greater place counts the place below it: 一万五 is 15,000."""
    total = section = 0
    digit: int | None = None
    last = 1
    for position, char in enumerate(text):
        if char in _DIGITS:
            if digit not in (None, 0):
                return None  # 三四十 is "thirty or forty"
            digit = _DIGITS[char]
            if digit == 0:
                last = 1
            if position == 0 and digit == 0 and len(text) > 1:
                return None
        elif char in _TENS:
            if digit is None and char != "十":
                return None
            section += (1 if digit is None else digit) * _TENS[char]
            digit, last = None, _TENS[char]
        else:
            if digit is not None:
                section += digit
            if section == 0 and total == 0:
                return None
            total = (total + section) * _MYRIADS[char] if char == "亿" else total + section * _MYRIADS[char]
            section, digit, last = 0, None, _MYRIADS[char]
    if digit is not None:
        section += digit * (last // 10 if last >= 100 and digit else 1)
    return Decimal(total + section)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
