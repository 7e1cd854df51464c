"""Wrong passwords and codes, counted in the database: after too many, the account or the address has to wait."""

from datetime import timedelta

from sqlalchemy import delete, func, select

from helpdesk.core import throttle
from helpdesk.core.account_errors import TooManyTries
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import SignInAttempt

# After so many failures within the window, the account (or the address) waits.
FAILURES, ADDRESS_FAILURES, CODE_FAILURES = 8, 40, 5
WINDOW, PAUSE = timedelta(minutes=15), timedelta(minutes=15)


def account_key(login: str) -> str:
    """Counts wrong passwords for what somebody typed as an address, whether or not there is such an account."""
    return throttle.key_of("account", login)


def known_key(user_id: int) -> str:
    """Counts wrong passwords from browsers in which the person has signed in before."""
    return throttle.key_of("known", str(user_id))


def address_key(address: str) -> str:
    """Counts what comes from a network address."""
    return throttle.key_of("address", throttle.network_of(address))


def confirm_key(user_id: int) -> str:
    """Counts wrong passwords of somebody who is signed in."""
    return throttle.key_of("confirm", str(user_id))


def code_key(user_id: int) -> str:
    """Counts wrong codes of a second factor."""
    return throttle.key_of("code", str(user_id))


def check(*keys: str) -> None:
    """Raise :class:`TooManyTries` while one of these has to wait. Reads only."""
    query = select(func.max(SignInAttempt.blocked_until)).where(SignInAttempt.key.in_(keys))
    until, moment = db.session.scalar(query), now()
    if until is not None and until > moment:
        raise TooManyTries(max(1, -int((moment - until).total_seconds() // 60)))


def count(key: str, limit: int) -> bool:
    """Count one more failure; True when this one begins a pause. Joins the open transaction."""
    row = throttle.count(key, WINDOW)
    if row.failures < limit:
        return False
    row.blocked_until, row.failures, row.window_start = now() + PAUSE, 0, now()
    return True


def forgive(*keys: str) -> None:
    """Forget the failures: it was right. Joins the open transaction."""
    db.session.execute(delete(SignInAttempt).where(SignInAttempt.key.in_(keys)))
