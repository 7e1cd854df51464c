"""Notices by mail: at once, after the quiet hours, as a daily summary; each once."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from helpdesk.api import Channel, OutgoingMessage
from helpdesk.core import workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.jobs import runner
from helpdesk.core.models import Delivery, Notification, User
from helpdesk.core.notifications import choices, reading
from helpdesk.core.notifications.choices import Choice
from helpdesk.core.transaction import transaction

pytestmark = pytest.mark.db
# A Tuesday, ten in the morning.
TEN = datetime(2026, 6, 2, 10, tzinfo=UTC)


class Post:
    def __init__(self) -> None:
        self.sent: list[OutgoingMessage] = []

    def send(self, outgoing: OutgoingMessage) -> None:
        self.sent.append(outgoing)

    def to(self, user: User) -> list[OutgoingMessage]:
        return [mail for mail in self.sent if mail.address == user.email]


@pytest.fixture
def post(plug: Any) -> Post:
    post = Post()
    plug("post", register_channels=lambda: [Channel("email", "Post", send=post.send)])
    return post


def wants(user: User, mail: str, **times: str) -> None:
    """Everything by mail in that way."""
    wanted = {kind: Choice(True, False, mail) for kind in choices.KINDS}
    choices.set_choices(user, wanted, **{"quiet_from": "", "quiet_until": "", "digest_at": "18:00", **times})


def test_at_once_comes_a_customers_words_alone_and_all_else_together(
    post: Post, make_user: Any, make_ticket: Any, run_jobs: Any, travel: Any
) -> None:
    travel(to=TEN)
    abe = make_user("agent", name="Abe", locale="zh_Hans")
    wants(abe, "at_once")
    ticket, other = make_ticket("Creaking"), make_ticket("Squeaking")
    run_jobs()
    (first,) = post.to(abe)
    assert first.automatic and first.kind == "notices" and first.locale == "zh_Hans"
    assert f"#{ticket.id} Creaking" in first.text and f"/desk/tickets/{other.id}" in first.text
    workflow.assign(ticket, abe, None)
    workflow.reply(ticket, MessageDraft("It still creaks."), ticket.requester)
    run_jobs()
    letter = post.to(abe)[1]
    assert (letter.kind, letter.text) == ("agent", "It still creaks.") and letter.reply_token
    assert len(post.to(abe)) == 2, "the next list waits for its minute"
    travel(minutes=2)
    run_jobs()
    assert len(post.to(abe)) == 3 and post.to(abe)[2].subject == f"#{ticket.id} Creaking"
    travel(minutes=2)
    run_jobs()
    assert len(post.to(abe)) == 3, "each once"


def test_quiet_hours_and_the_summary_hold_back_what_is_read_meanwhile(
    post: Post, make_user: Any, make_ticket: Any, run_jobs: Any, travel: Any
) -> None:
    travel(to=TEN)
    abe, mia = make_user("agent", name="Abe", time_zone="UTC"), make_user("agent", name="Mia", time_zone="UTC")
    wants(abe, "at_once", quiet_from="09:00", quiet_until="12:00")
    wants(mia, "digest")
    read, kept = make_ticket("Read"), make_ticket("Kept", assignee=abe)
    run_jobs()
    assert post.sent == []
    reading.mark_ticket_read(abe, read)
    workflow.reply(kept, MessageDraft("And more."), kept.requester)
    run_jobs()
    travel(to=TEN, hours=2, minutes=1)
    run_jobs()
    (mail,) = post.to(abe)
    assert "Kept" in mail.text and "Read" not in mail.text
    assert post.to(mia) == []
    travel(to=TEN, hours=8, minutes=1)
    run_jobs()
    (summary,) = post.to(mia)
    assert summary.subject == f"#{read.id} Read", "the other was somebody's at once"
    left = select(func.count(Notification.id)).where(Notification.mail_at.is_not(None))
    assert db.session.scalar(left) == 0


def test_nobody_gets_mail_who_may_not_see_it_any_more_or_has_left(
    post: Post, make_user: Any, make_team: Any, make_ticket: Any, run_jobs: Any, travel: Any
) -> None:
    travel(to=TEN)
    abe, mia = make_user("agent", name="Abe", time_zone="UTC"), make_user("agent", name="Mia", time_zone="UTC")
    wants(abe, "digest")
    wants(mia, "digest")
    ticket = make_ticket("Secret")
    run_jobs()
    workflow.move(ticket, make_team(private=True), None)
    make_ticket("Open")
    run_jobs()
    with transaction():
        mia.active = False
    travel(to=TEN, hours=9)
    run_jobs()
    assert post.to(mia) == []
    assert all("Secret" not in mail.text for mail in post.to(abe)) and len(post.to(abe)) == 1


def test_workers_at_once_tell_and_mail_once(post: Post, make_user: Any, make_ticket: Any, at_once: Any) -> None:
    people = [make_user("agent") for _number in range(3)]
    for user in people:
        wants(user, "at_once")
    for number in range(5):
        make_ticket(f"Matter {number}")
    at_once(4, lambda _number: runner.run_due())
    runner.run_due()
    assert db.session.scalar(select(func.count(Notification.id))) == 15
    listed = [number for row in db.session.scalars(select(Delivery)) for number in row.data.get("notices", ())]
    assert len(listed) == len(set(listed)), "no notice is in two mails"
