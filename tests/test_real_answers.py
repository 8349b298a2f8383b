"""The whole path with the real models: files in, cited answers out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import NOTICE, REPORT, SHARED

from ingest.sync import sync
from rag.pipeline import Pipeline, open_pipeline
from rag.settings import Settings, load_settings
from rag.types import Answer

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def real_settings(home: Path) -> Settings:
    return load_settings({"home": home})


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("documents")
    (folder / "report.txt").write_text(REPORT, encoding="utf-8")
    (folder / "notice.txt").write_text(NOTICE, encoding="gb18030")
    settings = real_settings(tmp_path_factory.mktemp("home"))
    with open_pipeline(settings, writable=True) as opened:
        sync([folder], opened.library, settings)
        yield opened


def cited(pipeline: Pipeline, answer: Answer) -> str:
    """What the answer cites, each citation lying exactly where it says."""
    for citation in answer.citations:
        document = pipeline.library.catalog.document(citation.passage.source.id)
        assert document is not None
        assert document.text[citation.start : citation.end] == citation.quote
        assert f"[{citation.number}]" in answer.text
    return "".join(citation.quote for citation in answer.citations)


@pytest.mark.parametrize(
    ("question", "says", "quotes"),
    [
        ("住建局承诺了什么？", ("28", "好房子"), "田禾"),
        ("文旅局局长说了什么？", ("音乐节",), "白露"),
        ("加装电梯补贴的申报截止日期是哪天？", ("2026年9月30日",), "9月30日"),
        ("文旅局承諾了什麼？", ("音樂節",), "白露"),
        ("How many old residential communities will the housing bureau renovate?", ("28",), "28个"),
    ],
)
def test_a_question_is_answered_from_the_sentence_that_holds_it(
    pipeline: Pipeline, question: str, says: tuple[str, ...], quotes: str
) -> None:
    answer = pipeline.ask(question)
    assert answer.outcome in ("answered", "partial")
    assert all(part in answer.text for part in says), answer.text
    assert quotes in cited(pipeline, answer)


@pytest.mark.parametrize(
    "question",
    [
        "教育局承诺了什么？",
        "今天股市怎么样？",
        "卫健委承诺了什么？",
        "What did the education bureau promise?",
    ],
)
def test_what_the_documents_do_not_tell_is_refused(pipeline: Pipeline, question: str) -> None:
    answer = pipeline.ask(question)
    assert answer.outcome == "refused"
    assert not answer.citations
    assert answer.passages


SEED = SHARED / "seed"


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    if not SEED.is_dir():
        pytest.skip("the district report is not beside this checkout")
    settings = real_settings(tmp_path_factory.mktemp("seed-home"))
    with open_pipeline(settings, writable=True) as opened:
        sync([SEED], opened.library, settings)
        yield opened


@pytest.mark.parametrize(
    ("question", "patterns"),
    [
        ("住建局承诺了什么？", ("智能建造", "老旧小区", "城中村", "危旧房", "好房子")),
        ("住建局承諾了什麼？", ("智能建造", "老舊小區", "城中村", "危舊房", "好房子")),
        (
            "What did the housing bureau promise?",
            (
                "(?i)(smart|intelligent) construction",
                "(?i)old (urban )?(residential|neighbo)",
                "(?i)houses|homes|housing",
            ),
        ),
    ],
)
def test_the_housing_bureaus_promise(seed: Pipeline, question: str, patterns: tuple[str, ...]) -> None:
    answer = seed.ask(question)
    for pattern in patterns:
        assert re.search(pattern, answer.text), (pattern, answer.text)
    quotes = cited(seed, answer)
    assert "周建明" in quotes
    assert not re.search(r"[(（][a-zāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜü]+[)）]", quotes)


def test_who_is_responsible_and_what_he_said(seed: Pipeline) -> None:
    answer = seed.ask("谁负责“大市民服务中心”建设？他说了什么？")
    assert "陈守东" in answer.text
    assert "陳守東" in cited(seed, answer)


@pytest.mark.parametrize("question", ["教育局承诺了什么？", "今天股市怎么样？"])
def test_what_the_report_does_not_tell(seed: Pipeline, question: str) -> None:
    assert seed.ask(question).outcome == "refused"
