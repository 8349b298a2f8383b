from __future__ import annotations

import pytest

from rag.superseding import superseded
from rag.types import Chunk, Passage, Source

OLD = ("关于申报既有住宅加装电梯补贴的通知", "每台补贴18万元。", "2025-06-16")


def _passages(*documents, issuer="鹿汀区住房和城乡建设局"):
    return [
        Passage(
            Chunk(f"d{i}", 0, 0, len(text), text),
            Source(f"d{i}", f"{i}", title, "", "text/plain", published=on, issuer=issuer),
            1.0,
        )
        for i, (title, text, on) in enumerate(documents)
    ]


def test_repealed_by_name_from_a_day():
    text = "本通知自2026年4月1日起施行。《关于申报既有住宅加装电梯补贴的通知》同时废止。"
    found = superseded(_passages(OLD, ("关于电梯事项的通知", text, "2026-03-16")))
    assert set(found) == {0}
    assert (found[0].by, found[0].reason, found[0].since) == (1, "repealed", "2026-04-01")
    assert text[found[0].start : found[0].end] == found[0].why


@pytest.mark.parametrize(
    "text",
    [
        "《关于申报既有住宅加装电梯补贴的通知》继续有效。",
        "根据《关于申报既有住宅加装电梯补贴的通知》办理。",
        "《关于申报既有住宅加装电梯补贴的通知》不予废止。",
        "《关于其他事项的通知》同时废止。",
    ],
)
def test_not_superseded(text):
    assert superseded(_passages(OLD, ("关于电梯事项的通知", text, "2026-03-16"))) == {}


def test_amended_by_a_later_title_of_the_same_issuer():
    new = ("关于调整既有住宅加装电梯补贴政策的通知", "现调整如下。", "2026-03-16")
    assert superseded(_passages(OLD, new))[0].reason == "amended"
    assert superseded(_passages(OLD, new, issuer=None)) == {}


def test_later_edition():
    found = superseded(
        _passages(
            ("2025年鹿汀区政府工作报告", "甲", "2025-01-16"), ("2026年鹿汀区政府工作报告", "乙", "2026-01-22")
        )
    )
    assert {position: item.reason for position, item in found.items()} == {0: "later edition"}
