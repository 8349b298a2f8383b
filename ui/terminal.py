"""How things look in a terminal: progress, reports, answers. Rich does the drawing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from rag.types import Answer

if TYPE_CHECKING:
    from ingest.sync import FileStatus, SyncProgress, SyncReport
    from rag.weights import Progress as WeightsProgress

_ROUTINE = frozenset({"blank-lines", "line-breaks"})
"""Changes that nearly every file needs and nobody wants to read about; the JSON report has them."""
_STATUSES: tuple[FileStatus, ...] = ("added", "updated", "unchanged", "removed", "failed", "skipped")


@contextlib.contextmanager
def weights_progress(console: Console) -> Iterator[Callable[[WeightsProgress], None]]:
    """A bar for each model file and phase, with bytes, rate and time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        tasks: dict[tuple[str, str], TaskID] = {}

        def show(step: WeightsProgress) -> None:
            key = (step.name, step.phase)
            if key not in tasks:
                source = f" ({step.source})" if step.source else ""
                tasks[key] = progress.add_task(
                    escape(f"{step.phase} {step.name}{source}"), total=step.total or None
                )
            progress.update(tasks[key], completed=step.done, total=step.total or None)

        yield show


@contextlib.contextmanager
def sync_progress(console: Console) -> Iterator[Callable[[SyncProgress], None]]:
    """A bar over files, with passages, rate and time left."""
    columns = (
        TextColumn("Reading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files, {task.fields[passages]} passages ({task.fields[rate]}/s)"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[current]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("sync", total=None, passages=0, rate="0", current="")

        def show(step: SyncProgress) -> None:
            elapsed = progress.tasks[0].elapsed or 0.0
            rate = f"{step.passages / elapsed:.0f}" if elapsed > 1 else "–"
            progress.update(
                task,
                total=step.total,
                completed=step.done,
                passages=step.passages,
                rate=rate,
                current=escape(step.current),
            )

        yield show


def show_report(console: Console, report: SyncReport) -> None:
    """What became of the files: counts, then each one that did not simply go in."""
    counts = ", ".join(f"{report.count(s)} {s}" for s in _STATUSES if report.count(s))
    failed = [file for file in report.files if file.status == "failed"]
    if failed:
        table = Table("File", "Why it was not taken in", title="Failed", title_justify="left", expand=False)
        for file in failed:
            table.add_row(Text(Path(file.path).name), Text(file.reason))
        console.print(table)
    for file in report.files:
        told = [change for change in file.changes if change.count and change.kind not in _ROUTINE]
        if told:
            what = ", ".join(f"{change.kind} {change.count}" for change in told)
            console.print(Text(f"  cleaned {Path(file.path).name}: {what}", style="dim"))
    console.print(Text(f"Done: {counts or 'no files found'}."))


def answer_text(answer: Answer) -> Text:
    """The answer's text, marked by its outcome."""
    if answer.outcome == "refused":
        return Text(answer.text, style="yellow")
    text = Text(answer.text)
    text.highlight_regex(r"\[\d+\]", style="cyan")
    return text


def show_sources(console: Console, answer: Answer) -> None:
    """The cited sentences with their documents; for a refusal the nearest passages."""
    if answer.outcome == "partial" and answer.reason:
        console.print(Text(answer.reason, style="yellow"))
    if answer.citations:
        console.print()
        for citation in answer.citations:
            source = citation.passage.source
            date = f", {source.published}" if source.published else ""
            console.print(Text(f"[{citation.number}] {source.title}{date}", style="bold"))
            console.print(Text(f"    {citation.quote.strip()}"))
            console.print(Text(f"    {source.path}", style="dim"), soft_wrap=True)
    elif answer.passages:
        console.print()
        console.print(Text("Nearest passages / 相近段落", style="dim"))
        for number, passage in enumerate(answer.passages, start=1):
            console.print(Text(f"({number}) {passage.source.title}", style="dim bold"))
            console.print(Text(f"    {passage.chunk.text[:120].strip()}", style="dim"))
