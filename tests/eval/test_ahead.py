"""Questions encoded ahead: the same vectors, fewer calls, and nothing lost for a question nobody announced."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from conftest import FakeEmbedder

from eval.ahead import AheadEmbedder


class Counting(FakeEmbedder):
    """Remembers which questions it was given together."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, ...]] = []

    def embed_query(self, text: str) -> np.ndarray:
        self.calls.append((text,))
        return self._vector(text)

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        self.calls.append(tuple(texts))
        return np.stack([self._vector(text) for text in texts])


def test_what_was_encoded_ahead_is_not_encoded_again() -> None:
    behind = Counting()
    ahead = AheadEmbedder(behind)
    ahead.encode_ahead(["住建局承诺了什么", "几所学校"])
    assert behind.calls == [("住建局承诺了什么", "几所学校")]
    assert np.array_equal(ahead.embed_query("几所学校"), behind._vector("几所学校"))
    assert len(behind.calls) == 1
    assert ahead.share > 0


def test_an_unannounced_question_is_encoded_when_it_comes() -> None:
    behind = Counting()
    ahead = AheadEmbedder(behind)
    ahead.encode_ahead(["一"])
    ahead.encode_ahead(["二"])
    assert np.array_equal(ahead.embed_query("一"), behind._vector("一"))
    assert behind.calls[-1] == ("一",)


def test_nothing_to_encode_costs_nothing() -> None:
    behind = Counting()
    ahead = AheadEmbedder(behind)
    ahead.encode_ahead([])
    assert behind.calls == []
    assert ahead.share == 0
    assert (ahead.name, ahead.dimension, ahead.max_tokens) == (
        behind.name,
        behind.dimension,
        behind.max_tokens,
    )
