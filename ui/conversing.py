"""The chat without a page: questions and what else a visitor does, answered by `View`s, each naming only what changed.

All state of a visitor is in a `Session`; `ui.chat` puts it on a page.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
import weakref
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any, Final, cast, get_args

from rag.bodies import BODIES
from rag.errors import QuestionError, WenzhengError
from rag.feedback import FOLDER, MAX_BETTER, MAX_COMMENT, Feedback, FeedbackStore, Reason, Thumb
from rag.filters import iso_date, parts, published_within, without
from rag.serialization import answer_record
from rag.settings import Settings
from rag.types import Answer, Filters
from ui.conversations.keeping import Kept, judge, put
from ui.conversations.panel import (
    render_editing,
    render_history,
    render_last,
    render_unkept,
)
from ui.conversations.records import Conversation
from ui.conversations.store import FOLDER as CONVERSATIONS
from ui.conversations.store import ConversationStore, Listing, NoSuchConversation
from ui.rendering import (
    RUNNING,
    Exchange,
    Failure,
    Overview,
    Phase,
    announcement,
    render_announcement,
    render_chosen,
    render_exchange,
    render_exchanges,
    render_failure,
    render_filter_form,
    render_hint,
    render_no_sources,
    render_rated,
    render_sources,
    render_status,
    render_welcome,
)
from ui.runs import FRAME, AnswerSource, Line, Run
from ui.session import Session, View
from ui.texts import TEXTS, Language, error_heading

logger = logging.getLogger(__name__)

PLACES: Final = 8
"""Questions answered at the same time; the others wait in line and are told their place."""

_PULSE: Final = 1.0
"""Longest time without an update. Gradio notices only at an update that a browser has gone."""

RATINGS: Final = 200
"""How often one open page may give feedback, so that it cannot fill the disk."""


class Conversations:
    """Answers the questions of all sessions. Holds no visitor's data; safe to use from several threads."""

    def __init__(self, source: AnswerSource, settings: Settings, places: int = PLACES) -> None:
        self._source = source
        self._settings = settings
        self._feedback = FeedbackStore(settings.home / FOLDER)
        self._store = ConversationStore(settings.home / CONVERSATIONS)
        self._line = Line(places)
        self._lock = threading.Lock()
        self._runs: weakref.WeakSet[Run] = weakref.WeakSet()

    def close(self) -> None:
        """Stop all answers that are being written."""
        with self._lock:
            runs = list(self._runs)
        for run in runs:
            run.cancel()

    def open(self, session: Session, language: Language, user: str | None = None) -> View:
        """A page has been opened in a language: say what there is, show the visitor's last conversation.

        :param user: whose conversations they are (`ui.conversations.users.user_of`); empty where the browser has no
            cookie, which the page says; None for a page that keeps nothing
        """
        session.language = language
        session.kept = Kept(user or "", problem="cookie" if user == "" else "")
        blank = self._blank(session)
        if not user:
            return blank
        try:
            latest = self._store.latest(user)
        except WenzhengError:
            logger.exception("Conversations could not be read.")
            latest = None
        view = self._restored(session, latest, user) if latest is not None else View()
        return replace(view.over(blank), history=self._history(session, user))

    def browse(self, session: Session, sent: object, user: str) -> View:
        """List, search, open, rename or delete conversations of the visitor.

        :param sent: what the page sent: ``action`` ("list", "open", "rename", "delete"), ``id``, ``title`` and
            ``query``; it may be anything, and what makes no sense only lists
        :param user: whose they are, from the cookie of this very request
        """
        given = sent if isinstance(sent, dict) else {}
        action, id_, title, query = (
            value if isinstance(value := given.get(key), str) else ""
            for key in ("action", "id", "title", "query")
        )
        texts = TEXTS[session.language]
        view, problem = View(), ""
        try:
            if action == "open":
                view = self._restored(session, self._store.load(user, id_), user)
            elif action == "rename":
                self._store.rename(user, id_, title)
            elif action == "delete":
                self._store.delete(user, id_)
                if session.kept.conversation == id_:
                    view = self.reset(session)
        except NoSuchConversation:
            problem = texts.history_gone
        except WenzhengError as error:
            logger.exception("A conversation could not be opened or changed.")
            problem = texts.history_failed.format(reason=error_heading(texts, error.code))
        return replace(view, history=self._history(session, user, query, problem))

    def again(self, session: Session, sent: object) -> Generator[View, None, None]:
        """Ask the last question again in place of its answer, or put it into the box to be changed.

        :param sent: what the page sent: ``action`` ("again", "edit", "cancel") and ``answer``, the exchange's id; it may
            be anything, and what is not of the last question does nothing
        """
        given = sent if isinstance(sent, dict) else {}
        action, last = given.get("action"), session.current
        if action == "cancel":
            session.replacing = ""
            yield View(editing="", box="")
        elif last is None or not last.id or last.id != given.get("answer"):
            return
        elif session.run is not None and not session.run.stop.is_set():
            yield View(hint=render_hint(TEXTS[session.language].hint_running))
        elif action == "edit":
            session.replacing = last.id
            yield View(
                editing=render_editing(last, session.language), box=last.question, hint=render_hint("")
            )
        elif action == "again":
            session.replacing = last.id
            filters = last.answer.filters if last.answer is not None and not last.read else None
            for view in self.ask(session, last.question, filters, read=last.read):
                # What has been typed meanwhile is another question.
                yield replace(view, box=None)

    def reset(self, session: Session) -> View:
        """Begin a new conversation; a question under way is stopped."""
        self._clear(
            session, Kept(session.kept.user, problem="" if session.kept.user else session.kept.problem)
        )
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
        last = session.current
        replaced = last if last is not None and last.id and last.id == session.replacing else None
        session.replacing = ""
        history = session.history(replaced)
        by_hand = session.filters
        in_force = by_hand if filters is None else filters
        run = Run(self._source, self._line, question, history, in_force, read)
        with self._lock:
            if session.current is not None and replaced is None:
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
            last="",
            editing="",
            box="",
            running=True,
        )
        phase: Phase | None = None
        try:
            yield shown
            if replaced is None and session.run is run:
                # Before the answer is there: a page that is closed meanwhile finds its question again.
                kept = put(self._store, session.kept, exchange, by_hand)
                with self._lock:
                    # Another conversation may have been opened while the disk was written.
                    if session.run is run:
                        session.kept = kept
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
                if step.phase not in RUNNING:
                    # Kept before it is shown: whoever sees the whole answer can ask the next question at once.
                    view = self._ended(session, run, replaced, by_hand).over(view)
                    if session.current is None or session.current.id != step.id:
                        return
                yield view.without(shown)
                shown = view.over(shown)
        finally:
            # Also when the browser has gone in mid-answer: Gradio then closes this generator.
            run.cancel()
            if session.run is run:
                self._ended(session, run, replaced, by_hand)
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

        :param sent: what the page sent: ``drop`` (a name in `rag.filters.parts`), or ``body``, ``since``, ``until``
            and ``collection``, each empty for any. It may be anything: what makes no filter is told so, and changes nothing.
        """
        given = sent if isinstance(sent, dict) else {}
        texts = TEXTS[session.language]
        if isinstance(given.get("drop"), str):
            session.filters = without(session.filters, given["drop"])
        else:
            body, since, until, collection = (
                given.get(key, "") for key in ("body", "since", "until", "collection")
            )
            if not all(isinstance(value, str) for value in (body, since, until, collection)):
                return View(hint=render_hint(texts.filter_unknown))
            first, last = iso_date(since), iso_date(until)
            known = not body or body in {one.name for one in BODIES}
            known = known and (not collection or self._has_collection(collection))
            if not known or (since and first is None) or (until and last is None):
                return View(hint=render_hint(texts.filter_unknown))
            if first and last and not published_within(first, None, last):
                return View(hint=render_hint(texts.filter_order))
            bodies = (body,) if body else ()
            session.filters = replace(
                session.filters, bodies=bodies, since=first, until=last, collection=collection
            )
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
        judge(self._store, session.kept, exchange.id, thumb)
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

    def _followups(self, exchange: Exchange) -> tuple[str, ...]:
        if exchange.answer is None or exchange.phase != "done":
            return ()
        try:
            return self._source.followups(exchange.answer)
        except WenzhengError:
            # The answer stands without them.
            logger.exception("Questions to go on with could not be found.")
            return ()

    def _has_collection(self, name: str) -> bool:
        try:
            return name in self._source.overview().collections
        except WenzhengError:
            logger.exception("The library's collections could not be read.")
            return False

    def _clear(self, session: Session, kept: Kept) -> None:
        """Take the conversation off the page; a question under way is stopped."""
        if session.run is not None:
            session.run.cancel()
        with self._lock:
            session.run = session.current = None
            session.past = []
            session.filters = Filters()
            session.kept, session.replacing = kept, ""

    def _restored(self, session: Session, conversation: Conversation, user: str) -> View:
        """Put a conversation that was kept on the page, in the place of what is there."""
        self._clear(session, Kept(user, conversation.id))
        language = session.language
        view = replace(self._blank(session), running=False, box="")
        if not conversation.exchanges:
            return view
        *past, last = conversation.exchanges
        with self._lock:
            session.past, session.current = list(past), last
            session.filters = conversation.filters
        return replace(
            self._exchange_view(last, language).over(view),
            welcome="",
            past=render_exchanges(past, language),
            past_sources="".join(render_sources(e, language, past=True) for e in past),
            announcement=render_announcement(""),
            chosen=render_chosen(session.filters, language),
            last=render_last(last, language, conversation.id, self._followups(last)),
        )

    def _history(self, session: Session, user: str, query: str = "", problem: str = "") -> str:
        """The list of the visitor's conversations."""
        language = session.language
        texts = TEXTS[language]
        listing = Listing()
        try:
            listing = self._store.list(user, query)
        except WenzhengError as error:
            logger.exception("Conversations could not be listed.")
            problem = problem or texts.history_failed.format(reason=error_heading(texts, error.code))
        current = session.kept.conversation
        return render_history(listing, language, current=current, query=query, problem=problem)

    def _ended(self, session: Session, run: Run, replaced: Exchange | None, filters: Filters) -> View:
        """The question is no longer under way: keep it, and say what can be done with it."""
        language = session.language
        with self._lock:
            if session.run is not run or session.current is None:
                return View()
            session.run = None
            last = session.current = _settled(session.current)
            put_back = replaced is not None and replaced.phase == "done" and last.phase != "done"
            if put_back and replaced is not None:
                # An answer gives way only to another: what was stopped or failed stands behind it.
                session.past = [*session.past, replaced]
                last = session.current = replace(last, number=len(session.past) + 1)
        instead = replaced.id if replaced is not None and not put_back else ""
        kept = put(self._store, session.kept, last, filters, replaced=instead)
        with self._lock:
            if session.current is None or session.current.id != last.id:
                return View()
            session.kept = kept
        view = View(
            last=render_last(last, language, kept.conversation, self._followups(last)),
            unkept=render_unkept(kept.problem, language),
        )
        if not put_back:
            return view
        return replace(
            self._exchange_view(last, language).over(view),
            past=render_exchanges(session.past, language),
            past_sources="".join(render_sources(e, language, past=True) for e in session.past),
        )

    def _follow(self, run: Run, exchange: Exchange, language: Language) -> Iterator[Exchange]:
        """The exchange as it goes on, at most once a frame, at least once a pulse; the last one is final."""
        while not run.stop.is_set() and (ahead := run.ahead):
            yield replace(exchange, phase="queued", ahead=ahead)
            run.stop.wait(FRAME * 3)
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
                    run.stop.wait(max(0.0, FRAME - (time.monotonic() - began)))
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
        collections: tuple[str, ...] = ()
        try:
            overview = self._source.overview()
            welcome, bodies = render_welcome(overview, language), overview.bodies
            collections = overview.collections
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
            form=render_filter_form(bodies, language, collections),
            chosen=render_chosen(session.filters, language),
            last="",
            editing="",
            unkept=render_unkept(session.kept.problem, language),
        )


def _settled(exchange: Exchange) -> Exchange:
    """The exchange as it goes into the past: nothing there is still being written."""
    return replace(exchange, phase="stopped") if exchange.phase in RUNNING else exchange


def _judged(exchange: Exchange, id_: str, verdict: Thumb) -> Exchange:
    return replace(exchange, verdict=verdict) if exchange.id == id_ else exchange


def _unexpected(kind: str, language: Language) -> Failure:
    texts = TEXTS[language]
    return Failure("Unexpected", texts.unexpected_what.format(kind=kind), texts.unexpected_fix)
