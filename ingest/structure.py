"""What a document says of itself: title, publication date, issuing body. Pure functions over cleaned text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rag.bodies import bodies_in
from rag.text import clip, fold

_HEAD_LINES = 12
_TAIL_LINES = 8
_HEAD_CHARS = 200
_LONGEST_TITLE = 60
_LABELLED_DATE = re.compile(
    r"(?:(?:发布|發[布佈]|成文|印发|印發|刊[发登])(?:日期|时间|時間)|^日期|^[Pp]ublished(?: on)?|^[Dd]ate)"
    r"\s*[:：]?\s*(?P<date>[^\n]{4,40})"
)
_DATED = re.compile(r"(?P<date>(?:19|20)\d\d年\d{1,2}月\d{1,2}日)\s*(?:发布|發[布佈]|印发|印發|公布)")
_RELEASED = re.compile(r"\b(?:[Rr]eleased|[Ii]ssued|[Pp]ublished)\b[^\n.]{0,120}?\bon (?P<date>[^\n]{4,30})")
_LABELLED_ISSUER = re.compile(
    r"^[（(*]*(?:来源|來源|发布机[构关]|發[布佈]機[構關]|发文机关|發文機關|发布单位|發[布佈]單位|主送单位|[Ss]ource|[Ii]ssued by)"
    r"\s*[:：]\s*(?P<issuer>[^\n\s（(]{2,40})",
    re.MULTILINE,
)
_FORMAL_TITLE = re.compile(
    r"[^。！？；\n]{0,40}(?:关于|關於)[^。！？；\n]{2,90}的?"
    r"(?:通知|意见|意見|方案|报告|報告|决定|決定|公告|公示|通告|通报|通報|批复|批復|函|纪要|紀要|办法|辦法|规定|規定|细则|細則|规划|規劃|说明|說明|解读|解讀|答复|答復)"
    r"(?:[（(][^（）()]{1,20}[）)])?"
)
_ABOVE_TITLE = re.compile(
    r"[^\s。，]{1,20}[〔\[（(【](?:19|20)\d\d[〕\]）)】]\s*第?\d{1,5}号|[^。，]{2,30}(?:文件|公报|公報)(?:\s*(?:19|20)\d\d年第\d+期)?"
)
_METADATA_LINE = re.compile(
    r"(?:发布|發[布佈]|成文|印发|印發)?(?:日期|时间|時間)\s*[:：]|来源|來源|发文字号|發文字號|索引号|作者\s*[:：]"
    r"|(?:Published|Date|Source|Issued by)\s*:?",
)
_DATE_FORMS = (
    re.compile(
        r"(?P<y>(?:19|20)\d\d)\s*[年./-]\s*(?P<m>1[0-2]|0?[1-9])\s*[月./-]\s*(?P<d>3[01]|[12]\d|0?[1-9])(?!\d)"
    ),
    re.compile(r"(?P<y>(?:19|20)\d\d)\s*年\s*(?P<m>1[0-2]|0?[1-9])\s*月"),
)
_ROC_DATE = re.compile(
    r"民[国國]\s*(?P<y>\d{2,3})\s*年\s*(?P<m>1[0-2]|0?[1-9])\s*月\s*(?P<d>3[01]|[12]\d|0?[1-9])\s*日"
)
_CHINESE_DATE = re.compile(
    r"(?P<y>[二一][〇零○一二三四五六七八九]{3})年(?P<m>[一二三四五六七八九十]{1,2})月(?P<d>[一二三四五六七八九十]{1,3})日"
)
_ENGLISH_DATE = re.compile(
    r"(?:(?P<d1>\d{1,2})\s+)?(?P<month>January|February|March|April|May|June|July|August|September|October|November"
    r"|December)\s+(?:(?P<d2>\d{1,2}),?\s+)?(?P<y>(?:19|20)\d\d)"
)
_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_DIGITS = {char: value for value, char in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0}
_ISSUER_LINE = re.compile(
    r"[^，。；：、\s]{2,40}(?:局|委员会|委員會|委|办公室|辦公室|政府|中心|办|辦|厅|廳|街道办事处|院)$"
)


@dataclass(frozen=True, slots=True)
class Described:
    """What a document says of itself; None where it says nothing."""

    title: str | None
    published: str | None
    issuer: str | None


def describe(text: str) -> Described:
    """Find title, publication date (ISO) and issuing body in the head and the tail of a text."""
    lines = [line.strip().strip("*") for line in text.splitlines() if line.strip(" *")]
    return Described(_title(lines), _published(lines), _issuer(text, lines))


def formal_title(lines: Sequence[str]) -> str | None:
    """The title of an official document, "……关于……的通知", where one of the first lines is one.

    Above it stand its number ("鹿政办发〔2026〕12号"), the name of the gazette, or the letterhead.
    """
    for line in lines[:_HEAD_LINES]:
        line = line.strip().lstrip("#").strip("* ")
        if len(line) <= _LONGEST_TITLE * 2 and _FORMAL_TITLE.fullmatch(line):
            return line
    return None


def _title(lines: list[str]) -> str | None:
    # A line of marks alone ("#", "***") names nothing.
    lines = [line for line in lines if any(char.isalnum() for char in line)]
    if not lines:
        return None
    if formal := formal_title(lines):
        return formal
    while len(lines) > 1 and _ABOVE_TITLE.fullmatch(lines[0]):
        lines = lines[1:]
    first = lines[0].lstrip("#").strip()
    if lines[0].startswith("#") and first:
        return clip(first, _LONGEST_TITLE * 2)
    if len(first) <= _LONGEST_TITLE and first[-1] not in "。；;，," and not _METADATA_LINE.match(first):
        return first
    # No title line: the first clauses of the first sentence say what the text is about.
    opening = re.split(r"(?<=.{16})[，,。；;：:]", first, maxsplit=1)[0]
    return clip(opening, _LONGEST_TITLE)


def _published(lines: list[str]) -> str | None:
    head, tail = lines[:_HEAD_LINES], lines[-_TAIL_LINES:]
    for line in (*head, *tail):
        labelled = _LABELLED_DATE.search(line.strip("（()）*"))
        if labelled and (found := parse_date(labelled.group("date"))):
            return found
    for line in head:
        if (released := _RELEASED.search(line) or _DATED.search(line)) and (
            found := parse_date(released.group("date"))
        ):
            return found
    # The date under a signature stands alone on its line.
    for line in reversed(tail):
        if len(line) <= 24 and line[-1] not in "。！？!?" and (found := parse_date(line)):
            return found
    for line in head[:4]:
        if len(line) <= 40 and line[-1] not in "。！？.!?" and (found := parse_date(line)):
            return found
    return None


def parse_date(text: str) -> str | None:
    """The first date in a text as ISO (YYYY-MM-DD, or YYYY-MM where no day is given), else None."""
    for form in _DATE_FORMS:
        if match := form.search(text):
            parts = match.groupdict()
            return _iso(int(parts["y"]), int(parts["m"]), int(parts["d"]) if parts.get("d") else None)
    if match := _ROC_DATE.search(text):
        return _iso(int(match["y"]) + 1911, int(match["m"]), int(match["d"]))
    if match := _CHINESE_DATE.search(text):
        year = int("".join(str(_DIGITS[char]) for char in match["y"]))
        return _iso(year, _chinese_number(match["m"]), _chinese_number(match["d"]))
    if match := _ENGLISH_DATE.search(text):
        day = match["d1"] or match["d2"]
        return _iso(int(match["y"]), _MONTHS.index(match["month"]) + 1, int(day) if day else None)
    return None


def _iso(year: int, month: int, day: int | None) -> str | None:
    if day is None:
        return f"{year:04d}-{month:02d}" if 1 <= month <= 12 else None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _chinese_number(text: str) -> int:
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return _DIGITS[text]
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


def _issuer(text: str, lines: list[str]) -> str | None:
    head = "\n".join(lines[:_HEAD_LINES])
    for line in lines[-_TAIL_LINES:]:
        if _ISSUER_LINE.fullmatch(line.strip("（()）")):
            return line.strip("（()）")
    if match := _LABELLED_ISSUER.search(head):
        return match["issuer"].strip()
    named = bodies_in(fold(lines[0][:_HEAD_CHARS])) if lines else []
    return named[0].name if named and len(text) > len(lines[0]) else None
