"""The plugins' places on pages. What they put there is made into plain data, each plugin on its own.

Whatever a plugin does wrong (it raises, returns something else, names a page or template that is not there), the
page stands: a failed one becomes a box that names it, or nothing where there is no room for one.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

from flask import current_app, url_for
from markupsafe import Markup
from werkzeug.routing import BuildError

from helpdesk.core.markup import snippet
from helpdesk.core.models import Message, Team, Ticket, User
from helpdesk.core.permissions import allowed
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Action, Badge, ComposerTool, MessageBlock, NavItem, Panel, Room, Suggestion

log = logging.getLogger(__name__)

TONES = ("grey", "blue", "green", "amber", "red", "violet")
# What has failed stands behind the rest.
_LAST = 10**9
_BADGES, _SUGGESTIONS, _PREVIEW = 5, 5, 160
_TOLD = "helpdesk.places.told"
_ICON = re.compile(r'\bid="([^"]+)"')


@dataclass(frozen=True)
class Box:
    """A plugin's box; without ``html`` it could not be shown."""

    plugin: str
    title: str = ""
    icon: str = "plug"
    html: Markup | None = None
    wide: bool = False
    order: int = _LAST


@dataclass(frozen=True)
class Entry:
    """A plugin's link or button; without ``url`` the plugin has failed."""

    plugin: str
    label: str = ""
    url: str = ""
    icon: str = "plug"
    posts: bool = False
    question: str = ""
    about: str = ""
    attention: int = 0
    order: int = _LAST


@dataclass(frozen=True)
class Mark:
    """A badge of a ticket."""

    text: str
    tone: str
    hint: str


@dataclass(frozen=True)
class Proposal:
    """An answer to start from; without ``text`` the plugin has failed. The smallest ``order`` comes first."""

    plugin: str
    title: str = ""
    text: str = ""
    reason: str = ""
    preview: str = ""
    order: float = _LAST


@dataclass(frozen=True)
class Block:
    """A plugin's part of a message; with neither ``html`` nor ``badge`` it could not be shown."""

    plugin: str
    message_id: int = 0
    html: Markup | None = None
    badge: str = ""
    hint: str = ""
    order: int = _LAST


_Shown = TypeVar("_Shown", Box, Block, Entry, Proposal)


# ---- boxes


def ticket_panels(ticket: Ticket, user: User) -> list[Box]:
    """Boxes beside a ticket. Reads only."""
    return _boxes("ticket_panels", user, ticket, {"ticket": ticket, "user": user}, {"ticket": ticket})


def user_panels(person: User, user: User) -> list[Box]:
    """Boxes on the page of ``person``. Reads only."""
    return _boxes("user_panels", user, person, {"person": person, "user": user}, {"person": person})


def team_panels(team: Team, user: User) -> list[Box]:
    """Boxes on a team's page. Reads only."""
    return _boxes("team_panels", user, team, {"team": team, "user": user}, {"team": team})


def message_blocks(ticket: Ticket, messages: Sequence[Message], user: User) -> dict[int, list[Block]]:
    """Parts of messages, by message: each plugin is asked once for the whole page. Reads only.

    A plugin that fails is named once, below the last message.
    """
    found: dict[int, list[Block]] = {}
    if not messages or not is_filled("message_blocks"):
        return found
    may, page = _permits(user, ticket), _page_context()
    shown = {message.id: message for message in messages}

    def build(plugin: str, block: MessageBlock) -> Block | None:
        message = shown.get(block.message_id)
        if message is None or not may(block.permission):
            return None
        html = _rendered(block.template, {**page(), **block.context, "message": message, "ticket": ticket})
        badge, hint = str(block.badge or "").strip(), str(block.hint or "")
        if html is None and not badge:
            raise ValueError("A part of a message has a template, a badge, or both.")
        return Block(plugin, message.id, html, badge, hint, int(block.order))

    for block in _shown("message_blocks", {"messages": tuple(messages), "user": user}, build, Block):
        found.setdefault(block.message_id or max(shown), []).append(block)
    return found


def dashboard_widgets(user: User) -> list[Box]:
    """Boxes on the dashboard. Reads only."""
    return _boxes("dashboard_widgets", user, None, {"user": user}, {})


def portal_blocks(user: User | None) -> list[Box]:
    """Boxes on the customers' start page; what failed is left out, since a customer could do nothing about it."""
    return [box for box in _boxes("portal_blocks", user, None, {"user": user}, {}) if box.html is not None]


def _boxes(hook: str, user: User | None, obj: Any, arguments: Mapping[str, Any], known: Mapping[str, Any]) -> list[Box]:
    may = _permits(user, obj)
    page = _page_context()

    def build(plugin: str, panel: Panel) -> Box | None:
        if not may(panel.permission):
            return None
        html = _rendered(panel.template, {**page(), **panel.context, **known})
        return Box(plugin, _words(panel.title), _icon(panel.icon), html, bool(panel.wide), int(panel.order))

    return _shown(hook, arguments, build, Box)


def _rendered(name: str, context: Mapping[str, Any]) -> Markup | None:
    """What a plugin's template makes, None without one. Raises ValueError for one that would not be escaped."""
    if not name:
        return None
    if not name.endswith(".html"):
        raise ValueError(f"The template of a part ends in .html, not as {name!r} does.")
    return Markup(current_app.jinja_env.get_template(name).render(context))  # nosec B704 # autoescaped


# ---- links and buttons


def nav_items(user: User) -> list[Entry]:
    """Entries of the main navigation. Reads only."""
    may = _permits(user)

    def build(plugin: str, item: NavItem) -> Entry | None:
        url = _own_url(plugin, item.endpoint, {}) if may(item.permission) else None
        return Entry(plugin, _words(item.label), url, _icon(item.icon), order=int(item.order)) if url else None

    # It stands on every page: what failed is said in the log and on the page of plugins.
    return [entry for entry in _shown("nav_items", {"user": user}, build, Entry) if entry.url]


def admin_rooms(user: User) -> list[Entry]:
    """Rooms of the administration. Reads only."""
    may = _permits(user)

    def build(plugin: str, room: Room) -> Entry | None:
        url = _own_url(plugin, room.endpoint, {}) if may(room.permission) else None
        if not url:
            return None
        return Entry(
            plugin,
            _words(room.label),
            url,
            _icon(room.icon),
            about=str(room.about or ""),
            attention=int(room.attention),
            order=int(room.order),
        )

    # What failed is said on the page of plugins, which stands there as well.
    return [entry for entry in _shown("admin_rooms", {"user": user}, build, Entry) if entry.url]


def ticket_actions(ticket: Ticket, user: User) -> list[Entry]:
    """Entries of a ticket's menu. Reads only."""
    may = _permits(user, ticket)

    def build(plugin: str, action: Action) -> Entry | None:
        if action.method not in ("post", "get"):
            raise ValueError(f"The method of an action is post or get, not {action.method!r}.")
        url = _own_url(plugin, action.endpoint, action.values) if may(action.permission) else None
        if not url:
            return None
        question = str(action.question or "")
        posts = action.method == "post"
        return Entry(plugin, _words(action.label), url, _icon(action.icon), posts, question, order=int(action.order))

    return _shown("ticket_actions", {"ticket": ticket, "user": user}, build, Entry)


def composer_tools(ticket: Ticket, user: User) -> list[Entry]:
    """Buttons of the composer. Reads only."""
    may = _permits(user, ticket)

    def build(plugin: str, tool: ComposerTool) -> Entry | None:
        url = _own_url(plugin, tool.endpoint, tool.values) if may(tool.permission) else None
        return Entry(plugin, _words(tool.label), url, _icon(tool.icon), order=int(tool.order)) if url else None

    found = _shown("composer_tools", {"ticket": ticket, "user": user}, build, Entry)
    return [entry for entry in found if entry.url]


# ---- words


def ticket_badges(tickets: Iterable[Ticket], user: User) -> dict[int, list[Mark]]:
    """Badges by ticket: each plugin is asked once for the whole list. Reads only."""
    asked = list(tickets)
    found: dict[int, list[Mark]] = {ticket.id: [] for ticket in asked}
    plugins = manager.current()
    if not asked or not plugins.listeners(["ticket_badges"]):
        return found
    for entry in plugins.each("ticket_badges", tickets=tuple(asked), user=user):
        if entry.item is None:
            continue
        nothing: dict[int, list[Mark]] = {}
        marks = plugins.finish(entry.plugin, "ticket_badges", partial(_marks, entry.item, found), nothing)
        for ticket_id, badges in marks.items():
            found[ticket_id] += badges
    return found


def is_filled(hook: str) -> bool:
    """Whether any plugin that is on has something to say in a place, so that a page asks for it only then."""
    return bool(manager.current().listeners([hook]))


def reply_suggestions(ticket: Ticket, user: User) -> list[Proposal]:
    """Answers to start from, the best first, then the plugins that failed. May take long. Reads only."""

    def build(plugin: str, item: Suggestion) -> Proposal:
        text = _words(item.text)
        preview = snippet(text, _PREVIEW)
        return Proposal(plugin, _words(item.title), text, str(item.reason or ""), preview, -float(item.score))

    found = _shown("reply_suggestions", {"ticket": ticket, "user": user}, build, Proposal)
    good = [proposal for proposal in found if proposal.text]
    return good[:_SUGGESTIONS] + [proposal for proposal in found if not proposal.text]


def _marks(answer: Any, asked: Mapping[int, Any]) -> dict[int, list[Mark]]:
    if not isinstance(answer, Mapping):
        raise TypeError(f"ticket_badges must return a mapping of ids to badges, not {type(answer).__name__}")
    return {number: _badges(badges) for number, badges in answer.items() if number in asked}


def _badges(badges: Sequence[Badge]) -> list[Mark]:
    found = list(badges or ())
    for badge in found:
        if not isinstance(badge, Badge):
            raise TypeError(f"ticket_badges must return Badge, not {type(badge).__name__}")
    return [
        Mark(_words(badge.text), badge.tone if badge.tone in TONES else TONES[0], str(badge.hint or ""))
        for badge in found[:_BADGES]
    ]


# ---- what all of them share


def _shown(
    hook: str, arguments: Mapping[str, Any], build: Callable[[str, Any], _Shown | None], kind: type[_Shown]
) -> list[_Shown]:
    """What ``build`` makes of each item (None: not for this reader), in order; what fails is an empty ``kind``."""
    plugins = manager.current()
    # By the thing itself: a plugin that fails at several is named once.
    found: dict[_Shown, None] = {}
    for entry in plugins.slot(hook, **arguments):
        shown: _Shown | None = kind(entry.plugin)
        if entry.item is not None:
            shown = plugins.finish(entry.plugin, hook, partial(build, entry.plugin, entry.item), shown)
        if shown is not None:
            found[shown] = None
    return sorted(found, key=attrgetter("order"))


def _permits(user: User | None, obj: Any = None) -> Callable[[str | None], bool]:
    """Whether the reader has a permission, asked once for each. A stranger has none."""

    @cache
    def may(permission: str | None) -> bool:
        if not permission or user is None:
            return not permission
        if not isinstance(obj, Ticket):
            return allowed(user, permission, obj)
        # That the reader sees this ticket is known, since the page has found it; to ask again would be a query for
        # each permission. Guards are asked all the same.
        return allowed(user, permission) and not manager.current().denied(
            "veto", user=user, permission=permission, obj=obj
        )

    return may


def _page_context() -> Callable[[], dict[str, Any]]:
    """What every template knows, put together once for all panels of a page, and only when there is one."""

    @cache
    def context() -> dict[str, Any]:
        found: dict[str, Any] = {}
        current_app.update_template_context(found)
        return found

    return context


def _own_url(plugin: str, endpoint: str, values: Mapping[str, Any]) -> str | None:
    """The address of a plugin's own page. None, and once a line in the log, when it is another's or not there."""
    if not endpoint.startswith(f"{plugin}."):
        _tell(f"Plugin {plugin} may lead to its own pages only; it names the page {endpoint}.")
        return None
    try:
        return url_for(endpoint, **values)
    except BuildError:
        _tell(f"Plugin {plugin} names a page that is not there, or not with these values: {endpoint}.")
        return None


def _tell(sentence: str) -> None:
    told: set[str] = current_app.extensions.setdefault(_TOLD, set())
    if sentence not in told:
        told.add(sentence)
        log.error("%s", sentence)


def _words(value: Any) -> str:
    """Words that a plugin gave, as plain text, even if it calls them HTML. Raises ValueError when there are none."""
    text = "" if value is None else str(value).strip()
    if not text:
        raise ValueError("Something without words cannot be shown.")
    return text


def _icon(name: Any) -> str:
    return name if name in _icons() else "puzzle"


@cache
def _icons() -> frozenset[str]:
    return frozenset(_ICON.findall(Path(__file__).with_name("static").joinpath("icons.svg").read_text("utf-8")))
