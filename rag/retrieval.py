"""Finds the passages for a question: dense and lexical leg, fused, without duplicates, in a stable order."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from rag.framing import folded_context
from rag.library import Library
from rag.questions import Question, coverage, embedding_text, search_text
from rag.speech import bodies_speaking, speaks
from rag.text import fold, has_han, to_simplified
from rag.types import Chunk, Passage, Source

Hit = tuple[str, float]
"""A chunk's key with its score in one leg."""

_POOL = 40
"""Candidates whose text is looked at. Reading and folding the text of all of both legs' hits took half of a search."""
_RANK_CONSTANT = 10.0
_SPEECH_BONUS = 0.15
_SPEECH_BONUS_ACROSS = 0.4
"""Across languages, where words can't meet, the body's name is the best there is to go by."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    chunk: Chunk
    source: Source
    folded: str
    similarity: float | None
    lexical: float
    dense_rank: int | None
    lexical_rank: int | None
    coverage: float


class Retriever:
    """Ranks the chunks of one library for a question."""

    def __init__(self, library: Library, candidates: int = 50) -> None:
        self._library = library
        self._candidates = candidates

    def search(
        self, question: Question, k: int, within: Collection[str] | None = None
    ) -> tuple[Passage, ...]:
        """The ``k`` best passages, best first; fewer where the library holds fewer. No two have the same text.

        :param within: ids of the documents to look in; None for all
        """
        versions = None if within is None else self._library.catalog.live_ids(within)
        vector = self._library.embedder.embed_query(query_text(question))
        dense = self._library.index.dense(vector, self._candidates, versions)
        lexical = self._library.index.lexical(search_text(question), self._candidates, versions)
        dense_hits, lexical_hits, found = self._live(dense, lexical)
        similarities = dict(dense_hits)
        dense_ranks = {key: rank for rank, (key, _) in enumerate(dense_hits, start=1)}
        lexical_ranks = {key: rank for rank, (key, _) in enumerate(lexical_hits, start=1)}
        best_lexical = lexical_hits[0][1] if lexical_hits else 1.0
        lexical_scores = {key: score / best_lexical for key, score in lexical_hits}
        candidates = []
        for key, (chunk, source) in found.items():
            folded = folded_context(source, chunk)
            candidates.append(
                (
                    key,
                    _Candidate(
                        chunk,
                        source,
                        folded,
                        similarities.get(key),
                        lexical_scores.get(key, 0.0),
                        dense_ranks.get(key),
                        lexical_ranks.get(key),
                        coverage(question, folded),
                    ),
                )
            )
        floor = min(similarities.values(), default=0.0)
        top = max(similarities.values(), default=1.0)
        cross_language = question.is_latin
        scored = [
            (
                _score(candidate, floor, top, latin_question=cross_language) + _speech(question, candidate),
                key,
                candidate,
            )
            for key, candidate in candidates
        ]
        scored.sort(key=lambda item: (-item[0], _stable(item[1])))
        return tuple(_distinct(scored, k))

    def _live(
        self, dense: Sequence[Hit], lexical: Sequence[Hit]
    ) -> tuple[list[Hit], list[Hit], dict[str, tuple[Chunk, Source]]]:
        """Both legs' hits without those that the catalog does not know, and the chunks of the best of them.

        What was replaced or removed meanwhile must not hold a rank.
        """
        while True:
            best = _alternating(dense, lexical)[:_POOL]
            found = self._library.catalog.live_chunks(best)
            gone = set(best) - found.keys()
            dense = [hit for hit in dense if hit[0] not in gone]
            lexical = [hit for hit in lexical if hit[0] not in gone]
            if not gone:
                return dense, lexical, found


def query_text(question: Question) -> str:
    """What the embedding model is given of a question."""
    return to_simplified(embedding_text(question))


def _alternating(dense: Sequence[Hit], lexical: Sequence[Hit]) -> list[str]:
    """The keys of both legs, best ranks first, each once."""
    pairs = itertools.zip_longest((key for key, _ in dense), (key for key, _ in lexical))
    return list(dict.fromkeys(key for pair in pairs for key in pair if key is not None))


def _score(candidate: _Candidate, floor: float, top: float, *, latin_question: bool) -> float:
    """Weighted sum of both legs' scores, each brought to 0 to 1 within the query, their ranks and the coverage."""
    spread = max(top - floor, 1e-6)
    dense = 0.0 if candidate.similarity is None else (candidate.similarity - floor) / spread
    ranks = sum(
        0.5 * _RANK_CONSTANT / (_RANK_CONSTANT + rank - 1)
        for rank in (candidate.dense_rank, candidate.lexical_rank)
        if rank is not None
    )
    if latin_question and has_han(candidate.chunk.text):
        # Words can't meet across languages: the dense leg decides, body names aside.
        return 0.8 * dense + 0.2 * candidate.lexical
    return 0.35 * dense + 0.35 * candidate.lexical + 0.15 * ranks + 0.15 * candidate.coverage


def _speech(question: Question, candidate: _Candidate) -> float:
    """For what a body said or promised, the passage in which it speaks goes before those that only name it.

    Also one in which its head goes on speaking, and which names neither: who speaks is known from what stands before.
    """
    if not question.asks_statement:
        return 0.0
    speaking = bodies_speaking(candidate.chunk.speeches)
    heard = any(body.name in speaking or speaks(candidate.folded, body) for body in question.bodies)
    if not heard:
        return 0.0
    across = question.is_latin and has_han(candidate.chunk.text)
    return _SPEECH_BONUS_ACROSS if across else _SPEECH_BONUS


def _distinct(scored: Iterable[tuple[float, str, _Candidate]], k: int) -> Iterable[Passage]:
    seen: set[str] = set()
    for score, _, candidate in scored:
        body = _folded(candidate.chunk.text)
        if body in seen:
            continue
        seen.add(body)
        yield Passage(
            chunk=candidate.chunk,
            source=candidate.source,
            score=round(score, 6),
            similarity=candidate.similarity,
            coverage=round(candidate.coverage, 4),
            dense_rank=candidate.dense_rank,
            lexical_rank=candidate.lexical_rank,
        )
        if len(seen) == k:
            return


@functools.lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    return fold(text)


def _stable(key: str) -> tuple[int, int]:
    version, _, ordinal = key.partition(":")
    return int(version), int(ordinal)
