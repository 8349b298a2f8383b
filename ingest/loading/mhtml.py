"""Web pages saved with their pictures in one file (.mht, .mhtml): the page is read, the rest left alone."""

from __future__ import annotations

from email.message import Message

from ingest.loading import mime
from ingest.loading.blocks import Parsed, Task
from ingest.loading.html import page_text, read_page
from ingest.messages import fault

_PAGES = ("text/html", "application/xhtml+xml")


def load(task: Task) -> Parsed:
    """Read the page of a saved web page as `ingest.loading.html` does.

    :raises SourceDamaged: when it holds no page
    :raises SourceEmpty: when the page shows no text
    :raises SourceUndecodable: when no encoding gives readable text
    """
    if not task.data.strip():
        raise fault("empty", task.name)
    message = mime.parse_message(task.data.lstrip(), task.name)
    task.beat()
    part = _root(message)
    if part is None:
        raise fault("damaged", task.name, detail="it holds no web page")
    data = mime.payload(part)
    if not data.strip():
        raise fault("no_text", task.name)
    text, encoding = page_text(data, task.name, mime.charset(part))
    return read_page(text, encoding, task)


def _root(message: Message) -> Message | None:
    """The part that the file names as its start, else its first page."""
    parts = [part for part in message.walk() if part.get_content_type() in _PAGES]
    start = message.get_param("start")
    if isinstance(start, str) and start:
        for part in parts:
            if mime.header(part, "Content-ID").strip("<> ") == start.strip("<> "):
                return part
    return parts[0] if parts else None
