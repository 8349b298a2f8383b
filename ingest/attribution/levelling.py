"""The levelled copy of a text: one script, one case, one form of punctuation, every character at its place."""

from __future__ import annotations

import re

from rag.text import to_simplified

_SURROGATE = re.compile("[\ud800-\udfff\x00]")
_LEVEL = str.maketrans("，：；？！（）﹐ＡABCDEFGHIJKLMNOPQRSTUVWXYZ", ",:;?!(),aabcdefghijklmnopqrstuvwxyz")


def level(text: str) -> str:
    """Simplified, lower case, ASCII punctuation, and as long as the text."""
    safe = _SURROGATE.sub("\ufffd", text)
    simple = to_simplified(safe)
    if len(simple) != len(safe):
        forms = {char: to_simplified(char) for char in set(safe)}
        simple = "".join(forms[c] if len(forms[c]) == 1 else c for c in safe)
    return simple.translate(_LEVEL)
