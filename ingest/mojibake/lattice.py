"""The lattice of all original texts that would look like a damaged one, and the likeliest path through it."""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest import pinyin
from ingest.mojibake.gbk import (
    LEAD_AFTER_ZONE_3,
    LEAD_AFTER_ZONE_12,
    UNASSIGNED,
    UNASSIGNED_LEADS,
    ZONES,
    by_trail,
    originals_of,
    pairs,
)
from ingest.mojibake.language import NO_WORD, Language, log_add, log_sum
from ingest.mojibake.signs import GAP, IS_HAN, LOST, PUNCTUATION
from ingest.mojibake.tokens import Token

_AT_PUNCTUATION = 10.0
"""How much the model underrates that after a comma, where a pair has vanished, a second one has: it holds "但",
"而" or "它", which a model of single words takes for needless."""
_BEAM = 120
_BEAM_WIDTH = 16.0
_DROPS_FROM = 40
_DROPS_KEPT = 40
_SECOND_DROPS_FROM = 4
_SECOND_DROPS_KEPT = 20
_SETTLED = 6
"""Characters read in step after the damage before the comparison ends: enough to close every word."""

_UNEXPLAINED_ANNOTATION = 8.0
_UNEXPLAINED_ORPHAN = 14.0
_EATEN_COST = 6.0

_State = tuple[int, str]
"""The pending first byte (None-like 0 when in step), and the unfinished word."""
_IN_STEP = 0


@dataclass(slots=True)
class _Node:
    state: _State
    alpha: float = -math.inf
    beta: float = -math.inf
    edges: list[tuple[_Node, str, float]] = field(default_factory=list)
    """Where it can be reached from, by which character, at what log probability."""
    best: float = -math.inf
    back: tuple[_Node, str] | None = None
    layer: tuple[int, int] = (0, 0)


class _Layer:
    """The nodes that have read the same number of tokens."""

    def __init__(self, place: tuple[int, int]) -> None:
        self.place = place
        self.nodes: dict[_State, _Node] = {}

    def add(self, state: _State, source: _Node, char: str, weight: float) -> None:
        node = self.nodes.get(state)
        if node is None:
            node = self.nodes[state] = _Node(state, layer=self.place)
        node.edges.append((source, char, weight))
        reached = source.alpha + weight
        # The sum is only worth its logarithm where the terms are of one size.
        if reached > node.alpha + 20:
            node.alpha = reached
        elif reached > node.alpha - 20:
            node.alpha = log_add(node.alpha, reached)
        if source.best + weight > node.best:
            node.best = source.best + weight
            node.back = (source, char)

    def prune(self, keep: int, language: Language) -> None:
        """Keep the likeliest nodes."""
        if not self.nodes:
            return
        ranked = [(node.alpha + language.prospect(node.state[1]), node) for node in self.nodes.values()]
        ranked.sort(key=lambda pair: -pair[0])
        least = ranked[0][0] - _BEAM_WIDTH
        self.nodes = {node.state: node for value, node in ranked[:keep] if value >= least}


@dataclass(frozen=True, slots=True)
class Result:
    """The likeliest damaged reading."""

    advantage: float
    """By how many nats all damaged readings together beat the text as it stands."""
    end: int
    """Tokens that the damage covers."""
    chars: list[tuple[str, float, float]]
    """The original characters, each with its probability and that of a vanished pair before it."""


class Lattice:
    """All original texts that would look like the tokens, with the language's probability of each."""

    def __init__(
        self,
        tokens: list[Token],
        first: int,
        left: list[tuple[str, float]],
        starts: list[int],
        language: Language,
    ) -> None:
        self.tokens = tokens
        self.first = first
        self.left = left
        self.starts = starts
        self.language = language
        self.read = 0
        self.layers = [_Layer((index, 0)) for index in range(len(tokens) + 1)]
        self.drops = [_Layer((index, 1)) for index in range(len(tokens) + 1)]
        self.second_drops = [_Layer((index, 2)) for index in range(len(tokens) + 1)]

    def run(self, mark: str) -> Result | None:
        """Compare the damaged readings with the text as it stands, and give the best of them."""
        root = _Node((0, ""), alpha=0.0, best=0.0)
        for prefix, value in self.left:
            for start in self.starts:
                self.layers[self.first].add((start, prefix), root, "", value - math.log(len(self.starts)))
        standing: dict[str, float] = {}
        for prefix, value in self.left:
            for state, weight in self.language.steps(prefix, "?" if mark == GAP else mark):
                standing[state] = log_add(standing.get(state, -math.inf), value + weight)
        for index in range(self.first):
            standing = self._stand(standing, self.tokens[index])
        settled = 0
        horizon = self.first
        for index in range(self.first, len(self.tokens)):
            self.read += 1
            layer = self.layers[index]
            layer.prune(_BEAM, self.language)
            self._drop(index)
            for source in (layer, self.drops[index], self.second_drops[index]):
                for node in source.nodes.values():
                    self._read(index, node)
            standing = self._stand(standing, self.tokens[index])
            horizon = index + 1
            following = self.layers[horizon]
            following.prune(_BEAM, self.language)
            if not following.nodes and not any(later.nodes for later in self.layers[horizon + 1 :][:2]):
                return None
            if following.nodes:
                lead = max(node.alpha for node in following.nodes.values()) - max(standing.values())
                if index - self.first >= 5 and lead < -30:
                    return None
            if following.nodes and all(pending == _IN_STEP for pending, _ in following.nodes):
                settled += 1
                if settled >= _SETTLED:
                    break
            else:
                settled = 0
        return self._result(horizon, standing)

    def _stand(self, states: dict[str, float], token: Token) -> dict[str, float]:
        """Read one token as it stands."""
        following: dict[str, float] = {}
        for prefix, value in states.items():
            for state, weight in self._steps(prefix, token):
                following[state] = log_add(following.get(state, -math.inf), value + weight)
        return following

    def _steps(self, prefix: str, token: Token) -> Iterator[tuple[str, float]]:
        if token.kind == "char":
            yield from self.language.steps(prefix, token.value)
        elif token.kind == "orphan":
            yield prefix, -_UNEXPLAINED_ORPHAN
        elif prefix not in NO_WORD and pinyin.reads(prefix[-1], token.value):
            yield prefix, 0.0
        else:
            yield prefix, -_UNEXPLAINED_ANNOTATION

    def _drop(self, index: int) -> None:
        """Suppose that before this token a pair of a user-defined zone has vanished."""
        layer = self.drops[index]
        sources = [node for node in self.layers[index].nodes.values() if node.state[0] != _IN_STEP]
        for node in sources[:_DROPS_FROM]:
            pending, prefix = node.state
            for trail, kind in ZONES:
                for char in originals_of(pending, trail):
                    for state, weight in self.language.steps(prefix, char):
                        layer.add((kind, state), node, char, weight)
        layer.prune(_DROPS_KEPT, self.language)
        again = self.second_drops[index]
        for node in list(layer.nodes.values())[:_SECOND_DROPS_FROM]:
            pending, prefix = node.state
            for trail, kind in ZONES:
                for char in _common_originals(pending, trail):
                    for state, weight in self.language.steps(prefix, char):
                        again.add((kind, state), node, char, weight)
        again.prune(_SECOND_DROPS_KEPT, self.language)

    def _read(self, index: int, node: _Node) -> None:
        """Take one token in every way that the node's alignment allows."""
        token = self.tokens[index]
        following = self.layers[index + 1]
        pending, prefix = node.state
        if pending == _IN_STEP:
            for state, weight in self._steps(prefix, token):
                following.add((_IN_STEP, state), node, "", weight)
            return
        if token.kind == "annotation":
            # An annotation that stands in out-of-step text belongs to the out-of-step character before it.
            before = self.tokens[index - 1] if index else None
            if before is not None and before.kind == "char" and pinyin.reads(before.value, token.value):
                following.add((pending, prefix), node, "", 0.0)
            return
        if token.kind == "orphan":
            return
        if token.value in LOST:
            self._cut(index, node)
            self._unassigned(index, node)
            if token.value == GAP:
                return
        # Behind a vanished pair only common characters are worth a guess.
        originals = _common_originals if pending in (LEAD_AFTER_ZONE_12, LEAD_AFTER_ZONE_3) else originals_of
        for lead, trail in pairs(token.value):
            for char in originals(pending, lead):
                for state, weight in self.language.steps(prefix, char):
                    following.add((trail, state), node, char, weight)
        if "@" <= token.value <= "~":
            for char in originals(pending, ord(token.value)):
                for state, weight in self.language.steps(prefix, char):
                    following.add((_IN_STEP, state), node, char, weight)

    def _cut(self, index: int, node: _Node) -> None:
        """The second byte is lost too: there was another cut, and the text is in step after it."""
        pending, prefix = node.state
        after = self.tokens[index + 1] if index + 1 < len(self.tokens) else None
        if after is not None and after.kind == "orphan":
            target = self.layers[index + 2]
            for char in by_trail(pending):
                if pinyin.reads(char, after.value):
                    for state, weight in self.language.steps(prefix, char):
                        target.add((_IN_STEP, state), node, char, weight)
            return
        if pending < 0:
            return
        # What a mark was put before is punctuation; before anything else the question mark has eaten a sign.
        eaten = after is None or after.kind != "char" or IS_HAN.match(after.value) or after.value.isalnum()
        for char in by_trail(pending):
            for state, weight in self.language.steps(prefix, char):
                if not eaten:
                    self.layers[index + 1].add((_IN_STEP, state), node, char, weight)
                elif (done := self.language.word(state)) > -math.inf:
                    self.layers[index + 1].add((_IN_STEP, ""), node, char + GAP, weight + done - _EATEN_COST)

    def _unassigned(self, index: int, node: _Node) -> None:
        """The question mark stands for a pair without a character; the text stays out of step."""
        pending, prefix = node.state
        for trail in UNASSIGNED_LEADS:
            for char in originals_of(pending, trail):
                for state, weight in self.language.steps(prefix, char):
                    self.layers[index + 1].add((UNASSIGNED - trail, state), node, char, weight)

    def _result(self, horizon: int, standing: dict[str, float]) -> Result | None:
        finals = [node for node in self.layers[horizon].nodes.values() if node.state[0] == _IN_STEP]
        if not finals:
            return None
        for node in finals:
            node.beta = self.language.finish(node.state[1])
        total = log_sum(node.alpha + node.beta for node in finals)
        status_quo = log_sum(value + self.language.finish(prefix) for prefix, value in standing.items())
        posterior: defaultdict[tuple[tuple[int, int], str], float] = defaultdict(float)
        dropped: defaultdict[tuple[int, int], float] = defaultdict(float)
        in_order = [
            node
            for index in range(horizon, -1, -1)
            for layer in (self.second_drops[index], self.drops[index], self.layers[index])
            for node in layer.nodes.values()
        ]
        for node in in_order:
            if node.beta == -math.inf:
                continue
            for source, char, weight in node.edges:
                source.beta = log_add(source.beta, weight + node.beta)
                if char:
                    share = math.exp(source.alpha + weight + node.beta - total)
                    posterior[source.layer, char] += share
                    if node.layer[1]:
                        dropped[node.layer] += share
        best = max(finals, key=lambda node: node.best + node.beta)
        chars: list[tuple[str, float, float]] = []
        end = self.first
        node = best
        while node.back is not None:
            source, char = node.back
            if char:
                end = max(end, node.layer[0])
                if len(char) > 1:
                    chars.append((char[1:], 1.0, 0.0))
                more = dropped[source.layer[0], source.layer[1] + 1] if node.layer[1] == 0 else 0.0
                if source.layer[1] == 1 and source.back and _has_sign(char[0] + source.back[1]):
                    more *= _AT_PUNCTUATION
                chars.append((char[0], posterior[source.layer, char], more))
            node = source
        chars.reverse()
        return Result(total - status_quo, end, chars)


@functools.cache
def _common_originals(pending: int, trail: int) -> tuple[str, ...]:
    """The same without rare characters."""
    return tuple(
        char for char in originals_of(pending, trail) if char in PUNCTUATION or pinyin.is_common(char)
    )


def _has_sign(chars: str) -> bool:
    return any(not IS_HAN.match(char) for char in chars)
