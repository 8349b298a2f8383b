"""Words typed by their sound with the wrong characters: 助建局 for 住建局, 河平路 for 和平路. Pure.

Chinese is typed by sound, so a slip gives another character of the same sound. Nothing of sounds is stored: what is
written in a way that neither the general dictionary nor an index knows is tried with the characters that sound like it,
one at a time. Readings are pypinyin's, without tones, the two commonest of each character.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from rag.text import HAN, segmenter

_READINGS = 2
"""A third reading is that of an old or rare word."""
_MOST_ALTERNATIVES = 3
_RUN = re.compile(f"[{HAN}]+")
_FUNCTION = frozenset(
    "的了吗呢吧啊呀嘛么是在有和与及或对为以把被给向从到由于就都也还又再很更最将会要能可需请想这那它他她我你您咱哪谁何几个"
    "项名位条次种些做说讲谈提跟比不没据按问之其等"
)
"""Characters that hold a sentence together: typed alone they are meant, and no name goes across them."""
_SOUTHERN = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
"""Initials that many speakers from the south do not tell apart."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What may be meant by ``typed``, a run of characters that is known nowhere: the likeliest writing first."""

    typed: str
    alternatives: tuple[str, ...]


@functools.lru_cache(maxsize=32768)
def readings(char: str) -> tuple[str, ...]:
    """The readings of a character in simplified script, without tones (v for ü), the usual one first; none of other signs."""
    listed = _table().get(ord(char), "") if len(char) == 1 else ""
    return tuple(dict.fromkeys(_toneless(one) for one in listed.split(",")[:_READINGS] if one))


def sounds_like(typed: str, written: str) -> bool:
    """Whether two strings are as long and each pair of their characters has a reading in common."""
    return len(typed) == len(written) and all(
        a == b or not set(readings(a)).isdisjoint(readings(b)) for a, b in zip(typed, written, strict=True)
    )


def known_nowhere(folded: str) -> list[str]:
    """The runs of a folded text that no word of the general dictionary covers, of two characters and more.

    What a slip leaves is cut into single characters, or guessed as a word that the dictionary lacks.
    """
    return [folded[start:end] for start, end in _loose(folded) if end - start > 1]


def meant(folded: str, documents: Callable[[str], int]) -> list[Meant]:
    """What may be meant by the parts of a folded text that are known nowhere.

    :param documents: how many texts hold a pair of characters
    """
    return [one for run in known_nowhere(folded) if (one := _meant(run, documents)) is not None]


def _meant(run: str, documents: Callable[[str], int]) -> Meant | None:
    known = functools.cache(documents)
    unknown = [not known(run[i : i + 2]) for i in range(len(run) - 1)]
    if not any(unknown):
        return None
    found: dict[str, tuple[int, bool, int]] = {}
    for place, char in enumerate(run):
        beside = [i for i in (place - 1, place) if 0 <= i < len(unknown)]
        if char in _FUNCTION or not any(unknown[i] for i in beside):
            continue
        for other, same in _alike(char):
            written = f"{run[:place]}{other}{run[place + 1 :]}"
            counts = [known(written[i : i + 2]) for i in beside]
            mended = sum(count > 0 for count, i in zip(counts, beside, strict=True) if unknown[i])
            # A pair that is known as typed stays known.
            if mended and all(count > 0 for count, i in zip(counts, beside, strict=True) if not unknown[i]):
                found[written] = max(
                    found.get(written, (0, False, 0)), (mended, same, min(c for c in counts if c))
                )
    if not found:
        return None
    most = max(found.values())[0]
    best = sorted((w for w in found if found[w][0] == most), key=lambda w: (found[w], w), reverse=True)
    return Meant(run, tuple(best[:_MOST_ALTERNATIVES]))


def is_function(char: str) -> bool:
    """Whether a character, typed alone, holds a sentence together."""
    return char in _FUNCTION


def word_edges(folded: str) -> frozenset[int]:
    """The places of a folded text that are not inside a word of the general dictionary."""
    inside: set[int] = set()
    for match in _RUN.finditer(folded):
        at = match.start()
        for word in segmenter().cut(match.group()):
            if segmenter().FREQ.get(word):
                inside.update(range(at + 1, at + len(word)))
            at += len(word)
    return frozenset(range(len(folded) + 1)) - inside


def _loose(folded: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for match in _RUN.finditer(folded):
        at = match.start()
        start: int | None = None
        for word in segmenter().cut(match.group()):
            loose = word not in _FUNCTION if len(word) == 1 else not segmenter().FREQ.get(word)
            if loose and start is None:
                start = at
            if not loose and start is not None:
                spans.append((start, at))
                start = None
            at += len(word)
        if start is not None:
            spans.append((start, at))
    return spans


@functools.lru_cache(maxsize=8192)
def _alike(char: str) -> tuple[tuple[str, bool], ...]:
    """Characters that sound like one, each with whether it does without southern confusions."""
    by_sound = _by_sound()
    exact = set(readings(char))
    found: dict[str, bool] = {}
    for sound in exact:
        for other in by_sound.get(_southern(sound), ()):
            if other != char:
                found[other] = found.get(other, False) or not exact.isdisjoint(readings(other))
    return tuple(found.items())


@functools.cache
def _by_sound() -> dict[str, tuple[str, ...]]:
    """The characters of GB 2312 by their sounds, southern confusions merged."""
    found: dict[str, dict[str, None]] = {}
    for row in range(0xB0, 0xF8):
        for cell in range(0xA1, 0xFF):
            char = bytes((row, cell)).decode("gb2312", "ignore")
            for sound in readings(char):
                found.setdefault(_southern(sound), {})[char] = None
    return {sound: tuple(chars) for sound, chars in found.items()}


@functools.cache
def _southern(sound: str) -> str:
    """A toneless syllable with what southern speakers confuse made one: zh/z, ch/c, sh/s, n/l, ang/an, eng/en, ing/in."""
    for long, short in _SOUTHERN:
        if sound.startswith(long):
            sound = short + sound[len(long) :]
            break
    return re.sub("(?<=[aei])ng$", "n", sound)


def _toneless(written: str) -> str:
    letters = unicodedata.normalize("NFD", written).replace("u\u0308", "v")
    return "".join(char for char in letters if char.isascii() and char.isalpha())


@functools.cache
def _table() -> dict[int, str]:
    from pypinyin.pinyin_dict import pinyin_dict

    return dict(pinyin_dict)
