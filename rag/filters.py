"""Restrictions to the documents of a body, the words of a speaker or a stretch of time. Pure.

A restriction is read from a question only where its wording leaves no doubt ("只看住建局的", "2024年以来"): a year or a
body that describes what is asked about ("2024年的目标是多少") must not hide the documents that answer it, for a report of
2023 states the target of 2024. What is merely mentioned weighs in the ranking alone (`rag.features`).
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from rag.bodies import BODIES, Body, bodies_in
from rag.errors import SettingsError
from rag.numerals import chinese_number
from rag.scripts import in_script
from rag.text import fold, joined
from rag.types import Chunk, Filters, Script, Source

_NEAR = 3
_LONG_NAME = 32
"""Characters from which a body's full English name gives way to the next one."""
_LONGEST = 2000
_READ = 400
"""Characters in which a restriction is looked for: each stretch of time is held against all that stands before it."""
"""Characters of a question that are looked at; more are no question."""
_READ = 400
"""Characters in which a restriction is looked for: each stretch of time is held against all that stands before it."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """What a question restricts itself to, and the question without the words that say so."""

    filters: Filters
    rest: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a document tells whether a filter lets any of it through: bodies by name, speeches as (speaker, body)."""

    source: Source
    issuers: frozenset[str]
    titled: frozenset[str]
    speeches: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Selection:
    """The ids of the documents that a filter lets through, and how many it leaves out only for having no date."""

    documents: frozenset[str]
    undated: int = 0


# -- Dates


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


def _before(period: str) -> str | None:
    """The period of the same length before this one: "2023-03" for "2023-04"."""
    year, *rest = (int(part) for part in period.split("-"))
    if not rest:
        return _iso(year - 1) if year > 1 else None
    if len(rest) == 1:
        return _iso(year, rest[0] - 1) if rest[0] > 1 else _iso(year - 1, 12) if year > 1 else None
    day = date(year, rest[0], rest[1])
    return (day - timedelta(days=1)).isoformat() if day > date.min else None


def _after(period: str) -> str | None:
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
_DAY = (
    rf"(?:民国\d{{2,3}}年{_WITHIN_YEAR}|(?<![\d.])(?:19|20)\d\d(?:年{_WITHIN_YEAR}|[-/.]\d{{1,2}}(?:[-/.]\d{{1,2}})?(?![\d])|(?![\d.]))"
    rf"|(?:一九|二[〇零])[〇零一二三四五六七八九]{{2}}年|[去今前]年{_WITHIN_YEAR})"
)
_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
_ENGLISH_DAY = (
    rf"(?:(?:\d{{1,2}} {_MONTH} |{_MONTH} (?:\d{{1,2}}(?:st|nd|rd|th)?, ?)?)?(?:19|20)\d\d(?:-\d{{1,2}}(?:-\d{{1,2}})?)?(?![\d])"
    r"|(?:last|this) year)"
)


def _period(text: str, today: date | None) -> str | None:
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


# -- Reading a question

_DOCUMENTS = "文件|资料|文档|公文|发文|通知|公告|通报|新闻|报道|稿件|文章"
_INSIDE = (
    r"(?:里面|里(?![程弄])|之中|当中|中(?![心央国学小午型介标期间部医考级层队])|以内|内(?![容部外涝河]))"
)
_PUBLISHED = "(?:发布|印发|出台|公布|下发|发出|发表|制发|刊发)"
_IN_DOCUMENTS = rf"(?:{_PUBLISHED}的(?:{_DOCUMENTS}){_INSIDE}?|的?(?:{_DOCUMENTS}|材料){_INSIDE})"
_SAYS = r"(?:承诺|保证|表示|表态|答应|提出|提到|谈到|讲|说(?!明)|发布|印发|出台|公布|通报|回应|答复|强调|指出|介绍)"
_NOT = "(?<![不别])(?<!不要)(?<!不能)(?<!不用)(?<!不必)(?<!不应)"
_ONLY = rf"{_NOT}(?:请|请你|麻烦)?(?:你)?(?:只|仅|光)(?:需要?|想|能)?(?:看|查看|查|限于|限|找|搜索|搜|检索|参考)(?:一下)?(?:在|从)?"
_ONLY_IN = rf"{_NOT}(?:请)?(?:只|仅)(?:用|在|从|根据|依据|按|要)"
_EFFECT = r"(?:,|日)?(?:正式|开始|将|就|不再|全面)*(?:施行|执行|实施|生效|调整|适用|有效|启用|开放|取消|停止|征收|提高|上调|下调|缴|交|领|发放|试行|实行|运行|运营|通车|开工|投用|使用)"
_TO = r"\s?(?:至|到|-|—|–|~)\s?"
_SPAN = re.compile(
    rf"(?:(?:自从|自|从|在)?(?P<first>{_DAY}){_TO}(?P<last>{_DAY}|\d{{1,2}}月份?)(?:期间|之间|间)?"
    rf"|(?P<lead>自从|自|从)?(?P<since>{_DAY})(?P<how>以来|至今|到现在|到今天|(?:开始|起)(?!草)|及以后|以后|之后)"
    rf"|(?P<until>{_DAY})(?P<bound>及以前|以前|之前|前)"
    rf"|(?:截至|截止到?|直到)(?P<end>{_DAY})(?:为止|止)?"
    rf"|(?P<plain>{_DAY}))"
)
_ENGLISH_DOCUMENTS = r"(?:documents?|files?|papers?|notices?|news|articles?|records?)"
_MADE = r"(?: (?:published|issued|dated|released|written))?"
_ENGLISH_SAYS = r"(?:say|said|promised?|pledged?|announced?|published?|issued?|stated?|reported?)"
_NOT_SAID = re.compile(
    r"\b(?!(?:said|promised|pledged|announced|published|issued|stated|reported|dated|released)\b)"
    r"(?:built|born|force|effective|bought|sold|made|living|\w+ed) $"
)
_ENGLISH_SPAN = re.compile(
    rf"\b(?:(?:from|between) (?P<first>{_ENGLISH_DAY}) (?:to|and|until|through) (?P<last>{_ENGLISH_DAY})"
    rf"|since (?P<since>{_ENGLISH_DAY})|from (?P<onward>{_ENGLISH_DAY}) on(?:wards?)?\b"
    rf"|after (?P<after>{_ENGLISH_DAY})|before (?P<before>{_ENGLISH_DAY})|(?:until|up to) (?P<until>{_ENGLISH_DAY})"
    rf"|(?:from|in|of) (?P<plain>{_ENGLISH_DAY}))"
)
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊"
    "秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
)
_OFFICE = "(?:副?(?:局长|主任|书记|区长|市长|县长|部长|镇长|处长|科长)|同志)"
_NO_PERSON = re.compile("[区县市镇乡村省局委办部院校厂司会队所站处科]$|领导|什么|哪")
_NOTHING = re.compile(
    r"(?:[\W_]|那么?|请|的|呢|吧|吗|呀|文件|资料|再|只|看|\b(?:please|and|now|only|documents?|ones?|the|what|about|those)\b)*"
)
_PUNCTUATION = ",，、:：;；。.—- \t"


def filters_in(question: str, today: date | None = None) -> Filters:
    """The restrictions that a question states, in Chinese of either script or in English.

    :param today: what "去年" and "this year" count from; without it they are not understood
    """
    return restriction(question, today).filters


def restriction(question: str, today: date | None = None) -> Restriction:
    """The restrictions that a question states, and the question without the words that state them.

    ``rest`` may be empty, or too little to ask; it is in the question's own script where folding keeps its length.
    """
    folded = fold(question[:_LONGEST])
    read = folded[:_READ]
    found = [*_bodies(read), *_speakers(read), *_times(read, today), *_english_times(read, today)]
    if not found:
        return Restriction(Filters(), question)
    filters = Filters()
    for _, _, part in found:
        filters = joined_filters(filters, part)
    text = question if len(folded) == len(question) else folded
    return Restriction(filters, _without(text, [(start, end) for start, end, _ in found]))


def joined_filters(one: Filters, other: Filters) -> Filters:
    """Both restrictions; where both say something of the same kind, ``one`` holds (bodies are joined)."""
    return Filters(
        bodies=tuple(dict.fromkeys((*one.bodies, *other.bodies))),
        speaker=one.speaker or other.speaker,
        since=one.since or other.since,
        until=one.until or other.until,
    )


def overridden(given: Filters, read: Filters) -> Filters:
    """The filters in force: of each kind those given, else those read. Dates are one kind."""
    dates = given if given.since or given.until else read
    return Filters(
        bodies=given.bodies or read.bodies,
        speaker=given.speaker or read.speaker,
        since=dates.since,
        until=dates.until,
    )


def parts(filters: Filters) -> tuple[tuple[str, Filters], ...]:
    """Each restriction by itself, under a name that stays: "body:NAME", "speaker", "dates"."""
    single = [(f"body:{name}", Filters(bodies=(name,))) for name in filters.bodies]
    if filters.speaker:
        single.append(("speaker", Filters(speaker=filters.speaker)))
    if filters.since or filters.until:
        single.append(("dates", Filters(since=filters.since, until=filters.until)))
    return tuple(single)


def without(filters: Filters, name: str) -> Filters:
    """The filters without the restriction of that name (see `parts`); the same where there is none."""
    if name.startswith("body:"):
        return replace(filters, bodies=tuple(body for body in filters.bodies if f"body:{body}" != name))
    if name == "speaker":
        return replace(filters, speaker="")
    return replace(filters, since=None, until=None) if name == "dates" else filters


def says_nothing(rest: str) -> bool:
    """Whether nothing is asked in what a restriction leaves of a question, as in "只看2024年以来的呢？"."""
    return _NOTHING.fullmatch(fold(rest)) is not None


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    kept = list(text)
    for start, end in spans:
        kept[start:end] = " " * (end - start)
    cut = re.sub(r"\s+(?=[?？!！,，。.;；]|$)|(?<=\s)\s+", "", "".join(kept))
    cut = re.sub(r"[(（]\s*[)）]", "", cut).strip(_PUNCTUATION)
    return cut if text.startswith("的") else cut.removeprefix("的").lstrip(_PUNCTUATION)


@functools.cache
def _body_patterns() -> tuple[re.Pattern[str], ...]:
    chinese = sorted({n for body in BODIES for n in body.chinese}, key=len, reverse=True)
    english = sorted({n for body in BODIES for n in body.english}, key=len, reverse=True)
    place = r"(?:[\u4e00-\u9fff]{1,6}?[省市区县])?(?:[省市区县本我])?"
    one = rf"{place}(?:{'|'.join(map(re.escape, chinese))})"
    han = rf"(?P<bodies>{one}(?:(?:和|与|及|以及|、|,|跟){one}){{0,5}})"
    name = rf"(?:the )?(?:{one}|(?:{'|'.join(map(re.escape, english))})(?!\w))"
    latin = rf"(?P<bodies>{name}(?:(?:,| and|, and| or) {name}){{0,5}})"
    owned = rf"{latin}(?:'s|')?(?: own)?(?: {_ENGLISH_DOCUMENTS})?"
    ends = r"(?=\s*(?:$|[,，:：;；。.?？!)）—-]))"
    ended = rf"(?=\s*(?:$|[,，:：;；。.?？!)）—-]|的?(?:{_DOCUMENTS}|材料)))"
    return tuple(
        re.compile(pattern)
        for pattern in (
            rf"{_ONLY}{han}(?:(?:{_DAY}(?:以来|以后|之后|以前|之前)?)?{_IN_DOCUMENTS}|(?={_DAY})|(?:{_PUBLISHED}|说|讲)的(?:{_DOCUMENTS}|材料|内容|话)?|的(?:{_DOCUMENTS}|材料|部分|内容|表态|发言)?|部分)"
            rf"(?![\u4e00-\u9fff]*(?:证明|意见)(?:就|吗))",
            rf"{_ONLY}{han}{ended}",
            rf"{_ONLY_IN}{han}(?:{_DAY}(?:以来|以后|之后|以前|之前)?)?(?:{_PUBLISHED}|的)*(?:{_DOCUMENTS}|材料){_INSIDE}?",
            rf"(?:在|从)?{han}(?:{_DAY}(?:以来|以后|之后|以前|之前)?)?{_IN_DOCUMENTS}",
            rf"(?:^|(?<=[,，:：;；。.?？!(（—-])|(?<=[,:;.(-] ))(?:只|仅|限)限?{han}(?=\s*(?:$|[:：)）]))",
            rf"\b(?:(?:look|search|restrict(?:ed)?|limit(?:ed)?|filter(?:ed)?|show|use|consider)(?: it| this| me| the search)?(?: only| just)?"
            rf"|only (?:look|search|use|show|consider)|(?<=^)only|(?<=[,:;(.-] )only|(?<=[(])only)(?: (?:at|in|to|by|from|for|on))? {owned}{ends}",
            rf"\b(?:only |just )?(?:in|from|by) {latin}(?:'s|')?(?: own)?{_MADE} {_ENGLISH_DOCUMENTS}\b",
            rf"\b(?:only )?(?:in |from )?(?:the )?{_ENGLISH_DOCUMENTS} (?:published|issued|written|released) by {latin}",
            rf"\b(?:only )?(?:in|from) (?:the )?{_ENGLISH_DOCUMENTS} (?:of|from|by) {latin}",
        )
    )


Found = tuple[int, int, Filters]


def _bodies(folded: str) -> Iterator[Found]:
    for pattern in _body_patterns():
        for match in pattern.finditer(folded):
            names = tuple(body.name for body in bodies_in(match["bodies"]))
            if names:
                # A date inside ("住建局2024年以来的文件里") is found by itself and lies within what is taken out.
                yield match.start(), match.end(), Filters(bodies=names)


@functools.cache
def _speaker_pattern() -> re.Pattern[str]:
    return re.compile(
        rf"(?:{_ONLY}|{_NOT}只听)(?P<body>{_any_body()})?{_OFFICE}?(?P<speaker>[{_SURNAMES}][\u4e00-\u9fff·]{{1,3}}?){_OFFICE}?"
        r"(?:说过?的|讲过?的|谈到?的|提到的|的(?:发言|讲话|表态|话|回答|承诺)(?:里|中)?)(?:话|内容)?"
        r"|\bonly what (?P<named>[\u4e00-\u9fff·]{2,5}) (?:said|says)\b"
    )


def _speakers(folded: str) -> Iterator[Found]:
    for match in _speaker_pattern().finditer(folded):
        name = match["speaker"] or match["named"]
        if _NO_PERSON.search(name) is None:
            bodies = tuple(body.name for body in bodies_in(match["body"] or ""))
            yield match.start(), match.end(), Filters(bodies=bodies, speaker=name)


def _times(folded: str, today: date | None) -> Iterator[Found]:
    for match in _SPAN.finditer(folded):
        filters = _span_filters(match, today)
        if filters is None:
            continue
        only = re.search(rf"(?:{_ONLY}|{_ONLY_IN})(?:{_any_body()})?$", folded[: match.start()])
        behind = folded[match.end() :]
        within = re.match(rf"(?:{_any_body()})?{_IN_DOCUMENTS}", behind)
        start, end = match.span()
        if within is not None:
            yield _led(folded, start), end + (within.end() if _has_no_body(within.group()) else 0), filters
        elif only is not None:
            own = re.match(
                rf"(?:{_PUBLISHED}|说|讲)?的(?:{_DOCUMENTS}|材料|内容|部分)?|(?=\s*(?:$|[,:;。.?!)]))", behind
            )
            if own is not None or match["plain"] is None:
                first = only.start() if _has_no_body(only.group()) else start
                yield first, end + (own.end() if own else 0), filters
        elif _told_by_itself(match, folded[:start], behind):
            yield _led(folded, start), end, filters


def _told_by_itself(match: re.Match[str], before: str, behind: str) -> bool:
    """Whether a stretch of time restricts without any word for documents: "2024年以来", or when something was said."""
    if match["how"] in ("以来", "至今", "到现在", "到今天"):
        return True
    if match["plain"]:
        return False
    if match["lead"] and match["how"] in ("起", "开始"):
        # "自2023年3月起教育局……"; not "自2024年3月起执行的标准", "被告从2014年起".
        opens = re.search(rf"(?:^|[,，:：;；。.?？!\s]|{_any_body()})$", before) is not None
        if opens and re.match(_EFFECT, behind) is None and re.match(rf",?(?:{_any_body()}|$)", behind):
            return True
    # "2023年3月以前住建局说了什么": the time of the saying is that of the document. Not "对2001年以前建的房子承诺了什么".
    return re.match(rf",?(?:{_any_body()}|[^,。?!的建]){{0,14}}?{_SAYS}", behind) is not None


def _span_filters(match: re.Match[str], today: date | None) -> Filters | None:
    if match["first"]:
        since, last = _period(match["first"], today), match["last"]
        if since is not None and re.fullmatch(r"\d{1,2}月份?", last):
            last = f"{since[:4]}年{last}"
        until = _period(last, today)
        return Filters(since=since, until=until) if since and until and since[:4] <= until[:4] else None
    if match["since"]:
        since = _period(match["since"], today)
        since = _after(since) if since and match["how"] == "之后" else since
        return Filters(since=since) if since else None
    if match["until"]:
        until = _period(match["until"], today)
        until = _before(until) if until and match["bound"] != "及以前" else until
        return Filters(until=until) if until else None
    if match["end"]:
        until = _period(match["end"], today)
        return Filters(until=until) if until else None
    period = _period(match["plain"], today)
    return Filters(since=period, until=period) if period else None


def _english_times(folded: str, today: date | None) -> Iterator[Found]:
    for match in _ENGLISH_SPAN.finditer(folded):
        given = {kind: _period(text, today) for kind, text in match.groupdict().items() if text}
        if any(period is None for period in given.values()):
            continue
        filters = _english_filters(given)
        before, behind = folded[: match.start()], folded[match.end() :]
        led = re.search(
            rf"(?:\bonly )?(?:\bin )?(?:the )?\b{_ENGLISH_DOCUMENTS}{_MADE} $|\b(?:only|just)(?: look| search)?(?: at)? $",
            before,
        )
        own = re.match(rf" {_ENGLISH_DOCUMENTS}\b(?: only)?", behind)
        if filters is None or _NOT_SAID.search(before):
            continue
        start = led.start() if led is not None and "only" in led.group() else match.start()
        if led is not None and not re.search(r"\b(?:only|just) (?=in |from |of )?$", before):
            start = led.start()
        if own is not None or led is not None:
            yield start, match.end() + (own.end() if own else 0), filters
        elif match["since"] or match["onward"] or (not match["plain"] and _english_said(before, behind)):
            yield match.start(), match.end(), filters


def _english_said(before: str, behind: str) -> bool:
    """Whether the time is that of a saying: "what did it promise before 2023", "Before 2023, what did it say"."""
    if re.search(rf"\b{_ENGLISH_SAYS} $", before):
        return re.match(r"\s*(?:$|[?.!,])", behind) is not None
    opens = not before.strip()
    return opens and re.match(rf", [^.?]*\b{_ENGLISH_SAYS}\b", behind) is not None


def _english_filters(given: dict[str, str | None]) -> Filters | None:
    kind, period = next(iter(given.items()))
    assert period is not None
    if kind == "first":
        last = given["last"]
        return Filters(since=period, until=last) if last is not None and period[:4] <= last[:4] else None
    if kind in ("since", "onward"):
        return Filters(since=period)
    if kind == "after":
        since = _after(period)
        return Filters(since=since) if since else None
    if kind == "before":
        until = _before(period)
        return Filters(until=until) if until else None
    return Filters(until=period) if kind == "until" else Filters(since=period, until=period)


@functools.cache
def _any_body() -> str:
    names = sorted({n for body in BODIES for n in body.chinese}, key=len, reverse=True)
    return rf"(?:[省市区县])?(?:{'|'.join(map(re.escape, names))})"


def _has_no_body(folded: str) -> bool:
    return not bodies_in(folded)


def _led(folded: str, start: int) -> int:
    """Where the stretch begins with the "在" or "从" that leads it in."""
    return start - 1 if start and folded[start - 1] in "在从于" else start


# -- What passes


def facts(source: Source, speeches: Iterable[tuple[str, str]]) -> Facts:
    """What a filter looks at of a document; ``speeches`` are all of it, as (speaker, body)."""
    return Facts(
        source,
        frozenset(body.name for body in bodies_in(fold(source.issuer or ""))),
        frozenset(body.name for body in bodies_in(fold(source.title))),
        frozenset(speeches),
    )


def select(filters: Filters, known: Iterable[Facts]) -> Selection:
    """The documents of which a filter lets anything through."""
    found: set[str] = set()
    undated = 0
    for one in known:
        if not _may_hold(filters, one):
            continue
        published = one.source.published
        if published_within(published, filters.since, filters.until):
            found.add(one.source.id)
        elif not published:
            undated += 1
    return Selection(frozenset(found), undated)


def _may_hold(filters: Filters, known: Facts) -> bool:
    if filters.speaker and not any(_is_speaker(filters.speaker, *speech) for speech in known.speeches):
        return False
    if not filters.bodies:
        return True
    wanted = set(filters.bodies)
    if wanted & known.issuers or any(body in wanted for _, body in known.speeches):
        return True
    return not known.issuers and bool(wanted & known.titled)


def keeper(filters: Filters) -> Callable[[Chunk, Source], bool] | None:
    """Whether a passage passes, for filters that tell passages of one document apart; None where documents are enough.

    For a body pass: all that it issued; else what it says; else what nobody says in a document that bears its name in
    the title and that no other body issued. So of a session's report in which seven bodies speak, only its own words.
    """
    if not (filters.bodies or filters.speaker):
        return None
    return functools.partial(passes, filters)


def passes(filters: Filters, chunk: Chunk, source: Source) -> bool:
    """Whether one passage passes all restrictions; see `keeper`."""
    if not published_within(source.published, filters.since, filters.until):
        return False
    if filters.speaker and not any(_is_speaker(filters.speaker, s.speaker, s.body) for s in chunk.speeches):
        return False
    if not filters.bodies:
        return True
    wanted = set(filters.bodies)
    issuers, titled = _named(source.issuer or ""), _named(source.title)
    if wanted & issuers:
        return True
    speaking = {speech.body for speech in chunk.speeches if speech.body}
    if speaking:
        return bool(wanted & speaking)
    return not issuers and bool(wanted & titled)


@functools.lru_cache(maxsize=4096)
def _named(text: str) -> frozenset[str]:
    return frozenset(body.name for body in bodies_in(fold(text)))


def _is_speaker(name: str, speaker: str, body: str) -> bool:
    return bool(speaker) and fold(name) in fold(f"{body}{speaker}")


def bodies_known(known: Iterable[Facts]) -> tuple[str, ...]:
    """The full names of the bodies that issued a document or speak in one, in the order of the list of bodies."""
    found: set[str] = set()
    for one in known:
        found |= one.issuers
        found.update(body for _, body in one.speeches)
    return tuple(body.name for body in BODIES if body.name in found)


# -- Names and words


def filters_given(bodies: Iterable[str], speaker: str, since: str | None, until: str | None) -> Filters:
    """The filters that a user typed.

    :raises SettingsError: a body is not known, a date is none, or the first date is after the last
    """
    filters = Filters(
        bodies=tuple(dict.fromkeys(body_given(name).name for name in bodies)),
        speaker=speaker.strip(),
        since=date_given(since) if since else None,
        until=date_given(until) if until else None,
    )
    if filters.since and filters.until and not published_within(filters.since, None, filters.until):
        raise SettingsError(
            f"{filters.since} is after {filters.until}: no document is of both.",
            "Exchange the two dates.",
            chinese=f"{filters.since} 晚于 {filters.until}，没有文件同时符合。请对调两个日期。",
        )
    return filters


def body_given(text: str) -> Body:
    """The body that a user named, in full or in short, in Chinese or English.

    :raises SettingsError: there is none of that name; near names are told
    """
    folded = fold(text).strip()
    found = bodies_in(folded)
    if len(found) == 1:
        return found[0]
    names = {name: body for body in BODIES for name in (*body.chinese, *body.english)}
    near = difflib.get_close_matches(folded, names, n=_NEAR * 3, cutoff=0.3)
    shown = list(dict.fromkeys(_short(names[name], text) for name in near))[:_NEAR]
    hint = f"Near ones: {', '.join(shown)}." if shown else "Give its full or short name, such as 住建局."
    told = f"相近的有：{'、'.join(shown)}。" if shown else "请写全称或简称，例如住建局。"
    if len(found) > 1:
        return _refuse_several(text)
    raise SettingsError(f"No body is called {text!r}.", hint, chinese=f"没有名为“{text}”的部门。{told}")


def _refuse_several(text: str) -> Body:
    raise SettingsError(
        f"{text!r} names several bodies.",
        "Give --body once for each.",
        chinese=f"“{text}”包含几个部门。请对每个部门各写一次 --body。",
    )


def _short(body: Body, like: str) -> str:
    return body_label(body.name, "en" if like.isascii() else "zh-Hans")


def body_label(name: str, script: Script) -> str:
    """What a reader of that script calls a body of this full name."""
    body = _by_name().get(name)
    if body is None:
        return in_script(name, script, ())
    if script == "en":
        long = len(body.english) > 1 and len(body.english[0]) > _LONG_NAME
        return body.english[int(long)] if body.english else body.name
    return in_script(body.short[0] if body.short else body.name, script, ())


@functools.cache
def _by_name() -> dict[str, Body]:
    return {body.name: body for body in BODIES}


_WORDS: dict[Script, dict[str, str]] = {
    "zh-Hans": {
        "since": "{since}以来",
        "until": "{until}及以前",
        "both": "{since}至{until}",
        "one": "{since}",
        "speaker": "{speaker}的发言",
        "documents": "{whose}的文件",
        "nothing": "在{where}里没有找到与这个问题有关的内容；去掉筛选再试。",
        "only": "{why}（只查了{where}；去掉筛选再试。）",
        "undated": "另有{count}份文件没有注明日期，没有计入。",
        "line": "筛选：{where}",
    },
    "zh-Hant": {
        "since": "{since}以來",
        "until": "{until}及以前",
        "both": "{since}至{until}",
        "one": "{since}",
        "speaker": "{speaker}的發言",
        "documents": "{whose}的文件",
        "nothing": "在{where}裡沒有找到與這個問題有關的內容；去掉篩選再試。",
        "only": "{why}（只查了{where}；去掉篩選再試。）",
        "undated": "另有{count}份文件沒有註明日期，沒有計入。",
        "line": "篩選：{where}",
    },
    "en": {
        "since": "since {since}",
        "until": "up to {until}",
        "both": "from {since} to {until}",
        "one": "of {since}",
        "speaker": "words of {speaker}",
        "documents": "documents of the {whose}",
        "nothing": "Nothing on this question was found in the {where}; remove the filter and try again.",
        "only": "{why} (Only the {where} were searched; remove the filter and try again.)",
        "undated": "{count} more document(s) bear no date and were left out.",
        "line": "Only {where}.",
    },
}
"""What a reader is told of filters. Dates are filled in as `date_words` writes them."""


def date_words(iso: str, script: Script) -> str:
    """A partial ISO date as it is read: "2024年3月"; in English as it is."""
    if script == "en":
        return iso
    year, *rest = iso.split("-")
    return "".join([f"{year}年", *(f"{int(n)}{unit}" for n, unit in zip(rest, "月日", strict=False))])


def dates_label(filters: Filters, script: Script) -> str:
    """The stretch of time of a filter in words; empty where it has none."""
    since, until = filters.since, filters.until
    words = _WORDS[script]
    if not (since or until):
        return ""
    kind = "both" if since and until else "since" if since else "until"
    kind = "one" if since == until else kind
    return words[kind].format(
        since=date_words(since, script) if since else "", until=date_words(until, script) if until else ""
    )


def described(filters: Filters, script: Script) -> str:
    """What the filters leave to search in, in words: "住建局2024年以来的文件"."""
    words = _WORDS[script]
    bodies = joined([body_label(name, script) for name in filters.bodies], script)
    dates = dates_label(filters, script)
    speaker = in_script(filters.speaker, script, ())
    if script == "en":
        what = words["speaker"].format(speaker=speaker) if speaker else "documents"
        whose = (
            f" of the {bodies}"
            if bodies and not speaker
            else f" in documents of the {bodies}"
            if bodies
            else ""
        )
        return " ".join(part for part in (f"{what}{whose}", dates) if part)
    if speaker:
        return words["speaker"].format(speaker=f"{bodies}{dates}{speaker}")
    return words["documents"].format(whose=f"{bodies}{dates}")


def refusal(filters: Filters, script: Script, why: str = "", undated: int = 0) -> str:
    """What a reader is told when nothing that the filters let through answers.

    :param why: the reason where there were passages; without it nothing at all was found
    :param undated: documents left out for having no date
    """
    words, where = _WORDS[script], described(filters, script)
    text = words["only"].format(why=why, where=where) if why else words["nothing"].format(where=where)
    return (
        f"{text}{undated_note(undated, script)}"
        if script != "en"
        else f"{text} {undated_note(undated, script)}".strip()
    )


def filters_line(filters: Filters, script: Script) -> str:
    """One line that says what was looked in."""
    return _WORDS[script]["line"].format(where=described(filters, script))


def undated_note(undated: int, script: Script) -> str:
    """That documents without a date were left out; empty for none."""
    return _WORDS[script]["undated"].format(count=undated) if undated else ""
