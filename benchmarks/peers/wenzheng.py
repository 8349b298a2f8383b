"""Wenzheng itself over the same cases, through `eval.runner`, in a process of its own so that its memory can be told.

Reads its job as one line of JSON from standard input: ``benchmark`` (a path), ``cases`` (ids), ``folder``, ``base_url``,
``api_key``, ``model``. Answers go into ``folder/run``; standard output gets the records that `benchmarks.peers.driving` knows.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.peers.pipelines.exchange import end_with_driver, peak_mb


def main() -> None:
    """Index, ask, and say how it went."""
    from eval.benchmarks import load_benchmark
    from eval.runner import Options, Progress, fill, index_key, run
    from rag.embedding import open_embedder
    from rag.library import Library
    from rag.settings import load_settings

    job = json.loads(sys.stdin.readline())
    end_with_driver()
    folder = Path(job["folder"])
    settings = load_settings(
        {
            "home": folder / "home",
            "chat_base_url": job["base_url"],
            "chat_api_key": job["api_key"],
            "chat_model": job["model"],
        }
    )
    whole = load_benchmark(Path(job["benchmark"]))
    wanted = set(job["cases"])
    benchmark = replace(whole, cases=tuple(case for case in whole.cases if case.id in wanted))
    begun = time.perf_counter()
    embedder = open_embedder(settings)
    embedder.embed_query("预热")  # loading is no part of indexing, for the peers neither
    loaded = time.perf_counter()
    home = folder / "cache" / "indexes" / index_key(benchmark, settings, embedder)
    at_home = settings.model_copy(update={"home": home})
    with Library.open(at_home, embedder, writable=True) as library:
        opened = time.perf_counter()
        added = fill(library, benchmark, at_home, lambda _: None)
        took = time.perf_counter() - opened
        chunks = library.catalog.chunk_count()
    if added:
        _say(
            {
                "kind": "indexed",
                "loading_seconds": round(loaded - begun, 3),
                "indexing_seconds": round(took, 3),
                "chunks": chunks,
            }
        )

    def tell(progress: Progress) -> None:
        if progress.phase == "asking" and progress.done:
            _say({"kind": "asked"})

    run(benchmark, Options(parallel=1), settings, folder / "cache", folder / "run", tell, embedder)
    _say({"kind": "end", "peak_mb": peak_mb()})


def _say(record: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
