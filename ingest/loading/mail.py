"""Mail messages (.eml): subject, sender and date, then the body; attachments are files of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from email.utils import parsedate_to_datetime

from ingest.loading import markup, mime
from ingest.loading.archive import Member
from ingest.loading.blocks import Block, Limits, Parsed, Task
from ingest.loading.html import page_text
from ingest.loading.names import file_name, is_litter
from ingest.messages import fault
from rag.errors import SourceError
from rag.text import has_han
from rag.types import Note

_MEGABYTE = 2**20
_MOST_PARTS = 20_000
_LABELS = {
    "zh": (("From", "发件人："), ("To", "收件人："), ("Cc", "抄送："), ("Date", "日期：")),
    "en": (("From", "From: "), ("To", "To: "), ("Cc", "Cc: "), ("Date", "Date: ")),
}
_SIGNATURES = ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")
_LONGEST_ADDRESSES = 500
_ENDINGS = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/csv": ".csv",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
}
_WRAPPED = re.compile(r"[A-Za-z,'’)-]$")
_GOES_ON = re.compile(r"[a-z(]")
_WRAP_WIDTH = 55


def load(task: Task) -> Parsed:
    """Read a message's subject, sender, date and body; its attachments are given by `members`.

    :raises SourceEncrypted: when its body is encrypted
    :raises SourceDamaged: when it is no message
    :raises SourceEmpty: when it has neither subject nor body
    """
    if not task.data.strip():
        raise fault("empty", task.name)
    message = mime.parse_message(task.data, task.name)
    task.beat()
    if not any(message[key] for key in ("From", "Subject", "Date", "To", "Received", "MIME-Version")):
        raise fault("damaged", task.name, detail="it has no mail headers")
    _refuse_encrypted(message, task.name)
    try:
        return _read(message, task)
    except (SourceError, MemoryError):
        raise
    except Exception as error:
        raise fault("damaged", task.name, detail="its body cannot be read") from error


def members(data: bytes, name: str, limits: Limits) -> Iterator[Member]:
    """The attachments of a message, one at a time; attached messages as "subject.eml".

    Pictures that the text shows and signatures are skipped. An attachment over a limit is a member with an error.

    :raises SourceDamaged: when it is no message
    """
    return _attachments(mime.parse_message(data, name), name, limits)


def _attachments(message: Message, name: str, limits: Limits) -> Iterator[Member]:
    count = size = 0
    taken: set[str] = set()
    for part, related in _leaves(message):
        if not _is_attachment(part, related=related):
            continue
        inner = _attachment_name(part, count + 1, taken)
        if is_litter(inner):
            continue
        count += 1
        if count > limits.archive_files:
            yield Member(name, b"", fault("too_many_files", name, count=count, limit=limits.archive_files))
            return
        content = _content(part)
        size += len(content)
        if size > limits.archive_mb * _MEGABYTE:
            yield Member(name, b"", fault("archive_too_large", name, limit=limits.archive_mb))
            return
        if len(content) > limits.file_mb * _MEGABYTE:
            told = -(-len(content) // _MEGABYTE)
            yield Member(inner, b"", fault("too_large", inner, size=told, limit=limits.file_mb))
        elif not content:
            yield Member(inner, b"", fault("empty", inner))
        else:
            yield Member(inner, content)


def _leaves(message: Message) -> Iterator[tuple[Message, bool]]:
    """The parts that are no containers, in order, and whether each belongs to a text as its pictures do."""
    waiting = [(message, False)]
    for _ in range(_MOST_PARTS):
        if not waiting:
            return
        part, related = waiting.pop()
        inner = part.get_payload()
        if part.is_multipart() and part.get_content_maintype() == "multipart" and isinstance(inner, list):
            related = part.get_content_type() == "multipart/related"
            waiting += [(child, related) for child in reversed(inner) if isinstance(child, Message)]
        else:
            yield part, related


def _is_attachment(part: Message, *, related: bool = False) -> bool:
    kind = part.get_content_type()
    if kind in _SIGNATURES:
        return False
    shown = mime.disposition(part)
    if kind.startswith("message/"):
        return kind == "message/rfc822"
    named_in_text = part["Content-ID"] and (related or shown != "attachment")
    if kind.startswith("image/") and (shown == "inline" or named_in_text):
        return False
    if shown == "attachment":
        return True
    named = bool(mime.attached_name(part))
    return (
        named
        if part.get_content_maintype() == "text"
        else named or part.get_content_maintype() == "application"
    )


def _attachment_name(part: Message, number: int, taken: set[str]) -> str:
    kind = part.get_content_type()
    name = mime.attached_name(part)
    if kind == "message/rfc822":
        inner = part.get_payload()
        attached = inner[0] if isinstance(inner, list) and inner else None
        subject = mime.header(attached, "Subject") if isinstance(attached, Message) else ""
        name = name or re.sub(r'[\\/:*?"<>|]', "_", subject) or f"message {number}"
        name = name if name.lower().endswith(".eml") else f"{name}.eml"
    name = file_name(name, f"attachment {number}{_ENDINGS.get(kind, '')}")
    unique, again = name, 2
    while unique in taken:
        stem, dot, ending = name.rpartition(".")
        unique, again = (f"{stem} ({again}){dot}{ending}" if stem else f"{name} ({again})"), again + 1
    taken.add(unique)
    return unique


def _content(part: Message) -> bytes:
    if part.get_content_type() != "message/rfc822":
        return mime.payload(part)
    inner = part.get_payload()
    attached = inner[0] if isinstance(inner, list) and inner else None
    if not isinstance(attached, Message):
        return mime.payload(part)
    try:
        return attached.as_bytes()
    except Exception:  # noqa: BLE001 - a broken message cannot always be written out again; it is told as empty
        return b""


def _refuse_encrypted(message: Message, name: str) -> None:
    kind = message.get_content_type()
    enveloped = kind in ("application/pkcs7-mime", "application/x-pkcs7-mime") and (
        str(message.get_param("smime-type") or "enveloped-data").lower() != "signed-data"
    )
    if enveloped or kind == "multipart/encrypted":
        raise fault("encrypted", name)


def _read(message: Message, task: Task) -> Parsed:
    subject = mime.header(message, "Subject")
    body, encoding, hidden = _body(message, task)
    if not subject and not body:
        raise fault("no_text", task.name)
    chinese = has_han(subject) or any(has_han(block.text) for block in body[:200])
    blocks = [Block(subject, "heading", 1)] if subject else []
    about = [
        f"{label}{text[:_LONGEST_ADDRESSES]}"
        for key, label in _LABELS["zh" if chinese else "en"]
        if (text := mime.header(message, key))
    ]
    if about:
        blocks.append(Block("  ".join(about)))
    return Parsed(
        tuple(blocks + body),
        title=subject or None,
        published=_date(message),
        encoding=encoding,
        notes=(Note("hidden_text", str(hidden)),) if hidden else (),
    )


def _date(message: Message) -> str | None:
    try:
        return parsedate_to_datetime(mime.header(message, "Date")).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _body(message: Message, task: Task) -> tuple[list[Block], str, int]:
    """The blocks of the message's own text, its encoding, and how many hidden elements were left out."""
    blocks: list[Block] = []
    encoding, hidden = "", 0
    for part in _shown(message):
        data = mime.payload(part)
        if not data.strip():
            continue
        task.beat()
        text, encoding = page_text(data, task.name, mime.charset(part))
        if part.get_content_type() == "text/plain":
            blocks += _lines(text, flowed=str(part.get_param("format") or "").lower() == "flowed")
            continue
        root = markup.parse(text)
        if root is None:
            blocks += markup.stripped(text)
            continue
        hidden += markup.drop_hidden(root)
        # A letter's HTML is all letter: there is no site around it to be taken off.
        blocks += markup.blocks(
            markup.pieces(root, task.name, most_rows=task.limits.table_rows, beat=task.beat)
        )
    return blocks, encoding, hidden


def _shown(message: Message) -> Iterator[Message]:
    """The parts that make up the text: of alternatives the plain one, else the HTML."""
    waiting = [message]
    for _ in range(_MOST_PARTS):
        if not waiting:
            return
        part = waiting.pop()
        inner = part.get_payload()
        kind = part.get_content_type()
        if part.is_multipart() and isinstance(inner, list):
            children = [child for child in inner if isinstance(child, Message)]
            if kind == "multipart/alternative":
                waiting += _best(children)
            elif kind.startswith("multipart/"):
                waiting += reversed(children)
        elif kind in ("text/plain", "text/html") and not _is_attachment(part):
            yield part


def _best(children: list[Message]) -> list[Message]:
    for child in children:
        if child.get_content_type() == "text/plain" and mime.payload(child).strip():
            return [child]
    texts = [child for child in children if child.get_content_type() == "text/html" or child.is_multipart()]
    return texts[-1:]


def _lines(text: str, *, flowed: bool) -> list[Block]:
    """A plain body's lines, those joined that were broken only because they were too wide."""
    joined: list[str] = []
    soft = False
    for raw in text.splitlines():
        goes_on = soft and bool(raw.strip()) and (flowed or _GOES_ON.match(raw) is not None)
        if goes_on:
            joined[-1] = f"{joined[-1].rstrip()} {raw}" if not has_han(raw) else joined[-1].rstrip() + raw
        else:
            joined.append(raw)
        soft = _is_broken(raw, flowed=flowed)
    return [Block(line) for raw in joined if (line := markup.one_line(raw))]


def _is_broken(line: str, *, flowed: bool) -> bool:
    """Whether a line ends only because it was too wide; the next may go on with it."""
    if flowed:
        return line.endswith(" ") and line != "-- " and bool(line.strip())
    return (
        len(line) >= _WRAP_WIDTH
        and _WRAPPED.search(line) is not None
        and not line.startswith(">")
        and not has_han(line)
    )
