"""Keeps the first passages from saying one thing: near-duplicates are left out, and each part of a question is covered. Pure.

A question over two bodies, years or things ("住建局和教育局分别承诺了什么") needs passages on both, though all of the best scores
may belong to one. Passages are picked one by one, by their score and by how much they cover of what none before them covers
(Carbonell and Goldstein, "The use of MMR", SIGIR 1998; the need of a part falls as in Agrawal et al., "Diversifying search
results", WSDM 2009). For a question of one part the order is that of the scores.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.bodies import BODIES, bodies_in, joint_bodies
from rag.framing import folded_context
from rag.questions import Question, is_stopword
from rag.speech import bodies_speaking
from rag.text import bigrams, fold, has_han, segmenter
from rag.types import Passage

_SAME = 0.8
"""Share of character pairs in common from which a passage says nothing that a better one has not said."""
_NUMBER = re.compile(r"[0-9零〇一二三四五六七八九十百千万亿两]+")
_GAIN = 4.0
"""What covering a part that nothing covers is worth, beside the logarithm of how likely a passage is to answer."""
_FLOOR = math.exp(-5.0)
"""How likely beside the best a passage must be to answer, that it may be drawn forward."""
_SURE = 0.7
"""How far one passage that is about a part does away with the need of it."""
_TOUCHED = 0.5
"""How far a part is covered by a passage that names it, but is about another part."""
_MOST_PARTS = 8
_LONGEST_QUESTION = 300
"""Characters of a question in which parts are looked for; a longer one is a text, not a question over two things."""
_LONGEST_PART = 12
_JOINS = frozenset("和 与 及 跟 、 以及 还有 还是 比 and or vs vs. versus than &".split())  # noqa: SIM905
_YEAR = re.compile(r"(?:19|20)\d\d")
_OF_YEARS = frozenset("年 年度 财年".split())  # noqa: SIM905
_COMPARED = frozenset("共同点 不同点 相同点 异同 异同点 区别 差别 差异 similarities differences".split())  # noqa: SIM905
"""What is asked of two things, and is none of them."""
_NAME = re.compile(r"[A-Z][\w.'\-]*(?:\s+(?:(?:of|&)\s+)?[A-Z0-9][\w.'\-]*)*")
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|「[^」]*」|『[^』]*』|《[^》]*》")
_BODY_NAMES = frozenset(body.name for body in BODIES)
_ENGLISH_TOKEN = re.compile(r"[\w'\-]+|\S")


Words = tuple[str, ...]
"""Folded words that a text must hold to be about something."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the things that a question is over: the ``kind`` that it shares with what it stands beside, its name, and its words.

    A text names it that holds all of the words; of a body, that names it in any of its forms.
    """

    kind: str
    name: str
    words: Words


def distinct(ranked: Iterable[Passage]) -> Iterator[Passage]:
    """Without passages that say what a better one says, but for a few characters none of which is a digit."""
    kept: list[_Content] = []
    for passage in ranked:
        content = _content(passage.chunk.text)
        if any(content.says(other) for other in kept):
            continue
        kept.append(content)
        yield passage


def parts(question: Question) -> tuple[Part, ...]:
    """The bodies, years, quoted names and coordinated words of a question, those kinds alone of which it has two or more.

    Where coordinated words begin and end is found by how alike the two sides are (Kurohashi and Nagao, "A syntactic
    analysis method of long Japanese sentences based on the detection of conjunctive structures", 1994).
    """
    if len(question.text) > _LONGEST_QUESTION:
        return ()
    folded = fold(question.text)
    bodies = {body.name: body for body in (*question.bodies, *joint_bodies(folded))}
    named = [Part("body", name, body.chinese) for name, body in bodies.items()]
    years = [Part("year", year, (year,)) for year in sorted(question.years)]
    quoted = [Part("quoted", name, (name,)) for name in dict.fromkeys(question.quoted)]
    taken = {word for kind in (named, years, quoted) if len(kind) > 1 for part in kind for word in part.words}
    # What joins the words of a title joins no parts.
    unquoted = _QUOTED.sub(" ; ", question.text)
    joined = _english_parts(unquoted) if question.is_latin else _chinese_parts(fold(unquoted))
    things = [
        [_thing(f"things {number}", words) for words in group if not _overlaps(words, taken)]
        for number, group in enumerate(joined)
    ]
    groups = [list({part.name: part for part in group}.values()) for group in (named, years, quoted, *things)]
    return tuple(part for group in groups if len(group) > 1 for part in group)[:_MOST_PARTS]


def covering(ranked: Sequence[Passage], wanted: Sequence[Part]) -> list[Passage]:
    """The passages in an order in which the first cover all the parts, as far as likely ones do.

    The first stays the first. One that is drawn forward takes the score of the one that it stands behind, for it is the
    best of its part; so scores keep falling. With fewer than two parts nothing is changed. What stands at a place does
    not depend on how many are taken.

    :param ranked: all candidates, best first
    """
    if len(wanted) < 2 or len(ranked) < 3:
        return list(ranked)
    held = _held(ranked, wanted)
    need = [1.0] * len(wanted)
    left = list(range(len(ranked)))
    order: list[Passage] = []
    least = _FLOOR * ranked[0].score
    while left:
        best = left[0]
        if order and max(need) > 0.0:
            likely = [n for n in left if ranked[n].score >= least] or left[:1]
            best = max(likely, key=lambda n: (_worth(ranked[n].score, held[n], need), -n))
        passage = ranked[best]
        if best != left[0]:
            passage = replace(passage, score=order[-1].score)
        need = [now * (1.0 - _SURE * share) for now, share in zip(need, held[best], strict=True)]
        left.remove(best)
        order.append(passage)
    return order


def _worth(score: float, held: Sequence[float], need: Sequence[float]) -> float:
    gained = sum(share * now for share, now in zip(held, need, strict=True))
    return math.log(max(score, 1e-9)) + _GAIN * gained


def _held(ranked: Sequence[Passage], wanted: Sequence[Part]) -> list[list[float]]:
    """How far each passage covers each part, 0 to 1."""
    kinds = list(dict.fromkeys(part.kind for part in wanted))
    table = []
    for passage in ranked:
        about = _about(passage)
        text = f"{about}\n{folded_context(passage.source, passage.chunk)}"
        shares: dict[str, float] = {}
        for kind in kinds:
            some = [part for part in wanted if part.kind == kind]
            inside = [part for part in some if _names(part, text)]
            of_it = [part for part in inside if _names(part, about)]
            if kind == "body":
                speaking = bodies_speaking(passage.chunk.speeches)
                of_it = [part for part in some if part.name in speaking] or of_it
                inside = [part for part in some if part in inside or part in of_it]
            for part in inside:
                shares[part.name] = 1.0 if part in of_it or not of_it else _TOUCHED
        table.append([shares.get(part.name, 0.0) for part in wanted])
    return table


def _about(passage: Passage) -> str:
    """What a passage is about by its title, its heading and its date, folded."""
    return fold("\n".join((passage.source.title, passage.chunk.heading, passage.source.published or "")))


def _names(part: Part, text: str) -> bool:
    if part.name in _BODY_NAMES:
        return any(body.name == part.name for body in bodies_in(text))
    return all(word in text for word in part.words)


def _thing(kind: str, words: Words) -> Part:
    """A part of these words; a body goes by its full name, so that two names of one body are one part."""
    body = next((body for body in bodies_in(" ".join(words)) if " ".join(words) in body.chinese), None)
    return Part(kind, " ".join(words) if body is None else body.name, words)


def _overlaps(words: Words, taken: Iterable[str]) -> bool:
    return any(word in name or name in word for name in taken for word in words)


def _chinese_parts(folded: str) -> list[list[Words]]:
    tokens = [token.strip() for token in segmenter().cut(folded)]
    return _coordinated(tokens)


def _english_parts(text: str) -> list[list[Words]]:
    """All names as one group where something is coordinated at all; the coordinated words where there are no names."""
    tokens = _ENGLISH_TOKEN.findall(text)
    if not any(token.casefold() in _JOINS for token in tokens):
        return []
    found: list[Words] = []
    for match in _NAME.finditer(text):
        words = [word.removesuffix("'s").strip(".,'") for word in fold(match.group()).split()]
        telling = tuple(word for word in words if word and not is_stopword(word))
        if match.start() > 0 and telling:
            found.append(telling)
    names = list(dict.fromkeys(found))
    return [names] if names else _coordinated([fold(token) for token in tokens])


def _coordinated(tokens: Sequence[str]) -> list[list[Words]]:
    """What is joined with each other, group by group, as the words that tell it."""
    groups: list[list[Words]] = []
    for at, word in enumerate(tokens):
        if word not in _JOINS or (word == "比" and _YEAR.fullmatch("".join(tokens[at + 1 : at + 2]))):
            continue
        before = _side(tokens[:at][::-1])[::-1]
        after = _side(tokens[at + 1 :])
        pairs = [(before[i:], after[: j + 1]) for i in range(len(before)) for j in range(len(after))]
        if not pairs:
            continue
        one, two = max(pairs, key=lambda pair: _alike(pair[0], pair[1], (len(before), len(after))))
        if one[-1] == two[-1] and all(len("".join(side[:-1])) > 1 for side in (one, two)):
            one, two = one[:-1], two[:-1]
        if one == two or min(len("".join(side)) for side in (one, two)) < 2:
            continue
        both = [("".join(side),) if has_han(side[0]) else tuple(side) for side in (one, two)]
        if groups and both[0] in groups[-1]:
            groups[-1].append(both[1])
        else:
            groups.append(both)
    return [list(dict.fromkeys(group)) for group in groups]


def _side(tokens: Sequence[str]) -> list[str]:
    """The words from a coordination on, to where something else begins."""
    side: list[str] = []
    for token in tokens:
        if token in _OF_YEARS or _YEAR.fullmatch(token):
            if side:
                break
            continue
        ends = (
            not token
            or token in _JOINS
            or token in _COMPARED
            or is_stopword(token)
            or not any(map(str.isalnum, token))
        )
        if ends or len(side) > _LONGEST_PART or sum(map(len, side)) + len(token) > 3 * _LONGEST_PART:
            break
        side.append(token)
    return side


def _alike(one: Sequence[str], two: Sequence[str], whole: tuple[int, int]) -> float:
    """How like two sides of a coordination are: in how they end, in length, in being all that stands there (``whole`` words)."""
    lengths = sum(map(len, one)), sum(map(len, two))
    ends = 2.0 if one[-1] == two[-1] else 1.5 if one[-1][-1] == two[-1][-1] else 0.0
    all_of_it = 0.3 * ((len(one) == whole[0]) + (len(two) == whole[1]))
    odd = 2.0 * (min(lengths) < 2) + ((len(one[0]) < 2) != (len(two[0]) < 2))
    return ends + all_of_it - odd - 0.5 * abs(lengths[0] - lengths[1]) - 0.1 * (len(one) + len(two))


@dataclass(frozen=True, slots=True)
class _Content:
    """What a text says: its pairs of characters, and its numbers, in which this year's notice differs from last year's."""

    pairs: frozenset[str]
    numbers: tuple[str, ...]

    def says(self, other: _Content) -> bool:
        one, two = self.pairs, other.pairs
        if self.numbers != other.numbers or min(len(one), len(two)) < _SAME * max(len(one), len(two)):
            return False
        return one == two or len(one & two) >= _SAME * len(one | two)


@functools.lru_cache(maxsize=4096)
def _content(text: str) -> _Content:
    folded = fold(text)
    return _Content(frozenset(bigrams(folded)) or frozenset((folded,)), tuple(_NUMBER.findall(folded)))
