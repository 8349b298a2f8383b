"""Plain text: decoded and left whole; its structure is read from its lines later."""

from __future__ import annotations

from ingest.decoding import decode
from ingest.loading.blocks import Parsed, Task


def load(task: Task) -> Parsed:
    """A text file's text and the name of its character encoding.

    :raises SourceUndecodable: when no encoding gives readable text
    :raises SourceUnsupported: when the bytes are no text
    """
    decoded = decode(task.data, task.name)
    return Parsed(blocks=(), text=decoded.text, encoding=decoded.encoding)
