"""Any CrossEncoder of sentence-transformers as the reranker: a folder, or a model of a hub by name.

Nothing is fetched here: a name that is not on this machine is an error that names the command to fetch it. No program
code of a model's folder is run. Its score is taken before the sigmoid, in which good passages could no longer be told
apart in 32 bits.
"""

from __future__ import annotations

import functools
import json
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from rag.embedding import cores, encodable, fingerprint, silence_libraries, variable
from rag.errors import WeightsError
from rag.settings import Settings
from rag.weights.rerankers import is_hub_name, locate_reranker

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

Array = NDArray[np.float32]

MAX_TOKENS: Final = 512
"""Tokens of question and passage together, where the model does not take fewer."""
_BATCH: Final = 8
_LONGEST_QUESTION: Final = 200
_HEADS: Final = ("ForSequenceClassification", "ForCausalLM")
_MEND: Final = "Mend the folder or the setting rerank."


class CrossEncoderReranker:
    """A `rag.reranking.Reranker` over a CrossEncoder. Threads may share it; one is served at a time.

    It gives one column: relevance on a scale of the model's own, for which `rag.fusion.joined` is made.
    """

    def __init__(self, model: CrossEncoder, name: str) -> None:
        """Wrap ``model``, which gives one number a pair."""
        self._model = model
        self._name = name
        self._lock = threading.Lock()
        self._threads = cores()

    @property
    def name(self) -> str:
        """The model's identity: its name, and eight digits that change with its files."""
        return self._name

    def scores(self, question: str, passages: Sequence[str]) -> Array:
        """One number a passage, ``[len(passages), 1]``: its relevance, higher for more, as a logit."""
        if not passages:
            return np.zeros((0, 1), np.float32)
        import torch

        asked = _clean(question)[:_LONGEST_QUESTION]
        pairs = [(asked, _clean(passage)) for passage in passages]
        with self._lock:
            torch.set_num_threads(self._threads)
            found = self._model.predict(
                pairs, batch_size=_BATCH, show_progress_bar=False, activation_fn=torch.nn.Identity()
            )
        return np.asarray(found, np.float32).reshape(len(pairs), -1)


def find_cross_encoder(settings: Settings) -> tuple[Path, str]:
    """The folder of the reranker that the setting ``rerank`` names, and its name without the folders above it.

    :raises WeightsError: it is not on this machine
    """
    wanted = settings.rerank
    folder = Path(wanted).expanduser()
    if folder.is_dir():
        return folder, folder.absolute().name
    if folder.is_absolute() or wanted.startswith((".", "~")):
        raise WeightsError(f"The reranker's folder {wanted} does not exist.", "Mend the setting rerank.")
    if not is_hub_name(wanted):
        raise WeightsError(
            f"The setting rerank does not take the value {wanted!r}.",
            "Set it to auto, off, the folder of a CrossEncoder model, or one's name on a hub as owner/name.",
        )
    found = locate_reranker(wanted, settings)
    if found is None:
        raise WeightsError(
            f"The reranker {wanted} is not on this machine.",
            f"Fetch it with `wenzheng models pull --reranker {wanted}`, or set rerank to the folder of a CrossEncoder "
            "model, to auto or to off.",
        )
    return found, wanted


def open_cross_encoder(settings: Settings) -> CrossEncoderReranker:
    """Load the model that the setting ``rerank`` names, without any use of the network.

    :raises WeightsError: it is not on this machine, is damaged, or is no CrossEncoder that gives one number a pair
    """
    folder, label = find_cross_encoder(settings)
    return _open(folder, f"{label}@{fingerprint(folder)}")


@functools.lru_cache(maxsize=1)
def _open(folder: Path, name: str) -> CrossEncoderReranker:
    _require_head(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with variable("OMP_WAIT_POLICY", "passive"):
            import torch
        from sentence_transformers import CrossEncoder

        silence_libraries()
        try:
            model = CrossEncoder(
                str(folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"dtype": torch.float32},
            )
            outputs = model.num_labels
            # A tokenizer without a limit of its own tells a number of thirty digits.
            model.max_seq_length = min(MAX_TOKENS, model.max_seq_length or MAX_TOKENS, _positions(model))
            sample = CrossEncoderReranker(model, name).scores("。", ["。"]) if outputs == 1 else None
        except Exception as error:  # a damaged folder fails in as many ways as there are files in it
            raise WeightsError(
                f"The reranker in {folder} cannot be loaded: {type(error).__name__}: {error}.", _MEND
            ) from error
    if sample is None:
        raise WeightsError(
            f"The model in {folder} gives {outputs} numbers a pair, as one that sorts pairs into classes does; a reranker "
            "gives one.",
            "Set rerank to a CrossEncoder with one output.",
        )
    if sample.shape != (1, 1) or not np.isfinite(sample).all():
        raise WeightsError(f"The model in {folder} does not give one number a pair.", _MEND)
    return CrossEncoderReranker(model, name)


def _require_head(folder: Path) -> None:
    """Refuse a folder without a layer that scores pairs: the libraries would make up one of random numbers.

    :raises WeightsError: it has none, or none can be told
    """
    config = _record(folder / "config.json")
    if config is None:
        raise WeightsError(
            f"The folder {folder} is no CrossEncoder model: it has no config.json that can be read.", _MEND
        )
    made = [str(name) for name in config.get("architectures") or ()]
    saved = _record(folder / "config_sentence_transformers.json") or {}
    if saved.get("model_type") != "CrossEncoder" and not any(name.endswith(_HEADS) for name in made):
        raise WeightsError(
            f"The folder {folder} is no CrossEncoder model: its config.json tells {', '.join(made) or 'no architecture'}.",
            _MEND,
        )


def _record(path: Path) -> dict[str, Any] | None:
    """A file of JSON with an object in it; None where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _positions(model: CrossEncoder) -> int:
    """The tokens that the model has places for."""
    config = getattr(model.transformers_model, "config", None)
    places = getattr(config, "max_position_embeddings", None) or MAX_TOKENS
    # Models of the RoBERTa kind count their places from behind the sign that fills up.
    kind = str(getattr(config, "model_type", ""))
    return int(places) - 2 if "roberta" in kind else int(places)


def _clean(text: str) -> str:
    return encodable(text) or " "
