"""Documents put together under a name: found by it, kept over new versions, forgotten with the document."""

from __future__ import annotations

import pytest

from ingest.sync import sync
from rag.filters import described, overridden, parts, without
from rag.library import Library
from rag.settings import load_settings
from rag.types import Filters


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for name, topic in (("路灯.txt", "路灯改造"), ("河道.txt", "河道清淤"), ("校舍.txt", "校舍加固")):
        (folder / name).write_text(
            f"关于{topic}的通知\n\n全区{topic}工程于六月开工，十月完工。\n", encoding="utf-8"
        )
    return folder


@pytest.fixture
def library(tmp_path, folder, embedder):
    settings = load_settings({"home": tmp_path / "home"}, {})
    with Library.open(settings, embedder, writable=True) as library:
        sync([folder], library, settings)
        yield library


def ids(library: Library) -> dict[str, str]:
    return {version.source.path.rpartition("/")[2]: version.source.id for version in library.documents()}


def test_only_documents_of_the_collection_match(library) -> None:
    known = ids(library)
    assert library.catalog.collect([known["路灯.txt"], known["河道.txt"], "none such"], "市政") == 2
    assert library.matching(Filters(collection="市政")).documents == {known["路灯.txt"], known["河道.txt"]}
    assert library.matching(Filters(collection="教育")).documents == frozenset()


def test_a_document_is_in_one_collection_and_can_be_taken_out(library) -> None:
    known = ids(library)
    library.catalog.collect([known["路灯.txt"]], "市政")
    library.catalog.collect([known["路灯.txt"]], "照明")
    assert library.catalog.collections() == {known["路灯.txt"]: "照明"}
    library.catalog.collect([known["路灯.txt"]], "")
    assert library.catalog.collections() == {}


def test_it_stays_over_a_new_version_and_goes_with_the_document(library, folder) -> None:
    known = ids(library)
    library.catalog.collect([known["路灯.txt"], known["河道.txt"]], "市政")
    (folder / "路灯.txt").write_text("关于路灯改造的补充通知\n\n工期改为十一月。\n", encoding="utf-8")
    assert sync([folder], library, load_settings({"home": folder.parent / "home"}, {})).count("updated") == 1
    assert library.catalog.collections()[known["路灯.txt"]] == "市政"
    library.remove(known["路灯.txt"])
    assert library.catalog.collections() == {known["河道.txt"]: "市政"}


def test_documents_at_a_path_are_those_of_the_file_and_no_other(library, folder) -> None:
    known = ids(library)
    assert library.catalog.documents_at(str(folder / "路灯.txt")) == [known["路灯.txt"]]
    assert library.catalog.documents_at(str(folder / "路灯")) == []
    assert set(library.catalog.documents_at(str(folder))) == set(known.values())


def test_it_is_a_filter_like_the_others() -> None:
    both = Filters(since="2024", collection="市政")
    assert [name for name, _ in parts(both)] == ["dates", "collection"]
    assert without(both, "collection") == Filters(since="2024")
    assert overridden(Filters(collection="市政"), Filters(since="2024")) == both
    assert described(Filters(collection="市政"), "zh-Hans") == "“市政”中的文件"
    assert described(both, "zh-Hant") == "“市政”中2024年以來的文件"
    assert described(Filters(collection="Works"), "en") == "documents in “Works”"
