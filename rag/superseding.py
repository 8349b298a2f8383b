"""Which documents of the passages are out of force or outdated by others of them, and by which words. Pure.

Conservative, for what is wrongly called superseded is hidden truth: a document is repealed, replaced or corrected only
by words that name it (its title in 《》 or quotes, or its number), and amended without being named only by a later
document of the same issuer whose title says that it amends and is otherwise nearly the same. Only what the given
passages hold is looked at.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rag.filters.periods import iso_date
from rag.relative_dates import mentions, resolve
from rag.text import aligned, sentences
from rag.types import Passage

Reason = Literal["repealed", "replaced", "corrected", "amended", "later edition"]
_STRENGTH: tuple[Reason, ...] = ("later edition", "amended", "corrected", "replaced", "repealed")


@dataclass(frozen=True, slots=True)
class Superseded:
    """A passage's document and the one that outdates it.

    ``by`` is the position of the passage that says so, or else the first of that document. ``why`` are the words that
    say so, ``text[start:end]`` of that document, or the later title with 0, 0 where the titles alone tell. ``since`` is
    an ISO date, None where none is known. "amended" leaves the rest of the document in force; "later edition" is the
    same series for another year or number, which only matters to a question that names none.
    """

    by: int
    reason: Reason
    why: str
    start: int
    end: int
    since: str | None


@dataclass(frozen=True, slots=True)
class _Document:
    id: str
    title: str
    plain: str
    published: str | None
    issuer: str
    number: str
    positions: tuple[int, ...]


_QUOTED = re.compile(r"[《〈](?P<title>[^《》]{3,80})[》〉]|[“\"「](?P<quoted>[^“”\"「」]{8,80})[”\"」]")
_NUMBER = re.compile(r"[\u4e00-\u9fff]{2,8}[〔\[（(【]\s?(?:19|20)\d\d\s?[〕\]）)】]\s?\d{1,4}\s?号")
_HEAD = 300
_REPEALED = re.compile(
    r"(?:同时|即行|予以|一并|相应|自行|现予|起)?(?:废止|停止执行|停止施行|停止使用|终止执行|不再执行|不再施行|宣布失效|失效)"
    r"|\b(?:is|are|was|be|been|hereby) (?:\w+ )?(?:repealed|revoked|withdrawn|no longer in force)|\brepeals?\b"
)
_REPLACED = re.compile(r"替代|取代|代替|\bsupersed(?:es?|ed)\b|\breplac(?:es|ed)\b")
_CORRECTED = re.compile(r"更正|勘误|\bcorrect(?:s|ed|ion)\b")
_AMENDED = re.compile(r"修改|修订|修正|调整|补充|延长|\bamend(?:s|ed|ment)?\b")
_DENIED = re.compile(
    r"(?:不|未|尚未|并未|没有|不予|暂不|继续|仍|是否|可否|能否|拟|建议|研究|考虑|征求|应当先|如|若|的话|可能)[^，,；;。]{0,4}$|\b(?:not|never|whether|if|may|would|proposed)\b[^,;.]{0,16}$"
)
_STILL = re.compile(r"继续有效|继续执行|仍然有效|仍按|照旧|remains? in force|still applies")
_PARTLY = re.compile(r"^[^，,；;。]{0,12}第[一二三四五六七八九十百\d]+[条款项章节]|部分(?:条款|内容)")
_DRAFT = re.compile(r"征求意见|草案|送审稿|讨论稿|\bdraft\b|解读|问答|新闻|报道")
_IN_FORCE = re.compile(
    r"自?(?:发布|印发|公布)之日起(?:施行|执行|实施|生效)|(?:施行|执行|实施|生效|废止|失效)|\b(?:effective|force|effect)\b"
)
_AMENDING_TITLE = re.compile(
    r"关于(?:进一步)?(?:调整|修订|修改|修正|更正|补充|延长|完善)|(?:调整|修订|修改|修正|补充|延期|更正)[^，。]{0,12}的?(?:通知|公告|决定|办法|通告)|补充通知|补充公告|更正(?:公告|通知)|\bamend|\brevis|\bcorrect"
)
_TITLE_NOISE = re.compile(
    r"关于|印发|进一步|做好|开展|组织|申报|调整|修订|修改|修正|更正|补充|延长|完善|实施|政策|工作|有关|事项|若干|的?(?:通知|公告|通告|决定|办法|意见|规定|方案|细则)|[（(][^）)]*[）)]|的|\W"
)
_YEAR = re.compile(
    r"(?:19|20)\d\d(?:[-—–]\d{2,4})?(?:年度?|学年度?)?|(?:一九|二[〇零])[〇零一二三四五六七八九]{2}年度?"
)
_ISSUE = re.compile(r"第\s?(?P<number>\d{1,4})\s?(?:期|号|辑)|\b(?:no|issue|vol)\.?\s?(?P<issue>\d{1,4})")
_BRACKETS = re.compile(r"[（(【\[][^）)】\]]*[）)】\]]|:?\s*(?:english )?summary\b")
_PLACE = re.compile(r"[\u4e00-\u9fff]{2}(?:区|县|市|镇|街道)(?!域)")
_LEAST_STEM = 4
_LEAST_QUOTED = 6
_LEAST_ALIKE = 0.6
"""Dice coefficient of the bigrams of two titles without their common words."""
_LEAST_HELD = 0.75
"""Share of the shorter title's bigrams that the longer one has."""


def superseded(passages: Sequence[Passage]) -> dict[int, Superseded]:
    """For the positions of passages whose documents others of the passages outdate: by what, why, from when.

    Where several do, the strongest reason counts, then the latest document. Two documents that each repeal the other
    prove nothing, and neither is reported.
    """
    documents = _documents(passages)
    found: dict[str, tuple[_Document, Superseded]] = {}
    pairs: list[tuple[_Document, _Document, Superseded]] = []
    for new in documents:
        for old in documents:
            if new.id == old.id or _later(old, new):
                continue
            reason = _named(new, old, passages) or _amending(new, old) or _edition(new, old)
            if reason is not None:
                pairs.append((old, new, reason))
    mutual = {(old.id, new.id) for old, new, _ in pairs}
    for old, new, reason in pairs:
        if (new.id, old.id) in mutual:
            continue
        known = found.get(old.id)
        if known is None or _rank(new, reason) > _rank(*known):
            found[old.id] = (new, reason)
    return {
        position: found[document.id][1]
        for document in documents
        if document.id in found
        for position in document.positions
    }


def _rank(new: _Document, reason: Superseded) -> tuple[int, str, int]:
    return _STRENGTH.index(reason.reason), new.published or "", -reason.by


def _documents(passages: Sequence[Passage]) -> list[_Document]:
    positions: dict[str, list[int]] = {}
    for position, passage in enumerate(passages):
        positions.setdefault(passage.source.id, []).append(position)
    found = []
    for id_, places in positions.items():
        source = passages[places[0]].source
        number = ""
        for place in places:
            chunk = passages[place].chunk
            if chunk.start < _HEAD and (match := _NUMBER.search(aligned(chunk.text[:_HEAD]))):
                line = aligned(chunk.text[:_HEAD])[: match.start()].rpartition("\n")[2]
                if not line or line.endswith(":"):
                    number = _bare(match.group())
        found.append(
            _Document(
                id_,
                source.title,
                aligned(source.title),
                iso_date(source.published) if source.published else None,
                aligned(source.issuer or ""),
                number,
                tuple(places),
            )
        )
    return found


def _later(left: _Document, right: _Document) -> bool:
    """Whether the first is known to be of a later date, as far as both are known."""
    if left.published is None or right.published is None:
        return False
    return left.published[: len(right.published)] > right.published[: len(left.published)]


def _bare(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


def _named(new: _Document, old: _Document, passages: Sequence[Passage]) -> Superseded | None:
    """What a sentence of the newer document says of the older by its title or number."""
    if _DRAFT.search(new.plain):
        return None
    best: Superseded | None = None
    for position in new.positions:
        chunk = passages[position].chunk
        for start, end, sentence in _sentences(chunk.text):
            reason = _said_of(sentence, old)
            if reason is None or _bare(sentence) == _bare(new.plain):
                continue
            if best is None or _STRENGTH.index(reason) > _STRENGTH.index(best.reason):
                since = _since(chunk.text[start:end], passages, new)
                best = Superseded(
                    position, reason, chunk.text[start:end], chunk.start + start, chunk.start + end, since
                )
    if best is None and (reason := _said_of(new.plain, old)) is not None:
        best = Superseded(new.positions[0], reason, new.title, 0, 0, _since("", passages, new))
    return best


@functools.lru_cache(maxsize=256)
def _sentences(text: str) -> tuple[tuple[int, int, str], ...]:
    """The sentences of a text, aligned; remembered, for each other document is looked for in them."""
    plain = aligned(text)
    return tuple((start, end, plain[start:end]) for start, end in sentences(text))


def _said_of(sentence: str, old: _Document) -> Reason | None:
    """What a sentence says of a document, None where it does not name it or says nothing that outdates it."""
    if not any(pattern.search(sentence) for pattern in (_REPEALED, _REPLACED, _CORRECTED, _AMENDED)):
        return None
    for start, end in _places(sentence, old):
        # What is said stands in the clause with the name, after it, or with a few words before it.
        after = re.split(r"[。；;]", sentence[end:])[0]
        # Further names may stand between: 《甲》《乙》同时废止.
        after = re.sub(r"^(?:[（(][^）)]*[）)]|[、和及与,]?\s?[《〈][^》〉]*[》〉])+", "", after)
        before = re.split(r"[,，。；;]", sentence[:start])[-1]
        if _STILL.search(after) or _STILL.search(before):
            continue
        reason = _reason_after(after) or _reason_before(before)
        if reason is None:
            continue
        if _PARTLY.search(after) and reason in ("repealed", "replaced"):
            return "amended"
        return reason
    return None


def _reason_after(after: str) -> Reason | None:
    clauses = re.split(r"[,，]", after)
    for clause in clauses[:2]:
        for pattern, reason in _AFTER:
            match = pattern.search(clause)
            if match and not _DENIED.search(clause[: match.start()]):
                # Only what directly follows is said of it, or what follows 同时, 自…起.
                near = clause is clauses[0] or re.match(r"\s?(?:同时|一并|自|现|即)", clause)
                if near and match.start() <= 30:
                    return reason
    return None


def _reason_before(before: str) -> Reason | None:
    for pattern, reason in _BEFORE:
        match = pattern.search(before)
        if match and not _DENIED.search(before[: match.start()]):
            return reason
    return None


_AFTER: tuple[tuple[re.Pattern[str], Reason], ...] = (
    (_REPEALED, "repealed"),
    (
        re.compile(r"(?:由|以|被)(?:本|此)[^,，]{0,12}(?:替代|取代|代替)|\b(?:superseded|replaced)\b"),
        "replaced",
    ),
    (re.compile(r"(?:更正|勘误)(?:为|如下)?|\bcorrected\b"), "corrected"),
    (
        re.compile(
            r"^\W?(?:作|进行|予以|作出|有关\w{0,6}|中的?)?[^,，《》]{0,16}(?:如下)?(?:修改|修订|修正|调整|补充)(?:为|如下|$)|\bamended\b"
        ),
        "amended",
    ),
)
_BEFORE: tuple[tuple[re.Pattern[str], Reason], ...] = (
    (re.compile(r"(?:废止|停止执行|停止施行)(?:原|了)?\W?$|\brepeals?\b[^.]{0,30}$"), "repealed"),
    (
        re.compile(r"(?:替代|取代|代替)(?:原|了|此前的?)?\W?$|\b(?:supersedes?|replaces)\b[^.]{0,30}$"),
        "replaced",
    ),
    (re.compile(r"(?:更正|勘误)(?:原)?\W?$|\bcorrects?\b[^.]{0,30}$"), "corrected"),
    (
        re.compile(
            r"(?:决定|现|关于|作如下)?(?:对|将)?(?:修改|修订|修正|调整)(?:原|了|后的)?\W?$|\bamends?\b[^.]{0,30}$"
        ),
        "amended",
    ),
)


def _places(sentence: str, old: _Document) -> Iterator[tuple[int, int]]:
    """Where a sentence names the document by its title or number."""
    title = _bare(_BRACKETS.sub("", old.plain))
    for match in _QUOTED.finditer(sentence):
        named = _bare(_BRACKETS.sub("", match["title"] or match["quoted"]))
        if len(named) < _LEAST_QUOTED:
            continue
        same = named == title
        # The issuer before the title is often left out, on either side.
        longer, shorter = (title, named) if len(title) > len(named) else (named, title)
        lead = longer[: len(longer) - len(shorter)]
        if (
            not same
            and longer.endswith(shorter)
            and len(shorter) >= _LEAST_QUOTED
            and shorter.startswith("关于")
        ):
            same = lead.endswith(("局", "府", "委", "会", "办", "室", "部", "区", "市", "县", "镇", "道"))
        if same:
            yield match.start(), match.end()
    if old.number:
        for match in _NUMBER.finditer(sentence):
            if _bare(match.group()) == old.number:
                yield match.start(), match.end()
    if sentence.isascii() and title.isascii() and len(old.plain) >= 12 and old.plain in sentence:
        at = sentence.index(old.plain)
        yield at, at + len(old.plain)


def _since(sentence: str, passages: Sequence[Passage], new: _Document) -> str | None:
    """From when the newer document holds: the date in these words, in its other ones, or its own."""
    texts = [sentence, *(passages[position].chunk.text for position in new.positions)]
    for number, text in enumerate(texts):
        for start, end in sentences(text):
            part = text[start:end]
            plain = aligned(part)
            if number and not re.search(
                r"本(?:通知|办法|规定|公告|决定|意见|细则|方案)[^，,]{0,4}自|this (?:notice|regulation|measure)",
                plain,
            ):
                continue
            if not _IN_FORCE.search(plain):
                continue
            for mention in mentions(part):
                period = resolve(mention, new.published)
                if mention.since and period is not None:
                    return {"day": period.first, "month": period.first[:7], "year": period.first[:4]}.get(
                        period.precision, period.first
                    )
    return new.published


def _core(plain: str) -> set[str]:
    text = _TITLE_NOISE.sub("", _YEAR.sub("", plain))
    return {text[i : i + 2] for i in range(len(text) - 1)}


def _years(plain: str) -> frozenset[str]:
    return frozenset(match.group()[:4] for match in _YEAR.finditer(plain))


def _same_place(left: _Document, right: _Document) -> bool:
    ours, theirs = set(_PLACE.findall(left.plain)), set(_PLACE.findall(right.plain))
    return not ours or not theirs or bool(ours & theirs)


def _amending(new: _Document, old: _Document) -> Superseded | None:
    """A later document of the same issuer whose title amends what the older one's title names."""
    strictly = _later(new, old)
    if not strictly or not new.issuer or new.issuer != old.issuer or _DRAFT.search(new.plain):
        return None
    if (
        not _AMENDING_TITLE.search(new.plain)
        or _AMENDING_TITLE.search(old.plain)
        or not _same_place(new, old)
    ):
        return None
    ours, theirs = _years(new.plain), _years(old.plain)
    if ours and theirs and not ours & theirs:
        return None
    first, second = _core(new.plain), _core(old.plain)
    if min(len(first), len(second)) < _LEAST_STEM:
        return None
    shared = len(first & second)
    if (
        2 * shared / (len(first) + len(second)) < _LEAST_ALIKE
        or shared / min(len(first), len(second)) < _LEAST_HELD
    ):
        return None
    reason: Reason = "corrected" if _CORRECTED.search(new.plain) else "amended"
    return Superseded(new.positions[0], reason, new.title, 0, 0, _since("", (), _bare_of(new)))


def _bare_of(document: _Document) -> _Document:
    return _Document(
        document.id, document.title, document.plain, document.published, document.issuer, document.number, ()
    )


def _edition(new: _Document, old: _Document) -> Superseded | None:
    """The same title for a later year or with a higher number."""
    if new.issuer and old.issuer and new.issuer != old.issuer:
        return None
    stem, other = _stem(new.plain), _stem(old.plain)
    if len(stem) < _LEAST_STEM or not _same_place(new, old) or not _same_series(stem, other):
        return None
    ours, theirs = _edition_of(new), _edition_of(old)
    if ours is None or theirs is None or ours <= theirs:
        return None
    if stem == other and ours[0] == theirs[0] and not ours[1]:
        return None
    return Superseded(new.positions[0], "later edition", new.title, 0, 0, new.published)


def _stem(plain: str) -> str:
    return _bare(_ISSUE.sub("", _YEAR.sub("", _BRACKETS.sub("", plain))))


def _same_series(stem: str, other: str) -> bool:
    if stem == other:
        return True
    longer, shorter = (stem, other) if len(stem) > len(other) else (other, stem)
    lead = longer[: len(longer) - len(shorter)]
    # A report in full often leaves the place out that its summary names.
    return len(shorter) >= _LEAST_STEM + 2 and longer.endswith(shorter) and _PLACE.fullmatch(lead) is not None


def _edition_of(document: _Document) -> tuple[int, int] | None:
    years = sorted(_years(document.plain))
    issue = _ISSUE.search(document.plain)
    number = int(issue["number"] or issue["issue"]) if issue else 0
    if years:
        return (int(years[-1]) if years[-1].isascii() and years[-1].isdigit() else 0), number
    named_series = re.search(
        "报告|计划|公报|周报|月报|年报|预算|决算|要点|安排|report|plan|budget", document.plain
    )
    if document.published and (number or named_series):
        return int(document.published[:4]), number
    return None
