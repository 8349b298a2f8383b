"""Stretches of time as filters have them: ISO dates of a year, a month or a day, and how a question writes them. Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta

from rag.errors import SettingsError
from rag.numerals import chinese_number


def iso_date(text: str) -> str | None:
    """A date as YYYY, YYYY-MM or YYYY-MM-DD, zeros filled in; None where it is no date.

    >>> iso_date("2024-3")
    '2024-03'
    """
    match = re.fullmatch(r"\s*(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?\s*", text)
    if match is None or not text.isascii():
        return None
    return _iso(int(match[1]), *(int(part) if part else None for part in match.groups()[1:]))


def date_given(text: str) -> str:
    """The ISO date that a user typed, see `iso_date`.

    :raises SettingsError: it is none
    """
    found = iso_date(text)
    if found is None:
        raise SettingsError(
            f"{text!r} is not a date.",
            "Write a year, a month or a day: 2024, 2024-03 or 2024-03-15.",
            chinese=f"“{text}”不是日期。请写年、月或日：2024、2024-03 或 2024-03-15。",
        )
    return found


def published_within(published: str | None, since: str | None, until: str | None) -> bool:
    """Whether a document's date lies in a stretch of time, both ends counted; a partial date covers its whole period.

    A document of "2024" may be of any day of it, so it is in "since 2024-06". Without a date it is in no stretch.
    """
    if since is None and until is None:
        return True
    if not published:
        return False
    # ISO dates have leading zeros: as far as both are known, they compare as text.
    early = since is not None and published[: len(since)] < since[: len(published)]
    late = until is not None and published[: len(until)] > until[: len(published)]
    return not early and not late


def _iso(year: int, month: int | None = None, day: int | None = None) -> str | None:
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return None
    parts = [f"{year:04}", *(f"{part:02}" for part in (month, day) if part is not None)]
    return None if month == 0 or day == 0 else "-".join(parts)


def period_before(period: str) -> str | None:
    """The period of the same length before this one: "2023-03" for "2023-04"."""
    year, *rest = (int(part) for part in period.split("-"))
    if not rest:
        return _iso(year - 1) if year > 1 else None
    if len(rest) == 1:
        return _iso(year, rest[0] - 1) if rest[0] > 1 else _iso(year - 1, 12) if year > 1 else None
    day = date(year, rest[0], rest[1])
    return (day - timedelta(days=1)).isoformat() if day > date.min else None


def period_after(period: str) -> str | None:
    """The period of the same length after this one."""
    year, *rest = (int(part) for part in period.split("-"))
    if not rest:
        return _iso(year + 1)
    if len(rest) == 1:
        return _iso(year, rest[0] + 1) if rest[0] < 12 else _iso(year + 1, 1)
    day = date(year, rest[0], rest[1])
    return (day + timedelta(days=1)).isoformat() if day < date.max else None


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_REPUBLIC = 1911
_WITHIN_YEAR = r"(?:\d{1,2}月份?(?:\d{1,2}[日号])?)?"
DAY = (
    rf"(?:民国\d{{2,3}}年{_WITHIN_YEAR}|(?<![\d.])(?:19|20)\d\d(?:年{_WITHIN_YEAR}|[-/.]\d{{1,2}}(?:[-/.]\d{{1,2}})?(?![\d])|(?![\d.]))"
    rf"|(?:一九|二[〇零])[〇零一二三四五六七八九]{{2}}年|[去今前]年{_WITHIN_YEAR})"
)
_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
ENGLISH_DAY = (
    rf"(?:(?:\d{{1,2}} {_MONTH} |{_MONTH} (?:\d{{1,2}}(?:st|nd|rd|th)?, ?)?)?(?:19|20)\d\d(?:-\d{{1,2}}(?:-\d{{1,2}})?)?(?![\d])"
    r"|(?:last|this) year)"
)


def period_of(text: str, today: date | None) -> str | None:
    """The ISO date that a stretch matched by one of the patterns above means; None where it is no date."""
    relative = re.match(r"([去今前])年|(last|this) year", text)
    if relative is not None:
        if today is None:
            return None
        back = {"去": 1, "前": 2, "last": 1}.get(relative[1] or relative[2], 0)
        year: int | None = today.year - back
        rest = text[relative.end() :]
    elif text.startswith("民国"):
        number, _, rest = text[2:].partition("年")
        year = int(number) + _REPUBLIC
    elif text[0] in "一二":
        value = chinese_number(text[:4])
        year, rest = (int(value) if value is not None else None), ""
    else:
        found = re.search(r"(?:19|20)\d\d", text)
        year = int(found.group()) if found else None
        rest = text[: found.start()] + " " + text[found.end() :] if found else ""
    if year is None:
        return None
    named = next((n for n, name in enumerate(_MONTHS, 1) if name in rest), None)
    numbers = [int(number) for number in re.findall(r"\d+", rest)]
    if named is not None:
        numbers.insert(0, named)
    return _iso(year, *numbers[:2])
