"""How probable a Chinese text is, by the general dictionary and by the document itself."""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from ingest import pinyin
from ingest.mojibake.gbk import characters
from ingest.mojibake.signs import IS_HAN, PUNCTUATION
from ingest.mojibake.suspects import undamaged
from rag.text import HAN, to_script, to_simplified

_SEPARATORS = "，,。、；;：:"
CLOSERS = "”」』）)》"
_SEPARATED, _STOPPED = "|", "¦"
"""The unfinished word after a separator and after a full stop: no second one follows; a closing sign may."""
NO_WORD = ("", _SEPARATED, _STOPPED)
_AFTER_SEPARATOR = 8.0
_CLOSING_AFTER_STOP = -3.0
_LATIN_COST = 8.0
_SYMBOL_COST = 17.0
_UNKNOWN_COUNT = 0.3
_OTHER_SCRIPT = 0.01
_DOCUMENT_SHARE = 0.25
_HABIT_SHARE = 0.7
_HABIT_PRIOR = 1
_NO_HABIT = math.log(1 - _HABIT_SHARE)
_SAMPLE = 60_000


@functools.cache
def _simplified_of() -> dict[str, str]:
    chars = sorted(set(characters().values()))
    return dict(zip(chars, to_simplified("\n".join(chars)).split("\n"), strict=True))


@functools.cache
def _traditional_of() -> dict[str, str]:
    chars = sorted(set(_simplified_of().values()))
    # One by one in effect: a line break keeps phrases from being converted as such.
    return dict(zip(chars, to_script("\n".join(chars), "zh-Hant").split("\n"), strict=True))


@functools.cache
def _variants_of() -> dict[str, tuple[str, ...]]:
    variants: dict[str, list[str]] = {}
    for char, simplified in _simplified_of().items():
        variants.setdefault(simplified, []).append(char)
    return {simplified: tuple(chars) for simplified, chars in variants.items()}


@functools.cache
def _dictionary() -> tuple[dict[str, int], float]:
    from rag.text import segmenter

    dictionary = segmenter()
    return dictionary.FREQ, float(dictionary.total)


def is_word(word: str) -> bool:
    """Whether the general dictionary has the word, in either script."""
    return bool(_dictionary()[0].get(to_simplified(word)))


@functools.cache
def _best_beginning() -> dict[str, int]:
    """The count of the commonest word that begins so, for the first one and two characters."""
    best: dict[str, int] = {}
    for word, count in _dictionary()[0].items():
        if count > best.get(word[:1], 0):
            best[word[:1]] = count
        if count > best.get(word[:2], 0):
            best[word[:2]] = count
    return best


class Language:
    """The probability of Chinese text, in nats, built from a general dictionary and from one document."""

    def __init__(self, text: str) -> None:
        self.counts, self.total = _dictionary()
        plain = pinyin.BRACKET.sub("", undamaged(text[:_SAMPLE]))
        chars = Counter(plain)
        self.chars = chars
        simplified = _simplified_of()
        traditional_only = sum(n for char, n in chars.items() if simplified.get(char, char) != char)
        traditional = _traditional_of()
        simplified_only = sum(n for char, n in chars.items() if traditional.get(char, char) != char)
        self.is_traditional = traditional_only > simplified_only
        # Is the punctuation of the document half-width? Then what is restored is to look the same.
        self.is_half_width = len(re.findall(rf"[{HAN})）”]\s?[,;:]", plain)) > len(
            re.findall("[，；：]", plain)
        )
        from rag.text import segmenter

        self.words: Counter[str] = Counter()
        self.prefixes: set[str] = set()
        self.bigrams: Counter[tuple[str, str]] = Counter()
        self.firsts: Counter[str] = Counter()
        for run in re.findall(f"[{HAN}]+", to_simplified(plain)):
            for word in segmenter().cut(run, HMM=False):
                self.words[word] += 1
                self.prefixes.update(word[:i] for i in range(1, len(word)))
            self.bigrams.update(itertools.pairwise(run))
            self.firsts.update(run)
        self.han_total = sum(self.firsts.values())
        self.word_total = max(sum(self.words.values()), 1)
        self._words: dict[str, float] = {}
        self._costs: dict[str, float] = {}
        self._prospects: dict[str, float] = {}
        self._known_steps: dict[tuple[str, str], tuple[tuple[str, float], ...]] = {}

    def word(self, word: str) -> float:
        """The log probability of a word; -inf where it is none and has more than one character."""
        known = self._words.get(word)
        if known is not None:
            return known
        if word in NO_WORD:
            return 0.0
        count: float = self.counts.get(word) or 0
        seen = self.words.get(word, 0)
        if not count and not seen:
            value = math.log(_UNKNOWN_COUNT / self.total) if len(word) == 1 else -math.inf
        else:
            value = math.log(
                (1 - _DOCUMENT_SHARE) * (count or _UNKNOWN_COUNT) / self.total
                + _DOCUMENT_SHARE * seen / (self.word_total + 200)
            )
        self._words[word] = value
        return value

    def is_prefix(self, letters: str) -> bool:
        """Whether some word begins so."""
        return letters in self.counts or letters in self.prefixes or letters in self.words

    def form(self, char: str) -> float:
        """The log probability of this form of a character, given the character and the document's script."""
        known = self._costs.get(char)
        if known is not None:
            return known
        simplified = _simplified_of().get(char, char)
        siblings = _variants_of().get(simplified, (char,))
        usual = _traditional_of().get(simplified, simplified) if self.is_traditional else simplified
        if len(siblings) == 1:
            value = 0.0
        else:
            weights = {
                one: (1.0 if one == usual else self._form_weight(one, simplified)) * 4
                + self.chars.get(one, 0)
                for one in siblings
            }
            value = math.log(weights.get(char, _OTHER_SCRIPT) / sum(weights.values()))
        self._costs[char] = value
        return value

    def _form_weight(self, char: str, simplified: str) -> float:
        is_other_script = (char == simplified) if self.is_traditional else (char != simplified)
        return _OTHER_SCRIPT if is_other_script else 0.1

    def steps(self, prefix: str, char: str) -> tuple[tuple[str, float], ...]:
        """The ways to read ``char`` after an unfinished word: (the word then unfinished, log probability)."""
        key = (prefix, char)
        known = self._known_steps.get(key)
        if known is None:
            known = self._known_steps[key] = tuple(self._steps(prefix, char))
        return known

    def _steps(self, prefix: str, char: str) -> Iterator[tuple[str, float]]:
        if not IS_HAN.match(char):
            cost = PUNCTUATION.get(char)
            if cost is None:
                cost = _LATIN_COST if char.isascii() else _SYMBOL_COST
            if (prefix in (_SEPARATED, _STOPPED) and char in _SEPARATORS) or (
                prefix == _SEPARATED and char in CLOSERS
            ):
                cost += _AFTER_SEPARATOR
            elif prefix == _STOPPED and char in CLOSERS:
                cost += _CLOSING_AFTER_STOP
            done = self.word(prefix)
            if done > -math.inf:
                yield _STOPPED if char == "。" else _SEPARATED if char in _SEPARATORS else "", done - cost
            return
        simplified = _simplified_of().get(char, char)
        form = self.form(char)
        if prefix in NO_WORD:
            yield simplified, form
            return
        if self.is_prefix(prefix + simplified):
            yield prefix + simplified, form
        done = self.word(prefix)
        if done > -math.inf:
            yield simplified, form + done + self.habit(prefix[-1], simplified)

    def habit(self, before: str, char: str) -> float:
        """What the document itself adds: how much likelier ``char`` is in it after ``before`` than elsewhere.

        The dictionary knows words only; "更大" is two of them, and the document says it again and again.
        """
        seen = self.bigrams.get((before, char), 0)
        if not seen:
            return _NO_HABIT
        given = seen / (self.firsts[before] + _HABIT_PRIOR)
        usual = self.firsts[char] / (self.han_total + 1)
        return math.log(1 - _HABIT_SHARE + _HABIT_SHARE * given / usual)

    def prospect(self, prefix: str) -> float:
        """At best the log probability that the unfinished word will have: words begun compare fairly."""
        known = self._prospects.get(prefix)
        if known is None:
            count = _best_beginning().get(prefix[:2], 0)
            known = math.log(max(count, _UNKNOWN_COUNT) / self.total) if prefix not in NO_WORD else 0.0
            known = self._prospects[prefix] = max(known, self.word(prefix))
        return known

    def finish(self, prefix: str) -> float:
        """The log probability of the unfinished word if the text ended here."""
        if not prefix:
            return 0.0
        value = self.word(prefix)
        return value if value > -math.inf else sum(self.word(char) for char in prefix)


def log_add(a: float, b: float) -> float:
    """The logarithm of the sum of two numbers, given theirs."""
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))


def log_sum(values: Iterable[float]) -> float:
    """The same of many."""
    total = -math.inf
    for value in values:
        total = log_add(total, value)
    return total
