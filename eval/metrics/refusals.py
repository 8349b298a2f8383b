"""Refusals: of each case, and as a decision over a run with precision and recall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eval.cases import Case
from eval.metrics.means import Mean
from eval.metrics.metric import Metric, metric
from eval.results import CaseResult

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def refused(result: CaseResult) -> float:
    """1 when the question was refused."""
    return float(result.outcome == "refused")


def partial(result: CaseResult) -> float:
    """1 when sentences of the answer were withheld."""
    return float(result.outcome == "partial")


def refusal_summary(
    results: Sequence[CaseResult], *, seed: int = 0, resamples: int = 1000
) -> dict[str, Mean]:
    """Refusing as a decision over a run: what should be refused is what is unanswerable.

    ``refusal_precision``: of the refused cases, those unanswerable; ``refusal_recall``: of the unanswerable, those
    refused; ``refusal_f1``: their harmonic mean; ``balanced_accuracy``: the mean of the shares decided rightly among
    the answerable and the unanswerable. ``n`` is the cases it is a share of; the interval is a percentile bootstrap
    over cases. Absent is what is 0/0, and all of it where no case is unanswerable. A failed case was decided wrongly;
    results without an outcome are left out.
    """
    import numpy as np

    cells = [0, 0, 0, 0]
    for result in results:
        if result.error:
            cells[1 if result.case.answerable else 2] += 1
        elif result.outcome:
            cells[2 * (not result.case.answerable) + (result.outcome == "refused")] += 1
    n = sum(cells)
    if not cells[2] + cells[3]:
        return {}
    # Resampling the cases is drawing the four counts from a multinomial distribution.
    drawn = np.random.default_rng(seed).multinomial(n, np.array(cells) / n, size=resamples)
    values = _decisions(np.array([cells], dtype=np.float64))
    resampled = _decisions(drawn.astype(np.float64))
    behind = {
        "refusal_precision": cells[1] + cells[3],
        "refusal_recall": cells[2] + cells[3],
        "refusal_f1": n,
        "balanced_accuracy": n,
    }
    found: dict[str, Mean] = {}
    for name, of in behind.items():
        value = float(values[name][0])
        if not np.isnan(value):
            low, high = np.nanpercentile(resampled[name], (2.5, 97.5))
            found[name] = Mean(value, of, float(low), float(high))
    return found


def _decisions(cells: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The four measures of each row of counts (answered and refused answerable, answered and refused unanswerable)."""
    import numpy as np

    right, false, missed, true = cells.T
    with np.errstate(divide="ignore", invalid="ignore"):
        recall = true / (true + missed)
        return {
            "refusal_precision": true / (true + false),
            "refusal_recall": recall,
            "refusal_f1": 2 * true / (2 * true + false + missed),
            "balanced_accuracy": (recall + right / (right + false)) / 2,
        }


def _answerable(case: Case) -> bool:
    return case.answerable


def _unanswerable(case: Case) -> bool:
    return not case.answerable


METRICS: tuple[Metric, ...] = (
    metric("refused", "Of the unanswerable questions, those refused.", refused, _unanswerable),
    metric(
        "false_refusal",
        "Of the answerable questions, those refused.",
        refused,
        _answerable,
        worst=1.0,
        higher_is_better=False,
    ),
    metric(
        "partial",
        "Of the answerable questions, those answered in part, with sentences withheld.",
        partial,
        _answerable,
        worst=1.0,
        higher_is_better=False,
    ),
)
