from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest.loading import document_id, load, parse
from rag.errors import SourceEmpty, SourceNotFound, SourceTooLarge, SourceUnsupported


def test_a_file_becomes_a_cleaned_and_described_document(tmp_path: Path) -> None:
    path = tmp_path / "通知 【2025】.txt"
    path.write_bytes("关于补贴的通知\r\n发布日期：2025年6月16日\r\n补贴22万元。\r\n".encode("gb18030"))
    document = load(path)
    assert document.text == "关于补贴的通知\n发布日期：2025年6月16日\n补贴22万元。"
    assert document.source.title == "关于补贴的通知"
    assert document.source.published == "2025-06-16"
    assert document.source.encoding == "gb18030"
    assert document.source.id == document_id(path)


def test_the_id_stays_over_edits_and_the_digest_does_not(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("第一版。", encoding="utf-8")
    first = load(path)
    path.write_text("第二版。", encoding="utf-8")
    second = load(path)
    assert first.source.id == second.source.id
    assert first.source.digest != second.source.digest


@pytest.mark.parametrize("content", [b"", b"  \n\t ", "\ufeff \u200b\n".encode()])
def test_a_file_without_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "空.txt"
    path.write_bytes(content)
    with pytest.raises(SourceEmpty, match=r"空\.txt"):
        load(path)


def test_a_missing_path_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="does not exist"):
        load(tmp_path / "没有.txt")
    with pytest.raises(SourceNotFound, match="is a folder"):
        load(tmp_path)


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "大.txt"
    with path.open("wb") as file:
        file.truncate(1024**3)
    with pytest.raises(SourceTooLarge, match=r"1,024 MB, over the limit of 64 MB"):
        load(path)


def test_other_kinds_are_refused_with_the_kinds_that_are_read(tmp_path: Path) -> None:
    with pytest.raises(SourceUnsupported, match=r"\.txt"):
        parse(tmp_path / "图.png", b"\x89PNG")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(SourceNotFound, match="no plain file"):
        load(tmp_path / "a.txt")
