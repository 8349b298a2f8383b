from __future__ import annotations

from eval.cases import Case
from eval.metrics import containment, false_refusal, recall, refusal
from rag.types import Answer, Chunk, Passage, Source


def case(
    *, answerable: bool = True, required: tuple[tuple[str, ...], ...] = (), gold: tuple[str, ...] = ("a.txt",)
) -> Case:
    return Case("a", "问？", ("28个",), required, gold if answerable else (), answerable)


def passage(name: str) -> Passage:
    return Passage(
        Chunk(name, 0, 0, 1, "x"), Source(f"id-{name}", f"/d/{name}", name, "d", "text/plain"), 1.0
    )


def test_recall_counts_each_document_once() -> None:
    passages = [passage("b.txt"), passage("b.txt"), passage("a.txt")]
    assert recall(case(), passages, 1) == 0.0
    assert recall(case(), passages, 2) == 1.0
    assert recall(case(gold=("id-a.txt",)), passages, 2) == 1.0
    assert recall(case(answerable=False), passages, 2) is None


def test_containment_folds_and_needs_all_that_is_required() -> None:
    answer = Answer("问？", "zh-Hans", text="改造２８個小區[1]")
    assert containment(case(), answer) == 1.0
    assert containment(case(required=(("28个",), ("投资", "投入"))), answer) == 0.0
    assert containment(case(answerable=False), answer) is None
    assert containment(case(), Answer("问？", "zh-Hans", text="没有写到28个。", outcome="refused")) == 0.0


def test_refusals_apply_to_their_own_cases_only() -> None:
    refused = Answer("问？", "zh-Hans", outcome="refused")
    assert (refusal(case(), refused), refusal(case(answerable=False), refused)) == (None, 1.0)
    assert (false_refusal(case(), refused), false_refusal(case(answerable=False), refused)) == (1.0, None)
