"""Rows that name a person, moved when two records of the person become one, and moved back when that is undone."""

from typing import Any

from sqlalchemy import ColumnElement, delete, insert, inspect, literal, select, update

from helpdesk.core.extensions import db
from helpdesk.core.models import PersonMerge, PersonMergeRow, User
from helpdesk.core.transaction import count_rows

_DIRECT: dict[str, Any] = {"synchronize_session": False}
# So many rows are forgotten by one statement.
_CHUNK = 200


def move_rows(merge_id: int, column: Any, *which: ColumnElement[bool]) -> int:
    """Let the rows whose ``column`` names the merged person name the survivor; answers how many there were.

    ``column`` is one of a model whose key is one number, such as ``Call.person_id``; ``which`` leaves rows out. Two
    statements for any number of rows, each of which is noted for :func:`move_back`. Joins the open transaction.
    """
    merge = db.session.get(PersonMerge, merge_id)
    if merge is None or merge.undone_at is not None:
        return 0
    key, place = _key_of(column), place_of(column)
    noted = select(PersonMergeRow.row_id).where(PersonMergeRow.merge_id == merge_id, PersonMergeRow.place == place)
    found = select(literal(merge_id), literal(place), key).where(column == merge.merged_id, key.not_in(noted), *which)
    db.session.execute(insert(PersonMergeRow).from_select(["merge_id", "place", "row_id"], found))
    moved = update(column.class_).where(column == merge.merged_id, key.in_(noted))
    count = count_rows(moved.values({column.key: merge.survivor_id}).execution_options(**_DIRECT))
    db.session.expire_all()
    return count


def move_back(merge_id: int, column: Any, *which: ColumnElement[bool]) -> int:
    """Undo :func:`move_rows`: exactly the rows that it moved, if they are still the survivor's; answers how many.

    What came since stays with the survivor. Joins the open transaction.
    """
    merge = db.session.get(PersonMerge, merge_id)
    if merge is None:
        return 0
    key, place = _key_of(column), place_of(column)
    noted = select(PersonMergeRow.row_id).where(PersonMergeRow.merge_id == merge_id, PersonMergeRow.place == place)
    # The survivor may have gone into somebody else meanwhile, and taken the rows along.
    further = select(User.merged_into_id).where(User.id == merge.survivor_id, User.merged_into_id.is_not(None))
    held = (column == merge.survivor_id) | column.in_(further)
    moved = update(column.class_).where(key.in_(noted), held, *which)
    count = count_rows(moved.values({column.key: merge.merged_id}).execution_options(**_DIRECT))
    forget_rows(merge, place)
    db.session.expire_all()
    return count


def forget_rows(merge: PersonMerge, place: str) -> None:
    """Forget what a merge moved, once it is back: a later merge that moved it on has nothing to give back of it."""
    moved = select(PersonMergeRow.row_id).where(PersonMergeRow.merge_id == merge.id, PersonMergeRow.place == place)
    numbers = list(db.session.scalars(moved))
    for start in range(0, len(numbers), _CHUNK):
        some = PersonMergeRow.row_id.in_(numbers[start : start + _CHUNK])
        gone = delete(PersonMergeRow).where(PersonMergeRow.place == place, PersonMergeRow.merge_id >= merge.id, some)
        db.session.execute(gone.execution_options(**_DIRECT))


def _key_of(column: Any) -> Any:
    keys = inspect(column.class_).primary_key
    if len(keys) != 1:
        raise ValueError(f"{place_of(column)} stands in a table whose key is not one number; move its rows by hand.")
    return keys[0]


def place_of(column: Any) -> str:
    """How a merge notes rows of a column."""
    return f"{column.class_.__tablename__}.{column.key}"
