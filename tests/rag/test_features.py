"""Features of candidates: one row each, in range, and telling what their names say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.features import NAMES, QUESTION_NAMES, Candidate, Range, features, question_features
from rag.questions import analyse
from rag.types import Chunk, Source, Speech

DENSE = Range(0.9, 0.8)


def candidate(
    text: str,
    *,
    document: str = "d",
    title: str = "",
    similarity: float | None = None,
    lexical: float | None = None,
    dense_rank: int | None = None,
    lexical_rank: int | None = None,
    speeches: tuple[Speech, ...] = (),
    other_language: bool = False,
) -> Candidate:
    chunk = Chunk(document, 0, 0, len(text), text, speeches=speeches)
    source = Source(document, f"/{document}.txt", title, "0" * 64, "text/plain")
    return Candidate(
        f"1:{document}",
        chunk,
        source,
        similarity,
        similarity,
        lexical,
        dense_rank,
        lexical_rank,
        DENSE,
        other_language,
    )


def column(question: str, name: str, *candidates: Candidate) -> list[float]:
    rows = features(analyse(question, 2000), candidates, Range(10.0, 2.0))
    assert rows.shape == (len(candidates), len(NAMES))
    return [float(value) for value in rows[:, NAMES.index(name)]]


def test_without_candidates_there_are_no_rows() -> None:
    assert features(analyse("住建局承诺了什么？", 2000), [], Range.of([])).shape == (0, len(NAMES))


def test_scores_are_told_relative_to_the_best_and_the_least() -> None:
    best = candidate("甲", similarity=0.9, dense_rank=1, lexical=10.0, lexical_rank=1)
    least = candidate("乙", similarity=0.8, dense_rank=50, lexical=2.0, lexical_rank=50)
    assert column("几个", "similarity_share", best, least) == pytest.approx([1.0, 0.0], abs=1e-5)
    assert column("几个", "similarity_behind", best, least) == pytest.approx([0.0, -0.1], abs=1e-5)
    assert column("几个", "lexical_share", best, least) == pytest.approx([1.0, 0.2])
    ranks = column("几个", "dense_rank", best, least, candidate("丙"))
    assert ranks[0] == 1.0 > ranks[1] > ranks[2] == 0.0


def test_what_a_leg_did_not_find_is_no_better_than_its_least() -> None:
    seen = candidate("甲", similarity=0.8, dense_rank=50, lexical=2.0, lexical_rank=50)
    unseen = candidate("乙")
    for name in ("similarity_behind", "lexical_share", "lexical_behind"):
        one, other = column("几个", name, seen, unseen)
        assert other <= one


def test_wording_counts() -> None:
    right = candidate("改造老旧小区28个，惠及居民一万户。")
    near = candidate("老旧小区加装电梯，小区居民代表座谈。")
    far = candidate("文旅局将举办音乐节。")
    for name in ("coverage", "rare_pairs"):
        values = column("改造老旧小区多少个？", name, right, near, far)
        assert values[0] > values[1] > values[2], name


def test_numbers_and_titles_count() -> None:
    this, last = candidate("2024年供热期"), candidate("2023年供热期")
    assert column("2024年供热期多长", "numbers", this, last) == [1.0, 0.0]
    titled = candidate("全文如下。", title="供热公告")
    assert column("供热公告", "coverage", titled, last)[0] > 0.9


def test_the_body_that_speaks_is_told_from_the_body_that_is_named() -> None:
    text = "将改造老旧小区28个。"
    speaking = candidate(text, speeches=(Speech(0, len(text), "局长田禾", "住房和城乡建设局"),))
    named = candidate("住建局等单位列席会议。")
    assert column("住建局承诺了什么？", "speaks", speaking, named) == [1.0, 0.0]
    assert column("住建局在哪里？", "speaks", speaking, named) == [0.0, 0.0]


def test_a_document_shares_the_rank_of_its_best_passage() -> None:
    first = candidate("甲", document="a", dense_rank=1)
    second = candidate("乙", document="a")
    other = candidate("丙", document="b", dense_rank=9)
    values = column("几个", "document_dense", first, second, other)
    assert values[0] == values[1] == 1.0 > values[2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("住建局承诺了什么", (1.0, 0.0)),
        ("住建局 老旧小区 数量", (0.0, 0.0)),
        ("Which bureau spoke?", (1.0, 1.0)),
    ],
)
def test_a_question_is_told_from_bare_words(text: str, expected: tuple[float, float]) -> None:
    values = dict(zip(QUESTION_NAMES, question_features(analyse(text, 2000)), strict=True))
    assert (values["asks"], values["latin"]) == expected


@given(
    st.text(min_size=1, max_size=200).filter(lambda text: any(char.isalnum() for char in text)),
    st.lists(st.text(max_size=120), max_size=4),
)
def test_any_text_has_finite_features(question: str, texts: list[str]) -> None:
    candidates = [candidate(text, document=str(n)) for n, text in enumerate(texts)]
    rows = features(analyse(question, 2000), candidates, Range.of([]))
    assert np.isfinite(rows).all()
    assert (np.abs(rows) <= 20).all()
