"""The catalogue's embedding model in little memory: OpenVINO's graph, word vectors on disk, a tokenizer of a few megabytes.

The same model as sentence-transformers runs from the same folder, and the same vectors. The graph takes word vectors and
not numbers of words, so that neither it nor torch holds the quarter of a million of them; torch, transformers and
sentence-transformers are not imported at all once the model is converted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from rag.acceleration import load_graph, whole_folder, write_graph
from rag.e5 import MAX_TOKENS, PASSAGE_PROMPT, QUERY_PROMPT
from rag.unigram import UnigramTokenizer, build_table, load_table, rules_of, save_table
from rag.word_vectors import Array, Ids, WordVectors, padded, read_word_vectors

_TABLE, _RULES, _FRAME = "pieces.npz", "rules.json", "frame.json"
_WEIGHTS: Final = "model.safetensors"


@dataclass(frozen=True, slots=True)
class CompactModel:
    """What is loaded once. One user at a time.

    ``graph`` gives the vectors of the tokens, ``[n, tokens, d]``, of word vectors of that form and their mask.
    """

    tokenizer: UnigramTokenizer
    words: WordVectors
    graph: Callable[..., Any]
    begin: int
    end: int
    pad: int

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that are read, its prompt and end marks included."""
        return MAX_TOKENS

    def passages(self, texts: Sequence[str]) -> Array:
        """Vectors of texts to be found, ``[n, d]``; all go through together."""
        return self._encoded(PASSAGE_PROMPT, texts)

    def queries(self, texts: Sequence[str]) -> Array:
        """Vectors of questions, ``[n, d]``; all go through together."""
        return self._encoded(QUERY_PROMPT, texts)

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The numbers of the pieces of each text, without the signs that frame one, `max_tokens` at most."""
        return [self.tokenizer.ids(text)[:MAX_TOKENS] for text in texts]

    def token_vectors(self, ids: Ids, mask: Ids) -> Array:
        """The vectors of the tokens of framed texts, ``[n, tokens, d]``."""
        return np.asarray(self.graph(self.words.of(ids), mask), np.float32)

    def _encoded(self, prompt: str, texts: Sequence[str]) -> Array:
        rows = [
            [self.begin, *self.tokenizer.ids(prompt + text)[: MAX_TOKENS - 2], self.end] for text in texts
        ]
        ids, mask = padded(rows, self.pad, MAX_TOKENS)
        weight = mask[:, :, None].astype(np.float32)
        found = (self.token_vectors(ids, mask) * weight).sum(1) / weight.sum(1)
        return np.asarray(found, np.float32)


def open_compact(folder: Path, place: Path, *, bfloat16: bool) -> CompactModel:
    """Load what `convert` wrote.

    :param folder: the model's folder, whose word vectors are used
    :param place: the folder that `convert` wrote
    :param bfloat16: compute in 16-bit floats
    :raises Exception: whatever a missing or damaged file makes numpy, tokenizers or OpenVINO raise
    """
    frame = json.loads((place / _FRAME).read_text(encoding="utf-8"))
    tokenizer = UnigramTokenizer(load_table(place / _TABLE), (place / _RULES).read_text(encoding="utf-8"))
    words = read_word_vectors(folder / _WEIGHTS)
    return CompactModel(tokenizer, words, load_graph(place, bfloat16=bfloat16), **frame)


def convert(folder: Path, place: Path) -> None:
    """Write ``place`` from the model's folder; whole or not at all.

    :raises ValueError: the tokenizer is not one that `rag.unigram` can stand in for
    """
    rules = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    pieces = [(text, float(score)) for text, score in rules["model"]["vocab"]]
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    frame = {
        "begin": config["bos_token_id"],
        "end": config["eos_token_id"],
        "pad": config["pad_token_id"],
    }
    size = int(config["hidden_size"])
    example = (np.zeros((2, 8, size), np.float32), np.ones((2, 8), np.int64))
    with whole_folder(place) as draft:
        save_table(build_table(pieces, rules["model"]["unk_id"]), draft / _TABLE)
        (draft / _RULES).write_text(rules_of(rules), encoding="utf-8")
        (draft / _FRAME).write_text(json.dumps(frame), encoding="utf-8")
        write_graph(_transformer(folder), example, draft)


def _transformer(folder: Path) -> Any:
    """The model's transformer, fed with word vectors."""
    import torch
    from transformers import BertModel

    source: Any = BertModel.from_pretrained(
        folder, local_files_only=True, dtype=torch.float32, attn_implementation="eager"
    )

    class Hidden(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.source = source

        def forward(self, vectors: torch.Tensor, mask: torch.Tensor) -> Any:
            return self.source(inputs_embeds=vectors, attention_mask=mask).last_hidden_state

    return Hidden().eval()
