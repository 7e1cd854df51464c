"""What other plugins may hear of recommendations, and say to them."""

from collections.abc import Mapping, Sequence
from typing import Any

from helpdesk.api import Ticket, User, hookimpl, hookspec, publish
from helpdesk_upsell.models import Suggestion


@hookspec("slot")
def upsell_recommendations(ticket: Ticket, customer: User) -> Sequence[Mapping[str, Any]] | None:
    """Products that a plugin would suggest: a list of dictionaries with ``sku``, ``fit`` (1 to 50), ``reason`` for the
    agent, ``source`` (the plugin's name) and, when it likes, ``pitch`` for the customer.

    They pass the same gates, prices and comparison as the desk's own. Be quick: a person waits.
    """


@hookspec("slot")
def upsell_objections(ticket: Ticket, customer: User) -> Sequence[str] | None:
    """Why nothing should be suggested to a customer now: for the agent, in words that read on after “because”."""


@hookspec("answer")
def upsell_is_angry(text: str, language: str | None) -> bool | None:
    """Whether somebody is angry who writes so; None: do not know, the words are looked at then."""


@hookspec("slot")
def upsell_satisfaction(ticket_ids: Sequence[int]) -> Sequence[tuple[int, float]] | None:
    """How satisfied customers said they were with these tickets: pairs of its number and a share from 0 to 1."""


@hookspec("fact")
def upsell_suggestion_shown(
    suggestion_id: int, ticket_id: int | None, person_id: int | None, rule_id: int | None, sku: str
) -> None:
    """An agent was shown something that fits a customer."""


@hookspec("fact")
def upsell_suggestion_accepted(
    suggestion_id: int, ticket_id: int | None, person_id: int | None, rule_id: int | None, sku: str
) -> None:
    """A customer accepted it."""


@hookspec("fact")
def upsell_suggestion_declined(
    suggestion_id: int, ticket_id: int | None, person_id: int | None, rule_id: int | None, sku: str, why: str
) -> None:
    """A customer declined it; ``why`` is one of price, not_needed, has_other, later and other."""


@hookimpl
def register_hookspecs() -> list[Any]:
    """Three slots, an answer, three facts."""
    return [
        upsell_recommendations,
        upsell_objections,
        upsell_is_angry,
        upsell_satisfaction,
        upsell_suggestion_shown,
        upsell_suggestion_accepted,
        upsell_suggestion_declined,
    ]


def tell_plugins(what: str, suggestion: Suggestion, **more: Any) -> None:
    """Publish that a suggestion was shown, accepted or declined. Inside its transaction."""
    publish(
        f"upsell_suggestion_{what}",
        suggestion_id=suggestion.id,
        ticket_id=suggestion.ticket_id,
        person_id=suggestion.user_id,
        rule_id=suggestion.rule_id,
        sku=suggestion.sku,
        **more,
    )
