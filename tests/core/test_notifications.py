"""Being told: of what, once, only of what one may see, never of what one did oneself, by mail when one wants it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, select

from helpdesk.core import personal_data, settings, workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger, retention
from helpdesk.core.models import Event, Notification, NotificationCursor, User
from helpdesk.core.notifications import choices, reading
from helpdesk.core.notifications.choices import Choice
from helpdesk.core.settings import DeskSettings
from helpdesk.core.transaction import transaction

pytestmark = pytest.mark.db


def told(user: User) -> list[str]:
    """The kinds of a person's notices, the oldest first."""
    query = select(Notification.kind).where(Notification.user_id == user.id).order_by(Notification.event_id)
    return list(db.session.scalars(query))


def happened(kind: str, ticket: Any, **data: Any) -> None:
    with transaction():
        record(kind, ticket, None, data)


def test_each_is_told_once_of_what_concerns_them(
    make_user: Any, make_team: Any, make_ticket: Any, run_jobs: Any
) -> None:
    abe, mia, otto = (make_user("agent", name=name) for name in ("Abe", "Mia", "Otto"))
    team = make_team(members=[abe, mia])
    ticket = make_ticket("Creaking", team=team)
    run_jobs()
    assert (told(abe), told(mia), told(otto)) == (["new_in_team"], ["new_in_team"], [])
    workflow.assign(ticket, abe, mia)
    workflow.follow(ticket, otto, mia)
    workflow.reply(ticket, MessageDraft("It still creaks."), ticket.requester)
    workflow.reply(ticket, MessageDraft("We look at it."), mia)
    note = MessageDraft("Can you look?")
    with transaction():
        message = workflow.note(ticket, note, abe)
        record("message_added", ticket, abe, {"visibility": "internal", "mentions": [mia.id, abe.id]}, message)
    happened("ticket_due_soon", ticket)
    happened("promise_broken", ticket)
    run_jobs()
    assert told(abe) == ["new_in_team", "assigned", "answered", "due_soon", "overdue"]
    assert told(mia) == ["new_in_team", "mentioned"]
    assert told(otto) == ["answered"]
    run_jobs()
    assert len(told(abe)) == 5, "nobody is told twice"
    workflow.assign(ticket, mia, mia)
    run_jobs()
    assert told(mia) == ["new_in_team", "mentioned"], "never of what one did oneself"


def test_nobody_is_told_of_what_is_hidden_or_not_theirs(
    make_user: Any, make_team: Any, make_ticket: Any, run_jobs: Any
) -> None:
    inside, outside = make_user("agent", name="In"), make_user("agent", name="Out")
    gone, boss = make_user("agent", name="Gone", active=False), make_user("supervisor")
    team = make_team(members=[inside, gone], private=True)
    ticket = make_ticket("Secret", team=team)
    with transaction():
        message = workflow.note(ticket, MessageDraft("Look!"), None)
        record("message_added", ticket, None, {"mentions": [outside.id, boss.id, gone.id]}, message)
    run_jobs()
    assert (told(outside), told(gone), told(boss)) == ([], [], ["mentioned"])
    assert told(inside) == ["new_in_team"]
    open_one = make_ticket("Open")
    run_jobs()
    assert told(outside) == ["new_in_team"], "what has no team is everybody's"
    assert [row.ticket_id for row in reading.page(outside).rows] == [open_one.id]
    workflow.move(open_one, team, None)
    assert reading.page(outside).rows == [] and reading.unread(outside)[0] == 0, "it is hidden from now on"
    assert reading.unread(inside)[0] == 2


def test_the_weightiest_kind_counts_and_what_nobody_wants_is_not_written(
    make_user: Any, make_ticket: Any, run_jobs: Any
) -> None:
    abe, mia = make_user("agent", name="Abe"), make_user("agent", name="Mia")
    nothing = {kind: Choice() for kind in choices.KINDS}
    choices.set_choices(mia, nothing, quiet_from="", quiet_until="", digest_at="08:00")
    ticket = make_ticket(assignee=abe)
    workflow.follow(ticket, mia, None)
    run_jobs()
    workflow.reply(ticket, MessageDraft("Still."), ticket.requester)
    run_jobs()
    assert (told(abe), told(mia)) == (["assigned", "answered"], [])
    workflow.mark_read(ticket, abe)
    reading.mark_ticket_read(abe, ticket)
    assert reading.unread(abe)[0] == 0


def test_a_cursor_moves_with_its_notices(
    make_user: Any, make_ticket: Any, run_jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    abe = make_user("agent")
    make_ticket("First")
    with monkeypatch.context() as broken:
        broken.setattr("helpdesk.core.notifications.mailing.ask", lambda: 1 / 0)
        run_jobs()
    assert told(abe) == [] and db.session.get_one(NotificationCursor, 1).event_id == 0, "all or nothing"
    make_ticket("Second")
    run_jobs()
    assert told(abe) == ["new_in_team", "new_in_team"], "what was not told is told with the next"


@pytest.mark.parametrize(
    ("quiet", "at", "end"),
    [
        (("22:00", "07:00"), datetime(2026, 3, 10, 23, 30, tzinfo=UTC), datetime(2026, 3, 11, 6, 0, tzinfo=UTC)),
        (("22:00", "07:00"), datetime(2026, 3, 10, 5, 0, tzinfo=UTC), datetime(2026, 3, 10, 6, 0, tzinfo=UTC)),
        (("12:00", "14:00"), datetime(2026, 3, 10, 12, 30, tzinfo=UTC), datetime(2026, 3, 10, 13, 0, tzinfo=UTC)),
        (("12:00", "14:00"), datetime(2026, 3, 10, 13, 0, tzinfo=UTC), datetime(2026, 3, 10, 13, 0, tzinfo=UTC)),
        # The clocks go forward in the night: the end is an hour sooner in UTC.
        (("22:00", "07:00"), datetime(2026, 3, 28, 23, 0, tzinfo=UTC), datetime(2026, 3, 29, 5, 0, tzinfo=UTC)),
        ((None, None), datetime(2026, 3, 10, 23, 30, tzinfo=UTC), datetime(2026, 3, 10, 23, 30, tzinfo=UTC)),
    ],
)
def test_quiet_hours_end_in_the_persons_zone(app: Any, quiet: Any, at: datetime, end: datetime) -> None:
    user = User(time_zone="Europe/Berlin", quiet_from=quiet[0], quiet_until=quiet[1])
    assert choices.quiet_end(user, at) == end


def test_a_digest_waits_for_its_hour(app: Any) -> None:
    user = User(time_zone="Asia/Shanghai", digest_at="08:00")
    assert choices.mail_moment(user, "digest", datetime(2026, 5, 1, 1, tzinfo=UTC)) == datetime(2026, 5, 2, tzinfo=UTC)
    assert choices.mail_moment(user, "never", datetime(2026, 5, 1, tzinfo=UTC)) is None


def test_the_owners_wish_is_the_beginning_of_everybodys(app: Any, make_user: Any) -> None:
    abe = make_user("agent")
    assert choices.choices_of([abe.id])[abe.id]["answered"].mail == "never"
    settings.save(DeskSettings, {"tell_staff": True}, None)
    assert choices.choices_of([abe.id])[abe.id]["answered"].mail == "at_once"


def test_old_ones_go_and_a_person_takes_theirs_along(
    make_user: Any, make_ticket: Any, run_jobs: Any, travel: Any
) -> None:
    abe, boss = make_user("agent", name="Abe"), make_user("admin")
    make_ticket("Old", assignee=abe)
    run_jobs()
    choices.set_choices(abe, {}, quiet_from="20:00", quiet_until="07:00", digest_at="09:00")
    found = personal_data.export(abe, boss)
    assert [(row["kind"], row["read_at"]) for row in found["notices"]] == [("assigned", None)]
    assert found["profile"]["quiet_from"] == "20:00"
    travel(days=91)
    make_ticket("New", assignee=abe)
    ledger.schedule(retention.JOB)
    run_jobs()
    assert [row.ticket.subject for row in reading.page(abe).rows] == ["New"]
    with transaction():
        abe.active = False
    personal_data.erase(abe, boss)
    assert told(abe) == [] and (abe.quiet_from, abe.digest_at) == (None, "08:00")


def test_new_is_settled_for_all_when_somebody_takes_or_answers_it(
    make_user: Any, make_ticket: Any, run_jobs: Any
) -> None:
    abe, mia = make_user("agent", name="Abe"), make_user("agent", name="Mia")
    taken, answered, open_one = (make_ticket(name) for name in ("Taken", "Answered", "Open"))
    run_jobs()
    assert reading.unread(mia)[0] == 3
    workflow.assign(taken, abe, None)
    workflow.reply(answered, MessageDraft("We look."), abe)
    workflow.note(open_one, MessageDraft("Who can?"), abe)
    run_jobs()
    left = reading.page(mia, unread=True).rows
    assert [row.ticket_id for row in left] == [open_one.id]
    assert {row.kind for row in reading.page(abe, unread=True).rows} == {"assigned", "new_in_team"}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_is_committed_late_is_told_too(make_user: Any, make_ticket: Any, run_jobs: Any, travel: Any) -> None:
    abe = make_user("agent")
    ticket = make_ticket(assignee=abe)
    run_jobs()
    with db.engine.connect() as early:
        early.execute(insert(Event).values(kind="ticket_due_soon", ticket_id=ticket.id, data={}))
        happened("ticket_overdue", ticket)
        run_jobs()
        assert told(abe) == ["assigned"], "it waits for the transaction that is still open"
        early.commit()
    for _turn in range(3):
        travel(seconds=2)
        run_jobs()
    assert told(abe) == ["assigned", "due_soon", "overdue"]
