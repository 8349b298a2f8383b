"""What a question asks for: its script, the words that carry it, the bodies, years and numbers it names. Pure."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from rag.bodies import Body, bodies_in, by_name, mentions, mistyped
from rag.errors import QuestionError
from rag.text import english_stem, fold, script_of, to_script, word_weight, words
from rag.types import Script

# Words that shape a question and say nothing of its subject. Verbs of saying and promising belong here: reports
# write "表示，将……" for what a reader calls a promise.
_STOPWORDS = frozenset(
    """
    的 了 吗 呢 吧 啊 呀 嘛 么 是 在 有 和 与 及 或 对 为 以 把 被 给 向 从 到 由 于 就 都 也 还 又 再 很 更 最 将 会 要 能 可 可以
    能够 应 应该 需 需要 请 请问 想 知道 告诉 一下 一个 一些 这 那 这个 那个 这些 那些 这里 那里 它 他 她 它们 他们 她们 我 我们 你
    你们 您 咱 自己 什么 甚么 哪 哪些 哪个 哪里 哪儿 哪家 哪位 哪种 哪几 谁 谁来 怎么 怎样 怎么样 怎么办 如何 为什么 为何 何 何时 多少 多大 多长
    多久 多高 几 几个 几项 几点 几月 几号 什么时候 什么样 是否 是不是 有没有 能不能 可不可以 会不会 要不要 吗 之 其 中 里 上 下 内 外 等 等等
    个 项 名 位 条 次 种 些 做 做了 进行 开展 关于 有关 相关 具体 情况 方面 内容 主要 分别 目前 现在 如果 那么 但是 因为 所以
    承诺 保证 表示 表态 说 说了 讲 讲了 谈 谈到 提 提到 提出 提及 指出 强调 介绍 回应 答应 打算 计划 准备 负责 规定 要求 措施 举措
    今天 昨天 明天 最近 近期 近来 一共 总共 共 共有 分 到底 究竟 跟 比 比较 相比 不 没 没有 据 根据 按 按照 时候 时间 日期 问 问题 答案 今年 去年 明年
    """.split()  # noqa: SIM905
)
_ENGLISH_STOPWORDS = frozenset(
    english_stem(word)
    for word in """
    a an the of in on at to for from by with about as into and or is are was were be been being do does did done has have
    had will would shall should can could may might must what which who whom whose when where why how much many long far
    there here it its they them their he she his her we us our you your i me my this that these those any some all each
    say said says tell told promise promised promises pledge pledged commit committed plan plans planned according please
    not no if than then also more most other such only
    """.split()  # noqa: SIM905
)
NAME_WEIGHT = 13.5
"""Words of at least this weight are not in the dictionary of general Chinese."""
_OWN_LANGUAGE, _OTHER_LANGUAGE = 0.1, 1.0
"""Weights of a body's other names in a search for words."""
_BODY_WEIGHT = 14.0
"""A body's name tells as much as the rarest word."""
_YEAR = re.compile(
    r"(?<!\d)((?:19|20)\d\d)(?!\d)(?!\s*年?\s*(?:[^，。？]{0,3}建|出生|毕业|以前|之前|及以前))"
)
"""A year asked about; one that only describes a thing ("2001年建的房子") is not."""
_STATEMENT = re.compile(
    r"承诺|保证|表示|表态|答应|提出|说了?什么|讲了?什么|措施|举措|打算|promis|pledg|\bsaid?\b|commit"
)
_INVISIBLE_OR_SPACE = re.compile(r"[\s\u200b-\u200f\u2060-\u2064\ufeff\ud800-\udfff]+")
"""What nobody sees, and halves of characters, which nothing can store or send."""
_NAMED = re.compile(r"[“\"「『《]([^”\"」』》]{2,30})[”\"」』》]")


@dataclass(frozen=True, slots=True)
class Question:
    """A question analysed.

    ``weights`` maps its telling words (folded), those in names of bodies left out, to how much each tells; ``bodies``
    are the bodies it names, and ``called`` what it calls them; ``years`` are those it asks about, and
    ``asks_statement`` whether it asks what somebody said or promised. ``corrected`` are the names of bodies that it has in
    wrong characters of the same sound, as (typed, taken for); such a body is among ``bodies``, called by its right name.
    """

    text: str
    script: Script
    weights: dict[str, float]
    bodies: tuple[Body, ...]
    called: tuple[str, ...]
    years: frozenset[str]
    asks_statement: bool
    quoted: tuple[str, ...]
    corrected: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Its words that the dictionary lacks, mostly names of people, places and projects."""
        return tuple(
            word for word, weight in self.weights.items() if weight >= NAME_WEIGHT and not word.isascii()
        )

    @property
    def is_latin(self) -> bool:
        """Whether it is asked in a language without Han characters."""
        return self.script == "en"


@functools.lru_cache(maxsize=512)
def analyse(text: str, max_chars: int) -> Question:
    """Analyse a question. The last few hundred are remembered: earlier turns are analysed with each follow-up.

    :raises QuestionError: when it holds no letter or digit, or more than ``max_chars`` characters
    """
    if len(text) > max_chars:
        raise QuestionError(
            f"The question has {len(text):,} characters; the limit is {max_chars:,}.",
            "Ask it in fewer words.",
        )
    stripped = _INVISIBLE_OR_SPACE.sub(" ", text).strip()
    if not any(char.isalnum() for char in stripped):
        raise QuestionError("The question is empty.", "Type what you want to know.")
    folded = fold(stripped)
    called: dict[str, str] = {}
    rest = list(folded)
    slips = mistyped(folded)
    named = [(start, end, body, folded[start:end]) for start, end, body in mentions(folded)]
    named += [(start, end, by_name(name), name) for start, end, name in slips]
    named.sort(key=lambda one: one[0])
    for start, end, body, name in named:
        called.setdefault(body.name, name)
        rest[start:end] = " " * (end - start)
    bodies = tuple({body.name: body for _, _, body, _ in named}.values())
    weights: dict[str, float] = {}
    for word in words("".join(rest)):
        key = english_stem(word)
        if is_stopword(word):
            continue
        weights[key] = word_weight(word)
    return Question(
        text=stripped,
        script=script_of(stripped),
        weights=weights,
        bodies=bodies,
        called=tuple(called[body.name] for body in bodies),
        years=frozenset(_YEAR.findall(folded)),
        asks_statement=_STATEMENT.search(folded) is not None,
        quoted=tuple(fold(name) for name in _NAMED.findall(stripped)),
        corrected=tuple(dict.fromkeys((folded[start:end], name) for start, end, name in slips)),
    )


def is_stopword(word: str) -> bool:
    """Whether a folded word only shapes a question and says nothing of its subject."""
    return word in _STOPWORDS or english_stem(word) in _ENGLISH_STOPWORDS


def coverage(question: Question, folded: str) -> float:
    """The weighted share of the question's telling words that a folded text holds, 0 to 1.

    A body counts as held under any of its names. A longer word that is not there whole counts in part, by the share
    of its character pairs that are (half of it at most): segmenters do not cut questions and documents alike.
    """
    present = {body.name for body in bodies_in(folded)} if question.bodies else set()
    total = _BODY_WEIGHT * len(question.bodies)
    held = _BODY_WEIGHT * sum(body.name in present for body in question.bodies)
    for word, weight in question.weights.items():
        total += weight
        if word in folded:
            held += weight
        elif len(word) > 2 and not word.isascii():
            pairs = [word[i : i + 2] for i in range(len(word) - 1)]
            held += 0.5 * weight * sum(pair in folded for pair in pairs) / len(pairs)
    return held / total if total else 0.0


def corrected_text(question: Question) -> str:
    """The question with the right names of the bodies that it has in wrong characters; else as it was typed."""
    text = question.text
    for typed, name in question.corrected:
        folded = fold(text)
        # Folding may change the length, of a ligature, say: then the folded text stands for the one typed.
        text = text if len(folded) == len(text) else folded
        at = folded.find(typed)
        if at >= 0:
            text = f"{text[:at]}{to_script(name, question.script)}{text[at + len(typed) :]}"
    return text


def also_called(question: Question) -> tuple[tuple[str, float], ...]:
    """The other names of the bodies in a question, each with its weight for the lexical leg.

    Those in the question's own language would outshout its words if they counted in full; those in the other are all that
    the question shares with texts in it.
    """
    return tuple(
        (name, _OTHER_LANGUAGE if name.isascii() != question.is_latin else _OWN_LANGUAGE)
        for body, called in zip(question.bodies, question.called, strict=True)
        for name in (*body.chinese, *body.english)
        if name != called
    )


def embedding_text(question: Question) -> str:
    """What the dense leg looks for; an English question is joined by the Chinese names of the bodies in it."""
    text = corrected_text(question)
    if question.is_latin and question.bodies:
        return f"{text} {' '.join(_short(body) for body in question.bodies)}"
    return text


def _short(body: Body) -> str:
    return body.short[0] if body.short else body.name
