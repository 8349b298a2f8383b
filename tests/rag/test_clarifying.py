from __future__ import annotations

import pytest

from rag.clarifying import choice
from rag.questions import analyse
from rag.reading import Reading
from rag.reranking import reranking_text
from rag.types import Chunk, Passage, Source, Speech

HOUSING, CULTURE = "住房和城乡建设局", "文化和旅游局"
TEXT = "区住建局局长田禾表示，将改造老旧小区。区文旅局局长白露表示，将办音乐节。"


def spoken(*bodies: str) -> Passage:
    speeches = tuple(Speech(n, n + 1, "局长", body) for n, body in enumerate(bodies))
    source = Source("d", "/d.txt", "区委全会召开", "x", "text/plain", published="2025-12-29")
    return Passage(Chunk("d", 0, 0, len(TEXT), TEXT, speeches=speeches), source, 1.0)


def edition(year: int, amount: str) -> Passage:
    text = f"加装电梯每台补贴{amount}万元。"
    source = Source(
        f"e{year}",
        f"/{year}.txt",
        f"{year}年加装电梯补贴申报指南",
        "x",
        "text/plain",
        published=f"{year}-03-01",
    )
    return Passage(Chunk(source.id, 0, 0, len(text), text), source, 1.0)


def reading(passage: Passage, words: str, answers: float = 3.0) -> Reading:
    start = reranking_text(passage.source, passage.chunk).rindex(words)
    return Reading(answers, answers, 2.0, start, start + len(words))


def test_a_question_that_fits_two_bodies_is_asked_back() -> None:
    found = choice(analyse("局长承诺了什么？", 2000), [spoken(HOUSING, CULTURE)], [])
    assert found is not None
    assert set(found.options) == {HOUSING, CULTURE}
    assert found.passages == (0,)
    assert HOUSING in found.text
    assert found.text.endswith("您问的是哪一个？")


@pytest.mark.parametrize(
    ("text", "ending"),
    [("局長承諾了什麼？", "您問的是哪一個？"), ("What did the bureau promise?", "Which one do you mean?")],
)
def test_it_is_asked_back_in_the_language_of_the_question(text: str, ending: str) -> None:
    found = choice(analyse(text, 2000), [spoken(HOUSING), spoken(CULTURE)], [])
    assert found is not None
    assert found.text.endswith(ending)
    assert found.passages == (0, 1)


@pytest.mark.parametrize(
    "text",
    [
        "住建局局长承诺了什么？",
        "哪些部门承诺了什么？",
        "各部门承诺了什么？",
        "老旧小区改造有什么措施？",
        "局长是谁？",
        "Which bureaus promised something?",
    ],
)
def test_a_plain_question_is_answered(text: str) -> None:
    assert choice(analyse(text, 2000), [spoken(HOUSING, CULTURE)], []) is None


def test_where_one_body_speaks_or_too_many_nothing_is_asked_back() -> None:
    question = analyse("局长承诺了什么？", 2000)
    assert choice(question, [spoken(HOUSING), spoken(HOUSING)], []) is None
    assert choice(question, [spoken(*(f"第{n}局" for n in range(6)))], []) is None
    assert choice(question, [], []) is None


def test_editions_of_two_years_with_other_answers_are_asked_back() -> None:
    passages = [edition(2024, "18"), edition(2026, "22")]
    readings = [reading(passages[0], "18万元"), reading(passages[1], "22万元")]
    found = choice(analyse("加装电梯每台补贴多少？", 2000), passages, readings)
    assert found is not None
    assert found.options == ("2024", "2026")
    assert found.passages == (0, 1)
    for plain in ("2026年加装电梯每台补贴多少？", "现在加装电梯每台补贴多少？"):
        assert choice(analyse(plain, 2000), passages, readings) is None, plain


def test_editions_that_agree_or_of_which_one_does_not_answer_are_not() -> None:
    question = analyse("加装电梯每台补贴多少？", 2000)
    same = [edition(2024, "22"), edition(2026, "22")]
    assert choice(question, same, [reading(p, "22万元") for p in same]) is None
    other = [edition(2024, "18"), edition(2026, "22")]
    unsure = [reading(other[0], "18万元", -3.0), reading(other[1], "22万元")]
    assert choice(question, other, unsure) is None
    assert choice(question, other, []) is None
