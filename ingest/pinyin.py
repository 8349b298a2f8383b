"""Pinyin in brackets after characters, "區(qū)發(fā)展": recognised by the reading, taken out as noise.

Some sites put the reading of a character after it wherever a table of theirs lists the character. It cuts
words in two, so that neither search nor reader finds them. A bracket counts as such an annotation only if what
it holds *is* a reading of the characters before it; "中心(矛调中心)" and "区(A)" are none.

A text may also explain a reading on purpose, "尥(liào)蹶子", and then the bracket is content. Therefore:

- In a document with at least `_NOISE` annotated common characters (the 3,755 of the first level of GB 2312, in
  either script), where the common ones are also at least half, every annotation goes.
- In any other document an annotation of one character goes only if the character is common and the reading
  its usual one, which nobody needs to be told. A rare character or an unusual reading, "重(chóng)申", keeps it.
- An annotation over several characters, "相城(xiāng chéng)", goes there if all its characters are common. A
  name romanised for foreign readers, "深圳(Shenzhen)", with a capital and no tones, is no annotation at all.
"""

from __future__ import annotations

import functools
import re
import unicodedata

from rag.text import HAN, to_script, to_simplified

_NOISE = 3
_MARKS = "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜḿńňǹ"
_LETTERS = f"a-zA-Zü\u00dcêɑɡĀÁǍÀĒÉĚÈŌÓǑÒ{_MARKS}\u0300\u0301\u0304\u0308\u030c"
_TONES = {"\u0304": 1, "\u0301": 2, "\u030c": 3, "\u0300": 4}
_SANDHI = "一不"

_INITIAL = "(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])"
_FINAL = (
    "(?:i(?:ang|an|ao|a|e|ong|u|ng|n)?|u(?:ang|ai|an|a|o|i|n|e)?|v(?:an|e|n)?"
    "|a(?:ng|i|n|o)?|e(?:ng|i|n|r)?|o(?:ng|u)?)"
)
_SYLLABLE = re.compile(f"(?:{_INITIAL}?{_FINAL}|m|n|ng|hm|hng)")

BRACKET = re.compile(rf"[(（](?<=[{HAN}].)[ \u00a0]?([{_LETTERS}][{_LETTERS}1-5:'’ \u00a0]{{0,47}})[)）]")
"""A bracket right after a Han character that holds nothing but what could be pinyin (group 1)."""


@functools.lru_cache(maxsize=4096)
def syllable(written: str) -> tuple[str, int | None] | None:
    """A pinyin syllable as (letters with v for ü, tone or None where none is written); None if it is none."""
    base = ""
    tone: int | None = None
    for char in unicodedata.normalize("NFD", written.strip().lower()):
        if char in _TONES:
            tone = _TONES[char]
        elif char == "\u0308" and base.endswith("u"):
            base = f"{base[:-1]}v"
        elif char in "12345":
            tone = int(char)
        elif char == ":" and base.endswith("u"):
            base = f"{base[:-1]}v"
        elif char == "\u0302" and base.endswith("e"):
            pass
        else:
            base += {"ɑ": "a", "ɡ": "g"}.get(char, char)
    return (base, tone) if _SYLLABLE.fullmatch(base) else None


@functools.lru_cache(maxsize=32768)
def readings(char: str) -> tuple[tuple[str, int | None], ...]:
    """The readings of a character in either script as (letters with v for ü, tone), the usual one first."""
    import pypinyin

    found: dict[tuple[str, int | None], None] = {}
    for form in dict.fromkeys((char, to_simplified(char), to_script(char, "zh-Hant"))):
        if len(form) != 1:
            continue
        for written in pypinyin.pinyin(
            form, style=pypinyin.Style.TONE, heteronym=True, errors="ignore", v_to_u=True
        ):
            for one in written:
                if parsed := syllable(one):
                    found[parsed[0], parsed[1] or 5] = None
    return tuple(found)


@functools.lru_cache(maxsize=65536)
def reads(char: str, written: str) -> bool:
    """Whether ``written`` (tone mark, tone number or no tone; v or ü) is a reading of ``char``."""
    parsed = syllable(written)
    if parsed is None:
        return False
    letters, tone = parsed
    for known, known_tone in readings(char):
        # The tones of 一 and 不 change with what follows, and annotators write either.
        if letters == known and (tone is None or tone == known_tone or char in _SANDHI):
            return True
    return False


@functools.lru_cache(maxsize=16384)
def is_common(char: str) -> bool:
    """Whether the character, in simplified form, is on the first level of GB 2312 (3,755 characters)."""
    try:
        code = to_simplified(char).encode("gb2312")
    except UnicodeEncodeError:
        return False
    return len(code) == 2 and 0xB0 <= code[0] <= 0xD7


def annotated(text: str, match: re.Match[str]) -> str:
    """The characters that the `BRACKET` match annotates; "" if it is no reading of what stands before it."""
    inside = match.group(1).strip(" \u00a0")
    at = match.start()
    # One syllable, the case of nearly every annotation.
    if syllable(inside) is not None and reads(text[at - 1], inside):
        return text[at - 1]
    if inside[:1].isupper() and inside.isascii() and inside.isalpha():
        return ""
    if any(part[:1].isupper() and part.isascii() for part in inside.split()):
        return ""
    # From the bracket backwards: each character takes a syllable off the end.
    rest = re.sub(r"[ \u00a0'’]+", " ", inside)
    position = at
    while rest and position > 0:
        position -= 1
        taken = next(
            (
                size
                for size in range(min(8, len(rest)), 0, -1)
                if " " not in rest[-size:] and reads(text[position], rest[-size:])
            ),
            0,
        )
        if not taken:
            return ""
        rest = rest[:-taken].rstrip(" ")
    return "" if rest else text[position:at]


def is_usual(chars: str, inside: str) -> bool:
    """Whether the annotation tells only what everyone knows: common characters in their usual reading."""
    if not all(is_common(char) for char in chars):
        return False
    if len(chars) > 1:
        return True
    parsed = syllable(inside)
    known = readings(chars)
    return (
        parsed is not None and bool(known) and known[0][0] == parsed[0] and parsed[1] in (None, known[0][1])
    )


def to_remove(text: str) -> list[tuple[int, int]]:
    """The brackets that are to go, as (start, end), in order; see the module for which stay."""
    found = [(match, chars) for match in BRACKET.finditer(text) if (chars := annotated(text, match))]
    common = sum(all(is_common(char) for char in chars) for _, chars in found)
    if common >= _NOISE and 2 * common >= len(found):
        return [match.span() for match, _ in found]
    return [match.span() for match, chars in found if is_usual(chars, match.group(1))]
