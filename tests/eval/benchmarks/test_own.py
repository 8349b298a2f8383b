from __future__ import annotations

import gzip
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED
from hypothesis import given
from hypothesis import strategies as st

from eval.benchmarks import load_benchmark, write_own
from eval.cases import Benchmark, BenchmarkDocument, Case
from rag.errors import SourceError
from rag.types import Turn

DOCUMENTS = [
    {"id": "d1", "title": "", "text": "补贴22万元。", "lang": "zh-Hans"},
    {"id": "d2", "text": "停水。"},
]
QUERY: dict[str, Any] = {
    "id": "q1",
    "question": "补贴多少？",
    "answers": ["22万元"],
    "gold": ["d1"],
    "answerable": True,
}


def write(folder: Path, *queries: dict[str, Any], documents: list[dict[str, Any]] = DOCUMENTS) -> Path:
    for name, records in (("corpus.jsonl", documents), ("queries.jsonl", list(queries))):
        text = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in records)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_records_become_documents_and_cases(tmp_path: Path) -> None:
    query = QUERY | {
        "lang": "zh-Hans",
        "type": "number",
        "split": "dev",
        "all": ["22万元", ["每台", "一台"]],
        "refs": ["补贴22万元。", {"company_name": "x", "content": ["停水。"]}],
        "fake": ["82万元"],
        "given": ["d2", "d1"],
    }
    benchmark = load_benchmark(write(tmp_path, query))
    assert (benchmark.form, benchmark.name, benchmark.folder) == ("wenzheng", tmp_path.name, None)
    assert benchmark.documents[1] == BenchmarkDocument("d2", "停水。")
    assert benchmark.cases == (
        Case(
            id="q1",
            question="补贴多少？",
            answers=("22万元",),
            required=(("22万元",), ("每台", "一台")),
            gold=("d1",),
            lang="zh-Hans",
            type="number",
            split="dev",
            evidence=("补贴22万元。", "停水。"),
            given=("d2", "d1"),
            misleading=("82万元",),
        ),
    )


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (["问", "答"], [("user", "问"), ("assistant", "答")]),
        (["一", "二", "三"], [("assistant", "一"), ("user", "二"), ("assistant", "三")]),
        ([{"role": "user", "text": "问"}], [("user", "问")]),
        ([["问", ["答", "复"]]], [("user", "问"), ("assistant", "答\n复")]),
        (None, []),
    ],
)
def test_earlier_messages_come_in_several_shapes(
    tmp_path: Path, history: Any, expected: list[tuple[str, str]]
) -> None:
    (case,) = load_benchmark(write(tmp_path, QUERY | {"history": history})).cases
    assert [(turn.role, turn.text) for turn in case.history] == expected


def test_unanswerable_questions_that_name_their_document_are_given_it(tmp_path: Path) -> None:
    unanswerable = QUERY | {"id": "q2", "answers": [], "answerable": False, "gold": ["d2"]}
    benchmark = load_benchmark(write(tmp_path, QUERY, unanswerable))
    assert [case.given for case in benchmark.cases] == [("d1",), ("d2",)]
    assert benchmark.closed_possible
    benchmark = load_benchmark(write(tmp_path, QUERY, unanswerable | {"gold": []}))
    assert [case.given for case in benchmark.cases] == [(), ()]
    assert not benchmark.closed_possible


def test_a_split_filters_the_cases(tmp_path: Path) -> None:
    path = write(tmp_path, QUERY | {"split": "dev"}, QUERY | {"id": "q2", "split": "test"})
    assert [case.id for case in load_benchmark(path, split="test").cases] == ["q2"]
    with pytest.raises(SourceError, match="Choose one of dev, test"):
        load_benchmark(path, split="train")


def test_an_id_in_two_languages_is_told_apart_and_asked_across(tmp_path: Path) -> None:
    chinese = QUERY | {"lang": "zh-Hans", "gold_xling": ["e1"]}
    english = QUERY | {"lang": "en", "question": "How much?", "gold": ["e1"], "gold_xling": ["d1"]}
    documents = [*DOCUMENTS, {"id": "e1", "text": "220,000 yuan.", "lang": "en"}]
    path = write(tmp_path, chinese, english, documents=documents)
    assert [case.id for case in load_benchmark(path).cases] == ["q1:zh-Hans", "q1:en"]
    crossed = load_benchmark(path, part="zh-Hans>en")
    assert [document.id for document in crossed.documents] == ["e1"]
    assert [(case.question, case.gold) for case in crossed.cases] == [("补贴多少？", ("e1",))]
    assert [case.lang for case in load_benchmark(path, part="en").cases] == ["en"]
    for wrong in ("fr", "en>fr", ">"):
        with pytest.raises(SourceError, match="has no part"):
            load_benchmark(path, part=wrong)
    with pytest.raises(SourceError, match='line 3, repeats the id "q1'):
        load_benchmark(write(tmp_path, chinese, english, chinese, documents=documents))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"question": "x"}, r'queries\.jsonl, line 2, has no "id"'),
        (QUERY | {"id": "q2", "question": " "}, 'nothing in "question"'),
        (QUERY | {"id": "q2", "answers": "22万元"}, 'text in "answers" where a list belongs'),
        (QUERY | {"id": "q2", "answers": [{}]}, r'an object in "answers\[0\]"'),
        (QUERY | {"id": "q2", "answerable": "perhaps"}, 'in "answerable" where true or false'),
        (QUERY | {"id": "q2", "gold": None}, 'null in "gold"'),
        (QUERY | {"id": "q2", "gold": ["d9"]}, 'in "gold" the document "d9"'),
        (QUERY | {"id": "q2", "given": ["d9"]}, 'in "given" the document "d9"'),
        (QUERY | {"id": "q2", "gold_xling": ["d9"]}, 'in "gold_xling" the document "d9"'),
        (QUERY, 'line 2, repeats the id "q1"'),
        (QUERY | {"id": "q2", "history": [["x"]]}, "no pair of question and answer"),
        (QUERY | {"id": "q2", "history": [{"role": "system", "text": "x"}]}, 'the role "system"'),
        (QUERY | {"id": "q2", "all": [[]]}, r'nothing in "all\[0\]"'),
        (QUERY | {"id": "q2", "refs": [{"content": 1.5, "x": 1}, True]}, r'"refs\[1\]"'),
    ],
)
def test_malformed_queries_are_reported_with_their_line(
    tmp_path: Path, query: dict[str, Any], message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        load_benchmark(write(tmp_path, QUERY, query))


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([*DOCUMENTS, DOCUMENTS[0]], r'corpus\.jsonl, line 3, repeats the id "d1"'),
        ([{"id": "d1"}], r'corpus\.jsonl, line 1, has no "text"'),
        ([{"id": None, "text": "x"}], 'null in "id"'),
        ([{"id": "d1", "text": "x", "title": 3}], 'a number in "title"'),
    ],
)
def test_malformed_documents_are_reported_with_their_line(
    tmp_path: Path, documents: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        load_benchmark(write(tmp_path, QUERY, documents=documents))


def test_questions_without_documents_are_told_so(tmp_path: Path) -> None:
    write(tmp_path, QUERY)
    (tmp_path / "corpus.jsonl").unlink()
    with pytest.raises(SourceError, match="no documents to ask"):
        load_benchmark(tmp_path)


def test_a_benchmark_of_files_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="asks about files"):
        write_own(Benchmark("x", "samples", (), (), folder=tmp_path), tmp_path / "to")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SourceError, match="cannot be written"):
        write_own(Benchmark("x", "wenzheng", (), ()), tmp_path / "file")


def test_writing_again_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    benchmark = load_benchmark(write(tmp_path, QUERY))
    write_own(replace(benchmark, name="二"), tmp_path)
    assert load_benchmark(tmp_path) == replace(benchmark, name="二")
    assert {path.name for path in tmp_path.iterdir()} == {"benchmark.json", "corpus.jsonl", "queries.jsonl"}


def test_other_forms_can_be_written_as_this_one(tmp_path: Path) -> None:
    record = {
        "id": 1,
        "query": "问",
        "answer": [["a", "b"], "c"],
        "positive": [["x"], ["y"]],
        "negative": ["z"],
    }
    path = tmp_path / "rgb"
    path.write_text(json.dumps(record), encoding="utf-8")
    benchmark = load_benchmark(path, noise=0.2)
    write_own(benchmark, tmp_path / "own")
    assert load_benchmark(tmp_path / "own") == replace(benchmark, form="wenzheng")


words = st.text(max_size=8)
filled = st.text(min_size=1, max_size=8).filter(str.strip)


@st.composite
def benchmarks(draw: st.DrawFn) -> Benchmark:
    document_ids = draw(st.lists(filled, unique=True, min_size=1, max_size=4))
    documents = tuple(BenchmarkDocument(id_, draw(words), draw(words), draw(words)) for id_ in document_ids)
    some = st.lists(st.sampled_from(document_ids), unique=True).map(tuple)
    several = st.lists(words, max_size=3).map(tuple)
    case = st.builds(
        Case,
        id=filled,
        question=filled,
        answers=several,
        required=st.lists(st.lists(words, min_size=1, max_size=2).map(tuple), max_size=2).map(tuple),
        gold=some,
        answerable=st.booleans(),
        history=st.lists(st.builds(Turn, st.sampled_from(["user", "assistant"]), words), max_size=3).map(
            tuple
        ),
        lang=words,
        type=words,
        split=words,
        evidence=several,
        given=some,
        misleading=several,
    )
    cases = draw(st.lists(case, min_size=1, max_size=3, unique_by=lambda made: made.id))
    return Benchmark(
        draw(filled),
        "wenzheng",
        documents,
        tuple(cases),
        short_answers=draw(st.booleans()),
        closed_possible=draw(st.booleans()),
    )


@given(benchmarks())
def test_what_is_written_is_read_back(benchmark: Benchmark) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_own(benchmark, Path(folder) / "to")
        assert load_benchmark(Path(folder) / "to") == benchmark


@pytest.mark.parametrize(
    ("name", "documents", "cases", "unanswerable"),
    [
        ("cmrc2018", 256, 1000, 0),
        ("drcd", 1000, 3524, 0),
        ("xquad", 280, 1348, 0),
        ("chinese_squad2", 738, 5918, 3510),
        ("cail2019_cjrc", 1000, 6000, 1420),
        ("dureader_robust", 724, 724, 0),
        ("domainrag", 2199, 163, 0),
        ("rgb", 8567, 315, 0),
        ("rageval_dragonball", 336, 3172, 107),
        ("kdconv", 758, 4003, 0),
        ("crud_rag", 68748, 104, 0),
    ],
)
def test_the_shared_folders_load(name: str, documents: int, cases: int, unanswerable: int) -> None:
    path = SHARED / "data" / name
    if not path.is_dir():
        pytest.skip(f"{name} is not there")
    benchmark = load_benchmark(path)
    assert (benchmark.name, len(benchmark.documents), len(benchmark.cases)) == (name, documents, cases)
    assert sum(not case.answerable for case in benchmark.cases) == unanswerable
    assert len({case.id for case in benchmark.cases}) == cases
    assert benchmark.closed_possible is (name in ("chinese_squad2", "cail2019_cjrc"))
    if benchmark.closed_possible:
        assert all(case.given == case.gold for case in benchmark.cases)
    assert any(case.history for case in benchmark.cases) is (name in ("domainrag", "kdconv"))
    assert all(not case.history or case.history[-1].role == "assistant" for case in benchmark.cases)
    assert any(case.evidence for case in benchmark.cases) is (name == "rageval_dragonball")
    assert any(case.misleading for case in benchmark.cases) is (name == "rgb")


def test_the_shared_set_without_documents_is_told_so() -> None:
    path = SHARED / "data" / "utterance_rewriter"
    if not path.is_dir():
        pytest.skip("utterance_rewriter is not there")
    with pytest.raises(SourceError, match="no documents to ask"):
        load_benchmark(path)


def test_the_shared_bilingual_set_is_asked_across() -> None:
    path = SHARED / "data" / "xquad"
    if not path.is_dir():
        pytest.skip("xquad is not there")
    benchmark = load_benchmark(path, part="zh-Hans>en")
    assert (len(benchmark.documents), len(benchmark.cases)) == (140, 674)
    assert {document.lang for document in benchmark.documents} == {"en"}


def test_a_gzipped_corpus_that_is_cut_off_is_damaged(tmp_path: Path) -> None:
    write(tmp_path, QUERY)
    plain = tmp_path / "corpus.jsonl"
    packed = gzip.compress(plain.read_bytes())
    plain.unlink()
    (tmp_path / "corpus.jsonl.gz").write_bytes(packed)
    assert len(load_benchmark(tmp_path).documents) == 2
    (tmp_path / "corpus.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(SourceError, match=r"corpus\.jsonl\.gz is a damaged gzip"):
        load_benchmark(tmp_path)
