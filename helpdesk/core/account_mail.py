"""Links that anybody can ask for by mail. A job finds out for whom: no answer tells who exists, in words or in time."""

from datetime import timedelta

from sqlalchemy import and_, or_, select

from helpdesk.core import accounts, deliveries
from helpdesk.core.accounts import INVITATION, RESET
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Delivery, User
from helpdesk.core.models.delivery import SENT, WAITING
from helpdesk.core.models.user import REQUESTER
from helpdesk.core.transaction import transaction

RESET_JOB, REGISTER_JOB = "core.send_reset", "core.send_registration"
# One link for an account in this time, and none while one waits to be sent.
_PAUSE = timedelta(minutes=5)


def ask_reset(email: str) -> None:
    """Somebody has forgotten the password of that address. One transaction. Raises AccountError for no address."""
    ledger.schedule(RESET_JOB, email=accounts.clean_email(email))


def ask_account(email: str, name: str) -> None:
    """Somebody would like an account. One transaction. Raises AccountError for no address."""
    ledger.schedule(REGISTER_JOB, email=accounts.clean_email(email), called=name[:200])


def send_reset(email: str) -> None:
    """Send a link for a new password, if there is such an account that may have one (a job). One transaction."""
    user = accounts.account_of(email)
    if user is None or not user.active or user.is_service or not (user.is_staff or user.password_hash):
        return
    with transaction():
        _queue_once(RESET, user)


def send_registration(email: str, called: str) -> None:
    """Send a customer a link to choose a password; the team is invited by administrators (a job). One transaction."""
    with transaction():
        # An address of somebody else's by a merge opens no account of theirs.
        user = accounts.account_of(email) or accounts.requester_for(email, called)
        if user.role == REQUESTER and user.active:
            # Who has a password is sent the link for a new one: an invitation is for the first.
            _queue_once(RESET if user.password_hash else INVITATION, user)


def _queue_once(kind: str, user: User) -> None:
    """Queue a link, unless one of that kind waits or was sent a moment ago. Joins the open transaction."""
    # Locked: of many jobs at once one finds none.
    db.session.refresh(user, with_for_update={"of": User})
    under_way = or_(Delivery.state == WAITING, and_(Delivery.state == SENT, Delivery.sent_at > now() - _PAUSE))
    mine = select(Delivery.id).where(Delivery.user_id == user.id, Delivery.kind == kind, under_way)
    if db.session.scalar(mine.limit(1)) is None:
        deliveries.queue(kind, [user])
