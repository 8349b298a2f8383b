"""CrossEncoders of the user's own, with a tiny real model and without a network."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.cross_encoding import MAX_TOKENS, open_cross_encoder
from rag.embedding import E5_NAME
from rag.errors import SettingsError, WeightsError
from rag.fusion import joined
from rag.library import Library
from rag.questions import analyse
from rag.reranking import open_reranker
from rag.retrieval import Retriever
from rag.settings import Settings, load_settings, shaping_settings
from rag.weights import locate_reranker, pull_reranker
from rag.weights.rerankers import MARKER, is_hub_name

PASSAGES = ("区住建局将改造老旧小区28个。", "湖畔音乐节。", "Two new bus lines will open.")
NAME = "some-office/tiny-reranker"


def make_model(folder: Path, outputs: int = 1, places: int = 512, seed: int = 3, head: bool = True) -> Path:
    """A CrossEncoder of two small layers, saved as sentence-transformers saves one."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    signs = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *sorted(set("".join(PASSAGES)))]
    inner = Tokenizer(models.WordLevel({sign: n for n, sign in enumerate(signs)}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    inner.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    bert: Any = BertConfig
    fast: Any = PreTrainedTokenizerFast
    config = bert(
        vocab_size=len(signs),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=places,
        num_labels=outputs,
        initializer_range=0.5,
    )
    (BertForSequenceClassification if head else BertModel)(config).save_pretrained(folder)
    fast(
        tokenizer_object=inner,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=places,
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def settings_of(rerank: str | Path, tmp_path: Path, **more: Any) -> Settings:
    return Settings(home=tmp_path / "home", models=tmp_path / "models", rerank=str(rerank), **more)


def test_a_folder_is_opened_whatever_the_embedding_model(model: Path, tmp_path: Path) -> None:
    settings = settings_of(model, tmp_path)
    for embedder in (E5_NAME, "some/other-model@12345678"):
        reranker = open_reranker(settings, embedder)
        assert reranker is not None
        assert reranker.name.startswith("tiny@")
        found = reranker.scores("老旧小区？", PASSAGES)
        assert found.shape == (3, 1)
        assert len(set(found[:, 0].tolist())) == 3


def test_scores_are_those_of_the_model_itself_before_the_sigmoid(model: Path, tmp_path: Path) -> None:
    import torch
    from sentence_transformers import CrossEncoder

    found = open_cross_encoder(settings_of(model, tmp_path)).scores("老旧小区", PASSAGES)[:, 0]
    library = CrossEncoder(str(model), device="cpu", local_files_only=True)
    shares = library.predict([("老旧小区", text) for text in PASSAGES], activation_fn=torch.nn.Sigmoid())
    assert np.allclose(1.0 / (1.0 + np.exp(-found)), shares, atol=1e-5)


def test_one_that_was_saved_with_an_activation_gives_logits_too(model: Path, tmp_path: Path) -> None:
    import torch
    from sentence_transformers import CrossEncoder

    CrossEncoder(
        str(model), device="cpu", local_files_only=True, activation_fn=torch.nn.Sigmoid()
    ).save_pretrained(str(tmp_path / "saved"))
    plain = open_cross_encoder(settings_of(model, tmp_path)).scores("老旧小区", PASSAGES)
    saved = open_cross_encoder(settings_of(tmp_path / "saved", tmp_path)).scores("老旧小区", PASSAGES)
    assert np.allclose(plain, saved, atol=1e-5)


def test_a_passage_scores_alike_alone_and_beside_others(model: Path, tmp_path: Path) -> None:
    reranker = open_cross_encoder(settings_of(model, tmp_path))
    many = [text * (n + 1) for n, text in enumerate(PASSAGES * 7)]
    together = reranker.scores("老旧小区？", many)
    alone = np.concatenate([reranker.scores("老旧小区？", [text]) for text in many])
    assert np.allclose(together, alone, atol=1e-4)
    assert reranker.scores("老旧小区？", []).shape == (0, 1)


@pytest.mark.parametrize("places", [64, 2048])
def test_long_and_odd_texts_are_cut_to_what_the_model_takes(places: int, tmp_path: Path) -> None:
    reranker = open_cross_encoder(settings_of(make_model(tmp_path / "m", places=places), tmp_path))
    found = reranker.scores("区" * 3000, ["", "住\ud800建", "长" * 9000, "\x00"])
    assert np.isfinite(found).all()
    same = "湖" * MAX_TOKENS
    assert np.allclose(*reranker.scores("区", [same, same + "住建局" * 50]))


def test_two_threads_may_share_it(model: Path, tmp_path: Path) -> None:
    reranker = open_cross_encoder(settings_of(model, tmp_path))
    expected = reranker.scores("小区", PASSAGES)
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: found.append(reranker.scores("小区", PASSAGES))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert all(np.allclose(one, expected, atol=1e-5) for one in found)


def test_one_that_sorts_pairs_into_classes_is_refused(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "nli", outputs=3)
    with pytest.raises(WeightsError, match="3 numbers a pair"):
        open_cross_encoder(settings_of(folder, tmp_path))


def test_what_is_not_on_this_machine_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(WeightsError, match=f"wenzheng models pull --reranker {NAME}"):
        open_reranker(settings_of(NAME, tmp_path), E5_NAME)


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    broken = make_model(tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"\x08" * 100)
    for rerank, fault in (
        (tmp_path / "nowhere", "does not exist"),
        ("on", "does not take the value 'on'"),
        (tmp_path / "empty", r"no config\.json"),
        (make_model(tmp_path / "headless", head=False), "tells BertModel"),
        (broken, "cannot be loaded"),
    ):
        with pytest.raises(WeightsError, match=fault):
            open_cross_encoder(settings_of(rerank, tmp_path))


def test_a_model_that_was_moved_is_the_same_and_another_is_not(model: Path, tmp_path: Path) -> None:
    import shutil

    moved = Path(shutil.copytree(model, tmp_path / "elsewhere" / "tiny"))
    other = make_model(tmp_path / "others" / "tiny", seed=4)
    here, there, another = (settings_of(folder, tmp_path) for folder in (model, moved, other))
    assert shaping_settings(here) == shaping_settings(there)
    assert shaping_settings(here)["rerank"] == "tiny"
    assert str(model.parent) not in str(shaping_settings(here))
    names = [open_cross_encoder(settings).name for settings in (here, there, another)]
    assert names[0] == names[1] != names[2]


def test_settings_tell_names_and_make_folders_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    there = load_settings({"rerank": "some/model", "home": tmp_path}, {})
    assert there.rerank == str(tmp_path / "some" / "model")
    for name in ("auto", "off", NAME):
        settings = load_settings({"rerank": name, "home": tmp_path}, {})
        assert (settings.rerank, shaping_settings(settings)["rerank"]) == (name, name)
    with pytest.raises(SettingsError):
        load_settings({"rerank": "", "home": tmp_path}, {})


# --- joining with the first stage ---------------------------------------------------------------------------

FINITE = st.floats(-20, 20, width=32)


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=10), st.floats(0.01, 100), st.floats(-50, 50))
def test_the_scale_of_a_model_does_not_matter(
    pairs: list[tuple[float, float]], scale: float, shift: float
) -> None:
    first, relevance = np.asarray(pairs, np.float32).T
    plain = joined(first, relevance)
    assert plain.shape == first.shape
    assert np.isfinite(plain).all()
    if relevance.std() > 1e-2:
        assert np.allclose(plain, joined(first, (scale * relevance + shift).astype(np.float32)), atol=0.05)


def test_a_model_that_tells_nothing_apart_leaves_the_order() -> None:
    first = np.asarray([1.0, 3.0, 2.0], np.float32)
    for same in (0.0, 7.5, -1e6):
        assert np.argsort(joined(first, np.full(3, same, np.float32))).tolist() == [0, 2, 1]
    assert joined(first[:0], first[:0]).shape == (0,)


def test_a_clear_preference_wins_over_a_narrow_lead() -> None:
    first = np.asarray([1.0, 0.9, 0.8, 0.0], np.float32)
    assert int(joined(first, np.asarray([0.1, 0.1, 0.9, 0.1], np.float32)).argmax()) == 2


class Foreign:
    """A reranker with one column that likes what holds a word."""

    name = "foreign"

    def __init__(self, word: str) -> None:
        self.word = word
        self.asked: list[tuple[str, ...]] = []

    def scores(self, question: str, passages: Sequence[str]) -> np.ndarray:
        self.asked.append(tuple(passages))
        return np.asarray([[0.9 if self.word in text else 0.01] for text in passages], np.float32)


def test_a_foreign_model_decides_where_the_order_is_in_doubt(make_library: Callable[..., Library]) -> None:
    library = make_library({f"{n}.txt": f"区第{n}小学{n}班春游通知，请家长准备。" for n in range(1, 30)})
    probe = Foreign("没有的词")
    plain = Retriever(library).search(analyse("小学春游", 2000), 5)
    assert Retriever(library, 50, probe).search(analyse("小学春游", 2000), 5)[0].chunk == plain[0].chunk
    assert 1 < len(probe.asked[0]) <= 10
    liked = probe.asked[0][-1]
    found = Retriever(library, 50, Foreign(liked)).search(analyse("小学春游", 2000), 5)
    assert found[0].chunk.text in liked
    assert found[0].chunk != plain[0].chunk
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)


# --- fetching -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "good"),
    [(NAME, True), ("a/b.c-d_e", True), ("a", False), ("a/b/c", False), ("../b", False), ("a/..", False), ("/a/b", False)],
)  # fmt: skip
def test_names_of_a_hub_are_of_one_form(name: str, good: bool, tmp_path: Path) -> None:
    assert is_hub_name(name) is good
    if not good:
        with pytest.raises(WeightsError, match="not the name of a model"):
            pull_reranker(name, settings_of("auto", tmp_path))


class Hub:
    """A hub's client library, serving one folder; breaks off as often as told."""

    def __init__(self, folder: Path, breaks: int = 0) -> None:
        self.folder, self.breaks = folder, breaks
        self.asked: list[tuple[str, str | None]] = []

    def model_info(self, name: str, **_: Any) -> Any:
        files = [
            SimpleNamespace(rfilename=path.name, size=path.stat().st_size) for path in self.folder.iterdir()
        ]
        return SimpleNamespace(sha="c" * 40, siblings=files)

    def snapshot(self, name: str, **given: Any) -> str:
        import fnmatch
        import shutil

        if given.get("local_files_only"):
            raise FileNotFoundError(name)
        self.asked.append((name, given["revision"]))
        target = Path(given["local_dir"])
        (target / ".cache").mkdir(exist_ok=True)
        for path in self.folder.iterdir():
            if any(fnmatch.fnmatch(path.name, pattern) for pattern in given["allow_patterns"]):
                shutil.copy(path, target)
        if self.breaks:
            self.breaks -= 1
            raise ConnectionError("the line broke at https://user:secret@hub/x")
        return str(target)

    def put_in_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("huggingface_hub.HfApi", lambda endpoint: self)
        monkeypatch.setattr("huggingface_hub.snapshot_download", self.snapshot)


def test_a_pulled_reranker_is_found_by_its_name(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    served = Path(shutil.copytree(model, tmp_path / "served"))
    for other in ("pytorch_model.bin", "modeling.py", "README.md"):
        (served / other).write_text("x", encoding="utf-8")
    hub = Hub(served)
    hub.put_in_place(monkeypatch)
    settings = settings_of(NAME, tmp_path)
    assert locate_reranker(NAME, settings) is None
    folder = pull_reranker(NAME, settings)
    assert pull_reranker(NAME, settings) == folder == locate_reranker(NAME, settings)
    assert hub.asked == [(NAME, "c" * 40)]
    kept = {path.name for path in folder.iterdir()}
    assert {"model.safetensors", "config.json", MARKER} <= kept
    assert not {"pytorch_model.bin", "modeling.py", ".cache"} & kept
    reranker = open_reranker(settings, E5_NAME)
    assert reranker is not None
    assert reranker.name.startswith(f"{NAME}@")
    assert reranker.scores("小区", PASSAGES).shape == (3, 1)


def test_a_pull_that_was_cut_off_leaves_nothing_that_would_be_used(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Hub(model, breaks=1).put_in_place(monkeypatch)
    settings = settings_of(NAME, tmp_path)
    with pytest.raises(WeightsError, match="could not be fetched") as error:
        pull_reranker(NAME, settings)
    assert "secret" not in str(error.value)
    assert f"models pull --reranker {NAME}" in error.value.fix
    assert locate_reranker(NAME, settings) is None
    assert pull_reranker(NAME, settings) == locate_reranker(NAME, settings)


def test_a_pull_without_a_hub_or_without_weights_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WeightsError, match="no hub is named"):
        pull_reranker(NAME, settings_of(NAME, tmp_path, models_hub=None))
    served = tmp_path / "served"
    served.mkdir()
    (served / "pytorch_model.bin").write_bytes(b"x")
    Hub(served).put_in_place(monkeypatch)
    with pytest.raises(WeightsError, match="no weights as safetensors"):
        pull_reranker(NAME, settings_of(NAME, tmp_path))


def test_the_pull_command_fetches_a_reranker(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ui import cli

    Hub(model).put_in_place(monkeypatch)
    monkeypatch.setattr(
        "sys.argv",
        ["wenzheng", "models", "pull", "--reranker", NAME, "--models", str(tmp_path / "models")],
    )
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert NAME in capsys.readouterr().out
    assert (tmp_path / "models" / "rerankers" / NAME.replace("/", "--") / "config.json").is_file()


def test_the_doctor_says_which_reranker_is_in_use(model: Path, tmp_path: Path) -> None:
    from ui.doctor import examine

    def told(rerank: str | Path, **more: Any) -> tuple[bool, str, str]:
        checks = {check.name: check for check in examine(settings_of(rerank, tmp_path, **more))}
        check = checks["reranker"]
        return check.ok, check.finding, check.fix

    assert told("off") == (True, "none: the setting rerank is off", "")
    assert "comes with the program, over e5-small" in told("auto")[1]
    assert told("auto", embedding_model=str(model))[1].startswith("none")
    assert told(model)[1].startswith("tiny@")
    good, _, fix = told("nobody/nothing-of-this-name")
    assert not good
    assert "wenzheng models pull --reranker nobody/nothing-of-this-name" in fix
