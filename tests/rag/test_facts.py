from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.facts import Amount, facts_of, missing_fact, opposed
from rag.text import fold


def missing(claim: str, evidence: str) -> str:
    claim, evidence = fold(claim), fold(evidence)
    return missing_fact(facts_of(claim), claim, facts_of(evidence, persons=False), evidence)


@pytest.mark.parametrize(
    ("claim", "evidence", "fault"),
    [
        ("改造老旧小区28户。", "改造老旧小区28个。", "unit 户"),
        ("新建公园四个。", "新建公园三个。", "number 4"),
        ("每户补贴300元。", "每户补贴300万元。", "number 300"),
        ("增长5个百分点。", "增长5%。", "number 5"),
        ("自5月3日起施行。", "自3月5日起施行。", "date 05-03"),
        ("会议由周建明主持。", "会议由李卫国主持。", "person 周建明"),
        ("It benefits 15,860 residents.", "惠及居民15860户。", "unit people"),
        ("It benefits 15,860 residents.", "It benefits 15,860 households.", "unit people"),
        ("惠及15860人。", "It benefits 15,860 households.", "unit 人"),
        ("It opened in the 1980s.", "该馆于九十年代开放。", "date 1980s"),
    ],
)
def test_what_the_evidence_lacks_is_named(claim: str, evidence: str, fault: str) -> None:
    assert missing(claim, evidence) == fault


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("惠及居民三百户。", "惠及居民300户。"),
        ("惠及居民1.2万户。", "惠及居民12000户。"),
        ("新建公园三个。", "新建公园3个。"),
        ("参加约300人。", "参加300人。"),
        ("共有28名干部。", "共有28位干部。"),
        ("年满60岁。", "年满60周岁。"),
        ("采购20台。", "采购20辆。"),
        ("一批项目开工。", "项目开工。"),
        ("已完成90%。", "主线桥梁已完成九成。"),
        ("占八成五。", "占85%。"),
        ("预算27.4亿元。", "2026年预算（亿元）：27.4；"),
        ("共3.2万人。", "人数（单位：万人）：3.2；"),
        ("It benefits 15,860 households.", "惠及居民15860户。"),
        ("3 million visitors came.", "接待游客300万人次。"),
        ("惠及15860户。", "It benefits 15,860 households."),
        ("The rate was 13.8 percent.", "The rate was 13.8%."),
        ("It grew by 13.8%.", "增长百分之13.8。"),
        ("It opened in the 1990s.", "该馆于上世纪九十年代开放。"),
        ("自2025年3月15日起。", "自二〇二五年三月十五日起。"),
    ],
)
def test_the_same_in_other_words_is_there(claim: str, evidence: str) -> None:
    assert missing(claim, evidence) == ""


@given(st.integers(11, 99_999), st.sampled_from(["户", "元", "人", "套"]))
def test_an_amount_is_read_with_its_unit_and_bears_itself_out(number: int, unit: str) -> None:
    text = f"共计{number}{unit}。"
    assert facts_of(text).amounts == (Amount(str(number), unit),)
    assert missing(text, text) == ""
    assert missing(f"共计{number + 1}{unit}。", text) == f"number {number + 1}"


@pytest.mark.parametrize(
    ("claim", "evidence", "expected"),
    [
        ("收取押金", "不得收取押金", "negation"),
        ("可以收取押金。", "不得收取押金。", "negation"),
        ("申请人可以享受补贴。", "申请人不享受补贴。", "negation"),
        ("不得收取押金。", "收取押金。", "negation"),
        ("该分公司具有企业法人资格。", "该分公司不具有企业法人资格。", "negation"),
        ("租期至少三年。", "租期不超过三年。", "bound"),
        ("租金不超过2000元。", "租金不低于2000元。", "bound"),
        ("不得收取押金。", "不得收取押金。", ""),
        ("停车费不得超过5元。", "停车费不超过5元。", ""),
        ("不收取费用。", "免收费用。", ""),
        ("没有房产的可以申请。", "无房产的可以申请。", ""),
        ("未来建设公园。", "建设公园。", ""),
        ("部署工作。", "不仅部署工作。", ""),
        ("不少于300套。", "不少于300套。", ""),
        ("至少300套。", "不少于300套。", ""),
        ("收取押金。", "收取押金，不得拖延退还。", ""),
    ],
)
def test_what_is_denied_or_turned_round(claim: str, evidence: str, expected: str) -> None:
    assert opposed(claim, evidence) == expected


@pytest.mark.parametrize(
    ("claim", "evidence", "fault"),
    [
        (
            "the cost is one hundred sixty-five million dollars.",
            "经费新台币一千六百五十万元。",
            "number 165000000",
        ),
        ("the cost is 16.5 million dollars.", "经费新台币一千六百五十万元。", ""),
        ("the cost is sixteen million dollars.", "经费1600万元。", ""),
        ("they will open in june.", "三所幼儿园将于9月开园。", "date june"),
        ("they will open in june.", "三所幼儿园将于6月底开园。", ""),
        ("they will open in september.", "将于2024年9月1日开园。", ""),
        ("they will open in december.", "将于十二月开园。", ""),
        ("they will open in february.", "将于十二月开园。", "date february"),
        ("they will open in march.", "they open by 3 march 2024.", ""),
    ],
)
def test_what_english_words_state_is_held_against_chinese_evidence(
    claim: str, evidence: str, fault: str
) -> None:
    stated, held = (facts_of(fold(text), persons=False) for text in (claim, evidence))
    assert missing_fact(stated, fold(claim), held, fold(evidence)) == fault
