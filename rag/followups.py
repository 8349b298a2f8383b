"""What could be asked next: questions that the retrieved documents suggest beside the one that was answered. Pure.

They are made of what the passages hold (who else speaks there, how their parts are headed, what other documents are
about), so that each leads to a text that is there; whether it answers, answering will tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rag.bodies import BODIES, Body, bodies_in
from rag.overview import examples
from rag.scripts import in_script
from rag.text import fold, has_han, to_simplified
from rag.types import Answer, Passage

MOST = 3
_BRIEF = 4
_SHORTEST, _LONGEST = 3, 18
"""Characters of a heading that makes a question."""
_NUMBERING = re.compile(
    r"^(?:#+\s*|[一二三四五六七八九十百]+[、.．]|[（(][一二三四五六七八九十\d]+[)）]|第[一二三四五六七八九十百\d]+[章节条部分]+|\d+(?:\.\d+)*[、.．\s])\s*"
)
_PROMISE = re.compile(r"将|力争|确保|承诺|完成|底前|以前|不少于|will|shall|plan", re.IGNORECASE)
_PLAIN = re.compile(r"[^\w\s、和与及“”《》（）()-]")


def followups(answer: Answer, speaking: Iterable[str] = ()) -> tuple[str, ...]:
    """At most `MOST` questions in the question's script; none for an answer that was refused or is not whole.

    :param speaking: full names of bodies that speak in the cited documents, also where no passage of it was found

    Bodies that the question or the answer names are left out, and headings of which the question speaks already.
    """
    if not answer.done or answer.outcome not in ("answered", "partial") or not answer.citations:
        return ()
    said = to_simplified(fold(f"{answer.question} {answer.standalone} {answer.text}"))
    found: dict[str, None] = {}
    kinds = [_of_speakers(answer, said, speaking), _of_headings(answer, said), _of_titles(answer, said)]
    # One of each kind in turn, so that they lead to different places.
    while kinds and len(found) < MOST:
        for kind in list(kinds):
            question = next(kind, None)
            if question is None:
                kinds.remove(kind)
            elif len(found) < MOST:
                found.setdefault(question)
    return tuple(found)


def _of_speakers(answer: Answer, said: str, speaking: Iterable[str]) -> Iterator[str]:
    known = {body.name: body for body in BODIES}
    named = {body.name for body in bodies_in(said)}
    for passage in answer.passages:
        for speech in passage.chunk.speeches:
            body = known.get(speech.body)
            start = passage.chunk.start
            words = passage.chunk.text[speech.start - start : speech.end - start]
            if body is None or body.name in named or not _PROMISE.search(to_simplified(words)):
                continue
            named.add(body.name)
            yield _promise(body, answer)
    for name in speaking:
        if name in known and name not in named:
            named.add(name)
            yield _promise(known[name], answer)


def _promise(body: Body, answer: Answer) -> str:
    if answer.script == "en" and body.english:
        # Abbreviations apart, which are written in capitals and known to few.
        names = [name for name in body.english if " " in name] or list(body.english)
        return f"What did the {min(names, key=len)} promise?"
    return in_script(f"{_called(body)}承诺了什么？", answer.script, ())


def _called(body: Body) -> str:
    """A body's name in a question: in full where that is short, else the short form that says what kind of body it is."""
    if len(body.name) <= _BRIEF:
        return body.name
    alike = [name for name in body.short if name[-1] == body.name[-1] and len(name) <= _BRIEF]
    return (alike or list(body.short) or [body.name])[0]


def _of_headings(answer: Answer, said: str) -> Iterator[str]:
    cited = {citation.passage.chunk.document_id for citation in answer.citations}
    used = {(c.passage.chunk.document_id, c.passage.chunk.heading) for c in answer.citations}
    for passage in answer.passages:
        chunk = passage.chunk
        if chunk.document_id not in cited or (chunk.document_id, chunk.heading) in used:
            continue
        heading = _heading(passage)
        if not heading or to_simplified(fold(heading)) in said:
            continue
        if answer.script == "en":
            yield f"What do the documents say about “{heading}”?"
        elif has_han(heading):
            yield in_script(f"关于“{heading}”，文件是怎么说的？", answer.script, (heading,))


def _of_titles(answer: Answer, said: str) -> Iterator[str]:
    cited = {citation.passage.chunk.document_id for citation in answer.citations}
    for passage in answer.passages:
        if passage.chunk.document_id in cited:
            continue
        for question in examples([passage.source.title]):
            if has_han(question) == (answer.script == "en"):
                continue
            topic = to_simplified(fold(question)).removesuffix("有什么规定?").removesuffix("承诺了什么?")
            if topic not in said:
                yield question if answer.script == "en" else in_script(question, answer.script, ())


def _heading(passage: Passage) -> str:
    """A passage's heading as a topic: without its number, empty where it is none that a question can name."""
    heading = _NUMBERING.sub("", passage.chunk.heading.strip()).strip(" 　:：。.")
    if not _SHORTEST <= len(heading) <= _LONGEST or _PLAIN.search(heading):
        return ""
    return "" if to_simplified(fold(heading)) in to_simplified(fold(passage.source.title)) else heading
