"""Questions that ask for yes or no, and what their answers assert. Pure.

"是" alone says nothing that could be held against a document: it says what its question asks. "管某是否参与了殴打？" with "是" asserts
"管某参与了殴打", with "否" the contrary.
"""

from __future__ import annotations

import re
from typing import Literal

from rag.text import to_simplified

_YES = re.compile(r"(?:是|是的|对|对的|有|有的|能|可以|会|要|应当|应该|需要|属于|构成|成立|一致|yes)")
_NO = re.compile(
    r"(?:否|不|不是|没有|没|未|不能|不可以|不会|不要|不用|无需|不需要|不应当|不应该|不属于|不构成|不成立|不一致|并非|no)"
)
_AROUND = " 。．.，,、；;：:！!\"'“”‘’「」『』()（）"
_MARKS = re.compile(r"\s*\[\d{1,3}\]")
_ENDS = re.compile(r"(?:了没有|没有|了吗|吗|么|嘛|吧|不|否)?[\s?？。！!]*$")
_ASKS_OTHERWISE = re.compile(r"什么|哪|谁|几(?!乎)|多少|如何|怎|为何|何时|何地|多久|多长|还是")
_WHETHER = re.compile(r"是不是|是否|有没有|能否|可否|会否|(?P<one>[^\W\d_])(?:不|没)(?P=one)")
_INSTEAD = {"是不是": "", "是否": "", "有没有": "有", "能否": "能", "可否": "可以", "会否": "会"}
_ENDING_QUESTION = re.compile(r"(?:吗|么|嘛|了没有|没有)[\s?？。！!]*$")


def polarity(answer: str) -> Literal["yes", "no", ""]:
    """Whether an answer is, or begins with, a yes or a no; "" where it is neither."""
    bare = to_simplified(_MARKS.sub("", answer)).strip(_AROUND).lower()
    first = re.split(r"[，,。；;：:\s]", bare, maxsplit=1)[0]
    for part in (bare, first):
        if _NO.fullmatch(part):
            return "no"
        if _YES.fullmatch(part):
            return "yes"
    return ""


def asks_yes_or_no(question: str) -> bool:
    """Whether a question can be answered with yes or no alone."""
    simplified = to_simplified(question)
    if _ASKS_OTHERWISE.search(simplified):
        return False
    return _WHETHER.search(simplified) is not None or _ENDING_QUESTION.search(simplified) is not None


def asserted(question: str, answer: str) -> str:
    """What an answer of yes or no to a question asserts, as a sentence; "" where it says more than that, or the question asks
    otherwise.
    """
    bare = to_simplified(_MARKS.sub("", answer)).strip(_AROUND).lower()
    yes = _YES.fullmatch(bare) is not None
    if not (yes or _NO.fullmatch(bare)) or not asks_yes_or_no(question):
        return ""
    statement = _ENDS.sub("", to_simplified(question)).strip(_AROUND)
    whether = _WHETHER.search(statement)
    if whether is None:
        return statement if yes else f"没有{statement}"
    said = _INSTEAD.get(whether.group(), whether["one"] or "")
    denial = "没" if whether.group() == "有没有" else "未" if not said else "不"
    between = said if yes else f"{denial}{said}"
    return f"{statement[: whether.start()]}{between}{statement[whether.end() :]}"
