"""Figures of surveys from kept counts: in all, over time, and by agent, team, tag, channel and language."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, timedelta
from typing import Any

from sqlalchemy import func, select

from helpdesk.api import Team, User, db, now, settings
from helpdesk_surveys import statistics
from helpdesk_surveys.content import storable
from helpdesk_surveys.counting import NUMBERS, SCORES
from helpdesk_surveys.models import (
    BY_AGENT,
    BY_CHANNEL,
    BY_LANGUAGE,
    BY_TAG,
    BY_TEAM,
    CROSS,
    CROSS_TAG,
    CSAT,
    NPS,
    SCALES,
    TOTAL,
    Day,
    Survey,
)
from helpdesk_surveys.scopes import Scope, scope_of
from helpdesk_surveys.settings import SurveySettings

# Which scores are good: four and five of five; nine and ten of ten are promoters, up to six detractors.
CSAT_GOOD, PROMOTERS, DETRACTORS = (4, 5), (9, 10), tuple(range(7))
# The high end of CES is the good one: "very easy" (as of CES 2.0).
CES_GOOD = "high"
DIMENSIONS = ("agent", "team", "tag", "channel", "language")
_COLUMNS = {"agent": "agent_id", "team": "team_id", "tag": "tag", "channel": "channel", "language": "language"}
_CUTS = {"agent": BY_AGENT, "team": BY_TEAM, "tag": BY_TAG, "channel": BY_CHANNEL, "language": BY_LANGUAGE}
_MOST = 500


@dataclass(frozen=True)
class Wanted:
    """Of which survey, from which day to which (UTC, both included), and of what; None and "": of everything.

    0 is nobody's, and no team's.
    """

    survey_id: int | None
    first: date
    last: date
    agent: int | None = None
    team: int | None = None
    tag: str = ""
    channel: str = ""
    language: str = ""

    def __post_init__(self) -> None:
        """Take out what no database can look for."""
        for name in ("tag", "channel", "language"):
            object.__setattr__(self, name, storable(getattr(self, name)))

    def query(self, **changes: Any) -> dict[str, str]:
        """The arguments of an address that leads to these."""
        one = replace(self, **changes)
        return {
            part.name: str(getattr(one, part.name)) for part in fields(one) if getattr(one, part.name) not in (None, "")
        }

    @property
    def filters(self) -> dict[str, int | str]:
        """What is narrowed down, by dimension."""
        found = {name: getattr(self, name) for name in DIMENSIONS}
        return {name: value for name, value in found.items() if value not in (None, "")}


@dataclass(frozen=True)
class Figure:
    """One figure with where it comes from. ``hidden``: too few answered an anonymous survey to show anything."""

    answers: int = 0
    invited: int = 0
    # CSAT 0 to 100, NPS -100 to 100, CES 1 to 7; None: nobody answered, or a questionnaire.
    value: float | None = None
    low: float | None = None
    high: float | None = None
    counts: Mapping[int, int] = field(default_factory=dict)
    promoters: int = 0
    passives: int = 0
    detractors: int = 0
    good: int = 0
    small: bool = False
    hidden: bool = False

    @property
    def response_rate(self) -> float | None:
        """Answers in the span for each invitation that was sent in it; None where nobody was invited."""
        return min(1.0, self.answers / self.invited) if self.invited and not self.hidden else None


@dataclass(frozen=True)
class Stretch:
    """A day, a week or a month of the trend, as far as it was asked for."""

    first: date
    last: date
    figure: Figure


@dataclass(frozen=True)
class Board:
    """A survey's figures: in all, over time (``step``: day, week, month), and by dimension, the largest first."""

    total: Figure
    trend: Sequence[Stretch]
    by: Mapping[str, Sequence[tuple[int | str, str, Figure]]]
    step: str


def board(user: User, survey: Survey, wanted: Wanted) -> Board:
    """What ``user`` sees of a survey. Five queries at most, six of an anonymous one, for any number of answers.

    An anonymous one is narrowed by one thing at most, to a group that the whole shows too, and that group is not cut
    again: two views that differ by a few answers would tell them.
    """
    scope = scope_of(user)
    where = _where(survey, wanted, scope)
    cut = _cut(wanted, scope)
    days = _sums([Day.day], [Day.cut == cut, *where])
    total = _added(days.values())
    step, trend = _trend(wanted, days)
    if survey.anonymous and wanted.filters:
        nothing: dict[str, Sequence[Any]] = dict.fromkeys(DIMENSIONS, ())
        if not _may_be_seen(survey, wanted, scope):
            return Board(Figure(invited=total["invitations"], small=True, hidden=True), [], nothing, step)
        # Its weeks would tell, beside those of the whole, of the others in each.
        return Board(figure(survey, total), [], nothing, step)
    by = _breakdown(survey, wanted, scope)
    names = _names(by)
    return Board(
        figure(survey, total),
        _stretches(survey, wanted, step, trend),
        {name: _shown(survey, name, rows, names, total) for name, rows in by.items()},
        step,
    )


def headline(user: User, days: int = 30) -> list[tuple[Survey, Figure]]:
    """The active surveys with their figures of the last days, as ``user`` sees them. Two queries."""
    surveys = db.session.scalars(select(Survey).where(Survey.active).order_by(func.lower(Survey.name)).limit(20)).all()
    scope, today = scope_of(user), now().astimezone(UTC).date()
    where = [Day.survey_id.in_([survey.id for survey in surveys]), Day.day > today - timedelta(days=days)]
    criterion = scope.criterion(Day)
    sums = _sums(
        [Day.survey_id], [Day.cut == (TOTAL if criterion is None else CROSS), *where, *_some(criterion)]
    )  # fmt: skip
    found = {key[0]: numbers for key, numbers in sums.items()}
    return [(survey, figure(survey, found.get(survey.id, {}))) for survey in surveys]


def figure(survey: Survey, numbers: Mapping[str, int]) -> Figure:
    """The figure of summed counts."""
    answers, invited = numbers.get("answers", 0), numbers.get("invitations", 0)
    if survey.anonymous and 0 < answers < survey.min_group:
        return Figure(invited=invited, small=True, hidden=True)
    counts = [numbers.get(name, 0) for name in SCORES]
    small = 0 < answers < settings(SurveySettings).small_group
    if survey.kind not in SCALES:
        return Figure(answers, invited, small=small)
    low, high = SCALES[survey.kind]
    shown = {score: counts[score] for score in range(low, high + 1)}
    if survey.kind == NPS:
        promoters, detractors = sum(counts[n] for n in PROMOTERS), sum(counts[n] for n in DETRACTORS)
        return Figure(
            answers,
            invited,
            statistics.nps(promoters, detractors, answers),
            counts=shown,
            promoters=promoters,
            passives=answers - promoters - detractors,
            detractors=detractors,
            small=small,
            **_ends(statistics.nps_interval(promoters, detractors, answers)),
        )
    if survey.kind == CSAT:
        good = sum(counts[n] for n in CSAT_GOOD)
        span = statistics.share_interval(good, answers)
        value = 100 * good / answers if answers else None
        return Figure(answers, invited, value, counts=shown, good=good, small=small, **_ends(span))
    total = numbers.get("total", 0)
    span = statistics.mean_interval(total, numbers.get("squares", 0), answers, low, high)
    mean = total / answers if answers else None
    return Figure(answers, invited, mean, counts=shown, good=sum(counts[5:8]), small=small, **_ends(span))


def _ends(span: tuple[float, float] | None) -> dict[str, Any]:
    return {"low": span[0], "high": span[1]} if span is not None else {}


def _all(wanted: Wanted) -> Wanted:
    return Wanted(wanted.survey_id, wanted.first, wanted.last)


def _may_be_seen(survey: Survey, wanted: Wanted, scope: Scope) -> bool:
    """Whether a narrowed anonymous survey shows the group that it is narrowed to among all others. Two queries."""
    if len(wanted.filters) > 1:
        return False
    ((name, value),) = wanted.filters.items()
    every = _all(wanted)
    total = _added(_sums([Day.day], [Day.cut == _cut(every, scope), *_where(survey, every, scope)]).values())
    rows = _shown(survey, name, _breakdown(survey, every, scope)[name], {}, total)
    return any(key == value and not one.hidden for key, _name, one in rows)


def _where(survey: Survey, wanted: Wanted, scope: Scope) -> list[Any]:
    found: list[Any] = [Day.survey_id == survey.id, Day.day >= wanted.first, Day.day <= wanted.last]
    found += [getattr(Day, _COLUMNS[name]) == value for name, value in wanted.filters.items()]
    return [*found, *_some(scope.criterion(Day))]


def _some(criterion: Any) -> list[Any]:
    return [] if criterion is None else [criterion]


def _cut(wanted: Wanted, scope: Scope) -> str:
    """The smallest kept cut that can answer."""
    filters = wanted.filters
    if not filters and scope.everything:
        return TOTAL
    if len(filters) == 1 and scope.everything:
        return _CUTS[next(iter(filters))]
    return CROSS_TAG if "tag" in filters else CROSS


def _breakdown(survey: Survey, wanted: Wanted, scope: Scope) -> dict[str, dict[int | str, dict[str, int]]]:
    """The sums by each dimension: one query without filters, two with them (tags are kept apart)."""
    found: dict[str, dict[int | str, dict[str, int]]] = {name: {} for name in DIMENSIONS}
    where = _where(survey, wanted, scope)
    if not wanted.filters and scope.everything:
        columns = [Day.cut, Day.agent_id, Day.team_id, Day.channel, Day.language, Day.tag]
        for key, numbers in _sums(columns, [Day.cut.in_(tuple(_CUTS.values())), *where]).items():
            name = next(dimension for dimension, cut in _CUTS.items() if cut == key[0])
            found[name][_of(key[1:], name)] = numbers
        return found
    columns = [Day.agent_id, Day.team_id, Day.channel, Day.language]
    cut = CROSS_TAG if "tag" in wanted.filters else CROSS
    for key, numbers in _sums(columns, [Day.cut == cut, *where]).items():
        for name in ("agent", "team", "channel", "language"):
            _put(found[name], _of(key, name), numbers)
    for key, numbers in _sums([Day.tag], [Day.cut == CROSS_TAG, *where]).items():
        _put(found["tag"], key[0], numbers)
    return found


def _of(key: tuple[Any, ...], name: str) -> int | str:
    places = {"agent": 0, "team": 1, "channel": 2, "language": 3, "tag": 4}
    value: int | str = key[places[name]]
    return value


def _put(rows: dict[int | str, dict[str, int]], key: int | str, numbers: Mapping[str, int]) -> None:
    row = rows.setdefault(key, dict.fromkeys(NUMBERS, 0))
    for name in NUMBERS:
        row[name] += numbers[name]


def _sums(columns: Sequence[Any], where: Sequence[Any]) -> dict[tuple[Any, ...], dict[str, int]]:
    numbers = [func.sum(getattr(Day, name)) for name in NUMBERS]
    rows = db.session.execute(select(*columns, *numbers).where(*where).group_by(*columns)).all()
    size = len(columns)
    return {
        tuple(row[:size]): {name: int(number or 0) for name, number in zip(NUMBERS, row[size:], strict=True)}
        for row in rows
    }


def _added(rows: Iterable[Mapping[str, int]]) -> dict[str, int]:
    found = dict.fromkeys(NUMBERS, 0)
    for row in rows:
        for name in NUMBERS:
            found[name] += row[name]
    return found


def _trend(wanted: Wanted, days: Mapping[tuple[Any, ...], Mapping[str, int]]) -> tuple[str, dict[date, dict[str, int]]]:
    """The days as they are up to a month, by weeks up to half a year, else by months."""
    length = (wanted.last - wanted.first).days
    step = "day" if length <= 31 else "week" if length <= 190 else "month"
    found: dict[date, dict[str, int]] = {}
    for (day,), numbers in sorted(days.items()):
        begin = _begin(day, step)
        _put(found, begin, numbers)  # type: ignore[arg-type]
    return step, found


def _begin(day: date, step: str) -> date:
    if step == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if step == "month" else day


def _stretches(survey: Survey, wanted: Wanted, step: str, trend: Mapping[date, Mapping[str, int]]) -> list[Stretch]:
    """Each with its ends, within what was asked for. Anonymous answers are dated by their week, and so told by it."""
    spans = []
    for day in sorted(trend):
        ends = day
        if step == "week":
            ends = day + timedelta(days=6)
        elif step == "month":
            ends = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        spans.append((max(day, wanted.first), min(ends, wanted.last)))
    figures = _covered(survey, [figure(survey, trend[day]) for day in sorted(trend)], _added(trend.values()))
    return [Stretch(first, last, one) for (first, last), one in zip(spans, figures, strict=True)]


def _names(by: Mapping[str, Mapping[int | str, Any]]) -> dict[tuple[str, int | str], str]:
    """What agents and teams are called. Two queries."""
    found: dict[tuple[str, int | str], str] = {}
    agents = select(User.id, User.name, User.email).where(User.id.in_([key for key in by["agent"] if key]))
    for number, name, email in db.session.execute(agents):
        found["agent", number] = name or email or f"#{number}"
    for number, name in db.session.execute(select(Team.id, Team.name).where(Team.id.in_(list(by["team"])))):
        found["team", number] = name
    return found


def _shown(
    survey: Survey,
    name: str,
    rows: Mapping[int | str, Mapping[str, int]],
    names: Mapping[tuple[str, int | str], str],
    total: Mapping[str, int],
) -> list[tuple[int | str, str, Figure]]:
    """The largest groups first. Of an anonymous survey small ones are hidden, and never one alone."""
    ordered = sorted(rows.items(), key=lambda row: (-row[1]["answers"], -row[1]["invitations"], str(row[0])))
    found = [
        (key, names.get((name, key), str(key) if key else ""), figure(survey, numbers))
        for key, numbers in ordered
        if numbers["answers"] or numbers["invitations"]
    ]
    if not survey.anonymous:
        return found[:_MOST]
    if name == "tag":
        # An answer has none or several: what one tag leaves of the whole is a group as well.
        few = [0 < total["answers"] - one.answers < survey.min_group for _key, _name, one in found]
        return [
            (key, text, Figure(invited=one.invited, small=True, hidden=True) if is_few else one)
            for (key, text, one), is_few in zip(found, few, strict=True)
        ][:_MOST]
    figures = _covered(survey, [one for _key, _name, one in found], total)
    return [(key, text, one) for (key, text, _one), one in zip(found, figures, strict=True)][:_MOST]


def _covered(survey: Survey, figures: Sequence[Figure], total: Mapping[str, int]) -> Sequence[Figure]:
    """The same, but the smallest that is shown hidden where the others leave a small group of the whole."""
    left = total["answers"] - sum(one.answers for one in figures)
    shown = sorted((one.answers, place) for place, one in enumerate(figures) if one.answers)
    if not survey.anonymous or not shown or not 0 < left < survey.min_group:
        return figures
    found, place = list(figures), shown[0][1]
    found[place] = Figure(invited=found[place].invited, small=True, hidden=True)
    return found
