"""A conversation as a file of one of the kinds that are offered, with its name and media type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from ui.conversations.records import Conversation
from ui.exporting import Format
from ui.exporting.markdown import to_markdown
from ui.exporting.outline import outline
from ui.exporting.page import to_html
from ui.exporting.word import to_docx
from ui.texts import Language

_MEDIA: Final[Mapping[Format, str]] = {
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
# What Windows forbids in names, and what would lead into another folder or hide what a file is.
_UNSAFE = re.compile(
    r'[\\/:*?"<>|%\x00-\x1f\x7f-\x9f]|[\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udfff]'
)


@dataclass(frozen=True, slots=True)
class Exported:
    """A file to be sent: its name, its media type, its bytes."""

    name: str
    media_type: str
    content: bytes

    @property
    def disposition(self) -> str:
        """The header that makes it a download, the name also for programs that know only ASCII (RFC 6266, 5987)."""
        kind = self.name.rpartition(".")[2]
        return f"attachment; filename=\"conversation.{kind}\"; filename*=UTF-8''{quote(self.name, safe='')}"


def exported(conversation: Conversation, kind: Format, language: Language) -> Exported:
    """The conversation as a file, headings in this language."""
    said = outline(conversation, language)
    content = (
        to_docx(said)
        if kind == "docx"
        else (to_markdown(said) if kind == "md" else to_html(said)).encode("utf-8")
    )
    return Exported(file_name(said.title, kind), _MEDIA[kind], content)


def file_name(title: str, kind: Format) -> str:
    """A name that every system takes."""
    stem = " ".join(_UNSAFE.sub(" ", title).split()).strip(". ")[:60].strip(". ")
    return f"{stem or 'conversation'}.{kind}"
