"""The command line: ``wenzheng ingest | ask | serve | documents | eval | models | rebuild | vacuum | doctor``.

Nothing heavy is imported before a command needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ui.document_commands import documents_app
from ui.eval_commands import eval_app
from ui.options import (
    EXIT_ERROR,
    EXIT_REFUSED,
    EXIT_USAGE,
    AsJson,
    Home,
    Models,
    Overrides,
    console,
    explained,
    open_embedder,
    report_language,
    settings_from,
)

if TYPE_CHECKING:
    from rag.settings import Settings


class _Commands(TyperGroup):
    """The commands, with errors explained where they end."""

    def invoke(self, ctx: Any) -> Any:
        with explained():
            return super().invoke(ctx)


app = typer.Typer(
    name="wenzheng",
    cls=_Commands,
    help="Wenzheng 问政: asks a local government's documents, and shows where each sentence of the answer stands.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(help="The model files: list, pull, verify, path.", no_args_is_help=True)
app.add_typer(models_app, name="models")
app.add_typer(documents_app, name="documents")
app.add_typer(eval_app, name="eval")


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """Wenzheng 问政: asks a local government's documents, and shows where each sentence of the answer stands."""
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"wenzheng {version_of('wenzheng')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        raise typer.Exit(EXIT_USAGE)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders to take in.", show_default=False)],
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove documents whose files have gone from the given folders.")
    ] = False,
    as_json: AsJson = False,
    report_file: Annotated[
        Path | None, typer.Option("--report", help="Write the full report to this file as JSON.")
    ] = None,
    home: Home = None,
    models: Models = None,
    overrides: Overrides = None,
) -> None:
    """Take documents into the library."""
    settings = settings_from(home, models, overrides)
    from ingest.reports import report_record
    from ingest.sync import sync
    from rag.library import Library
    from ui.terminal import show_report, sync_progress

    screen = console(stderr=True)
    missing = [path for path in paths if not path.exists()]
    if missing:
        from ingest.messages import fault

        raise fault("missing", str(missing[0]))
    embedder = open_embedder(settings, screen)
    with Library.open(settings, embedder, writable=True) as library, sync_progress(screen) as show:
        report = sync(paths, library, settings, show, prune=prune)
    record = json.dumps(report_record(report), ensure_ascii=False, indent=2)
    if report_file is not None:
        _write_report(report_file, record)
    if as_json:
        typer.echo(record.encode("utf-8", "replace").decode("utf-8"))
    else:
        show_report(console(), report, report_language(settings))
    good = len(report.files) - report.count("failed") - report.count("skipped")
    if report.count("failed") and (
        not good or any(_named_failed(paths, file.path) for file in _failed(report))
    ):
        raise typer.Exit(EXIT_ERROR)


def _write_report(path: Path, record: str) -> None:
    from rag.errors import SettingsError

    try:
        path.write_text(record + "\n", encoding="utf-8", errors="replace")
    except OSError as error:
        raise SettingsError(
            f"The report {path} cannot be written: {error.strerror}.",
            "Name another file with --report; the documents are in the library.",
        ) from error


def _failed(report: Any) -> list[Any]:
    return [file for file in report.files if file.status == "failed"]


def _named_failed(paths: list[Path], failed: str) -> bool:
    return any(str(path) == failed for path in paths)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question, in Chinese or English.", show_default=False)],
    body: Annotated[
        list[str] | None,
        typer.Option(help="Only what this body issued or said, such as 住建局; may be given several times."),
    ] = None,
    speaker: Annotated[str, typer.Option(help="Only what this person said.", show_default=False)] = "",
    since: Annotated[
        str | None, typer.Option(help="Only documents from this year, month or day on: 2024, 2024-03.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only documents up to and with this date.")] = None,
    collection: Annotated[
        str, typer.Option(help="Only the documents of this collection.", show_default=False)
    ] = "",
    as_json: AsJson = False,
    home: Home = None,
    models: Models = None,
    overrides: Overrides = None,
) -> None:
    """Ask a question. Ends with 0 when answered, 3 when refused for lack of evidence."""
    settings = settings_from(home, models, overrides)
    from rag.questions import analyse

    analyse(question, settings.max_question_chars)  # a bad question is told before anything is loaded
    from rag.filters import filters_given

    filters = filters_given(body or [], speaker, since, until, collection)
    from rag.pipeline import open_pipeline
    from rag.serialization import answer_record
    from ui.terminal import answer_text, show_sources

    with open_pipeline(settings) as pipeline:
        if as_json:
            answer = pipeline.ask(question, filters=filters)
            typer.echo(json.dumps(answer_record(answer), ensure_ascii=False, indent=2))
        else:
            from rich.live import Live
            from rich.text import Text

            screen = console()
            with Live(console=screen, auto_refresh=False, transient=not screen.is_terminal) as live:
                for snapshot in pipeline.stream(question, filters=filters):
                    answer = snapshot
                    waiting = pipeline.model_status.state == "loading" and not answer.text
                    text = Text("Loading the model …", style="dim") if waiting else answer_text(answer)
                    if screen.is_terminal:
                        live.update(text, refresh=True)
            if not screen.is_terminal:
                screen.print(answer_text(answer))
            show_sources(screen, answer)
    if answer.outcome in ("refused", "clarify"):
        raise typer.Exit(EXIT_REFUSED)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", show_default="7860")] = None,
    take_in: Annotated[
        list[Path] | None, typer.Option("--ingest", help="Files and folders to take in before serving.")
    ] = None,
    home: Home = None,
    models: Models = None,
    overrides: Overrides = None,
) -> None:
    """Serve the chat page."""
    settings = settings_from(home, models, overrides, host=host, port=port)
    from ui.serving import serve as serve_page

    serve_page(settings, take_in or [], console())


@app.command()
def rebuild(home: Home = None, models: Models = None, overrides: Overrides = None) -> None:
    """Make the index anew from the library's own texts, after a change of embedding model or chunking."""
    settings = settings_from(home, models, overrides)
    from ingest.chunking import split
    from rag.library import rebuild as rebuild_library

    screen = console(stderr=True)
    embedder = open_embedder(settings, screen)
    with screen.status("Making the index anew …"):
        count = rebuild_library(settings, embedder, lambda document: split(document, settings.chunk_chars))
    typer.echo(f"Done: {count} documents.")


@app.command()
def vacuum(home: Home = None, models: Models = None, overrides: Overrides = None) -> None:
    """Give disk space back that removed and replaced documents took."""
    settings = settings_from(home, models, overrides)
    from rag.library import Library

    screen = console(stderr=True)
    embedder = open_embedder(settings, screen)
    from ui.terminal import count_progress

    with (
        Library.open(settings, embedder, writable=True) as library,
        count_progress(screen, "Passages") as show,
    ):
        freed = library.vacuum(show)
    typer.echo(f"Done: {freed / 1e6:.1f} MB given back.")


@app.command()
def doctor(
    as_json: AsJson = False, home: Home = None, models: Models = None, overrides: Overrides = None
) -> None:
    """Check Python, packages, disk, memory, model files, library and endpoint; say how to mend each fault."""
    settings = settings_from(home, models, overrides)
    from dataclasses import asdict

    from ui.doctor import examine

    checks = examine(settings)
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks], ensure_ascii=False, indent=2))
    else:
        from rich.table import Table
        from rich.text import Text

        table = Table("", "Check", "Finding", "What to do", show_lines=False)
        for check in checks:
            mark = Text("ok", style="green") if check.ok else Text("!!", style="red")
            table.add_row(mark, check.name, Text(check.finding), Text(check.fix))
        console().print(table)
    if not all(check.ok for check in checks):
        raise typer.Exit(EXIT_ERROR)


@models_app.command("list")
def models_list(as_json: AsJson = False, models: Models = None, overrides: Overrides = None) -> None:
    """The model files, their licence and size, and whether they are there."""
    settings = settings_from(None, models, overrides)
    from rag.weights import CATALOGUE, list_models

    results = list_models(settings)
    rows = []
    for result in results:
        file = CATALOGUE[result.file.name]
        rows.append(
            {
                "name": file.name,
                "file": file.filename,
                "megabytes": round(file.size / 1e6),
                "licence": file.licence,
                "purpose": file.purpose,
                "state": result.state,
            }
        )
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    from rich.table import Table

    table = Table("Name", "Purpose", "Size (MB)", "Licence", "State", "File")
    for row in rows:
        table.add_row(*(str(row[k]) for k in ("name", "purpose", "megabytes", "licence", "state", "file")))
    console().print(table)


@models_app.command("pull")
def models_pull(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of the list; none for the ones the settings need.")
    ] = None,
    reranker: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="A CrossEncoder of the model hub, for the setting rerank."),
    ] = None,
    models: Models = None,
    overrides: Overrides = None,
) -> None:
    """Obtain and verify model files; goes on where it was cut off."""
    settings = settings_from(None, models, overrides)
    from rag.e5 import prepare
    from rag.weights import CATALOGUE, E5_SMALL, pull, pull_reranker, resolve
    from ui.terminal import weights_progress

    wanted = names or ([] if reranker else _needed(settings))
    rerankers = [reranker] if reranker else [] if names else _needed_rerankers(settings)
    screen = console(stderr=True)
    files = [resolve(name) for name in wanted]
    with weights_progress(screen) as show:
        for file in files:
            pull(file.name, settings, show)
            if file.name == E5_SMALL.name:
                # Turned into its folder here, so that the first question does not wait for it.
                prepare(settings, show)
    for file in files:
        typer.echo(f"{file.name}: {CATALOGUE[file.name].filename}, licence {file.licence} (see NOTICE)")
    for name in rerankers:
        typer.echo(f"{name}: {pull_reranker(name, settings)}, licence: see its README on the hub")


@models_app.command("verify")
def models_verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of the list; none for all present.")
    ] = None,
    models: Models = None,
    overrides: Overrides = None,
) -> None:
    """Hash model files anew and compare them with the catalogue."""
    settings = settings_from(None, models, overrides)
    from rag.weights import list_models, resolve, verify
    from ui.terminal import weights_progress

    wanted = (
        [resolve(name).name for name in names]
        if names
        else [result.file.name for result in list_models(settings) if result.state != "missing"]
    )
    good = True
    with weights_progress(console(stderr=True)) as show:
        results = [verify(name, settings, show) for name in wanted]
    for result in results:
        good = good and result.state == "ok"
        typer.echo(f"{result.file.name}: {result.state}")
    if not good:
        raise typer.Exit(EXIT_ERROR)


@models_app.command("path")
def models_path(
    name: Annotated[str, typer.Argument(help="A name of the list.")],
    models: Models = None,
    overrides: Overrides = None,
) -> None:
    """Where a verified model file lies."""
    settings = settings_from(None, models, overrides)
    from rag.errors import WeightsError
    from rag.weights import locate, resolve

    path = locate(resolve(name).name, settings)
    if path is None:
        raise WeightsError(
            f"The model file {name} is not here.", f"Obtain it with `wenzheng models pull {name}`."
        )
    typer.echo(str(path))


def _needed(settings: Settings) -> list[str]:
    from rag.weights import CATALOGUE

    wanted = [settings.embedding_model] if settings.embedding_model in CATALOGUE else []
    return [*wanted, settings.chat_model] if settings.embedded_chat else wanted


def _needed_rerankers(settings: Settings) -> list[str]:
    """The reranker of the settings where it is one of a hub."""
    from rag.weights.rerankers import is_hub_name

    wanted = settings.rerank
    return [wanted] if is_hub_name(wanted) and not Path(wanted).is_dir() else []


def main() -> None:
    """Entry of the ``wenzheng`` command."""
    app()


if __name__ == "__main__":
    main()
