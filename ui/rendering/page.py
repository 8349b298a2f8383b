"""The parts of the page around the conversation, as HTML: welcome, status, filters, notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from rag.feedback import Thumb
from rag.filters import body_label, dates_label
from rag.filters import parts as filter_parts
from rag.types import Filters
from ui.rendering.types import Failure, ModelState, Overview
from ui.texts import TEXTS, Language, error_heading


def render_welcome(overview: Overview, language: Language) -> str:
    """The page before the first question: what this is, and questions to begin with."""
    texts = TEXTS[language]
    if overview.documents == 0:
        return (
            f'<div class="wz-welcome"><h2>{escape(texts.empty_title)}</h2>'
            f"<p>{escape(texts.empty_text)}</p></div>"
        )
    examples = "".join(
        f'<li><button type="button" class="wz-example" data-ask="{escape(question)}">'
        f"{escape(question)}</button></li>"
        for question in overview.examples
    )
    suggestions = (
        f'<h3>{escape(texts.examples_title)}</h3><ul class="wz-examples">{examples}</ul>' if examples else ""
    )
    return (
        f'<div class="wz-welcome"><h2>{escape(texts.welcome_title)}</h2>'
        f"<p>{escape(texts.welcome_text)}</p>{suggestions}</div>"
    )


def render_failure(failure: Failure, language: Language, *, question: str = "") -> str:
    """An error as what it is: what happened, what to do, and the question to ask again if there was one."""
    texts = TEXTS[language]
    fix = f'<p class="wz-fix">{escape(failure.fix)}</p>' if failure.fix else ""
    again = (
        f'<p class="wz-actions"><button type="button" class="wz-small" data-ask="{escape(question)}">'
        f"{escape(texts.retry)}</button></p>"
        if question
        else ""
    )
    return (
        f'<div class="wz-notice wz-error" role="alert"><h3>{escape(error_heading(texts, failure.code))}</h3>'
        f"<p>{escape(failure.what)}</p>{fix}{again}</div>"
    )


def render_brand(language: Language) -> str:
    """The name of the service and what it does."""
    texts = TEXTS[language]
    return (
        f'<div class="wz-brand" lang="{texts.tag}"><h1>{escape(texts.brand)}</h1>'
        f"<p>{escape(texts.tagline)}</p></div>"
    )


def render_status(overview: Overview | None, model: ModelState | None, language: Language) -> str:
    """The status line: how the model is, how many documents there are and of what date the newest is."""
    texts = TEXTS[language]
    words: Mapping[str, str] = {
        "stopped": texts.model_stopped,
        "loading": texts.model_loading,
        "ready": texts.model_ready,
        "restarting": texts.model_restarting,
        "failed": texts.model_failed,
    }
    parts: list[str] = []
    if model is not None:
        state = model.state if model.state in words else "stopped"
        detail = f' title="{escape(model.detail)}"' if model.detail else ""
        parts.append(
            f'<span class="wz-model" data-state="{state}"{detail}>'
            f'<span class="wz-dot" aria-hidden="true"></span>{escape(words[state])}</span>'
        )
    if overview is not None:
        count = (
            texts.status_documents.format(documents=f"{overview.documents:,}")
            if overview.documents
            else texts.status_empty
        )
        parts.append(f"<span>{escape(count)}</span>")
        if overview.documents and overview.latest:
            parts.append(f"<span>{escape(texts.status_latest.format(date=overview.latest))}</span>")
    return f'<p class="wz-status" role="status">{"".join(parts)}</p>'


def render_connection(language: Language) -> str:
    """What the page says when its service has gone or come back anew; its script shows the one that is true."""
    texts = TEXTS[language]
    return (
        f'<p class="wz-lost" role="alert">{escape(texts.connection_lost)}</p>'
        f'<p class="wz-restarted" role="alert">{escape(texts.service_restarted)} '
        f'<button type="button" class="wz-link" data-action="reload">{escape(texts.reload)}</button></p>'
    )


def render_filter_form(bodies: Sequence[str], language: Language, collections: Sequence[str] = ()) -> str:
    """The control that restricts questions: a body of the library, a stretch of time, a collection.

    :param bodies: full names; the list is left out where there are none
    :param collections: names; the list is left out where there are none
    """
    texts = TEXTS[language]
    options = "".join(
        f'<option value="{escape(name)}">{escape(headed(body_label(name, language)))}</option>'
        for name in bodies
    )
    choice = (
        f'<label><span>{escape(texts.filter_body)}</span><select name="body">'
        f'<option value="">{escape(texts.filter_any_body)}</option>{options}</select></label>'
    )
    groups = "".join(f'<option value="{escape(name)}">{escape(name)}</option>' for name in collections)
    group = (
        f'<label><span>{escape(texts.filter_collection)}</span><select name="collection">'
        f'<option value="">{escape(texts.filter_any_body)}</option>{groups}</select></label>'
    )
    dates = "".join(
        f'<label><span>{escape(words)}</span><input type="date" name="{name}" min="1900-01-01" max="2100-12-31"></label>'
        for name, words in (("since", texts.filter_since), ("until", texts.filter_until))
    )
    return (
        f'<details class="wz-filter"><summary>{escape(texts.filter_title)}</summary>'
        f'<form class="wz-filter-form" aria-label="{escape(texts.filter_title)}">{choice if options else ""}{dates}{group if groups else ""}</form></details>'
    )


def render_chosen(filters: Filters, language: Language) -> str:
    """The filters set by hand, each with a button that removes it; the page's script sets the form by them."""
    found = chips(filters, language, 'data-drop="{name}"')
    return (
        f'<div data-body="{escape(filters.bodies[0] if filters.bodies else "")}" '
        f'data-since="{escape(filters.since or "")}" data-until="{escape(filters.until or "")}" '
        f'data-collection="{escape(filters.collection)}">{found}</div>'
    )


def render_hint(text: str) -> str:
    """A remark under the question box; the element stays, so that a screen reader hears its text change."""
    return f'<p class="wz-hint" role="alert">{escape(text)}</p>'


def render_note(language: Language) -> str:
    """The line under the question box: its keys, and to check before quoting."""
    return f'<p class="wz-note">{escape(TEXTS[language].composer_note)}</p>'


def render_rated(answer: str, verdict: Thumb | None, text: str, serial: int) -> str:
    """What has become of feedback, for the page's script, which shows it at the answer.

    :param answer: the answer's id as the page sent it
    :param verdict: what now stands, None where nothing was stored
    :param serial: another for each, so that the same outcome twice is a change of the page
    """
    stored = f' data-verdict="{verdict}"' if verdict is not None else ""
    return f'<p data-answer="{escape(answer)}"{stored} data-serial="{serial}">{escape(text)}</p>'


def render_announcement(text: str) -> str:
    """What a screen reader is told politely: that an answer has begun, and once it is whole, the answer."""
    return f'<div role="status" aria-live="polite">{escape(text)}</div>'


def headed(words: str) -> str:
    """The words with a capital at their beginning."""
    return words[:1].upper() + words[1:]


def chips(filters: Filters, language: Language, control: str) -> str:
    """Each restriction in a few words; ``control`` are the attributes of its button, with ``{name}`` for its name."""
    texts = TEXTS[language]
    items = []
    for name, part in filter_parts(filters):
        words = headed(
            body_label(part.bodies[0], language)
            if part.bodies
            else texts.filter_speaker.format(name=part.speaker)
            if part.speaker
            else texts.filter_collection_chip.format(name=part.collection)
            if part.collection
            else dates_label(part, language)
        )
        label = escape(texts.filter_remove.format(name=words))
        button = (
            f'<button type="button" {control.replace("{name}", escape(name))} aria-label="{label}" title="{label}">'
            '<span aria-hidden="true">×</span></button>'
            if control
            else ""
        )
        items.append(f'<li class="wz-chip"><span>{escape(words)}</span>{button}</li>')
    if not items:
        return ""
    return f'<ul class="wz-chips" aria-label="{escape(texts.filter_label)}">{"".join(items)}</ul>'
