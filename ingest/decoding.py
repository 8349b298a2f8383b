"""Bytes to text: the encoding is taken from a byte-order mark, else from what decodes and reads like language."""

from __future__ import annotations

import codecs
import functools
import re
from dataclasses import dataclass

from ingest.messages import fault

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 200_000
"""Bytes looked at to choose an encoding; the whole file must then decode in it."""
_LEAST_SCORE = 0.5
_LEAST_LEGACY_SCORE = 0.82
"""For longer texts in GB18030 or Big5: real ones score 0.94 and more, other encodings read as these 0.72 and less."""
_LONGER = 50
"""Characters beyond ASCII from which that holds; in a short note one rare name weighs too much."""
_MOST_WESTERN = 0.15
"""The largest share of accented letters and typographic signs that a Western text has."""
_DECLARED = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\x80-\x9f]")
_SIGNATURES = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or Office file"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
    (b"SQLite format 3", "a database"),
    (b"{\\rtf", "an RTF document"),
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text and the Python name of the encoding it was in."""

    text: str
    encoding: str


def decode(data: bytes, name: str) -> Decoded:
    """Decode the bytes of a text file.

    :param name: what to call the file in an error
    :raises SourceUnsupported: when the bytes are of a known binary form, or of no text at all
    :raises SourceUndecodable: when no encoding gives a text that reads like language
    """
    for signature, kind in _SIGNATURES:
        if data.startswith(signature) and not _is_prose_start(data, signature):
            raise fault("other_kind", name, kind=kind)
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return Decoded(_strictly(data, encoding, name), encoding)
    if wide := _wide_encoding(data):
        return Decoded(_strictly(data, wide, name), wide)
    if b"\x00" in data[:_SAMPLE]:
        raise fault("binary", name)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        _refuse_control(text, name)
        return Decoded(text, "utf-8")
    return _legacy(data, name)


def _is_prose_start(data: bytes, signature: bytes) -> bool:
    # Two letters alone are no proof: a text may begin with "MZ".
    return len(signature) == 2 and signature.isalpha() and b"\x00" not in data[:1024]


def _strictly(data: bytes, encoding: str, name: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise fault("broken_encoding", name, encoding=encoding, place=error.start) from error
    text = text.removeprefix("\ufeff")
    _refuse_control(text, name)
    return text


def _wide_encoding(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark, by where the zero bytes and the common high bytes stand."""
    sample = data[: _SAMPLE - _SAMPLE % 4]
    if len(sample) < 8 or b"\x00" not in sample:
        return _wide_han(sample)
    best: tuple[float, str] | None = None
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        width = 4 if "32" in encoding else 2
        if len(data) % width:
            continue
        try:
            text = sample.decode(encoding, errors="strict" if width == 4 else "ignore")
        except UnicodeDecodeError:
            continue
        score = _likeness(text)
        if score > _LEAST_SCORE and (best is None or score > best[0]):
            best = (score, encoding)
    return best[1] if best else None


def _wide_han(sample: bytes) -> str | None:
    # Chinese alone in UTF-16 has no zero byte; its line breaks would, so only short texts come here.
    if len(sample) < 8 or len(sample) % 2 or _decodes(sample, "utf-8") or _decodes(sample, "gb18030"):
        return None
    scores = {e: _likeness(sample.decode(e, errors="ignore")) for e in ("utf-16-le", "utf-16-be")}
    best = max(scores, key=lambda encoding: scores[encoding])
    return best if scores[best] > 0.9 else None


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _legacy(data: bytes, name: str) -> Decoded:
    """GB18030, Big5 and their relatives, told apart by how many characters are common ones."""
    candidates = ["gb18030", "big5hkscs", "cp950"]
    if match := _DECLARED.search(data[:2048]):
        declared = _known_codec(match.group(1).decode("ascii"))
        if declared is not None and declared not in candidates:
            candidates.append(declared)
    scored = []
    for encoding in candidates:
        text = _tolerantly(data, encoding)
        if text is not None:
            scored.append((_likeness(text[:_SAMPLE]), -candidates.index(encoding), encoding, text))
    if not scored or max(scored)[0] < _least_score(max(scored)[3]):
        western = _western(data)
        if western is not None:
            return western
        raise fault("undecodable", name)
    _, _, encoding, text = max(scored)
    _refuse_control(text, name)
    return Decoded(text, encoding)


def _least_score(text: str) -> float:
    beyond_ascii = sum(char > "~" for char in text[:_SAMPLE])
    return _LEAST_LEGACY_SCORE if beyond_ascii >= _LONGER else _LEAST_SCORE


def _tolerantly(data: bytes, encoding: str) -> str | None:
    """The text where it decodes, allowing a few damaged places in a long file, which become U+FFFD."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode(encoding, errors="replace")
    return text if text.count("\ufffd") <= len(text) * 0.001 else None


def _western(data: bytes) -> Decoded | None:
    """A text that is nearly all ASCII, its few other bytes Western quotes and accents."""
    high = sum(byte >= 0x80 for byte in data[:_SAMPLE])
    if high > len(data[:_SAMPLE]) * _MOST_WESTERN or not _decodes(data, "cp1252"):
        return None
    text = data.decode("cp1252")
    plain = sum(char.isalnum() or char.isspace() or char in ".,;:'\"-" for char in text[:_SAMPLE])
    return Decoded(text, "cp1252") if plain > len(text[:_SAMPLE]) * 0.7 else None


def _known_codec(label: str) -> str | None:
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return None
    return {"gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs"}.get(name, name)


@functools.cache
def common_characters() -> frozenset[str]:
    """The characters of GB2312's first level and Big5's first plane: ordered by use when the standards were made."""
    gb = {bytes((row, cell)).decode("gb2312") for row in range(0xB0, 0xD7) for cell in range(0xA1, 0xFF)} - {
        ""
    }
    big5 = set()
    for row in range(0xA4, 0xC7):
        for cell in (*range(0x40, 0x7F), *range(0xA1, 0xFF)):
            big5.add(bytes((row, cell)).decode("big5", errors="ignore"))
    punctuation = set("，。、；：？！“”‘’（）《》〈〉【】「」『』—…·～％　０１２３４５６７８９")
    return frozenset((gb | big5 | punctuation) - {""})


def _likeness(text: str) -> float:
    """How much a text reads like language, 0 to 1: the share of its non-ASCII characters that are common ones.

    Control characters and unassigned ones count against it several times.
    """
    common = common_characters()
    good = bad = 0.0
    for char in text:
        if char in common:
            good += 1
        elif " " <= char <= "~" or char in "\t\r\n":
            # ASCII decodes alike nearly everywhere: it says little, but a wide text of it is one.
            good += 0.05
        elif char == "\ufffd" or _CONTROL.match(char) or "\ue000" <= char <= "\uf8ff":
            bad += 4
        else:
            bad += 1
    return good / (good + bad) if good + bad else 0.0


def _refuse_control(text: str, name: str) -> None:
    sample = text[:_SAMPLE]
    if len(_CONTROL.findall(sample)) > max(2, len(sample) * 0.01):
        raise fault("binary", name)
