"""Where conversations are kept: a folder for each visitor, a file for each conversation, lines that are only added.

Who may see a conversation is decided by the folder's name alone, which comes from the visitor's cookie
(`ui.conversations.users`): every function takes it, and none looks into another folder.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from rag.appending import append_durably, sync_folder
from rag.errors import LibraryDamaged, LibraryError, LibraryLocked, StorageFull
from rag.feedback import Thumb
from rag.text import fold
from rag.types import Filters
from ui.conversations.records import (
    Conversation,
    NotAConversation,
    Summary,
    conversation_of,
    exchange_lines,
    head_line,
    summary_of,
    title_line,
    title_of,
    verdict_line,
)
from ui.conversations.users import is_user
from ui.rendering import Exchange

FOLDER: Final = "conversations"
"""The store's folder in the library's."""

MAX_CONVERSATIONS: Final = 500
"""Conversations of one visitor."""

MAX_EXCHANGES: Final = 200
"""Questions of one conversation."""

MAX_QUERY: Final = 200
"""Longest search in characters; what is over is cut."""

_ID = re.compile(r"[0-9a-f]{32}")
_LOCK_SECONDS = 3.0  # a question waits for it
_LOG = logging.getLogger(__name__)


class TooMany(LibraryError):
    """The visitor has as many conversations, or the conversation as many questions, as are kept."""


class NoSuchConversation(LibraryError):
    """The visitor has no such conversation, or has it no more."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A visitor's conversations, newest first; ``damaged`` counts files that could not be read and are left out.

    ``total`` counts all that could be read, also those that a search does not show.
    """

    conversations: tuple[Summary, ...] = ()
    total: int = 0
    damaged: int = 0


class ConversationStore:
    """The conversations in one folder. Threads and processes may use it at the same time."""

    def __init__(
        self,
        folder: Path,
        *,
        max_conversations: int = MAX_CONVERSATIONS,
        max_exchanges: int = MAX_EXCHANGES,
    ) -> None:
        """:param folder: made when the first conversation is kept"""
        self._folder = folder
        self._max_conversations = max_conversations
        self._max_exchanges = max_exchanges

    def begin(self, user: str, question: str) -> str:
        """Make a conversation, titled by its first question, and return its id.

        :raises TooMany: the visitor has as many as are kept
        :raises LibraryError: it cannot be written; StorageFull where the disk is full
        """
        id_ = secrets.token_hex(16)
        folder = self._of(user)
        with self._writing(folder, make=True):
            if sum(1 for _ in folder.glob("*.jsonl")) >= self._max_conversations:
                raise TooMany(
                    f"There are {self._max_conversations} conversations already, as many as are kept.",
                    "Delete some that are no longer needed.",
                )
            append_durably(self._file(user, id_), head_line(id_, title_of(question) or id_[:8], _now()))
        return id_

    def put(
        self, user: str, id_: str, exchange: Exchange, filters: Filters | None = None, *, replaced: str = ""
    ) -> None:
        """Add an exchange, or put one in the place of that with the same id.

        :param filters: those set by hand
        :param replaced: the id of another one, which it replaces
        :raises NoSuchConversation: it is gone
        :raises TooMany: the conversation has as many questions as are kept
        :raises LibraryError: it cannot be written; StorageFull where the disk is full
        """
        with self._writing(self._of(user)):
            file = self._existing(user, id_)
            summary = self._summary(file)
            if summary.count >= self._max_exchanges:
                known = {kept.id for kept in conversation_of(file.read_bytes()).exchanges}
                if not known & {exchange.id, replaced}:
                    raise TooMany(
                        f"This conversation has {self._max_exchanges} questions, as many as are kept.",
                        "Begin a new conversation.",
                    )
            try:
                lines = exchange_lines(exchange, filters or Filters(), _now(), replaced)
            except ValueError as error:
                raise LibraryError(
                    f"An answer cannot be stored: {error}.", "Ask the question again."
                ) from error
            append_durably(file, lines)

    def judge(self, user: str, id_: str, exchange: str, verdict: Thumb) -> None:
        """Note what the visitor thinks of one of the answers; raises as `put` does."""
        with self._writing(self._of(user)):
            append_durably(self._existing(user, id_), verdict_line(exchange, verdict))

    def rename(self, user: str, id_: str, title: str) -> None:
        """Give a conversation another title, cut to its bound; an empty one changes nothing. Raises as `put` does."""
        shown = title_of(title)
        with self._writing(self._of(user)):
            file = self._existing(user, id_)
            if shown:
                append_durably(file, title_line(shown))

    def delete(self, user: str, id_: str) -> None:
        """Delete a conversation, which cannot be undone.

        :raises NoSuchConversation: it is not there
        :raises LibraryError: it cannot be deleted
        """
        folder = self._of(user)
        with self._writing(folder):
            self._existing(user, id_).unlink()
            sync_folder(folder)

    def load(self, user: str, id_: str) -> Conversation:
        """A conversation of the visitor, whole.

        :raises NoSuchConversation: the visitor has none of this id
        :raises LibraryDamaged: its file cannot be read
        """
        file = self._existing(user, id_)
        try:
            return conversation_of(file.read_bytes())
        except FileNotFoundError:
            raise _gone() from None
        except (OSError, NotAConversation) as error:
            raise _damaged(file) from error

    def list(self, user: str, query: str = "") -> Listing:
        """The visitor's conversations, newest first.

        :param query: words that title, questions or answers must all hold, in any script, width and case
        :raises LibraryDamaged: the folder cannot be read
        """
        words = fold(query[:MAX_QUERY]).split()
        found: list[Summary] = []
        damaged = total = 0
        try:
            files = sorted(self._of(user).glob("*.jsonl")) if is_user(user) else []
        except OSError as error:
            raise _damaged(self._of(user)) from error
        for file in files:
            try:
                summary = self._summary(file)
            except NoSuchConversation:
                continue
            except LibraryDamaged:
                damaged += 1
                _LOG.warning("%s is no conversation that can be read; it is left out.", file)
                continue
            if not summary.count:
                continue
            total += 1
            text = fold(summary.words) if words else ""
            if all(word in text for word in words):
                found.append(summary)
        found.sort(key=lambda summary: (summary.updated, summary.id), reverse=True)
        return Listing(tuple(found), total, damaged)

    def latest(self, user: str) -> Conversation | None:
        """The visitor's newest conversation; None where there is none that can be read."""
        for summary in self.list(user).conversations:
            with contextlib.suppress(LibraryError):
                return self.load(user, summary.id)
        return None

    def _of(self, user: str) -> Path:
        if not is_user(user):
            raise _gone()
        return self._folder / user

    def _file(self, user: str, id_: str) -> Path:
        return self._of(user) / f"{id_}.jsonl"

    def _existing(self, user: str, id_: str) -> Path:
        # Before it becomes a path: an id comes from the page, and may be anything.
        if not _ID.fullmatch(id_):
            raise _gone()
        file = self._file(user, id_)
        if not file.is_file():
            raise _gone()
        return file

    def _summary(self, file: Path) -> Summary:
        try:
            summary = summary_of(file.read_bytes())
        except FileNotFoundError:
            raise _gone() from None
        except (OSError, NotAConversation) as error:
            raise _damaged(file) from error
        if summary.id != file.stem:
            raise _damaged(file)
        return summary

    @contextlib.contextmanager
    def _writing(self, folder: Path, *, make: bool = False) -> Iterator[None]:
        """Hold the folder's lock, and say in words of ours what stops writing."""
        try:
            if make:
                self._folder.mkdir(parents=True, exist_ok=True)
                folder.mkdir(mode=0o700, exist_ok=True)
            elif not folder.is_dir():
                raise _gone()
            # An instance for each call: the lock is then between threads as well as between processes.
            with FileLock(folder / ".lock", timeout=_LOCK_SECONDS, mode=0o600):
                yield
        except Timeout as error:
            raise LibraryLocked(
                f"{folder} has been held by another process for {_LOCK_SECONDS:.0f} seconds.",
                "Try again; if it stays so, end the process that holds it.",
            ) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
                raise StorageFull(
                    f"No space is left on the disk that holds {folder}.",
                    "Free some space; what was stored before is kept.",
                ) from error
            raise LibraryError(
                f"{folder} cannot be written: {error.strerror or error}.",
                "Check that the service may write there.",
            ) from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _gone() -> NoSuchConversation:
    return NoSuchConversation("There is no such conversation.", "It may have been deleted; open another.")


def _damaged(path: Path) -> LibraryDamaged:
    return LibraryDamaged(f"{path} cannot be read.", "Restore it from a backup, or delete it.")
