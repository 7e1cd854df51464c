"""Making and changing the custom fields of tickets."""

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from sqlalchemy import func, select

from helpdesk.core import audit, labels
from helpdesk.core.extensions import db
from helpdesk.core.models import TicketField, User
from helpdesk.core.models.columns import free_key, storable
from helpdesk.core.models.field import CHOICE, KINDS
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.errors import Invalid

LABEL_LENGTH, CHOICES = 80, 100


def make_field(
    label: str,
    kind: str,
    actor: User | None,
    *,
    choices: Sequence[str] = (),
    public: bool = False,
    required: bool = False,
    texts: Mapping[str, str] | None = None,
    choice_texts: Mapping[str, Sequence[str]] | None = None,
) -> TicketField:
    """Make a field; its key is made from the label and stays. ``texts`` are its labels in other languages,
    ``choice_texts`` a line for each choice as they were given. Joins or opens the transaction; audited.

    Raises :class:`Invalid` and NotAllowed.
    """
    require(actor, "field.edit")
    if kind not in KINDS:
        raise Invalid("kind", _("Choose one of the list."))
    listed = _choices(kind, choices)
    _check_texts(texts, choice_texts)
    with transaction():
        label = _free_label(label, None)
        last = db.session.scalar(select(func.max(TicketField.position))) or 0
        field = TicketField(
            key=free_key(label, _keys(), "field"), label=label, kind=kind, choices=listed, position=last + 1
        )
        field.public, field.required = public, required
        db.session.add(field)
        db.session.flush()
        labels.keep(labels.FIELD, field.id, texts or {})
        labels.keep_choices(field.id, _clean(choices), choice_texts or {})
        audit.record("field.created", actor, field.key, {"kind": kind})
    return field


def change_field(
    field: TicketField,
    actor: User | None,
    *,
    label: str,
    choices: Sequence[str],
    public: bool,
    required: bool,
    active: bool,
    texts: Mapping[str, str] | None = None,
    choice_texts: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Change a field; its kind and key stay, and so do the values that tickets have. Joins or opens; audited.

    ``texts`` and ``choice_texts`` as in :func:`make_field`.

    Raises :class:`Invalid` and NotAllowed.
    """
    require(actor, "field.edit")
    listed = _choices(field.kind, choices)
    _check_texts(texts, choice_texts)
    with transaction():
        field.label, field.choices = _free_label(label, field), listed
        field.public, field.required, field.active = public, required, active
        labels.keep(labels.FIELD, field.id, texts or {})
        labels.keep_choices(field.id, _clean(choices), choice_texts or {})
        audit.record("field.changed", actor, field.key, {"active": active})


def move_field(field: TicketField, places: int, actor: User | None) -> None:
    """Move a field up (-1) or down (1) among those that are on, or off; at an end it stays. Joins or opens; audited.

    Raises NotAllowed.
    """
    require(actor, "field.edit")
    with transaction():
        query = select(TicketField).order_by(TicketField.active.desc(), TicketField.position, TicketField.id)
        fields = list(db.session.scalars(query))
        at = fields.index(field)
        to = at + places
        if not 0 <= to < len(fields) or fields[to].active != field.active:
            return
        fields.insert(to, fields.pop(at))
        for position, other in enumerate(fields, 1):
            other.position = position
        audit.record("field.moved", actor, field.key)


def _free_label(text: str, field: TicketField | None) -> str:
    label = " ".join(storable(text).split())
    if not label:
        raise Invalid("label", _("Give the field a name."))
    if len(label) > LABEL_LENGTH:
        raise Invalid("label", _("This name is too long; %(number)s characters fit.", number=LABEL_LENGTH))
    taken = db.session.scalar(select(TicketField).where(func.lower(TicketField.label) == func.lower(label)))
    if taken is not None and taken is not field:
        raise Invalid("label", _("There is a field “%(name)s” already.", name=label))
    return label


def _choices(kind: str, choices: Sequence[str]) -> list[str]:
    found = list(dict.fromkeys(text for text in _clean(choices) if text))
    if kind == CHOICE and not found:
        raise Invalid("choices", _("Write at least one choice."))
    if len(found) > CHOICES or any(len(text) > LABEL_LENGTH for text in found):
        raise Invalid("choices", _("%(number)s choices of 80 characters fit.", number=CHOICES))
    return found if kind == CHOICE else []


def _clean(choices: Sequence[str]) -> list[str]:
    return [" ".join(storable(choice).split()) for choice in choices]


def _check_texts(texts: Mapping[str, str] | None, choices: Mapping[str, Sequence[str]] | None) -> None:
    if code := labels.too_long(texts or {}, LABEL_LENGTH):
        raise Invalid(f"text_{code}", _("This name is too long; %(number)s characters fit.", number=LABEL_LENGTH))
    for code, lines in (choices or {}).items():
        if any(len(line) > LABEL_LENGTH for line in _clean(lines)):
            raise Invalid(f"choices_{code}", _("%(number)s choices of 80 characters fit.", number=CHOICES))


def _keys() -> set[str]:
    return set(db.session.scalars(select(TicketField.key)))
