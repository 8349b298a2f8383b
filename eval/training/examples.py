"""What is learned from: a question, the passages that retrieval proposes for it, and which of them answer it. Frozen data."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Part = Literal["reranker", "fusion", "held_out"]
"""What an example may be used for. By document, so that no passage is learned from and measured on."""

Label = Literal["answers", "document", "wrong", "unknown"]
"""A passage that answers; another of a document that does; one of another document; one that may answer too."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A passage that retrieval proposed: its document, what a reranker is given of it, its features."""

    document: str
    text: str
    label: Label
    features: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One question. ``asked`` are the features of the question itself; without an answer no passage has the label "answers".

    ``answers`` are the words that answer, as the documents have them, where they are known.
    """

    set: str
    id: str
    question: str
    part: Part
    answerable: bool
    gold: tuple[str, ...]
    asked: tuple[float, ...]
    proposed: tuple[Proposed, ...]
    answers: tuple[str, ...] = ()


def part_of(document: str) -> Part:
    """The part that everything about a document belongs to: 70, 15 and 15 of a hundred, by its digest."""
    place = int(hashlib.sha256(document.encode("utf-8", "replace")).hexdigest(), 16) % 100
    return "reranker" if place < 70 else "fusion" if place < 85 else "held_out"


def write_examples(path: Path, examples: Iterable[Example]) -> int:
    """Write examples as gzipped JSON lines; returns their number."""
    count = 0
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=4) as stream:
        for example in examples:
            stream.write(json.dumps(asdict(example), ensure_ascii=False) + "\n")
            count += 1
    return count


def read_examples(path: Path) -> Iterator[Example]:
    """The examples of a file that `write_examples` wrote."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            record = json.loads(line)
            proposed = tuple(
                Proposed(item["document"], item["text"], item["label"], tuple(item["features"]))
                for item in record.pop("proposed")
            )
            for name in ("gold", "asked", "answers"):
                record[name] = tuple(record.get(name, ()))
            yield Example(**record, proposed=proposed)
