"""The word vectors of a model, read from its file as it lies on disk.

A question and ten passages need two thousand of a quarter of a million: mapped, the file takes the memory of those alone, and
what has been read is let go of from time to time.
"""

from __future__ import annotations

import functools
import json
import mmap
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Ids = NDArray[np.int64]

WORDS: Final = "embeddings.word_embeddings.weight"
_KEPT: Final = 1 << 12
"""Pieces read until the file's pages are let go of; each can bring in 64 KB with what lies around it."""
_STEP: Final = 16
"""Texts are filled up to a multiple of this: an engine keeps memory for every length that it has seen."""


@dataclass(slots=True)
class WordVectors:
    """The vectors of a vocabulary, ``[pieces, d]``, and the file they are mapped from."""

    table: NDArray[Any]
    file: mmap.mmap | None = None
    _read: int = field(default=0, init=False)

    @property
    def dimension(self) -> int:
        """Numbers a vector."""
        return int(self.table.shape[1])

    def of(self, ids: Ids) -> Array:
        """The vectors of these pieces, ``[..., d]``."""
        found = np.asarray(self.table[ids], np.float32)
        self._read += ids.size
        if self._read > _KEPT:
            self._read = 0
            self._let_go()
        return found

    def _let_go(self) -> None:
        # The system keeps the file's pages for as long as it has room for them; they are not this process's any more.
        if self.file is not None and hasattr(mmap, "MADV_DONTNEED"):
            self.file.madvise(mmap.MADV_DONTNEED)


@functools.lru_cache(maxsize=2)
def read_word_vectors(path: Path) -> WordVectors:
    """Those of a safetensors file: eight bytes of length, a header in JSON, then the tensors' bytes.

    Models that are built on one another share them.

    :raises OSError, ValueError, KeyError: the file cannot be read, is damaged or holds no word vectors
    """
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        entry = json.loads(stream.read(length))[WORDS]
        file = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    kind = np.dtype("<f2") if entry["dtype"] == "F16" else np.dtype("<f4")
    rows, dimension = entry["shape"]
    table = np.frombuffer(file, kind, rows * dimension, 8 + length + entry["data_offsets"][0])
    return WordVectors(table.reshape(rows, dimension), file)


def padded(rows: Sequence[Sequence[int]], pad: int, most: int) -> tuple[Ids, Ids]:
    """Rows of numbers as one array, filled up with ``pad``, and which places are theirs.

    :param most: no row is filled up beyond this
    """
    longest = max(map(len, rows))
    longest = max(longest, min(-(-longest // _STEP) * _STEP, most))
    ids = np.full((len(rows), longest), pad, np.int64)
    mask = np.zeros((len(rows), longest), np.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1
    return ids, mask
