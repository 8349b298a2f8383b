"""What bears a claim out and what only holds its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.bearing import is_heading, is_question, misplaced, only_announces, other_row, other_year
from rag.facts import facts_of
from rag.text import fold


@pytest.mark.parametrize(
    ("sentence", "asks"),
    [
        ("双胞胎可以分到同一所学校吗？", True),
        ("问：双胞胎可以分到同一所学校吗", True),
        ("他问道：“谁来养老？”", True),
        ("May twins go to the same school?", True),
        ("问：可以吗？答：可以。", False),
        ("改造怎么改，由居民说了算。", False),
        ("问题已整改。", False),
    ],
)
def test_a_question_asks_and_does_not_answer_itself(sentence: str, asks: bool) -> None:
    assert is_question(sentence) == asks


@pytest.mark.parametrize(
    ("text", "line", "heading"),
    [
        (
            "会议结束。\n\n以实干为先 镇街竞相展现新作为\n\n望舒街道表示……",
            "以实干为先 镇街竞相展现新作为",
            True,
        ),
        ("负责人参加了讨论。\n\n以实干为先 镇街竞相展现新作为", "以实干为先 镇街竞相展现新作为", True),
        (
            "一、确保区人民医院新院区启用\n新院区位于湖东街道。",
            "一、确保区人民医院新院区启用",
            True,
        ),
        ("要点\n打造湖畔音乐节品牌\n建设长者食堂", "打造湖畔音乐节品牌", False),
        ("任务：\n- 打造音乐节品牌\n- 建设食堂", "- 打造音乐节品牌", False),
        ("一、确保新院区9月启用\n新院区位于湖东街道。", "一、确保新院区9月启用", False),
        ("主持人：纪明轩\n会议开始。", "主持人：纪明轩", False),
        ("会议开始。由纪明轩主持", "由纪明轩主持", False),
        ("会议由纪明轩主持", "会议由纪明轩主持", False),
    ],
)
def test_a_heading_is_a_line_of_its_own_that_names_what_follows(text: str, line: str, heading: bool) -> None:
    start = text.index(line)
    assert is_heading(text, start, start + len(line), "") == heading


def test_the_known_heading_is_one() -> None:
    assert is_heading("要点\n新院区启用", 0, 2, "要点")
    assert not is_heading("要点\n新院区启用", 0, 2, "")


def year(claim: str, evidence: str, *asked: str) -> str:
    claim, evidence = fold(claim), fold(evidence)
    return other_year(claim, facts_of(claim, persons=False), evidence, asked)


@pytest.mark.parametrize(
    ("claim", "evidence", "asked", "fault"),
    [
        ("1086.4亿元", "2024年，全区实现地区生产总值1086.4亿元，增长5.6%。", "2025", "2025"),
        ("1086.4亿元", "2024年，全区实现地区生产总值1086.4亿元，增长5.6%。", "2024", ""),
        ("1148亿元", "全区实现地区生产总值1148亿元，比2024年增长5.6%。", "2025", ""),
        ("4.62亿元", "项目于2025年12月获批，总投资4.62亿元。", "2026", ""),
        ("1.2亿元", "2024年，今年预算的1.2亿元已下达。", "2025", ""),
        (
            "2025年：1086.4亿元",
            "2024年，全区实现地区生产总值1086.4亿元。年末有高新技术企业591家。",
            "",
            "2025",
        ),
        ("2025年：1148亿元", "2025年生产总值1148亿元，比2024年增长5%。", "", ""),
        ("由区住建局负责。", "2024年，由区住建局负责改造28个小区。", "2025", "2025"),
        ("由住建部门负责。", "2024年，由区住建局负责改造28个小区。", "2025", ""),
        ("柯文哲", "2018年市长选举中，柯文哲连任成功。", "2022", "2022"),
        ("柯文哲", "2022年市长选举中，柯文哲连任成功。", "2022", ""),
        ("柯文哲", "2018年12月，柯文哲就任。", "2022", ""),
    ],
)
def test_an_amount_is_of_the_year_of_its_sentence(claim: str, evidence: str, asked: str, fault: str) -> None:
    assert year(claim, evidence, *([asked] if asked else [])) == fault


ROWS = "序号：9；小区名称：纺织新村；所在镇：石埠镇；户数：530\n序号：10；小区名称：供销公寓；所在镇：白苎镇；户数：204"


@pytest.mark.parametrize(
    ("claim", "known", "other"),
    [
        ("530户", "老旧小区改造一共多少户", True),
        ("530户", "纺织新村有多少户", False),
        ("纺织新村530户", "各小区有多少户", False),
        ("530户", "石埠镇改造多少户", False),
        ("改造小区。", "一共多少户", False),
    ],
)
def test_a_row_answers_for_what_it_names(claim: str, known: str, other: bool) -> None:
    said = fold(claim)
    row = fold(ROWS.split("\n")[0])
    assert other_row(facts_of(said, persons=False), row, fold(f"{known}\n{claim}")) == other


def test_prose_beside_a_row_bears_an_amount_out() -> None:
    said = facts_of("530户", persons=False)
    assert not other_row(said, fold(f"全区共改造530户。\n{ROWS}"), "一共多少户")


@pytest.mark.parametrize(
    ("claim", "evidence", "number"),
    [
        ("24小时内反馈。", "对举报的问题,24小时内到场核查、7个工作日内反馈。", "24"),
        ("7个工作日内反馈。", "对举报的问题,24小时内到场核查、7个工作日内反馈。", ""),
        ("24小时内核查。", "对举报的问题,24小时内到场核查、7个工作日内反馈。", ""),
        ("银奖5000元", "金奖3名、银奖6名,奖金分别为8000元和5000元。", ""),
        ("审核15个工作日", "审核时限由30个工作日压缩至15个工作日,公示时间5个工作日不变。", ""),
        ("公示15个工作日", "审核时限压缩至15个工作日,公示5个工作日。", "15"),
        ("补贴22万元", "每台22万元,由区财政承担。", ""),
    ],
)
def test_an_amount_stands_beside_what_is_said_of_it(claim: str, evidence: str, number: str) -> None:
    assert misplaced(claim, facts_of(claim, persons=False), evidence) == number


@given(
    st.text(alphabet="年2024户元区局，。：；？\n 一、", max_size=60), st.integers(0, 59), st.integers(0, 59)
)
def test_any_text_can_be_asked(text: str, one: int, other: int) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    facts = facts_of(text, persons=False)
    is_heading(text, start, end, text[:3])
    is_question(text)
    # What a text says it bears out itself.
    assert (
        other_year(text, facts, text, ()) == "" or len(text.split("。")) > 1 or "\n" in text or "？" in text
    )
    misplaced(text, facts, text)
    other_row(facts, text, text)


@pytest.mark.parametrize(
    ("sentence", "announces"),
    [
        ("根据市局部署，现就招生入学工作安排如下。", True),
        ("现将有关事项通知如下：", True),
        ("The measures are as follows:", True),
        ("承诺如下：一是改造小区28个；二是加装电梯120台。", False),
        ("如下水道堵塞，请拨打热线。", False),
        ("改造老旧小区28个。", False),
    ],
)
def test_what_only_says_that_something_follows_announces(sentence: str, announces: bool) -> None:
    assert only_announces(sentence) == announces
