"""Which sets are measured, and their questions that name the documents to find."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from eval.benchmarks import load_benchmark
from eval.cases import Benchmark
from rag.errors import SettingsError, SourceEmpty
from rag.text import to_script
from rag.types import Script

SAMPLES = "samples"
QUESTIONS = 200
"""Questions drawn of each set; of the samples all are asked."""

_PUBLIC = (
    "cmrc2018",
    "drcd",
    "xquad",
    "dureader_robust",
    "chinese_squad2",
    "cail2019_cjrc",
    "domainrag",
    "rgb",
    "rageval_dragonball",
)


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """One set: its name in the tables, and where it is. ``questions`` None asks all, ``follow_ups`` only those that have
    turns before them.

    ``part`` is as `eval.benchmarks.load_benchmark` takes it; with a ``script`` the questions are asked in that one.
    """

    name: str
    path: Path
    questions: int | None = QUESTIONS
    follow_ups: bool = False
    part: str | None = None
    script: Script | None = None


def retrieval_sets(
    samples: Path, data: Path | None, only: Collection[str] = (), *, large: bool = False
) -> list[RetrievalSet]:
    """The samples and, where ``data`` is a folder, the public sets in it, in the order of the tables.

    :param only: names of the sets that are wanted; empty for all
    :param large: also CRUD-RAG, whose 68,748 documents take long to index
    :raises SettingsError: when a name in ``only`` is none of a set, or of one that needs ``data`` or ``large``
    """
    sets = [RetrievalSet(SAMPLES, samples, None)]
    if data is not None:
        sets.extend(RetrievalSet(name, data / name) for name in _PUBLIC)
        sets.append(RetrievalSet("kdconv follow-ups", data / "kdconv", follow_ups=True))
        sets.append(RetrievalSet("xquad zh on en", data / "xquad", part="zh-Hans>en"))
        sets.append(RetrievalSet("xquad en on zh", data / "xquad", part="en>zh-Hans"))
        sets.append(RetrievalSet("drcd asked in zh-Hans", data / "drcd", script="zh-Hans"))
        if large:
            sets.append(RetrievalSet("crud_rag", data / "crud_rag"))
    known = {found.path.name: found for found in reversed(sets)} | {found.name: found for found in sets}
    for name in only:
        if name not in known:
            raise SettingsError(f'There is no set "{name}".', f"There are {', '.join(f.name for f in sets)}.")
    wanted = {known[name] for name in only}
    return [found for found in sets if not only or found in wanted]


def load_set(wanted: RetrievalSet) -> Benchmark:
    """A set with those of its questions that name the documents to find (gold), answerable or not.

    :raises SourceError: it is not there, cannot be read, or has no such question
    """
    found = load_benchmark(wanted.path, part=wanted.part)
    cases = tuple(case for case in found.cases if case.gold and (case.history or not wanted.follow_ups))
    if not cases:
        raise SourceEmpty(f"{wanted.name} has no question that names a document to find.")
    if wanted.script is not None:
        cases = tuple(replace(case, question=to_script(case.question, wanted.script)) for case in cases)
    return replace(found, cases=cases)
