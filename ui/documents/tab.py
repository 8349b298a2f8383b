"""The documents' tab on the page: its place, and the switch between it and the chat. Its script fills it."""

from __future__ import annotations

from html import escape
from typing import Final

import gradio as gr

from ui.documents.texts import DOCUMENT_TEXTS
from ui.texts import Language
from ui.viewing.texts import VIEWER_TEXTS

_NAMES: Final = {"zh-Hans": "简体中文", "zh-Hant": "繁體中文", "en": "English"}


def build_documents() -> None:
    """Put the place of the documents' tab on the page that is being built."""
    with gr.Column(elem_id="wz-documents"):
        gr.HTML("", elem_id="wz-documents-place", apply_default_css=False, js_on_load=None)


def render_tabs(language: Language, *, documents: bool, viewer: bool = False) -> str:
    """The switch between the page's tabs, where there is more than one, and the choice of its language.

    :param viewer: whether whole documents can be shown
    """
    texts = DOCUMENT_TEXTS[language]
    tabs = "".join(
        f'<button type="button" data-tab="{name}"{current}>{escape(words)}</button>'
        for name, words, current in (
            ("chat", texts.tab_chat, ' aria-current="page"'),
            ("documents", texts.tab_documents, ""),
        )
    )
    switch = f'<nav class="wz-tabs" aria-label="{escape(texts.tabs)}">{tabs}</nav>' if documents else ""
    options = "".join(
        f'<option value="{code}" lang="{code}"{" selected" if code == language else ""}>{name}</option>'
        for code, name in _NAMES.items()
    )
    shown = VIEWER_TEXTS[language]
    words = " ".join(
        f'data-{name}="{escape(getattr(shown, name))}"' for name in ("loading", "offline", "retry", "back")
    )
    known = f'<span id="wz-view-words" hidden {words}></span>' if viewer else ""
    return (
        f'{known}<div class="wz-head-controls">{switch}<select class="wz-language" aria-label="{escape(texts.language)}">'
        f"{options}</select></div>"
    )
