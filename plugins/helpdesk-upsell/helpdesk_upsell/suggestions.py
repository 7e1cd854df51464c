"""Show what fits on a ticket, offer it, and take down what the customer says to it."""

from collections.abc import Sequence
from datetime import UTC, timedelta

from helpdesk_customers.api import note_consent
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api import (
    Invalid,
    Refused,
    Ticket,
    User,
    allowed,
    db,
    lazy_gettext,
    now,
    record,
    require,
    settings,
    speaking,
    tell,
    transaction,
    visible_tickets,
)
from helpdesk.api import gettext as _
from helpdesk_upsell import amounts, cleaning, prepared, profiles
from helpdesk_upsell.models import (
    ACCEPTED,
    BOUGHT,
    DECLINE_REASONS,
    DECLINED,
    INTERESTED,
    OFFERED,
    SETTLED,
    SHOWN,
    STATES,
    Suggestion,
    Trial,
)
from helpdesk_upsell.objections import whose_turn
from helpdesk_upsell.offering import tell_plugins
from helpdesk_upsell.offers import is_over, offer_url
from helpdesk_upsell.permissions import MANAGE, USE
from helpdesk_upsell.recommending import Advice, Recommendation, advice
from helpdesk_upsell.settings import RecommendationSettings

WORDS_LENGTH = 1_000


def show(ticket: Ticket, actor: User | None) -> Advice:
    """Look what fits, and show it to an agent: from now on it is measured, shown or held back.

    What was shown on this ticket before is shown again as it was, with its price. One transaction, opened or joined;
    other plugins are asked before it begins. Raises :class:`NotAllowed`.
    """
    require(actor, USE, ticket)
    there = list(of_ticket(ticket))
    if there:
        return Advice(rows=there)
    result = advice(ticket, actor)
    if result.suggestions or result.held:
        with transaction():
            # Two agents who look at the same moment: the second one finds what the first one has written.
            customer = db.session.get_one(User, ticket.requester_id, with_for_update=True)
            there = list(of_ticket(ticket))
            if not there:
                profiles.known(customer, keep=True)
                _try(result, ticket, customer)
                there = [_write(one, ticket, customer, actor) for one in result.suggestions]
                db.session.flush()
                for row in there:
                    tell_plugins("shown", row)
        there = list(of_ticket(ticket)) if there else there
    result.rows = there
    return result


def of_ticket(ticket: Ticket) -> Sequence[Suggestion]:
    """What was shown on a ticket, the best first; one query."""
    query = select(Suggestion).where(Suggestion.ticket_id == ticket.id)
    return db.session.scalars(query.order_by(Suggestion.score.desc(), Suggestion.id)).all()


def waits(ticket: Ticket) -> str:
    """Why nothing is suggested yet, as far as the ticket itself says it, without asking the database; "" otherwise."""
    return whose_turn(ticket, ticket.requester)


def find(number: int, actor: User) -> Suggestion | None:
    """One suggestion, for somebody who may see its ticket."""
    suggestion = db.session.scalar(select(Suggestion).where(Suggestion.id == number).options(*_PEOPLE))
    if suggestion is None or not allowed(actor, USE):
        return None
    if suggestion.ticket is None:
        return suggestion if allowed(actor, MANAGE) else None
    return suggestion if allowed(actor, USE, suggestion.ticket) else None


def listed(
    user: User, state: str | None = None, rule_id: int | None = None, after: int | None = None, most: int = 50
) -> Sequence[Suggestion]:
    """Suggestions on tickets that somebody may see, the newest first, from behind the one with that number on."""
    query = select(Suggestion).options(*_PEOPLE).order_by(Suggestion.id.desc()).limit(most)
    query = query.where(Suggestion.ticket_id.in_(visible_tickets(user).with_only_columns(Ticket.id).order_by(None)))
    if state is not None:
        query = query.where(Suggestion.state == cleaning.one_of(state, "state", STATES))
    if rule_id is not None:
        query = query.where(Suggestion.rule_id == rule_id)
    if after is not None:
        query = query.where(Suggestion.id < after)
    return db.session.scalars(query).all()


def offer(suggestion: Suggestion, actor: User | None) -> str:
    """The words for the reply, in the customer's language, with the price and the link to the offer.

    From now on it counts as offered. Raises :class:`Refused` when it was answered or is over, :class:`NotAllowed`.
    """
    _require(suggestion, actor)
    with transaction():
        _lock(suggestion)
        if suggestion.state in SETTLED:
            raise Refused(_("This was answered already."))
        if is_over(suggestion):
            raise Refused(_("This offer is over. Its price does not hold any more."))
        if suggestion.state == SHOWN:
            suggestion.state, suggestion.offered_at = OFFERED, now()
            _note(suggestion, "offered", actor, _("%(product)s was offered.", product=suggestion.name))
        db.session.flush()
    return words_for_reply(suggestion)


def words_for_reply(suggestion: Suggestion) -> str:
    """What the customer reads: the text, the price as it was shown, the link."""
    with speaking(suggestion.language or None):
        price = amounts.price_words(suggestion.amount, suggestion.currency, suggestion.period)
        lines = [suggestion.pitch, _("%(product)s: %(price)s", product=suggestion.name, price=price)]
        if suggestion.list_amount > suggestion.amount:
            before = amounts.price_words(suggestion.list_amount, suggestion.currency, suggestion.period)
            lines.append(_("Instead of %(price)s.", price=before))
        lines.append(_("See the offer: %(link)s", link=offer_url(suggestion)))
    return "\n".join(line for line in lines if line)


def interested(suggestion: Suggestion, actor: User | None, by_customer: bool = False) -> Suggestion:
    """The customer would like to know more. Raises :class:`Refused` when she has answered, :class:`NotAllowed`."""
    return _answer(suggestion, INTERESTED, actor, by_customer)


def accept(suggestion: Suggestion, actor: User | None, by_customer: bool = False) -> Suggestion:
    """The customer takes it, at the price that was shown. Said twice it counts once.

    Raises :class:`Refused` when she has declined, the offer is over or the product is not sold any more, and
    :class:`NotAllowed`.
    """
    return _answer(suggestion, ACCEPTED, actor, by_customer)


def decline(
    suggestion: Suggestion,
    why: str,
    words: str,
    actor: User | None,
    by_customer: bool = False,
    no_more: bool = False,
) -> Suggestion:
    """The customer does not want it, and why; ``no_more``: nor anything else that is offered, from now on.

    Raises :class:`Invalid` (why, words), :class:`Refused` when she has accepted, and :class:`NotAllowed`.
    """
    if why not in DECLINE_REASONS:
        raise Invalid("why", _("Choose why."))
    text = words.replace("\x00", "").strip()
    if len(text) > WORDS_LENGTH:
        raise Invalid("words", _("This is too long; %(number)s characters fit.", number=WORDS_LENGTH))
    with transaction():
        _answer(suggestion, DECLINED, actor, by_customer, why, text)
        person = suggestion.person
        if no_more and person is not None:
            note_consent(person, "offers", False, actor, way="form", words=text, ticket=suggestion.ticket)
    return suggestion


def mark_bought(suggestion: Suggestion, amount: int | None, actor: User | None) -> Suggestion:
    """Note that it was bought, where no order tells it. The comparison of groups counts orders alone.

    Raises :class:`Invalid` (amount), :class:`Refused` and :class:`NotAllowed`.
    """
    _require(suggestion, actor)
    if amount is not None:
        cleaning.amount(amount)
    with transaction():
        _lock(suggestion)
        if suggestion.state == DECLINED:
            raise Refused(_("This was declined."))
        if suggestion.state != BOUGHT:
            take_as_bought(suggestion, suggestion.amount if amount is None else amount, suggestion.currency)
            _note(suggestion, "bought", actor, _("%(product)s was bought.", product=suggestion.name))
    return suggestion


def take_as_bought(suggestion: Suggestion, amount: int, currency: str) -> None:
    """Write down that it was bought, for how much. Inside the transaction."""
    suggestion.state, suggestion.bought_at = BOUGHT, now()
    suggestion.revenue, suggestion.revenue_currency = amount, currency


def price_changed(suggestion: Suggestion) -> bool:
    """Whether the catalogue says another price now than was shown; the one that was shown holds."""
    item = prepared.catalogue().items.get(suggestion.sku)
    quote = item.quote(suggestion.currency, now().astimezone(UTC).date()) if item is not None else None
    return quote is None or (quote.amount, quote.period) != (suggestion.amount, suggestion.period)


def is_sold(suggestion: Suggestion) -> bool:
    """Whether the product is sold now."""
    item = prepared.catalogue().items.get(suggestion.sku)
    return item is not None and item.is_sold(now().astimezone(UTC).date())


_PEOPLE = (
    joinedload(Suggestion.ticket), joinedload(Suggestion.person), joinedload(Suggestion.rule),
    joinedload(Suggestion.product), joinedload(Suggestion.shown_by),
)  # fmt: skip


def _try(result: Advice, ticket: Ticket, customer: User) -> None:
    """Write down who is in which group, once for each customer and rule."""
    both = [*result.suggestions, *result.held]
    mine = select(Trial.key).where(Trial.user_id == customer.id, Trial.key.in_({one.key for one in both}))
    known = set(db.session.scalars(mine))
    for one in both:
        if one.key in known:
            continue
        known.add(one.key)
        trial = Trial(
            key=one.key, rule_id=one.rule_id, user_id=customer.id, ticket_id=ticket.id, sku=one.sku, held=one.held,
            reopened_before=ticket.reopened,
        )  # fmt: skip
        db.session.add(trial)


def _write(one: Recommendation, ticket: Ticket, customer: User, actor: User | None) -> Suggestion:
    row = Suggestion(
        user_id=customer.id, ticket_id=ticket.id, rule_id=one.rule_id, product_id=one.product_id, key=one.key,
        sku=one.sku, name=one.name[:200], reason=one.reason,
        grounds=list(one.grounds), pitch=one.pitch, language=one.language, score=one.score,
        parts=[list(part) for part in one.parts], amount=one.amount, list_amount=one.list_amount,
        currency=one.currency, period=one.period, promotion_id=one.promotion_id,
        valid_until=now() + timedelta(days=settings(RecommendationSettings).offer_days),
        shown_by_id=actor.id if actor is not None else None,
    )  # fmt: skip
    db.session.add(row)
    return row


def _answer(
    suggestion: Suggestion, state: str, actor: User | None, by_customer: bool, why: str = "", words: str = ""
) -> Suggestion:
    if not by_customer:
        _require(suggestion, actor)
    with transaction():
        _lock(suggestion)
        if suggestion.state == state and state != INTERESTED:
            return suggestion
        if suggestion.state in SETTLED:
            raise Refused(_("This was answered already."))
        if state != DECLINED and is_over(suggestion):
            raise Refused(_("This offer is over. Its price does not hold any more."))
        if state == ACCEPTED and not is_sold(suggestion):
            raise Refused(_("This is not sold any more."))
        if suggestion.state == state:
            return suggestion
        suggestion.state, suggestion.answered_at = state, now()
        suggestion.why, suggestion.words = why, words
        db.session.flush()
        _say(suggestion, state, actor)
        if state == ACCEPTED:
            tell_plugins("accepted", suggestion)
        elif state == DECLINED:
            tell_plugins("declined", suggestion, why=why)
    return suggestion


def _say(suggestion: Suggestion, state: str, actor: User | None) -> None:
    """In the history of the ticket, and to the agent, who has to do something when it is wanted."""
    said = {
        INTERESTED: lazy_gettext("The customer is interested in %(product)s.", product=suggestion.name),
        ACCEPTED: lazy_gettext("The customer accepts %(product)s.", product=suggestion.name),
        DECLINED: lazy_gettext("The customer declines %(product)s.", product=suggestion.name),
    }[state]
    with speaking(None):
        text = str(said)
    who = actor if actor is not None else suggestion.person
    _note(suggestion, state, who, text)
    ticket = suggestion.ticket
    if state == DECLINED or actor is not None or ticket is None:
        return
    agent = ticket.assignee or suggestion.shown_by
    if agent is not None:
        tell([agent], said, ticket)


def _note(suggestion: Suggestion, what: str, actor: User | None, text: str) -> None:
    if suggestion.ticket is not None:
        record(f"upsell.{what}", suggestion.ticket, actor, {"suggestion": suggestion.id, "text": text})


def _require(suggestion: Suggestion, actor: User | None) -> None:
    if suggestion.ticket is None:
        raise Refused(_("The data of this customer was erased."))
    require(actor, USE, suggestion.ticket)


def _lock(suggestion: Suggestion) -> None:
    # To read a row anew throws away what was changed in it and not written yet.
    db.session.flush()
    db.session.refresh(suggestion, with_for_update={"of": type(suggestion)})
