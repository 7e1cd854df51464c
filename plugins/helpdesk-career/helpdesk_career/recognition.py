"""Thanks and incentives; a correction is an entry of its own."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api import Invalid, Refused, User, db, find_ticket, transaction
from helpdesk.api import gettext as _
from helpdesk_career import words
from helpdesk_career.models import INCENTIVE, NAME_LENGTH, RECOGNITIONS, Recognition
from helpdesk_career.scopes import require_lead, sees


def give(
    user: User, kind: str, text: str, worth: str, actor: User | None, ticket_number: int | None = None
) -> Recognition:
    """Thank somebody, or note an incentive with what it is worth, for a ticket where there is one.

    Joins or opens. Raises :class:`Invalid` (kind, text, worth, ticket), and :class:`NotAllowed`.
    """
    require_lead(actor, user)
    return _write(user, kind, text, worth, actor, ticket_number, None, _("Say what for."))


def correct(one: Recognition, text: str, worth: str, actor: User | None) -> Recognition:
    """Write what should have stood there; with no text it is taken back. Joins or opens.

    Raises :class:`Invalid`, :class:`Refused` when it is corrected already, and :class:`NotAllowed`.
    """
    user = db.session.get_one(User, one.user_id)
    require_lead(actor, user)
    with transaction():
        # The person's row makes two corrections wait for one another.
        db.session.execute(select(User.id).where(User.id == user.id).with_for_update())
        if db.session.scalar(select(Recognition.id).where(Recognition.corrects_id == one.id)) is not None:
            raise Refused(_("This entry has been corrected already. Correct the correction."))
        made = _write(user, one.kind, text, worth, actor, None, one.id, "")
        made.ticket_id = one.ticket_id
        db.session.flush()
    return made


def of(user: User, most: int = 100) -> Sequence[Recognition]:
    """All entries, the newest first. One query."""
    query = select(Recognition).where(Recognition.user_id == user.id).order_by(Recognition.id.desc()).limit(most)
    return db.session.scalars(query.options(joinedload(Recognition.by), joinedload(Recognition.ticket))).all()


def in_force(entries: Sequence[Recognition]) -> list[Recognition]:
    """Those that hold after all corrections."""
    replaced = {one.corrects_id for one in entries}
    return [one for one in entries if one.id not in replaced and one.text]


def find(actor: User, recognition_id: int) -> Recognition | None:
    """An entry, if ``actor`` sees whose it is."""
    found = db.session.get(Recognition, recognition_id)
    return found if found is not None and sees(actor, found.user_id) else None


def _write(
    user: User, kind: str, text: str, worth: str, actor: User | None, ticket_number: int | None,
    corrects_id: int | None, needed: str,
) -> Recognition:  # fmt: skip
    if kind not in RECOGNITIONS:
        raise Invalid("kind", _("Choose what it is."))
    said = words.clean(text, "text", needed=needed)
    value = words.clean(worth, "worth", NAME_LENGTH)
    if kind == INCENTIVE and said and not value:
        raise Invalid("worth", _("Say what it is worth."))
    ticket = None
    if ticket_number is not None:
        # Of tickets that the writer does not see nothing is said.
        ticket = find_ticket(actor, ticket_number) if actor is not None else None
        if ticket is None:
            raise Invalid("ticket", _("There is no ticket #%(number)s.", number=ticket_number))
    with transaction():
        made = Recognition(
            user_id=user.id, kind=kind, text=said, worth=value if kind == INCENTIVE else "",
            ticket_id=ticket.id if ticket else None, by_id=actor.id if actor else None, corrects_id=corrects_id,
        )  # fmt: skip
        db.session.add(made)
        db.session.flush()
    return made
