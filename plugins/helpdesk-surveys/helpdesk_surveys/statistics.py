"""Scores and their 95 % intervals.

NPS: the adjusted Wald interval for the difference of two shares of one sample, with three observations more, of which
three quarters each are promoters and detractors (Rocks, B. 2016. Interval estimation for the Net Promoter Score. The
American Statistician 70 (4), 365-372; https://measuringu.com/nps-confidence-intervals/). The variance is the one worked
through at https://stats.stackexchange.com/a/18609: one half promoters, one third passives and one sixth detractors have
the score 1/3 and the variance 5/9; of 324 answers the standard error is 4.1 points.

CSAT: Wilson's interval for a share (Wilson, E. B. 1927. Journal of the American Statistical Association 22, 209-212).
CES: the mean, and the usual interval of a mean.
"""

from math import sqrt

Z = 1.959963984540054


def nps(promoters: int, detractors: int, answers: int) -> float | None:
    """The share of promoters less that of detractors, from -100 to 100."""
    return 100 * (promoters - detractors) / answers if answers else None


def nps_interval(promoters: int, detractors: int, answers: int) -> tuple[float, float] | None:
    """Between what the score of everybody lies, with a confidence of 95 %."""
    if not answers:
        return None
    number = answers + 3
    better, worse = (promoters + 0.75) / number, (detractors + 0.75) / number
    middle = better - worse
    margin = Z * sqrt(max(0.0, better + worse - middle * middle) / number)
    return max(-100.0, 100 * (middle - margin)), min(100.0, 100 * (middle + margin))


def nps_error(promoters: int, detractors: int, answers: int) -> float | None:
    """The standard error of the score as it was counted, without the three more, in points."""
    if not answers:
        return None
    better, worse = promoters / answers, detractors / answers
    return 100 * sqrt((better + worse - (better - worse) ** 2) / answers)


def share_interval(good: int, answers: int) -> tuple[float, float] | None:
    """Wilson's interval of a share, in percent."""
    if not answers:
        return None
    share, square = good / answers, Z * Z
    middle = (share + square / (2 * answers)) / (1 + square / answers)
    margin = Z / (1 + square / answers) * sqrt(share * (1 - share) / answers + square / (4 * answers * answers))
    return max(0.0, 100 * (middle - margin)), min(100.0, 100 * (middle + margin))


def mean_interval(total: int, squares: int, answers: int, low: int, high: int) -> tuple[float, float] | None:
    """The interval of a mean; None for a single answer, of which nobody knows how far others are from it."""
    if answers < 2:
        return None
    mean = total / answers
    variance = max(0.0, (squares - answers * mean * mean) / (answers - 1))
    margin = Z * sqrt(variance / answers)
    return max(float(low), mean - margin), min(float(high), mean + margin)
