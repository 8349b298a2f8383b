from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.checking import Draft, check, finish, put_right
from rag.questions import analyse
from rag.types import Chunk, Passage, Source

QUESTION = analyse("住建有哪些安排？", 200)
TEXT = "今年改造老旧小区28个。新建口袋公园12座。物业公司不得收取押金。"
GOOD, WRONG, MENDED = "今年改造老旧小区28个。", "新建口袋公园15座。", "新建口袋公园12座。"


def passage(text: str = TEXT, start: int = 0, name: str = "d") -> Passage:
    source = Source(name, f"/{name}.txt", "工作安排", "x", "text/plain")
    return Passage(Chunk(name, 0, start, start + len(text), text), source, 1.0)


def draft(text: str) -> Draft:
    return check(text, QUESTION, [passage()], None)


def right(text: str, said: str) -> Draft:
    return put_right(draft(text), said, QUESTION, [passage()], None)


def test_each_sentence_has_its_verdict_and_those_that_stand_their_place() -> None:
    made = draft(f"安排包括：\n{GOOD}{WRONG}")
    assert [c.verdict for c in made.checked] == ["not_a_claim", "supported", "unsupported"]
    assert [c.quote for c in made.citations] == [GOOD]
    assert made.faulty[0].reason == "number 15"


def test_the_mended_sentence_takes_the_place_of_the_faulty_one() -> None:
    made = right(f"{WRONG}\n{GOOD}", f"1. {MENDED}")
    assert [c.text for c in made.checked] == [MENDED, GOOD]
    assert not made.faulty
    assert {c.quote for c in made.citations} == {GOOD, MENDED}


def test_lines_go_to_the_sentences_by_their_numbers() -> None:
    made = right(f"{WRONG}物业公司可以收取押金。", f"2. 物业公司不得收取押金。\n1. {MENDED}")
    assert [c.text for c in made.checked] == [MENDED, "物业公司不得收取押金。"]


def test_what_is_said_already_or_nothing_or_wrong_again_mends_nothing() -> None:
    for said in (f"1. {GOOD}", "1. 无", "1. 无。", "", "1. 新建口袋公园18座。", "None"):
        assert right(f"{GOOD}{WRONG}", said) == draft(f"{GOOD}{WRONG}")


def test_a_repeated_mending_is_taken_once() -> None:
    made = right("新建口袋公园15座。新建口袋公园16座。", f"1. {MENDED}\n2. {MENDED}")
    assert [c.verdict for c in made.checked] == ["supported", "unsupported"]


def test_faulty_sentences_are_struck_or_dropped() -> None:
    made = draft(f"{GOOD}{WRONG}")
    kept, claims = finish(made, strike=True)
    assert kept == f"今年改造老旧小区28个[1]。{WRONG}"
    assert kept[claims[1].start : claims[1].end] == WRONG
    dropped, claims = finish(made, strike=False)
    assert dropped == "今年改造老旧小区28个[1]。"
    assert [c.verdict for c in claims] == ["supported", "unsupported"]


def test_a_lead_in_goes_with_what_it_leads() -> None:
    made = draft(f"{GOOD}\n还包括：\n{WRONG}")
    assert "还包括" not in finish(made, strike=False)[0]
    assert "还包括" in finish(made, strike=True)[0]


def test_that_nothing_is_said_stands_alone_only() -> None:
    nothing = "资料中没有提到教育的安排。"
    assert draft(nothing).says_nothing
    assert finish(draft(f"{GOOD}{nothing}"), strike=True)[0] == "今年改造老旧小区28个[1]。"


FACTS = st.lists(
    st.builds(
        lambda what, n, unit: f"{what}{n}{unit}。",
        st.sampled_from(["改造老旧小区", "新建口袋公园", "培训基层干部", "补助困难家庭"]),
        st.integers(11, 99_999),
        st.sampled_from(["个", "户", "人次", "万元"]),
    ),
    min_size=1,
    max_size=4,
    unique=True,
)


@given(st.lists(FACTS, min_size=1, max_size=3), st.integers(0, 500), st.data())
def test_citations_lie_where_they_say(texts: list[list[str]], start: int, data: st.DataObject) -> None:
    passages = [passage("".join(text), start, f"d{n}") for n, text in enumerate(texts)]
    claim = data.draw(st.sampled_from([one for text in texts for one in text]))
    made = check(claim, QUESTION, passages, None)
    assert [c.verdict for c in made.checked] == ["supported"]
    for citation in made.citations:
        chunk = passages[citation.number - 1].chunk
        assert chunk.start <= citation.start < citation.end <= chunk.end
        assert citation.quote == chunk.text[citation.start - start : citation.end - start]
        assert claim in citation.quote


def test_a_name_is_asked_for_without_what_stands_beside_it() -> None:
    text = "澄岭区三件实事由市民网络投票产生，指挥长为宫远岫。"
    for asked in ("2024年澄岭有哪三件实事是市民投出来的？", "澄岭的指挥长由谁担任？"):
        made = check(f"{asked[:-1].replace('谁', '宫远岫')}", analyse(asked, 200), [passage(text)], None)
        assert not any(c.reason.startswith("name") for c in made.checked), asked
    other = check(
        "澄岭有三件实事由市民网络投票产生。",
        analyse("澄岭有几件实事？", 200),
        [passage("三件实事由市民网络投票产生。")],
        None,
    )
    assert other.faulty[0].reason == "name 澄岭", "a name itself must still be there"


def test_what_a_person_is_asked_to_have_said_must_be_that_person_s() -> None:
    text = "全会要求，推动科技创新和产业创新深度融合。\n区科技局局长施文骏表示，将设立科创母基金。"
    question = analyse("施文骏说今年要干什么？", 200)

    def verdict(claim: str) -> str:
        (sentence,) = check(claim, question, [passage(text)], None).checked
        return sentence.verdict

    assert verdict("将设立科创母基金。") == "supported"
    assert verdict("推动科技创新和产业创新深度融合。") == "unsupported"


@pytest.mark.parametrize(
    ("question", "answer", "stands"),
    [
        ("卫健局承诺了什么？", "卫健局承诺了云栖区2026年社区医院夜诊工作方案。", False),
        ("卫健局承诺了什么？", "卫健局承诺了2026年全区社区医院夜诊工作安排。", False),
        ("卫健局承诺了什么？", "卫健局承诺夜诊时间延长到晚上九点。", True),
        ("夜诊工作是根据什么安排的？", "根据市卫健委部署，安排2026年全区社区医院夜诊工作。", True),
    ],
)
def test_a_promise_is_told_by_no_title_and_by_nothing_that_only_announces(
    question: str, answer: str, stands: bool
) -> None:
    title = "云栖区2026年社区医院夜诊工作方案"
    text = (
        f"{title}\n发布单位：云栖区卫健局　发布日期：2026年3月2日　文号：云卫〔2026〕7号\n"
        "根据市卫健委部署，现就2026年全区社区医院夜诊工作安排如下。\n一、区卫健局将夜诊时间延长到晚上九点。"
    )
    source = Source("d", "/d.txt", title, "x", "text/plain", published="2026-03-02")
    spoken = Passage(Chunk("d", 0, 0, len(text), text), source, 1.0)
    made = check(answer, analyse(question, 200), [spoken], None)
    assert bool(made.supported) == stands
