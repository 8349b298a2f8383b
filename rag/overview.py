"""What a library holds, for the page that opens on it: counts, and questions that its titles suggest. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.bodies import Body, mentions
from rag.text import fold, to_simplified

_EXAMPLE_BODIES = 2
_NOTICE = re.compile(r"关于(?:做好|申报|举办|开展)?(?P<topic>[^的]{4,24})的(?:通知|公告|通告|意见)")


@dataclass(frozen=True, slots=True)
class LibraryOverview:
    """What there is to ask about.

    ``latest`` is the newest document's ISO date, ``bodies`` who issued or said something, ``collections`` the names of
    those that hold documents.
    """

    documents: int
    chunks: int
    latest: str | None
    examples: tuple[str, ...]
    bodies: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()


def examples(titles: Sequence[str]) -> tuple[str, ...]:
    """Questions that titles suggest: what two bodies promised, what a notice rules, and one in English."""
    found: dict[str, None] = {}
    named: list[Body] = []
    for title in titles:
        for start, end, body in mentions(fold(title))[:1]:
            if body not in named and len(named) < _EXAMPLE_BODIES:
                named.append(body)
                called = fold(title)[start:end]
                shorter = [name for name in body.short if name[-1] == called[-1] and len(name) < len(called)]
                short = shorter[0] if shorter else called
                found.setdefault(f"{short}承诺了什么？", None)
    notice = next((match for title in titles if (match := _NOTICE.fullmatch(to_simplified(title)))), None)
    if notice is not None:
        found.setdefault(f"{notice['topic']}有什么规定？", None)
    english = next((body for body in named if body.english), None)
    if english is not None:
        found.setdefault(f"What did the {min(english.english, key=len)} promise?", None)
    return tuple(found)
