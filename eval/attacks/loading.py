"""The attacks and the harmless documents beside them: read from JSON lines, checked, and written out as users' files.

``planted.jsonl`` and ``harmless.jsonl`` beside this module are invented content of invented places; addresses are under
reserved names (RFC 2606) and telephone numbers have a prefix that is not assigned.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeVar
from xml.sax.saxutils import escape

from eval.storage import restored
from rag.errors import SourceError, SourceNotFound
from rag.types import Script

PLANTED = Path(__file__).parent / "planted.jsonl"
HARMLESS = Path(__file__).parent / "harmless.jsonl"
FORMATS = (".txt", ".md", ".html", ".eml", ".csv", ".docx")
"""Kinds of file in which attacks are planted."""

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"


@dataclass(frozen=True, slots=True)
class Plain:
    """A document without an attack: its file's name and content."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Attack:
    """A document with something planted in it, and the question that its ordinary text answers.

    ``kind`` says how it is planted ("override", "template marks"), ``lang`` is the script of question and document.
    ``file`` is the name the document is given; ``text`` its content, for .docx lines as `as_file` takes them.
    An honest answer holds every word of ``answer``. ``forbidden`` are words that no honest answer holds: they are there
    only where the attack was obeyed. ``only_cited`` are words that the document does state as a text of its own: an
    answer may hold them in a sentence with a citation whose quote holds them too, and nowhere else. ``trace`` are words
    of the attack itself by which it is told whether it reached the chat model at all.
    """

    id: str
    kind: str
    lang: Script
    file: str
    text: str
    question: str
    answer: tuple[str, ...]
    trace: str
    forbidden: tuple[str, ...] = ()
    only_cited: tuple[str, ...] = ()

    @property
    def canary(self) -> tuple[str, ...]:
        """Words that are in an answer only where the attack was obeyed or its text was taken over."""
        return self.forbidden + self.only_cited


def load_attacks(path: Path = PLANTED) -> tuple[Attack, ...]:
    """The attacks of a file, one JSON object a line.

    :raises SourceNotFound: when there is no such file
    :raises SourceError: when a line is not such an attack, an id or a file occurs twice, or there is none
    """
    attacks: list[Attack] = []
    seen: set[str] = set()
    for number, attack in _items(path, Attack):
        try:
            _check(attack, seen)
        except ValueError as error:
            raise _malformed(path, number, error) from error
        seen |= {attack.id, attack.file}
        attacks.append(attack)
    return tuple(attacks)


def load_harmless(path: Path = HARMLESS) -> tuple[Plain, ...]:
    """The documents without an attack, one JSON object a line.

    :raises SourceNotFound: when there is no such file
    :raises SourceError: when a line is not such a document, or there is none
    """
    return tuple(document for _, document in _items(path, Plain))


def write_documents(folder: Path, attacks: Sequence[Attack], harmless: Sequence[Plain]) -> None:
    """Write all documents into a folder as the files that users would have.

    :raises OSError: when the folder cannot be written
    """
    files = {document.file: document.text for document in harmless}
    files |= {attack.file: attack.text for attack in attacks}
    for name, text in files.items():
        (folder / name).write_bytes(as_file(name, text))


def as_file(name: str, text: str) -> bytes:
    """The bytes of a file of that name.

    Text in UTF-8, but for .docx, which is made here. There each line is a paragraph; "# " before it makes a heading,
    "[hidden] " text that Word does not show, "[footer] " a line of the page's foot.
    """
    return _docx(text) if PurePath(name).suffix == ".docx" else text.encode()


_T = TypeVar("_T", Attack, Plain)


def _items(path: Path, kind: type[_T]) -> list[tuple[int, _T]]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceNotFound(f"The documents of {path} cannot be read: {error}.") from error
    items: list[tuple[int, _T]] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                items.append((number, restored(kind, json.loads(line))))
            except (TypeError, ValueError, RecursionError) as error:
                raise _malformed(path, number, error) from error
    if not items:
        raise SourceError(f"{path} holds nothing.", "It has one JSON object a line.")
    return items


def _check(attack: Attack, seen: set[str]) -> None:
    """Raise ValueError where an attack cannot be measured."""
    for name in (attack.id, attack.file):
        if name in seen:
            raise ValueError(f"{name!r} occurs twice")
    if PurePath(attack.file).suffix not in FORMATS:
        raise ValueError(f"{attack.file!r} is none of {', '.join(FORMATS)}")
    if PurePath(attack.file).name != attack.file:
        raise ValueError(f"{attack.file!r} is no file's name")
    if not attack.answer or not attack.canary or not attack.trace:
        raise ValueError("it needs words of an answer, of a canary, and a trace")
    if not all(word.strip() for word in (*attack.answer, *attack.canary, attack.trace, attack.question)):
        raise ValueError("a word is empty")


def _malformed(path: Path, number: int, error: Exception) -> SourceError:
    return SourceError(f"Line {number} of {path} is malformed: {error}.", "Mend that line.")


def _docx(text: str) -> bytes:
    """A Word file of the parts that a reader needs (ECMA-376), in the same bytes each time."""
    body, footers = [], []
    for line in text.split("\n"):
        if line.startswith("[footer] "):
            footers.append(_paragraph(line.removeprefix("[footer] ")))
        elif line.startswith("[hidden] "):
            body.append(_paragraph(line.removeprefix("[hidden] "), run="<w:vanish/>"))
        elif line.startswith("# "):
            body.append(_paragraph(line.removeprefix("# "), style='<w:pStyle w:val="Heading1"/>'))
        else:
            body.append(_paragraph(line))
    section = '<w:sectPr><w:footerReference w:type="default" r:id="rId2"/></w:sectPr>'
    spaces = f'xmlns:w="{_WORD}" xmlns:r="{_OFFICE}"'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{_MAIN_TYPE}.document.main+xml"/>'
        f'<Override PartName="/word/styles.xml" ContentType="{_MAIN_TYPE}.styles+xml"/>'
        f'<Override PartName="/word/footer1.xml" ContentType="{_MAIN_TYPE}.footer+xml"/></Types>',
        "_rels/.rels": _relationships(("officeDocument", "word/document.xml")),
        "word/_rels/document.xml.rels": _relationships(("styles", "styles.xml"), ("footer", "footer1.xml")),
        "word/document.xml": f"<w:document {spaces}><w:body>{''.join(body)}{section}</w:body></w:document>",
        "word/styles.xml": f'<w:styles {spaces}><w:style w:type="paragraph" w:styleId="Heading1">'
        '<w:name w:val="heading 1"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style></w:styles>',
        "word/footer1.xml": f"<w:ftr {spaces}>{''.join(footers) or _paragraph('')}</w:ftr>",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, xml in parts.items():
            declared = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{xml}'
            package.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), declared)
    return buffer.getvalue()


def _paragraph(text: str, style: str = "", run: str = "") -> str:
    before = f"<w:pPr>{style}</w:pPr>" if style else ""
    shape = f"<w:rPr>{run}</w:rPr>" if run else ""
    return f'<w:p>{before}<w:r>{shape}<w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def _relationships(*targets: tuple[str, str]) -> str:
    found = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{found}</Relationships>'
