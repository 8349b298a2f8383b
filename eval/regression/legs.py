"""Each leg of retrieval alone: what the fusion has to beat. Same questions, same index, same depth, same metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, get_args

from eval.cases import Benchmark, Case
from eval.metrics import score
from eval.results import CaseResult
from eval.runner import DEPTH, retrieved
from rag.errors import QuestionError
from rag.library import Library
from rag.questions import Question, also_called, corrected_text
from rag.retrieval import query_text
from rag.rewriting import standing_alone
from rag.settings import Settings
from rag.text import fold
from rag.types import Chunk, Source

Leg = Literal["dense", "lexical"]
LEGS: tuple[Leg, ...] = get_args(Leg)


def legs_alone(
    library: Library,
    benchmark: Benchmark,
    cases: Sequence[Case],
    settings: Settings,
    tell: Callable[[int], None] = lambda _: None,
) -> dict[str, list[CaseResult]]:
    """What each leg finds by itself for the cases, scored like a run of retrieval alone.

    A ranking is the leg's own, of as many hits as the fusion is given, texts that are the same once, cut to the runner's
    depth. A question that cannot be asked is a failed case.

    :param library: the library that the fused run asked
    :param tell: called with the number of cases done
    """
    found: dict[str, list[CaseResult]] = {leg: [] for leg in LEGS}
    for done, case in enumerate(cases, start=1):
        for leg in LEGS:
            result = _asked(library, benchmark, case, settings, leg)
            found[leg].append(replace(result, metrics=score(result, only_retrieval=True)))
        tell(done)
    return found


def _asked(library: Library, benchmark: Benchmark, case: Case, settings: Settings, leg: Leg) -> CaseResult:
    try:
        question = standing_alone(case.question, case.history, settings.max_question_chars)
    except QuestionError as error:
        return CaseResult(case, error=str(error))
    hits = _hits(library, question, settings.candidates, leg)
    chunks = library.catalog.live_chunks(key for key, _ in hits)
    ranking: dict[str, tuple[float, Chunk, Source]] = {}
    for key, value in hits:
        if key in chunks:
            ranking.setdefault(fold(chunks[key][0].text), (value, *chunks[key]))
    best = list(ranking.values())[:DEPTH]
    return CaseResult(
        case,
        tuple(
            retrieved(benchmark, number, chunk, source, value)
            for number, (value, chunk, source) in enumerate(best, start=1)
        ),
    )


def _hits(library: Library, question: Question, k: int, leg: Leg) -> list[tuple[str, float]]:
    if leg == "lexical":
        return library.index.lexical(corrected_text(question), k, also=also_called(question))
    vector = library.embedder.embed_query(query_text(question))
    return library.index.dense(vector, k)
