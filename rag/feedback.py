"""What visitors thought of answers: a verdict with what it was given on, kept as lines of JSON that are only added to.

Each line is one state of one answer; a later line with the same id replaces the earlier. A line is written whole in one
call and reaches the disk before `FeedbackStore.append` returns. What a crash leaves of a line stays on a line of its own,
which is ignored. Lone surrogates, which UTF-8 cannot hold, become U+FFFD.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

from filelock import FileLock, Timeout

from rag.appending import append_durably
from rag.errors import LibraryDamaged, LibraryError, LibraryLocked, StorageFull
from rag.serialization import answer_record
from rag.settings import Settings, shaping_settings
from rag.types import Answer, Turn

Thumb = Literal["up", "down", "none"]
"""A verdict on an answer; "none" is one taken back."""

Reason = Literal["", "off_topic", "contradicts", "incomplete", "wrong_source", "should_answer", "other"]
"""Why an answer was no good: beside the question, against the documents, not all, wrong sources, refused wrongly."""

FOLDER: Final = "feedback"
"""The store's folder in the library's."""

FILE: Final = "feedback.jsonl"

MAX_COMMENT: Final = 500
"""Longest comment in characters; `Feedback.of` cuts what is over."""

MAX_BETTER: Final = 4000
"""Longest better answer in characters."""

_MAX_ID, _MAX_TEXT, _MAX_ITEMS, _MAX_DEPTH = 64, 20_000, 64, 8
_LOCK_SECONDS = 10.0
_VERSION = 1
_SURROGATE = re.compile("[\ud800-\udfff]")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Feedback:
    """A verdict on one answer, with the question, the answer and the settings that it was made under.

    ``id`` is the answer's; ``time`` an ISO date and time in UTC; ``history`` the messages before the question;
    ``answer`` is `rag.serialization.answer_record`; ``settings`` those that shape answers, see `rag.settings.shaping_settings`.
    """

    id: str
    time: str
    verdict: Thumb
    question: str
    reason: Reason = ""
    comment: str = ""
    better: str = ""
    history: tuple[Turn, ...] = ()
    answer: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        id_: str,
        verdict: Thumb,
        answer: Answer,
        settings: Settings,
        *,
        question: str = "",
        history: tuple[Turn, ...] = (),
        reason: Reason = "",
        comment: str = "",
        better: str = "",
    ) -> Feedback:
        """The feedback given now on an answer; every text is cut to its bound.

        :param question: as the visitor asked it; by default the answer's
        """
        return cls(
            id=_clean(id_, _MAX_ID),
            time=datetime.now(UTC).isoformat(timespec="milliseconds"),
            verdict=verdict,
            question=_clean(question or answer.question, _MAX_TEXT),
            reason=reason,
            comment=_clean(comment, MAX_COMMENT),
            better=_clean(better, MAX_BETTER),
            history=tuple(Turn(turn.role, _clean(turn.text, _MAX_TEXT)) for turn in history[-_MAX_ITEMS:]),
            answer=_bounded(answer_record(answer)),
            settings=_bounded(shaping_settings(settings)),
        )


class FeedbackStore:
    """The feedback in one folder. Threads and processes may append at the same time."""

    def __init__(self, folder: Path) -> None:
        """:param folder: made when the first feedback is stored"""
        self._folder = folder

    @property
    def path(self) -> Path:
        """The file that holds the feedback."""
        return self._folder / FILE

    def append(self, feedback: Feedback) -> None:
        """Add one state of one answer; it is on the disk when this returns, and not at all when it raises.

        :raises StorageFull: no space is left on the disk
        :raises LibraryLocked: others hold the file for 10 seconds
        :raises LibraryError: the folder cannot be written
        """
        record = _plain({"version": _VERSION, **asdict(feedback)})
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        try:
            with _wording(self._folder):
                self._folder.mkdir(parents=True, exist_ok=True)
                # An instance for each call: the lock is then between threads as well as between processes.
                with FileLock(self.path.with_name(f"{FILE}.lock"), timeout=_LOCK_SECONDS):
                    append_durably(self.path, line)
        except Timeout as error:
            raise LibraryLocked(
                f"{self.path} has been held by another process for {_LOCK_SECONDS:.0f} seconds.",
                "Try again; if it stays so, end the process that holds it.",
            ) from error

    def entries(self) -> list[Feedback]:
        """The latest state of each answer, in the order in which the answers were first judged.

        Lines that are no feedback, as a crash leaves them, are left out and told in the log.

        :raises LibraryError: the file cannot be read
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LibraryDamaged(
                f"{self.path} cannot be read: {error.strerror or error}.", "Check that you may read it."
            ) from error
        latest: dict[str, Feedback] = {}
        unreadable = 0
        *lines, torn = data.split(b"\n")
        for line in lines:
            feedback = _parsed(line)
            if feedback is None:
                unreadable += 1
            else:
                latest[feedback.id] = feedback
        if unreadable or torn:
            _LOG.warning("%s: %d lines are no feedback and left out.", self.path, unreadable + bool(torn))
        return list(latest.values())


@contextlib.contextmanager
def _wording(folder: Path) -> Iterator[None]:
    try:
        yield
    except Timeout:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            raise StorageFull(
                f"No space is left on the disk that holds {folder}.",
                "Free some space and send the feedback again; what was stored before is kept.",
            ) from error
        raise LibraryError(
            f"{folder} cannot be written: {error.strerror or error}.",
            "Check that the service may write there.",
        ) from error


def _parsed(line: bytes) -> Feedback | None:
    """A line as feedback; None where it is none, or of a form that this version does not know."""
    try:
        record = json.loads(line.decode("utf-8"))
        if not isinstance(record, dict) or record.pop("version", None) != _VERSION:
            return None
        history = tuple(Turn(turn["role"], turn["text"]) for turn in record.pop("history"))
        feedback = Feedback(history=history, **record)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    texts = (feedback.id, feedback.time, feedback.question, feedback.comment, feedback.better)
    whole = (
        all(isinstance(text, str) for text in texts)
        and feedback.verdict in get_args(Thumb)
        and feedback.reason in get_args(Reason)
        and isinstance(feedback.answer, dict)
        and isinstance(feedback.settings, dict)
        and all(turn.role in ("user", "assistant") and isinstance(turn.text, str) for turn in history)
    )
    return feedback if whole else None


def _clean(text: str, limit: int) -> str:
    return _SURROGATE.sub("\ufffd", text[:limit])


def _bounded(record: dict[str, Any]) -> dict[str, Any]:
    return cast("dict[str, Any]", _plain(record))


def _plain(value: Any, depth: int = 0) -> Any:
    """Plain data for JSON, each text, list and depth within its bound; what JSON does not know as text."""
    if isinstance(value, str):
        return _clean(value, _MAX_TEXT)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if value - value == 0.0 else None
    if depth < _MAX_DEPTH and isinstance(value, Mapping):
        return {_clean(str(key), _MAX_ID): _plain(item, depth + 1) for key, item in value.items()}
    if depth < _MAX_DEPTH and isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value[:_MAX_ITEMS]]
    return _clean(str(value), _MAX_TEXT)
