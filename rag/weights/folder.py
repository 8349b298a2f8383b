"""A model file from a folder that the user names."""

from __future__ import annotations

from pathlib import Path

from rag.weights.catalogue import ModelFile
from rag.weights.disk import blocks, require_space
from rag.weights.failures import SourceError
from rag.weights.progress import Meter, ProgressCallback


def from_folder(folder: Path, file: ModelFile, work: Path, progress: ProgressCallback | None) -> Path:
    """Copy a file of the right size from ``folder``; the path of the draft in ``work``."""
    found = folder / file.filename
    try:
        size = found.stat().st_size
        if size != file.size:
            raise SourceError(f"{file.filename} there has {size:,} bytes instead of {file.size:,}")
        source = found.open("rb")
    except FileNotFoundError:
        raise SourceError(f"it has no file {file.filename}") from None
    except OSError as error:
        raise SourceError(f"{file.filename} there cannot be read: {error.strerror}") from error
    draft = work / f"{file.filename}.copy"
    require_space(work, file.size)
    meter = Meter(file, "download", str(folder), progress)
    with source, draft.open("wb") as sink:
        for block in blocks(source):
            sink.write(block)
            meter.add(len(block))
    return draft
