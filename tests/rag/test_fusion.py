"""The learned weights: they fit the features, and are applied as documented."""

from __future__ import annotations

import numpy as np

from rag.features import NAMES, QUESTION_NAMES
from rag.fusion import RERANKED_NAMES, Fusion, reranked_features, trained


def array(*values: float) -> np.ndarray:
    return np.asarray(values, np.float32)


def test_a_score_is_the_weighted_sum_that_the_question_shifts() -> None:
    fusion = Fusion(array(1, 0), array(2, 1), array(1, 10), np.asarray([[0.0], [5.0]], np.float32))
    rows = np.asarray([[3.0, 1.0], [1.0, 2.0]], np.float32)
    assert fusion.scores(rows, array(0)).tolist() == [11.0, 20.0]
    assert fusion.scores(rows, array(1)).tolist() == [16.0, 30.0]


def test_a_reranker_adds_its_columns() -> None:
    rows = np.zeros((3, 2), np.float32)
    scores = np.asarray([[1.0, -1.0], [4.0, 2.0], [2.0, 0.0]], np.float32)
    found = reranked_features(rows, scores)[:, 2:]
    assert len(RERANKED_NAMES) == found.shape[1]
    assert found[:, 0].tolist() == [1.0, 4.0, 2.0]
    assert found[:, 1].tolist() == [-3.0, 0.0, -2.0]
    assert found[:, 2].tolist() == [-1.0, 2.0, 0.0]
    assert np.allclose(found[:, 3], [1 / 3, 1, 1 / 2])


def test_no_passages_have_no_columns_to_add() -> None:
    assert reranked_features(np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)).shape == (0, 6)


def test_the_weights_that_come_with_the_program_fit_its_features() -> None:
    fusions = trained()
    assert fusions.first.weights.shape == (len(NAMES),)
    assert fusions.first.by_question.shape == (len(NAMES), len(QUESTION_NAMES))
    assert fusions.reranked.weights.shape == (len(NAMES) + len(RERANKED_NAMES),)
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
        "longest_run": 0.5,
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
