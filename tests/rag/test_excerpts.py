from __future__ import annotations

from rag.excerpts import excerpts
from rag.questions import analyse
from rag.types import Chunk, Passage, Source


def passage(text: str, score: float = 1.0) -> Passage:
    return Passage(Chunk("d", 0, 0, len(text), text), Source("d", "/d.txt", "t", "x", "text/plain"), score)


def test_passages_are_shown_within_the_budget_and_whole_where_they_fit() -> None:
    question = analyse("老旧小区改造多少个？", 2000)
    passages = [
        passage("改造老旧小区28个。" * 10),
        passage("整治河道12条。" * 20),
        passage("新建学校三所。" * 20),
    ]
    shown = excerpts(question, passages, 180)
    assert sum(len(e.text) for e in shown) <= 180
    assert shown[0].text == passages[0].chunk.text
    assert [e.number for e in shown] == [1, 2]


def test_a_cut_passage_keeps_the_sentences_that_hold_the_question() -> None:
    text = "整治河道12条。" * 30 + "改造老旧小区28个。" + "新建学校三所。" * 30
    shown = excerpts(analyse("老旧小区改造多少个？", 2000), [passage(text)], 100)
    assert "老旧小区28个" in shown[0].text
    assert shown[0].text in text


def test_passages_far_behind_and_those_of_other_bodies_are_left_out() -> None:
    question = analyse("住建局承诺了什么？", 2000)
    passages = [passage("区文旅局举办音乐节。", 1.0), passage("区住建局改造小区。", 0.9)]
    assert [e.number for e in excerpts(question, passages, 500)] == [2]
    plain = analyse("音乐节什么时候举办？", 2000)
    assert [e.number for e in excerpts(plain, [passages[0], passage("别的。", 0.001)], 500)] == [1]
    assert excerpts(plain, [], 500) == []
