"""What is on this machine: model files compared with the catalogue, and the records of that."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from rag.settings import Settings
from rag.weights.catalogue import CATALOGUE, ModelFile, resolve
from rag.weights.disk import blocks, disk_errors
from rag.weights.progress import Meter, ProgressCallback

State: TypeAlias = Literal["ok", "missing", "altered"]


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What stands at a model file's place. ``size`` and ``sha256`` are those found, None if it is missing."""

    file: ModelFile
    path: Path
    state: State
    size: int | None = None
    sha256: str | None = None


def verify(name: str, settings: Settings, progress: ProgressCallback | None = None) -> VerifyResult:
    """Compare the file at its place with the catalogue.

    A file is read in full the first time and whenever its size or modification time has changed since; else
    the record of the last full reading stands, for reading a gigabyte at each start would cost seconds.

    :raises WeightsError: if the name is unknown or the file cannot be read
    """
    file = resolve(name)
    path = settings.models / file.filename
    record = record_path(path)
    with disk_errors(path):
        try:
            stat = path.stat()
        except FileNotFoundError:
            return VerifyResult(file, path, "missing")
        if file.size == stat.st_size and _read_record(record) == [
            stat.st_size,
            stat.st_mtime_ns,
            file.sha256,
        ]:
            return VerifyResult(file, path, "ok", file.size, file.sha256)
        digest = digest_of(path, file, progress)
        state: State = "ok" if (stat.st_size, digest) == (file.size, file.sha256) else "altered"
        if state == "ok":
            write_record(record, stat, digest)
    return VerifyResult(file, path, state, stat.st_size, digest)


def locate(name: str, settings: Settings) -> Path | None:
    """The path of a verified file, or None if it is missing or altered. Fetches nothing."""
    result = verify(name, settings)
    return result.path if result.state == "ok" else None


def list_models(settings: Settings) -> tuple[VerifyResult, ...]:
    """What of the catalogue is on this machine, in the catalogue's order."""
    return tuple(verify(name, settings) for name in CATALOGUE)


def record_path(path: Path) -> Path:
    """Where the record of a verified file is kept."""
    return path.parent / ".verified" / f"{path.name}.json"


def _read_record(record: Path) -> list[object] | None:
    try:
        found = json.loads(record.read_bytes())
        return [found["size"], found["mtime_ns"], found["sha256"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(record: Path, stat: os.stat_result, digest: str) -> None:
    """Note that a file was read in full and has this digest."""
    # A models folder that is shared read-only is still of use: it is then verified at each start.
    with contextlib.suppress(OSError):
        record.parent.mkdir(exist_ok=True)
        draft = record.with_name(f"{record.name}.{os.getpid()}")
        draft.write_text(json.dumps({"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": digest}))
        draft.replace(record)


def digest_of(path: Path, file: ModelFile, progress: ProgressCallback | None) -> str:
    """The SHA-256 of a file, read in full."""
    meter = Meter(file, "verify", path.name, progress)
    sha = hashlib.sha256()
    with path.open("rb") as stream:
        for block in blocks(stream):
            sha.update(block)
            meter.add(len(block))
    return sha.hexdigest()
