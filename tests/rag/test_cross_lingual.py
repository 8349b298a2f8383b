"""Whether a sentence says what a claim in another language says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.cross_lingual import (
    LOOKED_AT,
    NAMES,
    Comparison,
    clause_runs,
    features,
    meanings,
    nearest,
    parts,
)

CLAIM = "The housing bureau will renew 28 old neighbourhoods."
TEXTS = [
    "区住建局将改造老旧小区28个。",
    "区文旅局将打造湖畔音乐节品牌。",
    "区教育局负责人列席会议。",
    "会议由区长主持。",
    "各街道作了汇报。",
]


def alike(cosines: Mapping[str, float], usual: float = 0.75) -> Comparison:
    """Sentences are as near as the table has it, all others as usual; words are met as well as that."""

    def similarity(left: Sequence[str], right: Sequence[str]) -> np.ndarray:
        return np.array([[cosines.get(text, usual) for text in right] for _ in left], np.float32)

    def words_met(_: str, others: Sequence[str]) -> np.ndarray:
        return np.array([0.7 if text in cosines else 0.2 for text in others], np.float32)

    return Comparison(similarity, words_met)


def column(name: str, rows: Sequence[tuple[int, np.ndarray]]) -> list[float]:
    return [float(row[NAMES.index(name)]) for _, row in rows]


def test_the_sentence_that_says_it_is_likeliest() -> None:
    first, *rest = nearest(CLAIM, TEXTS, alike({TEXTS[0]: 0.9}), exact=True)
    assert first.sentence == 0
    assert first.probability > 0.5 > max(one.probability for one in rest)


def test_what_is_no_nearer_than_everything_else_does_not_say_it() -> None:
    alike_to_all = alike(dict.fromkeys(TEXTS, 0.84))
    only_one = alike({TEXTS[0]: 0.84})
    assert (
        nearest(CLAIM, TEXTS, only_one, exact=False)[0].probability
        > nearest(CLAIM, TEXTS, alike_to_all, exact=False)[0].probability
    )


def test_words_that_are_not_met_speak_against() -> None:
    comparison = alike({TEXTS[0]: 0.86})
    unmet = Comparison(comparison.similarity, lambda _, others: np.full(len(others), 0.2, np.float32))
    assert (
        nearest(CLAIM, TEXTS, unmet, exact=False)[0].probability
        < nearest(CLAIM, TEXTS, comparison, exact=False)[0].probability
    )


def test_what_cannot_be_told_counts_as_usual() -> None:
    alone = Comparison(alike({}).similarity)
    (row,) = features(CLAIM, TEXTS[:1], alone, exact=False)
    assert math.isnan(row[1][NAMES.index("over_others")])
    assert math.isnan(row[1][NAMES.index("words_met")])
    assert 0.0 < nearest(CLAIM, TEXTS[:1], alone, exact=False)[0].probability < 1.0
    assert nearest(CLAIM, [], alone, exact=False) == []


def test_few_sentences_are_looked_at_and_the_nearest_first() -> None:
    rows = features(CLAIM, TEXTS, alike({TEXTS[3]: 0.8, TEXTS[1]: 0.9}), exact=True)
    assert [place for place, _ in rows][:2] == [1, 3]
    assert len(rows) == LOOKED_AT
    assert column("exact", rows) == [1.0] * LOOKED_AT
    assert column("over_others", rows)[0] == pytest.approx(0.15)


def test_a_claim_that_sums_up_is_compared_in_its_parts() -> None:
    claim = "The bureau will renew neighbourhoods, and build two new schools."
    one, two = parts(claim)
    table = {(one, "改造老旧小区"): 0.9, (two, "新建学校两所"): 0.9}

    def similarity(left: Sequence[str], right: Sequence[str]) -> np.ndarray:
        return np.array([[table.get((a, b), 0.5) for b in right] for a in left], np.float32)

    (found,) = meanings(claim, ["改造老旧小区，新建学校两所。"], similarity)
    assert found == pytest.approx(0.9)


@given(st.text(alphabet="甲乙丙丁，。；ab ,;.", max_size=60))
def test_runs_hold_the_sentence_first_and_none_twice(sentence: str) -> None:
    runs = clause_runs(sentence)
    assert runs[0] == sentence
    assert len(set(runs)) == len(runs)


def test_grouped_digits_are_not_cut() -> None:
    assert parts("The district will add 4,200 places.") == []
