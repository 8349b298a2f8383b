from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval import scale
from eval.cases import BenchmarkDocument
from rag.library import Library
from rag.settings import Settings

PLACES = ("河东", "河西", "南山", "北湖", "东岭", "西塘", "中洲", "新桥")
WORKS = ("供水管网", "公交站台", "养老驿站", "口袋公园", "菜市场", "充电桩", "排水沟", "图书室")

SMALL = scale.StandInEmbedder(["甲乙", "乙丙"])


def made_documents(count: int) -> list[BenchmarkDocument]:
    """Notices of one passage each, of which no two are alike."""
    found = []
    for number in range(count):
        place, work = PLACES[number % 8], WORKS[number // 8 % 8]
        text = f"{place}街道第{number}号通知\n{place}街道将于今年改造{work}{number}处，由街道办事处负责，年底前完成全部工程。"
        found.append(BenchmarkDocument(f"{number:06}", text))
    return found


@pytest.fixture(scope="module")
def stand_in() -> scale.StandInEmbedder:
    return scale.StandInEmbedder(document.text for document in made_documents(200))


def test_stand_in_vectors_have_length_one_and_are_the_same_for_the_same_sample(
    stand_in: scale.StandInEmbedder,
) -> None:
    again = scale.StandInEmbedder(document.text for document in made_documents(200))
    texts = ["河东街道改造供水管网", "x", ""]
    vectors = stand_in.embed_passages(texts)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert np.array_equal(vectors, again.embed_queries(texts))


def test_a_question_lies_nearest_to_the_text_it_shares_rare_words_with(
    stand_in: scale.StandInEmbedder,
) -> None:
    passages = [document.text for document in made_documents(64)]
    near = stand_in.embed_passages(passages) @ stand_in.embed_query(
        "第27号通知：北湖街道将于今年改造口袋公园27处吗？"
    )
    assert int(near.argmax()) == 27
    assert near[27] > np.sort(near)[-2] + 0.01


def test_unlike_texts_lie_as_far_apart_as_those_of_a_model(stand_in: scale.StandInEmbedder) -> None:
    one, two = stand_in.embed_passages(["山中无老虎猴子称大王", "quarterly report of the water board"])
    assert 0.7 < float(one @ two) < 0.85


@given(st.text(max_size=40))
def test_any_text_has_a_vector(text: str) -> None:
    vector = SMALL.embed_query(text)
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_questions_are_openings_and_generic_words_by_halves() -> None:
    documents = made_documents(80)
    found = scale.questions_of(documents, 40)
    openings = {document.text.partition("\n")[0] for document in documents}
    assert len(found) == len(set(found)) == 40
    assert sum(question in openings for question in found) == 20
    assert all(" " in question for question in found if question not in openings)
    assert found == scale.questions_of(documents, 40)


def test_a_part_is_counted_without_the_parts_inside_it() -> None:
    watch = scale.Stopwatch()
    inner = watch.timed(lambda: time.sleep(0.02), "inner")
    with watch.part("outer"):
        inner()
        inner()
    taken = watch.taken()
    assert taken["inner"].wall >= 0.04
    assert taken["outer"].wall < taken["inner"].wall
    assert taken["inner"].worked < taken["inner"].wall
    assert watch.taken() == {}


def test_a_generator_is_counted_by_its_steps_alone() -> None:
    watch = scale.Stopwatch()
    steps = watch.timed_steps(lambda: iter((1, 2, 3)), "steps")
    with watch.part("around"):
        for _ in steps():
            time.sleep(0.02)
    taken = watch.taken()
    assert taken["steps"].wall < taken["around"].wall
    assert taken["around"].wall >= 0.06


def test_a_stage_tells_medians_and_the_share_that_was_reranked() -> None:
    taken = [
        {"lexical": scale.Spent(0.001 * n, 0.002), "rest": scale.Spent(0.001, 0.001)} for n in range(1, 100)
    ]
    taken.append(
        {"lexical": scale.Spent(0.1, 0.002), "rest": scale.Spent(0.001), "reranker": scale.Spent(0.2)}
    )
    found = scale.stage(taken)
    assert found.parts["lexical"].median == pytest.approx(50.5, abs=0.1)
    assert found.parts["lexical"].worked == 2.0
    assert found.total.median == pytest.approx(51.5, abs=0.1)
    assert found.parts["reranker"].median == 200.0
    assert found.reranked == 0.01


def test_a_library_grows_to_a_size_and_goes_on_from_there(
    settings: Settings, stand_in: scale.StandInEmbedder
) -> None:
    documents = made_documents(120)
    with Library.open(settings, stand_in, writable=True) as library:
        taken = scale.grow(library, documents, 0, 30, settings)
        held = library.catalog.chunk_count()
        assert 30 <= held < 60
        assert scale.grow(library, documents, taken, held, settings) == taken
        assert scale.grow(library, documents, taken, 10_000, settings) == 120
        assert len(library.documents()) == 120


@pytest.fixture
def measured(
    settings: Settings, stand_in: scale.StandInEmbedder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> scale.Measured:
    monkeypatch.setattr(scale, "WARM_UP", 2)
    monkeypatch.setattr(scale, "RERANKED", 3)
    documents = made_documents(60)
    with Library.open(settings, stand_in, writable=True) as library:
        scale.grow(library, documents, 0, 1000, settings)
    prepared = tmp_path / "questions.npz"
    scale.prepare(scale.questions_of(documents, 16), stand_in, settings, prepared)
    return scale.measure(settings, prepared, models=False)


def test_a_measurement_accounts_for_the_whole_search(measured: scale.Measured) -> None:
    assert measured.documents == 60
    assert measured.first.questions == 10
    assert set(measured.first.parts) == set(scale.COMPONENTS)
    parts = measured.first.parts.values()
    assert all(part.median > 0.0 for part in parts)
    assert sum(part.median for part in parts) < 2 * measured.first.total.median
    assert measured.both is None
    assert measured.memory["all questions"] >= 0.9 * measured.memory["program"] > 0


def test_a_measurement_survives_being_kept(measured: scale.Measured) -> None:
    assert scale.read_measured(json.loads(json.dumps(asdict(measured)))) == measured


def test_the_table_has_a_column_a_size_and_says_how_cost_grows() -> None:
    took = [scale.Took(2.0, 4.0, 1.0), scale.Took(9.0, 18.0, 2.0)]
    stages = [scale.Stage(9, {"lexical": one}, one) for one in took]
    found = [
        scale.Measured(size, size // 4, 1.0, 900.0, 5.0, one, None, {"program": 100.0})
        for size, one in zip((1000, 16_000), stages, strict=True)
    ]
    lines = scale.table(found).splitlines()
    assert lines[0] == "| passages (documents) | 1,000 (250) | 16,000 (4,000) |"
    assert "| lexical, ms | 2.0 / 4.0 (1.0) | 9.0 / 18.0 (2.0) |" in lines
    assert "| growth of the processors' time with size, exponent |  | 0.25 |" in lines
    assert "| memory: program, MB | 100 | 100 |" in lines
    assert all(line.count("|") == 4 for line in lines)
