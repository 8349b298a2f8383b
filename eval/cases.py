"""What is measured on: documents and the questions asked about them. Frozen data, whatever form it was read from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag.types import Turn

Mode = Literal["open", "closed"]
"""Whether a question is asked of the whole corpus, or of the documents alone that the benchmark gives to it."""


@dataclass(frozen=True, slots=True)
class BenchmarkDocument:
    """One document of a benchmark's corpus."""

    id: str
    text: str
    title: str = ""
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One question with what is known of its answer.

    ``answers`` are alternatives, each of which answers; ``required`` are groups of alternatives, one of each group must
    be in a complete answer. ``gold`` are the ids of documents that hold the answer, ``evidence`` the sentences that
    bear it out. ``given`` are the documents that the benchmark gives to this question, which a closed run asks alone.
    ``misleading`` are answers that a falsified document of RGB's counterfactual part suggests.
    """

    id: str
    question: str
    answers: tuple[str, ...] = ()
    required: tuple[tuple[str, ...], ...] = ()
    gold: tuple[str, ...] = ()
    answerable: bool = True
    history: tuple[Turn, ...] = ()
    lang: str = ""
    type: str = ""
    split: str = ""
    evidence: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    misleading: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A corpus and its cases.

    ``form`` names what it was read from ("squad", "cmrc", "rgb", "beir", "crud", "wenzheng", "samples"). ``folder`` is
    set where the documents are files to be taken in as they are; ``documents`` is then empty and ids are file names.
    ``short_answers`` is whether its metrics expect an answer of a few words.
    """

    name: str
    form: str
    documents: tuple[BenchmarkDocument, ...]
    cases: tuple[Case, ...]
    folder: Path | None = None
    short_answers: bool = True
    closed_possible: bool = False
