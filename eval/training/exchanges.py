"""Questions that look answerable and are not: a name, year or number exchanged for another. Pure but for the chance given."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from rag.names import Name, is_place, names_in
from rag.text import fold, has_han

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_YEAR = re.compile(r"(?:1[4-9]|20)\d\d")
_FARTHEST = 12
_TRIES = 8
Kind = tuple[str, bool, bool, bool]
"""What a name is: its kind, whether a person, whether a place, whether in Han characters."""


def names_by_kind(questions: Iterable[str]) -> Mapping[Kind, Sequence[str]]:
    """The names in questions by what they are, each once, in order."""
    found: dict[Kind, dict[str, None]] = defaultdict(dict)
    for question in questions:
        for name in names_in(question):
            found[_kind(name)].setdefault(name.text)
    return {kind: list(names) for kind, names in found.items()}


def exchanged(
    question: str, passage: str, names: Mapping[Kind, Sequence[str]], rng: random.Random
) -> str | None:
    """The question with one name or number that the passage holds exchanged for one that it does not hold.

    :param names: what names are drawn from, by kind
    :returns: None where nothing in the question can be exchanged
    """
    held = fold(passage)
    choices = [(name.text, _kind(name)) for name in names_in(question) if name.folded in held]
    numbers = [match for match in _NUMBER.finditer(question) if match.group() in held]
    if numbers and (not choices or rng.random() < 0.5):
        return _other_number(question, rng.choice(numbers), held, rng)
    if not choices:
        return None
    text, kind = rng.choice(choices)
    pool = names.get(kind, ())
    for _ in range(_TRIES if pool else 0):
        other = rng.choice(pool)
        if fold(other) not in held and fold(other) not in fold(question):
            return question.replace(text, other)
    return None


def _other_number(question: str, match: re.Match[str], held: str, rng: random.Random) -> str | None:
    said = match.group()
    for _ in range(_TRIES):
        if "." in said:
            other = f"{float(said) * rng.uniform(0.3, 3.0):.{len(said.split('.')[1])}f}"
        elif _YEAR.fullmatch(said):
            other = str(int(said) + rng.choice((-1, 1)) * rng.randint(1, _FARTHEST))
        else:
            other = str(max(1, int(int(said) * rng.uniform(0.3, 3.0)) + rng.choice((-1, 1))))
        if other not in held and other != said:
            return f"{question[: match.start()]}{other}{question[match.end() :]}"
    return None


def _kind(name: Name) -> Kind:
    return name.kind, name.person, is_place(name), has_han(name.text)
