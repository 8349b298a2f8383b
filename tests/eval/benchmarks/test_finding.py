from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.benchmarks import find_benchmark, load_benchmark, reading
from rag.errors import (
    SourceDamaged,
    SourceEmpty,
    SourceError,
    SourceNotFound,
    SourceTooLarge,
    SourceUndecodable,
    SourceUnsupported,
)

QA = {"id": "1", "question": "多少？", "answers": [{"text": "28个", "answer_start": 2}]}
SQUAD = json.dumps(
    {"data": [{"title": "小区", "paragraphs": [{"context": "改造28个。", "qas": [QA]}]}]}, ensure_ascii=False
)
RGB = json.dumps(
    {"id": 0, "query": "多少？", "answer": ["28个"], "positive": ["改造28个。"], "negative": ["无关。"]},
    ensure_ascii=False,
)


def put(tmp_path: Path, content: bytes | str, name: str = "file.bin") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(("content", "form"), [(SQUAD, "squad"), (RGB, "rgb")])
@pytest.mark.parametrize("name", ["a.csv", "b.jsonl", "c"])
def test_the_form_comes_from_the_content(tmp_path: Path, content: str, form: str, name: str) -> None:
    for bytes_ in (content.encode(), content.encode("utf-8-sig"), gzip.compress(content.encode())):
        assert load_benchmark(put(tmp_path, bytes_, name)).form == form


def test_a_file_names_its_benchmark(tmp_path: Path) -> None:
    assert load_benchmark(put(tmp_path, gzip.compress(SQUAD.encode()), "DRCD_dev.json.gz")).name == "DRCD_dev"
    assert load_benchmark(put(tmp_path, SQUAD, ".json")).name == ".json"


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (SQUAD[:-20], SourceDamaged, r"file\.bin is no JSON: .*line 1, column"),
        (RGB + "\n" + RGB[:-20], SourceError, r"file\.bin, line 2, is no JSON"),
        (RGB + "\n[]", SourceError, "line 2, is a list, not an object"),
        (SQUAD.encode("gb18030"), SourceUndecodable, "not UTF-8"),
        (RGB.encode() + b"\n" + RGB.encode("gbk"), SourceUndecodable, r"file\.bin, line 2, is not UTF-8"),
        (SQUAD.encode("utf-16"), SourceUndecodable, "not UTF-8"),
        (gzip.compress(SQUAD.encode())[:-12], SourceDamaged, "damaged gzip"),
        (gzip.compress(SQUAD.encode())[:10] + b"\xff" * 40, SourceDamaged, "damaged gzip"),
        (b"", SourceEmpty, "is empty"),
        (b" \n\n", SourceEmpty, "is empty"),
        (b"[" * 100_000, SourceDamaged, "nested too deeply"),
        ("1" * 5000, SourceDamaged, "is no JSON"),
        (b"3", SourceUnsupported, "form of .* not known"),
        (b"[]", SourceUnsupported, "form of .* not known"),
        (b'{"a": 1}', SourceUnsupported, "form of .* not known"),
        (b'{"id": 1, "question": "x", "gold": []}', SourceUnsupported, "Give the folder"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, content: bytes | str, error: type[SourceError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        load_benchmark(put(tmp_path, content))
    assert caught.value.fix
    assert "“file.bin”" in caught.value.chinese
    assert caught.value.chinese.endswith("。")


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_LINE", 1024 * 1024)
    with pytest.raises(SourceTooLarge, match="line 2, has more than 1 MB"):
        load_benchmark(put(tmp_path, gzip.compress(RGB.encode() + b"\n" + b" " * 2_000_000)))


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,1 dataquery', max_size=40).map(str.encode))
def test_nothing_but_a_source_error_comes_out_of_any_bytes(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    with pytest.raises(SourceError):
        load_benchmark(put(tmp_path_factory.getbasetemp(), content))


def test_a_folder_of_no_known_form_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceUnsupported, match="Known are"):
        load_benchmark(tmp_path)
    put(tmp_path, "{}", "corpus.jsonl")
    with pytest.raises(SourceUnsupported, match=r"no queries\.jsonl"):
        load_benchmark(tmp_path)
    with pytest.raises(SourceNotFound):
        load_benchmark(tmp_path / "nowhere")


def test_noise_and_parts_and_splits_that_do_not_apply_are_refused(tmp_path: Path) -> None:
    path = put(tmp_path, SQUAD)
    with pytest.raises(SourceError, match="Noise is a matter of RGB"):
        load_benchmark(path, noise=0.4)
    with pytest.raises(SourceError, match="Leave the split out"):
        load_benchmark(path, split="dev")
    with pytest.raises(SourceError, match="Choose one of span") as caught:
        load_benchmark(path, part="yesno")
    assert caught.value.chinese == "“file.bin”没有类型为“yesno”的用例。请选用：span。"


def test_a_benchmark_is_found_by_path_or_name(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "drcd"
    folder.mkdir(parents=True)
    put(folder, "", "corpus.jsonl")
    put(folder, "", "queries.jsonl")
    (tmp_path / "data" / "pictures").mkdir()
    roots = [tmp_path / "missing", tmp_path / "data"]
    assert find_benchmark("drcd", roots) == folder
    assert find_benchmark(str(folder), []) == folder
    assert (find_benchmark("samples", roots) / "questions.jsonl").is_file()
    for unknown in ("cmrc", "", "x" * 5000, "a\0b"):
        with pytest.raises(SourceNotFound, match=r"one of these: drcd, samples\.$") as caught:
            find_benchmark(unknown, roots)
        assert caught.value.chinese.endswith("请给出路径，或选用：drcd、samples。")
