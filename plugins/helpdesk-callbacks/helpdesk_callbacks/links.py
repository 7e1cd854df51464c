"""The signed link by which a customer books, moves and cancels a call, without an account."""

from helpdesk.api import Ticket, User, address, db, link_token, redeem_link

PURPOSE = "callbacks:customer"
# A ticket that was merged leads to the one in which it goes on; no chain is longer.
LONGEST = 20


def customer_url(ticket: Ticket, person: User) -> str:
    """Where ``person`` books or changes a call about ``ticket``, on the configured address."""
    return f"{address()}/p/callbacks/c/{link_token(PURPOSE, ticket, person)}"


def call_url(call_id: int) -> str:
    """Where an agent opens a call, on the configured address."""
    return f"{address()}/p/callbacks/calls/{call_id}"


def redeem(token: str) -> tuple[Ticket, User] | None:
    """The ticket, or the one it goes on in, and the person of a link; None for forged and unknown ones."""
    found = redeem_link(PURPOSE, token)
    if found is None:
        return None
    ticket, person = found
    return onward(ticket), person


def onward(ticket: Ticket) -> Ticket:
    """Where a merged ticket goes on; the ticket itself where it is none."""
    for _step in range(LONGEST):
        target = db.session.get(Ticket, ticket.merged_into_id) if ticket.merged_into_id is not None else None
        if target is None:
            break
        ticket = target
    return ticket
