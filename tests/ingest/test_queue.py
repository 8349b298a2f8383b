"""The queue of uploads: each file comes to an end that is told, over failures, cancels and restarts."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable

import pytest

from ingest.messages import fault
from ingest.queue import IngestQueue, Item
from rag.errors import LibraryError, SourceEmpty, SourceTooLarge, StorageFull
from rag.library import Library
from rag.settings import Settings

NOTICE = "关于路灯改造的通知\n\n全区路灯改造工程于六月开工，十月完工。\n"
LATER = "关于路灯改造的通知\n\n全区路灯改造工程改为七月开工。\n"


@pytest.fixture
def queue(library: Library, settings: Settings):
    queue = IngestQueue(library, settings)
    yield queue
    queue.close()


def until(queue: IngestQueue, done: Callable[[tuple[Item, ...]], bool] | None = None) -> dict[str, Item]:
    """The items by id, once nothing is under way or ``done`` holds."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        items = queue.items()
        if done(items) if done else not any(item.active for item in items):
            return {item.id: item for item in items}
        time.sleep(0.02)
    raise AssertionError(f"still under way: {queue.items()}")


def zipped(files: dict[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return data.getvalue()


def test_files_are_taken_in_and_a_bad_one_says_why(queue, library) -> None:
    good = queue.add("路灯.txt", NOTICE.encode(), "市政")
    bad = queue.add("坏.pdf", b"%PDF-1.7 not really")
    unread = queue.add("图.dwg", b"AC1032")
    queue.start()
    items = until(queue)
    assert (items[good.id].state, items[good.id].outcome, items[good.id].chunks) == ("done", "added", 1)
    assert items[bad.id].state == items[unread.id].state == "failed"
    assert "坏.pdf" in items[bad.id].reason
    assert "坏.pdf" in items[bad.id].reason_zh
    assert items[unread.id].code == "SourceUnsupported"
    (version,) = library.documents()
    assert library.catalog.collections() == {version.source.id: "市政"}


def test_the_same_name_is_a_new_version_and_the_earlier_one_can_be_restored(queue, library) -> None:
    queue.add("路灯.txt", NOTICE.encode())
    second = queue.add("路灯.txt", LATER.encode())
    queue.start()
    assert until(queue)[second.id].outcome == "updated"
    (version,) = library.documents()
    assert "七月" in library.catalog.document(version.source.id).text
    (earlier,) = queue.uploads.earlier("路灯.txt")
    restored = queue.restore("路灯.txt", earlier.id)
    assert until(queue)[restored.id].outcome == "updated"
    assert "十月" in library.catalog.document(version.source.id).text
    assert len(queue.uploads.earlier("路灯.txt")) == 2


def test_a_bad_new_version_leaves_the_old_one_in_force(queue, library) -> None:
    queue.add("表.docx", zipped({"x": "y"}))
    queue.start()
    until(queue)
    first = queue.add("路灯.txt", NOTICE.encode())
    until(queue)
    bad = queue.add("路灯.txt", b"\x00\x01\x02\x03" * 200)
    items = until(queue)
    assert items[first.id].state == "done"
    assert items[bad.id].state == "failed"
    (version,) = library.documents()
    assert "十月" in library.catalog.document(version.source.id).text
    assert queue.uploads.path("路灯.txt").read_text(encoding="utf-8") == NOTICE
    assert queue.uploads.earlier("路灯.txt") == []


def test_the_same_bytes_again_make_no_version(queue) -> None:
    queue.add("路灯.txt", NOTICE.encode())
    again = queue.add("路灯.txt", NOTICE.encode())
    queue.start()
    assert until(queue)[again.id].outcome == "unchanged"
    assert queue.uploads.earlier("路灯.txt") == []


def test_an_archive_is_one_file_of_several_documents(queue, library) -> None:
    item = queue.add("卷宗.zip", zipped({"甲.txt": NOTICE, "乙.txt": LATER, "空.txt": ""}), "卷宗")
    queue.start()
    found = until(queue)[item.id]
    assert (found.state, found.parts, found.failed_parts) == ("done", 3, 1)
    assert "空.txt" in found.reason
    assert set(library.catalog.collections().values()) == {"卷宗"}
    assert len(library.catalog.collections()) == 2
    queue.remove([version.source.id for version in library.documents()])
    assert library.documents() == []
    assert not queue.uploads.path("卷宗.zip").exists()


def test_removing_one_of_an_archive_keeps_the_file_of_the_others(queue, library) -> None:
    queue.add("卷宗.zip", zipped({"甲.txt": NOTICE, "乙.txt": LATER}))
    queue.start()
    until(queue)
    first, second = library.documents()
    assert queue.remove([first.source.id]) == 1
    assert queue.uploads.path("卷宗.zip").exists()
    assert [version.source.id for version in library.documents()] == [second.source.id]


def test_what_waits_can_be_cancelled_and_what_is_over_cleared(queue) -> None:
    item = queue.add("路灯.txt", NOTICE.encode())
    assert queue.cancel(item.id)
    assert not queue.cancel(item.id)
    assert queue.items()[0].state == "cancelled"
    assert not queue.uploads.waits(item.id)
    assert queue.clear() == 1
    assert queue.items() == ()


def test_what_is_cancelled_after_its_batch_was_chosen_stays_cancelled(queue, library) -> None:
    kept, gone = queue.add("路灯.txt", NOTICE.encode()), queue.add("河道.txt", LATER.encode())
    batch = list(reversed(queue.items()))
    assert queue.cancel(gone.id)
    queue._ingest(batch)
    states = {item.id: item.state for item in queue.items()}
    assert states == {kept.id: "done", gone.id: "cancelled"}
    assert len(library.documents()) == 1


def test_what_failed_for_want_of_room_can_be_tried_again(queue, library, monkeypatch) -> None:
    commit = library.commit

    def full(*_: object) -> None:
        raise StorageFull("No space is left.", "Free some.")

    monkeypatch.setattr(library, "commit", full)
    item = queue.add("路灯.txt", NOTICE.encode())
    queue.start()
    failed = until(queue)[item.id]
    assert (failed.state, failed.code) == ("failed", "StorageFull")
    assert library.documents() == []
    assert queue.uploads.waits(item.id)
    monkeypatch.setattr(library, "commit", commit)
    assert queue.retry(item.id)
    assert until(queue)[item.id].state == "done"
    assert not queue.retry(item.id)


def test_it_goes_on_after_a_restart(library, settings) -> None:
    first = IngestQueue(library, settings)
    waiting = first.add("路灯.txt", NOTICE.encode(), "市政")
    begun = first.add("河道.txt", LATER.encode())
    # As a process leaves it that dies after the file was put in its place.
    version = first.uploads.place(begun.id, begun.name)
    first._update(begun.id, state="reading", placed=True, version=version)
    lost = first.add("丢.txt", NOTICE.encode())
    first.uploads.drop(lost.id)
    second = IngestQueue(library, settings)
    second.start()
    try:
        items = until(second)
    finally:
        second.close()
    assert items[waiting.id].state == items[begun.id].state == "done"
    assert items[lost.id].state == "failed"
    assert len(library.documents()) == 2


def test_a_damaged_list_begins_anew(library, settings, queue) -> None:
    item = queue.add("路灯.txt", NOTICE.encode())
    queue._file.write_text("{", encoding="utf-8")
    fresh = IngestQueue(library, settings)
    assert fresh.items() == ()
    assert not fresh.uploads.waits(item.id)


def test_empty_and_large_files_are_refused_before_they_are_stored(queue, settings) -> None:
    with pytest.raises(SourceEmpty):
        queue.add("空.txt", b"")
    with pytest.raises(SourceTooLarge):
        queue.add("大.txt", b"x" * (settings.max_file_mb * 10**6 + 1))
    assert queue.items() == ()
    assert not queue.uploads.waiting()


def test_nothing_is_taken_in_by_a_service_that_ends(library, settings) -> None:
    queue = IngestQueue(library, settings)
    queue.start()
    queue.close()
    with pytest.raises(LibraryError):
        queue.add("路灯.txt", NOTICE.encode())


def test_an_address_is_fetched_and_what_it_gives_is_taken_in(library, settings) -> None:
    def fetch(url: str) -> tuple[str, bytes]:
        if "bad" in url:
            raise fault("missing", url)
        return "页面.html", f"<html><body><p>{NOTICE}</p></body></html>".encode()

    queue = IngestQueue(library, settings, fetch)
    good = queue.add_url("http://example.test/a", "网页")
    bad = queue.add_url("http://example.test/bad")
    queue.start()
    try:
        items = until(queue)
    finally:
        queue.close()
    assert (items[good.id].name, items[good.id].state) == ("页面.html", "done")
    assert items[bad.id].state == "failed"
    assert list(library.catalog.collections().values()) == ["网页"]
