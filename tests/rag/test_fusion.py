"""The learned weights: they fit the features, and are applied as documented."""

from __future__ import annotations

import numpy as np

from rag.features import NAMES, QUESTION_NAMES
from rag.fusion import RERANKED_NAMES, Fusion, reranked_features, to_rerank, trained


def array(*values: float) -> np.ndarray:
    return np.asarray(values, np.float32)


def test_a_score_is_the_weighted_sum_that_the_question_shifts() -> None:
    fusion = Fusion(array(1, 0), array(2, 1), array(1, 10), np.asarray([[0.0], [5.0]], np.float32))
    rows = np.asarray([[3.0, 1.0], [1.0, 2.0]], np.float32)
    assert fusion.scores(rows, array(0)).tolist() == [11.0, 20.0]
    assert fusion.scores(rows, array(1)).tolist() == [16.0, 30.0]


def test_after_reranking_the_first_score_stands_beside_the_reranker_s() -> None:
    scores = np.asarray([[1.0, -1.0, 0.5], [4.0, 2.0, 0.75]], np.float32)
    found = reranked_features(array(7.0, 6.0), scores)
    assert len(RERANKED_NAMES) == found.shape[1]
    assert found.tolist() == [[7.0, 1.0, 0.5], [6.0, 4.0, 0.75]]


def rows_in_order(foreign: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    rows = np.zeros((len(foreign), len(NAMES)), np.float32)
    rows[:, NAMES.index("other_language")] = foreign
    return np.arange(len(foreign), 0, -1).astype(np.float32), rows


def test_what_is_read_are_the_first_and_the_best_in_another_language() -> None:
    own = to_rerank(*rows_in_order([False] * 20))
    assert own.tolist() == list(range(10))
    mixed = to_rerank(*rows_in_order([False] * 15 + [True] * 5))
    assert mixed.tolist() == [*range(7), 15, 16, 17]
    foreign = to_rerank(*rows_in_order([True] * 12))
    assert foreign.tolist() == list(range(10))
    near = to_rerank(*rows_in_order([False] * 15 + [True] * 5), within=2.0)
    assert near.tolist() == [0, 1, 2, 15, 16, 17]
    few = to_rerank(*rows_in_order([False, True]))
    assert few.tolist() == [0, 1]
    assert to_rerank(*rows_in_order([])).tolist() == []


def test_no_passages_have_no_columns_to_add() -> None:
    assert reranked_features(np.zeros(0, np.float32), np.zeros((0, 3), np.float32)).shape == (0, 3)


def test_the_weights_that_come_with_the_program_fit_its_features() -> None:
    fusions = trained()
    assert fusions.first.weights.shape == (len(NAMES),)
    assert fusions.first.by_question.shape == (len(NAMES), len(QUESTION_NAMES))
    assert fusions.reranked.weights.shape == (len(RERANKED_NAMES),)
    assert fusions.reranked.by_question.shape == (len(RERANKED_NAMES), len(QUESTION_NAMES))
    assert 0.5 < fusions.sure <= 1.0


def test_what_stands_first_everywhere_scores_above_what_stands_nowhere() -> None:
    fusions = trained()
    best = dict.fromkeys(NAMES, 0.0) | {
        "similarity_share": 1.0,
        "dense_rank": 1.0,
        "dense_found": 1.0,
        "lexical_share": 1.0,
        "lexical_rank": 1.0,
        "lexical_found": 1.0,
        "coverage": 1.0,
        "rare_pairs": 1.0,
        "document_dense": 1.0,
        "document_lexical": 1.0,
    }
    least = dict.fromkeys(NAMES, 0.0) | {
        "similarity": -0.05,
        "similarity_behind": -0.1,
        "lexical_behind": -2.0,
    }
    rows = np.asarray([[row[name] for name in NAMES] for row in (best, least)], np.float32)
    for question in ((1, 0.3, 0), (0, 0.2, 0), (1, 0.8, 1)):
        one, other = fusions.first.scores(rows, array(*question))
        assert one > other
