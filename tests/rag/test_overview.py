from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.overview import examples


def test_titles_suggest_questions() -> None:
    titles = ["区住房和城乡建设局改造计划", "关于申报加装电梯补贴的通知", "区教育局要点", "区水务局要点"]
    assert examples(titles) == (
        "住建局承诺了什么？",
        "教育局承诺了什么？",
        "加装电梯补贴有什么规定？",
        "What did the housing bureau promise?",
    )


def test_a_body_is_suggested_once_and_titles_without_any_suggest_nothing() -> None:
    assert len(examples(["区住建局要点", "住房和城乡建设局计划"])) == 2
    assert examples(["会议纪要", ""]) == examples([]) == ()


def test_a_notice_in_traditional_script_is_read() -> None:
    assert examples(["關於申報加裝電梯補貼的通知"]) == ("加装电梯补贴有什么规定？",)


@given(st.lists(st.text(max_size=30), max_size=4))
def test_any_titles_give_different_questions(titles: list[str]) -> None:
    found = examples(titles)
    assert len(set(found)) == len(found) <= 4
