"""How well something fits, in parts. Fit comes first; the margin only decides among what fits alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2
from typing import Any, Protocol

from helpdesk_upsell.conditions import CONDITIONS, TICKET

MOST = 100
# Points for each step of a rule's weight, for each condition that holds, for one about the ticket, ...
_WEIGHT, _CONDITION, _MOST_CONDITIONS, _TICKET = 10, 3, 15, 5
# ... for what replaces or goes with something owned, and at most for confidence and lift.
REPLACEMENT, COMPANION, _CONFIDENCE, _LIFT = 15, 10, 20, 10


@dataclass(frozen=True)
class Score:
    """Points by part, as they are shown."""

    parts: tuple[tuple[str, int], ...]

    @property
    def fit(self) -> int:
        """All points."""
        return min(MOST, sum(points for _part, points in self.parts))


def order(fit: int, margin: int) -> tuple[int, int]:
    """By what suggestions are put in order, the least first: fit, and among equals the margin."""
    return -fit, -margin


def of_rule(weight: int, conditions: Sequence[Any]) -> list[tuple[str, int]]:
    """The parts that a rule itself gives: its weight, how much it asks, whether it looks at the ticket."""
    parts = [("weight", weight * _WEIGHT)]
    if conditions:
        parts.append(("conditions", min(_MOST_CONDITIONS, len(conditions) * _CONDITION)))
    if any(CONDITIONS[one["what"]].group == TICKET for one in conditions):
        parts.append(("ticket", _TICKET))
    return parts


class Together(Protocol):
    """Two products that are bought together."""

    @property
    def confidence(self) -> float:
        """The share of those with the first who have the other."""

    @property
    def lift(self) -> float:
        """How many times more often than others."""


def of_pair(pair: Together) -> list[tuple[str, int]]:
    """The parts of what is bought together: how sure it is, and how much surer than without."""
    lift = min(_LIFT, max(0, round(5 * log2(pair.lift))))
    return [("confidence", round(_CONFIDENCE * pair.confidence)), ("lift", lift)]
