"""Probabilities learned by logistic regression: the weights, and how they are read from what comes with the program."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import WeightsError

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Learned weights ``[features]``; features are first brought to ``(x - mean) / deviation``."""

    mean: Array
    deviation: Array
    weights: Array
    bias: float

    def probability(self, row: Array) -> float:
        """The probability of what was learned, for one row of features; one that is not known (NaN) counts as the mean."""
        known = np.nan_to_num((row - self.mean) / self.deviation, nan=0.0)
        z = float(known @ self.weights) + self.bias
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, z))))


@functools.cache
def shipped(file: str, names: tuple[str, ...]) -> Calibration:
    """The weights that come with the program in this file of `rag.trained`.

    :param names: the features that they are for, in order
    :raises WeightsError: they do not fit the features, which only a broken installation explains
    """
    record: dict[str, Any] = json.loads(
        resources.files("rag.trained").joinpath(file).read_text(encoding="utf-8")
    )
    if record["features"] != list(names):
        raise WeightsError(f"{file} was learned with other features.", "Install Wenzheng anew.")
    mean, deviation, weights = (
        np.asarray(record[key], np.float32) for key in ("mean", "deviation", "weights")
    )
    return Calibration(mean, deviation, weights, float(record["bias"]))


def record_of(calibration: Calibration, names: Sequence[str]) -> dict[str, Any]:
    """What `shipped` reads, as plain data for JSON."""
    return {
        "features": list(names),
        **{
            name: np.round(getattr(calibration, name).astype(np.float64), 6).tolist()
            for name in ("mean", "deviation", "weights")
        },
        "bias": round(calibration.bias, 6),
    }
