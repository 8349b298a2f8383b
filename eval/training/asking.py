"""``python -m eval.training.asking``: asks the chat model the questions of the sets, and keeps what tells whether it answered.

Everything is answered here: questions whose answer the documents hold, some of them without the documents that answer, and
questions written to have no answer. What is kept of each, `eval.training.confidence` learns from. Only documents that the
reader was not trained on are used.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from eval.ahead import AheadEmbedder
from eval.benchmarks import load_benchmark
from eval.cases import Case
from eval.metrics.reading import contains
from eval.runner import fill, index_key
from eval.training.candidates import SETS, TrainingSet, document_of
from eval.training.examples import Part, part_of
from rag.answered import can_be_judged, cited_texts, features
from rag.assessment import comparable, hesitation, yes_log_odds
from rag.embedding import E5_NAME, open_embedder, token_encoder
from rag.evidence import LOOKED_AT
from rag.library import Library
from rag.model import ChatModel, ModelStatus, Reply, open_model
from rag.pipeline import Pipeline
from rag.questions import analyse, corrected_text
from rag.reranking import Reader, Reranker, open_reranker, reader_of
from rag.settings import Settings, load_settings
from rag.text import to_simplified
from rag.types import Answer
from rag.weighing import Weighing

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

Style = Literal["short", "full"]
Kind = Literal["open", "without", "near"]
_OWN = Path(__file__).parent
PLAN: tuple[tuple[str, Style], ...] = (
    ("near", "short"),
    ("office", "full"),
    ("drcd", "short"),
    ("office", "short"),
)
_MOST = 40
"""Questions of a kind, set and style."""
_WITHOUT = 0.5
"""Share of the answerable questions of a set without near misses that are asked without the documents that answer."""
_BARELY = 1e-6
"""A threshold under which nothing is refused, and over which the chat model is asked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of one question.

    ``kind`` is whether its documents were there ("open"), left out ("without"), or hold no answer ("near"). ``likely`` is the
    probability by reading, ``odds`` those of the chat model's yes, None where it was not asked. ``row`` are the features of
    its answer (`rag.answered`) with that probability, None where nothing stands or it is not to be judged; ``right`` is
    whether the answer holds the reference.
    """

    set: str
    style: Style
    kind: Kind
    part: Part
    likely: float
    odds: float | None
    row: tuple[float, ...] | None
    right: bool

    @property
    def answerable(self) -> bool:
        """Whether the documents held the answer."""
        return self.kind == "open"


def read_asked(path: Path) -> list[Asked]:
    """What is kept in a file of JSON lines."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        row = record.pop("row")
        known = None if row is None else tuple(math.nan if value is None else value for value in row)
        found.append(Asked(**record, row=known))
    return found


def written(one: Asked) -> dict[str, Any]:
    """A record as `read_asked` reads it; what is not known of an answer is null."""
    row = None if one.row is None else [None if math.isnan(value) else value for value in one.row]
    return {**asdict(one), "row": row}


class Listening:
    """A chat model whose words on the question at hand are kept: the odds of its yes, and how its answer might have begun."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.name = model.name
        self.odds: float | None = None
        self._reply: Reply | None = None

    @property
    def status(self) -> ModelStatus:
        """The other's."""
        return self._model.status

    @property
    def first(self) -> Mapping[str, float]:
        """With which tokens the answer might have begun."""
        return {} if self._reply is None else self._reply.told.first

    def forget(self) -> None:
        """Begin a question."""
        self.odds = self._reply = None

    def first_tokens(
        self, messages: Sequence[BaseMessage], *, stop: threading.Event | None = None
    ) -> Mapping[str, float]:
        """As the other."""
        found = self._model.first_tokens(messages, stop=stop)
        self.odds = yes_log_odds(found)
        return found

    def stream(
        self, messages: Sequence[BaseMessage], *, max_tokens: int, stop: threading.Event | None = None
    ) -> Reply:
        """As the other. The first reply is the answer; a second one puts it right."""
        reply = self._model.stream(messages, max_tokens=max_tokens, stop=stop)
        self._reply = self._reply or reply
        return reply

    def close(self) -> None:
        """Close the other."""
        self._model.close()


def kept_of(
    answer: Answer, style: Style, model: Listening, reader: Reader, weighing: Weighing
) -> tuple[float, tuple[float, ...] | None]:
    """The probability by reading, and the features of a finished answer, None where nothing of it is to be judged."""
    question = analyse(answer.standalone or answer.question, 2000)
    weighed = weighing.passages(question, answer.passages)
    stands = answer.outcome in ("answered", "partial") and bool(answer.citations)
    if not stands or not weighed.readings or not can_be_judged(question, answer.citations):
        return weighed.likely, None
    cited = reader.read(to_simplified(corrected_text(question)), cited_texts(answer.citations))
    said = "\n".join(claim.text for claim in answer.claims if claim.verdict == "supported")
    row = features(
        question,
        said,
        answer.citations,
        answer.passages[:LOOKED_AT],
        weighed.readings,
        cited,
        weighed.likely,
        hesitation(model.first) if style == "short" else None,
    )
    return weighed.likely, tuple(map(float, row))


def asked(
    wanted: TrainingSet,
    style: Style,
    data: Path,
    settings: Settings,
    embedder: AheadEmbedder,
    model: Listening,
    reranker: Reranker,
    most: int,
) -> Iterator[Asked]:
    """What becomes of a set's questions, each asked in the ways that suit it."""
    reader = reader_of(reranker)
    if reader is None:
        return
    benchmark = load_benchmark((_OWN if wanted.own else data) / wanted.folder, part=wanted.part)
    home = settings.home / "eval" / "cache" / "indexes" / index_key(benchmark, settings, embedder)
    barely = settings.model_copy(
        update={"home": home, "evidence_threshold": _BARELY, "answer_style": style, "assess": True}
    )
    with Library.open(barely, embedder, writable=True) as library:
        fill(library, benchmark, barely, lambda _: None)
        pipeline = Pipeline(library, model, barely, reranker)
        weighing = Weighing(reader, model, barely)
        everything = {version.source.id for version in library.documents()}
        for case, kind in _drawn(benchmark.cases, most):
            model.forget()
            within = everything - set(case.gold) if kind == "without" else None
            answer = pipeline.ask(case.question, case.history, within=within)
            odds = model.odds
            if odds is not None:
                english = analyse(answer.standalone or answer.question, 2000).is_latin
                odds = comparable(odds, english=english, short=style == "short")
            likely, row = kept_of(answer, style, model, reader, weighing)
            right = bool(case.answers) and bool(contains(case, answer.text))
            part = part_of(document_of(case))
            yield Asked(wanted.name, style, kind, part, likely, odds, row, right)


def _drawn(cases: Sequence[Case], most: int) -> Iterator[tuple[Case, Kind]]:
    rng = random.Random(11)  # noqa: S311 - no secret
    some = [case for case in cases if (case.gold or case.given) and part_of(document_of(case)) != "reranker"]
    there = [case for case in some if case.answerable]
    gone = [case for case in some if not case.answerable]
    chosen = rng.sample(there, min(most, len(there)))
    for case in chosen:
        yield case, "open"
        if not gone and rng.random() < _WITHOUT:
            yield case, "without"
    for case in rng.sample(gone, min(most, len(gone))):
        yield case, "near"


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask, and keep what is told."""
    parser = argparse.ArgumentParser(prog="python -m eval.training.asking", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public sets")
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps the indexes")
    parser.add_argument("--kept", type=Path, required=True, help="file of what was asked; is added to")
    parser.add_argument("--most", type=int, default=_MOST, help="questions of a kind, set and style")
    given = parser.parse_args(arguments)
    settings = load_settings({"home": given.home})
    opened = open_embedder(settings)
    embedder = AheadEmbedder(opened)
    reranker = open_reranker(settings, E5_NAME, token_encoder(opened))
    if reranker is None:
        parser.error("it needs the reranker that comes with Wenzheng: set no other one")
    sets = {wanted.name: wanted for wanted in SETS}
    model = Listening(open_model(settings))
    try:
        with given.kept.open("a", encoding="utf-8") as kept:
            for name, style in PLAN:
                found = asked(sets[name], style, given.data, settings, embedder, model, reranker, given.most)
                for one in found:
                    kept.write(f"{json.dumps(written(one))}\n")
                    kept.flush()
                sys.stderr.write(f"{name} {style}\n")
    finally:
        model.close()


if __name__ == "__main__":
    main()
