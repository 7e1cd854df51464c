"""The secret address at which a calendar program reads an agent's calls. Only its digest is kept."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import or_, select

from helpdesk.api import User, address, allowed, audit, db, now, transaction
from helpdesk_callbacks.listing import visible_calls, whole
from helpdesk_callbacks.models import CANCELLED, Call, Feed
from helpdesk_callbacks.permissions import USE

_PAST, _FUTURE, _MOST = timedelta(days=30), timedelta(days=366), 2_000
# When it was read is noted so often at most.
_NOTED = timedelta(hours=1)


def renew(agent: User) -> str:
    """A new address of the agent's calendar; the old one is dead. Answers it, once: it is not kept."""
    secret = secrets.token_urlsafe(32)
    with transaction():
        row = db.session.get(Feed, agent.id)
        if row is None:
            row = Feed(agent_id=agent.id)
            db.session.add(row)
        row.digest, row.created_at, row.read_at = _digest(secret), now(), None
        audit("callbacks.feed_made", agent, agent.display_name)
    return f"{address()}/p/callbacks/feed/{secret}.ics"


def stop(agent: User) -> None:
    """No calendar reads the agent's calls any more."""
    with transaction():
        row = db.session.get(Feed, agent.id)
        if row is not None:
            db.session.delete(row)
            audit("callbacks.feed_stopped", agent, agent.display_name)


def agent_of(secret: str) -> User | None:
    """Whose calendar it is; None for a wrong secret, and for somebody who may make no calls any more."""
    row = db.session.scalar(select(Feed).where(Feed.digest == _digest(secret)))
    agent = db.session.get(User, row.agent_id) if row is not None else None
    if row is None or agent is None or not agent.active or not allowed(agent, USE):
        return None
    if row.read_at is None or row.read_at < now() - _NOTED:
        with transaction():
            row.read_at = now()
    return agent


def calls_of(agent: User) -> Sequence[Call]:
    """The agent's calls of the last month and the next year, as far as they see their tickets. One query."""
    query = visible_calls(agent).where(
        Call.agent_id == agent.id,
        Call.starts_at >= now() - _PAST,
        Call.starts_at < now() + _FUTURE,
        or_(Call.state != CANCELLED, Call.starts_at >= now()),
    )
    return db.session.scalars(whole(query.with_only_columns(Call)).order_by(Call.starts_at, Call.id).limit(_MOST)).all()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
