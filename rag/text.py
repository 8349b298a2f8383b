"""Text as the index and the checks see it: folding, words, sentences, scripts. Pure functions.

Folding exists only on the way into the index, on the query and in comparisons; what is shown and quoted is always
the cleaned text itself.
"""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rag.numerals import dates, plans, quantities
from rag.types import Script

if TYPE_CHECKING:
    import jieba
    import opencc

FOLDING_VERSION = 2
"""Raised whenever `fold` or `terms` changes, so that an index built with other terms is not searched with these."""

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_HAN_CHAR = re.compile(f"[{HAN}]")
_LATIN_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?", re.UNICODE)
_TERM = re.compile(f"[{HAN}]+|\\d+(?:[.,]\\d+)*%?|[^\\W\\d_{HAN}]+", re.UNICODE)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")

_ENDERS = "。！？!?…"
_CLOSERS = "”’」』）)】〕》\"'"
_ABBREVIATIONS = frozenset(
    {"mr", "mrs", "ms", "dr", "st", "no", "vs", "etc", "e.g", "i.e", "fig", "art", "sec", "u.s"}
)
_NOT_BEFORE = f"{_ENDERS}{_CLOSERS}"


@functools.cache
def _converter(config: str) -> opencc.OpenCC:
    import opencc

    return opencc.OpenCC(config)


def _converted(config: str, text: str) -> str:
    try:
        return str(_converter(config).convert(text))
    except UnicodeEncodeError:
        return str(_converter(config).convert(whole(text)))


def whole(text: str) -> str:
    """The text with "?" for each half of a surrogate pair, which no file, store or service takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def to_simplified(text: str) -> str:
    """The text in simplified script (OpenCC t2s); other scripts pass through."""
    return _converted("t2s", text)


def to_script(text: str, script: Script) -> str:
    """The text in the given Chinese script; for "en" the text itself."""
    if script == "zh-Hans":
        return to_simplified(text)
    if script == "zh-Hant":
        return _converted("s2tw", text)
    return text


def script_of(text: str, default: Script = "zh-Hans") -> Script:
    """The language and script that a text is written in.

    A text is English when it has more Latin than Chinese words (two characters each); traditional when more of its characters are
    traditional than simplified forms. Where it shows neither (no letters, or only characters that both scripts
    share), ``default`` decides between the scripts.
    """
    han = len(_HAN_CHAR.findall(text))
    latin = len(_LATIN_WORD.findall(_HAN_CHAR.sub(" ", text)))
    if latin * 2 > han:
        return "en"
    if not han:
        return default
    simplified = sum(a != b for a, b in zip(text, _converted("t2s", text), strict=False))
    traditional = sum(a != b for a, b in zip(text, _converted("s2t", text), strict=False))
    if simplified == traditional:
        return default
    return "zh-Hant" if simplified > traditional else "zh-Hans"


def has_han(text: str) -> bool:
    """Whether the text holds a Han character."""
    return _HAN_CHAR.search(text) is not None


def fold(text: str) -> str:
    """The form in which texts are compared: NFKC, invisible characters gone, simplified script, case folded."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return to_simplified(text).casefold()


def aligned(text: str) -> str:
    """The text in one width, case and script, each character in its place: for patterns whose offsets must hold.

    What has no counterpart of one character stays as it is.
    """
    narrow = "".join(map(_single, text))
    plain = to_simplified(narrow)
    if len(plain) == len(narrow):
        return plain
    return "".join(_one(to_simplified(char), char) for char in narrow)


def _single(char: str) -> str:
    if char < "\x80":
        return char.lower()
    return _one(unicodedata.normalize("NFKC", char).casefold(), char)


def _one(made: str, char: str) -> str:
    return made if len(made) == 1 else char


@functools.cache
def segmenter() -> jieba.Tokenizer:
    """The one Chinese segmenter, with the names of government bodies as words; its dictionary loads on first use."""
    import logging

    import jieba

    from rag.bodies import NAMES

    jieba.setLogLevel(logging.WARNING)
    found = jieba.Tokenizer()
    found.initialize()
    for name in NAMES:
        found.add_word(name)
    return found


def words(text: str) -> list[str]:
    """The words of a text after folding: Chinese segmented by jieba, Latin words and numbers whole, nothing else."""
    found: list[str] = []
    for match in _TERM.finditer(fold(text)):
        run = match.group()
        if _HAN_CHAR.match(run):
            found.extend(word for word in segmenter().cut(run) if word.strip())
        else:
            found.append(run)
    return found


def terms(text: str) -> tuple[list[str], list[str]]:
    """What the lexical index stores of a text: words (with the shorter words inside them) and character bigrams.

    A single Han character that stands alone between other signs is its own bigram, so that nothing is unfindable. A number
    that is not written in plain digits (三百, 1.2万, 民国113年) is there in plain digits too, a date also as one term.
    """
    found: list[str] = []
    grams: list[str] = []
    folded = fold(text)
    for match in _TERM.finditer(folded):
        run = match.group()
        if _HAN_CHAR.match(run):
            found.extend(word for word in segmenter().cut_for_search(run) if word.strip())
            grams.extend(run[i : i + 2] for i in range(len(run) - 1)) if len(run) > 1 else grams.append(run)
        else:
            stem = english_stem(run)
            found.append(stem)
            grams.append(stem)
    for quantity in quantities(folded):
        if not folded[quantity.start : quantity.end].startswith(quantity.value):
            found.append(quantity.value)
    found.extend(dates(folded))
    found.extend(plan for plan in plans(folded) if plan not in found)
    return found, grams


def english_stem(word: str) -> str:
    """A Latin word without the commonest English endings, so that "promises" finds "promised".

    Step 1 of Porter's algorithm (1980), reduced: only what is safe without a vowel analysis.
    """
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    for ending, replacement in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            stem = word[: len(word) - len(ending)] + replacement
            return stem[:-1] if stem.endswith("e") else stem
    return word[:-1] if word.endswith("e") else word


@functools.lru_cache(maxsize=65536)
def word_weight(word: str) -> float:
    """How much a word tells, from its frequency in general Chinese (jieba's dictionary): its surprisal in nats.

    Independent of the corpus, so that it also holds for a library of one document. Words that the dictionary
    lacks weigh the most; Latin words and numbers, which it does not cover, weigh a fixed middle value.
    """
    dictionary = segmenter()
    if not _HAN_CHAR.match(word):
        return 9.0
    frequency = dictionary.FREQ.get(word) or 0
    return min(14.0, math.log(dictionary.total / max(frequency, 3)))


_BOUNDARY = re.compile(f"[\n.{re.escape(''.join(_ENDERS))}]")


def sentences(text: str) -> list[tuple[int, int]]:
    """The sentences of a text as (start, end) offsets, in order, without surrounding white space.

    A sentence ends after 。！？!?… (with the quotes and brackets that close after it), at a line break, or after a
    full stop that is followed by white space and is no decimal point, initial or common abbreviation.
    """
    return [span for span in _spans(text) if span[0] < span[1]]


def _spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    length = len(text)
    for match in _BOUNDARY.finditer(text):
        i = match.start()
        if i < start:
            continue  # one of several marks that end the same sentence
        char = text[i]
        if char == "\n":
            yield _trim(text, start, i)
            start = i + 1
        elif char != "." or _is_full_stop(text, i):
            i += 1
            while i < length and text[i] in _NOT_BEFORE:
                i += 1
            yield _trim(text, start, i)
            start = i
    yield _trim(text, start, length)


def _is_full_stop(text: str, i: int) -> bool:
    after = i + 1
    while after < len(text) and text[after] in _CLOSERS:
        after += 1
    if after < len(text) and not text[after].isspace():
        return False
    before = re.search(r"[\w.]+$", text[max(0, i - 12) : i])
    if before is None:
        return True
    token = before.group()
    if token.casefold() in _ABBREVIATIONS or (len(token) == 1 and token.isascii() and token.isalpha()):
        return False
    # "3. Item": a number that opens a line is a list marker, not a sentence.
    line_start = text.rfind("\n", 0, i) + 1
    return not (token.isdigit() and text[line_start:i].strip() == token)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def bigrams(text: str) -> list[str]:
    """Overlapping pairs of the text's letters and digits after folding, for wording overlap."""
    letters = [char for char in fold(text) if char.isalnum()]
    return ["".join(pair) for pair in zip(letters, letters[1:], strict=False)]


def clip(text: str, length: int) -> str:
    """The text cut to ``length`` characters, with an ellipsis in the last place where it was longer."""
    return text if len(text) <= length else text[: max(0, length - 1)] + "…"


def joined(parts: Sequence[str], script: Script) -> str:
    """Words listed as a reader of that script expects."""
    return (", " if script == "en" else "、").join(parts)
