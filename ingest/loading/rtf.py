"""Rich text (.rtf) as Word, WPS and LibreOffice write it: paragraphs, headings by outline level, and tables.

Chinese stands in RTF in three ways, often mixed in one file: as "\\u" numbers, as bytes of the font's code page
written "\\'b9\\'fa", and as such bytes left as they are.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ingest.loading import numbering, tables
from ingest.loading.blocks import Block, BlockKind, Parsed, Task
from ingest.loading.packages import plausible_title
from ingest.loading.word import HEADING_NAME, TITLE_NAME
from ingest.messages import fault
from rag.errors import SourceError
from rag.types import Note

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})?[ ]?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}]+)|(.)", re.DOTALL
)
_BEAT_EVERY = 20_000
_DEEPEST = 5000
_LONGEST_NAME = 100
_MOST_COLUMNS = 500
_SAME_EDGE = 30
"""Twips by which the edges of cells that stand in one column may differ."""
_CHARSETS = {
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    134: "gb18030",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
}
_SYMBOLS = 2
_WIDE = frozenset(("gb18030", "cp950", "cp932", "cp949"))
_CHARACTERS = {
    "tab": " ", "line": "\n", "lbr": "\n", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’",
    "ldblquote": "“", "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " ", "qmspace": " ",
}  # fmt: skip
_ESCAPED = {b"~": " ", b"_": "-", b"{": "{", b"}": "}", b"\\": "\\"}
_SKIPPED = frozenset(
    [
        "colortbl",
        "stylesheet",
        "pict",
        "object",
        "objdata",
        "header",
        "headerl",
        "headerr",
        "headerf",
        "footer",
        "footerl",
        "footerr",
        "footerf",
        "fldinst",
        "annotation",
        "atnid",
        "atnauthor",
        "xe",
        "tc",
        "listtable",
        "listoverridetable",
        "revtbl",
        "rsidtbl",
        "generator",
        "themedata",
        "colorschememapping",
        "datastore",
        "latentstyles",
        "nonshppict",
        "filetbl",
        "author",
        "operator",
        "company",
        "comment",
        "subject",
        "keywords",
        "doccomm",
        "manager",
        "category",
        "creatim",
        "revtim",
        "printim",
        "buptim",
        "sp",
        "sn",
        "sv",
        "ftnsep",
        "ftnsepc",
        "ftncn",
        "aftnsep",
        "aftnsepc",
        "aftncn",
        "private",
        "template",
        "bkmkstart",
        "bkmkend",
        "levelnumbers",
        "leveltext",
        "pnseclvl",
        "pntxta",
        "pntxtb",
        "mmathPr",
        "do",
        "falt",
        "panose",
        "fontemb",
        "fontfile",
        "fname",
        "userprops",
        "info",
    ]
)
_KEPT = frozenset(("shptxt", "footnote", "listtext", "pntext", "shpinst", "fldrslt", "title", "ud"))
"""Destinations that are read although a reader that does not know them is told to skip them."""


def load(task: Task) -> Parsed:
    """Read a rich text file.

    :raises SourceError: when it is no rich text, damaged, too large or without text
    """
    if not task.data.lstrip(b"\xef\xbb\xbf \t\r\n\x00").startswith(b"{\\rtf"):
        raise fault("not_its_kind", task.name, detail="it is no rich text (RTF)")
    try:
        return _read(task)
    except SourceError:
        raise
    except Exception as error:  # whatever a damaged file brings up must not reach the caller
        raise fault("damaged", task.name, detail="its text cannot be made out") from error


@dataclass(frozen=True, slots=True)
class _State:
    """What a group takes over from the one around it and gives back at its end."""

    font: int | None = None
    fallback: int = 1
    """Characters to pass over after a "\\u" number, meant for readers without Unicode."""
    skipped: bool = False
    hidden: bool = False
    deleted: bool = False
    into: str = ""
    """"fonts", "styles", "title", "note" or "" for the text."""


@dataclass(slots=True)
class _Row:
    """The cells of a table row, and how its definition merges them: "" or "first" or "merged", across and down."""

    cells: list[str] = field(default_factory=list)
    across: list[str] = field(default_factory=list)
    down: list[str] = field(default_factory=list)
    edges: list[int] = field(default_factory=list)
    """Where the cells end, from the left."""
    header: bool = False


def _read(task: Task) -> Parsed:
    reader = _Reader(task)
    reader.run()
    if not reader.blocks:
        raise fault("no_text", task.name)
    notes = []
    if reader.stack:
        notes.append(Note("truncated", "}"))
    if reader.hidden:
        notes.append(Note("hidden_text", str(reader.hidden)))
    title = plausible_title(_joined(reader.title), task.name)
    return Parsed(tuple(reader.blocks), title=title, encoding=reader.encoding, notes=tuple(notes))


def _joined(pieces: list[str]) -> str:
    """Text from pieces in which a character beyond the first plane may come in two halves."""
    text = "".join(pieces)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@dataclass(slots=True)
class _Reader:
    task: Task
    blocks: list[Block] = field(default_factory=list)
    title: list[str] = field(default_factory=list)
    encoding: str = "cp1252"
    hidden: int = 0
    stack: list[_State] = field(default_factory=list)
    state: _State = field(default_factory=_State)
    fonts: dict[int, int] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)
    """Heading level by style."""
    names: dict[int, str] = field(default_factory=dict)
    """Name by style, with a semicolon at its end."""
    defined: int = 0
    """The font or style that is being defined."""
    text: list[str] = field(default_factory=list)
    notes: list[list[str]] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)
    passing: int = 0
    style: int | None = None
    outline: int | None = None
    in_table: bool = False
    numbered: bool = False
    optional: bool = False
    """The group has begun with "\\*"."""
    cell: list[str] = field(default_factory=list)
    row: _Row = field(default_factory=_Row)
    rows: list[_Row] = field(default_factory=list)
    merge: tuple[str, str] = ("", "")
    chars: int = 0
    row_count: int = 0

    def run(self) -> None:
        data = self.task.data
        position = max(0, data.find(b"{\\rtf"))
        count = 0
        begun = False
        while match := _TOKEN.match(data, position):
            position = match.end()
            count += 1
            if count % _BEAT_EVERY == 0:
                self.task.beat()
            word, argument, code, escaped, brace, plain, _ = match.groups()
            if code is not None:
                self._byte(int(code, 16))
                continue
            if plain is not None:
                self._plain(plain)
                continue
            if brace is None or self.raw:
                self._flush()
            if brace is not None:
                self.passing = 0
                if brace == b"{":
                    begun = True
                    self._open()
                elif self.stack:
                    self._close()
                if begun and not self.stack:
                    break
            elif word is not None:
                number = int(argument) if argument is not None else None
                if word == b"bin" and number is not None and number > 0:
                    position = min(len(data), position + number)
                else:
                    self._word(word.decode("ascii"), number)
            elif escaped is not None:
                self._escape(escaped)
        self._flush()
        self._end_paragraph()
        self._end_table()

    def _open(self) -> None:
        if len(self.stack) >= _DEEPEST:
            raise fault("damaged", self.task.name, detail=f"groups within groups, more than {_DEEPEST} deep")
        self.stack.append(self.state)
        self.optional = False
        if self.state.into == "styles":
            # A style that gives no number is number 0.
            self.defined = 0

    def _close(self) -> None:
        ended = self.state.into
        self.state = self.stack.pop()
        self.optional = False
        if ended == "note" != self.state.into and self.notes and not "".join(self.notes[-1]).strip():
            self.notes.pop()

    def _byte(self, value: int) -> None:
        if self.passing:
            self.passing -= 1
        else:
            self.raw.append(value)

    def _plain(self, plain: bytes) -> None:
        plain = plain.replace(b"\r", b"").replace(b"\n", b"").replace(b"\x00", b"")
        if self.passing:
            passed = min(self.passing, len(plain))
            self.passing -= passed
            plain = plain[passed:]
        if self.raw and plain and plain[0] < 0x80 and not self._half():
            self._flush()
        # The second byte of a character may be written as the letter it is in ASCII.
        self.raw += plain

    def _half(self) -> bool:
        """Whether the bytes so far end within a character of two bytes."""
        try:
            codecs.getincrementaldecoder(self._codec())("strict").decode(bytes(self.raw), True)
        except UnicodeDecodeError as error:
            return error.end >= len(self.raw) and "incomplete" in error.reason
        return False

    def _codec(self) -> str:
        charset = self.fonts.get(self.state.font if self.state.font is not None else -1, 0)
        return _CHARSETS.get(charset, self.encoding)

    def _flush(self) -> None:
        if not self.raw:
            return
        data = bytes(self.raw)
        self.raw.clear()
        if self.state.skipped or self.state.into == "fonts":
            return
        charset = self.fonts.get(self.state.font if self.state.font is not None else -1, 0)
        if charset == _SYMBOLS and not data.isascii():
            # The signs of symbol fonts are bullets, in all that matters here.
            self._add("".join(numbering.BULLET if byte >= 0x80 else chr(byte) for byte in data))
            return
        if data.isascii():
            self._add(data.decode("ascii"))
            return
        codec = self._codec()
        for candidate in (codec, self.encoding, *(sorted(_WIDE - {codec}) if codec not in _WIDE else ())):
            if candidate != codec and candidate not in _WIDE:
                continue
            try:
                self._add(data.decode(candidate))
            except UnicodeDecodeError:
                continue
            return
        self._add(data.decode(codec, "replace"))

    def _add(self, text: str) -> None:
        state = self.state
        if state.skipped or state.deleted or not text:
            return
        if state.hidden:
            self.hidden += bool(text.strip())
            return
        if state.into == "title":
            self.title.append(text)
        elif state.into == "styles":
            self.names[self.defined] = (self.names.get(self.defined, "") + text)[:_LONGEST_NAME]
        elif state.into == "note" and self.notes:
            self.notes[-1].append(text)
        elif not state.into:
            self.text.append(text)
        self.chars += len(text)
        limit = self.task.limits.text_chars
        if self.chars > limit:
            raise fault("too_much_text", self.task.name, limit=limit, detail="characters/字")

    def _escape(self, escaped: bytes) -> None:
        if escaped == b"*":
            self.optional = True
        elif self.passing and escaped in _ESCAPED:
            self.passing -= 1
        elif escaped in (b"\n", b"\r"):
            self._end_paragraph()
        elif escaped in _ESCAPED:
            self._add(_ESCAPED[escaped])

    def _word(self, word: str, number: int | None) -> None:
        first = self.optional
        self.optional = False
        if word == "u":
            self._unicode(number)
        elif self.passing and word in _CHARACTERS:
            self.passing -= 1
        elif first and word not in _KEPT and word not in ("fonttbl", "stylesheet"):
            self.state = replace(self.state, skipped=True)
        elif self._destination(word) or self._character(word, number) or self.state.skipped:
            return
        elif self.state.into == "styles":
            self._define_style(word, number)
        else:
            self._structure(word, number)

    def _unicode(self, number: int | None) -> None:
        if number is not None and -0x8000 <= number <= 0xFFFF:
            char = chr(number & 0xFFFF)
            if "\uf000" <= char <= "\uf0ff":
                # Bullets and ticks of symbol fonts are written in the private range.
                char = numbering.BULLET
            self._add(char if char >= " " else " ")
        self.passing = self.state.fallback

    def _destination(self, word: str) -> bool:
        if word == "fonttbl":
            self.state = replace(self.state, into="fonts")
        elif word == "stylesheet":
            self.state = replace(self.state, into="styles")
        elif word == "title":
            # It may be there twice, the second time with its Unicode.
            self.title.clear()
            self.state = replace(self.state, into="title", skipped=False)
        elif word == "footnote":
            self.state = replace(self.state, into="note")
            self.notes.append([])
        elif word in ("listtext", "pntext"):
            self.numbered = not self.state.skipped
        elif word in _SKIPPED:
            self.state = replace(self.state, skipped=True)
        else:
            return False
        return True

    def _character(self, word: str, number: int | None) -> bool:
        """What changes characters; the code page and the fonts count wherever they stand."""
        if word == "ansicpg" and number is not None:
            self.encoding = _code_page(number)
        elif word == "f" and number is not None:
            self.state = replace(self.state, font=number)
            if self.state.into == "fonts":
                self.defined = number
        elif word == "fcharset" and number is not None and self.state.into == "fonts":
            self.fonts[self.defined] = number
        elif word == "uc":
            self.state = replace(self.state, fallback=max(0, min(number or 0, 16)))
        elif word == "v":
            self.state = replace(self.state, hidden=number != 0)
        elif word == "deleted":
            self.state = replace(self.state, deleted=number != 0)
        elif word == "plain":
            self.state = replace(self.state, hidden=False, deleted=False)
        elif word in _CHARACTERS:
            self._add(_CHARACTERS[word])
        else:
            return False
        return True

    def _define_style(self, word: str, number: int | None) -> None:
        if word == "s" and number is not None:
            self.defined = number
        elif word == "outlinelevel" and number is not None and 0 <= number < 9:
            self.levels[self.defined] = number + 1

    def _structure(self, word: str, number: int | None) -> None:
        if word in ("par", "sect", "page"):
            self._end_note() if self.state.into == "note" else self._end_paragraph()
        elif word == "pard":
            self.style = self.outline = None
            self.in_table = False
        elif word == "s":
            self.style = number
        elif word == "outlinelevel":
            self.outline = number
        elif word == "intbl":
            self.in_table = True
        elif word == "trowd":
            self.row = _Row(cells=self.row.cells)
            self.merge = ("", "")
        elif word == "trhdr":
            self.row.header = True
        elif word in ("clmgf", "clmrg"):
            self.merge = ("first" if word == "clmgf" else "merged", self.merge[1])
        elif word in ("clvmgf", "clvmrg"):
            self.merge = (self.merge[0], "first" if word == "clvmgf" else "merged")
        elif word == "cellx":
            self.row.edges.append(number or 0)
            self.row.across.append(self.merge[0])
            self.row.down.append(self.merge[1])
            self.merge = ("", "")
        elif word == "nestcell":
            self._add("\n")
        elif word == "cell":
            self.in_table = True
            self._end_paragraph()
            self.row.cells.append(tables.join_lines(self.cell))
            self.cell.clear()
        elif word == "row":
            self._end_row()

    def _end_note(self) -> None:
        self._add("\n")

    def _end_row(self) -> None:
        if self.row.cells:
            self.rows.append(self.row)
            self.row_count += 1
            if self.row_count > self.task.limits.table_rows:
                raise fault(
                    "too_much_text", self.task.name, limit=self.task.limits.table_rows, detail="rows/行"
                )
        self.row = replace(self.row, cells=[])

    def _end_paragraph(self) -> None:
        text = tables.one_line(_joined(self.text))
        self.text.clear()
        numbered, self.numbered = self.numbered, False
        if self.in_table:
            self.cell.append(text)
            return
        if text:
            self._end_table()
            level = self._style_level()
            if self.outline is not None:
                level = self.outline + 1 if 0 <= self.outline < 9 else 0
            kind: BlockKind = "heading" if level else "item" if numbered else "paragraph"
            self.blocks.append(Block(_spaced(text) if numbered else text, kind, level or int(numbered)))
            self._add_notes()

    def _style_level(self) -> int:
        style = self.style or 0
        name = self.names.get(style, "").strip("; ")
        if match := HEADING_NAME.match(name):
            return int(match.group(1))
        return self.levels.get(style, 0) or int(bool(TITLE_NAME.fullmatch(name)))

    def _end_table(self) -> None:
        # A row or cell that was begun and not ended is the end of a truncated file.
        if self.cell or self.row.cells:
            self.row.cells += [text for text in (tables.join_lines(self.cell),) if text]
            self.cell.clear()
            self._end_row()
        if not self.rows:
            return
        rows, self.rows = self.rows, []
        grid = list(_grid(rows))
        headers = 0
        while headers < len(rows) and rows[headers].header:
            headers += 1
        self.blocks += tables.table_blocks(grid, header_rows=headers if 0 < headers < len(rows) else None)
        self._add_notes()

    def _add_notes(self) -> None:
        notes, self.notes = self.notes, []
        self.blocks += [Block(text) for note in notes if (text := tables.one_line(_joined(note)))]


def _code_page(number: int) -> str:
    if number in (936, 54936):
        return "gb18030"
    try:
        return codecs.lookup("utf-8" if number == 65001 else f"cp{number}").name
    except LookupError:
        return "cp1252"


def _spaced(text: str) -> str:
    """A list paragraph whose number is part of the text, with the usual space after it."""
    match = re.match(r"(\S{1,12}) +(.*)", text)
    number, rest = match.groups() if match else ("", text)
    return numbering.with_number(
        numbering.BULLET if number in ("·", "•", "●", "") and match else number, rest
    )


def _columns(rows: list[_Row]) -> list[int]:
    """The edges of all columns: a cell that covers several ends where another row has further ones before."""
    columns: list[int] = []
    for edge in sorted({edge for row in rows for edge in row.edges[:_MOST_COLUMNS]}):
        if not columns or edge - columns[-1] > _SAME_EDGE:
            columns.append(edge)
    return columns[:_MOST_COLUMNS]


def _grid(rows: list[_Row]) -> Iterator[list[str]]:
    columns = _columns(rows)
    above: list[str] = []
    for row in rows:
        line: list[str] = []
        for index, text in enumerate(row.cells):
            across = row.across[index] if index < len(row.across) else ""
            down = row.down[index] if index < len(row.down) else ""
            if not text and across == "merged" and line:
                text = tables.Merged(line[-1])
            elif not text and down == "merged" and len(line) < len(above):
                text = tables.repeated_below(above[len(line)])
            line.append(text)
            if index < len(row.edges):
                reached = bisect_left(columns, row.edges[index] - _SAME_EDGE)
                line += [tables.Merged(text)] * (reached + 1 - len(line))
        yield line
        above = line
