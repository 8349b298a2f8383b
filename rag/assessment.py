"""The chat model's own word on whether what it is shown answers the question, weighed with what reading tells. Pure.

Asked in words, a small model says yes to nearly everything; the probability that it would say yes tells more (Kadavath et al.,
"Language Models (Mostly) Know What They Know", 2022). A logistic regression joins its log odds with those of
`rag.answerability`; `eval.training.assessment` says on what it was learned.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rag.calibration import shipped

Array = NDArray[np.float32]
NAMES = ("likely", "says_yes")
FILE = "assessment.json"
"""The learned weights, in `rag.trained`."""
WORTH_ASKING = 0.1
"""Probability by reading alone under which the chat model is not asked at all."""
_YES = frozenset({"是", "是的", "有", "对", "yes", "true"})
_NO = frozenset({"否", "不", "不是", "没有", "无", "没", "no", "false"})
_ENGLISH_SHORT, _ENGLISH_WHOLE = 1.3, 2.1
"""By how much the log odds of yes are lower behind an English prompt, for short and for whole answers (24 answerable and 20 other
English questions of the project's own sets against 318 and 231 Chinese ones, mean of both kinds).
"""
_SURE = 4.0
_LEAST = 1e-6


def yes_log_odds(first: Mapping[str, float]) -> float | None:
    """The log odds of yes against no among the likeliest first tokens; None where neither is among them.

    :param first: tokens with the natural logarithms of their probabilities
    """
    yes = sum(math.exp(value) for token, value in first.items() if _bare(token) in _YES)
    no = sum(math.exp(value) for token, value in first.items() if _bare(token) in _NO)
    if yes + no < _LEAST:
        return None
    return math.log(max(yes, _LEAST) / max(no, _LEAST))


def comparable(odds: float, *, english: bool, short: bool) -> float:
    """The log odds of yes as they would be behind a Chinese prompt, which the weights were learned with."""
    if not english:
        return odds
    return odds + (_ENGLISH_SHORT if short else _ENGLISH_WHOLE)


def hesitation(first: Mapping[str, float]) -> float | None:
    """How undecided a model was over its first token: the entropy of its likeliest ones in nats, what is left counting as one
    more (Malinin and Gales, "Uncertainty Estimation in Autoregressive Structured Prediction", 2021). None where nothing is told.

    :param first: tokens with the natural logarithms of their probabilities
    """
    if not first:
        return None
    shares = [math.exp(min(0.0, value)) for value in first.values()]
    shares.append(max(0.0, 1.0 - sum(shares)))
    return -sum(share * math.log(share) for share in shares if share > 0)


def features(likely: float, odds: float) -> Array:
    """The numbers that are weighed, one for each of `NAMES`.

    :param likely: the probability by reading (`rag.answerability`)
    :param odds: as `yes_log_odds` gives them, made `comparable`
    """
    inside = min(max(likely, 1e-9), 1 - 1e-9)
    own = math.log(inside / (1 - inside))
    return np.asarray([max(-_SURE, min(_SURE, own)), max(-2 * _SURE, min(2 * _SURE, odds))], np.float32)


def assessed_probability(likely: float, odds: float) -> float:
    """The probability that what is shown answers the question; see `features`."""
    return shipped(FILE, NAMES).probability(features(likely, odds))


def _bare(token: str) -> str:
    return token.strip(' \n\u201c\u201d"。.').lower()
