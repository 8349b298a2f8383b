"""What became of the files of a run, and how far a run is: for people, and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ingest.messages import change_text, note_text
from rag.errors import SourceError
from rag.types import Change, Note

FileStatus = Literal["added", "updated", "renamed", "linked", "unchanged", "removed", "failed", "skipped"]
STATUSES: tuple[FileStatus, ...] = (
    "added",
    "updated",
    "renamed",
    "linked",
    "unchanged",
    "removed",
    "failed",
    "skipped",
)


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file.

    ``linked`` is a file whose content is that of the document at ``same_as``, which is not indexed twice. ``reason``
    and ``reason_zh`` say in words why a file failed or was skipped; ``code`` is the error's stable name.
    """

    path: str
    status: FileStatus
    reason: str = ""
    reason_zh: str = ""
    code: str = ""
    title: str = ""
    chunks: int = 0
    pages: int | None = None
    encoding: str = ""
    same_as: str = ""
    changes: tuple[Change, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What became of all files of a run, in the order they were met."""

    files: tuple[FileReport, ...] = ()
    passages: int = 0
    seconds: float = 0.0

    def count(self, status: FileStatus) -> int:
        """How many files ended so."""
        return sum(file.status == status for file in self.files)


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """How far a run is.

    ``done`` of ``total`` files are dealt with; ``passages`` of about ``expected`` are encoded, an estimate from the
    files read so far; ``current`` is the file being read.
    """

    done: int
    total: int
    passages: int
    expected: int
    current: str


def failure(path: str, error: SourceError) -> FileReport:
    """The report of a file that could not be taken in."""
    return FileReport(path, "failed", str(error), error.chinese or str(error), error.code)


def report_record(report: SyncReport) -> dict[str, Any]:
    """A report as plain data for JSON: a summary, and every file with its notes in both languages."""
    summary: dict[str, Any] = {status: report.count(status) for status in STATUSES}
    summary |= {"passages": report.passages, "seconds": round(report.seconds, 2)}
    files = []
    for file in report.files:
        record = asdict(file)
        record["notes"] = [
            {"key": note.key, "en": note_text(note, "en"), "zh": note_text(note, "zh")} for note in file.notes
        ]
        for change, told in zip(record["changes"], file.changes, strict=True):
            change |= {"en": change_text(told, "en"), "zh": change_text(told, "zh")}
        files.append(record)
    return {"summary": summary, "files": files}
