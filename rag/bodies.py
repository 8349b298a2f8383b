"""Names of government bodies: full and short forms, and what English calls them.

The list is of the standard departments of a Chinese county, district or city government and of its party
committee, from the general structure set by the 2018 and 2023 reforms of Party and state institutions, then of
Taiwanese cities and of Hong Kong; names are in simplified script as `rag.text.fold` makes them. A name that several
places use for the same work (交通局) is one body. Forms that an office uses beyond these are found by their wording
like any other text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from rag.pinyin import is_function, sounds_like, word_edges

_TABLE = """
发展和改革委员会|发展改革委 发改委 发改局 发展和改革局|development and reform commission; development and reform bureau; ndrc
教育局|教育体育局 教体局 教委 教育委员会|education bureau; education department; bureau of education
科学技术局|科技局|science and technology bureau; technology bureau; bureau of science and technology
工业和信息化局|工信局 经信局 工信委 经信委 工业信息化局|industry and information technology bureau; industry and information bureau; industry bureau
公安局|公安分局|public security bureau; police
民政局||civil affairs bureau
司法局||justice bureau; judicial bureau
财政局||finance bureau; bureau of finance
人力资源和社会保障局|人社局 人力资源社会保障局|human resources and social security bureau; human resources bureau; social security bureau
自然资源和规划局|资规局 自然资源局 自规局 规划局 规划和自然资源局|natural resources and planning bureau; natural resources bureau; planning bureau
生态环境局|环保局 环境保护局|ecology and environment bureau; environment bureau; environmental bureau; environmental protection bureau
住房和城乡建设局|住建局 住房城乡建设局 住建委 住房和城乡建设委员会 住房城乡建设委 住房和建设局 住房建设局|housing and urban-rural development bureau; housing bureau; housing and construction bureau; housing department; bureau of housing
城市管理局|城管局 城市管理委员会 城管委 城市管理综合行政执法局 城市管理和综合执法局 城市管理行政执法局 综合行政执法局 综合执法局|urban management bureau; city management bureau
交通运输局|交通局 交运局 交通委 交通委员会 交通运输委员会|transport bureau; transportation bureau; traffic bureau; bureau of transport
水务局|水利局 水利水务局 水务委|water bureau; water affairs bureau; water resources bureau
农业农村局|农业局 农委|agriculture and rural affairs bureau; agriculture bureau; agricultural bureau
商务局|商务委 商务委员会|commerce bureau; bureau of commerce
文化体育和旅游局|文体和旅游局 文体旅游局 文体旅局 文旅局 文化和旅游局 文广旅局 文化广电和旅游局|culture, sports and tourism bureau; culture and tourism bureau; tourism bureau; culture bureau; sports bureau
卫生健康委员会|卫健委 卫健局 卫生健康委 卫生健康局 卫计委 卫生局|health commission; health bureau
退役军人事务局|退役军人局|veterans affairs bureau
应急管理局|应急局|emergency management bureau; emergency bureau
审计局||audit bureau; audit office
市场监督管理局|市场监管局 市监局|market regulation bureau; market supervision bureau; administration for market regulation
统计局||statistics bureau; bureau of statistics
医疗保障局|医保局|healthcare security bureau; medical insurance bureau; medical security bureau
行政审批局|政务服务局 数据局 数据资源管理局 大数据局 政务服务和数据管理局 政务服务管理局 政务办|administrative approval bureau; government services bureau; data bureau
信访局||petition bureau; letters and calls bureau
税务局||tax bureau
园林绿化局|绿化局 园林局|landscape bureau; parks bureau
体育局||sports administration
政法委|政法委员会|political and legal affairs commission; political and legal committee
组织部||organization department; organisation department
宣传部||publicity department; propaganda department
统战部||united front work department
纪委监委|纪律检查委员会 纪委|discipline inspection commission
总工会||federation of trade unions
团委|共青团||
妇联|妇女联合会|women's federation
残联|残疾人联合会|disabled persons' federation
国资委|国有资产监督管理委员会 国资办|state-owned assets commission
金融监管局|金融办 地方金融管理局|financial regulatory bureau
消防救援大队|消防大队 消防救援支队 消防支队|fire and rescue brigade; fire department
机关事务管理局|机关事务局 机关事务管理中心|government offices administration
乡村振兴局|扶贫办|rural revitalization bureau; rural revitalisation bureau
粮食和物资储备局|粮储局 粮食局|grain and material reserves bureau; grain bureau
林业局|林草局 林业和草原局|forestry bureau
气象局||meteorological bureau
民族宗教事务局|民宗局 民宗委 民族宗教事务委员会|ethnic and religious affairs bureau
外事办公室|外事办 外办|foreign affairs office
网信办|网络安全和信息化委员会办公室|cyberspace administration
工商联|工商业联合会|federation of industry and commerce
科协|科学技术协会|association for science and technology
红十字会||red cross society
工务局||public works bureau
都市发展局|都发局|urban development bureau
社会局||social affairs bureau; social welfare bureau
劳工局|劳动局|labour bureau; labor bureau
地政局||land administration bureau; land bureau
文化局||cultural affairs bureau
观光旅游局|观光局 观旅局|tourism and travel bureau
消防局||fire bureau
警察局||police department; police bureau
房屋局||
香港房屋委员会|房屋委员会 房委会|housing authority
运输署||transport department
食物环境卫生署|食环署 食物环境衞生署|food and environmental hygiene department
社会福利署|社福署|social welfare department
康乐及文化事务署|康文署|leisure and cultural services department
环境保护署|环保署|environmental protection department
卫生署|衞生署|department of health
屋宇署||buildings department
渠务署||drainage services department
地政总署||lands department
劳工处||labour department
"""


@dataclass(frozen=True, slots=True)
class Body:
    """One government body: ``name`` is its full form, ``short`` its other Chinese names, ``english`` its English ones."""

    name: str
    short: tuple[str, ...]
    english: tuple[str, ...]

    @property
    def chinese(self) -> tuple[str, ...]:
        """All its Chinese names, the full one first."""
        return (self.name, *self.short)


def _read_table() -> tuple[Body, ...]:
    bodies = []
    for line in _TABLE.strip().splitlines():
        name, short, english = [*line.split("|"), "", ""][:3]
        bodies.append(
            Body(name, tuple(short.split()), tuple(e.strip() for e in english.split(";") if e.strip()))
        )
    return tuple(bodies)


BODIES = _read_table()
NAMES = frozenset(name for body in BODIES for name in body.chinese)


@functools.cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], dict[str, Body]]:
    by_name: dict[str, Body] = {}
    for body in BODIES:
        for name in (*body.chinese, *body.english):
            by_name.setdefault(name, body)
    # Apart, so that each alternative begins with a character: `re` then skips to the places where one can begin, 50
    # times as fast. English names count only as whole words; Chinese has no word boundaries.
    chinese = _alternatives(name for name in by_name if not name.isascii())
    english = _alternatives(name for name in by_name if name.isascii())
    return re.compile(chinese), re.compile(rf"\b(?:{english})\b"), by_name


def _alternatives(names: Iterable[str]) -> str:
    """A pattern for any of these names, the longest at a place; names with one first character share a branch."""
    by_first: dict[str, list[str]] = {}
    for name in names:
        by_first.setdefault(name[0], []).append(name[1:])
    return "|".join(
        f"{re.escape(first)}(?:{'|'.join(map(re.escape, sorted(rest, key=len, reverse=True)))})"
        for first, rest in by_first.items()
    )


def mentions(folded: str) -> list[tuple[int, int, Body]]:
    """Where a folded text (`rag.text.fold`) names a body, as (start, end, body), in order; the longest name counts."""
    chinese, english, by_name = _patterns()
    found = [*chinese.finditer(folded), *english.finditer(folded)]
    return [(m.start(), m.end(), by_name[m.group()]) for m in sorted(found, key=re.Match.start)]


_LEAST_TYPED = 3
"""Names of two characters sound like too much else."""
_OTHERS = frozenset({"卫监局"})
"""Names of bodies that the table lacks, which sound like others that it has."""


@functools.cache
def _by_end() -> dict[str, tuple[str, ...]]:
    by_end: dict[str, list[str]] = {}
    for name in sorted(NAMES, key=lambda name: (-len(name), name)):
        if len(name) >= _LEAST_TYPED:
            by_end.setdefault(name[-1], []).append(name)
    return {end: tuple(names) for end, names in by_end.items()}


def mistyped(folded: str) -> list[tuple[int, int, str]]:
    """Where a folded text has the name of a body in wrong characters of the same sound (助建局), as (start, end, the name
    meant), in order.

    What kind of body it is (局, 委) must be typed right, for input methods give that with the name; and no word of the
    general dictionary may reach over an end of the name: 新房局部 holds no 新房局. Where two bodies sound like it, that is
    meant which has more of its characters, or none.
    """
    masked = list(folded)
    for start, end, _ in mentions(folded):
        masked[start:end] = " " * (end - start)
    text = "".join(masked)
    ends = [at + 1 for at, char in enumerate(text) if char in _by_end()]
    if not ends:
        return []
    edges = word_edges(text)
    found: list[tuple[int, int, str]] = []
    for end in ends:
        doubled = text[end - 1 : end + 1] == text[end - 1] * 2  # 局局长, which the dictionary has as one word
        if end not in edges and not doubled:
            continue
        for name in _by_end()[text[end - 1]]:
            start = end - len(name)
            if start < (found[-1][1] if found else 0) or start not in edges:
                continue
            typed = text[start:end]
            if typed in _OTHERS or not _may_mean(typed, name):
                continue
            likest = _likest(typed, name[-1])
            if len({by_name(other).name for other in likest}) == 1:
                found.append((start, end, likest[0]))
            break
    return found


def _likest(typed: str, end: str) -> list[str]:
    """The names with this last character that sound like what was typed and have the most of its characters."""
    alike = [name for name in _by_end()[end] if sounds_like(typed, name)]
    same = [sum(a == b for a, b in zip(typed, name, strict=True)) for name in alike]
    return [name for name, count in zip(alike, same, strict=True) if count == max(same)]


def _may_mean(typed: str, name: str) -> bool:
    return not any(is_function(a) for a, b in zip(typed, name, strict=True) if a != b) and sounds_like(
        typed, name
    )


def bodies_in(folded: str) -> list[Body]:
    """The bodies that a folded text (`rag.text.fold`) names, in order of first mention, each once."""
    return list({body.name: body for _, _, body in mentions(folded)}.values())


def by_name(name: str) -> Body:
    """The body of this name, in any of its forms.

    :raises KeyError: there is none
    """
    return _patterns()[2][name]


def names_body(folded: str, body: Body) -> bool:
    """Whether a folded text names that body in any of its forms."""
    return body in bodies_in(folded)


_LEAST_STEM = 2
_STEM_END = re.compile("(?:委员会|局|委)$")


@functools.cache
def _joint() -> tuple[re.Pattern[str], re.Pattern[str], dict[str, Body]]:
    by_stem: dict[str, Body] = {}
    for body in BODIES:
        for name in body.chinese:
            stem = _STEM_END.sub("", name)
            if stem != name and len(stem) >= _LEAST_STEM:
                by_stem.setdefault(stem, body)
    by_stem.setdefault("环保", next(body for body in BODIES if "环保局" in body.chinese))
    one = f"(?:{'|'.join(sorted(map(re.escape, by_stem), key=len, reverse=True))})"
    item = f"{one}(?:局|委)?"
    # What is not a body of the table may stand between two that are: "住建、电力、水务等部门". The list is bounded and
    # possessive, so that the search stays linear in the text.
    other = "[\u4e00-\u9fff]{2,4}(?=[、,和及与等])"
    whole = re.compile(
        f"{item}(?:[、,和及与](?>{item}|{other})){{0,12}}+(?:等|两|三|四|五|六)?(?:\\d{{1,2}}|多)?个?"
        "(?:有关|相关|职能|主管)?(?:部门|单位)"
    )
    return (
        whole,
        re.compile(f"(?<![\u4e00-\u9fff]){one}|{one}(?=[、,和及与等局委部单两三四五六多有相职主个0-9]|$)"),
        by_stem,
    )


def joint_bodies(folded: str) -> list[Body]:
    """The bodies that a folded text names by their first words: "住建、城管、交通等部门", "住建部门", in order, each once."""
    whole, one, by_stem = _joint()
    found: dict[str, Body] = {}
    for match in whole.finditer(folded):
        for stem in one.finditer(match.group()):
            body = by_stem[stem.group()]
            found.setdefault(body.name, body)
    return list(found.values())
