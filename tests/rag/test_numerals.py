"""Numbers in one form."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.numerals import chinese_number, dates, plans, quantities
from rag.text import fold, terms

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


@settings(deadline=None)  # the dictionaries load on first use
@given(st.dates(datetime.date(1912, 1, 1), datetime.date(2099, 12, 31)))
def test_a_date_is_one_term_however_it_is_written(date: datetime.date) -> None:
    year = "".join(NUMERALS[int(digit)].replace("零", "〇") for digit in str(date.year))
    month, day = (
        in_chinese(date.month).removeprefix("一") if date.month >= 10 else in_chinese(date.month),
        date.day,
    )
    chinese_day = in_chinese(day).removeprefix("一") if 10 <= day < 20 else in_chinese(day)
    written = [
        f"{date.year}年{date.month}月{day}日",
        f"{date.year}年{date.month:02d}月{day:02d}日",
        f"{date.year}-{date.month:02d}-{day:02d}",
        f"{date.year}/{date.month}/{day}",
        f"{date.year}.{date.month}.{day}",
        f"民國{date.year - 1911}年{date.month}月{day}日",
        f"{year}年{month}月{chinese_day}日",
        f"{day} {date:%B} {date.year}",
        f"{date:%b} {day}, {date.year}",
    ]
    for text in written:
        assert dates(fold(text)) == [date.isoformat(), date.isoformat()[5:]], text
        assert date.isoformat() in terms(text)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("三月十五日", ["03-15"]),
        ("3月15号", ["03-15"]),
        ("2024年3月", ["2024-03"]),
        ("10月", []),
        ("13月1日", []),
        ("2月45日", []),
        ("版本1.2.3", []),
        ("2024-13-01", []),
        ("2024-2025", []),
        ("they may go", []),
        ("15th of March", ["03-15"]),
        ("12024-03-15", []),
    ],
)
def test_dates(text: str, expected: list[str]) -> None:
    assert dates(fold(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("第十四个五年规划", ["十四五"]),
        ("第十四個五年計劃", ["十四五"]),
        ("“十四五”时期", ["十四五"]),
        ("十五五规划", ["十五五"]),
        ("第十个五年计划", ["十五"]),
        ("第一个五年计划", ["一五"]),
        ("五年规划", []),
        ("十四五个人", []),
    ],
)
def test_five_year_plans_have_one_name(text: str, expected: list[str]) -> None:
    assert plans(fold(text)) == expected
    assert set(expected) <= set(terms(text)[0])


def test_shares_of_a_hundred_are_one_term() -> None:
    assert "15%" in terms("百分之十五")[0]
    assert "15%" in terms("１５％")[0]


@settings(deadline=None)
@given(st.text(alphabet="一二三十廿〇零年月日号第个五规划时期民国0129-/. maych", max_size=40))
def test_any_signs_give_dates_and_plans_or_none(text: str) -> None:
    for date in dates(text):
        parts = date.split("-")
        assert all(part.isdigit() for part in parts)
    plans(text)
    terms(text)
