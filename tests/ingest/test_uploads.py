"""Uploaded files on the disk: names that lead nowhere, versions that are kept, and what is undone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.uploads import MAX_NAME_BYTES, Uploads, safe_name
from rag.errors import SourceNotFound

FIRST, SECOND = "0" * 15 + "1", "0" * 15 + "2"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("通知.docx", "通知.docx"),
        ("C:\\文件\\通知.docx", "通知.docx"),
        ("../../etc/passwd", "passwd"),
        (".bashrc", "bashrc"),
        ("~$通知.docx", "通知.docx"),
        ("a\u202etxt.exe", "a_txt.exe"),
        ("甲:乙?.txt", "甲_乙_.txt"),
        ("e\u0301te\u0301.txt", "été.txt"),
    ],
)
def test_names_are_made_safe(sent: str, stored: str) -> None:
    assert safe_name(sent) == stored


@pytest.mark.parametrize("sent", ["", "/", "..", "...", "\x00\x01", "目录/"])
def test_what_is_no_name_is_refused(sent: str) -> None:
    if sent == "目录/":
        assert safe_name(sent) == "目录"
        return
    with pytest.raises(SourceNotFound):
        safe_name(sent)


@given(st.text(max_size=300) | st.text("~$._ a/", max_size=8))
@example("~")
def test_a_safe_name_is_one_short_part_and_stays_as_it_is(sent: str) -> None:
    try:
        name = safe_name(sent)
    except SourceNotFound:
        return
    assert "/" not in name
    assert "\\" not in name
    assert not name.startswith(".")
    assert 0 < len(name.encode()) <= MAX_NAME_BYTES + 1
    assert Path(name).name == name
    assert safe_name(name) == name


def test_a_file_of_the_same_name_is_a_new_version(tmp_path) -> None:
    uploads = Uploads(tmp_path)
    uploads.put(FIRST, b"one")
    assert uploads.place(FIRST, "a.txt") == ""
    uploads.put(SECOND, b"two")
    version = uploads.place(SECOND, "a.txt")
    assert uploads.path("a.txt").read_bytes() == b"two"
    (earlier,) = uploads.earlier("a.txt")
    assert (earlier.id, earlier.size) == (version, 3)
    assert uploads.read_earlier("a.txt", version) == b"one"
    assert not uploads.waiting()


def test_what_failed_is_taken_back_and_waits(tmp_path) -> None:
    uploads = Uploads(tmp_path)
    uploads.put(FIRST, b"one")
    uploads.place(FIRST, "a.txt")
    uploads.put(SECOND, b"two")
    uploads.take_back(SECOND, "a.txt", uploads.place(SECOND, "a.txt"))
    assert uploads.path("a.txt").read_bytes() == b"one"
    assert uploads.waits(SECOND)
    assert uploads.earlier("a.txt") == []


def test_versions_are_asked_for_by_name_alone(tmp_path) -> None:
    uploads = Uploads(tmp_path)
    (tmp_path / "secret").write_text("x")
    for name, version in (("a.txt", "../../../secret"), ("../..", "20260101-000000-00"), ("a.txt", "")):
        with pytest.raises(SourceNotFound):
            uploads.read_earlier(name, version)
    with pytest.raises(SourceNotFound):
        uploads.put("../x", b"")


def test_the_name_of_a_path_is_that_of_the_upload_it_lies_in(tmp_path) -> None:
    uploads = Uploads(tmp_path)
    path = str(uploads.path("卷宗.zip"))
    assert uploads.name_at(path) == uploads.name_at(f"{path}/内/甲.txt") == "卷宗.zip"
    assert uploads.name_at(str(tmp_path / "other.txt")) == ""


def test_forgetting_takes_every_version(tmp_path) -> None:
    uploads = Uploads(tmp_path)
    for id_ in (FIRST, SECOND):
        uploads.put(id_, id_.encode())
        uploads.place(id_, "a.txt")
    uploads.forget(["a.txt", "none.txt"])
    assert not uploads.path("a.txt").exists()
    assert uploads.earlier("a.txt") == []
