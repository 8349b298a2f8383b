"""The signs that damage is told by: what stands for lost bytes, annotations, punctuation."""

from __future__ import annotations

import re

from rag.text import HAN

GAP = "\ufffd"
"""Stands for what is lost and cannot be proved."""

_LETTER = "a-zA-Zü\u00dcêɑɡĀÁǍÀĒÉĚÈŌÓǑÒāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜḿńňǹ"
LOST = "?？\ufffd"
ANNOTATION = re.compile(rf"[(（] ?([{_LETTER}]{{1,7}}[1-5]?) ?[)）]")
ORPHAN = re.compile(rf"[(（]? ?([{_LETTER}]{{1,7}}[1-5]?) ?[)）]")
TONED = re.compile("[āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜḿńňǹ]")
IS_HAN = re.compile(f"[{HAN}]")

PUNCTUATION = {
    **dict.fromkeys("，,", 2.8),
    **dict.fromkeys("。、", 3.6),
    **dict.fromkeys("“”：:；;（）()「」《》", 6.0),
    **dict.fromkeys("！？!?‘’『』·—…", 7.0),
    **dict.fromkeys("0123456789", 5.0),
    **dict.fromkeys(" \u3000%.-/", 8.0),
}
"""What belongs between Chinese characters, and how improbable each is there, in nats."""
