from __future__ import annotations

import io

from eval.regression.progress import Meter
from eval.runner import Progress


def test_lines_come_every_few_seconds_with_the_time_left() -> None:
    now = 100.0
    stream = io.StringIO()
    tell = Meter("路灯 (1 of 2)", stream, lambda: now)
    tell(Progress("indexing", 0, 100))
    for done in range(1, 100):
        now += 1.0
        tell(Progress("indexing", done, 100))
    lines = stream.getvalue().splitlines()
    assert 15 <= len(lines) <= 20
    assert lines[0] == "路灯 (1 of 2): indexing 5 of 100, 1:35 left"


def test_the_end_of_a_phase_is_always_told_and_what_was_done_before_does_not_count() -> None:
    now = 0.0
    stream = io.StringIO()
    tell = Meter("路灯", stream, lambda: now)
    tell(Progress("asking", 50, 60))
    now = 6.0
    tell(Progress("asking", 55, 60))
    tell(Progress("asking", 60, 60))
    assert stream.getvalue().splitlines() == ["路灯: asking 55 of 60, 0:06 left", "路灯: asking 60 of 60"]
