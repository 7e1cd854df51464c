"""Kept counts: changed with every invitation and answer, by each cut, and made anew by a recount."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from helpdesk.api import db, transaction
from helpdesk_surveys.models import (
    BY_AGENT,
    BY_CHANNEL,
    BY_LANGUAGE,
    BY_TAG,
    BY_TEAM,
    CROSS,
    CROSS_TAG,
    TOTAL,
    Day,
    Invitation,
    Response,
    ResponseTag,
    Survey,
)

KEY = ("survey_id", "cut", "day", "agent_id", "team_id", "channel", "language", "tag")
SCORES = tuple(f"n{score}" for score in range(11))
NUMBERS = ("invitations", "answers", "total", "squares", *SCORES)
_BATCH = 2_000
# In the place of a score: an invitation.
_INVITED = -1
# Of so many columns a statement of a thousand values is well below what SQLite takes (32,766).
_ROWS = 500


@dataclass(frozen=True)
class Counted:
    """What one invitation or answer is counted under."""

    survey_id: int
    day: date
    agent_id: int = 0
    team_id: int = 0
    channel: str = ""
    language: str = ""
    tags: tuple[str, ...] = ()

    def keys(self) -> Iterator[tuple[Any, ...]]:
        """The keys of the rows in which it counts."""
        yield self._key(TOTAL)
        yield self._key(BY_AGENT, agent_id=self.agent_id)
        yield self._key(BY_TEAM, team_id=self.team_id)
        yield self._key(BY_CHANNEL, channel=self.channel)
        yield self._key(BY_LANGUAGE, language=self.language)
        whole: dict[str, Any] = {
            "agent_id": self.agent_id, "team_id": self.team_id, "channel": self.channel, "language": self.language,
        }  # fmt: skip
        yield self._key(CROSS, **whole)
        for tag in self.tags:
            yield self._key(BY_TAG, tag=tag)
            yield self._key(CROSS_TAG, **whole, tag=tag)

    def _key(
        self, cut: str, agent_id: int = 0, team_id: int = 0, channel: str = "", language: str = "", tag: str = ""
    ) -> tuple[Any, ...]:
        return (self.survey_id, cut, self.day, agent_id, team_id, channel, language, tag)


def week_of(moment: datetime) -> datetime:
    """Midnight (UTC) of the Monday before: all that is kept of when somebody answered anonymously."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def counts_of(invitation: Invitation, survey: Survey) -> Counted:
    """Under what an invitation that was sent is counted."""
    sent = invitation.sent_at or invitation.created_at
    return Counted(
        survey.id,
        (week_of(sent) if survey.anonymous else sent.astimezone(UTC)).date(),
        0 if survey.anonymous else invitation.agent_id or 0,
        invitation.team_id or 0,
        invitation.channel,
        invitation.language,
        tuple(sorted(invitation.tags or ())),
    )


def counts_for(response: Response, tags: Iterable[str]) -> Counted:
    """Under what an answer is counted."""
    return Counted(
        response.survey_id,
        response.answered_at.astimezone(UTC).date(),
        response.agent_id or 0,
        response.team_id or 0,
        response.channel,
        response.language,
        tuple(sorted(tags)),
    )


def of_score(score: int | None) -> Counter[str]:
    """What one answer adds."""
    found = Counter({"answers": 1})
    if score is not None:
        found.update({"total": score, "squares": score * score, f"n{score}": 1})
    return found


def add(changes: Sequence[tuple[Counted, Mapping[str, int]]]) -> None:
    """Add numbers to all rows in which they count. Inside the transaction; one statement for 500 rows.

    In the order of the keys, so that two transactions wait for one another and never both.
    """
    sums: dict[tuple[Any, ...], Counter[str]] = {}
    for counted, numbers in changes:
        for key in counted.keys():
            row = sums.setdefault(key, Counter())
            for name, number in numbers.items():
                row[name] += number
    rows = [
        {**dict(zip(KEY, key, strict=True)), **{name: sums[key][name] for name in NUMBERS}}
        for key in sorted(sums)
        if any(sums[key].values())
    ]
    _upsert(rows)


def forget_agent(user_id: int) -> None:
    """Count what was an agent's as nobody's. Inside the transaction that erases them."""
    rows = db.session.execute(
        select(*(getattr(Day, name) for name in (*KEY, *NUMBERS))).where(
            Day.cut.in_((BY_AGENT, CROSS, CROSS_TAG)), Day.agent_id == user_id
        )
    ).all()
    db.session.execute(delete(Day).where(Day.agent_id == user_id))
    _upsert(sorted(({**row._mapping, "agent_id": 0} for row in rows), key=lambda row: [row[name] for name in KEY]))


def recount(survey_id: int) -> int:
    """Make the counts of a survey anew from its invitations and answers; how many rows. One transaction.

    What is alike is counted together first, so that a million answers cost little more than reading them.
    """
    with transaction():
        survey = db.session.get(Survey, survey_id, with_for_update=True)
        if survey is None:
            return 0
        sums: dict[tuple[Any, ...], Counter[str]] = {}
        for (counted, score), number in _alike(survey).items():
            numbers = {"invitations": 1} if score == _INVITED else of_score(score)
            for key in counted.keys():
                row = sums.setdefault(key, Counter())
                for name, one in numbers.items():
                    row[name] += one * number
        db.session.execute(delete(Day).where(Day.survey_id == survey.id))
        rows = [{**dict(zip(KEY, key, strict=True)), **{name: sums[key][name] for name in NUMBERS}} for key in sums]
        for start in range(0, len(rows), _BATCH):
            db.session.execute(insert(Day), rows[start : start + _BATCH])
    return len(rows)


def _alike(survey: Survey) -> Counter[tuple[Counted, int | None]]:
    """How many invitations and answers of a survey are counted in the same way."""
    found: Counter[tuple[Counted, int | None]] = Counter()
    sent = select(
        Invitation.sent_at, Invitation.agent_id, Invitation.team_id, Invitation.channel, Invitation.language,
        Invitation.tags,
    ).where(Invitation.survey_id == survey.id, Invitation.sent_at.is_not(None))  # fmt: skip
    for at, agent, team, channel, language, tags in db.session.execute(sent).yield_per(_BATCH):
        if at is None:
            continue
        day = (week_of(at) if survey.anonymous else at).date()
        own = 0 if survey.anonymous else agent or 0
        found[Counted(survey.id, day, own, team or 0, channel, language, tuple(sorted(tags or ()))), _INVITED] += 1
    given = select(
        Response.id, Response.answered_at, Response.agent_id, Response.team_id, Response.channel, Response.language,
        Response.score,
    ).where(Response.survey_id == survey.id)  # fmt: skip
    tags_of = _tags(survey)
    for number, at, agent, team, channel, language, score in db.session.execute(given).yield_per(_BATCH):
        own_tags = tuple(tags_of.get(number, ()))
        found[Counted(survey.id, at.date(), agent or 0, team or 0, channel, language, own_tags), score] += 1
    return found


def _tags(survey: Survey) -> Mapping[int, Sequence[str]]:
    query = select(ResponseTag.response_id, ResponseTag.tag).join(Response, Response.id == ResponseTag.response_id)
    found: dict[int, list[str]] = {}
    for number, tag in db.session.execute(query.where(Response.survey_id == survey.id)).yield_per(_BATCH):
        found.setdefault(number, []).append(tag)
    return {number: sorted(tags) for number, tags in found.items()}


def _upsert(rows: Sequence[Mapping[str, Any]]) -> None:
    make: Any = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in KEY)
        if key in merged:
            for name in NUMBERS:
                merged[key][name] += row[name]
        else:
            merged[key] = dict(row)
    every = list(merged.values())
    for start in range(0, len(every), _ROWS):
        statement = make(Day).values(every[start : start + _ROWS])
        new = {name: getattr(Day, name) + statement.excluded[name] for name in NUMBERS}
        db.session.execute(
            statement.on_conflict_do_update(index_elements=list(KEY), set_=new),
            execution_options={"synchronize_session": False},
        )
