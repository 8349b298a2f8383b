from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from rag.unigram import UnigramTokenizer, best_path, build_table, load_table, rules_of, save_table

PIECES = [
    *[("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)],
    *[("▁", -2.0), ("a", -3.0), ("b", -3.0), ("ab", -6.0), ("▁a", -5.0), ("ba", -5.5), ("老", -4.0)],
    *[("旧", -4.0), ("老旧", -5.0), ("旧小区", -9.0), ("小区", -6.0), ("aba", -9.0), ("🎉", -7.0)],
]
SIGNS = ["<s>", "<pad>", "</s>", "<unk>"]


def library() -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram(PIECES, 3))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace("▁", " "), normalizers.Strip(left=False, right=True)]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="always")
    tokenizer.add_special_tokens(SIGNS)
    return tokenizer


LIBRARY = library()
RULES = json.loads(LIBRARY.to_str())
OWN = UnigramTokenizer(build_table(PIECES, 3), rules_of(RULES))
TEXTS = st.lists(st.sampled_from([*"ab老旧小区 z水🎉①ｚ", *SIGNS, "<s"]), max_size=40).map("".join)


@given(TEXTS)
def test_pieces_are_those_of_the_library(text: str) -> None:
    # The library keeps two spaces in a row as a word of their own; the model's rules leave none.
    text = " ".join(text.split(" ")) if "  " not in text else " ".join(text.split())
    assert OWN.ids(text) == LIBRARY.encode(text, add_special_tokens=False).ids


def test_the_likeliest_path_is_found() -> None:
    table = build_table(PIECES, 3)
    named = [PIECES[number][0] for number in best_path(table, "▁老旧小区")]
    assert named == ["▁", "老旧", "小区"]
    assert best_path(table, "水木z") == [3]


def test_a_table_comes_back_from_its_file(tmp_path: Path) -> None:
    table = build_table(PIECES, 3)
    save_table(table, tmp_path / "pieces.npz")
    again = load_table(tmp_path / "pieces.npz")
    assert best_path(again, "▁abab老旧小区") == best_path(table, "▁abab老旧小区")
    assert (again.longest, again.unknown, again.unknown_score) == (5, 3, -19.0)


@pytest.mark.parametrize("piece", ["", "a▁b"])
def test_a_vocabulary_that_crosses_words_is_refused(piece: str) -> None:
    with pytest.raises(ValueError, match="border of a word"):
        build_table([*PIECES, (piece, -1.0)], 3)


@pytest.mark.parametrize(
    "change", [{"model": {"type": "BPE"}}, {"pre_tokenizer": {"type": "Whitespace"}}], ids=["model", "words"]
)
def test_another_tokenizer_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a plain unigram"):
        rules_of({**RULES, **change})


@pytest.mark.model
def test_pieces_of_the_real_model_are_those_of_the_library() -> None:
    from rag import e5
    from rag.settings import Settings

    path = e5.prepare(Settings()) / "tokenizer.json"
    rules = json.loads(path.read_text(encoding="utf-8"))
    pieces = [(text, score) for text, score in rules["model"]["vocab"]]
    own = UnigramTokenizer(build_table(pieces, rules["model"]["unk_id"]), rules_of(rules))
    whole = Tokenizer.from_file(str(path))
    for text in (
        "query: 区住建局局长表示，明年将改造老旧小区28个，惠及居民1.2万户。",
        "passage: 關於加裝電梯補貼的通知（3～5天）\n\t第①項  ＡＢＣ",
        "The transport bureau will open two new bus lines; café, naïve, cafe\u0301.",
        "русский العربية ไทย 한국어 🎉👍🏽 𠮷 \u200b\x07 a</s>b <s> ▁▁",
        "",
        " ",
    ):
        assert own.ids(text) == whole.encode(text, add_special_tokens=False).ids, text
