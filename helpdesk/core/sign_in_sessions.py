"""Sessions of people who have signed in: rows, so that each can be listed, and ends everywhere at once."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import bindparam, delete, exists, select, update

from helpdesk.core.clock import now
from helpdesk.core.digests import digest_of
from helpdesk.core.extensions import db
from helpdesk.core.models import SecondFactor, SignInSession, User
from helpdesk.core.transaction import count_rows, transaction

# A session ends so long after it began, and after so long without a visit.
LIFETIME, IDLE = timedelta(days=14), timedelta(days=3)
# For so long a proof of who it is suffices for what is dangerous.
PROOF = timedelta(minutes=10)
# A visit is noted this often at most.
_NOTED_EVERY = timedelta(minutes=5)
_SEEN = "helpdesk.sessions_seen"


@dataclass(frozen=True)
class Session:
    """The session of a request, as it was when the request began."""

    id: int
    user_id: int
    proved_at: datetime
    has_second_factor: bool

    @property
    def is_proved(self) -> bool:
        """Whether the person proved a short while ago who they are."""
        return now() - self.proved_at < PROOF


def begin(user: User, address: str = "", agent: str = "") -> str:
    """Write down a session of a person who has proved who they are. Joins or opens the transaction.

    ``agent`` is what the browser calls itself. Answers the secret for the cookie: 256 random bits, kept as their
    SHA-256. :func:`helpdesk.core.accounts.enter` is what signs somebody in.
    """
    secret = secrets.token_urlsafe(32)
    with transaction():
        db.session.add(
            SignInSession(
                user_id=user.id,
                digest=digest_of(secret),
                expires_at=now() + LIFETIME,
                address=address[:64],
                agent=agent[:300],
            )
        )
    return secret


# Every request asks it: it is put together once.
_GOING_ON = (
    select(
        User,
        SignInSession.id,
        SignInSession.seen_at,
        SignInSession.proved_at,
        exists().where(SecondFactor.user_id == User.id, SecondFactor.confirmed_at.is_not(None)),
    )
    .join_from(SignInSession, User)
    .where(
        SignInSession.digest == bindparam("digest"),
        SignInSession.expires_at > bindparam("moment"),
        SignInSession.seen_at > bindparam("idle_since"),
        User.active,
        User.is_service.is_(False),
    )
)


def find(secret: str) -> tuple[User, Session] | None:
    """Whose session it is, in one statement; None when it has ended, or the account may not sign in. Reads only.

    That the person is here is noted in memory; :func:`write_visits` keeps it, so that no page waits for a writer.
    """
    moment = now()
    asked = {"digest": digest_of(secret), "moment": moment, "idle_since": moment - IDLE}
    row = db.session.execute(_GOING_ON, asked).first()
    if row is None:
        return None
    user, number, seen_at, proved_at, has_second_factor = row
    if moment - seen_at > _NOTED_EVERY:
        current_app.extensions.setdefault(_SEEN, {})[number] = moment
    return user, Session(number, user.id, proved_at, bool(has_second_factor))


def write_visits() -> None:
    """Keep what :func:`find` has noted in this process. Opens a transaction if there is anything."""
    noted: dict[int, datetime] = current_app.extensions.pop(_SEEN, {})
    if not noted:
        return
    with transaction():
        for number, moment in sorted(noted.items()):
            mine = update(SignInSession).where(SignInSession.id == number)
            db.session.execute(mine.values(seen_at=moment).execution_options(synchronize_session=False))


def of(user: User) -> Sequence[SignInSession]:
    """The sessions of a person that go on, the one seen last first. Reads only."""
    moment = now()
    going = (SignInSession.expires_at > moment) & (SignInSession.seen_at > moment - IDLE)
    query = select(SignInSession).where(SignInSession.user_id == user.id, going)
    return db.session.scalars(query.order_by(SignInSession.seen_at.desc(), SignInSession.id.desc()).limit(100)).all()


def prove(session_id: int) -> None:
    """The person of a session has just proved who they are. Joins or opens the transaction."""
    with transaction():
        db.session.execute(update(SignInSession).where(SignInSession.id == session_id).values(proved_at=now()))


def end(user: User, session_id: int) -> bool:
    """End one session of a person; False when it is not theirs or is over. Joins or opens the transaction."""
    with transaction():
        mine = (SignInSession.id == session_id) & (SignInSession.user_id == user.id)
        return bool(count_rows(delete(SignInSession).where(mine)))


def end_all(user: User, but: int | None = None) -> int:
    """End every session of a person, but one; answers how many. Joins or opens the transaction."""
    with transaction():
        query = delete(SignInSession).where(SignInSession.user_id == user.id)
        return count_rows(query.where(SignInSession.id != but) if but is not None else query)


def forget_old() -> None:
    """Take away what has ended by itself. Joins or opens the transaction."""
    with transaction():
        moment = now()
        over = (SignInSession.expires_at < moment) | (SignInSession.seen_at < moment - IDLE)
        db.session.execute(delete(SignInSession).where(over))
