"""The reranker over the embedding model's own transformer."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from rag.acceleration import is_installed
from rag.embedding import E5_NAME, open_embedder, token_encoder
from rag.reranking import Reranker, open_reranker, reader_of, reranking_text
from rag.settings import Settings, load_settings
from rag.types import Chunk, Source, Speech


def test_it_is_not_used_with_another_embedding_model_or_when_it_is_off(tmp_path) -> None:
    settings = Settings(home=tmp_path, models=tmp_path)
    assert open_reranker(settings, "some/other-model@12345678") is None
    assert open_reranker(settings.model_copy(update={"rerank": "off"}), E5_NAME) is None


def test_it_reads_what_frames_a_passage_in_simplified_script() -> None:
    text = "將改造老舊小區28個。"
    chunk = Chunk("d", 0, 0, len(text), text, heading="住房", speeches=(Speech(0, 10, "局長田禾", "住建局"),))
    source = Source("d", "/d.txt", "區委全會", "0" * 64, "text/plain")
    assert reranking_text(source, chunk) == "区委全会\n住房\n住建局局长田禾\n将改造老旧小区28个。"


# --- the real model -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> Reranker:
    found = open_reranker(load_settings({}), E5_NAME)
    assert found is not None
    return found


PASSAGES = (
    "区住建局局长田禾表示，明年将改造老旧小区28个，惠及居民一万户。",
    "区文旅局局长白露表示，将打造湖畔音乐节品牌。",
    "The transport bureau will open two new bus lines before the end of March.",
    "每台电梯补贴标准为22万元，申报截止日期为2026年9月30日。",
)


@pytest.mark.model
@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("住建局要改造多少个老旧小区？", 0),
        ("音乐节 品牌", 1),
        ("新增几条公交线路？", 2),
        ("How much is the subsidy for a lift?", 3),
        ("加裝電梯補貼多少", 3),
    ],
)
def test_the_passage_that_answers_is_the_most_relevant(real: Reranker, question: str, best: int) -> None:
    scores = real.scores(question, PASSAGES)
    assert scores.shape == (4, 3)
    assert scores.argmax(0).tolist() == [best] * 3


@pytest.mark.model
def test_a_passage_scores_alike_alone_and_beside_others(real: Reranker) -> None:
    together = real.scores("补贴多少？", PASSAGES)
    # Another one, for what was just read is remembered.
    other = open_reranker(load_settings({}), E5_NAME)
    assert other is not None
    alone = np.concatenate([other.scores("补贴多少？", [passage]) for passage in PASSAGES])
    assert np.abs(together - alone).max() < 0.25
    assert real.scores("补贴多少？", []).shape == (0, 3)


@pytest.mark.model
@pytest.mark.parametrize(
    ("question", "passage", "words"),
    [
        ("每台补贴多少？", "电梯补贴每台22万元，由区住建局负责受理。", "22万元"),
        ("How many bus lines will open?", "The bureau will open twenty-seven new bus lines.", "twenty-seven"),
    ],
)
def test_reading_tells_the_words_that_answer_and_where_none_do(
    real: Reranker, question: str, passage: str, words: str
) -> None:
    reader = reader_of(real)
    assert reader is not None
    other = "湖畔音乐节将于五月在体育馆举行，门票免费。"
    found, none = reader.read(question, [f"通知\n{passage}", f"通知\n{other}"])
    assert f"通知\n{passage}"[found.start : found.end] == words
    assert found.answers > none.answers + 2.0
    assert found.margin > none.margin + 2.0
    assert found.relevance > none.relevance
    assert reader.read(question, []) == []


def test_no_other_reranker_reads() -> None:
    assert reader_of(None) is None


@pytest.mark.model
def test_the_open_embedding_model_serves_it_too(real: Reranker) -> None:
    settings = load_settings({})
    embedder = open_embedder(settings)
    sharing = open_reranker(settings, embedder.name, token_encoder(embedder))
    assert sharing is not None
    for question in ("住建局要改造多少个老旧小区？", "長" * 900):
        texts = [*PASSAGES, "长" * 5000, ""]
        assert np.allclose(sharing.scores(question, texts), real.scores(question, texts), atol=1e-3)


@pytest.mark.model
def test_what_was_just_ranked_is_read_the_same_in_any_company(real: Reranker) -> None:
    reader, other = reader_of(real), reader_of(open_reranker(load_settings({}), E5_NAME))
    assert reader is not None
    assert other is not None
    asked = "每台补贴多少？"
    ranked = real.scores(asked, PASSAGES)
    for passage, (relevance, answers, _) in zip(PASSAGES, ranked, strict=True):
        (again,), (apart,) = reader.read(asked, [passage]), other.read(asked, [passage])
        assert (again.relevance, again.answers) == (float(relevance), float(answers))
        assert abs(again.margin - apart.margin) < 0.5


@pytest.mark.model
def test_odd_texts_have_scores(real: Reranker) -> None:
    texts = ["", " ", "住\ud800建", "长" * 5000, "\x00", "😀"]
    assert np.isfinite(real.scores("?" * 3000, texts)).all()
    assert np.isfinite(real.scores("\udfff", texts)).all()


@pytest.mark.model
def test_threads_may_share_it(real: Reranker) -> None:
    expected = real.scores("补贴多少？", PASSAGES)
    fresh = open_reranker(load_settings({}), E5_NAME)
    assert fresh is not None
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: found.append(fresh.scores("补贴多少？", PASSAGES))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(np.allclose(one, expected) for one in found)


@pytest.mark.model
@pytest.mark.skipif(not is_installed(), reason="the extra openvino is not installed")
def test_both_engines_agree(real: Reranker) -> None:
    torch = open_reranker(load_settings({"embedding_backend": "torch"}), E5_NAME)
    assert torch is not None
    for question in ("住建局要改造多少个老旧小区？", "How much is the subsidy for a lift?"):
        one, other = real.scores(question, PASSAGES), torch.scores(question, PASSAGES)
        assert np.abs(one - other).max() < 0.5
        assert (one.argmax(0) == other.argmax(0)).all()
