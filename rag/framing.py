"""What a reader of a chunk knows from what stands around it: title, heading, and who is speaking. Pure."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from rag.text import fold
from rag.types import Chunk, Passage, Source


def frame(source: Source, chunk: Chunk) -> list[str]:
    """Title, heading and speakers of a chunk, each once, those that are known."""
    return [part for part in dict.fromkeys((source.title, chunk.heading, *speakers(chunk))) if part]


def speakers(chunk: Chunk, start: int = 0, end: int | None = None) -> Iterator[str]:
    """Who speaks in a chunk, or between two offsets of its document, as "住房和城乡建设局局长周建明"."""
    for speech in chunk.speeches:
        if speech.end > start and (end is None or speech.start < end):
            yield f"{speech.body}{speech.speaker}"


def folded_frame(passage: Passage, start: int, end: int) -> str:
    """What frames a stretch of a passage, offsets as in its document, folded for comparison."""
    source, chunk = passage.source, passage.chunk
    return fold(
        "\n".join((source.title, chunk.heading, source.published or "", *speakers(chunk, start, end)))
    )


@functools.lru_cache(maxsize=4096)
def folded_context(source: Source, chunk: Chunk) -> str:
    """A chunk with what frames it, folded: what may bear out a word of a question.

    Remembered, for the same passages are looked at by ranking, evidence and excerpts, and by the next question.
    """
    return fold("\n".join((*frame(source, chunk), chunk.text)))
