"""Questions to go on with: made of what the passages hold, none of them asked already."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rag.followups import MOST, followups
from rag.types import Answer, Chunk, Citation, Passage, Source, Speech

EDUCATION, HOUSING = "教育局", "住房和城乡建设局"


def passage(
    text: str, document: str = "a", heading: str = "", body: str = "", title: str = "工作报道"
) -> Passage:
    speeches = (Speech(0, len(text), "局长", body),) if body else ()
    source = Source(document, f"{document}.txt", title, "0", "text/plain")
    return Passage(Chunk(document, 0, 0, len(text), text, heading, None, speeches), source, 1.0)


def answer(
    *passages: Passage, question: str = "住建局承诺了什么？", script: str = "zh-Hans", **more: object
) -> Answer:
    cited = passages[0]
    citation = Citation(1, cited, 0, len(cited.chunk.text), cited.chunk.text)
    values = {
        "text": "改造小区28个[1]。",
        "citations": (citation,),
        "passages": passages,
        "done": True,
    } | more
    return Answer(question, script, **values)


CITED = passage("将改造小区28个。", body=HOUSING, heading="一、城市更新")


def test_another_body_that_promises_something_is_asked_about() -> None:
    found = followups(answer(CITED, passage("将新增学位500个。", body=EDUCATION)))
    assert found == ("教育局承诺了什么？",)
    assert followups(answer(CITED, passage("新增學位。", body=EDUCATION), script="zh-Hant")) == ()
    english = answer(
        CITED,
        passage("将新增学位。", body=EDUCATION),
        script="en",
        question="What did the housing bureau promise?",
    )
    (question,) = followups(english)
    assert question.startswith("What did the ")
    assert "ducation" in question


def test_a_body_that_speaks_in_the_cited_document_is_asked_about_though_none_of_its_words_were_found() -> (
    None
):
    assert followups(answer(CITED), [HOUSING, EDUCATION]) == ("教育局承诺了什么？",)


def test_a_body_that_was_asked_about_is_not_suggested() -> None:
    assert followups(answer(CITED, passage("将加装电梯。", body=HOUSING))) == ()
    both = answer(CITED, passage("将新增学位。", body=EDUCATION), question="住建局和教育局承诺了什么？")
    assert followups(both) == ()


def test_other_parts_of_the_cited_document_are_suggested_by_their_headings() -> None:
    found = followups(
        answer(
            CITED, passage("内容。", heading="（三）补贴申报流程"), passage("别的。", "b", heading="预算安排")
        )
    )
    assert found == ("关于“补贴申报流程”，文件是怎么说的？",)
    assert followups(answer(CITED, passage("内容。", heading="一、城市更新"))) == ()
    asked = answer(
        passage("已申报。"), passage("内容。", heading="补贴申报流程"), question="补贴申报流程是什么？"
    )
    assert followups(asked) == ()


def test_another_notice_is_suggested_by_its_title() -> None:
    notice = passage("内容。", "b", title="关于申报加装电梯补贴的通知")
    assert followups(answer(CITED, notice)) == ("加装电梯补贴有什么规定？",)


def test_nothing_is_suggested_where_nothing_was_answered() -> None:
    other = passage("将新增学位500个。", body=EDUCATION)
    for change in ({"outcome": "refused"}, {"outcome": "clarify"}, {"done": False}, {"citations": ()}):
        assert followups(replace(answer(CITED, other), **change)) == ()


@given(
    st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40), st.sampled_from(["a", "b"])), max_size=8)
)
def test_there_are_never_too_many_and_none_twice(parts: list[tuple[str, str, str]]) -> None:
    others = [passage(text, document, heading, EDUCATION, heading) for text, heading, document in parts]
    found = followups(answer(CITED, *others))
    assert len(found) <= MOST
    assert len(set(found)) == len(found)
    assert all(question.strip() for question in found)
