"""The work folder: what all systems are given, as plain files, so that a peer needs nothing of the project."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.cases import Benchmark, Case
from eval.runner import Options, chosen
from ingest.documents import load
from ingest.loading import is_supported
from ingest.walking import walk

_UNFIT = re.compile(r"[^\w（）()【】《》“”-]+")
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Text:
    """One document as the peers get it."""

    id: str
    title: str
    text: str


def texts_of(benchmark: Benchmark) -> list[Text]:
    """The documents of a benchmark, as text.

    Files are read and cleaned by the project's own ingestion, so that encodings and formats are nobody's advantage.

    :raises SourceError: when a file cannot be read
    """
    if benchmark.folder is None:
        return [Text(document.id, document.title, document.text) for document in benchmark.documents]
    found: list[Text] = []
    for file in walk([benchmark.folder]):
        if is_supported(file.path.name):
            document = load(file.path)
            found.append(Text(file.path.name, document.source.title, document.text))
    return found


def file_text(text: Text) -> str:
    """What the file of a document holds: its title above its text, unless it begins with it."""
    if not text.title or text.title in text.text[: len(text.title) + 40]:
        return text.text
    return f"{text.title}\n\n{text.text}"


def file_name(text: Text, number: int) -> str:
    """A name for the file that tells what it is, as an office's files do; the number keeps it unique."""
    name = _UNFIT.sub(" ", Path(text.id).stem if text.id.endswith((".txt", ".md")) else text.title or text.id)
    return f"{number:05d} {name.strip()[:_LONGEST_NAME]}".strip() + ".txt"


def asked(benchmark: Benchmark, limit: int | None, seed: int) -> list[Case]:
    """The cases that are asked, so many drawn at random; follow-up questions are left out.

    The stock tutorials keep no conversation, so that a follow-up question would ask them about nothing.
    """
    alone = [case for case in benchmark.cases if not case.history]
    return chosen(alone, Options(limit=limit, seed=seed))


def digest_of(texts: Iterable[Text], cases: Iterable[Case], settings: Sequence[object]) -> str:
    """A name for the work: the same for the same documents, questions and settings."""
    sha = hashlib.sha256()
    for text in texts:
        sha.update(f"{text.id}\0{file_text(text)}\0".encode("utf-8", "replace"))
    for case in cases:
        sha.update(f"{case.id}\0{case.question}\0".encode("utf-8", "replace"))
    sha.update(json.dumps(list(settings), default=str).encode())
    return sha.hexdigest()[:10]


def write_work(folder: Path, texts: Sequence[Text], cases: Sequence[Case]) -> int:
    """Write documents and questions into ``folder``; returns the characters of all documents."""
    documents = folder / "documents"
    documents.mkdir(parents=True, exist_ok=True)
    ids: dict[str, str] = {}
    characters = 0
    for number, text in enumerate(texts, start=1):
        content = file_text(text).encode("utf-8", "replace").decode("utf-8")
        name = file_name(text, number)
        (documents / name).write_text(content, encoding="utf-8")
        ids[name] = text.id
        characters += len(content)
    (folder / "documents.json").write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")
    lines = (json.dumps({"id": case.id, "question": case.question}) + "\n" for case in cases)
    (folder / "questions.jsonl").write_text("".join(lines), encoding="utf-8")
    return characters
