"""The same done to many things: each once, several at once, nothing more once it is closed."""

from __future__ import annotations

import threading
import time

import pytest

from eval.at_once import at_once


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_each_thing_is_done_once(workers: int) -> None:
    assert sorted(at_once(lambda n: n * n, range(20), workers)) == [n * n for n in range(20)]


def test_one_worker_keeps_the_order() -> None:
    assert list(at_once(str, range(5), 1)) == ["0", "1", "2", "3", "4"]


def test_several_are_under_way_together() -> None:
    meeting = threading.Barrier(3, timeout=10)
    assert sorted(at_once(lambda n: meeting.wait() >= 0 and n, range(1, 4), 3)) == [1, 2, 3]


def test_closing_starts_nothing_more() -> None:
    begun: list[int] = []

    def slow(number: int) -> int:
        begun.append(number)
        time.sleep(0.05)
        return number

    found = at_once(slow, range(1000), 2)
    next(found)
    found.close()
    count = len(begun)
    time.sleep(0.2)
    assert len(begun) == count <= 4


def test_an_error_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        list(at_once(lambda n: 1 // n, [1, 0, 2], 2))
