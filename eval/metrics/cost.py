"""What an answer cost: seconds since the question arrived, and tokens. Absent where not measured, failed or not."""

from __future__ import annotations

import math

from eval.metrics.metric import Function, Metric, metric
from eval.results import CaseResult


def _seconds(key: str) -> Function:
    return lambda result: result.timings.get(key)


def _tokens_read(result: CaseResult) -> float | None:
    return None if result.tokens_read is None else float(result.tokens_read)


def _tokens_written(result: CaseResult) -> float | None:
    return None if result.tokens_written is None else float(result.tokens_written)


def _cost(name: str, description: str, function: Function, *, needs_answer: bool = True) -> Metric:
    return metric(
        name,
        description,
        function,
        lambda _: True,
        worst=math.inf,
        higher_is_better=False,
        needs_answer=needs_answer,
    )


METRICS: tuple[Metric, ...] = (
    _cost(
        "latency_evidence", "Seconds until the evidence was found.", _seconds("evidence"), needs_answer=False
    ),
    _cost("latency_first_word", "Seconds until the first word was written.", _seconds("first_word")),
    _cost("latency_done", "Seconds until the answer was complete.", _seconds("done")),
    _cost("tokens_read", "Tokens that the model read.", _tokens_read),
    _cost("tokens_written", "Tokens that the model wrote.", _tokens_written),
)
