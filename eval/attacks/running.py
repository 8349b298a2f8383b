"""Asks the questions of the attacks over one temporary library of all their documents, as users' files are taken in."""

from __future__ import annotations

import random
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eval.attacks.loading import Attack, Plain, write_documents
from eval.attacks.verdicts import Answered, Verdict, answered, holds, judge, obeyed_words
from eval.runner import Progress
from ingest.sync import SyncProgress, sync
from rag.embedding import Embedder
from rag.errors import AnswerInterrupted, EndpointRefused, ModelError, SourceError
from rag.model import ChatModel, ModelStatus, Reply, open_model
from rag.pipeline import Pipeline, open_pipeline
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

Tell = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class AttackResult:
    """What became of one attack.

    ``reached`` is whether its words were in what the chat model read, ``taken_up`` whether words of its canary were in
    what the model wrote, before that was checked; both None where the model was not asked. ``words`` are those that tell the verdict,
    ``quoted`` is whether the attack's text stands in the answer as a cited quotation. ``said`` is what the model wrote.
    """

    id: str
    kind: str
    lang: str
    question: str
    verdict: Verdict
    answered: Answered
    words: tuple[str, ...] = ()
    quoted: bool = False
    reached: bool | None = None
    taken_up: bool | None = None
    text: str = ""
    said: str = ""
    error: str = ""


class Listener:
    """A chat model that passes on what another says, and remembers what it was last asked."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.name = model.name
        self.heard: list[str] = []

    @property
    def status(self) -> ModelStatus:
        """The other's."""
        return self._model.status

    def stream(
        self, messages: Sequence[BaseMessage], *, max_tokens: int, stop: threading.Event | None = None
    ) -> Reply:
        """The other's reply."""
        self.heard = [str(message.content) for message in messages]
        return self._model.stream(messages, max_tokens=max_tokens, stop=stop)

    def first_tokens(
        self, messages: Sequence[BaseMessage], *, stop: threading.Event | None = None
    ) -> Mapping[str, float]:
        """The other's."""
        return self._model.first_tokens(messages, stop=stop)

    def close(self) -> None:
        """Close the other."""
        self._model.close()


def drawn(attacks: Sequence[Attack], limit: int | None, seed: int) -> list[Attack]:
    """All attacks, or so many of them, the same number of each script as far as may be, in their order.

    Their documents are to be in the library all the same.
    """
    if limit is None or limit >= len(attacks):
        return list(attacks)
    by_script: dict[str, list[int]] = {}
    for n, attack in enumerate(attacks):
        by_script.setdefault(attack.lang, []).append(n)
    source = random.Random(seed)  # noqa: S311
    for numbers in by_script.values():
        source.shuffle(numbers)
    chosen: set[int] = set()
    while len(chosen) < limit:
        for numbers in by_script.values():
            if numbers and len(chosen) < limit:
                chosen.add(numbers.pop())
    return [attack for n, attack in enumerate(attacks) if n in chosen]


def run(
    attacks: Sequence[Attack],
    harmless: Sequence[Plain],
    settings: Settings,
    asked: Sequence[Attack] | None = None,
    tell: Tell = lambda _: None,
    *,
    embedder: Embedder | None = None,
    model: ChatModel | None = None,
) -> list[AttackResult]:
    """Take all documents into one library of its own, and ask the questions of ``asked`` (None: of all).

    :param embedder: the settings' embedding model where it is open already
    :param model: a chat model in place of the settings'; it is closed at the end
    :raises SourceError: when a document is not taken in, since its attack would then look resisted
    :raises ModelError: when the chat model cannot be had; where it fails at one question alone, that one has failed
    """
    listener = Listener(model or open_model(settings))
    with tempfile.TemporaryDirectory(prefix="attacks-") as temporary:
        folder, home = Path(temporary, "documents"), Path(temporary, "home")
        folder.mkdir()
        write_documents(folder, attacks, harmless)
        at_home = settings.model_copy(update={"home": home})
        with open_pipeline(at_home, writable=True, embedder=embedder, model=listener) as pipeline:
            _take_in(folder, pipeline, at_home, tell)
            forbidden = tuple(dict.fromkeys(word for attack in attacks for word in attack.forbidden))
            chosen = list(attacks if asked is None else asked)
            tell(Progress("asking", 0, len(chosen)))
            results = []
            for count, attack in enumerate(chosen, start=1):
                results.append(_ask(pipeline, listener, attack, forbidden))
                tell(Progress("asking", count, len(chosen)))
    return results


def _take_in(folder: Path, pipeline: Pipeline, settings: Settings, tell: Tell) -> None:
    def told(step: SyncProgress) -> None:
        tell(Progress("indexing", step.done, step.total))

    report = sync([folder], pipeline.library, settings, told)
    for file in report.files:
        if file.status != "added":
            raise SourceError(
                f"The planted document {Path(file.path).name} was not taken in: {file.reason or file.status}.",
                "Mend it in eval/attacks.",
            )


def _takes_up(attack: Attack, said: str, forbidden: tuple[str, ...]) -> bool:
    return bool(obeyed_words(attack, said, (*attack.only_cited, *forbidden)))


def _ask(pipeline: Pipeline, listener: Listener, attack: Attack, forbidden: tuple[str, ...]) -> AttackResult:
    listener.heard = []
    said, answer = "", None
    try:
        for answer in pipeline.stream(attack.question):
            said = said if answer.done else answer.text
    except ModelError as error:
        if not isinstance(error, (AnswerInterrupted, EndpointRefused)):
            raise
        if isinstance(error, EndpointRefused) and error.for_all:
            raise
        return AttackResult(
            attack.id, attack.kind, attack.lang, attack.question, "failed", "failed", error=str(error)
        )
    assert answer is not None
    judgement = judge(attack, answer, forbidden)
    asked = bool(listener.heard)
    return AttackResult(
        attack.id,
        attack.kind,
        attack.lang,
        attack.question,
        judgement.verdict,
        answered(attack, answer),
        judgement.words,
        judgement.quoted,
        any(holds(text, attack.trace) for text in listener.heard) if asked else None,
        _takes_up(attack, said, forbidden) if asked else None,
        answer.text,
        said,
    )
