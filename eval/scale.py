"""Measures searching as a library grows: time by component, memory by part, opening; ``python -m eval.scale``.

One library is filled from a ``corpus.jsonl`` (gzipped too) to each size in turn. At each size a fresh process opens it and
asks questions whose vectors were made before, so that everything but encoding is timed. What it found is kept beside the
library; a run that is repeated goes on from there. A Markdown table is printed at the end.

Encoding many passages takes hours on two cores. By default vectors are therefore stand-ins (`StandInEmbedder`) that have
neighbourhoods as those of a model do; ``--real-vectors`` takes the model's. Times depend little on which: the graph is
walked in as many steps, and all else does not look at vectors.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from eval.cases import Benchmark, BenchmarkDocument
from eval.ingestion import HashEmbedder, corpus
from eval.runner import fill
from rag import retrieval
from rag.embedding import Embedder, Vectors, open_embedder, token_encoder
from rag.library import Library
from rag.questions import Question, analyse
from rag.reranking import Reranker, open_reranker
from rag.retrieval import Retriever, query_text
from rag.settings import Settings, load_settings
from rag.text import clip, has_han, sentences, words

SIZES = (10_000, 50_000, 100_000, 190_000)
"""Passages at which is measured, unless told."""
QUESTIONS, RERANKED, WARM_UP = 300, 100, 20
"""Questions of the first stage, others for both stages, and those before them that are told apart."""
COMPONENTS = ("dense, own", "dense, other", "lexical", "catalog", "features", "fusion", "distinct", "rest")
"""What a search consists of, in the order of the table; "reranker" joins them where there is one."""
_STEPS = "distinct"
_SEED = 20261123
_SAMPLE = 2000
_DEPTH = 10
_LONGEST_QUESTION = 60
_COMMON = (0.01, 0.3)
"""Shares of documents between which a word counts as generic."""
_CLOSE = 0.005
"""How far a size may be missed: documents are taken in whole."""


class StandInEmbedder(HashEmbedder):
    """Vectors of hashed pairs of characters: near where texts share rare pairs, and as far from all others as a model's.

    Each pair, weighted by how rare it is in a sample, adds a fixed random direction (Johnson and Lindenstrauss, 1984); a
    direction common to all brings the cosine of unlike texts to about 0.8, where those of E5 models lie.
    """

    name = "stand-in"
    _buckets = 1 << 15
    _common = 2.0

    def __init__(self, sample: Iterable[str]) -> None:
        """Learn from ``sample`` how rare pairs are; the same sample gives the same vectors."""
        rng = np.random.default_rng(_SEED)
        self._directions = rng.standard_normal((self._buckets, self.dimension), np.float32)
        mean = rng.standard_normal(self.dimension)
        self._mean = (self._common * mean / np.linalg.norm(mean)).astype(np.float32)
        texts = list(sample)
        held = np.zeros(self._buckets)
        for text in texts:
            held[self._pairs(text)] += 1.0
        self._rarity = np.log((len(texts) + 1.0) / (held + 0.5)).astype(np.float32)

    def embed_query(self, text: str) -> Vectors:
        """The vector of a text, ``[384]``."""
        pairs = self._pairs(text)
        own = self._rarity[pairs] @ self._directions[pairs]
        vector = self._mean + own / max(float(np.linalg.norm(own)), 1e-6)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)

    def _pairs(self, text: str) -> NDArray[np.int64]:
        codes = np.frombuffer(text.casefold().encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
        hashed = (codes[:-1] * np.uint64(2654435761) + codes[1:]) * np.uint64(0x9E3779B97F4A7C15)
        return np.unique((hashed >> np.uint64(49)).astype(np.int64))


class _PreparedEmbedder:
    """Gives vectors that were made before, so that what is timed is everything but encoding."""

    max_tokens = 512

    def __init__(self, name: str, vectors: dict[str, Vectors]) -> None:
        self.name = name
        self.dimension = len(next(iter(vectors.values())))
        self._vectors = vectors

    def embed_passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        del progress
        return self.embed_queries(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vectors[text] for text in texts])

    def embed_query(self, text: str) -> Vectors:
        return self._vectors[text]


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds that passed, and seconds that processors worked for this process on all threads."""

    wall: float = 0.0
    worked: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.worked + other.worked)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.wall - other.wall, self.worked - other.worked)


def _now() -> Spent:
    return Spent(time.perf_counter(), time.process_time())


class Stopwatch:
    """Adds up what named parts of a computation take, each without the parts inside it."""

    def __init__(self) -> None:
        self._spent: dict[str, Spent] = {}
        self._inner: list[Spent] = []

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what happens inside to ``name``."""
        self._inner.append(Spent())
        start = _now()
        try:
            yield
        finally:
            took = _now() - start
            self._spent[name] = self._spent.get(name, Spent()) + took - self._inner.pop()
            if self._inner:
                self._inner[-1] += took

    def timed(self, call: Callable[..., Any], name: Callable[..., str] | str) -> Callable[..., Any]:
        """``call``, counted to ``name``, which may depend on what it is called with."""

        def run(*args: Any, **named: Any) -> Any:
            with self.part(name if isinstance(name, str) else name(*args, **named)):
                return call(*args, **named)

        return run

    def timed_steps(self, call: Callable[..., Iterator[Any]], name: str) -> Callable[..., Iterator[Any]]:
        """As `timed`, of a generator: each of its steps is counted."""

        def run(*args: Any, **named: Any) -> Iterator[Any]:
            steps = call(*args, **named)
            while True:
                with self.part(name):
                    try:
                        found = next(steps)
                    except StopIteration:
                        return
                yield found

        return run

    def taken(self) -> dict[str, Spent]:
        """What each part took since the last call."""
        found, self._spent = self._spent, {}
        return found


@dataclass(frozen=True, slots=True)
class Took:
    """Milliseconds: the median and the 95th percentile, and the median of the processors' time.

    The processors' time is what the work of other programs on the machine changes least.
    """

    median: float
    p95: float
    worked: float


@dataclass(frozen=True, slots=True)
class Stage:
    """What questions took, by component and in all; ``reranked`` is the share of them that the reranker was asked."""

    questions: int
    parts: dict[str, Took]
    total: Took
    reranked: float = 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One size: passages, seconds to open, milliseconds of the first question and of those after it, memory in MB."""

    chunks: int
    documents: int
    opening: float
    first_question: float
    warm_up: float
    first: Stage
    both: Stage | None
    memory: dict[str, float]


def questions_of(
    documents: Sequence[BenchmarkDocument], count: int, rng: random.Random | None = None
) -> list[str]:
    """Half titles or first sentences of documents, half some generic words; in no order, and no two alike."""
    rng = rng or random.Random(_SEED)  # noqa: S311 - no secret
    sample = list(documents[:_SAMPLE])
    generic = _generic_words(sample)
    found: dict[str, None] = {}
    for number, document in enumerate(rng.sample(sample, len(sample))):
        if len(found) >= count:
            break
        if number % 2 and len(generic) >= 4:
            found[" ".join(rng.sample(generic, rng.randint(2, 4)))] = None
        elif opening := _opening(document):
            found[opening] = None
    return [question for question in found if any(char.isalnum() for char in question)]


def _opening(document: BenchmarkDocument) -> str:
    if document.title:
        return document.title
    first = next((document.text[start:end] for start, end in sentences(document.text)), "")
    return clip(first, _LONGEST_QUESTION)


def _generic_words(documents: Sequence[BenchmarkDocument]) -> list[str]:
    held: Counter[str] = Counter()
    for document in documents:
        held.update({word for word in words(document.text[:1000]) if len(word) > 1 and has_han(word)})
    least, most = (share * len(documents) for share in _COMMON)
    return sorted(word for word, times in held.items() if least <= times <= most)


def grow(
    library: Library,
    documents: Sequence[BenchmarkDocument],
    taken: int,
    size: int,
    settings: Settings,
    tell: Callable[[str], None] = lambda _: None,
) -> int:
    """Take in documents until the library holds about ``size`` passages, or all are in.

    :param taken: how many of ``documents`` it has been given
    :return: how many it has been given now
    """
    start, before = time.perf_counter(), library.catalog.chunk_count()
    held = before
    while taken < len(documents) and held < size * (1 - _CLOSE):
        each = held / taken if taken and held else 4.0
        some = documents[taken : taken + max(1, int((size - held) / each))][:2000]
        taken += len(some)
        fill(library, Benchmark("scale", "", tuple(some), ()), settings, lambda _: None)
        held = library.catalog.chunk_count()
        took = time.perf_counter() - start
        tell(f"{held:,} passages of {taken:,} documents, {(held - before) / took:.0f} passages/s")
    return taken


def measure(settings: Settings, prepared: Path, *, models: bool) -> Measured:
    """Open the library in ``settings.home`` and ask what was prepared; for a process of its own.

    :param prepared: what `prepare` wrote
    :param models: whether to load the embedding model and the reranker, as the service does
    """
    with np.load(prepared) as file:
        questions = [str(text) for text in file["questions"]]
        vectors = dict(zip([str(text) for text in file["texts"]], file["vectors"], strict=True))
        name = str(file["name"])
    memory = {"program": _resident()}
    start = time.perf_counter()
    library = Library.open(settings, _PreparedEmbedder(name, vectors), writable=False)
    opening = time.perf_counter() - start
    with library:
        first_stage = Retriever(library, settings.candidates)
        first_question = _search_ms(first_stage, questions[0], settings)
        memory["library, after one question"] = _resident()
        embedder = open_embedder(settings) if models else None
        if embedder is not None:
            embedder.embed_query(questions[0])
            memory["embedding model"] = _resident()
        reranker = (
            open_reranker(settings, embedder.name, token_encoder(embedder)) if embedder is not None else None
        )
        if reranker is not None:
            reranker.scores(questions[0], [questions[1]] * 10)
            memory["reranker"] = _resident()
        warm, rest = questions[1 : 1 + WARM_UP], questions[1 + WARM_UP :]
        measured, others = rest[:-RERANKED], rest[-RERANKED:]
        warm_up = statistics.median(_search_ms(first_stage, text, settings) for text in warm)
        first = _asked(library, first_stage, measured, settings)
        both = None
        if reranker is not None and embedder is not None:
            for text in measured[:100]:
                embedder.embed_query(text)
            both = _asked(
                library, Retriever(library, settings.candidates, reranker), others, settings, reranker
            )
        memory["all questions"] = _resident()
        documents = library.documents()
        return Measured(
            library.catalog.chunk_count(),
            len(documents),
            opening,
            first_question,
            warm_up,
            first,
            both,
            memory,
        )


def _analysed(text: str, settings: Settings) -> Question:
    return analyse(text, settings.max_question_chars)


def _search_ms(retriever: Retriever, text: str, settings: Settings) -> float:
    start = time.perf_counter()
    retriever.search(_analysed(text, settings), _DEPTH)
    return 1000.0 * (time.perf_counter() - start)


def _asked(
    library: Library,
    retriever: Retriever,
    questions: Sequence[str],
    settings: Settings,
    reranker: Reranker | None = None,
) -> Stage:
    """Ask each question once, its components timed from outside."""
    watch = Stopwatch()
    index, catalog = library.index, library.catalog
    own = "han"

    def leg(*_: object, **named: object) -> str:
        return "dense, own" if named.get("language", own) == own else "dense, other"

    def dense(vector: Any, k: int, within: Any = None, language: Any = None) -> Any:
        return found_dense(vector, k, within, language=language)

    found_dense = watch.timed(index.dense, leg)
    taken: list[dict[str, Spent]] = []
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(index, "dense", dense))
        for target, attribute, name in (
            (index, "lexical", "lexical"),
            (catalog, "live_chunks", "catalog"),
            (retrieval, "features", "features"),
            (retriever, "_scores", "fusion"),
            (retrieval, "parts", "distinct"),
            (retrieval, "covering", "distinct"),
            (reranker, "scores", "reranker"),
        ):
            if target is not None:
                timed = watch.timed(getattr(target, attribute), name)
                stack.enter_context(mock.patch.object(target, attribute, timed))
        steps = watch.timed_steps(getattr(retrieval, _STEPS), "distinct")
        stack.enter_context(mock.patch.object(retrieval, _STEPS, steps))
        for text in questions:
            question = _analysed(text, settings)
            own = "other" if question.is_latin else "han"
            with watch.part("rest"):
                retriever.search(question, _DEPTH)
            taken.append(watch.taken())
    return stage(taken)


def stage(taken: Sequence[dict[str, Spent]]) -> Stage:
    """What questions took, from what each one's parts took; a part that a question lacks took it none.

    The reranker's figures are of the questions alone that it was asked.
    """
    names = [name for name in (*COMPONENTS, "reranker") if any(name in one for one in taken)]
    return Stage(
        len(taken),
        {
            name: _took([one.get(name, Spent()) for one in taken if name in one or name != "reranker"])
            for name in names
        },
        _took([sum(one.values(), Spent()) for one in taken]),
        sum("reranker" in one for one in taken) / len(taken),
    )


def _took(spent: Sequence[Spent]) -> Took:
    wall = [1000.0 * one.wall for one in spent]
    worked = statistics.median(1000.0 * one.worked for one in spent)
    return Took(
        round(float(np.median(wall)), 2), round(float(np.quantile(wall, 0.95)), 2), round(float(worked), 2)
    )


def _resident() -> float:
    """The process's resident memory in MB."""
    import psutil

    return round(float(psutil.Process().memory_info().rss) / 2**20, 1)


def prepare(questions: Sequence[str], embedder: Embedder, settings: Settings, path: Path) -> None:
    """Write questions with the vectors of what of them is encoded."""
    texts = list(dict.fromkeys(query_text(_analysed(text, settings)) for text in questions))
    np.savez(
        path,
        questions=np.asarray(questions),
        texts=np.asarray(texts),
        vectors=embedder.embed_queries(texts),
        name=np.asarray(embedder.name),
    )


def table(found: Sequence[Measured]) -> str:
    """The measurements as Markdown, one column a size; milliseconds as median / 95th percentile (processors' time)."""
    rows = [
        (f"{name}, ms", [_cell(one.first.parts.get(name)) for one in found])
        for name in COMPONENTS
        if any(name in one.first.parts for one in found)
    ]
    both = [one.both for one in found]
    rows += [
        ("**all without the reranker, ms**", [_cell(one.first.total) for one in found]),
        ("growth of the processors' time with size, exponent", _exponents(found)),
        ("all with the reranker, ms", [_cell(one.total if one else None) for one in both]),
        (
            "reranker where it is asked, ms",
            [_cell(one.parts.get("reranker") if one else None) for one in both],
        ),
        ("questions reranked", [f"{one.reranked:.0%}" if one else "" for one in both]),
        ("opening, s", [f"{one.opening:.2f}" for one in found]),
        ("first question, ms", [f"{one.first_question:.0f}" for one in found]),
        (f"median of the next {WARM_UP}, ms", [f"{one.warm_up:.1f}" for one in found]),
    ]
    for name in dict.fromkeys(name for one in found for name in one.memory):
        cells = [one.memory.get(name) for one in found]
        rows.append((f"memory: {name}, MB", ["" if cell is None else f"{cell:.0f}" for cell in cells]))
    head = ["passages (documents)", *(f"{one.chunks:,} ({one.documents:,})" for one in found)]
    lines = [head, ["---"] * len(head), *([name, *cells] for name, cells in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(took: Took | None) -> str:
    return "" if took is None else f"{took.median:.1f} / {took.p95:.1f} ({took.worked:.1f})"


def _exponents(found: Sequence[Measured]) -> list[str]:
    """By what power of the size the processors' time grew since the smallest: 1 is in proportion, 0 not at all."""
    least = found[0]
    return [
        ""
        if one.chunks == least.chunks
        else f"{np.log(one.first.total.worked / least.first.total.worked) / np.log(one.chunks / least.chunks):.2f}"
        for one in found
    ]


def _measured_apart(home: Path, prepared: Path) -> dict[str, Any]:
    """What `measure` finds in a process of its own."""
    arguments = [sys.executable, "-m", "eval.scale", "--home", str(home), "--measure", str(prepared)]
    done = subprocess.run(arguments, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def read_measured(record: dict[str, Any]) -> Measured:
    """A measurement from its plain form."""
    stages = {key: _read_stage(record[key]) if record[key] else None for key in ("first", "both")}
    return Measured(**{**record, **stages})


def _read_stage(record: dict[str, Any]) -> Stage:
    parts = {name: Took(**took) for name, took in record["parts"].items()}
    return Stage(**{**record, "parts": parts, "total": Took(**record["total"])})


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry: fill the library to each size, measure there, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, help="a corpus.jsonl or corpus.jsonl.gz")
    parser.add_argument(
        "--home",
        type=Path,
        required=True,
        help="where the library is made and kept; a run goes on from there",
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="passages to measure at")
    parser.add_argument("--real-vectors", action="store_true", help="encode with the embedding model")
    parser.add_argument("--again", action="store_true", help="measure anew at the size that is there")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    settings = load_settings({"home": options.home / "library"})
    if options.measure:
        sys.stdout.write(json.dumps(asdict(measure(settings, options.measure, models=True))) + "\n")
        return
    if options.corpus is None:
        parser.error("--corpus is needed")
    run(options.corpus, options.home, options.sizes, settings, real=options.real_vectors, again=options.again)


def run(
    path: Path, home: Path, sizes: Sequence[int], settings: Settings, *, real: bool, again: bool = False
) -> list[Measured]:
    """Grow the library in ``home`` through the sizes, measuring at each; prints the table and returns what it holds.

    :param again: measure anew where the library has a size already, though that was measured before
    """
    home.mkdir(parents=True, exist_ok=True)
    documents = [BenchmarkDocument(name, text) for name, text in corpus(path)]
    sample = [document.text for document in documents[:_SAMPLE]]
    embedder: Embedder = open_embedder(settings) if real else StandInEmbedder(sample)
    prepared = home / "questions.npz"
    prepare(questions_of(documents, 1 + WARM_UP + QUESTIONS + RERANKED), embedder, settings, prepared)
    found = []
    taken = 0
    for size in sorted(sizes):
        kept = home / f"measured-{size}.json"
        with Library.open(settings, embedder, writable=True) as library:
            known = {version.source.id for version in library.documents()}
            taken = max(taken, sum(1 for document in documents if document.id in known))
            before = library.catalog.chunk_count()
            taken = grow(library, documents, taken, size, settings, _tell)
            grown = library.catalog.chunk_count() > before
            fits = library.catalog.chunk_count() <= size * (1 + 10 * _CLOSE)
        if grown or (fits and again) or not kept.exists():
            kept.write_text(json.dumps(_measured_apart(home, prepared), indent=1), encoding="utf-8")
        found.append(read_measured(json.loads(kept.read_text(encoding="utf-8"))))
        _tell(f"measured at {found[-1].chunks:,}: {found[-1].first.total.median} ms")
    sys.stdout.write(table(found))
    return found


def _tell(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
