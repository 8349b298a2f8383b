"""Repairs text that a byte-level edit of a GBK page has put out of step.

How the damage comes about. A page is stored as GBK, two bytes a Chinese character. A tool that knows nothing
of characters searches it for byte pairs and puts something after each match (a pinyin annotation) or before it
(a mark at the end of a sentence), also where the pair is the second byte of one character and the first of the
next. Decoding then meets a first byte without a second: it shows a question mark and reads on one byte late.

    original   績(BF 83) 為(9E E9) 全(C8 AB) 市(CA D0) ... 貢(D8 95) 獻(AB 49)      and 83 9E is 優, yōu
    damaged    績(BF 83) ?(9E) yōu) 槿(E9 C8) nothing(AB CA) 写(D0 ..) ... 暙(95 AB) I(49)

An ASCII-range second byte, or another such cut, brings it in step again. Pairs in the three user-defined zones
of GBK (AAA1-AFFE, F8A1-FEFE, A140-A7A0) have no character and vanish; full-width ASCII may have become
half-width.

How it is undone. For each suspected place all original texts that would look like this are laid out as a
lattice: which byte was lost, where pairs vanished, where the text is in step again. An annotation is evidence:
what it stands behind must be a character of that reading. A path's probability is that of its characters under
a language model (jieba's word frequencies, mixed with the words of the document itself); since the damage is
deterministic, nothing else enters. The sum over all paths competes with the text as it stands and must win by
`_MARGIN`. Within the best path a character whose posterior is under `_CERTAIN` becomes U+FFFD, and so does a
stretch with many of them: a gap can be seen, an invented word cannot.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ingest import pinyin
from rag.text import HAN, to_script, to_simplified

GAP = "\ufffd"
"""Stands for what is lost and cannot be proved."""

_MARGIN = 16.0
"""Nats by which the damaged reading must beat the text as it stands: the odds against damage, and a reserve."""
_MARGIN_PROVED = 8.0
_CERTAIN = 0.985
_CERTAIN_PROVED = 0.93
"""The posterior from which a character counts as known; lower where an annotation proves the damage."""
_MOST_GAPS = 0.25
_MOST_GAPS_PROVED = 0.5
"""The share of doubtful characters from which a whole stretch is given up: doubt spreads to neighbours."""
_SHORTEST_SENTENCE = 8
_MAY_BE_MISSING = 0.015
_MAY_BE_MISSING_PROVED = 0.05
"""The probability of one more vanished pair from which a gap is put there."""
_AT_PUNCTUATION = 10.0
"""How much the model underrates that after a comma, where a pair has vanished, a second one has: it holds "但",
"而" or "它", which a model of single words takes for needless."""
_BEAM = 120
_BEAM_WIDTH = 16.0
_DROPS_FROM = 40
_DROPS_KEPT = 40
_SECOND_DROPS_FROM = 4
_SECOND_DROPS_KEPT = 20
_LONGEST = 160
_BUDGET = 1500
"""Characters read in lattices per document, at some 10 ms each; damage beyond that stays as it is."""
_SETTLED = 6
"""Characters read in step after the damage before the comparison ends: enough to close every word."""

_ANY_LEAD = -1
_LEAD_AFTER_ZONE_12 = -2
_LEAD_AFTER_ZONE_3 = -3
_UNASSIGNED = -1000
_UNASSIGNED_LEADS = (0x80, 0xA2, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xD7)

_LETTER = "a-zA-Zü\u00dcêɑɡĀÁǍÀĒÉĚÈŌÓǑÒāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜḿńňǹ"
_LOST = "?？\ufffd"
_ANNOTATION = re.compile(rf"[(（] ?([{_LETTER}]{{1,7}}[1-5]?) ?[)）]")
_ORPHAN = re.compile(rf"[(（]? ?([{_LETTER}]{{1,7}}[1-5]?) ?[)）]")
_TONED = re.compile("[āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜḿńňǹ]")
_CHINESE_BEFORE = re.compile(f"[{HAN}，。、；：！？“”‘’「」『』《》（）)\ufffd]$")
_CLAUSE = re.compile("[^。\n]{0,60}")
_IS_HAN = re.compile(f"[{HAN}]")
_SUSPECT = re.compile(rf"[{_LOST}](?=[^\s])")
_HORIZON = 8
"""Characters after a question mark among which two must look out of place. Out-of-step text is random: of eight
characters two are uncommon 98 times in a hundred."""
# A single letter or sign between Chinese characters: the ASCII-range byte that ends the damage.
_LONE_LETTER = re.compile(f"[!;:,{HAN}][@-~][(（{HAN}]")

_PUNCTUATION = {
    **dict.fromkeys("，,", 2.8),
    **dict.fromkeys("。、", 3.6),
    **dict.fromkeys("“”：:；;（）()「」《》", 6.0),
    **dict.fromkeys("！？!?‘’『』·—…", 7.0),
    **dict.fromkeys("0123456789", 5.0),
    **dict.fromkeys(" \u3000%.-/", 8.0),
}
_SEPARATORS = "，,。、；;：:"
_CLOSERS = "”」』）)》"
_SEPARATED, _STOPPED = "|", "¦"
"""The unfinished word after a separator and after a full stop: no second one follows; a closing sign may."""
_NO_WORD = ("", _SEPARATED, _STOPPED)
_AFTER_SEPARATOR = 8.0
_CLOSING_AFTER_STOP = -3.0
_LATIN_COST = 8.0
_SYMBOL_COST = 17.0
_UNEXPLAINED_ANNOTATION = 8.0
_UNEXPLAINED_ORPHAN = 14.0
_EATEN_COST = 6.0
_UNKNOWN_COUNT = 0.3
_OTHER_SCRIPT = 0.01
_DOCUMENT_SHARE = 0.25
_HABIT_SHARE = 0.7
_HABIT_PRIOR = 1
_NO_HABIT = math.log(1 - _HABIT_SHARE)
_SAMPLE = 60_000


@dataclass(frozen=True, slots=True)
class Repair:
    """``text[start:end]`` of the damaged text is to become ``text``."""

    start: int
    end: int
    text: str

    @property
    def whole(self) -> bool:
        """Whether everything lost was recovered."""
        return GAP not in self.text


def find(text: str) -> list[Repair]:
    """The damaged places of a text and what to put there, in order and without overlap; [] for clean text."""
    found: list[Repair] = []
    language: _Language | None = None
    budget = _BUDGET
    at = 0
    while (suspect := _SUSPECT.search(text, at)) is not None:
        at = suspect.end()
        if not _is_suspicious(text, suspect.start()):
            continue
        if language is None:
            language = _Language(text)
        before = _before(text, suspect.start(), found)
        repair, cost = _solve(text, suspect.start(), before, language)
        budget -= cost
        if budget < 0:
            break
        if repair is not None:
            found.append(repair)
            at = max(at, repair.end)
    return found


def _before(text: str, position: int, found: list[Repair]) -> str:
    """The characters of the line before a position, earlier repairs applied and annotations out."""
    start = max(0, position - 60)
    start = max(text.rfind("\n", start, position) + 1, start)
    pieces: list[str] = []
    cursor = start
    for repair in found[-60:]:
        if repair.end > cursor:
            pieces.append(text[cursor : max(cursor, repair.start)])
            pieces.append(repair.text)
            cursor = repair.end
    pieces.append(text[cursor:position])
    return pinyin.BRACKET.sub("", "".join(pieces))


def _is_suspicious(text: str, position: int) -> bool:
    """A cheap test: is there, right after a question mark, anything that does not belong there?"""
    after = position + 1
    if _CHINESE_BEFORE.search(text, max(0, position - 3), position) is None:
        return False
    if orphan := _ORPHAN.match(text, after):
        if pinyin.syllable(orphan.group(1)) is None:
            return False
        return bool(_TONED.search(orphan.group(1))) or _oddity(text, orphan.end()) >= 1
    return _oddity(text, after) >= 2


def _undamaged(text: str) -> str:
    """The text without what follows suspicious question marks: damage is no habit of the document."""
    pieces: list[str] = []
    cursor = 0
    for suspect in _SUSPECT.finditer(text):
        if suspect.start() >= cursor and _is_suspicious(text, suspect.start()):
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
    if char < "\x80" or char in _PUNCTUATION:
        return False
    return not pinyin.is_common(char)


@functools.lru_cache(maxsize=32768)
def _pair(char: str) -> tuple[int, int] | None:
    """The two GBK bytes of a character; None when it has none. GB18030 also knows the user-defined zones."""
    try:
        code = char.encode("gb18030")
    except UnicodeEncodeError:
        return None
    return (code[0], code[1]) if len(code) == 2 else None


@functools.cache
def _characters() -> dict[tuple[int, int], str]:
    table: dict[tuple[int, int], str] = {}
    for lead in range(0x81, 0xFF):
        for trail in (*range(0x40, 0x7F), *range(0x80, 0xFF)):
            if _is_user_defined(lead, trail):
                continue
            try:
                char = bytes((lead, trail)).decode("gbk")
            except UnicodeDecodeError:
                continue
            table[lead, trail] = char
    return table


def _is_user_defined(lead: int, trail: int) -> bool:
    if trail >= 0xA1:
        return 0xAA <= lead <= 0xAF or lead >= 0xF8
    return 0xA1 <= lead <= 0xA7


@functools.cache
def _leads(pending: int) -> tuple[int, ...]:
    """What a pending first byte can be: itself, or a set for one that was lost."""
    if pending == _ANY_LEAD:
        return tuple(range(0x81, 0xFF))
    if pending == _LEAD_AFTER_ZONE_12:
        return tuple(range(0xA1, 0xFF))
    if pending == _LEAD_AFTER_ZONE_3:
        return tuple(range(0x81, 0xA1))
    if pending <= _UNASSIGNED:
        table = _characters()
        lead = _UNASSIGNED - pending
        return tuple(
            trail
            for trail in range(0x81, 0xFF)
            if (lead, trail) not in table and not _is_user_defined(lead, trail)
        )
    return (pending,)


@functools.cache
def _originals(pending: int, trail: int) -> tuple[str, ...]:
    """The characters with that second byte and a possible first byte."""
    table = _characters()
    return tuple(char for lead in _leads(pending) if (char := table.get((lead, trail))) is not None)


@functools.cache
def _common_originals(pending: int, trail: int) -> tuple[str, ...]:
    """The same without rare characters."""
    return tuple(
        char for char in _originals(pending, trail) if char in _PUNCTUATION or pinyin.is_common(char)
    )


@functools.cache
def _by_trail(pending: int) -> tuple[str, ...]:
    """The characters with a possible first byte whose second byte, not an ASCII-range one, was lost."""
    table = _characters()
    return tuple(
        char
        for lead in _leads(pending)
        for trail in range(0x80, 0xFF)
        if (char := table.get((lead, trail))) is not None
    )


_ZONES = (
    *((trail, _LEAD_AFTER_ZONE_12) for trail in (*range(0xAA, 0xB0), *range(0xF8, 0xFF))),
    *((trail, _LEAD_AFTER_ZONE_3) for trail in range(0xA1, 0xA8)),
)
"""For a pair that vanished: its first byte, the second byte of one character, and what its second can be."""


@functools.cache
def _simplified_of() -> dict[str, str]:
    chars = sorted(set(_characters().values()))
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


class _Language:
    """The probability of Chinese text, in nats, built from a general dictionary and from one document."""

    def __init__(self, text: str) -> None:
        self.counts, self.total = _dictionary()
        plain = pinyin.BRACKET.sub("", _undamaged(text[:_SAMPLE]))
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
        if word in _NO_WORD:
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
        if not _IS_HAN.match(char):
            cost = _PUNCTUATION.get(char)
            if cost is None:
                cost = _LATIN_COST if char.isascii() else _SYMBOL_COST
            if (prefix in (_SEPARATED, _STOPPED) and char in _SEPARATORS) or (
                prefix == _SEPARATED and char in _CLOSERS
            ):
                cost += _AFTER_SEPARATOR
            elif prefix == _STOPPED and char in _CLOSERS:
                cost += _CLOSING_AFTER_STOP
            done = self.word(prefix)
            if done > -math.inf:
                yield _STOPPED if char == "。" else _SEPARATED if char in _SEPARATORS else "", done - cost
            return
        simplified = _simplified_of().get(char, char)
        form = self.form(char)
        if prefix in _NO_WORD:
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
            known = math.log(max(count, _UNKNOWN_COUNT) / self.total) if prefix not in _NO_WORD else 0.0
            known = self._prospects[prefix] = max(known, self.word(prefix))
        return known

    def finish(self, prefix: str) -> float:
        """The log probability of the unfinished word if the text ended here."""
        if not prefix:
            return 0.0
        value = self.word(prefix)
        return value if value > -math.inf else sum(self.word(char) for char in prefix)


@dataclass(frozen=True, slots=True)
class _Token:
    """A character, an annotation, or an annotation whose opening bracket was swallowed ("orphan")."""

    kind: str
    value: str
    start: int
    end: int


def _tokens(text: str, position: int) -> Iterator[_Token]:
    cursor = position
    while cursor < len(text) and text[cursor] not in "\r\n":
        # Some decoders keep the bracket that follows the lost byte, most swallow it.
        is_after_lost = cursor > 0 and text[cursor - 1] in _LOST
        match = (_ORPHAN if is_after_lost else _ANNOTATION).match(text, cursor)
        if match is not None and pinyin.syllable(match.group(1)) is not None:
            yield _Token("orphan" if is_after_lost else "annotation", match.group(1), cursor, match.end())
            cursor = match.end()
            continue
        yield _Token("char", text[cursor], cursor, cursor + 1)
        cursor += 1


_State = tuple[int, str]
"""The pending first byte (None-like 0 when in step), and the unfinished word."""
_IN_STEP = 0


@dataclass(slots=True)
class _Node:
    state: _State
    alpha: float = -math.inf
    beta: float = -math.inf
    edges: list[tuple[_Node, str, float]] = field(default_factory=list)
    """Where it can be reached from, by which character, at what log probability."""
    best: float = -math.inf
    back: tuple[_Node, str] | None = None
    layer: tuple[int, int] = (0, 0)


class _Layer:
    """The nodes that have read the same number of tokens."""

    def __init__(self, place: tuple[int, int]) -> None:
        self.place = place
        self.nodes: dict[_State, _Node] = {}

    def add(self, state: _State, source: _Node, char: str, weight: float) -> None:
        node = self.nodes.get(state)
        if node is None:
            node = self.nodes[state] = _Node(state, layer=self.place)
        node.edges.append((source, char, weight))
        reached = source.alpha + weight
        # The sum is only worth its logarithm where the terms are of one size.
        if reached > node.alpha + 20:
            node.alpha = reached
        elif reached > node.alpha - 20:
            node.alpha = _log_add(node.alpha, reached)
        if source.best + weight > node.best:
            node.best = source.best + weight
            node.back = (source, char)

    def prune(self, keep: int, language: _Language) -> None:
        """Keep the likeliest nodes."""
        if not self.nodes:
            return
        ranked = [(node.alpha + language.prospect(node.state[1]), node) for node in self.nodes.values()]
        ranked.sort(key=lambda pair: -pair[0])
        least = ranked[0][0] - _BEAM_WIDTH
        self.nodes = {node.state: node for value, node in ranked[:keep] if value >= least}


def _log_add(a: float, b: float) -> float:
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))


def _log_sum(values: Iterable[float]) -> float:
    total = -math.inf
    for value in values:
        total = _log_add(total, value)
    return total


def _solve(text: str, position: int, before: str, language: _Language) -> tuple[Repair | None, int]:
    tokens: list[_Token] = []
    for token in _tokens(text, position + 1):
        tokens.append(token)
        if len(tokens) >= _LONGEST:
            break
    if not tokens:
        return None, 0
    left = _left_prefixes(before, language)
    starts = [_ANY_LEAD]
    proved = False
    first = 0
    if tokens[0].kind == "orphan":
        first = 1
        starts = _leads_that_read(before, tokens[0].value)
        proved = bool(starts)
        if not starts:
            return _gap_only(text, position, tokens[0]), 0
    lattice = _Lattice(tokens, first, left, starts, language)
    result = lattice.run(text[position])
    if result is None or result.advantage < (_MARGIN_PROVED if proved else _MARGIN):
        repair = _gap_only(text, position, tokens[0]) if tokens[0].kind == "orphan" else None
        return repair, lattice.read
    after = tokens[result.end] if result.end < len(tokens) else None
    last = result.chars[-1][0] if result.chars else ""
    proved = proved or (after is not None and after.kind == "annotation" and pinyin.reads(last, after.value))
    missing = _MAY_BE_MISSING_PROVED if proved else _MAY_BE_MISSING
    chars: list[tuple[str, float]] = []
    for char, certainty, dropped in result.chars:
        if dropped > missing:
            chars.append((GAP, 0.0))
        chars.append((char, certainty if char != GAP else 0.0))
    if not proved and _ends_a_term(before, chars):
        chars[0] = (GAP, 0.0)
    certain = _CERTAIN_PROVED if proved else _CERTAIN
    gaps = sum(certainty < certain for _, certainty in chars)
    end = tokens[result.end - 1].end
    if gaps > (_MOST_GAPS_PROVED if proved else _MOST_GAPS) * len(chars):
        return Repair(position, end, GAP), lattice.read
    restored = "".join(
        _as_written(char, language) if certainty >= certain else GAP for char, certainty in chars
    )
    return Repair(position, end, restored), lattice.read


def _ends_a_term(before: str, chars: list[tuple[str, float]]) -> bool:
    """Whether a full stop would end a few quoted words: a quoted term has none, a quoted sentence does."""
    if len(chars) < 2 or chars[0][0] != "。" or chars[1][0] not in _CLOSERS:
        return False
    opened = max(before.rfind(sign) for sign in "“「『《（(")
    inside = before[opened + 1 :]
    return opened >= 0 and len(inside) < _SHORTEST_SENTENCE and not re.search("[，,、；;]", inside)


def _as_written(char: str, language: _Language) -> str:
    """The character as the document writes it: full-width ASCII is half-width where the document does so."""
    if language.is_half_width and "\uff01" <= char <= "\uff5e":
        return chr(ord(char) - 0xFEE0)
    return char


def _gap_only(text: str, position: int, orphan: _Token) -> Repair | None:
    """The mark for what is surely damaged but unsolved: a reading with tones whose bracket was swallowed."""
    if not _TONED.search(orphan.value) or text[orphan.start] in "(（":
        return None
    nearby = max(0, position - 200)
    opened = max(text.rfind(bracket, nearby, position) for bracket in "(（")
    closed = max(text.rfind(bracket, nearby, position) for bracket in ")）\n")
    if opened > closed:
        return None
    return Repair(position, orphan.end, GAP)


def _left_prefixes(before: str, language: _Language) -> list[tuple[str, float]]:
    """The unfinished words before the damage, with their log probabilities."""
    layer: dict[str, float] = {"": 0.0}
    for char in before[-8:]:
        following: dict[str, float] = {}
        for prefix, value in layer.items():
            for state, weight in language.steps(prefix, char):
                following[state] = _log_add(following.get(state, -math.inf), value + weight)
        layer = following
    return list(layer.items())


def _leads_that_read(before: str, written: str) -> list[int]:
    """The lost bytes that make, after the second byte before them, a character of that reading: the proof."""
    code = _pair(before[-1]) if before else None
    if code is None:
        return []
    table = _characters()
    return [
        trail
        for trail in range(0x81, 0xFF)
        if (char := table.get((code[1], trail))) is not None
        and _IS_HAN.match(char)
        and pinyin.reads(char, written)
    ]


@dataclass(frozen=True, slots=True)
class _Result:
    advantage: float
    end: int
    """Tokens that the damage covers."""
    chars: list[tuple[str, float, float]]
    """The original characters, each with its probability and that of a vanished pair before it."""


class _Lattice:
    """All original texts that would look like the tokens, with the language's probability of each."""

    def __init__(
        self,
        tokens: list[_Token],
        first: int,
        left: list[tuple[str, float]],
        starts: list[int],
        language: _Language,
    ) -> None:
        self.tokens = tokens
        self.first = first
        self.left = left
        self.starts = starts
        self.language = language
        self.read = 0
        self.layers = [_Layer((index, 0)) for index in range(len(tokens) + 1)]
        self.drops = [_Layer((index, 1)) for index in range(len(tokens) + 1)]
        self.second_drops = [_Layer((index, 2)) for index in range(len(tokens) + 1)]

    def run(self, mark: str) -> _Result | None:
        """Compare the damaged readings with the text as it stands, and give the best of them."""
        root = _Node((0, ""), alpha=0.0, best=0.0)
        for prefix, value in self.left:
            for start in self.starts:
                self.layers[self.first].add((start, prefix), root, "", value - math.log(len(self.starts)))
        standing: dict[str, float] = {}
        for prefix, value in self.left:
            for state, weight in self.language.steps(prefix, "?" if mark == GAP else mark):
                standing[state] = _log_add(standing.get(state, -math.inf), value + weight)
        for index in range(self.first):
            standing = self._stand(standing, self.tokens[index])
        settled = 0
        horizon = self.first
        for index in range(self.first, len(self.tokens)):
            self.read += 1
            layer = self.layers[index]
            layer.prune(_BEAM, self.language)
            self._drop(index)
            for source in (layer, self.drops[index], self.second_drops[index]):
                for node in source.nodes.values():
                    self._read(index, node)
            standing = self._stand(standing, self.tokens[index])
            horizon = index + 1
            following = self.layers[horizon]
            following.prune(_BEAM, self.language)
            if not following.nodes and not any(later.nodes for later in self.layers[horizon + 1 :][:2]):
                return None
            if following.nodes:
                lead = max(node.alpha for node in following.nodes.values()) - max(standing.values())
                if index - self.first >= 5 and lead < -30:
                    return None
            if following.nodes and all(pending == _IN_STEP for pending, _ in following.nodes):
                settled += 1
                if settled >= _SETTLED:
                    break
            else:
                settled = 0
        return self._result(horizon, standing)

    def _stand(self, states: dict[str, float], token: _Token) -> dict[str, float]:
        """Read one token as it stands."""
        following: dict[str, float] = {}
        for prefix, value in states.items():
            for state, weight in self._steps(prefix, token):
                following[state] = _log_add(following.get(state, -math.inf), value + weight)
        return following

    def _steps(self, prefix: str, token: _Token) -> Iterator[tuple[str, float]]:
        if token.kind == "char":
            yield from self.language.steps(prefix, token.value)
        elif token.kind == "orphan":
            yield prefix, -_UNEXPLAINED_ORPHAN
        elif prefix not in _NO_WORD and pinyin.reads(prefix[-1], token.value):
            yield prefix, 0.0
        else:
            yield prefix, -_UNEXPLAINED_ANNOTATION

    def _drop(self, index: int) -> None:
        """Suppose that before this token a pair of a user-defined zone has vanished."""
        layer = self.drops[index]
        sources = [node for node in self.layers[index].nodes.values() if node.state[0] != _IN_STEP]
        for node in sources[:_DROPS_FROM]:
            pending, prefix = node.state
            for trail, kind in _ZONES:
                for char in _originals(pending, trail):
                    for state, weight in self.language.steps(prefix, char):
                        layer.add((kind, state), node, char, weight)
        layer.prune(_DROPS_KEPT, self.language)
        again = self.second_drops[index]
        for node in list(layer.nodes.values())[:_SECOND_DROPS_FROM]:
            pending, prefix = node.state
            for trail, kind in _ZONES:
                for char in _common_originals(pending, trail):
                    for state, weight in self.language.steps(prefix, char):
                        again.add((kind, state), node, char, weight)
        again.prune(_SECOND_DROPS_KEPT, self.language)

    def _read(self, index: int, node: _Node) -> None:
        """Take one token in every way that the node's alignment allows."""
        token = self.tokens[index]
        following = self.layers[index + 1]
        pending, prefix = node.state
        if pending == _IN_STEP:
            for state, weight in self._steps(prefix, token):
                following.add((_IN_STEP, state), node, "", weight)
            return
        if token.kind == "annotation":
            # An annotation that stands in out-of-step text belongs to the out-of-step character before it.
            before = self.tokens[index - 1] if index else None
            if before is not None and before.kind == "char" and pinyin.reads(before.value, token.value):
                following.add((pending, prefix), node, "", 0.0)
            return
        if token.kind == "orphan":
            return
        if token.value in _LOST:
            self._cut(index, node)
            self._unassigned(index, node)
            if token.value == GAP:
                return
        # Behind a vanished pair only common characters are worth a guess.
        originals = _common_originals if pending in (_LEAD_AFTER_ZONE_12, _LEAD_AFTER_ZONE_3) else _originals
        for lead, trail in _pairs(token.value):
            for char in originals(pending, lead):
                for state, weight in self.language.steps(prefix, char):
                    following.add((trail, state), node, char, weight)
        if "@" <= token.value <= "~":
            for char in originals(pending, ord(token.value)):
                for state, weight in self.language.steps(prefix, char):
                    following.add((_IN_STEP, state), node, char, weight)

    def _cut(self, index: int, node: _Node) -> None:
        """The second byte is lost too: there was another cut, and the text is in step after it."""
        pending, prefix = node.state
        after = self.tokens[index + 1] if index + 1 < len(self.tokens) else None
        if after is not None and after.kind == "orphan":
            target = self.layers[index + 2]
            for char in _by_trail(pending):
                if pinyin.reads(char, after.value):
                    for state, weight in self.language.steps(prefix, char):
                        target.add((_IN_STEP, state), node, char, weight)
            return
        if pending < 0:
            return
        # What a mark was put before is punctuation; before anything else the question mark has eaten a sign.
        eaten = after is None or after.kind != "char" or _IS_HAN.match(after.value) or after.value.isalnum()
        for char in _by_trail(pending):
            for state, weight in self.language.steps(prefix, char):
                if not eaten:
                    self.layers[index + 1].add((_IN_STEP, state), node, char, weight)
                elif (done := self.language.word(state)) > -math.inf:
                    self.layers[index + 1].add((_IN_STEP, ""), node, char + GAP, weight + done - _EATEN_COST)

    def _unassigned(self, index: int, node: _Node) -> None:
        """The question mark stands for a pair without a character; the text stays out of step."""
        pending, prefix = node.state
        for trail in _UNASSIGNED_LEADS:
            for char in _originals(pending, trail):
                for state, weight in self.language.steps(prefix, char):
                    self.layers[index + 1].add((_UNASSIGNED - trail, state), node, char, weight)

    def _result(self, horizon: int, standing: dict[str, float]) -> _Result | None:
        finals = [node for node in self.layers[horizon].nodes.values() if node.state[0] == _IN_STEP]
        if not finals:
            return None
        for node in finals:
            node.beta = self.language.finish(node.state[1])
        total = _log_sum(node.alpha + node.beta for node in finals)
        status_quo = _log_sum(value + self.language.finish(prefix) for prefix, value in standing.items())
        posterior: defaultdict[tuple[tuple[int, int], str], float] = defaultdict(float)
        dropped: defaultdict[tuple[int, int], float] = defaultdict(float)
        in_order = [
            node
            for index in range(horizon, -1, -1)
            for layer in (self.second_drops[index], self.drops[index], self.layers[index])
            for node in layer.nodes.values()
        ]
        for node in in_order:
            if node.beta == -math.inf:
                continue
            for source, char, weight in node.edges:
                source.beta = _log_add(source.beta, weight + node.beta)
                if char:
                    share = math.exp(source.alpha + weight + node.beta - total)
                    posterior[source.layer, char] += share
                    if node.layer[1]:
                        dropped[node.layer] += share
        best = max(finals, key=lambda node: node.best + node.beta)
        chars: list[tuple[str, float, float]] = []
        end = self.first
        node = best
        while node.back is not None:
            source, char = node.back
            if char:
                end = max(end, node.layer[0])
                if len(char) > 1:
                    chars.append((char[1:], 1.0, 0.0))
                more = dropped[source.layer[0], source.layer[1] + 1] if node.layer[1] == 0 else 0.0
                if source.layer[1] == 1 and source.back and _has_sign(char[0] + source.back[1]):
                    more *= _AT_PUNCTUATION
                chars.append((char[0], posterior[source.layer, char], more))
            node = source
        chars.reverse()
        return _Result(total - status_quo, end, chars)


def _has_sign(chars: str) -> bool:
    return any(not _IS_HAN.match(char) for char in chars)


@functools.lru_cache(maxsize=4096)
def _pairs(shown: str) -> tuple[tuple[int, int], ...]:
    """The pairs that may be shown as this character: half-width signs were full-width."""
    if shown == " ":
        return ((0xA1, 0xA1),)
    if "!" <= shown <= "~":
        return ((0xA3, ord(shown) + 0x80),)
    code = _pair(shown)
    return (code,) if code is not None else ()
