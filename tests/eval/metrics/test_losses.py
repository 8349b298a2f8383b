from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.cases import Case
from eval.metrics import loss, right
from eval.results import CaseResult, Cited, Loss, Retrieved

CASE = Case("1", "问？", answers=("28个小区",), gold=("a",))
UNANSWERABLE = Case("2", "问？", gold=("a",), answerable=False)


def went(
    text: str = "",
    *,
    case: Case = CASE,
    outcome: str = "answered",
    found: str = "ba",
    shown: tuple[int, ...] = (1, 2),
    cited: str = "a",
    error: str = "",
) -> CaseResult:
    passages = tuple(Retrieved(n, d, d, "文", 0, 1, 1.0) for n, d in enumerate(found, start=1))
    citations = tuple(Cited(n, d, "文") for n, d in enumerate(cited, start=1))
    return CaseResult(case, passages, shown, text, outcome, citations=citations, error=error)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (went("改造28個小區。"), "none"),
        (went("改造28个小区。", found="b", cited="b"), "none"),
        (went("28个小", cited="a"), "none"),
        (went("八个。"), "wrong"),
        (went("八个。", cited="b"), "not_used"),
        (went("八个。", cited=""), "not_used"),
        (went("没有写到。", outcome="refused", cited=""), "wrongly_refused"),
        (went("没有写到。", outcome="refused", shown=(1,), cited=""), "not_shown"),
        (went("没有写到。", outcome="refused", found="b", cited=""), "not_retrieved"),
        (went("八个。", found="bc"), "not_retrieved"),
        (went("八个。", shown=()), "not_shown"),
        (went("28个小区", error="timeout"), "failed"),
        (went("没有写到。", case=UNANSWERABLE, outcome="refused"), "none"),
        (went("八个。", case=UNANSWERABLE), "wrongly_answered"),
        (went("哪一个？", case=UNANSWERABLE, outcome="clarify"), "wrongly_answered"),
        (went(outcome="", found="b", cited=""), "not_retrieved"),
        (went(outcome="", cited="", shown=()), "none"),
        (went(outcome="", case=UNANSWERABLE, found="b"), "none"),
        (went("八个。", case=Case("3", "问？", answers=("28个小区",)), cited=""), "wrong"),
        (went("", case=Case("3", "问？", answers=("甲",)), outcome="refused"), "wrongly_refused"),
        (went("八个。", case=Case("3", "问？", gold=("a",))), "none"),
        (went("八个。", case=Case("3", "问？", gold=("a",)), cited="b"), "not_used"),
    ],
)
def test_where_a_case_was_lost(result: CaseResult, expected: Loss) -> None:
    assert loss(result) == expected


def test_what_is_required_is_not_made_up_for_by_likeness() -> None:
    case = Case("1", "问？", answers=("改造28个小区",), required=(("28个",), ("投资",)))
    assert right(went("改造28个小区", case=case)) is False
    assert right(went("改造28个小区，有投资", case=case)) is True


def test_of_an_unknown_answer_nothing_is_said() -> None:
    assert right(went("甲", case=Case("1", "问？"))) is None


@given(
    st.builds(
        went,
        st.sampled_from(["", "28个小区", "八个", "28个", "没有写到"]),
        case=st.builds(
            Case,
            st.just("1"),
            st.just("问？"),
            answers=st.sampled_from([(), ("28个小区",)]),
            required=st.sampled_from([(), (("28个",), ("投资",))]),
            gold=st.sampled_from([(), ("a",), ("a", "b")]),
            answerable=st.booleans(),
        ),
        outcome=st.sampled_from(["", "answered", "partial", "refused", "clarify"]),
        found=st.text("abc", max_size=4),
        shown=st.lists(st.integers(1, 4), max_size=3).map(tuple),
        cited=st.text("abc", max_size=2),
        error=st.sampled_from(["", "", "timeout"]),
    )
)
def test_every_result_has_exactly_one_category(result: CaseResult) -> None:
    category = loss(result)
    assert category in get_args(Loss)
    assert (category == "failed") == bool(result.error)
    if category == "wrongly_answered":
        assert not result.case.answerable
    if not result.case.answerable:
        assert category in {"none", "failed", "wrongly_answered"}
    if not result.error and result.outcome and right(result):
        assert category == "none"
    if not result.error and not result.outcome:
        assert category in {"none", "not_retrieved"}
