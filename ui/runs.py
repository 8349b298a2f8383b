"""Questions on their way: what answers them, the line they wait in, and the run of each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from rag.errors import WenzhengError
from rag.types import Answer, Filters, Turn
from ui.rendering import ModelState, Overview

FRAME: Final = 0.08
"""Shortest time between two updates of a page, in seconds: more would be work for the browser and unseen."""


class AnswerSource(Protocol):
    """What answers questions: the pipeline, or a scripted one in tests."""

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        stop: threading.Event | None = None,
        *,
        filters: Filters | None = None,
        read: bool = True,
    ) -> Iterator[Answer]:
        """Growing snapshots of one answer, the last with ``done``; ends early once `stop` is set.

        ``filters`` restrict the search; ``read`` is whether restrictions that the question states do, too.
        """

    @property
    def model_status(self) -> ModelState:
        """Where the chat model stands."""

    def overview(self) -> Overview:
        """What the library holds."""

    def followups(self, answer: Answer) -> tuple[str, ...]:
        """Questions to go on with after a finished answer."""


class Line:
    """A waiting line with so many places at its head, first come, first served."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._tickets: list[object] = []

    def enter(self) -> object:
        """Join at the end; the ticket is to be given back with `leave`."""
        ticket = object()
        with self._lock:
            self._tickets.append(ticket)
        return ticket

    def ahead(self, ticket: object) -> int:
        """How many must leave before it is this ticket's turn; 0 when it is, or when it has left."""
        with self._lock:
            if ticket not in self._tickets:
                return 0
            return max(0, self._tickets.index(ticket) - self._places + 1)

    def leave(self, ticket: object) -> None:
        """Give the place free; a second time does nothing."""
        with self._lock:
            if ticket in self._tickets:
                self._tickets.remove(ticket)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Wait for a place and hold it."""
        ticket = self.enter()
        try:
            while self.ahead(ticket):
                time.sleep(FRAME)
            yield
        finally:
            self.leave(ticket)


class Run:
    """One question on its way through the pipeline, read in a thread of its own.

    The thread lets "stop" act at once, also while the pipeline waits for the model: the page stops listening,
    and the thread closes the pipeline's generator as soon as it gets the word back. The place in line is held
    until then, so that asking and stopping over and over cannot pile up work.
    """

    def __init__(
        self,
        source: AnswerSource,
        line: Line,
        question: str,
        history: Sequence[Turn],
        filters: Filters,
        read: bool,
    ) -> None:
        self.question = question
        self._filters = filters
        self._restrictions_read = read
        self.stop = threading.Event()
        self._source = source
        self._line = line
        self._history = tuple(history)
        self._ticket = line.enter()
        self._changed = threading.Condition()
        self._answer: Answer | None = None
        self._failure: WenzhengError | Exception | None = None
        self._finished = False
        self._thread: threading.Thread | None = None

    @property
    def ahead(self) -> int:
        """How many questions are before this one; 0 once it is its turn."""
        return 0 if self._thread else self._line.ahead(self._ticket)

    def start(self) -> None:
        """Begin to read, once it is this question's turn."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._read, name="wenzheng-answer", daemon=True)
            self._thread.start()

    def cancel(self) -> None:
        """Stop the answer; the place is given free when the pipeline has let go."""
        self.stop.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is None:
            self._line.leave(self._ticket)

    def wait(self, seen: Answer | None, timeout: float) -> tuple[Answer | None, bool]:
        """The newest snapshot, and whether it is the last: returns when it is not `seen`, or after `timeout`.

        :raises Exception: what the pipeline raised, after its last snapshot has been returned
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._answer is not seen or self._finished or self.stop.is_set(), timeout
            )
            if self._answer is seen and self._failure is not None:
                raise self._failure
            return self._answer, self._finished and self._failure is None

    def _read(self) -> None:
        try:
            stream = self._source.stream(
                self.question,
                self._history,
                self.stop,
                filters=self._filters,
                read=self._restrictions_read,
            )
            try:
                for answer in stream:
                    if self.stop.is_set():
                        break
                    with self._changed:
                        self._answer = answer
                        self._changed.notify_all()
            finally:
                # An iterator need not be a generator, but one left open keeps its connection to the model.
                close = getattr(stream, "close", None)
                if close is not None:
                    close()
        except Exception as error:  # noqa: BLE001 - carried over to the page's thread, which raises it there
            with self._changed:
                self._failure = error
        finally:
            self._line.leave(self._ticket)
            with self._changed:
                self._finished = True
                self._changed.notify_all()
