"""The damaged text as it is read: characters, and the annotations between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ingest import pinyin
from ingest.mojibake.signs import ANNOTATION, LOST, ORPHAN


@dataclass(frozen=True, slots=True)
class Token:
    """A character, an annotation, or an annotation whose opening bracket was swallowed ("orphan")."""

    kind: str
    value: str
    start: int
    end: int


def read_tokens(text: str, position: int) -> Iterator[Token]:
    """The tokens from a position to the end of its line."""
    cursor = position
    while cursor < len(text) and text[cursor] not in "\r\n":
        # Some decoders keep the bracket that follows the lost byte, most swallow it.
        is_after_lost = cursor > 0 and text[cursor - 1] in LOST
        match = (ORPHAN if is_after_lost else ANNOTATION).match(text, cursor)
        if match is not None and pinyin.syllable(match.group(1)) is not None:
            yield Token("orphan" if is_after_lost else "annotation", match.group(1), cursor, match.end())
            cursor = match.end()
            continue
        yield Token("char", text[cursor], cursor, cursor + 1)
        cursor += 1
