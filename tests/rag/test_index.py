"""The index by itself: what language a text counts as, and other names in the lexical leg."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from chromadb.errors import InternalError

from rag.errors import LibraryDamaged
from rag.index import EmbeddedIndex, Entry, language_of
from rag.questions import also_called, analyse

TEXTS = (
    "住房和城乡建设局负责老旧小区改造，每户补贴五千元。",
    "The housing bureau is in charge of old estates and pays 5,000 yuan to each household.",
    "老旧小区改造每户补贴多少，由各区自行规定。",
)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[EmbeddedIndex]:
    opened = EmbeddedIndex(tmp_path, writable=True)
    entries = [Entry(f"1:{n}", 1, text, "") for n, text in enumerate(TEXTS)]
    opened.add(entries, np.eye(len(TEXTS), dtype=np.float32))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("text", "context", "language"),
    [
        ("区住建局将改造老旧小区28个。", "", "han"),
        ("The bureau will open two bus lines.", "", "other"),
        ("Le maire a parlé hier.", "Procès-verbal", "other"),
        ("http://example.com/link?url=b6Nz1BJ_-F_iZii1YH8cyB8qLLEwKjHknw9_52S5QVAF", "报名网址", "han"),
        ('document.writeln("");} else if (id==2) {document.writeln("");}', "手术费用", "han"),
        ("见 https : / / example . com / s / KW2SSzc - iltxnvm", "招生办", "han"),
        ("这种药叫西地那非。Sildenafil is the best of all, and its effect is greater than any.", "", "han"),
        (
            "老旧小区 (old residential communities) will be renovated by the end of the year.",
            "Report",
            "other",
        ),
        ("", "", "han"),
        ("12345", "热线", "han"),
    ],
)
def test_a_text_counts_as_another_language_where_it_holds_sentences_of_it(
    text: str, context: str, language: str
) -> None:
    assert language_of(text, context) == language


def test_the_dense_leg_looks_among_one_language_or_all(index: EmbeddedIndex) -> None:
    vector = np.asarray([0.6, 0.5, 0.4], np.float32)
    assert [key for key, _ in index.dense(vector, 5, language="other")] == ["1:1"]
    assert [key for key, _ in index.dense(vector, 5, language="han")] == ["1:0", "1:2"]
    assert [key for key, _ in index.dense(vector, 5)] == ["1:0", "1:1", "1:2"]


def test_another_name_of_a_body_finds_it_in_both_languages(index: EmbeddedIndex) -> None:
    question = analyse("住建局每户补贴多少？", 2000)
    plain = dict(index.lexical(question.text, 5))
    named = dict(index.lexical(question.text, 5, also=also_called(question)))
    assert named["1:0"] > plain["1:0"]
    assert "1:1" not in plain
    assert named["1:1"] > 0
    assert named["1:2"] - plain["1:2"] < named["1:0"] - plain["1:0"]


def test_other_names_keep_to_the_versions_asked(index: EmbeddedIndex) -> None:
    assert index.lexical("住建局", 5, within=[7], also=(("住房和城乡建设局", 1.0),)) == []
    assert index.lexical("", 5, also=(("住房和城乡建设局", 1.0),))[0][0] == "1:0"
    assert index.lexical("", 5) == []


class Failing:
    """A collection that fails some times before it answers."""

    def __init__(self, message: str, times: int) -> None:
        self.message, self.times = message, times

    def query(self, **_: object) -> dict[str, list[list[object]]]:
        if self.times:
            self.times -= 1
            raise InternalError(self.message)
        return {"ids": [["1:0"]], "distances": [[0.25]]}


def test_a_search_that_meets_a_file_half_written_is_tried_again(
    index: EmbeddedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.index._WAITS", (0.0, 0.0))
    vector = np.ones(3, np.float32)
    monkeypatch.setattr(index, "_collections", {"han": Failing("Error loading hnsw index", 2)})
    assert index.dense(vector, 1) == [("1:0", 0.75)]
    monkeypatch.setattr(index, "_collections", {"han": Failing("Error loading hnsw index", 3)})
    with pytest.raises(LibraryDamaged, match="hnsw"):
        index.dense(vector, 1)
    other = Failing("something else", 1)
    monkeypatch.setattr(index, "_collections", {"han": other})
    with pytest.raises(LibraryDamaged, match="something else"):
        index.dense(vector, 1)
