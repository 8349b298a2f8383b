import json
import logging
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from rag import e5, embedding
from rag.embedding import SentenceTransformerEmbedder, open_embedder
from rag.errors import WeightsError
from rag.settings import Settings

REFERENCE = Path(__file__).parent / "data" / "e5_reference.json"


class FakeTensor:
    def __init__(self, rows):
        self.rows = np.array(rows, np.float32)

    def __len__(self):
        return len(self.rows)

    def float(self):
        return self

    def numpy(self):
        return self.rows


class FakeModel:
    """Stands in for a SentenceTransformer: the vector of a text is (its length, 1)."""

    max_seq_length = 512

    def __init__(self, seconds=0.0):
        self.calls = []
        self.seconds = seconds
        self.inside = 0

    def _encode(self, kind, texts):
        self.inside += 1
        assert self.inside == 1, "two threads in the model at once"
        time.sleep(self.seconds)
        self.calls.append((kind, list(texts)))
        self.inside -= 1
        return FakeTensor([[len(text), 1.0] for text in texts])

    def encode_document(self, texts, **_):
        return self._encode("passages", texts)

    def encode_query(self, texts, **_):
        return self._encode("query", texts)


def test_passages_keep_their_order_and_go_in_batches_by_length():
    model = FakeModel()
    embedder = SentenceTransformerEmbedder(model, "fake", batch=2)
    model.calls.clear()
    texts = ["a", "aaaa", "aa", "aaaaa", "aaa"]

    vectors = embedder.embed_passages(texts)

    assert [len(batch) for _, batch in model.calls] == [2, 2, 1]
    assert model.calls[0][1] == ["aaaaa", "aaaa"]
    assert [round(float(x / y)) for x, y in vectors] == [1, 4, 2, 5, 3]


def test_vectors_are_of_length_one_and_float32():
    embedder = SentenceTransformerEmbedder(FakeModel(), "fake")
    passages = embedder.embed_passages(["a", "bb"])
    question = embedder.embed_query("ccc")
    assert passages.shape == (2, 2)
    assert question.shape == (2,)
    assert passages.dtype == question.dtype == np.float32
    assert np.linalg.norm(passages, axis=1) == pytest.approx(1)
    assert np.linalg.norm(question) == pytest.approx(1)


def test_no_texts_give_an_empty_array():
    embedder = SentenceTransformerEmbedder(FakeModel(), "fake")
    assert embedder.embed_passages([]).shape == (0, embedder.dimension) == (0, 2)


def test_lone_surrogates_do_not_reach_the_model():
    model = FakeModel()
    SentenceTransformerEmbedder(model, "fake").embed_query("住\ud800建")
    assert model.calls[-1] == ("query", ["住?建"])


def test_a_question_waits_for_one_batch_and_not_for_all():
    model = FakeModel(seconds=0.02)
    embedder = SentenceTransformerEmbedder(model, "fake", batch=1)
    model.calls.clear()
    work = threading.Thread(target=embedder.embed_passages, args=(["x"] * 20,))
    work.start()
    while not model.calls:
        time.sleep(0.001)
    questions = [threading.Thread(target=embedder.embed_query, args=(f"q{n}",)) for n in range(3)]
    for thread in questions:
        thread.start()
    for thread in (*questions, work):
        thread.join()
    kinds = [kind for kind, _ in model.calls]
    assert kinds.count("passages") == 20
    assert max(n for n, kind in enumerate(kinds) if kind == "query") < 10


def test_a_question_uses_one_thread_and_passages_all():
    asked = []
    embedder = SentenceTransformerEmbedder(FakeModel(), "fake", set_threads=asked.append)
    asked.clear()
    embedder.embed_query("x")
    embedder.embed_passages(["x"])
    assert asked == [1, embedding.cores()]


def test_a_failing_model_frees_its_place():
    model = FakeModel()
    embedder = SentenceTransformerEmbedder(model, "fake")
    model.encode_query = lambda *_, **__: 1 / 0
    with pytest.raises(ZeroDivisionError):
        embedder.embed_query("x")
    del model.encode_query
    assert embedder.embed_query("x").shape == (2,)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("e5-small", ["is missing", "wenzheng models pull e5-small"]),
        ("qwen2.5-coder-1.5b", ["is a chat model"]),
        ("/nowhere/at/all", ["/nowhere/at/all does not exist"]),
        ("./nowhere", ["does not exist"]),
        ("nobody/no-such-model", ["nobody/no-such-model is not on this machine", "wenzheng models pull"]),
        ("no such : name", ["is not on this machine"]),
    ],
)
def test_a_model_that_is_not_here_says_what_to_do(tmp_path, model, words):
    with pytest.raises(WeightsError) as raised:
        open_embedder(Settings(models=tmp_path, embedding_model=model))
    for word in words:
        assert word in str(raised.value)


def test_a_folder_that_is_no_model_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(WeightsError, match=r"is no SentenceTransformer model: it has no modules\.json"):
        open_embedder(Settings(models=tmp_path, embedding_model=str(tmp_path)))


def test_the_fingerprint_follows_the_files_and_not_the_place(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        (folder / "1_Pooling").mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        (folder / "model.bin").write_bytes(bytes(3 << 20))
    assert embedding.fingerprint(one) == embedding.fingerprint(two)
    (two / "README.md").write_text("words")
    (two / ".cache").mkdir()
    (two / ".cache" / "x").write_text("words")
    assert embedding.fingerprint(one) == embedding.fingerprint(two)
    with (two / "model.bin").open("rb+") as stream:
        stream.seek(-1, 2)
        stream.write(b"x")
    assert embedding.fingerprint(one) != embedding.fingerprint(two)


def test_importing_the_module_imports_no_heavy_library():
    code = (
        "import sys, rag.embedding, rag.e5; print([n for n in ('torch', 'transformers') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- the real model -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real():
    return open_embedder(Settings())


def reference():
    return json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"]


@pytest.mark.model
@pytest.mark.parametrize("case", reference(), ids=lambda case: f"{case['name']}-{case['prompt']}")
def test_the_vectors_agree_with_the_reference_engine(real, case):
    embed = real.embed_query if case["prompt"] == "query" else lambda text: real.embed_passages([text])[0]
    expected = np.array(case["vector"])
    cosine = float(embed(case["text"]) @ expected / np.linalg.norm(expected))
    assert cosine >= 0.999, f"{cosine:.5f}"


@pytest.mark.model
def test_a_batch_gives_what_its_texts_give_alone(real):
    texts = [case["text"] for case in reference() if case["prompt"] == "passage"]
    together = real.embed_passages(texts)
    alone = np.stack([real.embed_passages([text])[0] for text in texts])
    assert np.sum(together * alone, axis=1).min() > 0.9995


@pytest.mark.model
def test_white_space_at_the_end_changes_nothing(real):
    plain = real.embed_query("关于做好防汛工作的通知")
    assert real.embed_query("关于做好防汛工作的通知 \n\n") @ plain > 0.9999
    assert np.isfinite(real.embed_query("")).all()


@pytest.mark.model
def test_the_model_tells_what_it_is(real):
    assert real.name == "multilingual-e5-small@q4:1571fc98"
    assert (real.dimension, real.max_tokens) == (384, 512)


@pytest.mark.model
def test_a_question_finds_its_passage_across_languages(real):
    passages = [
        "市住建局承诺年底前完成老旧小区改造。",
        "教育局將新建兩所小學。",
        "The lake is closed to boats.",
    ]
    vectors = real.embed_passages(passages)
    assert int(np.argmax(vectors @ real.embed_query("What did the housing bureau promise?"))) == 0
    assert int(np.argmax(vectors @ real.embed_query("新建几所学校？"))) == 1


@pytest.mark.model
def test_threads_get_the_vectors_that_one_thread_gets(real):
    questions = [f"第{n}条规定了什么？" for n in range(8)]
    expected = [real.embed_query(question) for question in questions]
    found = [None] * len(questions)

    def ask(n):
        found[n] = real.embed_query(questions[n])

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(questions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(float(a @ b) > 0.9999 for a, b in zip(expected, found, strict=True))


@pytest.mark.model
def test_opening_is_silent_and_uses_no_network(monkeypatch, capfd, caplog):
    def refuse(*arguments, **_):
        raise AssertionError(f"a connection to {arguments[1:]}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with caplog.at_level(logging.WARNING):
        open_embedder(Settings()).embed_query("x")
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert caplog.records == []


@pytest.mark.model
def test_a_damaged_folder_is_an_error_that_says_what_to_do(tmp_path):
    source = e5.prepare(Settings())
    for path in source.rglob("*"):
        if path.is_file() and path.name != "model.safetensors":
            place = tmp_path / path.relative_to(source)
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(path.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"\x10" + bytes(40))
    with pytest.raises(WeightsError, match="cannot be loaded"):
        open_embedder(Settings(embedding_model=str(tmp_path)))
