"""Questions as people type them into a search box: a few telling words. Pure but for the chance it is given."""

from __future__ import annotations

import random

from rag.questions import is_stopword
from rag.text import fold, words

_FEWEST, _MOST = 2, 6


def as_keywords(question: str, rng: random.Random) -> str:
    """A question as somebody types it into a search box: its telling words, some left out, now and then in another order."""
    telling = [word for word in words(question) if not is_stopword(word)]
    if len(telling) < _FEWEST:
        return question
    if len(telling) > _MOST:
        telling = [word for word in telling if rng.random() < 0.75] or telling
    if rng.random() < 0.2:
        rng.shuffle(telling)
    spaced = fold(question).isascii() or rng.random() < 0.6
    return (" " if spaced else "").join(telling)
