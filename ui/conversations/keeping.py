"""Keeping the conversation of an open page: what could not be written is tried again, and the page is told.

A fault of the store never stops the chat: it becomes a `Problem` in the page's `Kept`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Literal

from rag.errors import StorageFull, WenzhengError
from rag.feedback import Thumb
from rag.types import Filters
from ui.conversations.store import ConversationStore, NoSuchConversation, TooMany
from ui.rendering import Exchange

Problem = Literal["", "cookie", "full", "failed", "many", "long", "gone"]
"""Why a conversation is not being kept: the browser has no cookie, the disk is full or cannot be written, the visitor
has as many conversations or the conversation as many questions as are kept, or it was deleted elsewhere."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pending:
    """An exchange that is still to be written, with the filters set by hand and the exchange that it replaces."""

    exchange: Exchange
    filters: Filters
    replaced: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """How the conversation of one page is kept: whose it is, under which id, and what is not written yet."""

    user: str = ""
    conversation: str = ""
    problem: Problem = ""
    pending: tuple[Pending, ...] = ()


def put(
    store: ConversationStore, kept: Kept, exchange: Exchange, filters: Filters, *, replaced: str = ""
) -> Kept:
    """Write an exchange, and before it what could not be written earlier; never raises an error of the store.

    :param filters: those set by hand when it was asked
    :param replaced: the id of an exchange in whose place it stands
    """
    waiting = [one for one in kept.pending if one.exchange.id not in (exchange.id, replaced)]
    waiting.append(Pending(exchange, filters, replaced))
    if not kept.user:
        return replace(kept, problem="cookie", pending=tuple(waiting))
    conversation = kept.conversation
    try:
        if not conversation:
            conversation = store.begin(kept.user, waiting[0].exchange.question)
        while waiting:
            first = waiting[0]
            store.put(kept.user, conversation, first.exchange, first.filters, replaced=first.replaced)
            waiting.pop(0)
    except TooMany:
        return Kept(kept.user, conversation, "long" if conversation else "many", tuple(waiting))
    except NoSuchConversation:
        return Kept(kept.user, conversation, "gone", tuple(waiting))
    except StorageFull:
        logger.exception("A conversation could not be kept.")
        return Kept(kept.user, conversation, "full", tuple(waiting))
    except WenzhengError:
        logger.exception("A conversation could not be kept.")
        return Kept(kept.user, conversation, "failed", tuple(waiting))
    return Kept(kept.user, conversation)


def judge(store: ConversationStore, kept: Kept, exchange: str, verdict: Thumb) -> None:
    """Note a verdict with the conversation; one that cannot be written is told in the log, for feedback has it, too."""
    if not (kept.user and kept.conversation):
        return
    try:
        store.judge(kept.user, kept.conversation, exchange, verdict)
    except WenzhengError:
        logger.exception("A verdict could not be noted with its conversation.")
