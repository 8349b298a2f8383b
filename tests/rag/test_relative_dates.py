from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.relative_dates import aligned, as_of, mentions, reference, resolve, same_time

ON = "2024-12-29"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("二〇二四年", "2024-01-01", "2024-12-31"),
        ("民國113年3月", "2024-03-01", "2024-03-31"),
        ("2024/12/29", ON, ON),
        ("2025年底前", "2025-12-01", "2025-12-31"),
        ("第三季度", "2024-07-01", "2024-09-30"),
        ("十月底前", "2024-10-21", "2024-10-31"),
        ("Dec. 29, 2024", ON, ON),
        ("by the end of 2025", "2025-12-01", "2025-12-31"),
        ("next year", "2025-01-01", "2025-12-31"),
        ("明年初", "2025-01-01", "2025-03-31"),
        ("後年", "2026-01-01", "2026-12-31"),
        ("“十四五”期间", "2021-01-01", "2025-12-31"),
        ("下月", "2025-01-01", "2025-01-31"),
        ("今天下午", ON, ON),
    ],
)
def test_resolves(text, first, last):
    (mention,) = mentions(text)
    assert mention.text == text
    period = resolve(mention, ON)
    assert period is not None
    assert (period.first, period.last) == (first, last)


@pytest.mark.parametrize(
    "text",
    ["五年内", "70周年", "年轻人", "三年级", "月明星稀", "〔2025〕33号", "每年12月31日", "以前年度", "3个月"],
)
def test_no_date(text):
    assert mentions(text) == ()


def test_years_that_stand_before():
    found = [resolve(mention, ON) for mention in mentions("明年3月1日至6月30日；11月1日至次年3月31日")]
    assert [period.first for period in found if period][:2] == ["2025-03-01", "2025-06-30"]


def test_no_finer_than_known():
    (mention,) = mentions("本月")
    period = resolve(mention, "2024")
    assert period is not None
    assert (period.first, period.last, period.precision) == ("2024-01-01", "2024-12-31", "year")
    assert resolve(mention, None) is None
    assert resolve(mentions("近日")[0], ON) is None


def test_same_time():
    assert same_time("2025年", None, "明年", ON)
    assert not same_time("2026年", None, "明年", ON)
    assert reference("2026年工作要点", None) == "2026"


def test_as_of():
    assert as_of(ON, "zh-Hans") == "据2024年12月29日的文件"
    assert as_of("2024-12", "zh-Hant") == "據2024年12月的文件"
    assert as_of(ON, "en") == "As of 29 December 2024"
    assert as_of(None, "en") == ""


@given(
    st.text(alphabet="0123456789年月日底初前今明去上下本周半季度第三十至 -/〇二民國byMarch２ﬀ。", max_size=60)
)
def test_offsets_are_exact_ordered_and_apart(text):
    at = 0
    for mention in mentions(text):
        assert at <= mention.start < mention.end
        assert text[mention.start : mention.end] == mention.text
        period = resolve(mention, ON)
        assert period is None or period.first <= period.last
        at = mention.end
    assert len(aligned(text)) == len(text)
    assert aligned(aligned(text)) == aligned(text)
