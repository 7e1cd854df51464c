"""What administrators change about people: names, roles, teams, organizations, and their way in."""

from collections.abc import Sequence

from flask_babel import gettext as _

from helpdesk.core import accounts, audit, deliveries, links
from helpdesk.core.accounts import INVITATION, RESET, AccountError
from helpdesk.core.models import Organization, Team, User
from helpdesk.core.models.columns import storable
from helpdesk.core.models.user import REQUESTER
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction

NAME_LENGTH, PHONE_LENGTH = 200, 64


def mail_arrives_again(user: User, actor: User | None) -> bool:
    """Somebody says that an address works that mail had come back from; False when none had.

    Joins or opens the transaction; audited. Raises NotAllowed.
    """
    require(actor, "person.edit")
    with transaction():
        if user.bounced_at is None:
            return False
        user.bounced_at, user.bounce_reason = None, ""
        audit.record("user.address_works", actor, user.email or "")
    return True


def wants_care_again(user: User, actor: User | None) -> bool:
    """Somebody says that the person wants care mail after all; False when nothing had stopped it.

    Joins or opens the transaction; audited. Raises NotAllowed.
    """
    require(actor, "person.edit")
    with transaction():
        if user.care_mail:
            return False
        user.care_mail = True
        audit.record("user.care_wanted", actor, user.email or "")
    return True


def change_person(
    user: User,
    actor: User | None,
    *,
    name: str,
    role: str,
    active: bool,
    teams: Sequence[Team] = (),
    organization: Organization | None = None,
    phone: str | None = None,
) -> None:
    """Change an account. Teams count for staff only; ``phone`` None stays as it is. Joins or opens; audited.

    A new role, or switching off, ends the person's sessions. Raises :class:`AccountError` (no name, an unknown role,
    a number that is too long, the last administrator) and NotAllowed; nothing is stored then.
    """
    require(actor, "user.edit")
    clean = " ".join(storable(name).split())
    if not clean and role != REQUESTER:
        raise AccountError("name", _("Write the name that customers and colleagues see."))
    if len(clean) > NAME_LENGTH:
        raise AccountError("name", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    number = user.phone if phone is None else _phone(phone)
    with transaction():
        accounts.change_role(user, role, actor)
        accounts.set_active(user, active, actor)
        wanted = sorted(set(teams) if user.is_staff else (), key=lambda team: team.id)
        changed = {
            "name": user.name != clean,
            "phone": user.phone != number,
            "teams": sorted(user.teams, key=lambda team: team.id) != wanted,
            "organization": user.organization_id != (organization.id if organization else None),
        }
        if any(changed.values()):
            user.name, user.phone, user.organization = clean, number, organization
            user.teams = list(wanted)
            audit.record(
                "user.changed",
                actor,
                user.email or "",
                {
                    "name": clean,
                    "teams": [team.name for team in wanted],
                    "organization": organization.name if organization else None,
                },
            )


def send_password_link(user: User, actor: User | None) -> None:
    """Mail somebody a link to choose a password: an invitation while they have none. One transaction; audited.

    Raises :class:`AccountError` when they could not use it, and NotAllowed.
    """
    require(actor, "user.edit")
    _may_come_in(user)
    with transaction():
        deliveries.queue(RESET if user.password_hash else INVITATION, [user])
        audit.record("user.link_sent", actor, user.email or "")


def invitation_link(user: User, actor: User | None) -> str:
    """A link to choose the first password, to be handed over in person where no mail goes out yet.

    Earlier invitations of the person die, and one that waits for a mail server is not sent: its link would take the
    place of this one. One transaction; audited. Raises :class:`AccountError` for somebody who has a password already
    (such a link would let others in as them), and NotAllowed.
    """
    require(actor, "user.edit")
    _may_come_in(user)
    with transaction():
        if user.password_hash:
            raise AccountError("form", _("They have a password already; send them a link by mail instead."))
        deliveries.take_back(INVITATION, user)
        secret = accounts.issue_token(INVITATION, user)
        audit.record("user.link_made", actor, user.email or "")
    return f"{links.address()}/auth/password/{INVITATION}/{secret}"


def _phone(text: str) -> str | None:
    number = " ".join(storable(text).split())
    if len(number) > PHONE_LENGTH:
        raise AccountError("phone", _("This is too long; %(number)s characters fit.", number=PHONE_LENGTH))
    return number or None


def _may_come_in(user: User) -> None:
    if not user.active:
        raise AccountError("form", _("This account is switched off; switch it on first."))
    if not user.email:
        raise AccountError("form", _("There is no e-mail address to sign in with."))
