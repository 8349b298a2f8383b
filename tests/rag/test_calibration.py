"""Learned probabilities: the regression, and the weights that come with the program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rag import calibration
from rag.calibration import Calibration, record_of, shipped
from rag.errors import WeightsError

NAMES = ("one", "two")
MADE = Calibration(
    np.ones(2, np.float32), np.full(2, 2.0, np.float32), np.asarray([1.0, -1.0], np.float32), 0.5
)


def test_a_calibration_is_a_logistic_regression() -> None:
    assert MADE.probability(np.asarray([3.0, 1.0], np.float32)) == pytest.approx(1 / (1 + np.exp(-1.5)))
    assert 0.0 < MADE.probability(np.asarray([-1e6, 1e6], np.float32)) < 1e-9


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file of weights in place of those that come with the program."""
    shipped.cache_clear()
    monkeypatch.setattr(calibration.resources, "files", lambda _: tmp_path)
    yield tmp_path / "made.json"
    shipped.cache_clear()


def test_what_is_written_is_read_again(file: Path) -> None:
    file.write_text(json.dumps(record_of(MADE, NAMES)), encoding="utf-8")
    row = np.asarray([0.3, -2.0], np.float32)
    assert shipped("made.json", NAMES).probability(row) == pytest.approx(MADE.probability(row))


def test_weights_learned_with_other_features_are_refused(file: Path) -> None:
    file.write_text(json.dumps(record_of(MADE, NAMES[::-1])), encoding="utf-8")
    with pytest.raises(WeightsError, match="learned with other features"):
        shipped("made.json", NAMES)
