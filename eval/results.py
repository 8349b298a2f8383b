"""What a run leaves behind: one record a case, and what the run was made with. Read and written as JSON lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from eval.cases import Case, Mode

Loss = Literal[
    "none",
    "not_retrieved",
    "not_shown",
    "not_used",
    "wrong",
    "wrongly_refused",
    "wrongly_answered",
    "failed",
]
"""Where a case was lost, exactly one for each: "none" for what came out right.

"not_retrieved": no gold document among the passages retrieved; "not_shown": among them, but not among those given to the
model; "not_used": shown, but the answer cites no gold document; "wrong": cited and still not right; "wrongly_refused":
refused though gold was shown; "wrongly_answered": answered though unanswerable; "failed": no answer because of an error.
"""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """One passage of the ranking, best first. ``number`` is what ``[n]`` in the answer refers to."""

    number: int
    document: str
    title: str
    text: str
    start: int
    end: int
    score: float
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Cited:
    """One citation of an answer: the passage's number, its document, the quoted sentence."""

    number: int
    document: str
    quote: str


Judged = Literal["yes", "no", "unclear"]
"""What a judge model said to a question; "unclear" is a reply that was neither yes nor no."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge model said of one answer (`eval.judging`).

    ``faithful``: every statement is borne out by the passages shown; ``correct``: it says the same as the reference
    answer. None where the question does not apply. ``model`` is the judge's name, ``prompts`` the version of the
    questions it was asked.
    """

    faithful: Judged | None
    correct: Judged | None
    model: str
    prompts: int = 0


@dataclass(frozen=True, slots=True)
class Rating:
    """How far a judge agrees with people on one question over ``n`` items, with 95 % bootstrap intervals.

    ``accuracy`` is the share of the same verdicts, an unclear one being never the same; ``kappa`` is Cohen's (1960),
    agreement beyond chance, None where it is undefined: both gave one and the same verdict throughout. ``unclear``
    counts the judge's unclear replies.
    """

    n: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None
    unclear: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """A judge model's agreement with hand-made labels; a question that no label answers has no rating.

    ``labels`` is a digest of the labelled set, ``prompts`` the version of the questions.
    """

    model: str
    prompts: int
    labels: str
    faithful: Rating | None
    correct: Rating | None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one case.

    ``passages`` is the ranking, ``shown`` the numbers of those that the model was given
    or, where the evidence was found wanting before it was asked, of those that were weighed. ``claims`` are (sentence,
    verdict) pairs of the answer. ``confidence`` is the evidence score by which the pipeline decides whether to answer.
    ``metrics`` holds every metric that applies. Where ``error`` is not empty there is no answer and each metric has its
    worst value. ``outcome`` is empty in a run of retrieval alone.
    ``judgement`` is what a judge model said of the answer, None where none was asked.
    """

    case: Case
    passages: tuple[Retrieved, ...] = ()
    shown: tuple[int, ...] = ()
    text: str = ""
    outcome: str = ""
    reason: str = ""
    citations: tuple[Cited, ...] = ()
    claims: tuple[tuple[str, str], ...] = ()
    confidence: float | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    tokens_read: int | None = None
    tokens_written: int | None = None
    error: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    loss: Loss = "none"
    judgement: Judgement | None = None


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a run was made with: enough to make it again.

    ``reranker`` is the reranker's name, "" where there was none; runs of older versions have none. ``judge`` is the model that judged the answers afterwards, with its agreement with people; None where none did.
    """

    id: str
    benchmark: str
    form: str
    mode: Mode
    only_retrieval: bool
    documents: int
    chunks: int
    cases: int
    cases_of: int
    seed: int
    split: str
    settings: Mapping[str, Any]
    model: str
    embedding: str
    commit: str
    date: str
    machine: str
    seconds: float = 0.0
    indexing_rate: float | None = None
    judge: Agreement | None = None
    reranker: str = ""
