"""Names of government bodies: full and short forms, and what English calls them.

The list is of the standard departments of a Chinese county, district or city government and of its party
committee, from the general structure set by the 2018 and 2023 reforms of Party and state institutions. Forms that
an office uses beyond these are found by their wording like any other text.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

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
住房和城乡建设局|住建局 住房城乡建设局 住建委 住房和城乡建设委员会 住房城乡建设委|housing and urban-rural development bureau; housing bureau; housing and construction bureau; housing department; bureau of housing
城市管理局|城管局 城市管理委员会 城管委 城市管理综合行政执法局|urban management bureau; city management bureau
交通运输局|交通局 交运局|transport bureau; transportation bureau; traffic bureau; bureau of transport
水务局|水利局|water bureau; water affairs bureau; water resources bureau
农业农村局|农业局 农委|agriculture and rural affairs bureau; agriculture bureau; agricultural bureau
商务局|商务委 商务委员会|commerce bureau; bureau of commerce
文化体育和旅游局|文体和旅游局 文体旅游局 文体旅局 文旅局 文化和旅游局 文广旅局 文化广电和旅游局|culture, sports and tourism bureau; culture and tourism bureau; tourism bureau; culture bureau; sports bureau
卫生健康委员会|卫健委 卫健局 卫生健康委 卫生健康局 卫计委|health commission; health bureau
退役军人事务局|退役军人局|veterans affairs bureau
应急管理局|应急局|emergency management bureau; emergency bureau
审计局||audit bureau; audit office
市场监督管理局|市场监管局 市监局|market regulation bureau; market supervision bureau; administration for market regulation
统计局||statistics bureau; bureau of statistics
医疗保障局|医保局|healthcare security bureau; medical insurance bureau; medical security bureau
行政审批局|政务服务局 数据局 数据资源管理局 大数据局 政务服务和数据管理局|administrative approval bureau; government services bureau; data bureau
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
消防救援大队|消防大队|fire and rescue brigade; fire department
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
def _patterns() -> tuple[re.Pattern[str], dict[str, Body]]:
    by_name: dict[str, Body] = {}
    for body in BODIES:
        for name in (*body.chinese, *body.english):
            by_name.setdefault(name, body)
    longest_first = sorted(by_name, key=len, reverse=True)
    # English names only as whole words; Chinese has no word boundaries.
    parts = [rf"\b{re.escape(n)}\b" if n.isascii() else re.escape(n) for n in longest_first]
    return re.compile("|".join(parts)), by_name


def mentions(folded: str) -> list[tuple[int, int, Body]]:
    """Where a folded text (`rag.text.fold`) names a body, as (start, end, body), in order; the longest name counts."""
    pattern, by_name = _patterns()
    return [(match.start(), match.end(), by_name[match.group()]) for match in pattern.finditer(folded)]


def bodies_in(folded: str) -> list[Body]:
    """The bodies that a folded text (`rag.text.fold`) names, in order of first mention, each once."""
    return list({body.name: body for _, _, body in mentions(folded)}.values())


def names_body(folded: str, body: Body) -> bool:
    """Whether a folded text names that body in any of its forms."""
    return body in bodies_in(folded)
