"""Why a question is not answered, in plain words: what the documents do have of it, and what they do not tell. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag import prompts
from rag.bodies import names_body
from rag.checking import Draft
from rag.diversity import parts
from rag.evidence import Evidence
from rag.framing import folded_context, folded_frame
from rag.questions import Question, is_stopword
from rag.scripts import in_script
from rag.text import fold, joined, segmenter
from rag.types import Citation, Passage

_LONGEST_TOPIC = 16
_LONGEST_RUN = 5
"""English words of a topic."""
_SHORTEST_ALONE = 5
_ENGLISH_WORD = re.compile(r"[^\W_][\w'’-]*")
_ASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"承诺|保证|答应|promis|pledg|commit"), "promise"),
    (re.compile(r"电话|联系方式|热线|咨询|phone|telephone|contact|hotline"), "contact"),
    (
        re.compile(
            r"什么时候|何时|几月|哪天|哪一天|哪年|时间|期限|截止|多久|日期|\bwhen\b|deadline|\bdate\b"
        ),
        "time",
    ),
    (re.compile(r"多少钱|费用|金额|价格|标准|补贴多少|how much|\bcost|\bfee\b|\bprice"), "amount"),
    (re.compile(r"多少|几[个名户家台条次]|how many|number of"), "number"),
    (re.compile(r"谁|哪位|哪个部门|哪个单位|负责人|\bwho\b|which (?:bureau|department|office|body)"), "who"),
    (re.compile(r"哪里|哪儿|地点|地址|在哪|\bwhere\b|address"), "place"),
    (re.compile(r"为什么|为何|原因|\bwhy\b|reason"), "why"),
    (re.compile(r"怎么|如何|怎样|流程|手续|\bhow\b"), "how"),
)


def why_no_evidence(question: Question, evidence: Evidence) -> str:
    """The reason for a refusal whose fault is plain before anything is generated."""
    script = question.script
    names = [in_script(name, script, ()) for name in evidence.names]
    if evidence.fault == "body_silent":
        return prompts.reason("topic_silent", script, topic=joined(names, script), what=_what(question))
    return prompts.reason(evidence.fault or "nothing_relevant", script, names=joined(names, script))


def why_not_told(question: Question, passages: Sequence[Passage]) -> str:
    """The reason where passages speak of the subject of a question but do not answer it."""
    script = question.script
    contexts = [folded_context(passage.source, passage.chunk) for passage in passages[:3]]
    named = [
        in_script(called, script, ())
        for body, called in zip(question.bodies, question.called, strict=True)
        if any(names_body(context, body) for context in contexts)
    ]
    topic = joined(named, script) if named else _topic(question, contexts)
    if not topic:
        return prompts.reason("not_stated", script)
    return prompts.reason("topic_silent", script, topic=in_script(topic, script, ()), what=_what(question))


def silent_bodies(question: Question, citations: Sequence[Citation]) -> list[str]:
    """Bodies the question is about of which nothing cited speaks: another body's words do not answer for them."""
    if not question.bodies or not citations:
        return []
    framed = "\n".join(
        f"{folded_frame(c.passage, c.start, c.end)}\n{fold(_paragraph_up_to(c))}" for c in citations
    )
    if any(names_body(framed, body) for body in question.bodies):
        return []
    return [in_script(name, question.script, ()) for name in question.called]


def _what(question: Question) -> str:
    folded = fold(question.text)
    kind = next((name for pattern, name in _ASKS if pattern.search(folded)), "asked")
    return prompts.ASKED_FOR[kind][question.script]


def _topic(question: Question, contexts: Sequence[str]) -> str:
    """The longest run of telling words of the question that a passage holds, as the question has it."""
    folded = fold(question.text)
    if question.is_latin:
        return _english_topic(question.text, contexts)
    best = run = told = ""  # what is told of a run ends with a telling word: 加装电梯补贴, not 加装电梯补贴的
    for word in [*segmenter().cut(folded), ""]:
        longer = run + word
        fits = word and not (is_stopword(word) and not run) and any(longer in context for context in contexts)
        if fits and len(longer) <= _LONGEST_TOPIC:
            run = longer
            told = told if is_stopword(word) else run
            continue
        if _telling(told) and len(told) > len(best):
            best = told
        run = word if word and not is_stopword(word) and any(word in c for c in contexts) else ""
        told = run
    return best


def _english_topic(question: str, contexts: Sequence[str]) -> str:
    """The run of whole words with the most telling ones, as the question writes it; a word alone is one that may name a thing."""
    words = list(_ENGLISH_WORD.finditer(question))
    telling = [not is_stopword(fold(word.group())) for word in words]
    held = [f" {_in_words(context)} " for context in contexts]
    best, told = (0, 0), ""
    for first in range(len(words)):
        for last in range(first, min(len(words), first + _LONGEST_RUN)):
            run = question[words[first].start() : words[last].end()]
            worth = (sum(telling[first : last + 1]), len(run))
            if not (telling[first] and telling[last] and worth > best and _names_thing(run)):
                continue
            if any(f" {_in_words(run)} " in context for context in held):
                best, told = worth, run
    return told


def _in_words(text: str) -> str:
    return " ".join(_ENGLISH_WORD.findall(fold(text)))


def _names_thing(run: str) -> bool:
    """Whether English words may be what documents speak of: more than one, a name, or a longer word that is no participle or adverb."""
    if " " in run or not run.islower():
        return not run.isdigit()
    return len(run) >= _SHORTEST_ALONE and not run.endswith(("ed", "ly"))


def _telling(run: str) -> bool:
    return len(run) >= 2 and any(char.isalnum() for char in run) and not run.isdigit()


def _paragraph_up_to(citation: Citation) -> str:
    chunk = citation.passage.chunk
    start = max(0, citation.start - chunk.start)
    line_start = chunk.text.rfind("\n", 0, start) + 1
    return f"{chunk.text[line_start:start]}{citation.quote}"


def missing_parts(question: Question, draft: Draft) -> list[str]:
    """The bodies, years and quoted names that a question is over of which nothing that is cited or said speaks.

    Empty for a question over one thing.
    """
    wanted = [part for part in parts(question) if part.kind in ("body", "year", "quoted")]
    if len(wanted) < 2:
        return []
    told = "\n".join(
        (
            *(fold(c.text) for c in draft.supported),
            *(
                f"{folded_frame(c.passage, c.start, c.end)}\n{fold(_paragraph_up_to(c))}"
                for c in draft.citations
            ),
        )
    )
    return [part.name for part in wanted if not any(word in told for word in part.words)]
