"""Saying in time that a token expires: to its owner, or to who made it for a program."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.core import security_notices
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import ApiToken

JOB = "core.warn_of_tokens"
_BEFORE = timedelta(days=7)
_MOST = 500


def warn() -> dict[str, int]:
    """Tell of each token that expires within a week, once (a job, in its transaction). The rest waits for tomorrow."""
    due = (
        ApiToken.revoked_at.is_(None),
        ApiToken.warned_at.is_(None),
        ApiToken.expires_at > now(),
        ApiToken.expires_at <= now() + _BEFORE,
    )
    query = select(ApiToken).where(*due).options(joinedload(ApiToken.user), joinedload(ApiToken.created_by))
    tokens = db.session.scalars(query.order_by(ApiToken.id).limit(_MOST)).all()
    for token in tokens:
        token.warned_at = now()
        person = token.created_by if token.user.is_service else token.user
        if person is not None and person.active and token.expires_at is not None:
            day = token.expires_at.date().isoformat()
            security_notices.tell(person, security_notices.TOKEN_EXPIRES, name=token.name, day=day)
    return {"tokens": len(tokens)}
