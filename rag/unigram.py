"""Cuts texts into the pieces of a unigram vocabulary, with a table of a few megabytes.

The tokenizers library keeps a quarter of a million pieces in 290 MB: a tree with a hash map at every node. Here a piece is
64 bits of hash in a sorted array, all stretches of a text are looked up at once, and the best path through those found is
the library's own (Kudo, "Subword regularization", ACL 2018; the Viterbi search of its `Unigram` model, in the same order, so
that ties fall alike). Normalising stays the library's work.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_SPACE: Final = "▁"
_BASE: Final = np.uint64(0x9E3779B97F4A7C15)
_SPREAD: Final = np.uint64(0xD6E8FEB86659FD93)
_UNKNOWN_PENALTY: Final = 10.0
"""How much less than the least piece a character counts that no piece holds."""
_REMEMBERED: Final = 1 << 13
_SHORT: Final = 24

Codes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Table:
    """The pieces, sorted by hash.

    ``starts[b]`` to ``starts[b + 1]`` are the places of those whose hash begins with the bits ``b``.
    """

    hashes: Codes
    ids: NDArray[np.int32]
    scores: NDArray[np.float64]
    starts: NDArray[np.int32]
    longest: int
    unknown: int
    unknown_score: float

    @property
    def shift(self) -> np.uint64:
        """By how much a hash is shifted to give its place in ``starts``."""
        return np.uint64(64 - (len(self.starts) - 1).bit_length() + 1)


def build_table(pieces: Sequence[tuple[str, float]], unknown: int) -> Table:
    """The table of a vocabulary.

    :param pieces: each piece and the logarithm of its probability; its place is its number
    :param unknown: the number of what no piece holds
    :raises ValueError: a piece is empty or has a space sign inside, or two have one hash
    """
    numbers = {text: number for number, (text, _) in enumerate(pieces)}
    if "" in numbers or any(_SPACE in text[1:] for text in numbers):
        raise ValueError("a piece is empty or goes over the border of a word")
    texts = list(numbers)
    hashes = np.zeros(len(texts), np.uint64)
    lengths = np.array([len(text) for text in texts])
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        codes = _codes("".join(texts[place] for place in places)).reshape(len(places), length)
        hashes[places] = _hashes_of(codes)
    order = np.argsort(hashes)
    hashes = hashes[order]
    if bool((hashes[1:] == hashes[:-1]).any()):
        raise ValueError("two pieces have one hash")
    ids = np.array([numbers[texts[place]] for place in order], np.int32)
    bits = max(4, (2 * len(texts)).bit_length())
    starts = np.searchsorted(hashes >> np.uint64(64 - bits), np.arange((1 << bits) + 1, dtype=np.uint64))
    scores = np.array([pieces[number][1] for number in ids], np.float64)
    least = min(score for _, score in pieces)
    return Table(
        hashes, ids, scores, starts.astype(np.int32), int(lengths.max()), unknown, least - _UNKNOWN_PENALTY
    )


def save_table(table: Table, path: Path) -> None:
    """Write a table as numpy's ``.npz``."""
    np.savez(
        path,
        hashes=table.hashes,
        ids=table.ids,
        scores=table.scores,
        starts=table.starts,
        rest=np.array([table.longest, table.unknown, table.unknown_score], np.float64),
    )


def load_table(path: Path) -> Table:
    """Read what `save_table` wrote.

    :raises OSError, ValueError, KeyError: the file is not there, or no such table
    """
    with np.load(path) as file:
        longest, unknown, score = (float(value) for value in file["rest"])
        return Table(
            file["hashes"],
            file["ids"],
            file["scores"],
            file["starts"],
            int(longest),
            int(unknown),
            score,
        )


class UnigramTokenizer:
    """Texts to numbers of pieces, as `tokenizers.Tokenizer.encode` gives them without the signs that frame a text."""

    def __init__(self, table: Table, rules: str) -> None:
        """Join a table and what `rules_of` tells of the tokenizer it was made from."""
        from tokenizers import Tokenizer

        self._table = table
        # The tokenizer goes on living: the normaliser is a part of it.
        self._rules = Tokenizer.from_str(rules)
        self._normalise = self._rules.normalizer.normalize_str
        given = json.loads(rules)["added_tokens"]
        self._special = {token["content"]: int(token["id"]) for token in given}
        longest_first = sorted(self._special, key=len, reverse=True)
        self._signs = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        self._word = functools.lru_cache(_REMEMBERED)(self._cut_one)

    def ids(self, text: str) -> list[int]:
        """The numbers of a text's pieces, in their order."""
        found: list[int] = []
        for stretch, sign in self._stretches(text):
            if stretch:
                found += self._plain(stretch)
            if sign is not None:
                found.append(self._special[sign])
        return found

    def _stretches(self, text: str) -> Iterator[tuple[str, str | None]]:
        """The text between special signs, and each with the sign that follows it."""
        start = 0
        for match in self._signs.finditer(text) if self._signs is not None else ():
            yield text[start : match.start()], match.group()
            start = match.end()
        yield text[start:], None

    def _plain(self, text: str) -> list[int]:
        normal = self._normalise(text).replace(" ", _SPACE)
        if not normal:
            return []
        # One space sign begins each word, the first one too.
        words = [_SPACE + word for word in normal.removeprefix(_SPACE).split(_SPACE)]
        found: list[int] = []
        for word in words:
            found += self._word(word) if len(word) <= _SHORT else self._cut_one(word)
        return found

    def _cut_one(self, word: str) -> tuple[int, ...]:
        return tuple(best_path(self._table, word))


def best_path(table: Table, text: str) -> list[int]:
    """The numbers of the pieces that together are likeliest; neighbours that no piece holds count as one.

    :param text: without spaces, not empty
    """
    size = len(text)
    rows, places = _found(table, _codes(text))
    lengths, numbers, scores = rows.tolist(), table.ids[places].tolist(), table.scores[places].tolist()
    nothing = -np.inf
    best = [nothing] * (size + 1)
    best[0] = 0.0
    came: list[tuple[int, int]] = [(-1, -1)] * (size + 1)
    at, count = 0, len(lengths)
    unknown, unknown_score = table.unknown, table.unknown_score
    # Each entry of ``lengths`` is the place a piece begins at times the greatest length, and its length less one.
    step = table.longest
    for start in range(size):
        here = best[start]
        single = False
        limit = (start + 1) * step
        while at < count and lengths[at] < limit:
            end = lengths[at] - start * step + 1 + start
            single = single or end == start + 1
            score = scores[at] + here
            if score > best[end]:
                best[end] = score
                came[end] = (start, numbers[at])
            at += 1
        if not single and unknown_score + here > best[start + 1]:
            best[start + 1] = unknown_score + here
            came[start + 1] = (start, unknown)
    found: list[int] = []
    end = size
    while end > 0:
        end, number = came[end]
        if number != unknown or not found or found[-1] != unknown:
            found.append(number)
    return found[::-1]


def _found(table: Table, codes: Codes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which stretches are pieces: beginning times the greatest length plus length less one, rising; and their places."""
    size, longest = len(codes), table.longest
    hashes = np.zeros((size, longest), np.uint64)
    running = np.zeros(size, np.uint64)
    for length in range(min(longest, size)):
        running = running[: size - length] * _BASE + codes[length:]
        hashes[: size - length, length] = running * _SPREAD
    flat = hashes.ravel()
    beginnings, lengths = np.divmod(np.arange(size * longest), longest)
    flat_rows = np.flatnonzero(beginnings + lengths < size)
    wanted = flat[flat_rows]
    bucket = (wanted >> table.shift).astype(np.int64)
    place = table.starts[bucket].astype(np.int64)
    end = table.starts[bucket + 1]
    rows, places = [], []
    while len(place):
        inside = place < end
        flat_rows, wanted, place, end = flat_rows[inside], wanted[inside], place[inside], end[inside]
        hit = table.hashes[place] == wanted
        rows.append(flat_rows[hit])
        places.append(place[hit])
        missed = ~hit
        flat_rows, wanted, place, end = flat_rows[missed], wanted[missed], place[missed] + 1, end[missed]
    if not rows:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    every, where = np.concatenate(rows), np.concatenate(places)
    order = np.argsort(every)
    return every[order], where[order]


def _codes(text: str) -> Codes:
    """The text's characters, each as 64 well mixed bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    mixed = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.uint64) + _BASE
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), np.uint64)


def _hashes_of(codes: Codes) -> Codes:
    """The hash of each row of characters ``[n, length]``."""
    running = np.zeros(len(codes), np.uint64)
    for place in range(codes.shape[1]):
        running = running * _BASE + codes[:, place]
    return np.asarray(running * _SPREAD, np.uint64)


def rules_of(tokenizer: dict[str, Any]) -> str:
    """A ``tokenizer.json`` without its pieces: how it normalises, and its special signs.

    :raises ValueError: it is not one that this module can stand in for
    """
    model, splitter = tokenizer["model"], tokenizer["pre_tokenizer"]
    if (
        model["type"] != "Unigram"
        or model.get("byte_fallback")
        or splitter.get("type") != "Metaspace"
        or splitter.get("prepend_scheme") != "always"
        or splitter.get("replacement") != _SPACE
        or any(
            token["normalized"] or token["lstrip"] or token["rstrip"] or token["single_word"]
            for token in tokenizer["added_tokens"]
        )
    ):
        raise ValueError("the tokenizer is not a plain unigram one")
    few = sorted((int(token["id"]), token["content"]) for token in tokenizer["added_tokens"])
    named = [[text, 0.0] for _, text in few]
    added = [{**token, "id": int(token["id"])} for token in tokenizer["added_tokens"]]
    plain = {**model, "vocab": named, "unk_id": 0}
    return json.dumps({**tokenizer, "model": plain, "added_tokens": added, "post_processor": None})
