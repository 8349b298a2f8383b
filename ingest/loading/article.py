"""Which pieces of a web page are its article: trafilatura finds it, the page's own tree says how far it goes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ingest.loading.markup import Piece, tag_of

if TYPE_CHECKING:
    from lxml.etree import _Element

_SHINGLE = 8
_MOST_ELEMENTS = 80_000
"""Larger pages are dumps of data, and take the article finder too long."""
_MATCHED = 0.8
_WHOLE = 0.9
_DENSE = 0.6
_LINKED = 0.5
_MENU = 3
"""Lines that stand together from which they can be a menu."""
_LEAST_TEXT = 10
_WORD = re.compile(r"[\W_]+")
_ASIDE = frozenset(("nav", "header", "footer", "aside", "form"))
_ASIDE_NAME = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|footer|foot|header|sidebar|side|breadcrumbs?|crumbs?|copyright"
    r"|toolbar|share|related|pagination)(?:$|[\s_\d-])",
    re.IGNORECASE,
)
_CAPTION_NAME = re.compile(r"(?:^|[\s_-])(?:captions?|figcaption|credits?)(?:$|[\s_-])", re.IGNORECASE)
_SENTENCE = re.compile("[。！？；]|[.!?](?:\\s|$)")
_FURNITURE = re.compile(
    "(?:您?当前(?:的|所在)?位置|[您你](?:现在)?(?:的|所在)?位置|现在位置|所在位置)\\s*(?:是)?[:：]"
    "|首页\\s*[>›»＞/]"
    "|[【\\[]?\\s*(?:字[号体]|字体大小|分享到?|浏览次数|阅读次数|点击(?:数|次数)?|访问量)\\s*[:：]"
    "|(?:上一篇|下一篇|上一条|下一条)\\s*[:：]"
    "|[【\\[]?\\s*(?:打印(?:本页|此页)?|关闭(?:窗口|本页)?|返回顶部|收藏本页|我要纠错)\\s*[】\\]]?"
    "(?:\\s*[【\\[|]?\\s*(?:打印(?:本页|此页)?|关闭(?:窗口|本页)?|收藏(?:本页)?|返回顶部)\\s*[】\\]]?)*$"
    "|(?:相关|推荐|更多|热点|延伸|相關)(?:新闻|阅读|链接|信息|文章|报道|资讯|推荐|新聞|連結)\\s*[:：]?$"
    "|扫一扫(?:在手机打开|分享|打开)"
)
_FOOTER = re.compile("版权所有|Copyright\\s*[©(]|[\u4e00-\u9fff]ICP备\\s*\\d|公网安备|网站标识码|网站地图")
_FOOTER_LENGTH = 200
_FURNITURE_LENGTH = 80
_INFO = re.compile(
    "(?:索\\s*引\\s*号|发布机构|发文机[关构]|发文单位|发布单位|公开机构|制定机关|信息来源|发文字号|文\\s*号|"
    "(?:发文|成文|发布|公开|生成|印发|生效)(?:日期|时间)|主题(?:分类|词)|有\\s*效\\s*性|公开方式)"
)


def plain(text: str) -> str:
    """The text's letters, digits and Chinese characters alone, for comparison."""
    return _WORD.sub("", text)


def is_info(piece: Piece) -> bool:
    """Whether the piece tells what the document is: a table or a line that names its issuer, number and dates."""
    if piece.block is None:
        labels = {match.group() for text in piece.texts if len(text) < 30 and (match := _INFO.match(text))}
        return len(labels) >= 2 and piece.size < 1000
    return piece.size < 120 and re.match(f"{_INFO.pattern}\\s*[:：]", piece.texts[0]) is not None


def find_article(root: _Element, pieces: Sequence[Piece]) -> list[Piece] | None:
    """The article's pieces in order; None where the page has none, as a list of links.

    :param root: the tree that the pieces come from
    """
    chosen = _located(pieces, _extracted(root)) or _densest(pieces)
    size = sum(piece.size for piece in chosen)
    if size < _LEAST_TEXT or sum(piece.links for piece in chosen) > size * _DENSE:
        return None
    inside = {id(piece) for piece in chosen}
    return [piece for piece in pieces if id(piece) in inside or is_info(piece)]


def _extracted(root: _Element) -> list[str]:
    """The lines of what trafilatura takes for the article; none where it finds nothing or the page is too large."""
    if sum(1 for _ in root.iter()) > _MOST_ELEMENTS:
        return []
    import trafilatura
    from lxml import etree, html

    try:
        # It works on trees of lxml.html alone, and changes them.
        tree = html.document_fromstring(
            etree.tostring(root, encoding="utf-8", method="html"), parser=html.HTMLParser(encoding="utf-8")
        )
        for cell in tree.iter("td", "th"):
            # It repeats a cell as often as the page asks for.
            cell.attrib.pop("colspan", None)
            cell.attrib.pop("rowspan", None)
        found = trafilatura.bare_extraction(
            tree, include_comments=False, include_tables=True, deduplicate=False, with_metadata=False
        )
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - whatever stops it on a strange page, the page's own tree is still there
        return []
    body = getattr(found, "body", None)
    if body is None:
        return []
    # Marked words stand in elements of their own, or on lines: theirs is whole only when all is put together again.
    lines = [line for text in body.itertext() for line in text.split("\n")]
    return [*lines, "".join(lines)]


def _located(pieces: Sequence[Piece], lines: Iterable[str]) -> list[Piece]:
    """The pieces whose words the lines hold, and what stands among them."""
    whole: set[str] = set()
    shingles: set[str] = set()
    for line in lines:
        text = plain(line)
        if text:
            whole.add(text)
            shingles.update(text[i : i + _SHINGLE] for i in range(max(len(text) - _SHINGLE + 1, 1)))
    if not whole:
        return []
    matched = [_share(piece, whole, shingles) >= _MATCHED for piece in pieces]
    total = sum(piece.size for piece, found in zip(pieces, matched, strict=True) if found)
    if not total:
        return []
    found_in, size_of = _sums(pieces, matched)
    container = _smallest(found_in, size_of, total * _WHOLE)
    menus = _menus(pieces)
    chosen = []
    for piece, found in zip(pieces, matched, strict=True):
        around = _line(piece.element)
        if container not in around or _is_furniture(piece) or id(piece) in menus:
            continue
        mostly_links = piece.links > piece.size * _DENSE
        inner = around[: around.index(container) + 1]
        shares = [found_in.get(element, 0) / size_of[element] for element in inner]
        if found:
            if piece.size >= _SHINGLE or max(shares) >= 0.5:
                chosen.append(piece)
        elif (
            max(shares) >= _DENSE
            and not any(_is_caption(element) for element in inner)
            and not (mostly_links and shares[0] < 0.5 and not _is_attachment(piece))
        ):
            chosen.append(piece)
    return chosen


def _menus(pieces: Sequence[Piece]) -> set[int]:
    """The pieces, by identity, that belong to menus and lists of other articles: links beside links."""
    sums: dict[_Element, tuple[int, int, int]] = {}
    for piece in pieces:
        for element in _line(piece.element):
            links, size, count = sums.get(element, (0, 0, 0))
            sums[element] = (links + piece.links, size + piece.size, count + 1)
    found = set()
    for piece in pieces:
        if piece.links <= piece.size * _LINKED or piece.block is None or _is_attachment(piece):
            continue
        around = (sums[element] for element in _line(piece.element))
        links, size, _ = next((sum_ for sum_ in around if sum_[2] >= _MENU), (0, 1, 0))
        if links > size * _LINKED or _is_aside(piece):
            found.add(id(piece))
    return found


def _is_caption(element: _Element) -> bool:
    return tag_of(element) == "figcaption" or _CAPTION_NAME.search(element.get("class") or "") is not None


def _is_attachment(piece: Piece) -> bool:
    return (
        piece.texts[0].startswith(("附件", "附表", "附：", "Annex", "Attachment"))
        or "." in piece.texts[0][-5:]
    )


def _share(piece: Piece, whole: set[str], shingles: set[str]) -> float:
    """How much of the piece, by its characters, the lines hold."""
    held = size = 0
    for text in map(plain, piece.texts):
        size += len(text)
        if len(text) < _SHINGLE:
            held += len(text) * (text in whole)
        else:
            count = len(text) - _SHINGLE + 1
            held += len(text) * sum(text[i : i + _SHINGLE] in shingles for i in range(count)) // count
    return held / size if size else 0.0


def _sums(
    pieces: Sequence[Piece], matched: Sequence[bool]
) -> tuple[dict[_Element, int], dict[_Element, int]]:
    """For each element around pieces: the characters matched in it, and all its characters."""
    found_in: dict[_Element, int] = {}
    size_of: dict[_Element, int] = {}
    for piece, found in zip(pieces, matched, strict=True):
        for element in _line(piece.element):
            size_of[element] = size_of.get(element, 0) + piece.size
            if found:
                found_in[element] = found_in.get(element, 0) + piece.size
    return found_in, size_of


def _smallest(found_in: dict[_Element, int], size_of: dict[_Element, int], least: float) -> _Element:
    """The innermost element that holds ``least`` characters of what was found; the root holds them all."""
    return min(
        (element for element, size in found_in.items() if size >= least),
        key=lambda element: (size_of[element], -_depth(element)),
    )


def _line(element: _Element) -> list[_Element]:
    """The element and all around it, from the inside out."""
    return [element, *element.iterancestors()]


def _depth(element: _Element) -> int:
    return sum(1 for _ in element.iterancestors())


def _is_furniture(piece: Piece) -> bool:
    if piece.block is None:
        return False
    text = piece.texts[0]
    return (len(text) <= _FURNITURE_LENGTH and _FURNITURE.match(text) is not None) or (
        len(text) <= _FOOTER_LENGTH and _FOOTER.search(text) is not None
    )


def _is_aside(piece: Piece) -> bool:
    for element in _line(piece.element):
        tag = tag_of(element)
        if tag in ("body", "html", "main", "article"):
            return False
        if tag in _ASIDE or _ASIDE_NAME.search(f"{element.get('class') or ''} {element.get('id') or ''}"):
            return piece.block is None or piece.block.level != 1 or piece.block.kind != "heading"
    return False


def _densest(pieces: Sequence[Piece]) -> list[Piece]:
    """The text of a page too short for the article finder: the smallest element with most of what is no link."""
    candidates = [
        piece
        for piece in pieces
        if piece.links <= piece.size * 0.5 and not _is_aside(piece) and not _is_furniture(piece)
    ]
    if not any(_SENTENCE.search(text) or len(text) >= 15 for piece in candidates for text in piece.texts):
        return []
    found_in, size_of = _sums(candidates, [True] * len(candidates))
    container = _smallest(found_in, size_of, sum(piece.size for piece in candidates) * _MATCHED)
    return [piece for piece in candidates if container in _line(piece.element)]
