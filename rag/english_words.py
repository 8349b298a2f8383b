"""The words of an English text that carry its meaning, by their stems. Pure."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tantivy

_COMMON = (
    "a about above after again all also am an and any are as at be because been before being below between both but by can could did do"
    " does doing during each few for from further had has have having he her here hers him his how i if in into is it its itself just may"
    " me might more most must my no nor not of off on once only or other our out over own per s same shall she should so some such t than"
    " that the their theirs them then there these they this those through to too under until up upon very was we were what when where"
    " which while who whom whose why will with would you your"
)
"""Words that stand in every text: articles, pronouns, prepositions, conjunctions, auxiliary verbs."""


@functools.cache
def _analyzer() -> tantivy.TextAnalyzer:
    """Words in lower case without the commonest ones, stemmed (Porter, "An algorithm for suffix stripping", 1980; version 2)."""
    import tantivy

    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.custom_stopword(_COMMON.split()))
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )


@functools.lru_cache(maxsize=4096)
def stems(text: str) -> tuple[str, ...]:
    """The stems of a text's telling words in their order, numbers among them."""
    return tuple(_analyzer().analyze(text))
