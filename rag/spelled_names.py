"""Chinese names as English text spells them by their sounds ("Liu Jinghe", "Baiting District"), looked for in Chinese text. Pure.

Hanyu Pinyin without tones (ISO 7098), as GB/T 28039 writes persons. Only what cannot be an ordinary word is taken for a name: a surname
before a given name, and the word before what a place is called.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from rag.names import SURNAMES
from rag.pinyin import readings
from rag.text import HAN, to_simplified

_KIND = (
    "District|County|City|Town|Township|Subdistrict|Village|Community|Road|Street|Avenue|Lake|River|Bay|Bridge|Island|New Area"
    "|Port|Garden|Province"
)
_PLACE = re.compile(rf"\b(?P<name>[A-Z][a-z]{{2,}})(?='s\s|\s)(?:'s)?\s(?i:{_KIND})\b")
_PERSON = re.compile(
    r"\b(?P<surname>[A-Z][a-z]{1,4})\s(?P<given>[A-Z][a-z]{1,11}(?:-[a-z]{1,6})?)\b(?!\s(?i:"
    + _KIND
    + r")\b)"
)
_OTHER_SPELLINGS = {
    "taipei": "taibei",
    "chiayi": "jiayi",
    "hualien": "hualian",
    "changhua": "zhanghua",
    "kaohsiung": "gaoxiong",
    "hsinchu": "xinzhu",
}
"""Places that English spells as they were spelled before Hanyu Pinyin."""
_LONGEST_SYLLABLE = 6
_RUN = re.compile(f"[{HAN}]+")


def spelled_names(english: str) -> list[str]:
    """The names of Chinese persons and places in an English text, as they stand there, in order."""
    found: dict[int, str] = {}
    for match in _PLACE.finditer(english):
        if len(syllables(_known(match["name"]))) > 1 and match["name"] not in _KIND:
            found[match.start()] = match["name"]
    for match in _PERSON.finditer(english):
        given = match["given"].replace("-", "")
        if match["surname"].lower() in _surnames() and 1 <= len(syllables(given.lower())) <= 2:
            found.setdefault(match.start(), f"{match['surname']} {match['given']}")
    return list(dict.fromkeys(found[place] for place in sorted(found)))


def stands_in(name: str, text: str) -> bool:
    """Whether a spelled name stands in a text: as it is, or in Chinese characters of that sound."""
    if name.lower() in text.lower():
        return True
    spelled = [part for word in re.split(r"[\s-]", name) for part in syllables(_known(word))]
    if not spelled:
        return False
    return any(_sounds(run, spelled) for run in _RUN.findall(to_simplified(text)))


@functools.lru_cache(maxsize=1024)
def syllables(word: str) -> tuple[str, ...]:
    """The fewest syllables of Chinese that a word in small letters can be cut into; none where it can't be."""
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for start in range(len(word)):
        before = best[start]
        if before is None:
            continue
        for end in range(start + 1, min(len(word), start + _LONGEST_SYLLABLE) + 1):
            if word[start:end] in _all_syllables():
                longer = (*before, word[start:end])
                known = best[end]
                if known is None or len(longer) < len(known):
                    best[end] = longer
    return best[len(word)] or ()


def _sounds(run: str, spelled: list[str]) -> bool:
    """Whether some characters of a run sound so, however the letters are cut ("xian": 西安, 先)."""
    wanted = "".join(spelled)
    return any(wanted in _readings_from(run, start, len(wanted)) for start in range(len(run)))


def _readings_from(run: str, start: int, length: int) -> Iterator[str]:
    """The spellings of the characters from a place on that are at most so long."""
    ends = [""]
    for character in run[start : start + length]:
        sounds = [
            other
            for sound in readings(character)
            for other in dict.fromkeys((sound, sound.replace("v", "u")))
        ]
        ends = [f"{end}{sound}" for end in ends for sound in sounds if len(end) + len(sound) <= length]
        if not ends:
            return
        yield from ends


def _known(word: str) -> str:
    return _OTHER_SPELLINGS.get(word.lower(), word.lower())


@functools.cache
def _all_syllables() -> frozenset[str]:
    common = (chr(code) for code in range(0x4E00, 0x9FA6))
    return frozenset(sound for one in common for sound in readings(one)[:1] if sound.isascii())


@functools.cache
def _surnames() -> frozenset[str]:
    return frozenset(sound.replace("v", "u") for surname in SURNAMES for sound in readings(surname))
