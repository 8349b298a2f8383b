"""Does the same to many things, several at once, and gives each result as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from rag.errors import ModelError

T = TypeVar("T")
R = TypeVar("R")


def at_once(
    function: Callable[[T], R], things: Iterable[T], workers: int
) -> Iterator[tuple[T, R | ModelError]]:
    """Each thing with what the function made of it, or with the `ModelError` it raised; one worker keeps the order.

    Closing the iterator starts nothing more; what is under way is waited for.
    """

    def done(thing: T) -> tuple[T, R | ModelError]:
        try:
            return thing, function(thing)
        except ModelError as error:
            return thing, error

    if workers <= 1:
        yield from map(done, things)
        return
    left = iter(things)
    with ThreadPoolExecutor(workers, "judge") as pool:
        running: set[Future[tuple[T, R | ModelError]]] = set()
        try:
            while True:
                for thing in left:
                    running.add(pool.submit(done, thing))
                    if len(running) >= workers:
                        break
                if not running:
                    return
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            for future in running:
                future.cancel()
