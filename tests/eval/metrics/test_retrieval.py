from __future__ import annotations

import math
import random

import pytest

from eval.cases import Case
from eval.metrics import METRICS, score
from eval.results import CaseResult, Retrieved


def ranked(*documents: str, gold: tuple[str, ...] = ("a",)) -> CaseResult:
    passages = tuple(Retrieved(n, d, d, "文", 0, 1, 1 / n) for n, d in enumerate(documents, start=1))
    return CaseResult(Case("1", "问？", answers=("甲",), gold=gold), passages)


def test_each_document_counts_once_at_its_first_passage() -> None:
    found = score(ranked("b", "b", "b", "b", "b", "a", "b", "a"))
    assert (found["recall@1"], found["recall@5"]) == (0.0, 1.0)
    assert found["mrr@10"] == 0.5
    assert found["ndcg@10"] == pytest.approx(1 / math.log2(3))


def test_recall_is_a_share_and_hit_is_whether_any() -> None:
    found = score(ranked("a", "x", "c", gold=("a", "c", "e", "g")))
    assert (found["recall@1"], found["recall@5"]) == (0.25, 0.5)
    assert (found["hit@1"], found["hit@5"]) == (1.0, 1.0)
    assert found["mrr@10"] == 1.0
    ideal = 1 + 1 / math.log2(3) + 1 / 2 + 1 / math.log2(5)
    assert found["ndcg@10"] == pytest.approx((1 + 1 / 2) / ideal)


def test_nothing_found_scores_zero() -> None:
    assert set(score(ranked()).values()) == {0.0}
    assert set(score(ranked(*"bcdefghijk", "a")).values()) == {0.0}


def test_without_gold_there_is_nothing_to_measure() -> None:
    assert score(ranked("a", gold=())) == {}
    assert METRICS["recall@5"].function(ranked("a", gold=())) is None


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_ir_measures_on_random_rankings(seed: int) -> None:
    ir_measures = pytest.importorskip("ir_measures")
    measures = {
        "recall@1": ir_measures.R @ 1,
        "recall@5": ir_measures.R @ 5,
        "recall@10": ir_measures.R @ 10,
        "hit@5": ir_measures.Success @ 5,
        "mrr@10": ir_measures.RR @ 10,
        "ndcg@10": ir_measures.nDCG @ 10,
    }
    rng = random.Random(seed)
    pool = [f"d{n}" for n in range(30)]
    ours: dict[str, dict[str, float]] = {}
    judged: dict[str, dict[str, int]] = {}
    runs: dict[str, dict[str, float]] = {}
    for query in (f"q{n}" for n in range(40)):
        ranking = rng.sample(pool, rng.randint(1, 20))
        gold = rng.sample(pool, rng.randint(1, 15))
        ours[query] = score(ranked(*ranking, gold=tuple(gold)))
        judged[query] = dict.fromkeys(gold, 1)
        runs[query] = {document: float(-place) for place, document in enumerate(ranking)}
    checked = 0
    for theirs in ir_measures.iter_calc(list(measures.values()), judged, runs):
        for name, measure in measures.items():
            if measure == theirs.measure:
                assert ours[theirs.query_id][name] == pytest.approx(theirs.value), name
                checked += 1
    assert checked == len(measures) * 40
