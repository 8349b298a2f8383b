"""Late interaction: what is met counts, by how rare it is; what is absent does not."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rag.late_interaction import Pieces, late_interaction

WEIGHTS = np.asarray([0.0, 1.0, 3.0, 1.0], np.float32)
AXES = np.eye(4, dtype=np.float32)


def pieces(*ids: int) -> Pieces:
    return Pieces(np.asarray(ids, np.int64), AXES[list(ids)])


def test_each_piece_of_the_question_is_met_by_the_nearest() -> None:
    scores = late_interaction(pieces(1, 2), [pieces(3, 2, 1), pieces(2), pieces(1), pieces(3)], WEIGHTS)
    assert np.allclose(scores, [1.0, 0.75, 0.25, 0.0])


def test_what_counts_for_nothing_or_is_not_there_scores_nothing() -> None:
    nothing = Pieces(np.zeros(0, np.int64), np.zeros((0, 4), np.float32))
    assert late_interaction(pieces(0), [pieces(0)], WEIGHTS).tolist() == [0.0]
    assert late_interaction(nothing, [pieces(1)], WEIGHTS).tolist() == [0.0]
    assert late_interaction(pieces(1), [nothing], WEIGHTS).tolist() == [0.0]
    assert late_interaction(pieces(1), [], WEIGHTS).shape == (0,)


def test_without_their_mean_vectors_have_length_one_and_point_apart() -> None:
    mean = np.full(4, 5.0, np.float32)
    found = Pieces(np.asarray([1, 2]), AXES[[1, 2]] + mean).less(mean)
    assert np.allclose(found.vectors, AXES[[1, 2]], atol=1e-6)
    assert np.isfinite(Pieces(np.asarray([1]), mean[None]).less(mean).vectors).all()


@given(arrays(np.float32, (3, 4), elements=st.floats(-9, 9, width=32)), st.integers(0, 3))
def test_scores_are_cosines(vectors: np.ndarray, piece: int) -> None:
    text = Pieces(np.asarray([1, 2, 3]), vectors).less(np.zeros(4, np.float32))
    scores = late_interaction(pieces(piece), [text], WEIGHTS)
    assert -1.0001 <= scores[0] <= 1.0001
