"""Puts a document's text in order: damage repaired, noise taken out, and every change recorded.

What is cleaned here is shown and quoted afterwards, so only what no reader would miss is touched: Chinese
punctuation, quotation marks, the script and the wording stay as the author left them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingest import mojibake, pinyin
from rag.text import HAN
from rag.types import Change

if TYPE_CHECKING:
    import ftfy

_EXAMPLES = 20
_CONTEXT = 8
_PASSES = 6
"""One step can uncover work for another: a zero-width space hid an annotation. Two are usual."""

_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Half of a surrogate pair and non-characters cannot be stored as UTF-8 or mean nothing there.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# A zero-width joiner between the parts of an emoji belongs to it.
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
    "|(?<![\ufe0f\u2600-\u27bf\U0001f000-\U0001faff])\u200d|\u200d(?![\u2600-\u27bf\U0001f000-\U0001faff])"
)
_FULL_WIDTH = re.compile(
    "[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]+(?:\uff0e(?=[\uff10-\uff19])[\uff10-\uff19]+)*"
)
_TO_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SPACED_OUT = re.compile(
    f"(?<=[{HAN}])[ \u00a0](?=[{HAN}](?:[ \u00a0][{HAN}]|[ \u00a0]?$|[^ \u00a0{HAN}]))", re.MULTILINE
)
_SPACED_RUN = re.compile(f"(?<![\\w])[{HAN}](?:[ \u00a0][{HAN}]){{2,}}(?![{HAN}])")
_SPACED_PAIR = re.compile(f"^[{HAN}][ \u00a0][{HAN}]$", re.MULTILINE)
# Spaced numerals and stems list things: "甲 乙 丙", "一 二 三".
_LISTED = re.compile("[〇零一二三四五六七八九十百千万萬亿億日甲乙丙丁戊己庚辛壬癸 \u00a0]+")
# UTF-8 that was read as Latin-1 or Windows-1252: a lead byte's letter, then a continuation byte's sign.
_AS_LATIN = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013\u2014\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]"
)
# The look-behind keeps a long run inside a line from being tried at each of its characters.
_TRAILING = re.compile("(?<![ \t\u00a0\u3000])[ \t\u00a0\u3000]++$", re.MULTILINE)
_BLANK_LINES = re.compile("\n{3,}")
_EDGES = re.compile("\\A\n+|\n+\\Z")


@dataclass(slots=True)
class _Record:
    """Changes of one kind, as they are made."""

    count: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)


class _Records:
    def __init__(self) -> None:
        self.kinds: dict[str, _Record] = {}

    def note(self, kind: str, text: str, start: int, end: int, replacement: str) -> None:
        record = self.kinds.setdefault(kind, _Record())
        record.count += 1
        if len(record.examples) < _EXAMPLES:
            before, after = text[max(0, start - _CONTEXT) : start], text[end : end + _CONTEXT]
            example = (
                _storable(f"{before}{text[start:end]}{after}"),
                _storable(f"{before}{replacement}{after}"),
            )
            record.examples.append(example)

    def replace(self, kind: str, text: str, edits: Iterable[tuple[int, int, str]]) -> str:
        """Make the edits, which are in order and do not overlap, and note each."""
        pieces: list[str] = []
        cursor = 0
        for start, end, replacement in edits:
            self.note(kind, text, start, end, replacement)
            pieces.append(text[cursor:start])
            pieces.append(replacement)
            cursor = end
        if not cursor and not pieces:
            return text
        pieces.append(text[cursor:])
        return "".join(pieces)

    def changes(self) -> tuple[Change, ...]:
        return tuple(
            Change(kind, record.count, tuple(record.examples)) for kind, record in self.kinds.items()
        )


def _storable(example: str) -> str:
    return example.encode("utf-8", "backslashreplace").decode("utf-8")


def clean(text: str) -> tuple[str, tuple[Change, ...]]:
    """The text in order, and what was changed to make it so.

    Pure and idempotent: what comes out is left alone when it comes in again. The kinds of change are
    "line-breaks", "unicode" (UTF-8 that was read as Latin-1), "control-characters", "invisible-characters",
    "mojibake-repaired", "mojibake-unrepaired" (U+FFFD stands for what is lost), "pinyin", "full-width",
    "han-spaces" and "blank-lines".
    """
    records = _Records()
    seen = {text}
    for _ in range(_PASSES):
        before = text
        for step in _STEPS:
            text = step(text, records)
        if text == before or text in seen:
            break
        seen.add(text)
    return text, records.changes()


def _line_breaks(text: str, records: _Records) -> str:
    return records.replace("line-breaks", text, ((*m.span(), "\n") for m in _LINE_BREAK.finditer(text)))


def _unicode(text: str, records: _Records) -> str:
    if _AS_LATIN.search(text) is None:
        return text
    return records.replace("unicode", text, _latin_edits(text))


def _latin_edits(text: str) -> Iterable[tuple[int, int, str]]:
    import ftfy

    # Line by line: one line in another encoding does not put the rest of the document in doubt.
    start = 0
    for line in text.splitlines(keepends=True):
        if _AS_LATIN.search(line):
            fixed = ftfy.fix_encoding(line, _ftfy_settings())
            if fixed != line and "\n" not in fixed.rstrip("\n") and "\ufffd" not in fixed:
                yield start, start + len(line), fixed
        start += len(line)


@functools.cache
def _ftfy_settings() -> ftfy.TextFixerConfig:
    import ftfy

    # Only the encoding: everything else ftfy does by default would flatten Chinese punctuation and quotes.
    return ftfy.TextFixerConfig(
        unescape_html=False,
        remove_terminal_escapes=False,
        restore_byte_a0=True,
        replace_lossy_sequences=False,
        decode_inconsistent_utf8=True,
        fix_c1_controls=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        fix_surrogates=False,
        remove_control_chars=False,
        normalization=None,
    )


def _removing(kind: str, pattern: re.Pattern[str]) -> Callable[[str, _Records], str]:
    def step(text: str, records: _Records) -> str:
        return records.replace(kind, text, ((*match.span(), "") for match in pattern.finditer(text)))

    return step


def _mojibake(text: str, records: _Records) -> str:
    repairs = mojibake.find(text)
    if not repairs:
        return text
    pieces: list[str] = []
    cursor = 0
    for repair in repairs:
        kind = "mojibake-repaired" if repair.whole else "mojibake-unrepaired"
        records.note(kind, text, repair.start, repair.end, repair.text)
        pieces += (text[cursor : repair.start], repair.text)
        cursor = repair.end
    pieces.append(text[cursor:])
    return "".join(pieces)


def _pinyin(text: str, records: _Records) -> str:
    return records.replace("pinyin", text, ((start, end, "") for start, end in pinyin.to_remove(text)))


def _full_width(text: str, records: _Records) -> str:
    return records.replace(
        "full-width",
        text,
        ((*m.span(), m.group().translate(_TO_HALF_WIDTH)) for m in _FULL_WIDTH.finditer(text)),
    )


def _han_spaces(text: str, records: _Records) -> str:
    if _SPACED_OUT.search(text) is None:
        return text
    runs = (
        (*match.span(), re.sub("[ \u00a0]", "", match.group()))
        for match in _SPACED_RUN.finditer(text)
        if not _LISTED.fullmatch(match.group())
    )
    text = records.replace("han-spaces", text, runs)
    pairs = (
        (*match.span(), match.group()[0] + match.group()[-1])
        for match in _SPACED_PAIR.finditer(text)
        if not _LISTED.fullmatch(match.group()) and _is_word(match.group()[0] + match.group()[-1])
    )
    # "目 录", "通 知" alone on their line; inside a line two spaced characters may be two columns.
    return records.replace("han-spaces", text, pairs)


def _is_word(pair: str) -> bool:
    return mojibake.is_word(pair)


def _blank_lines(text: str, records: _Records) -> str:
    # White space at the end of a line shows nowhere and is not worth a record.
    text = _TRAILING.sub("", text)
    text = records.replace("blank-lines", text, ((*m.span(), "\n\n") for m in _BLANK_LINES.finditer(text)))
    return records.replace("blank-lines", text, ((*m.span(), "") for m in _EDGES.finditer(text)))


_STEPS: tuple[Callable[[str, _Records], str], ...] = (
    _line_breaks,
    _unicode,
    _removing("control-characters", _CONTROL),
    _removing("invisible-characters", _INVISIBLE),
    _mojibake,
    _pinyin,
    _full_width,
    _han_spaces,
    _blank_lines,
)
