"""How far a set is, in lines on a stream: what is done and the time left."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from eval.runner import Progress

_EVERY = 5.0
"""Seconds between lines."""


class Meter:
    """Called with each step of a run; writes a line every few seconds and at the end of a phase."""

    def __init__(self, name: str, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        """Say it of ``name``; ``clock`` gives seconds."""
        self._name, self._stream, self._clock = name, stream, clock
        self._phase, self._begun, self._first, self._told = "", 0.0, 0, 0.0

    def __call__(self, step: Progress) -> None:
        """Take note of a step, and write where it is time."""
        now = self._clock()
        if step.phase != self._phase:
            self._phase, self._begun, self._first, self._told = step.phase, now, step.done, now
        if step.done < step.total and now - self._told < _EVERY:
            return
        self._told = now
        text = f"{self._name}: {step.phase} {step.done:,} of {step.total:,}"
        done = step.done - self._first
        if done > 0 and step.done < step.total:
            left = round((now - self._begun) / done * (step.total - step.done))
            text += f", {left // 60}:{left % 60:02} left"
        self._stream.write(f"{text}\n")
        self._stream.flush()
