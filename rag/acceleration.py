"""Runs the embedding model's transformer with OpenVINO where that is installed, agrees, and is faster here.

The extra ``openvino`` brings the runtime (Apache-2.0). Everything else of sentence-transformers stays: tokenizer, prompts,
pooling. Which engine is faster depends on the processor, so both are measured once, and the choice is kept beside the
converted model. The only module that imports openvino.
"""

from __future__ import annotations

import contextlib
import copy
import json
import logging
import shutil
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rag.errors import WeightsError

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

logger = logging.getLogger(__name__)

Backend = Literal["torch", "openvino"]
LEAST_COSINE = 0.995
"""Vectors of both engines must be that near: then a library made with one can be searched with the other."""
BATCHES: dict[Backend, int] = {"torch": 16, "openvino": 8}
"""Passages of 200 tokens that go through together fastest, measured on 2 cores."""
_FOLDER = "openvino"
_ROUNDS = 2
_STEPS = 1 + _ROUNDS + 1
_SENTENCES = (
    "区住建局局长表示，明年将改造老旧小区二十八个，惠及居民一万二千户，全部工程在十月底前完工。",
    "關於加裝電梯補貼的通知：每台補貼新台幣二十二萬元，申報截止日期為九月三十日。",
    "The transport bureau will open two new bus lines and renew forty stops before the end of March.",
    "补贴标准是多少？",
    "会议强调，要坚持以人民为中心的发展思想，统筹推进城市更新、基础设施建设和公共服务均等化，" * 4,
    "项目名称：滨江路改造；责任单位：区住建局；总投资：3,200万元；完成时限：2026年6月",
    "2025年12月29日，全区生产总值同比增长5.6%，规模以上工业增加值增长7.1%。",
    "水务局",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which engine is used, and what was measured: passages a second of each, the least cosine between them."""

    backend: Backend
    reason: str
    torch_rate: float = 0.0
    openvino_rate: float = 0.0
    cosine: float = 0.0
    key: str = ""


def is_installed() -> bool:
    """Whether the OpenVINO runtime can be imported."""
    import importlib.util

    return importlib.util.find_spec("openvino") is not None


def accelerate(
    model: SentenceTransformer,
    folder: Path,
    wanted: Literal["auto", "torch", "openvino"],
    *,
    bfloat16: bool,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Choice:
    """Put the faster engine under a loaded model, in place; what is converted and measured is kept in ``folder``.

    :param wanted: "auto" for the faster one of those installed
    :param bfloat16: compute in 16-bit floats, which the processor has instructions for
    :param progress: called with steps done and their number, the first time, which takes some seconds
    :raises WeightsError: when "openvino" is wanted, and is not installed or does not agree
    """
    if wanted == "torch":
        return Choice("torch", "as set")
    if not is_installed():
        if wanted == "openvino":
            raise WeightsError(
                "embedding_backend is openvino, which is not installed.",
                "Install it with `pip install 'wenzheng[openvino]'`, or set embedding_backend to auto.",
            )
        return Choice("torch", "OpenVINO is not installed")
    place = folder / _FOLDER
    key = _key(bfloat16)
    kept = _read(place, key)
    if kept is not None and (kept.backend == "torch" and wanted == "auto"):
        return kept
    try:
        if kept is None:
            progress(0, _STEPS)
            _convert(model, place)
            progress(1, _STEPS)
        transformer: Any = model[0].model
        engine = _Engine(place, transformer.config, bfloat16=bfloat16)
    except Exception as error:  # what a converter raises is as varied as models are
        if wanted == "openvino":
            raise WeightsError(
                f"The embedding model cannot be run with OpenVINO: {type(error).__name__}: {error}.",
                "Set embedding_backend to torch.",
            ) from error
        return Choice("torch", f"OpenVINO cannot run this model: {type(error).__name__}")
    if kept is None:
        kept = _compare(model, engine, key, progress)
        _write(place, kept)
        progress(_STEPS, _STEPS)
    if kept.cosine < LEAST_COSINE and wanted == "openvino":
        raise WeightsError(
            f"OpenVINO's vectors differ from the model's own (cosine {kept.cosine:.4f}).",
            "Set embedding_backend to torch.",
        )
    if kept.backend == "openvino" or wanted == "openvino":
        model[0].model = engine.module
        return kept if kept.backend == "openvino" else Choice("openvino", "as set")
    return kept


def compiled(
    build: Callable[[], torch.nn.Module],
    example: tuple[Any, ...],
    place: Path,
    wanted: Literal["auto", "torch", "openvino"],
    *,
    bfloat16: bool,
) -> Callable[..., Any]:
    """A module as a function of arrays, run by OpenVINO where that is installed and by torch elsewhere.

    :param build: makes the module; asked only where it is not yet converted, or torch runs it
    :param example: arrays of the types and dimensions it will be given
    :param place: folder that keeps the converted module
    :param wanted: "torch" to leave OpenVINO aside
    :param bfloat16: compute in 16-bit floats
    """
    if wanted != "torch" and is_installed():
        try:
            if not (place / "model.xml").exists():
                _save(build(), example, place)
            return _loaded(place, bfloat16=bfloat16)
        except Exception as error:  # noqa: BLE001 - what a converter raises is as varied as models are; torch runs it too
            logger.warning("OpenVINO cannot run %s: %s: %s", place.name, type(error).__name__, error)
    return _by_torch(build(), bfloat16=bfloat16)


def _loaded(place: Path, *, bfloat16: bool) -> Callable[..., Any]:
    openvino = _openvino()
    core = openvino.Core()
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
        "PERFORMANCE_HINT": "LATENCY",
    }
    model = core.compile_model(core.read_model(place / "model.xml"), "CPU", settings)

    def run(*arrays: Any) -> Any:
        return np.array(model(arrays)[0])

    return run


def _by_torch(module: torch.nn.Module, *, bfloat16: bool) -> Callable[..., Any]:
    import torch

    kind = torch.bfloat16 if bfloat16 else torch.float32
    module = module.to(kind)

    def run(*arrays: Any) -> Any:
        tensors = [torch.from_numpy(array) for array in arrays]
        with torch.inference_mode():
            found = module(*(t.to(kind) if t.is_floating_point() else t for t in tensors))
        return found.float().numpy()

    return run


def _openvino() -> Any:
    """The runtime, without its converter's reports of use to its maker: they find their sender missing."""
    silenced = "openvino_telemetry"
    modules: dict[str, Any] = sys.modules
    before = modules.get(silenced)
    modules[silenced] = None  # importing it fails, and a stub takes its place
    try:
        import openvino
        import openvino.tools.ovc.convert_impl
    finally:
        if before is None:
            del modules[silenced]
        else:
            modules[silenced] = before
    return openvino


class _Engine:
    """The compiled transformer, dressed as the module it stands in for."""

    def __init__(self, place: Path, config: Any, *, bfloat16: bool) -> None:
        import torch
        from transformers.modeling_outputs import BaseModelOutput

        openvino = _openvino()
        core = openvino.Core()
        precision = "bf16" if bfloat16 else "f32"
        compiled = core.compile_model(
            core.read_model(place / "model.xml"),
            "CPU",
            {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"},
        )

        class Module(torch.nn.Module):
            device = torch.device("cpu")

            def __init__(self) -> None:
                super().__init__()
                self.config = config

            def forward(self, input_ids: Any, attention_mask: Any, **_: Any) -> Any:
                found = compiled((input_ids.numpy(), attention_mask.numpy()))[0]
                return BaseModelOutput(last_hidden_state=torch.from_numpy(np.array(found)))

        self.module = Module()


def _convert(model: SentenceTransformer, place: Path) -> None:
    """Write the transformer in OpenVINO's form."""
    import torch

    transformer: Any = model[0].model
    source = copy.deepcopy(transformer).float().eval()
    if hasattr(source, "set_attn_implementation"):
        source.set_attn_implementation("eager")

    class Hidden(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.source = source

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.source(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    _save(Hidden(), (np.ones((2, 16), np.int64),) * 2, place)


def _save(module: torch.nn.Module, example: tuple[Any, ...], place: Path) -> None:
    """Write a module in OpenVINO's form; whole or not at all."""
    import torch

    openvino = _openvino()
    inputs = tuple(torch.from_numpy(array) for array in example)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converted = openvino.convert_model(module, example_input=inputs)
    partial = place.with_name(place.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(place, ignore_errors=True)
    partial.mkdir(parents=True)
    openvino.save_model(converted, partial / "model.xml", compress_to_fp16=True)
    partial.rename(place)


def _compare(
    model: SentenceTransformer, engine: _Engine, key: str, progress: Callable[[int, int], None]
) -> Choice:
    """Measure both engines, in turns, on the same texts."""
    texts = [f"{sentence}（{n}）{sentence}" for n in range(3) for sentence in _SENTENCES]
    original = model[0].model
    rates: dict[Backend, float] = {"torch": 0.0, "openvino": 0.0}
    vectors: dict[Backend, Any] = {}
    modules: dict[Backend, Any] = {"torch": original, "openvino": engine.module}
    try:
        for number in range(_ROUNDS):
            for backend, module in modules.items():
                model[0].model = module
                start = time.perf_counter()
                found = model.encode_document(
                    texts, batch_size=BATCHES[backend], show_progress_bar=False, convert_to_tensor=True
                )
                # The best of the rounds: what else the machine does can only slow one down.
                rates[backend] = max(rates[backend], len(texts) / (time.perf_counter() - start))
                vectors[backend] = found.float().numpy()
            progress(2 + number, _STEPS)
    finally:
        model[0].model = original
    one, other = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in vectors.values())
    cosine = float((one * other).sum(axis=1).min())
    faster = rates["openvino"] > rates["torch"]
    chosen: Backend = "openvino" if faster and cosine >= LEAST_COSINE else "torch"
    reason = "the faster of the two here" if cosine >= LEAST_COSINE else "OpenVINO's vectors differ"
    return Choice(
        chosen, reason, round(rates["torch"], 1), round(rates["openvino"], 1), round(cosine, 6), key
    )


def _key(bfloat16: bool) -> str:
    """What a choice was made under: it is made again under another."""
    import platform
    from importlib.metadata import version

    return f"openvino {version('openvino')}, torch {version('torch')}, {platform.machine()}, {'bf16' if bfloat16 else 'f32'}"


def _read(place: Path, key: str) -> Choice | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        choice = Choice(**json.loads((place / "choice.json").read_text(encoding="utf-8")))
        if choice.key == key and (place / "model.xml").exists():
            return choice
    return None


def _write(place: Path, choice: Choice) -> None:
    # Where the folder cannot be written the choice is made again at the next start.
    with contextlib.suppress(OSError):
        (place / "choice.json").write_text(json.dumps(asdict(choice), indent=2), encoding="utf-8")
