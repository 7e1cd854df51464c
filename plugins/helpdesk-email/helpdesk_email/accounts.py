"""Which of our addresses is meant: the one of the settings, and one for each mailbox."""

from collections.abc import Container

from sqlalchemy import select

from helpdesk.api import db, settings
from helpdesk_email.models import Mailbox
from helpdesk_email.settings import EmailSettings


def mailbox_for(address: str) -> Mailbox | None:
    """The mailbox that mail to ``address`` belongs to (support+token@… belongs to support@…), or None."""
    wanted = _forms(address)
    if not wanted:
        return None
    found = {box.address: box for box in db.session.scalars(select(Mailbox).where(Mailbox.address.in_(wanted)))}
    return next((found[form] for form in wanted if form in found), None)


def mailbox_of(account: str) -> Mailbox | None:
    """The mailbox that a ticket's ``account`` names; None for the address of the settings, and for one that is gone."""
    if not account:
        return None
    return db.session.scalar(select(Mailbox).where(Mailbox.address == account.strip().lower()))


def own_addresses() -> frozenset[str]:
    """Every address that is ours, in small letters: that of the settings and those of all mailboxes."""
    found = {*db.session.scalars(select(Mailbox.address)), settings(EmailSettings).address.strip().lower()}
    return frozenset(found - {""})


def own_address(address: str) -> str | None:
    """The one of our addresses that mail to ``address`` is for, without what stands behind a plus; None: not ours."""
    return form_in(own_addresses(), address)


def form_in(ours: Container[str], address: str) -> str | None:
    """:func:`own_address` for somebody who has asked for ``ours`` already."""
    return next((form for form in _forms(address) if form in ours), None)


def _forms(address: str) -> list[str]:
    """The address in small letters as it is, then without its detail (RFC 5233)."""
    whole = address.strip().lower()
    local, at, domain = whole.rpartition("@")
    if not (local and at and domain):
        return []
    return list(dict.fromkeys((whole, f"{local.partition('+')[0]}@{domain}")))
