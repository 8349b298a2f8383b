"""Finds the passages for a question: dense and lexical leg, joined by learned weights, reranked where that is in doubt.

The dense leg asks the texts in Chinese and in other languages apart, for a vector lies nearer to everything in its own
language than to the answer in another (`rag.index`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.diversity import covering, distinct, parts
from rag.features import NAMES, Candidate, Range, features, question_features
from rag.framing import frame
from rag.fusion import Fusions, joined, reranked_features, to_rerank, trained
from rag.index import LANGUAGES, Language, language_of
from rag.library import Library
from rag.questions import Question, also_called, corrected_text, embedding_text
from rag.reranking import Reranker, reranking_text
from rag.text import to_simplified
from rag.types import Chunk, Passage, Source

Hit = tuple[str, float]
"""A chunk's key with its score in one leg."""

Keep = Callable[[Chunk, Source], bool]
"""Whether a chunk of a document may be found."""

_DEPTHS = (4, 16, 64, 256)
"""How many times as many hits are looked through for those that meet a condition, one after the other until they suffice."""
_POOL = 40
"""Candidates whose text is looked at. Reading and folding the text of all of both legs' hits took half of a search."""
_DOUBTFUL = 3.0
"""Log odds behind the best from which no passage that was read became the first: not one of 494 questions in doubt, on 11 sets,
lost its first passage with 2 already. Half of the ten are left unread."""
_ACROSS = 0.05
"""How much farther texts in another language lie from a question than those in its own, relevant or not: the medians of 50 hits
each, over 1,329 questions of XQuAD."""


@dataclass(frozen=True, slots=True)
class _Hits:
    """What the legs found, each best first. ``dense`` by the language of the texts."""

    dense: dict[Language, list[Hit]]
    lexical: list[Hit]

    def best(self, own: Language) -> list[str]:
        """The keys, best ranks first, each once; every fourth from the language that the question is not in."""
        others = [key for language, hits in self.dense.items() if language != own for key, _ in hits]
        mine = [key for key, _ in self.dense[own]]
        spread = [key for other in others for key in (None, None, other)] if mine else others
        lists = (mine, [key for key, _ in self.lexical], spread)
        found = (key for place in itertools.zip_longest(*lists) for key in place if key is not None)
        return list(dict.fromkeys(found))

    def without(self, gone: Collection[str]) -> _Hits:
        """The hits that are none of these keys."""
        dense = {
            language: [hit for hit in hits if hit[0] not in gone] for language, hits in self.dense.items()
        }
        return _Hits(dense, [hit for hit in self.lexical if hit[0] not in gone])

    def first(self, k: int) -> _Hits:
        """The best ``k`` of each leg."""
        return _Hits({language: hits[:k] for language, hits in self.dense.items()}, self.lexical[:k])


class Retriever:
    """Ranks the chunks of one library for a question."""

    def __init__(self, library: Library, candidates: int = 50, reranker: Reranker | None = None) -> None:
        """Search ``library``, taking ``candidates`` hits from each leg; without a ``reranker`` the first order stands."""
        self._library = library
        self._candidates = candidates
        self._reranker = reranker

    def search(
        self,
        question: Question,
        k: int,
        within: Collection[str] | None = None,
        keep: Keep | None = None,
    ) -> tuple[Passage, ...]:
        """The ``k`` best passages, best first; fewer where the library holds fewer. No two say the same.

        For a question over several things the first of them cover each (`rag.diversity`).

        :param within: ids of the documents to look in; None for all
        :param keep: which chunks may be found; None for all
        """
        candidates, lexical = self.candidates(question, within, keep)
        if not candidates:
            return ()
        rows = features(question, candidates, lexical)
        scores = self._scores(question, candidates, rows)
        order = sorted(range(len(candidates)), key=lambda n: (-scores[n], _stable(candidates[n].key)))
        covered = rows[:, NAMES.index("coverage")]
        likely = np.exp(scores - scores.max())
        ranked = (_passage(candidates[n], float(likely[n]), float(covered[n])) for n in order)
        wanted = parts(question)
        chosen = covering(list(distinct(ranked)), wanted) if wanted else distinct(ranked)
        return tuple(itertools.islice(chosen, k))

    def candidates(
        self, question: Question, within: Collection[str] | None = None, keep: Keep | None = None
    ) -> tuple[list[Candidate], Range]:
        """What both legs found, the best of each, in no order; and the range of the lexical leg's scores.

        :param within: ids of the documents to look in; None for all
        :param keep: which chunks may be found; None for all
        """
        own: Language = "other" if question.is_latin else "han"
        kept = keep is not None and self._kept(question, own, within, keep)
        hits, found = self._live(kept or self._hits(question, own, within), own)
        return _candidates(hits, found, own), Range.of([score for _, score in hits.lexical])

    def _kept(self, question: Question, own: Language, within: Collection[str] | None, keep: Keep) -> _Hits:
        """As many hits as without a condition, all of which meet it: from deeper and deeper lists until they suffice."""
        for depth in _DEPTHS:
            hits = self._hits(question, own, within, depth)
            keys = hits.best(own)
            found = self._library.catalog.live_chunks(keys)
            gone = {key for key in keys if key not in found or not keep(*found[key])}
            # A leg that is not at its end gives half of what it is asked for at least.
            if len(keys) - len(gone) >= _POOL or len(keys) < self._candidates * depth // 2:
                break
        return hits.without(gone).first(self._candidates)

    def _hits(
        self, question: Question, own: Language, within: Collection[str] | None, depth: int = 1
    ) -> _Hits:
        versions = None if within is None else self._library.catalog.live_ids(within)
        vector = self._library.embedder.embed_query(query_text(question))
        index, k = self._library.index, self._candidates * depth
        dense: dict[Language, list[Hit]] = {own: index.dense(vector, k, versions, own)}
        for language in LANGUAGES:
            if language != own:
                least = k if not dense[own] else k // 2
                dense[language] = index.dense(vector, max(1, least), versions, language)
        return _Hits(dense, index.lexical(corrected_text(question), k, versions, also_called(question)))

    def _live(self, hits: _Hits, own: Language) -> tuple[_Hits, dict[str, tuple[Chunk, Source]]]:
        """The hits without those that the catalog does not know, and the chunks of the best of them.

        What was replaced or removed meanwhile must not hold a rank.
        """
        while True:
            best = hits.best(own)[:_POOL]
            found = self._library.catalog.live_chunks(best)
            gone = set(best) - found.keys()
            if not gone:
                return hits, found
            hits = hits.without(gone)

    def _scores(
        self, question: Question, candidates: Sequence[Candidate], rows: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """One score a candidate."""
        fusions = trained()
        asked = question_features(question)
        first = fusions.first.scores(rows, asked)
        if self._reranker is None or _is_sure(first, fusions):
            return first
        top = to_rerank(first, rows, _DOUBTFUL)
        texts = [reranking_text(candidates[n].source, candidates[n].chunk) for n in top]
        judged = self._reranker.scores(to_simplified(corrected_text(question)), texts)
        if judged.shape[1] == 1:
            second = joined(first[top], judged[:, 0])
        else:
            second = fusions.reranked.scores(reranked_features(first[top], judged), asked)
        return _with_the_unread(first, top, second, rows)


def query_text(question: Question) -> str:
    """What the embedding model is given of a question."""
    return to_simplified(embedding_text(question))


def _is_sure(scores: NDArray[np.float32], fusions: Fusions) -> bool:
    """Whether the first candidate stands so far before the others that reranking would change next to nothing."""
    return bool(1.0 / np.exp(scores - scores.max()).sum() >= fusions.sure)


def _with_the_unread(
    first: NDArray[np.float32],
    top: NDArray[np.int64],
    second: NDArray[np.float32],
    rows: NDArray[np.float32],
) -> NDArray[np.float32]:
    """The scores after reranking; what was not read gets what reading changed for those in the question's language.

    It stays below the best of the read. But not below all of them: the three in another language are read wherever they stood.
    """
    own = rows[top, NAMES.index("other_language")] < 0.5
    changes = (second - first[top])[own if own.any() else slice(None)]
    scores = np.asarray(np.minimum(first + np.median(changes), second.max() - 1e-3), np.float32)
    scores[top] = second
    return scores


def _candidates(hits: _Hits, found: dict[str, tuple[Chunk, Source]], own: Language) -> list[Candidate]:
    lexical = {key: (rank, score) for rank, (key, score) in enumerate(hits.lexical, start=1)}
    similarities = {key: score for of_language in hits.dense.values() for key, score in of_language}
    across = _ACROSS if hits.dense[own] else 0.0
    near = {
        key: score + (0.0 if language == own else across)
        for language, of_language in hits.dense.items()
        for key, score in of_language
    }
    ranks = {key: rank for rank, key in enumerate(sorted(near, key=lambda key: (-near[key], key)), start=1)}
    dense = Range.of(list(near.values()))
    foreign = {key for language, hits_of in hits.dense.items() if language != own for key, _ in hits_of}
    candidates = []
    for key, (chunk, source) in found.items():
        place, score = lexical.get(key, (None, None))
        other = key in foreign or (
            key not in near and language_of(chunk.text, " ".join(frame(source, chunk))) != own
        )
        candidates.append(
            Candidate(
                key,
                chunk,
                source,
                similarities.get(key),
                near.get(key),
                score,
                ranks.get(key),
                place,
                dense,
                other,
            )
        )
    return candidates


def _passage(candidate: Candidate, score: float, coverage: float) -> Passage:
    return Passage(
        chunk=candidate.chunk,
        source=candidate.source,
        score=round(score, 6),
        similarity=candidate.similarity,
        coverage=round(coverage, 4),
        dense_rank=candidate.dense_rank,
        lexical_rank=candidate.lexical_rank,
    )


def _stable(key: str) -> tuple[int, int]:
    version, _, ordinal = key.partition(":")
    return int(version), int(ordinal)
