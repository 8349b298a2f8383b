"""A folder over time: files are renamed, copied, saved in other formats, edited and deleted."""

from __future__ import annotations

import shutil
import sqlite3
import zipfile
from pathlib import Path

import pytest
from conftest import FakeEmbedder

from ingest.preparing import same_text
from ingest.sync import SyncReport, sync
from rag.errors import LibraryDamaged
from rag.index import remove_index
from rag.library import Library
from rag.pipeline import Pipeline
from rag.settings import Settings

REPORT = (
    "鹿汀区老旧小区改造方案\n"
    + "\n".join(
        f"第{n}项：春江里{n}号楼更新屋面{n * 3}平方米，由区住建局负责，二〇二六年完成。" for n in range(1, 9)
    )
    + "\n"
)
OTHER = "芦湾街道公告\n芦湾码头自七月起停运，恢复时间另行通知。\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "档案"
    folder.mkdir()
    (folder / "方案.txt").write_text(REPORT, encoding="utf-8")
    (folder / "公告.txt").write_text(OTHER, encoding="utf-8")
    return folder


@pytest.fixture
def run(folder: Path, library: Library, settings: Settings):
    def go(*, prune: bool = False) -> dict[str, str]:
        report = sync([folder], library, settings, prune=prune)
        return {str(Path(f.path).relative_to(folder)): f.status for f in report.files}

    return go


def paths(library: Library) -> set[str]:
    return {Path(version.source.path).name for version in library.documents()}


def found(library: Library, text: str) -> list[str]:
    """The documents that either leg finds for a text, through the catalog as a question does."""
    dense = library.index.dense(library.embedder.embed_query(text), 50)
    lexical = library.index.lexical(text, 50)
    chunks = library.catalog.live_chunks({key for key, _ in (*dense, *lexical)})
    return sorted(Path(source.path).name for chunk, source in chunks.values() if text in chunk.text)


def test_a_renamed_file_is_the_same_document_and_is_not_encoded_again(
    folder: Path, library: Library, embedder: FakeEmbedder, run
) -> None:
    run()
    before = {v.source.title: v.source.id for v in library.documents()}
    embedder.encoded.clear()
    (folder / "方案.txt").rename(folder / "改造方案 【定稿】😀.txt")
    assert run()["改造方案 【定稿】😀.txt"] == "renamed"
    assert {v.source.title: v.source.id for v in library.documents()} == before
    assert embedder.encoded == []
    assert found(library, "春江里3号楼") == ["改造方案 【定稿】😀.txt"]
    assert run(prune=True)["改造方案 【定稿】😀.txt"] == "unchanged"


def test_a_new_file_at_the_old_place_is_another_document(folder: Path, library: Library, run) -> None:
    run()
    (folder / "方案.txt").rename(folder / "旧方案.txt")
    run()
    (folder / "方案.txt").write_text("新方案\n今年只改造一处。", encoding="utf-8")
    assert run() == {"公告.txt": "unchanged", "旧方案.txt": "unchanged", "方案.txt": "added"}
    assert len({v.source.id for v in library.documents()}) == 3


def test_two_files_that_change_names_keep_their_contents(folder: Path, library: Library, run) -> None:
    run()
    (folder / "方案.txt").rename(folder / "x")
    (folder / "公告.txt").rename(folder / "方案.txt")
    (folder / "x").rename(folder / "公告.txt")
    run()
    assert found(library, "春江里3号楼") == ["公告.txt"]
    assert found(library, "芦湾码头") == ["方案.txt"]


def test_a_title_that_came_from_the_file_name_follows_it(folder: Path, library: Library, run) -> None:
    (folder / "清单.csv").write_text("小区,户数\n春江里,320\n芦湾苑,210\n", encoding="utf-8")
    run()
    (folder / "清单.csv").rename(folder / "改造清单.csv")
    assert run()["改造清单.csv"] == "renamed"
    assert {v.source.title for v in library.documents()} >= {"改造清单"}


def test_a_copy_is_linked_and_not_indexed_twice(folder: Path, library: Library, run) -> None:
    run()
    chunks = library.catalog.chunk_count()
    (folder / "备份").mkdir()
    shutil.copy(folder / "方案.txt", folder / "备份" / "方案 副本.txt")
    assert run()["备份/方案 副本.txt"] == "linked"
    assert library.catalog.chunk_count() == chunks
    assert run()["备份/方案 副本.txt"] == "unchanged"
    assert found(library, "春江里3号楼") == ["方案.txt"]


def test_two_new_copies_in_one_run_are_one_document(folder: Path, library: Library, run) -> None:
    shutil.copy(folder / "方案.txt", folder / "方案2.txt")
    assert sorted(run().values()) == ["added", "added", "linked"]
    assert len(library.documents()) == 2


def write_docx(path: Path, text: str) -> None:
    import docx

    document = docx.Document()
    for line in text.splitlines():
        document.add_paragraph(line)
    document.save(str(path))


def test_the_same_text_in_another_format_is_linked(folder: Path, library: Library, run) -> None:
    write_docx(folder / "方案.docx", REPORT)
    assert run() == {"公告.txt": "added", "方案.docx": "added", "方案.txt": "linked"}
    assert len(library.documents()) == 2
    assert run() == {"公告.txt": "unchanged", "方案.docx": "unchanged", "方案.txt": "unchanged"}


def test_the_same_text_but_for_page_furniture_is_linked(folder: Path, library: Library, run) -> None:
    write_docx(folder / "方案.docx", "鹿汀区住房和城乡建设局文件\n" + REPORT)
    assert run()["方案.txt"] == "linked"


def test_next_years_notice_is_another_document(folder: Path, library: Library, run) -> None:
    write_docx(folder / "方案.docx", REPORT.replace("更新屋面9平方米", "更新屋面12平方米"))
    assert run() == {"公告.txt": "added", "方案.docx": "added", "方案.txt": "added"}


def test_a_copy_takes_the_place_of_a_document_whose_file_has_gone(
    folder: Path, library: Library, embedder: FakeEmbedder, run
) -> None:
    write_docx(folder / "方案.docx", REPORT)
    run()
    embedder.encoded.clear()
    (folder / "方案.docx").unlink()
    assert run(prune=True)["方案.docx"] == "removed"
    assert found(library, "春江里3号楼") == ["方案.txt"]
    assert embedder.encoded == []
    assert library.originals.read(library.catalog.versions()[1].source.digest) == REPORT.encode()
    assert set(run(prune=True).values()) == {"unchanged"}


def test_a_copy_of_what_was_edited_since_becomes_a_document(folder: Path, library: Library, run) -> None:
    write_docx(folder / "方案.docx", REPORT)
    run()
    write_docx(folder / "方案.docx", REPORT.replace("屋面9平方米", "屋面99平方米"))
    statuses = run()
    assert (statuses["方案.docx"], len(library.documents())) == ("updated", 3)
    assert found(library, "屋面99平方米") == ["方案.docx"]
    assert found(library, "屋面9平方米") == ["方案.txt"]
    assert run() == {"公告.txt": "unchanged", "方案.docx": "unchanged", "方案.txt": "unchanged"}


def test_an_edited_copy_becomes_a_document(folder: Path, library: Library, run) -> None:
    shutil.copy(folder / "方案.txt", folder / "方案2.txt")
    run()
    (folder / "方案2.txt").write_text("另一份方案\n只有一句。", encoding="utf-8")
    assert run()["方案2.txt"] == "added"
    assert library.catalog.copies() == []


def test_a_copy_that_went_is_forgotten(folder: Path, library: Library, run) -> None:
    shutil.copy(folder / "方案.txt", folder / "方案2.txt")
    run()
    (folder / "方案2.txt").unlink()
    assert run(prune=True)["方案2.txt"] == "removed"
    assert library.catalog.copies() == []
    assert len(library.documents()) == 2


def test_what_lies_in_an_archive_is_taken_in_and_pruned_with_it(folder: Path, library: Library, run) -> None:
    with zipfile.ZipFile(folder / "资料.zip", "w") as archive:
        archive.writestr("2025/会议纪要.txt", "会议纪要\n会议决定修缮芦湾小学。")
        archive.writestr("空.txt", "")
        archive.writestr("程序.exe", b"MZ")
    statuses = run()
    assert statuses["资料.zip/2025/会议纪要.txt"] == "added"
    assert statuses["资料.zip/空.txt"] == "failed"
    assert statuses["资料.zip/程序.exe"] == "skipped"
    assert run(prune=True)["资料.zip/2025/会议纪要.txt"] == "unchanged"
    (folder / "资料.zip").write_bytes((folder / "资料.zip").read_bytes()[:40])
    assert (
        "removed" not in run(prune=True).values()
    )  # it can't be read: what it holds is not known to be gone
    (folder / "资料.zip").unlink()
    assert run(prune=True)["资料.zip/2025/会议纪要.txt"] == "removed"


def test_the_original_is_kept_byte_by_byte(folder: Path, library: Library, run) -> None:
    data = "关于补贴的通知（tōng zhī）\r\n".encode("gb18030")
    (folder / "通知.txt").write_bytes(data)
    run()
    version = next(v for v in library.documents() if v.source.path.endswith("通知.txt"))
    assert library.originals.read(version.source.digest) == data


def test_originals_are_not_kept_where_the_setting_says_so(
    folder: Path, library: Library, settings: Settings
) -> None:
    sync([folder], library, settings.model_copy(update={"keep_originals": False}))
    assert not list((settings.home / "originals").rglob("*"))
    with pytest.raises(LibraryDamaged, match="keep_originals"):
        library.originals.read(library.documents()[0].source.digest)


def test_deleting_leaves_no_vector_term_text_or_file(
    folder: Path, library: Library, settings: Settings, run
) -> None:
    shutil.copy(folder / "公告.txt", folder / "公告2.txt")
    run()
    assert found(library, "芦湾码头自七月起停运") == ["公告.txt"]
    version = next(v for v in library.documents() if "公告" in v.source.path)
    assert library.remove(version.source.id)
    assert found(library, "芦湾码头自七月起停运") == []
    expected = library.catalog.chunk_count()
    assert library.index.counts() == (expected, expected)
    assert not library.originals.holds(version.source.digest)
    assert library.catalog.copies() == []
    assert not library.remove(version.source.id)
    library.vacuum()
    library.close()
    needles = ["芦湾码头自七月起停运".encode(), version.source.digest.encode()]
    for path in settings.home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not any(needle in data for needle in needles), path


def test_a_question_no_longer_finds_what_was_deleted(make_pipeline) -> None:
    pipeline: Pipeline = make_pipeline(files={"公告.txt": OTHER, "方案.txt": REPORT})
    assert any("芦湾码头" in p.chunk.text for p in pipeline.retrieve("芦湾码头什么时候停运？", (), 10))
    (document,) = [v for v in pipeline.library.documents() if v.source.path.endswith("公告.txt")]
    pipeline.library.remove(document.source.id)
    assert not any("芦湾码头" in p.chunk.text for p in pipeline.retrieve("芦湾码头什么时候停运？", (), 10))


def test_vacuum_gives_disk_back_and_loses_nothing(
    tmp_path: Path, library: Library, settings: Settings, embedder: FakeEmbedder
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(60):
        lines = (
            f"第{n}号文件第{i}条：{chr(0x4E00 + n * 40 + i) * 3}项目投资{n * i}万元。" for i in range(40)
        )
        (folder / f"{n}.txt").write_text("\n".join(lines), encoding="utf-8")
    sync([folder], library, settings)
    for n in range(50):
        (folder / f"{n}.txt").unlink()
    sync([folder], library, settings, prune=True)
    embedder.encoded.clear()
    before = found(library, "第55号文件第7条")
    seen: list[tuple[int, int]] = []
    assert library.vacuum(lambda done, total: seen.append((done, total))) > 1_000_000
    assert seen[-1][0] == seen[-1][1] == library.catalog.chunk_count()
    assert found(library, "第55号文件第7条") == before == ["55.txt"]
    assert embedder.encoded == []
    (folder / "新.txt").write_text("压缩之后还能入库。", encoding="utf-8")
    assert sync([folder], library, settings).count("added") == 1


@pytest.mark.parametrize("stage", ["half written", "old moved away", "both in place"])
def test_a_vacuum_that_was_cut_off_is_finished_on_opening(
    stage: str, folder: Path, library: Library, settings: Settings, embedder: FakeEmbedder, run
) -> None:
    run()
    library.vacuum()
    library.close()
    home = settings.home
    if stage == "half written":
        (home / "index.new").mkdir()
    elif stage == "old moved away":
        shutil.copytree(home / "index", home / "index.new")
        (home / "index").rename(home / "index.old")
    else:
        shutil.copytree(home / "index", home / "index.old")
    embedder.encoded.clear()
    with Library.open(settings, embedder, writable=True) as reopened:
        assert found(reopened, "春江里3号楼") == ["方案.txt"]
        assert not (home / "index.new").exists()
        assert not (home / "index.old").exists()
    assert embedder.encoded == []


def test_a_library_of_the_first_schema_is_brought_up_to_date(
    folder: Path, library: Library, settings: Settings, embedder: FakeEmbedder, run
) -> None:
    from alembic import command
    from alembic.config import Config

    run()
    library.close()
    config = Config()
    config.set_main_option("script_location", str(Path("rag/migrations").absolute()))
    config.set_main_option("path_separator", "os")
    import sqlalchemy as sa

    engine = sa.create_engine(f"sqlite:///{settings.home / 'catalog.sqlite3'}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    engine.dispose()
    with sqlite3.connect(settings.home / "catalog.sqlite3") as raw:
        assert "marks" not in {row[1] for row in raw.execute("pragma table_info(versions)")}
    raw.close()
    with Library.open(settings, embedder, writable=True) as reopened:
        assert found(reopened, "春江里3号楼") == ["方案.txt"]
        assert sync([folder], reopened, settings).count("unchanged") == 2


def test_a_lost_index_is_made_again(
    folder: Path, library: Library, settings: Settings, embedder, run
) -> None:
    run()
    library.close()
    remove_index(settings.home / "index")
    with Library.open(settings, embedder, writable=True) as reopened:
        assert found(reopened, "春江里3号楼") == ["方案.txt"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (REPORT, REPORT.replace("\n", "\n\n"), True),
        (REPORT, REPORT.replace("第3项", "第4项"), False),
        (REPORT, REPORT.replace("二〇二六年", "二〇二七年"), False),
        (REPORT, REPORT.replace("由区住建局负责", "由区城管局负责", 1), False),
        (REPORT, "内部资料\n" + REPORT, True),
        (REPORT, REPORT + "另外，本方案只适用于国有土地上的住宅，集体土地上的住宅不适用，" * 2, False),
        (REPORT, OTHER, False),
        (REPORT, "", False),
    ],
)
def test_texts_are_the_same_only_with_the_same_figures(one: str, other: str, same: bool) -> None:
    assert same_text(one, other) is same


def test_the_report_counts_every_file_once(folder: Path, library: Library, settings: Settings) -> None:
    report: SyncReport = sync([folder], library, settings)
    assert sum(report.count(s) for s in ("added", "failed", "skipped")) == len(report.files) == 2
    assert report.passages == library.catalog.chunk_count()


def test_many_files_that_went_are_removed_in_one_go(
    folder: Path, library: Library, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(12):
        (folder / f"{n}.txt").write_text(f"第{n}号文件\n第{n}号码头停运。", encoding="utf-8")
    sync([folder], library, settings)
    for n in range(12):
        (folder / f"{n}.txt").unlink()
    deletions = 0
    real = library.index.delete_versions

    def counted(version_ids: list[int]) -> None:
        nonlocal deletions
        deletions += 1
        real(version_ids)

    monkeypatch.setattr(library.index, "delete_versions", counted)
    assert sync([folder], library, settings, prune=True).count("removed") == 12
    assert deletions == 1
    assert paths(library) == {"方案.txt", "公告.txt"}
    chunks = library.catalog.chunk_count()
    assert library.index.counts() == (chunks, chunks)
