"""What is learned of the chat model's own word and of its answers."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path

import numpy as np

from eval.training.asking import Asked, read_asked, written
from eval.training.confidence import learned_answered, learned_assessment, main
from rag import answered, assessment
from rag.calibration import Calibration


def some(n: int = 60, seed: int = 1) -> list[Asked]:
    """Questions of two sets, in which reading, the model's word and its hesitation tell something, each with noise."""
    rng = random.Random(seed)
    found = []
    for number in range(n):
        there = number % 2 == 0
        side = 1.0 if there else -1.0
        likely = 1 / (1 + np.exp(-(side + rng.gauss(0, 1.5))))
        row = (0.0, side + rng.gauss(0, 2), 0.0, 0.0, 0.5, 0.5, -1.0 + 0.5 * side + rng.gauss(0, 0.5))
        found.append(
            Asked(
                "one" if number % 4 < 2 else "other",
                "short",
                "open" if there else "near",
                "fusion",
                float(likely),
                side + 2 + rng.gauss(0, 1),
                row,
                there,
            )
        )
    return found


def probability(weights: Calibration, *row: float) -> float:
    return weights.probability(np.asarray(row, np.float32))


def test_what_is_kept_is_read_as_it_was_written(tmp_path: Path) -> None:
    kept = [*some(4), replace(some(1)[0], odds=None, row=None)]
    unknown = replace(some(1)[0], row=(1.0, math.nan))
    path = tmp_path / "kept.jsonl"
    path.write_text("".join(f"{json.dumps(written(one))}\n" for one in kept), encoding="utf-8")
    assert read_asked(path) == kept
    path.write_text(json.dumps(written(unknown)), encoding="utf-8")
    (again,) = read_asked(path)
    assert again.row is not None
    assert again.row[0] == 1.0
    assert math.isnan(again.row[1])


def test_before_generating_both_words_count_and_none_speaks_against() -> None:
    weights = learned_assessment(some())
    assert (weights.weights > 0).all()
    assert probability(weights, 2.0, 4.0) > 0.6 > 0.4 > probability(weights, -2.0, 0.0)


def test_only_what_comes_so_far_is_learned_from() -> None:
    kept = some()
    hopeless = [replace(one, likely=0.01, odds=-9.0) for one in kept]
    before = learned_assessment(kept)
    assert np.allclose(before.weights, learned_assessment([*kept, *hopeless]).weights)
    after = learned_answered(kept, before)
    assert np.allclose(after.weights, learned_answered([*kept, *hopeless], before).weights)


def test_afterwards_the_model_that_did_not_hesitate_is_trusted_more() -> None:
    kept = some()
    weights = learned_answered(kept, learned_assessment(kept))
    row = [0.0, 0.0, 0.0, 0.0, 0.5, 0.5]
    assert probability(weights, *row, -0.1) > probability(weights, *row, -2.5)


def test_what_is_not_known_of_some_answers_is_learned_from_the_others() -> None:
    kept = some()
    long = [replace(one, style="full", row=(*one.row[:-1], math.nan)) for one in kept if one.row]
    weights = learned_answered([*kept, *long], learned_assessment(kept))
    assert np.isfinite(weights.weights).all()
    assert weights.weights[-1] > 0


def test_wrong_answers_and_those_that_do_not_stand_are_left_out() -> None:
    kept = some()
    before = learned_assessment(kept)
    wrong = [replace(one, right=False, row=(9.0,) * 7) for one in kept if one.answerable]
    nothing = [replace(one, row=None) for one in kept]
    weights = learned_answered(kept, before)
    more = learned_answered([*kept, *wrong, *nothing], before)
    assert np.allclose(weights.weights, more.weights)


def test_the_weights_are_written_for_the_features_that_are_weighed(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    path.write_text("".join(f"{json.dumps(written(one))}\n" for one in some()), encoding="utf-8")
    main(["--kept", str(path), "--output", str(tmp_path)])
    for module in (assessment, answered):
        record = json.loads((tmp_path / module.FILE).read_text(encoding="utf-8"))
        assert record["features"] == list(module.NAMES)
        assert all(len(record[key]) == len(module.NAMES) for key in ("mean", "deviation", "weights"))
