"""Figures: kept counts equal a recount, the intervals agree with what is published, scopes and lists hold."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from math import isclose
from typing import Any

import pytest
from helpdesk_surveys import counting, exporting, figures, listing, statistics
from helpdesk_surveys.answering import answer, open_link
from helpdesk_surveys.counting import KEY, NUMBERS, Counted
from helpdesk_surveys.figures import Wanted, board
from helpdesk_surveys.links import token
from helpdesk_surveys.models import SENT, Day, Invitation, Response, Survey
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from helpdesk.api import Ticket, User, db, now, transaction

Make = Callable[..., Survey]
CSAT = statistics.share_interval


def test_nps_agrees_with_a_published_example() -> None:
    """https://stats.stackexchange.com/a/18609 works it through: one half promoters, one third passives, one sixth
    detractors have the score 1/3 and the variance 5/9; of 324 answers the standard error is 4.1 points.

    The interval is the adjusted Wald of https://measuringu.com/nps-confidence-intervals/: three more answers, 3/4 of a
    promoter and of a detractor more; of so many answers it is that of the plain error, to a quarter of a point.
    """
    assert isclose(statistics.nps(162, 54, 324) or 0, 100 / 3)
    error = statistics.nps_error(162, 54, 324) or 0
    assert isclose(error, 100 * (5 / 9 / 324) ** 0.5) and round(error, 1) == 4.1
    low, high = statistics.nps_interval(162, 54, 324) or (0, 0)
    assert abs(low - (100 / 3 - 1.96 * error)) < 0.5 and abs(high - (100 / 3 + 1.96 * error)) < 0.5
    # By hand: (9.75 - 3.75) / 23 = 0.2609; (13.5 / 23 - 0.2609 ** 2) / 23 = 0.02256; 1.96 times its root is 0.2944.
    low, high = statistics.nps_interval(9, 3, 20) or (0, 0)
    assert (round(low, 1), round(high, 1)) == (-3.4, 55.5)
    assert statistics.nps(0, 0, 0) is None and statistics.nps_interval(0, 0, 0) is None
    assert (statistics.nps_interval(5, 0, 5) or (0, 0))[1] == 100


def test_the_other_intervals() -> None:
    """Wilson's of 12 in 100 is 7.0 to 19.8 (without the correction for continuity); of all or none it ends there."""
    low, high = CSAT(12, 100) or (0, 0)
    assert (round(low, 1), round(high, 1)) == (7.0, 19.8)
    assert (CSAT(5, 5) or (0, 0))[1] == 100 and (CSAT(0, 5) or (1, 0))[0] == 0
    # Scores 4, 5, 6: the mean is 5, the deviation 1.
    low, high = statistics.mean_interval(15, 77, 3, 1, 7) or (0, 0)
    assert (round(low, 2), round(high, 2)) == (3.87, 6.13)
    assert statistics.mean_interval(7, 49, 1, 1, 7) is None


@pytest.fixture
def answered(app: Any, survey: Make) -> Callable[..., Survey]:
    """A survey with answers that were sent and given on some days, by their agent, team, channel, language and tags."""

    numbers = count()

    def make(rows: list[tuple[Any, ...]], **values: Any) -> Survey:
        made = survey(**{"kind": "nps", "name": f"Survey {next(numbers)}", **values})
        with transaction():
            for day, score, agent, team, channel, language, tags in rows:
                sent = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=9)
                one = Invitation(
                    survey_id=made.id, version_id=made.version_id, agent_id=agent, team_id=team, channel=channel,
                    language=language, tags=list(tags), key="k", state=SENT, sent_at=sent,
                    closes_at=now() + timedelta(days=9),
                )  # fmt: skip
                db.session.add(one)
                db.session.flush()
                counting.add([(counting.counts_of(one, made), {"invitations": 1})])
                if score is not None:
                    answer(open_link(token(one)), score)
                    db.session.flush()
        return made

    return make


def kept() -> dict[tuple[Any, ...], tuple[int, ...]]:
    """The counts, without rows in which nothing is left."""
    columns = [getattr(Day, name) for name in (*KEY, *NUMBERS)]
    rows = db.session.execute(db.select(*columns)).all()
    size = len(KEY)
    return {tuple(row[:size]): tuple(row[size:]) for row in rows if any(row[size:])}


_DAYS = st.integers(0, 40).map(lambda number: date(2026, 1, 1) + timedelta(days=number))
_ROW = st.tuples(
    _DAYS, st.none() | st.integers(0, 10), st.just(None), st.just(None), st.sampled_from(["mail", "web"]),
    st.sampled_from(["en", "ar"]), st.sampled_from([(), ("a",), ("a", "b")]),
)  # fmt: skip


@pytest.mark.parametrize("anonymous", [False, True])
def test_kept_counts_equal_a_recount(answered: Any, anonymous: bool) -> None:
    """Whatever is answered and changed, in whichever order."""

    @examples(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(_ROW, max_size=6), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 10)), max_size=6))
    def check(rows: list[tuple[Any, ...]], changes: list[tuple[int, int]]) -> None:
        made = answered(rows, anonymous=anonymous)
        sent = db.session.scalars(
            db.select(Invitation).where(Invitation.survey_id == made.id).order_by(Invitation.id)
        ).all()
        for place, score in changes:
            if place < len(sent):
                answer(open_link(token(sent[place])), score)
        before = kept()
        counting.recount(made.id)
        assert kept() == before

    check()


@pytest.mark.db
def test_erasing_and_recounting_agree(answered: Any, agent: User, make_user: Any) -> None:
    """What was an agent's is nobody's: the same whether it is moved or counted anew."""
    other = make_user("agent")
    day = date(2026, 3, 2)
    made = answered(
        [(day, 9, agent.id, None, "web", "en", ("a",)), (day, 3, None, None, "web", "en", ("a",)),
         (day, 8, other.id, None, "web", "en", ())]
    )  # fmt: skip
    from helpdesk_surveys.personal import erase_personal_data

    with transaction():
        erase_personal_data(agent)
    before = kept()
    assert not any(key[3] == agent.id for key in before)
    counting.recount(made.id)
    assert kept() == before


def test_the_board_shows_each_what_is_theirs(
    answered: Any, agent: User, boss: User, make_user: Any, make_team: Any, count_queries: Any
) -> None:
    """Agents their own, supervisors their teams', administrators all; with filters; each figure's list agrees."""
    phones, mails = make_team("Phones", members=[agent]), make_team("Mails")
    chief = make_user("supervisor", teams=[phones])
    other = make_user("agent", name="Otto")
    today = now().astimezone(UTC).date()
    rows = [
        (today, 10, agent.id, phones.id, "web", "en", ("gold",)),
        (today, 9, agent.id, phones.id, "email", "ar", ()),
        (today - timedelta(days=1), 0, other.id, phones.id, "web", "en", ("gold", "late")),
        (today - timedelta(days=2), 7, other.id, mails.id, "web", "es", ()),
        (today - timedelta(days=3), None, other.id, mails.id, "web", "es", ()),
    ]
    made = answered(rows)
    with transaction():
        # The answers were given today; move one to yesterday, and count anew.
        old = db.session.scalar(db.select(Response).where(Response.score == 0))
        old.answered_at = now() - timedelta(days=1)
    counting.recount(made.id)
    wanted = Wanted(made.id, today - timedelta(days=10), today)
    board(boss, made, wanted)
    with count_queries() as statements:
        whole = board(boss, made, wanted)
    assert len(statements) <= 5
    assert (whole.total.answers, whole.total.invited, whole.total.value, whole.total.response_rate) == (4, 5, 25, 0.8)
    assert (whole.total.promoters, whole.total.passives, whole.total.detractors, whole.total.small) == (2, 1, 1, True)
    assert whole.total.low < 25 < whole.total.high and whole.step == "day"
    assert sum(one.figure.answers for one in whole.trend) == 4
    assert [(name, one.answers) for _key, name, one in whole.by["team"]] == [("Phones", 3), ("Mails", 1)]
    assert {name: one.answers for _key, name, one in whole.by["tag"]} == {"gold": 2, "late": 1}
    assert {key: one.answers for key, _name, one in whole.by["language"]} == {"en": 2, "ar": 1, "es": 1}
    assert {name for _key, name, _one in whole.by["agent"]} == {"Abe Agent", "Otto"}
    for user, mine in ((agent, 2), (other, 2), (chief, 3), (boss, 4), (make_user(), 0)):
        seen = board(user, made, wanted)
        assert seen.total.answers == len(listing.answers(user, wanted).rows) == mine
        assert sum(one.answers for _key, _name, one in seen.by["channel"]) == mine
    changes: list[tuple[dict[str, Any], int]] = [
        ({"agent": agent.id}, 2),
        ({"team": mails.id}, 1),
        ({"tag": "gold"}, 2),
        ({"channel": "web", "language": "en"}, 2),
        ({"tag": "gold", "agent": other.id}, 1),
    ]
    for change, number in changes:
        one = Wanted(made.id, wanted.first, today, **change)
        with count_queries() as statements:
            narrowed = board(boss, made, one)
        assert narrowed.total.answers == len(listing.answers(boss, one).rows) == number
        assert len(statements) <= 5
        assert {key: figure.answers for key, _name, figure in narrowed.by["tag"]}.get("gold", 0) <= number
    promoters = listing.answers(boss, wanted, "promoters").rows
    assert [row.score for row in promoters] == [9, 10] and listing.answers(boss, wanted, "7").rows[0].score == 7
    assert [(survey.id, figure.answers) for survey, figure in figures.headline(boss)] == [(made.id, 4)]
    assert [figure.answers for _survey, figure in figures.headline(agent)] == [2]


def test_pages_by_cursor_and_a_file_that_no_spreadsheet_calculates(
    answered: Any, boss: User, agent: User, count_queries: Any
) -> None:
    today = now().astimezone(UTC).date()
    made = answered([(today, score, agent.id, None, "web", "en", ()) for score in range(7)])
    with transaction():
        for row in db.session.scalars(db.select(Response)):
            row.comment = f"=1+{row.score}"
    wanted, seen, after = Wanted(made.id, today, today), [], ""
    while True:
        page = listing.answers(boss, wanted, after=after, size=3)
        seen += [row.score for row in page.rows]
        after = page.after
        if not after:
            break
    assert seen == [6, 5, 4, 3, 2, 1, 0]
    assert len(listing.answers(boss, wanted, after="\u0661-1").rows) == len(
        listing.answers(boss, wanted, after="x").rows
    )
    for odd in ("9" * 18 + "-" + "9" * 18, "1-" + "9" * 9):
        assert len(listing.answers(boss, wanted, after=odd).rows) in (0, 7)
    assert len(listing.follow_ups(boss, "\x00", after="9" * 18).rows) == 0
    ever = Wanted(made.id, date.min, date.max, tag="\x00\ud800", channel="\x00")
    assert listing.answers(boss, ever).rows == [] and board(boss, made, ever).total.answers == 0
    assert board(boss, made, Wanted(made.id, date.min, date.max)).total.answers == 7
    lines = list(exporting.answers_csv(boss, wanted, with_comment=True))
    assert lines[0].startswith("\ufeffSurvey,") and len(lines) == 8 and ",'=1+6," in lines[1]
    with count_queries() as statements:
        listing.answers(boss, wanted)
    assert len(statements) <= 5
    assert [len(listing.invitations(user, made.id).rows) for user in (boss, agent)] == [7, 0]


def test_a_key_for_each_cut() -> None:
    one = Counted(1, date(2026, 1, 1), 2, 3, "web", "en", ("a", "b"))
    assert len(set(one.keys())) == 6 + 4


def test_an_answer_from_http_is_seen_by_its_agent(survey: Make, solved: Any, agent: User, ticket: Ticket) -> None:
    made = survey()
    kept_one = answer(open_link(token(solved())), 5, "Thanks")
    assert listing.response(agent, kept_one.id).comment == "Thanks"
    assert [row.id for row in listing.answers_about(agent, ticket.id)] == [kept_one.id]
    assert [row.survey_id for row in listing.of_ticket(agent, ticket.id)] == [made.id]
