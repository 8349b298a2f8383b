"""Does the same to many things, several at once, and gives each result as it comes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def at_once(
    function: Callable[[T], R], things: Iterable[T], workers: int, ahead: int = 1
) -> Generator[R, None, None]:
    """What the function makes of each thing, as it is done; one worker keeps the order.

    Closing the generator starts nothing more; what is under way is waited for.

    :param ahead: things that are taken for each worker, so that none waits for the next
    """
    if workers <= 1:
        yield from map(function, things)
        return
    left = iter(things)
    with ThreadPoolExecutor(workers, "at-once") as pool:
        running: set[Future[R]] = set()
        try:
            while True:
                for thing in left:
                    running.add(pool.submit(function, thing))
                    if len(running) >= workers * ahead:
                        break
                if not running:
                    return
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            for future in running:
                future.cancel()
