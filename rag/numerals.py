"""Numbers and dates as they are written in Chinese and with digits, brought to one form: 三百 and 300, 1.2万 and 12,000,
民国113年 and 2024年, 三月十五日 and 3月15日. Pure.

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
_SIGNS = "零一二三四五六七八九"
_TENS = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "亿": 10**8}
_SCALE = {"百万": 10**6, "千万": 10**7, "百亿": 10**10, "千亿": 10**11, "万亿": 10**12, **_MYRIADS}
UNITS = (
    "平方公里|平方千米|平方米|立方米|个工作日|个百分点|百分点|工作日|人民币|人次|公里|千米|公顷|公斤|千克|小时|分钟|个月|周岁|平米|港元|美元|欧元|日元|万吨"
    "|个|户|人|名|位|家|所|台|辆|座|条|项|处|栋|幢|套|间|张|份|次|场|届|元|亩|吨|米|岁|天|日|周|年|月|度|倍|层|册|部|支|件|种|门|株|棵|只|头|级|分|点|期|批|笔|枚|架|艘|班|床|岗"
)
"""What is counted and measured in, longer words first: alternatives of a pattern."""
_ARABIC = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_CHINESE = "[零〇一二两三四五六七八九十百千万亿廿卅]+(?:点[零〇一二三四五六七八九]+)?"
_QUANTITY = re.compile(
    rf"(?P<republic>民国)?(?:(?P<share>百分之)(?P<part>{_ARABIC}|{_CHINESE})"
    rf"|(?P<arabic>{_ARABIC})\s?(?P<scale>{'|'.join(_SCALE)})?(?P<percent>%)?"
    rf"|(?P<chinese>{_CHINESE}))(?P<year>年)?"
)
_GROUPED = re.compile(r"(?<=\d)[,，](?=\d{3}(?!\d))")
_MOST_DIGITS = 24
"""Longer runs of digits are names of things, not quantities."""
_REPUBLIC = 1911
"""The year before the first of the Republic's calendar, which Taiwan counts by."""

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH_NAME = "|".join(f"{month}|{month[:3]}" for month in MONTHS)
_SMALL = "[一二三四五六七八九十廿卅]{1,3}"
_DATE = re.compile(
    r"(?:(?<!\d)(?P<year>(?:19|20)\d\d|(?:一九|二[〇零])[〇零一二三四五六七八九]{2}|民国(?:\d{1,3}|[一二三四五六七八九十百]{1,6}))年)?"
    rf"(?<![\d十廿卅])(?P<month>\d{{1,2}}|{_SMALL})月(?:(?P<day>\d{{1,2}}|{_SMALL})[日号])?"
    r"|(?<![\d.])(?P<y>(?:19|20)\d\d)(?P<mark>[-/.])(?P<m>\d{1,2})(?:(?P=mark)(?P<d>\d{1,2}))(?![\d.]\d|\d)"
    rf"|\b(?:(?P<before>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?)?(?P<name>{_MONTH_NAME})\b\.?"
    r"(?:\s+(?P<after>\d{1,2})(?:st|nd|rd|th)?(?!\d))?(?:,?\s+(?P<in>(?:19|20)\d\d))?(?!\d)"
)
_PLAN = re.compile(
    "第(?P<ordinal>[一二三四五六七八九十]{1,3}|\\d{1,2})个五年(?:规划|计划)"
    '|(?P<short>十?[一二三四五六七八九]五|十五)(?=[”"』」]?(?:规划|计划|时期|期间))'
)


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


def dates(folded: str) -> list[str]:
    """The dates in a folded text, each as it is and without its year, in order: "2024-03-15" and "03-15", "2024-03".

    Days and months come in Chinese, in digits and in English ("15 March 2024"); what is no day of any year is left out,
    and so is a month alone.
    """
    found = []
    for match in _DATE.finditer(folded):
        year = _year(match["year"]) if match["year"] else match["y"] or match["in"]
        month = _month(match["name"]) if match["name"] else _small(match["month"] or match["m"])
        day = _small(match["day"] or match["d"] or match["after"] or match["before"])
        if month is None or not 1 <= month <= 12 or (day is not None and not 1 <= day <= 31):
            continue
        if year:
            found.append(f"{year}-{month:02d}" + (f"-{day:02d}" if day else ""))
        if day:
            found.append(f"{month:02d}-{day:02d}")
    return found


def plans(folded: str) -> list[str]:
    """The five-year plans in a folded text by their short names, in order: 第十四个五年规划 is 十四五."""
    found = []
    for match in _PLAN.finditer(folded):
        number = _small(match["ordinal"]) if match["ordinal"] else None
        if match["short"]:
            found.append(match["short"])
        elif number and number < 20:
            tens = "十" if number >= 10 else ""
            found.append(f"{tens}{'' if number == 10 else _SIGNS[number % 10]}五")
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


def chinese_month(month: int) -> str:
    """A month's number in Chinese signs: 十一 of 11."""
    return _SIGNS[month] if month < 10 else "十" + ("" if month == 10 else _SIGNS[month % 10])


def ungrouped(text: str) -> str:
    """A text with its numbers in digits without grouping: 15,860 as 15860."""
    return _GROUPED.sub("", text)


def plain(number: Decimal) -> str:
    """A number in its one form: digits without grouping and without noughts at the end of a fraction."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _year(written: str) -> str | None:
    if written.startswith("民国"):
        number = _small(written[2:])
        return None if number is None else str(number + _REPUBLIC)
    number = _small(written)
    return None if number is None else str(number)


def _month(name: str) -> int:
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(name))


def _small(written: str | None) -> int | None:
    if not written:
        return None
    number = Decimal(written) if written.isascii() else chinese_number(written)
    return None if number is None else int(number)


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
    return f"{plain(number)}{percent}"


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
