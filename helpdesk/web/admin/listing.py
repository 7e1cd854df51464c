"""Lists by keyset: newest first, so many on a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy import Select

from helpdesk.core.extensions import db

SIZE = 50
# What "up" and "down" mean in lists that are ordered by hand.
PLACES = {"up": -1, "down": 1}


@dataclass(frozen=True)
class Slice:
    """Rows of one page; ``older`` is the cursor of the next one, None at the end."""

    rows: Sequence[Any]
    older: int | None


def slice_of(query: Select[Any], key: Any) -> Slice:
    """The page of ``query`` that ``?after=`` names, by the number ``key``, highest first. One query."""
    after = request.args.get("after", "")
    if after.isdigit() and len(after) < 19:
        query = query.where(key < int(after))
    rows = db.session.scalars(query.order_by(key.desc()).limit(SIZE + 1)).unique().all()
    older = getattr(rows[SIZE - 1], key.key) if len(rows) > SIZE else None
    return Slice(rows[:SIZE], older)
