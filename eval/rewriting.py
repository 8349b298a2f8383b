"""``python -m eval.rewriting``: measures how follow-up questions are made to stand alone (`rag.rewriting`).

Three tables. *Follow-ups*: whether the right document is found, asked as written, made to stand alone by the rules, and with
the chat model where these find nothing. *Standing alone*: questions that need no history, asked behind a history that has
nothing to do with them, which must change nothing. *Restoring*: how near the rewritten question is to what a person wrote.

Restoring is scored as in Pan et al., "Improving Open-Domain Dialogue Systems via Multi-Turn Incomplete Utterance Restoration"
(EMNLP 2019), over single words: the words that are restored are those, as a multiset, that the rewritten question has beyond
the question asked; precision is the share of them that the reference restores too, recall the share of the reference's, both
over all questions together, F1 their harmonic mean. Exact match compares letters and digits after folding.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eval.ahead import AheadEmbedder
from eval.benchmarks import load_benchmark
from eval.cases import Benchmark, Case
from eval.metrics import Mean, mean
from eval.runner import fill, index_key
from rag.embedding import open_embedder
from rag.errors import SourceError, SourceNotFound
from rag.library import Library
from rag.model import ChatModel, open_model
from rag.questions import Question, analyse
from rag.retrieval import Retriever, query_text
from rag.rewriting import Rewritten, as_standalone, rewrite, rewrite_with_model
from rag.settings import Settings, load_settings
from rag.text import fold, words
from rag.types import Turn

FOLLOW_UPS = "kdconv"
ALONE = ("drcd", "cmrc2018")
RESTORING = "utterance_rewriter"
DEPTHS = (1, 5)
_PASSAGES = 10
_CHARS = 2000
_SEED = 1

Means = Callable[[Question, Sequence[Turn]], Rewritten]
"""What makes a question stand alone."""


@dataclass(frozen=True, slots=True)
class Found:
    """Whether a question's right document is among the first of each of `DEPTHS`."""

    id: str
    at: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """How questions were restored: see the module's text. ``n`` questions, ``exact`` the share that match."""

    n: int
    exact: Mean
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A question with the turns before it, and what a person wrote to make it stand alone."""

    question: str
    history: tuple[Turn, ...]
    reference: str


def as_asked(question: Question, history: Sequence[Turn]) -> Rewritten:  # noqa: ARG001 - one of the `Means`
    """The question as it is."""
    return Rewritten(question.text, "")


def by_rules(question: Question, history: Sequence[Turn]) -> Rewritten:
    """As `rag.rewriting.rewrite` has it."""
    return rewrite(question, history, _CHARS)


def with_model(model: ChatModel, seconds: list[float]) -> Means:
    """By the rules, and by the model where these find nothing; how long it took is added to ``seconds``.

    What the returned function raises is what `rag.rewriting.rewrite_with_model` raises.
    """

    def means(question: Question, history: Sequence[Turn]) -> Rewritten:
        first = rewrite(question, history, _CHARS)
        if first.resolved:
            return first
        begun = time.monotonic()
        found = rewrite_with_model(model, question, history, _CHARS)
        seconds.append(time.monotonic() - begun)
        return found or first

    return means


def restored_words(question: str, rewritten: str) -> Counter[str]:
    """The words that a rewritten question has beyond the question, as a multiset."""
    return Counter(words(rewritten)) - Counter(words(question))


def restoring(dialogues: Sequence[Dialogue], rewritten: Sequence[str]) -> Restored:
    """Score rewritten questions, one for each dialogue and in their order.

    :raises ValueError: there is no dialogue, or not one rewritten question for each
    """
    if not dialogues:
        raise ValueError("There is nothing to score.")
    both = made = wanted = 0
    exact = []
    for dialogue, text in zip(dialogues, rewritten, strict=True):
        mine = restored_words(dialogue.question, text)
        theirs = restored_words(dialogue.question, dialogue.reference)
        both += (mine & theirs).total()
        made += mine.total()
        wanted += theirs.total()
        exact.append(float(_letters(text) == _letters(dialogue.reference)))
    precision = both / made if made else 0.0
    recall = both / wanted if wanted else 0.0
    f1 = 2 * precision * recall / (precision + recall) if both else 0.0
    matched = mean(exact)
    assert matched is not None
    return Restored(len(exact), matched, precision, recall, f1)


def read_dialogues(path: Path) -> list[Dialogue]:
    """The dialogues of a ``queries.jsonl`` whose lines have ``question``, ``history`` (a list of texts, the last of the
    assistant) and ``answers`` (the first is the reference).

    :raises SourceNotFound: it is not there
    :raises SourceError: it is in another form
    """
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [
            Dialogue(record["question"], turns_of(record["history"]), record["answers"][0])
            for record in records
        ]
    except FileNotFoundError as error:
        raise SourceNotFound(f"{path} is not there.", "Give the folder of the public sets.") from error
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise SourceError(f"{path} does not hold dialogues: {error!r}.", "Give another file.") from error


def turns_of(texts: Sequence[str]) -> tuple[Turn, ...]:
    """Texts as turns that alternate, the last of the assistant."""
    return tuple(Turn("assistant" if (len(texts) - n) % 2 else "user", text) for n, text in enumerate(texts))


def drawn(cases: Sequence[Case], limit: int) -> list[Case]:
    """At most so many of the cases, drawn at random but always the same."""
    return random.Random(_SEED).sample(list(cases), min(limit, len(cases)))  # noqa: S311 - no secret


def found_by(
    means: Means,
    cases: Sequence[Case],
    histories: Sequence[Sequence[Turn]],
    retriever: Retriever,
    embedder: AheadEmbedder,
) -> tuple[list[Found], list[Rewritten]]:
    """Ask each case behind its history: where the right document came, and how the question was rewritten.

    :raises QuestionError: a question is empty or too long
    """
    asked = [analyse(case.question, _CHARS) for case in cases]
    rewritten = [means(question, history) for question, history in zip(asked, histories, strict=True)]
    alone = [as_standalone(one, how, _CHARS) for one, how in zip(asked, rewritten, strict=True)]
    embedder.encode_ahead(list(dict.fromkeys(query_text(question) for question in alone)))
    found = []
    for case, question in zip(cases, alone, strict=True):
        documents = list(dict.fromkeys(p.source.id for p in retriever.search(question, _PASSAGES)))
        found.append(
            Found(case.id, tuple(float(bool(set(documents[:depth]) & set(case.gold))) for depth in DEPTHS))
        )
    return found, rewritten


def compared(name: str, found: Sequence[Found], base: Sequence[Found], extra: str = "") -> str:
    """One line of a table: recall at each of `DEPTHS`, and the difference to ``base``, with intervals."""
    cells = [name, str(len(found))]
    for place in range(len(DEPTHS)):
        cells.append(_told(mean([one.at[place] for one in found])))
        differences = [one.at[place] - other.at[place] for one, other in zip(found, base, strict=True)]
        cells.append("–" if found is base else _told(mean(differences), signed=True))
    return "| " + " | ".join([*cells, extra or "–"]) + " |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m eval.rewriting", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--home", type=Path, help="folder that keeps the indexes")
    parser.add_argument("--limit", type=int, default=300, help="questions of each set")
    parser.add_argument(
        "--model", action="store_true", help="also with the chat model, where the rules find nothing"
    )
    parser.add_argument(
        "--model-limit", type=int, default=60, help="questions of each set that are given to it"
    )
    parser.add_argument("--only", nargs="*", default=[], choices=("follow-ups", "alone", "restoring"))
    given = parser.parse_args(arguments)
    settings = load_settings({"home": given.home})
    wanted = set(given.only or ("follow-ups", "alone", "restoring"))
    model = open_model(settings) if given.model else None
    try:
        if wanted & {"follow-ups", "alone"}:
            embedder = AheadEmbedder(open_embedder(settings))
            talk = load_benchmark(given.data / FOLLOW_UPS)
            if "follow-ups" in wanted:
                _follow_ups(talk, given.limit, given.model_limit, settings, embedder, model)
            if "alone" in wanted:
                _alone(talk, given.data, given.limit, settings, embedder)
        if "restoring" in wanted:
            _restoring(given.data / RESTORING / "queries.jsonl", given.limit, given.model_limit, model)
    finally:
        if model is not None:
            model.close()


def _follow_ups(
    talk: Benchmark,
    limit: int,
    model_limit: int,
    settings: Settings,
    embedder: AheadEmbedder,
    model: ChatModel | None,
) -> None:
    cases = drawn([case for case in talk.cases if case.history and case.gold], limit)
    with _retriever(talk, settings, embedder) as retriever:
        _head("Follow-ups", "by")
        base, _ = _found(as_asked, cases, retriever, embedder)
        _say(compared("as asked", base, base))
        found, rewritten = _found(by_rules, cases, retriever, embedder)
        _say(compared("rules", found, base, _ways(rewritten)))
        if model is None:
            return
        every = drawn([case for case in talk.cases if case.history and case.gold], len(talk.cases))
        some = [case for case in every if not _by_rules(case).resolved][:model_limit]
        if not some:
            return
        before, _ = _found(as_asked, some, retriever, embedder)
        _say(compared("as asked, where rules find no name", before, before))
        found, rewritten = _found(by_rules, some, retriever, embedder)
        _say(compared("rules, where they find no name", found, before, _ways(rewritten)))
        seconds: list[float] = []
        after, how = _found(with_model(model, seconds), some, retriever, embedder)
        median = f"; median {statistics.median(seconds):.1f} s" if seconds else ""
        _say(compared("model, where rules find no name", after, before, _ways(how) + median))


def _by_rules(case: Case) -> Rewritten:
    return by_rules(analyse(case.question, _CHARS), case.history)


def _alone(talk: Benchmark, data: Path, limit: int, settings: Settings, embedder: AheadEmbedder) -> None:
    rng = random.Random(_SEED)  # noqa: S311 - no secret
    histories = [(*case.history, Turn("user", case.question)) for case in talk.cases if case.history]
    _head("Standing alone, behind a history of something else", "changed")
    for name in ALONE:
        benchmark = load_benchmark(data / name)
        cases = drawn([case for case in benchmark.cases if case.gold], limit)
        before = [turns_of([turn.text for turn in rng.choice(histories)]) for _ in cases]
        with _retriever(benchmark, settings, embedder) as retriever:
            base, _ = found_by(as_asked, cases, before, retriever, embedder)
            found, rewritten = found_by(by_rules, cases, before, retriever, embedder)
        changed = sum(how.by != "none" for how in rewritten)
        _say(compared(f"{name}, without history", base, base))
        _say(compared(f"{name}, with", found, base, f"{changed} ({changed / len(cases):.3f})"))


def _restoring(path: Path, limit: int, model_limit: int, model: ChatModel | None) -> None:
    everything = read_dialogues(path)
    dialogues = random.Random(_SEED).sample(everything, min(limit, len(everything)))  # noqa: S311 - no secret
    _say(
        "\n## Restoring\n\n| What | n | Exact | Precision | Recall | F1 | by |\n|---|---|---|---|---|---|---|"
    )
    _restored_line("as asked", as_asked, dialogues)
    rewritten = _restored_line("rules", by_rules, dialogues)
    if model is not None:
        some = [d for d, how in zip(dialogues, rewritten, strict=True) if not how.resolved][:model_limit]
        if some:
            _restored_line("rules, where they find no name", by_rules, some)
            _restored_line("model, where rules find no name", with_model(model, []), some)


def _restored_line(name: str, means: Means, dialogues: Sequence[Dialogue]) -> list[Rewritten]:
    rewritten = [means(analyse(one.question, _CHARS), one.history) for one in dialogues]
    score = restoring(dialogues, [how.standalone for how in rewritten])
    figures = " | ".join(f"{value:.3f}" for value in (score.precision, score.recall, score.f1))
    _say(f"| {name} | {score.n} | {_told(score.exact)} | {figures} | {_ways(rewritten)} |")
    return rewritten


def _found(
    means: Means, cases: Sequence[Case], retriever: Retriever, embedder: AheadEmbedder
) -> tuple[list[Found], list[Rewritten]]:
    return found_by(means, cases, [case.history for case in cases], retriever, embedder)


@contextmanager
def _retriever(benchmark: Benchmark, settings: Settings, embedder: AheadEmbedder) -> Iterator[Retriever]:
    home = settings.home / "eval" / "cache" / "indexes" / index_key(benchmark, settings, embedder)
    at_home = settings.model_copy(update={"home": home})
    if not home.exists():
        with Library.open(at_home, embedder, writable=True) as library:
            fill(library, benchmark, at_home, lambda _: None)
    with Library.open(at_home, embedder, writable=False) as library:
        yield Retriever(library, settings.candidates)


def _ways(rewritten: Sequence[Rewritten]) -> str:
    counts = Counter(how.by for how in rewritten)
    return ", ".join(f"{by} {count}" for by, count in counts.most_common())


def _head(title: str, last: str) -> None:
    columns = [column for depth in DEPTHS for column in (f"recall@{depth}", "difference")]
    _say(f"\n## {title}\n\n| What | n | {' | '.join(columns)} | {last} |\n|{'---|' * (len(columns) + 3)}")


def _told(value: Mean | None, *, signed: bool = False) -> str:
    if value is None:
        return "–"
    sign = "+" if signed else ""
    return f"{value.value:{sign}.3f} [{value.low:{sign}.3f}, {value.high:{sign}.3f}]"


def _letters(text: str) -> str:
    return "".join(char for char in fold(text) if char.isalnum())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
