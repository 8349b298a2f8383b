from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED
from hypothesis import given
from hypothesis import strategies as st

from eval.benchmarks import load_benchmark
from eval.benchmarks.reading import record
from eval.benchmarks.squad import load_squad, load_squad_lines
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
    if "repeats" not in message:
        assert re.search("[一-鿿]", caught.value.chinese)


def write_lines(tmp_path: Path, *records: Any) -> Path:
    path = tmp_path / "data.txt"
    text = "".join(json.dumps(item, ensure_ascii=False) + "\n\n" for item in records)
    path.write_text(text, encoding="utf-8")
    return path


def flat(id_: str, *answers: str, context: str = CONTEXT, **more: Any) -> dict[str, Any]:
    """A question as Hugging Face writes it."""
    found = {"text": list(answers), "answer_start": [context.find(text) for text in answers]}
    question = {"id": id_, "title": "民生实事", "context": context, "question": "改造多少个小区？"}
    return question | {"answers": found, **more}


OTHER = "由区水务局负责。"
AS_LINES = {
    "entries": (
        article(qa("1", answer("28个")), qa("2")),
        article(qa("3", answer("区水务局")), context=OTHER),
    ),
    "paragraphs": (
        {"title": "民生实事", "context": CONTEXT, "qas": [qa("1", answer("28个")), qa("2")]},
        {"title": "民生实事", "context": OTHER, "qas": [qa("3", answer("区水务局"))]},
    ),
    "questions": (flat("1", "28个"), flat("2"), flat("3", "区水务局", context=OTHER)),
    "questions with answers as objects": (
        flat("1") | {"answers": [answer("28个")]},
        flat("2") | {"answers": []},
        flat("3", context=OTHER) | {"answers": [answer("区水务局")]},
    ),
}


@pytest.mark.parametrize("records", AS_LINES.values(), ids=AS_LINES.keys())
def test_json_lines_hold_the_same_as_one_value(tmp_path: Path, records: tuple[dict[str, Any], ...]) -> None:
    value = {"data": list(AS_LINES["entries"])}
    one = load_benchmark(write(tmp_path, value))
    lines = load_benchmark(write_lines(tmp_path, *records))
    assert (lines.form, lines.closed_possible) == ("squad", True)
    assert [(d.text, d.title, d.lang) for d in lines.documents] == [
        (d.text, d.title, d.lang) for d in one.documents
    ]
    by_id = {document.id: document.text for document in lines.documents}
    assert [(c.id, c.question, c.answers, c.answerable, by_id[c.gold[0]]) for c in lines.cases] == [
        ("1", "改造多少个小区？", ("28个",), True, CONTEXT),
        ("2", "改造多少个小区？", (), False, CONTEXT),
        ("3", "改造多少个小区？", ("区水务局",), True, OTHER),
    ]
    assert all(case.given == case.gold for case in lines.cases)


def test_lines_of_questions_may_say_that_one_is_impossible(tmp_path: Path) -> None:
    path = write_lines(tmp_path, flat("1", "28个"), flat("2", "28个", is_impossible=True))
    assert [case.answerable for case in load_benchmark(path).cases] == [True, False]


@pytest.mark.parametrize(
    ("bad", "message", "chinese"),
    [
        ({"title": "x"}, r'^data\.txt, line 3, has no "context"', "“data.txt”第3行缺少“context”。"),
        (
            flat("2") | {"answers": "28个"},
            'line 3, has text in "answers"',
            "第3行的“answers”应为列表，却是文本",
        ),
        (flat("2") | {"answers": {}}, 'line 3, answers has no "text"', "第3行（answers）缺少“text”"),
        (flat("2") | {"answers": {"text": [1]}}, r'a number in "text\[0\]"', "应为文本，却是数字"),
        (
            flat("2") | {"answers": {"text": ["28个"], "answer_start": []}},
            'line 3, has 1 texts but 0 places in "answers"',
            "有1个文本，却有0个位置",
        ),
        (flat("1", "28个"), 'line 3, repeats the id "1"', ""),
        (flat("2", "28个", context=" "), 'line 3, has nothing in "context"', "第3行的“context”是空的"),
        (
            article({"id": "2"}),
            r'line 3, paragraphs\[0\], qas\[0\] has no "question"',
            "第3行（paragraphs[0], qas[0]）",
        ),
        ({"context": "x", "qas": {}}, 'line 3, has an object in "qas"', "应为列表，却是对象"),
        (["x"], "line 3, is a list, not an object", "第3行应为对象，却是列表"),
    ],
)
def test_a_malformed_line_is_reported_with_file_and_line(
    tmp_path: Path, bad: Any, message: str, chinese: str
) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        load_benchmark(write_lines(tmp_path, flat("1", "28个"), bad))
    assert chinese in caught.value.chinese
    assert caught.value.fix


def test_a_line_that_is_cut_off_is_reported(tmp_path: Path) -> None:
    path = write_lines(tmp_path, flat("1", "28个"), flat("2", "28个"))
    path.write_text(path.read_text(encoding="utf-8")[:-9], encoding="utf-8")
    with pytest.raises(SourceError, match=r"data\.txt, line 3, is no JSON") as caught:
        load_benchmark(path)
    assert "“data.txt”第3行不是 JSON" in caught.value.chinese


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
    lines = [{"context": "x", "question": "?", "id": 1, "answers": value}, value]
    with suppress(SourceError):
        load_squad({"data": value}, "x.json", "x")
    for item in lines:
        with suppress(SourceError):
            load_squad_lines([record(item, "x.jsonl, line 1,")], "x.jsonl", "x")


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
