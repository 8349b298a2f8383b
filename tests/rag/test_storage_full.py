"""A disk that is really full: a small file system in memory, where this system lets the test make one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import FakeEmbedder

from ingest.chunking import split
from rag.errors import StorageFull
from rag.library import Addition, Library
from rag.settings import Settings
from rag.types import Document, Source


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or not mount("-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)):
        pytest.skip("making a small file system needs the right to mount one")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def document(n: int) -> Document:
    text = "\n".join(
        f"第{n}号文件第{line}行说的是改造老旧小区{n * line}个，投资{n + line}万元。" for line in range(400)
    )
    return Document(Source(f"d{n}", f"/docs/{n}", f"文件{n}", str(n), "text/plain"), text)


def test_a_full_disk_is_said_and_loses_nothing(small_disk: Path, embedder: FakeEmbedder) -> None:
    settings = Settings(home=small_disk / "home")
    kept = 0
    with Library.open(settings, embedder, writable=True) as library:
        while True:
            item = Addition(document(kept), split(document(kept), 200))
            try:
                library.replace([item])
            except StorageFull as error:
                assert "No space is left" in error.what
                break
            kept += 1
            assert kept < 200, "the disk never filled up"
    assert mount("-o", "remount,size=64m", str(small_disk))
    with Library.open(settings, embedder, writable=True) as library:
        assert {version.source.id for version in library.documents()} == {f"d{n}" for n in range(kept)}
        expected = library.catalog.chunk_count()
        assert library.index.counts() == (expected, expected)
        library.replace([Addition(document(500), split(document(500), 200))])
        assert library.index.lexical("第500号文件", 1)
