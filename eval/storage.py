"""A run on disk: ``run.json`` says what it was made with, ``cases.jsonl`` holds one record a line.

Lines are appended as cases are done, so that a run that is killed keeps what it had and can go on. Text is UTF-8; lone
surrogates, which UTF-8 cannot hold, are replaced by U+FFFD.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import re
import threading
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from eval.results import CaseResult, RunInfo
from rag.errors import SourceError, SourceNotFound

VERSION = 1
INFO_FILE = "run.json"
CASES_FILE = "cases.jsonl"

_SURROGATE = re.compile("[\ud800-\udfff]")
_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


def encodable(text: str) -> str:
    """The text with lone surrogates replaced by U+FFFD, so that it can be written as UTF-8."""
    return _SURROGATE.sub("\ufffd", text)


def plain(value: Any) -> Any:
    """A record as dictionaries, lists, strings and numbers; what JSON does not know (paths, secrets) as `str`."""
    if isinstance(value, str):
        return encodable(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {encodable(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return encodable(str(value))


def restored(kind: type[_T], value: Any) -> _T:
    """The record of the given class that `plain` made plain.

    Raises TypeError or ValueError where a field is missing, unknown, or of another type.
    """
    made: _T = _restored(kind, value, kind.__name__)
    return made


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _restored(kind: Any, value: Any, where: str) -> Any:
    if kind is Any:
        return plain(value)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in get_args(kind):
            return None
        kind = next(option for option in get_args(kind) if option is not type(None))
        return _restored(kind, value, where)
    if origin is Literal:
        if value not in get_args(kind):
            raise ValueError(f"{where} is {value!r}, not one of {', '.join(map(str, get_args(kind)))}")
        return value
    if origin is tuple:
        return _restored_tuple(get_args(kind), value, where)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _expect(isinstance(value, dict), where, "an object", value)
        inner = get_args(kind)[1]
        return {encodable(key): _restored(inner, item, f"{where}.{key}") for key, item in value.items()}
    if is_dataclass(kind) and isinstance(kind, type):
        _expect(isinstance(value, dict), where, "an object", value)
        hints = _hints(kind)
        if unknown := sorted(set(value) - set(hints)):
            raise ValueError(f"{where} has an unknown field {unknown[0]!r}")
        return kind(**{key: _restored(hints[key], item, f"{where}.{key}") for key, item in value.items()})
    if kind is float:
        _expect(isinstance(value, (int, float)) and not isinstance(value, bool), where, "a number", value)
        return float(value)
    _expect(
        isinstance(value, kind) and (kind is bool or not isinstance(value, bool)), where, kind.__name__, value
    )
    return encodable(value) if kind is str else value


def _restored_tuple(inner: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    _expect(isinstance(value, list), where, "a list", value)
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(_restored(inner[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    _expect(len(value) == len(inner), where, f"a list of {len(inner)}", value)
    return tuple(
        _restored(kind, item, f"{where}[{i}]")
        for i, (kind, item) in enumerate(zip(inner, value, strict=True))
    )


def _expect(holds: bool, where: str, wanted: str, value: Any) -> None:
    if not holds:
        raise TypeError(f"{where} should be {wanted}, not {type(value).__name__}")


class RunFolder:
    """The folder of one run. Appending is safe from several threads of one process.

    ``cut_off`` is how many characters of a last line, cut off when the run was killed, were dropped on reading.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cut_off = 0
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None

    @property
    def cases_path(self) -> Path:
        """The file of records."""
        return self.path / CASES_FILE

    def start(self, info: RunInfo) -> None:
        """Create the folder, or go on in it. Raises SourceError when it holds a run with another id."""
        self.path.mkdir(parents=True, exist_ok=True)
        if (self.path / INFO_FILE).exists() and (held := self.info()).id != info.id:
            raise SourceError(f"{self.path} holds another run ({held.id}).", "Choose another folder.")
        self._write_info(info, finished=False)

    def append(self, result: CaseResult) -> None:
        """Write one record as a line and hand it to the system, so that a kill of this process cannot lose it."""
        line = _line(result)
        with self._lock:
            if self._file is None:
                self._mend()
                self._file = self.cases_path.open("ab")
            self._file.write(line)
            self._file.flush()

    def finish(self, info: RunInfo) -> None:
        """Close the records and write ``run.json`` anew with what is known only at the end."""
        self.close()
        self._write_info(info, finished=True)

    def rewrite(self, info: RunInfo, results: Iterable[CaseResult]) -> None:
        """Replace all records and what ``run.json`` says; whether the run is finished stays as it was.

        A kill in between leaves the records as they were or as they are to be, never a part of them.
        """
        finished = self.finished
        self.close()
        temporary = self.cases_path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            for result in results:
                file.write(_line(result))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.cases_path)
        self._write_info(info, finished=finished)

    def close(self) -> None:
        """Close the file of records; appending opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def info(self) -> RunInfo:
        """What the run was made with. Raises SourceNotFound, or SourceError where it cannot be read."""
        record = self._record()
        try:
            return restored(RunInfo, record["info"])
        except (KeyError, TypeError, ValueError) as error:
            raise SourceError(f"{self.path / INFO_FILE} is damaged: {error}.") from error

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return bool(self._record().get("finished"))

    def results(self) -> Iterator[CaseResult]:
        """The records in the order they were written.

        A last line that was cut off is dropped, counted in ``cut_off`` and logged. Raises SourceError with file and
        line for any other that is malformed.
        """
        self.cut_off = 0
        if not self.cases_path.exists():
            return
        with self.cases_path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    result = restored(CaseResult, json.loads(line))
                except (TypeError, ValueError, RecursionError) as error:
                    if not line.endswith(b"\n"):
                        self.cut_off = len(line)
                        _LOG.warning("%s, line %d was cut off and is left out.", self.cases_path, number)
                        return
                    raise SourceError(
                        f"{self.cases_path}, line {number} is malformed: {error}.",
                        "Delete that line to read the others.",
                    ) from error
                yield result

    def done_ids(self) -> set[str]:
        """The ids of the cases that have a record, which a run that goes on leaves out."""
        return {result.case.id for result in self.results()}

    def _record(self) -> dict[str, Any]:
        path = self.path / INFO_FILE
        try:
            record = json.loads(path.read_bytes())
        except FileNotFoundError as error:
            raise SourceNotFound(
                f"{self.path} holds no run.", f"A run's folder has a {INFO_FILE}."
            ) from error
        except ValueError as error:
            raise SourceError(f"{path} is damaged: {error}.") from error
        version = record.get("version") if isinstance(record, dict) else None
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise SourceError(f"{path} has no version number.", "It is not a run's record.")
        if version > VERSION:
            raise SourceError(
                f"{path} has version {version}; this program reads up to {VERSION}.",
                "Read it with the newer program that wrote it.",
            )
        return dict(record)

    def _write_info(self, info: RunInfo, *, finished: bool) -> None:
        record = {"version": VERSION, "finished": finished, "info": plain(info)}
        path = self.path / INFO_FILE
        temporary = path.with_suffix(".tmp")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(record, file, ensure_ascii=False, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    def _mend(self) -> None:
        """Make the records end with a whole line: what a kill cut off is taken away."""
        if not self.cases_path.exists():
            return
        with self.cases_path.open("r+b") as file:
            start, last = _last_line(file)
            if not last or last.endswith(b"\n"):
                return
            try:
                restored(CaseResult, json.loads(last))
            except (TypeError, ValueError, RecursionError):
                file.truncate(start)
            else:
                file.seek(0, os.SEEK_END)
                file.write(b"\n")


def _line(result: CaseResult) -> bytes:
    return json.dumps(plain(result), ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"


def _last_line(file: BinaryIO, block: int = 65536) -> tuple[int, bytes]:
    """Where the last line begins, and what it is; read from the end, since records can be large."""
    end = file.seek(0, os.SEEK_END)
    start, tail = end, b""
    while start > 0:
        step = min(block, start)
        start -= step
        file.seek(start)
        tail = file.read(step) + tail
        cut = tail.rfind(b"\n", 0, len(tail) - 1)
        if cut >= 0:
            return start + cut + 1, tail[cut + 1 :]
    return 0, tail


def load_run(path: Path) -> tuple[RunInfo, Sequence[CaseResult]]:
    """A run as it was written, finished or not. Raises like `RunFolder.info` and `RunFolder.results`."""
    folder = RunFolder(path)
    return folder.info(), list(folder.results())
