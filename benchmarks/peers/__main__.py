"""``python -m benchmarks.peers``: Wenzheng and the peers over one benchmark; writes the table and its data.

Systems that have finished are kept in the work folder, and the others are gone on with, unless ``--fresh``.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.peers.driving import drive, inherited, peer_environment, with_clock
from benchmarks.peers.measured import System, is_finished, read_lines, system_of
from benchmarks.peers.pipelines.exchange import Job
from benchmarks.peers.table import Conditions, as_json, markdown
from benchmarks.peers.work import asked, digest_of, texts_of, write_work
from eval.benchmarks import find_benchmark, load_benchmark
from eval.cases import Benchmark, Case
from eval.results import RunInfo
from eval.runner import DEPTH
from eval.storage import RunFolder
from rag.embedded import EmbeddedModel
from rag.errors import SettingsError, WeightsError, WenzhengError
from rag.settings import Settings, load_settings

ROOT = Path(__file__).parent.parent.parent
PYTHON = ROOT / ".venv-peers" / "bin" / "python"
TEMPERATURE = 0.0
TIMEOUT = 360.0
"""Seconds for a request to the chat model, as LlamaIndex's tutorial for local models has it; the clients' own are shorter."""
_PIPELINES = "benchmarks.peers.pipelines"
PEERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "LangChain": (f"{_PIPELINES}.langchain_rag", ()),
    "Haystack": (f"{_PIPELINES}.haystack_rag", ("characters",)),
    "Haystack, tutorial's splitter": (f"{_PIPELINES}.haystack_rag", ("tutorial",)),
    "LlamaIndex": (f"{_PIPELINES}.llamaindex_rag", ()),
}
"""Names of the columns, with module and arguments."""
SHORT = {
    "langchain": "LangChain",
    "haystack": "Haystack",
    "haystack-tutorial": "Haystack, tutorial's splitter",
    "llamaindex": "LlamaIndex",
}
OURS = "Wenzheng"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the chat model answers."""

    base_url: str
    api_key: str
    model: str


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work: the folder, what is asked, and how."""

    folder: Path
    benchmark: Path
    cases: tuple[Case, ...]
    embedding: Path
    settings: Settings
    patience: float

    def lines(self, name: str) -> Path:
        """The file with a system's records."""
        return self.folder / "results" / f"{_plain(name)}.jsonl"


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        _measure(options)
    except WenzhengError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _measure(options: argparse.Namespace) -> None:
    flags: dict[str, Any] = {"chat_context": options.context}
    if options.base_url:
        if not options.model:
            raise SettingsError("--base-url needs the model's name there.", "Give it with --model.")
        flags |= {"chat_base_url": options.base_url, "chat_model": options.model, "chat_api_key": options.key}
    settings = load_settings(flags)
    path = find_benchmark(options.benchmark, [ROOT.parent / "shared" / "data"])
    benchmark = load_benchmark(path)
    texts, cases = texts_of(benchmark), asked(benchmark, options.limit, options.seed)
    name = _model_name(settings)
    shaping = [name, settings.embedding_model, settings.answer_tokens, options.context, TEMPERATURE]
    folder = options.work / f"{_plain(benchmark.name)}-{len(cases)}-{digest_of(texts, cases, shaping)}"
    if options.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    characters = write_work(folder, texts, cases)
    work = Work(folder, path, tuple(cases), _embedding_folder(settings), settings, options.patience)
    sys.stderr.write(f"{len(texts)} documents, {len(cases)} questions; work folder {folder}\n")
    systems, info = _systems(work, options.peers)
    conditions = _conditions(benchmark, work, name, options, len(texts), characters, info)
    options.output.mkdir(parents=True, exist_ok=True)
    page = markdown(systems, conditions)
    (options.output / "peers.md").write_text(page, encoding="utf-8")
    data = json.dumps(as_json(systems, conditions), ensure_ascii=False, indent=1) + "\n"
    (options.output / "peers.json").write_text(data, encoding="utf-8")
    sys.stdout.write(page)


def _systems(work: Work, chosen: Sequence[str]) -> tuple[list[System], RunInfo | None]:
    """Run what is not finished; all systems, Wenzheng first."""
    names = [SHORT[name] for name in chosen]
    failures: dict[str, str] = {}
    left = [name for name in (OURS, *names) if not _is_done(work, name)]
    for name in (OURS, *names):
        if name not in left:
            sys.stderr.write(f"{name}: finished before\n")
    if left:
        with _endpoint(work.settings, work.folder / "logs" / "chat-model.log") as wait:
            for name in left:
                # Waited for before each: the embedded model has another port and key after a restart.
                endpoint = wait()
                failures[name] = (
                    _run_ours(work, endpoint) if name == OURS else _run_peer(work, name, endpoint)
                )
                if failures[name]:
                    sys.stderr.write(f"{name}: failed: {failures[name]}\n")
    ours, info = _ours(work, failures.get(OURS, ""))
    peers = [
        system_of(name, read_lines(work.lines(name)), work.cases, failures.get(name, "")) for name in names
    ]
    return [ours, *peers], info


def _is_done(work: Work, name: str) -> bool:
    records = read_lines(work.lines(name))
    return is_finished(records, () if name == OURS else work.cases)


def _run_peer(work: Work, name: str, endpoint: Endpoint) -> str:
    if not PYTHON.exists():
        return "there is no .venv-peers; make it with 'make bench-peers'"
    module, extra = PEERS[name]
    done = tuple(record["id"] for record in read_lines(work.lines(name)) if record["kind"] == "answer")
    job = Job(
        work=str(work.folder),
        embedding=str(work.embedding),
        base_url=endpoint.base_url,
        api_key=endpoint.api_key,
        model=endpoint.model,
        temperature=TEMPERATURE,
        max_tokens=work.settings.answer_tokens,
        timeout=TIMEOUT,
        context=work.settings.chat_context,
        depth=DEPTH,
        done=done,
    )
    home = work.folder / "homes" / _plain(name)
    home.mkdir(parents=True, exist_ok=True)
    return drive(
        [str(PYTHON), "-m", module, *extra],
        asdict(job),
        lines=work.lines(name),
        log=work.folder / "logs" / f"{_plain(name)}.log",
        cwd=ROOT,
        environ=peer_environment(inherited(), home),
        patience=work.patience,
        tell=with_clock(sys.stderr.write, name, len(work.cases) - len(done)),
    )


def _run_ours(work: Work, endpoint: Endpoint) -> str:
    job = asdict(endpoint) | {
        "benchmark": str(work.benchmark.resolve()),
        "cases": [case.id for case in work.cases],
        "folder": str(work.folder / "wenzheng"),
    }
    if not any(record["kind"] == "indexed" for record in read_lines(work.lines(OURS))):
        # The rest of an index that was cut off would be timed as the whole.
        shutil.rmtree(work.folder / "wenzheng" / "cache" / "indexes", ignore_errors=True)
    return drive(
        [sys.executable, "-m", "benchmarks.peers.wenzheng"],
        job,
        lines=work.lines(OURS),
        log=work.folder / "logs" / "wenzheng.log",
        cwd=ROOT,
        environ={"OMP_WAIT_POLICY": "passive", **inherited()},
        patience=work.patience,
        tell=with_clock(sys.stderr.write, OURS, len(work.cases)),
    )


def _ours(work: Work, failure: str) -> tuple[System, RunInfo | None]:
    """Wenzheng's results, from the folder of its run; its index and memory from its own records."""
    measured = system_of(OURS, read_lines(work.lines(OURS)), (), failure)
    if failure:
        return measured, None
    run = RunFolder(work.folder / "wenzheng" / "run")
    wanted = {case.id for case in work.cases}
    results = tuple(result for result in run.results() if result.case.id in wanted)
    return replace(measured, results=results), run.info()


@contextmanager
def _endpoint(settings: Settings, log: Path) -> Iterator[Any]:
    """A function that gives the chat endpoint when it is ready: the one of the settings, or the embedded model's."""
    if settings.chat_base_url is not None:
        key = settings.chat_api_key.get_secret_value() if settings.chat_api_key else "none"
        hosted = Endpoint(settings.chat_base_url, key, settings.chat_model)
        yield lambda: hosted
        return
    from rag.weights import locate

    name = settings.chat_model
    path = locate(name, settings)
    if path is None:
        raise WeightsError(
            f"The file of the chat model {name} is not in {settings.models}.",
            f"Fetch it with 'wenzheng models pull {name}', or give --base-url and --model.",
        )
    model = EmbeddedModel(
        path, threads=settings.chat_threads, context=settings.chat_context, alias=name, log=log
    )
    with model:
        yield lambda: Endpoint(*model.wait_endpoint(300.0), name)


def _embedding_folder(settings: Settings) -> Path:
    """The folder with the embedding model as SentenceTransformers reads it."""
    from rag import e5

    if settings.embedding_model == "e5-small":
        return e5.prepare(settings)
    folder = Path(settings.embedding_model).expanduser()
    if not folder.is_dir():
        raise SettingsError(
            f"The embedding model {settings.embedding_model} is not a folder.",
            "Set embedding_model to the folder of a SentenceTransformers model, so that the peers can open it.",
        )
    return folder.absolute()


def _model_name(settings: Settings) -> str:
    if settings.chat_base_url is not None:
        return settings.chat_model
    from rag.weights import locate

    path = locate(settings.chat_model, settings)
    return path.name if path else settings.chat_model


def _conditions(
    benchmark: Benchmark,
    work: Work,
    model: str,
    options: argparse.Namespace,
    documents: int,
    characters: int,
    info: RunInfo | None,
) -> Conditions:
    settings = (
        f"temperature {TEMPERATURE:g} and at most {work.settings.answer_tokens} tokens an answer for all, context "
        f"{work.settings.chat_context} tokens, one question at a time; everything else as each tutorial has it"
    )
    return Conditions(
        benchmark=benchmark.name,
        questions=len(work.cases),
        questions_of=len(benchmark.cases),
        documents=documents,
        characters=characters,
        seed=options.seed,
        model=model,
        embedding=work.embedding.name,
        settings=settings,
        date=datetime.now(UTC).date().isoformat(),
        commit=info.commit if info else "",
        machine=info.machine if info else f"{platform.machine()}, {platform.system()}",
        notes=_NOTES,
    )


_NOTES = (
    'The peers encode without E5\'s prefixes "query: " and "passage: ", which their defaults leave out; a user who adds them '
    "finds more. LangChain's splitter has the separators that its documentation gives for Chinese. Haystack's tutorial splits "
    "by words between spaces, which Chinese does not write, so that documents stay whole, and ten of them seldom fit the "
    "context: the column Haystack splits by 250 characters instead, the column with the tutorial's splitter (`--peers "
    "haystack-tutorial`) is there where it was asked for.",
    "The peers get each document as a text file with its title above its text; files of other kinds and encodings as the "
    "text that Wenzheng's ingestion reads from them, cleaned, so that no peer fails at reading. Follow-up questions are left "
    "out, for the tutorials keep no conversation.",
    "Recall is measured on the first ten passages of each system's own retriever, each document counted once, asked for "
    "apart from the answer and its times; the answer gets as many passages as its tutorial gives it (LangChain 4, Haystack "
    "10, LlamaIndex 2).",
    "A question that ended in an error scores the worst value of each metric of the answer; its ranking counts. Refusing "
    "takes Wenzheng no chat model, so that its times to the whole answer include quick refusals; the first word is timed "
    "where there was one.",
    "Indexing is timed from the text to the finished index, with the models loaded; Wenzheng's includes its lexical index, "
    "its catalog and copies of the files, on the disk, and its faster encoder where one is installed; the peers' stores are in memory.",
)


def _plain(name: str) -> str:
    return "-".join("".join(char if char.isalnum() else " " for char in name.lower()).split())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument(
        "--benchmark", default="samples", help="samples, a path, or a name under ../shared/data"
    )
    parser.add_argument("--limit", type=int, help="ask so many questions, drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--base-url", help="an OpenAI-compatible endpoint instead of the embedded chat model")
    parser.add_argument("--model", help="the chat model's name at that endpoint")
    parser.add_argument("--key", help="the endpoint's key; better in WENZHENG_CHAT_API_KEY")
    parser.add_argument(
        "--context",
        type=int,
        default=8192,
        help="context of the chat model in tokens; the peers' prompts are long",
    )
    parser.add_argument("--peers", nargs="+", choices=tuple(SHORT), default=tuple(SHORT), help="which to run")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "data" / "peers", help="where work folders are kept"
    )
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).parent.parent, help="where the table goes"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what has been measured of this work")
    parser.add_argument(
        "--patience", type=float, default=900.0, help="seconds without an answer before a system is ended"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
