"""Reads question and passage together, and says how well the one answers the other.

The embedding model's own transformer, changed by a small learned difference (`rag/trained/reranker.safetensors`), with a
linear layer of two outputs over it: relevance, and whether the passage answers (Nogueira and Cho, "Passage re-ranking with
BERT", 2019; the difference is of low rank as in Hu et al., "LoRA", 2021); and one over each token, which says with which words
(`rag.reading`). `eval.training.reranker` says on what it was
learned. Beside it the embedding model itself, as it is, compares them word by word (`rag.late_interaction`). Word vectors are
read from the model's file as it lies on disk, a few rows a question.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import numpy as np

from rag.acceleration import compiled
from rag.embedding import E5_NAME, computes_bfloat16, open_embedder, token_encoder
from rag.framing import frame
from rag.late_interaction import Pieces, late_interaction
from rag.reading import Reading, best_span, characters_of
from rag.settings import Settings
from rag.text import to_simplified, whole
from rag.types import Chunk, Source
from rag.word_vectors import WORDS as WORDS
from rag.word_vectors import Array, Ids, WordVectors, padded, read_word_vectors

if TYPE_CHECKING:
    import torch

MAX_TOKENS: Final = 200
"""Tokens of question and passage together; a chunk of 260 characters with its title has about 180."""
_BEGIN, _PAD, _END = 0, 1, 2
"""The signs that frame a text in the vocabulary of XLM-RoBERTa, which the embedding model has."""
_FILE: Final = "reranker.safetensors"
_REMEMBERED: Final = 64
"""Pairs whose numbers are remembered: those of a few questions at a time."""
_LONGEST_QUESTION: Final = 200
_LONGEST_PASSAGE: Final = 2000
_QUERY, _PASSAGE = "query:", "passage:"


class TokenEncoder(Protocol):
    """What an embedding model tells of single tokens; see `rag.embedding.SentenceTransformerEmbedder`."""

    def token_ids(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        """The numbers of each text's pieces, without the signs that frame one."""

    def token_vectors(self, ids: Ids, mask: Ids) -> Array:
        """The vectors of the tokens of framed texts, ``[n, tokens, d]``."""


class Reranker(Protocol):
    """Scores passages for a question, each pair read together."""

    @property
    def name(self) -> str:
        """The model's identity."""

    def scores(self, question: str, passages: Sequence[str]) -> Array:
        """Three numbers a passage, ``[len(passages), 3]``: relevance, the log odds that it answers the question, and how well
        its words meet those of the question.

        A model that the weights of `rag.fusion` were not learned with gives one, ``[len(passages), 1]``: relevance, on
        a scale of its own.
        """


class Reader(Protocol):
    """Says whether passages answer a question, and with which of their words."""

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        """How each passage answers."""

    def words_met(self, text: str, others: Sequence[str]) -> Array:
        """How well the words of a text are met by those of each of some others, ``[len(others)]``, -1 to 1."""


def reader_of(reranker: Reranker | None) -> Reader | None:
    """The reranker as one that also tells which words answer; None where it does not."""
    return reranker if isinstance(reranker, EmbeddingReranker) else None


def reranking_text(source: Source, chunk: Chunk) -> str:
    """What a reranker is given of a passage: title, heading and speakers above its text, in simplified script."""
    return to_simplified("\n".join((*frame(source, chunk), chunk.text)))


@dataclass(frozen=True, slots=True)
class _Models:
    """What is loaded once: ``pairs`` gives of rows of word vectors ``[n, tokens, d]`` and their mask ``[n, 1 + tokens, 2]``: the two
    numbers of each pair, then how well an answer begins and ends at each token.
    """

    name: str
    words: WordVectors
    pairs: Callable[[Array, Ids], Array]
    weights: Array
    question_mean: Array
    passage_mean: Array


class EmbeddingReranker:
    """A `Reranker` over the embedding model's folder. Threads may share it; one is served at a time."""

    def __init__(self, models: _Models, encoder: TokenEncoder) -> None:
        """Join what was loaded and the embedding model that it was learned for."""
        self._models = models
        self._encoder = encoder
        self._lock = threading.Lock()
        self._known: dict[tuple[int, ...], Array] = {}

    @property
    def name(self) -> str:
        """The model's identity."""
        return self._models.name

    def scores(self, question: str, passages: Sequence[str]) -> Array:
        """Three numbers a passage, ``[len(passages), 3]``: relevance, the log odds that it answers the question, and how well
        its words meet those of the question.
        """
        if not passages:
            return np.zeros((0, 3), np.float32)
        texts = [whole(question)[:_LONGEST_QUESTION], *(whole(text)[:_LONGEST_PASSAGE] for text in passages)]
        with self._lock:
            query, passage, asked, *read = self._encoder.token_ids([_QUERY, _PASSAGE, *texts])
            pairs = [found[0] for found in self._together(_head(asked), read)]
            return np.column_stack([np.stack(pairs), self._apart(query, passage, asked, read)])

    def words_met(self, text: str, others: Sequence[str]) -> Array:
        """How well the words of a text are met by those of each of some others, ``[len(others)]``, -1 to 1; the languages may
        differ.
        """
        if not others:
            return np.zeros(0, np.float32)
        texts = [whole(text)[:_LONGEST_QUESTION], *(whole(other)[:_LONGEST_PASSAGE] for other in others)]
        with self._lock:
            query, passage, asked, *read = self._encoder.token_ids([_QUERY, _PASSAGE, *texts])
            return self._apart(query, passage, asked, read)

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        """How each passage answers; passages as `reranking_text` gives them."""
        if not passages:
            return []
        texts = [whole(text)[:_LONGEST_PASSAGE] for text in passages]
        with self._lock:
            asked, *read = self._encoder.token_ids([whole(question)[:_LONGEST_QUESTION], *texts])
            head = _head(asked)
            found = self._together(head, read)
            return [
                self._reading(text, found[n], len(head), min(len(head) + len(read[n]), MAX_TOKENS - 1))
                for n, text in enumerate(texts)
            ]

    def _reading(self, text: str, found: Array, first: int, last: int) -> Reading:
        span = best_span(found[1:], first, last)
        start, end = characters_of(
            text, span.first - first, span.last - first, lambda part: self._encoder.token_ids([part])[0]
        )
        relevance, answers = map(float, found[0])
        return Reading(relevance, answers, span.margin, start, end)

    def _together(self, head: Sequence[int], read: Sequence[Sequence[int]]) -> list[Array]:
        """What the transformer says of each pair, ``[1 + tokens, 2]``; of those just read nothing is read again: the passages
        that ranking read are the ones that are asked next whether they answer.
        """
        rows = [(*head, *text[: MAX_TOKENS - len(head) - 1], _END) for text in read]
        new = [row for row in dict.fromkeys(rows) if row not in self._known]
        if new:
            ids, mask = padded(new, _PAD, MAX_TOKENS)
            found = self._models.pairs(self._models.words.of(ids), mask)
            self._known |= {row: found[n, : 1 + len(row)] for n, row in enumerate(new)}
        told = [self._known[row] for row in rows]
        for row in list(self._known)[:-_REMEMBERED]:
            del self._known[row]
        return told

    def _apart(
        self,
        query: Sequence[int],
        passage: Sequence[int],
        asked: Sequence[int],
        read: Sequence[Sequence[int]],
    ) -> Array:
        models = self._models
        most = MAX_TOKENS - 2
        rows = [[*query, *asked][:most], *([*passage, *text][:most] for text in read)]
        ids, mask = padded([[_BEGIN, *row, _END] for row in rows], _PAD, MAX_TOKENS)
        vectors = self._encoder.token_vectors(ids, mask)
        heads = [len(query), *[len(passage)] * len(read)]
        pieces = [
            Pieces(ids[n, 1 + head : 1 + len(row)], vectors[n, 1 + head : 1 + len(row)])
            for n, (row, head) in enumerate(zip(rows, heads, strict=True))
        ]
        return late_interaction(
            pieces[0].less(models.question_mean),
            [piece.less(models.passage_mean) for piece in pieces[1:]],
            models.weights,
        )


def _head(asked: Sequence[int]) -> list[int]:
    """What stands before a passage: the question between the signs that frame it."""
    return [_BEGIN, *asked[: MAX_TOKENS // 2], _END, _END]


def open_reranker(settings: Settings, embedder: str, encoder: TokenEncoder | None = None) -> Reranker | None:
    """The reranker of the settings; None where it is off, or the embedding model is not the one "auto" was learned for.

    The first opening of "auto" converts it for the fastest engine that is installed, which takes some seconds.

    :param embedder: the name of the embedding model that is open
    :param encoder: that model itself; without it it is loaded once more
    :raises WeightsError: the settings name one that is not on this machine or cannot be used
    """
    if settings.rerank not in ("auto", "off"):
        from rag.cross_encoding import open_cross_encoder

        return open_cross_encoder(settings)
    if settings.rerank == "off" or embedder != E5_NAME:
        return None
    from rag import e5

    folder = e5.prepare(settings)
    models = _loaded(folder, settings.embedding_backend, bfloat16=computes_bfloat16())
    found = encoder or token_encoder(open_embedder(settings))
    assert found is not None
    return EmbeddingReranker(models, found)


@functools.lru_cache(maxsize=1)
def _loaded(folder: Path, wanted: Literal["auto", "torch", "openvino"], *, bfloat16: bool) -> _Models:
    import safetensors.numpy

    difference = resources.files("rag.trained").joinpath(_FILE).read_bytes()
    digest = hashlib.sha256(difference).hexdigest()[:8]
    words = read_word_vectors(folder / "model.safetensors")
    learned = safetensors.numpy.load(difference)
    example = (np.zeros((2, 8, words.dimension), np.float32), np.ones((2, 8), np.int64))

    return _Models(
        f"{folder.name}+{digest}",
        words,
        compiled(
            lambda: _pair_module(folder, difference),
            example,
            folder / f"reranker-{digest}",
            wanted,
            bfloat16=bfloat16,
        ),
        learned["late:weights"].astype(np.float32),
        learned["late:question_mean"].astype(np.float32),
        learned["late:passage_mean"].astype(np.float32),
    )


def _pair_module(folder: Path, difference: bytes) -> torch.nn.Module:
    """The transformer with the difference added, and the linear layers over it."""
    import safetensors.torch
    import torch

    learned = safetensors.torch.load(difference)
    transformer = _transformer(folder, learned)

    class Pair(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = transformer
            self.head = torch.nn.Linear(2 * transformer.config.hidden_size, 2)
            self.head.weight.data = learned["head:weight"].float()
            self.head.bias.data = learned["head:bias"].float()
            self.spans = torch.nn.Linear(transformer.config.hidden_size, 2)
            self.spans.weight.data = learned["spans:weight"].float()
            self.spans.bias.data = learned["spans:bias"].float()

        def forward(self, vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            hidden = self.transformer(inputs_embeds=vectors, attention_mask=mask).last_hidden_state
            weight = mask.unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * weight).sum(1) / weight.sum(1)
            pairs = self.head(torch.cat([hidden[:, 0], mean], 1))
            places = self.spans(hidden) - (1.0 - weight) * 1e4
            found: torch.Tensor = torch.cat([pairs.unsqueeze(1), places], 1)
            return found

    return Pair().eval()


def _transformer(folder: Path, learned: Mapping[str, torch.Tensor]) -> Any:
    """The embedding model's transformer, fed with word vectors, what was learned added."""
    import safetensors
    from transformers import BertConfig, BertModel

    config = BertConfig.from_pretrained(folder)
    config.vocab_size = 1
    config.pad_token_id = 0
    config._attn_implementation = "eager"
    transformer = BertModel(config, add_pooling_layer=False)
    with safetensors.safe_open(folder / "model.safetensors", "pt") as file:
        state = {name: file.get_tensor(name) for name in file.keys() if name != WORDS}  # noqa: SIM118
    transformer.load_state_dict(with_learned(state, learned), strict=False)
    return transformer


def with_learned(
    state: Mapping[str, torch.Tensor], learned: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """The embedding model's weights by name with the difference of low rank that was learned to them, in 32-bit floats."""
    changed = {name: tensor.float() for name, tensor in state.items()}
    for name, tensor in learned.items():
        kind, _, target = name.partition(":")
        if kind == "down":
            changed[target] = changed[target] + learned[f"up:{target}"].float() @ tensor.float()
        elif kind == "add":
            changed[target] = changed[target] + tensor.float()
    return changed
