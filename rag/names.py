"""What a turn of a conversation names: quoted titles, bodies, people, places, and what it introduces ("知道云湖公园吗").

By the segmenter's dictionary, which tells names from other nouns, and by wording; no model. Pure.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Literal

from rag.bodies import mentions
from rag.questions import is_stopword
from rag.text import fold, has_han, segmenter, to_simplified, word_weight, words

_CLASSIFIER = (
    "个|部|张|首|座|家|条|项|款|本|所|位|种|届|份|次|篇|幅|支|只|台|批|件|场|门|片|栋|处|间|类|段|名"
)
_THING = "电影|影片|片子|片|专辑|歌曲|歌|景点|景区|地方|公司|学校|乐队|歌手|演员|导演|作品|人|单位|部门|项目|政策|活动|文件|通知|小区|事|东西"
POINTER = re.compile(
    r"(?P<person>他们|她们|(?<![其吉])他(?!人)|她)"
    r"|(?P<thing>它们|(?<!其)它)"
    rf"|(?P<this>(?:这|(?<!年)那|该)(?:{_CLASSIFIER})(?:{_THING})?(?!时候|么|样)|这些(?:{_THING})?|那些(?:{_THING})?|上述(?:{_THING})?"
    r"|该[局委镇区县市省院校站所村])"
    r"|(?P<place>这里|那里|那儿|这儿|那边|这边)"
    r"|(?P<its>其(?!他|它|中|实|余|次|间|后|一|二|三))"
)
ASKING = re.compile(
    r"谁|哪|什么|甚么|啥|多少|多大|多久|多长|多高|几|怎|咋|如何|为何|是否|有没有|是不是|能不能|知道|记得|吗|么|何时"
)
QUOTED = re.compile(r"[《「『“\"](?P<title>[^《》「」『』“”\"]{1,30})[》」』”\"]")
_LATIN_NAME = re.compile(r"(?<![A-Za-z])[A-Za-z][A-Za-z0-9.&'-]+(?: [A-Z][A-Za-z0-9.&'-]*)*")
_INTRODUCED = re.compile(
    r"(?:听说过|听过|看过|去过|知道|了解|认识|喜欢|介绍一下|介绍|关于|想去|想问|说说|讲讲|谈谈|聊聊|推荐)(?:了|过|的)?"
    r"(?P<topic>[^，。？！?!、；\s]{2,24}?)(?=(?:这|那)(?:一)?(?:个|部|张|首|座|家|条|项|款|本|位|人)|在哪|[是的]|怎么|有什么|吗|(?<![什怎这那])么|嘛|不$|吧|呢|[，。？！?!、；\s]|$)"
)
_NO_TOPIC = re.compile(
    r"[你我您了还什怎咱]|^(?:不少|很多|一[些点位名个部家]|这|那|有|是|在|就)|的$|一[下遍次]$|^此"
)
RARE = 12.6
"""Weight from which a word of the dictionary is so rare that a question with it is about it."""
_NAME_TELLS = 11.8
"""Weight under which the dictionary's tags of names are mostly wrong."""
_PLACE_END = frozenset("局院馆队园校团厅部路街寺宫山湖河江桥城镇村县市区省国岛塔庙会社组")
_FUNCTIONAL = frozenset(
    "的了是在有过得吗呢吧啊呀这那你我他她它们什么还会就都也很不没去来说能想看听知道被把和与为于及对从到个多少哪谁怎几最更再又太挺真好大小年月日号人时后前中上下里每各某该此其第两万元亿台"
)
SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳鲍史唐费廉岑薛雷贺倪汤滕殷罗毕"
    "郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟"
    "徐邱骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫经房裘缪干解应宗丁宣邓郁单杭洪包诸左石崔吉龚程邢裴陆荣翁荀羊甄家封芮储靳松井段富巫乌焦巴弓牧隗山谷车侯"
    "宓蓬全郗班仰秋仲伊宫宁仇栾暴甘厉戎祖武符刘景詹束龙叶幸司韶黎白怀蒲从鄂索赖卓屠蒙池乔阴胥苍闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍桑桂濮牛寿通边扈燕冀浦尚农"
    "温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东殴殳沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶空曾毋沙养鞠须丰巢关蒯相查后荆红游竺权逯盖益桓公"
)


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a turn, as it is written there; ``folded`` for comparing."""

    text: str
    folded: str
    kind: Literal["title", "body", "introduced", "name"]
    person: bool = False


@dataclass(frozen=True, slots=True)
class _Nouns:
    persons: frozenset[str]
    foreign: frozenset[str]
    proper: frozenset[str]
    common: frozenset[str]


@functools.lru_cache(maxsize=512)
def names_in(text: str) -> tuple[Name, ...]:
    """What a text names, in order: quoted titles, bodies, words that the dictionary lacks, and what it introduces."""
    plain = plain_of(text)
    taken = [False] * len(text)
    found: dict[int, Name] = {}

    def take(
        start: int, end: int, kind: Literal["title", "body", "introduced", "name"], *, person: bool = False
    ) -> None:
        if any(taken[start:end]) or not any(char.isalnum() for char in text[start:end]):
            return
        taken[start:end] = [True] * (end - start)
        found[start] = Name(text[start:end], fold(text[start:end]).strip('《》「」『』“”"'), kind, person)

    for match in QUOTED.finditer(text):
        take(match.start(), match.end(), "title")
    folded = fold(text)
    if len(folded) == len(text):
        for start, end, _ in mentions(folded):
            take(start, end, "body")
    if has_han(text):
        for match in _INTRODUCED.finditer(plain):
            topic = match.group("topic")
            if not (ASKING.search(topic) or POINTER.search(topic) or _NO_TOPIC.search(topic)) and is_telling(
                topic
            ):
                take(match.start("topic"), match.end("topic"), "introduced")
        for match in _LATIN_NAME.finditer(text):
            take(match.start(), match.end(), "name")
        for start, end, person in _named_runs(plain):
            take(start, end, "name", person=person)
    else:
        for match in re.finditer(r"(?<=[a-z,;] )[A-Z][\w'-]+(?: [A-Z][\w'-]+)*", text):
            take(match.start(), match.end(), "name")
    return tuple(found[start] for start in sorted(found))


def is_telling(topic: str) -> bool:
    """Whether a topic is more than one word that could be anything ("导演")."""
    telling = [word for word in words(topic) if not is_stopword(word)]
    return len(telling) > 1 or any(word_weight(word) >= RARE for word in telling)


def _named_runs(plain: str) -> list[tuple[int, int, bool]]:
    """Names by the dictionary and words that it lacks, each with the nouns right behind it: (start, end, person)."""
    nouns = _nouns()
    runs: list[tuple[int, int, bool]] = []
    at = 0
    for word in segmenter().cut(plain):
        start, at = at, at + len(word)
        joins = bool(runs) and runs[-1][1] == start
        if word in "·・•":
            if joins:
                runs[-1] = (runs[-1][0], at, True)
            continue
        if not has_han(word):
            continue
        if joins and plain[start - 1] in "·・•":
            runs[-1] = (runs[-1][0], at, True)
            continue
        person = word in nouns.persons or is_person(word)
        proper = len(word) > 1 and (
            person or word in nouns.proper or word in nouns.foreign or _is_unknown(word)
        )
        if joins and proper and "·" in plain[runs[-1][0] : start] and word not in nouns.common:
            runs[-1] = (runs[-1][0], at, True)
            continue
        ends = word[-1] in _PLACE_END or word.endswith(
            ("公司", "大学", "中心", "景区", "乐队", "工程", "项目")
        )
        if joins and (word in nouns.common or proper) and (ends or not runs[-1][2]) and not is_stopword(word):
            runs[-1] = (runs[-1][0], at, False)
        elif proper and not is_stopword(word):
            runs.append((start, at, person))
    return runs


def _is_unknown(word: str) -> bool:
    return not segmenter().FREQ.get(word) and not _FUNCTIONAL.intersection(word)


def is_person(word: str) -> bool:
    """Whether a word that the dictionary lacks has the form of a Chinese person's name: a surname and one or two characters."""
    return 2 <= len(word) <= 3 and word[0] in SURNAMES and _is_unknown(word)


@functools.cache
def _nouns() -> _Nouns:
    """The segmenter's dictionary by the kinds of its nouns; a fifth of a second at the first follow-up."""
    persons, foreign, proper, common = set(), set(), set(), set()
    with segmenter().get_dict_file() as stream:
        for line in stream:
            word, _, tag = line.decode("utf-8").rstrip().split(" ")
            if len(word) < 2:
                continue
            if tag in ("nr", "nrfg") and word[0] in SURNAMES and 2 <= len(word) <= 4:
                if word_weight(word) >= _NAME_TELLS:
                    persons.add(word)
            elif tag == "nrt" and word_weight(word) >= _NAME_TELLS:
                foreign.add(word)
            elif tag in ("ns", "nt") or (tag == "nz" and word_weight(word) >= _NAME_TELLS):
                proper.add(word)
            elif tag in ("n", "vn", "j", "l"):
                common.add(word)
    return _Nouns(frozenset(persons), frozenset(foreign), frozenset(proper), frozenset(common))


def plain_of(text: str) -> str:
    """The text in simplified script with each character in its place; as it is where that cannot be had."""
    simplified = to_simplified(text)
    return simplified if len(simplified) == len(text) else text


def is_place(name: Name) -> bool:
    """Whether the dictionary has it as the name of a place or an institution."""
    return name.folded in _nouns().proper
