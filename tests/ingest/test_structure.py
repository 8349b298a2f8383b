from __future__ import annotations

import pytest

from ingest.structure import describe, parse_date


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2025年12月29日", "2025-12-29"),
        ("2025-12-29 08:30", "2025-12-29"),
        ("2025/3/5", "2025-03-05"),
        ("二〇二五年十二月二十九日", "2025-12-29"),
        ("二○二六年一月三日", "2026-01-03"),
        ("民國113年5月20日", "2024-05-20"),
        ("2026年3月", "2026-03"),
        ("29 December 2025", "2025-12-29"),
        ("March 5, 2026", "2026-03-05"),
        ("2025年2月30日", None),
        ("12月29日", None),
        ("电话0600-66102733", None),
    ],
)
def test_parse_date(text: str, iso: str | None) -> None:
    assert parse_date(text) == iso


def test_describe_reads_title_date_and_issuer() -> None:
    text = (
        "关于申报补贴的通知\n发布日期：2025年6月16日\n\n正文一句。\n\n鹿汀区住房和城乡建设局\n2025年6月16日"
    )
    described = describe(text)
    assert (described.title, described.published, described.issuer) == (
        "关于申报补贴的通知",
        "2025-06-16",
        "鹿汀区住房和城乡建设局",
    )


def test_an_english_report_says_when_it_was_released() -> None:
    text = "Work Report\n\nReleased by the General Office of Luting District on January 30, 2026. It covers 2025."
    assert describe(text).published == "2026-01-30"


def test_a_date_inside_the_text_is_not_the_publication_date() -> None:
    assert describe("工作报告\n2019年3月5日该项目开工，历时五年建成并投入使用，惠及群众。").published is None


def test_a_text_without_a_title_line_is_named_by_its_first_clauses() -> None:
    text = (
        "12月29日,区委全会召开,为明年工作把脉定向、谋篇布局," + "动员全区上下真抓实干" * 10 + "。\n第二段。"
    )
    title = describe(text).title
    assert title is not None
    assert title.startswith("12月29日,区委全会召开")
    assert len(title) <= 60


def test_markdown_marks_are_no_part_of_the_title() -> None:
    assert describe("# 改造计划\n正文。").title == "改造计划"
    assert describe("").title is None
    assert describe("#").title is None
    assert describe("***\n#\n改造计划\n正文。").title == "改造计划"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (
            "鹿政办发〔2026〕12号\n鹿汀区人民政府办公室关于印发老旧小区改造方案的通知\n各街道办事处：\n正文。",
            "鹿汀区人民政府办公室关于印发老旧小区改造方案的通知",
        ),
        ("鹿汀区人民政府文件\n鹿汀区二〇二六年工作要点\n正文。", "鹿汀区二〇二六年工作要点"),
        ("鹿汀區政府公報 2026年第3期\n關於加裝電梯補貼的公告\n正文。", "關於加裝電梯補貼的公告"),
        ("鹿政办发〔2026〕12号", "鹿政办发〔2026〕12号"),
        ("区委全会召开\n会议听取了关于改造的报告。", "区委全会召开"),
    ],
)
def test_the_title_stands_below_the_number_and_the_letterhead(text: str, title: str) -> None:
    assert describe(text).title == title
