"""``python -m eval.training.candidates``: asks both legs the questions of the sets, and writes what they propose.

Every set is asked over its whole corpus through `rag.retrieval.Retriever.candidates`, so that what is learned is what is
used.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eval.ahead import AheadEmbedder
from eval.benchmarks import load_benchmark
from eval.cases import Benchmark, BenchmarkDocument, Case
from eval.runner import fill, index_key
from eval.training.examples import Example, Label, Proposed, part_of, write_examples
from eval.training.keywords import as_keywords
from rag.embedding import open_embedder
from rag.features import Candidate, features, question_features
from rag.library import Library
from rag.reranking import reranking_text
from rag.retrieval import Retriever, query_text
from rag.rewriting import standing_alone
from rag.settings import Settings, load_settings
from rag.text import bigrams, fold

_OWN = Path(__file__).parent
_AHEAD = 256
_SEED = 0
_KEYWORDS = 700
"""Questions of a set that are asked as bare words too."""
_TOGETHER = 350
"""Questions of each set that are asked of all documents together."""
_NAMED = 1000
"""Follow-ups of a set that are asked behind what they are about."""
_SHORT = 25
"""Characters of a short follow-up or answer."""
_BRACKETS = re.compile("[（(].*")
"""What titles hold to tell namesakes apart."""
_OVERLAP = 0.6
"""Share of a sentence's character pairs in a passage from which the passage holds the sentence."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """A set of questions; ``folder`` is a public set's, or with ``own`` one beside this file.

    ``part`` is as `load_benchmark` takes it. Of a set with ``keywords`` some of the questions are asked as bare words. Where
    follow-ups are ``named`` they are asked with the title of the document that answers them before them.
    """

    name: str
    folder: str
    own: bool = False
    part: str | None = None
    keywords: bool = False
    named: bool = False

    @property
    def crossed(self) -> bool:
        """Whether questions are asked of documents in another language."""
        return self.part is not None


SETS = (
    TrainingSet("together", "*"),
    TrainingSet("office", "office", own=True),
    TrainingSet("web", "web", own=True),
    TrainingSet("rules", "rules", own=True),
    TrainingSet("near", "near", own=True),
    TrainingSet("drcd", "drcd"),
    TrainingSet("cmrc2018", "cmrc2018"),
    TrainingSet("xquad", "xquad"),
    TrainingSet("xquad-zh-en", "xquad", part="zh-Hans>en"),
    TrainingSet("xquad-en-zh", "xquad", part="en>zh-Hans"),
    TrainingSet("kdconv", "kdconv", named=True),
    TrainingSet("drcd-keywords", "drcd", keywords=True),
    TrainingSet("cmrc2018-keywords", "cmrc2018", keywords=True),
    TrainingSet("xquad-keywords", "xquad", keywords=True),
    TrainingSet("office-keywords", "office", own=True, keywords=True),
    TrainingSet("rules-keywords", "rules", own=True, keywords=True),
)
"""What may be learned from: the project's own questions and sets whose licences allow it."""
MEASURED = ("dureader_robust", "domainrag", "cail2019_cjrc", "chinese_squad2", "rgb", "rageval_dragonball")
"""Sets that only measure: `--measured` writes their candidates, all of them held out."""


def examples_of(
    wanted: TrainingSet, data: Path, settings: Settings, embedder: AheadEmbedder, limit: int | None
) -> Iterator[Example]:
    """The examples of a set, its index made or taken from the settings' home."""
    benchmark = together(data) if wanted.folder == "*" else _loaded(wanted, data)
    home = settings.home / "eval" / "cache" / "indexes" / index_key(benchmark, settings, embedder)
    with Library.open(settings.model_copy(update={"home": home}), embedder, writable=True) as library:
        fill(library, benchmark, settings, lambda _: None)
        retriever = Retriever(library, settings.candidates)
        cases = [case for case in benchmark.cases if case.gold or (case.given and not case.answerable)]
        rng = random.Random(_SEED)  # noqa: S311 - no secret
        if wanted.named:
            cases = _named(cases, benchmark)
        most = _KEYWORDS if wanted.keywords else len(cases)
        cases = rng.sample(cases, min(most, limit or most, len(cases)))
        for start in range(0, len(cases), _AHEAD):
            some = cases[start : start + _AHEAD]
            asked = [as_keywords(c.question, rng) if wanted.keywords else c.question for c in some]
            questions = [
                standing_alone(text, case.history, 2000) for text, case in zip(asked, some, strict=True)
            ]
            embedder.encode_ahead([query_text(question) for question in questions])
            for case, question in zip(some, questions, strict=True):
                candidates, lexical = retriever.candidates(question)
                rows = features(question, candidates, lexical)
                yield Example(
                    wanted.name,
                    case.id,
                    question.text,
                    "held_out" if wanted.folder in MEASURED else part_of(document_of(case)),
                    case.answerable,
                    case.gold,
                    tuple(map(float, question_features(question))),
                    tuple(
                        Proposed(
                            candidate.source.id,
                            reranking_text(candidate.source, candidate.chunk),
                            _label(case, candidate, wanted),
                            tuple(round(float(value), 5) for value in row),
                        )
                        for candidate, row in zip(candidates, rows, strict=True)
                    ),
                    () if wanted.crossed else case.answers,
                )


def together(data: Path) -> Benchmark:
    """All documents in one corpus, and some questions of each set: most answers stand in the question's own language.

    Where every question has its answer in another language, the language alone would seem to tell.
    """
    documents: dict[str, BenchmarkDocument] = {}
    cases: list[Case] = []
    for one in SETS:
        if one.folder == "*" or one.crossed or one.keywords or one.named:
            continue
        benchmark = _loaded(one, data)
        documents |= {document.id: document for document in benchmark.documents}
        there = [case for case in benchmark.cases if case.gold]
        drawn = random.Random(_SEED).sample(there, min(_TOGETHER, len(there)))  # noqa: S311 - no secret
        cases += [replace(case, id=f"{one.name}:{case.id}") for case in drawn]
    return Benchmark("together", "wenzheng", tuple(documents.values()), tuple(cases))


def _loaded(wanted: TrainingSet, data: Path) -> Benchmark:
    return load_benchmark((_OWN if wanted.own else data) / wanted.folder, part=wanted.part)


def _named(cases: Sequence[Case], benchmark: Benchmark) -> list[Case]:
    """The short ones of these follow-ups that have an answer of a few words, each behind what it is about, without turns."""
    titles = {document.id: _BRACKETS.sub("", document.title) for document in benchmark.documents}
    kept = [
        case
        for case in cases
        if case.history
        and len(case.question) <= _SHORT
        and titles.get(case.gold[0])
        and titles[case.gold[0]] not in case.question
        and any(len(answer) <= _SHORT for answer in case.answers)
    ]
    rng = random.Random(_SEED)  # noqa: S311 - no secret
    return [
        replace(case, question=f"{titles[case.gold[0]]}{case.question}", history=())
        for case in rng.sample(kept, min(_NAMED, len(kept)))
    ]


def document_of(case: Case) -> str:
    """The document that decides what a question is used for; the same paragraph in two languages is one."""
    first = min(case.gold or case.given)
    return first.replace("xquad-zh", "xquad").replace("xquad-en", "xquad")


def _label(case: Case, candidate: Candidate, wanted: TrainingSet) -> Label:
    document = candidate.source.id
    if document not in case.gold:
        if (
            document.startswith("xquad")
            and not wanted.crossed
            and document.split(":")[1:] in [gold.split(":")[1:] for gold in case.gold]
        ):
            return "unknown"
        return "wrong" if case.answerable or document not in case.given else "document"
    text = fold(candidate.chunk.text)
    if case.evidence:
        held = any(_holds(text, fold(sentence)) for sentence in case.evidence)
    else:
        held = wanted.crossed or any(fold(answer) in text for answer in case.answers if answer.strip())
    return "answers" if held else "document"


def _holds(text: str, sentence: str) -> bool:
    pairs = set(bigrams(sentence))
    return bool(pairs) and len(pairs & set(bigrams(text))) >= _OVERLAP * len(pairs)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write ``SET.jsonl.gz`` for each set into the output folder."""
    parser = argparse.ArgumentParser(prog="python -m eval.training.candidates", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public sets")
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps the indexes")
    parser.add_argument("--output", type=Path, required=True, help="folder for the candidates")
    parser.add_argument("--only", nargs="*", default=[], help="names of sets")
    parser.add_argument("--measured", action="store_true", help="also those that only measure")
    parser.add_argument("--limit", type=int, help="so many questions of each")
    given = parser.parse_args(arguments)
    settings = load_settings({"home": given.home})
    embedder = AheadEmbedder(open_embedder(settings))
    sets = [*SETS, *(TrainingSet(name, name) for name in MEASURED if given.measured)]
    given.output.mkdir(parents=True, exist_ok=True)
    for wanted in sets:
        if given.only and wanted.name not in given.only:
            continue
        found = examples_of(wanted, given.data, settings, embedder, given.limit)
        count = write_examples(given.output / f"{wanted.name}.jsonl.gz", found)
        sys.stderr.write(f"{wanted.name}: {count} questions\n")


if __name__ == "__main__":
    main()
