"""The baseline: three passages, one prompt, the model's words as they come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eval.plain import LABEL, PASSAGES, PlainPipeline
from rag.pipeline import Pipeline

Make = Callable[..., Pipeline]
FILES = {f"{n}.txt": f"第{n}号通知\n\n第{n}小区将改造电梯{n}台。" for n in range(1, 7)}


def test_the_models_words_are_the_answer_unchecked(make_pipeline: Make) -> None:
    inner = make_pipeline("将改造电梯99台。")
    answer = PlainPipeline(inner).ask("第3小区改造电梯多少台？")
    assert (answer.text, answer.outcome, answer.done) == ("将改造电梯99台。", "answered", True)
    assert not answer.citations
    assert list(answer.timings) == ["evidence", "first_word", "last_word", "done"]


def test_it_is_shown_three_passages_and_the_question(make_pipeline: Make) -> None:
    inner = make_pipeline("3台。", files=FILES)
    answer = PlainPipeline(inner).ask("第3小区改造电梯多少台？")
    model: Any = inner.model
    shown = str(model.asked[0][-1].content)
    assert len(answer.passages) == PASSAGES
    assert all(passage.chunk.text in shown for passage in answer.passages)
    assert shown.endswith("第3小区改造电梯多少台？")


@pytest.mark.parametrize(("said", "outcome"), [("资料中没有提到。", "refused"), ("3台。", "answered")])
def test_it_refuses_only_what_the_model_refuses(make_pipeline: Make, said: str, outcome: str) -> None:
    assert PlainPipeline(make_pipeline(said)).ask("红烧肉怎么做？").outcome == outcome


def test_its_answers_are_kept_apart(make_pipeline: Make) -> None:
    inner = make_pipeline()
    assert PlainPipeline(inner).reranker != inner.reranker
    assert LABEL in PlainPipeline(inner).reranker
