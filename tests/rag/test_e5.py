import contextlib
import json
import struct

import numpy as np
import pytest

from rag import e5
from rag.errors import WeightsError
from rag.settings import Settings

HIDDEN, LAYERS, HEADS, INNER, VOCABULARY, POSITIONS, TYPES = 32, 1, 2, 64, 12, 16, 2
PIECES = [
    *[("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)],
    *[("▁", -2.0), ("a", -3.0), ("b", -3.5), ("～", -4.0), ("ab", -4.0), ("▁a", -4.5)],
]
NORMALISATIONS = {"\t": " ", "\x07": "", "Ａ": "A", "\u200b": " "}


def blocks(values):
    """Q4_0: per 32 values a 16-bit scale and 32 nibbles, low halves first."""
    out = b""
    for row in np.asarray(values, np.float32).reshape(-1, 32):
        scale = float(np.float16(max(abs(row).max(), 1e-3) / 7))
        nibbles = np.clip(np.rint(row / scale) + 8, 0, 15).astype(np.uint8)
        out += struct.pack("<e", scale) + bytes(nibbles[:16] | nibbles[16:] << 4)
    return out


def tiny(**changes):
    """A whole E5S1 file of a tiny model; ``changes`` replace parts of it."""
    rng = np.random.default_rng(0)
    given = {
        "magic": b"E5S1",
        "version": 1,
        "sizes": (HIDDEN, LAYERS, HEADS, INNER, VOCABULARY, POSITIONS, TYPES),
    }
    given |= {"epsilon": 1e-12, "block": 32, "special": (0, 2, 1, 3), "pieces": PIECES} | changes
    shapes = {"emb.word": (VOCABULARY, HIDDEN), "emb.pos": (POSITIONS, HIDDEN), "emb.type": (TYPES, HIDDEN)}
    for part, shape in {"q": HIDDEN, "k": HIDDEN, "v": HIDDEN, "ao": HIDDEN, "fi": INNER}.items():
        shapes |= {f"l0.{part}.w": (shape, HIDDEN), f"l0.{part}.b": (shape,)}
    shapes |= {"l0.fo.w": (HIDDEN, INNER), "l0.fo.b": (HIDDEN,)}
    for part in ("emb.ln", "l0.aln", "l0.oln"):
        shapes |= {f"{part}.w": (HIDDEN,), f"{part}.b": (HIDDEN,)}

    data = given["magic"] + struct.pack(
        "<I7ifi", given["version"], *given["sizes"], given["epsilon"], given["block"]
    )
    texts = [text.encode() if isinstance(text, str) else text for text, _ in given["pieces"]]
    offsets = np.cumsum([0, *map(len, texts)]).tolist()
    data += struct.pack("<5iQ", len(texts), *given["special"], offsets[-1])
    data += struct.pack(f"<{len(offsets)}I", *given.get("offsets", offsets))
    data += struct.pack(f"<{len(texts)}f", *(score for _, score in given["pieces"])) + b"".join(texts)
    table = b"".join(
        struct.pack(f"<IB{len(new)}I", ord(old), len(new), *map(ord, new))
        for old, new in NORMALISATIONS.items()
    )
    data += struct.pack("<iI", len(NORMALISATIONS), len(table)) + table

    stored = {}
    for name, shape in shapes.items():
        values = rng.normal(0, 0.2, shape).astype(np.float32)
        stored[name] = (
            (1, values.size, blocks(values))
            if name.endswith("word") or (".w" in name and len(shape) > 1)
            else (0, values.size, values.tobytes())
        )
    stored |= given.get("tensors", {})
    stored = {name: value for name, value in stored.items() if value is not None}
    at = len(data) + 4 + sum(2 + len(name) + 21 for name in stored)
    data += struct.pack("<i", len(stored))
    for name, (kind, count, content) in stored.items():
        data += (
            struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", kind, count, at, len(content))
        )
        at += len(content)
    return data + b"".join(content for _, _, content in stored.values())


@pytest.fixture
def place(tmp_path):
    def write(data):
        path = tmp_path / "tiny.bin"
        path.write_bytes(data)
        return path

    return write


def test_a_whole_file_is_read(place):
    file = e5.read(place(tiny()))
    assert (file.hidden, file.layers, file.heads, file.feed_forward) == (HIDDEN, LAYERS, HEADS, INNER)
    assert (file.bos, file.eos, file.pad, file.unk) == (0, 2, 1, 3)
    assert [text for text, _ in file.pieces] == [text for text, _ in PIECES]
    assert file.normalisations == NORMALISATIONS
    assert e5.dequantised(file, "emb.word").shape == (VOCABULARY * HIDDEN,)


def test_blocks_are_read_low_halves_first(place):
    nibbles = bytes(low | high << 4 for low, high in zip(range(16), reversed(range(16)), strict=True))
    one_block = struct.pack("<e", 0.5) + nibbles
    words = (1, VOCABULARY * HIDDEN, one_block * VOCABULARY)
    values = e5.dequantised(e5.read(place(tiny(tensors={"emb.word": words}))), "emb.word")
    assert values[:16].tolist() == [(n - 8) * 0.5 for n in range(16)]
    assert values[16:32].tolist() == [(n - 8) * 0.5 for n in reversed(range(16))]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"magic": b"GGUF"}, "does not begin with E5S1"),
        ({"version": 2}, "its version is 2"),
        ({"sizes": (33, 1, 2, 64, 12, 16, 2)}, "its sizes are"),
        ({"sizes": (32, 1, 2, 64, 12, 16, -2)}, "its sizes are"),
        ({"sizes": (32, 2, 2, 64, 12, 16, 2)}, "no tensor l1.q.w"),
        ({"sizes": (32, 1, 2, 64, 11, 16, 2)}, "tensor emb.word has not the shape"),
        ({"sizes": (32, 1, 2, 64, 3, 16, 2)}, "10 pieces for a vocabulary of 3"),
        ({"epsilon": float("nan")}, "its epsilon"),
        ({"block": 64}, "its blocks hold 64"),
        ({"special": (0, 2, 1, 99)}, "special piece"),
        ({"offsets": [0, 9, 3, *[20] * (len(PIECES) - 2)]}, "not in order"),
        ({"pieces": [(b"\xff\xfe", 0.0), *PIECES[1:]]}, "not UTF-8"),
        ({"pieces": [("<s>", float("inf")), *PIECES[1:]]}, "not a number"),
        ({"tensors": {"emb.pos": None}}, "no tensor emb.pos"),
        ({"tensors": {"emb.pos": (7, POSITIONS * HIDDEN, bytes(2048))}}, "unknown kind 7"),
        ({"tensors": {"emb.pos": (0, POSITIONS * HIDDEN, bytes(100))}}, "has 100 bytes, not 2048"),
        ({"tensors": {"emb.pos": (1, 31, bytes(18))}}, "emb.pos has 18 bytes"),
    ],
)
def test_a_malformed_file_is_refused(place, changes, fault):
    with pytest.raises(WeightsError, match=fault) as raised:
        e5.read(place(tiny(**changes)))
    assert "wenzheng models pull e5-small" in raised.value.fix


def test_a_file_cut_anywhere_is_refused(place):
    data = tiny()
    for length in (*range(0, 700, 7), len(data) // 2, len(data) - 1):
        with pytest.raises(WeightsError):
            e5.read(place(data[:length]))


def test_noise_after_the_magic_is_refused(place):
    rng = np.random.default_rng(1)
    data = tiny()
    for _ in range(200):
        noisy = bytearray(data)
        at = int(rng.integers(4, 900))
        noisy[at : at + 8] = rng.bytes(8)
        # Refused, or a change that the format allows; never another error.
        with contextlib.suppress(WeightsError):
            e5.read(place(bytes(noisy)))


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(WeightsError, match=r"absent\.bin cannot be read"):
        e5.read(tmp_path / "absent.bin")


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("ab", ["▁", "ab"]),
        ("a", ["▁a"]),
        ("  a\t \u200ba\x07", ["▁a", "▁a"]),
        ("a ", ["▁a"]),
        ("ａ", ["▁a"]),
        ("～", ["▁", "～"]),
        ("水木b", ["▁", "<unk>", "b"]),
        ("", []),
    ],
)
def test_the_tokenizer_normalises_and_splits(place, text, pieces):
    tokenizer = e5.build_tokenizer(e5.read(place(tiny())))
    encoded = tokenizer.encode(text)
    known = ["<unk>" if token not in dict(PIECES) else token for token in encoded.tokens]
    assert known == ["<s>", *pieces, "</s>"]


def test_a_folder_is_written_whole_and_known_again(place, tmp_path):
    target = tmp_path / "model"
    seen = []
    e5.convert(place(tiny()), target, "abc", seen.append)
    assert e5.is_current(target, "abc")
    assert not e5.is_current(target, "abd")
    assert not e5.is_current(tmp_path / "absent", "abc")
    assert {progress.phase for progress in seen} == {"convert"}
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    assert seen[-1].done == seen[-1].total
    prompts = json.loads((target / "config_sentence_transformers.json").read_text())["prompts"]
    assert prompts == {"query": "query: ", "document": "passage: ", "passage": "passage: "}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "tiny.bin"]


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", e5.MARKER])
def test_a_folder_that_lacks_or_cut_a_file_is_not_current(place, tmp_path, name):
    target = tmp_path / "model"
    e5.convert(place(tiny()), target, "abc")
    (target / name).write_bytes((target / name).read_bytes()[:-20])
    assert not e5.is_current(target, "abc")
    (target / name).unlink()
    assert not e5.is_current(target, "abc")


def test_a_newer_converter_builds_the_folder_anew(place, tmp_path, monkeypatch):
    target = tmp_path / "model"
    e5.convert(place(tiny()), target, "abc")
    monkeypatch.setattr(e5, "CONVERTER_VERSION", e5.CONVERTER_VERSION + 1)
    assert not e5.is_current(target, "abc")
    (target / "left-over").write_text("x")
    e5.convert(place(tiny()), target, "abc")
    assert e5.is_current(target, "abc")
    assert not (target / "left-over").exists()


def test_an_interrupted_conversion_leaves_the_old_folder(place, tmp_path, monkeypatch):
    target = tmp_path / "model"
    e5.convert(place(tiny()), target, "abc")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(e5, "_configuration", interrupt)
    with pytest.raises(KeyboardInterrupt):
        e5.convert(place(tiny()), target, "abd")
    assert e5.is_current(target, "abc")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "tiny.bin"]


def test_what_a_killed_conversion_left_is_cleared_away(place, tmp_path):
    (tmp_path / ".model-killed").mkdir()
    (tmp_path / ".model-killed" / "model.safetensors").write_text("half")
    e5.convert(place(tiny()), tmp_path / "model", "abc")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "tiny.bin"]


def test_preparing_without_the_model_file_names_the_command(tmp_path):
    with pytest.raises(WeightsError, match="wenzheng models pull e5-small"):
        e5.prepare(Settings(models=tmp_path))


def test_the_folder_loads_as_a_bert_model(place, tmp_path):
    torch = pytest.importorskip("torch")
    from transformers import AutoModel

    target = tmp_path / "model"
    path = place(tiny())
    e5.convert(path, target, "abc")
    model = AutoModel.from_pretrained(target, local_files_only=True)
    file = e5.read(path)
    assert next(model.parameters()).dtype == torch.float32
    query = dict(model.named_parameters())["encoder.layer.0.attention.self.query.weight"].detach().numpy()
    assert np.array_equal(query.reshape(-1), e5.dequantised(file, "l0.q.w").astype(np.float32))


@pytest.mark.model
def test_the_real_file_is_converted_once(tmp_path):
    settings = Settings()
    folder = e5.prepare(settings)
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert e5.prepare(settings) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
