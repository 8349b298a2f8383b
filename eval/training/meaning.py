"""``python -m eval.training.meaning``: learns when a sentence says what a claim in another language says (`rag.cross_lingual`).

XQuAD has the same paragraphs in Chinese and English. The sentences of one, whole and cut at their commas, are claims; a claim
is held against the other language's sentences of the same paragraph and of two more of its article, and against those two alone,
which are about the same thing and do not say it. Only sentences that hold the claim's amounts and dates count, as in use. Articles
are held apart.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.benchmarks import load_benchmark
from eval.training.answerability import Judged, area, learn
from eval.training.examples import part_of
from rag.calibration import Calibration, record_of
from rag.cross_lingual import FILE, NAMES, Comparison, features
from rag.embedding import E5_NAME, open_embedder, token_encoder
from rag.facts import facts_of, missing_fact
from rag.reranking import open_reranker, reader_of
from rag.settings import load_settings
from rag.text import fold, sentences, to_simplified

Array = NDArray[np.float32]
_LEAST_WORDS = 5
"""Words, or half as many characters again of Chinese, from which a part of a sentence is a claim of its own."""
_BESIDE = 2
"""Further paragraphs of the article that a claim is held against."""
_NEGATIVES = 2
"""Sentences nearest to a claim that are learned from where none says it."""
_PENALTY = 1e-3


@dataclass(frozen=True, slots=True)
class Parallel:
    """A paragraph in both languages; ``article`` is what it belongs to."""

    article: str
    texts: tuple[str, str]


def parallels(documents: Sequence[tuple[str, str]]) -> list[Parallel]:
    """The paragraphs that are there in both languages, of ids such as ``xquad-en:3:1``."""
    by_place: dict[str, dict[str, str]] = defaultdict(dict)
    for name, text in documents:
        language, _, place = name.partition(":")
        by_place[place][language] = text
    return [
        Parallel(place.partition(":")[0], (both["xquad-en"], both["xquad-zh"]))
        for place, both in sorted(by_place.items())
        if len(both) == 2
    ]


def claims_of(text: str, rng: random.Random, most: int) -> Iterator[str]:
    """Some sentences of a text, each whole and, where commas divide it, one part of it."""
    spans = sentences(text)
    for start, end in rng.sample(spans, min(most, len(spans))):
        sentence = text[start:end].strip()
        yield sentence
        cut = [part.strip(" ,，.。;；") for part in sentence.replace("，", ", ").split(", ")]
        long = [part for part in cut if max(len(part.split()), len(part) // 3) >= _LEAST_WORDS]
        if len(long) > 1:
            yield rng.choice(long)


def judged(paragraphs: Sequence[Parallel], comparison: Comparison, most: int, seed: int) -> Iterator[Judged]:
    """Each claim's nearest sentence where its paragraph is there, and its nearest ones where it is not."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    articles: dict[str, list[Parallel]] = defaultdict(list)
    for one in paragraphs:
        articles[one.article].append(one)
    for one in paragraphs:
        others = [other for other in articles[one.article] if other is not one][:_BESIDE]
        for mine, theirs in ((0, 1), (1, 0)):
            beside = [_split(other.texts[theirs]) for other in others]
            away = [sentence for part in beside for sentence in part]
            here = _split(one.texts[theirs])
            for claim in claims_of(one.texts[mine], rng, most):
                name, part = ("en on zh", "zh on en")[mine], part_of(f"article {one.article}")
                exact = bool(facts_of(fold(claim), persons=False).amounts)
                found = features(claim, [*here, *away], comparison, exact=exact)
                said = [row for place, row in found if place < len(here) and _holds(here[place], claim)]
                if said:
                    yield Judged(name, "said", part, True, tuple(map(float, said[0])))
                found = features(claim, away, comparison, exact=exact)
                beside_it = [row for place, row in found if _holds(away[place], claim)]
                for row in beside_it[:_NEGATIVES]:
                    yield Judged(name, "beside", part, False, tuple(map(float, row)))


def _split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def _holds(sentence: str, claim: str) -> bool:
    said, held = fold(claim), fold(sentence)
    return not missing_fact(facts_of(said, persons=False), said, facts_of(held, persons=False), held)


def _told(found: Sequence[Judged], weights: Calibration) -> str:
    lines = []
    for name in sorted({one.set for one in found}):
        rows: dict[bool, list[float]] = {True: [], False: []}
        for one in found:
            if one.set == name:
                rows[one.answered].append(weights.probability(np.asarray(one.row, np.float32)))
        said, beside = (np.asarray(rows[kind]) for kind in (True, False))
        passing = ", ".join(
            f"{least}: {np.mean(said >= least):.3f} and {np.mean(beside >= least):.3f}"
            for least in (0.3, 0.5, 0.7)
        )
        lines.append(
            f"  {name}: area {area(rows[True], rows[False]):.3f}, n {len(said)}+{len(beside)}; called the same at {passing}"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, learn, write the weights, and tell what they reach on the articles that were held out."""
    parser = argparse.ArgumentParser(prog="python -m eval.training.meaning", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public sets")
    parser.add_argument("--output", type=Path, required=True, help="folder of the weights")
    parser.add_argument("--most", type=int, default=2, help="sentences of a paragraph and language")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    settings = load_settings({})
    embedder = open_embedder(settings)
    reader = reader_of(open_reranker(settings, E5_NAME, token_encoder(embedder)))
    assert reader is not None
    known: dict[str, Array] = {}

    def similarity(left: Sequence[str], right: Sequence[str]) -> Array:
        new = [text for text in dict.fromkeys((*left, *right)) if text not in known]
        for text, vector in zip(
            new, embedder.embed_passages([to_simplified(t) for t in new]) if new else (), strict=True
        ):
            known[text] = np.asarray(vector, np.float32)
        mine, theirs = (np.stack([known[text] for text in texts]) for texts in (left, right))
        return np.asarray(mine @ theirs.T, np.float32)

    benchmark = load_benchmark(given.data / "xquad")
    paragraphs = parallels([(document.id, document.text) for document in benchmark.documents])
    found = []
    for one in judged(paragraphs, Comparison(similarity, reader.words_met), given.most, given.seed):
        found.append(one)
        if len(found) % 200 == 0:
            sys.stderr.write(f"{len(found)} compared\n")
    weights = learn([one for one in found if one.part == "reranker"], penalty=_PENALTY)
    sys.stderr.write(f"held out:\n{_told([one for one in found if one.part != 'reranker'], weights)}\n")
    text = json.dumps(record_of(weights, NAMES), indent=1) + "\n"
    (given.output / FILE).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
