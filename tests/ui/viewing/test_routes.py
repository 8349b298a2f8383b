"""The routes that show a document and hand over its file."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from ingest.sync import sync
from rag.library import Library
from ui.viewing.routes import DOCUMENTS, MAX_RANGES, DocumentRoutes, ranges_in
from ui.viewing.texts import VIEWER_TEXTS

ZH = VIEWER_TEXTS["zh-Hans"]
ASK = {"accept-language": "zh-CN"}


@pytest.fixture
def library(settings, embedder, tmp_path):
    file = tmp_path / "路灯 通知.txt"
    file.write_text("关于路灯改造的通知\n\n全区路灯改造工程于六月开工。\n", encoding="utf-8")
    with Library.open(settings, embedder, writable=True) as opened:
        sync([file], opened, settings)
        yield opened


@pytest.fixture
def client(library, settings):
    return TestClient(DocumentRoutes(library.catalog, library.originals, settings))


@pytest.fixture
def source(library):
    return library.documents()[0].source


def test_a_document_is_shown_with_what_is_cited_of_it(client, source) -> None:
    answer = client.get(
        f"{DOCUMENTS}{source.id}/view?at=0-4&script=zh-Hant&digest={source.digest}", headers=ASK
    )
    assert answer.status_code == 200
    assert "關於路燈</mark>" in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]
    stale = client.get(f"{DOCUMENTS}{source.id}/view?at=0-4&digest=other", headers=ASK).text
    assert ZH.changed in stale
    assert "<mark" not in stale


def test_the_original_is_handed_over_as_a_file(client, source) -> None:
    answer = client.get(f"{DOCUMENTS}{source.id}/original", headers=ASK)
    assert answer.content.decode().startswith("关于路灯")
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E8%B7%AF")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_is_not_there_is_told(client, source, library) -> None:
    for path in ("none/view", "none/original", "..%2f..%2fcatalog/view", "a/b/c", ""):
        answer = client.get(f"{DOCUMENTS}{path}", headers=ASK)
        assert answer.status_code == 404
        assert answer.text == ZH.gone
    library.originals.remove([source.digest])
    assert client.get(f"{DOCUMENTS}{source.id}/original", headers=ASK).text == ZH.no_original
    assert client.post(f"{DOCUMENTS}{source.id}/view", headers=ASK).status_code == 404


def test_ranges_are_read_and_bounded() -> None:
    assert ranges_in("12-40,60-80") == ((12, 40), (60, 80))
    assert ranges_in("x,1-,-2,3-4,９-10") == ((3, 4), (9, 10))
    assert len(ranges_in(",".join("1-2" for _ in range(200)))) == MAX_RANGES
    assert ranges_in("9" * 50 + "-1") == ()


def test_a_pdf_is_shown_in_the_browsers_own_viewer_and_nothing_else_is(
    library, client, settings, tmp_path
) -> None:
    from reportlab.pdfgen.canvas import Canvas

    file = tmp_path / "plan.pdf"
    canvas = Canvas(str(file), invariant=1)
    canvas.drawString(72, 720, "The housing bureau will renovate 28 estates by August 2026.")
    canvas.save()
    sync([file], library, settings)
    (source,) = [v.source for v in library.documents() if v.source.path.endswith(".pdf")]
    answer = client.get(f"{DOCUMENTS}{source.id}/original", headers=ASK)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("inline")
    assert "sandbox" not in answer.headers["content-security-policy"]
    assert "script-src 'none'" in answer.headers["content-security-policy"]
    assert answer.content == file.read_bytes()
