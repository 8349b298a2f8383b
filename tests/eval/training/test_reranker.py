"""Training of the reader: what it begins with, and pairs computed in two halves."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import safetensors.torch
import torch
from transformers import BertConfig, BertModel

from eval.training.reranker import by_length, difference
from rag.reranking import WORDS, with_learned

SIZE = 16


def tiny(seed: int) -> BertModel:
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=40,
        hidden_size=SIZE,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    return BertModel(config, add_pooling_layer=False).eval()


class Reader(torch.nn.Module):
    """The form of what is trained."""

    def __init__(self, transformer: BertModel) -> None:
        super().__init__()
        self.transformer = transformer
        self.head = torch.nn.Linear(2 * SIZE, 2)
        self.spans = torch.nn.Linear(SIZE, 2)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.transformer(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weight).sum(1) / weight.sum(1)
        spans = self.spans(hidden).masked_fill(mask.unsqueeze(-1) == 0, -1e4)
        return self.head(torch.cat([hidden[:, 0], mean], 1)), spans


def test_what_a_difference_keeps_is_what_was_learned(tmp_path: Path) -> None:
    before, after = tiny(1), tiny(1)
    with torch.no_grad():
        for parameter in after.encoder.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    safetensors.torch.save_file(dict(before.state_dict()), tmp_path / "model.safetensors")
    kept = difference(Reader(after), tmp_path, rank=SIZE)
    found = with_learned(before.state_dict(), kept)
    assert found.keys() == before.state_dict().keys()
    for name, tensor in after.state_dict().items():
        if name != WORDS:
            assert torch.allclose(found[name], tensor, atol=2e-3), name


def test_a_difference_of_low_rank_is_smaller_and_leaves_what_was_not_changed(tmp_path: Path) -> None:
    before, after = tiny(1), tiny(1)
    changed = "encoder.layer.1.output.dense.weight"
    with torch.no_grad():
        after.get_parameter(changed).add_(torch.outer(torch.randn(SIZE), torch.randn(32)))
    safetensors.torch.save_file(dict(before.state_dict()), tmp_path / "model.safetensors")
    kept = difference(Reader(after), tmp_path, rank=1)
    assert {name for name in kept if not name.startswith(("head:", "spans:"))} == {
        f"up:{changed}",
        f"down:{changed}",
    }
    found = with_learned(before.state_dict(), kept)
    assert torch.allclose(found[changed], after.state_dict()[changed], atol=1e-2)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_pairs_in_two_halves_are_found_as_together(count: int) -> None:
    rng = random.Random(count)
    lengths = [rng.randint(2, 24) for _ in range(count)]
    longest = max(lengths)
    mask = torch.tensor([[1] * length + [0] * (longest - length) for length in lengths])
    ids = torch.randint(1, 40, (count, longest), generator=torch.Generator().manual_seed(count)) * mask
    torch.manual_seed(5)
    reader = Reader(tiny(2))
    with torch.inference_mode():
        (pairs, spans), (wanted, places) = by_length(reader, ids, mask), reader(ids, mask)
    assert torch.allclose(pairs, wanted, atol=1e-5)
    assert torch.allclose(spans, places, atol=1e-5)
