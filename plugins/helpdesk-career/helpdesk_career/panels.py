"""The plugin's places on the desk's pages: in the navigation, on Home, on a person's page."""

from helpdesk.api import NavItem, Panel, User, allowed, hookimpl
from helpdesk.api import lazy_gettext as _l
from helpdesk_career import progress, proposals, scopes, words
from helpdesk_career.permissions import LEAD, USE


@hookimpl
def nav_items() -> list[NavItem]:
    """One's own way."""
    return [NavItem(_l("Career"), "career.index", icon="route", permission=USE, order=36)]


@hookimpl
def dashboard_widgets(user: User) -> list[Panel]:
    """One's own level and what is missing; of who leads others what is to be decided. Nothing without a ladder."""
    standing = progress.of(user) if progress.has_level(user) else None
    waiting = proposals.waiting(user, 5) if allowed(user, LEAD) else []
    if standing is None and not waiting:
        return []
    context = {"standing": standing, "waiting": waiting, "words": words}
    return [Panel(_l("Career"), "career/widget.html", context, "route", USE, 40)]


@hookimpl
def user_panels(person: User, user: User) -> list[Panel]:
    """The level of a colleague, for who looks after them."""
    if not person.is_staff or not scopes.sees(user, person.id) or not progress.has_level(person):
        return []
    context = {"standing": progress.of(person), "person": person, "words": words}
    return [Panel(_l("Career"), "career/person_panel.html", context, "route", USE, 60)]
