"""The index over chunks: a dense leg (Chroma) and a lexical leg (tantivy), both derived from the catalog.

The only module that imports chromadb and tantivy. Keys are the catalog's chunk keys; a hit may name a chunk that the
catalog no longer knows, which callers ignore.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
import math
import re
import shutil
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from rag.errors import LibraryDamaged, StorageFull
from rag.text import HAN, script_of, terms

if TYPE_CHECKING:
    import tantivy

logger = logging.getLogger(__name__)

METRIC = "cosine"
LAYOUT = 2
"""How the index is laid out: 2 keeps texts in Chinese and in other languages apart."""
Language = Literal["han", "other"]
"""Whether a text is written in Chinese. Among the vectors of a model, texts of the question's own language stand before
all others, whatever they say: over 123 documents in both languages the legs' fifty best held a passage of the right document
for 0.76 of 1,194 questions, half of them asked across languages, and for 0.99 where each language was asked by itself."""
LANGUAGES: tuple[Language, ...] = get_args(Language)
_COLLECTIONS: dict[Language, str] = {"han": "chunks", "other": "chunks-other"}
_CHROMA_BATCH = 5000
"""Chroma 1.5 takes at most 5,461 records in one call."""
_WORD_BOOST, _GRAM_BOOST, _TITLE_BOOST = 1.0, 0.5, 0.3
_WRITER_HEAP = 64 * 1024 * 1024
_MOST_QUERY_TERMS = 128
_HAN = re.compile(f"[{HAN}]")
_LATIN = re.compile(rf"[^\W\d_{HAN}]+")
_FUNCTION_WORDS = frozenset(
    "the of and to in is are was for a an on by with from at as that it be or this will has have".split()  # noqa: SIM905
)
_WAITS = (0.1, 0.3, 0.6)
"""Seconds after which a search is tried again that met a file half written."""
_LEAST_FREE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One chunk to be indexed: its key, the version it belongs to, its text and its context (title, heading)."""

    key: str
    version_id: int
    text: str
    context: str

    @property
    def language(self) -> Language:
        """The language of its text."""
        return language_of(self.text, self.context)


def language_of(text: str, context: str) -> Language:
    """The language of a text under its title and heading.

    Letters alone make no language, and a text in two languages counts as Chinese: what a Chinese page holds of addresses,
    program text and quotations lies near to every question, and would stand before the answers among the few texts in
    another language.
    """
    found = _LATIN.findall(text)
    # The count comes first: it settles nearly all Chinese texts, and the script takes two conversions to tell.
    if 2 * len(_HAN.findall(text)) > len(found) or script_of(text) != "en":
        return "han"
    return "other" if script_of(context) == "en" or _is_english(found) else "han"


def _is_english(found: Sequence[str]) -> bool:
    """Whether these words make English sentences: a tenth of them are those that every English sentence needs."""
    return sum(word.lower() in _FUNCTION_WORDS for word in found) >= max(2, len(found) // 10)


class Index(Protocol):
    """Both legs. Scores are comparable only within one leg and one query; higher is better."""

    def add(self, entries: Sequence[Entry], vectors: NDArray[np.float32]) -> None:
        """Write entries with their vectors, ``[len(entries), dimension]``; durable when it returns."""

    def delete_versions(self, version_ids: Sequence[int]) -> None:
        """Remove all entries of these versions; durable when it returns."""

    def dense(
        self,
        vector: NDArray[np.float32],
        k: int,
        within: Sequence[int] | None = None,
        language: Language | None = None,
    ) -> list[tuple[str, float]]:
        """The ``k`` nearest keys with their cosine similarity, best first.

        :param within: versions to look in; None for all
        :param language: look among texts of this language alone; None for all
        """

    def lexical(
        self,
        query: str,
        k: int,
        within: Sequence[int] | None = None,
        also: Sequence[tuple[str, float]] = (),
    ) -> list[tuple[str, float]]:
        """The ``k`` keys with the highest BM25 score, best first.

        :param within: versions to look in; None for all
        :param also: other names of what the query names, each with its weight beside the query's own words
        """

    def vectors(self, keys: Sequence[str]) -> NDArray[np.float32]:
        """The vectors written for these keys, ``[len(keys), dimension]``, in their order."""

    def counts(self) -> tuple[int, int]:
        """How many entries the dense and the lexical leg hold."""

    def version_counts(self) -> tuple[dict[int, int], dict[int, int]]:
        """How many entries the dense and the lexical leg hold of each version."""

    def close(self) -> None:
        """Release files."""


class EmbeddedIndex:
    """Chroma and tantivy in one folder, in this process. Threads may share it."""

    def __init__(self, folder: Path, *, writable: bool) -> None:
        """Open or create the index in ``folder``.

        :raises LibraryDamaged: when a store is there but cannot be read
        """
        self._folder = folder
        self._writable = writable
        self._write_lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        with self._translated():
            self._client, self._collections = _open_chroma(folder / "dense")
            self._lexical = _open_tantivy(folder / "lexical")
        self._writer: tantivy.IndexWriter | None = None

    def add(self, entries: Sequence[Entry], vectors: NDArray[np.float32]) -> None:
        """Write entries with their vectors; durable in both legs when it returns."""
        if not entries:
            return
        import tantivy

        with self._write_lock, self._translated():
            for start in range(0, len(entries), _CHROMA_BATCH):
                some = entries[start : start + _CHROMA_BATCH]
                for language, collection in self._collections.items():
                    rows = [row for row, entry in enumerate(some, start) if entry.language == language]
                    if rows:
                        collection.add(
                            ids=[entries[row].key for row in rows],
                            embeddings=vectors[rows],
                            metadatas=[{"version": entries[row].version_id} for row in rows],
                        )
            writer = self._open_writer()
            for entry in entries:
                found, grams = terms(entry.text)
                title, _ = terms(entry.context)
                document = tantivy.Document()
                document.add_text("key", entry.key)
                document.add_text("version", str(entry.version_id))
                document.add_text("words", _as_field(found))
                document.add_text("grams", _as_field(grams))
                document.add_text("title", _as_field(title))
                writer.add_document(document)
            writer.commit()
            self._lexical.reload()

    def delete_versions(self, version_ids: Sequence[int]) -> None:
        """Remove all entries of these versions from both legs."""
        if not version_ids:
            return
        with self._write_lock, self._translated():
            for version_id in version_ids:
                for collection in self._collections.values():
                    collection.delete(where={"version": version_id})
            writer = self._open_writer()
            for version_id in version_ids:
                writer.delete_documents_by_term("version", str(version_id))
            writer.commit()
            self._lexical.reload()

    def dense(
        self,
        vector: NDArray[np.float32],
        k: int,
        within: Sequence[int] | None = None,
        language: Language | None = None,
    ) -> list[tuple[str, float]]:
        """The ``k`` nearest keys with their cosine similarity, best first.

        :param within: versions to look in; None for all
        :param language: look among texts of this language alone; None for all
        """
        if within is not None and not within:
            return []
        chosen: Any = None if within is None else {"version": {"$in": list(within)}}
        hits: list[tuple[str, float]] = []
        with self._translated():
            for one, collection in self._collections.items():
                if language in (None, one):
                    result = _patiently(
                        functools.partial(
                            collection.query,
                            query_embeddings=[vector],
                            n_results=k,
                            include=["distances"],
                            where=chosen,
                        )
                    )
                    distances = result["distances"] or [[]]
                    near = zip(result["ids"][0], distances[0], strict=True)
                    hits.extend((key, 1.0 - distance) for key, distance in near)
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:k]

    def lexical(
        self,
        query: str,
        k: int,
        within: Sequence[int] | None = None,
        also: Sequence[tuple[str, float]] = (),
    ) -> list[tuple[str, float]]:
        """The ``k`` keys with the highest BM25 score over words, character bigrams and titles, best first.

        :param within: versions to look in; None for all
        :param also: other names of what the query names, each with its weight beside the query's own words
        """
        import tantivy

        schema = self._lexical.schema
        clauses = [
            (
                tantivy.Occur.Should,
                tantivy.Query.boost_query(tantivy.Query.term_query(schema, field, term, "freq"), boost),
            )
            for (field, term), boost in _weighted_terms(query, also).items()
        ]
        if not clauses or (within is not None and not within):
            return []
        asked = tantivy.Query.boolean_query(clauses)
        if within is not None:
            numbers = [str(version) for version in within]
            only = tantivy.Query.const_score_query(
                tantivy.Query.term_set_query(schema, "version", numbers), 0.0
            )
            asked = tantivy.Query.boolean_query([(tantivy.Occur.Must, asked), (tantivy.Occur.Must, only)])
        with self._translated():
            searcher = self._lexical.searcher()
            result = searcher.search(asked, limit=k, count=False)
            hits = [(str(searcher.doc(address)["key"][0]), float(score)) for score, address in result.hits]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))

    def vectors(self, keys: Sequence[str]) -> NDArray[np.float32]:
        """The vectors written for these keys, ``[len(keys), dimension]``, in their order.

        :raises LibraryDamaged: when one is not there
        """
        found: dict[str, Any] = {}
        with self._translated():
            for start in range(0, len(keys), _CHROMA_BATCH):
                for collection in self._collections.values():
                    some = list(keys[start : start + _CHROMA_BATCH])
                    result = _patiently(functools.partial(collection.get, ids=some, include=["embeddings"]))
                    found.update(zip(result["ids"], result["embeddings"], strict=True))
        if missing := [key for key in keys if key not in found]:
            raise LibraryDamaged(
                f"The index {self._folder} lacks {len(missing)} of its vectors.",
                "Run `wenzheng rebuild` to make it anew from the catalog.",
            )
        return np.asarray([found[key] for key in keys], np.float32)

    def counts(self) -> tuple[int, int]:
        """How many entries the dense and the lexical leg hold."""
        with self._translated():
            dense = sum(_patiently(collection.count) for collection in self._collections.values())
            return dense, self._lexical.searcher().num_docs

    def version_counts(self) -> tuple[dict[int, int], dict[int, int]]:
        """How many entries the dense and the lexical leg hold of each version."""
        import tantivy

        with self._translated():
            dense: Counter[int] = Counter()
            for collection in self._collections.values():
                offset = 0
                while keys := collection.get(include=[], limit=_CHROMA_BATCH, offset=offset)["ids"]:
                    dense.update(_version_of(key) for key in keys)
                    offset += len(keys)
            lexical: Counter[int] = Counter()
            searcher = self._lexical.searcher()
            if searcher.num_docs:
                result = searcher.search(tantivy.Query.all_query(), limit=searcher.num_docs, count=False)
                lexical.update(
                    _version_of(str(searcher.doc(address)["key"][0])) for _, address in result.hits
                )
        return dict(dense), dict(lexical)

    def close(self) -> None:
        """Release the writer and its lock."""
        with self._write_lock:
            if self._writer is not None:
                self._writer.wait_merging_threads()
                self._writer = None
            self._client.close()

    def _open_writer(self) -> tantivy.IndexWriter:
        if not self._writable:
            raise LibraryDamaged(
                f"The index {self._folder} was opened for reading only.", "Open it for writing."
            )
        if self._writer is None:
            self._writer = self._lexical.writer(heap_size=_WRITER_HEAP, num_threads=1)
        return self._writer

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, RuntimeError) as error:
            raise _as_library_error(error, self._folder) from error
        except Exception as error:
            # Chroma raises its own types for faults of its storage; ours pass through.
            if type(error).__module__.startswith("chromadb"):
                raise _as_library_error(error, self._folder) from error
            raise


def _patiently(ask: Callable[[], Any]) -> Any:
    """Chroma's answer; asked again where it fails while another process writes the files that it reads.

    Each process that opens a small collection writes its files anew. A failure on a file read half written passes with the
    write; a damaged index fails each time.
    """
    for wait in _WAITS:
        try:
            return ask()
        except Exception as error:
            if "hnsw" not in str(error).lower() and "pickle" not in str(error).lower():
                raise
            logger.warning("Chroma could not read its index, asking again: %s", error)
            time.sleep(wait)
    return ask()


def _weighted_terms(query: str, also: Sequence[tuple[str, float]]) -> dict[tuple[str, str], float]:
    """What is asked of each field, by field and term, with its boost."""
    boosts: dict[tuple[str, str], float] = defaultdict(float)
    names: dict[float, list[str]] = defaultdict(list)
    for name, weight in also:
        names[weight].append(name)
    for text, weight in ((query, 1.0), *((" ".join(some), weight) for weight, some in names.items())):
        found, grams = terms(text)
        for field, wanted, boost in (
            ("words", found, _WORD_BOOST),
            ("grams", grams, _GRAM_BOOST),
            ("title", found, _TITLE_BOOST),
        ):
            for term, times in Counter(wanted).most_common(_MOST_QUERY_TERMS):
                # A repeated query term counts for more, but not in proportion.
                boosts[field, term] += weight * boost * (1.0 + math.log(times))
    return boosts


def nearly_full(folder: Path) -> bool:
    """Whether the disk that holds a folder has no room to work in."""
    try:
        return shutil.disk_usage(folder).free < _LEAST_FREE
    except OSError:
        return False


def remove_index(folder: Path) -> None:
    """Delete an index; the catalog can rebuild it."""
    shutil.rmtree(folder, ignore_errors=True)


def _open_chroma(folder: Path) -> tuple[Any, dict[Language, Any]]:
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    configuration: Any = {"hnsw": {"space": METRIC, "ef_construction": 200, "ef_search": 100}}
    client = chromadb.PersistentClient(str(folder), settings=ChromaSettings(anonymized_telemetry=False))
    # ef_search 100: with the default 10 the graph search misses true neighbours once the list asked for is longer.
    collections: dict[Language, Any] = {
        language: client.get_or_create_collection(name, embedding_function=None, configuration=configuration)
        for language, name in _COLLECTIONS.items()
    }
    return client, collections


def _open_tantivy(folder: Path) -> tantivy.Index:
    import tantivy

    folder.mkdir(parents=True, exist_ok=True)
    schema = (
        tantivy.SchemaBuilder()
        .add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
        .add_text_field("version", tokenizer_name="raw", index_option="basic")
        .add_text_field("words", tokenizer_name="whitespace", index_option="freq")
        .add_text_field("grams", tokenizer_name="whitespace", index_option="freq")
        .add_text_field("title", tokenizer_name="whitespace", index_option="freq")
        .build()
    )
    index = tantivy.Index(schema, path=str(folder), reuse=True)
    index.register_tokenizer(
        "whitespace", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    )
    index.config_reader(reload_policy="manual")
    index.reload()
    return index


def _as_field(found: Sequence[str]) -> str:
    return " ".join(found)


def _version_of(key: str) -> int:
    return int(key.partition(":")[0])


def _as_library_error(error: Exception, folder: Path) -> LibraryDamaged | StorageFull:
    detail = str(error)
    # Chroma does not pass the system's error on ("Error in compaction"): with next to nothing left it is the disk.
    full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in detail or nearly_full(folder)
    if full:
        return StorageFull(
            f"No space is left on the disk that holds {folder}.",
            "Free some space and run the same command again; nothing that was findable is lost.",
        )
    return LibraryDamaged(
        f"The index {folder} cannot be used: {detail}.",
        "Run `wenzheng rebuild` to make it anew from the catalog.",
    )
