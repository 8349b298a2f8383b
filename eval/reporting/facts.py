"""What the Markdown and the HTML report both say of a run, computed once from its records. Pure."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.reporting.shapes import Language
from eval.reporting.texts import LOSSES, figure, span, word
from eval.results import CaseResult, Rating, RunInfo

_PLACES = ("home", "models", "models_source", "host", "port", "language")
"""Settings that say where and how the program runs, not what it answers."""
TRUSTED = 0.6
"""The kappa from which agreement is called substantial (Landis and Koch 1977); under it a judge's figures are rough."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long something took over ``n`` cases, in seconds."""

    name: str
    n: int
    median: float
    p90: float
    p99: float
    longest: float


def default_settings() -> dict[str, Any]:
    """The defaults of every setting that bears on answers, as plain values."""
    from rag.settings import Settings

    return dict(Settings().model_dump(mode="json"))


def is_secret(name: str) -> bool:
    """Whether a setting's value must not be printed."""
    return name.endswith(("_key", "password", "secret"))


def changed_settings(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Setting to (value, default) where they differ; places on the machine and secrets left out."""
    return {
        name: (value, defaults.get(name))
        for name, value in sorted(settings.items())
        if name not in _PLACES and not is_secret(name) and value != defaults.get(name)
    }


def head(info: RunInfo, done: int, language: Language) -> list[tuple[str, str]]:
    """What was run, as (label, text) pairs. ``done`` is how many records there are."""
    mode = word(info.mode, language)
    if info.only_retrieval:
        mode = f"{mode}; {word('only_retrieval', language)}"
    cases = word(
        "cases_of",
        language,
        n=f"{info.cases:,}",
        of=f"{info.cases_of:,}",
        split=info.split or word("split_all", language),
        seed=info.seed,
    )
    if done < info.cases:
        cases = f"{cases}; {word('cases_done', language, n=f'{done:,}')}"
    duration = _duration(info.seconds, language)
    if info.indexing_rate is not None:
        duration = f"{duration}; {word('indexing', language, rate=figure(info.indexing_rate))}"
    corpus = word("corpus_size", language, documents=f"{info.documents:,}", chunks=f"{info.chunks:,}")
    return [
        (word("run", language), info.id),
        (word("benchmark", language), f"{info.benchmark} ({word('form', language)}: {info.form})"),
        (word("mode", language), mode),
        (word("corpus", language), corpus),
        (word("cases", language), cases),
        (word("model", language), "–" if info.only_retrieval else info.model or "–"),
        (word("embedding", language), info.embedding or "–"),
        (word("reranker", language), info.reranker or "–"),
        (word("commit", language), info.commit or "–"),
        (word("date", language), info.date),
        (word("machine", language), info.machine),
        (word("duration", language), duration),
    ]


def _duration(seconds: float, language: Language) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    units = ("小时", "分", "秒") if language == "zh" else (" h", " min", " s")
    parts = [f"{n}{unit}" for n, unit in zip((hours, minutes, rest), units, strict=True) if n]
    return " ".join(parts) or f"{figure(seconds)}{units[2]}"


def judge_rows(info: RunInfo, language: Language) -> list[list[str]]:
    """The judge's agreement with people: question, accuracy, kappa, unclear replies and n of each; none unjudged."""
    return [
        [
            word(f"judge_{key}", language),
            f"{figure(rating.accuracy)} {span(rating.accuracy_low, rating.accuracy_high)}",
            _kappa(rating),
            f"{rating.unclear:,}",
            f"{rating.n:,}",
        ]
        for key, rating in _ratings(info)
    ]


def judge_header(language: Language) -> list[str]:
    """The columns of `judge_rows`."""
    return [word(key, language) for key in ("judge_question", "accuracy", "kappa", "unclear", "labels_n")]


def judge_notes(info: RunInfo, results: Sequence[CaseResult], language: Language) -> list[str]:
    """Who judged how many of the cases, and how far its figures are to be believed; nothing where none judged."""
    if info.judge is None:
        return []
    judged = sum(result.judgement is not None for result in results)
    notes = [
        word("judge_note", language, model=info.judge.model, n=f"{judged:,}", of=f"{len(results):,}"),
    ]
    for key, rating in _ratings(info):
        question = word(f"judge_{key}", language)
        if rating.kappa is None or rating.kappa_low is None or rating.kappa_low <= 0:
            notes.append(word("judge_chance", language, question=question))
        elif rating.kappa < TRUSTED:
            notes.append(word("judge_rough", language, question=question))
    return notes


def judge_beside(info: RunInfo, language: Language) -> dict[str, str]:
    """The judge and its agreement in a few words, by the metric they stand beside."""
    if info.judge is None:
        return {}
    model = info.judge.model
    return {
        f"judge_{key}": word(
            "judge_beside",
            language,
            model=model,
            kappa=figure(rating.kappa),
            span="" if rating.kappa_low is None else span(rating.kappa_low, rating.kappa_high or 0.0),
            n=f"{rating.n:,}",
        )
        for key, rating in _ratings(info)
    }


def _ratings(info: RunInfo) -> list[tuple[str, Rating]]:
    if info.judge is None:
        return []
    both = (("faithful", info.judge.faithful), ("correct", info.judge.correct))
    return [(key, rating) for key, rating in both if rating is not None]


def _kappa(rating: Rating) -> str:
    if rating.kappa is None or rating.kappa_low is None or rating.kappa_high is None:
        return "–"
    return f"{figure(rating.kappa)} {span(rating.kappa_low, rating.kappa_high)}"


def losses(results: Iterable[CaseResult]) -> list[tuple[str, int, float]]:
    """(category, cases, share) in the pipeline's order, categories without a case included."""
    counts = Counter(result.loss for result in results)
    total = sum(counts.values())
    return [(name, counts[name], counts[name] / total if total else 0.0) for name in LOSSES]  # type: ignore[index]


def latencies(results: Sequence[CaseResult]) -> list[Latency]:
    """The timings of the cases that did not fail, the last step last."""
    found: dict[str, list[float]] = {}
    for result in results:
        if not result.error:
            for name, seconds in result.timings.items():
                found.setdefault(name, []).append(seconds)
    rows = [
        Latency(
            name,
            len(values),
            quantile(values, 0.5),
            quantile(values, 0.9),
            quantile(values, 0.99),
            max(values),
        )
        for name, values in found.items()
    ]
    return sorted(rows, key=lambda row: (row.median, row.name))


def quantile(values: Sequence[float], share: float) -> float:
    """The value under which that share of the values lies, interpolated; of one value, that value."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def took(result: CaseResult) -> float | None:
    """Seconds until the case was done, None where nothing was timed."""
    if "done" in result.timings:
        return result.timings["done"]
    return max(result.timings.values(), default=None)


def slowest(results: Iterable[CaseResult], count: int = 5) -> list[tuple[CaseResult, float]]:
    """The cases that took longest, with their seconds."""
    timed = [(result, seconds) for result in results if (seconds := took(result)) is not None]
    return sorted(timed, key=lambda pair: (-pair[1], pair[0].case.id))[:count]


def middle(values: Sequence[float]) -> float:
    """The median; 0 where there is none."""
    return statistics.median(values) if values else 0.0
