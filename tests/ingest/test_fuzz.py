"""Files of every format, cut off and with bits turned: each is read or refused with a reason, within its bounds."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from conftest import FakeEmbedder
from office_files import FORMATS, write_sample

from ingest.sync import SyncProgress, sync
from rag.library import Library
from rag.settings import Settings

SEEDS = 24
LONGEST_SECONDS = 30.0
MOST_MEMORY = 2**30


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("samples")
    return {suffix: write_sample(folder, suffix).read_bytes() for suffix in FORMATS}


def truncated(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(1, len(data))]


def flipped(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice((1, 3, 10, 100))):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def scrambled(data: bytes, dice: random.Random) -> bytes:
    """A stretch repeated, moved or overwritten: lengths and offsets inside the file no longer fit."""
    a, b = sorted(dice.randrange(len(data)) for _ in range(2))
    stretch = data[a : min(b, a + 4096)]
    return dice.choice(
        (data[:a] + stretch * 3 + data[b:], data[:a] + data[b:], data[:b] + stretch + data[b:])
    )


class Watch:
    """The most memory that the parser's process has taken, and the longest time one file took."""

    def __init__(self) -> None:
        self.memory = 0
        self.longest = 0.0
        self._since = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def begun(self, step: SyncProgress) -> None:
        if step.current:
            now = time.monotonic()
            self.longest = max(self.longest, now - self._since)
            self._since = now

    def close(self) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        me = psutil.Process()
        while not self._end.wait(0.05):
            for child in me.children():
                try:
                    if "ingest.parser_worker" in " ".join(child.cmdline()):
                        self.memory = max(self.memory, child.memory_info().rss)
                except psutil.Error:
                    continue


@pytest.fixture
def watch() -> Iterator[Watch]:
    started = Watch()
    yield started
    started.close()


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("damage", [truncated, flipped, scrambled])
def test_a_damaged_file_is_read_or_refused_with_a_reason(
    suffix: str,
    damage: Callable[[bytes, random.Random], bytes],
    samples: dict[str, bytes],
    tmp_path: Path,
    watch: Watch,
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    few = SEEDS // 3 if suffix in (".png", ".tiff") else SEEDS  # those that can be read cost a second each
    for seed in range(few):
        dice = random.Random(f"{suffix} {damage.__name__} {seed}")
        (folder / f"{seed:02}{suffix}").write_bytes(damage(samples[suffix], dice))
    settings = Settings(home=tmp_path / "home", max_ocr_pages=1)
    with Library.open(settings, FakeEmbedder(), writable=True) as library:
        report = sync([folder], library, settings, watch.begun)
        for version in library.documents():
            document = library.catalog.document(version.source.id)
            assert document is not None
            document.text.encode("utf-8")
            assert [m.start for m in document.marks] == sorted(m.start for m in document.marks)
    told = {Path(file.path).relative_to(folder).parts[0] for file in report.files}
    assert told == {path.name for path in folder.iterdir()}
    for file in report.files:
        if file.status == "failed":
            assert file.reason, file
            assert file.reason_zh != file.reason, file
            assert "ended unexpectedly" not in file.reason.replace(
                "end unexpectedly", "ended unexpectedly"
            ), file
            assert file.code.startswith("Source"), file
    assert watch.longest < LONGEST_SECONDS
    assert watch.memory < MOST_MEMORY


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_whole_file_is_read(suffix: str, samples: dict[str, bytes], tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / f"方案 【定稿】😀{suffix}").write_bytes(samples[suffix])
    settings = Settings(home=tmp_path / "home")
    with Library.open(settings, FakeEmbedder(), writable=True) as library:
        report = sync([folder], library, settings)
        assert [file.status for file in report.files] == ["added"] * len(report.files), report.files
        texts = [library.catalog.document(v.source.id) for v in library.documents()]
        assert any("28" in document.text for document in texts if document is not None)
