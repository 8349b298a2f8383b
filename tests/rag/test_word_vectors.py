from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from rag.word_vectors import WORDS, padded, read_word_vectors


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_vectors_are_those_of_the_file_however_often_they_are_read(tmp_path: Path, kind: type) -> None:
    table: NDArray[Any] = np.random.default_rng(0).standard_normal((500, 8)).astype(kind)
    save_file({"first": np.ones(3, np.float32), WORDS: table}, tmp_path / "model.safetensors")
    words = read_word_vectors(tmp_path / "model.safetensors")
    assert words.dimension == 8
    ids = np.random.default_rng(1).integers(0, 500, (10, 300))
    for _ in range(5):
        assert np.array_equal(words.of(ids), table[ids].astype(np.float32))
    assert read_word_vectors(tmp_path / "model.safetensors") is words


def test_a_file_without_word_vectors_is_an_error(tmp_path: Path) -> None:
    save_file({"other": np.ones(3, np.float32)}, tmp_path / "model.safetensors")
    with pytest.raises(KeyError):
        read_word_vectors(tmp_path / "model.safetensors")


def test_rows_are_filled_up_to_few_lengths_and_not_beyond_the_most() -> None:
    ids, mask = padded([[5, 6, 7], [8]], 1, 200)
    assert ids.shape == mask.shape == (2, 16)
    assert ids[1].tolist() == [8] + [1] * 15
    assert mask.sum(1).tolist() == [3, 1]
    assert padded([[0] * 198], 1, 200)[0].shape == (1, 200)
    assert padded([[0] * 32], 1, 200)[0].shape == (1, 32)
