"""``python -m eval.training.answered``: learns how likely a checked answer answers its question (`rag.answered`).

The chat model answers everything here: questions whose answer the documents hold, the same questions without the documents
that answer, and questions written to have no answer. What passes the check counts as answered where it holds the
reference, and as not answered where there was nothing to find; wrong answers to answerable questions are left out. Only
documents that the reader was not trained on are used.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Literal

import numpy as np

from eval.ahead import AheadEmbedder
from eval.benchmarks import load_benchmark
from eval.metrics.reading import contains
from eval.runner import fill, index_key
from eval.training.answerability import Judged, area, learn
from eval.training.candidates import SETS, TrainingSet, document_of
from eval.training.examples import part_of
from rag.answered import NAMES, cited_texts, features
from rag.calibration import Calibration, record_of
from rag.embedding import E5_NAME, open_embedder, token_encoder
from rag.evidence import LOOKED_AT
from rag.library import Library
from rag.model import ChatModel, open_model
from rag.pipeline import Pipeline
from rag.questions import analyse
from rag.reranking import Reader, Reranker, open_reranker, reader_of, reranking_text
from rag.settings import Settings, load_settings
from rag.text import to_simplified
from rag.types import Answer

Style = Literal["short", "full"]
_OWN = Path(__file__).parent
STYLES: tuple[Style, ...] = ("short", "full")
_SETS = ("near", "office", "drcd", "cmrc2018")
_MOST = 60
"""Questions of a kind, set and style."""
_ODDS = 3.0
"""Answers that answer, to one that does not, among those that come this far: learning weighs both the same."""
_PENALTY = 1e-2
"""On the squares of the weights: there are a few hundred answers."""


def row_of(answer: Answer, reader: Reader) -> tuple[float, ...] | None:
    """The features of a finished answer; None where nothing of it stands."""
    said = "\n".join(claim.text for claim in answer.claims if claim.verdict == "supported")
    if answer.outcome not in ("answered", "partial") or not answer.citations:
        return None
    question = analyse(answer.standalone or answer.question, 2000)
    asked, first = to_simplified(question.text), answer.passages[:LOOKED_AT]
    readings = reader.read(asked, [reranking_text(p.source, p.chunk) for p in first])
    cited = reader.read(asked, cited_texts(answer.citations))
    row = features(question, said, answer.citations, first, readings, cited, answer.confidence or 0.0)
    return tuple(map(float, row))


def asked(
    wanted: TrainingSet,
    style: Style,
    data: Path,
    settings: Settings,
    embedder: AheadEmbedder,
    model: ChatModel,
    reranker: Reranker,
    most: int,
) -> Iterator[Judged]:
    """The answers to a set's questions, each asked in the ways that suit it, that passed the check."""
    benchmark = load_benchmark((_OWN if wanted.own else data) / wanted.folder, part=wanted.part)
    home = settings.home / "eval" / "cache" / "indexes" / index_key(benchmark, settings, embedder)
    # Everything is answered: what the pipeline refuses before would be missing from what is learned.
    all_of_it = settings.model_copy(update={"home": home, "evidence_threshold": 0.0, "answer_style": style})
    reader = reader_of(reranker)
    if reader is None:
        return
    with Library.open(all_of_it, embedder, writable=True) as library:
        fill(library, benchmark, all_of_it, lambda _: None)
        pipeline = Pipeline(library, model, all_of_it, reranker)
        everything = {version.source.id for version in library.documents()}
        rng = random.Random(1)  # noqa: S311 - no secret
        cases = [c for c in benchmark.cases if (c.gold or c.given) and part_of(document_of(c)) != "reranker"]
        there = [case for case in cases if case.answerable]
        gone = [case for case in cases if not case.answerable]
        for case in rng.sample(there, min(most, len(there))):
            part = part_of(document_of(case))
            answer = pipeline.ask(case.question, case.history)
            row = row_of(answer, reader)
            if row is not None and contains(case, answer.text):
                yield Judged(wanted.name, f"open {style}", part, True, row)
            if len(everything) > len(case.gold) and not gone:
                answer = pipeline.ask(case.question, case.history, within=everything - set(case.gold))
                row = row_of(answer, reader)
                if row is not None and not contains(case, answer.text):
                    yield Judged(wanted.name, f"without {style}", part, False, row)
        for case in rng.sample(gone, min(most, len(gone))):
            row = row_of(pipeline.ask(case.question, case.history), reader)
            if row is not None:
                yield Judged(wanted.name, f"near {style}", part_of(document_of(case)), False, row)


def _told(judged: Sequence[Judged], calibration: Calibration) -> str:
    by_set: dict[str, dict[bool, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for one in judged:
        row = np.asarray(one.row, np.float32)
        by_set[f"{one.set} {one.kind.split()[1]}"][one.answered].append(
            (calibration.probability(row), float(row[0]))
        )
    lines = []
    for name, found in sorted(by_set.items()):
        there, gone = found[True], found[False]
        if there and gone:
            after = area([p for p, _ in there], [p for p, _ in gone])
            before = area([p for _, p in there], [p for _, p in gone])
            lines.append(
                f"{name:16} area {after:.3f}, before generating {before:.3f}, n {len(there)}+{len(gone)}"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask, learn, write the weights, and tell what they reach on what was held out."""
    parser = argparse.ArgumentParser(prog="python -m eval.training.answered", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public sets")
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps the indexes")
    parser.add_argument("--output", type=Path, required=True, help="file of the weights, .json")
    parser.add_argument("--most", type=int, default=_MOST, help="questions of a kind, set and style")
    parser.add_argument("--kept", type=Path, required=True, help="file of what was answered; is added to")
    parser.add_argument("--learn-only", action="store_true", help="learn from what is kept, ask nothing")
    given = parser.parse_args(arguments)
    if not given.learn_only:
        settings = load_settings({"home": given.home})
        opened = open_embedder(settings)
        embedder = AheadEmbedder(opened)
        reranker = open_reranker(settings, E5_NAME, token_encoder(opened))
        if reranker is None:
            parser.error("it needs the reranker that comes with Wenzheng: set no other one")
        model = open_model(settings)
        try:
            with given.kept.open("a", encoding="utf-8") as kept:
                for wanted in (one for name in _SETS for one in SETS if one.name == name):
                    for style in STYLES:
                        answers = asked(
                            wanted, style, given.data, settings, embedder, model, reranker, given.most
                        )
                        for one in answers:
                            kept.write(f"{json.dumps(astuple(one))}\n")
                            kept.flush()
                        sys.stderr.write(f"{wanted.name} {style}\n")
        finally:
            model.close()
    lines = given.kept.read_text(encoding="utf-8").splitlines()
    judged = [
        Judged(name, kind, part, answered, tuple(row))
        for name, kind, part, answered, row in map(json.loads, lines)
    ]
    calibration = learn([one for one in judged if one.part == "fusion"], penalty=_PENALTY, rising=True)
    sys.stderr.write(f"{_told([one for one in judged if one.part == 'held_out'], calibration)}\n")
    # So few answers can be had of a small machine that what is written is learned from all of them.
    calibration = learn(judged, penalty=_PENALTY, rising=True)
    calibration = replace(calibration, bias=calibration.bias + math.log(_ODDS))
    given.output.write_text(json.dumps(record_of(calibration, NAMES), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
