from __future__ import annotations

import pytest

from eval.cases import Case
from eval.metrics import score
from eval.metrics.citations import overlap
from eval.results import CaseResult, Cited

EVIDENCE = ("全年改造老旧小区28个，惠及居民1.2万户。", "总投资3.6亿元。")


def cited(
    *citations: tuple[str, str], evidence: tuple[str, ...] = EVIDENCE, gold: tuple[str, ...] = ("a",)
) -> CaseResult:
    case = Case("1", "问？", answers=("28个",), gold=gold, evidence=evidence)
    found = tuple(Cited(n, document, quote) for n, (document, quote) in enumerate(citations, start=1))
    return CaseResult(case, text="28个。", outcome="answered", citations=found)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("全年改造老旧小区28个，惠及居民1.2万户。", "改造老旧小区28个", True),
        ("改造老舊小區２８個", "全年改造老旧小区28个，惠及居民1.2万户。", True),
        # 8 of the 9 bigrams of 甲乙丙丁戊己庚辛壬癸 are in the other; then 7 of 9.
        ("甲乙丙丁戊己庚辛壬癸", "甲乙丙丁戊己庚辛壬，另有其他若干内容", True),
        ("甲乙丙丁戊己庚辛壬癸", "甲乙丙丁戊己庚辛，另有其他若干内容", False),
        # 4 of 5, which is just enough.
        ("甲乙丙丁戊己", "甲乙丙丁戊，另有内容", True),
        # As long as each other, with 2 and 5 different bigrams.
        ("甲乙甲乙甲乙", "甲乙甲丙丁戊", False),
        ("总投资3.6亿元。", "全年改造老旧小区28个", False),
        ("The council met on Monday.", "the council met on monday", True),
        ("", "总投资3.6亿元。", False),
        ("元", "总投资3.6亿元。", False),
    ],
)
def test_overlap(left: str, right: str, same: bool) -> None:
    assert overlap(left, right) is same
    assert overlap(right, left) is same


def test_precision_and_recall_against_evidence() -> None:
    found = score(cited(("a", "改造老旧小區28个"), ("b", "天气晴朗，适宜出行。")))
    assert (found["citation_precision"], found["citation_recall"]) == (0.5, 0.5)
    assert "citation_document_precision" not in found


def test_a_sentence_cited_twice_counts_once() -> None:
    quote = "总投资3.6亿元。"
    found = score(cited(("a", quote), ("a", quote), ("b", "天气晴朗，适宜出行。")))
    assert found["citation_precision"] == 0.5


def test_without_citations_precision_is_absent_and_recall_zero() -> None:
    found = score(cited())
    assert "citation_precision" not in found
    assert found["citation_recall"] == 0.0
    assert "citation_document_precision" not in score(cited(evidence=()))


def test_without_evidence_the_documents_are_compared() -> None:
    found = score(cited(("a", "甲乙"), ("b", "丙丁"), ("b", "戊己"), ("c", "庚辛"), evidence=()))
    assert found["citation_document_precision"] == 0.25
    assert not {"citation_precision", "citation_recall"} & set(found)
    assert "citation_document_precision" not in score(cited(("a", "甲乙"), evidence=(), gold=()))


def claimed(*verdicts: str, outcome: str = "answered") -> dict[str, float]:
    claims = tuple(("句。", verdict) for verdict in verdicts)
    return score(CaseResult(Case("1", "问？"), text="句。", outcome=outcome, claims=claims))


def test_supported_is_a_share_of_what_is_claimed() -> None:
    assert claimed("supported", "unsupported", "not_a_claim", "supported")["supported"] == pytest.approx(
        2 / 3
    )
    assert "supported" not in claimed("not_a_claim")
    assert "supported" not in claimed()
    assert "supported" not in claimed("unsupported", outcome="refused")
