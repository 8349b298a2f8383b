"""Question to answer: retrieve, weigh, generate, check, put right, cite. And the one place where the parts are joined."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag import prompts
from rag.checking import Draft, check, cite, finish, put_right, unplaced
from rag.citations import Checked
from rag.clarifying import choice
from rag.cross_lingual import Comparison
from rag.currency import dated, in_force, with_disagreements
from rag.embedding import Embedder, open_embedder, token_encoder
from rag.excerpts import excerpts
from rag.filters import bodies_known, refusal
from rag.followups import followups
from rag.glossary import rendered
from rag.library import Library
from rag.messages import again_in_chinese, correction
from rag.messages import messages as messages_for
from rag.model import ChatModel, ModelStatus, open_model
from rag.overview import LibraryOverview, examples
from rag.questions import Question, analyse, corrected_text
from rag.quoting import bare_words, completed, in_full, quotation
from rag.reading import Reading
from rag.refusing import missing_parts, silent_bodies, why_no_evidence, why_not_told
from rag.reranking import Reranker, open_reranker, reader_of
from rag.retrieval import Retriever
from rag.rewriting import Rewritten, as_standalone, rewrite, rewrite_with_model
from rag.scoping import Scope, asked_again, scope_of
from rag.scripts import in_script
from rag.settings import Settings
from rag.text import joined, script_of, to_simplified, whole
from rag.translating import (
    as_it_comes,
    is_planned,
    mostly_chinese,
    prompt_script,
    spelled_out,
    to_translate,
    translated,
    translation,
)
from rag.types import Answer, Claim, Filters, Passage, Script, Turn, Usage
from rag.verification import says_no_answer
from rag.weighing import Weighed, Weighing
from rag.weights import Progress

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_NEAREST_SHOWN = 3
"""Passages shown below a refusal."""
_SURE = 0.7
"""Probability from which the document's own words answer where nothing that the chat model says stands."""
_SHORT_TOKENS = 48
_CORRECTION_TOKENS = 160
_TRANSLATED_AGAIN = 80
"""Characters of lines whose translation failed up to which they are translated once more."""


class Pipeline:
    """Answers questions from one library with one chat model. Threads may share it; it keeps no conversation."""

    def __init__(
        self, library: Library, model: ChatModel, settings: Settings, reranker: Reranker | None = None
    ) -> None:
        self.library = library
        self.model = model
        self.settings = settings
        self.reranker = reranker.name if reranker is not None else ""
        reader = reader_of(reranker)
        self._weighing = Weighing(reader, model, settings)
        self._comparison = Comparison(self._similarity, reader.words_met if reader is not None else None)
        self._retriever = Retriever(library, settings.candidates, reranker)

    @property
    def model_status(self) -> ModelStatus:
        """Whether the chat model is loading, ready or failed."""
        return self.model.status

    def overview(self) -> LibraryOverview:
        """Counts, the newest document's date, and questions that the documents suggest."""
        versions = self.library.documents()
        dates = [version.source.published for version in versions if version.source.published]
        return LibraryOverview(
            documents=len(versions),
            chunks=sum(version.chunks for version in versions),
            latest=max(dates, default=None),
            examples=examples([version.source.title for version in versions]),
            bodies=bodies_known(self.library.facts({version.id: version.source for version in versions})),
            collections=tuple(sorted(set(self.library.catalog.collections().values()))),
        )

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        within: Collection[str] | None = None,
        filters: Filters | None = None,
        read: bool = True,
    ) -> Answer:
        """The finished answer; see `stream`."""
        answer = None
        snapshots = self.stream(question, history, within=within, filters=filters, read=read)
        for answer in snapshots:  # noqa: B007 - only the last one counts
            pass
        assert answer is not None
        return answer

    def retrieve(
        self,
        question: str,
        history: Sequence[Turn] = (),
        k: int | None = None,
        within: Collection[str] | None = None,
        filters: Filters | None = None,
        read: bool = True,
    ) -> tuple[Passage, ...]:
        """The passages found for a question, without the chat model.

        :param within: ids of the documents to look in; None for all
        :param filters: see `stream`
        :param read: see `stream`
        """
        text, earlier = asked_again(question, history)
        scope = self._scope(self.standalone(text, history), within, filters, earlier, read)
        return self._retriever.search(
            scope.question, k or self.settings.passages, scope.documents, scope.keep
        )

    def standalone(self, question: str, history: Sequence[Turn] = ()) -> Question:
        """The question as it is searched for: analysed, and made to stand alone by the turns before it.

        :raises QuestionError: the question is empty or too long
        :raises ModelError: the setting ``rewrite`` asks the chat model, which gave no answer
        """
        asked = analyse(question, self.settings.max_question_chars)
        return as_standalone(asked, self._rewritten(asked, history), self.settings.max_question_chars)

    def _rewritten(
        self, asked: Question, history: Sequence[Turn], stop: threading.Event | None = None
    ) -> Rewritten:
        """The question made to stand alone, as the setting ``rewrite`` has it."""
        if self.settings.rewrite == "off":
            return Rewritten(asked.text, "")
        by_rules = rewrite(asked, history, self.settings.max_question_chars)
        if by_rules.resolved or self.settings.rewrite == "rules":
            return by_rules
        found = rewrite_with_model(self.model, asked, history, self.settings.max_question_chars, stop)
        return found or by_rules

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        stop: threading.Event | None = None,
        within: Collection[str] | None = None,
        filters: Filters | None = None,
        read: bool = True,
    ) -> Iterator[Answer]:
        """Growing snapshots of the answer: passages, then text, then the verified and cited result (``done``).

        Closing the iterator or setting ``stop`` ends the model's work; a stopped answer has no last snapshot.

        :param within: ids of the documents to look in; None for all
        :param filters: restrictions besides those that the question states, and in place of those of the same kind
        :param read: whether restrictions that the question states hold; if not, their words are left out all the same
        :raises QuestionError: the question is empty or too long
        :raises LibraryError: the library cannot be read
        :raises ModelError: the chat model gave no answer
        """
        clock = _Clock()
        asked = analyse(question, self.settings.max_question_chars)
        text, earlier = asked_again(question, history)
        if text != question:
            asked = replace(analyse(text, self.settings.max_question_chars), script=asked.script)
        rewritten = self._rewritten(asked, history, stop)
        standalone = as_standalone(asked, rewritten, self.settings.max_question_chars)
        scope = self._scope(standalone, within, filters, earlier, read)
        standalone = scope.question
        passages = self._retriever.search(standalone, self.settings.passages, scope.documents, scope.keep)
        answer = Answer(
            question=whole(question),
            script=asked.script,
            passages=passages,
            standalone=corrected_text(standalone),
            model=self.model.name,
            timings=clock.mark("evidence"),
            filters=scope.filters,
            undated=scope.undated,
        )
        yield answer
        held = in_force(standalone, passages, datetime.now().date())
        passages = held.passages
        current = passages[: held.current]
        weighed = self._weighing.passages(standalone, current)
        answer = replace(
            answer,
            passages=passages,
            confidence=0.0 if weighed.wanting else round(weighed.likely, 4),
            timings=clock.mark("weighed"),
        )
        nothing_passes = bool(scope.filters) and not passages
        threshold = self.settings.evidence_threshold
        if nothing_passes or not weighed.worth_going_on(threshold):
            if nothing_passes:
                why = ""
            elif weighed.evidence.fault or not current:
                why = why_no_evidence(standalone, weighed.evidence)
            else:
                why = why_not_told(standalone, current)
            yield self._refused(answer, why, clock)
            return
        asking_back = choice(standalone, current, weighed.readings) if weighed.likely >= threshold else None
        if asking_back is not None:
            yield replace(
                answer,
                text=asking_back.text,
                outcome="clarify",
                reason=asking_back.text,
                timings=clock.mark("done"),
                done=True,
            )
            return
        text = ""
        originals = [passage.chunk.text for passage in current]
        parts = excerpts(standalone, current, self.settings.prompt_chars)
        answer = replace(answer, shown=tuple(part.number for part in parts))
        if weighed.assessed:
            likely = self._weighing.assessed(standalone, current, parts, weighed, stop)
            if stop is not None and stop.is_set():
                return
            answer = replace(answer, confidence=round(likely, 4), timings=clock.mark("assessed"))
            if likely < threshold:
                yield self._refused(answer, why_not_told(standalone, current), clock)
                return
        translates = self.settings.translate and not self._short
        spoken = prompt_script(standalone.script, parts) if translates else standalone.script
        messages = messages_for(standalone, current, parts, short=self._short, script=spoken)
        reply = self.model.stream(
            messages,
            max_tokens=_SHORT_TOKENS if self._short else self.settings.answer_tokens,
            stop=stop,
        )
        with closing(reply):
            for delta in reply:
                if not text:
                    answer = replace(answer, timings=clock.mark("first_word"))
                text += delta
                yield replace(answer, text=_in_language(text, asked.script, originals))
        if stop is not None and stop.is_set():
            return
        answer = replace(answer, timings=clock.mark("last_word"), usage=reply.usage)
        if spoken != standalone.script and script_of(text) == "en" and not says_no_answer(text):
            text, answer = self._heard(
                again_in_chinese(messages, text), self.settings.answer_tokens, answer, stop
            )
            if stop is not None and stop.is_set():
                return
        draft = check(text, standalone, current, self._comparison)
        if self._short and not draft.supported:
            full = completed(text, current, weighed.readings)
            draft = check(full, standalone, current, self._comparison) if full != text else draft
        answer = replace(answer, timings=clock.mark("checked"))
        if draft.faulty and self.settings.correct and not self._short:
            draft, answer = self._put_right(draft, answer, standalone, current, messages, text, stop, spoken)
            if stop is not None and stop.is_set():
                return
            answer = replace(answer, timings=clock.mark("corrected"))
        if spoken != standalone.script and draft.supported:
            draft, answer = yield from self._translated(draft, answer, stop)
            if stop is not None and stop.is_set():
                return
            answer = replace(answer, timings=clock.mark("translated"))
        yield self._finished(answer, standalone, current, weighed, draft, reply.told.first, clock)

    def followups(self, answer: Answer) -> tuple[str, ...]:
        """Questions that the documents suggest after a finished answer.

        :raises LibraryError: the library cannot be read
        """
        cited = {citation.passage.source.id for citation in answer.citations}
        known = [one for one in self.library.facts() if one.source.id in cited] if cited else []
        return followups(answer, bodies_known([replace(one, issuers=frozenset()) for one in known]))

    def close(self) -> None:
        """End the chat model and close the library."""
        self.model.close()
        self.library.close()

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _scope(
        self,
        question: Question,
        within: Collection[str] | None,
        given: Filters | None,
        earlier: Filters,
        read: bool,
    ) -> Scope:
        return scope_of(
            question, self.library, within, given, earlier, read, self.settings.max_question_chars
        )

    def _similarity(self, left: Sequence[str], right: Sequence[str]) -> NDArray[np.float32]:
        vectors = self.library.embedder.embed_passages([to_simplified(text) for text in (*left, *right)])
        return np.asarray(vectors[: len(left)] @ vectors[len(left) :].T, dtype=np.float32)

    @property
    def _short(self) -> bool:
        return self.settings.answer_style == "short"

    def _put_right(
        self,
        draft: Draft,
        answer: Answer,
        question: Question,
        passages: Sequence[Passage],
        messages: Sequence[BaseMessage],
        text: str,
        stop: threading.Event | None,
        script: Script,
    ) -> tuple[Draft, Answer]:
        """The draft after the model was told, once, which of its sentences the documents do not bear out, and why."""
        faults = [(c.text, c.reason) for c in draft.faulty]
        asked = correction(messages, text, faults, script)
        said, answer = self._heard(asked, _CORRECTION_TOKENS, answer, stop)
        return put_right(draft, said, question, passages, self._comparison), answer

    def _translated(
        self, draft: Draft, answer: Answer, stop: threading.Event | None
    ) -> Generator[Answer, None, tuple[Draft, Answer]]:
        """The draft of an answer in the documents' language, in the question's; snapshots of the translation as it comes."""
        # How near meanings lie is known of the embedding model that the reader is for.
        similarity = self._similarity if self._comparison.words_met is not None else None
        draft = spelled_out(draft)
        tried: list[tuple[bool, list[str]]] = []
        # What did not keep what its line states is tried once more, alone and in the plainest words, where that takes little time.
        for planned in (is_planned(draft), False):
            lines = to_translate(draft)
            too_long = bool(tried) and sum(map(len, lines)) > _TRANSLATED_AGAIN
            if not lines or too_long or (planned, lines) in tried or (stop is not None and stop.is_set()):
                break
            tried.append((planned, lines))
            reply = self.model.stream(
                translation(lines, planned=planned), max_tokens=self.settings.answer_tokens, stop=stop
            )
            said = ""
            with closing(reply):
                for delta in reply:
                    said += delta
                    yield replace(answer, text=as_it_comes(said))
            draft, answer = translated(draft, said, similarity), _with_usage(answer, reply.usage)
        return draft, answer

    def _heard(
        self, asked: Sequence[BaseMessage], most: int, answer: Answer, stop: threading.Event | None
    ) -> tuple[str, Answer]:
        """What the model says, whole, and the answer with what that cost."""
        reply = self.model.stream(asked, max_tokens=most, stop=stop)
        with closing(reply):
            said = "".join(reply)
        return said, _with_usage(answer, reply.usage)

    def _finished(
        self,
        answer: Answer,
        question: Question,
        passages: Sequence[Passage],
        weighed: Weighed,
        draft: Draft,
        first: Mapping[str, float],
        clock: _Clock,
    ) -> Answer:
        """The answer made of a checked draft, or a refusal when nothing of it stands."""
        script, readings = question.script, weighed.readings
        quoted = False
        if not draft.supported and self._sure(answer):
            draft = self._quoted(question, passages, readings, draft)
            quoted = bool(draft.supported)
        elif self._short:
            draft = self._completed(draft, passages, readings)
        silent = silent_bodies(question, draft.citations)
        if not draft.supported or silent:
            why = why_not_told(question, passages)
            return self._refused(answer, why, clock, unplaced(draft))
        if not quoted:
            before = answer.confidence or 0.0
            likely = self._weighing.answered(question, draft, passages, weighed, before, first)
            answer = replace(answer, confidence=round(likely, 4), timings=clock.mark("held"))
            if likely < self.settings.evidence_threshold:
                why = why_not_told(question, passages)
                return self._refused(answer, why, clock, unplaced(draft, "beside"))
        missing = missing_parts(question, draft)
        faulty = len(draft.faulty)
        if not self._short:
            draft = with_disagreements(draft, passages, script)
        originals = [passage.chunk.text for passage in passages]
        told = replace(
            draft,
            checked=tuple(replace(c, text=_in_language(c.text, script, originals)) for c in draft.checked),
        )
        text, claims = finish(told, strike=self.settings.unsupported == "strike")
        as_of = dated(draft.citations, script)
        if as_of and not self._short:
            text = f"{text}\n{prompts.AS_OF[script].format(dates=as_of)}"
        reasons = []
        if missing:
            names = [in_script(name, script, ()) for name in missing]
            reasons.append(prompts.reason("part_missing", script, names=joined(names, script)))
        if faulty and not quoted:
            reasons.append(prompts.reason("dropped", script, count=str(faulty)))
        return replace(
            answer,
            text=text,
            outcome="partial" if reasons else "answered",
            reason=(" " if script == "en" else "").join(reasons),
            claims=claims,
            citations=draft.citations,
            timings=clock.mark("done"),
            done=True,
        )

    @staticmethod
    def _completed(draft: Draft, passages: Sequence[Passage], readings: Sequence[Reading]) -> Draft:
        """The draft of an answer of a few words with each as the document has it in full."""
        checked = []
        for sentence in draft.checked:
            if sentence.verdict == "supported" and sentence.numbers:
                place = sentence.numbers[0] - 1
                reading = readings[place] if place < len(readings) else None
                sentence = replace(sentence, text=in_full(sentence.text, passages[place], reading))
            checked.append(sentence)
        return replace(draft, checked=tuple(checked))

    def _sure(self, answer: Answer) -> bool:
        return (answer.confidence or 0.0) >= max(_SURE, self.settings.evidence_threshold)

    def _quoted(
        self,
        question: Question,
        passages: Sequence[Passage],
        readings: Sequence[Reading],
        draft: Draft,
    ) -> Draft:
        """The document's own words in place of a draft of which nothing stands, where they can be told."""
        found = quotation(question, passages, readings)
        if found is None:
            return draft
        passage, number = passages[found.passage], found.passage + 1
        citation = cite(passage, number, found.sentence_start, found.sentence_end)
        words = citation.quote
        if self._short:
            words = bare_words(cite(passage, number, found.start, found.end).quote)
        span = (found.sentence_start, found.sentence_end)
        quote = Checked(words, "", (number,), "supported", ranges=(span,))
        return Draft((*draft.faulty, quote), {(number, *span): citation})

    @staticmethod
    def _refused(answer: Answer, why: str, clock: _Clock, claims: tuple[Claim, ...] = ()) -> Answer:
        if answer.filters:
            why = refusal(answer.filters, answer.script, why, answer.undated)
        return replace(
            answer,
            text=why,
            outcome="refused",
            reason=why,
            claims=claims,
            citations=(),
            passages=answer.passages[:_NEAREST_SHOWN],
            timings=clock.mark("done"),
            done=True,
        )


class _Clock:
    """Seconds since the question arrived, by name."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._marks: dict[str, float] = {}

    def mark(self, name: str) -> dict[str, float]:
        self._marks[name] = round(time.perf_counter() - self._start, 3)
        return dict(self._marks)


def open_pipeline(
    settings: Settings,
    *,
    writable: bool = False,
    progress: Callable[[Progress], None] | None = None,
    embedder: Embedder | None = None,
    model: ChatModel | None = None,
) -> Pipeline:
    """Join the parts: embedder, library, chat model. The model loads in the background meanwhile.

    :param writable: hold the library's writer lock, so that documents can be added while it runs
    :raises WeightsError: a model file is missing
    :raises LibraryError: the library cannot be opened
    """
    model = model or open_model(settings)
    try:
        embedder = embedder or open_embedder(settings, progress)
        reranker = open_reranker(settings, embedder.name, token_encoder(embedder))
        library = Library.open(settings, embedder, writable=writable)
    except BaseException:
        model.close()
        raise
    return Pipeline(library, model, settings, reranker)


def _with_usage(answer: Answer, more: Usage | None) -> Answer:
    """The answer with what a further call cost."""
    if answer.usage is None or more is None:
        return answer
    used = Usage(answer.usage.read + more.read, answer.usage.written + more.written)
    return replace(answer, usage=used)


def _in_language(text: str, script: Script, originals: Sequence[str]) -> str:
    if script == "en":
        # What the documents say in Chinese, and was not to be translated, stays as it is.
        return text if mostly_chinese(text) else rendered(text)
    return in_script(text, script, originals)
