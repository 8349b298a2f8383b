"""What the page shows, as HTML: pure functions from answers to markup.

Everything that reaches this module is untrusted: documents, file names, questions and what the model wrote.
Each piece of it goes through `html.escape` here, at the one place where it becomes markup; none of it is read
as Markdown. Of an answer's text only paragraphs, line breaks, plain lists and ``[n]`` are given a form.
"""

from ui.rendering.exchanges import announcement, render_exchange, render_exchanges
from ui.rendering.page import (
    render_announcement,
    render_brand,
    render_chosen,
    render_connection,
    render_failure,
    render_filter_form,
    render_hint,
    render_note,
    render_rated,
    render_status,
    render_welcome,
)
from ui.rendering.sources import (
    group_citations,
    render_marked,
    render_no_sources,
    render_panel_head,
    render_sources,
    source_id,
)
from ui.rendering.text import render_answer_text
from ui.rendering.types import RUNNING, Exchange, Failure, ModelState, Overview, Phase

__all__ = [
    "RUNNING",
    "Exchange",
    "Failure",
    "ModelState",
    "Overview",
    "Phase",
    "announcement",
    "group_citations",
    "render_announcement",
    "render_answer_text",
    "render_brand",
    "render_chosen",
    "render_connection",
    "render_exchange",
    "render_exchanges",
    "render_failure",
    "render_filter_form",
    "render_hint",
    "render_marked",
    "render_no_sources",
    "render_note",
    "render_panel_head",
    "render_rated",
    "render_sources",
    "render_status",
    "render_welcome",
    "source_id",
]
