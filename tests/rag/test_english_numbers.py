"""Numbers in English words, what they count, and months and decades."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.english_numbers import (
    counted_behind,
    english_decades,
    english_months,
    english_quantities,
    units_of,
)
from rag.numerals import quantities

ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def below_a_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    said = [f"{ONES[hundreds]} hundred"] if hundreds else []
    if rest >= 20:
        said.append(TENS[rest // 10 - 2] + (f"-{ONES[rest % 10]}" if rest % 10 else ""))
    elif rest:
        said.append(ONES[rest])
    return " and ".join(said)


def spoken(number: int) -> str:
    said = []
    for scale, name in ((10**9, " billion"), (10**6, " million"), (10**3, " thousand"), (1, "")):
        part, number = divmod(number, scale)
        if part:
            said.append(below_a_thousand(part) + name)
    return " ".join(said)


@given(st.integers(13, 10**12 - 1))
def test_a_number_in_words_has_its_value(number: int) -> None:
    text = f"it costs {spoken(number)} yuan."
    (found,) = english_quantities(text)
    assert found.value == str(number)
    assert text[found.start : found.end] == spoken(number)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("16.5 million yuan", ["16500000"]),
        ("1,200 million", ["1200000000"]),
        ("a hundred households", ["100"]),
        ("a thousand two hundred", ["1200"]),
        ("one of the two bureaus", []),
        ("twenty thirty", []),
        ("one hundred sixty-five million dollars and forty boats", ["165000000", "40"]),
        ("28 communities", []),
        ("a million", ["1000000"]),
        ("everyone is tenfold", []),
    ],
)
def test_numbers(text: str, values: list[str]) -> None:
    assert [found.value for found in english_quantities(text)] == values


@given(st.text("athousdmilonehur -.,0123", max_size=40))
def test_any_signs_give_numbers_at_their_places_or_none(text: str) -> None:
    ends = [0]
    for found in english_quantities(text):
        assert ends[-1] <= found.start < found.end <= len(text)
        assert found.value.replace(".", "").isdigit()
        ends.append(found.end)


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("they will open in june.", {6}),
        ("from march to late may", {3, 5}),
        ("it may open; the march goes on", set()),
        ("by mid-october", {10}),
    ],
)
def test_months(text: str, months: set[int]) -> None:
    assert english_months(text) == months


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("15860 residents moved", "people"),
        ("480 poor rural families", "households"),
        ("3 million visitors", "people"),
        ("10 yuan a person", "yuan"),
        ("a 30-day notice", "days"),
        ("within 3 working days", "days"),
        ("12.5 square kilometres", "square kilometres"),
        ("28 homes of residents", ""),
        ("28 homes", ""),
        ("in 2024 residents", ""),
        ("grade 9 students", ""),
        ("aged 60 people", ""),
    ],
)
def test_what_a_number_counts_is_told_by_the_word_behind_it(text: str, counted: str) -> None:
    (number,) = quantities(text)
    assert counted_behind(text, number.start, number.end) == counted


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("自 20 世纪 90 年代以来", True),
        ("自九十年代以来", True),
        ("1990年代", True),
        ("in the late 1990s", True),
        ("自八十年代以来", False),
        ("in the 1980s", False),
        ("1990年", False),
    ],
)
def test_a_decade_is_found_in_either_language(text: str, held: bool) -> None:
    ((year, pattern),) = english_decades("since the 1990s").items()
    assert year == 1990
    assert (re.search(pattern, text) is not None) == held


def test_the_units_of_what_is_counted_are_those_of_its_chinese() -> None:
    assert "户" in units_of("households")
    assert "户" not in units_of("people")
    assert units_of("") == units_of("things") == frozenset()
