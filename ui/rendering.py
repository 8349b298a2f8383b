"""What the page shows, as HTML: pure functions from answers to markup.

Everything that reaches this module is untrusted: documents, file names, questions and what the model wrote.
Each piece of it goes through `html.escape` here, at the one place where it becomes markup; none of it is read
as Markdown. Of an answer's text only paragraphs, line breaks, plain lists and ``[n]`` are given a form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final, Literal, Protocol

from rag.errors import WenzhengError
from rag.feedback import MAX_BETTER, MAX_COMMENT, Reason, Thumb
from rag.filters import body_label, dates_label, undated_note
from rag.filters import parts as filter_parts
from rag.types import Answer, Chunk, Citation, Claim, Filters, Passage, Source
from ui.texts import TEXTS, Language, Texts, error_heading

Phase = Literal["queued", "searching", "loading", "reading", "writing", "done", "stopped", "failed"]

RUNNING: Final[frozenset[Phase]] = frozenset({"queued", "searching", "loading", "reading", "writing"})

_MARKER = re.compile(r"\[(\d{1,3})\]")
_BULLET = re.compile(r"\s*[-*•·]\s+")
_ORDINAL = re.compile(r"\s*(\d{1,2})(?:[.)]\s+|、\s*)")
_QUOTE_LIMIT = 160
_THUMB = (
    '<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" focusable="false"><path d="M7 9v7.5H4.2a.7.7 0 0 1'
    "-.7-.7V9.7a.7.7 0 0 1 .7-.7H7Zm0 0 3-6c1.2 0 2 .8 2 2v2.8h3.3c1 0 1.7.9 1.5 1.8l-1.1 5.5c-.2.8-.8 1.4-1.6 1.4H7"
    '"/></svg>'
)
"""A thumb up in outline; style turns it over for the other one."""


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


def render_exchange(exchange: Exchange, language: Language, *, past: bool = False) -> str:
    """One question with its answer, or with what stands in its place; filters of a ``past`` one can't be removed."""
    texts = TEXTS[language]
    question = (
        f'<div class="wz-question"><h2 class="wz-hidden">{escape(texts.question_label)}</h2>'
        f"<p>{escape(exchange.question)}</p></div>"
    )
    busy = ' aria-busy="true"' if exchange.phase in RUNNING else ""
    return (
        f'<article class="wz-exchange" data-turn="{exchange.number}" data-phase="{exchange.phase}"{busy}>'
        f"{question}{_searched(exchange, texts)}{_in_force(exchange, language, past)}{_reply(exchange, language)}"
        "</article>"
    )


def render_exchanges(exchanges: Iterable[Exchange], language: Language) -> str:
    """Earlier questions with their answers, oldest first."""
    return "".join(render_exchange(exchange, language, past=True) for exchange in exchanges)


def render_answer_text(answer: Answer, turn: int, texts: Texts) -> str:
    """The answer's text: paragraphs, lists, links to sources; what failed the check is struck through."""
    if not answer.text.strip():
        return ""
    inline = _Inline(answer, turn, texts)
    blocks: list[str] = []
    paragraph: list[str] = []
    items: list[str] = []
    kind = ""

    def flush() -> None:
        nonlocal kind
        if paragraph:
            blocks.append(f"<p>{'<br>'.join(paragraph)}</p>")
            paragraph.clear()
        if items:
            blocks.append(f"<{kind}>{''.join(items)}</{kind}>")
            items.clear()
        kind = ""

    position = 0
    for line in answer.text.split("\n"):
        start, end = position, position + len(line)
        position = end + 1
        bullet = _BULLET.match(line)
        ordinal = _ORDINAL.match(line)
        if not line.strip():
            flush()
        elif bullet or ordinal:
            wanted = "ul" if bullet else "ol"
            if kind != wanted:
                flush()
            kind = wanted
            match = bullet or ordinal
            body = inline.render(start + (match.end() if match else 0), end)
            # The number is kept as written: an answer may begin at 3, or skip one.
            items.append(
                f'<li value="{int(ordinal.group(1))}">{body}</li>' if ordinal else f"<li>{body}</li>"
            )
        else:
            if items:
                flush()
            paragraph.append(inline.render(start, end))
    flush()
    return "".join(blocks)


def render_sources(exchange: Exchange, language: Language, *, past: bool = False) -> str:
    """The evidence of one question: what the answer cites, sentences marked, then what else was found."""
    texts = TEXTS[language]
    answer = exchange.answer
    if answer is None or not (answer.passages or answer.citations):
        return ""
    turn = exchange.number
    cited = group_citations(answer.citations)
    used = {_identity(citation.passage) for citations in cited.values() for citation in citations}
    others = [passage for passage in answer.passages if _identity(passage) not in used]
    parts: list[str] = []
    if exchange.phase in RUNNING and not cited:
        parts += [_heading(texts.sources_found, len(others)), *(_plain_source(p, texts) for p in others)]
    elif answer.outcome == "refused" or not cited:
        heading = texts.sources_nearest if answer.outcome == "refused" else texts.sources_found
        # A refusal rests on no sentence: nothing is marked even where a citation has slipped in.
        parts += [
            _heading(heading, len(answer.passages)),
            *(_plain_source(p, texts) for p in answer.passages),
        ]
    else:
        parts.append(_heading(texts.sources_cited, len(cited)))
        parts += [_cited_source(number, found, turn, texts) for number, found in cited.items()]
        if others:
            parts.append(
                f'<details class="wz-others"><summary>{escape(texts.sources_other)}'
                f'<span class="wz-count">{len(others)}</span></summary>'
                f"{''.join(_plain_source(p, texts) for p in others)}</details>"
            )
    top = ""
    if past:
        top = (
            f'<div class="wz-past-head"><p><span>{escape(texts.sources_past)}</span>'
            f"{escape(exchange.question)}</p>"
            f'<button type="button" class="wz-link" data-action="latest">'
            f"{escape(texts.sources_latest)}</button></div>"
        )
    return (
        f'<section class="wz-sources" data-turn="{turn}" aria-label="{escape(texts.sources_title)}">'
        f"{top}{''.join(parts)}</section>"
    )


def render_no_sources(language: Language) -> str:
    """What the panel says before the first question."""
    return f'<p class="wz-placeholder">{escape(TEXTS[language].sources_empty)}</p>'


def render_marked(chunk: Chunk, citations: Sequence[Citation]) -> str:
    """The passage with the cited ranges marked.

    A citation may reach out of its passage on either side, or lie beside it: its quote then supplies the text
    that the passage lacks, and a gap that neither covers is shown as one.
    """
    pieces: list[str] = []
    marks = _union((c.start, c.end) for c in citations)
    previous: int | None = None
    for start, text in _evidence(chunk, citations):
        if previous is not None:
            pieces.append('<span class="wz-gap">……</span>')
        position = start
        end = start + len(text)
        for mark_start, mark_end in marks:
            left, right = max(mark_start, start), min(mark_end, end)
            if left >= right:
                continue
            pieces.append(escape(text[position - start : left - start]))
            pieces.append(f"<mark>{escape(text[left - start : right - start])}</mark>")
            position = right
        pieces.append(escape(text[position - start :]))
        previous = end
    return "".join(pieces)


def group_citations(citations: Iterable[Citation]) -> dict[int, list[Citation]]:
    """The citations of each number, in the order of the numbers."""
    grouped: dict[int, list[Citation]] = {}
    for citation in sorted(citations, key=lambda c: (c.number, c.start)):
        grouped.setdefault(citation.number, []).append(citation)
    return grouped


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


def render_panel_head(language: Language) -> str:
    """The heading of the sources panel, with the button that closes it where it is a sheet."""
    texts = TEXTS[language]
    return (
        f'<div class="wz-panel-head"><h2 id="wz-sources-title">{escape(texts.sources_title)}</h2>'
        f'<button type="button" class="wz-small wz-close" data-action="close">'
        f"{escape(texts.sources_close)}</button></div>"
    )


def render_connection(language: Language) -> str:
    """What the page says when its service has gone or come back anew; its script shows the one that is true."""
    texts = TEXTS[language]
    return (
        f'<p class="wz-lost" role="alert">{escape(texts.connection_lost)}</p>'
        f'<p class="wz-restarted" role="alert">{escape(texts.service_restarted)} '
        f'<button type="button" class="wz-link" data-action="reload">{escape(texts.reload)}</button></p>'
    )


def render_filter_form(bodies: Sequence[str], language: Language) -> str:
    """The control that restricts questions: a body of the library, and a stretch of time.

    :param bodies: full names; the list is left out where there are none
    """
    texts = TEXTS[language]
    options = "".join(
        f'<option value="{escape(name)}">{escape(_headed(body_label(name, language)))}</option>'
        for name in bodies
    )
    choice = (
        f'<label><span>{escape(texts.filter_body)}</span><select name="body">'
        f'<option value="">{escape(texts.filter_any_body)}</option>{options}</select></label>'
    )
    dates = "".join(
        f'<label><span>{escape(words)}</span><input type="date" name="{name}" min="1900-01-01" max="2100-12-31"></label>'
        for name, words in (("since", texts.filter_since), ("until", texts.filter_until))
    )
    return (
        f'<details class="wz-filter"><summary>{escape(texts.filter_title)}</summary>'
        f'<form class="wz-filter-form" aria-label="{escape(texts.filter_title)}">{choice if options else ""}{dates}</form></details>'
    )


def render_chosen(filters: Filters, language: Language) -> str:
    """The filters set by hand, each with a button that removes it; the page's script sets the form by them."""
    chips = _chips(filters, language, 'data-drop="{name}"')
    return (
        f'<div data-body="{escape(filters.bodies[0] if filters.bodies else "")}" '
        f'data-since="{escape(filters.since or "")}" data-until="{escape(filters.until or "")}">{chips}</div>'
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


def announcement(exchange: Exchange, language: Language) -> str:
    """The words of `render_announcement`: the answer only when it is whole, not at every word."""
    texts = TEXTS[language]
    answer = exchange.answer
    if exchange.phase == "done" and answer is not None:
        body = _MARKER.sub("", answer.text).strip() or answer.reason
        title = _outcome_title(answer, texts)
        return " ".join(part for part in (texts.announce_done, title, body) if part)
    if exchange.phase == "stopped":
        return texts.announce_stopped
    # A failure is announced by its own role="alert".
    return "" if exchange.phase == "failed" else texts.announce_working


def _headed(words: str) -> str:
    return words[:1].upper() + words[1:]


def _searched(exchange: Exchange, texts: Texts) -> str:
    """What was searched for, where that is not what was typed: a follow-up completed, a name put right."""
    answer = exchange.answer
    if answer is None or not answer.restated:
        return ""
    return f'<p class="wz-soft wz-searched">{escape(texts.searched.format(question=answer.standalone))}</p>'


def _in_force(exchange: Exchange, language: Language, past: bool) -> str:
    """The filters under which a question was answered; those of the newest can be removed, which asks it again."""
    answer = exchange.answer
    if answer is None or not answer.filters:
        return ""
    removable = exchange.id and not past and exchange.phase not in RUNNING
    control = f'data-refine="{{name}}" data-answer="{escape(exchange.id)}"' if removable else ""
    # A refusal says it itself.
    note = undated_note(answer.undated, language) if answer.outcome != "refused" else ""
    more = f'<p class="wz-soft">{escape(note)}</p>' if note else ""
    return f'<div class="wz-in-force">{_chips(answer.filters, language, control)}{more}</div>'


def _chips(filters: Filters, language: Language, control: str) -> str:
    """Each restriction in a few words; ``control`` are the attributes of its button, with ``{name}`` for its name."""
    texts = TEXTS[language]
    items = []
    for name, part in filter_parts(filters):
        words = _headed(
            body_label(part.bodies[0], language)
            if part.bodies
            else texts.filter_speaker.format(name=part.speaker)
            if part.speaker
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


def _reply(exchange: Exchange, language: Language) -> str:
    texts = TEXTS[language]
    answer = exchange.answer
    title = f'<h2 class="wz-hidden">{escape(texts.answer_label)}</h2>'
    text = render_answer_text(answer, exchange.number, texts) if answer is not None else ""
    body = f'<div class="wz-text">{text}</div>' if text else ""
    if exchange.phase in RUNNING:
        return f'<div class="wz-answer">{title}{body}{_progress(exchange, texts)}</div>'
    if exchange.phase == "failed":
        failure = exchange.error or Failure("Unexpected", texts.unexpected_what.format(kind="?"))
        shown = render_failure(failure, language, question=exchange.question)
        return f'<div class="wz-answer">{title}{body}{shown}</div>'
    if exchange.phase == "stopped" or answer is None:
        notice = _notice("wz-stopped", texts.stopped_title, texts.stopped_text if text else "")
        return f'<div class="wz-answer">{title}{body}{notice}{_actions(exchange, texts)}</div>'
    return (
        f'<div class="wz-answer" data-outcome="{answer.outcome}">{title}'
        f"{_outcome(answer, body, texts)}{_closing(exchange, texts)}</div>"
    )


def _outcome(answer: Answer, body: str, texts: Texts) -> str:
    title = _outcome_title(answer, texts)
    if not title:
        return body
    reason = answer.reason.strip()
    if answer.outcome == "partial":
        return _notice("wz-partial", title, reason) + body
    # Where the pipeline gives the reason as the text as well, it is said once.
    text = "" if answer.text.strip() == reason else body
    more = texts.outcome_refused_more if answer.outcome == "refused" and answer.passages else ""
    return _notice(f"wz-{answer.outcome}", title, reason, text, more)


def _outcome_title(answer: Answer, texts: Texts) -> str:
    titles = {
        "answered": "",
        "partial": texts.outcome_partial,
        "refused": texts.outcome_refused,
        "clarify": texts.outcome_clarify,
    }
    return titles[answer.outcome]


def _notice(kind: str, title: str, reason: str, inner: str = "", more: str = "") -> str:
    paragraph = f"<p>{escape(reason)}</p>" if reason else ""
    last = f'<p class="wz-soft">{escape(more)}</p>' if more else ""
    return f'<div class="wz-notice {kind}"><h3>{escape(title)}</h3>{paragraph}{inner}{last}</div>'


def _progress(exchange: Exchange, texts: Texts) -> str:
    words = {
        "queued": texts.phase_queued.format(ahead=exchange.ahead),
        "searching": texts.phase_searching,
        "loading": texts.phase_loading,
        "reading": texts.phase_reading,
        "writing": texts.phase_writing,
    }[exchange.phase]
    line = f'<p class="wz-progress"><span class="wz-pulse" aria-hidden="true"></span>{escape(words)}</p>'
    button = _sources_button(exchange, texts)
    return line + (f'<p class="wz-actions">{button}</p>' if button else "")


def _closing(exchange: Exchange, texts: Texts) -> str:
    """What stands below a finished answer: its buttons, and the form for what is wrong with it."""
    actions = _actions(exchange, texts)
    if not exchange.id:
        return actions
    return (
        f'<div class="wz-feedback" data-answer="{escape(exchange.id)}" data-lost="{escape(texts.feedback_lost)}">'
        f'{actions}<p class="wz-said" role="status"></p>{_feedback_form(texts)}</div>'
    )


def _thumbs(exchange: Exchange, texts: Texts) -> str:
    buttons = "".join(
        f'<button type="button" class="wz-thumb" data-rate="{verdict}" aria-label="{escape(label)}" '
        f'title="{escape(label)}" aria-pressed="{str(exchange.verdict == verdict).lower()}">{_THUMB}</button>'
        for verdict, label in (("up", texts.feedback_up), ("down", texts.feedback_down))
    )
    return (
        f'<span class="wz-thumbs" role="group" aria-label="{escape(texts.feedback_label)}">{buttons}</span>'
    )


def _feedback_form(texts: Texts) -> str:
    reasons: Mapping[Reason, str] = {
        "off_topic": texts.reason_off_topic,
        "contradicts": texts.reason_contradicts,
        "incomplete": texts.reason_incomplete,
        "wrong_source": texts.reason_wrong_source,
        "should_answer": texts.reason_should_answer,
        "other": texts.reason_other,
    }
    choices = "".join(
        f'<label><input type="radio" name="reason" value="{reason}"><span>{escape(words)}</span></label>'
        for reason, words in reasons.items()
    )
    return (
        f'<form class="wz-form" hidden><fieldset><legend>{escape(texts.feedback_reason)}</legend>'
        f'<div class="wz-reasons">{choices}</div></fieldset>'
        f"<label><span>{escape(texts.feedback_comment)}</span>"
        f'<input type="text" name="comment" maxlength="{MAX_COMMENT}" autocomplete="off"></label>'
        f"<label><span>{escape(texts.feedback_better)}</span>"
        f'<textarea name="better" rows="3" maxlength="{MAX_BETTER}"></textarea></label>'
        f'<p class="wz-actions"><button type="submit" class="wz-small wz-submit">{escape(texts.feedback_send)}</button>'
        f'<button type="button" class="wz-small" data-action="cancel">{escape(texts.feedback_cancel)}</button></p>'
        "</form>"
    )


def _actions(exchange: Exchange, texts: Texts) -> str:
    answer = exchange.answer
    parts: list[str] = []
    button = _sources_button(exchange, texts)
    if button:
        parts.append(button)
    if answer is not None and answer.text.strip() and exchange.phase == "done":
        parts.append(
            f'<button type="button" class="wz-small" data-copy="{escape(_copy_text(answer))}" '
            f'data-done="{escape(texts.copied)}">{escape(texts.copy)}</button>'
        )
    if exchange.phase == "stopped":
        parts.append(
            f'<button type="button" class="wz-small" data-ask="{escape(exchange.question)}">'
            f"{escape(texts.retry)}</button>"
        )
    seconds = answer.timings.get("done") if answer is not None else None
    if seconds is not None and exchange.phase == "done":
        parts.append(
            f'<span class="wz-elapsed">{escape(texts.elapsed.format(seconds=f"{seconds:.1f}"))}</span>'
        )
    if exchange.id and exchange.phase == "done":
        parts.append(_thumbs(exchange, texts))
    return f'<p class="wz-actions">{"".join(parts)}</p>' if parts else ""


def _sources_button(exchange: Exchange, texts: Texts) -> str:
    """The button that raises the sources where they are a sheet; style hides it where they stand beside."""
    answer = exchange.answer
    if answer is None:
        return ""
    cited = 0 if answer.outcome == "refused" else len(group_citations(answer.citations))
    count = cited or len(answer.passages)
    if not count:
        return ""
    return (
        f'<button type="button" class="wz-small wz-open" data-action="sources" '
        f'data-turn="{exchange.number}">{escape(texts.show_sources.format(count=count))}</button>'
    )


def _copy_text(answer: Answer) -> str:
    """The answer for the clipboard, its sources written out below so that the numbers keep their meaning."""
    lines = [
        f"[{number}] {_title(found[0].passage.source)}（{_file_name(found[0].passage.source.path)}）"
        for number, found in group_citations(answer.citations).items()
    ]
    return "\n\n".join(part for part in (answer.text.strip(), "\n".join(lines)) if part)


def _heading(text: str, count: int) -> str:
    return f'<h3>{escape(text)}<span class="wz-count">{count}</span></h3>' if count else ""


def _cited_source(number: int, citations: Sequence[Citation], turn: int, texts: Texts) -> str:
    passage = citations[0].passage
    label = escape(texts.source_label.format(number=number))
    return (
        f'<article class="wz-source" id="{source_id(turn, number)}" tabindex="-1" aria-label="{label}">'
        f'<header><span class="wz-number" aria-hidden="true">{number}</span>'
        f"{_source_head(passage, texts)}</header>"
        f"<blockquote>{_where(passage)}{render_marked(_trimmed(passage.chunk), citations)}</blockquote>"
        "</article>"
    )


def _plain_source(passage: Passage, texts: Texts) -> str:
    return (
        f'<article class="wz-source"><header>{_source_head(passage, texts)}</header>'
        f"<blockquote>{_where(passage)}{escape(passage.chunk.text.strip())}</blockquote></article>"
    )


def _source_head(passage: Passage, texts: Texts) -> str:
    source = passage.source
    facts = [escape(source.published) if source.published else escape(texts.undated)]
    if source.issuer:
        facts.append(escape(source.issuer))
    if passage.chunk.page is not None:
        facts.append(escape(texts.page.format(page=passage.chunk.page)))
    facts.append(
        f'<span class="wz-file" title="{escape(source.path)}">{escape(_file_name(source.path))}</span>'
    )
    inner = "".join(f"<span>{fact}</span>" for fact in facts[:-1]) + facts[-1]
    return f'<div><h4>{escape(_title(source))}</h4><p class="wz-facts">{inner}</p></div>'


def _where(passage: Passage) -> str:
    heading = passage.chunk.heading.strip()
    return f'<span class="wz-where">{escape(heading)}</span>' if heading else ""


def source_id(turn: int, number: int) -> str:
    """The id of a cited source's element, which ``[n]`` in the answer links to."""
    return f"wz-{turn}-source-{number}"


def _title(source: Source) -> str:
    return source.title.strip() or _file_name(source.path)


def _file_name(path: str) -> str:
    # A library built on Windows may be read elsewhere: both kinds of separator are understood.
    name = PureWindowsPath(path).name if "\\" in path else PurePosixPath(path).name
    return name or path


def _identity(passage: Passage) -> tuple[str, int, int]:
    return passage.chunk.document_id, passage.chunk.start, passage.chunk.end


def _trimmed(chunk: Chunk) -> Chunk:
    """The chunk without white space around it, which would be shown as empty lines."""
    lead = len(chunk.text) - len(chunk.text.lstrip())
    text = chunk.text.strip()
    return replace(chunk, text=text, start=chunk.start + lead, end=chunk.start + lead + len(text))


def _evidence(chunk: Chunk, citations: Sequence[Citation]) -> list[tuple[int, str]]:
    """What passage and quotes supply of the document's text: stretches (start, text), apart and in order."""
    spans = [(chunk.start, chunk.text)]
    spans += [
        (c.start, c.quote)
        for c in citations
        # Text whose length belies its offsets would put every mark after it in the wrong place.
        if c.passage.chunk.document_id == chunk.document_id and len(c.quote) == c.end - c.start
    ]
    spans.sort(key=lambda span: span[0])
    merged: list[tuple[int, str]] = []
    for start, text in spans:
        if merged and start <= merged[-1][0] + len(merged[-1][1]):
            first, so_far = merged[-1]
            merged[-1] = (first, so_far + text[first + len(so_far) - start :])
        else:
            merged.append((start, text))
    return merged


def _union(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


class _Inline:
    """Renders stretches of an answer's text: escapes, links ``[n]``, strikes what failed the check."""

    def __init__(self, answer: Answer, turn: int, texts: Texts) -> None:
        self._text = answer.text
        self._turn = turn
        self._texts = texts
        # A refusal shows its passages unnumbered, so there is nothing that a number could lead to.
        self._cited = {} if answer.outcome == "refused" else group_citations(answer.citations)
        self._struck = sorted(
            (claim for claim in answer.claims if claim.verdict == "unsupported"),
            key=lambda claim: claim.start,
        )

    def render(self, start: int, end: int) -> str:
        """The stretch ``text[start:end]``."""
        parts: list[str] = []
        position = start
        for claim in self._struck:
            left, right = max(claim.start, position), min(claim.end, end)
            if left >= right:
                continue
            parts.append(self._linked(position, left))
            parts.append(self._strike(claim, left, right))
            position = right
        parts.append(self._linked(position, end))
        return "".join(parts)

    def _strike(self, claim: Claim, start: int, end: int) -> str:
        texts = self._texts
        why = texts.unsupported.format(reason=claim.reason) if claim.reason else texts.unsupported_plain
        return f'<del class="wz-unsupported" title="{escape(why)}">{self._linked(start, end)}</del>'

    def _linked(self, start: int, end: int) -> str:
        parts: list[str] = []
        position = start
        for match in _MARKER.finditer(self._text, start, end):
            parts.append(escape(self._text[position : match.start()]))
            parts.append(self._reference(int(match.group(1)), match.group(0)))
            position = match.end()
        parts.append(escape(self._text[position:end]))
        return "".join(parts)

    def _reference(self, number: int, marker: str) -> str:
        found = self._cited.get(number)
        if not found:
            return f'<span class="wz-ref-open">{escape(marker)}</span>'
        quote = " …… ".join(" ".join(c.quote.split()) for c in found)
        if len(quote) > _QUOTE_LIMIT:
            quote = quote[: _QUOTE_LIMIT - 1] + "…"
        label = self._texts.source_label.format(number=number)
        return (
            f'<a class="wz-ref" href="#{source_id(self._turn, number)}" data-turn="{self._turn}" '
            f'data-source="{number}" data-title="{escape(_title(found[0].passage.source))}" '
            f'data-quote="{escape(quote)}" aria-label="{escape(f"{label}: {quote}")}">{escape(marker)}</a>'
        )
