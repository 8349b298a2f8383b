from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.attribution import attribute
from rag.text import sentences

HOUSING, WATER, PLAN = "住房和城乡建设局", "水务局", "发展和改革委员会"
TIAN = ("局长田禾", HOUSING)

Case = tuple[str, list[tuple[str, str, str, str]]]

CASES: list[Case] = [
    ("区住建局局长田禾表示，今年改造小区28个。", [("区住建局", "28个。", *TIAN)]),
    ("区住建局局长田禾表示将改造小区28个。", [("区住建局", "28个。", *TIAN)]),
    ("据区住建局局长田禾介绍，今年改造小区28个。", [("据区住建局", "28个。", *TIAN)]),
    ("區住建局局長田禾指出，將改造老舊小區。", [("區住建局", "小區。", "局長田禾", HOUSING)]),
    ("工務局局長林亦川表示，明年完成道路改善。", [("工務局", "改善。", "局長林亦川", "工务局")]),
    ("運輸署表示，新路線下月開通。", [("運輸署", "開通。", "", "运输署")]),
    ("「我們會準時完工。」水務局局長祝海說。", [("「我們", "祝海說。", "局長祝海", WATER)]),
    ("12月5日，区住建局局长田禾在发布会上介绍，工程已完工。", [("12月5日", "完工。", *TIAN)]),
    ("区委书记邵云峰强调，要抓好落实。", [("区委书记", "落实。", "书记邵云峰", "区委")]),
    ("田禾（区住建局局长）说，今年开工。", [("田禾", "开工。", "局长田禾", HOUSING)]),
    ("区发改委党组书记、主任祝海介绍，项目已落地。", [("区发改委", "落地。", "党组书记、主任祝海", PLAN)]),
    ("青笠镇党委书记邵云峰说，今年完成改造。", [("青笠镇", "改造。", "党委书记邵云峰", "青笠镇")]),
    ("滨湖高新区管委会主任邵云峰说，将建新园区。", [("滨湖", "园区。", "主任邵云峰", "滨湖高新区管委会")]),
    ("住建、交通、水务等部门负责人分别表示，将抓紧推进。", [("住建", "推进。", "部门负责人", HOUSING)]),
    ("区住建局有关负责人表示，将抓紧推进。", [("区住建局", "推进。", "有关负责人", HOUSING)]),
    ("会议指出，要抓好落实。会议强调，安全第一。", [("会议指出", "第一。", "会议", "")]),
    ("全会指出，要深化改革。", [("全会", "改革。", "全会", "")]),
    ("区住建局承诺，年内完工。", [("区住建局", "完工。", "", HOUSING)]),
    ("据区住建局介绍，已完工。", [("据区住建局", "完工。", "", HOUSING)]),
    ("记者从区住建局获悉，工程已完工。", [("记者从", "完工。", "", HOUSING)]),
    ("青笠镇将依托园区打造新产业。", [("青笠镇", "产业。", "", "青笠镇")]),
    ("区水务局将整治河道九条。天气转凉。", [("区水务局", "九条。", "", WATER)]),
    ("市民王女士说，出行方便多了。", [("市民", "多了。", "市民王女士", "")]),
    ("“我们将尽快开工。”区水务局局长祝海说。", [("“我们", "祝海说。", "局长祝海", WATER)]),
    ("“我们将开工。资金已到位。”区水务局局长祝海说。", [("“我们", "祝海说。", "局长祝海", WATER)]),
    ("“钱到位了，”区水务局局长祝海表示，“我们马上开工。一定完成。”", [("“钱", "完成。”", "局长祝海", WATER)]),
    ("区住建局局长田禾说：“今年改造28个。明年再改40个。”现场掌声不断。", [("区住建局", "40个。”", *TIAN)]),
    (
        "区住建局局长田禾说：“今年改造28个小区。\n“明年再改造40个小区。”\n天气转凉了，河边游人不多。",
        [("区住建局", "40个小区。”", *TIAN)],
    ),
    (
        "区住建局局长田禾说：“今年改造28个小区。\n明年再改造40个小区。”\n天气转凉了，河边游人不多。",
        [("区住建局", "40个小区。”", *TIAN)],
    ),
    ("区住建局局长田禾表示，今年开工。他还强调，安全第一。", [("区住建局", "第一。", *TIAN)]),
    ("区住建局局长田禾表示，今年开工。\n田禾还介绍，资金已到位。", [("区住建局", "到位。", *TIAN)]),
    ("区住建局局长田禾表示，今年开工。\n田局长表示，资金已到位。", [("区住建局", "到位。", *TIAN)]),
    ("区住建局局长田禾表示，今年开工。我们将加快进度。", [("区住建局", "进度。", *TIAN)]),
    ("区住建局局长田禾表示，要做三件事。\n一是改造小区。\n二是修好道路。", [("区住建局", "道路。", *TIAN)]),
    ("区住建局局长田禾表示，今年开工。据悉，总投资两亿元。", [("区住建局", "开工。", *TIAN)]),
    ("区住建局局长田禾表示，今年开工。\n工程在河边，全长三公里。", [("区住建局", "开工。", *TIAN)]),
    (
        "区住建局局长田禾表示，今年开工。\n## 城市面貌\n道路整洁如新，绿树成荫。",
        [("区住建局", "开工。", *TIAN)],
    ),
    (
        "区住建局局长田禾表示，今年开工。文化是重要支点。区水务局局长祝海表示，将治河。",
        [("区住建局", "开工。", *TIAN), ("区水务局", "治河。", "局长祝海", WATER)],
    ),
    (
        "全会指出，要深化改革。“我们将精准发力。”区发改委主任祝海表示。",
        [("全会", "改革。", "全会", ""), ("“我们", "表示。", "主任祝海", PLAN)],
    ),
    (
        "记者：何时完工？\n田禾：我们年底前完工，请大家放心。还会回访。\n记者：谢谢。",
        [("记者", "完工？", "记者", ""), ("田禾", "回访。", "田禾", ""), ("记者", "谢谢。", "记者", "")],
    ),
    (
        "区住建局：今年将改造老旧小区二十八个。\n区水务局：今年整治河道九条，全部完成。",
        [("区住建局", "八个。", "", HOUSING), ("区水务局", "完成。", "", WATER)],
    ),
    (
        "住房和城乡建设局 局长 田禾\n今年将改造老旧小区二十八个，惠及居民。\n居民都说好，都盼着开工那一天。",
        [("今年", "一天。", "局长田禾", HOUSING)],
    ),
    (
        "Tian He, director of the housing bureau, said work would start in May. He also said costs fell.",
        [("Tian He", "costs fell.", "Tian He", HOUSING)],
    ),
    ("The housing bureau pledged to renovate 28 estates.", [("The housing", "estates.", "", HOUSING)]),
    (
        "“We will start in May,” said Tian He, director of the housing bureau.",
        [("“We", "bureau.", "Tian He", HOUSING)],
    ),
    (
        "区住建局局长田禾表示，今年开工。\n在河边住了多年的居民祝女士说：“太好了。”",
        [("区住建局", "开工。", *TIAN), ("在河边", "好了。”", "居民祝女士", "")],
    ),
    ("区住建局表示，年内完工。与此同时，今年以来全区开工项目很多。", [("区住建局", "完工。", "", HOUSING)]),
    # Nobody speaks.
    ("据了解，该项目由区住建局负责。", []),
    ("田禾，男，1970年生。", []),
    ("会议由田禾主持。", []),
    ("他说的三句话很短。", []),
    ("区住建局局长田禾对大家表示感谢。", []),
    ("区住建局局长田禾介绍了项目情况。", []),
    ("按照区住建局要求的时间，工程已完工。", []),
    ("白皮书指出，产业在增长。", []),
    ("他表示，不知道。", []),
    ("区住建局将于明日举行发布会。", []),
    ("向烈士家属表示深切慰问。", []),
    ("祝海代表学校表示一定完成任务。", []),
    ("尽管区住建局表示年内完工，工程仍在拖延。", []),
    ("这座桥被专家认为，是最老的一座。", []),
    ("区住建局随后发布通报，责令停工。", []),
    ("联系电话：0512-88880000\n责任单位：区住建局", []),
    ("The work was said to be finished.", []),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_who_speaks_where(text: str, expected: list[tuple[str, str, str, str]]) -> None:
    found = attribute(text)
    assert [(s.speaker, s.body) for s in found] == [(speaker, body) for _, _, speaker, body in expected]
    for speech, (first, last, _, _) in zip(found, expected, strict=True):
        said = text[speech.start : speech.end]
        assert said.startswith(first), said
        assert said.endswith(last), said


def test_the_issuer_answers_where_no_name_is_given() -> None:
    text = "问：何时完工？\n答：年底前完工，资金已经到位。"
    assert attribute(text, "区住建局")[-1].body == HOUSING


PIECES = [
    "区住建局局长田禾", "田禾", "他", "会议", "表示，", "说：", "说。", "“", "”", "「", "」", '"', "将开工", "我们", "。", "\n", "，", "：", "、",
    "记者", "答", "一是", "据", "从", "获悉，", "said ", "The housing bureau ", "Tian He ", "?", " ", "（", "）", "…", "ß", "㈱", "İ", "\ud800", "\x00",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=40).map("".join)))
def test_speeches_are_runs_of_whole_sentences_in_order(text: str) -> None:
    spans = sentences(text)
    starts, ends = {start for start, _ in spans}, {end for _, end in spans}
    last = 0
    for speech in attribute(text, "区住建局"):
        assert last <= speech.start < speech.end
        assert speech.start in starts
        assert speech.end in ends
        assert speech.speaker or speech.body
        last = speech.end


@pytest.mark.parametrize(
    "piece", ["建", "区住建局局长田禾", "表示，", "田禾表示，", "“", "“”", "“\n", "区住建局：\n", "said ", "他说。", "书记、主任", "住建局 局长 田禾\n"]
)  # fmt: skip
def test_time_is_linear_in_the_text(piece: str) -> None:
    attribute("田禾说，好。")
    started = time.perf_counter()
    attribute(piece * (200_000 // len(piece)))
    assert time.perf_counter() - started < 2
