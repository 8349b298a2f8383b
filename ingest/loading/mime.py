"""MIME messages, as mail and saved web pages are stored: parsed, their headers decoded, their parts told apart."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from email.message import Message

from ingest.loading.names import decode_names
from ingest.messages import fault

_WORD = re.compile(r"=\?([\w.+-]{1,40})(?:\*[\w-]*)?\?([bBqQ])\?([^?]*)\?=")
_WORDS = re.compile(r"(?:=\?[\w.+-]{1,40}(?:\*[\w-]*)?\?[bBqQ]\?[^?]*\?=\s*)+")
_CHARSETS = {"gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "big5": "big5hkscs", "utf8": "utf-8"}


def parse_message(data: bytes, name: str) -> Message:
    """The message that the bytes are; broken ones as far as they go.

    :raises SourceDamaged: when it cannot be parsed, or its parts are nested too deep
    """
    from email.parser import BytesParser
    from email.policy import compat32

    try:
        return BytesParser(policy=compat32).parsebytes(data)
    except MemoryError:
        raise
    except RecursionError as error:
        raise fault("damaged", name, detail="its parts are nested too deep") from error
    except Exception as error:
        raise fault("damaged", name, detail="it is no readable MIME message") from error


def header(message: Message, key: str) -> str:
    """A header's text on one line, its encoded words decoded; empty where there is none."""
    for name, value in message.raw_items():
        if name.lower() == key.lower():
            return decode_header(str(value))
    return ""


def decode_header(value: str) -> str:
    """A header's raw value as text: RFC 2047 words, also those cut in mid-character, and bytes of no stated encoding."""
    value = re.sub(r"[\r\n]+[ \t]*", " ", value)
    raw = value.encode("utf-8", "surrogateescape")
    text = raw.decode("utf-8", "replace") if not _has_bytes(value) else decode_names([raw])[0]
    return " ".join(_WORDS.sub(_decoded_words, text).split())


def _has_bytes(value: str) -> bool:
    return any("\udc80" <= char <= "\udcff" for char in value)


def _decoded_words(match: re.Match[str]) -> str:
    # Neighbouring words of one encoding are joined as bytes: senders cut characters in two.
    runs: list[tuple[str, bytes]] = []
    for charset, kind, content in _WORD.findall(match.group()):
        data = _unpacked(content, kind)
        if runs and runs[-1][0] == charset.lower():
            runs[-1] = (charset.lower(), runs[-1][1] + data)
        else:
            runs.append((charset.lower(), data))
    end = " " if match.group()[-1:].isspace() else ""
    return "".join(_in_charset(data, charset) for charset, data in runs) + end


def _unpacked(content: str, kind: str) -> bytes:
    raw = content.encode("utf-8", "replace")
    if kind in "qQ":
        return quopri.decodestring(raw, header=True)
    raw = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    if len(raw) % 4 == 1:
        raw = raw[:-1]
    try:
        return base64.b64decode(raw + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return b""


def _in_charset(data: bytes, charset: str) -> str:
    for encoding in (_CHARSETS.get(charset, charset), "utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except (LookupError, ValueError):
            continue
    return data.decode("utf-8", "replace")


def payload(part: Message) -> bytes:
    """What a part that has no parts holds, its transfer encoding undone; empty where nothing can be made of it."""
    try:
        data = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        return b""
    return data if isinstance(data, bytes) else b""


def charset(part: Message) -> str | None:
    """The Python name of the encoding that a part names, None where it names none that is known."""
    import codecs

    try:
        label = part.get_content_charset()
        return codecs.lookup(label).name if label else None
    except (LookupError, ValueError, TypeError):
        return None


def attached_name(part: Message) -> str:
    """The file name that a part gives, decoded; empty where it gives none."""
    try:
        name = part.get_filename()
    except (LookupError, ValueError, TypeError, AttributeError):
        return ""
    return decode_header(name) if name else ""


def disposition(part: Message) -> str:
    """How a part wants to be shown: "inline", "attachment" or empty."""
    try:
        return (part.get_content_disposition() or "").lower()
    except (LookupError, ValueError, TypeError, AttributeError):
        return ""
