"""Fakes that stand in for the models where a test is not about them, and small libraries to ask."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.sync import sync
from rag.embedded import ModelStatus
from rag.library import Library
from rag.model import Reply, Told
from rag.pipeline import Pipeline
from rag.settings import Settings
from rag.text import bigrams
from rag.types import Usage

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"


class FakeEmbedder:
    """Vectors of hashed character pairs: near when the wording is near. Counts what it encodes."""

    dimension = 256
    max_tokens = 512

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.encoded: list[str] = []

    def embed_passages(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> np.ndarray:
        self.encoded.extend(texts)
        if progress is not None:
            progress(len(texts))
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.stack([self._vector(text) for text in texts])

    def embed_query(self, text: str) -> np.ndarray:
        return self._vector(text)

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([self.embed_query(text) for text in texts])

    def _vector(self, text: str) -> np.ndarray:
        vector = np.full(self.dimension, 0.01, dtype=np.float32)
        for pair in bigrams(text):
            vector[int.from_bytes(hashlib.md5(pair.encode()).digest()[:2], "big") % self.dimension] += 1.0
        return vector / np.linalg.norm(vector)


class ScriptedModel:
    """A chat model that says what the test queued, and remembers what it was asked. ``usage`` is what it tells of each.

    ``likeliest`` are the first tokens that it tells of when it is asked for them, ``begins`` those of each answer.
    """

    name = "scripted"

    def __init__(self, *replies: str | Exception) -> None:
        self.replies = list(replies)
        self.asked: list[Sequence[Any]] = []
        self.closed = False
        self.status = ModelStatus(state="ready", detail="", since=0.0, restarts=0)
        self.ended_early = 0
        self.usage: Usage | None = Usage(300, 20)
        self.likeliest: Mapping[str, float] = {}
        self.begins: Mapping[str, float] = {}
        self.assessed: list[Sequence[Any]] = []

    def stream(
        self, messages: Sequence[Any], *, max_tokens: int, stop: threading.Event | None = None
    ) -> Reply:
        return Reply(self.pieces(messages, stop))

    def first_tokens(
        self, messages: Sequence[Any], *, stop: threading.Event | None = None
    ) -> Mapping[str, float]:
        self.assessed.append(messages)
        return self.likeliest

    def pieces(
        self, messages: Sequence[Any], stop: threading.Event | None
    ) -> Generator[str, None, Told | None]:
        self.asked.append(messages)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        finished = False
        try:
            for i in range(0, len(reply), 5):
                if stop is not None and stop.is_set():
                    return None
                yield reply[i : i + 5]
            finished = True
            return Told(self.usage, self.begins)
        finally:
            if not finished:
                self.ended_early += 1

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", models=tmp_path / "models")


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def library(settings: Settings, embedder: FakeEmbedder) -> Iterator[Library]:
    with Library.open(settings, embedder, writable=True) as opened:
        yield opened


REPORT = """区委全会召开
发布日期：2025年12月29日

区住建局局长田禾表示，将以装配式建造为突破口推动建筑业转型升级，改造老旧小区28个，加快建设好房子。\
区文旅局局长白露表示，将打造湖畔音乐节品牌，全年接待游客300万人次。
区教育局、区民政局等部门负责人列席会议。
"""
NOTICE = """关于申报加装电梯补贴的通知

每台电梯补贴标准为22万元，申报截止日期为2026年9月30日，由区住建局负责受理。
咨询电话：0600-66102733。
"""


@pytest.fixture
def make_library(tmp_path: Path, library: Library, settings: Settings) -> Callable[..., Library]:
    """Put texts into the library: keyword arguments or a mapping of file name to text."""

    def make(files: dict[str, str]) -> Library:
        folder = tmp_path / "documents"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        sync([folder], library, settings)
        return library

    return make


@pytest.fixture
def make_pipeline(make_library: Callable[..., Library], settings: Settings) -> Callable[..., Pipeline]:
    """A pipeline over two small documents, with the replies the model will give."""

    def make(*replies: str | Exception, files: dict[str, str] | None = None, **changes: Any) -> Pipeline:
        library = make_library(files or {"report.txt": REPORT, "notice.txt": NOTICE})
        # A model that has said its lines has none left to put them right with; tests of that ask for it.
        changed = settings.model_copy(update={"correct": False, **changes})
        return Pipeline(library, ScriptedModel(*replies), changed)

    return make
