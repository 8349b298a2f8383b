"""The words that say that somebody speaks ("表示，", "从……获悉，"), and whom each of them names."""

from __future__ import annotations

import re

from ingest.attribution.english import english_cues
from ingest.attribution.names import SURNAMES
from ingest.attribution.offices import OFFICE
from ingest.attribution.organs import organ
from ingest.attribution.quotations import Page
from ingest.attribution.speakers import AFTER, Cue, Who
from ingest.attribution.subjects import Known
from rag.bodies import mentions

_LONGEST_SUBJECT = 60

_LEAD = re.compile(
    r"(?:据|对此|为此|其中|同时|此外|另外|不过|而|但是|但|随后|最后|日前|近日|昨日|昨天|今天|今日|当天|当日|会上|会后|座谈中|"
    r"(?:\d{4}年)?\d{1,2}月\d{1,2}日|\d{1,2}日|上午|下午|晚间|晚)+"
)
_SAYS = (
    "表示|指出|强调|介绍|认为|提出|要求|透露|坦言|谈到|回应|告诉(?:本报|本台)?记者|告诉[\u4e00-\u9fff]{1,6}(?=[,:“])|承诺|表态|解读|"
    "补充|解释|建议|呼吁|答复|直言|感慨|提醒|坦承|宣布|通报|说|称"
)
_CUE = re.compile(
    rf"(?P<verb>(?:{_SAYS})(?:说道|说|道|称|到)?)"
    r"(?P<then>[,:]|(?=[“])|(?=[。!?;\n]|$)|(?=\u25a1)|(?=[\u4e00-\u9fff]))"
)
SPOKEN = re.compile(rf"(?:{_SAYS})(?:说道|说|道|称|到)?$|\b(?:said|says)$")
# "发布通报", "作出承诺": a noun, not a verb.
_AS_NOUN = re.compile("(?:发布|发出|作出|做出|印发|下发|进行|予以|给予|得到|的|工作|按照|根据|符合)$")
_PLAIN = re.compile("(?:表示|指出|强调|认为|透露|坦言|承诺|要求|呼吁|建议|称)(?:说|称)?$")
_NO_SPEECH = re.compile(
    "[的了过着出下]|赞|呼|作|难以|深切|沉痛|感谢|祝贺|欢迎|慰问|敬意|热烈|衷心|诚挚|肯定|赞赏|不满|担忧|遗憾|理解|支持|反对|同意|关注|关切|哀悼|愤慨|谴责|对|满意|"
    "高度|充分|书|制|件|函|事项|问题|较|很|进行|和|与|为|号|性"
)
_BODY_PLANS = re.compile(r"([^,。:;“”□、\s]{2,20}?)(?:也|还|则|今年)?将(?![军来近于在其会])")
_PLANNER = re.compile("(?:街道|镇|乡|高新区|经开区|开发区|新区|管委会|局|委|办|政府|集团)$")
_PRONOUN = re.compile("(?:他|她|其)(?=$|" + AFTER.pattern + ")")
_FROM = re.compile(
    r"(?:^|[,。;!?\n])(?:记者)?(?:[^,。“”\n]{0,8}?)从([^,。“”:\n]{2,30}?)(?:获悉|了解到|得知)[,:]"
)
_CONCESSIVE = re.compile("尽管|虽然|如果|若|即使")
_SEPARATOR = re.compile("[;”]")
_CLAUSE = re.compile(r"[^,。;:!?“”\n]{2,60}(?=,)")


def find_cues(page: Page, known: Known, start: int, end: int, i: int, current: Who | None) -> list[Cue]:
    """The cues of the ``i``th sentence, in order; ``current`` is who has been speaking so far."""
    cues: list[Cue] = []
    masked = page.masked
    if masked[start] == "(":
        return cues
    inside = False
    seen = start
    for match in _CUE.finditer(masked, start, end):
        # What is said goes to the end of the sentence, a semicolon or the end of a quotation.
        inside = inside and not _SEPARATOR.search(masked, seen, match.start())
        seen = match.end()
        if inside:
            continue
        cue = _cue(page, known, match, start, end, i, current)
        if cue is not None:
            cues.append(cue)
            inside = cue.who is not None
    if not cues and (found := _FROM.search(masked, start, end)):
        who = organ(found.group(1), page.text[found.start(1) : found.end(1)])
        return [Cue(found.start(), found.end(), who)]
    if not cues and (plans := _BODY_PLANS.match(masked, start, end)):
        name = plans.group(1)
        who = organ(name, page.text[start : start + len(name)])
        planner = who is not None and (mentions(name) or _PLANNER.search(name))
        if planner and not (current is not None and who is not None and current.body == who.body):
            return [Cue(start, plans.end(), who, alone=True)]
    if page.english and not cues:
        cues = english_cues(page, known, start, end, i)
    return cues


def introduces(page: Page, i: int) -> bool:
    """Whether a sentence soon comes to a saying verb."""
    start, end = page.spans[i]
    return any(
        match.start() > start and match["then"] in (",", ":", "")
        for match in _CUE.finditer(page.masked, start, min(end, start + 120))
    )


def _cue(
    page: Page, known: Known, match: re.Match[str], start: int, end: int, i: int, current: Who | None
) -> Cue | None:
    masked = page.masked
    verb, then, at = match["verb"], match["then"], match.end()
    begin = max(start, match.start() - _LONGEST_SUBJECT)
    window = masked[begin : match.start()]
    cut = max(window.rfind(mark) for mark in ",。!?;:”“\n") + 1
    following = masked[at : at + 1]
    tail = False
    if not then:
        if following == "□" and re.match("提出|要求|建议|宣布|介绍|补充", verb):
            return None
        if not following or following in "。!?;\n":
            tail = cut > 0 and window[cut - 1] in "”," and "”" in masked[max(0, begin - 1) : match.start()]
            tail = tail or (cut == 0 and (start - 1 in page.closing or start in page.closing))
            if not tail:
                return None
        elif following not in "“□" and (not _PLAIN.match(verb) or _NO_SPEECH.match(masked, at)):
            return None
    clause = window[cut:]
    if _AS_NOUN.search(clause) and verb[-1] not in "说称道":
        return None
    stripped = clause.lstrip()
    offset = begin + cut + len(clause) - len(stripped)
    if _CONCESSIVE.match(stripped):
        return None
    lead = _LEAD.match(stripped)
    heard = lead is not None and "据" in lead.group()
    if lead is not None:
        stripped, offset = stripped[lead.end() :], offset + lead.end()
    if not stripped or (AFTER.match(stripped) and not _PRONOUN.match(stripped)):
        who = None
        if heard:
            return Cue(offset, at, None)
        if begin + cut == start or masked[start : begin + cut].strip() == "":
            who = current
        elif then in (",", ":") and (prefix := _CLAUSE.match(masked, start, end)):
            who = known.person(prefix.group(), page.text[start : prefix.end()], acting=True)
        if not stripped or (_bare(stripped) and not OFFICE.search(stripped)):
            return Cue(offset, at, who)
    original = page.text[offset : match.start()]
    if _PRONOUN.match(stripped):
        who = known.last if known.near(page, i) else None
        return Cue(begin + cut, at, who)
    who = known.subject(stripped, original)
    if who is None and not (then or tail or following in "“□"):
        return None
    return Cue(begin + cut, at, who)


def _bare(stripped: str) -> bool:
    return AFTER.match(stripped) is not None and SURNAMES.isdisjoint(stripped[:1])
