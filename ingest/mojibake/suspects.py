"""Where a text looks damaged: a question mark with something after it that does not belong there."""

from __future__ import annotations

import functools
import re

from ingest import pinyin
from ingest.mojibake.signs import LOST, ORPHAN, PUNCTUATION, TONED
from rag.text import HAN

_CHINESE_BEFORE = re.compile(f"[{HAN}，。、；：！？“”‘’「」『』《》（）)\ufffd]$")
_CLAUSE = re.compile("[^。\n]{0,60}")
SUSPECT = re.compile(rf"[{LOST}](?=[^\s])")
_HORIZON = 8
"""Characters after a question mark among which two must look out of place. Out-of-step text is random: of eight
characters two are uncommon 98 times in a hundred."""
# A single letter or sign between Chinese characters: the ASCII-range byte that ends the damage.
_LONE_LETTER = re.compile(f"[!;:,{HAN}][@-~][(（{HAN}]")


def is_suspicious(text: str, position: int) -> bool:
    """A cheap test: is there, right after a question mark, anything that does not belong there?"""
    after = position + 1
    if _CHINESE_BEFORE.search(text, max(0, position - 3), position) is None:
        return False
    if orphan := ORPHAN.match(text, after):
        if pinyin.syllable(orphan.group(1)) is None:
            return False
        return bool(TONED.search(orphan.group(1))) or _oddity(text, orphan.end()) >= 1
    return _oddity(text, after) >= 2


def undamaged(text: str) -> str:
    """The text without what follows suspicious question marks: damage is no habit of the document."""
    pieces: list[str] = []
    cursor = 0
    for suspect in SUSPECT.finditer(text):
        if suspect.start() >= cursor and is_suspicious(text, suspect.start()):
            pieces.append(text[cursor : suspect.start()])
            rest = _CLAUSE.match(text, suspect.end())
            cursor = rest.end() if rest else suspect.end()
    pieces.append(text[cursor:])
    return "\n".join(pieces)


def _oddity(text: str, start: int) -> int:
    """How many of the next characters look out of place; a letter that ends the damage at once counts as two."""
    window = text[start : start + _HORIZON].partition("\n")[0]
    return sum(map(_is_odd, window)) + 2 * (_LONE_LETTER.search(window) is not None)


@functools.lru_cache(maxsize=32768)
def _is_odd(char: str) -> bool:
    if char < "\x80" or char in PUNCTUATION:
        return False
    return not pinyin.is_common(char)
