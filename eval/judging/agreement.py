"""How far a judge agrees with people: accuracy and Cohen's kappa (Cohen 1960) over labelled items."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval.at_once import at_once
from eval.judging import prompts
from eval.judging.labelled import LabelledItem, digest
from eval.judging.verdicts import tried
from eval.metrics.means import mean
from eval.results import Agreement, Judged, Judgement, Rating
from eval.storage import plain, restored
from rag.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.model import ChatModel

Count = Callable[[int, int], None]
"""Told how many items are done, of how many."""
_VERDICTS: tuple[Judged, ...] = ("yes", "no", "unclear")


def agreement(
    model: ChatModel,
    labelled: Sequence[LabelledItem],
    cache: Path | None = None,
    *,
    place: str = "",
    workers: int = 1,
    tell: Count = lambda *_: None,
) -> Agreement:
    """Have the model judge every item, and rate its verdicts.

    ``cache`` is a file of earlier agreements, which is looked in first and added to: the same model at the same
    ``place`` (its address), under the same prompts and labels, is not measured again.

    :raises ModelError: when the model gives no reply
    """
    items = tuple(labelled)
    key = json.dumps([model.name, place, prompts.VERSION, digest(items)], ensure_ascii=False)
    known = _known(cache)
    if key in known:
        return known[key]
    verdicts: dict[str, Judgement] = {}
    tell(0, len(items))
    for item, verdict in at_once(lambda item: (item, tried(item.result, model)), items, workers):
        if isinstance(verdict, ModelError):
            raise verdict
        verdicts[item.id] = verdict
        tell(len(verdicts), len(items))
    found = rated(model.name, items, verdicts)
    if cache is not None:
        _keep(cache, known | {key: found})
    return found


def rated(model: str, items: tuple[LabelledItem, ...], verdicts: dict[str, Judgement]) -> Agreement:
    """The agreement of a judge's verdicts, by the items' ids, with the labels."""
    faithful = [(item.faithful, verdicts[item.id].faithful) for item in items]
    correct = [(item.correct, verdicts[item.id].correct) for item in items]
    return Agreement(
        model,
        prompts.VERSION,
        digest(items),
        rating([(label, verdict) for label, verdict in faithful if verdict is not None]),
        rating([(label, verdict) for label, verdict in correct if label is not None and verdict is not None]),
    )


def rating(pairs: Sequence[tuple[Judged, Judged]], seed: int = 0, resamples: int = 1000) -> Rating | None:
    """The agreement of (label, verdict) pairs; None where there is none.

    An unclear verdict is a third category, which no label has. Intervals are percentile bootstraps over items;
    resamples of which kappa is undefined are left out of its own.
    """
    import numpy as np

    shares = mean([float(label == verdict) for label, verdict in pairs], seed, resamples)
    if shares is None:
        return None
    cells = np.array([[pairs.count((label, verdict)) for verdict in _VERDICTS] for label in _VERDICTS])
    # Resampling the pairs is drawing the counts of the table from a multinomial distribution.
    drawn = np.random.default_rng(seed).multinomial(len(pairs), cells.ravel() / len(pairs), size=resamples)
    kappa = float(_kappa(cells[np.newaxis])[0])
    spread = _kappa(drawn.reshape(-1, *cells.shape))
    defined = not np.isnan(kappa)
    low, high = np.nanpercentile(spread, (2.5, 97.5)) if defined else (np.nan, np.nan)
    return Rating(
        n=len(pairs),
        accuracy=shares.value,
        accuracy_low=shares.low,
        accuracy_high=shares.high,
        kappa=kappa if defined else None,
        kappa_low=float(low) if defined else None,
        kappa_high=float(high) if defined else None,
        unclear=sum(verdict == "unclear" for _, verdict in pairs),
    )


def _kappa(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cohen's kappa of each table of counts (label, verdict): (p_o - p_e) / (1 - p_e); nan where p_e is 1."""
    import numpy as np

    shares = tables / tables.sum(axis=(1, 2), keepdims=True)
    observed = np.trace(shares, axis1=1, axis2=2)
    expected = (shares.sum(axis=1) * shares.sum(axis=2)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.float64] = np.where(
            expected < 1 - 1e-12, (observed - expected) / (1 - expected), np.nan
        )
    return found


def _known(cache: Path | None) -> dict[str, Agreement]:
    """The agreements kept; what cannot be read is measured anew."""
    if cache is None:
        return {}
    try:
        return {key: restored(Agreement, value) for key, value in json.loads(cache.read_bytes()).items()}
    except (OSError, TypeError, ValueError, AttributeError, RecursionError):
        return {}


def _keep(cache: Path, agreements: dict[str, Agreement]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    temporary = cache.with_suffix(".tmp")
    temporary.write_text(json.dumps(plain(agreements), ensure_ascii=False, indent=1), encoding="utf-8")
    temporary.replace(cache)
