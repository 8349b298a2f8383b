"""What the page shows of a question on its way: the data, and what is said of library and model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol

from rag.errors import WenzhengError
from rag.feedback import Thumb
from rag.types import Answer

Phase = Literal["queued", "searching", "loading", "reading", "writing", "done", "stopped", "failed"]


RUNNING: Final[frozenset[Phase]] = frozenset({"queued", "searching", "loading", "reading", "writing"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question of a conversation and how far its answer has come.

    ``error`` is given in phase "failed"; ``ahead`` counts the questions before this one in phase "queued". ``id``
    names the answer for feedback, which is not asked for without one; ``verdict`` is the visitor's on it. ``read`` is
    whether the restrictions that the question states held.
    """

    number: int
    question: str
    phase: Phase
    answer: Answer | None = None
    error: Failure | None = None
    ahead: int = 0
    id: str = ""
    verdict: Thumb = "none"
    read: bool = True


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a question got no answer, ready to be shown: the error's code, what happened and what to do."""

    code: str
    what: str
    fix: str = ""

    @classmethod
    def of(cls, error: WenzhengError) -> Failure:
        """The failure that an error of the service stands for."""
        return cls(error.code, error.what, error.fix)


class Overview(Protocol):
    """What the page says about the library."""

    @property
    def documents(self) -> int:
        """How many documents it holds."""

    @property
    def latest(self) -> str | None:
        """The ISO date of the newest one."""

    @property
    def examples(self) -> tuple[str, ...]:
        """Questions to begin with."""

    @property
    def collections(self) -> tuple[str, ...]:
        """Names under which documents were put together."""

    @property
    def bodies(self) -> tuple[str, ...]:
        """Full names of the bodies that issued documents or speak in them."""


class ModelState(Protocol):
    """Where the chat model stands."""

    @property
    def state(self) -> str:
        """One of "stopped", "loading", "ready", "restarting", "failed"."""

    @property
    def detail(self) -> str:
        """One line more, in the words of the log."""
