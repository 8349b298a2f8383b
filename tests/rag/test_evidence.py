from __future__ import annotations

from rag.evidence import assess
from rag.questions import analyse
from rag.types import Chunk, Passage, Source


def passage(text: str, similarity: float = 0.86) -> Passage:
    source = Source("d", "/d.txt", "区委全会召开", "x", "text/plain", published="2025-12-29")
    return Passage(Chunk("d", 0, 0, len(text), text), source, 1.0, similarity=similarity)


HOUSING = passage("区住建局局长田禾表示，将改造老旧小区28个。")


def test_a_body_that_is_not_there_is_named() -> None:
    evidence = assess(analyse("教育局承诺了什么？", 2000), [HOUSING])
    assert (evidence.fault, evidence.names) == ("body_missing", ("教育局",))


def test_a_year_that_is_not_there_is_named() -> None:
    assert assess(analyse("2031年改造多少老旧小区？", 2000), [HOUSING]).names == ("2031",)
    assert assess(analyse("2025年改造多少老旧小区？", 2000), [HOUSING]).fault == ""


def test_a_question_that_the_passages_cover_scores_high_and_a_foreign_one_low() -> None:
    near = assess(analyse("住建局要改造多少老旧小区？", 2000), [HOUSING])
    far = assess(analyse("红烧肉怎么做才好吃？", 2000), [passage(HOUSING.chunk.text, 0.80)])
    assert near.score > 0.8
    assert far.score < 0.2
    assert far.fault == "words_missing"


def test_no_passages_are_no_evidence() -> None:
    assert assess(analyse("住建局承诺了什么？", 2000), []).score == 0.0


def test_a_person_or_place_that_is_not_there_is_named_in_an_english_question_too() -> None:
    there = assess(
        analyse("What did Tian He of Luting District promise?", 2000),
        [passage("鹿汀区住建局局长田禾表示，将改造小区。")],
    )
    assert there.fault == ""
    other = assess(analyse("What did Liu Jinghe promise for 2025?", 2000), [HOUSING])
    assert (other.score, other.fault, other.names) == (0.0, "words_missing", ("Liu Jinghe",))
    elsewhere = assess(analyse("How many communities will Baiting District renew?", 2000), [HOUSING])
    assert elsewhere.names == ("Baiting",)
