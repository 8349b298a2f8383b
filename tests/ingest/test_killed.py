"""A process that takes in documents is killed, really and at any instant, and nothing is lost or half there."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pytest
from conftest import FakeEmbedder

import ingest.sync
from ingest.sync import sync
from rag.library import Library
from rag.settings import Settings

DOCUMENTS = 200
KILLS = 50

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system kills otherwise")


def text_of(number: int, edition: int) -> str:
    lines = [f"第{number}号文件第{edition}版"]
    lines += [
        f"第{i}条：{chr(0x5000 + number)}{chr(0x5000 + i)}片区投资{number * i}万元，第{edition}版。{'改造提升工程' * 18}。"
        for i in range(number % 7 + 1)
    ]
    return "\n".join(lines)


def write(folder: Path, edition: int) -> None:
    for number in range(DOCUMENTS):
        (folder / f"{number:03}.txt").write_text(text_of(number, edition), encoding="utf-8")


def take_in(home: str, folder: str, begun: str) -> None:
    """What the killed process does: many small commits, so that a kill seldom falls between them."""
    ingest.sync._BATCH_CHUNKS = 12
    settings = Settings(home=Path(home))
    with Library.open(settings, FakeEmbedder(), writable=True) as library:
        Path(begun).touch()
        sync([Path(folder)], library, settings, prune=True)


def whole(library: Library, expected: set[str]) -> set[str]:
    """Titles of the documents that can be found; each must be there in full, in every store."""
    versions = library.catalog.versions()
    dense, lexical = library.index.version_counts()
    titles = set()
    for version in versions:
        stored = library.catalog.document(version.source.id)
        assert stored is not None
        assert stored.text in expected, f"{version.source.path} is no edition of its file"
        assert dense.get(version.id, 0) == lexical.get(version.id, 0) == version.chunks > 0
        assert library.originals.read(version.source.digest) == stored.text.encode()
        titles.add(stored.text.split("\n")[0])
    assert len({v.source.path for v in versions}) == len(versions), "a document is there twice"
    return titles


@pytest.mark.timeout(600)
def test_killing_an_ingest_at_any_instant_loses_nothing(tmp_path: Path) -> None:
    folder, home, begun = tmp_path / "files", tmp_path / "home", tmp_path / "begun"
    folder.mkdir()
    write(folder, edition := 1)
    settings = Settings(home=home)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["ingest.sync", "rag.library", "rag.index", "chromadb", "tantivy", "conftest"]
    )
    dice = random.Random(20261123)
    start = time.monotonic()
    with Library.open(Settings(home=tmp_path / "trial"), FakeEmbedder(), writable=True) as library:
        sync([folder], library, Settings(home=tmp_path / "trial"))
    whole_run = max(1.0, time.monotonic() - start)

    known: set[str] = set()
    died_at_work = 0
    for _ in range(KILLS):
        begun.unlink(missing_ok=True)
        process = context.Process(target=take_in, args=(str(home), str(folder), str(begun)))
        process.start()
        while not begun.exists() and process.is_alive():
            time.sleep(0.005)
        process.join(dice.uniform(0.0, whole_run * 0.8))
        if process.exitcode is None:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
        died_at_work += process.exitcode != 0
        expected = {text_of(n, e) for n in range(DOCUMENTS) for e in (edition, edition - 1)}
        # A reader that opens the library right then: nothing in it is half there.
        with Library.open(settings, FakeEmbedder(), writable=False) as reader:
            live = {v.id: v for v in reader.catalog.versions()}
            dense, lexical = reader.index.version_counts()
            assert all(dense.get(n) == lexical.get(n) == v.chunks for n, v in live.items())
        # A writer that opens it: what was half done is finished or undone.
        with Library.open(settings, FakeEmbedder(), writable=True) as library:
            chunks = library.catalog.chunk_count()
            assert library.index.counts() == (chunks, chunks)
            assert library.catalog.superseded_ids() == []
            titles = whole(library, expected)
        numbers = {title.partition("号")[0] for title in titles}
        assert known <= numbers, "a document that could be found was lost"
        known = numbers
        if len(titles) == DOCUMENTS and all(title.endswith(f"第{edition}版") for title in titles):
            write(folder, edition := edition + 1)
    assert died_at_work >= KILLS * 0.5, f"only {died_at_work} kills met a process at work"
    with Library.open(settings, FakeEmbedder(), writable=True) as library:
        report = sync([folder], library, settings, prune=True)
        assert report.count("failed") == 0
        assert whole(library, {text_of(n, edition) for n in range(DOCUMENTS)}) == {
            f"第{n}号文件第{edition}版" for n in range(DOCUMENTS)
        }
        kept = {path.name for path in (home / "originals").glob("??/*")}
        assert kept == {v.source.digest for v in library.documents()}
