"""The telling words of English texts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from rag.english_words import stems


def test_forms_of_a_word_have_one_stem_and_common_words_none() -> None:
    assert stems("The communities were renovated.") == stems("renovating of a community")[::-1]
    assert stems("It is not what they would have been about.") == ()
    assert stems("") == ()


def test_numbers_are_words() -> None:
    assert stems("28 homes in 2024") == ("28", "home", "2024")


@given(st.text(max_size=60))
def test_any_text_has_stems_that_hold_no_spaces(text: str) -> None:
    assert not any(" " in stem for stem in stems(text))


def test_threads_may_ask_at_once() -> None:
    texts = [f"number {n} of the houses" for n in range(400)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(stems, texts))
    assert found == [("number", str(n), "hous") for n in range(400)]
