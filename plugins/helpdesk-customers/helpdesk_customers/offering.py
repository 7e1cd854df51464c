"""What other plugins may hear of customers, and put into their timeline."""

from collections.abc import Iterable
from typing import Any

from helpdesk.api import hookimpl, hookspec, publish

# So many people stand in one fact; more are told in several.
_MOST = 1_000


@hookspec("fact")
def customers_record_changed(person_id: int | None, organization_id: int | None) -> None:
    """A record was changed by hand: fields, tags, birthday or preferences. One of the two is None."""


@hookspec("fact")
def customers_products_changed(person_ids: list[int], organization_ids: list[int]) -> None:
    """What these have bought or own has changed. Of an import it is told once for each batch of rows."""


@hookspec("fact")
def customers_consent_changed(person_id: int, purpose: str, given: bool) -> None:
    """Somebody has agreed to something or has withdrawn it; told only when it is the newest word on it."""


@hookspec("fact")
def customers_segment_changed(segment_id: int) -> None:
    """A segment was made, has other conditions, or was removed."""


@hookspec("slot")
def customers_timeline(page: Any) -> Any:
    """What happened between us and a customer, for one page of the timeline.

    ``page.person_ids``, ``page.organization_id`` (one of them is empty) and ``page.viewer`` say whose and for whom.
    ``page.newest(kind, query, at, id)`` answers the rows of a query that belong on the page; for each of them return
    ``page.entry(kind, id, at, title, ...)``. ``kind`` begins with your plugin's name. Called at each page; one query.
    """


@hookspec("slot")
def customers_import_kinds() -> Any:
    """Kinds of files that may be taken in by the page and the command of this plugin: a list of ``ImportKind``.

    ``helpdesk_customers.api`` has the classes; the machinery finds encoding and columns, shows a preview, takes the
    rows in batches that survive a kill, and keeps what could not be taken as a file. Called at each page of imports.
    """


@hookspec("answer")
def customers_is_on() -> bool | None:
    """True while this plugin is on, None while it is off: plugins that build on it rest meanwhile.

    Answered by this plugin itself (``presence.py``).
    """


@hookimpl
def register_hookspecs() -> list[Any]:
    """Four facts, one answer, two slots."""
    return [
        customers_record_changed,
        customers_products_changed,
        customers_consent_changed,
        customers_segment_changed,
        customers_timeline,
        customers_import_kinds,
        customers_is_on,
    ]


def tell_products(user_ids: Iterable[int | None], organization_ids: Iterable[int | None]) -> None:
    """Publish whose products have changed. Inside the transaction."""
    people = sorted({number for number in user_ids if number is not None})
    firms = sorted({number for number in organization_ids if number is not None})
    while people or firms:
        publish("customers_products_changed", person_ids=people[:_MOST], organization_ids=firms[:_MOST])
        people, firms = people[_MOST:], firms[_MOST:]
