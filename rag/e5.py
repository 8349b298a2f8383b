"""Turns the 4-bit file of multilingual-e5-small into a folder that sentence-transformers loads.

The file (format ``E5S1``, little-endian) holds a header, a unigram vocabulary, a map of character
normalisations, a directory of tensors and the tensors, the large ones in blocks of 32 values (Q4_0). The
folder holds the same model as a Hugging Face BERT model with a fast tokenizer, mean pooling and
normalisation.

Weights are written in 16-bit floats: 236 MB instead of 471, and against 32-bit floats the vectors of the
reference texts change by less than 1e-7 in cosine, for the values had 4 bits to begin with. The folder says
``float32``, so that any loader computes in 32 bits.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import shutil
import struct
import tempfile
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rag.errors import WeightsError
from rag.settings import Settings
from rag.weights import (
    E5_SMALL,
    Progress,
    ProgressCallback,
    disk_errors,
    one_at_a_time,
    require_space,
    sync_folder,
    verify,
)

CONVERTER_VERSION: Final = 1
"""Raised when the folder's content changes, so that folders of older versions are built anew."""

FOLDER: Final = "e5-small"
MARKER: Final = "wenzheng.json"
MAX_TOKENS: Final = 512
QUERY_PROMPT: Final = "query: "
PASSAGE_PROMPT: Final = "passage: "

_F32, _Q4_0 = 0, 1
_BLOCK: Final = 32
_BLOCK_TYPE: Final = np.dtype([("scale", "<f2"), ("nibbles", "u1", (_BLOCK // 2,))])
_CHUNK_BLOCKS: Final = 1 << 17


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor stands in the file: ``offset`` and ``size`` in bytes; ``kind`` 0 is f32, 1 is Q4_0."""

    kind: int
    elements: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class E5File:
    """A parsed E5S1 file: the numbers of the model, its vocabulary and its tensors over ``data``."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float
    bos: int
    eos: int
    pad: int
    unk: int
    pieces: tuple[tuple[str, float], ...]
    normalisations: Mapping[str, str]
    tensors: Mapping[str, Tensor]
    data: bytes


# --- reading ------------------------------------------------------------------------------------------------


class _Reader:
    """Reads numbers one after the other and never past the end."""

    def __init__(self, data: bytes, path: Path) -> None:
        self.data, self.path, self.at = data, path, 0

    def numbers(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.bytes(struct.calcsize("<" + layout)))

    def bytes(self, count: int) -> bytes:
        self.need(0 <= count <= len(self.data) - self.at, f"it ends early, at byte {len(self.data):,}")
        self.at += count
        return self.data[self.at - count : self.at]

    def array(self, kind: str, count: int) -> npt.NDArray[Any]:
        return np.frombuffer(self.bytes(count * np.dtype(kind).itemsize), dtype=kind)

    def need(self, condition: bool, fault: str) -> None:
        if not condition:
            raise WeightsError(
                f"The model file {self.path} is not a whole E5S1 file: {fault}.",
                "Delete it and run `wenzheng models pull e5-small`.",
            )


def read(path: Path) -> E5File:
    """Parse an E5S1 file, checking every length and offset.

    :raises WeightsError: if the file is malformed or cannot be read
    """
    with disk_errors(path):
        reader = _Reader(path.read_bytes(), path)
    need = reader.need
    need(reader.bytes(4) == b"E5S1", "it does not begin with E5S1")
    (version,) = reader.numbers("I")
    need(version == 1, f"its version is {version}, not 1")
    sizes = reader.numbers("7i")
    need(all(0 < size <= 1 << 20 for size in sizes), f"its sizes are {sizes}")
    hidden, layers, heads, feed_forward, vocabulary, positions, token_types = sizes
    need(
        hidden % heads == 0 and hidden % _BLOCK == 0 and feed_forward % _BLOCK == 0, f"its sizes are {sizes}"
    )
    epsilon, block = reader.numbers("fi")
    need(math.isfinite(epsilon) and 0 < epsilon < 1, f"its epsilon is {epsilon}")
    need(block == _BLOCK, f"its blocks hold {block} values, not {_BLOCK}")
    (bos, eos, pad, unk), pieces = _read_pieces(reader, vocabulary)
    normalisations = _read_normalisations(reader)
    tensors = _read_directory(reader)
    parsed = E5File(
        hidden=hidden,
        layers=layers,
        heads=heads,
        feed_forward=feed_forward,
        vocabulary=vocabulary,
        positions=positions,
        token_types=token_types,
        epsilon=epsilon,
        bos=bos,
        eos=eos,
        pad=pad,
        unk=unk,
        pieces=pieces,
        normalisations=normalisations,
        tensors=tensors,
        data=reader.data,
    )
    for name, (_, shape) in _layout(parsed).items():
        need(name in tensors, f"it has no tensor {name}")
        need(tensors[name].elements == math.prod(shape), f"its tensor {name} has not the shape {shape}")
    return parsed


def _read_pieces(
    reader: _Reader, vocabulary: int
) -> tuple[tuple[int, int, int, int], tuple[tuple[str, float], ...]]:
    count, bos, eos, pad, unk, blob_size = reader.numbers("5iQ")
    reader.need(0 < count <= vocabulary, f"it has {count} pieces for a vocabulary of {vocabulary}")
    reader.need(all(0 <= n < count for n in (bos, eos, pad, unk)), "a special piece is not in its vocabulary")
    offsets = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count)
    blob = reader.bytes(blob_size)
    reader.need(
        int(offsets[-1]) <= blob_size and bool(np.all(offsets[:-1] <= offsets[1:])),
        "the offsets of its pieces are not in order",
    )
    reader.need(bool(np.isfinite(scores).all()), "the score of a piece is not a number")
    bounds = offsets.tolist()
    try:
        texts = [blob[start:end].decode() for start, end in itertools.pairwise(bounds)]
    except UnicodeDecodeError:
        reader.need(False, "a piece is not UTF-8")
        raise
    return (bos, eos, pad, unk), tuple(zip(texts, scores.tolist(), strict=True))


def _read_normalisations(reader: _Reader) -> dict[str, str]:
    count, size = reader.numbers("iI")
    inner = _Reader(reader.bytes(size), reader.path)
    found = {}
    for _ in range(count):
        point, length = inner.numbers("IB")
        points = (point, *inner.numbers(f"{length}I"))
        reader.need(max(points) <= 0x10FFFF, "its normalisation map holds what is no character")
        found[chr(point)] = "".join(map(chr, points[1:]))
    return found


def _read_directory(reader: _Reader) -> dict[str, Tensor]:
    (count,) = reader.numbers("i")
    tensors = {}
    for _ in range(count):
        (length,) = reader.numbers("H")
        name = reader.bytes(length).decode("ascii", "replace")
        tensor = Tensor(*reader.numbers("BIQQ"))
        reader.need(tensor.kind in (_F32, _Q4_0), f"its tensor {name} is of the unknown kind {tensor.kind}")
        whole = tensor.kind == _F32 or tensor.elements % _BLOCK == 0
        size = tensor.elements * 4
        if tensor.kind == _Q4_0:
            size = tensor.elements // _BLOCK * _BLOCK_TYPE.itemsize
        reader.need(whole and tensor.size == size, f"its tensor {name} has {tensor.size} bytes, not {size}")
        reader.need(tensor.offset + tensor.size <= len(reader.data), f"its tensor {name} is cut off")
        tensors[name] = tensor
    return tensors


def _layout(file: E5File) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Names in the file -> names in a BERT model and shapes."""
    wide, inner = (file.hidden,), (file.feed_forward,)
    found: dict[str, tuple[str, tuple[int, ...]]] = {
        "emb.word": ("embeddings.word_embeddings.weight", (file.vocabulary, file.hidden)),
        "emb.pos": ("embeddings.position_embeddings.weight", (file.positions, file.hidden)),
        "emb.type": ("embeddings.token_type_embeddings.weight", (file.token_types, file.hidden)),
        "emb.ln.w": ("embeddings.LayerNorm.weight", wide),
        "emb.ln.b": ("embeddings.LayerNorm.bias", wide),
    }
    parts = {
        "q": ("attention.self.query", wide + wide),
        "k": ("attention.self.key", wide + wide),
        "v": ("attention.self.value", wide + wide),
        "ao": ("attention.output.dense", wide + wide),
        "aln": ("attention.output.LayerNorm", wide),
        "fi": ("intermediate.dense", inner + wide),
        "fo": ("output.dense", wide + inner),
        "oln": ("output.LayerNorm", wide),
    }
    for layer in range(file.layers):
        for short, (long, shape) in parts.items():
            found[f"l{layer}.{short}.w"] = (f"encoder.layer.{layer}.{long}.weight", shape)
            found[f"l{layer}.{short}.b"] = (f"encoder.layer.{layer}.{long}.bias", shape[:1])
    return found


def dequantised(file: E5File, name: str) -> npt.NDArray[np.float16]:
    """A tensor's values in a row, as 16-bit floats.

    Q4_0: a block holds a 16-bit scale and 32 nibbles, low halves first; a value is (nibble - 8) * scale.
    """
    tensor = file.tensors[name]
    if tensor.kind == _F32:
        plain = np.frombuffer(file.data, "<f4", tensor.elements, tensor.offset)
        return plain.astype(np.float16)
    blocks = np.frombuffer(file.data, _BLOCK_TYPE, tensor.elements // _BLOCK, tensor.offset)
    values = np.empty((len(blocks), _BLOCK), np.float16)
    # In pieces: as a whole, the 32-bit intermediate of the word embeddings alone would take 400 MB.
    for start in range(0, len(blocks), _CHUNK_BLOCKS):
        piece = blocks[start : start + _CHUNK_BLOCKS]
        scale = piece["scale"].astype(np.float32)[:, None]
        out = values[start : start + _CHUNK_BLOCKS]
        out[:, : _BLOCK // 2] = ((piece["nibbles"] & 15).astype(np.float32) - 8) * scale
        out[:, _BLOCK // 2 :] = ((piece["nibbles"] >> 4).astype(np.float32) - 8) * scale
    return values.reshape(-1)


# --- the tokenizer ------------------------------------------------------------------------------------------


def build_tokenizer(file: E5File) -> Any:
    """The model's tokenizer as a `tokenizers.Tokenizer`: normalisation, unigram pieces, ``<s> ... </s>``.

    The file's normalisation map is NFKC but for some forty characters: control characters are dropped, line
    breaks and invisible spaces become spaces, and the full-width tilde, common in Chinese ranges (3～5天),
    stays. Those rules go before and after NFKC, which unlike a map of single characters also composes
    (e + U+0301 -> é), as the model's original tokenizer does.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    steps: list[Any] = []
    for replacement, points in _before_nfkc(file).items():
        steps.append(normalizers.Replace(Regex(_character_class(points)), replacement))
    kept = {point: chr(0x10FF00 + number) for number, point in enumerate(_kept_from_nfkc(file))}
    steps += [normalizers.Replace(point, stand_in) for point, stand_in in kept.items()]
    steps.append(normalizers.NFKC())
    steps += [normalizers.Replace(stand_in, point) for point, stand_in in kept.items()]
    steps += [normalizers.Replace(Regex(" {2,}"), " "), normalizers.Strip(left=False, right=True)]

    tokenizer = Tokenizer(models.Unigram(list(file.pieces), file.unk))
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace("▁", prepend_scheme="always")
    bos, eos = file.pieces[file.bos][0], file.pieces[file.eos][0]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=[bos, "$A", eos],
        pair=[bos, "$A", eos, eos, "$B", eos],
        special_tokens=[(bos, file.bos), (eos, file.eos)],
    )
    tokenizer.add_special_tokens([file.pieces[n][0] for n in (file.bos, file.pad, file.eos, file.unk)])
    return tokenizer


def _before_nfkc(file: E5File) -> dict[str, list[str]]:
    """Replacement -> characters, for those that the file's map treats otherwise than NFKC does."""
    rules: dict[str, list[str]] = {}
    for point, mapped in sorted(file.normalisations.items()):
        if unicodedata.normalize("NFKC", point) != mapped:
            rules.setdefault(mapped, []).append(point)
    return rules


def _kept_from_nfkc(file: E5File) -> list[str]:
    """Characters of the vocabulary that NFKC would change and the file's map does not."""
    used = {point for piece, _ in file.pieces for point in piece}
    return sorted(
        point for point in used - file.normalisations.keys() if unicodedata.normalize("NFKC", point) != point
    )


def _character_class(points: list[str]) -> str:
    return "[" + "".join(f"\\x{{{ord(point):X}}}" for point in points) + "]"


# --- writing ------------------------------------------------------------------------------------------------


def prepare(settings: Settings, progress: ProgressCallback | None = None) -> Path:
    """The folder of the embedding model ``e5-small``, built from its 4-bit file if it is not there yet.

    :param progress: called with `Progress` of the phase "convert", in bytes of the 4-bit file
    :raises WeightsError: if the 4-bit file is missing, altered or malformed
    :raises StorageFull: if the disk has no room for the folder
    """
    found = verify(E5_SMALL.name, settings)
    if found.state != "ok":
        raise WeightsError(
            f"The embedding model {E5_SMALL.name} is not on this machine: {found.path} is {found.state}.",
            f"Run `wenzheng models pull {E5_SMALL.name}`.",
        )
    target = settings.models / FOLDER
    if is_current(target, E5_SMALL.sha256):
        return target

    def waiting() -> None:
        if progress is not None:
            progress(
                Progress(E5_SMALL.name, "wait", 0, E5_SMALL.size, "another process is converting this file")
            )

    with disk_errors(settings.models), one_at_a_time(settings.models, f"{FOLDER}-folder", waiting):
        if not is_current(target, E5_SMALL.sha256):
            convert(found.path, target, E5_SMALL.sha256, progress)
    return target


def is_current(folder: Path, digest: str) -> bool:
    """Whether ``folder`` is whole, and built by this converter from the file of this SHA-256."""
    try:
        marker = json.loads((folder / MARKER).read_bytes())
        return bool(
            marker["converter"] == CONVERTER_VERSION
            and marker["sha256"] == digest
            and all((folder / name).stat().st_size == size for name, size in marker["files"].items())
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def convert(source: Path, target: Path, digest: str, progress: ProgressCallback | None = None) -> None:
    """Write the folder ``target`` from the E5S1 file ``source``, replacing a folder that is there.

    It is written beside its place and renamed, so that what stands at ``target`` is always whole.

    :param digest: the file's SHA-256, noted in the folder
    :raises WeightsError: if the file is malformed
    """
    file = read(source)
    for left_over in target.parent.glob(f".{target.name}-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    require_space(target.parent, 2 * sum(tensor.elements for tensor in file.tensors.values()))
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        _write_model(file, draft, progress)
        files = {
            path.relative_to(draft).as_posix(): path for path in sorted(draft.rglob("*")) if path.is_file()
        }
        sizes = {name: path.stat().st_size for name, path in files.items()}
        marker = {"converter": CONVERTER_VERSION, "sha256": digest, "files": sizes}
        _write_json(draft / MARKER, marker)
        for path in (*files.values(), draft / MARKER):
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())
        # Readable for all who may read the models folder, like the files beside it.
        draft.chmod(0o755)
        (draft / "model.safetensors").chmod(0o644)
        if target.exists():
            # A folder cannot be replaced in one step; should this stop between the two, it is built again.
            target.rename(draft.with_name(draft.name + "-old"))
        draft.rename(target)
        sync_folder(target.parent)
    finally:
        for left_over in (draft, draft.with_name(draft.name + "-old")):
            shutil.rmtree(left_over, ignore_errors=True)


def _write_model(file: E5File, folder: Path, progress: ProgressCallback | None) -> None:
    from safetensors.numpy import save_file

    def report(done: int) -> None:
        if progress is not None:
            progress(Progress(E5_SMALL.name, "convert", done, len(file.data), folder.parent.name))

    report(0)
    build_tokenizer(file).save(str(folder / "tokenizer.json"), pretty=False)
    done = len(file.data) - sum(tensor.size for tensor in file.tensors.values())
    report(done)
    weights: dict[str, npt.NDArray[Any]] = {}
    for name, (long, shape) in _layout(file).items():
        weights[long] = dequantised(file, name).reshape(shape)
        done += file.tensors[name].size
        report(min(done, len(file.data) - 1))
    # Not used with mean pooling, but expected of a BERT model: without it loaders warn.
    weights["pooler.dense.weight"] = np.zeros((file.hidden, file.hidden), np.float16)
    weights["pooler.dense.bias"] = np.zeros(file.hidden, np.float16)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    for name, content in _configuration(file).items():
        (folder / name).parent.mkdir(exist_ok=True)
        _write_json(folder / name, content)
    report(len(file.data))


def _configuration(file: E5File) -> dict[str, Any]:
    tokens = min(MAX_TOKENS, file.positions)
    special = {"bos_token": file.bos, "eos_token": file.eos, "pad_token": file.pad, "unk_token": file.unk}
    special |= {"cls_token": file.bos, "sep_token": file.eos}
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "vocab_size": file.vocabulary,
            "hidden_size": file.hidden,
            "num_hidden_layers": file.layers,
            "num_attention_heads": file.heads,
            "intermediate_size": file.feed_forward,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
            "max_position_embeddings": file.positions,
            "type_vocab_size": file.token_types,
            "layer_norm_eps": file.epsilon,
            "pad_token_id": file.pad,
            "bos_token_id": file.bos,
            "eos_token_id": file.eos,
            "dtype": "float32",
            "torch_dtype": "float32",
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": tokens,
            "clean_up_tokenization_spaces": False,
            **{role: file.pieces[number][0] for role, number in special.items()},
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
        ],
        "sentence_bert_config.json": {"max_seq_length": tokens, "do_lower_case": False},
        "1_Pooling/config.json": {
            "word_embedding_dimension": file.hidden,
            "pooling_mode_cls_token": False,
            "pooling_mode_mean_tokens": True,
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
        "2_Normalize/config.json": {},
        "config_sentence_transformers.json": {
            "prompts": {"query": QUERY_PROMPT, "document": PASSAGE_PROMPT, "passage": PASSAGE_PROMPT},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
