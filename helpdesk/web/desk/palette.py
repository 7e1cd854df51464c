"""What Ctrl+K finds: tickets, people, views, pages, and what can be done with the ticket that is open."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import pgettext

from helpdesk.core import search as index
from helpdesk.core.models import User
from helpdesk.core.permissions import allowed, find_ticket
from helpdesk.core.search.words import plain
from helpdesk.core.views import views_of
from helpdesk.web import places
from helpdesk.web.admin.overview import rooms
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.desk.search import words_of
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader

# Of each group.
_MOST = 6


@dataclass(frozen=True)
class Choice:
    """Something to choose: an address to go to, or the key that does it on the page."""

    label: str
    icon: str
    url: str = ""
    key: str = ""
    # What stands beside it.
    about: str = ""
    # Named by somebody outside: kept apart from the direction of the page.
    person: User | None = None


@dataclass(frozen=True)
class Group:
    """Choices of one kind."""

    key: str
    title: str
    choices: Sequence[Choice]


@desk.get("/palette")
def palette() -> str:
    """The choices for ``?q=``, with ``ticket`` the number of the one that is open. A part of a page."""
    text = words_of(request.args)
    groups = [
        Group("act", _("This ticket"), _that_fit(text, _acts(request.args.get("ticket", type=row_number)))),
        Group("ticket", _("Tickets"), list(_tickets(text))),
        Group("person", _("People"), list(_people(text))),
        Group("view", _("Views"), _that_fit(text, _views())),
        Group("page", pgettext("palette", "Pages"), _that_fit(text, _pages())),
        Group("search", _("Search"), list(_everywhere(text))),
    ]
    return render_template("desk/parts/palette.html", groups=[group for group in groups if group.choices], text=text)


def _that_fit(text: str, choices: Iterable[Choice]) -> list[Choice]:
    """Those whose label or description has all words, or the beginnings of their words."""
    words = plain(text).split()
    found = [one for one in choices if all(word in plain(f"{one.label} {one.about}") for word in words)]
    # Whose name begins like it comes first.
    found.sort(key=lambda one: not plain(one.label).startswith(plain(text)))
    return found[: _MOST if text else 8]


def _acts(number: int | None) -> Iterator[Choice]:
    """What the keys do, under its name."""
    ticket = find_ticket(reader(), number) if number else None
    if ticket is None:
        return
    if allowed(reader(), "ticket.reply", ticket):
        yield Choice(_("Write a reply"), "arrow-back-up", key="r")
        yield Choice(_("Write an internal note"), "lock", key="n")
    if allowed(reader(), "ticket.edit", ticket):
        yield Choice(_("Change the assignee"), "user", key="a")
        yield Choice(_("Change the status"), "circle-check", key="s")
        yield Choice(_("Change the tags"), "tag", key="t")


def _tickets(text: str) -> Iterator[Choice]:
    if not text:
        return
    for ticket in index.tickets_named(text, reader(), _MOST):
        address = url_for("desk.ticket", number=ticket.id)
        yield Choice(ticket.subject, "message", address, about=f"#{ticket.id}", person=ticket.requester)


def _everywhere(text: str) -> Iterator[Choice]:
    """Last: who types what a page is called wants the page."""
    if text:
        yield Choice(_("Search everywhere for “%(text)s”", text=text), "search", url_for("desk.search", q=text))


def _people(text: str) -> Iterator[Choice]:
    if not text:
        return
    for person in index.people_found(text, reader(), _MOST):
        address = url_for("desk.person", user_id=person.id)
        yield Choice(person.display_name, "user", address, about=person.email or person.phone or "")


def _views() -> Iterator[Choice]:
    for view in views_of(reader()).all():
        yield Choice(view.name, view.icon, url_for("desk.view_list", key=view.key))


def _pages() -> Iterator[Choice]:
    yield Choice(_("New ticket"), "plus", url_for("desk.new_ticket"))
    yield Choice(_("Search"), "search", url_for("desk.search"))
    yield Choice(_("Home"), "home", url_for("desk.dashboard"))
    if allowed(reader(), "person.read"):
        yield Choice(_("Customers"), "users", url_for("desk.people_list"))
    yield Choice(_("Reports"), "chart-line", url_for("desk.reports"))
    yield Choice(_("Your preferences"), "settings", url_for("desk.me"))
    for item in places.nav_items(reader()):
        yield Choice(item.label, item.icon, item.url)
    if not allowed(reader(), "admin.use"):
        return
    yield Choice(_("Settings"), "settings", url_for("admin.home"))
    for room in rooms({}):
        yield Choice(room.title, room.icon, room.url, about=room.about)
