"""Gives a simplified answer back in traditional script, as the sources themselves write it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rag.text import to_script, to_simplified
from rag.types import Script

_SHORTEST = 2
_LONGEST = 24


def in_script(text: str, script: Script, originals: Sequence[str]) -> str:
    """The text in the given script; stretches that an original holds are taken over in its own characters.

    Conversion from simplified to traditional is ambiguous (范 is a name or a pattern 範); a source in traditional
    script has the right character.
    """
    if script != "zh-Hant":
        return to_script(text, script)
    converted = to_script(text, script)
    simplified = to_simplified(text)
    pairs = [(to_simplified(original), original) for original in originals]
    pairs = [
        (plain, original) for plain, original in pairs if len(plain) == len(original) and plain != original
    ]
    if not pairs or len(converted) != len(simplified):
        return converted
    result: list[str] = []
    i = 0
    while i < len(simplified):
        taken = _longest_match(simplified, i, pairs)
        if taken:
            result.append(taken)
            i += len(taken)
        else:
            result.append(converted[i])
            i += 1
    return "".join(result)


def _longest_match(text: str, at: int, pairs: Sequence[tuple[str, str]]) -> str:
    best = ""
    for plain, original in pairs:
        length = max(len(best) + 1, _SHORTEST)
        while length <= _LONGEST and at + length <= len(text):
            found = plain.find(text[at : at + length])
            if found < 0:
                break
            best = original[found : found + length]
            length += 1
    return best
