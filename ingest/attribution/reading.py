"""The walk over the sentences of a document: how far each speech goes."""

from __future__ import annotations

import re

from ingest.attribution.cues import SPOKEN, find_cues, introduces
from ingest.attribution.offices import OFFICE
from ingest.attribution.quotations import Page, opens_quote
from ingest.attribution.speakers import Who
from ingest.attribution.subjects import MEETING, Known
from rag.bodies import mentions
from rag.text import fold
from rag.types import Speech

_LONGEST_PARAGRAPH = 500
"""In a longer paragraph the division into paragraphs is lost, and it says nothing of where a speech ends."""
_UNMARKED = 2
"""So many sentences that nothing marks as spoken or narrated still belong to the speech before them."""

_GOES_ON = re.compile(
    r"我们|我市|我区|我局|我县|我镇|我院|我公司|[一二三四五六七八九]是|第[一二三四五]|首先|其次|再次|此外|同时|另外|与此同时|(?:下一步|接下来),?(?:我|将|要|会|还)|"
    r"今后|要|还要|必须|尤其|我|we |our |first,|second,|third,"
)
_NEW_PARAGRAPH = re.compile(
    r"[一二三四五六七八九]是|首先|其次|再次|此外|同时|另外|下一步|接下来|我们(?:将|会|要|还|计划)|we (?:will|shall|plan)"
)
_NARRATION = re.compile(
    r"会上|会后|会前|据|记者|当天|当日|当晚|随后|近日|日前|活动|仪式|现场|截至|\d{4}年|\d{1,2}月|今年以来|近年来|本报|原标题|责任编辑|责编|来源|"
    r"图|\(|今天|昨天|昨日|上午|下午|相关链接|the meeting|on (?:mon|tues|wednes|thurs|fri|satur|sun)day|meanwhile"
)
_ASKS = re.compile(r"(?:[\u4e00-\u9fff]{0,6}记者|主持人|问|网友提问|q|question|reporter)$")
_ANSWERS = re.compile(r"(?:答|a|answer|回复)$")
_LABEL = re.compile(r"([^,。:;“”!?\n]{1,24}):[ \t]*")
_JOINT = re.compile("(?:与此同时|同时|此外|另外),")


def attribute(text: str, issuer: str | None = None) -> tuple[Speech, ...]:
    """Who says what in a cleaned text, in order, without overlaps, in whole sentences (`rag.text.sentences`).

    The sentence that names the speaker belongs to the speech. A sentence with two speakers is the first one's, and
    what follows the last one's. Where several bodies speak together, the first stands for them. ``issuer`` is the
    body that issued the document: it is who answers under a bare "答：". Raises nothing.
    """
    return _Reader(text, issuer).read()


class _Reader:
    def __init__(self, text: str, issuer: str | None) -> None:
        self.page = Page(text)
        self.issuer = _canonical(issuer) if issuer else ""
        self.known = Known()

    def read(self) -> tuple[Speech, ...]:
        page = self.page
        owners: list[Who | None] = [None] * len(page.spans)
        current: Who | None = None
        label: Who | None = None
        unmarked = 0
        led = False
        line_end = -1
        paragraph = ""
        for i, (start, end) in enumerate(page.spans):
            sentence = page.masked[start:end]
            opening = start > line_end
            if opening:
                found = page.level.find("\n", start)
                line_end = found if found >= 0 else len(page.level)
                paragraph = page.masked[start:line_end].strip()
                named = self._label(paragraph)
                if named is None and label is not None and _LABEL.match(paragraph):
                    # Somebody else answers, and it is not clear who.
                    label = current = None
                if named is not None:
                    label = current = named
                    unmarked = 0
                    if len(paragraph) > len(sentence) or _LABEL.match(paragraph):
                        owners[i] = label
                    self.known.spoke(label, i)
                    continue
                heading = _heading(paragraph)
                if heading or _NARRATION.match(paragraph):
                    label = None
                if heading:
                    current = None
                    continue
                if not (_NEW_PARAGRAPH.match(sentence) or page.quoted(start, sentence)):
                    current = label
                unmarked = 0
            cues = find_cues(page, self.known, start, end, i, current)
            if opening:
                # A paragraph that opens with its speaker is his to its end, unless something says otherwise.
                led = bool(cues)
            if cues:
                first = cues[0].who
                page.claim(cues, i, owners)
                owners[i] = first
                current = cues[-1].who if not cues[-1].alone else None
                unmarked = 0
                if current is None and label is not None:
                    current = label
                if first is not None:
                    self.known.spoke(first, i)
                for cue in cues:
                    if cue.who is not None:
                        self.known.spoke(cue.who, i)
                if (
                    opens_quote(page.masked, cues[-1].end)
                    and current is not None
                    and page.quotation_closed(end)
                ):
                    # A quotation that closes with its sentence is the whole speech.
                    current = label
                continue
            quotation = page.quotation_at(start)
            if quotation is not None and quotation.who is not None and quotation.start < start:
                owners[i] = quotation.who
                self.known.spoke(quotation.who, i)
                if quotation.end >= end:
                    current = quotation.who if quotation.end > end else label
                continue
            if current is None:
                continue
            if label is not None and current is label:
                owners[i] = label
                continue
            if not opening and _NARRATION.match(sentence, _joint_end(sentence)):
                current = None
                continue
            if quotation is not None:
                # A new quotation that nobody else claims goes on with the speaker.
                if quotation.who is None:
                    quotation.who, quotation.assumed = current, True
                owners[i] = current
                continue
            if not _GOES_ON.match(sentence):
                unmarked += 1
                if (
                    (unmarked > _UNMARKED and not led)
                    or len(paragraph) > _LONGEST_PARAGRAPH
                    or OFFICE.search(sentence)
                ):
                    current = None
                    continue
                if i + 1 < len(page.spans) and page.spans[i + 1][0] < line_end and introduces(page, i + 1):
                    # What leads up to the next speaker is the reporter's.
                    current = None
                    continue
            owners[i] = current
            self.known.spoke(current, i)
        return self._speeches(owners)

    def _speeches(self, owners: list[Who | None]) -> tuple[Speech, ...]:
        found: list[Speech] = []
        previous = -2
        for i, who in enumerate(owners):
            if who is None or not (who.speaker or who.body):
                continue
            start, end = self.page.spans[i]
            if previous == i - 1 and (found[-1].speaker, found[-1].body) == (who.speaker, who.body):
                found[-1] = Speech(found[-1].start, end, who.speaker, who.body)
            else:
                found.append(Speech(start, end, who.speaker, who.body))
            previous = i
        return tuple(found)

    # Labels and headings

    def _label(self, paragraph: str) -> Who | None:
        if len(paragraph) <= 30 and " " in paragraph and paragraph[-1:] not in "。!?;:,.":
            return self._own_line(paragraph)
        match = _LABEL.match(paragraph)
        if match is None:
            return None
        name, said = match.group(1).strip(), paragraph[match.end() :]
        if SPOKEN.search(name):
            return None
        if _ASKS.fullmatch(name):
            return Who(name, "")
        if _ANSWERS.fullmatch(name):
            return Who("", self.issuer) if self.issuer else (self.known.last or Who(name, ""))
        if said and len(said) < 12 and said[-1] not in "。!?”.":
            return None
        who = self.known.subject(name, name)
        if who is None or MEETING.search(name):
            return None
        return who if who.personal or who.body else None

    def _own_line(self, paragraph: str) -> Who | None:
        joined = paragraph.replace(" ", "")
        who = self.known.person(joined, joined, whole=True)
        if who is None or not who.body or not who.personal:
            return None
        at = self.page.level.find(paragraph)
        following = self.page.level[at + len(paragraph) :].lstrip().split("\n", 1)[0]
        return who if len(following) >= 15 and following.rstrip()[-1] in "。!?”" else None


def _canonical(name: str) -> str:
    found = mentions(fold(name))
    return found[0][2].name if found else name


def _heading(paragraph: str) -> bool:
    if paragraph.startswith("#"):
        return True
    return (
        len(paragraph) <= 40 and paragraph[-1:] not in "。!?;:,.…”□)" and not _NEW_PARAGRAPH.match(paragraph)
    )


def _joint_end(sentence: str) -> int:
    """Where the sentence goes on after "与此同时，"."""
    joint = _JOINT.match(sentence)
    return joint.end() if joint else 0
