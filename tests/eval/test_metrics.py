from __future__ import annotations

from eval.benchmarks import Case
from eval.metrics import containment, false_refusal, mean, recall, refusal
from rag.types import Answer, Chunk, Passage, Source


def case(
    *, answerable: bool = True, answers: tuple[str, ...] = ("28个",), required: tuple[str, ...] = ()
) -> Case:
    return Case(
        "a", "问？", answers, required, ("a.txt",) if answerable else (), answerable, (), "zh-Hans", "fact"
    )


def passage(name: str) -> Passage:
    return Passage(Chunk(name, 0, 0, 1, "x"), Source(name, f"/d/{name}", name, "d", "text/plain"), 1.0)


def test_recall_counts_each_document_once() -> None:
    passages = [passage("b.txt"), passage("b.txt"), passage("a.txt")]
    assert recall(case(), passages, 1) == 0.0
    assert recall(case(), passages, 2) == 1.0
    assert recall(case(answerable=False), passages, 2) is None


def test_containment_folds_and_needs_all_that_is_required() -> None:
    answer = Answer("问？", "zh-Hans", text="改造２８個小區")
    assert containment(case(), answer) == 1.0
    assert containment(case(required=("28个", "投资")), answer) == 0.0
    assert containment(case(answerable=False), answer) is None


def test_refusals_apply_to_their_own_cases_only() -> None:
    refused = Answer("问？", "zh-Hans", outcome="refused")
    assert (refusal(case(), refused), refusal(case(answerable=False), refused)) == (None, 1.0)
    assert (false_refusal(case(), refused), false_refusal(case(answerable=False), refused)) == (1.0, None)


def test_a_mean_has_its_n_and_an_interval_around_it() -> None:
    found = mean([1.0, 0.0, None, 1.0, 1.0])
    assert found is not None
    assert (found.value, found.n) == (0.75, 4)
    assert found.low <= found.value <= found.high
    assert mean([None]) is None
