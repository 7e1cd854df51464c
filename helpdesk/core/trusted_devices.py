"""Browsers in which the second factor is not asked for, for a while."""

import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, select, update

from helpdesk.core.clock import now
from helpdesk.core.digests import digest_of
from helpdesk.core.extensions import db
from helpdesk.core.models import TrustedDevice, User
from helpdesk.core.transaction import count_rows, transaction

LIFETIME = timedelta(days=30)


def remember(user: User, address: str, agent: str) -> str:
    """Ask no more for the second factor in this browser. Answers the secret for its cookie. Joins or opens."""
    secret = secrets.token_urlsafe(32)
    with transaction():
        db.session.add(
            TrustedDevice(
                user_id=user.id,
                digest=digest_of(secret),
                expires_at=now() + LIFETIME,
                address=address[:64],
                agent=agent[:300],
            )
        )
    return secret


def find(user: User, secret: str) -> int | None:
    """The number of the remembered device of a person whose cookie this is, or None. Reads only."""
    query = select(TrustedDevice.id).where(*_going(user), TrustedDevice.digest == digest_of(secret))
    return db.session.scalar(query)


def used(device_id: int) -> None:
    """A remembered device has stood for a second factor. Joins or opens the transaction."""
    with transaction():
        db.session.execute(update(TrustedDevice).where(TrustedDevice.id == device_id).values(used_at=now()))


def of(user: User) -> Sequence[TrustedDevice]:
    """The remembered devices of a person, the one used last first. Reads only."""
    query = select(TrustedDevice).where(*_going(user)).order_by(TrustedDevice.used_at.desc(), TrustedDevice.id.desc())
    return db.session.scalars(query.limit(100)).all()


def forget(user: User, device_id: int) -> bool:
    """Ask for the second factor again in one browser of a person; False when there is none. Joins or opens."""
    with transaction():
        mine = (TrustedDevice.id == device_id) & (TrustedDevice.user_id == user.id)
        return bool(count_rows(delete(TrustedDevice).where(mine)))


def forget_all(user: User) -> None:
    """Ask for the second factor again everywhere. Joins or opens the transaction."""
    with transaction():
        db.session.execute(delete(TrustedDevice).where(TrustedDevice.user_id == user.id))


def forget_old() -> None:
    """Take away what is over. Joins or opens the transaction."""
    with transaction():
        db.session.execute(delete(TrustedDevice).where(TrustedDevice.expires_at < now()))


def _going(user: User) -> tuple[ColumnElement[bool], ...]:
    return TrustedDevice.user_id == user.id, TrustedDevice.expires_at > now()
