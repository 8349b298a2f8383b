"""Chinese names in English text, and whether Chinese text has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.spelled_names import spelled_names, stands_in, syllables


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What did Tongdu's market regulation chief Liu Jinghe promise for 2024?", ["Liu Jinghe"]),
        ("What is the mayor of Baiting District promising?", ["Baiting"]),
        ("How many hectares did Bailu Bay New Area restore?", ["Bailu"]),
        ("What did the Women's Federation promise in China?", []),
        ("Who chairs the Lanxi rapid transit company?", []),
        ("Is there a fee in Lake District?", []),
        ("When will New Road open in San Orelio?", []),
        ("What did Lu Zhenbang and Shi Wenjun say?", ["Lu Zhenbang", "Shi Wenjun"]),
    ],
)
def test_persons_and_places_are_told_from_ordinary_words(question: str, names: list[str]) -> None:
    assert spelled_names(question) == names


@pytest.mark.parametrize(
    ("name", "text", "there"),
    [
        ("Liu Jinghe", "市场监管局局长刘景和表示", True),
        ("Liu Jinghe", "市场监管局局长庞庭松表示", False),
        ("Baiting", "柏亭区人民政府", True),
        ("Baiting", "鹿汀区人民政府", False),
        ("Luting", "鹿汀區人民政府", True),
        ("Luting", "Luting District Government", True),
        ("Xian", "西安市", True),
        ("Taipei", "台北市政府", True),
        ("Lu Zhenbang", "局长陆振邦", True),
        ("Lu Zhenbang", "", False),
        ("", "鹿汀区", True),
        ("Lu Xiaolan", "党委书记吕晓岚", True),
    ],
)
def test_a_name_is_found_by_its_sound(name: str, text: str, there: bool) -> None:
    assert stands_in(name, text) == there


def test_words_are_cut_into_the_fewest_syllables() -> None:
    assert syllables("zhenbang") == ("zhen", "bang")
    assert syllables("luting") == ("lu", "ting")
    assert syllables("street") == ()
    assert syllables("") == ()


@given(st.text(max_size=40), st.text(alphabet="鹿汀区局长陆振邦说abc", max_size=40))
def test_any_text_can_be_asked(english: str, chinese: str) -> None:
    for name in spelled_names(english):
        assert name in english
        stands_in(name, chinese)
    stands_in(english, chinese)
