"""``python -m eval.training.confidence``: learns how far the chat model's own word counts, and how likely an answer answers.

Two logistic regressions over what `eval.training.asking` kept: one before generating (`rag.assessment`), one afterwards over
the answers that stand (`rag.answered`), each over what comes so far in use. Answers count as such where they hold the reference, and as none where there was nothing
to find; wrong answers to answerable questions are left out.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from eval.training.answerability import Judged, area, learn
from eval.training.asking import Asked, read_asked
from rag import answered, assessment
from rag.calibration import Calibration, record_of

_PENALTY = 1e-2
"""On the squares of the weights: there are a few hundred rows."""
_COMES_SO_FAR = 0.1
"""Probability before generating from which answers are learned from: those below are never given. Learned from all alike, what tells
plain cases apart outweighs what tells the doubtful ones (chinese_squad2 and cail2019, balanced 0.57 and 0.67 instead of 0.73)."""
_ODDS = 5.0
"""Answers that answer, to one that does not, among those that come so far: learning weighs both the same. With 3 two of 30 right answers
over drcd were withheld besides, with 5 chinese_squad2 refuses 0.55 instead of 0.62 of what it does not answer."""


def learned_assessment(kept: Sequence[Asked]) -> Calibration:
    """The weights before generating."""
    return _learned(_assessed(kept))


def learned_answered(kept: Sequence[Asked], before: Calibration) -> Calibration:
    """The weights afterwards; ``before`` are those of `learned_assessment`."""
    found = _learned(_answered(kept, before))
    return replace(found, bias=found.bias + math.log(_ODDS))


def _learned(judged: Sequence[Judged]) -> Calibration:
    """The weights that fit all rows alike: were each set to weigh the same, the dozen answers of the smallest would decide."""
    together = [replace(one, set="", kind=str(one.answered)) for one in judged]
    return learn(together, penalty=_PENALTY, rising=True)


def _assessed(kept: Sequence[Asked]) -> list[Judged]:
    return [
        _judged(one, tuple(map(float, assessment.features(one.likely, one.odds))))
        for one in kept
        if one.odds is not None and one.likely >= assessment.WORTH_ASKING
    ]


def _answered(kept: Sequence[Asked], before: Calibration) -> list[Judged]:
    found = []
    for one in kept:
        if one.row is None or (one.answerable and not one.right):
            continue
        likely = one.likely
        if one.odds is not None:
            likely = before.probability(assessment.features(one.likely, one.odds))
        if likely < _COMES_SO_FAR:
            continue
        found.append(_judged(one, (answered.bounded_log_odds(likely), *one.row[1:])))
    return found


def _judged(one: Asked, row: tuple[float, ...]) -> Judged:
    return Judged(f"{one.set} {one.style}", one.kind, one.part, one.answerable, row)


def _told(judged: Sequence[Judged]) -> str:
    """The area of each set under weights learned on the other sets."""
    lines = []
    for name in dict.fromkeys(one.set for one in judged):
        others = [one for one in judged if one.set != name]
        mine = [[one for one in judged if one.set == name and one.answered is yes] for yes in (True, False)]
        if not all(mine) or len({one.answered for one in others}) < 2:
            continue
        weights = _learned(others)
        found = [[weights.probability(np.asarray(one.row, np.float32)) for one in part] for part in mine]
        lines.append(f"  {name:16} {area(*found):.3f}, n {len(mine[0])}+{len(mine[1])}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Learn, write the weights, and tell what each set's area is under weights learned on the others."""
    parser = argparse.ArgumentParser(prog="python -m eval.training.confidence", description=__doc__)
    parser.add_argument("--kept", type=Path, required=True, help="file that `asking` wrote")
    parser.add_argument("--output", type=Path, required=True, help="folder of the weights")
    given = parser.parse_args(arguments)
    kept = read_asked(given.kept)
    before = learned_assessment(kept)

    sys.stderr.write(f"before generating, area:\n{_told(_assessed(kept))}\n")
    sys.stderr.write(f"of answers that stand, area:\n{_told(_answered(kept, before))}\n")
    for module, weights in ((assessment, before), (answered, learned_answered(kept, before))):
        text = json.dumps(record_of(weights, module.NAMES), indent=1) + "\n"
        (given.output / module.FILE).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
