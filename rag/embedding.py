"""Texts to vectors: one interface, and the embedding models that sentence-transformers or `rag.compact` runs.

Nothing is fetched here: a model that is not on this machine is an error that names the command to fetch it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import threading
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from rag.acceleration import BATCHES, Encode, Engines, accelerate
from rag.errors import WeightsError
from rag.settings import Settings
from rag.weights import CATALOGUE, E5_SMALL, Progress, ProgressCallback

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from rag.compact import CompactModel

Vectors: TypeAlias = npt.NDArray[np.float32]

E5_NAME: Final = f"multilingual-e5-small@q4:{E5_SMALL.sha256[:8]}"
"""The identity of the catalogue's embedding model."""
_SAMPLE: Final = 1 << 16
_SAMPLES: Final = 16
_QUESTIONS: Final = 16
"""Questions that go through together fastest: 2.0 ms each on 2 cores, by fours 3.4, one by one 8.2."""


class Embedder(Protocol):
    """Turns texts into vectors of length one, so that their dot product is their cosine."""

    @property
    def name(self) -> str:
        """The model's identity: vectors of one index all come from one name."""

    @property
    def dimension(self) -> int:
        """Numbers a vector."""

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that are read, its prompt and end marks included; the rest is cut off."""

    def embed_passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Vectors of texts to be found: an array [n, dimension], in the order of the texts.

        :param progress: called with the number of texts done since the last call
        """

    def embed_query(self, text: str) -> Vectors:
        """The vector of a question: an array [dimension]."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """The vectors of many questions at once: an array [n, dimension], in their order."""


class LocalEmbedder(ABC):
    """An `Embedder` over a loaded model. Safe for threads; questions go before passages.

    The model has one user at a time: the tokenizer raises when two threads use it at once, and all cores are
    at work on one batch already. Passages give way between batches, so that a question asked while documents
    are taken in waits for one batch and not for all of them.
    """

    def __init__(
        self, name: str, batch: int = 16, set_threads: Callable[[int], object] = lambda _: None
    ) -> None:
        """Begin with a question, which tells how long vectors are.

        ``batch`` is the number of passages that go through together; ``set_threads`` sets how many threads
        the calling thread's next computations may use.
        """
        self._set_threads = set_threads
        self.cores = cores()
        self._name = name
        self._batch = batch
        self._turn = threading.Condition()
        self._busy = False
        self._questions = 0
        self._dimension = len(self.embed_query("。"))

    @property
    def name(self) -> str:
        """The model's identity."""
        return self._name

    @property
    def dimension(self) -> int:
        """Numbers a vector."""
        return self._dimension

    @property
    @abstractmethod
    def max_tokens(self) -> int:
        """Tokens of a text that are read."""

    @abstractmethod
    def _passages(self, texts: list[str]) -> Vectors:
        """Vectors of one batch, of any length."""

    @abstractmethod
    def _queries(self, texts: list[str]) -> Vectors:
        """Vectors of one batch, of any length."""

    @abstractmethod
    def _token_ids(self, texts: list[str]) -> list[list[int]]:
        """As `token_ids`, without waiting."""

    @abstractmethod
    def _token_vectors(self, ids: npt.NDArray[np.int64], mask: npt.NDArray[np.int64]) -> Vectors:
        """As `token_vectors`, without waiting."""

    def embed_passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Vectors of texts to be found: an array [n, dimension], in the order of the texts.

        :param progress: called with the number of texts done since the last call
        """
        return self._in_batches(texts, self._batch, self._passages, progress)

    def embed_query(self, text: str) -> Vectors:
        """The vector of a question: an array [dimension]."""
        with self._my_turn(question=True):
            # A question is too short to share out: on 2 cores that other programs kept busy, two threads that
            # wait for each other took 119 ms (p90 1,326 ms), one took 38 ms (p90 57 ms).
            self._set_threads(1)
            found = self._queries([encodable(text)])
        return np.asarray(_unit(found)[0])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """The vectors of many questions at once: an array [n, dimension], in their order."""
        return self._in_batches(texts, _QUESTIONS, self._queries)

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The model's own numbers for the pieces of each text, without the signs that frame one, `max_tokens` at most.

        For models that are built on this one: a second tokenizer of a quarter of a million pieces takes 290 MB.
        """
        with self._my_turn(question=True):
            return self._token_ids([encodable(text) for text in texts])

    def token_vectors(self, ids: npt.NDArray[np.int64], mask: npt.NDArray[np.int64]) -> Vectors:
        """The vectors of the tokens of framed texts, ``[n, tokens, dimension]``.

        :param ids: their numbers, filled up to the longest, ``[n, tokens]``
        :param mask: 1 where a place is a text's own, ``[n, tokens]``
        """
        with self._my_turn(question=True):
            self._set_threads(self.cores)
            return self._token_vectors(ids, mask)

    def _in_batches(
        self,
        texts: Sequence[str],
        size: int,
        encode: Callable[[list[str]], Vectors],
        progress: Callable[[int], None] | None = None,
    ) -> Vectors:
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        # By length, so that a batch is not filled up with padding. The longest come first: what they need of
        # memory shows at once.
        order = sorted(range(len(texts)), key=lambda n: -len(texts[n]))
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            with self._my_turn(question=False):
                self._set_threads(self.cores)
                found = encode([encodable(texts[n]) for n in chosen])
            vectors[chosen] = _unit(found)
            if progress is not None:
                progress(len(chosen))
        return vectors

    @contextlib.contextmanager
    def _my_turn(self, question: bool) -> Iterator[None]:
        with self._turn:
            self._questions += question
            try:
                self._turn.wait_for(lambda: not self._busy and (question or not self._questions))
                self._busy = True
            finally:
                self._questions -= question
                self._turn.notify_all()
        try:
            yield
        finally:
            with self._turn:
                self._busy = False
                self._turn.notify_all()


class SentenceTransformerEmbedder(LocalEmbedder):
    """A loaded SentenceTransformer."""

    def __init__(
        self,
        model: SentenceTransformer,
        name: str,
        batch: int = 16,
        set_threads: Callable[[int], object] = lambda _: None,
    ) -> None:
        """Wrap ``model``; the rest as `LocalEmbedder` has it."""
        self._model = model
        super().__init__(name, batch, set_threads)

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that are read."""
        return int(self._model.max_seq_length or 512)

    def _passages(self, texts: list[str]) -> Vectors:
        return _array(
            self._model.encode_document(
                texts, batch_size=len(texts), show_progress_bar=False, convert_to_tensor=True
            )
        )

    def _queries(self, texts: list[str]) -> Vectors:
        return _array(
            self._model.encode_query(
                texts, batch_size=len(texts), show_progress_bar=False, convert_to_tensor=True
            )
        )

    def _token_ids(self, texts: list[str]) -> list[list[int]]:
        found = self._model.tokenizer(
            texts, add_special_tokens=False, truncation=True, max_length=self.max_tokens, verbose=False
        )
        return [list(ids) for ids in found["input_ids"]]

    def _token_vectors(self, ids: npt.NDArray[np.int64], mask: npt.NDArray[np.int64]) -> Vectors:
        import torch

        given = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        with torch.inference_mode():
            return _array(self._model[0](given)["token_embeddings"])


class CompactEmbedder(LocalEmbedder):
    """The catalogue's model as `rag.compact` runs it."""

    def __init__(self, model: CompactModel, name: str, batch: int = BATCHES["openvino"]) -> None:
        """Wrap ``model``; ``batch`` as `LocalEmbedder` has it."""
        self._model = model
        super().__init__(name, batch)

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that are read."""
        return self._model.max_tokens

    def _passages(self, texts: list[str]) -> Vectors:
        return self._model.passages(texts)

    def _queries(self, texts: list[str]) -> Vectors:
        return self._model.queries(texts)

    def _token_ids(self, texts: list[str]) -> list[list[int]]:
        return self._model.token_ids(texts)

    def _token_vectors(self, ids: npt.NDArray[np.int64], mask: npt.NDArray[np.int64]) -> Vectors:
        return self._model.token_vectors(ids, mask)


def token_encoder(embedder: Embedder) -> LocalEmbedder | None:
    """The embedder as one that tells tokens and their vectors; None where it is no model but stands in for one."""
    return embedder if isinstance(embedder, LocalEmbedder) else None


def silence_libraries() -> None:
    """Keep what transformers and sentence-transformers tell while they load a model off the terminal; faults stay."""
    from transformers.utils import logging as transformers_logging

    quiet: Any = transformers_logging
    quiet.disable_progress_bar()
    quiet.set_verbosity_error()
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)


def open_embedder(settings: Settings, progress: ProgressCallback | None = None) -> Embedder:
    """Load the embedding model of the settings, without any use of the network.

    The first opening of the catalogue's model converts its 4-bit file, which takes some seconds.

    :param progress: called with `Progress` of the phase "convert" while that lasts
    :raises WeightsError: if the model is not on this machine, is damaged or is none
    :raises StorageFull: if the disk has no room for the converted model
    """
    model = settings.embedding_model
    if model == E5_SMALL.name:
        from rag import e5

        return _open_e5(e5.prepare(settings, progress), settings, progress)
    if model in CATALOGUE:
        raise WeightsError(
            f"{model} is a chat model, not an embedding model.", f"Set embedding_model to {E5_SMALL.name}."
        )
    folder, label = _find(model)
    loaded = _load(folder, model, bfloat16=False)
    return _with_torch(loaded, f"{label}@{fingerprint(folder)}", settings)


def _find(model: str) -> tuple[Path, str]:
    """The folder and a short name of a model that is named by its folder or by its name on a hub."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder, folder.absolute().name
    if folder.is_absolute() or model.startswith((".", "~")):
        raise WeightsError(f"The embedding model's folder {model} does not exist.", "Mend embedding_model.")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    for name in (model,) if "/" in model else (model, f"sentence-transformers/{model}"):
        # OSError and ValueError: what the hub's library raises for a model that its cache does not hold.
        with contextlib.suppress(OSError, ValueError, HFValidationError):
            return Path(snapshot_download(name, local_files_only=True)), name
    raise WeightsError(
        f"The embedding model {model} is not on this machine.",
        f"Set embedding_model to {E5_SMALL.name} (`wenzheng models pull {E5_SMALL.name}` fetches it), "
        "or to the folder of a SentenceTransformer model.",
    )


def fingerprint(folder: Path) -> str:
    """Eight digits that change when a model's files change.

    Small files are read whole; of large ones the size and samples spread over them, for reading gigabytes at
    each start would cost seconds.
    """
    sha = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or any(part.startswith(".") for part in relative.parts) or path.suffix == ".md":
            continue
        size = path.stat().st_size
        sha.update(f"{relative.as_posix()}\0{size}\0".encode())
        with path.open("rb") as stream:
            if size <= _SAMPLE * _SAMPLES:
                sha.update(stream.read())
            else:
                for number in range(_SAMPLES):
                    stream.seek((size - _SAMPLE) * number // (_SAMPLES - 1))
                    sha.update(stream.read(_SAMPLE))
    return sha.hexdigest()[:8]


def _open_e5(folder: Path, settings: Settings, progress: ProgressCallback | None) -> LocalEmbedder:
    """The catalogue's model with the faster engine. It is known to agree with itself in 16-bit floats and elsewhere."""
    from rag import compact

    bfloat16 = computes_bfloat16()

    @functools.cache
    def loaded() -> SentenceTransformer:
        return _load(folder, E5_SMALL.name, bfloat16=bfloat16)

    def original() -> Encode:
        model = loaded()

        def encode(texts: Sequence[str]) -> Vectors:
            return _array(
                model.encode_document(
                    list(texts), batch_size=len(texts), show_progress_bar=False, convert_to_tensor=True
                )
            )

        return encode

    def convert(place: Path) -> None:
        loaded()  # imports torch as it is to be, and silences what tells of loading
        compact.convert(folder, place)

    engines = Engines(
        original,
        convert,
        lambda place: compact.open_compact(folder, place, bfloat16=bfloat16),
    )
    choice, fast = accelerate(
        folder, settings.embedding_backend, engines, bfloat16=bfloat16, progress=_told(progress)
    )
    if fast is None:
        return _with_torch(loaded(), E5_NAME, settings)
    return CompactEmbedder(fast, E5_NAME, settings.embedding_batch or BATCHES[choice.backend])


def _with_torch(model: SentenceTransformer, name: str, settings: Settings) -> SentenceTransformerEmbedder:
    import torch

    batch = settings.embedding_batch or BATCHES["torch"]
    return SentenceTransformerEmbedder(model, name, batch, torch.set_num_threads)


def _load(folder: Path, model: str, *, bfloat16: bool) -> SentenceTransformer:
    """Load a folder on the CPU."""
    if not any((folder / name).is_file() for name in ("modules.json", "config.json")):
        raise WeightsError(
            f"The folder {folder} is no SentenceTransformer model: it has no modules.json.",
            "Mend embedding_model.",
        )
    # Said outright, the tokenizers library does not warn of it each time a child process is started.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Threads that wait for each other should sleep, not spin: on 2 cores that other programs (such as the
        # chat model) keep busy, 64 passages of 193 tokens went through at 15 a second instead of 8. Read by the
        # thread library when it is loaded, and not left to child processes.
        with variable("OMP_WAIT_POLICY", "passive"):
            import torch
        from sentence_transformers import SentenceTransformer

        silence_libraries()
        kind = torch.bfloat16 if bfloat16 else torch.float32
        try:
            return SentenceTransformer(
                str(folder), device="cpu", local_files_only=True, model_kwargs={"dtype": kind}
            )
        except Exception as error:  # a damaged folder fails in as many ways as there are files in it
            raise WeightsError(
                f"The embedding model {model} in {folder} cannot be loaded: {type(error).__name__}: {error}.",
                "Delete the folder: it is built again from the model file."
                if model == E5_SMALL.name
                else "Mend the folder or embedding_model.",
            ) from error


def _told(progress: ProgressCallback | None) -> Callable[[int, int], None]:
    """Steps of the comparison of engines, as the progress of the model file."""

    def tell(done: int, total: int) -> None:
        if progress is not None:
            size = E5_SMALL.size
            progress(Progress(E5_SMALL.name, "compare engines", size * done // total, size, ""))

    return tell


@contextlib.contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment for a while, if the user has not set it."""
    given = name in os.environ
    os.environ.setdefault(name, value)
    try:
        yield
    finally:
        if not given:
            os.environ.pop(name, None)


def computes_bfloat16() -> bool:
    """Whether this machine has instructions for 16-bit brain floats; without, 32 bits are faster.

    Measured with 2 cores of a Xeon with AMX, 96 passages of 195 tokens: twice the passages a second, vectors
    within 0.99997 of the 32-bit ones in cosine.
    """
    with contextlib.suppress(OSError):
        # Where the system says so itself, torch need not be imported, which takes 200 MB.
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split())
        return bool(flags & {"amx_tile", "avx512_bf16"})
    import torch

    checks = (
        getattr(torch.cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    )
    return any(check is not None and check() for check in checks)


def cores() -> int:
    """Cores that this process may use; two threads of one core do not multiply faster than one."""
    import psutil

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, psutil.cpu_count(logical=False) or usable))


def encodable(text: str) -> str:
    """The text without lone surrogates, which JSON can bring in and the tokenizer refuses."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _array(tensor: Any) -> Vectors:
    return np.asarray(tensor.float().numpy(), np.float32)


def _unit(vectors: Vectors) -> Vectors:
    """Rows of any length as rows of length one."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, np.float32(1e-12)), np.float32)
