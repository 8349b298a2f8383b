from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rag.disagreement import Statement, disagreements

PAIRS = [
    json.loads(line)
    for line in Path(__file__)
    .with_name("data")
    .joinpath("disagreements.jsonl")
    .read_text("utf-8")
    .splitlines()
]


def _pair(pair):
    return [
        Statement(side["text"], side["title"], side["published"], f"d{number}", number)
        for number, side in enumerate((pair["left"], pair["right"]))
    ]


def test_precision_and_recall_over_the_pairs():
    hits = [(pair["kind"], {found.kind for found in disagreements(_pair(pair))}) for pair in PAIRS]
    right = sum(kind in found for kind, found in hits if kind)
    reported = sum(len(found) for _, found in hits)
    assert right / reported >= 0.97
    assert right / sum(kind is not None for kind, _ in hits) >= 0.9


def test_tells_values_and_the_later_document():
    left = Statement("2026年改造老旧小区28个。", "计划", "2026-02-10", "a", 3)
    right = Statement("2026年改造老旧小区35个。", "实录", "2026-01-20", "b", 5)
    (found,) = disagreements([left, right])
    assert (found.left.text, found.right.text, found.later) == ("28个", "35个", 3)
    assert left.text[found.left.start : found.left.end] == "28个"
    (undated,) = disagreements([left, Statement(right.text, "实录", None, "b", 5)])
    assert undated.later is None


def test_one_document_does_not_disagree_with_itself():
    left, right = _pair(PAIRS[0])
    assert disagreements([left, Statement(right.text, right.title, None, left.document, 1)]) == ()


@given(st.lists(st.sampled_from([side for pair in PAIRS for side in _pair(pair)]), max_size=6))
def test_ranges_are_exact_and_order_does_not_matter(statements):
    numbered = [Statement(s.text, s.title, s.published, f"{i}", i) for i, s in enumerate(statements)]
    found = disagreements(numbered)
    for item in found:
        for value in (item.left, item.right):
            assert numbered[value.position].text[value.start : value.end] == value.text != ""
    turned = disagreements(numbered[::-1])
    assert {(f.kind, frozenset((f.left.position, f.right.position))) for f in found} == {
        (f.kind, frozenset((f.left.position, f.right.position))) for f in turned
    }
