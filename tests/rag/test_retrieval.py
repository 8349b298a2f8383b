from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import FakeEmbedder

from ingest.sync import sync
from rag.errors import QuestionError
from rag.library import Library
from rag.questions import analyse
from rag.retrieval import Retriever
from rag.settings import Settings
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


class Leaning(FakeEmbedder):
    """As models do: nearer to anything in its own language than to the same thing in another."""

    def _vector(self, text: str) -> np.ndarray:
        latin = not any("\u4e00" <= char <= "\u9fff" for char in text)
        vector = np.zeros(self.dimension, np.float32)
        vector[0 if latin else 1] = 3.0
        told = {"lift": 5, "电梯": 5, "subsidy": 6, "补贴": 6}
        for word, place in told.items():
            vector[place] += word in text
        return vector / np.linalg.norm(vector)


def test_a_passage_in_another_language_is_among_the_candidates(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "lift.txt").write_text("每台电梯补贴二十二万元，由业主申请。", encoding="utf-8")
    for number in range(80):
        text = f"Minutes number {number}: the council spoke of parks, roads and {number} trees."
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    with Library.open(settings, Leaning(), writable=True) as library:
        sync([folder], library, settings)
        retriever = Retriever(library, 20)
        asked = analyse("What subsidy is paid for a lift?", 2000)
        candidates, _ = retriever.candidates(asked)
        found = [c for c in candidates if "电梯" in c.chunk.text]
        assert len(found) == 1
        assert found[0].other_language
        assert found[0].similarity is not None
        assert found[0].near is not None
        assert found[0].near > found[0].similarity
        assert all(not c.other_language for c in candidates if c not in found)


class Judge:
    """A reranker that likes what holds a word, and remembers what it was asked."""

    name = "judge"

    def __init__(self, word: str) -> None:
        self.word = word
        self.asked: list[tuple[str, ...]] = []

    def scores(self, question: str, passages: Sequence[str]) -> np.ndarray:
        self.asked.append(tuple(passages))
        return np.asarray(
            [[8.0, 4.0, 0.9] if self.word in text else [-8.0, -4.0, 0.1] for text in passages], np.float32
        )


def test_where_the_order_is_in_doubt_a_reranker_decides(make_library: Callable[..., Library]) -> None:
    library = make_library({f"{n}.txt": f"区第{n}小学{n}班春游通知，请家长准备。" for n in range(1, 30)})
    judge = Judge("第17小学")
    found = Retriever(library, 50, judge).search(analyse("小学春游", 2000), 5)
    assert len(judge.asked) == 1
    assert 1 < len(judge.asked[0]) <= 10
    if any(judge.word in text for text in judge.asked[0]):
        assert judge.word in found[0].chunk.text
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)


def test_what_was_read_in_another_language_does_not_stand_before_the_unread_for_that(
    tmp_path: Path, settings: Settings
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    for number in range(1, 30):
        text = f"区第{number}小学{number}班春游通知，请家长准备。"
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
        text = f"Minutes of the council, number {number}: the parks and the roads of the town."
        (folder / f"en{number}.txt").write_text(text, encoding="utf-8")
    judge = Judge("小学")
    with Library.open(settings, FakeEmbedder(), writable=True) as library:
        sync([folder], library, settings)
        found = Retriever(library, 50, judge).search(analyse("小学春游", 2000), 12)
    assert any("Minutes" in text for text in judge.asked[0])
    assert len(found) == 12
    assert all("小学" in passage.chunk.text for passage in found)


def test_one_candidate_alone_needs_no_reranker(make_library: Callable[..., Library]) -> None:
    judge = Judge("x")
    library = make_library({"one.txt": "区水务局局长祝海表示，将整治河道12条。"})
    assert len(Retriever(library, 50, judge).search(analyse("整治河道多少条？", 2000), 5)) == 1
    assert judge.asked == []


def test_what_differs_in_its_numbers_alone_is_shown_beside(make_library: Callable[..., Library]) -> None:
    notice = "关于{year}年采暖季供热的公告：供热期自{year}年11月15日起，居民室内温度不低于18摄氏度，热费每平方米{price}元。"
    library = make_library(
        {
            "2023.txt": notice.format(year=2023, price=19),
            "2024.txt": notice.format(year=2024, price=21),
            "copy.txt": notice.format(year=2024, price=21).replace("公告", "通告"),
        }
    )
    found = Retriever(library).search(analyse("采暖季热费多少钱？", 2000), 5)
    assert len(found) == 2
    assert {"19元" in p.chunk.text for p in found} == {True, False}


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
