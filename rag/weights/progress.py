"""How far a pull has come, as it is reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from rag.weights.catalogue import ModelFile

Phase: TypeAlias = Literal["wait", "download", "join", "verify", "convert", "compare engines"]

_REPORT_EVERY: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull or a conversion has come. All amounts in bytes of the model file."""

    name: str
    phase: Phase
    done: int
    total: int
    source: str


ProgressCallback: TypeAlias = Callable[[Progress], None]


class Meter:
    """Counts bytes and reports them, not more often than is of use."""

    def __init__(
        self, file: ModelFile, phase: Phase, source: str, progress: ProgressCallback | None, done: int = 0
    ) -> None:
        self._file, self._phase, self._source, self._progress = file, phase, source, progress
        self._start = self._done = done
        self._shown = -_REPORT_EVERY

    def add(self, count: int) -> None:
        """Count ``count`` more bytes, and report if enough have come since the last time."""
        self._done += count
        if self._done - self._shown >= _REPORT_EVERY or self._done >= self._file.size:
            self.show()

    def at_most(self, count: int, limit: int) -> None:
        """Report ``count`` bytes since the start, where more than ``limit`` is known to be something else."""
        self._done = self._start + min(count, limit)
        self.show()

    def show(self) -> None:
        """Report."""
        self._shown = self._done
        if self._progress is not None:
            file = self._file
            self._progress(Progress(file.name, self._phase, self._done, file.size, self._source))
