from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import FakeEmbedder

from ingest.chunking import split
from rag.errors import LibraryError, LibraryLocked, LibraryMismatch, StorageFull
from rag.library import Addition, Library, rebuild
from rag.settings import Settings
from rag.types import Document, Source

ROOT = Path(__file__).parent.parent.parent


def document(name: str, text: str, digest: str = "d") -> Document:
    return Document(Source(name, f"/docs/{name}", name, digest, "text/plain"), text)


def put(library: Library, *documents: Document) -> None:
    library.replace([Addition(d, split(d, 60)) for d in documents])


def found(library: Library, text: str) -> set[str]:
    """The documents that either leg finds and the catalog knows."""
    keys = {key for key, _ in library.index.lexical(text, 50)}
    keys |= {key for key, _ in library.index.dense(library.embedder.embed_query(text), 50)}
    return {source.id for _, source in library.catalog.live_chunks(keys).values()}


def stores_agree(library: Library) -> bool:
    expected = library.catalog.chunk_count()
    return library.index.counts() == (expected, expected) and not library.catalog.superseded_ids()


def test_what_is_put_in_is_found_by_both_legs(library: Library) -> None:
    put(library, document("a", "区住建局改造老旧小区28个。"), document("b", "区文旅局举办湖畔音乐节。"))
    assert library.index.lexical("老旧小区", 1)[0][0].startswith("1:")
    assert found(library, "湖畔音乐节") >= {"b"}
    assert stores_agree(library)


def test_replacing_leaves_nothing_of_the_version_before(library: Library) -> None:
    put(library, document("a", "旧版本说的是码头搬迁。"))
    put(library, document("a", "新版本说的是公园扩建。"))
    chunks = [chunk.text for v in library.documents() for _, chunk, _ in library.catalog.version_chunks(v.id)]
    assert chunks == ["新版本说的是公园扩建。"]
    assert not library.index.lexical("码头搬迁", 5)
    assert stores_agree(library)


def test_removing_takes_text_vectors_and_terms(library: Library) -> None:
    put(library, document("a", "只有甲文件提到码头。"), document("b", "乙文件提到公园。"))
    assert library.remove("a")
    assert not library.remove("a")
    assert found(library, "码头") <= {"b"}
    assert not library.index.lexical("码头", 5)
    assert stores_agree(library)


def test_a_failure_in_the_middle_leaves_the_old_version_findable(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(library, document("a", "旧版本说的是码头搬迁。"))

    def full(*_: object) -> None:
        raise StorageFull("No space is left on the disk.", "Free some.")

    monkeypatch.setattr(library.catalog, "make_live", full)
    with pytest.raises(StorageFull):
        put(library, document("a", "新版本说的是公园扩建。"))
    assert found(library, "码头搬迁") == {"a"}
    assert not library.index.lexical("公园扩建", 5)
    assert stores_agree(library)


def test_a_second_writer_is_told_who_holds_the_library(library: Library, settings: Settings) -> None:
    code = textwrap.dedent(f"""
        import sys; sys.path.insert(0, {str(ROOT / "tests")!r})
        from pathlib import Path
        from conftest import FakeEmbedder
        from rag.library import Addition, Library
        from rag.settings import Settings
        Library.open(Settings(home=Path({str(settings.home)!r})), FakeEmbedder(), writable=True)
    """)
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "LibraryLocked" in result.stderr
    assert f"process {os.getpid()}" in result.stderr


def test_a_reader_goes_on_beside_a_writer(
    library: Library, settings: Settings, embedder: FakeEmbedder
) -> None:
    put(library, document("a", "区住建局改造老旧小区28个。"))
    with Library.open(settings, embedder, writable=False) as reader:
        assert found(reader, "老旧小区") == {"a"}


def test_reading_where_there_is_no_library_says_how_to_make_one(
    settings: Settings, embedder: FakeEmbedder
) -> None:
    with pytest.raises(LibraryError, match="wenzheng ingest"):
        Library.open(settings, embedder, writable=False)
    assert not settings.home.exists()


@pytest.mark.parametrize("change", ["embedder", "chunking"])
def test_other_settings_are_refused_and_rebuild_takes_them(
    settings: Settings, embedder: FakeEmbedder, change: str
) -> None:
    text = "区住建局改造老旧小区28个。" * 8
    with Library.open(settings, embedder, writable=True) as library:
        put(library, document("a", text))
    other_embedder = FakeEmbedder("other") if change == "embedder" else embedder
    other = settings.model_copy(update={"chunk_chars": 40}) if change == "chunking" else settings
    with pytest.raises(LibraryMismatch, match="wenzheng rebuild"):
        Library.open(other, other_embedder, writable=True)
    assert rebuild(other, other_embedder, lambda d: split(d, other.chunk_chars)) == 1
    with Library.open(other, other_embedder, writable=True) as library:
        assert found(library, "老旧小区") == {"a"}
        assert stores_agree(library)


def test_the_lock_is_free_again_after_a_failed_opening(settings: Settings, embedder: FakeEmbedder) -> None:
    Library.open(settings, embedder, writable=True).close()
    with pytest.raises(LibraryMismatch):
        Library.open(settings, FakeEmbedder("other"), writable=True)
    Library.open(settings, embedder, writable=True).close()


def test_opening_mends_an_index_that_lost_entries(settings: Settings, embedder: FakeEmbedder) -> None:
    with Library.open(settings, embedder, writable=True) as library:
        put(library, document("a", "甲文件提到码头。"), document("b", "乙文件提到公园。"))
        first = library.documents()[0]
        library.index.delete_versions([first.id])
        assert not stores_agree(library)
    with Library.open(settings, embedder, writable=True) as library:
        assert stores_agree(library)
        assert found(library, "码头") >= {"a"}


def test_hits_that_the_catalog_does_not_know_are_ignored(library: Library) -> None:
    from rag.index import Entry

    put(library, document("a", "甲文件提到码头。"))
    stray = Entry("999:0", 999, "流浪的码头条目", "")
    library.index.add([stray], library.embedder.embed_passages(["流浪的码头条目"]))
    assert found(library, "流浪的码头条目") == {"a"}


_WRITER = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from conftest import FakeEmbedder
from ingest.chunking import split
from rag.library import Addition, Library
from rag.settings import Settings
from rag.types import Document, Source
with Library.open(Settings(home=Path({home!r})), FakeEmbedder(), writable=True) as library:
    print("open", flush=True)
    for n in range(10_000):
        d = Document(Source(f"d{{n % 7}}", f"/docs/{{n}}", "t", str(n), "text/plain"), f"第{{n}}号文件提到码头。" * 9)
        library.replace([Addition(d, split(d, 60))])
        print(n, flush=True)
"""


@pytest.mark.parametrize("attempt", range(6))
def test_killed_while_writing_nothing_is_lost_or_half_visible(
    settings: Settings, embedder: FakeEmbedder, attempt: int
) -> None:
    """Kills a real process at moments spread over its writing; the last document it reported must be there, whole."""
    code = _WRITER.format(tests=str(ROOT / "tests"), home=str(settings.home))
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    last = -1
    for _ in range(3):
        last = int(process.stdout.readline())
    time.sleep(0.007 * attempt)
    process.kill()
    rest = process.stdout.read().split()
    process.wait()
    process.stdout.close()
    last = int(rest[-1]) if rest and rest[-1].isdigit() else last
    with Library.open(settings, embedder, writable=True) as library:
        assert stores_agree(library)
        numbers = {int(v.source.digest): v for v in library.documents()}
        # The one being written when the signal came may be in or not; all that was reported before is.
        assert max(numbers) in (last, last + 1)
        assert len(numbers) == min(7, max(numbers) + 1)
        for version in library.documents():
            stored = library.catalog.document(version.source.id)
            assert stored is not None
            assert [c for _, c, _ in library.catalog.version_chunks(version.id)] == split(stored, 60)
    assert process.returncode == -signal.SIGKILL


def test_the_holder_is_written_down_while_writing_only(settings: Settings, embedder: FakeEmbedder) -> None:
    with Library.open(settings, embedder, writable=True):
        record = json.loads((settings.home / "writer.json").read_text(encoding="utf-8"))
        assert record["pid"] == os.getpid()
    assert not (settings.home / "writer.json").exists()


def test_threads_may_search_while_another_writes(library: Library) -> None:
    from concurrent.futures import ThreadPoolExecutor

    put(library, document("a", "甲文件提到码头。"))

    def search(_: int) -> set[str]:
        return found(library, "码头")

    with ThreadPoolExecutor(4) as pool:
        results = pool.map(search, range(40))
        for n in range(5):
            put(library, document(f"n{n}", f"第{n}个文件提到公园。"))
        assert all("a" in result for result in results)


def test_chunks_with_equal_vectors_come_in_a_stable_order(library: Library) -> None:
    put(library, *(document(f"d{n}", "同样的一句话。") for n in range(5)))
    vector = np.asarray(library.embedder.embed_query("同样的一句话。"))
    runs = {tuple(key for key, _ in library.index.dense(vector, 5)) for _ in range(3)}
    assert len(runs) == 1


def test_an_empty_library_finds_nothing(library: Library) -> None:
    assert found(library, "码头") == set()
    assert library.documents() == []


def test_locks_of_two_libraries_are_independent(tmp_path: Path, embedder: FakeEmbedder) -> None:
    with (
        Library.open(Settings(home=tmp_path / "一 ?#%"), embedder, writable=True) as one,
        Library.open(Settings(home=tmp_path / "two"), embedder, writable=True) as two,
    ):
        put(one, document("a", "甲文件提到码头。"))
        assert found(one, "码头") == {"a"}
        assert found(two, "码头") == set()


def test_the_same_process_cannot_write_twice(
    library: Library, settings: Settings, embedder: FakeEmbedder
) -> None:
    with pytest.raises(LibraryLocked):
        Library.open(settings, embedder, writable=True)
