from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from eval.cases import Case
from eval.metrics import METRICS, score
from eval.metrics.registry import scores
from eval.results import CaseResult, Cited, Retrieved

CASE = Case(
    "1",
    "问？",
    answers=("28个",),
    gold=("a",),
    evidence=("改造28个。",),
    lang="en",
    type="noise",
    misleading=("8个",),
)
RESULT = CaseResult(
    CASE,
    (Retrieved(1, "a", "a", "改造28个。", 0, 6, 1.0),),
    (1,),
    "28个[1]",
    "answered",
    citations=(Cited(1, "a", "改造28个。"),),
    claims=(("28个", "supported"),),
    timings={"evidence": 0.2, "first_word": 1.5, "done": 3.0},
    tokens_read=900,
    tokens_written=12,
)
COSTS = {"latency_evidence", "latency_first_word", "latency_done", "tokens_read", "tokens_written"}


def test_every_metric_says_what_it_is() -> None:
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.description.endswith(".")


def test_costs_are_what_was_measured() -> None:
    found = score(RESULT)
    assert {name: found[name] for name in COSTS} == {
        "latency_evidence": 0.2,
        "latency_first_word": 1.5,
        "latency_done": 3.0,
        "tokens_read": 900.0,
        "tokens_written": 12.0,
    }
    assert not COSTS & set(score(replace(RESULT, timings={}, tokens_read=None, tokens_written=None)))
    assert not any(METRICS[name].higher_is_better for name in COSTS)


def test_a_failed_result_has_the_worst_of_all_that_would_apply() -> None:
    found = score(CaseResult(CASE, error="timeout"))
    # Answered without having detected the error, the case has no correction; failed, it has the worst.
    assert set(found) == set(score(RESULT)) - COSTS | {"rgb_correction"}
    assert all(value == METRICS[name].worst for name, value in found.items())
    assert found["false_refusal"] == 1.0
    assert found["recall@1"] == 0.0


def test_a_failed_unanswerable_result_was_not_refused() -> None:
    found = score(CaseResult(Case("1", "问？", answerable=False), error="timeout"))
    assert found == {"supported": 0.0, "refused": 0.0}


def test_a_run_of_retrieval_alone_measures_no_answers() -> None:
    alone = score(replace(RESULT, outcome="", text=""))
    assert set(alone) == {
        *("recall@1", "recall@5", "recall@10", "hit@1", "hit@5", "hit@10", "mrr@10", "ndcg@10"),
        "latency_evidence",
    }
    failed = score(CaseResult(CASE, error="timeout"), only_retrieval=True)
    assert failed == dict.fromkeys(set(alone) - {"latency_evidence"}, 0.0)


def test_scores_that_a_result_holds_are_not_computed_again() -> None:
    assert scores(replace(RESULT, metrics={"recall@1": 0.5})) == {"recall@1": 0.5}
    assert scores(RESULT) == score(RESULT)


@given(st.text(alphabet="28个小區[1]。 ab", max_size=15), st.sampled_from(["answered", "partial", "refused"]))
def test_no_value_is_worse_than_the_worst(text: str, outcome: str) -> None:
    for name, value in score(replace(RESULT, text=text, outcome=outcome)).items():
        metric = METRICS[name]
        assert value >= metric.worst if metric.higher_is_better else value <= metric.worst
