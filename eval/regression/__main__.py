"""``python -m eval.regression``: measures, writes the tables, adds to the history and says what fell since the last run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eval.arguments import at_least_one
from eval.benchmarks.finding import SAMPLES
from eval.regression.answers import answers
from eval.regression.history import HISTORY, Verdict, compare_with_last, entries, remember
from eval.regression.measuring import Measured, Row, average, measure
from eval.regression.progress import Meter
from eval.regression.sets import QUESTIONS, RetrievalSet, retrieval_sets
from eval.regression.table import Table, markdown, publish, with_section
from eval.reporting.facts import changed_settings, default_settings
from eval.reporting.shapes import Language
from rag.embedding import open_embedder
from rag.errors import WenzhengError
from rag.settings import Settings, load_settings

ROOT = Path(__file__).parent.parent.parent
BENCHMARKS = ROOT / "benchmarks"
READMES: Mapping[Path, Language] = {ROOT / "README.md": "en", ROOT / "README.zh.md": "zh"}
SEED = 1
EXIT_FELL = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the sets: those measured, each set's row, how each compares with the history."""

    measured: Sequence[Measured]
    rows: Sequence[Row]
    verdicts: Sequence[Verdict]


def measure_all(
    sets: Sequence[RetrievalSet], limit: int | None, seed: int, settings: Settings, history: Path
) -> Outcome:
    """Measure each set and hold it against the history; one that fails has its reason as its row.

    :raises WenzhengError: when the embedding model cannot be had, or the history is damaged
    """
    known = {entry.set for entry in entries(history)}  # a damaged history is told now and not after an hour
    embedder = open_embedder(settings)
    work = settings.home / "eval"
    measured: list[Measured] = []
    rows: list[Row] = []
    verdicts: list[Verdict] = []
    for number, wanted in enumerate(sets, start=1):
        name = f"{wanted.name} ({number} of {len(sets)})"
        _say(f"{name}: started")
        tell = Meter(name, sys.stderr)
        try:
            found = measure(wanted, limit, seed, settings, embedder, work / "cache", tell)
        except WenzhengError as error:
            _say(f"{wanted.name}: could not be measured. {error}")
            rows.append(Row(wanted.name, reason=_without_path(str(error), wanted.path)))
            if wanted.name in known:
                verdicts.append(
                    Verdict(wanted.name, True, f"{wanted.name}: LOST; it could be measured before. {error}")
                )
            continue
        measured.append(found)
        rows.append(found.row)
        verdicts.append(compare_with_last(history, work / "regression", found))
    return Outcome(measured, rows, verdicts)


def table_of(outcome: Outcome, seed: int) -> Table:
    """The table of a run."""
    infos = [item.info for item in outcome.measured]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Table(
        date=infos[0].date if infos else now,
        commit=infos[0].commit if infos else "",
        machine=infos[0].machine if infos else "",
        embedding=infos[0].embedding if infos else "",
        seed=seed,
        settings=_settings(infos[0].settings) if infos else {},
        rows=tuple(outcome.rows),
        average=average(outcome.measured),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry; returns the exit code: 1 on an error, and with ``--check`` when something fell."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except WenzhengError as error:
        _say(str(error))
        return 1


def _run(options: argparse.Namespace) -> int:
    settings = load_settings({"home": options.home})
    data: Path | None = options.data
    if data is not None and not data.is_dir():
        _say(f"{data} is not there: only the samples are measured.")
        data = None
    sets = retrieval_sets(options.samples, data, options.only, large=options.large)
    whole = data is not None and not options.only and options.limit is None
    output: Path = options.output or (
        BENCHMARKS if whole or options.check else settings.home / "eval" / "benchmarks"
    )
    readmes = READMES if output.resolve() == BENCHMARKS.resolve() and not options.check else {}
    for path in readmes:
        with_section(path, "")  # a README without its section is told now and not after an hour
    outcome = measure_all(sets, options.limit, options.seed, settings, output / HISTORY)
    for verdict in outcome.verdicts:
        sys.stdout.write(f"{verdict.message}\n")
    if options.check:
        return EXIT_FELL if any(verdict.fell for verdict in outcome.verdicts) else 0
    table = table_of(outcome, options.seed)
    publish(table, output, readmes)
    remember(output / HISTORY, settings.home / "eval" / "regression", outcome.measured)
    sys.stdout.write(f"\n{markdown(table)}\n{output}\n")
    if options.answers:
        path = answers(
            options.samples, options.answers, options.seed, settings, output, Meter("answers", sys.stderr)
        )
        sys.stdout.write(f"{path}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m eval.regression", description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        default=ROOT.parent / "shared" / "data",
        help="folder of the public sets; without it, only the samples (default: ../shared/data beside the project)",
    )
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="only these sets")
    parser.add_argument(
        "--limit",
        type=at_least_one,
        metavar="N",
        help=f"questions a set (default: {QUESTIONS}; of the samples all)",
    )
    parser.add_argument(
        "--seed", type=int, default=SEED, metavar="S", help="of the drawing (default: %(default)s)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="where tables and history go (default: benchmarks, whence the READMEs' tables too; "
        "a part of the sets goes to eval/benchmarks in the library's folder)",
    )
    parser.add_argument(
        "--home", type=Path, metavar="FOLDER", help="folder whose eval/cache keeps the indexes"
    )
    parser.add_argument(
        "--samples", type=Path, default=SAMPLES, metavar="FOLDER", help="documents with questions.jsonl"
    )
    parser.add_argument(
        "--large", action="store_true", help="also CRUD-RAG, whose 68,748 documents take long to index"
    )
    parser.add_argument(
        "--answers",
        type=int,
        default=0,
        metavar="N",
        help="also ask the chat model N questions of the samples",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="only compare with the history, write nothing; ends with 1 when a set fell",
    )
    return parser


def _settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Setting to value where it differs from the default; the chat model has no part in retrieval."""
    changed = changed_settings(settings, default_settings())
    return {name: value for name, (value, _) in changed.items() if not name.startswith(("chat_", "answer_"))}


def _without_path(message: str, path: Path) -> str:
    """A reason for a table that others read: the set's name in place of its place on this machine."""
    return message.replace(str(path), path.name).replace(str(path.parent), path.parent.name)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
