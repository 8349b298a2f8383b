"""Reads from a question what it restricts itself to. Pure.

A restriction is read only where its wording leaves no doubt ("只看住建局的", "2024年以来"): a year or a body that describes what
is asked about ("2024年的目标是多少") must not hide the documents that answer it, for a report of 2023 states the target of 2024.
What is merely mentioned weighs in the ranking alone (`rag.features`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from rag.bodies import BODIES, bodies_in
from rag.filters.combining import joined_filters
from rag.filters.periods import DAY, ENGLISH_DAY, period_after, period_before, period_of
from rag.text import fold
from rag.types import Filters

_LONGEST = 2000
"""Characters of a question that are looked at; more are no question."""
_READ = 400
"""Characters in which a restriction is looked for: each stretch of time is held against all that stands before it."""
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
    rf"(?:(?:自从|自|从|在)?(?P<first>{DAY}){_TO}(?P<last>{DAY}|\d{{1,2}}月份?)(?:期间|之间|间)?"
    rf"|(?P<lead>自从|自|从)?(?P<since>{DAY})(?P<how>以来|至今|到现在|到今天|(?:开始|起)(?!草)|及以后|以后|之后)"
    rf"|(?P<until>{DAY})(?P<bound>及以前|以前|之前|前)"
    rf"|(?:截至|截止到?|直到)(?P<end>{DAY})(?:为止|止)?"
    rf"|(?P<plain>{DAY}))"
)
_ENGLISH_DOCUMENTS = r"(?:documents?|files?|papers?|notices?|news|articles?|records?)"
_MADE = r"(?: (?:published|issued|dated|released|written))?"
_ENGLISH_SAYS = r"(?:say|said|promised?|pledged?|announced?|published?|issued?|stated?|reported?)"
_NOT_SAID = re.compile(
    r"\b(?!(?:said|promised|pledged|announced|published|issued|stated|reported|dated|released)\b)"
    r"(?:built|born|force|effective|bought|sold|made|living|\w+ed) $"
)
_ENGLISH_SPAN = re.compile(
    rf"\b(?:(?:from|between) (?P<first>{ENGLISH_DAY}) (?:to|and|until|through) (?P<last>{ENGLISH_DAY})"
    rf"|since (?P<since>{ENGLISH_DAY})|from (?P<onward>{ENGLISH_DAY}) on(?:wards?)?\b"
    rf"|after (?P<after>{ENGLISH_DAY})|before (?P<before>{ENGLISH_DAY})|(?:until|up to) (?P<until>{ENGLISH_DAY})"
    rf"|(?:from|in|of) (?P<plain>{ENGLISH_DAY}))"
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


@dataclass(frozen=True, slots=True)
class Restriction:
    """What a question restricts itself to, and the question without the words that say so."""

    filters: Filters
    rest: str


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
            rf"{_ONLY}{han}(?:(?:{DAY}(?:以来|以后|之后|以前|之前)?)?{_IN_DOCUMENTS}|(?={DAY})|(?:{_PUBLISHED}|说|讲)的(?:{_DOCUMENTS}|材料|内容|话)?|的(?:{_DOCUMENTS}|材料|部分|内容|表态|发言)?|部分)"
            rf"(?![\u4e00-\u9fff]*(?:证明|意见)(?:就|吗))",
            rf"{_ONLY}{han}{ended}",
            rf"{_ONLY_IN}{han}(?:{DAY}(?:以来|以后|之后|以前|之前)?)?(?:{_PUBLISHED}|的)*(?:{_DOCUMENTS}|材料){_INSIDE}?",
            rf"(?:在|从)?{han}(?:{DAY}(?:以来|以后|之后|以前|之前)?)?{_IN_DOCUMENTS}",
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
        since, last = period_of(match["first"], today), match["last"]
        if since is not None and re.fullmatch(r"\d{1,2}月份?", last):
            last = f"{since[:4]}年{last}"
        until = period_of(last, today)
        return Filters(since=since, until=until) if since and until and since[:4] <= until[:4] else None
    if match["since"]:
        since = period_of(match["since"], today)
        since = period_after(since) if since and match["how"] == "之后" else since
        return Filters(since=since) if since else None
    if match["until"]:
        until = period_of(match["until"], today)
        until = period_before(until) if until and match["bound"] != "及以前" else until
        return Filters(until=until) if until else None
    if match["end"]:
        until = period_of(match["end"], today)
        return Filters(until=until) if until else None
    period = period_of(match["plain"], today)
    return Filters(since=period, until=period) if period else None


def _english_times(folded: str, today: date | None) -> Iterator[Found]:
    for match in _ENGLISH_SPAN.finditer(folded):
        given = {kind: period_of(text, today) for kind, text in match.groupdict().items() if text}
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
        since = period_after(period)
        return Filters(since=since) if since else None
    if kind == "before":
        until = period_before(period)
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
