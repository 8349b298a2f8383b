"""Runs a benchmark through the pipeline that users chat with, case by case; resumable at any point.

The index of a benchmark is kept by its content and the settings that shape it; answers are kept by everything that
shapes them, so that a run that is repeated, or differs only in its metrics, asks the model nothing twice.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import platform
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from eval.ahead import BATCH, AheadEmbedder
from eval.at_once import at_once
from eval.cases import Benchmark, BenchmarkDocument, Case, Mode
from eval.metrics import loss, score
from eval.plain import PlainPipeline
from eval.results import CaseResult, Cited, Retrieved, RunInfo
from eval.storage import RunFolder, encodable
from ingest.chunking import split
from ingest.documents import content_key, make_document
from ingest.loading import Parsed
from ingest.sync import sync
from rag.embedding import Embedder, open_embedder, token_encoder
from rag.errors import (
    EndpointRefused,
    EndpointUnreachable,
    ModelError,
    QuestionError,
    SourceEmpty,
    SourceError,
    SourceNotFound,
)
from rag.index import LAYOUT
from rag.library import CHUNKING_VERSION, Addition, Library
from rag.model import open_model
from rag.pipeline import Pipeline
from rag.reranking import open_reranker
from rag.retrieval import query_text
from rag.settings import Settings, shaping_settings
from rag.text import FOLDING_VERSION
from rag.types import Answer, Chunk, Passage, Source

DEPTH = 10
"""Passages of the ranking that are kept: what recall@10, MRR@10 and nDCG@10 need."""
_BATCH_CHUNKS = 512
ALIKE = 5
"""Failures of the model in a row, each for the same reason, that end a run: the model is out of order, not the case."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to run. ``limit`` draws so many cases at random with ``seed``; ``parallel`` 0 suits the model; ``plain`` asks the
    baseline (`eval.plain`) instead.
    """

    mode: Mode = "open"
    limit: int | None = None
    seed: int = 0
    split: str = ""
    only_retrieval: bool = False
    parallel: int = 0
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: the phase ("indexing", "asking"), and steps done of all."""

    phase: str
    done: int
    total: int


Tell = Callable[[Progress], None]


def run(
    benchmark: Benchmark,
    options: Options,
    settings: Settings,
    cache: Path,
    folder: Path,
    tell: Tell = lambda _: None,
    embedder: Embedder | None = None,
) -> tuple[RunInfo, list[CaseResult]]:
    """Run the cases and leave their records in ``folder``; goes on where an earlier run into it was cut off.

    :param cache: where indexes and answers are kept between runs
    :param embedder: the settings' embedding model where it is open already; opening it takes seconds
    :raises ModelError: when the model fails in the same way again and again: at the first `ALIKE` cases that reach it,
        or later at as many in a row that find nobody there; those cases are left for the run that goes on
    :raises WenzhengError: when a model, the library or the folder cannot be used; any other case whose question or
        model fails is a failed case, and the run goes on
    """
    cases = chosen(benchmark.cases, options)
    if settings.answer_style == "auto":
        style = "short" if benchmark.short_answers else "full"
        settings = settings.model_copy(update={"answer_style": style})
    opened = embedder or open_embedder(settings)
    ahead = AheadEmbedder(opened)
    store = RunFolder(folder)
    home = cache / "indexes" / index_key(benchmark, settings, ahead)
    at_home = settings.model_copy(update={"home": home})
    with Library.open(at_home, ahead, writable=True) as library:
        begun = time.monotonic()
        added = fill(library, benchmark, at_home, tell)
        rate = added / (time.monotonic() - begun) if added else None
        model: Any = None if options.only_retrieval else open_model(settings)
        whole = Pipeline(library, model, at_home, open_reranker(settings, ahead.name, token_encoder(opened)))
        pipeline = PlainPipeline(whole) if options.plain else whole
        asker = _Asker(pipeline, ahead, benchmark, options, cache)
        try:
            name = model.name if model else ""
            info = _info(benchmark, options, settings, pipeline, len(cases), name, rate)
            found = list(store.results())
            info = _gone_on_with(folder, info, cases, found)
            store.start(info)
            done = {result.case.id for result in found}
            left = [case for case in cases if encodable(case.id) not in done]
            tell(Progress("asking", len(cases) - len(left), len(cases)))
            started = time.monotonic()
            asked = at_once(asker.ask, asker.encoded_ahead(left), _workers(options, settings), ahead=2)
            with closing(asked):
                for count, result in enumerate(_while_it_answers(asked, folder), start=1):
                    store.append(result)
                    found.append(result)
                    tell(Progress("asking", len(cases) - len(left) + count, len(cases)))
            info = replace(info, seconds=round(time.monotonic() - started, 2))
            store.finish(info)
        finally:
            store.close()
            asker.close()
            if model is not None:
                model.close()
    wanted = {form for case in cases for form in (case.id, encodable(case.id))}
    return info, [result for result in found if result.case.id in wanted]


def _gone_on_with(folder: Path, info: RunInfo, cases: Sequence[Case], found: Sequence[CaseResult]) -> RunInfo:
    """The run's own record, under the name of the one in the folder where that was made with the same.

    :raises SourceError: when the folder holds a run that was made with something else
    """
    store = RunFolder(folder)
    try:
        held = store.info()
    except SourceNotFound:
        return info
    same = (
        "benchmark",
        "form",
        "mode",
        "only_retrieval",
        "documents",
        "cases",
        "seed",
        "split",
        "model",
        "embedding",
        "reranker",
    )
    differing = [name for name in same if getattr(held, name) != getattr(info, name)]
    if dict(held.settings) != dict(info.settings):
        differing.append("settings")
    # Passages drawn with another share of noise, say, make other cases of the same names.
    given = {encodable(case.id): tuple(map(encodable, case.given)) for case in cases}
    if any(r.case.given != given.get(r.case.id, r.case.given) for r in found):
        differing.append("drawing of passages")
    if differing:
        raise SourceError(
            f"{folder} holds a run made with another {', '.join(differing)}.",
            "Choose another folder with --output.",
        )
    return replace(info, id=held.id, date=held.date, judge=held.judge)


def chosen(cases: Sequence[Case], options: Options) -> list[Case]:
    """The cases that a run asks: all, or so many of them drawn at random, in the benchmark's order."""
    some = [case for case in cases if not options.split or case.split == options.split]
    if options.limit is not None and options.limit < len(some):
        drawn = set(random.Random(options.seed).sample(range(len(some)), options.limit))  # noqa: S311
        some = [case for n, case in enumerate(some) if n in drawn]
    return some


def index_key(benchmark: Benchmark, settings: Settings, embedder: Embedder) -> str:
    """A name for an index: the same for the same documents and the settings that shape vectors and terms."""
    sha = hashlib.sha256()
    for part in (embedder.name, settings.chunk_chars, CHUNKING_VERSION, FOLDING_VERSION, LAYOUT):
        sha.update(f"{part}\0".encode())
    if benchmark.folder is not None:
        sha.update(str(benchmark.folder.resolve()).encode("utf-8", "surrogateescape"))
    for document in benchmark.documents:
        for text in (document.id, document.title, document.text):
            sha.update(text.encode("utf-8", "replace") + b"\0")
    return f"{benchmark.name[:40].replace('/', '_')}-{sha.hexdigest()[:16]}"


def fill(library: Library, benchmark: Benchmark, settings: Settings, tell: Tell) -> int:
    """Take in what the library lacks of a benchmark's documents; returns the number of passages encoded."""
    if benchmark.folder is not None:
        return sync([benchmark.folder], library, settings, prune=True).passages
    known = {version.source.id for version in library.documents()}
    missing = [document for document in benchmark.documents if document.id not in known]
    batch: list[Addition] = []
    passages = 0
    done = len(benchmark.documents) - len(missing)
    for number, document in enumerate(missing, start=1):
        addition = _addition(document, settings)
        if addition is not None:
            batch.append(addition)
        size = sum(len(item.chunks) for item in batch)
        if size >= _BATCH_CHUNKS or number == len(missing):
            library.replace(batch)
            passages += size
            batch = []
            tell(Progress("indexing", done + number, len(benchmark.documents)))
    return passages


def _addition(document: BenchmarkDocument, settings: Settings) -> Addition | None:
    """A document as a file with that text would be taken in; None where cleaning leaves nothing."""
    digest = hashlib.sha256(document.text.encode("utf-8", "replace")).hexdigest()
    try:
        made = make_document(
            Parsed((), text=document.text, title=document.title or None),
            path=f"/{document.id}.txt",
            digest=digest,
            document_id=document.id,
        )
    except SourceEmpty:
        return None
    return Addition(made, split(made, settings.chunk_chars), content=content_key(made.text))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What became of a case, and what that tells of the chat model.

    ``fault`` is why it gave no answer; ``spoke`` is whether it gave one just now. Neither where it was not asked: the
    evidence was wanting, or the answer of an earlier run was there.
    """

    result: CaseResult
    fault: ModelError | None = None
    spoke: bool = False


class _Asker:
    """Asks one case; threads may share it."""

    def __init__(
        self,
        pipeline: Pipeline | PlainPipeline,
        embedder: AheadEmbedder,
        benchmark: Benchmark,
        options: Options,
        cache: Path,
    ) -> None:
        self._pipeline = pipeline
        self._embedder = embedder
        self._benchmark = benchmark
        self._options = options
        self._weighed = pipeline.settings.passages
        self._answers = None if options.only_retrieval else _Answers(cache / "answers", pipeline)

    def close(self) -> None:
        """Close what is open of the answers."""
        if self._answers is not None:
            self._answers.close()

    def encoded_ahead(self, cases: Iterable[Case]) -> Iterator[Case]:
        """The cases, where only retrieval is measured with the vectors of the next few hundred made together."""
        if not self._options.only_retrieval:
            yield from cases
            return
        left = iter(cases)
        while some := list(itertools.islice(left, BATCH)):
            self._embedder.encode_ahead([text for case in some if (text := self._query_text(case))])
            yield from some

    def _query_text(self, case: Case) -> str:
        try:
            return query_text(self._pipeline.standalone(case.question, case.history))
        except QuestionError:
            return ""  # told when it is asked

    def ask(self, case: Case) -> _Asked:
        """What becomes of a case, with its metrics."""
        within = case.given if self._options.mode == "closed" else None
        kept = self._answers.get(case, within) if self._answers is not None else None
        asked = _Asked(replace(kept, case=case)) if kept is not None else self._ask(case, within)
        result = asked.result
        if self._answers is not None and kept is None and not result.error:
            self._answers.put(case, within, result)
        scored = replace(result, metrics=score(result, only_retrieval=self._options.only_retrieval))
        return replace(asked, result=replace(scored, loss=loss(scored)))

    def _ask(self, case: Case, within: Sequence[str] | None) -> _Asked:
        try:
            start = time.perf_counter()
            ranking = self._pipeline.retrieve(case.question, case.history, DEPTH, within)
            took = time.perf_counter() - start
            passages = tuple(
                retrieved(self._benchmark, n, p.chunk, p.source, p.score, p.similarity)
                for n, p in enumerate(ranking, start=1)
            )
            if self._options.only_retrieval:
                took += self._embedder.share
                return _Asked(CaseResult(case, passages, timings={"evidence": round(took, 4)}))
            answer = self._pipeline.ask(case.question, case.history, within)
        except QuestionError as error:
            return _Asked(CaseResult(case, error=str(error)))
        except ModelError as error:
            return _Asked(CaseResult(case, error=str(error)), fault=error)
        return _Asked(self._answered(case, passages, answer), spoke="last_word" in answer.timings)

    def _answered(self, case: Case, passages: tuple[Retrieved, ...], answer: Answer) -> CaseResult:
        # Where the evidence was found wanting, no passage reached the model: those that were weighed count as shown.
        weighed = tuple(range(1, min(self._weighed, len(passages)) + 1))
        return CaseResult(
            case,
            passages,
            answer.shown or weighed,
            answer.text,
            answer.outcome,
            answer.reason,
            tuple(Cited(c.number, self._name(c.passage), c.quote) for c in answer.citations),
            tuple((claim.text, claim.verdict) for claim in answer.claims),
            answer.confidence,
            {key: round(value, 4) for key, value in answer.timings.items()},
            answer.usage.read if answer.usage is not None else None,
            answer.usage.written if answer.usage is not None else None,
        )

    def _name(self, passage: Passage) -> str:
        return _named(passage.source, self._benchmark)


def retrieved(
    benchmark: Benchmark,
    number: int,
    chunk: Chunk,
    source: Source,
    score: float,
    similarity: float | None = None,
) -> Retrieved:
    """A chunk found as a record keeps it, its document named as the benchmark names it."""
    name = _named(source, benchmark)
    return Retrieved(number, name, source.title, chunk.text, chunk.start, chunk.end, score, similarity)


def _named(source: Source, benchmark: Benchmark) -> str:
    return Path(source.path).name if benchmark.folder is not None else source.id


class _Answers:
    """Answers of earlier runs under the same model, settings, program and index; one file a configuration."""

    def __init__(self, folder: Path, pipeline: Pipeline | PlainPipeline) -> None:
        library = pipeline.library
        versions = sorted((v.source.id, v.source.digest) for v in library.documents())
        made = [
            shaping_settings(pipeline.settings),
            pipeline.model.name,
            library.embedder.name,
            pipeline.reranker,
            _code(),
        ]
        key = json.dumps([*made, versions], sort_keys=True)
        name = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:16]
        (folder / name).mkdir(parents=True, exist_ok=True)
        self._folder = RunFolder(folder / name)
        self._lock = threading.Lock()
        self._known = {result.case.id: result for result in self._folder.results()}

    def get(self, case: Case, within: Sequence[str] | None) -> CaseResult | None:
        with self._lock:
            return self._known.get(_question_key(case, within))

    def put(self, case: Case, within: Sequence[str] | None, result: CaseResult) -> None:
        kept = replace(result, case=Case(_question_key(case, within), case.question))
        with self._lock:
            self._known[kept.case.id] = kept
            self._folder.append(kept)

    def close(self) -> None:
        """Close the file."""
        self._folder.close()


@functools.cache
def _code() -> str:
    """A digest of what answers: prompts, checks and learned weights are part of it as much as settings are."""
    sha = hashlib.sha256()
    root = resources.files("rag")
    for path in sorted(Path(str(root)).rglob("*")):
        if path.suffix in (".py", ".json", ".safetensors"):
            sha.update(path.name.encode() + path.read_bytes())
    return sha.hexdigest()[:16]


def _question_key(case: Case, within: Sequence[str] | None) -> str:
    said = [(turn.role, turn.text) for turn in case.history]
    key = json.dumps([case.question, said, None if within is None else sorted(within)], ensure_ascii=False)
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:24]


def _while_it_answers(asked: Iterable[_Asked], folder: Path) -> Iterator[CaseResult]:
    """The results, those held back in which the model failed in the same way, until something else has come.

    :raises ModelError: the model failed `ALIKE` times in a row for the same reason, the results of which are not
        given out: before its first answer for whatever reason, later only where it would refuse any question
    """
    held: list[CaseResult] = []
    reason, answers = "", False
    for item in asked:
        if item.fault is not None and (_is_gone(item.fault) or not answers):
            if str(item.fault) != reason:
                yield from held
                held, reason = [], str(item.fault)
            held.append(item.result)
            if len(held) == ALIKE:
                raise ModelError(
                    f"The run was ended, for {ALIKE} cases in a row failed for the same reason: {item.fault.what}",
                    f"{item.fault.fix} Then go on with --output {folder}; what was done so far is kept.",
                ) from item.fault
            continue
        if item.fault is not None or item.spoke:
            answers = answers or item.spoke
            yield from held
            held, reason = [], ""
        yield item.result
    yield from held


def _is_gone(fault: ModelError) -> bool:
    """Whether the endpoint is unreachable, or refuses whatever is asked: another question would fare no better."""
    return isinstance(fault, EndpointUnreachable) or (isinstance(fault, EndpointRefused) and fault.for_all)


def _workers(options: Options, settings: Settings) -> int:
    """How many questions are asked at once."""
    # A search is half the interpreter's work and half that of libraries which let it go on meanwhile.
    return options.parallel or (2 if options.only_retrieval else 1 if settings.embedded_chat else 4)


def _info(
    benchmark: Benchmark,
    options: Options,
    settings: Settings,
    pipeline: Pipeline | PlainPipeline,
    cases: int,
    model: str,
    rate: float | None,
) -> RunInfo:
    now = datetime.now(UTC)
    documents = pipeline.library.documents()
    shaping = shaping_settings(settings)
    made = json.dumps(
        [benchmark.name, shaping, options.mode, options.only_retrieval, options.seed, options.limit]
    )
    return RunInfo(
        id=f"{now:%Y%m%d-%H%M%S}-{hashlib.sha256(made.encode()).hexdigest()[:6]}",
        benchmark=benchmark.name,
        form=benchmark.form,
        mode=options.mode,
        only_retrieval=options.only_retrieval,
        documents=len(documents),
        chunks=sum(version.chunks for version in documents),
        cases=cases,
        cases_of=len(benchmark.cases),
        seed=options.seed,
        split=options.split,
        settings=shaping,
        model=model,
        embedding=pipeline.library.embedder.name,
        reranker=pipeline.reranker,
        commit=_commit(),
        date=now.isoformat(timespec="seconds"),
        machine=f"{platform.machine()}, {_cores()} cores, {platform.system()}",
        indexing_rate=round(rate, 1) if rate else None,
    )


def _cores() -> int:
    import psutil

    return int(psutil.cpu_count(logical=False) or 1)


def _commit() -> str:
    """The commit of the source that runs, "" outside a checkout; "+" where it has been changed since."""
    root = Path(__file__).parent.parent
    try:
        found = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty=+"],
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()
