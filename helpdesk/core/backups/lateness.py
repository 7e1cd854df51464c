"""Whether the last good backup is too old."""

from datetime import timedelta

from sqlalchemy import select

from helpdesk.core.backups.notes import Backup
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import User

# A desk that backs itself up does so every day; a day may be missed.
_OLD = timedelta(days=2)


def is_late(last: Backup | None) -> bool:
    """Whether somebody should look why there is no newer one; a new desk that has none yet is not late.

    ``last`` is the newest good one. In an app context; a short query where there is none.
    """
    since = last.made_at if last is not None else db.session.scalar(_begun)
    return since is not None and now() - since > _OLD


_begun = select(User.created_at).order_by(User.id).limit(1)
