from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag import acceleration
from rag.acceleration import FORM, Encode, Engines, accelerate, compiled, is_installed, whole_folder
from rag.embedding import open_embedder
from rag.errors import WeightsError
from rag.settings import Settings, load_settings
from rag.weights import E5_SMALL, locate

needs_openvino = pytest.mark.skipif(not is_installed(), reason="the extra openvino is not installed")


TURN = np.array([[0.0, 1.0], [1.0, 0.0]], np.float32)


class Fast:
    """Stands in for a model on OpenVINO."""

    def __init__(self, turned: bool = False) -> None:
        self.turned = turned

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = slow(texts)
        return np.asarray(vectors @ TURN, np.float32) if self.turned else vectors


def slow(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.array([[len(text), 1.0] for text in texts], np.float32)


class Made:
    """Engines that count what is asked of them."""

    def __init__(self, turned: bool = False) -> None:
        self.asked: list[str] = []
        self.turned = turned
        self.engines: Engines[Fast] = Engines(self.original, self.convert, self.open)

    def original(self) -> Encode:
        self.asked.append("original")

        def encode(texts: Sequence[str]) -> NDArray[np.float32]:
            time.sleep(0.002)
            return slow(texts)

        return encode

    def convert(self, place: Path) -> None:
        self.asked.append("convert")
        with whole_folder(place) as draft:
            (draft / "model.xml").write_text("<net/>", encoding="utf-8")

    def open(self, place: Path) -> Fast:
        self.asked.append("open")
        if (place / "model.xml").read_text(encoding="utf-8") != "<net/>":
            raise ValueError("damaged")
        return Fast(self.turned)


def test_torch_is_kept_when_set(tmp_path: Path) -> None:
    made = Made()
    choice, fast = accelerate(tmp_path, "torch", made.engines, bfloat16=False)
    assert (choice.backend, fast, made.asked) == ("torch", None, [])
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceleration, "is_installed", lambda: False)
    made = Made()
    choice, fast = accelerate(tmp_path, "auto", made.engines, bfloat16=False)
    assert (choice.backend, fast, made.asked) == ("torch", None, [])
    with pytest.raises(WeightsError, match="not installed"):
        accelerate(tmp_path, "openvino", made.engines, bfloat16=False)


@needs_openvino
def test_torch_is_asked_once_and_the_choice_kept(tmp_path: Path) -> None:
    (tmp_path / "openvino").mkdir()
    made = Made()
    choice, fast = accelerate(tmp_path, "auto", made.engines, bfloat16=False)
    assert choice.backend == "openvino"
    assert fast is not None
    assert made.asked == ["convert", "open", "original"]
    assert [path.name for path in tmp_path.iterdir()] == [FORM]
    assert accelerate(tmp_path, "auto", made.engines, bfloat16=False)[0] == choice
    assert made.asked[3:] == ["open"]
    accelerate(tmp_path, "auto", made.engines, bfloat16=True)
    assert made.asked[4:] == ["convert", "open", "original"]


@needs_openvino
def test_vectors_that_differ_are_not_taken(tmp_path: Path) -> None:
    made = Made(turned=True)
    choice, fast = accelerate(tmp_path, "auto", made.engines, bfloat16=False)
    assert (choice.backend, fast) == ("torch", None)
    assert "differ" in choice.reason
    assert accelerate(tmp_path, "auto", made.engines, bfloat16=False) == (choice, None)
    assert made.asked == ["convert", "open", "original"]
    with pytest.raises(WeightsError, match="differ"):
        accelerate(tmp_path, "openvino", made.engines, bfloat16=False)


@needs_openvino
def test_a_damaged_conversion_is_made_anew(tmp_path: Path) -> None:
    made = Made()
    accelerate(tmp_path, "auto", made.engines, bfloat16=False)
    (tmp_path / FORM / "model.xml").write_text("", encoding="utf-8")
    assert accelerate(tmp_path, "auto", made.engines, bfloat16=False)[1] is not None
    assert made.asked[3:] == ["open", "convert", "open", "original"]
    (tmp_path / FORM / "choice.json").write_text("{", encoding="utf-8")
    assert accelerate(tmp_path, "auto", made.engines, bfloat16=False)[1] is not None
    assert made.asked[7:] == ["convert", "open", "original"]


@needs_openvino
def test_what_cannot_be_converted_is_run_by_torch(tmp_path: Path) -> None:
    made = Made()

    def fail(_: Path) -> None:
        raise RuntimeError("no such operation")

    engines = Engines(made.original, fail, made.open)
    choice, fast = accelerate(tmp_path, "auto", engines, bfloat16=False)
    assert (choice.backend, fast, made.asked) == ("torch", None, [])
    with pytest.raises(WeightsError, match="no such operation"):
        accelerate(tmp_path, "openvino", engines, bfloat16=False)


def test_a_folder_is_whole_or_not_there(tmp_path: Path) -> None:
    place = tmp_path / "form"
    (tmp_path / ".form-killed").mkdir()
    with whole_folder(place) as draft:
        (draft / "a").write_text("first", encoding="utf-8")
        assert not place.exists()

    def stopped() -> None:
        with whole_folder(place) as draft:
            (draft / "a").write_text("half", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert (place / "a").read_text(encoding="utf-8") == "first"
    assert list(tmp_path.iterdir()) == [place]


@needs_openvino
def test_nothing_is_reported_to_anybody() -> None:
    before = sys.modules.get("openvino_telemetry")
    openvino = acceleration._openvino(converter=True)
    assert openvino.Core().available_devices
    from openvino.tools.ovc import convert_impl, telemetry_stub

    assert convert_impl.tm is telemetry_stub
    assert sys.modules.get("openvino_telemetry") is before


@pytest.mark.model
@needs_openvino
def test_both_engines_give_the_same_vectors(tmp_path: Path) -> None:
    settings = load_settings({})
    if locate(E5_SMALL.name, settings) is None and not (settings.models / "e5-small").exists():
        pytest.skip("the embedding model is not here: `wenzheng models pull`")
    texts = ["住建局将改造老旧小区28个。", "The housing bureau will renew 28 estates.", "水務局" * 300, "一"]
    torch = open_embedder(settings.model_copy(update={"embedding_backend": "torch"}))
    fast = open_embedder(settings.model_copy(update={"embedding_backend": "openvino"}))
    assert torch.name == fast.name
    cosines = (torch.embed_passages(texts) * fast.embed_passages(texts)).sum(axis=1)
    assert cosines.min() > 0.999
    assert float(np.dot(torch.embed_query("补贴多少？"), fast.embed_query("补贴多少？"))) > 0.999
    chosen = json.loads((settings.models / "e5-small" / FORM / "choice.json").read_text(encoding="utf-8"))
    assert chosen["cosine"] >= acceleration.LEAST_COSINE
    assert chosen["torch_rate"] > 0


def test_the_setting_takes_only_what_there_is() -> None:
    assert Settings().embedding_backend == "auto"


@pytest.mark.model
@needs_openvino
def test_once_converted_the_model_runs_without_torch() -> None:
    settings = load_settings({})
    if not (settings.models / "e5-small").exists():
        pytest.skip("the embedding model is not here: `wenzheng models pull`")
    wanted = settings.model_copy(update={"embedding_backend": "openvino"})
    expected = open_embedder(wanted).embed_query("补贴多少？")
    code = (
        "import json, sys\n"
        "from rag.embedding import open_embedder\n"
        "from rag.settings import load_settings\n"
        "found = open_embedder(load_settings({'embedding_backend': 'openvino'})).embed_query('补贴多少？')\n"
        "heavy = [n for n in ('torch', 'transformers', 'sentence_transformers') if n in sys.modules]\n"
        "print(json.dumps([heavy, found.tolist()]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy, found = json.loads(done.stdout)
    assert heavy == []
    assert float(np.dot(expected, np.array(found))) > 0.9999


@needs_openvino
def test_what_was_converted_of_an_earlier_release_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    import torch

    place = tmp_path / "reranker-0a1b2c3d"
    others = [tmp_path / name for name in ("reranker-ffffffff", "reranker-notes", "other-ffffffff")]
    for folder in others:
        folder.mkdir()
    example = (np.zeros((2, 4), np.float32),)
    run = compiled(lambda: torch.nn.Linear(4, 3).eval(), example, place, "auto", bfloat16=False)
    assert run(example[0]).shape == (2, 3)
    assert place.is_dir()
    assert [folder.is_dir() for folder in others] == [False, True, True]
