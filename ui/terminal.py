"""How things look in a terminal: progress, reports, answers. Rich does the drawing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

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

from ingest.messages import change_text, note_text, shown_name
from rag.filters import filters_line, undated_note
from rag.types import Answer
from ui.texts import TEXTS


class PhaseStep(Protocol):
    """How far a phase of a run is."""

    @property
    def phase(self) -> str:
        """What is being done."""

    @property
    def done(self) -> int:
        """Steps done."""

    @property
    def total(self) -> int:
        """Steps in all."""


if TYPE_CHECKING:
    from ingest.reports import SyncProgress, SyncReport
    from rag.weights import Progress as WeightsProgress

_ROUTINE = frozenset({"blank-lines", "line-breaks"})
"""Changes that nearly every file needs and nobody wants to read about; the JSON report has them."""
_MOST_LISTED = 40
"""Files listed one by one under a heading; the JSON report has them all."""


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
    """A bar over files and one over passages, with rate and time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[current]}"),
    )
    with Progress(*columns, console=console) as progress:
        files = progress.add_task("Files   ", total=None, rate="", current="")
        passages = progress.add_task("Passages", total=None, rate="", current="")

        def show(step: SyncProgress) -> None:
            elapsed = progress.tasks[0].elapsed or 0.0
            rate = f"{step.passages / elapsed:.0f}/s" if elapsed > 1 else ""
            changed = {"current": escape(step.current)} if step.current else {}
            progress.update(files, total=step.total, completed=step.done, **changed)  # type: ignore[arg-type]
            progress.update(passages, total=step.expected or None, completed=step.passages, rate=rate)

        yield show


@contextlib.contextmanager
def count_progress(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar over something that is counted, with time left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextlib.contextmanager
def phase_progress(console: Console) -> Iterator[Callable[[PhaseStep], None]]:
    """A bar for each phase of a run, with its steps and time left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def show(step: PhaseStep) -> None:
            if step.phase not in tasks:
                tasks[step.phase] = progress.add_task(step.phase, total=step.total)
            progress.update(tasks[step.phase], completed=step.done, total=step.total)

        yield show


def show_report(console: Console, report: SyncReport, language: Literal["en", "zh"] = "en") -> None:
    """What became of the files: a table of counts, then each one that did not simply go in."""
    from ingest.reports import STATUSES

    words = _REPORT[language]
    for file in [f for f in report.files if f.changes or f.notes][:_MOST_LISTED]:
        told = [change_text(change, language) for change in file.changes if change.kind not in _ROUTINE]
        notes = [note_text(note, language) for note in file.notes]
        if told or notes:
            console.print(
                Text(
                    f"  {words['cleaned']} {_name(file.path)}: {'; '.join([*notes, ', '.join(told)]).strip('; ')}",
                    style="dim",
                )
            )
    for file in report.files[:_MOST_LISTED]:
        for change in file.changes:
            if change.kind.startswith("mojibake"):
                for before, after in change.examples:
                    console.print(
                        Text(
                            f"    {_name(file.path)}: {_on_one_line(before)} → {_on_one_line(after)}",
                            style="dim",
                        )
                    )
    for status in ("renamed", "linked"):
        for file in [f for f in report.files if f.status == status][:_MOST_LISTED]:
            console.print(Text(f"  {words[status]} {_name(file.path)} ← {_name(file.same_as)}", style="dim"))
    failed = [file for file in report.files if file.status == "failed"]
    if failed:
        table = Table(words["file"], words["why"], title=words["failed"], title_justify="left", expand=False)
        for file in failed[:_MOST_LISTED]:
            table.add_row(Text(_name(file.path)), Text(file.reason_zh if language == "zh" else file.reason))
        if len(failed) > _MOST_LISTED:
            table.add_row("…", Text(words["more"].format(count=len(failed) - _MOST_LISTED)))
        console.print(table)
    counts = Table(show_header=False, box=None, pad_edge=False)
    for status in STATUSES:
        if count := report.count(status):
            style = "red" if status == "failed" else "dim" if status in ("unchanged", "skipped") else ""
            counts.add_row(Text(words[status], style=style), Text(str(count), style=style))
    if not report.files:
        counts.add_row(Text(words["none"]))
    console.print(counts)
    rate = report.passages / report.seconds if report.seconds else 0.0
    console.print(Text(words["done"].format(seconds=report.seconds, passages=report.passages, rate=rate)))


_REPORT = {
    "en": {
        "cleaned": "cleaned",
        "file": "File",
        "why": "Why it was not taken in",
        "more": "{count} more; --json or --report lists them all",
        "none": "no files found",
        "done": "Done in {seconds:.1f} s: {passages} passages encoded, {rate:.0f} a second.",
        "added": "added",
        "updated": "updated",
        "renamed": "renamed",
        "linked": "same content as",
        "unchanged": "unchanged",
        "removed": "removed",
        "failed": "failed",
        "skipped": "skipped",
    },
    "zh": {
        "cleaned": "已清理",
        "file": "文件",
        "why": "未能入库的原因",
        "more": "另有 {count} 个，--json 或 --report 可列出全部",
        "none": "没有找到文件",
        "done": "完成，用时 {seconds:.1f} 秒：编码 {passages} 段，每秒 {rate:.0f} 段。",
        "added": "新增",
        "updated": "更新",
        "renamed": "改名",
        "linked": "内容相同",
        "unchanged": "未变",
        "removed": "移除",
        "failed": "失败",
        "skipped": "略过",
    },
}


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _name(path: str) -> str:
    """A file's name for a list; inside an archive with the archive's."""
    parts = Path(path).parts
    inside = next(
        (i for i, part in enumerate(parts) if part.lower().endswith((".zip", ".eml"))), len(parts) - 1
    )
    return shown_name("/".join(parts[min(inside, len(parts) - 1) :]))


def answer_text(answer: Answer) -> Text:
    """The answer's text, marked by its outcome; what the documents do not bear out is struck out, and marked so in plain text."""
    if answer.outcome in ("refused", "clarify"):
        return Text(answer.text, style="yellow")
    text = Text()
    last = 0
    for claim in answer.claims:
        if claim.verdict == "unsupported" and claim.end > claim.start >= last:
            text.append(answer.text[last : claim.start])
            text.append(f"~~{answer.text[claim.start : claim.end]}~~", style="strike dim")
            last = claim.end
    text.append(answer.text[last:])
    text.highlight_regex(r"\[\d+\]", style="cyan")
    return text


def show_sources(console: Console, answer: Answer) -> None:
    """The filters in force, the cited sentences with their documents; for a refusal the nearest passages."""
    if answer.restated:
        words = TEXTS[answer.script].searched.format(question=answer.standalone)
        console.print(Text(words, style="dim"))
    if answer.filters:
        line = filters_line(answer.filters, answer.script)
        note = undated_note(answer.undated, answer.script) if answer.outcome != "refused" else ""
        console.print(Text(f"{line} {note}".strip(), style="dim"))
    if answer.outcome == "partial" and answer.reason:
        console.print(Text(answer.reason, style="yellow"))
    if answer.citations:
        console.print()
        for citation in answer.citations:
            source, page = citation.passage.source, citation.passage.chunk.page
            facts = [source.title, source.published, page and f"p. {page}"]
            told = ", ".join(fact for fact in facts if fact)
            console.print(Text(f"[{citation.number}] {told}", style="bold"))
            console.print(Text(f"    {citation.quote.strip()}"))
            console.print(Text(f"    {source.path}", style="dim"), soft_wrap=True)
    elif answer.passages:
        console.print()
        console.print(Text("Nearest passages / 相近段落", style="dim"))
        for number, passage in enumerate(answer.passages, start=1):
            console.print(Text(f"({number}) {passage.source.title}", style="dim bold"))
            console.print(Text(f"    {passage.chunk.text[:120].strip()}", style="dim"))
