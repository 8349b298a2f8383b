"""Measures ingestion: end to end against the bare encoder, preparing without encoding, and memory over many documents.

``python -m eval.ingestion`` prints a Markdown table. By default it measures over ``samples/``, made larger by
numbering its documents; ``--corpus`` takes a ``corpus.jsonl`` (``id, title, text``; gzipped too).
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ingest.chunking import split
from ingest.documents import load
from ingest.loading import is_supported
from ingest.sync import sync
from rag.embedding import Embedder, Vectors, open_embedder
from rag.library import Library, embedding_text
from rag.settings import Settings, load_settings

_SEED = 20261123


class HashEmbedder:
    """Vectors drawn from a text's digest: what an encoder costs is left out, what everything else costs stays."""

    name = "hash"
    dimension = 384
    max_tokens = 512

    def embed_passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """One vector a text, ``[n, 384]``."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self.embed_query(text)
        if progress is not None:
            progress(len(texts))
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """One vector a text, ``[n, 384]``."""
        return self.embed_passages(texts)

    def embed_query(self, text: str) -> Vectors:
        """The vector of a text, ``[384]``."""
        seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big")
        vector = np.random.default_rng(seed).standard_normal(self.dimension).astype(np.float32)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)


def write_documents(records: Iterable[tuple[str, str]], folder: Path) -> int:
    """Write (name, text) pairs as text files, a thousand a folder; returns how many."""
    count = 0
    for count, (name, text) in enumerate(records, start=1):
        place = folder / f"{count // 1000:03}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.txt").write_text(text, encoding="utf-8", errors="replace")
    return count


def corpus(path: Path) -> Iterator[tuple[str, str]]:
    """The documents of a ``corpus.jsonl`` or ``corpus.jsonl.gz`` as (number, title and text)."""
    with (
        gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    ) as lines:
        for number, line in enumerate(lines):
            record = json.loads(line)
            title = record.get("title") or ""
            yield f"{number:06}", f"{title}\n{record['text']}" if title else record["text"]


def numbered_samples(samples: Path, editions: int) -> Iterator[tuple[str, str]]:
    """The sample documents, several times, each time with a number in each line so that no two are alike."""
    for path in sorted(samples.iterdir()):
        if not is_supported(path.name) or path.suffix not in (".md", ".txt"):
            continue
        text = load(path).text
        for edition in range(editions):
            lines = (
                f"{line}（{edition}-{n}）" if line.strip() else line
                for n, line in enumerate(text.split("\n"))
            )
            yield f"{path.stem}-{edition}", "\n".join(lines)


def speed(folder: Path, settings: Settings, embedder: Embedder, rounds: int = 5) -> list[tuple[str, str]]:
    """End-to-end passages a second against the bare encoder's on the same texts, interleaved; medians of ratios."""
    paths = sorted(path for path in folder.rglob("*.txt"))
    documents = [load(path) for path in paths]
    texts = [
        embedding_text(document.source, chunk)
        for document in documents
        for chunk in split(document, settings.chunk_chars)
    ]
    megabytes = sum(path.stat().st_size for path in paths) / 1e6
    start = time.perf_counter()
    for path in paths:
        split(load(path), settings.chunk_chars)
    preparing = megabytes / (time.perf_counter() - start)
    embedder.embed_passages(texts[:64])  # the first batches also wake threads and fill caches
    bare, whole = [], []
    for number in range(rounds):
        start = time.perf_counter()
        embedder.embed_passages(texts)
        bare.append(len(texts) / (time.perf_counter() - start))
        home = settings.home / f"round-{number}"
        with Library.open(settings.model_copy(update={"home": home}), embedder, writable=True) as library:
            start = time.perf_counter()
            report = sync([folder], library, settings)
            whole.append(report.passages / (time.perf_counter() - start))
        shutil.rmtree(home)
    ratios = sorted(w / b for w, b in zip(whole, bare, strict=True))
    return [
        ("documents / passages / MB", f"{len(paths)} / {len(texts)} / {megabytes:.2f}"),
        ("bare encoder, passages/s", ", ".join(f"{rate:.1f}" for rate in bare)),
        ("end to end, passages/s", ", ".join(f"{rate:.1f}" for rate in whole)),
        ("ratio, median of rounds", f"{ratios[len(ratios) // 2]:.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})"),
        ("reading, cleaning, cutting", f"{preparing:.2f} MB/s"),
    ]


def scale(folder: Path, settings: Settings) -> list[tuple[str, str]]:
    """Time and peak memory of taking in a folder with a fake encoder, and of a second run over it."""
    with Library.open(settings, HashEmbedder(), writable=True) as library:
        start = time.perf_counter()
        report = sync([folder], library, settings, _meter())
        took = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        start = time.perf_counter()
        again = sync([folder], library, settings, _meter())
        second = time.perf_counter() - start
    sys.stderr.write("\n")
    return [
        (
            "files added / unchanged / failed",
            " / ".join(str(report.count(s)) for s in ("added", "unchanged", "failed")),
        ),
        ("passages", f"{report.passages:,}"),
        ("time", f"{took:.0f} s, {report.passages / took:.0f} passages/s"),
        ("peak memory", f"{peak:.0f} MB"),
        ("second run", f"{second:.0f} s, {again.count('unchanged') + again.count('linked')} unchanged"),
    ]


def _meter() -> Callable[[object], None]:
    last = 0.0

    def show(step: object) -> None:
        nonlocal last
        if time.monotonic() - last > 2:
            last = time.monotonic()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            sys.stderr.write(f"\r{step}, {peak:.0f} MB    "[-200:])

    return show


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry: measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, default=Path(__file__).parent.parent / "samples")
    parser.add_argument("--corpus", type=Path, help="a corpus.jsonl instead of the samples")
    parser.add_argument("--documents", type=int, help="only so many documents, drawn at random")
    parser.add_argument(
        "--scale", action="store_true", help="measure memory with a fake encoder instead of speed"
    )
    parser.add_argument(
        "--home", type=Path, help="where the library is made and kept; a run goes on from there"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        records = corpus(options.corpus) if options.corpus else numbered_samples(options.samples, 12)
        if options.documents:
            everything = list(records)
            chosen = random.Random(_SEED).sample(everything, min(options.documents, len(everything)))  # noqa: S311
            records = iter(sorted(chosen))
        folder = (options.home or Path(scratch)) / "documents"
        if not folder.exists():
            write_documents(records, folder)
        settings = load_settings({"home": (options.home or Path(scratch)) / "library"})
        rows = scale(folder, settings) if options.scale else speed(folder, settings, open_embedder(settings))
    width = max(len(name) for name, _ in rows)
    sys.stdout.write("\n".join(f"| {name:{width}} | {value} |" for name, value in rows) + "\n")


if __name__ == "__main__":
    main()
