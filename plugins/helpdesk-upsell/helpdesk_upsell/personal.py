"""What the plugin keeps about a person: what was suggested to her, and what she said to it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, delete, or_, select, type_coerce, update

from helpdesk.api import Event, User, db, hookimpl
from helpdesk_upsell.models import Profile, Suggestion, Trial


@hookimpl
def export_personal_data(user: User) -> Mapping[str, Any]:
    """Suggestions with their answers, in which group of which rule she is, and what was prepared of her."""
    rows = db.session.scalars(select(Suggestion).where(Suggestion.user_id == user.id).order_by(Suggestion.id))
    trials = db.session.scalars(select(Trial).where(Trial.user_id == user.id).order_by(Trial.id))
    profile = db.session.get(Profile, user.id)
    found: dict[str, Any] = {
        "suggestions": [
            {
                "product": one.sku, "name": one.name, "ticket": one.ticket_id, "state": one.state, "text": one.pitch,
                "amount": one.amount, "currency": one.currency, "shown": _iso(one.shown_at),
                "offered": _iso(one.offered_at), "answered": _iso(one.answered_at), "why": one.why,
                "words": one.words, "bought": _iso(one.bought_at), "paid": one.revenue,
            }
            for one in rows
        ],
        "compared": [{"rule": one.key, "held_back": one.held, "since": _iso(one.began_at)} for one in trials],
        "prepared": profile.known if profile is not None else {},
    }  # fmt: skip
    return found if any(found.values()) else {}


@hookimpl
def erase_personal_data(user: User) -> None:
    """What was suggested and bought is still counted, and is nobody's. Of staff their name goes alike."""
    mine = Suggestion.user_id == user.id
    db.session.execute(
        update(Suggestion)
        .where(mine)
        .values(user_id=None, ticket_id=None, words="", reason="", grounds=[], pitch="", language="")
    )
    db.session.execute(
        update(Trial)
        .where(or_(Trial.user_id == user.id, Trial.home_user_id == user.id))
        .values(user_id=None, home_user_id=None, ticket_id=None)
    )
    db.session.execute(delete(Profile).where(Profile.user_id == user.id))
    db.session.execute(update(Suggestion).where(Suggestion.shown_by_id == user.id).values(shown_by_id=None))
    _blank_history(user)


def _blank_history(user: User) -> None:
    """Facts of the plugin name the person by a number; that goes too."""
    kinds = [f"upsell_suggestion_{what}" for what in ("shown", "accepted", "declined")]
    person = type_coerce(Event.data, JSON)["person_id"].as_integer()
    for event in db.session.scalars(select(Event).where(Event.kind.in_(kinds), person == user.id)):
        event.data = {**event.data, "person_id": None, "ticket_id": None}


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment is not None else None
