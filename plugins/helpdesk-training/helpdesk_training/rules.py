"""Rules: who is given what without anybody's doing, and the job that looks for whom they are."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.api import (
    Invalid,
    Team,
    User,
    audit,
    clean_tags,
    collect,
    db,
    now,
    require,
    schedule,
    settings,
    transaction,
)
from helpdesk.api import gettext as _
from helpdesk_training.cleaning import storable
from helpdesk_training.locking import lock
from helpdesk_training.models import GROUP, KINDS, LOW, OCCASIONS, ROLE, TEAM, Course, Path, PathItem, Rule
from helpdesk_training.permissions import WRITE
from helpdesk_training.scopes import STAFF
from helpdesk_training.settings import TrainingSettings

APPLY = "training.apply_rules"
NAME_LENGTH = 100
_NUMBERS = {"most": (0, 10), "times": (1, 100), "days": (1, 730)}
# The lowest and the highest score that a rule can look at.
SCALES = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7)}


def listed() -> Sequence[Rule]:
    """All rules by name."""
    query = select(Rule).options(joinedload(Rule.team), joinedload(Rule.course), joinedload(Rule.path))
    return db.session.scalars(query.order_by(Rule.name)).all()


def active(occasions: Collection[str]) -> Sequence[Rule]:
    """The rules of some occasions that are on, with what they give."""
    query = select(Rule).where(Rule.active, Rule.occasion.in_(occasions)).order_by(Rule.id)
    gives = (joinedload(Rule.course), joinedload(Rule.path).options(
        selectinload(Path.items).options(joinedload(PathItem.course))))  # fmt: skip
    return db.session.scalars(query.options(*gives)).all()


def groups() -> list[dict[str, Any]]:
    """The groups of staff that other plugins know, by their labels; what is not such a group is left out."""
    found = [one for one in collect("training_groups") if isinstance(one, Mapping) and one.get("key")]
    kept = [
        {
            "key": str(one["key"])[:100], "label": str(one.get("label") or one["key"]),
            "user_ids": set(one.get("user_ids") or ()),
        }
        for one in found
    ]  # fmt: skip
    return sorted(kept, key=lambda one: str(one["label"]).casefold())


def save(rule: Rule | None, values: Mapping[str, Any], actor: User | None) -> Rule:
    """Make a rule, or change one: the columns of :class:`Rule`, those that are given. A worker applies it soon.

    Joins or opens the transaction. Raises :class:`Invalid` naming the column, :class:`NotAllowed`.
    """
    require(actor, WRITE)
    with transaction():
        is_new = rule is None
        if rule is None:
            rule = Rule(
                occasion=ROLE, role="", group_key="", kind="csat", most=2, tag="", times=1, days=30,
                due_days=settings(TrainingSettings).due_days, active=True, since=now(),
            )  # fmt: skip
            values = {"name": "", "occasion": ROLE, "course_id": None, **values}
        else:
            lock(rule)
        with db.session.no_autoflush:
            _put(rule, values)
        if is_new:
            db.session.add(rule)
        db.session.flush()
        audit("training.rule_added" if is_new else "training.rule_changed", actor, rule.name, {"rule": rule.id})
        if rule.active:
            schedule(APPLY)
    return rule


def switch(rule: Rule, on: bool, actor: User | None) -> Rule:
    """Apply a rule from now on, or no more; what it gave stays. Joins or opens the transaction."""
    require(actor, WRITE)
    with transaction():
        lock(rule)
        if rule.active != on:
            rule.active = on
            if on:
                rule.since = now()
                schedule(APPLY)
            audit("training.rule_changed", actor, rule.name, {"rule": rule.id, "on": on})
    return rule


def delete(rule: Rule, actor: User | None) -> None:
    """Remove a rule; what it gave stays. Joins or opens the transaction."""
    require(actor, WRITE)
    with transaction():
        audit("training.rule_deleted", actor, rule.name, {"rule": rule.id})
        db.session.delete(rule)


def _put(rule: Rule, values: Mapping[str, Any]) -> None:
    if "name" in values:
        rule.name = _name(str(values["name"]), rule.id)
    if "occasion" in values:
        if values["occasion"] not in OCCASIONS:
            raise Invalid("occasion", _("Choose one of these."))
        rule.occasion = values["occasion"]
    if "role" in values:
        if values["role"] and values["role"] not in STAFF:
            raise Invalid("role", _("Choose one of these."))
        rule.role = values["role"] or ""
    if "team_id" in values:
        rule.team_id = _row(Team, values["team_id"], "team_id", _("This team is no longer there."))
    if "group_key" in values:
        rule.group_key = storable(str(values["group_key"] or ""))[:100]
    if "kind" in values:
        if values["kind"] not in KINDS:
            raise Invalid("kind", _("Choose one of these."))
        rule.kind = values["kind"]
    for name, (least, most) in _NUMBERS.items():
        if name in values:
            setattr(rule, name, _number(values[name], name, least, most))
    if "tag" in values:
        rule.tag = _tag(str(values["tag"] or ""))
    if "due_days" in values:
        days = values["due_days"]
        rule.due_days = None if days is None else _number(days, "due_days", 0, 730)
    if "active" in values:
        rule.active = bool(values["active"])
    if "course_id" in values:
        rule.course_id = _row(Course, values["course_id"], "course_id", _("One of these courses is no longer there."))
    if "path_id" in values:
        rule.path_id = _row(Path, values["path_id"], "path_id", _("This path is no longer there."))
    _check(rule)


def _check(rule: Rule) -> None:
    if (rule.course_id is None) == (rule.path_id is None):
        raise Invalid("course_id", _("Choose a course or a path: one of the two."))
    if rule.occasion == TEAM and rule.team_id is None:
        raise Invalid("team_id", _("Choose the team whose members get it."))
    if rule.occasion == ROLE and not rule.role:
        raise Invalid("role", _("Choose the role whose people get it."))
    if rule.occasion == GROUP and not rule.group_key:
        raise Invalid("group_key", _("Choose the group whose people get it."))
    low, high = SCALES[rule.kind]
    if rule.occasion == LOW and not low <= rule.most <= high:
        raise Invalid("most", _("Write a number from %(least)s to %(most)s.", least=low, most=high))


def _name(text: str, own: int | None) -> str:
    name = " ".join(storable(text).split())
    if not name:
        raise Invalid("name", _("Give the rule a name."))
    if len(name) > NAME_LENGTH:
        raise Invalid("name", _("This is too long; %(number)s characters fit.", number=NAME_LENGTH))
    # The database makes small letters on both sides: SQLite leaves those beyond ASCII as they are.
    same = select(Rule.id).where(func.lower(Rule.name) == func.lower(name), Rule.id != (own or 0))
    if db.session.scalar(same) is not None:
        raise Invalid("name", _("There is a rule of this name already."))
    return name


def _tag(text: str) -> str:
    try:
        found = clean_tags([text])
    except Invalid as error:
        raise Invalid("tag", str(error)) from None
    return found[0] if found else ""


def _number(value: Any, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Invalid(name, _("Write a number from %(least)s to %(most)s.", least=least, most=most))
    return value


def _row(table: Any, number: Any, name: str, sentence: str) -> int | None:
    if number is None:
        return None
    if not isinstance(number, int) or db.session.get(table, number) is None:
        raise Invalid(name, sentence)
    return number
