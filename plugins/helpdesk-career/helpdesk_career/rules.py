"""Rules: what a level or a certificate opens, what it is needed for, and which tickets it takes."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from helpdesk.api import (
    PRIORITIES,
    Invalid,
    TicketType,
    Topic,
    User,
    audit,
    clean_tags,
    db,
    drop_cached,
    openable_permissions,
    permission_labels,
    require,
    speaking,
    transaction,
)
from helpdesk.api import gettext as _
from helpdesk_career import words
from helpdesk_career.models import ACTS, OPENS, TAKES, Level, Rule
from helpdesk_career.offering import certificates
from helpdesk_career.permissions import MANAGE

MOST_RULES = 200
# What agents have from their role and may have to earn. Never what they need to see their own work at all.
NEEDED = (
    "ticket.open", "ticket.reply", "ticket.note", "ticket.edit", "ticket.close", "person.edit", "view.save",
    "canned.save",
)  # fmt: skip
# A level must not decide about levels.
_NEVER = "career."


def openable() -> list[tuple[str, str]]:
    """The permissions that a rule may open, with their words."""
    return _labelled(name for name in openable_permissions() if not name.startswith(_NEVER))


def needable() -> list[tuple[str, str]]:
    """The permissions that a rule may ask a level for, with their words."""
    return _labelled(NEEDED)


def _labelled(names: Any) -> list[tuple[str, str]]:
    labels = permission_labels()
    return sorted(((name, labels.get(name, name)) for name in names), key=lambda one: one[1])


def listed() -> Sequence[Rule]:
    """All rules with what they name. One query."""
    query = select(Rule).order_by(Rule.act, Rule.id)
    return db.session.scalars(
        query.options(joinedload(Rule.level).joinedload(Level.track), joinedload(Rule.type), joinedload(Rule.topic))
    ).all()


def save(rule: Rule | None, values: Mapping[str, Any], actor: User | None) -> Rule:
    """Make or change a rule: the columns of :class:`Rule`. Joins or opens; audited.

    ``level_id`` or ``certificate``, not both; ``permission``, or some of ``type_id``, ``topic_id``, ``tag``,
    ``priority``, and ``gives``. Raises :class:`Invalid` naming the field, and :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    act = values.get("act")
    if act not in ACTS:
        raise Invalid("act", _("Choose what the rule does."))
    level_id, certificate = values.get("level_id"), str(values.get("certificate") or "")
    if (level_id is None) == (not certificate):
        raise Invalid("level_id", _("Choose a level or a certificate."))
    with speaking(None):
        known = certificates() if certificate else {}
    if certificate and certificate not in known and (rule is None or rule.certificate != certificate):
        raise Invalid("certificate", _("There is no such certificate now. Choose another one."))
    wanted = {"permission": "", "type_id": None, "topic_id": None, "tag": "", "priority": "", "gives": True}
    wanted |= _tickets(values) if act == TAKES else {"permission": _permission(act, values)}
    with transaction():
        if level_id is not None and db.session.get(Level, level_id, with_for_update={"of": Level}) is None:
            raise Invalid("level_id", _("There is no such level any more. Choose another one."))
        if rule is None:
            if (db.session.scalar(select(func.count(Rule.id))) or 0) >= MOST_RULES:
                raise Invalid("act", _("There are no more than %(number)s rules.", number=MOST_RULES))
            rule = Rule()
        rule.act, rule.level_id, rule.certificate = act, level_id, certificate
        if not certificate:
            rule.certificate_label = ""
        elif certificate in known:
            rule.certificate_label = known[certificate].label[:200]
        for name, value in wanted.items():
            setattr(rule, name, value)
        db.session.add(rule)
        db.session.flush()
        audit("career.rule_changed", actor, _title(rule), {"rule": rule.id, "act": act, **_plain(rule)})
        drop_cached()
    return rule


def remove(rule: Rule, actor: User | None) -> None:
    """Take a rule away. Joins or opens; audited."""
    require(actor, MANAGE)
    with transaction():
        audit("career.rule_removed", actor, _title(rule), {"rule": rule.id, "act": rule.act, **_plain(rule)})
        db.session.delete(rule)
        drop_cached()


def _permission(act: str, values: Mapping[str, Any]) -> str:
    name = str(values.get("permission") or "")
    choices = openable() if act == OPENS else needable()
    if name not in {one for one, _label in choices}:
        raise Invalid("permission", _("Choose a permission of the list."))
    return name


def _tickets(values: Mapping[str, Any]) -> dict[str, Any]:
    tags = clean_tags([str(values.get("tag") or "")])
    priority = str(values.get("priority") or "")
    if priority and priority not in PRIORITIES:
        raise Invalid("priority", _("Choose a priority of the list."))
    found: dict[str, Any] = {"tag": tags[0] if tags else "", "priority": priority, "gives": bool(values.get("gives"))}
    for name, model in (("type_id", TicketType), ("topic_id", Topic)):
        number = values.get(name)
        if number is not None and db.session.get(model, number) is None:
            raise Invalid(name, _("This is not there any more. Choose another one."))
        found[name] = number
    if not any(found[name] for name in ("tag", "priority", "type_id", "topic_id")):
        raise Invalid("tag", _("Say which tickets: by type, topic, tag or priority."))
    return found


def _title(rule: Rule) -> str:
    with speaking(None):
        level = db.session.get(Level, rule.level_id) if rule.level_id is not None else None
        return words.full_name(level) if level is not None else rule.certificate_label or rule.certificate


def _plain(rule: Rule) -> dict[str, Any]:
    return {
        name: value
        for name in ("permission", "type_id", "topic_id", "tag", "priority")
        if (value := getattr(rule, name))
    }  # fmt: skip
