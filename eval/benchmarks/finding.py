"""Finds a benchmark by path or name, and tells its form from what is in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from eval.benchmarks.beir import is_beir, load_beir
from eval.benchmarks.cmrc import is_cmrc, load_cmrc
from eval.benchmarks.crud import is_crud, load_crud
from eval.benchmarks.own import QUERIES, corpus_path, load_own
from eval.benchmarks.reading import first_line, lines, whole
from eval.benchmarks.rgb import Drawing, is_rgb, load_rgb
from eval.benchmarks.samples import QUESTIONS, load_samples
from eval.benchmarks.squad import is_squad, is_squad_line, load_squad, load_squad_lines
from eval.cases import Benchmark
from rag.errors import SourceEmpty, SourceError, SourceNotFound, SourceUnsupported

SAMPLES = Path(__file__).parent.parent.parent / "samples"
"""The project's own samples, found under the name "samples"."""

_FORMS = (
    "Known are SQuAD's JSON and its relatives, also as JSON lines, CMRC's own JSON, RGB's JSON lines, CRUD-RAG's split file, BEIR folders, "
    f"folders with corpus.jsonl and {QUERIES}, and folders of documents with {QUESTIONS}."
)
_FORMS_ZH = (
    "可读取的有：SQuAD 及同类的 JSON 或 JSON Lines、CMRC 的 JSON、RGB 的 JSON Lines、CRUD-RAG 的切分文件、BEIR 文件夹、"
    f"含 corpus.jsonl 和 {QUERIES} 的文件夹，以及含 {QUESTIONS} 的文档文件夹。"
)

_KEYS_ZH = {"split": "划分", "type": "类型"}


def load_benchmark(
    path: Path,
    *,
    name: str | None = None,
    split: str | None = None,
    noise: float = 0.0,
    passages: int = 5,
    correct: float = 0.0,
    part: str | None = None,
    seed: int = 0,
) -> Benchmark:
    """Read a benchmark, whatever form it has.

    :param name: None for what it calls itself, or the name of its file or folder
    :param split: BEIR's judgements of that name; of other forms the cases marked with it
    :param noise: for RGB, the share of passages given to a question that do not hold the answer, 0 to 1
    :param passages: for RGB, how many passages a question is given
    :param correct: for RGB's counterfactual part, the share of passages given that are not falsified, 0 to 1
    :param part: a part of CRUD-RAG, or the cases of one type ("integration") or language ("zh-Hans"); for folders with
        ``gold_xling``, "zh-Hans>en" asks questions in the one language of documents in the other
    :param seed: for RGB, of the draw
    :raises SourceError: it is not there, its form is not known, a record is malformed, or nothing is left to ask
    """
    drawing = Drawing(passages, noise, correct, seed)
    if path.is_dir():
        found = _from_folder(path, name, split, part)
    elif path.is_file():
        found = _from_file(path, name or _stem(path), drawing, part)
    else:
        raise SourceNotFound(
            f"{path} is not there.", "Check the path.", chinese=f"“{path}”不存在。请检查路径。"
        )
    if (noise or correct) and found.form != "rgb":
        raise SourceError(
            f"{found.name} has no passages to draw as noise.",
            "Noise is a matter of RGB's files; leave it at 0.",
            chinese=f"“{found.name}”没有可作噪声的段落。只有 RGB 的文件才有噪声，请设为0。",
        )
    if split is not None and found.form != "beir":
        found = _chosen(found, "split", split)
    if part is not None and found.form not in ("wenzheng", "crud"):
        found = _chosen(found, "type", part)
    if not found.cases:
        raise SourceEmpty(
            f"{found.name} has no questions.",
            "Take another file or split.",
            chinese=f"“{found.name}”没有问题。请换用其他文件或划分。",
        )
    if not found.documents and found.folder is None:
        raise SourceEmpty(
            f"{found.name} has no documents.",
            "Take another file.",
            chinese=f"“{found.name}”没有文档。请换用其他文件。",
        )
    return found


def find_benchmark(name_or_path: str, roots: Sequence[Path]) -> Path:
    """The path of a benchmark: "samples" (the project's), a path, or the name of a folder or file under one of the roots.

    :raises SourceNotFound: naming what there is
    """
    if name_or_path == "samples" and SAMPLES.is_dir():
        return SAMPLES
    for candidate in (Path(name_or_path), *(root / name_or_path for root in roots)):
        if name_or_path and _exists(candidate):
            return candidate
    there = {"samples"} if SAMPLES.is_dir() else set()
    for root in roots:
        if root.is_dir():
            there.update(path.name for path in root.iterdir() if path.is_dir() and _is_benchmark(path))
    raise SourceNotFound(
        f'There is no benchmark "{name_or_path}".',
        f"Give a path or one of these: {', '.join(sorted(there))}." if there else "Give the path of one.",
        chinese=f"没有名为“{name_or_path}”的评测集。"
        + (f"请给出路径，或选用：{'、'.join(sorted(there))}。" if there else "请给出路径。"),
    )


def _from_folder(folder: Path, name: str | None, split: str | None, part: str | None) -> Benchmark:
    if (folder / QUERIES).is_file():
        if is_beir(folder):
            return load_beir(folder, name or folder.resolve().name, split)
        return load_own(folder, name, part)
    if (folder / QUESTIONS).is_file():
        return load_samples(folder, name)
    missing = f"It has a corpus but no {QUERIES}. " if corpus_path(folder) else ""
    missing_zh = f"其中有文档但没有 {QUERIES}。" if missing else ""
    raise SourceUnsupported(
        f"The form of the folder {folder.name} is not known.",
        missing + _FORMS,
        chinese=f"无法识别文件夹“{folder.name}”的格式。{missing_zh}{_FORMS_ZH}",
    )


def _from_file(path: Path, name: str, drawing: Drawing, part: str | None) -> Benchmark:
    try:
        first = json.loads(first_line(path))
    except (ValueError, RecursionError):
        first = None
    if is_rgb(first):
        return load_rgb(lines(path), name, drawing)
    if isinstance(first, dict) and {"question", "gold"} <= first.keys():
        raise SourceUnsupported(
            f"{path.name} is a part of a benchmark.",
            "Give the folder that it is in.",
            chinese=f"“{path.name}”是评测集的一部分。请指定它所在的文件夹。",
        )
    if is_squad_line(first):
        return load_squad_lines(lines(path), path.name, name)
    value = whole(path)
    if is_squad(value):
        return load_squad(value, path.name, name)
    if is_cmrc(value):
        return load_cmrc(value, path.name, name)
    if is_crud(value):
        return load_crud(value, path.name, name, part)
    raise SourceUnsupported(
        f"The form of {path.name} is not known.", _FORMS, chinese=f"无法识别“{path.name}”的格式。{_FORMS_ZH}"
    )


def _chosen(benchmark: Benchmark, key: str, wanted: str) -> Benchmark:
    """The benchmark with the cases alone whose ``key`` ("split", "type") has that value."""
    cases = tuple(case for case in benchmark.cases if getattr(case, key) == wanted)
    if not cases:
        there = sorted({getattr(case, key) for case in benchmark.cases} - {""})
        raise SourceError(
            f'{benchmark.name} has no cases of the {key} "{wanted}".',
            f"Choose one of {', '.join(there)}." if there else f"Leave the {key} out; it has none.",
            chinese=f"“{benchmark.name}”没有{_KEYS_ZH[key]}为“{wanted}”的用例。"
            + (f"请选用：{'、'.join(there)}。" if there else f"请不要指定{_KEYS_ZH[key]}。"),
        )
    return replace(benchmark, cases=cases)


def _is_benchmark(folder: Path) -> bool:
    return (folder / QUESTIONS).is_file() or (
        (folder / QUERIES).is_file() and corpus_path(folder) is not None
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _stem(path: Path) -> str:
    """The file's name without .gz and .json or .jsonl."""
    name = path.name.removesuffix(".gz")
    return name.removesuffix(".jsonl").removesuffix(".json") or path.name
