"""An `Answer` as plain data for JSON: command line, HTTP, stored runs. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rag.types import Answer, Citation, Filters, Passage, Usage


def answer_record(answer: Answer) -> dict[str, Any]:
    """Everything an answer holds, as dictionaries, lists, strings and numbers."""
    return {
        "question": answer.question,
        "standalone": answer.standalone or answer.question,
        "script": answer.script,
        "text": answer.text,
        "outcome": answer.outcome,
        "reason": answer.reason,
        "claims": [
            {
                "text": claim.text,
                "start": claim.start,
                "end": claim.end,
                "numbers": list(claim.numbers),
                "verdict": claim.verdict,
                "reason": claim.reason,
                "ranges": [list(range_) for range_ in claim.ranges],
            }
            for claim in answer.claims
        ],
        "citations": [citation_record(citation) for citation in answer.citations],
        "passages": [
            passage_record(passage, number) for number, passage in enumerate(answer.passages, start=1)
        ],
        "shown": list(answer.shown),
        "confidence": answer.confidence,
        "model": answer.model,
        "timings": dict(answer.timings),
        "usage": usage_record(answer.usage) if answer.usage is not None else None,
        "filters": filters_record(answer.filters),
        "undated": answer.undated,
    }


def filters_record(filters: Filters) -> dict[str, Any]:
    """What an answer was restricted to; records stored before there were filters lack it, which means nothing was."""
    return {
        "bodies": list(filters.bodies),
        "speaker": filters.speaker,
        "since": filters.since,
        "until": filters.until,
    }


def usage_record(usage: Usage) -> dict[str, int]:
    """What an answer took of the chat model, in its tokens."""
    return {"tokens_read": usage.read, "tokens_written": usage.written}


def citation_record(citation: Citation) -> dict[str, Any]:
    """A citation with its document; offsets index into the document's cleaned text."""
    source = citation.passage.source
    return {
        "number": citation.number,
        "document_id": source.id,
        "title": source.title,
        "source": source.path,
        "published": source.published,
        "page": citation.passage.chunk.page,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
    }


def passage_record(passage: Passage, number: int) -> dict[str, Any]:
    """A passage with its document and scores; ``number`` is what ``[n]`` in the answer refers to."""
    return {
        "number": number,
        "document_id": passage.source.id,
        "title": passage.source.title,
        "source": passage.source.path,
        "published": passage.source.published,
        "heading": passage.chunk.heading,
        "page": passage.chunk.page,
        "speeches": [asdict(speech) for speech in passage.chunk.speeches],
        "start": passage.chunk.start,
        "end": passage.chunk.end,
        "text": passage.chunk.text,
        "score": passage.score,
        "similarity": passage.similarity,
        "coverage": passage.coverage,
        "dense_rank": passage.dense_rank,
        "lexical_rank": passage.lexical_rank,
    }
