from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from rag.errors import QuestionError
from rag.library import Library
from rag.questions import analyse
from rag.retrieval import Retriever
from rag.types import Passage

FILES = {
    "住建.txt": "区住建局局长田禾表示，将改造老旧小区28个。",
    "文旅.txt": "区文旅局局长白露表示，将打造湖畔音乐节品牌。",
    "水务.txt": "区水务局局长祝海表示，将整治河道12条。",
    "副本.txt": "区水务局局长祝海表示，将整治河道12条。",
}


@pytest.fixture
def search(make_library: Callable[..., Library]) -> Callable[..., tuple[Passage, ...]]:
    retriever = Retriever(make_library(FILES), 50)
    return lambda text, k=4: retriever.search(analyse(text, 2000), k)


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("住建局承诺了什么？", "住建"),
        ("住房和城鄉建設局承諾了什麼？", "住建"),
        ("What did the housing bureau promise?", "住建"),
        ("湖畔音乐节", "文旅"),
    ],
)
def test_the_right_passage_comes_first(
    search: Callable[..., tuple[Passage, ...]], question: str, name: str
) -> None:
    passages = search(question)
    assert f"/{name}.txt" in passages[0].source.path
    assert passages[0].chunk.text == FILES[f"{name}.txt"]
    assert [p.score for p in passages] == sorted((p.score for p in passages), reverse=True)


def test_the_same_text_comes_once(search: Callable[..., tuple[Passage, ...]]) -> None:
    texts = [passage.chunk.text for passage in search("水务局整治河道多少条？")]
    assert len(texts) == len(set(texts)) == 3


def test_the_order_is_the_same_each_time(search: Callable[..., tuple[Passage, ...]]) -> None:
    runs = {tuple(p.chunk.text for p in search("局长表示")) for _ in range(3)}
    assert len(runs) == 1


@pytest.mark.parametrize(
    "question",
    [
        "路",
        "12",
        "😀 a",
        "title:住建 AND (OR",
        '"',
        "a" * 1900,
        "住\u200b建\u200b局",
        "'; DROP TABLE versions; --",
        "*a?~2^3",
    ],
)
def test_odd_questions_find_something_or_nothing_but_never_fail(
    search: Callable[..., tuple[Passage, ...]], question: str
) -> None:
    # pytest has no "returns or raises": a question without letters is refused, every other is searched.
    with contextlib.suppress(QuestionError):
        assert len(search(question, 2)) <= 2


def test_a_question_can_be_asked_of_some_documents_alone(make_library: Callable[..., Library]) -> None:
    library = make_library(
        {
            "住建.txt": "区住建局局长田禾表示，将改造老旧小区28个。",
            "文旅.txt": "区文旅局局长白露表示，将打造湖畔音乐节品牌。",
            "教育.txt": "区教育局局长许冬表示，将新建小学3所。",
        }
    )
    retriever = Retriever(library)
    ids = {version.source.path.rsplit("/", 1)[1]: version.source.id for version in library.documents()}
    question = analyse("老旧小区改造多少个？", 2000)
    assert retriever.search(question, 5)[0].source.path.endswith("住建.txt")
    chosen = [ids["文旅.txt"], ids["教育.txt"]]
    found = retriever.search(question, 5, chosen)
    assert {passage.source.id for passage in found} == set(chosen)
    assert retriever.search(question, 5, []) == ()
    assert retriever.search(question, 5, ["no such document"]) == ()
    # The ranks are those of the chosen documents: none is taken by what was left out.
    assert min(passage.dense_rank or 99 for passage in found) == 1
