"""ZIP archives: the files inside, one at a time, with archives in archives and a bound on all that they unpack to."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.loading.blocks import Limits
from ingest.loading.names import decode_names, is_litter, leads_out, tidy_path
from ingest.loading.packages import UNPACKING_ERRORS
from ingest.messages import fault
from rag.errors import SourceError

_MEGABYTE = 2**20
_PIECE = 256 * 1024
_SUSPECT = 10 * _MEGABYTE
"""Unpacked size from which the ratio of compression is looked at; below it no harm is done."""
_UNICODE_PATH = 0x7075
_ENCRYPTED = 0x1
_UTF8 = 0x800
_LINK = 0o120000
_TYPE = 0o170000
_UNIX = (3, 19)
"""Systems whose upper 16 bits of the attributes are a Unix mode: Unix and macOS."""
_LOCAL_HEADER = 30
_OFFICE = re.compile(r"^(?:\[Content_Types\]\.xml|mimetype|META-INF/(?:manifest|container)\.xml)$")


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside another: its path in it, and its bytes, or why there are none."""

    name: str
    data: bytes
    error: SourceError | None = None


@dataclass(slots=True)
class _Budget:
    """What is left for all that one file unpacks to, archives in archives included."""

    files: int
    size: int
    packed: int
    spent: int = 0


class _Stopped(Exception):
    def __init__(self, error: SourceError) -> None:
        self.error = error


def is_archive(data: bytes) -> bool:
    """Whether the bytes are a ZIP archive of files, and not an Office file or a book in ZIP form."""
    if not data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK\x03\x04")):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return not any(_OFFICE.match(name) for name in package.namelist())
    except UNPACKING_ERRORS:
        # A damaged one is told from a damaged Office file by its first entry.
        return _OFFICE.match(data[_LOCAL_HEADER:80].split(b".xml")[0].decode("latin-1") + ".xml") is None


def members(data: bytes, name: str, limits: Limits) -> Iterator[Member]:
    """The files inside an archive in its order, one in memory at a time; those of archives inside as "inner.zip/a.txt".

    Folders, hidden files and what operating systems leave behind are skipped. A file that cannot be had, and an
    archive inside that cannot be opened, is a member with an error; the others go on. Where a limit for the whole is
    reached, the last member's error says so and nothing follows.

    :raises SourceDamaged: when the archive's directory cannot be read
    :raises SourceUnsafe: when its entries share their bytes, as in files made to exhaust a machine
    :raises SourceTooLarge: when it holds more files than the limit
    """
    budget = _Budget(limits.archive_files, limits.archive_mb * _MEGABYTE, len(data))
    package = _opened(data, name, budget, limits)
    return _safely(package, name, limits, budget)


def _safely(package: zipfile.ZipFile, name: str, limits: Limits, budget: _Budget) -> Iterator[Member]:
    try:
        yield from _walk(package, "", 1, limits, budget, name)
    except _Stopped as stopped:
        yield Member(name, b"", stopped.error)


def _opened(data: bytes, name: str, budget: _Budget, limits: Limits) -> zipfile.ZipFile:
    if not data:
        raise fault("empty", name)
    try:
        package = zipfile.ZipFile(io.BytesIO(data))
        entries = package.infolist()
        overlapping = _overlap(entries, package.start_dir)
    except UNPACKING_ERRORS as error:
        raise fault("damaged", name, detail="its directory of files cannot be read") from error
    if overlapping:
        raise fault("bomb", name, detail="its entries share their bytes")
    count = sum(not entry.is_dir() for entry in entries)
    if count > budget.files:
        raise fault("too_many_files", name, count=count, limit=limits.archive_files)
    budget.files -= count
    return package


def _overlap(entries: Sequence[zipfile.ZipInfo], directory: int) -> bool:
    """Whether entries lie over each other or over the directory: the bomb that needs no archives in archives."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            return True
        end = entry.header_offset + _LOCAL_HEADER + entry.compress_size
    return end > directory


def _walk(
    package: zipfile.ZipFile, prefix: str, depth: int, limits: Limits, budget: _Budget, archive: str
) -> Iterator[Member]:
    entries = package.infolist()
    for entry, path in zip(entries, _names(entries), strict=True):
        if is_litter(path) or path.endswith("/") or entry.filename.endswith(("/", "\\")):
            continue
        name = prefix + path.lstrip("/")
        try:
            _check(entry, path, name)
            data = _unpacked(package, entry, name, limits, budget, archive)
        except SourceError as error:
            yield Member(name, b"", error)
            continue
        if not is_archive(data):
            yield Member(name, data)
            continue
        try:
            if depth >= limits.archive_depth:
                raise fault("too_deep", name, limit=limits.archive_depth)
            inner = _opened(data, name, budget, limits)
        except SourceError as error:
            yield Member(name, b"", error)
            continue
        del data
        yield from _walk(inner, f"{name}/", depth + 1, limits, budget, archive)


def _check(entry: zipfile.ZipInfo, path: str, name: str) -> None:
    if leads_out(path):
        raise fault("traversal", name)
    mode = entry.external_attr >> 16
    if entry.create_system in _UNIX and mode & _TYPE == _LINK:
        raise fault("link", name)
    if entry.flag_bits & _ENCRYPTED:
        raise fault("encrypted", name)


def _unpacked(
    package: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, limits: Limits, budget: _Budget, archive: str
) -> bytes:
    """A member's bytes, counted as they come: what the directory says of its size is not believed."""
    most = limits.file_mb * _MEGABYTE
    densest = max(_SUSPECT, limits.archive_ratio * max(entry.compress_size, 1))
    total_densest = max(_SUSPECT, limits.archive_ratio * max(budget.packed, 1))
    pieces: list[bytes] = []
    size = 0
    try:
        with package.open(entry) as member:
            while piece := member.read(_PIECE):
                size += len(piece)
                budget.spent += len(piece)
                if budget.spent > total_densest:
                    raise _Stopped(
                        fault("bomb", archive, detail=f"1:{budget.spent // max(budget.packed, 1)}")
                    )
                if budget.spent > budget.size:
                    raise _Stopped(fault("archive_too_large", archive, limit=limits.archive_mb))
                if size > densest:
                    raise fault("bomb", name, detail=f"1:{size // max(entry.compress_size, 1)}")
                if size > most:
                    told = max(entry.file_size, size)
                    raise fault("too_large", name, size=-(-told // _MEGABYTE), limit=limits.file_mb)
                pieces.append(piece)
    except UNPACKING_ERRORS as error:
        if "assword" in str(error) or "encrypt" in str(error):
            raise fault("encrypted", name) from error
        raise fault("damaged", name, detail="it cannot be unpacked") from error
    return b"".join(pieces)


def _names(entries: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The entries' paths with "/" between the parts."""
    certain = [_certain_name(entry) for entry in entries]
    raws = [
        # What has no flag, zipfile reads as code page 437, which gives the bytes back.
        entry.orig_filename.encode("cp437", "replace")
        for entry, name in zip(entries, certain, strict=True)
        if name is None
    ]
    guessed = iter(decode_names(raws))
    return [tidy_path(name if name is not None else next(guessed)) for name in certain]


def _certain_name(entry: zipfile.ZipInfo) -> str | None:
    if entry.flag_bits & _UTF8:
        return entry.orig_filename
    extra = entry.extra
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        field = extra[4 : 4 + length]
        if kind == _UNICODE_PATH and len(field) > 5 and field[0] == 1:
            # The field holds the checksum of the name that it replaces: a later renaming makes it void.
            named = zlib.crc32(entry.orig_filename.encode("cp437", "replace"))
            if struct.unpack("<L", field[1:5])[0] == named:
                return field[5:].decode("utf-8", "replace")
        extra = extra[4 + length :]
    return None
