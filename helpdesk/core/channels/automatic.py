"""Automatic answers: who may get one, and how two robots are kept from writing to each other for ever."""

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import exists, func, select

from helpdesk.core.clock import now
from helpdesk.core.drafts import IntakeDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Intake

# Nobody gets more than one automatic answer in this time.
PAUSE = timedelta(days=1)
# Who wrote longer ago than this waits for no word that it was received: a first look into an old mailbox is silent.
OLD = timedelta(days=1)
# So much from one address in so short a time is a robot, whatever it says of itself.
BREAKER, WINDOW = 5, timedelta(minutes=10)
# No way from a person to us is as long as this.
MOST_HOPS = 50
_ROBOTS = re.compile(
    r"(?:mailer-?daemon|mail-daemon|postmaster|(?:do-?not|no)[._-]?reply|bounces?|auto-?(?:reply|response)|listserv"
    r"|majordomo|.+-(?:request|bounces|owner)|owner-.+)(?:[+._=-].*)?",
    re.IGNORECASE,
)


def may_answer(every: Sequence[tuple[IntakeDraft, str]]) -> list[str]:
    """Whether each address may get an automatic answer to its item: "", or the code of the reason why not.

    RFC 3834, section 2; RFC 5230, 4.5 and 4.6. Asked inside the transaction that writes the answers, with the people
    locked, it holds for several workers at once.
    """
    wanted = [(draft, address.strip().lower()) for draft, address in every]
    refused = [_says_no(draft, address) for draft, address in wanted]
    asked = {address for (_draft, address), reason in zip(wanted, refused, strict=True) if not reason}
    if not asked:
        return refused
    own, robots, answered = _accounts_among(asked), _breakers_among(asked), _answered_among(asked)
    known = (("own", own), ("breaker", robots), ("answered", answered))
    return [
        reason or next((code for code, addresses in known if address in addresses), "")
        for (_draft, address), reason in zip(wanted, refused, strict=True)
    ]


def _says_no(draft: IntakeDraft, address: str) -> str:
    """What the item alone says against an answer."""
    if draft.machine:
        return "machine"
    if draft.verified is False:
        return "disproved"
    if is_robot(address):
        return "robot-address"
    if address == draft.account.lower():
        return "own"
    return "old" if _is_old(draft.sent_at) else ""


def is_robot(address: str) -> bool:
    """Whether nobody reads that address, by its name."""
    return _ROBOTS.fullmatch(address.rpartition("@")[0]) is not None


def ours(draft: IntakeDraft, addresses: list[str]) -> set[str]:
    """Those of ``addresses`` (lower-case) that are our own: the item came by it, or others did."""
    if not addresses:
        return set()
    return _accounts_among(addresses) | ({draft.account.lower()} & set(addresses))


def _accounts_among(addresses: Collection[str]) -> set[str]:
    # One probe of the index for each: an account of ours may have taken in any number of items.
    probes = (exists().where(Intake.account == address) for address in addresses)
    known = db.session.execute(select(*probes)).one()
    return {address for address, taken in zip(addresses, known, strict=True) if taken}


def loops(drafts: Sequence[IntakeDraft]) -> list[str]:
    """For each item the code of the reason why it goes in circles, or ""."""
    identities = {draft.external_id for draft in drafts if draft.external_id}
    query = select(Delivery.identity).where(Delivery.identity.in_(identities))
    ours_back = set(db.session.scalars(query)) if identities else set()
    return [_circles(draft) or ("own" if draft.external_id in ours_back else "") for draft in drafts]


def _circles(draft: IntakeDraft) -> str:
    if len(draft.headers.get("received", ())) > MOST_HOPS:
        return "hops"
    # What our own mail says of itself, and answering programs that know of loops keep.
    if draft.account and draft.account.lower() in (said.strip().lower() for said in draft.headers.get("x-loop", ())):
        return "own"
    return ""


def _is_old(sent_at: datetime | None) -> bool:
    # A channel of somebody else may leave out the zone: times of the desk are UTC.
    return sent_at is not None and sent_at.replace(tzinfo=sent_at.tzinfo or UTC) < now() - OLD


def _breakers_among(addresses: Collection[str]) -> set[str]:
    """The item itself, which is not written yet, counts as one."""
    lately = (Intake.sender.in_(addresses), Intake.received_at > now() - WINDOW)
    query = select(Intake.sender).where(*lately).group_by(Intake.sender).having(func.count(Intake.id) + 1 >= BREAKER)
    return set(db.session.scalars(query))


def _answered_among(addresses: Collection[str]) -> set[str]:
    recent = (Delivery.address.in_(addresses), Delivery.created_at > now() - PAUSE, Delivery.kind == "notice")
    return set(db.session.scalars(select(Delivery.address).where(*recent).distinct()))
