"""What is learned of sentences that say the same in another language: from which claims, against which sentences."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eval.training.meaning import Parallel, claims_of, judged, parallels
from rag.cross_lingual import NAMES, Comparison

ENGLISH = ("The bridge opened in 1931. It carries 40 trains.", "The tower is red. It fell in 1950.")
CHINESE = ("大桥于1931年通车。每天有40列火车通过。", "塔是红色的。它于1950年倒塌。")


def comparison() -> Comparison:
    """Sentences of the same place in their paragraph and the same length of paragraph are near."""
    pairs = {
        "The bridge opened in 1931.": "大桥于1931年通车。",
        "It carries 40 trains.": "每天有40列火车通过。",
        "The tower is red.": "塔是红色的。",
        "It fell in 1950.": "它于1950年倒塌。",
    }
    same = {*pairs.items(), *((b, a) for a, b in pairs.items())}

    def similarity(left: Sequence[str], right: Sequence[str]) -> np.ndarray:
        return np.array([[0.9 if (a, b) in same else 0.7 for b in right] for a in left], np.float32)

    return Comparison(similarity, lambda text, others: similarity([text], others)[0])


def test_paragraphs_are_paired_by_their_place() -> None:
    documents = [
        ("xquad-en:1:0", "a"),
        ("xquad-zh:1:0", "甲"),
        ("xquad-en:1:1", "alone"),
        ("xquad-zh:2:0", "丙"),
        ("xquad-en:2:0", "c"),
    ]
    assert parallels(documents) == [Parallel("1", ("a", "甲")), Parallel("2", ("c", "丙"))]


def test_what_says_it_is_there_and_what_stands_beside_it_does_not() -> None:
    paragraphs = [Parallel("1", (ENGLISH[n], CHINESE[n])) for n in (0, 1)]
    found = list(judged(paragraphs, comparison(), most=2, seed=1))
    said = [one for one in found if one.answered]
    beside = [one for one in found if not one.answered]
    assert len(said) == 8
    assert {one.set for one in found} == {"en on zh", "zh on en"}
    assert min(one.row[0] for one in said) > max(one.row[0] for one in beside)
    # Sentences with other years and amounts are no examples: they are told apart by these.
    assert all(one.row[NAMES.index("exact")] == 0.0 for one in beside)


@given(st.text(alphabet="ab 甲乙,，.。", max_size=80), st.integers(1, 4))
def test_claims_are_stretches_of_the_text(text: str, most: int) -> None:
    for claim in claims_of(text, random.Random(1), most):
        assert "".join(claim.split()) in "".join(text.split())
