"""Words typed by their sound with the wrong characters."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.pinyin import known_nowhere, meant, readings, sounds_like
from rag.text import fold, terms

TEXTS = ("和平路停车费按小时收取", "鹿汀区财政预算", "章慧敏副区长在会上表示", "老旧小区改造由住建局负责")


def documents(pair: str) -> int:
    return Counter(gram for text in TEXTS for gram in set(terms(text)[1]))[pair]


@pytest.mark.parametrize(
    ("char", "expected"),
    [("住", ("zhu",)), ("女", ("nv",)), ("行", ("xing", "hang")), ("a", ()), ("，", ()), ("", ())],
)
def test_readings_have_no_tones_and_the_usual_one_first(char: str, expected: tuple[str, ...]) -> None:
    assert readings(char) == expected


@pytest.mark.parametrize(
    ("typed", "written", "expected"),
    [
        ("助建局", "住建局", True),
        ("助建局", "住建", False),
        ("教育局", "交通局", False),
        ("银行", "吟航", True),
        ("", "", True),
    ],
)
def test_sounds_like(typed: str, written: str, expected: bool) -> None:
    assert sounds_like(typed, written) is expected


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("河平路的停车费是多少", "和平路"),
        ("鹿厅区的财政预算", "鹿汀区"),
        ("章惠敏的表态", "章慧敏"),
        ("助建局负责什么", "住建局"),
    ],
)
def test_what_is_known_nowhere_is_taken_for_what_sounds_like_it(question: str, wanted: str) -> None:
    assert any(
        wanted in written for slip in meant(fold(question), documents) for written in slip.alternatives
    )


def test_southern_confusions_count_but_less() -> None:
    assert meant("鹿听区", lambda pair: {"鹿汀": 1, "汀区": 1, "鹿停": 1, "停区": 1}.get(pair, 0))[
        0
    ].alternatives[:1] in (("鹿汀区",), ("鹿停区",))
    # 鹿定区 has another final (ing); 鹿信区 is in for ing.
    southern = meant("鹿信区", lambda pair: {"鹿兴": 1, "兴区": 1}.get(pair, 0))
    assert southern[0].alternatives == ("鹿兴区",)
    both = meant("鹿信区", lambda pair: {"鹿兴": 5, "兴区": 5, "鹿新": 1, "新区": 1}.get(pair, 0))
    assert both[0].alternatives == ("鹿新区", "鹿兴区")


@pytest.mark.parametrize(
    "question", ["和平路的停车费是多少", "老旧小区改造由谁负责", "What did he say?", "2026年", ""]
)
def test_what_is_known_is_left_alone(question: str) -> None:
    assert meant(fold(question), documents) == []


def test_words_of_the_dictionary_are_never_taken_for_others() -> None:
    assert known_nowhere("教育交通") == []
    assert meant("财政", lambda pair: int(pair == "才正")) == []


def test_what_sounds_like_nothing_known_is_left_alone() -> None:
    assert meant("骉猋路", lambda _: 0) == []


@settings(deadline=None)  # the dictionaries load on first use
@given(st.text(alphabet="和河平路住助建局的区鹿厅汀停车费多少a1 ", max_size=20))
def test_alternatives_differ_in_one_character_of_like_sound(text: str) -> None:
    for slip in meant(fold(text), documents):
        assert slip.typed in fold(text)
        assert 1 <= len(slip.alternatives) <= 3
        for written in slip.alternatives:
            assert len(written) == len(slip.typed)
            assert sum(a != b for a, b in zip(written, slip.typed, strict=True)) == 1
