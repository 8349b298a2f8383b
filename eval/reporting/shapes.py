"""What the reports are made from: means, paired differences and curves, by their shape alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Language = Literal["en", "zh"]

FEW = 30
"""Under so many cases a mean says little, and the reports say so."""


class MeanLike(Protocol):
    """A mean over ``n`` cases with its 95 % interval."""

    @property
    def value(self) -> float:
        """The mean."""

    @property
    def n(self) -> int:
        """How many cases it is over."""

    @property
    def low(self) -> float:
        """The interval's lower end."""

    @property
    def high(self) -> float:
        """The interval's upper end."""


class PairedLike(Protocol):
    """One metric of two runs on the cases that both have; ``difference`` is b less a."""

    @property
    def mean_a(self) -> float:
        """The mean of the first run."""

    @property
    def mean_b(self) -> float:
        """The mean of the second run."""

    @property
    def difference(self) -> float:
        """The mean of the second less that of the first."""

    @property
    def low(self) -> float:
        """The lower end of the difference's 95 % interval."""

    @property
    def high(self) -> float:
        """Its upper end."""

    @property
    def p(self) -> float:
        """How probable so large a difference is if the runs were alike."""

    @property
    def n(self) -> int:
        """How many cases both runs have."""

    @property
    def wins(self) -> int:
        """On how many the second run is better."""

    @property
    def losses(self) -> int:
        """On how many it is worse."""

    @property
    def ties(self) -> int:
        """On how many they are equal."""


Means = Mapping[str, MeanLike]
Groups = Mapping[str, Mapping[str, Means]]
"""Means by what the cases are grouped by ("type", "lang") and the group's name."""


@dataclass(frozen=True, slots=True)
class Curves:
    """Points to draw; empty where there is nothing to draw.

    ``reliability``: (mean confidence, share right, number of cases) of each bin; ``coverage``: (share of questions
    answered, share right among them) as the threshold falls. ``area`` is the area under the latter, ``error`` the
    expected calibration error.
    """

    reliability: Sequence[tuple[float, float, int]] = ()
    coverage: Sequence[tuple[float, float]] = ()
    area: float | None = None
    error: float | None = None
