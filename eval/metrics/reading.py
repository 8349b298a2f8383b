"""The words of an answer against reference answers. Every value is the best over the references.

Answers are read without ``[n]`` markers, and a refusal as an empty answer (`eval.metrics.metric.said`). Metrics named
``..._folded`` fold both sides with `rag.text.fold` first, so that simplified and traditional script match.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher

from eval.cases import Case
from eval.metrics.metric import Function, Metric, folded, groups, metric, references, said
from rag.numerals import ungrouped
from rag.text import HAN

# The signs that CMRC 2018's script removes, and no others, so that values compare with published ones.
_CMRC_SIGNS = str.maketrans("", "", "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
_CMRC_TOKEN = re.compile(rf"[{HAN}]|[^\W{HAN}]+(?:[.,'][^\W{HAN}]+)*|[^\w\s]")
_SQUAD_SIGNS = str.maketrans("", "", string.punctuation)
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_ROUGE_WORD = re.compile(r"[a-z0-9]+")


def contains(case: Case, text: str) -> float | None:
    """1 when the text holds one alternative of each group in ``required``, else any of ``answers``; both folded, and numbers without
    grouping ("2,318" holds "2318").

    None where the case is unanswerable or nothing is known of its answer.
    """
    if not _has_groups(case):
        return None
    held = _ungrouped(text)
    return float(all(any(_ungrouped(part) in held for part in group) for group in groups(case)))


def _ungrouped(text: str) -> str:
    return ungrouped(folded(text))


def em_cmrc(answer: str, reference: str) -> float:
    """1 when the texts are equal without case and punctuation (CMRC 2018; Cui et al. 2019)."""
    return float(_cmrc_plain(answer) == _cmrc_plain(reference))


def f1_cmrc(answer: str, reference: str) -> float:
    """F1 of the longest contiguous run of tokens in common (CMRC 2018; Cui et al. 2019).

    Its script calls this run "LCS". Tokens are as in `cmrc_tokens`.
    """
    left, right = cmrc_tokens(answer), cmrc_tokens(reference)
    run = SequenceMatcher(None, left, right, autojunk=False).find_longest_match().size
    return _f1(run, len(left), len(right))


def cmrc_tokens(text: str) -> list[str]:
    """CMRC 2018's mixed segmentation: each Han character a token, other words whole, its punctuation removed."""
    return _CMRC_TOKEN.findall(_cmrc_plain(text))


def f1_chars(answer: str, reference: str) -> float:
    """F1 over the bags of letters and digits of both texts, without case; order does not count."""
    return _bag_f1(_characters(answer), _characters(reference))


def em_squad(answer: str, reference: str) -> float:
    """1 when the texts are equal without case, punctuation, articles and extra space (Rajpurkar et al. 2016)."""
    return float(_squad_words(answer) == _squad_words(reference))


def f1_squad(answer: str, reference: str) -> float:
    """F1 over the bags of words, normalised as in `em_squad` (Rajpurkar et al. 2016)."""
    left, right = _squad_words(answer), _squad_words(reference)
    if not left or not right:
        return float(left == right)
    return _bag_f1(left, right)


def rouge_l(answer: str, reference: str, *, english: bool = False) -> float:
    """F1 of the longest common subsequence (ROUGE-L; Lin 2004), of words in English and of characters otherwise.

    English words are runs of ASCII letters and digits, not stemmed, as in the rouge-score package; characters are
    letters and digits. Case does not count.
    """
    left, right = (
        _ROUGE_WORD.findall(text.lower()) if english else _characters(text) for text in (answer, reference)
    )
    return _f1(_common_subsequence(left, right), len(left), len(right))


def _cmrc_plain(text: str) -> str:
    return text.lower().strip().translate(_CMRC_SIGNS)


def _characters(text: str) -> list[str]:
    return [char for char in text.lower() if char.isalnum()]


def _squad_words(text: str) -> list[str]:
    return _ARTICLE.sub(" ", text.lower().translate(_SQUAD_SIGNS)).split()


def _bag_f1(left: Iterable[str], right: Iterable[str]) -> float:
    ours, theirs = Counter(left), Counter(right)
    return _f1((ours & theirs).total(), ours.total(), theirs.total())


def _f1(common: int, left: int, right: int) -> float:
    """2PR / (P + R) with P = common / left and R = common / right."""
    return 2 * common / (left + right) if common else 0.0


def _common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    """The length of the longest common subsequence, with one big number as the row of the table (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for index, token in enumerate(left):
        places[token] = places.get(token, 0) | 1 << index
    whole = (1 << len(left)) - 1
    row = whole
    for token in right:
        match = row & places.get(token, 0)
        row = ((row + match) | (row - match)) & whole
    return len(left) - row.bit_count()


def _has_groups(case: Case) -> bool:
    return case.answerable and bool(groups(case))


def _has_references(case: Case) -> bool:
    return case.answerable and bool(references(case))


def _in_english(case: Case) -> bool:
    return case.lang == "en" and _has_references(case)


def _best(measure: Callable[[str, str], float], prepare: Callable[[str], str] = str) -> Function:
    return lambda result: max(
        measure(prepare(said(result)), prepare(reference)) for reference in references(result.case)
    )


def _fold_words(text: str) -> str:
    # Folding turns full-width punctuation into ASCII, which CMRC's list does not hold; so it goes first.
    return folded(text.translate(_CMRC_SIGNS))


_rouge_words = _best(lambda answer, reference: rouge_l(answer, reference, english=True))
_rouge_characters = _best(rouge_l)

METRICS: tuple[Metric, ...] = (
    metric(
        "containment",
        "Whether the answer holds all that is required, or one of the reference answers; scripts folded.",
        lambda result: contains(result.case, said(result)),
        _has_groups,
    ),
    metric("em_cmrc", "Exact match as in CMRC 2018.", _best(em_cmrc), _has_references),
    metric(
        "em_cmrc_folded",
        "Exact match as in CMRC 2018, scripts folded.",
        _best(em_cmrc, _fold_words),
        _has_references,
    ),
    metric(
        "f1_cmrc",
        "F1 of the longest contiguous run in common, as in CMRC 2018.",
        _best(f1_cmrc),
        _has_references,
    ),
    metric(
        "f1_cmrc_folded",
        "F1 of the longest contiguous run in common, as in CMRC 2018, scripts folded.",
        _best(f1_cmrc, _fold_words),
        _has_references,
    ),
    metric("f1_chars", "F1 over the bag of characters.", _best(f1_chars), _has_references),
    metric(
        "f1_chars_folded",
        "F1 over the bag of characters, scripts folded.",
        _best(f1_chars, folded),
        _has_references,
    ),
    metric("em_squad", "Exact match as in SQuAD; English cases only.", _best(em_squad), _in_english),
    metric(
        "f1_squad", "F1 over the bag of words as in SQuAD; English cases only.", _best(f1_squad), _in_english
    ),
    metric(
        "rouge_l",
        "ROUGE-L F1, of words in English cases and of characters in others.",
        lambda result: (_rouge_words if result.case.lang == "en" else _rouge_characters)(result),
        _has_references,
    ),
)
