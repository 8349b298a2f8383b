"""Near misses: one name or number that the passage holds is exchanged for one that it does not hold."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.training.exchanges import Kind, exchanged, names_by_kind

PASSAGE = "2025年，湖南省拨款1200万元，新建泵站3.5公里，改造小区28个。"
SEEDS = range(40)


def kinds_of(*names: str) -> dict[Kind, list[str]]:
    """Names as `names_by_kind` gives them, drawn from questions."""
    found = names_by_kind(f"{name}有多少人？" for name in names)
    return {kind: list(held) for kind, held in found.items()}


def all_of(question: str, passage: str, names: dict[Kind, list[str]]) -> set[str | None]:
    return {exchanged(question, passage, names, random.Random(seed)) for seed in SEEDS}


def test_names_are_kept_once_in_order_by_what_they_are() -> None:
    found = names_by_kind(["湖南省有多少人？", "广东省在哪里？", "湖南省在哪里？", "《静夜思》是谁写的？"])
    assert [*found.values()] == [["湖南省", "广东省"], ["《静夜思》"]]
    assert names_by_kind([]) == {}


def test_a_place_is_exchanged_for_another_place() -> None:
    found = all_of("湖南省拨款多少？", PASSAGE, kinds_of("湖南省", "广东省"))
    assert "广东省拨款多少？" in found
    assert found <= {"广东省拨款多少？", None}


def test_a_name_is_exchanged_wherever_it_stands() -> None:
    found = all_of("湖南省给湖南省拨款多少？", PASSAGE, kinds_of("广东省"))
    assert found == {"广东省给广东省拨款多少？"}


def test_a_name_of_another_kind_is_not_drawn() -> None:
    titles = dict(names_by_kind(["《静夜思》是谁写的？"]))
    assert all_of("湖南省拨款多少？", PASSAGE, {kind: list(held) for kind, held in titles.items()}) == {None}


def test_a_name_that_the_passage_or_the_question_holds_is_not_drawn() -> None:
    both = PASSAGE + "广东省也来参观。"
    assert all_of("湖南省拨款多少？", both, kinds_of("湖南省", "广东省")) == {None}
    assert all_of("湖南省比广东省多拨款多少？", PASSAGE, kinds_of("广东省")) == {None}


@pytest.mark.parametrize("question", ["广东省拨款多少？", "拨款多少？", "2019年拨款多少？", ""])
def test_what_the_passage_does_not_hold_is_not_exchanged(question: str) -> None:
    assert all_of(question, PASSAGE, kinds_of("山西省", "福建省")) == {None}


def test_a_year_becomes_one_near_it() -> None:
    found = all_of("2025年拨款多少？", PASSAGE, {})
    years = {int(one[:4]) for one in found if one}
    assert len(years) > 5
    assert all(1 <= abs(year - 2025) <= 12 for year in years)
    assert all(one is None or one[4:] == "年拨款多少？" for one in found)


def test_a_number_keeps_its_form_and_size() -> None:
    whole = {one for one in all_of("拨款1200万元的是谁？", PASSAGE, {}) if one}
    assert whole
    for one in whole:
        match = re.fullmatch(r"拨款(\d+)万元的是谁？", one)
        assert match
        assert 300 <= int(match.group(1)) <= 3700
    broken = {one for one in all_of("3.5公里的是什么？", PASSAGE, {}) if one}
    assert broken
    assert all(re.fullmatch(r"\d+\.\d公里的是什么？", one) for one in broken)


def test_where_both_can_be_exchanged_either_is_and_never_both() -> None:
    found = {one for one in all_of("湖南省2025年拨款多少？", PASSAGE, kinds_of("广东省")) if one}
    assert "广东省2025年拨款多少？" in found
    assert all(("广东省" in one) != ("2025" not in one) for one in found)
    assert any("2025" not in one for one in found)


def test_the_same_chance_gives_the_same_question() -> None:
    names = kinds_of("广东省", "山西省", "福建省")
    one, other = (exchanged("湖南省拨款多少？", PASSAGE, names, random.Random(3)) for _ in range(2))
    assert one == other


@given(st.integers(0, 10**6), st.integers(1, 5000))
def test_the_new_number_is_not_in_the_passage(seed: int, number: int) -> None:
    passage = f"共有{number}人，其中1、2、3、4、5人来自2025年的12个村。"
    found = exchanged(f"{number}人是哪里的？", passage, {}, random.Random(seed))
    if found is not None:
        assert found.removesuffix("人是哪里的？") not in passage
