"""Office files and books that are ZIP packages: opened only after a look at what they hold.

`open_package` refuses what is encrypted, has macros, declares XML entities or unpacks to far too much; `read_member`
reads a part with a bound that does not depend on what the package's directory claims.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ingest.loading.blocks import Task
from ingest.messages import fault
from rag.errors import SourceError

if TYPE_CHECKING:
    import olefile
    from lxml import etree

MEGABYTE = 2**20
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SUSPECT_MEMBER = 10 * MEGABYTE
"""Unpacked size from which a member's ratio of compression is looked at; below it no harm is done."""
_LARGEST_PART_MB = 48
"""Of an XML part that becomes a tree, which takes some fifteen times as much memory."""
_STRICT_NAMESPACES = tuple(
    (f"http://purl.oclc.org/ooxml/{strict}".encode(), f"http://schemas.openxmlformats.org/{usual}".encode())
    for strict, usual in (
        ("wordprocessingml/main", "wordprocessingml/2006/main"),
        ("officeDocument/relationships", "officeDocument/2006/relationships"),
        ("spreadsheetml/main", "spreadsheetml/2006/main"),
    )
)
"""Files saved as "Strict Open XML" name the same elements otherwise."""
_PROLOGUE = 64 * 1024
"""Bytes of an XML part in which its document type must stand if it has one."""
_XML_NAMES = (".xml", ".rels", ".xhtml", ".html", ".htm", ".opf", ".ncx", ".vml", ".svg", ".rdf")
_MACRO_MEMBER = re.compile(
    r"(?:^|/)vbaproject(?:signature)?\w*\.bin$|(?:^|/)xl/macrosheets/.|^basic/.+|^scripts/.+\.(?!xml$)\w+$"
)
_MACRO_TYPE = re.compile(
    rb"macroenabled|ms-office\.vbaproject|excel\.macrosheet|intlmacrosheet", re.IGNORECASE
)
_COMMENT = re.compile(rb"<!--.*?(?:-->|$)", re.DOTALL)
_ROOT = re.compile(rb"<[^!?\s]")
_SUPPORTED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

UNPACKING_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    LookupError,
)
"""What `zipfile` raises for damaged members; NotImplementedError is its own word for a compression it does not know."""


def open_package(task: Task) -> zipfile.ZipFile:
    """The ZIP package that a file is, checked so that an office library may be let loose on it.

    :raises SourceEncrypted: when it, or a part of it, needs a password
    :raises SourceUnsupported: when it is an old Office file under a new name
    :raises SourceUnsafe: when it has macros or XML entities, or unpacks to far more than it holds
    :raises SourceTooLarge: when it holds more parts than the limit
    :raises SourceDamaged: when it is no ZIP, or its parts cannot be unpacked
    """
    if task.data.startswith(OLE_MAGIC):
        _refuse_ole(task)
    if not task.data:
        raise fault("empty", task.name)
    try:
        package = zipfile.ZipFile(io.BytesIO(task.data))
    except Exception as error:  # a damaged directory raises errors of many kinds
        raise fault("damaged", task.name, detail="it is no complete ZIP package") from error
    _check_directory(package, task)
    _check_parts(package, task)
    return package


def read_member(package: zipfile.ZipFile, name: str, limit: int, *, called: str = "") -> bytes:
    """A part of a package, at most ``limit`` bytes of it unpacked, whatever the directory says.

    :param called: what to call the file in an error, the part's name when left out
    :raises SourceUnsafe: when it unpacks to more
    :raises SourceEncrypted: when it needs a password
    :raises SourceDamaged: when it is missing or cannot be unpacked
    """
    called = called or name
    try:
        info = package.getinfo(name)
    except KeyError as error:
        raise fault("damaged", called, detail=f"its part {_shown(name)} is missing") from error
    if info.flag_bits & 0x1:
        raise fault("encrypted", called)
    try:
        with package.open(info) as part:
            data = part.read(limit + 1)
    except UNPACKING_ERRORS as error:
        raise fault("damaged", called, detail=f"its part {_shown(name)} cannot be unpacked") from error
    if len(data) > limit:
        raise fault("bomb", called, detail=f"{_shown(name)} > {max(1, limit // MEGABYTE)} MB")
    return data


def xml_part(package: zipfile.ZipFile, name: str, task: Task) -> etree._Element:
    """A part of a package as an XML tree, without entities and without reaching for the network.

    :raises SourceTooLarge: when it is too large for a tree
    :raises SourceDamaged: when it is missing or no XML
    """
    from lxml import etree

    if name in package.NameToInfo and package.getinfo(name).file_size > _LARGEST_PART_MB * MEGABYTE:
        raise fault("archive_too_large", task.name, limit=_LARGEST_PART_MB)
    data = read_member(package, name, _LARGEST_PART_MB * MEGABYTE, called=task.name)
    for strict, usual in _STRICT_NAMESPACES:
        data = data.replace(strict, usual)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise fault("damaged", task.name, detail=f"its part {_shown(name)} is no XML") from error


@dataclass(frozen=True, slots=True)
class Relation:
    """A reference from one part of an Office package to another: its id, the last word of its type, the part."""

    identifier: str
    kind: str
    target: str


def relations(package: zipfile.ZipFile, part: str, task: Task) -> tuple[Relation, ...]:
    """The parts of the package that a part refers to; ``part`` is "" for the package itself.

    :raises SourceDamaged: when the list of them is no XML
    """
    folder, name = posixpath.split(part)
    path = posixpath.join(folder, "_rels", f"{name}.rels")
    if path not in package.NameToInfo:
        return ()
    return tuple(
        Relation(
            element.get("Id", ""),
            element.get("Type", "").rsplit("/", 1)[-1],
            posixpath.normpath(posixpath.join("/", folder, unquote(element.get("Target", "")))).lstrip("/"),
        )
        for element in xml_part(package, path, task).iter("{*}Relationship")
        if element.get("TargetMode") != "External"
    )


def property_title(package: zipfile.ZipFile, part: str, task: Task) -> str | None:
    """The title among a package's properties, where it is plausible. Broken properties are as good as none."""
    if part not in package.NameToInfo:
        return None
    try:
        tree = xml_part(package, part, task)
    except SourceError:
        return None
    title = tree.find(".//{http://purl.org/dc/elements/1.1/}title")
    return None if title is None else plausible_title(title.text, task.name)


def plausible_title(title: str | None, file_name: str) -> str | None:
    """The title that a file's properties give, None where it is a template's, a program's or the file's own name."""
    title = " ".join((title or "").split())
    if not 2 <= len(title) <= 200 or not re.search(r"[^\W\d_]{2}", title):
        return None
    if _TEMPLATE_TITLE.search(title) or re.search(
        r"\.(?:docx?|xlsx?|pptx?|wps|et|dps|od[tsp]|rtf|pdf|dotx?|txt)$", title, re.I
    ):
        return None
    stem = file_name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return None if title == stem else title


_TEMPLATE_TITLE = re.compile(
    r"^(?:microsoft\s|wps\s|untitled|no title|document\d*$|presentation\d*$|powerpoint|slide \d+$|word document"
    r"|无标题|無標題|未命名|新建\s*(?:microsoft|wps|doc|xls|ppt|文本|文档|文件|工作表)|幻灯片\s*\d+$|投影片\s*\d+$|演示文稿\s*\d*$|文档\s*\d*$|文件\s*\d+$|文檔\s*\d*$|工作簿\s*\d*$"
    r"|标题$|標題$|主标题|单击此处|按一下|点击此处)",
    re.IGNORECASE,
)


def open_ole(task: Task) -> olefile.OleFileIO:
    """An OLE file (the container of old Office files and of encrypted new ones).

    :raises SourceDamaged: when it cannot be opened
    """
    import olefile

    try:
        return olefile.OleFileIO(io.BytesIO(task.data))
    except Exception as error:  # the parser meets damaged files with errors of many kinds
        raise fault("damaged", task.name, detail="its OLE container cannot be read") from error


def ole_streams(ole: olefile.OleFileIO, task: Task) -> list[str]:
    """The paths of the streams and storages of an OLE file, joined by "/".

    :raises SourceDamaged: when its directory cannot be read
    """
    try:
        return ["/".join(path) for path in ole.listdir(streams=True, storages=True)]
    except Exception as error:  # the parser meets damaged files with errors of many kinds
        raise fault("damaged", task.name, detail="its OLE directory cannot be read") from error


def _refuse_ole(task: Task) -> None:
    with open_ole(task) as ole:
        names = {name.lower() for name in ole_streams(ole, task)}
    if "encryptedpackage" in names:
        raise fault("encrypted", task.name)
    raise fault("not_its_kind", task.name, detail="it is an old Office file (.doc, .xls, .ppt)")


def _check_directory(package: zipfile.ZipFile, task: Task) -> None:
    """What the directory alone tells."""
    members = package.infolist()
    if not members:
        raise fault("damaged", task.name, detail="its package is empty")
    limits = task.limits
    if len(members) > limits.archive_files:
        raise fault("too_many_files", task.name, count=len(members), limit=limits.archive_files)
    total = 0
    for member in members:
        if member.flag_bits & 0x1:
            raise fault("encrypted", task.name)
        if not member.is_dir() and _is_macro(member.filename):
            raise fault("macros", task.name)
        total += member.file_size
        if member.file_size > _SUSPECT_MEMBER and member.file_size > limits.archive_ratio * max(
            1, member.compress_size
        ):
            raise fault("bomb", task.name, detail=f"1:{member.file_size // max(1, member.compress_size)}")
    if total > limits.archive_mb * MEGABYTE:
        raise fault("bomb", task.name, detail=f"> {limits.archive_mb} MB")


def _is_macro(name: str) -> bool:
    path = name.replace("\\", "/").lower()
    # An office program leaves the list of its empty Basic libraries in files without macros.
    return bool(_MACRO_MEMBER.search(path)) and not re.search(r"(?:script|dialog)-l[bc]\.xml$", path)


def _check_parts(package: zipfile.ZipFile, task: Task) -> None:
    """What the parts hold: each is unpacked in small pieces, so that a false size is found before a library trusts it."""
    book = _is_book(package, task)
    total = 0
    for member in package.infolist():
        if member.is_dir():
            continue
        if member.compress_type not in _SUPPORTED:
            raise fault(
                "damaged", task.name, detail=f"its part {_shown(member.filename)} is packed in an unknown way"
            )
        name = member.filename.lower()
        start, size = _measure(package, member, task, task.limits.archive_mb * MEGABYTE - total)
        total += size
        task.beat()
        if name.endswith(_XML_NAMES) or name in ("mimetype", ""):
            _check_xml(start, task, doctype=book)
        if name == "[content_types].xml" and _MACRO_TYPE.search(_narrow(start)):
            raise fault("macros", task.name)
        if name == "meta-inf/manifest.xml" and b"encryption-data" in _narrow(start):
            raise fault("encrypted", task.name)


def _measure(package: zipfile.ZipFile, member: zipfile.ZipInfo, task: Task, left: int) -> tuple[bytes, int]:
    """The first bytes of a member and its true size."""
    most = min(left, max(_SUSPECT_MEMBER, task.limits.archive_ratio * max(1, member.compress_size)))
    size = 0
    try:
        with package.open(member) as part:
            start = part.read(_PROLOGUE)
            size = len(start)
            while piece := part.read(MEGABYTE):
                size += len(piece)
                if size > most:
                    raise fault(
                        "bomb", task.name, detail=f"{_shown(member.filename)} > {most // MEGABYTE} MB"
                    )
    except UNPACKING_ERRORS as error:
        raise fault(
            "damaged", task.name, detail=f"its part {_shown(member.filename)} cannot be unpacked"
        ) from error
    return start, size


def _check_xml(start: bytes, task: Task, *, doctype: bool) -> None:
    text = _COMMENT.sub(b"", _narrow(start))
    # A document type behind a comment that fills the sample would not be seen, so a root element must be.
    unseen = len(start) >= _PROLOGUE and not _ROOT.search(text)
    if unseen or b"<!ENTITY" in text or (b"<!DOCTYPE" in text and not doctype):
        raise fault("entities", task.name)


def _narrow(data: bytes) -> bytes:
    """The ASCII letters of text in UTF-8, UTF-16 or UTF-32."""
    return data.replace(b"\x00", b"") if b"\x00" in data else data


def _is_book(package: zipfile.ZipFile, task: Task) -> bool:
    if "mimetype" not in package.namelist():
        return False
    return read_member(package, "mimetype", MEGABYTE, called=task.name).strip() == b"application/epub+zip"


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")[:80]
