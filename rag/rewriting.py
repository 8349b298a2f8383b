"""Follow-up questions: what a question leans on in the turns before it, put into it so that it stands alone.

Rules first, and where they find nothing a chat model may be asked (`rewrite_with_model`), whose word is checked by rules.
A question that names what it is about is left as it is: a topic that was left must not be dragged along. Restoring what an
utterance leaves out or refers to is the task of Pan et al., "Improving Open-Domain Dialogue Systems via Multi-Turn Incomplete
Utterance Restoration" (EMNLP 2019), and Su et al., "Improving Multi-turn Dialogue Modelling with Utterance ReWriter" (ACL 2019).
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from rag import prompts
from rag.bodies import bodies_in
from rag.names import ASKING, POINTER, QUOTED, RARE, Name, is_place, is_telling, names_in, plain_of
from rag.questions import Question, analyse, corrected_text, is_stopword
from rag.scripts import in_script
from rag.text import english_stem, fold, segmenter, word_weight, words
from rag.types import Turn

if TYPE_CHECKING:
    from rag.model import ChatModel

_TURNS = 20
"""Turns before the question that are looked at, and characters of each: a conversation may be long, a search may not."""
_TURN_CHARS = 300
_DECAY = 0.85
"""What a mention is worth against one a turn later."""

_ENGLISH_POINTER = re.compile(
    r"\b(?:(?P<subject>he|she|it(?! take)|they)|(?P<object>him|them)|(?P<possessive>his|her|its|their))\b"
    r"|\b(?P<this>(?:this|these|those|that)(?= (?:one|bureau|department|office|body|plan|project|policy|notice|event|measure|document)s?\b)"
    r"|this|these|those)\b"
)
_COURTESY = re.compile(
    r"(?i)(?:(?:好的?|嗯|哦|谢谢|多谢|感谢|再见|你好|您好|辛苦|知道|明白|收到|ok|okay|thanks|thank you|hello|hi|bye|very much|so much)"
    r"(?:你们|你|您|大家|了|啦|啊|呀|吧|的)*[\s,，.。!！~～]*)+"
)
_LONGEST_COURTESY = 24
_AUXILIARY = re.compile(
    r"(?i)\b(?:is|are|was|were|will|would|can|could|did|do|does|has|have|had|should|may|must) $"
)
_OPENING = re.compile(r"^(?:那(?![年天次时些])|还有|另外|其中|而且|此外)|^(?:and|also)\b", re.IGNORECASE)
_ELLIPSIS = re.compile(
    r"^(?:那么?|还有)?[\s,，]*(?P<topic>[^，。？?！!]{1,20}?)呢\s*[？?]?$"
    r"|^(?:and )?(?:what|how) about (?P<etopic>[^?]{2,60}?)\s*\??$|^and (?P<atopic>[^?]{2,40}?)\s*\?$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d(?=年)|\b(?:19|20)\d\d\b")
_MARK = re.compile(r"\[\d+\]|［\d+］")
_AWARD = re.compile("奖项?$")
_VALUE = re.compile(
    r"(?:是|在|于|有|为|由|得|到|和|、|与|及|跟|从|自|位于|属于|离|距|了|届)(?:一[位名个家部])?$"
)
_REPLYING = re.compile(
    r"^(?:嗯|哦|噢|啊|是[的啊呀吗]|(?:对|当然|知道|好的?|确实|没错|不是|必须|了解|清楚|喜欢|看过|听过|记得)[了呀啊的吧嗯，,]|哈"
    r"|而且|所以|但是?|不过|可是|也是|听起来|原来|难怪|怪不得|总共|真)"
)
_OF = re.compile(r"(?P<owner>[^，。？?的]{2,})的[^，。？?]")
_DEFINITION = re.compile(
    r"^(?:什么是|何谓|什么叫)[^，。]{2,}|^[^，。]{2,}(?:是什么意思|指的?是什么|的定义|是什么[？?]?$)"
)
_BEFORE_SUBJECT = re.compile(
    r"^(?:请问|那么|那|哦|嗯|啊|对了|你|您|还|是否|也|可以|可|能|想|我|就|再|又|都|真的|了解|清楚|知道|记得|告诉|听说过?|不)+"
)
_POINTING_TELLS, _BARE_TELLS = 90.0, 26.0
"""How much a question's words may tell (the sum of their weights) for it to lean on something else all the same: with a
pronoun, and with none. Two words of a middling weight have 22."""
_TOLD_BEFORE = 20.0
"""What must be told before a pronoun for it to mean something in the question itself."""
_WORTH = {"title": 1.5, "body": 1.3, "introduced": 2.0, "name": 1.0}
"""What kinds of names are worth as what a conversation is about."""
_AS_VALUE = 0.3
"""The share that counts of a name that is only told of something else ("出生于北京")."""
_PERSON, _NO_PERSON, _NO_THING = 2.0, 0.3, 0.5
"""How much more likely 他 means a person than something else, and how much less 它 means a person or a place."""
_CLAUSE = re.compile(r"[^，。！!；;\s]+[，。！!；;\s]*")

Means = Literal["none", "named", "joined", "model"]
_REPLY_TOKENS = 80
_MODEL_TURNS, _MODEL_TURN_CHARS = 4, 160
"""What a model is shown of the conversation: each of its turns costs time before the first word."""
_SAID_FIRST = re.compile(
    r"^(?:改写后?的?(?:问题)?|问题|Question|Rewritten(?: question)?)\s*[：:]\s*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A question that stands alone for searching.

    ``earlier`` is what it leans on, a name or an earlier question; "" where it leans on none. ``leaning`` is whether it
    leans on the turns before it. ``by`` is how it was made to stand alone: "none" where nothing was changed, "named" where
    what it is about was put into it, "joined" where it was only put behind an earlier question, "model" by a chat model.
    """

    standalone: str
    earlier: str
    leaning: bool = False
    by: Means = "none"

    @property
    def resolved(self) -> bool:
        """Whether the question stands alone or says now what it is about; a model has nothing to add to it."""
        return not self.leaning or self.by in ("named", "model")


def rewrite(question: Question, history: Sequence[Turn], max_chars: int) -> Rewritten:
    """Make a question stand alone by the turns before it: by rules, in no time where it stands alone already.

    A question that names what it is about is left as it is. "那教育局呢？" takes the earlier question with the body
    exchanged; a pronoun is replaced by what it most likely stands for, and a question without a subject is given it.
    Where no turn names anything, it is put behind the user's earlier question.
    """
    if not history or _is_courtesy(question.text):
        return Rewritten(question.text, "")
    kind = _leaning(question)
    if kind is None:
        return Rewritten(question.text, "")
    turns = _usable(history, max_chars)
    questions = [turn.text for turn in turns if turn.role == "user"]
    if not turns:
        return Rewritten(question.text, "")
    if kind == "ellipsis":
        found = _exchanged(question, questions, max_chars)
        if found is not None:
            return found
    elif (name := _antecedent(question, turns)) is not None:
        called = name.text if question.is_latin else in_script(name.text, question.script, ())
        text = _filled_in(question, called)
        if len(text) <= max_chars:
            return Rewritten(text, called, leaning=True, by="named")
    chain = _chain(questions, max_chars)
    if not chain:
        return Rewritten(question.text, "", leaning=True)
    joined = " ".join([*chain, question.text])
    return Rewritten(joined[-max_chars:], chain[-1], leaning=True, by="joined")


def rewrite_with_model(
    model: ChatModel,
    question: Question,
    history: Sequence[Turn],
    max_chars: int,
    stop: threading.Event | None = None,
) -> Rewritten | None:
    """Let a chat model make a question stand alone; None where what it says cannot be trusted.

    :raises ModelError: the chat model gave no answer
    """
    from langchain_core.messages import HumanMessage, SystemMessage

    turns = [
        replace(turn, text=turn.text[:_MODEL_TURN_CHARS].replace("\n", " "))
        for turn in _usable(history, max_chars)[-_MODEL_TURNS:]
    ]
    if not turns:
        return None
    speakers = prompts.SPEAKERS[question.script]
    lines = [f"{speakers[turn.role]}{turn.text}" for turn in turns]
    lines.append(f"{prompts.QUESTION[question.script]}{question.text}")
    asked = "\n".join(lines).replace("<|", "< |").replace("|>", "| >")
    messages = [SystemMessage(prompts.REWRITE[question.script]), HumanMessage(asked)]
    with closing(model.stream(messages, max_tokens=_REPLY_TOKENS, stop=stop)) as reply:
        said = "".join(reply)
    text = _SAID_FIRST.sub("", said.strip())
    if (stop is not None and stop.is_set()) or not trusted(text, question, turns, max_chars):
        return None
    return Rewritten(text, turns[-1].text, leaning=True, by="model")


def trusted(text: str, question: Question, history: Sequence[Turn], max_chars: int) -> bool:
    """Whether what a model made of a question may be searched for.

    It is one line of bounded length that changes the question, keeps all the question's telling words and the bodies it names, and has no word
    that neither the question nor the history has, except words that only shape a question.
    """
    if not any(char.isalnum() for char in text) or "\n" in text:
        return False
    if len(text) > min(max_chars, 2 * len(question.text) + 60):
        return False
    folded = fold(text)
    if folded == fold(question.text):
        return False
    stems = {english_stem(word) for word in words(text)}
    if any(word not in folded and word not in stems for word in question.weights):
        return False
    if any(called not in folded for called in question.called):
        return False
    known = fold("\n".join([question.text, *(turn.text for turn in history)]))
    return all(word in known or is_stopword(word) for word in words(text))


def _is_courtesy(text: str) -> bool:
    return len(text) <= _LONGEST_COURTESY and _COURTESY.fullmatch(plain_of(text)) is not None


def as_standalone(asked: Question, rewritten: Rewritten, max_chars: int) -> Question:
    """The question to search for: as asked where it leans on nothing, else rewritten, in the script it was asked in."""
    if rewritten.standalone == asked.text:
        return asked
    return replace(analyse(rewritten.standalone, max_chars), script=asked.script)


def standing_alone(text: str, history: Sequence[Turn], max_chars: int) -> Question:
    """A question analysed and made to stand alone by the rules.

    :raises QuestionError: it is empty or too long
    """
    asked = analyse(text, max_chars)
    return as_standalone(asked, rewrite(asked, history, max_chars), max_chars)


def leans(question: Question) -> bool:
    """Whether a question needs the turns before it: it points back, or names nothing that it could be about."""
    return _leaning(question) is not None


def _leaning(question: Question) -> Literal["ellipsis", "pointer", "bare"] | None:
    folded = fold(question.text)
    ellipsis = _ELLIPSIS.search(folded)
    if ellipsis is not None and (question.is_latin or not ASKING.search(ellipsis.group("topic"))):
        return "ellipsis"
    pointer = _pointer(question)
    plain = plain_of(question.text)
    asking = question.text
    if not question.is_latin and _REPLYING.search(plain):
        start = _asking_clause(question.text)[0]
        asking = question.text[start:]
        if pointer is not None and pointer.start() < start:
            pointer = None
    named = names_in(asking)
    if pointer is not None:
        before = fold(question.text[: pointer.start()])
        if any(name.folded in before for name in named):
            return None
        if not question.is_latin and asking == question.text and _told_in(before) >= _TOLD_BEFORE:
            return None
        return "pointer" if question.is_latin or _tells(question) < _POINTING_TELLS else None
    if named or (asking == question.text and (question.bodies or question.quoted)):
        return None
    if question.is_latin:
        return "bare" if len(question.weights) <= 1 or _OPENING.search(question.text) else None
    if asking != question.text or _OPENING.search(plain):
        return "bare"
    return "bare" if _tells(question) < _BARE_TELLS and not _names_subject(question, plain) else None


def _names_subject(question: Question, plain: str) -> bool:
    """Whether a question without a name says what it is about: it asks for a meaning, or for something of something rare."""
    if _DEFINITION.search(plain):
        return True
    owner = _OF.search(plain)
    if owner is not None and is_telling(owner.group("owner")):
        return True
    return max(question.weights.values(), default=0.0) >= RARE


def _told_in(text: str) -> float:
    return sum(word_weight(word) for word in words(text) if not is_stopword(word))


def _tells(question: Question) -> float:
    return sum(question.weights.values())


def _pointer(question: Question) -> re.Match[str] | None:
    if question.is_latin:
        return _english_pointer(question.text)
    plain = plain_of(question.text)
    return next((m for m in POINTER.finditer(plain) if not _is_then(plain, m)), None)


def _is_then(plain: str, match: re.Match[str]) -> bool:
    """Whether a 那 with a classifier is the 那 that only leads on, before a longer word ("那门票多少钱")."""
    at = match.start()
    word = plain[at + 1 : at + 3]
    return plain[at] == "那" and len(word) == 2 and word[0] != "个" and bool(segmenter().FREQ.get(word))


def _english_pointer(text: str) -> re.Match[str] | None:
    """A pronoun that the question itself does not explain: nothing it could mean stands before it."""
    for match in _ENGLISH_POINTER.finditer(text[:1].lower() + text[1:]):
        before = [word for word in words(text[: match.start()]) if not is_stopword(word)]
        if not before or (len(before) <= 2 and _AUXILIARY.search(text[: match.start()])):
            return match
        if len(before) > 2:
            return None
    return None


def _usable(history: Sequence[Turn], max_chars: int) -> list[Turn]:
    """The last turns without citation marks and refusals, each cut to a length; bodies in them put right."""
    turns = []
    for turn in history[-_TURNS:]:
        text = turn.text[: min(_TURN_CHARS, max_chars)]
        if turn.role == "assistant":
            text = _refusals().sub(" ", _MARK.sub("", text))
        if any(char.isalnum() for char in text):
            right = corrected_text(analyse(text, max_chars)) if turn.role == "user" else text.strip()
            turns.append(Turn(turn.role, right))
    return turns


@functools.cache
def _refusals() -> re.Pattern[str]:
    """What a reader is told when there is no answer, with anything in its gaps, and what the model is told to say."""
    texts = {text for by_script in prompts.REASONS.values() for text in by_script.values()}
    gaps = ("(?:[^。.\n]*)".join(map(re.escape, re.split(r"\{\w+\}", text))) for text in texts)
    said = (r"资料中?没有提[到及]\w*[。.]?", r"The documents do not say\.?")
    return re.compile("|".join([*sorted(gaps, key=len, reverse=True), *said]))


def _antecedent(question: Question, turns: Sequence[Turn]) -> Name | None:
    """The name that the question most likely leans on: named often, named lately, rather named as a title or introduced."""
    pointer = _pointer(question)
    kind = pointer.lastgroup if pointer else None
    pointed = pointer.group().casefold() if pointer else ""
    texts = [fold(turn.text) for turn in turns]
    names = {
        name.folded: name
        for turn in turns
        for name in names_in(turn.text)
        if len(name.folded) > 1 and (not question.is_latin or _can_be(name, pointed))
    }
    order = [name.folded for turn in turns for name in names_in(turn.text)]
    best: tuple[float, int, Name] | None = None
    for name in sorted(names.values(), key=lambda name: -len(name.folded)):
        worth = 0.0
        for age, text in enumerate(reversed(texts)):
            if name.folded in text:
                worth += _DECAY**age * _salience(name, text)
        # A part of a longer name is not named again.
        texts = [text.replace(name.folded, "\n" * len(name.folded)) for text in texts]
        score = worth * _WORTH[name.kind] * _fits(name, kind, pointed)
        last = len(order) - order[::-1].index(name.folded)
        if score and (best is None or (score, last) > best[:2]):
            best = score, last, name
    return best[2] if best else None


def _can_be(name: Name, pronoun: str) -> bool:
    """Whether an English pronoun can stand for a name; a capitalised word is taken for a person or for nothing."""
    if pronoun in ("he", "she", "him", "her", "his"):
        return name.kind == "name"
    return name.kind in ("title", "body")


def _fits(name: Name, kind: str | None, pointed: str) -> float:
    """How well a name fits a pronoun."""
    if _AWARD.search(name.folded) and name.kind != "introduced":
        return _AS_VALUE
    if kind == "person":
        return _PERSON if name.person else _NO_PERSON if name.kind != "introduced" else 1.0
    place = is_place(name)
    if kind is None:
        return 0.5 if place else 1.0
    if re.search("电影|影片|片|专辑|歌|作品|书|政策|文件|通知", pointed):
        return 2.0 if name.kind in ("title", "introduced") else 0.5
    return _NO_THING if name.person or (place and kind != "place") else 1.0


def _salience(name: Name, text: str) -> float:
    """How far a mention makes a name the subject: as what is told of something else ("出生于北京") it hardly does."""
    before = text[: text.find(name.folded)].rstrip('《“"「『')
    return _AS_VALUE if _VALUE.search(before) else 1.0


def _filled_in(question: Question, name: str) -> str:
    """The question with a name in its pronoun's place, or before what has no subject."""
    text = question.text
    pointer = _pointer(question)
    if question.is_latin and name.isascii() and name.islower():
        name = f"the {name}"
    if pointer is not None:
        start, end = pointer.span()
        kind = pointer.lastgroup
        if kind == "possessive":
            name += "'s"
        elif kind == "its":
            name += "的"
        return text[:start] + name + text[end:]
    start, asking = _asking_clause(text)
    opener = _BEFORE_SUBJECT.match(plain_of(asking))
    at = start + (opener.end() if opener else 0)
    return text[:at] + name + text[at:]


def _asking_clause(text: str) -> tuple[int, str]:
    """The last clause that asks, with where it starts; the last one where none does."""
    clauses = [(m.start(), m.group()) for m in _CLAUSE.finditer(text)]
    return next((c for c in reversed(clauses) if ASKING.search(plain_of(c[1]))), clauses[-1])


def _chain(questions: Sequence[str], max_chars: int) -> list[str]:
    """The user's last questions, back to the last that stood alone: the ones between lean on it too."""
    chain: list[str] = []
    for text in reversed(questions[-4:]):
        chain.insert(0, text)
        if not leans(analyse(text[:max_chars], max_chars)):
            break
    return chain


def _exchanged(question: Question, questions: Sequence[str], max_chars: int) -> Rewritten | None:
    """The earlier question with what "那教育局呢？" names in the place of what it named: a body, a title, a year."""
    chain = _chain(questions, max_chars)
    if not chain:
        return None
    base = chain[0]
    asked = corrected_text(question)
    match = _ELLIPSIS.search(asked) or _ELLIPSIS.search(plain_of(asked))
    topic = next((group for group in match.groups() if group), "").strip() if match else ""
    for exchange in (_exchange_body, _exchange_title, _exchange_year):
        replaced = exchange(base, topic)
        if replaced is not None:
            return Rewritten(replaced[:max_chars], base, leaning=True, by="named")
    return None


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


def _exchange_title(base: str, topic: str) -> str | None:
    new, old = QUOTED.findall(topic), list(QUOTED.finditer(base))
    if len(new) != 1 or len(old) != 1 or not QUOTED.fullmatch(topic):
        return None
    return base[: old[0].start()] + topic + base[old[0].end() :]


def _exchange_year(base: str, topic: str) -> str | None:
    new, old = _YEAR.findall(topic), list(_YEAR.finditer(base))
    if len(new) != 1 or len(old) != 1 or len(topic) > len(new[0]) + 2:
        return None
    return base[: old[0].start()] + str(new[0]) + base[old[0].end() :]
