"""A question with its answer, or with what stands in its place, as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from rag.feedback import MAX_BETTER, MAX_COMMENT, Reason
from rag.filters import undated_note
from rag.types import Answer
from ui.rendering.page import chips, render_failure
from ui.rendering.sources import file_name, group_citations, title_of
from ui.rendering.text import MARKER, render_answer_text
from ui.rendering.types import RUNNING, Exchange, Failure
from ui.texts import TEXTS, Language, Texts

_THUMB = (
    '<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" focusable="false"><path d="M7 9v7.5H4.2a.7.7 0 0 1'
    "-.7-.7V9.7a.7.7 0 0 1 .7-.7H7Zm0 0 3-6c1.2 0 2 .8 2 2v2.8h3.3c1 0 1.7.9 1.5 1.8l-1.1 5.5c-.2.8-.8 1.4-1.6 1.4H7"
    '"/></svg>'
)


"""A thumb up in outline; style turns it over for the other one."""


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


def announcement(exchange: Exchange, language: Language) -> str:
    """The words of `render_announcement`: the answer only when it is whole, not at every word."""
    texts = TEXTS[language]
    answer = exchange.answer
    if exchange.phase == "done" and answer is not None:
        body = MARKER.sub("", answer.text).strip() or answer.reason
        title = _outcome_title(answer, texts)
        return " ".join(part for part in (texts.announce_done, title, body) if part)
    if exchange.phase == "stopped":
        return texts.announce_stopped
    # A failure is announced by its own role="alert".
    return "" if exchange.phase == "failed" else texts.announce_working


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
    return f'<div class="wz-in-force">{chips(answer.filters, language, control)}{more}</div>'


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
        f"[{number}] {title_of(found[0].passage.source)}（{file_name(found[0].passage.source.path)}）"
        for number, found in group_citations(answer.citations).items()
    ]
    return "\n\n".join(part for part in (answer.text.strip(), "\n".join(lines)) if part)
