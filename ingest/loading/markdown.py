"""Markdown: headings, items, tables and paragraphs; the marks go, the words stay."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ingest.decoding import decode
from ingest.loading import markup
from ingest.loading.blocks import Block, Parsed, Task
from ingest.loading.html import iso_date
from ingest.loading.markup import one_line
from ingest.messages import fault
from rag.errors import SourceError
from rag.text import HAN

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT = re.compile(r"\ufeff?---[ \t]*\n(.{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_FIELD = re.compile(r"([\w一-鿿 -]{1,40})\s*[:：]\s*(.+)")
_TITLE_FIELDS = ("title", "标题", "標題")
_DATE_FIELDS = ("published", "publish_date", "pubdate", "date", "发布日期", "发布时间", "日期")
_ISSUER_FIELDS = ("issuer", "publisher", "发布单位", "发布机构", "发文机关", "来源")
_TOO_DEEP = re.compile(r"^(?:[ \t]{0,8}(?:[>*+-]|\d{1,9}[.)])){40}", re.MULTILINE)
_DEEPEST = 90
_PART = 200_000
"""Characters parsed at a time, so that long files get on."""
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"^ {0,3}#{1,6}(?:[ \t]|$)")
_UNDERLINED_LENGTH = 60
"""A longer paragraph above a line of hyphens is one above a rule, not a heading."""
_SENTENCE_END = re.compile("[。！？；：…][”’」』）)】》*_]*$")
_LABEL = re.compile(f"[{HAN}\\w（）() 　]{{2,14}}[：:]\\s*\\S")
_STARTS = re.compile(
    "(?:[（(]?[一二三四五六七八九十〇零\\d]{1,3}[）)、.．]|[①-⑳•●■◆·]|第[一二三四五六七八九十百\\d]{1,4}[章节条]|附件|附：|"
    "(?:19|20)\\d\\d年\\d{1,2}月\\d{1,2}日$)"
)
_SHORT = 30
_ENDS_OPEN = re.compile("[，、,（(“《—-]$")
_BREAK = "\n"


def load(task: Task) -> Parsed:
    """Read a Markdown file.

    :raises SourceEmpty: when it holds no text
    :raises SourceUndecodable: when no encoding gives readable text
    :raises SourceDamaged: when the parser cannot make anything of it
    """
    if not task.data.strip():
        raise fault("empty", task.name)
    decoded = decode(task.data, task.name)
    text = re.sub("\r\n?", "\n", decoded.text).replace("\x00", "")
    fields, text = _front_matter(text)
    try:
        blocks = _lines(text) if _TOO_DEEP.search(text) else _blocks(text, task)
    except RecursionError:
        blocks = _lines(text)
    except (SourceError, MemoryError):
        raise
    except Exception as error:
        raise fault("damaged", task.name, detail="its Markdown cannot be read") from error
    title = _field(fields, _TITLE_FIELDS)
    if title and not any(block.text == title for block in blocks[:5]):
        blocks = [Block(one_line(title), "heading", 1), *blocks]
    if not blocks:
        raise fault("no_text", task.name)
    return Parsed(
        tuple(blocks),
        title=title or _first_title(blocks),
        published=iso_date(_field(fields, _DATE_FIELDS) or ""),
        issuer=_field(fields, _ISSUER_FIELDS),
        encoding=decoded.encoding,
    )


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """The fields that stand above the text, and the text; what is not made of fields is text."""
    match = _FRONT.match(text)
    if match is None:
        return {}, text
    lines = [line for line in match.group(1).split("\n") if line.strip()]
    found = [field for line in lines if (field := _FIELD.fullmatch(line.strip()))]
    if not found or _FIELD.fullmatch(lines[0].strip()) is None:
        return {}, text
    fields = {field.group(1).strip().lower(): field.group(2).strip().strip("\"'") for field in found}
    return fields, text[match.end() :]


def _field(fields: dict[str, str], names: Sequence[str]) -> str | None:
    return next((value for name in names if (value := fields.get(name))), None)


def _first_title(blocks: Sequence[Block]) -> str | None:
    """The only heading of the first level, or the one that opens the text."""
    first = [block.text for block in blocks if block.kind == "heading" and block.level == 1]
    opens = bool(blocks) and blocks[0].kind == "heading" and blocks[0].level == 1
    return first[0] if first and (opens or len(first) == 1) else None


def _lines(text: str) -> list[Block]:
    return [Block(line) for raw in text.split("\n") if (line := one_line(raw.strip("> \t#*")))]


def _blocks(text: str, task: Task) -> list[Block]:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable(["table", "strikethrough"])
    env: dict[str, object] = {}
    blocks: list[Block] = []
    for part in _parts(text):
        blocks += _Reader(task).read(parser.parse(part, env))
        task.beat()
    return blocks


def _parts(text: str) -> Iterator[str]:
    """The text in parts that begin with a heading, none inside a block of code."""
    if len(text) <= _PART:
        yield text
        return
    lines: list[str] = []
    size, fence = 0, ""
    for line in text.split("\n"):
        if match := _FENCE.match(line):
            mark = match.group(1)
            fence = ("" if mark.startswith(fence) else fence) if fence else mark
        breaks = not line.strip() if size > 2 * _PART else _HEADING.match(line) is not None
        if size > _PART and not fence and breaks:
            yield "\n".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 1
    yield "\n".join(lines)


class _Reader:
    """Goes through the parser's tokens, which stand in order and open and close what they nest."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._blocks: list[Block] = []
        self._depth = 0
        self._marker: str | None = None
        self._heading = 0
        self._grid: list[list[str]] = []
        self._in_table = False

    def read(self, tokens: Sequence[Token]) -> list[Block]:
        for token in tokens:
            handler = _HANDLERS.get(token.type)
            if handler is not None:
                handler(self, token)
        return self._blocks

    def list_open(self, _token: Token) -> None:
        self._depth += 1

    def list_close(self, _token: Token) -> None:
        self._depth -= 1

    def item_open(self, token: Token) -> None:
        self._marker = f"{token.info}{token.markup} " if token.info else "• "

    def item_close(self, _token: Token) -> None:
        self._marker = None

    def heading_open(self, token: Token) -> None:
        self._heading = int(token.tag[1:])
        if token.markup in ("-", "="):
            self._heading = -self._heading

    def heading_close(self, _token: Token) -> None:
        self._heading = 0

    def table_open(self, _token: Token) -> None:
        self._grid, self._in_table = [], True

    def table_close(self, _token: Token) -> None:
        from ingest.loading.tables import table_blocks

        self._in_table = False
        if len(self._grid) > self._task.limits.table_rows:
            raise fault(
                "too_much_text", self._task.name, limit=self._task.limits.table_rows, detail="rows/行"
            )
        self._blocks += table_blocks(self._grid, header_rows=1 if any(self._grid[0]) else None)

    def row_open(self, _token: Token) -> None:
        self._grid.append([])

    def inline(self, token: Token) -> None:
        lines = _inline_lines(token.children or [])
        if self._in_table:
            self._grid[-1].append(one_line(" ".join(lines)))
            return
        if self._heading > 0 or (self._heading and len("".join(lines)) <= _UNDERLINED_LENGTH):
            self._add("".join(_joined(lines, always=True)), "heading")
            return
        for line in _joined(lines):
            self._add(line, "paragraph")

    def code(self, token: Token) -> None:
        # After the fence stands the language of a program, unless somebody wrote words there.
        words = token.info if re.search(f"[{HAN}]", token.info) else ""
        for line in (words, *token.content.split("\n")):
            self._add(line, "paragraph")

    def html(self, token: Token) -> None:
        root = markup.parse(token.content) if "<" in token.content else None
        if root is None:
            self._blocks += markup.stripped(token.content)
            return
        self._blocks += markup.blocks(
            markup.pieces(root, self._task.name, most_rows=self._task.limits.table_rows, beat=self._task.beat)
        )

    def _add(self, text: str, kind: str) -> None:
        text = one_line(text)
        if not text:
            return
        if kind == "heading":
            self._blocks.append(Block(text, "heading", abs(self._heading)))
        elif self._marker is not None:
            self._blocks.append(Block(self._marker + text, "item", self._depth))
            self._marker = None
        else:
            self._blocks.append(Block(text))


_HANDLERS: dict[str, Callable[[_Reader, Token], None]] = {
    "bullet_list_open": _Reader.list_open,
    "ordered_list_open": _Reader.list_open,
    "bullet_list_close": _Reader.list_close,
    "ordered_list_close": _Reader.list_close,
    "list_item_open": _Reader.item_open,
    "list_item_close": _Reader.item_close,
    "heading_open": _Reader.heading_open,
    "heading_close": _Reader.heading_close,
    "table_open": _Reader.table_open,
    "table_close": _Reader.table_close,
    "tr_open": _Reader.row_open,
    "inline": _Reader.inline,
    "fence": _Reader.code,
    "code_block": _Reader.code,
    "html_block": _Reader.html,
}


def _inline_lines(tokens: Sequence[Token]) -> list[str]:
    """The words of a paragraph, a line of the source each; a forced break ends its line with a mark."""
    lines = [""]
    for token in tokens:
        if token.type == "softbreak":
            lines.append("")
        elif token.type == "hardbreak" or (
            token.type == "html_inline" and token.content.lower().startswith("<br")
        ):
            lines[-1] += _BREAK
            lines.append("")
        elif token.type == "image":
            lines[-1] += "".join(_inline_lines(token.children or []))
        elif token.type in ("text", "code_inline", "text_special"):
            lines[-1] += token.content
    return lines


def _joined(lines: Sequence[str], *, always: bool = False) -> list[str]:
    """The lines, those joined that were broken only for want of room."""
    joined: list[str] = []
    before = ""
    for line in lines:
        if joined and (always or not _stands_alone(before, line)):
            joined[-1] = one_line(f"{joined[-1].strip()}\n{line.strip()}")
        else:
            joined.append(line)
        before = line
    return joined


def _stands_alone(before: str, line: str) -> bool:
    """Whether a line of the source begins anew, and does not go on with the one before."""
    if before.endswith(_BREAK):
        return True
    before, line = before.strip(), line.strip()
    if not re.search(f"[{HAN}]", before + line):
        return bool(_LABEL.match(before) and _LABEL.match(line))
    return bool(
        _SENTENCE_END.search(before)
        or _STARTS.match(line)
        or (_LABEL.match(line) and not _ENDS_OPEN.search(before))
        or (_LABEL.match(before) and len(before) <= _SHORT)
        or (len(before) <= _SHORT and len(line) <= _SHORT and not _ENDS_OPEN.search(before))
    )
