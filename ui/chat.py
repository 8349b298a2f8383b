"""The chat on a page: its parts, its events, and the endpoint ``/ask`` for programs.

What happens is `ui.conversing`; here it is joined to Gradio, which keeps a `Session` for each open page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any, Final

import gradio as gr
from gradio.events import api as add_endpoint

from rag.errors import WenzhengError
from rag.settings import Settings
from ui.conversations.panel import (
    render_history_button,
    render_history_head,
)
from ui.conversations.users import user_of
from ui.conversing import PLACES, Conversations
from ui.documents.tab import build_documents, render_tabs
from ui.languages import language_of
from ui.rendering import (
    render_brand,
    render_connection,
    render_note,
    render_panel_head,
)
from ui.runs import AnswerSource
from ui.session import Session, View
from ui.texts import TEXTS

WAITING_ROOM: Final = 32
"""Questions under way or in line. Each holds one of Gradio's 40 threads; stopping one needs one, too."""

_POLL: Final = 2.0
"""Seconds between two looks at a model that is not ready yet."""

_EVENT: Final = "document.addEventListener('wz-{name}', (event) => trigger('submit', event.detail));"
"""How the page's script hands feedback and filters over to Gradio, which sends them with the page's own session."""


def build_chat(
    page: gr.Blocks,
    source: AnswerSource,
    settings: Settings,
    *,
    documents: bool = False,
    viewer: bool = False,
) -> Conversations:
    """Put the chat on the page that is being built, with its events and the API endpoint ``/ask``.

    :param documents: whether there is a tab of documents beside it
    :param viewer: whether the documents themselves can be shown
    """
    conversations = Conversations(source, settings)
    state = gr.State(Session())
    timer = gr.Timer(_POLL, active=False)
    with gr.Column(elem_id="wz-app"):
        with gr.Row(elem_id="wz-header"):
            brand = _html("wz-brand")
            tabs = _html("wz-tabs")
            status = _html("wz-status")
            toggle = _html("wz-history-button")
            fresh = gr.Button("", elem_id="wz-fresh", size="sm")
        connection = _html("wz-connection")
        with gr.Row(elem_id="wz-main"):
            with gr.Column(elem_id="wz-history"):
                history_head = _html("wz-history-top")
                history = _html("wz-history-list", "history")
            with gr.Column(elem_id="wz-chat"):
                with gr.Column(elem_id="wz-scroll"):
                    welcome, past, live = _html("wz-welcome"), _html("wz-past"), _html("wz-live")
                    last = _html("wz-last", "last")
                with gr.Column(elem_id="wz-composer"):
                    unkept, editing = _html("wz-unkept"), _html("wz-editing")
                    hint = _html("wz-hint")
                    chosen = _html("wz-chosen", "narrow")
                    with gr.Row(elem_id="wz-ask"):
                        box = gr.Textbox(
                            lines=1,
                            max_lines=6,
                            show_label=False,
                            container=False,
                            autofocus=True,
                            elem_id="wz-box",
                        )
                        send = gr.Button("", variant="primary", elem_id="wz-send")
                        stop = gr.Button("", elem_id="wz-stop", visible=False)
                    with gr.Row(elem_id="wz-below"):
                        form = _html("wz-filter")
                        note = _html("wz-note")
            with gr.Column(elem_id="wz-panel"):
                panel_head = _html("wz-panel-head")
                with gr.Column(elem_id="wz-panel-scroll"):
                    past_sources, live_sources = _html("wz-past-sources"), _html("wz-live-sources")
        if documents:
            build_documents()
        announced = _html("wz-announcement")
        rated = _html("wz-rated", "rate")
        refined = _html("wz-refined", "refine")

    elements = [
        *(welcome, past, live, past_sources, live_sources, hint, announced, status, rated),
        *(form, chosen),
        *(box, send, stop, timer),
        *(last, editing, unkept, history),
    ]
    words = [brand, connection, panel_head, note, fresh, toggle, history_head, tabs]

    def updates(view: View) -> list[Any]:
        html = (
            *(view.welcome, view.past, view.live, view.past_sources, view.live_sources),
            *(view.hint, view.announcement, view.status, view.rated, view.form, view.chosen),
        )
        return [
            *(gr.skip() if value is None else value for value in html),
            gr.skip() if view.box is None else view.box,
            gr.skip() if view.running is None else gr.update(visible=not view.running),
            gr.skip() if view.running is None else gr.update(visible=view.running),
            gr.skip() if view.polling is None else gr.Timer(active=view.polling),
            *(
                gr.skip() if value is None else value
                for value in (view.last, view.editing, view.unkept, view.history)
            ),
        ]

    def opened(session: Session, request: gr.Request) -> list[Any]:
        language = language_of(request.headers, settings.language)
        view = conversations.open(session, language, user_of(request.cookies))
        texts = TEXTS[language]
        changes = updates(view)
        at = elements.index(box)
        changes[at] = gr.update(placeholder=texts.box_placeholder, label=texts.box_label)
        changes[at + 1] = gr.update(value=texts.send)
        changes[at + 2] = gr.update(value=texts.stop)
        return [
            *changes,
            render_brand(language),
            render_connection(language),
            render_panel_head(language),
            render_note(language),
            gr.update(value=texts.new_chat),
            render_history_button(language),
            render_history_head(language),
            render_tabs(language, documents=documents, viewer=viewer),
        ]

    def asked(session: Session, question: str, request: gr.Request) -> Iterator[list[Any]]:
        if not session.exchanges:
            # A page that outlived its service has a new session, of which the service does not know whose it is.
            session.kept = replace(session.kept, user=user_of(request.cookies))
        with closing(conversations.ask(session, question or "")) as views:
            for view in views:
                yield updates(view)

    def asked_again(session: Session, event: gr.EventData) -> Iterator[list[Any]]:
        with closing(conversations.refine(session, event._data)) as views:
            for view in views:
                yield updates(view)

    def narrowed(session: Session, event: gr.EventData) -> list[Any]:
        return updates(conversations.narrow(session, event._data))

    def browsed(session: Session, event: gr.EventData, request: gr.Request) -> list[Any]:
        return updates(conversations.browse(session, event._data, user_of(request.cookies)))

    def replaced(session: Session, event: gr.EventData) -> Iterator[list[Any]]:
        with closing(conversations.again(session, event._data)) as views:
            for view in views:
                yield updates(view)

    def stopped(session: Session) -> None:
        conversations.stop(session)

    def begun(session: Session) -> list[Any]:
        return updates(conversations.reset(session))

    def judged(session: Session, event: gr.EventData) -> list[Any]:
        return updates(conversations.rate(session, event._data))

    def ticked(session: Session) -> list[Any]:
        return updates(conversations.status(session))

    def ask(question: str) -> dict[str, Any]:
        """Answer one question from the library: text, outcome, claims, citations and passages."""
        try:
            return conversations.answer(question)
        except WenzhengError as error:
            raise gr.Error(f"{error.code}: {error}", print_exception=False) from error

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    page.load(opened, [state], [*elements, *words], queue=False, **quiet)
    gr.on(
        [box.submit, send.click],
        asked,
        [state, box],
        elements,
        concurrency_limit=WAITING_ROOM,
        trigger_mode="once",
        **quiet,
    )
    refined.submit(
        asked_again, [state], elements, concurrency_limit=WAITING_ROOM, trigger_mode="once", **quiet
    )
    chosen.submit(narrowed, [state], elements, trigger_mode="multiple", queue=False, **quiet)
    last.submit(replaced, [state], elements, concurrency_limit=WAITING_ROOM, trigger_mode="once", **quiet)
    history.submit(browsed, [state], elements, trigger_mode="multiple", queue=False, **quiet)
    stop.click(stopped, [state], None, queue=False, **quiet)
    fresh.click(begun, [state], elements, queue=False, **quiet)
    rated.submit(judged, [state], elements, trigger_mode="multiple", queue=False, **quiet)
    timer.tick(ticked, [state], elements, queue=False, **quiet)
    add_endpoint(ask, api_name="ask", concurrency_limit=PLACES)
    return conversations


def _html(name: str, event: str = "") -> gr.HTML:
    """A part of the page; ``event`` is that of the page's script which it hands over to Gradio."""
    # The default js_on_load would turn each click into a request to the server.
    script = _EVENT.format(name=event) if event else None
    return gr.HTML("", elem_id=name, apply_default_css=False, js_on_load=script)
