"""What the pipeline makes of a chat model that reads better than the default one: it must not stand in its way.

A scripted endpoint plays that model: it answers from what it is shown, in the reference's words, where that holds them, and says
no where the question has no answer. The questions are the project's own near misses, over documents that nothing was
learned from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from endpoints import KEY, Endpoint, Handler, Play, serving
from pydantic import SecretStr

import eval.training
from eval.benchmarks import load_benchmark
from eval.cases import Benchmark, Case
from eval.metrics.reading import contains
from eval.results import CaseResult
from eval.runner import Options, run
from eval.training.candidates import document_of
from eval.training.examples import part_of
from rag.settings import load_settings
from rag.text import fold, to_simplified

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
EACH = 40
NOT_TOLD = "资料中没有提到。"


def held_out() -> Benchmark:
    """As many questions with an answer as without, in Chinese, and the documents that they are about."""
    whole = load_benchmark(Path(eval.training.__path__[0]) / "near")
    cases = [case for case in whole.cases if part_of(document_of(case)) == "held_out" and case.lang != "en"]
    some = [case for wanted in (True, False) for case in cases if case.answerable is wanted]
    chosen = (
        *[case for case in some if case.answerable][:EACH],
        *[case for case in some if not case.answerable][:EACH],
    )
    about = {document_of(case) for case in chosen}
    documents = tuple(document for document in whole.documents if document.id in about)
    return replace(whole, documents=documents, cases=chosen)


def knowing(cases: Sequence[Case], say: Callable[[Case, str], str]) -> Play:
    """A model that knows the questions; ``say`` makes its answer of a case and of the evidence shown, "" where there is none."""
    by_question = {fold(to_simplified(case.question)): case for case in cases}

    def play(handler: Handler) -> None:
        asked = handler.server.requests[-1][2]
        evidence, _, question = asked["messages"][-1]["content"].rpartition("问题：")
        said = say(by_question[fold(question.split("\n")[0])], fold(evidence))
        handler.open_stream()
        if asked["max_tokens"] == 1:
            yes = bool(said)
            likely = [{"token": "是", "logprob": -0.03}, {"token": "否", "logprob": -4.0}]
            tokens = (
                likely
                if yes
                else [{**one, "token": "否" if one["token"] == "是" else "是"} for one in likely]
            )
            told = {"content": [{**tokens[0], "top_logprobs": tokens}]}
            choice = {
                "index": 0,
                "delta": {"content": tokens[0]["token"]},
                "finish_reason": None,
                "logprobs": told,
            }
            handler.say("", choices=[choice])
        else:
            handler.say(said or NOT_TOLD)
        handler.say("", "stop")
        handler.wfile.write(b"data: [DONE]\n\n")

    return play


def in_the_references_words(case: Case, evidence: str) -> str:
    answers = case.answers if case.answerable else ()
    return next((answer for answer in answers if fold(to_simplified(answer)) in evidence), "")


def asked_of(play: Callable[[Sequence[Case]], Play], folder: Path) -> list[CaseResult]:
    benchmark = held_out()
    with serving(Endpoint()) as server:
        server.plays = [play(benchmark.cases)]
        settings = load_settings({"home": folder / "home"}).model_copy(
            update={"chat_base_url": server.url, "chat_model": "larger", "chat_api_key": SecretStr(KEY)}
        )
        options = Options(parallel=1)
        return run(benchmark, options, settings, folder / "cache", folder / "run")[1]


def test_a_model_that_reads_well_is_let_through(tmp_path: Path) -> None:
    results = asked_of(lambda cases: knowing(cases, in_the_references_words), tmp_path)
    there = [result for result in results if result.case.answerable]
    gone = [result for result in results if not result.case.answerable]
    assert len(there) == len(gone) == EACH
    assert {result.outcome for result in gone} == {"refused"}
    assert sum(result.outcome == "refused" for result in there) <= 0.05 * EACH
    assert sum(bool(contains(result.case, result.text)) for result in there) >= 0.9 * EACH
    assert all(result.citations for result in there if result.outcome != "refused")
