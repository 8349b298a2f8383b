"""What the chat model is sent: instructions, evidence, question; and later the sentences to be put right.

Each piece of evidence is one line under its number and title, so that nothing inside it can pass for a line of the prompt; marks of a
chat template are broken up, and sentences that give orders to a model are left out (`rag.addressed`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag import prompts
from rag.addressed import without_addressed
from rag.excerpts import Excerpt
from rag.glossary import terms_in
from rag.questions import Question, corrected_text
from rag.text import clip, fold, to_simplified
from rag.types import Passage, Script, Source

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_LONGEST_TITLE = 40
_LONGEST_FAULTY = 160
_MOST_FAULTY = 6
_BREAKS = re.compile(r"\s*[\r\n\u2028\u2029\x0b\x0c\x85]+\s*")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f]")
_MARKING = re.compile(r"[\[【［](?=\s*\d{1,3}\s*[\]】］]|/?[A-Za-z_]{3,}\])")
_LABELS = (
    *prompts.EVIDENCE.values(),
    *prompts.QUESTION.values(),
    prompts.GLOSSARY,
    *prompts.CLOSING.values(),
)
_LABELS += (*prompts.SHORT_CLOSING.values(), prompts.IN_CHINESE, "资料：", "问题：", "答案：")
_OPENINGS = sorted({fold(label).strip().rstrip(":") for label in _LABELS if label.strip()})
_OPENS_LIKE_PROMPT = re.compile(rf"\W*(?:{'|'.join(map(re.escape, _OPENINGS))})\s*:")
_ANGLES = str.maketrans("<>", "\uff1c\uff1e")
"""Every chat template's marks stand in angle brackets; wide ones read the same and mark nothing."""


def messages(
    question: Question,
    passages: Sequence[Passage],
    parts: Sequence[Excerpt],
    *,
    short: bool = False,
    whether: bool = False,
    script: Script | None = None,
) -> list[BaseMessage]:
    """The messages that ask for an answer from excerpts of passages.

    The system message is the same for each language and style, so that the model server keeps it cached.

    :param short: ask for an answer of a few words
    :param whether: ask only whether the excerpts state the answer; all before that is the same, so that it stays cached
    :param script: in which to ask and be answered, where that is not the question's own
    """
    from langchain_core.messages import HumanMessage, SystemMessage

    foreign = script is not None and script != question.script
    script = script or question.script
    lines = [prompts.EVIDENCE[script]]
    titled: set[str] = set()
    for excerpt in parts:
        source = passages[excerpt.number - 1].source
        # A document's title is told once: every token costs time before the first word. The model reads one script
        # only; the reader is shown the original.
        title = "" if source.id in titled else f" {_titled(source)}"
        titled.add(source.id)
        text = inert(to_simplified(without_addressed(excerpt.text)))
        # A text that opens like a line of the prompt is kept from being one; a dash before every text made answers thinner.
        guard = "— " if _OPENS_LIKE_PROMPT.match(fold(text[:80])) else ""
        lines.append(f"[{excerpt.number}]{title}\n{guard}{text}")
    if script == "en" and (terms := terms_in(to_simplified("".join(lines)))):
        lines.append(prompts.GLOSSARY + "; ".join(f"{chinese} = {english}" for chinese, english in terms))
    closing = prompts.SHORT_CLOSING[script] if short else prompts.CLOSING[script]
    if foreign and not short:
        closing = prompts.IN_CHINESE
    if whether:
        closing = prompts.WHETHER[script]
    lines.append(f"{prompts.QUESTION[script]}{_asked(question)}{closing}")
    system = prompts.SHORT_SYSTEM[script] if short else prompts.SYSTEM[script]
    return [SystemMessage(system), HumanMessage("\n\n".join(lines))]


def correction(
    asked: Sequence[BaseMessage], said: str, faults: Sequence[tuple[str, str]], script: Script
) -> list[BaseMessage]:
    """The messages that ask the model to put sentences right: those before it, what it said, and each fault named.

    :param faults: (sentence, fault) as `rag.verification.Finding` names faults
    """
    from langchain_core.messages import AIMessage, HumanMessage

    lines = [prompts.CORRECT[script]]
    lines += [
        f"{number}. {inert(clip(sentence, _LONGEST_FAULTY))}（{fault_in_words(fault, script)}）"
        for number, (sentence, fault) in enumerate(faults[:_MOST_FAULTY], start=1)
    ]
    return [*asked, AIMessage(said), HumanMessage("\n".join(lines))]


def again_in_chinese(asked: Sequence[BaseMessage], said: str) -> list[BaseMessage]:
    """The messages that ask once more for Chinese where the model answered in English."""
    from langchain_core.messages import AIMessage, HumanMessage

    return [*asked, AIMessage(said), HumanMessage(prompts.AGAIN_IN_CHINESE)]


def fault_in_words(fault: str, script: Script) -> str:
    """A fault as the model is told it, and a reader."""
    kind, _, what = fault.partition(" ")
    of_kind = prompts.FAULTS.get(kind, prompts.FAULTS["wording"])
    return of_kind[script].format(what=what)


def inert(text: str) -> str:
    """Document text as one line that can't be taken for the prompt's own marks."""
    text = _INVISIBLE.sub("", text).translate(_ANGLES)
    return _BREAKS.sub(" ", _MARKING.sub("（", text)).strip()


def _asked(question: Question) -> str:
    text = inert(corrected_text(question))
    return text if question.script == "en" else to_simplified(text)


def _titled(source: Source) -> str:
    date = f"（{source.published}）" if source.published else ""
    return clip(inert(to_simplified(without_addressed(source.title))), _LONGEST_TITLE) + date
