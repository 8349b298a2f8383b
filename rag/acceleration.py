"""Runs the embedding model's transformer with OpenVINO where that is installed, agrees, and is faster here.

The extra ``openvino`` brings the runtime (Apache-2.0). What stands around the transformer is in `rag.compact`. Which engine is faster depends on the processor, so both are measured once, and the choice is kept beside the
converted model. The only module that imports openvino.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import re
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.errors import WeightsError

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

Backend = Literal["torch", "openvino"]
Wanted = Literal["auto", "torch", "openvino"]
Encode = Callable[[Sequence[str]], NDArray[np.float32]]
_TOKENS_AT_ONCE = 1400
"""More do not go through faster, and the engine keeps the memory that the most it has seen took."""
FORM = "compact-1"
"""The folder of the converted model; another name when its form changes, so that it is converted anew."""
_BEFORE = "openvino"
_DIGEST = re.compile("[0-9a-f]{8}")
LEAST_COSINE = 0.995
"""Vectors of both engines must be that near: then a library made with one can be searched with the other."""
BATCHES: dict[Backend, int] = {"torch": 16, "openvino": 8}
"""Passages of 200 tokens that go through together fastest, measured on 2 cores."""
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


class Compact(Protocol):
    """A model on OpenVINO."""

    @property
    def passages(self) -> Encode:
        """Texts to be found, to their vectors ``[n, d]``."""


Fast = TypeVar("Fast", bound=Compact)


@dataclass(frozen=True, slots=True)
class Engines(Generic[Fast]):
    """How each engine is come by.

    ``original`` loads the model with torch and gives what encodes texts to be found; ``convert`` writes it in OpenVINO's
    form to a folder, whole or not at all; ``open`` loads it from there.
    """

    original: Callable[[], Encode]
    convert: Callable[[Path], None]
    open: Callable[[Path], Fast]


def is_installed() -> bool:
    """Whether the OpenVINO runtime can be imported."""
    import importlib.util

    return importlib.util.find_spec("openvino") is not None


def accelerate(
    folder: Path,
    wanted: Wanted,
    engines: Engines[Fast],
    *,
    bfloat16: bool,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Choice, Fast | None]:
    """The faster engine for a model: the choice, and the model on OpenVINO; None where torch is to run it.

    What is converted and measured is kept in ``folder``.

    :param wanted: "auto" for the faster one of those installed
    :param bfloat16: compute in 16-bit floats, which the processor has instructions for
    :param progress: called with steps done and their number, the first time, which takes some seconds
    :raises WeightsError: when "openvino" is wanted, and is not installed or does not agree
    """
    if wanted == "torch":
        return Choice("torch", "as set"), None
    if not is_installed():
        if wanted == "openvino":
            raise WeightsError(
                "embedding_backend is openvino, which is not installed.",
                "Install it with `pip install 'wenzheng[openvino]'`, or set embedding_backend to auto.",
            )
        return Choice("torch", "OpenVINO is not installed"), None
    place = folder / FORM
    key = _key(bfloat16)
    kept = _read(place, key)
    if kept is not None and kept.backend == "torch" and wanted == "auto":
        return kept, None
    try:
        fast = _reopened(engines, place) if kept is not None else None
        if fast is None:
            kept = None
            progress(0, _STEPS)
            engines.convert(place)
            progress(1, _STEPS)
            fast = engines.open(place)
    except Exception as error:  # what a converter raises is as varied as models are
        if wanted == "openvino":
            raise WeightsError(
                f"The embedding model cannot be run with OpenVINO: {type(error).__name__}: {error}.",
                "Set embedding_backend to torch.",
            ) from error
        return Choice("torch", f"OpenVINO cannot run this model: {type(error).__name__}"), None
    if kept is None:
        kept = _compare(engines.original(), fast, key, progress)
        _write(place, kept)
        # The form before this one held the word vectors too.
        shutil.rmtree(folder / _BEFORE, ignore_errors=True)
        progress(_STEPS, _STEPS)
    if kept.cosine < LEAST_COSINE and wanted == "openvino":
        raise WeightsError(
            f"OpenVINO's vectors differ from the model's own (cosine {kept.cosine:.4f}).",
            "Set embedding_backend to torch.",
        )
    if kept.backend == "openvino":
        return kept, fast
    return (Choice("openvino", "as set"), fast) if wanted == "openvino" else (kept, None)


def _reopened(engines: Engines[Fast], place: Path) -> Fast | None:
    """The converted model; None where its files were damaged, and it is to be converted anew."""
    try:
        return engines.open(place)
    except Exception as error:  # noqa: BLE001 - files can be damaged in as many ways as there are
        logger.warning("%s is damaged and made anew: %s: %s", place, type(error).__name__, error)
        return None


def compiled(
    build: Callable[[], torch.nn.Module],
    example: tuple[Any, ...],
    place: Path,
    wanted: Wanted,
    *,
    bfloat16: bool,
) -> Callable[..., Any]:
    """A module as a function of arrays, run by OpenVINO where that is installed and by torch elsewhere.

    :param build: makes the module; asked only where it is not yet converted, or torch runs it
    :param example: arrays of the types and dimensions it will be given
    :param place: folder that keeps the converted module; where its name ends with a digest, those of other digests are deleted
        once it is there
    :param wanted: "torch" to leave OpenVINO aside
    :param bfloat16: compute in 16-bit floats
    """
    if wanted != "torch" and is_installed():
        try:
            if not (place / "model.xml").exists():
                with whole_folder(place) as draft:
                    write_graph(build(), example, draft)
                _forget_others(place)
            return load_graph(place, bfloat16=bfloat16)
        except Exception as error:  # noqa: BLE001 - what a converter raises is as varied as models are; torch runs it too
            logger.warning("OpenVINO cannot run %s: %s: %s", place.name, type(error).__name__, error)
    return _by_torch(build(), bfloat16=bfloat16)


def _forget_others(place: Path) -> None:
    """Delete what stands beside a folder under the same name with another digest."""
    of, _, digest = place.name.rpartition("-")
    if not _DIGEST.fullmatch(digest):
        return
    for other in place.parent.glob(f"{of}-*"):
        if other != place and _DIGEST.fullmatch(other.name.removeprefix(f"{of}-")):
            shutil.rmtree(other, ignore_errors=True)


def load_graph(place: Path, *, bfloat16: bool) -> Callable[..., Any]:
    """What `write_graph` wrote, as a function of arrays ``[rows, tokens, ...]``, to one with a row for each of theirs.

    :param bfloat16: compute in 16-bit floats
    """
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
        "PERFORMANCE_HINT": "LATENCY",
    }
    core = _core()
    model = core.compile_model(core.read_model(place / "model.xml"), "CPU", settings)

    def run(*arrays: Any) -> Any:
        count, tokens = arrays[0].shape[:2]
        turns = -(-count * tokens // _TOKENS_AT_ONCE)
        rows = max(1, -(-count // max(1, turns)))
        parts = [
            np.array(model([array[start : start + rows] for array in arrays])[0])
            for start in range(0, count, rows)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    return run


@functools.cache
def _core() -> Any:
    return _openvino().Core()


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


def _openvino(*, converter: bool = False) -> Any:
    """The runtime, without its converter's reports of use to its maker: they find their sender missing."""
    silenced = "openvino_telemetry"
    modules: dict[str, Any] = sys.modules
    before = modules.get(silenced)
    modules[silenced] = None  # importing it fails, and a stub takes its place
    try:
        import openvino

        if converter:
            import openvino.tools.ovc.convert_impl
    finally:
        if before is None:
            del modules[silenced]
        else:
            modules[silenced] = before
    return openvino


@contextlib.contextmanager
def whole_folder(place: Path) -> Iterator[Path]:
    """A folder to write to that takes the place of ``place`` when all is written, and vanishes when it fails."""
    import psutil

    for left_over in place.parent.glob(f".{place.name}-*"):
        # What a killed process left; another one may be at work now.
        owner = left_over.name.rpartition("-")[2]
        if not owner.isdecimal() or int(owner) == os.getpid() or not psutil.pid_exists(int(owner)):
            shutil.rmtree(left_over, ignore_errors=True)
    draft = place.with_name(f".{place.name}-{os.getpid()}")
    draft.mkdir(parents=True)
    try:
        yield draft
        for path in draft.iterdir():
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())
        shutil.rmtree(place, ignore_errors=True)
        try:
            draft.rename(place)
        except OSError:
            # Another process was faster with the same.
            if not place.is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_graph(module: torch.nn.Module, example: tuple[Any, ...], folder: Path) -> None:
    """Write a module in OpenVINO's form.

    :param example: arrays of the types and dimensions it will be given
    """
    import torch

    openvino = _openvino(converter=True)
    inputs = tuple(torch.from_numpy(array) for array in example)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converted = openvino.convert_model(module, example_input=inputs)
    openvino.save_model(converted, folder / "model.xml", compress_to_fp16=True)


def _compare(original: Encode, fast: Compact, key: str, progress: Callable[[int, int], None]) -> Choice:
    """Measure both engines, in turns, on the same texts."""
    texts = [f"{sentence}（{n}）{sentence}" for n in range(3) for sentence in _SENTENCES]
    texts.sort(key=len, reverse=True)
    rates: dict[Backend, float] = {"torch": 0.0, "openvino": 0.0}
    vectors: dict[Backend, Any] = {}
    engines: dict[Backend, Encode] = {"torch": original, "openvino": fast.passages}
    for number in range(_ROUNDS):
        for backend, encode in engines.items():
            start = time.perf_counter()
            size = BATCHES[backend]
            found = np.concatenate([encode(texts[n : n + size]) for n in range(0, len(texts), size)])
            # The best of the rounds: what else the machine does can only slow one down.
            rates[backend] = max(rates[backend], len(texts) / (time.perf_counter() - start))
            vectors[backend] = found
        progress(2 + number, _STEPS)
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
