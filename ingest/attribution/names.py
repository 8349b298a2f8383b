"""What is a person's name: surnames, what no name holds, how far a name goes."""

from __future__ import annotations

import re

from ingest.attribution.offices import OFFICE
from ingest.attribution.speakers import AFTER

_RARE = 10

SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳"
    "鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪"
    "舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫经房裘缪干解应宗丁宣邓郁单杭洪包"
    "诸左石崔吉龚程邢裴陆荣翁荀羊惠甄曲家封储靳邴松段富巫乌焦巴弓牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁仇栾暴甘厉戎祖武符刘景詹束龙"
    "叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸籍赖卓蔺屠蒙池乔阴胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍璩桑桂濮牛寿通边扈燕冀浦尚农温"
    "别庄晏柴瞿阎充慕连茹习艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东欧利蔚越隆师巩聂晁勾敖融冷辛阚那简饶曾沙丰关"
    "查游权肖闫代岳帅海涂佟年佘牟覃仝邸占权楚鹿区麦原练操才衣冼"
)
_COMPOUND = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "司徒",
    "夏侯",
    "端木",
)
NO_NAME = re.compile(
    "记者|本报|媒体|许多|多人|爆料|警告|分析|认为|反映|留言|评论|吐槽|质疑|预测|预计|如果|虽然|视频|发文|发帖|晒出|[的了在是及等将从由被把有其这那个们,、()\\d\\s]"
)
_ADVERBS = frozenset("也还都则又再就曾均称只便却已")
_ALSO_NAMES = frozenset("向曾都于和")
_ACTS = re.compile(
    r"一行|来到|到|深入|前往|主持|出席|参加|率|带队|实地|走进|听取|调研|检查|代表|作|围绕|结合|宣读"
)
DOTTED = re.compile(rf"[\u4e00-\u9fff]{{1,6}}(?:·[\u4e00-\u9fff]{{1,6}}){{1,3}}?(?={AFTER.pattern})")


def name_length(subject: str, at: int, *, acting: bool, whole: bool) -> int | None:
    """How long the name at ``at`` is; 0 where the office stands alone; None where neither fits."""

    def ends(place: int) -> bool:
        if place == len(subject):
            return True
        if whole:
            return False
        return AFTER.match(subject, place) is not None or (acting and _ACTS.match(subject, place) is not None)

    rest = len(subject) - at
    if rest == 0:
        return None if acting or whole else 0
    if latin := re.match(r" ?[a-z][a-z.\- ]{1,30}", subject[at:]):
        return latin.end() if ends(at + latin.end()) else None
    head = subject[at]
    if ends(at) and not (head in _ALSO_NAMES and 2 <= rest <= 3):
        return None if acting else 0
    if OFFICE.match(subject, at):
        return None
    longest = 3 if head in SURNAMES and "·" not in subject[at : at + 12] else 12
    if subject.startswith(_COMPOUND, at):
        longest = 4
    for length in range(2, longest + 1):
        name = subject[at : at + length]
        if len(name) < length or NO_NAME.search(name):
            return None
        if length > 5 and "·" not in name:
            return None
        if ends(at + length):
            return length
    return None


def looks_named(name: str) -> bool:
    """Whether it can be a Chinese name: a surname first, nothing in it that no name holds."""
    return (
        name[0] in SURNAMES
        and name[-1] not in _ADVERBS
        and NO_NAME.search(name) is None
        and all("\u4e00" <= c <= "\u9fff" for c in name)
    )


def no_word(name: str) -> bool:
    """Whether the dictionary does not know it: "白宫" and "方案" begin with surnames too."""
    from rag.text import segmenter

    # It also knows some full names, all of them rare.
    return (segmenter().FREQ.get(name) or 0) <= (_RARE if len(name) > 2 else 0)
