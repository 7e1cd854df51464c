"""The signed page of an offer: whoever got the mail sees it, without an account."""

from helpdesk.api import address, db, link_token, now, redeem_link
from helpdesk_upsell.models import SETTLED, SHOWN, Suggestion

OPEN, ANSWERED, OVER = "open", "answered", "over"


def offer_url(suggestion: Suggestion) -> str:
    """Where the customer sees an offer and answers it, on the configured address; "" once she was erased."""
    ticket, person = suggestion.ticket, suggestion.person
    if ticket is None or person is None:
        return ""
    token = link_token(_purpose(suggestion.id), ticket, person)
    return f"{address()}/p/upsell/o/{suggestion.id}/{token}"


def open_offer(number: int, token: str) -> Suggestion | None:
    """The offer of a link; None for a forged one, an unknown one, and one that was never offered."""
    if not 0 < number < 2**63:
        return None
    found = redeem_link(_purpose(number), token)
    suggestion = db.session.get(Suggestion, number) if found is not None else None
    if found is None or suggestion is None or suggestion.state == SHOWN:
        return None
    # A ticket may have gone into another one, and a person into another: the link says for whom it was made.
    ticket, person = found
    is_ticket = suggestion.ticket_id == ticket.id or ticket.merged_into_id is not None
    is_person = suggestion.user_id is not None and (suggestion.user_id == person.id or _is_merged(person))
    return suggestion if is_ticket and is_person else None


def state_of(suggestion: Suggestion) -> str:
    """Whether it can be answered: "open", "answered" or "over"."""
    if suggestion.state in SETTLED:
        return ANSWERED
    return OVER if is_over(suggestion) else OPEN


def is_over(suggestion: Suggestion) -> bool:
    """Whether its price does not hold any more."""
    return now() >= suggestion.valid_until


def _purpose(number: int) -> str:
    return f"upsell:offer:{number}"


def _is_merged(person: object) -> bool:
    return getattr(person, "merged_into_id", None) is not None
