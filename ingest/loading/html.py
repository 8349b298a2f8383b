"""Web pages: the article without the site around it, and what the page says of its title, date and issuer."""

from __future__ import annotations

import codecs
import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.decoding import decode
from ingest.loading import markup
from ingest.loading.article import find_article, is_info, plain
from ingest.loading.blocks import Block, Parsed, Task
from ingest.loading.markup import Piece
from ingest.messages import fault
from rag.errors import SourceError
from rag.types import Change, Note

if TYPE_CHECKING:
    from lxml.etree import _Element

_HEAD = 4096
_DECLARED = re.compile(
    rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)|<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]+)",
    re.IGNORECASE,
)
_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CHINESE = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "hz": "hz",
    "big5": "big5hkscs",
    "big5hkscs": "big5hkscs",
    "cp950": "big5hkscs",
}
_FEW = 40
"""Bytes beyond ASCII below which no statistics tell the Chinese encodings apart: the page's word is taken."""
_MOST_DAMAGED = 0.002

_PUBLISHED_META = (
    "pubdate",
    "publishdate",
    "publish-date",
    "publish_date",
    "article:published_time",
    "og:published_time",
    "datepublished",
    "dcterms.issued",
    "dc.date.issued",
    "dcterms.created",
    "dcterms.date",
    "dc.date",
    "publication_date",
    "releasedate",
)
_TITLE_META = ("articletitle", "article:title")
_ISSUER_META = ("contentsource", "来源", "source", "article:author_org", "dc.source")
_DATE = re.compile(r"((?:19|20)\d\d)\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})(?!\d)")
_COMPACT_DATE = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:\d{6})?$")
_DATE_LABELS = (
    "(?:发布|發佈|發布|刊发|公布|公开|公開|上网)(?:日期|时间|時間)|信息时间",
    "(?:发文|发稿|生成|印发|成文|成文日|制发)(?:日期|时间)|日期|时间",
)
_ISSUER_LABELS = (
    "发布机构|发布单位|发文机[关构]|发文单位|公开机构|公开主体|制定机关|责任部门",
    "(?:信息|稿件|文章|内容)?来\\s*源|來源",
)
_NO_ISSUER = re.compile("(?:本网|本站|网络|未知|原创|互联网|转载|综合|佚名|其他|无|-+|/)")
_JSON_DATE = re.compile(r'"datePublished"\s*:\s*"([^"]{8,40})"')
_LONGEST_TITLE = 200
_SITE = re.compile(
    "(?!关于|關於).{0,20}(?:政府|门户|网站|网|官网|频道|首页|新闻|动态|通知公告|公示公告|公告公示|中心|局|委员会|办公室|街道"
    "|办事处|日报|在线|平台|栏目|政务|资讯|政务公开|信息公开|政府公报|政策文件)(?:[（(].*[)）])?"
    "|(?:home|news|official)\\b.*|.*(?:website|portal|news|online|government|gov)",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"\s*[_|｜]\s*|\s+[-–—·:：]+\s+|(?<=[\u4e00-\u9fff）)》”])\s*[-–—]+\s*(?=[\u4e00-\u9fff])"
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page's tree, all its pieces, and how many hidden elements were taken out."""

    root: _Element
    pieces: tuple[Piece, ...]
    hidden: int


def load(task: Task) -> Parsed:
    """Read a web page.

    :raises SourceEmpty: when it shows no text
    :raises SourceUndecodable: when no encoding gives readable text
    :raises SourceTooLarge: when a table is longer than the limit
    :raises SourceDamaged: when it cannot be read at all
    """
    if not task.data.strip():
        raise fault("empty", task.name)
    text, encoding = page_text(task.data, task.name)
    return read_page(text, encoding, task)


def page_text(data: bytes, name: str, declared: str | None = None) -> tuple[str, str]:
    """A page's text and its encoding: by its mark, its own word where that reads like language, else by its bytes.

    :param declared: what the page's envelope says, where it came in one
    :raises SourceUndecodable: when no encoding gives readable text
    """
    if not data.startswith(_BOMS):
        for label in (*_declared(data), *([declared] if declared else [])):
            text = _as_declared(data, label)
            if text is not None:
                return text, _CHINESE.get(label, label)
    try:
        decoded = decode(data, name)
    except SourceError:
        # One broken byte, as at the end of a page cut short, does not put UTF-8 in doubt.
        text = data.decode("utf-8", "replace")
        if b"\x00" in data or text.count("\ufffd") > max(1, len(text) * _MOST_DAMAGED):
            raise
        return text, "utf-8"
    return decoded.text, decoded.encoding


def _declared(data: bytes) -> Iterator[str]:
    for match in _DECLARED.finditer(data[:_HEAD]):
        try:
            yield codecs.lookup((match.group(1) or match.group(2)).decode("ascii")).name
        except LookupError:
            continue


def _as_declared(data: bytes, label: str) -> str | None:
    """The text in a Chinese encoding that the page names, where there is too little of it to judge."""
    encoding = _CHINESE.get(label)
    if encoding is None or sum(byte >= 0x80 for byte in data) > _FEW:
        return None
    for other in ("utf-8", encoding):
        try:
            text = data.decode(other)
        except UnicodeDecodeError:
            continue
        return None if other == "utf-8" else text
    return None


def read_page(text: str, encoding: str, task: Task) -> Parsed:
    """The same for a page that is decoded already."""
    try:
        return _read(text, encoding, task)
    except (SourceError, MemoryError):
        raise
    except Exception as error:
        raise fault("damaged", task.name, detail="its HTML cannot be read") from error


def _read(text: str, encoding: str, task: Task) -> Parsed:
    page = _page(text, task)
    if page is None:
        blocks = markup.stripped(text)
        if not blocks:
            raise fault("no_text", task.name)
        return Parsed(tuple(blocks), encoding=encoding, notes=(Note("whole_page"),))
    if not page.pieces:
        raise fault("no_text", task.name)
    task.beat()
    article = find_article(page.root, page.pieces)
    task.beat()
    about = _About(page, article or ())
    chosen = markup.blocks(article if article is not None else list(page.pieces))
    if not chosen:
        raise fault("no_text", task.name)
    title = about.title()
    notes = [Note("hidden_text", str(page.hidden))] if page.hidden else []
    changes: tuple[Change, ...] = ()
    if article is None:
        notes.insert(0, Note("whole_page"))
    else:
        chosen = _with_title(chosen, title, page)
        left = sum(piece.size for piece in page.pieces) - sum(piece.size for piece in article)
        changes = (Change("navigation", left),) if left > 0 else ()
    return Parsed(
        tuple(chosen),
        title=title,
        published=about.published(),
        issuer=about.issuer(),
        encoding=encoding,
        changes=changes,
        notes=tuple(notes),
    )


def _page(text: str, task: Task) -> Page | None:
    root = markup.parse(text)
    if root is None:
        return None
    hidden = markup.drop_hidden(root)
    found = markup.pieces(root, task.name, most_rows=task.limits.table_rows, beat=task.beat)
    return Page(root, tuple(found), hidden)


def _with_title(blocks: list[Block], title: str | None, page: Page) -> list[Block]:
    """The blocks with the title, where the page shows it, as their first heading."""
    if title is None:
        return blocks
    wanted = plain(title)
    for at, block in enumerate(blocks[:10]):
        if plain(block.text) == wanted:
            return [Block(block.text, "heading", 1), *blocks[:at], *blocks[at + 1 :]]
    shown = any(piece.block is not None and plain(piece.block.text) == wanted for piece in page.pieces)
    return [Block(title, "heading", 1), *blocks] if shown else blocks


class _About:
    """What a page says of itself: in its head, in its table of particulars, and in the line under its title."""

    def __init__(self, page: Page, article: Sequence[Piece]) -> None:
        self._page = page
        self._article = article
        self._meta: dict[str, str] = {}
        for element in page.root.iter("meta"):
            key = (element.get("name") or element.get("property") or element.get("itemprop") or "").strip()
            content = markup.one_line(element.get("content") or "")
            if key and content:
                self._meta.setdefault(key.lower(), content)
        self._lines = list(self._short_lines())

    def title(self) -> str | None:
        """The article's own title; the page's without the site's name where it has none."""
        page_title = self._page_title()
        for key in _TITLE_META:
            if text := self._in_meta(key):
                return text
        heads = [
            piece.texts[0]
            for piece in self._page.pieces
            if piece.block is not None
            and piece.block.kind == "heading"
            and piece.block.level == 1
            and 2 <= len(piece.texts[0]) <= _LONGEST_TITLE
        ]
        site = plain(self._meta.get("sitename") or self._meta.get("og:site_name") or "")
        heads = [head for head in heads if plain(head) != site]
        named = [
            head
            for head in heads
            if plain(page_title).startswith(plain(head)) and not _is_site(head, page_title)
        ]
        if named:
            return max(named, key=len)
        if text := self._in_meta("og:title"):
            return _without_site(text, site)
        # The title need not be a heading: the line with which the page's own title begins.
        begun: list[str] = [
            piece.texts[0]
            for piece in self._page.pieces
            if piece.block is not None
            and len(piece.texts[0]) <= _LONGEST_TITLE
            and len(plain(piece.texts[0])) >= 6
            and plain(page_title).startswith(plain(piece.texts[0]))
        ]
        if begun:
            return max(begun, key=len)
        in_article = {id(piece) for piece in self._article}
        inside = [
            piece.texts[0]
            for piece in self._page.pieces
            if id(piece) in in_article
            and piece.block is not None
            and piece.block.kind == "heading"
            and piece.block.level == 1
        ]
        if len(inside) == 1:
            return inside[0][:_LONGEST_TITLE]
        if page_title:
            return _without_site(page_title, site)
        return heads[0] if len(heads) == 1 else None

    def _in_meta(self, key: str) -> str | None:
        text = markup.one_line(re.sub("<[^<>]{0,100}>", "", self._meta.get(key, "")))
        return text if 2 <= len(text) <= _LONGEST_TITLE else None

    def _page_title(self) -> str:
        for element in self._page.root.iter("title"):
            if text := markup.one_line("".join(element.itertext())):
                return text[:_LONGEST_TITLE]
        return ""

    def published(self) -> str | None:
        """The date that the page states as its publication; never one that is only likely."""
        candidates = [self._meta.get(key, "") for key in _PUBLISHED_META]
        for element in self._page.root.iter("time"):
            if element.get("pubdate") is not None or "datePublished" in (element.get("itemprop") or ""):
                candidates.append(element.get("datetime") or "".join(element.itertext()))
        for element in self._page.root.iter("script"):
            if "ld+json" in (element.get("type") or ""):
                candidates += _JSON_DATE.findall(element.text or "")
        for labels in _DATE_LABELS:
            candidates += _labelled(self._lines, labels)
        candidates += [line for line in self._lines if _is_dateline(line)]
        return next((date for text in candidates if (date := iso_date(text))), None)

    def issuer(self) -> str | None:
        """The body that the page states as its issuer or its source."""
        in_meta = [self._meta.get(key, "") for key in _ISSUER_META]
        bodies = [
            *_labelled(self._lines, _ISSUER_LABELS[0]),
            *in_meta,
            *_labelled(self._lines, _ISSUER_LABELS[1]),
        ]
        for text in bodies:
            body = re.split(r"\s{1,}|[|｜]", text.strip(" 　：:"))[0] if markup.one_line(text) else ""
            if 2 <= len(body) <= 40 and not _NO_ISSUER.fullmatch(body) and not iso_date(body):
                return body
        return None

    def _short_lines(self) -> Iterator[str]:
        """Lines that may tell of the document: particulars anywhere, others only before the article's own text."""
        chosen = {id(piece) for piece in self._article}
        title = plain(self.title() or "")
        starts = [
            at for at, piece in enumerate(self._page.pieces) if piece.block and plain(piece.texts[0]) == title
        ]
        # Where the title is in the crumbs too, its last place before the text is the one that counts.
        first = next(
            (at for at, piece in enumerate(self._page.pieces) if id(piece) in chosen and piece.size > 80), 0
        )
        start = max((at for at in starts if at <= first), default=min(starts, default=0))
        for at, piece in enumerate(self._page.pieces):
            particular = is_info(piece)
            before = start <= at < max(first, start + 4)
            if piece.block is None:
                if particular:
                    yield from _pairs(piece)
            elif piece.size <= 150 and (before or particular):
                yield piece.texts[0]


def _pairs(piece: Piece) -> Iterator[str]:
    """A table of particulars as lines "label：value"."""
    for row in piece.grid:
        cells = [cell for at, cell in enumerate(row) if cell and (at == 0 or row[at - 1] != cell)]
        if len(cells) % 2 == 0 and not any(re.search("[:：].", cell) for cell in cells):
            for label, value in zip(cells[::2], cells[1::2], strict=True):
                yield f"{label.rstrip(':：')}：{value}"
        else:
            yield from cells


def _labelled(lines: Iterable[str], labels: str) -> list[str]:
    """What follows one of the labels in the lines, up to the next label."""
    pattern = re.compile(
        f"(?:^|[\\s　|｜【\\[（(;；])(?:{labels})\\s*[:：]\\s*(.+?)(?=[\\s　|｜】\\])）;；]+\\S{{2,6}}[:：]|[】\\]]|$)"
    )
    return [match.group(1) for line in lines for match in pattern.finditer(line)]


def _is_dateline(line: str) -> bool:
    """Whether a line is only a date, or a date and where the text comes from."""
    if len(line) > 60 or not (match := _DATE.match(line.strip("【[（( "))):
        return False
    rest = line.strip("【[（( ")[match.end() :]
    return bool(
        re.fullmatch(r"日?\s*[T ]?\s*(?:\d{1,2}:\d{2}(?::\d{2})?)?\s*(?:[|｜]?\s*\S{0,4}来\s*源.*)?", rest)
    )


def iso_date(text: str) -> str | None:
    """The first full date in a short text as YYYY-MM-DD; None where there is none that exists."""
    match = _DATE.search(text) or _COMPACT_DATE.match(text.strip())
    if match is None:
        return None
    try:
        return datetime.date(*map(int, match.groups())).isoformat()
    except ValueError:
        return None


def _is_site(head: str, page_title: str) -> bool:
    """Whether a heading is the name of the site: the page's title has more to say, and the heading ends it too."""
    return plain(head) != plain(page_title) and _SITE.fullmatch(head) is not None and len(plain(head)) < 12


def _without_site(title: str, site: str) -> str:
    """A page's title without the site's name and column."""
    parts = [part for part in _SEPARATOR.split(title) if part]
    if len(parts) < 2:
        return title
    if plain(parts[0]) == site or (_SITE.fullmatch(parts[0]) and not _SITE.fullmatch(parts[-1])):
        return parts[-1]
    # The first part, and what belongs to it: parts of a title that name no site stand before those that do.
    kept = [parts[0]]
    for part in parts[1:]:
        if _SITE.fullmatch(part) or plain(part) == site:
            break
        kept.append(part)
    end = title.find(kept[-1], sum(map(len, kept[:-1]))) + len(kept[-1])
    return title[:end] if len(kept) < len(parts) else parts[0]
