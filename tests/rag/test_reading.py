"""Where the words that answer begin and end: among tokens, and in the text."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.reading import best_span, characters_of

LONGEST = 40
SCORES = st.floats(-20, 20, width=32)


def logarithms(places: np.ndarray) -> np.ndarray:
    exact = places.astype(np.float64)
    return exact - np.log(np.exp(exact).sum(0))


@given(
    st.lists(st.tuples(SCORES, SCORES), min_size=2, max_size=60),
    st.integers(1, 59),
    st.integers(1, 60),
)
def test_the_best_span_is_the_best_of_all(rows: list[tuple[float, float]], one: int, other: int) -> None:
    places = np.asarray(rows, np.float32)
    first, last = min(one, len(rows) - 1), min(other, len(rows))
    span = best_span(places, first, last)
    scores = logarithms(places)
    none = scores[0].sum()
    if last <= first:
        assert (span.first, span.last) == (first, first)
        assert span.margin <= -1e3
        return
    allowed = [
        (begin, end)
        for begin, end in itertools.product(range(first, last), repeat=2)
        if 0 <= end - begin < LONGEST
    ]
    assert (span.first, span.last) in allowed
    best = max(scores[begin, 0] + scores[end, 1] for begin, end in allowed)
    assert scores[span.first, 0] + scores[span.last, 1] == pytest.approx(best, abs=1e-3)
    assert span.margin == pytest.approx(best - none, abs=1e-3)


def test_an_answer_has_forty_tokens_at_most() -> None:
    places = np.zeros((60, 2), np.float32)
    places[5, 0] = places[45, 1] = 9.0
    places[44, 1] = 3.0
    span = best_span(places, 1, 60)
    assert (span.first, span.last) == (5, 44)


def test_the_margin_is_below_nothing_where_no_words_are_likelier() -> None:
    places = np.zeros((6, 2), np.float32)
    places[0] = 4.0
    assert best_span(places, 2, 6).margin == pytest.approx(-8.0)
    places[0], places[3] = 0.0, 4.0
    span = best_span(places, 2, 6)
    assert (span.first, span.last, span.margin) == (3, 3, pytest.approx(8.0))


# --- characters ---------------------------------------------------------------------------------------------


class Toy:
    """Cuts off the longest piece that it knows, word by word; "_" stands before each word, as in SentencePiece."""

    def __init__(self, *pieces: str) -> None:
        self.pieces = sorted(pieces, key=len, reverse=True)
        self.numbers: dict[str, int] = {}

    def cut(self, text: str) -> list[str]:
        found = []
        for word in text.split():
            rest = "_" + word
            while rest:
                piece = next((p for p in self.pieces if rest.startswith(p)), rest[0])
                found.append(piece)
                rest = rest[len(piece) :]
        return found

    def ids(self, text: str) -> list[int]:
        return [self.numbers.setdefault(piece, len(self.numbers)) for piece in self.cut(text)]


TOY = Toy("_电梯", "补贴", "22", "万元", "_new", "_twenty", "-seven", "bus", "_bus")


@pytest.mark.parametrize(
    ("text", "first", "last", "words"),
    [
        ("电梯补贴每台22万元。", 3, 5, "台22万元"),
        ("电梯补贴每台22万元。", 0, 0, "电梯"),
        ("电梯补贴每台22万元。", 6, 6, "。"),
        ("电梯补贴每台22万元。", 0, 6, "电梯补贴每台22万元。"),
        ("电梯补贴\n电梯22万元", 2, 2, "电梯"),
        ("电梯补贴\n电梯22万元", 1, 1, "补贴"),
        ("new   twenty-seven bus", 1, 2, "twenty-seven"),
        ("new   twenty-seven bus", 3, 3, "bus"),
    ],
)
def test_whole_tokens_are_told_in_characters(text: str, first: int, last: int, words: str) -> None:
    start, end = characters_of(text, first, last, TOY.ids)
    assert text[start:end] == words


def test_a_token_that_no_character_shows_is_told_with_the_next() -> None:
    toy = Toy("22", "万元")
    assert toy.cut("每22万元") == ["_", "每", "22", "万元"]
    assert characters_of("每22万元", 0, 0, toy.ids) == (0, 1)
    assert characters_of("每22万元", 1, 2, toy.ids) == (0, 3)


def test_a_text_without_tokens_has_an_empty_stretch() -> None:
    assert characters_of("", 0, 0, TOY.ids) == (0, 0)


PIECES = ("ab", "abc", "bcd", "_a", "_abc", "cc", "dd")


@given(st.text("abcd", min_size=1, max_size=30), st.data())
def test_every_stretch_of_tokens_is_found(text: str, data: st.DataObject) -> None:
    toy = Toy(*PIECES, "_b", "_c", "_d")
    cut = toy.cut(text)
    first = data.draw(st.integers(0, len(cut) - 1))
    last = data.draw(st.integers(first, len(cut) - 1))
    start, end = characters_of(text, first, last, toy.ids)
    assert text[start:end] == "".join(cut[first : last + 1]).removeprefix("_")
    assert start == max(0, len("".join(cut[:first])) - 1)
