"""A folder of documents, to be taken in as they are, with ``questions.jsonl``: the form of the project's samples.

``questions.jsonl`` has the records of `eval.benchmarks.own`; ``gold`` names files of the folder.
"""

from __future__ import annotations

from pathlib import Path

from eval.benchmarks.corpus import Cases, check_documents
from eval.benchmarks.own import case_of
from eval.benchmarks.reading import lines
from eval.cases import Benchmark

QUESTIONS = "questions.jsonl"


def load_samples(folder: Path, name: str | None = None) -> Benchmark:
    """Read a folder; its documents stay files, and ids of documents are file names.

    :raises SourceError: a record is malformed, or names a file that is not in the folder
    """
    files = {path.name for path in folder.rglob("*") if path.is_file() and path.name != QUESTIONS}
    cases = Cases()
    for item in lines(folder / QUESTIONS):
        case = case_of(item)
        check_documents(case.gold, files, "gold", item)
        check_documents(case.given, files, "given", item)
        cases.add(case, item)
    return Benchmark(
        name=name or folder.resolve().name,
        form="samples",
        documents=(),
        cases=tuple(cases.cases),
        folder=folder,
        short_answers=False,
    )
