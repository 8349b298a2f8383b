"""A mean with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CELLS = 1_000_000
"""Numbers drawn at once, which bounds the memory."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with the number of cases behind it and its 95 % bootstrap interval."""

    value: float
    n: int
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] n={self.n}"


def mean(values: Sequence[float | None], seed: int = 0, resamples: int = 1000) -> Mean | None:
    """The mean of the values that apply, with its bootstrap interval (percentile method; Efron 1979).

    None when no value applies. The same seed gives the same interval.
    """
    import numpy as np

    present = np.array([value for value in values if value is not None], dtype=np.float64)
    if not present.size:
        return None
    low, high = np.percentile(resampled_means(present, seed, resamples), (2.5, 97.5))
    return Mean(float(present.mean()), int(present.size), float(low), float(high))


def resampled_means(values: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    """The mean of each of ``resamples`` samples of the values, each of their number, drawn with replacement."""
    import numpy as np

    rng = np.random.default_rng(seed)
    n = values.size
    at_once = max(1, _CELLS // n)
    parts = [
        values[rng.integers(0, n, (min(at_once, resamples - start), n), dtype=np.int32)].mean(axis=1)
        for start in range(0, resamples, at_once)
    ]
    return np.concatenate(parts)
