"""Believable sample tickets: a few for a new desk, a whole bicycle shop for `helpdesk demo`."""

from datetime import timedelta

from sqlalchemy import select

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, User
from helpdesk.core.samples.few import STORIES
from helpdesk.core.samples.shop import SignIn, has_demo, load_demo
from helpdesk.core.samples.telling import tell


def load_few(actor: User) -> int:
    """Make six sample tickets in four languages, answered by ``actor``; answer how many. One transaction each.

    Nobody is written to: what the tickets would have sent counts as sent already.
    """
    team = db.session.scalar(select(Team).where(Team.active).order_by(Team.id).limit(1))
    moment = now() - timedelta(minutes=5)
    for story in STORIES:
        tell(story, {"agent": actor}, team, moment)
    return len(STORIES)


__all__ = ["SignIn", "has_demo", "load_demo", "load_few"]
