"""Numbers in one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.numerals import chinese_number, quantities
from rag.text import fold

NUMERALS = "零一二三四五六七八九"


def in_chinese(number: int) -> str:
    """A number below 10^12 as it is written in places."""

    def section(value: int) -> str:
        text, gap = "", False
        for place, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
            digit = value // place % 10
            if digit:
                text += ("零" if gap and text else "") + NUMERALS[digit] + sign
                gap = False
            else:
                gap = True
        return text

    if number == 0:
        return "零"
    parts = [(number // 10**8, "亿"), (number // 10**4 % 10**4, "万"), (number % 10**4, "")]
    text = ""
    for value, sign in parts:
        if value:
            text += ("零" if text and value < 1000 else "") + section(value) + sign
    return text


@given(st.integers(0, 10**12 - 1))
def test_a_number_in_places_has_its_value(number: int) -> None:
    assert chinese_number(in_chinese(number)) == number


@given(st.lists(st.integers(0, 9), min_size=2, max_size=10))
def test_digit_by_digit(digits: list[int]) -> None:
    written = "".join(NUMERALS[digit] for digit in digits)
    assert chinese_number(written) == int("".join(map(str, digits)))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("改造三百个小区", ["300"]),
        ("改造300個小區", ["300"]),
        ("投资1.2万元", ["12000"]),
        ("投资12,000元", ["12000"]),
        ("投資３,２００萬元", ["32000000"]),
        ("總投資十二億三千萬元", ["1230000000"]),
        ("一万五千户", ["15000"]),
        ("一万五", ["15000"]),
        ("两百三", ["230"]),
        ("十五天", ["15"]),
        ("廿五日", ["25"]),
        ("二〇二四年", ["2024"]),
        ("民國113年9月30日", ["2024", "9", "30"]),
        ("民国一百一十三年", ["2024"]),
        ("增长百分之五点六", ["5.6%"]),
        ("增长5.60%", ["5.6%"]),
        ("三点五公里", ["3.5"]),
        ("统一安排，一个都不能少", []),
        ("千万不要", []),
        ("万一", []),
        ("三四十人", []),
        ("2024年12月29日", ["2024", "12", "29"]),
        ("编号1234567890123456789012345", []),
    ],
)
def test_numbers_come_in_one_form(text: str, values: list[str]) -> None:
    assert [found.value for found in quantities(fold(text))] == values


@given(st.text(alphabet="零一二两三四五六七八九十百千万亿廿卅点0123456789,.%年民国百分之 个", max_size=40))
def test_any_signs_give_numbers_at_their_places_or_none(text: str) -> None:
    last = 0
    for found in quantities(text):
        assert last <= found.start < found.end <= len(text)
        last = found.end
        assert float(found.value.rstrip("%")) >= 0
