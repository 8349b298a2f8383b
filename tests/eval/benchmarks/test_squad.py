from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED
from hypothesis import given
from hypothesis import strategies as st

from eval.benchmarks import load_benchmark
from eval.benchmarks.squad import load_squad
from eval.cases import BenchmarkDocument
from rag.errors import SourceError

CONTEXT = "鹿汀区今年改造老旧小区28个，由区住建局负责。"


def answer(text: str, start: int = -1) -> dict[str, Any]:
    return {"text": text, "answer_start": start}


def qa(id_: str, *answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": id_, "question": "改造多少个小区？", "answers": list(answers), **more}


def article(*qas: dict[str, Any], context: str = CONTEXT, **more: Any) -> dict[str, Any]:
    return {"title": "民生实事", "paragraphs": [{"context": context, "qas": list(qas), **more}]}


def write(tmp_path: Path, value: Any) -> Path:
    path = tmp_path / "data.txt"
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def test_a_context_is_one_document_that_is_gold_and_given(tmp_path: Path) -> None:
    other = article(qa("3", answer("区住建局")), context="由区住建局负责。")
    value = {"data": [article(qa("1", answer("28个"))), article(qa("2", answer("28"))), other]}
    benchmark = load_benchmark(write(tmp_path, value))
    assert benchmark.form == "squad"
    assert [d.text for d in benchmark.documents] == [CONTEXT, "由区住建局负责。"]
    assert benchmark.documents[0] == BenchmarkDocument("0:0", CONTEXT, "民生实事", "zh-Hans")
    assert [case.gold for case in benchmark.cases] == [("0:0",), ("0:0",), ("2:0",)]
    assert all(case.given == case.gold and case.type == "span" for case in benchmark.cases)
    assert benchmark.short_answers
    assert not benchmark.closed_possible


def test_alternatives_come_once_each(tmp_path: Path) -> None:
    value = {"data": [article(qa("1", answer("28个"), answer(" 28个 "), answer("老旧小区28个"), answer("")))]}
    (case,) = load_benchmark(write(tmp_path, value)).cases
    assert case.answers == ("28个", "老旧小区28个")


@pytest.mark.parametrize("flag", [True, "true", "True"])
def test_impossible_questions_are_unanswerable_whatever_annotators_wrote(tmp_path: Path, flag: Any) -> None:
    value = {
        "data": [
            article(
                qa("1", answer("28个"), is_impossible=False),
                qa("2", answer("NO"), is_impossible=flag),
                qa("3"),
            )
        ]
    }
    benchmark = load_benchmark(write(tmp_path, value))
    assert [(c.answerable, c.answers, c.type) for c in benchmark.cases] == [
        (True, ("28个",), "span"),
        (False, (), "unanswerable"),
        (False, (), "unanswerable"),
    ]
    assert all(case.gold == case.given == ("0:0",) for case in benchmark.cases)
    assert benchmark.closed_possible


def test_yes_and_no_are_answers_and_unknown_is_none(tmp_path: Path) -> None:
    value = {
        "data": [
            article(
                qa("1", answer("YES"), answer(""), is_impossible="false"),
                qa("2", answer("unknown")),
                qa("3", answer("unknown", 4)),
            )
        ]
    }
    cases = load_benchmark(write(tmp_path, value)).cases
    assert [(c.answers, c.type) for c in cases] == [
        (("YES",), "yesno"),
        ((), "unanswerable"),
        (("unknown",), "span"),
    ]


def test_a_question_without_a_word_is_passed_over(tmp_path: Path) -> None:
    blank = qa("1", answer("28个")) | {"question": " "}
    benchmark = load_benchmark(write(tmp_path, {"data": [article(blank, qa("2", answer("28个")))]}))
    assert [case.id for case in benchmark.cases] == ["2"]


def test_the_script_is_told_also_where_a_question_shows_none(tmp_path: Path) -> None:
    context = "臺灣東部的縱谷平原位於海岸山脈與中央山脈之間。"
    value = {"data": [article(qa("1", answer("中央山脈")) | {"question": "在何地？"}, context=context)]}
    benchmark = load_benchmark(write(tmp_path, value))
    assert (benchmark.documents[0].lang, benchmark.cases[0].lang) == ("zh-Hant", "zh-Hant")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"data": {}}, r'data\.txt has an object in "data" where a list belongs'),
        ({"data": [1]}, r"data\[0\] is a number, not an object"),
        ({"data": [{"title": "x"}]}, r'data\[0\] has no "paragraphs"'),
        (
            {"data": [article(qa("1", answer("a")), context="")]},
            r'paragraphs\[0\] has nothing in "context"',
        ),
        ({"data": [article({"id": "1", "answers": []})]}, r'qas\[0\] has no "question"'),
        ({"data": [article(qa("1", {"answer_start": 1}))]}, r'answers\[0\] has no "text"'),
        ({"data": [article(qa("1", answer("a"), is_impossible=1))]}, "a number in .is_impossible."),
        ({"data": [article(qa("1", answer("a")), qa("1", answer("b")))]}, r'qas\[1\] repeats the id "1"'),
        ({"data": [article(qa("", answer("a")))]}, r'qas\[0\] has nothing in "id"'),
        ({"data": [article(qa("1"), qa("2"))]}, "no answer to any"),
        ({"data": [article(qa("1", answer("\ud800")))]}, "half of a character"),
        ({"data": []}, "has no questions"),
    ],
)
def test_what_is_malformed_is_reported_with_its_place(tmp_path: Path, value: Any, message: str) -> None:
    path = tmp_path / "data.txt"
    path.write_text(json.dumps(value), encoding="ascii")
    with pytest.raises(SourceError, match=message) as caught:
        load_benchmark(path)
    assert caught.value.fix


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["data", "title", "paragraphs", "context", "qas", "id", "question", "answers", "text"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_nothing_but_a_source_error_comes_out_of_any_json(value: Any) -> None:
    try:
        load_squad({"data": value}, "x.json", "x")
    except SourceError as error:
        assert error.what


@pytest.mark.parametrize(
    ("name", "documents", "cases", "unanswerable", "form"),
    [
        ("DRCD_dev.json", 1000, 3524, 0, "squad"),
        ("cail2019_dev.json", 999, 6000, 1420, "squad"),
        ("dureader_robust_dev_half.json", 719, 724, 0, "squad"),
        ("cmrc2018_trial.squad.json", 256, 1000, 0, "squad"),
        ("cmrc2018_trial.json", 256, 1000, 0, "cmrc"),
    ],
)
def test_published_files_load(name: str, documents: int, cases: int, unanswerable: int, form: str) -> None:
    path = SHARED / "data" / "raw" / name
    if not path.is_file():
        pytest.skip(f"{name} is not there")
    benchmark = load_benchmark(path)
    assert (benchmark.form, len(benchmark.documents), len(benchmark.cases)) == (form, documents, cases)
    assert sum(not case.answerable for case in benchmark.cases) == unanswerable
    ids = {document.id for document in benchmark.documents}
    assert all(case.gold == case.given and set(case.gold) <= ids for case in benchmark.cases)
    script = "zh-Hant" if name.startswith("DRCD") else "zh-Hans"
    assert sum(document.lang == script for document in benchmark.documents) >= documents * 0.97


@pytest.mark.parametrize(
    ("published", "converted", "prefix"),
    [
        ("cail2019_dev.json", "cail2019_cjrc", "cail-dev:"),
        ("DRCD_dev.json", "drcd", ""),
        ("cmrc2018_trial.json", "cmrc2018", ""),
        ("cmrc2018_trial.squad.json", "cmrc2018", ""),
    ],
)
def test_the_published_form_says_what_the_converted_one_says(
    published: str, converted: str, prefix: str
) -> None:
    raw, folder = SHARED / "data" / "raw" / published, SHARED / "data" / converted
    if not (raw.is_file() and folder.is_dir()):
        pytest.skip(f"{published} or {converted} is not there")
    found = {prefix + case.id: case for case in load_benchmark(raw).cases}
    expected = {case.id: case for case in load_benchmark(folder).cases}
    assert found.keys() == expected.keys()
    for id_, case in found.items():
        assert (case.question.strip(), case.type) == (expected[id_].question.strip(), expected[id_].type)
        if case.answerable:
            assert case.answers == tuple(answer.strip() for answer in expected[id_].answers)
