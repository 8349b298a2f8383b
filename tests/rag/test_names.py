from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.names import is_place, is_telling, names_in, plain_of


def found(text: str) -> list[tuple[str, str]]:
    return [(name.text, name.kind) for name in names_in(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("《湖畔音乐节》什么时候举行？", [("《湖畔音乐节》", "title")]),
        ("住建局承诺了什么？", [("住建局", "body")]),
        ("住建局承諾了什麼？", [("住建局", "body")]),
        ("知道云湖海洋馆吗？", [("云湖海洋馆", "introduced")]),
        ("知道雲湖海洋館嗎？", [("雲湖海洋館", "introduced")]),
        ("你知道导演是谁吗？", []),
        ("它的票价是多少？", []),
        ("Where is the housing bureau?", [("housing bureau", "body")]),
        ("Who is the head, is it Mary Field?", [("Mary Field", "name")]),
    ],
)
def test_what_a_text_names(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_a_person_is_told_from_a_place() -> None:
    person = next(name for name in names_in("局长田禾表示，将改造小区。") if name.text == "田禾")
    place = next(name for name in names_in("他去了浙江省。") if name.text == "浙江省")
    assert person.person
    assert not place.person
    assert is_place(place)
    assert not is_place(person)


def test_a_name_is_joined_with_the_institution_behind_it() -> None:
    assert ("杭州图书馆", "name") in found("书都在杭州图书馆。")


def test_a_foreign_name_is_one() -> None:
    assert ("尼克·卡索维茨", "name") in found("尼克·卡索维茨来过。")


def test_a_common_word_is_no_topic() -> None:
    assert not is_telling("导演")
    assert is_telling("加装电梯补贴")


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="他那的吗？《》“”·田禾住建局知道云湖馆 ab它Wİßﬁ國館們", max_size=40))
def test_names_are_parts_of_the_text_and_do_not_overlap(text: str) -> None:
    assert len(plain_of(text)) == len(text)
    at = 0
    for name in names_in(text):
        at = text.index(name.text, at) + len(name.text)
    assert at <= len(text)
