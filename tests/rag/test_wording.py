"""How much of a claim's wording a text holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text import fold
from rag.wording import echoes, repeats, verbatim, wording_of

TEXTS = st.text(alphabet="住建局改造28个 the bureau一", max_size=30)


def share(
    claim: str, evidence: str, frame: str = "", *, english: bool = False, heading: bool = False
) -> float:
    return wording_of(fold(claim), english=english).share(fold(evidence), fold(frame), heading=heading)


def test_what_a_text_says_it_holds_whole() -> None:
    assert share("改造小区二十八个", "改造小区28个") == 1.0
    assert share("The fee was raised.", "They raise the fees", english=True) == 1.0
    assert share("改造小区", "会议结束") == 0.0


def test_a_frame_counts_half_and_not_alone() -> None:
    assert share("住建局改造", "改造", "住建局") == pytest.approx((1 + 0.5 * 2) / 4)
    assert share("住建局改造", "会议结束", "住建局改造") == 0.0


def test_a_heading_bears_out_only_what_says_the_same() -> None:
    assert share("以实干为先", "以实干为先 展现新作为", heading=True) == 1.0
    assert share("农业局承诺以实干为先", "以实干为先 展现新作为", "农业局", heading=True) == 0.0


def test_english_needs_less_of_its_words_than_chinese_of_its_pairs() -> None:
    assert wording_of("the fee", english=True).least.wording < wording_of("费用", english=False).least.wording


@pytest.mark.parametrize(
    ("claim", "text", "there"),
    [
        ("dq", "简称dq,", True),
        ("dq", "dq1234", False),
        ("2.5", "12.5", False),
        ("2.5", "2.5%", True),
        ("十", "二十一", False),
        ("十", "共十个", True),
        ("", "x", False),
    ],
)
def test_word_for_word_is_not_as_a_part_of_a_word(claim: str, text: str, there: bool) -> None:
    assert verbatim(claim)(text) == there


def test_the_question_said_again_is_told() -> None:
    assert repeats("住建局将改造小区几个", "住建局将改造小区几个?")
    assert not repeats("住建局将改造小区28个", "住建局将改造小区几个?")
    assert echoes("住建局", "住建局将改造什么?")
    assert not echoes("住建局", "是住建局还是教育局?")
    assert not echoes("住建局改造", "住建局改造了没有")


@given(TEXTS, TEXTS, st.booleans(), st.booleans())
def test_a_share_is_between_none_and_all(claim: str, evidence: str, english: bool, heading: bool) -> None:
    found = share(claim, evidence, evidence, english=english, heading=heading)
    assert 0.0 <= found <= 1.0
    assert share(claim, claim, english=english) in (0.0, 1.0)


@pytest.mark.parametrize(
    ("claim", "evidence", "question", "english", "expected"),
    [
        ("住建局承诺改造小区", "改造小区", "住建局承诺了什么", False, 3 / 4),  # 诺改 stands nowhere
        ("住建局承诺", "会议结束", "住建局承诺了什么", False, 1.0),
        ("The bureau will open two lines", "two lines open", "What did the bureau promise?", True, 1.0),
        ("The bureau will open two lines", "closed", "What did the bureau promise?", True, 0.0),
    ],
)
def test_what_a_claim_says_beyond_the_question_is_held_by_the_text_itself(
    claim: str, evidence: str, question: str, english: bool, expected: float
) -> None:
    found = wording_of(fold(claim), english=english).own_share(fold(evidence), fold(question))
    assert found == pytest.approx(expected)
