"""Whether an answer tells all that was there to be told: completeness over the retrieved passages.

What is asked for in several parts ("承诺了哪些") may be retrieved in full and told in part. `containment` cannot tell that from
parts that were never found; this counts only those that the retrieved passages hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from eval.cases import Case
from eval.metrics.citations import overlap
from eval.metrics.metric import Metric, folded, groups, metric, said
from eval.results import CaseResult

_SEVERAL = 2
_T = TypeVar("_T")


def completeness(result: CaseResult) -> float | None:
    """Of the parts that the retrieved passages hold, the share that the answer tells; None where they hold none.

    Parts are the groups that an answer must name, where there are several; else the sentences of the evidence, which
    are told where they are said or cited.
    """
    case = result.case
    texts = [passage.text for passage in result.passages]
    text = said(result)
    quotes = [citation.quote for citation in result.citations]
    required = groups(case)
    if len(required) >= _SEVERAL:
        parts = [tuple(folded(part) for part in group) for group in required]
        held, told = folded("\n".join(texts)), folded(text)
        return _share(parts, lambda g: any(part in held for part in g), lambda g: any(p in told for p in g))
    return _share(
        list(dict.fromkeys(case.evidence)),
        lambda sentence: any(overlap(sentence, passage) for passage in texts),
        lambda sentence: any(overlap(sentence, other) for other in (text, *quotes)),
    )


def _share(parts: Sequence[_T], is_held: Callable[[_T], bool], is_told: Callable[[_T], bool]) -> float | None:
    held = [part for part in parts if is_held(part)]
    return sum(map(is_told, held)) / len(held) if held else None


def _in_parts(case: Case) -> bool:
    return case.answerable and max(len(groups(case)), len(set(case.evidence))) >= _SEVERAL


METRICS: tuple[Metric, ...] = (
    metric(
        "completeness",
        "Share of the parts of the answer that the retrieved passages hold which the answer tells.",
        completeness,
        _in_parts,
    ),
)
