from __future__ import annotations

from pathlib import Path

from ingest.walking import walk


def names(paths: list[Path], home: Path | None = None) -> list[str]:
    return [found.path.name for found in walk(paths, home)]


def test_files_come_once_in_order_and_what_is_no_document_is_left_out(tmp_path: Path) -> None:
    for name in ("乙.txt", "甲.txt", ".hidden", "~$甲.docx", "Thumbs.db", ".git/config", "下级/丙.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    expected = [
        str(p.relative_to(tmp_path)) for p in sorted([*tmp_path.glob("[甲乙].txt"), tmp_path / "下级/丙.txt"])
    ]
    found = [str(f.path.relative_to(tmp_path)) for f in walk([tmp_path, tmp_path / "甲.txt"])]
    assert found == expected
    assert [f.named for f in walk([tmp_path / ".hidden"])] == [True]


def test_the_library_is_not_taken_into_itself(tmp_path: Path) -> None:
    home = tmp_path / "data"
    home.mkdir()
    (home / "catalog.sqlite3").write_bytes(b"x")
    (tmp_path / "a.txt").write_bytes(b"x")
    assert names([tmp_path], home) == ["a.txt"]
    assert names([home], home) == ["catalog.sqlite3"]


def test_links_that_lead_out_are_told_and_links_within_are_followed(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "out.txt").write_bytes(b"x")
    (inside / "a.txt").write_bytes(b"x")
    (inside / "b.txt").symlink_to(inside / "a.txt")
    (inside / "c.txt").symlink_to(tmp_path / "out.txt")
    (inside / "d.txt").symlink_to(tmp_path / "nowhere.txt")
    assert {f.path.name: f.leads_out for f in walk([inside])} == {
        "a.txt": False,
        "b.txt": False,
        "c.txt": True,
    }
