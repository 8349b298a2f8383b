"""Feedback becomes cases that a bench can run, and nothing that nobody said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import FakeEmbedder

from eval.benchmarks import load_benchmark, write_own
from eval.benchmarks.feedback import counts, feedback_benchmark
from eval.metrics import score
from eval.results import CaseResult
from eval.runner import Options, run
from rag.feedback import Feedback, FeedbackStore
from rag.library import open_catalog
from rag.pipeline import Pipeline
from rag.settings import Settings
from rag.types import Answer, Chunk, Citation, Document, Passage, Source, Turn

ELEVATOR = "每台电梯补贴标准为22万元，由区住建局负责受理。"
FESTIVAL = "区文旅局将打造湖畔音乐节品牌。"
DOCUMENTS = [
    Document(Source("d1", "/通知.txt", "通知", "0", "text/plain"), ELEVATOR),
    Document(Source("d2", "/报告.txt", "报告", "1", "text/plain"), FESTIVAL),
]


def judged(verdict: str = "up", outcome: str = "answered", better: str = "", **more: object) -> Feedback:
    passages = tuple(Passage(Chunk(d.source.id, 0, 0, len(d.text), d.text), d.source, 1.0) for d in DOCUMENTS)
    quote = "每台电梯补贴标准为22万元"
    citation = Citation(1, passages[0], 0, len(quote), quote)
    answered = outcome in ("answered", "partial")
    answer = Answer(
        "补贴多少？",
        "zh-Hans",
        "每台补贴22万元 [1]。" if answered else "",
        outcome,  # type: ignore[arg-type]
        citations=(citation, citation) if answered else (),
        passages=passages,
        done=True,
    )
    return Feedback.of("a1", verdict, answer, Settings(), better=better, **more)  # type: ignore[arg-type]


def case_of(feedback: Feedback, documents: list[Document] = DOCUMENTS):
    (case,) = feedback_benchmark([feedback], documents).cases
    return case


@pytest.mark.parametrize("outcome", ["answered", "partial"])
def test_a_liked_answer_is_the_reference(outcome: str) -> None:
    history = (Turn("user", "电梯呢？"), Turn("assistant", "有补贴。"))
    case = case_of(judged(outcome=outcome, history=history))
    assert (case.type, case.answers, case.gold) == ("liked", ("每台补贴22万元。",), ("d1",))
    assert case.evidence == ("每台电梯补贴标准为22万元",)
    assert case.answerable
    assert (case.history, case.lang, case.id) == (history, "zh-Hans", "a1")


def test_a_liked_refusal_is_unanswerable() -> None:
    case = case_of(judged(outcome="refused"))
    assert (case.type, case.answerable, case.answers, case.gold) == ("liked_refusal", False, (), ())


def test_a_better_answer_replaces_the_disliked() -> None:
    case = case_of(judged("down", better="打造  湖畔音樂節品牌。"))
    assert (case.type, case.answers, case.gold) == ("corrected", ("打造  湖畔音樂節品牌。",), ("d2",))
    assert case_of(judged("down", better="改为30万元")).gold == ()
    assert case_of(judged("down", better="区")).gold == (), "one character is found anywhere"


@pytest.mark.parametrize("feedback", [judged("down"), judged("down", "refused"), judged("up", "clarify")])
def test_what_says_nothing_of_the_right_answer_has_no_references(feedback: Feedback) -> None:
    case = case_of(feedback)
    assert case.type in ("disliked", "liked_clarify")
    assert (case.answers, case.required, case.gold, case.evidence, case.answerable) == ((), (), (), (), True)
    result = CaseResult(case, text="每台补贴22万元。", outcome="answered", claims=(("甲", "supported"),))
    metrics = score(result, only_retrieval=False)
    # What is measured of the answer by itself, and whether there was one; nothing that holds it against a reference.
    assert {name for name, value in metrics.items() if value is not None} == {
        *("supported", "false_refusal", "partial")
    }


def test_what_was_taken_back_makes_no_case() -> None:
    assert feedback_benchmark([judged("none")], DOCUMENTS).cases == ()


def test_documents_that_have_gone_are_no_gold(tmp_path: Path) -> None:
    benchmark = feedback_benchmark([judged()], DOCUMENTS[1:])
    assert benchmark.cases[0].gold == ()
    write_own(benchmark, tmp_path)
    assert load_benchmark(tmp_path).cases == benchmark.cases


@pytest.mark.parametrize("answer", [{}, {"outcome": 3, "text": None}, {"text": "甲", "citations": "x"}])
def test_a_stored_answer_of_another_form_breaks_nothing(answer: dict[str, object]) -> None:
    case = case_of(replace(judged(), answer=answer))
    assert case.gold == ()


def test_what_is_written_reads_back_as_it_was(tmp_path: Path) -> None:
    kinds = [judged(), judged("up", "refused"), judged("down", better="22万元"), judged("down")]
    entries = [replace(entry, id=f"a{n}") for n, entry in enumerate(kinds)]
    benchmark = feedback_benchmark(entries, DOCUMENTS)
    write_own(benchmark, tmp_path)
    loaded = load_benchmark(tmp_path)
    assert (loaded.cases, loaded.documents) == (benchmark.cases, benchmark.documents)
    assert (loaded.name, loaded.short_answers) == ("feedback", False)
    assert counts(loaded) == {
        "liked": 1,
        "liked_refusal": 1,
        "liked_clarify": 0,
        "corrected": 1,
        "disliked": 1,
    }


def test_from_an_answer_over_the_store_to_a_run(
    make_pipeline: Callable[..., Pipeline],
    settings: Settings,
    embedder: FakeEmbedder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline = make_pipeline("每台电梯补贴标准为22万元。[1]")
    question = "每台电梯补贴多少？"
    answer = pipeline.ask(question)
    assert answer.outcome == "answered"
    store = FeedbackStore(settings.home / "feedback")
    store.append(Feedback.of("a1", "up", answer, settings))
    store.append(Feedback.of("a2", "down", answer, settings, better="申报截止日期为2026年9月30日"))
    with open_catalog(settings) as catalog:
        documents = [catalog.document(version.source.id) for version in catalog.versions()]
    write_own(feedback_benchmark(store.entries(), [d for d in documents if d]), tmp_path / "set")
    loaded = load_benchmark(tmp_path / "set")
    cited = {citation.passage.source.id for citation in answer.citations}
    assert cited
    assert [set(case.gold) for case in loaded.cases] == [cited, cited]
    monkeypatch.setattr("eval.runner.open_embedder", lambda settings: embedder)
    info, results = run(loaded, Options(only_retrieval=True), settings, tmp_path / "cache", tmp_path / "run")
    assert (info.cases, info.documents) == (2, 2)
    assert [result.metrics["hit@1"] for result in results] == [1.0, 1.0]
    assert (
        json.loads((tmp_path / "set" / "queries.jsonl").read_text().splitlines()[0])["question"] == question
    )
