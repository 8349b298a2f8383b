from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import FakeEmbedder
from hypothesis import given
from hypothesis import strategies as st
from measured_sets import INFO, ranked, write_set

from eval.cases import Benchmark, Case
from eval.regression.legs import LEGS, legs_alone
from eval.regression.measuring import FUSED, MAIN, Measured, average, measure, rounded, row_of
from eval.regression.sets import RetrievalSet, load_set, retrieval_sets
from rag.errors import SettingsError, SourceEmpty, SourceNotFound
from rag.library import Library
from rag.settings import Settings
from rag.types import Turn


def measured(
    name: str, fused: list[int | None], dense: list[int | None], lexical: list[int | None]
) -> Measured:
    results = [[ranked(n, rank) for n, rank in enumerate(ranks)] for ranks in (fused, dense, lexical)]
    legs = {"dense": results[1], "lexical": results[2]}
    return Measured(row_of(name, INFO, results[0], legs), INFO, results[0], legs)


def test_the_better_leg_is_what_the_fusion_is_held_against() -> None:
    row = measured("路灯", [1] * 40, [1] * 20 + [None] * 20, [2] * 40).row
    assert (row.documents, row.chunks, row.n, row.milliseconds) == (3, 4, 40, 20.0)
    assert row.means[FUSED]["recall@1"].value == 1.0
    assert row.means["lexical"]["mrr@10"].value == 0.5
    at_1, at_5 = row.differences["recall@1"], row.differences["recall@5"]
    assert (at_1.leg, at_1.value) == ("dense", 0.5)
    assert at_1.low > 0
    assert at_1.p < 0.05
    assert (at_5.leg, at_5.value) == ("lexical", 0.0)


def test_a_worse_fusion_has_a_difference_below_zero() -> None:
    difference = measured("路灯", [3] * 40, [1] * 40, [2] * 40).row.differences[MAIN]
    assert difference.leg == "dense"
    assert difference.high < 0


def test_the_average_gives_each_set_the_same_weight() -> None:
    big = measured("大", [1] * 90, [1] * 90, [2] * 90)
    small = measured("小", [None] * 10, [None] * 10, [1] * 10)
    row = average([big, small])
    assert row is not None
    assert row.means[FUSED]["recall@1"].value == 0.5
    assert (row.n, row.documents) == (100, 6)
    difference = row.differences["recall@1"]
    assert (difference.leg, difference.value) == (
        "",
        -0.5,
    )  # 0 against dense in one, -1 against lexical in the other
    assert average([big]) is None


def test_each_leg_alone_is_the_index_own_ranking(
    make_library: Callable[..., Library], settings: Settings, tmp_path: Path
) -> None:
    texts = {f"{n}.txt": f"第{n}号路灯位于槐安巷{n * 7}号。" for n in range(6)} | {
        "again.txt": "第3号路灯位于槐安巷21号。"
    }
    library = make_library(texts)
    case = Case("q", "第3号路灯在槐安巷几号？", gold=("3.txt",))
    benchmark = Benchmark("路灯", "samples", (), (case,), folder=tmp_path)
    told: list[int] = []
    found = legs_alone(library, benchmark, [case], settings, told.append)
    dense = library.index.dense(library.embedder.embed_query(case.question), 50)
    lexical = library.index.lexical(case.question, 50)
    for leg, hits in (("dense", dense), ("lexical", lexical)):
        chunks = library.catalog.live_chunks(key for key, _ in hits)
        expected = list(dict.fromkeys(chunks[key][0].text for key, _ in hits))
        (result,) = found[leg]
        assert [passage.text for passage in result.passages] == expected
        assert len(expected) == 6  # the same text twice counts once
        assert result.passages[0].score == hits[0][1]
        assert result.metrics["recall@10"] == 1.0
    assert told == [1]


def test_a_leg_searches_for_what_a_follow_up_leans_on(
    make_library: Callable[..., Library], settings: Settings
) -> None:
    library = make_library({"灯.txt": "槐安巷路灯由二班值守。", "桥.txt": "梨花桥由四班值守。"})
    history = (Turn("user", "梨花桥由哪个班值守？"), Turn("assistant", "四班。"))
    cases = [Case("q", "它在哪里？", gold=("桥",), history=history), Case("long", "灯" * 3000, gold=("灯",))]
    found = legs_alone(library, Benchmark("b", "wenzheng", (), ()), cases, settings)
    for leg in LEGS:
        assert found[leg][0].passages[0].text.startswith("梨花桥")
        assert found[leg][1].error
        assert found[leg][1].metrics[MAIN] == 0.0  # a question that cannot be asked found nothing


def test_a_set_is_measured_over_its_corpus_and_the_index_is_kept(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeEmbedder()
    monkeypatch.setattr("eval.runner.open_embedder", lambda settings: fake)
    wanted = RetrievalSet("路灯", write_set(tmp_path / "路灯"), questions=3)
    phases: list[str] = []

    def go(limit: int | None) -> Measured:
        return measure(
            wanted, limit, 1, settings, fake, tmp_path / "cache", lambda step: phases.append(step.phase)
        )

    first = go(None)
    assert (first.row.name, first.row.documents, first.row.n) == ("路灯", 4, 3)
    assert set(first.row.means) == {FUSED, *LEGS}
    assert first.row.milliseconds > 0
    assert [r.case.id for r in first.legs["dense"]] == [r.case.id for r in first.fused]
    assert phases[0] == "indexing"
    assert phases[-1] == "legs"
    encoded = len(fake.encoded)
    again = go(2)
    assert again.row.n == 2
    assert len(fake.encoded) == encoded


def test_sets_are_the_samples_and_what_the_data_folder_should_hold(tmp_path: Path) -> None:
    assert [found.name for found in retrieval_sets(tmp_path, None)] == ["samples"]
    names = [found.name for found in retrieval_sets(tmp_path, tmp_path)]
    assert {"cmrc2018", "drcd", "kdconv follow-ups"} < set(names)
    assert "crud_rag" not in names
    assert "crud_rag" in [found.name for found in retrieval_sets(tmp_path, tmp_path, large=True)]
    assert [f.name for f in retrieval_sets(tmp_path, tmp_path, ["kdconv", "drcd"])] == [
        "drcd",
        "kdconv follow-ups",
    ]
    assert [f.name for f in retrieval_sets(tmp_path, tmp_path, ["xquad"])] == ["xquad"]
    assert [f.part for f in retrieval_sets(tmp_path, tmp_path, ["xquad zh on en"])] == ["zh-Hans>en"]
    with pytest.raises(SettingsError, match='no set "drdc"'):
        retrieval_sets(tmp_path, tmp_path, ["drdc"])


def test_only_questions_that_name_a_document_are_asked(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "路灯")
    text = (folder / "queries.jsonl").read_text(encoding="utf-8")
    no_gold = {"id": "u", "question": "市长是谁？", "answers": [], "gold": [], "answerable": False}
    later = {
        "id": "f",
        "question": "它呢？",
        "answers": ["0号"],
        "gold": ["d0"],
        "answerable": True,
        "history": ["路灯？", "有。"],
    }
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in (no_gold, later))
    (folder / "queries.jsonl").write_text(text + lines, encoding="utf-8")
    assert [case.id for case in load_set(RetrievalSet("路灯", folder)).cases] == ["q0", "q1", "q2", "q3", "f"]
    assert [case.id for case in load_set(RetrievalSet("路灯", folder, follow_ups=True)).cases] == ["f"]
    traditional = load_set(RetrievalSet("路灯", folder, script="zh-Hant")).cases
    assert [case.question for case in traditional][-1] == "它呢？"
    assert any("燈" in case.question for case in traditional)
    assert [case.id for case in traditional] == ["q0", "q1", "q2", "q3", "f"]
    with pytest.raises(SourceEmpty, match="names a document"):
        load_set(RetrievalSet("x", write_set(tmp_path / "alone"), follow_ups=True))
    with pytest.raises(SourceNotFound):
        load_set(RetrievalSet("x", tmp_path / "none"))


@given(
    st.recursive(
        st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_rounding_keeps_the_shape_and_is_done_once(record: Any) -> None:
    once = rounded(record)
    assert rounded(once) == once
    assert type(once) is type(record)
