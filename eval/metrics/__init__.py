"""What is measured of a case's result, and means, intervals and comparisons over runs.

A metric that does not apply to a case is absent, not zero. A failed case has the worst value of each metric that would
apply to it. Every mean has its number of cases and a bootstrap interval.
"""

from __future__ import annotations

from eval.metrics.confidence import Curve, Reliability, coverage_accuracy, reliability
from eval.metrics.losses import loss, right
from eval.metrics.means import Mean, mean
from eval.metrics.metric import Metric
from eval.metrics.refusals import refusal_summary
from eval.metrics.registry import METRICS, score, scores
from eval.metrics.statistics import Paired, by_group, in_words, paired, summary

__all__ = [
    "METRICS",
    "Curve",
    "Mean",
    "Metric",
    "Paired",
    "Reliability",
    "by_group",
    "coverage_accuracy",
    "in_words",
    "loss",
    "mean",
    "paired",
    "refusal_summary",
    "reliability",
    "right",
    "score",
    "scores",
    "summary",
]
