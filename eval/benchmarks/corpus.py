"""Gathers the documents and cases of a benchmark: each text once, each id once, languages told."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field

from eval.benchmarks.reading import Record
from eval.cases import BenchmarkDocument, Case
from rag.text import script_of
from rag.types import Script

_ENOUGH = 120
"""Characters that tell a text's script; a whole news item would take milliseconds and tell no more."""


@dataclass(slots=True)
class Texts:
    """Documents in order of their first appearance, a text that is given again being the same document."""

    documents: dict[str, BenchmarkDocument] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)

    def add(self, id_: str, text: str, title: str = "", *, default: Script = "zh-Hans") -> str:
        """Take a text in; returns the id of its document, which is ``id_`` unless the text is known already."""
        known = self._ids.get(text)
        if known is not None:
            return known
        self._ids[text] = id_
        self.documents[id_] = BenchmarkDocument(id_, text, title, lang_of(text, default))
        return id_


@dataclass(slots=True)
class Cases:
    """Cases in order, no id twice."""

    cases: list[Case] = field(default_factory=list)
    _ids: set[str] = field(default_factory=set)

    def add(self, case: Case, record: Record) -> None:
        """Take a case in. Raises `SourceError` at the record's place where its id was there before."""
        if case.id in self._ids:
            raise record.wrong(f'repeats the id "{case.id}"', f"重复了编号“{case.id}”")
        self._ids.add(case.id)
        self.cases.append(case)


def lang_of(text: str, default: Script) -> Script:
    """The language and script of a text, told from its beginning."""
    return script_of(text[:_ENOUGH], default)


def main_script(texts: Iterable[str]) -> Script:
    """The script of most of the first texts: what a text that shows none is taken to be written in."""
    sample = []
    for _, text in zip(range(60), texts, strict=False):
        sample.append(text[:_ENOUGH])
    return script_of("\n".join(sample))


def check_documents(ids: Iterable[str], known: Container[str], key: str, record: Record) -> None:
    """Raises `SourceError` where one of the ids under ``key`` names no document of the corpus."""
    for id_ in ids:
        if id_ not in known:
            raise record.wrong(
                f'names in "{key}" the document "{id_}", which the corpus does not hold',
                f"的“{key}”提到文集中没有的文档“{id_}”",
            )
