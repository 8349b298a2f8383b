"""HTML elements to blocks: paragraphs, headings, list items and tables in reading order, whatever they are part of."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.loading.blocks import Block
from ingest.messages import fault
from rag.text import HAN

if TYPE_CHECKING:
    from lxml.etree import _Element

_CJK = f"{HAN}\u3000-\u303f\uff00-\uffef“”‘’—…·〇"
_SPACES = re.compile("[ \t\r\n\f\v\u00a0\u2028\u2029\u0085]+")
_NEAR_CJK = re.compile(f"[{_CJK}]")
_TAG = re.compile(r"<(?:/|!|\?)?[A-Za-z!?-][^<>]{0,10000}>")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_UNSHOWN = re.compile(r"<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_NUMBERED = re.compile(
    "(?:\\d{1,3}[.、．)）]|[（(](?:\\d{1,3}|[一二三四五六七八九十]{1,3})[)）]|[一二三四五六七八九十]{1,3}、"
    "|[①-⑳⑴-⒇]|[•●■◆▪·○-])"
)
_HIDING = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?:px|pt|em|rem|%)?"
    r"\s*(?:;|!|$))",
    re.IGNORECASE,
)
_DROPPED = frozenset(
    (
        "applet",
        "audio",
        "button",
        "canvas",
        "col",
        "colgroup",
        "datalist",
        "embed",
        "frameset",
        "head",
        "iframe",
        "input",
        "map",
        "math",
        "meter",
        "noframes",
        "noscript",
        "object",
        "optgroup",
        "option",
        "progress",
        "rp",
        "rt",
        "script",
        "select",
        "style",
        "svg",
        "template",
        "textarea",
        "video",
    )
)
_BLOCKS = frozenset(
    (
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "search",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    )
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset(("ul", "ol", "menu", "dir"))
_LONG_CELL = 200
_SHORT_LINE = 4
_BEAT_EVERY = 500


@dataclass(frozen=True, slots=True)
class Piece:
    """What one element gives: a block, or a table's rows; ``texts`` are its line or its cells.

    ``links`` counts the characters of ``texts`` that stand in links.
    """

    element: _Element
    texts: tuple[str, ...]
    links: int = 0
    block: Block | None = None
    grid: tuple[tuple[str, ...], ...] = ()
    header_rows: int | None = None

    @property
    def size(self) -> int:
        """How many characters it has."""
        return sum(map(len, self.texts))

    def blocks(self) -> list[Block]:
        """The block, or the table's rows, each naming its columns."""
        if self.block is not None:
            return [self.block]
        from ingest.loading.tables import table_blocks

        return table_blocks(self.grid, header_rows=self.header_rows)


def one_line(text: str) -> str:
    """The text on one line: a line break inside becomes a space, and nothing next to a Chinese character."""

    def joint(match: re.Match[str]) -> str:
        if match.group().isspace() and not any(char in match.group() for char in "\r\n\u2028\u2029\u0085"):
            return " "
        around = text[max(match.start() - 1, 0) : match.start()] + text[match.end() : match.end() + 1]
        return "" if _NEAR_CJK.search(around) else " "

    return _SPACES.sub(joint, text).strip()


def parse(text: str) -> _Element | None:
    """The tree of an HTML page, however broken; None where it is nested too deep or holds too long a text to be one.

    Nothing is fetched. The depth of the tree is bounded by the parser (255).
    """
    from lxml import etree

    parser = etree.HTMLParser(
        encoding="utf-8", huge_tree=False, no_network=True, remove_comments=True, remove_pis=True
    )
    # Lone surrogates cannot be encoded, and a null would end the text.
    data = text.replace("\x00", "").encode("utf-8", "replace")
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return None
    if root is None or any(entry.level_name == "FATAL" for entry in parser.error_log):
        return None
    return root


def stripped(text: str) -> list[Block]:
    """The lines of a page that has no usable tree, its tags taken out."""
    import html

    text = _UNSHOWN.sub("\n", _COMMENT.sub("", text))
    lines = (one_line(html.unescape(line)) for line in _TAG.sub("\n", text).split("\n"))
    return [Block(line) for line in lines if line]


def drop_hidden(root: _Element) -> int:
    """Take what a browser would not show out of the tree; how many elements with text that were."""
    count = 0
    for element in root.xpath("//*[@style or @hidden or @aria-hidden]"):
        if not isinstance(element.tag, str) or tag_of(element) in ("html", "body"):
            continue
        parent = element.getparent()
        if parent is None or not _is_hidden(element):
            continue
        count += any(part.strip() for part in element.itertext())
        _remove(element, parent)
    return count


def _is_hidden(element: _Element) -> bool:
    return (
        element.get("hidden") is not None
        or (element.get("aria-hidden") or "").strip().lower() == "true"
        or _HIDING.search(element.get("style") or "") is not None
    )


def _remove(element: _Element, parent: _Element) -> None:
    if element.tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
    parent.remove(element)


def tag_of(element: _Element) -> str:
    """The element's name in lower case without its namespace; empty for comments and the like."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def pieces(
    root: _Element, name: str, *, most_rows: int = 200_000, beat: Callable[[], None] = lambda: None
) -> list[Piece]:
    """All that the tree shows, in reading order.

    :param name: the file's name for errors
    :raises SourceTooLarge: when a table has more rows than ``most_rows``
    """
    walk = _Walk(name, most_rows, beat)
    walk.visit(root)
    walk.flush()
    return walk.pieces


def blocks(found: list[Piece]) -> list[Block]:
    """The pieces' blocks in order."""
    return [block for piece in found for block in piece.blocks()]


class _Walk:
    """Collects pieces on the way through a tree: text runs on until an element breaks the line."""

    def __init__(self, name: str, most_rows: int, beat: Callable[[], None]) -> None:
        self.pieces: list[Piece] = []
        self._name = name
        self._most_rows = most_rows
        self._beat = beat
        self._text: list[str] = []
        self._links = 0
        self._in_link = 0
        self._heading = 0
        self._lists: list[int | None] = []
        """The lists around this place: the next number, None where they have bullets."""
        self._marker: str | None = None
        self._preserved = 0
        self._at: _Element | None = None
        self._visited = 0

    def flush(self) -> None:
        text, links = one_line("".join(self._text)), self._links
        self._text, self._links = [], 0
        if not text or self._at is None:
            return
        if self._heading:
            block = Block(text, "heading", self._heading)
        elif self._marker is not None:
            marker, self._marker = self._marker, None
            numbered = text if _NUMBERED.match(text) else marker + text
            block = Block(numbered, "item", max(len(self._lists), 1))
        else:
            block = Block(text)
        self.pieces.append(Piece(self._at, (text,), min(links, len(text)), block))

    def visit(self, element: _Element) -> None:
        tag = tag_of(element)
        if not tag or tag in _DROPPED:
            return
        self._visited += 1
        if self._visited % _BEAT_EVERY == 0:
            self._beat()
        if tag == "br":
            # A title that is broken over two lines is one title.
            self._add("\n", element) if self._heading else self.flush()
            return
        if tag == "table" and not _is_layout(element):
            self.flush()
            self._table(element)
            return
        if tag in _BLOCKS:
            self._visit_block(element, tag)
            return
        self._in_link += tag == "a"
        self._visit_inside(element)
        self._in_link -= tag == "a"

    def _visit_block(self, element: _Element, tag: str) -> None:
        if self._heading:
            # What stands inside a heading is part of it, whatever its element.
            self._visit_inside(element)
            return
        self.flush()
        around, at = (self._heading, self._marker), self._at
        self._at = element
        if tag in _HEADINGS:
            self._heading = _HEADINGS[tag]
        elif tag in _LISTS:
            self._lists.append(_number(element.get("start"), 1) if tag == "ol" else None)
        elif tag == "li":
            self._marker = self._next_marker(element)
        self._preserved += tag == "pre"
        self._visit_inside(element)
        self.flush()
        self._preserved -= tag == "pre"
        if tag in _LISTS:
            self._lists.pop()
        if tag == "li":
            self._marker = None
        elif tag in _HEADINGS:
            self._heading, self._marker = around
        self._at = at

    def _visit_inside(self, element: _Element) -> None:
        self._add(element.text, element)
        for child in element:
            self.visit(child)
            self._add(child.tail, element)

    def _add(self, text: str | None, element: _Element) -> None:
        if not text:
            return
        if self._at is None:
            self._at = element
        if self._preserved and "\n" in text:
            first, *rest = text.split("\n")
            self._text.append(first)
            for line in rest:
                self.flush()
                self._text.append(line)
            return
        self._text.append(text)
        if self._in_link:
            self._links += len("".join(text.split()))

    def _next_marker(self, element: _Element) -> str:
        if not self._lists or self._lists[-1] is None:
            return "• "
        number = _number(element.get("value"), self._lists[-1])
        self._lists[-1] = number + 1
        return f"{number}. "

    def _table(self, table: _Element) -> None:
        for caption in table.iterchildren("caption", "{*}caption"):
            self._visit_block(caption, "caption")
        rows = _rows(table)
        if len(rows) > self._most_rows:
            raise fault("too_much_text", self._name, limit=self._most_rows, detail="rows/行")
        from ingest.loading.tables import Cell, expand_spans

        cells: list[list[Cell]] = []
        links = 0
        for at, row in enumerate(rows):
            if at % _BEAT_EVERY == 0:
                self._beat()
            line = []
            for cell in _cells(row):
                text, linked = self._cell(cell)
                links += linked
                line.append(
                    Cell(text, max(_number(cell.get("colspan"), 1), 1), _number(cell.get("rowspan"), 1))
                )
            cells.append(line)
        texts = tuple(cell.text for line in cells for cell in line if cell.text)
        if texts:
            grid = tuple(map(tuple, expand_spans(cells)))
            self.pieces.append(Piece(table, texts, links, None, grid, _header_rows(rows)))

    def _cell(self, cell: _Element) -> tuple[str, int]:
        inner = _Walk(self._name, self._most_rows, self._beat)
        inner._at = cell
        inner._visit_inside(cell)
        inner.flush()
        return _joined([line for piece in inner.pieces for line in piece.texts]), sum(
            piece.links for piece in inner.pieces
        )


def _joined(lines: list[str]) -> str:
    """A cell's lines as one: the halves of a word broken for want of room are joined again."""
    text = ""
    for line in lines:
        broken = (
            text
            and len(text) <= _SHORT_LINE
            and len(line) <= _SHORT_LINE
            and _NEAR_CJK.search(text[-1] + line[0])
        )
        text += line if not text or broken else f" {line}"
    return text


def _number(value: str | None, default: int) -> int:
    digits = (value or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 7 else default


def _rows(table: _Element) -> list[_Element]:
    rows: list[_Element] = []
    for child in table:
        tag = tag_of(child)
        if tag == "tr":
            rows.append(child)
        elif tag in ("thead", "tbody", "tfoot"):
            rows += [row for row in child if tag_of(row) == "tr"]
    return rows


def _cells(row: _Element) -> list[_Element]:
    return [cell for cell in row if tag_of(cell) in ("td", "th")]


def _header_rows(rows: list[_Element]) -> int | None:
    """How many rows at the top are marked as headers; None where the page marks none."""
    count = 0
    for row in rows:
        parent = row.getparent()
        cells = _cells(row)
        if (parent is not None and tag_of(parent) == "thead") or (
            cells and all(tag_of(cell) == "th" for cell in cells)
        ):
            count += 1
        else:
            break
    return count if 0 < count < len(rows) else None


def _is_layout(table: _Element) -> bool:
    """Whether the table only puts parts of a page side by side, as old pages do."""
    if (table.get("role") or "").lower() in ("presentation", "none"):
        return True
    widest = 0
    for element in table.iterdescendants():
        tag = tag_of(element)
        if tag in ("table", "h1", "h2", "h3", "form", "nav"):
            return True
        if tag == "tr":
            widest = max(widest, len(_cells(element)))
        elif tag == "td":
            paragraphs = sum(tag_of(inner) in ("p", "div", "br") for inner in element.iterdescendants())
            if paragraphs >= 3 and sum(map(len, element.itertext())) > _LONG_CELL:
                return True
    return widest < 2
