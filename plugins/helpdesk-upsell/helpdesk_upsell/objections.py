"""When not to: each rule that keeps anything from being suggested now is one function with one sentence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from helpdesk_customers.api import has_consent
from sqlalchemy import bindparam, func, or_, select

from helpdesk.api import Message, Tag, Ticket, TicketType, User, ask, collect, db, ngettext, now, settings
from helpdesk.api import gettext as _
from helpdesk_upsell.lexicon import is_angry
from helpdesk_upsell.models import Suggestion
from helpdesk_upsell.settings import ANSWERED, RecommendationSettings

_UNSOLVED = ("new", "open", "pending", "on_hold")
# So many of the customer's last messages on the ticket are read for angry words, and so much of each.
_MESSAGES, _LONGEST = 3, 5_000
# Put together once: that takes longer than asking them.
_CUSTOMER, _TICKET = bindparam("customer"), bindparam("ticket")
_OTHERS = select(func.count(), func.max(Ticket.id)).where(
    Ticket.requester_id == _CUSTOMER, Ticket.id != _TICKET, Ticket.category.in_(_UNSOLVED)
)
_COMPLAINTS = select(func.max(Ticket.id)).where(
    Ticket.requester_id == _CUSTOMER,
    or_(Ticket.id == _TICKET, Ticket.category.in_(_UNSOLVED)),
    or_(
        Ticket.tags.any(func.lower(Tag.name) == bindparam("tag")),
        Ticket.type.has(TicketType.key == bindparam("type")),
    ),
)
_SAID = (
    select(func.substr(Message.text, 1, _LONGEST))
    .where(Message.ticket_id == _TICKET, Message.author_id == _CUSTOMER, Message.visibility == "public")
    .order_by(Message.id.desc())
    .limit(_MESSAGES)
)
_LAST = select(func.max(Suggestion.offered_at), func.max(Suggestion.answered_at)).where(Suggestion.user_id == _CUSTOMER)


@dataclass(frozen=True)
class Objection:
    """A reason against any suggestion now."""

    # "nobody", "unsolved", "other_unsolved", "complaint", "angry", "cooling", "no_consent" or "plugin".
    key: str
    # Reads on after “because”.
    sentence: str


def objections(ticket: Ticket, customer: User) -> Sequence[Objection]:
    """All that speaks against suggesting anything on this ticket now, in the reader's language."""
    found: list[Objection] = []
    for rule in _RULES:
        sentence = rule(ticket, customer)
        if sentence:
            found.append(Objection(rule.__name__.removeprefix("_"), sentence))
    for sentence in collect("upsell_objections", ticket=ticket, customer=customer):
        found.append(Objection("plugin", str(sentence)))
    return found


def _nobody(ticket: Ticket, customer: User) -> str:
    if customer.is_staff or customer.is_service:
        return _("this is no customer, but a colleague")
    return "" if customer.active else _("this account is switched off")


def _unsolved(ticket: Ticket, customer: User) -> str:
    if ticket.category not in _UNSOLVED:
        return ""
    if settings(RecommendationSettings).moment == ANSWERED:
        return "" if ticket.last_message_by == "agent" else _("the customer waits for an answer")
    return _("this ticket is not solved yet")


def _other_unsolved(ticket: Ticket, customer: User) -> str:
    number, newest = db.session.execute(_OTHERS, {"customer": customer.id, "ticket": ticket.id}).one()
    if not number:
        return ""
    if number == 1:
        return _("another ticket of this customer, #%(number)s, is not solved yet", number=newest)
    return ngettext(
        "%(num)s other ticket of this customer is not solved yet",
        "%(num)s other tickets of this customer are not solved yet",
        number,
    )


def _complaint(ticket: Ticket, customer: User) -> str:
    """A complaint that is open, or this ticket itself, whether or not it was solved."""
    chosen = settings(RecommendationSettings)
    tag, kind = chosen.complaint_tag.strip().lower(), chosen.complaint_type.strip()
    if not tag and not kind:
        return ""
    # Nothing has a tag or a type without a name.
    given = {"customer": customer.id, "ticket": ticket.id, "tag": tag, "type": kind}
    number = db.session.scalar(_COMPLAINTS, given)
    return _("ticket #%(number)s is a complaint", number=number) if number is not None else ""


def _angry(ticket: Ticket, customer: User) -> str:
    said_last = db.session.scalars(_SAID, {"customer": customer.id, "ticket": ticket.id})
    more = settings(RecommendationSettings).angry_words
    for text in [ticket.subject, *said_last]:
        said = ask("upsell_is_angry", text=text, language=ticket.locale)
        if said or (said is None and is_angry(text, more)):
            return _("the customer writes angrily")
    return ""


def _cooling(ticket: Ticket, customer: User) -> str:
    days = settings(RecommendationSettings).cooling_days
    last = last_offer(customer.id)
    if last is None or last <= now() - timedelta(days=days):
        return ""
    gone = (now() - last).days
    if gone == 0:
        return _("the customer was offered something today already")
    return ngettext(
        "the customer was offered something %(num)s day ago",
        "the customer was offered something %(num)s days ago",
        gone,
    )


def _no_consent(ticket: Ticket, customer: User) -> str:
    if not customer.care_mail:
        return _("the customer wants no mails that nobody asked for")
    if not settings(RecommendationSettings).consent_required:
        return ""
    return "" if has_consent(customer.id, "offers") else _("the customer has not agreed to offers")


_RULES: Sequence[Callable[[Ticket, User], str]] = (
    _nobody, _unsolved, _other_unsolved, _complaint, _angry, _cooling, _no_consent,
)  # fmt: skip


def whose_turn(ticket: Ticket, customer: User) -> str:
    """The objections for which nothing is asked of the database; "" without any."""
    return _nobody(ticket, customer) or _unsolved(ticket, customer)


def last_offer(user_id: int) -> datetime | None:
    """When something was last offered to a customer, or last answered by her."""
    moments = db.session.execute(_LAST, {"customer": user_id}).one()
    return max((one for one in moments if one is not None), default=None)
