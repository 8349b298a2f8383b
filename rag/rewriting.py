"""Follow-up questions: what a question leans on from the turns before it. Rules, no model. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.bodies import bodies_in
from rag.questions import Question, analyse
from rag.text import fold
from rag.types import Turn

_POINTING = re.compile(
    r"^(?:那|那么|还有|另外|其中|而)|他们?|她们?|它们?|这个|那个|这些|那些|该[项局委镇区个]|上述|此外|其(?!他|它|中|实|余)"
    r"|\b(?:he|she|it|they|them|his|her|their|its|this|that|these|those)\b|^(?:and|what about|how about)\b"
)
_ELLIPSIS = re.compile(
    r"^(?:那么?|还有)?\s*(?P<topic>[^，。？?！!]{1,20}?)呢\s*[？?]?$|^(?:what|how) about (?P<etopic>[^?]{2,60})\??$"
)
_FEW_WEIGHTS = 1


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A question that stands alone for searching, and the earlier question it leans on ("" when it leans on none)."""

    standalone: str
    earlier: str


def rewrite(question: Question, history: Sequence[Turn], max_chars: int) -> Rewritten:
    """Make a question stand alone by the user's earlier questions.

    A question that names what it is about is left as it is. "那教育局呢？" takes the earlier question with the body
    exchanged; one with a pronoun or hardly a word of its own is put behind the earlier question.
    """
    earlier = [
        turn.text for turn in history if turn.role == "user" and any(char.isalnum() for char in turn.text)
    ]
    if not earlier or not leans(question):
        return Rewritten(question.text, "")
    # Back to the last question that stood alone: the ones between lean on it too.
    chain: list[str] = []
    for text in reversed(earlier[-4:]):
        chain.insert(0, text)
        if not leans(analyse(text[:max_chars], max_chars)):
            break
    base = chain[0]
    folded = fold(question.text)
    topic = _ELLIPSIS.search(folded)
    if topic is not None:
        replaced = _exchange_body(base, (topic.group("topic") or topic.group("etopic")).strip())
        if replaced is not None:
            return Rewritten(replaced[:max_chars], base)
    joined = " ".join([*chain, question.text])
    return Rewritten(joined[-max_chars:], chain[-1])


def as_standalone(asked: Question, rewritten: Rewritten, max_chars: int) -> Question:
    """The question to search for: as asked where it leans on nothing, else rewritten, in the script it was asked in."""
    if not rewritten.earlier:
        return asked
    return replace(analyse(rewritten.standalone, max_chars), script=asked.script)


def standing_alone(text: str, history: Sequence[Turn], max_chars: int) -> Question:
    """A question analysed and made to stand alone.

    :raises QuestionError: it is empty or too long
    """
    asked = analyse(text, max_chars)
    return as_standalone(asked, rewrite(asked, history, max_chars), max_chars)


def leans(question: Question) -> bool:
    """Whether a question needs the turns before it: it points back, or names next to nothing."""
    if _ELLIPSIS.search(fold(question.text)):
        return True
    if question.bodies or question.quoted:
        # "住建局局长是谁？他说了什么？" names what its pronoun means.
        return False
    if _POINTING.search(fold(question.text)):
        return True
    return len(question.weights) <= _FEW_WEIGHTS and sum(question.weights.values()) < 9.0


def _exchange_body(base: str, topic: str) -> str | None:
    new = bodies_in(fold(topic))
    old = bodies_in(fold(base))
    if len(new) != 1 or len(old) != 1:
        return None
    folded = fold(base)
    if len(folded) != len(base):
        return None
    called = topic.removeprefix("the ") if base.isascii() else topic
    for name in sorted((*old[0].chinese, *old[0].english), key=len, reverse=True):
        at = folded.find(name)
        if at >= 0:
            return base[:at] + called + base[at + len(name) :]
    return None
