"""What a person does about work that went wrong: allowed to few, recorded, and done once."""

from typing import Any

import pytest

from helpdesk.core import plugin_states, repairs
from helpdesk.core.channels import intake
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import AuditEntry, Delivery, Intake, Job, User
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.transaction import transaction

# None of the desk's own schedules falls due between two looks.
pytestmark = [pytest.mark.usefixtures("nothing_daily"), pytest.mark.plugins("email")]

NO_SENDER = b"Subject: Hello\r\n\r\nNobody wrote this"


@pytest.fixture
def quarantined(app: Any) -> Intake:
    outcome = intake.receive("email", NO_SENDER)
    assert outcome.outcome == "quarantined"
    return db.session.get_one(Intake, outcome.intake_id)


@pytest.fixture
def failed(make_ticket: Any) -> Delivery:
    make_ticket(notice=True)
    delivery = db.session.scalars(db.select(Delivery)).one()
    with transaction():
        delivery.state, delivery.error = "failed", "550 no such person"
    return delivery


@pytest.mark.parametrize("role", ["requester", "agent", "supervisor"])
def test_only_administrators_repair(make_user: Any, quarantined: Intake, failed: Delivery, role: str) -> None:
    user, job = make_user(role), ledger.schedule("nothing.at_all")
    acts: list[tuple[Any, Any]] = [
        (repairs.retry_incoming, quarantined),
        (repairs.discard_incoming, quarantined),
        (repairs.retry_outgoing, failed),
        (repairs.retry_job, job),
        (repairs.cancel_job, job),
        (repairs.cancel_outgoing, failed),
        (repairs.retry_failed, "nothing.at_all"),
        (repairs.clear_quarantine, 1),
    ]
    for act, thing in acts:
        with pytest.raises(NotAllowed):
            act(thing, user)
    with pytest.raises(NotAllowed):
        repairs.retry_failed_outgoing(user)
    assert (quarantined.state, failed.state, job.state) == ("quarantined", "failed", "waiting")


@pytest.mark.db
def test_each_act_is_done_once_and_recorded(make_user: Any, quarantined: Intake, failed: Delivery) -> None:
    admin, job = make_user("admin"), ledger.schedule("nothing.at_all")
    again = repairs.retry_incoming(quarantined, admin)
    assert again is not None and again.outcome == "quarantined"
    assert repairs.discard_incoming(quarantined, admin) and not repairs.discard_incoming(quarantined, admin)
    assert repairs.retry_outgoing(failed, admin) and not repairs.retry_outgoing(failed, admin)
    assert failed.state == "waiting"
    assert repairs.cancel_job(job, admin) and not repairs.cancel_job(job, admin)
    assert repairs.retry_job(job, admin) and not repairs.retry_job(job, admin)
    query = db.select(AuditEntry.action).where(AuditEntry.actor_id == admin.id).order_by(AuditEntry.id)
    assert list(db.session.scalars(query)) == [
        "incoming.retried",
        "incoming.discarded",
        "outgoing.retried",
        "job.cancelled",
        "job.retried",
    ]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_of_two_who_send_a_message_again_one_does(make_user: Any, failed: Delivery, aside: Any) -> None:
    """The second has read that it failed before the first has asked."""
    admin, number = make_user("admin"), failed.id
    admin_id = admin.id

    def first() -> bool:
        return repairs.retry_outgoing(db.session.get_one(Delivery, number), db.session.get_one(User, admin_id))

    with transaction():
        assert failed.state == "failed"
        assert aside(first).result(30)
        assert not repairs.retry_outgoing(failed, admin)
    sends = db.select(db.func.count(Job.id)).where(Job.name == "core.deliver", Job.state == "waiting")
    assert db.session.scalar(sends) == 1


def test_an_item_that_became_a_ticket_is_not_tried_again(make_user: Any) -> None:
    outcome = intake.receive("email", b"From: a@post.example\r\nSubject: Hello\r\n\r\nHello")
    assert outcome.outcome == "ticket"
    assert repairs.retry_incoming(db.session.get_one(Intake, outcome.intake_id), make_user("admin")) is None


def test_an_item_tried_while_its_channel_is_off_waits_for_it(
    make_user: Any, quarantined: Intake, run_jobs: Any
) -> None:
    """Nothing else would ever look at it again."""
    run_jobs()
    plugin_states.switch("email", False, None)
    outcome = repairs.retry_incoming(quarantined, make_user("admin"))
    assert outcome is not None and (outcome.outcome, quarantined.state) == ("waiting", "received")
    assert db.session.scalar(db.select(Job.state).where(Job.key == f"intake:{quarantined.id}")) == "waiting"
    plugin_states.switch("email", True, None)
    run_jobs()
    db.session.expire_all()
    assert quarantined.state == "quarantined"
