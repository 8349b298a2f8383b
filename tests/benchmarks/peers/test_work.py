from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.peers.work import Text, asked, digest_of, file_name, file_text, texts_of, write_work
from eval.cases import Benchmark, BenchmarkDocument, Case
from rag.types import Turn

BENCHMARK = Benchmark(
    "invented",
    "wenzheng",
    (BenchmarkDocument("d/1", "正文一。", "标题一"), BenchmarkDocument("d/2", "标题二\n正文二。", "标题二")),
    tuple(Case(str(n), f"问题{n}？") for n in range(10)),
)


def test_files_are_given_as_ingestion_reads_them(tmp_path: Path) -> None:
    (tmp_path / "通知.txt").write_bytes("关于停水的通知\n明日停水。".encode("gb18030"))
    (tmp_path / "questions.jsonl").write_text("", encoding="utf-8")
    texts = texts_of(Benchmark("x", "samples", (), (), folder=tmp_path))
    assert [(text.id, text.text) for text in texts] == [("通知.txt", "关于停水的通知\n明日停水。")]


def test_the_title_stands_above_the_text_once() -> None:
    one, two = texts_of(BENCHMARK)
    assert file_text(one) == "标题一\n\n正文一。"
    assert file_text(two) == "标题二\n正文二。"


def test_follow_up_questions_are_not_asked() -> None:
    follow_up = Case("later", "那呢？", history=(Turn("user", "先前？"),))
    benchmark = replace(BENCHMARK, cases=(*BENCHMARK.cases, follow_up))
    assert asked(benchmark, None, 0) == list(BENCHMARK.cases)


def test_the_draw_is_the_same_for_the_same_seed() -> None:
    assert asked(BENCHMARK, 4, 7) == asked(BENCHMARK, 4, 7)
    assert len(asked(BENCHMARK, 4, 7)) == 4
    assert asked(BENCHMARK, 4, 7) != asked(BENCHMARK, 4, 8)


def test_the_work_folder_holds_all_that_a_peer_needs(tmp_path: Path) -> None:
    characters = write_work(tmp_path, texts_of(BENCHMARK), BENCHMARK.cases[:2])
    files = sorted((tmp_path / "documents").iterdir())
    ids = json.loads((tmp_path / "documents.json").read_text(encoding="utf-8"))
    assert [ids[file.name] for file in files] == ["d/1", "d/2"]
    assert characters == sum(len(file.read_text(encoding="utf-8")) for file in files)
    asked_of = (tmp_path / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in asked_of] == [
        {"id": "0", "question": "问题0？"},
        {"id": "1", "question": "问题1？"},
    ]


@given(st.text(min_size=1, max_size=200), st.text(max_size=200), st.integers(min_value=1, max_value=99_999))
def test_any_document_gets_a_name_that_a_disk_takes(id_: str, title: str, number: int) -> None:
    name = file_name(Text(id_, title, ""), number)
    assert "/" not in name
    assert "\0" not in name
    assert name.endswith(".txt")
    assert len(name.encode("utf-8", "replace")) <= 255
    assert name.startswith(f"{number:05d}")


def test_other_work_has_another_name() -> None:
    texts, cases = texts_of(BENCHMARK), BENCHMARK.cases
    name = digest_of(texts, cases, ["model"])
    assert name == digest_of(texts, cases, ["model"])
    assert name != digest_of(texts, cases, ["other"])
    assert name != digest_of(texts[:1], cases, ["model"])
    assert name != digest_of(texts, cases[:3], ["model"])
