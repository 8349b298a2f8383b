"""Where in a passage an answer stands. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.text import bigrams, fold, to_simplified

_AROUND = 40
"""Characters on each side of an answer that tell whether it is the place the question asks about."""


def answer_span(text: str, answers: Sequence[str], question: str) -> tuple[int, int] | None:
    """The range of the answer in a text in simplified script; of several places the one whose surroundings share most with
    the question. None where no answer stands in it literally.
    """
    asked = set(bigrams(fold(question)))
    best: tuple[float, int, int] | None = None
    for answer in answers:
        wanted = to_simplified(answer).strip(" 。，,.；;")
        for start in _places(text, wanted):
            end = start + len(wanted)
            around = bigrams(fold(text[max(0, start - _AROUND) : end + _AROUND]))
            shared = len(asked.intersection(around)) - 0.001 * start
            if best is None or shared > best[0]:
                best = (shared, start, end)
        if best is not None:
            return best[1], best[2]
    return None


def _places(text: str, wanted: str) -> Iterator[int]:
    at = text.find(wanted) if wanted else -1
    while at >= 0:
        yield at
        at = text.find(wanted, at + 1)
