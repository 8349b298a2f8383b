"""Answers on a terminal."""

from __future__ import annotations

from rag.types import Answer, Claim
from ui.terminal import answer_text


def test_what_is_not_borne_out_is_marked_in_plain_text_too() -> None:
    text = "改造28个[1]。新建地铁三条。"
    claims = (
        Claim("改造28个。", 0, 9, (1,), "supported"),
        Claim("新建地铁三条。", 9, len(text), (), "unsupported", "wording"),
    )
    shown = answer_text(Answer("?", "zh-Hans", text=text, outcome="partial", claims=claims))
    assert shown.plain == "改造28个[1]。~~新建地铁三条。~~"
