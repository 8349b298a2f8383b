"""Question to answer: retrieve, weigh, prompt, generate, verify, cite. And the one place where the parts are joined."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag import prompts
from rag.bodies import Body, mentions, names_body
from rag.citations import Checked, Sentence, assemble, parse
from rag.embedding import Embedder, open_embedder, token_encoder
from rag.evidence import Evidence, assess
from rag.excerpts import Excerpt, excerpts
from rag.filters import bodies_known, keeper, overridden, refusal, restriction, says_nothing
from rag.framing import folded_frame
from rag.glossary import rendered, terms_in
from rag.library import Library
from rag.model import ChatModel, ModelStatus, open_model
from rag.questions import Question, analyse, corrected_text, coverage
from rag.reranking import Reranker, open_reranker
from rag.retrieval import Keep, Retriever
from rag.rewriting import Rewritten, as_standalone, rewrite, rewrite_with_model
from rag.scripts import in_script
from rag.settings import Settings
from rag.text import clip, fold, joined, to_simplified, whole
from rag.types import Answer, Citation, Claim, Filters, Passage, Script, Source, Turn
from rag.verification import Asked, Assertion, Finding, is_claim, says_no_answer, verify
from rag.weights import Progress

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_NEAREST_SHOWN = 3
"""Passages shown below a refusal."""
_LONGEST_TITLE = 40
_EXAMPLE_BODIES = 2
_NOTICE = re.compile(r"关于(?:做好|申报|举办|开展)?(?P<topic>[^的]{4,24})的(?:通知|公告|通告|意见)")


@dataclass(frozen=True, slots=True)
class LibraryOverview:
    """What there is to ask about. ``latest`` is the newest document's ISO date, ``bodies`` who issued or said something."""

    documents: int
    chunks: int
    latest: str | None
    examples: tuple[str, ...]
    bodies: tuple[str, ...] = ()


class Pipeline:
    """Answers questions from one library with one chat model. Threads may share it; it keeps no conversation."""

    def __init__(
        self, library: Library, model: ChatModel, settings: Settings, reranker: Reranker | None = None
    ) -> None:
        self.library = library
        self.model = model
        self.settings = settings
        self.reranker = reranker.name if reranker is not None else ""
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
            examples=_examples([version.source.title for version in versions]),
            bodies=bodies_known(self.library.facts({version.id: version.source for version in versions})),
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
        text, earlier = _asked_again(question, history)
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
        text, earlier = _asked_again(question, history)
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
        evidence = assess(standalone, passages)
        answer = replace(answer, confidence=0.0 if evidence.fault else round(evidence.score, 4))
        nothing_passes = bool(scope.filters) and not passages
        if (
            nothing_passes
            or evidence.score < self.settings.evidence_threshold
            or (evidence.fault and self.settings.evidence_threshold > 0)
        ):
            why = "" if nothing_passes else _why_no_evidence(standalone, evidence)
            yield self._refused(answer, why, clock)
            return
        text = ""
        originals = [passage.chunk.text for passage in passages]
        parts = excerpts(standalone, passages, self.settings.prompt_chars)
        answer = replace(answer, shown=tuple(part.number for part in parts))
        reply = self.model.stream(
            self._messages(standalone, passages, parts),
            max_tokens=self.settings.answer_tokens,
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
        yield self._checked(answer, standalone, text, clock)

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
    ) -> _Scope:
        """Where to look for a question: what it states and what is given, joined; without the words that state it."""
        stated = restriction(question.text, datetime.now().date())
        found = overridden(stated.filters, earlier)
        in_force = overridden(given or Filters(), found if read else Filters())
        selection = self.library.matching(in_force) if in_force else None
        if selection is not None and not selection.documents and selection.undated and not _dates(given):
            # Words about time can't be meant for documents none of which is dated.
            in_force = replace(in_force, since=None, until=None)
            stated = replace(stated, rest=question.text)
            selection = self.library.matching(in_force) if in_force else None
        if stated.filters:
            question = self._restated(question, stated.rest)
        if selection is None:
            return _Scope(question, in_force, within, None)
        documents = selection.documents if within is None else selection.documents & set(within)
        return _Scope(question, in_force, documents, keeper(in_force), selection.undated)

    def _restated(self, question: Question, rest: str) -> Question:
        """The question in the words that a restriction leaves of it, if those still ask something."""
        if any(char.isalnum() for char in rest):
            shorter = analyse(rest, self.settings.max_question_chars)
            if shorter.weights or shorter.bodies or shorter.quoted:
                return replace(shorter, script=question.script)
        return replace(question, years=frozenset())

    def _messages(
        self,
        question: Question,
        passages: Sequence[Passage],
        parts: Sequence[Excerpt],
    ) -> list[BaseMessage]:
        from langchain_core.messages import HumanMessage, SystemMessage

        script = question.script
        lines = [prompts.EVIDENCE[script]]
        titled: set[str] = set()
        for excerpt in parts:
            source = passages[excerpt.number - 1].source
            # A document's title is told once: every token costs time before the first word. The model reads one
            # script only; the reader is shown the original.
            title = "" if source.id in titled else f" {_titled(source)}"
            titled.add(source.id)
            lines.append(f"[{excerpt.number}]{title}\n{_inert(to_simplified(excerpt.text))}")
        if script == "en" and (terms := terms_in(to_simplified("".join(lines)))):
            lines.append(prompts.GLOSSARY + "; ".join(f"{chinese} = {english}" for chinese, english in terms))
        asked = corrected_text(question)
        asked = asked if script == "en" else to_simplified(asked)
        lines.append(f"{prompts.QUESTION[script]}{asked}{prompts.CLOSING[script]}")
        return [SystemMessage(prompts.SYSTEM[script]), HumanMessage("\n\n".join(lines))]

    def _checked(self, answer: Answer, question: Question, text: str, clock: _Clock) -> Answer:
        """The answer with each sentence verified against the passages and cited, or a refusal when none stands."""
        parsed = parse(text)
        claims = _claims(parsed)
        findings = iter(verify(claims, answer.passages, self._similarity, _asked(question)))
        checked: list[Checked] = []
        citations: dict[tuple[int, int, int], Citation] = {}
        for sentence in parsed:
            if not is_claim(sentence.text) or says_no_answer(sentence.text):
                checked.append(Checked(sentence.text, sentence.lead, (), "not_a_claim"))
                continue
            finding: Finding = next(findings)
            if finding.support is None:
                checked.append(Checked(sentence.text, sentence.lead, (), "unsupported", finding.fault))
                continue
            support = finding.support
            passage = answer.passages[support.passage]
            number = support.passage + 1
            quote = passage.chunk.text[
                support.start - passage.chunk.start : support.end - passage.chunk.start
            ]
            citations.setdefault(
                (number, support.start, support.end),
                Citation(number, passage, support.start, support.end, quote),
            )
            checked.append(Checked(sentence.text, sentence.lead, (number,), "supported"))
        supported = [c for c in checked if c.verdict == "supported"]
        cited = tuple(citations[key] for key in sorted(citations))
        silent = self._silent_bodies(question, cited)
        if not supported or silent:
            names = joined(silent, question.script)
            why = (
                prompts.reason("body_silent", question.script, names=names)
                if silent
                else prompts.reason("not_stated", question.script)
            )
            return self._refused(answer, why, clock, _claims_of(checked))
        dropped = sum(c.verdict == "unsupported" for c in checked)
        if any(c.verdict == "supported" for c in checked):
            checked = [c for c in checked if not (c.verdict == "not_a_claim" and says_no_answer(c.text))]
        originals = [passage.chunk.text for passage in answer.passages]
        checked = [replace(c, text=_in_language(c.text, question.script, originals)) for c in checked]
        final, claims_found = assemble(_trimmed(checked), keep_unsupported=False)
        return replace(
            answer,
            text=final,
            outcome="partial" if dropped else "answered",
            reason=prompts.reason("dropped", question.script, count=str(dropped)) if dropped else "",
            claims=claims_found,
            citations=cited,
            timings=clock.mark("done"),
            done=True,
        )

    @staticmethod
    def _silent_bodies(question: Question, citations: Sequence[Citation]) -> list[str]:
        """Bodies the question is about of which nothing cited speaks: another body's words do not answer for them."""
        if not question.bodies or not citations:
            return []
        framed = "\n".join(
            f"{folded_frame(c.passage, c.start, c.end)}\n{fold(_paragraph_up_to(c))}" for c in citations
        )
        silent = [body for body in question.bodies if not names_body(framed, body)]
        if len(silent) < len(question.bodies):
            return []
        return [in_script(name, question.script, ()) for name in question.called]

    def _similarity(self, left: Sequence[str], right: Sequence[str]) -> NDArray[np.float32]:
        vectors = self.library.embedder.embed_passages([to_simplified(text) for text in (*left, *right)])
        return np.asarray(vectors[: len(left)] @ vectors[len(left) :].T, dtype=np.float32)

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


@dataclass(frozen=True, slots=True)
class _Scope:
    """A question without the words of its restrictions, the filters in force, and where they leave to look."""

    question: Question
    filters: Filters
    documents: Collection[str] | None
    keep: Keep | None
    undated: int = 0


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


def _asked_again(question: str, history: Sequence[Turn]) -> tuple[str, Filters]:
    """What is asked by a follow-up that only restricts ("只看2024年以来的"): the question before it, and all restrictions.

    Any other question is given back as it is.
    """
    today = datetime.now().date()
    stated = restriction(question, today)
    filters = stated.filters
    if not filters or not says_nothing(stated.rest):
        return question, Filters()
    for turn in reversed(history):
        if turn.role == "user":
            before = restriction(turn.text, today)
            filters = overridden(filters, before.filters)
            if not says_nothing(before.rest):
                return before.rest, filters
    return question, Filters()


def _dates(filters: Filters | None) -> bool:
    return filters is not None and bool(filters.since or filters.until)


def _in_language(text: str, script: Script, originals: Sequence[str]) -> str:
    return rendered(text) if script == "en" else in_script(text, script, originals)


def _titled(source: Source) -> str:
    date = f"（{source.published}）" if source.published else ""
    return _inert(clip(to_simplified(source.title), _LONGEST_TITLE)) + date


def _inert(text: str) -> str:
    """Document text that can't be taken for the prompt's own marks."""
    return text.replace("<|", "< |").replace("|>", "| >").replace("\n\n", "\n")


def _paragraph_up_to(citation: Citation) -> str:
    chunk = citation.passage.chunk
    start = max(0, citation.start - chunk.start)
    line_start = chunk.text.rfind("\n", 0, start) + 1
    return f"{chunk.text[line_start:start]}{citation.quote}"


def _why_no_evidence(question: Question, evidence: Evidence) -> str:
    script = question.script
    names = [in_script(name, script, ()) for name in evidence.names]
    return prompts.reason(evidence.fault or "nothing_relevant", script, names=joined(names, script))


def _asked(question: Question) -> Asked:
    # The name of a place is left out: a district's own report seldom repeats it. Other places are refused before.
    names = tuple(name for name in question.names if name[-1] not in "省市县区镇乡村街道")
    return Asked(fold(question.text), names, partial(coverage, question))


def _claims(parsed: Sequence[Sentence]) -> list[Assertion]:
    """The sentences to be checked; items of a list stand under the line that leads into it."""
    claims: list[Assertion] = []
    lead = ""
    for sentence in parsed:
        if is_claim(sentence.text) and not says_no_answer(sentence.text):
            claims.append(Assertion(sentence.text, lead))
        elif sentence.text.rstrip().endswith((":", "：")):
            lead = sentence.text
    return claims


def _trimmed(checked: Sequence[Checked]) -> list[Checked]:
    """Without lead-ins ("……包括：") under which nothing is left."""
    kept: list[Checked] = []
    for index, sentence in enumerate(checked):
        lead_in = sentence.verdict == "not_a_claim" and sentence.text.rstrip().endswith((":", "："))
        if lead_in and not any(later.verdict == "supported" for later in checked[index + 1 :]):
            continue
        kept.append(sentence)
    return kept


def _claims_of(checked: Sequence[Checked]) -> tuple[Claim, ...]:
    return tuple(
        Claim(c.text, 0, 0, (), "unsupported", c.reason) for c in checked if c.verdict != "not_a_claim"
    )


def _examples(titles: Sequence[str]) -> tuple[str, ...]:
    """Questions that titles suggest: what two bodies promised, what a notice rules, and one in English."""
    found: dict[str, None] = {}
    named: list[Body] = []
    for title in titles:
        for start, end, body in mentions(fold(title))[:1]:
            if body not in named and len(named) < _EXAMPLE_BODIES:
                named.append(body)
                called = fold(title)[start:end]
                short = next((name for name in body.short if name[-1] == called[-1]), called)
                found.setdefault(f"{short}承诺了什么？", None)
    notice = next((match for title in titles if (match := _NOTICE.fullmatch(to_simplified(title)))), None)
    if notice is not None:
        found.setdefault(f"{notice['topic']}有什么规定？", None)
    english = next((body for body in named if body.english), None)
    if english is not None:
        found.setdefault(f"What did the {min(english.english, key=len)} promise?", None)
    return tuple(found)
