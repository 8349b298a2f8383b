"""A model file from a hub, over connections that may break off."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rag.weights.catalogue import ModelFile
from rag.weights.disk import require_space, size_of
from rag.weights.failures import SourceError, named
from rag.weights.progress import Meter, ProgressCallback
from rag.weights.verifying import digest_of

if TYPE_CHECKING:
    import httpx

HUB_ANSWER_SECONDS: Final = 8.0
"""How long a hub may take to its first answer, all its addresses and the name look-up together."""

_HUB_CONNECT_SECONDS: Final = 5.0
_HUB_READ_SECONDS: Final = 30.0
_HUB_PAUSE_SECONDS: Final = 1.0
_HUB_ATTEMPTS: Final = 20
_HUB_IDLE_ATTEMPTS: Final = 3
"""Attempts in a row that bring nothing before a hub is given up."""


def from_hub(url: str, file: ModelFile, work: Path, progress: ProgressCallback | None) -> Path:
    """Fetch a file, or what is missing of it, from its address; the path of the draft in ``work``."""
    import httpx

    draft = work / f"{file.filename}.part"
    resumed = draft.exists()
    timeout = httpx.Timeout(_HUB_READ_SECONDS, connect=_HUB_CONNECT_SECONDS)
    headers = {"Accept-Encoding": "identity", "User-Agent": "wenzheng"}
    try:
        client = httpx.Client(timeout=timeout, follow_redirects=True, headers=headers)
    except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
        # A proxy or certificate file named in the environment that cannot be used.
        raise SourceError(f"no connection can be set up: {named(error)}") from error
    with client:
        _require_answer(client, url)
        _download_all(client, url, draft, file, progress)
        if resumed and digest_of(draft, file, progress) != file.sha256:
            # The earlier part may be of another revision: begin again once.
            draft.unlink()
            _download_all(client, url, draft, file, progress)
    return draft


def _download_all(
    client: httpx.Client, url: str, draft: Path, file: ModelFile, progress: ProgressCallback | None
) -> None:
    """Fetch the whole of ``draft``, going on after a connection that broke off."""
    import httpx

    idle = 0
    for _ in range(_HUB_ATTEMPTS):
        start = size_of(draft)
        try:
            _download(client, url, draft, file, progress)
        except httpx.HTTPError as error:
            failure = SourceError(f"the download broke off: {named(error)}")
            failure.__cause__ = error
            idle = idle + 1 if size_of(draft) <= start else 0
            if idle == _HUB_IDLE_ATTEMPTS or not isinstance(error, httpx.TransportError):
                break
            time.sleep(_HUB_PAUSE_SECONDS)
        else:
            return
    raise failure


def _require_answer(client: httpx.Client, url: str) -> None:
    """Fail at once if the hub cannot be reached.

    The client's own time limits hold for each address of a name, and none holds for the name look-up: behind
    a firewall that drops packets they add up to minutes. Hence one limit over all of it, kept from outside.
    """
    outcome: list[Exception | None] = []

    def ask() -> None:
        try:
            client.head(url, follow_redirects=False)
            outcome.append(None)
        except Exception as error:  # noqa: BLE001 - carried over to the waiting thread
            outcome.append(error)

    thread = threading.Thread(target=ask, name="hub-probe", daemon=True)
    thread.start()
    thread.join(HUB_ANSWER_SECONDS)
    if not outcome:
        raise SourceError(f"no answer within {HUB_ANSWER_SECONDS:g} seconds")
    if outcome[0] is not None:
        raise SourceError(f"it cannot be reached: {named(outcome[0])}") from outcome[0]


def _download(
    client: httpx.Client, url: str, draft: Path, file: ModelFile, progress: ProgressCallback | None
) -> None:
    """Fetch what is missing of ``draft``; it is complete on return."""
    import httpx

    have = size_of(draft)
    if have > file.size:
        draft.unlink()
        have = 0
    if have == file.size:
        return
    with client.stream("GET", url, headers={"Range": f"bytes={have}-"} if have else {}) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            draft.unlink(missing_ok=True)
            raise SourceError("its file is shorter than the part that was fetched earlier")
        if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise SourceError(f"it answered {response.status_code} {response.reason_phrase}".strip())
        if response.status_code == httpx.codes.OK:
            have = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            draft.unlink(missing_ok=True)
            raise SourceError("it answered with another part of the file than was asked for")
        length = response.headers.get("Content-Length")
        if length is not None and length.isdigit() and have + int(length) != file.size:
            raise SourceError(f"it offers {have + int(length):,} bytes instead of {file.size:,}")
        require_space(draft.parent, file.size - have)
        meter = Meter(file, "download", httpx.URL(url).host, progress, done=have)
        with draft.open("ab" if have else "wb") as sink:
            # As they come: gathered into larger blocks, the last one would be lost when the line breaks.
            for block in response.iter_bytes():
                have += len(block)
                if have > file.size:
                    raise SourceError(f"it sends more than the expected {file.size:,} bytes")
                sink.write(block)
                meter.add(len(block))
    if have < file.size:
        raise httpx.ReadError(f"the answer ended after {have:,} of {file.size:,} bytes")
