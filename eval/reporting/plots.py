"""Plots as SVG text to stand inside a page: no style of their own, colours come from the page's classes. Pure.

Every function returns an ``<svg>`` element with a name for screen readers; text from data is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from eval.reporting.facts import middle, quantile
from eval.reporting.markup import escape
from eval.reporting.shapes import FEW, MeanLike
from eval.reporting.texts import figure, span
from rag.text import clip

_WIDTH, _HEIGHT = 360, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 12, 12, 38


def interval_bar(mean: MeanLike, scale: float = 1.0) -> str:
    """A small bar from 0 to ``scale`` with the interval as a stroke; empty for values that do not lie on it."""
    if not (math.isfinite(mean.value) and scale > 0 and 0 <= mean.low <= mean.high <= scale):
        return ""
    name = f"{figure(mean.value)} {span(mean.low, mean.high)}"
    left, right = 100 * mean.low / scale, 100 * mean.high / scale
    few = " few" if mean.n < FEW else ""
    return (
        f'<svg class="interval{few}" viewBox="-2 0 104 14" role="img" aria-label="{escape(name)}">'
        f'<rect class="rail" x="0" y="4" width="100" height="6" rx="1"/>'
        f'<rect class="bar" x="0" y="4" width="{100 * mean.value / scale:.2f}" height="6" rx="1"/>'
        f'<path class="whisker" d="M{left:.2f} 7H{right:.2f}M{left:.2f} 3V11M{right:.2f} 3V11"/></svg>'
    )


def reliability(points: Iterable[tuple[float, float, int]], x_label: str, y_label: str, title: str) -> str:
    """Share right by confidence; a dot's area follows its number of cases, the dashed line is agreement."""
    kept = [point for point in points if all(map(math.isfinite, point)) and point[2] > 0]
    most = max((n for _, _, n in kept), default=1)
    inner = [
        _frame(x_label, y_label),
        f'<path class="agree" d="M{_x(0):.1f} {_y(0):.1f}L{_x(1):.1f} {_y(1):.1f}"/>',
    ]
    if len(kept) > 1:
        inner.append(f'<path class="line" d="{_path([(x, y) for x, y, _ in kept])}"/>')
    for x, y, n in kept:
        radius = 2.5 + 6 * math.sqrt(n / most)
        hint = f"{x_label} {figure(x)}, {y_label} {figure(y)}, n = {n}"
        inner.append(
            f'<circle class="dot" cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="{radius:.1f}">'
            f"<title>{escape(hint)}</title></circle>"
        )
    return _svg(title, "".join(inner))


def coverage(points: Iterable[tuple[float, float]], x_label: str, y_label: str, title: str) -> str:
    """Share right among the answered by share answered, with the area under it filled."""
    kept = sorted(point for point in points if all(map(math.isfinite, point)))
    inner = [_frame(x_label, y_label)]
    if kept:
        path = _path(kept)
        inner.append(
            f'<path class="area" d="{path}L{_x(kept[-1][0]):.1f} {_y(0):.1f}L{_x(kept[0][0]):.1f} {_y(0):.1f}Z"/>'
        )
        inner.append(f'<path class="line" d="{path}"/>')
    return _svg(title, "".join(inner))


def bars(means: Mapping[str, MeanLike], title: str) -> str:
    """One horizontal bar a group with its interval, value and n; negative values are drawn as nought."""
    shown = {name: mean for name, mean in means.items() if math.isfinite(mean.value)}
    scale = max([1.0, *(mean.high for mean in shown.values() if math.isfinite(mean.high))])
    row, left, right = 26, 110, 88
    width = _WIDTH - left - right

    def place(value: float) -> float:
        return left + width * min(max(value, 0.0), scale) / scale

    inner = []
    for i, (name, mean) in enumerate(shown.items()):
        y = 6 + i * row
        few = " few" if mean.n < FEW else ""
        hint = f"{name}: {figure(mean.value)} {span(mean.low, mean.high)}, n = {mean.n}"
        low, high = place(mean.low), place(mean.high)
        inner.append(
            f'<g class="group{few}"><title>{escape(hint)}</title>'
            f'<text class="name" x="{left - 8}" y="{y + 14}" text-anchor="end">{escape(_short(name))}</text>'
            f'<rect class="rail" x="{left}" y="{y + 3}" width="{width}" height="14" rx="1"/>'
            f'<rect class="bar" x="{left}" y="{y + 3}" width="{place(mean.value) - left:.1f}" height="14" rx="1"/>'
            f'<path class="whisker" d="M{low:.1f} {y + 10}H{high:.1f}M{low:.1f} {y + 6}v8M{high:.1f} {y + 6}v8"/>'
            f'<text class="value" x="{left + width + 8}" y="{y + 14}">{figure(mean.value)} n={mean.n}</text></g>'
        )
    return _svg(title, "".join(inner), 12 + row * len(shown))


def histogram(values: Sequence[float], x_label: str, y_label: str, title: str, bins: int = 24) -> str:
    """How many values fall where, from 0 to the 99th percentile, with the rest in the last bar; a mark at the median."""
    kept = [value for value in values if math.isfinite(value) and value >= 0]
    top = _rounded_up(quantile(kept, 0.99)) if kept else 1.0
    counts = [0] * bins
    for value in kept:
        counts[min(bins - 1, int(value / top * bins))] += 1
    most = max([1, *counts])
    inner = [_frame(x_label, y_label, top, float(most))]
    step = (_x(1) - _x(0)) / bins
    for i, count in enumerate(counts):
        if count:
            height = (_y(0) - _y(1)) * count / most
            edge = "+" if i == bins - 1 else f" – {figure(top * (i + 1) / bins)}"
            hint = f"{figure(top * i / bins)}{edge} {x_label}: {count}"
            inner.append(
                f'<rect class="bar" x="{_x(0) + i * step + 0.5:.1f}" y="{_y(0) - height:.1f}" '
                f'width="{step - 1:.1f}" height="{height:.1f}"><title>{escape(hint)}</title></rect>'
            )
    if kept:
        inner.append(
            f'<path class="mark" d="M{_x(min(1.0, middle(kept) / top)):.1f} {_y(0):.1f}V{_y(1):.1f}"/>'
        )
    return _svg(title, "".join(inner))


def _x(share: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * share


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_x(x):.1f} {_y(y):.1f}" for x, y in points)


def _svg(title: str, inner: str, height: int = _HEIGHT) -> str:
    return f'<svg class="plot" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}">{inner}</svg>'


def _frame(x_label: str, y_label: str, x_top: float = 1.0, y_top: float = 1.0) -> str:
    """Grid, figures at the ends and quarters, and the names of both axes."""
    parts = []
    for quarter in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<path class="grid" d="M{_x(0):.1f} {_y(quarter):.1f}H{_x(1):.1f}"/>')
        anchor = "end" if quarter == 1 else "middle"
        parts.append(
            f'<text x="{_x(quarter):.1f}" y="{_y(0) + 15:.1f}" text-anchor="{anchor}">{_tick(x_top * quarter)}</text>'
        )
        if y_top * quarter == int(y_top * quarter) or y_top <= 1 or y_top >= 40:
            parts.append(
                f'<text x="{_x(0) - 6:.1f}" y="{_y(quarter) + 4:.1f}" text-anchor="end">{_tick(y_top * quarter)}</text>'
            )
    parts.append(
        f'<text class="axis" x="{_x(0.5):.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>'
        f'<text class="axis" transform="translate(11 {_y(0.5):.1f}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>"
    )
    return "".join(parts)


def _tick(value: float) -> str:
    return f"{round(value):,}" if value >= 20 else f"{value:.3g}"


def _rounded_up(value: float) -> float:
    """The next of 1, 2, 4, 6, 8 or 10 times a power of ten, so that quarters are round figures."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value), 10 * power)


def _short(name: str) -> str:
    """A label that fits the margin: Chinese characters are twice as wide as Latin letters."""
    return clip(name, 8 if any(ord(char) > 0x2E80 for char in name) else 16)
