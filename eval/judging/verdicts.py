"""Asks a chat model for its verdict on one answer.

One word at the start of the reply is the verdict; whatever else it begins with is unclear, which never counts as a
pass. Judging with a chat model follows Zheng et al. (2023), "Judging LLM-as-a-Judge"; that a short answer is held
against passages and reference in two separate questions keeps each within reach of a small model.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eval.judging import prompts
from eval.metrics.judged import has_reference
from eval.metrics.metric import references, said
from eval.results import CaseResult, Judged, Judgement
from rag.errors import ModelError

if TYPE_CHECKING:
    from rag.model import ChatModel

REPLY_TOKENS = 8
"""Room for the verdict; the rest of a reply is not read."""

_QUOTES = "\\s*_\"'“”‘’「」『』"
# After the word must come an end: "是否", "不是", "yes/no" and "Yes or no" say nothing.
_VERDICT = re.compile(
    rf"[{_QUOTES}]*(?P<word>是|否|yes|no)(?=$|[{_QUOTES},.;:!，。；：！、（(—-])(?!\s*(?:or|and)\b)",
    re.IGNORECASE,
)
_MEANING: dict[str, Judged] = {"是": "yes", "yes": "yes", "否": "no", "no": "no"}


def judge(result: CaseResult, model: ChatModel) -> Judgement:
    """The model's verdict on the answer of a case.

    Nothing is asked of what was refused or asked back: neither question applies. A failed case is "no" without asking,
    and so is an answer without text, or one for which no passage was shown. Correctness applies where the case is
    answerable and has references.

    :raises ModelError: when the model gives no reply
    """

    def judgement(faithful: Judged | None, correct: Judged | None) -> Judgement:
        return Judgement(faithful, correct, model.name, prompts.VERSION)

    case = result.case
    applies = has_reference(case)
    if result.error:
        return judgement("no", "no" if applies else None)
    if result.outcome not in ("answered", "partial"):
        return judgement(None, None)
    answer = said(result).strip()
    if not answer:
        return judgement("no", "no" if applies else None)
    shown = [passage.text for passage in result.passages if passage.number in result.shown]
    faithful: Judged = _verdict(model, prompts.faithful(case.question, answer, shown)) if shown else "no"
    correct = _verdict(model, prompts.correct(case.question, answer, references(case))) if applies else None
    return judgement(faithful, correct)


def tried(result: CaseResult, model: ChatModel) -> Judgement | ModelError:
    """The verdict, or the error for which there is none."""
    try:
        return judge(result, model)
    except ModelError as error:
        return error


def parse(reply: str) -> Judged:
    """The verdict that a reply begins with: 是 or yes, 否 or no, alone or set off by a sign; else "unclear"."""
    found = _VERDICT.match(reply)
    return _MEANING[found["word"].lower()] if found else "unclear"


def _verdict(model: ChatModel, asked: tuple[str, str]) -> Judged:
    from langchain_core.messages import HumanMessage, SystemMessage

    system, user = asked
    messages = [SystemMessage(system), HumanMessage(user)]
    return parse("".join(model.stream(messages, max_tokens=REPLY_TOKENS)))
