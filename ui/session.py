"""What one open page has, and what changes on it: the data of the chat, without a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from rag.filters import restriction
from rag.types import Filters, Turn
from ui.conversations.keeping import Kept
from ui.rendering import (
    Exchange,
)
from ui.runs import Run
from ui.texts import Language

HISTORY_TURNS: Final = 10
"""Earlier messages that the pipeline is given with a question."""


@dataclass(slots=True)
class Session:
    """What one open page has: its language, its conversation so far, the question under way, the filters set by hand."""

    language: Language = "zh-Hans"
    past: list[Exchange] = field(default_factory=list)
    current: Exchange | None = None
    run: Run | None = None
    ratings: int = 0
    filters: Filters = field(default_factory=Filters)
    kept: Kept = field(default_factory=Kept)
    replacing: str = ""
    """The id of the last exchange while its question is being edited: the next one takes its place."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Session:
        """A new session: Gradio copies the initial value of a state for each page that opens."""
        return Session()

    @property
    def exchanges(self) -> list[Exchange]:
        """All questions of the conversation, the newest last."""
        return [*self.past, *([self.current] if self.current else [])]

    def history(self, before: Exchange | None = None) -> tuple[Turn, ...]:
        """The conversation for the pipeline: what was answered, not what was stopped and so never checked.

        :param before: only what came before this question
        """
        turns: list[Turn] = []
        for exchange in self.exchanges:
            if before is not None and exchange.number >= before.number:
                break
            answer = exchange.answer
            if exchange.phase == "done" and answer is not None:
                asked = exchange.question
                # What the visitor took away of it does not come back with the next question.
                turns.append(Turn("user", asked if exchange.read else restriction(asked).rest or asked))
                turns.append(Turn("assistant", answer.text.strip() or answer.reason))
        return tuple(turns[-HISTORY_TURNS:])


@dataclass(frozen=True, slots=True)
class View:
    """What changes on the page: HTML for its parts, None where a part stays as it is."""

    welcome: str | None = None
    past: str | None = None
    live: str | None = None
    past_sources: str | None = None
    live_sources: str | None = None
    hint: str | None = None
    announcement: str | None = None
    status: str | None = None
    rated: str | None = None
    form: str | None = None
    chosen: str | None = None
    last: str | None = None
    editing: str | None = None
    unkept: str | None = None
    history: str | None = None
    box: str | None = None
    running: bool | None = None
    polling: bool | None = None

    def without(self, shown: View) -> View:
        """Only what `shown` does not already have on the page."""
        return View(
            **{
                name: None if getattr(self, name) == getattr(shown, name) else getattr(self, name)
                for name in self.__slots__
            }
        )

    def over(self, shown: View) -> View:
        """What is on the page after this view has been put over `shown`."""
        return View(
            **{
                name: getattr(shown, name) if getattr(self, name) is None else getattr(self, name)
                for name in self.__slots__
            }
        )
