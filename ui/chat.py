"""The chat: a conversation with the library, its answers as they are written, its sources beside them.

`Conversations` is the chat without a page: it yields `View`s, each naming only what changed. `build_chat`
puts it on a page. All state of a visitor is in a `Session`, which Gradio keeps for each open page.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
import weakref
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, cast, get_args

import gradio as gr
from gradio.events import api as add_endpoint

from rag.bodies import BODIES
from rag.errors import QuestionError, WenzhengError
from rag.feedback import FOLDER, MAX_BETTER, MAX_COMMENT, Feedback, FeedbackStore, Reason, Thumb
from rag.filters import iso_date, parts, published_within, restriction, without
from rag.serialization import answer_record
from rag.settings import Settings
from rag.types import Answer, Filters, Turn
from ui.rendering import (
    RUNNING,
    Exchange,
    Failure,
    ModelState,
    Overview,
    Phase,
    announcement,
    render_announcement,
    render_brand,
    render_chosen,
    render_connection,
    render_exchange,
    render_exchanges,
    render_failure,
    render_filter_form,
    render_hint,
    render_no_sources,
    render_note,
    render_panel_head,
    render_rated,
    render_sources,
    render_status,
    render_welcome,
)
from ui.texts import TEXTS, Language, choose_language, error_heading

logger = logging.getLogger(__name__)

PLACES: Final = 8
"""Questions answered at the same time; the others wait in line and are told their place."""

WAITING_ROOM: Final = 32
"""Questions under way or in line. Each holds one of Gradio's 40 threads; stopping one needs one, too."""

HISTORY_TURNS: Final = 10
"""Earlier messages that the pipeline is given with a question."""

_FRAME: Final = 0.08
"""Shortest time between two updates of a page, in seconds: more would be work for the browser and unseen."""

_PULSE: Final = 1.0
"""Longest time without an update. Gradio notices only at an update that a browser has gone."""

RATINGS: Final = 200
"""How often one open page may give feedback, so that it cannot fill the disk."""

_POLL: Final = 2.0
"""Seconds between two looks at a model that is not ready yet."""


_EVENT: Final = "document.addEventListener('wz-{name}', (event) => trigger('submit', event.detail));"
"""How the page's script hands feedback and filters over to Gradio, which sends them with the page's own session."""


class AnswerSource(Protocol):
    """What answers questions: the pipeline, or a scripted one in tests."""

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        stop: threading.Event | None = None,
        *,
        filters: Filters | None = None,
        read: bool = True,
    ) -> Iterator[Answer]:
        """Growing snapshots of one answer, the last with ``done``; ends early once `stop` is set.

        ``filters`` restrict the search; ``read`` is whether restrictions that the question states do, too.
        """

    @property
    def model_status(self) -> ModelState:
        """Where the chat model stands."""

    def overview(self) -> Overview:
        """What the library holds."""


class Line:
    """A waiting line with so many places at its head, first come, first served."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._tickets: list[object] = []

    def enter(self) -> object:
        """Join at the end; the ticket is to be given back with `leave`."""
        ticket = object()
        with self._lock:
            self._tickets.append(ticket)
        return ticket

    def ahead(self, ticket: object) -> int:
        """How many must leave before it is this ticket's turn; 0 when it is, or when it has left."""
        with self._lock:
            if ticket not in self._tickets:
                return 0
            return max(0, self._tickets.index(ticket) - self._places + 1)

    def leave(self, ticket: object) -> None:
        """Give the place free; a second time does nothing."""
        with self._lock:
            if ticket in self._tickets:
                self._tickets.remove(ticket)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Wait for a place and hold it."""
        ticket = self.enter()
        try:
            while self.ahead(ticket):
                time.sleep(_FRAME)
            yield
        finally:
            self.leave(ticket)


class Run:
    """One question on its way through the pipeline, read in a thread of its own.

    The thread lets "stop" act at once, also while the pipeline waits for the model: the page stops listening,
    and the thread closes the pipeline's generator as soon as it gets the word back. The place in line is held
    until then, so that asking and stopping over and over cannot pile up work.
    """

    def __init__(
        self,
        source: AnswerSource,
        line: Line,
        question: str,
        history: Sequence[Turn],
        filters: Filters,
        read: bool,
    ) -> None:
        self.question = question
        self._filters = filters
        self._restrictions_read = read
        self.stop = threading.Event()
        self._source = source
        self._line = line
        self._history = tuple(history)
        self._ticket = line.enter()
        self._changed = threading.Condition()
        self._answer: Answer | None = None
        self._failure: WenzhengError | Exception | None = None
        self._finished = False
        self._thread: threading.Thread | None = None

    @property
    def ahead(self) -> int:
        """How many questions are before this one; 0 once it is its turn."""
        return 0 if self._thread else self._line.ahead(self._ticket)

    def start(self) -> None:
        """Begin to read, once it is this question's turn."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._read, name="wenzheng-answer", daemon=True)
            self._thread.start()

    def cancel(self) -> None:
        """Stop the answer; the place is given free when the pipeline has let go."""
        self.stop.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is None:
            self._line.leave(self._ticket)

    def wait(self, seen: Answer | None, timeout: float) -> tuple[Answer | None, bool]:
        """The newest snapshot, and whether it is the last: returns when it is not `seen`, or after `timeout`.

        :raises Exception: what the pipeline raised, after its last snapshot has been returned
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._answer is not seen or self._finished or self.stop.is_set(), timeout
            )
            if self._answer is seen and self._failure is not None:
                raise self._failure
            return self._answer, self._finished and self._failure is None

    def _read(self) -> None:
        try:
            stream = self._source.stream(
                self.question,
                self._history,
                self.stop,
                filters=self._filters,
                read=self._restrictions_read,
            )
            try:
                for answer in stream:
                    if self.stop.is_set():
                        break
                    with self._changed:
                        self._answer = answer
                        self._changed.notify_all()
            finally:
                # An iterator need not be a generator, but one left open keeps its connection to the model.
                close = getattr(stream, "close", None)
                if close is not None:
                    close()
        except Exception as error:  # noqa: BLE001 - carried over to the page's thread, which raises it there
            with self._changed:
                self._failure = error
        finally:
            self._line.leave(self._ticket)
            with self._changed:
                self._finished = True
                self._changed.notify_all()


@dataclass(slots=True)
class Session:
    """What one open page has: its language, its conversation so far, the question under way, the filters set by hand."""

    language: Language = "zh-Hans"
    past: list[Exchange] = field(default_factory=list)
    current: Exchange | None = None
    run: Run | None = None
    ratings: int = 0
    filters: Filters = field(default_factory=Filters)

    def __deepcopy__(self, memo: dict[int, Any]) -> Session:
        """A new session: Gradio copies the initial value of a state for each page that opens."""
        return Session()

    @property
    def exchanges(self) -> list[Exchange]:
        """All questions of the conversation, the newest last."""
        return [*self.past, *([self.current] if self.current else [])]

    def history(self, before: Exchange | None = None) -> tuple[Turn, ...]:
        """The conversation for the pipeline: what was answered, not what was stopped and so never checked.

        :param before: only what came before this question
        """
        turns: list[Turn] = []
        for exchange in self.exchanges:
            if before is not None and exchange.number >= before.number:
                break
            answer = exchange.answer
            if exchange.phase == "done" and answer is not None:
                asked = exchange.question
                # What the visitor took away of it does not come back with the next question.
                turns.append(Turn("user", asked if exchange.read else restriction(asked).rest or asked))
                turns.append(Turn("assistant", answer.text.strip() or answer.reason))
        return tuple(turns[-HISTORY_TURNS:])


@dataclass(frozen=True, slots=True)
class View:
    """What changes on the page: HTML for its parts, None where a part stays as it is."""

    welcome: str | None = None
    past: str | None = None
    live: str | None = None
    past_sources: str | None = None
    live_sources: str | None = None
    hint: str | None = None
    announcement: str | None = None
    status: str | None = None
    rated: str | None = None
    form: str | None = None
    chosen: str | None = None
    box: str | None = None
    running: bool | None = None
    polling: bool | None = None

    def without(self, shown: View) -> View:
        """Only what `shown` does not already have on the page."""
        return View(
            **{
                name: None if getattr(self, name) == getattr(shown, name) else getattr(self, name)
                for name in self.__slots__
            }
        )

    def over(self, shown: View) -> View:
        """What is on the page after this view has been put over `shown`."""
        return View(
            **{
                name: getattr(shown, name) if getattr(self, name) is None else getattr(self, name)
                for name in self.__slots__
            }
        )


class Conversations:
    """Answers the questions of all sessions. Holds no visitor's data; safe to use from several threads."""

    def __init__(self, source: AnswerSource, settings: Settings, places: int = PLACES) -> None:
        self._source = source
        self._settings = settings
        self._feedback = FeedbackStore(settings.home / FOLDER)
        self._line = Line(places)
        self._lock = threading.Lock()
        self._runs: weakref.WeakSet[Run] = weakref.WeakSet()

    def close(self) -> None:
        """Stop all answers that are being written."""
        with self._lock:
            runs = list(self._runs)
        for run in runs:
            run.cancel()

    def open(self, session: Session, accept_language: str | None) -> View:
        """A page has been opened: settle its language and say what there is."""
        session.language = choose_language(accept_language, self._settings.language)
        return self._blank(session)

    def reset(self, session: Session) -> View:
        """Begin a new conversation; a question under way is stopped."""
        if session.run is not None:
            session.run.cancel()
        with self._lock:
            session.run = session.current = None
            session.past = []
            session.filters = Filters()
        return replace(self._blank(session), running=False, box="")

    def stop(self, session: Session) -> None:
        """Stop the answer that is being written."""
        if session.run is not None:
            session.run.cancel()

    def status(self, session: Session) -> View:
        """The status line, and whether it is to be looked at again soon."""
        try:
            overview: Overview | None = self._source.overview()
        except WenzhengError:
            # It is shown where it stops somebody: when the page opens, and when a question is asked.
            overview = None
        model = self._source.model_status
        return View(
            status=render_status(overview, model, session.language),
            polling=model.state in ("loading", "restarting"),
        )

    def ask(
        self, session: Session, question: str, filters: Filters | None = None, *, read: bool = True
    ) -> Generator[View, None, None]:
        """Answer a question: one view for each change of the page, the last when the answer is whole.

        :param filters: what to restrict the search to; by default what the visitor has set by hand
        :param read: whether restrictions that the question states hold
        """
        question = question.strip()
        refusal = self._objection(session, question)
        if refusal:
            yield View(hint=render_hint(refusal))
            return
        language = session.language
        history = session.history()
        in_force = session.filters if filters is None else filters
        run = Run(self._source, self._line, question, history, in_force, read)
        with self._lock:
            if session.current is not None:
                session.past = [*session.past, _settled(session.current)]
            number, id_ = len(session.past) + 1, secrets.token_hex(8)
            exchange = Exchange(number, question, "searching", id=id_, read=read)
            self._runs.add(run)
            session.run, session.current = run, exchange
        shown = replace(
            self._exchange_view(exchange, language),
            welcome="",
            past=render_exchanges(session.past, language),
            past_sources="".join(render_sources(e, language, past=True) for e in session.past),
            hint=render_hint(""),
            box="",
            running=True,
        )
        phase: Phase | None = None
        try:
            yield shown
            for step in self._follow(run, exchange, language):
                if session.run is not run:
                    # A new conversation has been begun: the page is no longer this question's.
                    return
                session.current = step
                view = self._exchange_view(step, language)
                if step.phase != phase:
                    # The model's state may have changed with it; not at every frame, for it asks the library.
                    phase = step.phase
                    now = self.status(session)
                    view = replace(view, status=now.status, polling=now.polling)
                yield view.without(shown)
                shown = view.over(shown)
        finally:
            # Also when the browser has gone in mid-answer: Gradio then closes this generator.
            run.cancel()
            if session.run is run:
                session.run = None
        yield replace(self.status(session), running=False)

    def refine(self, session: Session, sent: object) -> Generator[View, None, None]:
        """Ask a question of the session again without one of the filters that were in force.

        :param sent: what the page sent: ``answer`` (its id) and ``part``, the filter's name in `rag.filters.parts`; it
            may be anything, and what is not of an answer of the session is told to be unusable
        """
        given = sent if isinstance(sent, dict) else {}
        exchange = next((e for e in session.exchanges if e.id and e.id == given.get("answer")), None)
        answer = exchange.answer if exchange is not None else None
        name = given.get("part")
        if (
            exchange is None
            or answer is None
            or not isinstance(name, str)
            or name not in dict(parts(answer.filters))
        ):
            yield View(hint=render_hint(TEXTS[session.language].filter_unknown))
            return
        if session.run is None or session.run.stop.is_set():
            session.filters = without(session.filters, name)
            yield View(chosen=render_chosen(session.filters, session.language))
        yield from self.ask(session, exchange.question, without(answer.filters, name), read=False)

    def narrow(self, session: Session, sent: object) -> View:
        """Set the filters that hold for the next questions of the conversation, or take one away.

        :param sent: what the page sent: ``drop`` (a name in `rag.filters.parts`), or ``body``, ``since`` and ``until``,
            each empty for any. It may be anything: what makes no filter is told so, and changes nothing.
        """
        given = sent if isinstance(sent, dict) else {}
        texts = TEXTS[session.language]
        if isinstance(given.get("drop"), str):
            session.filters = without(session.filters, given["drop"])
        else:
            body, since, until = (given.get(key, "") for key in ("body", "since", "until"))
            if not all(isinstance(value, str) for value in (body, since, until)):
                return View(hint=render_hint(texts.filter_unknown))
            first, last = iso_date(since), iso_date(until)
            known = not body or body in {one.name for one in BODIES}
            if not known or (since and first is None) or (until and last is None):
                return View(hint=render_hint(texts.filter_unknown))
            if first and last and not published_within(first, None, last):
                return View(hint=render_hint(texts.filter_order))
            bodies = (body,) if body else ()
            session.filters = replace(session.filters, bodies=bodies, since=first, until=last)
        return View(chosen=render_chosen(session.filters, session.language), hint=render_hint(""))

    def rate(self, session: Session, sent: object) -> View:
        """Store what a visitor thinks of one of the session's own answers.

        :param sent: what the page sent: ``answer`` (its id), ``verdict``, and with a form ``reason``, ``comment``,
            ``better``. It may be anything: what is malformed, too long or about another's answer is refused.
        """
        language = session.language
        texts = TEXTS[language]
        given = sent if isinstance(sent, dict) else {}
        id_, verdict, reason = given.get("answer"), given.get("verdict"), given.get("reason", "")
        comment, better = given.get("comment", ""), given.get("better", "")
        session.ratings += 1

        def outcome(text: str, stored: Thumb | None = None) -> View:
            shown = id_[:64] if isinstance(id_, str) else ""
            return View(rated=render_rated(shown, stored, text, session.ratings))

        exchange = next((e for e in session.exchanges if e.id == id_ and e.phase == "done"), None)
        known = verdict in get_args(Thumb) and reason in get_args(Reason)
        if exchange is None or exchange.answer is None or not known:
            return outcome(texts.feedback_unknown)
        if not (isinstance(comment, str) and isinstance(better, str)):
            return outcome(texts.feedback_unknown)
        for text, limit in ((comment, MAX_COMMENT), (better, MAX_BETTER)):
            if len(text) > limit:
                return outcome(texts.feedback_too_long.format(limit=limit))
        if session.ratings > RATINGS:
            return outcome(texts.feedback_too_many)
        thumb = cast("Thumb", verdict)
        feedback = Feedback.of(
            exchange.id,
            thumb,
            exchange.answer,
            self._settings,
            question=exchange.question,
            history=session.history(exchange),
            reason=cast("Reason", reason),
            comment=comment.strip(),
            better=better.strip(),
        )
        try:
            self._feedback.append(feedback)
        except WenzhengError as error:
            logger.exception("Feedback could not be stored.")
            return outcome(texts.feedback_failed.format(reason=error_heading(texts, error.code)))
        with self._lock:
            # The conversation may have gone on meanwhile, and the answer with it into the past.
            session.past = [_judged(e, exchange.id, thumb) for e in session.past]
            if session.current is not None:
                session.current = _judged(session.current, exchange.id, thumb)
        if thumb == "none":
            return outcome(texts.feedback_taken_back, thumb)
        asks = thumb == "down" and "reason" not in given
        return outcome(texts.feedback_tell_more if asks else texts.feedback_thanks, thumb)

    def answer(self, question: str) -> dict[str, Any]:
        """The whole answer to one question that stands alone, for programs.

        :raises WenzhengError: as the pipeline raises it
        """
        question = question.strip()
        objection = self._length_objection(question, "en")
        if objection:
            raise QuestionError(objection)
        final: Answer | None = None
        with self._line.place():
            for snapshot in self._source.stream(question):
                final = snapshot
        if final is None:
            raise WenzhengError("The pipeline gave no answer.", "Ask again.")
        return answer_record(final)

    def _follow(self, run: Run, exchange: Exchange, language: Language) -> Iterator[Exchange]:
        """The exchange as it goes on, at most once a frame, at least once a pulse; the last one is final."""
        while not run.stop.is_set() and (ahead := run.ahead):
            yield replace(exchange, phase="queued", ahead=ahead)
            run.stop.wait(_FRAME * 3)
        if not run.stop.is_set():
            run.start()
            yield exchange
        answer: Answer | None = None
        last = False
        try:
            while not last and not run.stop.is_set():
                began = time.monotonic()
                answer, last = run.wait(answer, _PULSE)
                if not last and not run.stop.is_set():
                    yield replace(exchange, phase=self._phase(answer), answer=answer)
                    run.stop.wait(max(0.0, _FRAME - (time.monotonic() - began)))
        except WenzhengError as error:
            yield replace(exchange, phase="failed", answer=answer, error=Failure.of(error))
            return
        except Exception as error:
            # Whatever it is, the visitor sees that it failed, and the log has all of it.
            logger.exception("A question failed with an error that is not one of the service's own.")
            failure = _unexpected(type(error).__name__, language)
            yield replace(exchange, phase="failed", answer=answer, error=failure)
            return
        if answer is not None and answer.done:
            yield replace(exchange, phase="done", answer=answer)
        elif run.stop.is_set():
            yield replace(exchange, phase="stopped", answer=answer)
        else:
            logger.error("The pipeline ended without a finished answer to a question.")
            failure = _unexpected("unfinished answer", language)
            yield replace(exchange, phase="failed", answer=answer, error=failure)

    def _phase(self, answer: Answer | None) -> Phase:
        if answer is None:
            return "searching"
        if answer.text:
            return "writing"
        return "loading" if self._source.model_status.state in ("loading", "restarting") else "reading"

    def _exchange_view(self, exchange: Exchange, language: Language) -> View:
        return View(
            live=render_exchange(exchange, language),
            live_sources=render_sources(exchange, language),
            announcement=render_announcement(announcement(exchange, language)),
        )

    def _objection(self, session: Session, question: str) -> str:
        if session.run is not None and not session.run.stop.is_set():
            return TEXTS[session.language].hint_running
        return self._length_objection(question, session.language)

    def _length_objection(self, question: str, language: Language) -> str:
        texts = TEXTS[language]
        limit = self._settings.max_question_chars
        if not question:
            return texts.hint_empty
        if len(question) > limit:
            return texts.hint_too_long.format(count=len(question), limit=limit)
        return ""

    def _blank(self, session: Session) -> View:
        language = session.language
        bodies: tuple[str, ...] = ()
        try:
            overview = self._source.overview()
            welcome, bodies = render_welcome(overview, language), overview.bodies
        except WenzhengError as error:
            welcome = render_failure(Failure.of(error), language)
        return replace(
            self.status(session),
            welcome=welcome,
            past="",
            live="",
            past_sources="",
            live_sources=render_no_sources(language),
            hint=render_hint(""),
            announcement=render_announcement(""),
            rated="",
            form=render_filter_form(bodies, language),
            chosen=render_chosen(session.filters, language),
        )


def _settled(exchange: Exchange) -> Exchange:
    """The exchange as it goes into the past: nothing there is still being written."""
    return replace(exchange, phase="stopped") if exchange.phase in RUNNING else exchange


def _judged(exchange: Exchange, id_: str, verdict: Thumb) -> Exchange:
    return replace(exchange, verdict=verdict) if exchange.id == id_ else exchange


def _unexpected(kind: str, language: Language) -> Failure:
    texts = TEXTS[language]
    return Failure("Unexpected", texts.unexpected_what.format(kind=kind), texts.unexpected_fix)


def build_chat(page: gr.Blocks, source: AnswerSource, settings: Settings) -> Conversations:
    """Put the chat on the page that is being built, with its events and the API endpoint ``/ask``."""
    conversations = Conversations(source, settings)
    state = gr.State(Session())
    timer = gr.Timer(_POLL, active=False)
    with gr.Column(elem_id="wz-app"):
        with gr.Row(elem_id="wz-header"):
            brand = _html("wz-brand")
            status = _html("wz-status")
            fresh = gr.Button("", elem_id="wz-fresh", size="sm")
        connection = _html("wz-connection")
        with gr.Row(elem_id="wz-main"):
            with gr.Column(elem_id="wz-chat"):
                with gr.Column(elem_id="wz-scroll"):
                    welcome, past, live = _html("wz-welcome"), _html("wz-past"), _html("wz-live")
                with gr.Column(elem_id="wz-composer"):
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
        announced = _html("wz-announcement")
        rated = _html("wz-rated", "rate")
        refined = _html("wz-refined", "refine")

    elements = [
        *(welcome, past, live, past_sources, live_sources, hint, announced, status, rated),
        *(form, chosen),
        *(box, send, stop, timer),
    ]
    words = [brand, connection, panel_head, note, fresh]

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
        ]

    def opened(session: Session, request: gr.Request) -> list[Any]:
        view = conversations.open(session, request.headers.get("accept-language"))
        language = session.language
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
        ]

    def asked(session: Session, question: str) -> Iterator[list[Any]]:
        with closing(conversations.ask(session, question or "")) as views:
            for view in views:
                yield updates(view)

    def asked_again(session: Session, event: gr.EventData) -> Iterator[list[Any]]:
        with closing(conversations.refine(session, event._data)) as views:
            for view in views:
                yield updates(view)

    def narrowed(session: Session, event: gr.EventData) -> list[Any]:
        return updates(conversations.narrow(session, event._data))

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
