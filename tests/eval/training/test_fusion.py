"""Learning the weights: what tells is found, what does not is left at next to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from eval.training.examples import Example, Proposed
from eval.training.fusion import KeptScores, first_right, learn, lists_of
from rag.features import NAMES

TELLING = NAMES.index("coverage")


def examples(count: int, seed: int) -> list[Example]:
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        rows = rng.normal(size=(6, len(NAMES)))
        right = int(rng.integers(6))
        rows[right, TELLING] += 3.0
        rows[:, NAMES.index("speaks")] = 0.0
        proposed = tuple(
            Proposed(str(n), "", "answers" if n == right else "wrong", tuple(map(float, row)))
            for n, row in enumerate(rows)
        )
        found.append(Example("s", str(number), "?", "fusion", True, (str(right),), (1.0, 0.5, 0.0), proposed))
    return found


def rows_of(some: list[Example]) -> list[np.ndarray]:
    return [np.asarray([item.features for item in one.proposed], np.float32) for one in some]


def test_what_tells_is_found() -> None:
    some = examples(300, 1)
    fusion = learn(lists_of(some, rows_of(some)), 1, {"speaks": (2.5, 1.5)})
    asked = np.asarray(some[0].asked, np.float32)
    effective = fusion.weights + fusion.by_question @ asked
    fixed = NAMES.index("speaks")
    assert effective[TELLING] > 5 * np.abs(np.delete(effective, [TELLING, fixed])).max()
    assert effective[fixed] > 0, "too rare to be learned"
    unseen = examples(200, 2)
    right = [
        first_right(one, fusion.scores(row, asked)) for one, row in zip(unseen, rows_of(unseen), strict=True)
    ]
    assert np.mean(right) > 0.85


class Counting:
    """Scores by length, counting how often it is asked."""

    name = "counting"

    def __init__(self) -> None:
        self.asked = 0

    def scores(self, question: str, passages: Sequence[str]) -> np.ndarray:
        self.asked += 1
        return np.asarray([[len(question), len(passage), 0.5] for passage in passages], np.float32)


def test_what_was_read_once_is_not_read_again(tmp_path: Path) -> None:
    counting = Counting()
    path = tmp_path / "scores.jsonl"
    for _ in range(2):
        kept = KeptScores(counting, path)
        assert kept.scores("问？", ["一", "二二"]).tolist() == [[2.0, 1.0, 0.5], [2.0, 2.0, 0.5]]
        assert kept.scores("问？", ["二二", "一"]).tolist() == [[2.0, 2.0, 0.5], [2.0, 1.0, 0.5]]
    assert counting.asked == 2
    counting.name = "another"
    assert KeptScores(counting, path).scores("问？", ["一", "二二"]).shape == (2, 3)
    assert counting.asked == 3


def test_questions_whose_answer_was_not_proposed_teach_nothing() -> None:
    some = examples(3, 3)
    lost = Example(
        "s",
        "x",
        "?",
        "fusion",
        True,
        ("elsewhere",),
        (1.0, 0.5, 0.0),
        tuple(Proposed(item.document, "", "wrong", item.features) for item in some[0].proposed),
    )
    lists = lists_of([*some, lost], rows_of([*some, lost]))
    assert len(lists.rows) == 3
    assert np.isclose(lists.weight.sum(), 1.0)
