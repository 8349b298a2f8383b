from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ingest.chunking import split
from ingest.documents import make_document
from ingest.loading import Parsed
from rag.catalog import Catalog, chunk_key, sqlite_url


def add(catalog: Catalog, name: str, sentences: int) -> int:
    """Make a document of so many chunks live; returns its version."""
    text = "".join(f"{name}第{n}处道路改造工程于年底前完工。\n" for n in range(sentences))
    document = make_document(Parsed((), text=text), path=f"/{name}.txt", digest=f"{name}-{sentences}")
    (version,) = catalog.add_pending([(document, split(document, 40), "")])
    catalog.make_live([version])
    return version


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite3"


@pytest.fixture
def catalog(file: Path) -> Iterator[Catalog]:
    opened = Catalog.open(sqlite_url(file))
    yield opened
    opened.close()


@pytest.mark.parametrize("count", [0, 1, 39, 40, 41, 95])
def test_any_number_of_keys_finds_the_chunks_behind_them(catalog: Catalog, count: int) -> None:
    version = add(catalog, "滨江路", 200)
    chunks = {key: chunk for key, chunk, _ in catalog.version_chunks(version)}
    assert len(chunks) > 95
    wanted = list(chunks)[-count:] if count else []
    found = catalog.live_chunks(wanted)
    assert {key: chunk for key, (chunk, _) in found.items()} == {key: chunks[key] for key in wanted}
    assert {source.path for _, source in found.values()} <= {"/滨江路.txt"}


def test_retired_and_unknown_chunks_are_left_out(catalog: Catalog) -> None:
    retired = add(catalog, "滨江路", 10)
    live = add(catalog, "滨江路", 12)
    keys = [chunk_key(retired, 0), chunk_key(live, 0), chunk_key(live, 9999), chunk_key(77, 0), "no key"]
    assert list(catalog.live_chunks(keys)) == [chunk_key(live, 0)]


def test_chunks_are_looked_up_without_reading_through_the_documents(catalog: Catalog, file: Path) -> None:
    version = add(catalog, "滨江路", 60)
    statements: list[tuple[str, Any]] = []

    def remember(_c: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        statements.append((statement, values))

    sa.event.listen(sa.Engine, "before_cursor_execute", remember)
    try:
        catalog.live_chunks([chunk_key(version, n) for n in range(30)])
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", remember)
    (statement, values), *more = [one for one in statements if "chunks" in one[0]]
    assert not more
    with sqlite3.connect(file) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    connection.close()
    assert not any(step.startswith("SCAN") or "state" in step for step in plan)
