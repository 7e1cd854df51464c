"""Shares, means, their differences and the intervals of these.

A share: Wilson's interval (Wilson, E. B. 1927. Journal of the American Statistical Association 22, 209-212).
The difference of two shares: Newcombe's hybrid score interval without continuity correction, his method 10 (Newcombe,
R. G. 1998. Interval estimation for the difference between independent proportions: comparison of eleven methods.
Statistics in Medicine 17, 873-890). It stays within -1 and 1, and holds with few purchases, where the usual one fails.
The difference of two means: Welch's, with the normal distribution, since groups below thirty are not looked at.
"""

from dataclasses import dataclass
from math import sqrt

# 95 %; and 99 % for what is said or done because of a figure, since figures are looked at again and again, and of a
# hundred looks at no effect at all five would take it for one.
Z, Z_SURE = 1.959963984540054, 2.5758293035489004
Interval = tuple[float, float]


@dataclass(frozen=True)
class Sample:
    """Measured values: how many, their sum, and the sum of their squares."""

    number: int = 0
    total: float = 0.0
    squares: float = 0.0

    @property
    def mean(self) -> float | None:
        """Their mean."""
        return self.total / self.number if self.number else None

    @property
    def variance(self) -> float | None:
        """Their variance, as an estimate for all."""
        if self.number < 2:
            return None
        return max(0.0, (self.squares - self.total * self.total / self.number) / (self.number - 1))


def share_interval(good: int, every: int, z: float = Z) -> Interval | None:
    """Wilson's interval of a share."""
    if not every:
        return None
    share, square = good / every, z * z
    middle = (share + square / (2 * every)) / (1 + square / every)
    margin = z / (1 + square / every) * sqrt(share * (1 - share) / every + square / (4 * every * every))
    return max(0.0, middle - margin), min(1.0, middle + margin)


def difference_interval(good: int, every: int, base_good: int, base_every: int, z: float = Z) -> Interval | None:
    """Newcombe's interval of the first share less the second."""
    one, two = share_interval(good, every, z), share_interval(base_good, base_every, z)
    if one is None or two is None:
        return None
    first, second = good / every, base_good / base_every
    low = sqrt((first - one[0]) ** 2 + (two[1] - second) ** 2)
    high = sqrt((one[1] - first) ** 2 + (second - two[0]) ** 2)
    return first - second - low, first - second + high


def mean_difference_interval(one: Sample, two: Sample, z: float = Z) -> Interval | None:
    """The interval of the first mean less the second."""
    if one.variance is None or two.variance is None or one.mean is None or two.mean is None:
        return None
    margin = z * sqrt(one.variance / one.number + two.variance / two.number)
    return one.mean - two.mean - margin, one.mean - two.mean + margin
