"""Dates as sentences write them, absolute ("2024年12月29日") and relative ("明年", "by year-end"), and which days they mean. Pure.

A relative date means something only beside the date of its document: `mentions` finds the expressions, `resolve` gives
the days. Texts come as they are shown, in either script; offsets index into them. Durations (五年内), what recurs
(每年12月) and numbers of documents (〔2025〕33号) are no dates.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from rag.filters.periods import iso_date
from rag.numerals import MONTHS, chinese_number
from rag.text import aligned
from rag.types import Script

Kind = Literal["absolute", "relative", "vague"]
Precision = Literal["span", "year", "half", "quarter", "month", "part", "week", "day"]
Part = Literal[
    "", "start", "end", "first_half", "second_half", "quarter", "quarters", "early", "middle", "late", "plan"
]

_COARSEST: tuple[Precision, ...] = ("span", "year", "half", "quarter", "month", "week", "part", "day")
_REPUBLIC = 1911
_FIRST_REGULAR_PLAN, _ITS_YEAR = 3, 1966
"""The third five-year plan began in 1966; from it on each begins five years after the last."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A date expression ``text[start:end]`` and what it says of the day.

    ``year`` is a stated year of the common era; ``years``, ``months``, ``weeks``, ``days`` count from the document's
    date, None where not spoken of; ``month`` and ``day`` are those of the year. ``weekday`` counts from 0 for Monday.
    ``part`` is the part of the year or month meant, ``number`` the quarter or five-year plan. ``until`` says that the
    expression is a limit (…底前, by …), ``since`` that it is a beginning (自…起, from …).
    """

    start: int
    end: int
    text: str
    kind: Kind
    year: int | None = None
    month: int | None = None
    day: int | None = None
    years: int | None = None
    months: int | None = None
    weeks: int | None = None
    days: int | None = None
    weekday: int | None = None
    part: Part = ""
    number: int = 0
    until: bool = False
    since: bool = False

    @property
    def needs_document(self) -> bool:
        """Whether the days depend on the document's date."""
        return self.kind != "vague" and self.year is None and self.part != "plan"


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of days, ``first`` to ``last`` in ISO form, both counted, no finer than its expression deserves.

    ``until`` says that the stretch is a limit: what is meant may happen before it.
    """

    first: str
    last: str
    precision: Precision
    until: bool = False

    def holds(self, other: Period) -> bool:
        """Whether the other period lies within this one."""
        return self.first <= other.first and other.last <= self.last

    def meets(self, other: Period) -> bool:
        """Whether both may be said of one day: one holds the other, or a limit comes no earlier than the other begins."""
        if self.holds(other) or other.holds(self):
            return True
        if self.until != other.until:
            limit, point = (self, other) if self.until else (other, self)
            return limit.first[:4] == point.first[:4] and point.last <= limit.last
        return False


_N = "[0-9]{1,2}"
_C = "[一二三四五六七八九十]{1,3}"
_CHINESE_YEAR = "(?:一九|二[〇零○])[〇零○一二三四五六七八九]{2}"
_PAST = "前(?![后期往来列沿台端身夕瞻景任置提十一二三四五六七八九0-9])"
_UNTIL = rf"(?P<until>之前|以前|{_PAST}|止(?![不血损境])|截止)?"
_PART = "(?P<part>年?[初底末]|上半年|下半年|前三个?季度|第?[一二三四1-4]季度|[上中下]旬|月?[初底末](?![级中高])|同期)?"
_MONTH = rf"(?P<month>{_N}|{_C})月(?!球|饼|票|薪|租|亮|嫂)份?(?:(?P<day>{_N}|廿?{_C}|卅一?)[日号](?!楼|线|院|文|店))?"
_RECURRING = "(?<!每)(?<!每年)(?<!各)(?<!历)"
_ABSOLUTE = re.compile(
    rf"(?:(?P<republic>民国)(?P<ry>[0-9]{{1,3}}|[一二三四五六七八九十百]{{1,6}})|(?<![0-9.])(?P<year>(?:19|20)[0-9]{{2}})|(?P<cyear>{_CHINESE_YEAR}))"
    rf"\s?(?:学?年(?!级|轻|纪|代)(?:度(?!假))?\s?(?:{_MONTH})?|(?=\s?[-—–~至到]\s?(?:19|20)[0-9]{{2}}学?年)){_PART}{_UNTIL}"
)
_ISO = re.compile(
    r"(?<![0-9.\-/])(?P<year>(?:19|20)[0-9]{2})(?:(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})|-(?P<m>0[1-9]|1[0-2]))"
    rf"(?![0-9]|[-/.][0-9]){_UNTIL}"
)
_MONTH_ALONE = re.compile(
    rf"(?<![0-9.第年个零〇一二三四五六七八九十百千万几数])(?<!每)(?<!每年){_MONTH}{_PART}{_UNTIL}"
)
_YEARS = {
    "大前": -3,
    "前": -2,
    "去": -1,
    "上": -1,
    "今": 0,
    "本": 0,
    "明": 1,
    "来": 1,
    "后": 2,
    "大后": 3,
}
_RELATIVE_YEAR = re.compile(
    r"(?P<which>今年(?!代|轻|过)|明年(?!级)|(?<![过除减])去年(?!均)|大前年|大后年|(?<![目此以之当提年生从])前年(?!度|均|轻|级)"
    r"|(?<![之以今此最前年])后年(?!度|均|级)|本年度?(?!级)|(?<![以])上一?年度|XX|下一?年度|次年|翌年|来年)"
    rf"(?:度)?(?:{_MONTH})?{_PART}{_UNTIL}"
)
_AGO = re.compile(
    rf"(?<![0-9.第近过这])(?P<count>{_N}|{_C}|两)年(?:之|以)?前(?![后期往来列沿台端身夕景任置])"
)
_RELATIVE_MONTH = re.compile(
    rf"(?P<which>(?<![日基成资根])本月|这个月|当月|(?<![以晚早路地海天网])上个?月(?![明球亮均])|(?<![以如])下个?月(?![明球亮均]))(?:(?P<day>{_N}|{_C})[日号])?"
    rf"(?P<part>[上中下]旬|[初底末])?{_UNTIL}"
)
_WEEK = re.compile(
    rf"(?P<which>本周|这周|上周|下周)(?![年岁边转期刊围密])(?P<weekday>[一二三四五六日天])?{_UNTIL}"
)
_DAY = re.compile(
    r"(?P<which>今[日天]|昨[日天]|明[日天](?!之)|前天|后天(?!性|的努力))(?P<hour>上午|下午|晚上?|凌晨|早上|中午)?"
    + _UNTIL
)
_DAYS = {"今日": 0, "今天": 0, "昨日": -1, "昨天": -1, "明日": 1, "明天": 1, "前天": -2, "后天": 2}
_YEAR_PART = re.compile(
    r"(?<![0-9一二三四五六七八九十两几数半多每百千万周整全学度])(?:(?P<within>年内)|(?P<part>年[初底末](?!年)))(?P<until>之前|以前|前(?!后))?"
    r"|(?<![0-9年])(?P<half>[上下]半年)(?P<until2>之前|以前|前(?!后))?"
    r"|(?<![年])(?P<quarter>前三个?季度|第?[一二三四]季度|第[1-4]季度)(?P<until3>之前|以前|前(?!后))?"
)
_PLAN = re.compile(
    r"第(?P<ordinal>[一二三四五六七八九十]{1,3}|[0-9]{1,2})个五年(?:规划|计划)"
    r"|[“\"「『]?(?P<short>十?[一二三四五六七八九]五|十五)[”\"」』]?(?=规划|计划|时期|期间|以来|末|初)(?:时期|期间|(?P<edge>末|初)(?![级中]))?"
)
_VAGUE = re.compile("近日|日前|近期|目前|近年来?|最近|近来|(?<![以])当前|现阶段|不久前")

_NAMES = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
_NUMBERS_OF = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_LEAD = (
    r"(?:(?P<by>by|before|until|till|no later than|not later than)\s+|(?P<from>from|since|starting|effective)\s+|(?:in|on|of|during)\s+)?"
    r"(?:the\s+)?(?:(?P<part>end|beginning|start|first half|second half|(?:first|second|third|fourth) quarter)\s+of\s+|(?P<when>early|mid|late)[\s-])?"
)
_YEAR_EN = r"(?P<year>(?:19|20)[0-9]{2})(?![0-9]|[.,][0-9]|\s?%)"
_ENGLISH_DATE = re.compile(
    rf"\b{_LEAD}(?:(?P<before>[0-9]{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?)?\b(?P<name>{_NAMES})\b\.?"
    rf"(?:\s+(?P<after>[0-9]{{1,2}})(?:st|nd|rd|th)?(?![0-9]|[.,][0-9]))?(?:,?\s+(?:of\s+)?{_YEAR_EN})?"
)
_COUNTED = (
    "yuan|rmb|households?|units?|people|persons?|residents?|lifts?|beds?|places?|cases?|jobs?|homes?|square|million|"
    "billion|thousand|km|kilomet\\w+|met(?:re|er)s?|percent|per|mu|tonnes?|companies|enterprises|projects?|students?|spaces?"
)
_ENGLISH_YEAR = re.compile(
    r"\b(?:(?P<by>by|before|until|till|no later than)\s+|(?P<from>from|since)\s+|(?:in|of|for|during|through|to|and|between|year|report|plan|budget)\s+)"
    r"(?:the\s+)?(?:(?P<part>end|beginning|start|first half|second half|(?:first|second|third|fourth) quarter)\s+of\s+|(?P<when>early|mid|late)[\s-])?"
    rf"{_YEAR_EN}(?!\s+(?:{_COUNTED})\b)"
    rf"|\bq(?P<q>[1-4])\s+(?P<qyear>(?:19|20)[0-9]{{2}})\b"
    r"|\b(?P<of>(?:19|20)[0-9]{2})(?=\s+(?:government |work |annual |district )*(?:report|plan|budget|targets?|edition|season|school year)\b)"
)
_ENGLISH_RELATIVE = re.compile(
    rf"\b{_LEAD}(?P<which>this|next|last|the previous|the following|the|previous)\s+(?P<unit>year|month|week)\b(?!\s+(?:of|old|round))"
    r"|\b(?P<yearend>(?:by |before )?(?:the )?year[- ]end)\b|\b(?P<word>today|yesterday|tomorrow)\b"
    r"|\b(?P<vague>recently|currently|at present|so far)\b"
)
_OFFSETS = {
    "this": 0,
    "the": 0,
    "next": 1,
    "the following": 1,
    "last": -1,
    "previous": -1,
    "the previous": -1,
}
_ENGLISH_PARTS: dict[str, tuple[Part, int]] = {
    "end": ("end", 0),
    "beginning": ("start", 0),
    "start": ("start", 0),
    "first half": ("first_half", 0),
    "second half": ("second_half", 0),
    "first quarter": ("quarter", 1),
    "second quarter": ("quarter", 2),
    "third quarter": ("quarter", 3),
    "fourth quarter": ("quarter", 4),
    "early": ("early", 0),
    "mid": ("middle", 0),
    "late": ("late", 0),
}
_SENTENCE_END = re.compile(r"[。！？!?\n]|\.\s")
_COMPARED = re.compile(r"(?:比|较|超过|同比|高于|低于|compared with|than)\s?$")
_JOINS = re.compile(r"^\s?(?:至|到|-|—|–|~|－|——|止|to|through|until)\s?$")
_FROM = re.compile(r"(?:自|从|始于)\s?$")
_STARTS = re.compile(r"^(?:起|开始|以来|以后|之后|始)")
_JUST_BEFORE = 30
"""Characters over which a year still counts for a month that follows it in the sentence."""


def mentions(text: str) -> tuple[Mention, ...]:
    """The date expressions of a text, in order, without overlaps.

    A month or day without a year has the year that stands just before it in its sentence (明年3月1日至6月30日), else that
    of the document.
    """
    plain = aligned(text)
    found: list[Mention] = []
    taken = bytearray(len(plain))
    for pattern, read in _READERS:
        for match in pattern.finditer(plain):
            if match.start() == match.end() or any(taken[match.start() : match.end()]):
                continue
            mention = read(match, text)
            if mention is None:
                continue
            found.append(mention)
            taken[mention.start : mention.end] = b"\1" * (mention.end - mention.start)
    found.sort(key=lambda mention: mention.start)
    return _with_years(found, plain)


def resolve(mention: Mention, published: str | None) -> Period | None:
    """The days that a mention means in a document of that date (YYYY, YYYY-MM or YYYY-MM-DD).

    Where the document's day is not known and matters, the stretch is as wide as what is known. None for what is vague,
    for a relative date in a document without a date, and for what is no day of the calendar.
    """
    if mention.kind == "vague":
        return None
    if not mention.needs_document:
        return _guarded(mention, date(2000, 1, 1))
    known = iso_date(published) if published else None
    if known is None:
        return None
    earliest, latest = _bounds(known)
    early, late = _guarded(mention, earliest), _guarded(mention, latest)
    if early is None or late is None:
        return None
    if early == late:
        return early
    least: Precision = "year" if len(known) == 4 else "month"
    return Period(early.first, late.last, min(early.precision, least, key=_COARSEST.index), early.until)


def reference(title: str, published: str | None) -> str | None:
    """The date beside which relative dates of a document are read: its own, else the year that its title names."""
    if published and iso_date(published):
        return iso_date(published)
    for mention in mentions(title):
        if mention.year is not None:
            return f"{mention.year:04}"
    return None


def same_time(left: str, left_published: str | None, right: str, right_published: str | None) -> bool:
    """Whether each date of one text can be one of the other's: "2025年" and the "明年" of a document of 2024.

    A coarser date may mean a finer one within it. Where either text has no date, or one whose days are not known,
    nothing speaks against it.
    """
    ours = [resolve(mention, left_published) for mention in mentions(left) if mention.kind != "vague"]
    theirs = [resolve(mention, right_published) for mention in mentions(right) if mention.kind != "vague"]
    if not ours or not theirs or None in theirs:
        return True
    return all(
        period is None or any(other is not None and period.meets(other) for other in theirs)
        for period in ours
    )


def as_of(published: str | None, script: Script) -> str:
    """Words that date what follows by its document, as precise as the date: "据2024年12月29日的文件"; empty without one."""
    known = iso_date(published) if published else None
    if known is None:
        return ""
    year, *rest = (int(part) for part in known.split("-"))
    if script == "en":
        month = f"{_ENGLISH_MONTHS[rest[0] - 1]} " if rest else ""
        return f"As of {f'{rest[1]} ' if len(rest) > 1 else ''}{month}{year}"
    written = f"{year}年" + "".join(f"{part}{unit}" for part, unit in zip(rest, "月日", strict=False))
    return f"據{written}的文件" if script == "zh-Hant" else f"据{written}的文件"


_ENGLISH_MONTHS = tuple(month.capitalize() for month in MONTHS)


def _bounds(known: str) -> tuple[date, date]:
    year, *rest = (int(part) for part in known.split("-"))
    if len(rest) == 2:
        day = date(year, rest[0], rest[1])
        return day, day
    first, last = (rest[0], rest[0]) if rest else (1, 12)
    return date(year, first, 1), date(year, last, monthrange(year, last)[1])


def _guarded(mention: Mention, on: date) -> Period | None:
    try:
        return _period(mention, on)
    except (ValueError, OverflowError):  # no day of the calendar: 2月30日, a year beyond 9999
        return None


def _period(mention: Mention, on: date) -> Period:
    if mention.part == "plan":
        first_year = _ITS_YEAR + 5 * (mention.number - _FIRST_REGULAR_PLAN)
        return _made(date(first_year, 1, 1), date(first_year + 4, 12, 31), "span", mention)
    if mention.days is not None:
        day = on + timedelta(days=mention.days)
        return _made(day, day, "day", mention)
    if mention.weeks is not None:
        monday = on - timedelta(days=on.weekday()) + timedelta(weeks=mention.weeks)
        if mention.weekday is not None:
            day = monday + timedelta(days=mention.weekday)
            return _made(day, day, "day", mention)
        return _made(monday, monday + timedelta(days=6), "week", mention)
    if mention.months is not None:
        index = on.year * 12 + on.month - 1 + mention.months
        return _within_month(index // 12, index % 12 + 1, mention)
    year = mention.year if mention.year is not None else on.year
    year += mention.years or 0
    if mention.month is not None:
        return _within_month(year, mention.month, mention)
    first, last, precision = _year_part(mention)
    return _made(date(year, first, 1), date(year, last, monthrange(year, last)[1]), precision, mention)


def _year_part(mention: Mention) -> tuple[int, int, Precision]:
    """First and last month of a part of the year: 年初 is the first quarter, 年底 its last month."""
    quarter = max(1, min(4, mention.number))
    parts: dict[Part, tuple[int, int, Precision]] = {
        "start": (1, 3, "part"),
        "early": (1, 4, "part"),
        "middle": (5, 8, "part"),
        "late": (9, 12, "part"),
        "end": (12, 12, "part"),
        "first_half": (1, 6, "half"),
        "second_half": (7, 12, "half"),
        "quarter": (quarter * 3 - 2, quarter * 3, "quarter"),
        "quarters": (1, 9, "span"),
    }
    return parts.get(mention.part, (1, 12, "year"))


def _within_month(year: int, month: int, mention: Mention) -> Period:
    length = monthrange(year, month)[1]
    if mention.day is not None:
        day = date(year, month, mention.day)
        return _made(day, day, "day", mention)
    parts: dict[Part, tuple[int, int]] = {
        "start": (1, 10),
        "early": (1, 10),
        "middle": (11, 20),
        "late": (21, length),
        "end": (21, length),
    }
    first, last = parts.get(mention.part, (1, length))
    precision: Precision = "part" if mention.part in parts else "month"
    return _made(date(year, month, first), date(year, month, last), precision, mention)


def _made(first: date, last: date, precision: Precision, mention: Mention) -> Period:
    return Period(first.isoformat(), last.isoformat(), precision, mention.until)


def _with_years(found: list[Mention], plain: str) -> tuple[Mention, ...]:
    """Mentions whose year stands before them given it, and beginnings marked (自…起)."""
    done: list[Mention] = []
    for mention in found:
        before = done[-1] if done else None
        between = plain[before.end : mention.start] if before is not None else ""
        if before is not None and _lacks_year(mention) and not _SENTENCE_END.search(between):
            joined = _JOINS.match(between) is not None
            compared = _COMPARED.search(plain[max(0, before.start - 14) : before.start]) is not None
            has_year = before.year is not None or (before.years is not None and before.kind != "vague")
            if has_year and not compared and len(between) <= _JUST_BEFORE and before.part != "plan":
                # A winter's end lies in the next year: 11月1日至3月31日.
                wraps = joined and before.month and mention.month and mention.month < before.month
                later = (mention.years or 0) + (1 if wraps else 0)
                years = None if before.year is not None else (before.years or 0) + later
                year = before.year + later if before.year is not None else None
                mention = replace(
                    mention, year=year, years=years, kind="relative" if year is None else "absolute"
                )
        opens = _FROM.search(plain[max(0, mention.start - 3) : mention.start])
        if opens is not None or _STARTS.match(plain[mention.end : mention.end + 3]):
            mention = replace(mention, since=True)
        done.append(mention)
    return tuple(done)


def _lacks_year(mention: Mention) -> bool:
    if mention.text[:1] in "次翌":
        return True
    if mention.kind == "vague" or mention.year is not None or mention.years is not None:
        return False
    return mention.month is not None or mention.part not in ("", "plan")


def _read_absolute(match: re.Match[str], text: str) -> Mention | None:
    groups = match.groupdict()
    if groups["republic"]:
        counted = _number(groups["ry"])
        year = counted + _REPUBLIC if counted else None
    else:
        year = int(groups["year"]) if groups["year"] else _chinese_year(groups["cyear"])
    if year is None or re.search("(?:每|第)$", text[: match.start()]):
        return None
    return _built(match, text, "absolute", year=year)


def _read_iso(match: re.Match[str], text: str) -> Mention | None:
    month = int(match["month"] or match["m"])
    day = int(match["day"]) if match["day"] else None
    if not _fits(month, day):
        return None
    return _mention(
        match, text, "absolute", year=int(match["year"]), month=month, day=day, until=bool(match["until"])
    )


def _read_month(match: re.Match[str], text: str) -> Mention | None:
    if (
        match["month"]
        and not match["month"].isascii()
        and not (match["day"] or match["part"] or match["until"])
    ):
        # 二月 alone is a date, 三月 too, but not 一月 in 一月一次.
        follows = text[match.end() : match.end() + 1]
        if follows in ("一", "两"):
            return None
    return _built(match, text, "relative")


def _read_relative_year(match: re.Match[str], text: str) -> Mention | None:
    which = match["which"]
    years = 1 if which[0] in "次翌下" else _YEARS[which[:2] if which[0] == "大" else which[0]]
    return _built(match, text, "relative", years=years)


def _read_ago(match: re.Match[str], text: str) -> Mention | None:
    count = 2 if match["count"] == "两" else _number(match["count"])
    return _mention(match, text, "relative", years=-count) if count else None


def _read_relative_month(match: re.Match[str], text: str) -> Mention | None:
    which = match["which"]
    months = -1 if which[0] == "上" else 1 if which[0] == "下" else 0
    if which == "当月":
        return None
    day = _number(match["day"]) if match["day"] else None
    part, number = _part(match["part"])
    return _mention(
        match,
        text,
        "relative",
        months=months,
        month=None,
        day=day,
        part=part,
        number=number,
        until=bool(match["until"]),
    )


def _read_week(match: re.Match[str], text: str) -> Mention | None:
    weeks = {"上": -1, "下": 1}.get(match["which"][0], 0)
    weekday = "一二三四五六日天".index(match["weekday"]) if match["weekday"] else None
    weekday = 6 if weekday == 7 else weekday
    return _mention(match, text, "relative", weeks=weeks, weekday=weekday, until=bool(match["until"]))


def _read_day(match: re.Match[str], text: str) -> Mention | None:
    return _mention(match, text, "relative", days=_DAYS[match["which"]], until=bool(match["until"]))


def _read_year_part(match: re.Match[str], text: str) -> Mention | None:
    until = bool(match["until"] or match["until2"] or match["until3"] or match["within"])
    if match["within"]:
        return _mention(match, text, "relative", until=True)
    part, number = _part(match["part"] or match["half"] or match["quarter"])
    return _mention(match, text, "relative", part=part, number=number, until=until)


def _read_plan(match: re.Match[str], text: str) -> Mention | None:
    number = _number(match["ordinal"]) if match["ordinal"] else _number(match["short"][:-1])
    if number is None or not _FIRST_REGULAR_PLAN <= number <= 40:
        return None
    if match["edge"]:
        year = _ITS_YEAR + 5 * (number - _FIRST_REGULAR_PLAN) + (4 if match["edge"] == "末" else 0)
        return _mention(match, text, "absolute", year=year)
    return _mention(match, text, "absolute", part="plan", number=number)


def _read_vague(match: re.Match[str], text: str) -> Mention | None:
    return _mention(match, text, "vague")


def _read_english_date(match: re.Match[str], text: str) -> Mention | None:
    named = match.start("name")
    before, after, year = match["before"], match["after"], match["year"]
    alone = not (before or after or year)
    if alone and not (text[named].isupper() and named > match.start()):
        return None  # "march" and "may" are verbs
    if not text[named].isupper() and not year:
        return None
    day = int(before or after) if (before or after) else None
    month = _NUMBERS_OF.index(match["name"][:3]) + 1
    if not _fits(month, day):
        return None
    part, number = _ENGLISH_PARTS.get(match["part"] or match["when"] or "", ("", 0))
    return _mention(
        match,
        text,
        "absolute" if year else "relative",
        year=int(year) if year else None,
        month=month,
        day=day,
        part=part if day is None else "",
        number=number,
        until=bool(match["by"]),
        since=bool(match["from"]),
    )


def _read_english_year(match: re.Match[str], text: str) -> Mention | None:
    if match["q"]:
        return _mention(
            match, text, "absolute", year=int(match["qyear"]), part="quarter", number=int(match["q"])
        )
    part, number = _ENGLISH_PARTS.get(match["part"] or match["when"] or "", ("", 0))
    year = int(match["year"] or match["of"])
    return _mention(
        match,
        text,
        "absolute",
        year=year,
        part=part,
        number=number,
        until=bool(match["by"]),
        since=bool(match["from"]),
    )


def _read_english_relative(match: re.Match[str], text: str) -> Mention | None:
    if match["vague"]:
        return _mention(match, text, "vague")
    if match["word"]:
        return _mention(
            match, text, "relative", days={"today": 0, "yesterday": -1, "tomorrow": 1}[match["word"]]
        )
    if match["yearend"]:
        return _mention(match, text, "relative", part="end", until=match["yearend"][0] == "b")
    part, number = _ENGLISH_PARTS.get(match["part"] or match["when"] or "", ("", 0))
    if match["which"] == "the" and not (part and match["part"]):
        return None  # "the year" is any year, "the end of the year" this one's
    offset = _OFFSETS[match["which"]]
    until, since = bool(match["by"]), bool(match["from"])
    if match["unit"] == "week":
        return _mention(match, text, "relative", weeks=offset, until=until, since=since)
    if match["unit"] == "month":
        return _mention(match, text, "relative", months=offset, part=part, until=until, since=since)
    return _mention(match, text, "relative", years=offset, part=part, number=number, until=until, since=since)


def _built(
    match: re.Match[str], text: str, kind: Kind, *, year: int | None = None, years: int | None = None
) -> Mention | None:
    month = _number(match["month"]) if match["month"] else None
    day = _number(match["day"]) if match["day"] else None
    if (match["month"] and month is None) or not _fits(month, day):
        return None
    part, number = _part(match["part"])
    if day is not None:
        part, number = "", 0
    return _mention(
        match,
        text,
        kind,
        year=year,
        years=years,
        month=month,
        day=day,
        part=part,
        number=number,
        until=bool(match["until"]),
    )


def _mention(
    match: re.Match[str],
    text: str,
    kind: Kind,
    *,
    year: int | None = None,
    month: int | None = None,
    day: int | None = None,
    years: int | None = None,
    months: int | None = None,
    weeks: int | None = None,
    days: int | None = None,
    weekday: int | None = None,
    part: Part = "",
    number: int = 0,
    until: bool = False,
    since: bool = False,
) -> Mention:
    start, end = match.span()
    while end > start and text[end - 1].isspace():
        end -= 1
    return Mention(
        start,
        end,
        text[start:end],
        kind,
        year=year,
        month=month,
        day=day,
        years=years,
        months=months,
        weeks=weeks,
        days=days,
        weekday=weekday,
        part=part,
        number=number,
        until=until,
        since=since,
    )


def _part(written: str | None) -> tuple[Part, int]:
    if not written or written == "同期":
        return "", 0
    if "半年" in written:
        return ("first_half" if written[0] == "上" else "second_half"), 0
    if "季度" in written:
        if written[0] == "前":
            return "quarters", 0
        sign = written.strip("第")[0]
        return "quarter", int(sign) if sign.isascii() else "一二三四".index(sign) + 1
    if written.endswith("旬"):
        return {"上": "early", "中": "middle", "下": "late"}[written[0]], 0  # type: ignore[return-value]
    return ("start" if written[-1] == "初" else "end"), 0


def _fits(month: int | None, day: int | None) -> bool:
    return (month is None or 1 <= month <= 12) and (day is None or 1 <= day <= 31)


def _number(written: str) -> int | None:
    value = int(written) if written.isascii() else chinese_number(written)
    return None if value is None else int(value)


def _chinese_year(written: str) -> int | None:
    return _number(written.replace("○", "〇"))


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str], Mention | None]], ...] = (
    (_ISO, _read_iso),
    (_ABSOLUTE, _read_absolute),
    (_RELATIVE_YEAR, _read_relative_year),
    (_RELATIVE_MONTH, _read_relative_month),
    (_MONTH_ALONE, _read_month),
    (_AGO, _read_ago),
    (_WEEK, _read_week),
    (_DAY, _read_day),
    (_PLAN, _read_plan),
    (_YEAR_PART, _read_year_part),
    (_ENGLISH_DATE, _read_english_date),
    (_ENGLISH_YEAR, _read_english_year),
    (_ENGLISH_RELATIVE, _read_english_relative),
    (_VAGUE, _read_vague),
)
