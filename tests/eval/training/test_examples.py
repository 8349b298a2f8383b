"""Examples to learn from: written and read back, split by document, drawn into groups."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from eval.training.examples import Example, Proposed, part_of, read_examples, write_examples
from eval.training.keywords import as_keywords
from eval.training.reranker import group_of

WRONG = tuple(Proposed(f"w{n}", f"别的事{n}", "wrong", (0.0,)) for n in range(12))
ANSWER = Proposed("d", "改造老旧小区28个。", "answers", (1.0,))
NEAR = Proposed("d", "区委全会召开。", "document", (0.5,))


def example(*proposed: Proposed, answerable: bool = True) -> Example:
    gold = ("d",) if answerable else ()
    return Example("set", "1", "住建局要改造多少个老旧小区？", "reranker", answerable, gold, (1.0,), proposed)


def test_examples_are_read_as_they_were_written(tmp_path: Path) -> None:
    some = [example(ANSWER, *WRONG), example(NEAR, answerable=False)]
    assert write_examples(tmp_path / "x.jsonl.gz", some) == 2
    assert list(read_examples(tmp_path / "x.jsonl.gz")) == some


def test_documents_are_parted_as_planned_and_always_alike() -> None:
    parts = Counter(part_of(f"document {n}") for n in range(4000))
    assert abs(parts["reranker"] / 4000 - 0.7) < 0.03
    assert abs(parts["held_out"] / 4000 - 0.15) < 0.03
    assert part_of("d") == part_of("d")


def test_a_group_has_the_answer_first_and_no_answer_after() -> None:
    rng = random.Random(3)
    for _ in range(50):
        group = group_of(example(NEAR, ANSWER, *WRONG), 3, rng, {})
        assert group is not None
        assert group.first
        assert group.passages[0] == ANSWER.text
        assert ANSWER.text not in group.passages[1:]
        assert len(group.passages) == 4


def test_a_question_without_an_answer_gives_passages_that_do_not_answer() -> None:
    group = group_of(example(NEAR, *WRONG, answerable=False), 3, random.Random(1), {})
    assert group is not None
    assert not group.first
    assert len(set(group.passages)) == 3


def test_without_an_answer_among_its_passages_nothing_is_learned() -> None:
    assert group_of(example(NEAR, *WRONG), 3, random.Random(1), {}) is None
    assert group_of(example(ANSWER, *WRONG[:2]), 3, random.Random(1), {}) is None


@given(st.integers(0, 10_000))
def test_keywords_are_words_of_the_question(seed: int) -> None:
    question = "2024年住建局承诺改造多少个老旧小区，什么时候完工？"
    found = as_keywords(question, random.Random(seed))
    assert found
    assert "什么" not in found
    assert all(char in question or char == " " for char in found)


def test_a_question_of_one_word_stays_as_it_is() -> None:
    assert as_keywords("是什么？", random.Random(1)) == "是什么？"
