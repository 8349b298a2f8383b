"""Where two cited documents say different things of the same: another number, another date, another responsible body. Pure.

Precise rather than complete: two statements are compared only when their clauses share nearly all their telling words,
and never across years, places, stages, groups, plan and result, total and part, or least and most.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Literal

from rag.bodies import mentions as bodies_at
from rag.numerals import chinese_number, quantities
from rag.questions import is_stopword
from rag.relative_dates import Period, mentions, reference, resolve
from rag.text import aligned, english_stem, has_han, segmenter, sentences, word_weight

Sort = Literal["number", "date", "body"]


@dataclass(frozen=True, slots=True)
class Statement:
    """A cited sentence or quote: its text, its document's title, ISO date and id, and its position among the citations.

    ``heading`` is the one it stands under, which may tell its year ("一、2025年工作回顾").
    """

    text: str
    title: str
    published: str | None
    document: str
    position: int
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """What one side says, ``text[start:end]`` of the statement at ``position``."""

    position: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two values that cannot both hold; ``later`` is the position of the later document's, None where not known."""

    kind: Sort
    left: Value
    right: Value
    later: int | None


@dataclass(frozen=True, slots=True)
class _Fact:
    """A value with what it is said of."""

    kind: Sort
    start: int
    end: int
    value: object
    unit: str
    near: frozenset[str]
    clause: frozenset[str]
    held: frozenset[str]
    marks: frozenset[str]
    periods: tuple[Period, ...]
    own_places: frozenset[str]
    places: frozenset[str]
    rough: bool
    lasting: bool


_UNITS = (
    "平方公里|平方米|立方米|公里|千米|公顷|亩|米|万吨|吨|美元|港元|元|个工作日|工作日|个百分点|个月|个|户|家|台|张|人次|人|名|所|座|"
    "条|栋|幢|处|辆|套|件|起|次|场|班|间|床|项|份|天|日|小时|分钟|年|岁|具|部|支|期|片|棵|株|路|kg|km"
)
_UNIT = re.compile(rf"\s?(?P<unit>{_UNITS})(?![级号])")
_ENGLISH_SCALE = re.compile(r"\s(?P<scale>thousand|million|billion)\b")
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_ENGLISH_UNIT = re.compile(r"\s(?:(?P<percent>percent|per cent)|(?P<words>[a-z][a-z-]*(?:\s[a-z][a-z-]*)?))")
_SINGLE = re.compile(
    rf"(?<![第十百千万一二三四五六七八九])[一二两三四五六七八九](?=个?(?:工作日|月)|[天次年]|(?:{_UNITS})(?!级))"
)
_CLAUSE = re.compile(
    r"(?:,(?!\d{3})|[，;；:：。！？!?\n])|、(?=\d)|(?<=[%0-9元个张台家所条座户])、|\.(?=\s|$)"
)
_ROUGH_BEFORE = re.compile(r"(?:约|近|超过?|突破|逾|大约|about|nearly|over|around|some)\s?$")
_ROUGH_AFTER = re.compile(r"^\s?(?:多|余|左右|上下)")
_FROM_VALUE = re.compile(
    r"^[^,，;；。]{0,6}(?:提高|降低|增加|上调|下调|压缩|放宽|调整|缩短|减少|延长|提升)(?:到|至|为)|^\s?(?:至|到|-|—|~|to\s)"
)
_NO_VALUE = re.compile(r"^\s?(?:号|楼|线|室|室|期|届|热线|式|[0-9-]{2,})(?![0-9])")
_MARKS = {
    "plan": r"计划|拟|将|目标|力争|预计|安排|确保|预期|will|plan|target|aim",
    "done": r"完成|实现|已|达到了|累计|(?<!公)共(?!享|和|同|计)|了(?!解)|has|was|were|added|reached",
    "part": r"其中|首批|第一批|剩余|其余|部分|of these|of which",
    "sum": r"累计|总计|合计|共计|总数|cumulative|total",
    "new": r"新增|净增|新建|新辟|新开|added|new",
    "per": r"每|人均|户均|均(?!衡|为|可)|per |each",
    "least": r"不低于|不少于|至少|最低|以上|及以上|起步|at least|no less|minimum",
    "most": r"不超过|不高于|最高|至多|最多|以内|以下|上限|at most|no more|maximum|up to",
    "growth": r"增长|同比|增幅|提高|上升|grew|growth|increase|rise|up",
    "fall": r"下降|减少|降低|压减|压缩|fell|decrease|drop",
    "share": r"占|比重|比例|share of",
    "start": r"开工|启动|开始|动工|起始|开幕|begin|start",
    "finish": r"完工|竣工|建成|截止|结束|止|闭幕|complet|finish|end",
    "open": r"启用|投用|通车|开放|投入使用|开业",
    "old": r"原(?![则因来料])|此前|过去|调整前",
}
_PATTERNS = {
    name: re.compile(re.sub(r"(?<![^|])([a-z][a-z ]*)(?=\||$)", r"\\b\1", pattern))
    for name, pattern in _MARKS.items()
}
_STRICT = frozenset(
    {"part", "sum", "per", "least", "most", "growth", "fall", "share", "old", "start", "finish", "open"}
)
_OPTIONAL = frozenset({"start", "finish", "open"})
_STAGE = re.compile(
    r"[一二三四五六七八九十0-9]+(?:期|批|层|级|类|档|号线|号|届|标段)(?:以下|及以上|以上|以内)?|首期|首次|再次|首批|初审|复审|复核|终审|phase (?:one|two|i+|[0-9])"
)
_GROUPS = re.compile(
    r"城镇|农村|小学|初中|高中|幼儿园|本科|硕士|博士|专科|男性?|女性?|毕业生|残疾人|失业人员|老年人|未成年人|学生|企业|个人|单位|居民|"
    r"非机动车|机动车|工作日|周末|节假日|上午|下午|新建|改建|扩建|产业项目|基础设施|民生项目"
)
_ANYONE = frozenset({"居民", "单位", "企业", "个人", "新建", "工作日"})
_RULE = re.compile(
    r"标准|补贴|补助|每(?!立方|平方|年|月)|不超过|不低于|不少于|不得|应当|须|收费|票价|期限|工作日|全长|设置床位|总面积|建筑面积|[一二三四]期"
)
_LOOKS_BACK = re.compile(r"报告|总结|纪要|会议|周报|月报|年报|公报|summary|report")
"""Documents in whose titles the year is that of their writing, while they tell of the year before too."""
_GENERIC = frozenset(
    [
        "一期",
        "二期",
        "三期",
        "四期",
        "建筑",
        "建筑面积",
        "总面积",
        "投资",
        "总投资",
        "资金",
        "增长",
        "下降",
        "提高",
        "项目",
        "面积",
        "收入",
        "支出",
        "经费",
        "补贴",
        "标准",
        "预算",
        "产值",
        "全年",
        "小区",
        "居民",
        "改造",
        "新增",
        "建设",
        "工程",
        "企业",
        "惠及",
        "目标",
    ]
)
_PLACE = re.compile(
    r"[\u4e00-\u9fff]{2}(?:街道|镇|乡|县|村(?!民))|[\u4e00-\u9fff](?![社小园景校院片地城辖库灾山郊厂病发范能假行护居牧战专特禁赛展分各全本该我老新区市])[\u4e00-\u9fff]区(?![域级间分别政委])"
)
_NARROW = re.compile(r"(?:街道|镇|乡|村)$")
_NOT_PLACE = re.compile(r"^(?:各|全|本|该|所在|一些|乡)|[各和及在于由个]|城镇|乡镇|村镇|古镇|新村|一村|二村")
_ROLES = {
    "lead": r"牵头",
    "assist": r"配合|协助|协同",
    "first": r"初审",
    "review": r"复核|复审",
    "accept": r"受理",
    "check": r"审核|审批",
    "host": r"主办",
    "undertake": r"承办",
    "do": r"负责|组织实施|主管|责任单位|办理",
}
_ROLE = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _ROLES.items()))
_EVENT = re.compile(
    r"截止|截至|启用|竣工|完工|建成|通车|开放|开工|施行|实施|执行|报名|报到|开幕|闭幕|举办|举行|停水|停电|时间|日期|开业|投产|封顶|交付|考试|开学|发放|召开|生效|"
    r"\b(?:open|complet|deadline|start|begin|take effect|held)"
)
_ONCE = re.compile(r"竣工|完工|建成|通车|启用|投用|投入使用|开放|封顶|投产|开业|交付|开工|complet|open")
_FILLER = frozenset(
    [
        "为",
        "是",
        "共",
        "共计",
        "总计",
        "达到",
        "达",
        "实现",
        "完成",
        "计划",
        "将",
        "约",
        "近",
        "以",
        "至",
        "到",
        "由",
        "给予",
        "按",
        "的",
        "了",
        "和",
        "与",
        "及",
        "在",
        "于",
        "全",
        "全区",
        "全市",
        "全年",
        "区",
        "我区",
        "全县",
        "本区",
        "设置",
        "设",
        "安排",
        "正式",
        "预计",
        "力争",
        "拟",
        "已",
        "新",
        "底",
        "前",
        "起",
        "自",
        "止",
        "年",
        "月",
        "日",
        "内",
        "共有",
        "其中",
        "每",
        "一",
        "个",
        "数",
        "上",
        "下",
        "中",
        "进行",
        "组织",
        "开展",
        "负责",
        "牵头",
        "单位",
        "责任",
        "工作",
        "增长",
        "年度",
        "区级",
        "部分",
        "开始",
        "结束",
        "上年",
        "去年",
        "比",
        "较",
        "同比",
        "年均",
        "可比价格",
        "后",
        "调整",
        "标准",
        "时",
        "时间",
        "时间为",
        "截止",
        "共改造",
        "办法",
        "通知",
        "本",
        "该",
        "执行",
        "the",
        "of",
        "in",
        "a",
        "an",
        "to",
        "will",
        "district",
        "for",
        "and",
        "at",
        "be",
        "is",
        "was",
        "by",
        "with",
        "it",
        "its",
        "on",
        "has",
    ]
)
_LEAST_SHARED = 0.72
_LEAST_DICE = 0.6
_TELLS = 7.5
_LEAST_COMMON = 10.8
_ROUNDING = Decimal("0.05")


def disagreements(statements: Sequence[Statement]) -> tuple[Disagreement, ...]:
    """The pairs of values from different documents that contradict each other, in the order of the statements.

    For each kind, two statements give one pair at most, the first.
    """
    facts = [_facts(statement) for statement in statements]
    found = []
    for first, second in combinations(range(len(statements)), 2):
        left, right = statements[first], statements[second]
        if left.document == right.document or left.text == right.text:
            continue
        for kind in ("number", "date", "body"):
            pair = _contradiction(
                [fact for fact in facts[first] if fact.kind == kind],
                [fact for fact in facts[second] if fact.kind == kind],
            )
            if pair is not None:
                found.append(
                    Disagreement(
                        kind,
                        _value(left, pair[0]),
                        _value(right, pair[1]),
                        _later(left, right),
                    )
                )
    return tuple(found)


def _value(statement: Statement, fact: _Fact) -> Value:
    return Value(statement.position, fact.start, fact.end, statement.text[fact.start : fact.end])


def _later(left: Statement, right: Statement) -> int | None:
    """Which statement's document is later, as far as both dates are known."""
    if not left.published or not right.published:
        return None
    ours, theirs = left.published[: len(right.published)], right.published[: len(left.published)]
    return None if ours == theirs else left.position if ours > theirs else right.position


def _contradiction(left: Sequence[_Fact], right: Sequence[_Fact]) -> tuple[_Fact, _Fact] | None:
    for ours in left:
        for theirs in right:
            if not _comparable(ours, theirs) or not _differ(ours, theirs):
                continue
            # A side that also has the other's value for the same says no different thing.
            if any(_comparable(fact, theirs) and not _differ(fact, theirs) for fact in left):
                continue
            if any(_comparable(ours, fact) and not _differ(ours, fact) for fact in right):
                continue
            return ours, theirs
    return None


def _differ(left: _Fact, right: _Fact) -> bool:
    if left.kind == "number":
        return _other_number(left, right)
    if left.kind == "body":
        return not (left.value & right.value)  # type: ignore[operator]
    ours, theirs = left.value, right.value
    assert isinstance(ours, Period)
    assert isinstance(theirs, Period)
    return not ours.meets(theirs)


def _other_number(left: _Fact, right: _Fact) -> bool:
    ours, theirs = left.value, right.value
    assert isinstance(ours, Decimal)
    assert isinstance(theirs, Decimal)
    if ours == theirs:
        return False
    large = max(abs(ours), abs(theirs))
    if (left.rough or right.rough) and abs(ours - theirs) <= large * _ROUNDING:
        return False
    return not (_rounds_to(ours, theirs) or _rounds_to(theirs, ours))


def _rounds_to(exact: Decimal, rounded: Decimal) -> bool:
    """Whether the second is the first with fewer digits: 11,240 and 1.1万."""
    _, digits, exponent = rounded.normalize().as_tuple()
    if not isinstance(exponent, int) or len(digits) < 2:
        return False
    unit = Decimal(1).scaleb(exponent)
    return (
        abs(exact - rounded) < unit and unit >= 10 and len(exact.normalize().as_tuple().digits) > len(digits)
    )


def _comparable(left: _Fact, right: _Fact) -> bool:
    """Whether two values are of the same thing, time, place and stage."""
    if left.unit != right.unit or not _same_marks(left, right):
        return False
    if not (_same_places(left, right) and _same_periods(left, right)):
        return False
    shared = left.clause & right.clause
    if not any(len(word) > 1 for word in shared - _GENERIC):
        return False
    if not shared or not (left.near & right.near or left.kind != "number"):
        return False
    ours, theirs = _weight(left.clause), _weight(right.clause)
    common = _weight(shared)
    # What one clause lacks may stand around the other.
    ours_held = _weight(left.clause & right.held) >= _LEAST_SHARED * ours
    if not ours_held and _weight(right.clause & left.held) < _LEAST_SHARED * theirs:
        return False
    if common < _LEAST_SHARED * min(ours, theirs) or 2 * common < _LEAST_DICE * (ours + theirs):
        return False
    only_left = [word for word in left.clause - right.held if _telling(word)]
    only_right = [word for word in right.clause - left.held if _telling(word)]
    return not (only_left and only_right) and common >= _LEAST_COMMON


def _telling(word: str) -> bool:
    return _word_weight(word) >= _TELLS


def _same_marks(left: _Fact, right: _Fact) -> bool:
    ours, theirs = left.marks, right.marks
    if ("plan" in ours and "done" in theirs) or ("done" in ours and "plan" in theirs):
        return False
    if ("new" in ours and "sum" in theirs) or ("sum" in ours and "new" in theirs):
        return False
    rest = {mark for mark in ours ^ theirs if mark not in ("plan", "done", "new")}
    if left.kind != "number":
        rest -= {"part", "per", "least", "most", "growth", "fall", "share", "sum"}
    else:
        rest -= _OPTIONAL
    return not rest


def _same_places(left: _Fact, right: _Fact) -> bool:
    narrow = {place for place in left.own_places ^ right.own_places if _NARROW.search(place)}
    for place in narrow:
        if place not in left.places or place not in right.places:
            return False
    return not left.places or not right.places or bool(left.places & right.places)


def _same_periods(left: _Fact, right: _Fact) -> bool:
    if (
        left.kind == "number"
        and not (left.lasting and right.lasting)
        and not (left.periods and right.periods)
    ):
        return False  # counts of unknown years
    if not left.periods or not right.periods:
        return True
    if left.kind == "number":
        ours = {(period.first, period.last) for period in left.periods}
        return bool(ours & {(period.first, period.last) for period in right.periods})
    return any(a.holds(b) or b.holds(a) for a in left.periods for b in right.periods)


@functools.lru_cache(maxsize=4096)
def _word_weight(word: str) -> float:
    return word_weight(word) if has_han(word) else 9.0


def _weight(words: frozenset[str]) -> float:
    return sum(_word_weight(word) for word in words)


@functools.lru_cache(maxsize=512)
def _facts(statement: Statement) -> tuple[_Fact, ...]:
    plain = aligned(statement.text)
    title = aligned(statement.title)
    on = reference(statement.title, statement.published)
    found: list[_Fact] = []
    for start, end in sentences(statement.text):
        found.extend(_of_sentence(statement, plain, title, on, start, end))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Dated:
    start: int
    end: int
    period: Period
    since: bool


def _of_sentence(
    statement: Statement, plain: str, title: str, on: str | None, start: int, end: int
) -> list[_Fact]:
    text = plain[start:end]
    dated = [
        _Dated(mention.start, mention.end, period, mention.since)
        for mention in mentions(statement.text[start:end])
        if (period := resolve(mention, on)) is not None
    ]
    bodies = bodies_at(text)
    blank = list(text)
    for place in (*((d.start, d.end) for d in dated), *((s, e) for s, e, _ in bodies)):
        blank[place[0] : place[1]] = " " * (place[1] - place[0])
    free = "".join(blank)
    bounds = [0, *(match.end() for match in _CLAUSE.finditer(free)), len(text)]
    spans = [(a, b) for a, b in zip(bounds, bounds[1:], strict=False) if b > a]
    everything = _content(free) | _content(title)
    own_places = _places_of(text)
    places = own_places or _places_of(title)
    title_periods = _years_of(statement.title, on)
    framed = _years_of(statement.heading, on) or (() if _LOOKS_BACK.search(title) else title_periods)
    found: list[_Fact] = []
    for number, (first, last) in enumerate(spans):
        clause = free[first:last]
        words = _content(clause)
        marks = _marks_of(text[first:last])
        led = number > 0 and (len(words) < 2 or _weight(words) < 18)
        if led:
            words |= _content(free[spans[number - 1][0] : spans[number - 1][1]])
        if number:  # a condition before: 招用残疾人的，每人补贴3000元
            marks |= {mark for mark in _marks_of(text[spans[number - 1][0] : first]) if ":" in mark}
        if not words - {"补贴", "投资"} or (number == 0 and _weight(words) < 18):
            words |= _content(title) if _weight(words) < 10 else frozenset()
        inside = [d for d in dated if first <= d.start < last]
        earlier = [d for d in dated if d.start < first]
        periods = tuple(d.period for d in inside if not d.since) or tuple(
            d.period for d in earlier[-1:] if not d.since
        )
        lasting = not periods and _RULE.search(text) is not None
        base = tuple(_as_year(period) for period in periods or framed)
        if "part" not in marks and "其中" in re.split("[;；]", text[:first])[-1]:
            marks |= {"part"}
        if not marks & {"plan", "done"}:
            marks |= _marks_of(text) & {"plan", "done"}
        if not marks & {"plan", "done"} and not lasting and base and on:
            marks |= {"done"} if base[0].last < on else {"plan"} if base[0].first > on else set()

        def fact(
            kind: Sort,
            at: int,
            to: int,
            value: object,
            unit: str,
            near: frozenset[str],
            of: tuple[Period, ...],
            extra: frozenset[str] = frozenset(),
            rough: bool = False,
            words: frozenset[str] = words,
            marks: frozenset[str] = marks,
            lasting: bool = lasting,
        ) -> _Fact:
            return _Fact(
                kind,
                start + at,
                start + to,
                value,
                unit,
                near,
                words,
                everything,
                marks | extra,
                of,
                own_places,
                places,
                rough,
                lasting,
            )

        for at, to, value, unit, rough in _numbers(free, first, last):
            before = _ordered(free[first:at])[-2:]
            after = _ordered(free[to:last])[:3]
            near = frozenset((*before, *after))
            if led:
                near |= frozenset(_ordered(free[spans[number - 1][0] : first])[-3:])
            found.append(fact("number", at, to, value, unit, near or words, base, rough=rough))
        events = {m.group() for m in _EVENT.finditer(text[first:last])} or (
            {m.group() for m in _EVENT.finditer(text)} if len(dated) == 1 else set()
        )
        fine = [d for d in inside if d.period.precision not in ("year", "span")] or inside
        for d in fine if events and len(fine) == 1 else ():
            if d.period.precision in ("year", "span") and not _ONCE.search(text):
                continue
            # The year of a yearly event is its period; what is done once has no other.
            of = () if _ONCE.search(text) else (title_periods or (_year(d.period),))
            whole = words | _content(free)
            found.append(
                fact("date", d.start, d.end, d.period, "", whole, of, words=whole, marks=_marks_of(text))
            )
        for role in _ROLE.finditer(text[first:last]):
            until = spans[number + 1][1] if clause.endswith((":", "：")) and number + 1 < len(spans) else last
            acting = [b for b in bodies if first <= b[0] < until]
            if not acting:
                continue
            others = "".join(
                " " if first + role.start() <= i < first + role.end() else c for i, c in enumerate(free)
            )
            task = _content(others) or _content(title)
            found.append(
                fact(
                    "body",
                    acting[0][0],
                    acting[-1][1],
                    frozenset(body.name for _, _, body in acting),
                    role.lastgroup or "",
                    task,
                    (),
                    words=task,
                )
            )
            break
    return found


def _as_year(period: Period) -> Period:
    """A limit at the year's end is its year: 年底前完成28个."""
    if period.until and period.last.endswith("12-31"):
        return _year(period)
    return Period(period.first, period.last, period.precision)


def _year(period: Period) -> Period:
    return Period(f"{period.first[:4]}-01-01", f"{period.first[:4]}-12-31", "year")


def _years_of(title: str, on: str | None) -> tuple[Period, ...]:
    """The year that a title or heading names."""
    return tuple(
        _year(period)
        for mention in mentions(title)[:1]
        if mention.year is not None and (period := resolve(mention, on)) is not None
    )


def _places_of(plain: str) -> frozenset[str]:
    return frozenset(
        match.group() for match in _PLACE.finditer(plain) if not _NOT_PLACE.search(match.group())
    )


def _marks_of(plain: str) -> frozenset[str]:
    found = {name for name, pattern in _PATTERNS.items() if pattern.search(plain)}
    found |= {f"stage:{match.group()}" for match in _STAGE.finditer(plain)}
    found |= {f"group:{match.group()}" for match in _GROUPS.finditer(plain) if match.group() not in _ANYONE}
    return frozenset(found)


def _ordered(free: str) -> list[str]:
    words = []
    for run in re.findall(r"[\u3400-\u9fff]+|[a-z][a-z'-]+", free):
        for word in segmenter().cut(run) if has_han(run) else (english_stem(run),):
            if (
                word not in _FILLER
                and not is_stopword(word)
                and not _is_numeral(word)
                and not re.fullmatch(f"[百千万亿]*(?:{_UNITS})", word)
            ):
                words.append(word)
    return words


def _is_numeral(word: str) -> bool:
    return re.fullmatch("[零〇一二两三四五六七八九十百千万亿]+", word) is not None


def _content(free: str) -> frozenset[str]:
    return frozenset(_ordered(free))


def _numbers(free: str, first: int, last: int) -> list[tuple[int, int, Decimal, str, bool]]:
    """The counted values of a clause: (start, end with the unit, value, unit, whether rough)."""
    found = []
    text = free[:last]
    spots = [(q.start, q.end, q.value) for q in quantities(text) if q.start >= first] + [
        (m.start(), m.end(), str(chinese_number(m.group()))) for m in _SINGLE.finditer(text, first)
    ]
    for start, end, value in sorted(spots):
        end = start + len(text[start:end].rstrip())
        before, after = text[:start], free[end:]
        if before.endswith(("第", "-", "〔", "[", "no.")) or _NO_VALUE.match(after):
            continue
        number = Decimal(value.rstrip("%"))
        unit = "%" if value.endswith("%") else ""
        rough = _ROUGH_BEFORE.search(before) is not None
        if match := _ROUGH_AFTER.match(after):
            rough, end = True, end + match.end()
        if not unit and (match := _UNIT.match(free, end)):
            unit, end = match["unit"], match.end()
        if not unit and (match := _ENGLISH_SCALE.match(free, end)):
            number, end = number * _SCALES[match["scale"]], match.end()
        if not unit and (match := _ENGLISH_UNIT.match(free, end)):
            if match["percent"]:
                unit, end = "%", match.end()
            else:
                unit = english_stem(match["words"].split()[-1])
        if not unit or _FROM_VALUE.match(free[end:]):
            continue
        found.append((start, end, number, {"幢": "栋", "名": "人", "千米": "公里"}.get(unit, unit), rough))
    return found
