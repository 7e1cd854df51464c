"""Making and changing organizations, the companies that customers belong to."""

import re

from flask_babel import gettext as _
from sqlalchemy import func, select, update

from helpdesk.core import audit
from helpdesk.core.extensions import db
from helpdesk.core.models import Organization, User
from helpdesk.core.models.columns import storable
from helpdesk.core.models.user import REQUESTER
from helpdesk.core.permissions import require
from helpdesk.core.transaction import count_rows, transaction
from helpdesk.core.workflow.errors import Invalid

NAME_LENGTH, NOTES_LENGTH = 200, 5000
# RFC 1123, section 2.1, with at least one dot; letters of other scripts as people type them.
_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W_](?:[\w-]{0,61}[^\W_])")


def make_organization(
    name: str, actor: User | None, *, domain: str = "", notes: str = "", shares_tickets: bool = False
) -> Organization:
    """Make an organization; customers who write from ``domain`` and have none join it. Joins or opens the transaction.

    Audited. Raises :class:`Invalid` (no name, a name or domain that is taken or is none) and NotAllowed.
    """
    require(actor, "user.edit")
    with transaction():
        organization = Organization(name=_free_name(name, None), notes=_notes(notes), shares_tickets=shares_tickets)
        organization.domain = _free_domain(domain, None)
        db.session.add(organization)
        db.session.flush()
        audit.record("organization.created", actor, organization.name, {"joined": _join(organization)})
    return organization


def change_organization(
    organization: Organization, actor: User | None, *, name: str, domain: str, notes: str, shares_tickets: bool
) -> None:
    """Change an organization; with a new ``domain`` customers join as in :func:`make_organization`, and nobody leaves.

    Joins or opens the transaction; audited. Raises :class:`Invalid` and NotAllowed.
    """
    require(actor, "user.edit")
    with transaction():
        before = organization.domain
        organization.name = _free_name(name, organization)
        organization.domain = _free_domain(domain, organization)
        organization.notes, organization.shares_tickets = _notes(notes), shares_tickets
        joined = _join(organization) if organization.domain != before else 0
        audit.record(
            "organization.changed", actor, organization.name, {"joined": joined, "shares_tickets": shares_tickets}
        )


def find_organization(name: str) -> Organization | None:
    """The organization of that name, whatever its case."""
    return db.session.scalar(select(Organization).where(func.lower(Organization.name) == _clean(name).lower()))


def _join(organization: Organization) -> int:
    if not organization.domain:
        return 0
    found = User.email.endswith(f"@{organization.domain}", autoescape=True)
    return count_rows(
        update(User)
        .where(User.role == REQUESTER, User.organization_id.is_(None), found)
        .values(organization_id=organization.id)
        .execution_options(synchronize_session=False)
    )


def _clean(text: str) -> str:
    return " ".join(storable(text).split())


def _free_name(name: str, organization: Organization | None) -> str:
    clean = _clean(name)
    if not clean:
        raise Invalid("name", _("Give the organization a name."))
    if len(clean) > NAME_LENGTH:
        raise Invalid("name", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    taken = find_organization(clean)
    if taken is not None and taken is not organization:
        raise Invalid("name", _("There is an organization “%(name)s” already.", name=clean))
    return clean


def _free_domain(domain: str, organization: Organization | None) -> str | None:
    clean = domain.strip().lower().removeprefix("@")
    if not clean:
        return None
    if not _DOMAIN.fullmatch(clean):
        raise Invalid("domain", _("“%(name)s” is no domain; write it like acme.example.", name=clean[:80]))
    taken = db.session.scalar(select(Organization).where(Organization.domain == clean))
    if taken is not None and taken is not organization:
        raise Invalid("domain", _("“%(name)s” has this domain already.", name=taken.name))
    return clean


def _notes(notes: str) -> str:
    clean = storable(notes).replace("\r\n", "\n").strip()
    if len(clean) > NOTES_LENGTH:
        raise Invalid("notes", _("This is too long; %(number)s characters fit.", number=NOTES_LENGTH))
    return clean
