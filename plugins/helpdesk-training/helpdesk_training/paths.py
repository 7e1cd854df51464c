"""Learning paths: courses in an order, each with the days until it is to be done."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from helpdesk.api import Invalid, User, audit, db, require, transaction
from helpdesk.api import gettext as _
from helpdesk_training.cleaning import storable
from helpdesk_training.locking import lock
from helpdesk_training.models import RETIRED, Course, Path, PathItem
from helpdesk_training.permissions import WRITE

NAME_LENGTH, SUMMARY_LENGTH, MOST_ITEMS, MOST_DAYS = 200, 2_000, 50, 730


def save(path: Path | None, values: Mapping[str, Any], actor: User | None) -> Path:
    """Make a path, or change one: ``name``, ``summary``, ``active``, ``items`` (``course_id``, ``due_days``), in order.

    What was given already stays as it is. Joins or opens the transaction. Raises :class:`Invalid` naming what is wrong,
    :class:`NotAllowed`.
    """
    require(actor, WRITE)
    with transaction():
        is_new = path is None
        if path is None:
            path = Path(name="", summary="", active=True)
            values = {"name": "", "items": (), **values}
        else:
            lock(path)
        with db.session.no_autoflush:
            _put(path, values)
        if is_new:
            db.session.add(path)
        db.session.flush()
        audit("training.path_added" if is_new else "training.path_changed", actor, path.name, {"path": path.id})
    return path


def delete(path: Path, actor: User | None) -> None:
    """Remove a path; what it gave stays. Rules that give it go too. Joins or opens the transaction."""
    require(actor, WRITE)
    with transaction():
        audit("training.path_deleted", actor, path.name, {"path": path.id})
        db.session.delete(path)


def _put(path: Path, values: Mapping[str, Any]) -> None:
    if "name" in values:
        path.name = _name(str(values["name"]), path.id)
    if "summary" in values:
        path.summary = storable(str(values["summary"]))
        if len(path.summary) > SUMMARY_LENGTH:
            raise Invalid("summary", _("This is too long; %(number)s characters fit.", number=SUMMARY_LENGTH))
    if "active" in values:
        path.active = bool(values["active"])
    if "items" in values:
        _put_items(path, values["items"])


def _put_items(path: Path, items: Sequence[Mapping[str, Any]]) -> None:
    wanted = [item.get("course_id") for item in items]
    if not wanted:
        raise Invalid("items", _("Choose a course at least."))
    if len(wanted) > MOST_ITEMS:
        raise Invalid("items", _("These are too many courses; %(number)s fit.", number=MOST_ITEMS))
    if len(set(wanted)) < len(wanted):
        raise Invalid("items", _("One of these courses stands here twice. Take one of them out."))
    own = {item.course_id for item in path.items}
    query = select(Course.id, Course.state).where(Course.id.in_([one for one in wanted if isinstance(one, int)]))
    there = {number: state for number, state in db.session.execute(query)}
    if any(number not in there or (there[number] == RETIRED and number not in own) for number in wanted):
        raise Invalid("items", _("One of these courses is no longer there."))
    kept = {item.course_id: item for item in path.items}
    found = []
    for position, item in enumerate(items):
        days = item.get("due_days")
        if days is not None and (not isinstance(days, int) or not 0 <= days <= MOST_DAYS):
            raise Invalid("items", _("Write a number from %(least)s to %(most)s.", least=0, most=MOST_DAYS))
        one = kept.get(item["course_id"]) or PathItem(course_id=item["course_id"])
        one.position, one.due_days = position, days
        found.append(one)
    path.items = found


def _name(text: str, own: int | None) -> str:
    name = " ".join(storable(text).split())
    if not name:
        raise Invalid("name", _("Give the path a name."))
    if len(name) > NAME_LENGTH:
        raise Invalid("name", _("This is too long; %(number)s characters fit.", number=NAME_LENGTH))
    # The database makes small letters on both sides: SQLite leaves those beyond ASCII as they are.
    same = select(Path.id).where(func.lower(Path.name) == func.lower(name), Path.id != (own or 0))
    if db.session.scalar(same) is not None:
        raise Invalid("name", _("There is a path of this name already."))
    return name
