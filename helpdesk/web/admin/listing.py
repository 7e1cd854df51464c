"""Lists by keyset: newest first, so many on a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy import Select, func, select

from helpdesk.core.extensions import db
from helpdesk.web.numbers import row_number

SIZE = 50
# Counted so far: more is "1,000+", and costs no more.
COUNTED = 1000
# What "up" and "down" mean in lists that are ordered by hand.
PLACES = {"up": -1, "down": 1}


@dataclass(frozen=True)
class Slice:
    """Rows of one page; ``older`` is the cursor of the next one, None at the end."""

    rows: Sequence[Any]
    older: int | None


def slice_of(query: Select[Any], key: Any) -> Slice:
    """The page of ``query`` that ``?after=`` names, by the number ``key``, highest first. One query."""
    after = request.args.get("after", type=row_number)
    if after is not None:
        query = query.where(key < after)
    rows = db.session.scalars(query.order_by(key.desc()).limit(SIZE + 1)).unique().all()
    older = getattr(rows[SIZE - 1], key.key) if len(rows) > SIZE else None
    return Slice(rows[:SIZE], older)


def text_asked_for(name: str = "text") -> str:
    """What the address says under ``name``: one line, of a length that a person types."""
    return " ".join(request.args.get(name, "").split())[:200]


def counts(queries: Mapping[str, Select[Any]]) -> Mapping[str, int]:
    """How many rows each query has, counted up to :data:`COUNTED` and one. One query."""
    capped = {
        key: select(func.count()).select_from(query.limit(COUNTED + 1).subquery()).scalar_subquery()
        for key, query in queries.items()
    }
    row = db.session.execute(select(*capped.values())).one()
    return dict(zip(capped, row, strict=True))
