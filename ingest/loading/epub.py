"""Electronic books (.epub): the chapters in reading order, without covers and tables of contents."""

from __future__ import annotations

import posixpath
import re
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ingest.loading import markup
from ingest.loading.blocks import Block, Parsed, Task
from ingest.loading.html import page_text
from ingest.loading.packages import open_package, read_member
from ingest.messages import fault
from rag.errors import SourceError
from rag.types import Note

if TYPE_CHECKING:
    from lxml.etree import _Element

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_MOST_CHAPTER = 64 * 2**20
_MOST_INDEX = 16 * 2**20
_MOST_CHAPTERS = 20_000
_TEXTS = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document")
_FONT_SCRAMBLING = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_FULL_DATE = re.compile(r"(?:19|20)\d\d(?:-\d\d(?:-\d\d)?)?")
_CONTENTS_NAME = re.compile(r"(?:^|[/_-])(?:nav|toc|cover|titlepage)\.x?html?$", re.IGNORECASE)


def load(task: Task) -> Parsed:
    """Read a book's chapters in their order.

    :raises SourceEncrypted: when its chapters are encrypted
    :raises SourceDamaged: when its index or all its chapters are missing
    :raises SourceUnsafe: when it unpacks to far more than it holds
    :raises SourceEmpty: when its chapters show no text
    """
    with open_package(task) as package:
        try:
            return _read(package, task)
        except (SourceError, MemoryError):
            raise
        except Exception as error:
            raise fault("damaged", task.name, detail="its chapters cannot be read") from error


def _read(package: zipfile.ZipFile, task: Task) -> Parsed:
    names = set(package.namelist())
    index_name = _index_name(package, names, task)
    index = _xml(read_member(package, index_name, _MOST_INDEX), task)
    folder = posixpath.dirname(index_name)
    locked = _locked(package, names, task)
    blocks: list[Block] = []
    missing: list[str] = []
    hidden = 0
    for chapter in _chapters(index, folder)[:_MOST_CHAPTERS]:
        if chapter in locked:
            raise fault("encrypted", task.name)
        if chapter not in names:
            missing.append(posixpath.basename(chapter))
            continue
        data = read_member(package, chapter, _MOST_CHAPTER)
        root = _chapter(data, task)
        task.beat()
        if root is None:
            blocks += markup.stripped(page_text(data, task.name)[0]) if data.strip() else []
            continue
        hidden += markup.drop_hidden(root)
        _drop_contents(root)
        blocks += markup.blocks(
            markup.pieces(root, task.name, most_rows=task.limits.table_rows, beat=task.beat)
        )
    if not blocks:
        if missing:
            raise fault("damaged", task.name, detail="its chapters are missing")
        raise fault("no_text", task.name)
    notes = [Note("hidden_text", str(hidden))] if hidden else []
    if missing:
        notes.append(Note("truncated", ", ".join(missing[:10])))
    return Parsed(
        tuple(blocks),
        title=_stated(index, "title"),
        published=_published(index),
        issuer=_stated(index, "publisher"),
        notes=tuple(notes),
    )


def _index_name(package: zipfile.ZipFile, names: set[str], task: Task) -> str:
    if _CONTAINER in names:
        container = _xml(read_member(package, _CONTAINER, _MOST_INDEX), task)
        for element in container.iter("{*}rootfile"):
            path = unquote((element.get("full-path") or "").lstrip("/"))
            if path in names:
                return path
    # Without it the only index there is will be the one meant.
    found = sorted(name for name in names if name.lower().endswith(".opf"))
    if not found:
        raise fault("damaged", task.name, detail="its index is missing")
    return found[0]


def _xml(data: bytes, task: Task) -> _Element:
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise fault("damaged", task.name, detail="its index cannot be read") from error
    if root is None:
        raise fault("damaged", task.name, detail="its index cannot be read")
    return root


def _locked(package: zipfile.ZipFile, names: set[str], task: Task) -> set[str]:
    """The parts that are encrypted; fonts that are only scrambled are not."""
    if _ENCRYPTION not in names:
        return set()
    locked: set[str] = set()
    for entry in _xml(read_member(package, _ENCRYPTION, _MOST_INDEX), task).iter("{*}EncryptedData"):
        methods = [method.get("Algorithm") or "" for method in entry.iterchildren("{*}EncryptionMethod")]
        if any(method in _FONT_SCRAMBLING for method in methods):
            continue
        locked.update(unquote(reference.get("URI") or "") for reference in entry.iter("{*}CipherReference"))
    return locked


def _chapters(index: _Element, folder: str) -> list[str]:
    """The paths of the chapters in reading order, without the book's navigation."""
    manifest = {}
    for item in index.iter("{*}item"):
        kind = (item.get("media-type") or "").lower()
        properties = (item.get("properties") or "").split()
        if kind in _TEXTS and "nav" not in properties:
            path = posixpath.normpath(posixpath.join(folder, unquote(item.get("href") or "").split("#")[0]))
            manifest[item.get("id") or ""] = path
    contents = {
        posixpath.normpath(posixpath.join(folder, unquote(item.get("href") or "").split("#")[0]))
        for item in index.iter("{*}reference")
        if (item.get("type") or "").lower() in ("toc", "cover")
    }
    spine = [
        manifest[key] for item in index.iter("{*}itemref") if (key := item.get("idref") or "") in manifest
    ]
    order = list(dict.fromkeys(spine or manifest.values()))
    chapters = [path for path in order if path not in contents and not _CONTENTS_NAME.search(path)]
    return chapters or order


def _chapter(data: bytes, task: Task) -> _Element | None:
    """A chapter's tree: as XML, which it should be, else as whatever HTML it is."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return markup.parse(page_text(data, task.name)[0])
    # An entity that only a document type would explain is left as a node of its own: HTML knows the usual ones.
    if any(True for _ in root.iter(etree.Entity)):
        return markup.parse(page_text(data, task.name)[0])
    return root


def _drop_contents(root: _Element) -> None:
    for element in list(root.iter("{*}nav")):
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)


def _stated(index: _Element, name: str) -> str | None:
    for element in index.iter(f"{{*}}{name}"):
        if text := markup.one_line("".join(element.itertext())):
            return text[:200]
    return None


def _published(index: _Element) -> str | None:
    """The date of publication: not that of the file's last change."""
    dates = [
        (element, text) for element in index.iter("{*}date") if (text := "".join(element.itertext()).strip())
    ]
    for element, text in sorted(dates, key=lambda date: _event(date[0]) != "publication"):
        match = _FULL_DATE.match(text)
        if match and _event(element) in ("publication", "original-publication", ""):
            return match.group()
    return None


def _event(element: _Element) -> str:
    return next((value.lower() for key, value in element.attrib.items() if str(key).endswith("event")), "")
