"""The list of documents: searched in either script, narrowed, sorted."""

from __future__ import annotations

import pytest

from rag.catalog import Version
from rag.types import Source
from ui.documents.listing import Wanted, chosen, rows, size_words, wanted


def version(number: int, title: str, issuer: str = "", published: str | None = None) -> Version:
    source = Source(
        f"id{number}",
        f"in/{title}.txt",
        title,
        f"d{number}",
        "text/plain",
        published=published,
        issuer=issuer,
    )
    return Version(number, "live", source, number, 100, float(number))


ROWS = rows(
    [
        version(1, "路灯改造通知", "鹿汀区住房和城乡建设局", "2026-01-05"),
        version(2, "燈會安排", "鹿汀區教育局", "2025-12"),
        version(3, "Annual report", "", None),
    ],
    {"id1": "市政"},
    {"d1": 2_500_000, "d2": 900},
)


@pytest.mark.parametrize(
    ("asked", "titles"),
    [
        (Wanted(), ["Annual report", "燈會安排", "路灯改造通知"]),
        (Wanted("路燈"), ["路灯改造通知"]),
        (Wanted("灯会 教育"), ["燈會安排"]),
        (Wanted("ANNUAL"), ["Annual report"]),
        (Wanted("灯 没有"), []),
        (Wanted(collection="市政"), ["路灯改造通知"]),
        (Wanted(collection="-"), ["Annual report", "燈會安排"]),
        (Wanted(body="教育局"), ["燈會安排"]),
        (Wanted(sort="published"), ["路灯改造通知", "燈會安排", "Annual report"]),
        (Wanted(sort="title"), ["Annual report", "燈會安排", "路灯改造通知"]),
        (Wanted(sort="size"), ["路灯改造通知", "燈會安排", "Annual report"]),
    ],
)
def test_rows_are_chosen_and_ordered(asked: Wanted, titles: list[str]) -> None:
    assert [row.title for row in chosen(ROWS, asked)] == titles


def test_what_a_request_asks_for_is_bounded() -> None:
    assert wanted({"sort": "no such", "query": "x" * 999}) == Wanted("x" * 200)


@pytest.mark.parametrize(("size", "words"), [(None, ""), (0, "1 KB"), (900, "1 KB"), (2_500_000, "2.5 MB")])
def test_sizes_are_written_for_people(size: int | None, words: str) -> None:
    assert size_words(size) == words
