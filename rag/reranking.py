"""Reads question and passage together, and says how well the one answers the other.

The embedding model's own transformer, changed by a small learned difference (`rag/trained/reranker.safetensors`), with a
linear layer of two outputs over it: relevance, and whether the passage answers (Nogueira and Cho, "Passage re-ranking with
BERT", 2019; the difference is of low rank as in Hu et al., "LoRA", 2021). `eval.training.reranker` says on what it was
learned. It uses the embedding model's files as they lie on disk; word vectors are read from there, a few rows a question.
"""

from __future__ import annotations

import functools
import hashlib
import json
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.acceleration import compiled
from rag.embedding import E5_NAME, computes_bfloat16
from rag.framing import frame
from rag.settings import Settings
from rag.text import to_simplified
from rag.types import Chunk, Source

if TYPE_CHECKING:
    import torch

Array = NDArray[np.float32]

MAX_TOKENS: Final = 200
"""Tokens of question and passage together; a chunk of 260 characters with its title has about 180."""
_FILE: Final = "reranker.safetensors"
WORDS: Final = "embeddings.word_embeddings.weight"
_LONGEST_QUESTION: Final = 200


class Reranker(Protocol):
    """Scores passages for a question, each pair read together."""

    @property
    def name(self) -> str:
        """The model's identity."""

    def scores(self, question: str, passages: Sequence[str]) -> Array:
        """Two numbers a passage, ``[len(passages), 2]``: relevance, and the log odds that it answers the question."""


def reranking_text(source: Source, chunk: Chunk) -> str:
    """What a reranker is given of a passage: title, heading and speakers above its text, in simplified script."""
    return to_simplified("\n".join((*frame(source, chunk), chunk.text)))


class EmbeddingReranker:
    """A `Reranker` over the embedding model's folder. Threads may share it; one is served at a time."""

    def __init__(
        self,
        tokenizer: Any,
        words: _Words,
        transformer: Callable[[Array, NDArray[np.int64]], Array],
        name: str,
    ) -> None:
        """Join the parts; ``transformer`` gives the two numbers for word vectors ``[n, tokens, d]`` and their mask."""
        self._tokenizer = tokenizer
        self._words = words
        self._transformer = transformer
        self._name = name
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The model's identity."""
        return self._name

    def scores(self, question: str, passages: Sequence[str]) -> Array:
        """Two numbers a passage, ``[len(passages), 2]``: relevance, and the log odds that it answers the question."""
        if not passages:
            return np.zeros((0, 2), np.float32)
        pairs = [(_clean(question)[:_LONGEST_QUESTION], _clean(passage)) for passage in passages]
        with self._lock:
            encoded = self._tokenizer.encode_batch(pairs)
            ids = np.asarray([item.ids for item in encoded], np.int64)
            mask = np.asarray([item.attention_mask for item in encoded], np.int64)
            return self._transformer(self._words.of(ids), mask)


def open_reranker(settings: Settings, embedder: str) -> Reranker | None:
    """The reranker of the settings; None where it is off, or the embedding model is not the one it was learned for.

    The first opening converts it for the fastest engine that is installed, which takes some seconds.

    :param embedder: the name of the embedding model that is open
    """
    if settings.rerank == "off" or embedder != E5_NAME:
        return None
    from rag import e5

    wanted = settings.embedding_backend
    return _open(e5.prepare(settings), wanted, bfloat16=computes_bfloat16())


@functools.lru_cache(maxsize=1)
def _open(folder: Path, wanted: Literal["auto", "torch", "openvino"], *, bfloat16: bool) -> EmbeddingReranker:
    import tokenizers

    difference = resources.files("rag.trained").joinpath(_FILE).read_bytes()
    digest = hashlib.sha256(difference).hexdigest()[:8]
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS, strategy="only_second")
    tokenizer.enable_padding(pad_id=1, pad_token="<pad>")  # noqa: S106 - the sign that fills up
    words = _word_vectors(folder / "model.safetensors")

    def build() -> torch.nn.Module:
        return _module(folder, difference)

    vectors = np.zeros((2, 8, words.dimension), np.float32)
    mask = np.ones((2, 8), np.int64)
    run = compiled(build, (vectors, mask), folder / f"reranker-{digest}", wanted, bfloat16=bfloat16)
    return EmbeddingReranker(tokenizer, words, run, f"{folder.name}+{digest}")


@dataclass(frozen=True, slots=True)
class _Words:
    """The word vectors, left on disk: a question and ten passages need two thousand of a quarter of a million."""

    table: NDArray[np.float16]

    @property
    def dimension(self) -> int:
        return int(self.table.shape[1])

    def of(self, ids: NDArray[np.int64]) -> Array:
        """The vectors of these words, ``[..., d]``."""
        return np.asarray(self.table[ids], np.float32)


def _word_vectors(path: Path) -> _Words:
    """The word vectors of a safetensors file: eight bytes of length, a header in JSON, then the tensors' bytes."""
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        entry = json.loads(stream.read(length))[WORDS]
    kind = np.dtype("<f2") if entry["dtype"] == "F16" else np.dtype("<f4")
    table = np.memmap(path, kind, "r", 8 + length + entry["data_offsets"][0], tuple(entry["shape"]))
    return _Words(table)


def _module(folder: Path, difference: bytes) -> torch.nn.Module:
    """The transformer with the difference added, and the linear layer over it."""
    import safetensors.torch
    import torch
    from transformers import BertConfig, BertModel

    config = BertConfig.from_pretrained(folder)
    config.vocab_size = 1
    config.pad_token_id = 0
    config._attn_implementation = "eager"
    transformer = BertModel(config, add_pooling_layer=False)
    with safetensors.safe_open(folder / "model.safetensors", "pt") as file:
        state = {name: file.get_tensor(name).float() for name in file.keys() if name != WORDS}  # noqa: SIM118
    learned = safetensors.torch.load(difference)
    for name, tensor in learned.items():
        kind, _, target = name.partition(":")
        if kind == "down":
            state[target] = state[target] + learned[f"up:{target}"].float() @ tensor.float()
        elif kind == "add":
            state[target] = state[target] + tensor.float()
    transformer.load_state_dict(state, strict=False)

    class Pair(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = transformer
            self.head = torch.nn.Linear(2 * config.hidden_size, 2)
            self.head.weight.data = learned["head:weight"].float()
            self.head.bias.data = learned["head:bias"].float()

        def forward(self, vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            hidden = self.transformer(inputs_embeds=vectors, attention_mask=mask).last_hidden_state
            weight = mask.unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * weight).sum(1) / weight.sum(1)
            found: torch.Tensor = self.head(torch.cat([hidden[:, 0], mean], 1))
            return found

    return Pair().eval()


def _clean(text: str) -> str:
    """The text without lone surrogates, which the tokenizer refuses, and never empty."""
    return text.encode("utf-8", "replace").decode("utf-8") or " "
