"""``wenzheng eval feedback``: what visitors thought of answers, written as a benchmark of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.options import EXIT_ERROR, Home, Models, Overrides, console, settings_from


def eval_feedback(
    folder: Annotated[Path, typer.Argument(help="Folder to write the benchmark to.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
    home: Home = None,
    models: Models = None,
    overrides: Overrides = None,
) -> None:
    """Write the feedback given in the chat page as a benchmark that `wenzheng eval FOLDER` runs."""
    settings = settings_from(home, models, overrides)
    from rag.errors import SourceError
    from rag.feedback import FOLDER, FeedbackStore

    store = FeedbackStore(settings.home / FOLDER)
    entries = store.entries()
    if all(entry.verdict == "none" for entry in entries):
        console(stderr=True).print(
            f"There is no feedback in {store.path}. Visitors give it with the thumbs under an answer.",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
        raise typer.Exit(EXIT_ERROR)
    _check_free(folder, force=force)
    from eval.benchmarks import write_own
    from eval.benchmarks.feedback import counts, feedback_benchmark
    from rag.library import open_catalog

    with open_catalog(settings) as catalog:
        found = (catalog.document(version.source.id) for version in catalog.versions())
        benchmark = feedback_benchmark(entries, [document for document in found if document is not None])
    if not benchmark.documents:
        raise SourceError(
            f"The library in {settings.home} holds no documents, so there is nothing to ask the questions of.",
            "Take in the documents that the answers came from, with `wenzheng ingest PATH`.",
        )
    write_own(benchmark, folder)
    kinds = ", ".join(f"{name} {count}" for name, count in counts(benchmark).items() if count)
    console().print(
        f"{len(benchmark.cases)} cases ({kinds}) over {len(benchmark.documents):,} documents: {folder}",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )


def _check_free(folder: Path, *, force: bool) -> None:
    """Raises SourceError where the folder is a file, cannot be read, or holds something and is not to be written."""
    from rag.errors import SourceError

    try:
        taken = folder.exists() and any(folder.iterdir())
    except OSError as error:
        raise SourceError(
            f"{folder} is not a folder that can be read: {error.strerror or error}.", "Choose another."
        ) from error
    if taken and not force:
        raise SourceError(f"{folder} is not empty.", "Choose another folder, or write into it with --force.")
