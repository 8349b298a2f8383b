"""The routes behind the documents' tab: what they refuse, and that what they show is escaped."""

from __future__ import annotations

import asyncio
import io
import time
import zipfile

import pytest
from starlette.testclient import TestClient

from ingest.queue import IngestQueue
from rag.library import Library
from ui.documents.routes import ROUTES, LibraryRoutes
from ui.documents.texts import DOCUMENT_TEXTS

ZH = DOCUMENT_TEXTS["zh-Hans"]
OWN = {"x-wenzheng": "1", "accept-language": "zh-CN"}
TEXT = "关于<b>路灯</b>改造的通知\n\n全区路灯改造工程于六月开工。\n".encode()


@pytest.fixture
def library(settings, embedder):
    with Library.open(settings, embedder, writable=True) as opened:
        yield opened


@pytest.fixture
def queue(library, settings):
    queue = IngestQueue(library, settings)
    queue.start()
    yield queue
    queue.close()


@pytest.fixture
def client(library, queue, settings):
    return TestClient(LibraryRoutes(library, queue, settings), base_url="http://testserver")


def post(client, path: str, given: object = None, **options):
    return client.post(f"{ROUTES}{path}", json=given, headers=OWN, **options)


def get(client, path: str):
    return client.get(f"{ROUTES}{path}", headers={"accept-language": "zh-CN"})


def add(client, queue, name: str, data: bytes = TEXT, **parameters: str):
    answer = client.post(f"{ROUTES}upload", params={"name": name, **parameters}, content=data, headers=OWN)
    end = time.monotonic() + 20
    while any(item.active for item in queue.items()) and time.monotonic() < end:
        time.sleep(0.02)
    return answer


def test_an_upload_is_listed_with_what_is_known_and_nothing_becomes_markup(client, queue, library) -> None:
    assert add(client, queue, "路灯<i>.txt", collection=" 市政\n<u> ").status_code == 200
    listed = get(client, "list").text
    assert "关于&lt;b&gt;路灯" in listed
    assert "市政 &lt;u&gt;" in listed
    (version,) = library.documents()
    detail = get(client, f"detail?id={version.source.id}").text
    assert "&lt;b&gt;路灯&lt;/b&gt;" in detail
    for page in (listed, detail, get(client, "queue").text):
        assert "<b>" not in page
        assert "<i>" not in page
        assert "<u>" not in page


@pytest.mark.parametrize("path", ["upload", "address", "queue", "delete", "collect", "restore"])
def test_what_changes_something_is_refused_to_other_sites(client, path: str) -> None:
    assert client.post(f"{ROUTES}{path}", content=b"{}").status_code == 403
    foreign = client.post(f"{ROUTES}{path}", content=b"{}", headers={**OWN, "origin": "http://evil.test"})
    assert foreign.status_code == 403
    assert client.get(f"{ROUTES}{path}").status_code in (200, 404)


def test_an_upload_over_the_limit_is_refused_in_words(client, settings) -> None:
    length = settings.max_file_mb * 10**6 + 1
    answer = client.post(f"{ROUTES}upload?name=a.txt", content=iter([b"x" * length]), headers=OWN)
    assert answer.status_code == 413
    assert answer.json()["problem"] == ZH.upload_large.format(limit=settings.max_file_mb)


def test_a_known_name_is_asked_about_before_it_replaces_anything(client, queue, library) -> None:
    add(client, queue, "路灯.txt")
    changed = TEXT.replace("六月".encode(), "七月".encode())
    assert add(client, queue, "路灯.txt", changed).json() == {"exists": "路灯.txt"}
    assert add(client, queue, "路灯.txt", changed, conflict="both").json()["name"] == "路灯 (2).txt"
    assert len(library.documents()) == 2
    assert add(client, queue, "路灯.txt", changed + b"\nx", conflict="replace").status_code == 200
    assert len(library.documents()) == 2
    assert add(client, queue, "路灯.txt", changed, conflict="no such").status_code == 400


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("delete", {"ids": "all"}, 400),
        ("delete", {"ids": [1]}, 400),
        ("delete", {"ids": ["x"] * 2001}, 400),
        ("delete", [], 400),
        ("collect", {"ids": ["x"], "name": 3}, 400),
        ("queue", {"action": "close", "id": ""}, 400),
        ("restore", {"id": "../..", "version": "../../catalog.sqlite3"}, 404),
        ("address", {"url": "http://127.0.0.1/"}, 403),
        ("no-such", {}, 404),
    ],
)
def test_malformed_requests_are_refused(client, path: str, given: object, status: int) -> None:
    answer = post(client, path, given)
    assert answer.status_code == status
    assert answer.json()["problem"]


def test_json_that_is_none_or_endless_is_refused(client) -> None:
    for body, status in ((b"{", 400), (b"[" * 100_000, 400), (b'"' + b"x" * 300_000 + b'"', 413)):
        assert client.post(f"{ROUTES}delete", content=body, headers=OWN).status_code == status


def test_deleting_takes_the_document_and_its_file(client, queue, library) -> None:
    add(client, queue, "路灯.txt")
    (version,) = library.documents()
    assert post(client, "delete", {"ids": [version.source.id, "none"]}).json() == {"deleted": 1}
    assert library.documents() == []
    assert not queue.uploads.path("路灯.txt").exists()
    assert get(client, f"detail?id={version.source.id}").status_code == 404


def test_documents_are_moved_to_a_collection_and_narrowed_by_it(client, queue, library) -> None:
    add(client, queue, "路灯.txt")
    add(client, queue, "河道.txt", "关于河道清淤的通知\n\n十月完工。\n".encode())
    lamp = next(v.source.id for v in library.documents() if "路灯" in v.source.title)
    assert post(client, "collect", {"ids": [lamp], "name": "市政"}).json() == {"moved": 1}
    assert "河道" not in get(client, "list?collection=市政").text
    assert "路灯" not in get(client, "list?collection=-").text
    assert ZH.list_no_match in get(client, "list?query=没有这个").text


def test_an_unchanged_queue_is_not_sent_again(client, queue) -> None:
    add(client, queue, "路灯.txt")
    first = get(client, "queue")
    assert get(client, f"queue?revision={first.headers['x-revision']}").status_code == 204


def test_an_archive_that_partly_failed_says_so(client, queue) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("甲.txt", TEXT)
        archive.writestr("空.txt", b"")
    add(client, queue, "卷宗.zip", data.getvalue())
    told = get(client, "queue").text
    assert ZH.outcome_parts.format(count=2) in told
    assert "空.txt" in told


def test_every_answer_forbids_scripts_and_storing(client) -> None:
    for path in ("frame", "list", "queue", "detail", "none"):
        headers = get(client, path).headers
        assert "sandbox" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"


def test_an_upload_that_hangs_gives_its_place_free(client, monkeypatch) -> None:
    monkeypatch.setattr("ui.documents.routes._UPLOAD_SECONDS", 0.05)

    async def receive() -> dict[str, object]:
        await asyncio.sleep(5)
        return {"type": "http.request", "body": b"x", "more_body": False}

    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": f"{ROUTES}upload",
        "query_string": b"name=a.txt",
        "headers": [(b"x-wenzheng", b"1")],
    }
    asyncio.run(client.app(scope, receive, send))
    assert sent[0]["status"] == 408
