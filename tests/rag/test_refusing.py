from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.checking import Draft, cite
from rag.citations import Checked
from rag.evidence import Evidence
from rag.questions import analyse
from rag.refusing import missing_parts, silent_bodies, why_no_evidence, why_not_told
from rag.types import Chunk, Passage, Source, Speech

HOUSING = "区住建局局长田禾表示，将改造老旧小区28个，改造老旧小区的资金已到位。"
LISTED = "区教育局、区民政局等部门负责人列席会议。"


def passage(text: str, title: str = "区委全会召开", id_: str = "d") -> Passage:
    source = Source(id_, f"/{id_}.txt", title, "x", "text/plain", published="2025-12-29")
    return Passage(Chunk(id_, 0, 0, len(text), text), source, 1.0)


def draft(*passages: Passage) -> Draft:
    """A draft that cites the whole of each passage."""
    cited, checked = {}, []
    for number, one in enumerate(passages, start=1):
        span = (0, one.chunk.end)
        cited[number, *span] = cite(one, number, *span)
        checked.append(Checked(one.chunk.text, "", (number,), "supported", ranges=(span,)))
    return Draft(tuple(checked), cited)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("教育局承诺了什么？", "资料提到了教育局，但没有说承诺了什么。"),
        ("教育局承諾了什麼？", "資料提到了教育局，但沒有說承諾了什麼。"),
        (
            "What did the education bureau promise?",
            "The documents mention education bureau, but do not say what was promised.",
        ),
    ],
)
def test_a_body_that_says_nothing_is_told_in_the_words_of_the_question(text: str, expected: str) -> None:
    question = analyse(text, 2000)
    assert why_no_evidence(question, Evidence(0.0, "body_silent", question.called)) == expected
    assert why_not_told(question, [passage(LISTED)]) == expected


@pytest.mark.parametrize(
    ("text", "topic", "what"),
    [
        ("老旧小区什么时候改造完？", "老旧小区", "是什么时候"),
        ("改造老旧小区的费用是多少？", "改造老旧小区", "金额或标准"),
        ("老旧小区的咨询电话是多少？", "老旧小区", "联系方式"),
        ("改造老旧小区的流程是怎样的？", "资料提到了改造老旧小区，", "怎么做"),
        ("老舊小區由誰管？", "老舊小區", "是誰"),
    ],
)
def test_the_topic_that_the_passages_have_is_told(text: str, topic: str, what: str) -> None:
    reason = why_not_told(analyse(text, 2000), [passage(HOUSING)])
    assert topic in reason
    assert reason.endswith(f"{what}。")


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("When will the Riverside Bridge be closed?", "mention Riverside Bridge, but"),
        ("Who pays for the bridge repair budget overrun?", "mention bridge repair budget, but"),
        ("How much housing was sold?", "mention housing, but"),
        ("How low is the rent?", "close to this"),
        ("Which steps were quickly planned?", "close to this"),
    ],
)
def test_an_english_topic_is_whole_words_that_may_name_a_thing(text: str, topic: str) -> None:
    held = "The council will follow the low-carbon plan and close Riverside Bridge; the bridge repair budget and housing are planned."
    assert topic in why_not_told(analyse(text, 2000), [passage(held, "Council news")])


@pytest.mark.parametrize("text", ["红烧肉怎么做？", "2031年？", "What about zebras?", "紅燒肉"])
def test_without_a_topic_in_common_none_is_named(text: str) -> None:
    reason = why_not_told(analyse(text, 2000), [passage(HOUSING)])
    assert reason in (
        "找到了相近的资料，但其中没有说到所问的事。",
        "找到了相近的資料，但其中沒有說到所問的事。",
        "There are passages close to this, but they do not tell what was asked.",
    )


@pytest.fixture(scope="module", autouse=True)
def dictionaries() -> None:
    """Loaded on first use, which would count to the first example's time."""
    for text in ("住建局承诺了什么？", "住建局承諾了什麼？", "What did the housing bureau promise?"):
        why_not_told(analyse(text, 2000), [passage(HOUSING)])


@given(
    st.text("住建局老旧小区改造的？吗什么28，how many 承諾", min_size=1).filter(
        lambda t: any(map(str.isalnum, t))
    )
)
def test_a_reason_never_names_an_empty_topic(text: str) -> None:
    reason = why_not_told(analyse(text, 2000), [passage(HOUSING)])
    assert not reason.startswith(("资料提到了，", "資料提到了，", "The documents mention ,"))
    assert "{" not in reason


def test_an_empty_library_and_missing_words_are_told() -> None:
    question = analyse("住建局承诺了什么？", 2000)
    assert why_no_evidence(question, Evidence(0.0, "empty_library")) == "资料库里还没有文件。"
    assert "“地铁、机场”" in why_no_evidence(question, Evidence(0.1, "words_missing", ("地铁", "机场")))
    assert why_no_evidence(question, Evidence(0.1)) == "资料中没有找到与这个问题有关的内容。"


def test_words_of_another_body_are_silence_of_the_one_asked_about() -> None:
    citations = draft(passage(HOUSING)).citations
    assert silent_bodies(analyse("教育局承诺了什么？", 2000), citations) == ["教育局"]
    assert silent_bodies(analyse("住建局承诺了什么？", 2000), citations) == []
    assert silent_bodies(analyse("谁承诺了什么？", 2000), citations) == []


def test_who_speaks_counts_where_the_sentence_does_not_name_the_body() -> None:
    text = "将改造老旧小区28个。"
    source = Source("d", "/d.txt", "全会", "x", "text/plain")
    speech = Speech(0, len(text), "局长田禾", "住房和城乡建设局")
    spoken = Passage(Chunk("d", 0, 0, len(text), text, speeches=(speech,)), source, 1.0)
    assert silent_bodies(analyse("住建局承诺了什么？", 2000), draft(spoken).citations) == []


def test_the_parts_of_a_question_that_nothing_cited_speaks_of_are_missing() -> None:
    both = analyse("住建局和教育局分别承诺了什么？", 2000)
    (missing,) = missing_parts(both, draft(passage(HOUSING)))
    assert "教育局" in missing
    assert missing_parts(both, draft(passage(HOUSING), passage("区教育局将新建学校三所。", id_="e"))) == []


def test_years_are_parts_and_one_thing_has_none() -> None:
    years = analyse("2024年和2025年各改造多少老旧小区？", 2000)
    assert missing_parts(years, draft(passage(HOUSING))) == ["2024"]
    assert missing_parts(analyse("教育局承诺了什么？", 2000), draft(passage(HOUSING))) == []
