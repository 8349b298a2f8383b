"""``python -m eval.training.assessment``: learns how far the chat model's own word counts (`rag.assessment`).

Nothing is generated but one token. Questions whose answer the documents hold, some of them without the documents that
answer, and questions written to have no answer are asked of the whole set; what is kept of each is the probability by
reading and the log odds with which the model would say that what it is shown answers. Only documents that the reader was
not trained on are used.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eval.ahead import AheadEmbedder
from eval.benchmarks import load_benchmark
from eval.cases import Case
from eval.runner import fill, index_key
from eval.training.answerability import Judged, area, learn
from eval.training.candidates import SETS, TrainingSet, document_of
from eval.training.examples import part_of
from rag.assessment import NAMES, features, yes_log_odds
from rag.calibration import record_of
from rag.embedding import E5_NAME, open_embedder, token_encoder
from rag.library import Library
from rag.model import ChatModel, ModelStatus, Reply, Told, open_model
from rag.pipeline import Pipeline
from rag.reranking import Reranker, open_reranker
from rag.settings import Settings, load_settings

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_OWN = Path(__file__).parent
_SETS = ("near", "drcd", "office", "cmrc2018")
_MOST = 90
"""Questions of a kind and set."""
_WITHOUT = 0.6
"""Share of the answerable questions that are asked again without the documents that answer."""
_PENALTY = 1e-2
"""On the squares of the weights."""
_BARELY = 1e-6
"""A threshold under which nothing is refused, and over which the chat model is asked."""


class Overheard:
    """A chat model whose log odds of yes are kept and not told, and that says nothing."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.name = model.name
        self.odds: float | None = None

    def forget(self) -> None:
        """Begin a question."""
        self.odds = None

    @property
    def status(self) -> ModelStatus:
        """The other's."""
        return self._model.status

    def first_tokens(
        self, messages: Sequence[BaseMessage], *, stop: threading.Event | None = None
    ) -> Mapping[str, float]:
        """Keeps what the other would say; tells nothing."""
        self.odds = yes_log_odds(self._model.first_tokens(messages, stop=stop))
        return {}

    def stream(
        self,
        messages: Sequence[BaseMessage],  # noqa: ARG002 - as the interface has it
        *,
        max_tokens: int,  # noqa: ARG002
        stop: threading.Event | None = None,  # noqa: ARG002
    ) -> Reply:
        """Nothing."""
        return Reply(_silence())

    def close(self) -> None:
        """Close the other."""
        self._model.close()


def _silence() -> Generator[str, None, Told | None]:
    yield ""
    return None


def asked(
    wanted: TrainingSet,
    data: Path,
    settings: Settings,
    embedder: AheadEmbedder,
    model: Overheard,
    reranker: Reranker,
    most: int,
) -> Iterator[Judged]:
    """What is kept of a set's questions; ``row`` is ``(probability by reading, log odds of yes)``."""
    benchmark = load_benchmark((_OWN if wanted.own else data) / wanted.folder, part=wanted.part)
    home = settings.home / "eval" / "cache" / "indexes" / index_key(benchmark, settings, embedder)
    barely = settings.model_copy(
        update={"home": home, "evidence_threshold": _BARELY, "answer_style": "short", "assess": True}
    )
    with Library.open(barely, embedder, writable=True) as library:
        fill(library, benchmark, barely, lambda _: None)
        pipeline = Pipeline(library, model, barely, reranker)
        everything = {version.source.id for version in library.documents()}
        rng = random.Random(7)  # noqa: S311 - no secret
        cases = [c for c in benchmark.cases if (c.gold or c.given) and part_of(document_of(c)) != "reranker"]
        there = [case for case in cases if case.answerable]
        gone = [case for case in cases if not case.answerable]
        todo: list[tuple[Case, str, set[str] | None]]
        todo = [(case, "open", None) for case in rng.sample(there, min(most, len(there)))]
        todo += [
            (case, "without", everything - set(case.gold)) for case, _, _ in todo if rng.random() < _WITHOUT
        ]
        todo += [(case, "near", None) for case in rng.sample(gone, min(most, len(gone)))]
        for case, kind, within in todo:
            model.forget()
            answer = pipeline.ask(case.question, case.history, within=within)
            odds = model.odds
            if odds is not None and answer.confidence is not None:
                row = (answer.confidence, odds)
                yield Judged(wanted.name, kind, part_of(document_of(case)), kind == "open", row)


def _told(judged: Sequence[Judged]) -> str:
    lines = []
    for name in dict.fromkeys(one.set for one in judged):
        there, gone = (
            [one for one in judged if one.set == name and one.answered is yes] for yes in (True, False)
        )
        if there and gone:
            areas = [area([o.row[n] for o in there], [o.row[n] for o in gone]) for n in (0, 1)]
            others = [o for o in judged if o.set != name]
            if {o.answered for o in others} == {True, False}:
                weights = learn([_weighed(o) for o in others], penalty=_PENALTY, rising=True)
                both = [
                    [weights.probability(np.asarray(_weighed(o).row, np.float32)) for o in part]
                    for part in (there, gone)
                ]
                areas.append(area(*both))
            lines.append(
                f"{name:10} area by reading, own word, both learned on the other sets: {areas}, n {len(there)}+{len(gone)}"
            )
    return "\n".join(lines)


def _weighed(one: Judged) -> Judged:
    return replace(one, row=tuple(map(float, features(*one.row))))


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask, learn, write the weights, and tell what each set's reach on the others is."""
    parser = argparse.ArgumentParser(prog="python -m eval.training.assessment", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public sets")
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps the indexes")
    parser.add_argument("--output", type=Path, required=True, help="file of the weights, .json")
    parser.add_argument("--most", type=int, default=_MOST, help="questions of a kind and set")
    parser.add_argument("--kept", type=Path, required=True, help="file of what was asked; is added to")
    parser.add_argument("--learn-only", action="store_true", help="learn from what is kept, ask nothing")
    given = parser.parse_args(arguments)
    if not given.learn_only:
        settings = load_settings({"home": given.home})
        opened = open_embedder(settings)
        embedder = AheadEmbedder(opened)
        reranker = open_reranker(settings, E5_NAME, token_encoder(opened))
        if reranker is None:
            parser.error("it needs the reranker that comes with Wenzheng: set no other one")
        model = Overheard(open_model(settings))
        try:
            with given.kept.open("a", encoding="utf-8") as kept:
                for wanted in (one for name in _SETS for one in SETS if one.name == name):
                    for one in asked(wanted, given.data, settings, embedder, model, reranker, given.most):
                        kept.write(f"{json.dumps(astuple(one))}\n")
                        kept.flush()
                    sys.stderr.write(f"{wanted.name}\n")
        finally:
            model.close()
    lines = given.kept.read_text(encoding="utf-8").splitlines()
    judged = [
        Judged(name, kind, part, answered, tuple(row))
        for name, kind, part, answered, row in map(json.loads, lines)
    ]
    sys.stderr.write(f"{_told(judged)}\n")
    calibration = learn([_weighed(one) for one in judged], penalty=_PENALTY, rising=True)
    given.output.write_text(json.dumps(record_of(calibration, NAMES), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
