from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag import acceleration
from rag.acceleration import Choice, accelerate, is_installed
from rag.embedding import open_embedder
from rag.errors import WeightsError
from rag.settings import Settings, load_settings
from rag.weights import E5_SMALL, locate

needs_openvino = pytest.mark.skipif(not is_installed(), reason="the extra openvino is not installed")


class Model:
    """Stands in where the model itself is not touched."""

    def __getitem__(self, _: int) -> Any:
        raise AssertionError("the model was touched")


def test_torch_is_kept_when_set(tmp_path: Path) -> None:
    assert accelerate(Model(), tmp_path, "torch", bfloat16=False).backend == "torch"  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceleration, "is_installed", lambda: False)
    assert accelerate(Model(), tmp_path, "auto", bfloat16=False).backend == "torch"  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match="not installed"):
        accelerate(Model(), tmp_path, "openvino", bfloat16=False)  # type: ignore[arg-type]


@needs_openvino
def test_a_choice_is_kept_until_a_version_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "openvino"
    place.mkdir()
    (place / "model.xml").write_text("<net/>", encoding="utf-8")
    key = acceleration._key(False)
    kept = Choice("torch", "the faster of the two here", 50.0, 40.0, 0.9999, key)
    acceleration._write(place, kept)
    assert accelerate(Model(), tmp_path, "auto", bfloat16=False) == kept  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="touched"):
        acceleration._convert(Model(), place)  # type: ignore[arg-type]
    assert acceleration._read(place, key + "x") is None
    (place / "choice.json").write_text("{", encoding="utf-8")
    assert acceleration._read(place, key) is None


@needs_openvino
def test_nothing_is_reported_to_anybody() -> None:
    before = sys.modules.get("openvino_telemetry")
    openvino = acceleration._openvino()
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
    chosen = json.loads(
        (settings.models / "e5-small" / "openvino" / "choice.json").read_text(encoding="utf-8")
    )
    assert chosen["cosine"] >= acceleration.LEAST_COSINE
    assert chosen["torch_rate"] > 0


def test_the_setting_takes_only_what_there_is() -> None:
    assert Settings().embedding_backend == "auto"
