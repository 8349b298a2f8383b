"""What the page shows of kept conversations, as HTML: the list with its controls, what is said of keeping. Pure.

Titles are what visitors wrote: everything is escaped here, where it becomes markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Final

from ui.conversations.keeping import Problem
from ui.conversations.records import MAX_TITLE, Summary
from ui.conversations.store import MAX_CONVERSATIONS, MAX_EXCHANGES, MAX_QUERY, Listing
from ui.exporting import FORMATS
from ui.rendering import RUNNING, Exchange
from ui.texts import TEXTS, Language, Texts

_LINES: Final = (
    '<svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true" focusable="false">'
    '<path d="M3 5h14M3 10h14M3 15h9"/></svg>'
)

_DOTS: Final = (
    '<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" focusable="false">'
    '<circle cx="4.5" cy="10" r="1.5"/><circle cx="10" cy="10" r="1.5"/><circle cx="15.5" cy="10" r="1.5"/></svg>'
)


def render_history_button(language: Language) -> str:
    """The button in the page's head that opens and closes the list."""
    title = escape(TEXTS[language].history_title)
    return (
        f'<button type="button" id="wz-history-toggle" aria-expanded="false" aria-controls="wz-history" '
        f'title="{title}" aria-label="{title}">{_LINES}<span>{title}</span></button>'
    )


def render_history_head(language: Language) -> str:
    """What stands above the list: its title and the search field."""
    texts = TEXTS[language]
    return (
        f'<div class="wz-history-head"><h2 id="wz-history-title">{escape(texts.history_title)}</h2>'
        f'<button type="button" class="wz-small" data-history="close" aria-label="{escape(texts.history_close)}">'
        f"{escape(texts.sources_close)}</button></div>"
        f'<form class="wz-history-search" role="search"><input type="search" name="query" maxlength="{MAX_QUERY}" '
        f'autocomplete="off" aria-label="{escape(texts.history_search)}" '
        f'placeholder="{escape(texts.history_search_hint)}"></form>'
    )


def render_history(
    listing: Listing, language: Language, *, current: str = "", query: str = "", problem: str = ""
) -> str:
    """The list of a visitor's conversations.

    :param current: the id of the one on the page
    :param query: what is searched for
    :param problem: why something could not be done, plain text
    """
    texts = TEXTS[language]
    notes = ""
    if problem:
        notes += f'<p class="wz-history-problem" role="alert">{escape(problem)}</p>'
    if listing.damaged:
        notes += (
            f'<p class="wz-history-problem">{escape(texts.history_damaged.format(count=listing.damaged))}</p>'
        )
    searched = bool(query.strip())
    if not listing.conversations:
        words = texts.history_none if searched and listing.total else texts.history_empty
        return f'{notes}<p class="wz-history-empty" role="status">{escape(words)}</p>'
    found = texts.history_found.format(count=len(listing.conversations)) if searched else ""
    items = "".join(_item(summary, summary.id == current, texts) for summary in listing.conversations)
    return (
        f'{notes}<p class="wz-history-found" role="status">{escape(found)}</p>'
        f'<ul class="wz-history-items">{items}</ul>'
    )


def render_last(
    exchange: Exchange | None, language: Language, conversation: str = "", followups: Sequence[str] = ()
) -> str:
    """What can be done with the last question once it is no longer under way.

    :param conversation: the id under which it is kept, so that the page's script sees that the list has changed
    :param followups: questions to go on with
    """
    if exchange is None or exchange.phase in RUNNING or not exchange.id:
        return ""
    texts = TEXTS[language]
    again = (
        f'<button type="button" class="wz-small" data-last="again">{escape(texts.again)}</button>'
        if exchange.phase == "done"
        else ""
    )
    asked = "".join(
        f'<li><button type="button" class="wz-example" data-ask="{escape(question)}">{escape(question)}</button></li>'
        for question in followups
    )
    suggestions = (
        f'<div class="wz-followups"><h3>{escape(texts.followups_title)}</h3><ul class="wz-examples">{asked}</ul></div>'
        if asked
        else ""
    )
    return (
        f'<p class="wz-actions wz-last" data-answer="{escape(exchange.id)}" '
        f'data-conversation="{escape(conversation)}">{again}'
        f'<button type="button" class="wz-small" data-last="edit">{escape(texts.edit_question)}</button></p>{suggestions}'
    )


def render_editing(exchange: Exchange | None, language: Language) -> str:
    """Above the box, that what is sent replaces the last question; empty with no exchange that is being edited."""
    if exchange is None:
        return ""
    texts = TEXTS[language]
    return (
        f'<p class="wz-editing" role="status" data-answer="{escape(exchange.id)}"><span>{escape(texts.editing)}</span>'
        f'<button type="button" class="wz-link" data-last="cancel">{escape(texts.editing_cancel)}</button></p>'
    )


def render_unkept(problem: Problem, language: Language) -> str:
    """Above the box, that the conversation is not being kept, and why; empty where it is."""
    texts = TEXTS[language]
    words = {
        "": "",
        "cookie": texts.history_cookie,
        "full": texts.unkept_full,
        "failed": texts.unkept_failed,
        "many": texts.unkept_many.format(limit=MAX_CONVERSATIONS),
        "long": texts.unkept_long.format(limit=MAX_EXCHANGES),
        "gone": texts.unkept_gone,
    }[problem]
    return f'<p class="wz-unkept" role="status">{escape(words)}</p>' if words else ""


def _item(summary: Summary, current: bool, texts: Texts) -> str:
    title = escape(summary.title)
    here = ' aria-current="true"' if current else ""
    time = local_time(summary.updated)
    more = escape(texts.history_more.format(title=summary.title))
    exports = "".join(
        f'<a href="wenzheng/conversations/{escape(summary.id)}/export?format={name}" download>'
        f"{escape(texts.history_export.format(format=shown))}</a>"
        for name, shown in FORMATS.items()
    )
    return (
        f'<li class="wz-history-item" data-id="{escape(summary.id)}"{here}>'
        f'<div class="wz-history-row"><button type="button" class="wz-history-open" data-history="open"{here} '
        f'title="{title}"><span class="wz-history-name">{title}</span>'
        f'<span class="wz-history-facts"><time datetime="{escape(summary.updated)}">{escape(time)}</time>'
        f"<span>{escape(texts.history_count.format(count=summary.count))}</span></span></button>"
        f'<details class="wz-history-more"><summary aria-label="{more}" title="{more}">'
        f'{_DOTS}</summary><div class="wz-history-menu">'
        f'<button type="button" data-history="naming">{escape(texts.history_rename)}</button>{exports}'
        f'<button type="button" class="wz-danger" data-history="deleting">{escape(texts.history_delete)}</button>'
        "</div></details></div>"
        f'<form class="wz-history-naming" hidden><input type="text" name="title" maxlength="{MAX_TITLE}" '
        f'value="{title}" aria-label="{escape(texts.history_name)}" autocomplete="off" required>'
        f'<p class="wz-actions"><button type="submit" class="wz-small wz-submit">{escape(texts.history_save)}</button>'
        f'<button type="button" class="wz-small" data-history="cancel">{escape(texts.history_cancel)}</button></p>'
        f'</form><div class="wz-history-deleting" role="group" hidden>'
        f"<p>{escape(texts.history_delete_ask.format(title=summary.title))}</p>"
        f'<p class="wz-actions"><button type="button" class="wz-small wz-delete" data-history="delete">'
        f'{escape(texts.history_delete)}</button><button type="button" class="wz-small" data-history="cancel">'
        f"{escape(texts.history_cancel)}</button></p></div></li>"
    )


def local_time(iso: str) -> str:
    """An ISO date and time as the service's own clock shows it, to the minute; as it is where it is malformed."""
    try:
        return datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return iso
