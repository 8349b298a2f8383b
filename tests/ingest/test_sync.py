from __future__ import annotations

from pathlib import Path

import pytest
from conftest import FakeEmbedder

from ingest.sync import SyncProgress, sync
from rag.errors import SourceNotFound
from rag.library import Library
from rag.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "甲.txt").write_text("区住建局改造老旧小区28个。", encoding="utf-8")
    (folder / "乙.md").write_text("# 通知\n补贴22万元。", encoding="utf-8")
    (folder / "空.txt").write_bytes(b"")
    (folder / "图.dwg").write_bytes(b"AC1032")
    (folder / ".hidden.txt").write_text("看不见。", encoding="utf-8")
    return folder


def statuses(folder: Path, library: Library, settings: Settings, *, prune: bool = False) -> dict[str, str]:
    report = sync([folder], library, settings, prune=prune)
    return {Path(file.path).name: file.status for file in report.files}


def test_each_file_is_told_and_one_bad_file_stops_nothing(
    folder: Path, library: Library, settings: Settings
) -> None:
    report = sync([folder], library, settings)
    assert {Path(f.path).name: f.status for f in report.files} == {
        "甲.txt": "added",
        "乙.md": "added",
        "空.txt": "failed",
        "图.dwg": "skipped",
    }
    assert next(f.reason for f in report.files if f.status == "failed").startswith("空.txt is empty.")
    assert len(library.documents()) == 2


def test_a_second_run_does_nothing_and_encodes_nothing(
    folder: Path, library: Library, settings: Settings, embedder: FakeEmbedder
) -> None:
    sync([folder], library, settings)
    embedder.encoded.clear()
    assert statuses(folder, library, settings)["甲.txt"] == "unchanged"
    assert embedder.encoded == []


def test_an_edited_file_is_an_update(folder: Path, library: Library, settings: Settings) -> None:
    sync([folder], library, settings)
    (folder / "甲.txt").write_text("区住建局改造老旧小区30个。", encoding="utf-8")
    assert statuses(folder, library, settings)["甲.txt"] == "updated"
    texts = [library.catalog.document(v.source.id) for v in library.documents()]
    assert "区住建局改造老旧小区30个。" in [d.text for d in texts if d is not None]
    assert len(library.documents()) == 2


def test_files_that_went_are_removed_only_when_asked(
    folder: Path, library: Library, settings: Settings
) -> None:
    sync([folder], library, settings)
    (folder / "甲.txt").unlink()
    assert "甲.txt" not in statuses(folder, library, settings)
    assert statuses(folder, library, settings, prune=True)["甲.txt"] == "removed"
    assert [v.source.title for v in library.documents()] == ["通知"]


def test_pruning_leaves_other_folders_alone(
    folder: Path, library: Library, settings: Settings, tmp_path: Path
) -> None:
    other = tmp_path / "in2"
    other.mkdir()
    (other / "丙.txt").write_text("另一个文件夹的文件。", encoding="utf-8")
    sync([folder, other], library, settings)
    sync([folder], library, settings, prune=True)
    assert len(library.documents()) == 3


def test_a_missing_path_changes_nothing(
    folder: Path, library: Library, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(SourceNotFound, match="does not exist"):
        sync([folder, tmp_path / "没有"], library, settings)
    assert library.documents() == []


def test_a_file_that_turned_bad_keeps_its_old_version(
    folder: Path, library: Library, settings: Settings
) -> None:
    sync([folder], library, settings)
    (folder / "甲.txt").write_bytes(b"")
    assert statuses(folder, library, settings)["甲.txt"] == "failed"
    assert len(library.documents()) == 2


def test_a_link_out_of_the_folder_is_not_followed(
    folder: Path, library: Library, settings: Settings, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("不该被读到。", encoding="utf-8")
    (folder / "link.txt").symlink_to(secret)
    assert statuses(folder, library, settings)["link.txt"] == "failed"
    assert all("不该被读到" not in library.catalog.document(v.source.id).text for v in library.documents())


def test_progress_counts_files_up_to_the_end(folder: Path, library: Library, settings: Settings) -> None:
    steps: list[SyncProgress] = []
    sync([folder], library, settings, steps.append)
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert (steps[-1].done, steps[-1].total) == (4, 4)
    assert steps[-1].passages == 2


def test_an_interrupted_run_keeps_what_is_in_and_goes_on(
    library: Library, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(90):
        (folder / f"{n:02}.txt").write_text(
            "\n".join(f"第{n}号文件第{i}段：{'内容' * 60}。" for i in range(20)), encoding="utf-8"
        )
    real = library.commit
    calls = 0

    def interrupted(*args: object, **kwargs: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(library, "commit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sync([folder], library, settings)
    kept = len(library.documents())
    assert 0 < kept < 90
    monkeypatch.setattr(library, "commit", real)
    report = sync([folder], library, settings)
    assert (report.count("unchanged"), report.count("added")) == (kept, 90 - kept)
