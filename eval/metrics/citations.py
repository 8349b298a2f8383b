"""Citations against the evidence of a case, and the sentences of an answer against their verdicts.

Precision and recall over cited sentences follow the idea of ALCE (Gao et al. 2023), with overlap of wording in place of
its entailment model. A refusal makes no claims and cites nothing.
"""

from __future__ import annotations

import functools

from eval.cases import Case
from eval.metrics.metric import Metric, folded, metric
from eval.results import CaseResult

COVERED = 0.8
"""The share of the shorter sentence's character bigrams that the other must hold for the two to overlap."""


@functools.lru_cache(maxsize=16384)
def _letters(sentence: str) -> str:
    return "".join(char for char in folded(sentence) if char.isalnum())


def overlap(left: str, right: str) -> bool:
    """Whether two sentences say the same in wording: one holds the other, or bigrams of the shorter are in the other.

    Compared are folded letters and digits. Nothing overlaps with a text of fewer than two of them.
    """
    shorter, longer = sorted((_letters(left), _letters(right)), key=len)
    if len(shorter) < 2:
        return False
    if shorter in longer:
        return True
    wanted, held = _bigrams(shorter), _bigrams(longer)
    # Of two texts as long as each other, the one with more to cover, so that their order makes no difference.
    of = max(len(wanted), len(held)) if len(shorter) == len(longer) else len(wanted)
    return len(wanted & held) / of >= COVERED


def _bigrams(letters: str) -> set[str]:
    return {letters[i : i + 2] for i in range(len(letters) - 1)}


def citation_precision(result: CaseResult) -> float | None:
    """The share of the cited sentences, each counted once, that overlap evidence; None when nothing is cited."""
    cited = {(citation.document, citation.quote) for citation in result.citations}
    if not cited:
        return None
    evidence = result.case.evidence
    return sum(any(overlap(quote, sentence) for sentence in evidence) for _, quote in cited) / len(cited)


def citation_recall(result: CaseResult) -> float:
    """The share of the evidence sentences that some citation overlaps; the case has evidence."""
    evidence = tuple(dict.fromkeys(result.case.evidence))
    quotes = {citation.quote for citation in result.citations}
    return sum(any(overlap(quote, sentence) for quote in quotes) for sentence in evidence) / len(evidence)


def citation_document_precision(result: CaseResult) -> float | None:
    """The share of the citations that are to gold documents; None when nothing is cited."""
    cited = {(citation.document, citation.quote) for citation in result.citations}
    if not cited:
        return None
    return sum(document in result.case.gold for document, _ in cited) / len(cited)


def supported(result: CaseResult) -> float | None:
    """The share of the answer's claims whose verdict is "supported"; None without claims and for a refusal.

    The claims that a refusal carries are those of the draft that was withheld.
    """
    verdicts = [verdict for _, verdict in result.claims if verdict != "not_a_claim"]
    if not verdicts or result.outcome == "refused":
        return None
    return verdicts.count("supported") / len(verdicts)


def _with_evidence(case: Case) -> bool:
    return case.answerable and bool(case.evidence)


def _with_gold_alone(case: Case) -> bool:
    return case.answerable and bool(case.gold) and not case.evidence


METRICS: tuple[Metric, ...] = (
    metric(
        "citation_precision",
        "Share of the cited sentences that overlap a sentence of the evidence.",
        citation_precision,
        _with_evidence,
    ),
    metric(
        "citation_recall",
        "Share of the evidence sentences that a citation covers.",
        citation_recall,
        _with_evidence,
    ),
    metric(
        "citation_document_precision",
        "Share of the citations to gold documents, where no evidence sentences are known.",
        citation_document_precision,
        _with_gold_alone,
    ),
    metric(
        "supported",
        "Share of the answer's claims that were found supported by the pipeline's own check.",
        supported,
        lambda _: True,
    ),
)
