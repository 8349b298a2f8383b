"""The baseline beside Wenzheng's own answers: three passages, one prompt, the chat model's words as they come.

Retrieval and chat model are the same; nothing is weighed, checked or refused but what the model refuses itself.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass

from rag.library import Library
from rag.model import ChatModel
from rag.pipeline import Pipeline
from rag.questions import Question
from rag.settings import Settings
from rag.types import Answer, Passage, Turn
from rag.verification import says_no_answer

PASSAGES = 3
LABEL = "plain, three passages"
_LONG = "根据资料回答问题。资料里没有答案时，回答“资料中没有提到”。"
_SHORT = "根据资料回答问题，只写答案，不解释。资料里没有答案时，回答“资料中没有提到”。"


@dataclass(frozen=True, slots=True)
class PlainPipeline:
    """Answers in the plainest way that a retrieval chain can; of a `Pipeline` as much as the runner asks."""

    inner: Pipeline

    @property
    def library(self) -> Library:
        """The library that is asked."""
        return self.inner.library

    @property
    def settings(self) -> Settings:
        """The settings, of which those of weighing and checking have no part."""
        return self.inner.settings

    @property
    def model(self) -> ChatModel:
        """The chat model."""
        return self.inner.model

    @property
    def reranker(self) -> str:
        """What the answers are kept under beside the reranker's name."""
        return f"{self.inner.reranker} ({LABEL})"

    def standalone(self, question: str, history: Sequence[Turn] = ()) -> Question:
        """See `Pipeline.standalone`."""
        return self.inner.standalone(question, history)

    def retrieve(
        self,
        question: str,
        history: Sequence[Turn] = (),
        k: int | None = None,
        within: Collection[str] | None = None,
    ) -> tuple[Passage, ...]:
        """See `Pipeline.retrieve`."""
        return self.inner.retrieve(question, history, k, within)

    def ask(
        self, question: str, history: Sequence[Turn] = (), within: Collection[str] | None = None
    ) -> Answer:
        """The model's words, unchecked; refused where they say that nothing is told."""
        from langchain_core.messages import HumanMessage, SystemMessage

        start = time.perf_counter()
        asked = self.standalone(question, history)
        passages = self.retrieve(question, history, PASSAGES, within)
        timings = {"evidence": time.perf_counter() - start}
        system = _SHORT if self.settings.answer_style == "short" else _LONG
        texts = "\n\n".join(passage.chunk.text for passage in passages)
        text = ""
        reply = self.model.stream(
            [SystemMessage(system), HumanMessage(f"{texts}\n\n问题：{asked.text}")],
            max_tokens=self.settings.answer_tokens,
        )
        with closing(reply):
            for delta in reply:
                timings.setdefault("first_word", time.perf_counter() - start)
                text += delta
        timings["last_word"] = timings["done"] = time.perf_counter() - start
        return Answer(
            question=question,
            script=asked.script,
            text=text.strip(),
            outcome="refused" if says_no_answer(text) else "answered",
            passages=passages,
            model=self.model.name,
            timings=timings,
            done=True,
            shown=tuple(range(1, len(passages) + 1)),
            usage=reply.usage,
        )
