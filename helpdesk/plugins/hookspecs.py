"""Every hook, one file. The kind says when it is called, what it may return and what happens when it raises.

kinds: ``registration`` once at start; ``before`` ahead of the write transaction, each on a copy of the draft;
``fact`` after commit, in a worker, once per plugin; ``answer`` first not None; ``guard`` any False denies;
``slot`` at render time; ``all`` of every plugin that is loaded, off or on. Implementations name only the
arguments that they want.
"""

# The functions are documentation and signature; they have no bodies.
# mypy: disable-error-code="empty-body"
# ruff: noqa: F821

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from helpdesk.plugins.contributions import (
    Act,
    Action,
    Badge,
    Channel,
    Command,
    ComposerTool,
    Field,
    Importer,
    Job,
    MessageBlock,
    NavItem,
    Panel,
    Permission,
    Report,
    Room,
    Schedule,
    Service,
    SettingsGroup,
    Suggestion,
)

if TYPE_CHECKING:
    from flask import Blueprint

PROJECT = "helpdesk"
hookimpl = pluggy.HookimplMarker(PROJECT)
_spec = pluggy.HookspecMarker(PROJECT)

_F = TypeVar("_F", bound=Callable[..., Any])
KINDS: dict[str, str] = {}


def _kind(kind: str) -> Callable[[_F], _F]:
    def mark(function: _F) -> _F:
        KINDS[function.__name__] = kind
        return _spec(function)

    return mark


def hookspec(kind: str) -> Callable[[_F], _F]:
    """Mark a function as a hook that a plugin offers to others, of one of the kinds above (not registration or before).

    Its name begins with the plugin's and an underscore; it is offered by returning it from ``register_hookspecs``.
    Raises ValueError for another kind.
    """
    if kind not in ("fact", "answer", "slot"):
        raise ValueError("A plugin's own hook is of the kind fact, answer or slot.")

    def mark(function: _F) -> _F:
        function.helpdesk_kind = kind  # type: ignore[attr-defined]
        return _spec(function)

    return mark


# ---- registration: once at start; a plugin that raises here is left out, the rest start


@_kind("registration")
def register_settings() -> Sequence[SettingsGroup]:
    """Settings that an owner can change while the desk runs; the form is generated from the dataclass.

    Called once at start, outside any transaction.

    Example::

        @hookimpl
        def register_settings():
            return [SettingsGroup("surveys", _("Surveys"), SurveySettings)]
    """


@_kind("registration")
def register_permissions() -> Sequence[Permission]:
    """Permissions of the plugin's own, checked with ``allowed(user, "<plugin>.<verb>")``.

    Called once at start, outside any transaction.

    Example::

        @hookimpl
        def register_permissions():
            return [Permission("surveys.read", _("See survey results"))]
    """


@_kind("registration")
def register_channels() -> Sequence[Channel]:
    """Ways in and out: how raw items are parsed and how deliveries are sent.

    Called once at start, outside any transaction.

    Example::

        @hookimpl
        def register_channels():
            return [Channel("email", _("E-mail"), parse=parse, send=send)]
    """


@_kind("registration")
def register_jobs() -> Sequence[Job]:
    """Functions that workers run when ``schedule(name, ...)`` asked for them.

    Called once at start, outside any transaction. Names begin with the plugin's name and a dot. A short function runs
    inside one transaction, which marks it done as well; one with a parameter ``work`` runs outside, in steps.

    Example::

        @hookimpl
        def register_jobs():
            return [Job("surveys.send", send_survey), Job("surveys.count", count_all, at_once=1)]
    """


@_kind("registration")
def register_blueprints() -> "Sequence[Blueprint]":
    """Pages of the plugin, served under ``/p/<plugin>``; the blueprint has the plugin's name.

    Called once at start, outside any transaction. App-wide functions (``before_app_request`` ...) are refused.

    Example::

        @hookimpl
        def register_blueprints():
            return [blueprint]
    """


@_kind("registration")
def register_commands() -> Sequence[Command]:
    """Commands for operators, mounted at ``helpdesk <plugin>``.

    Called once when the command line starts, outside any transaction.

    Example::

        @hookimpl
        def register_commands():
            return [Command(surveys_cli)]
    """


@_kind("registration")
def register_ticket_fields() -> Sequence[Field]:
    """Custom fields of tickets that the plugin needs; made when it first starts, kept while it is off.

    Called once at start, outside any transaction. Names begin with the plugin's name and an underscore.

    Example::

        @hookimpl
        def register_ticket_fields():
            return [Field("orders_number", _("Order number"), public=True)]
    """


@_kind("registration")
def register_schedules() -> Sequence[Schedule]:
    """Jobs that come again, by the clock or every so long.

    Called once at start, outside any transaction. Names begin with the plugin's name and a dot.

    Example::

        @hookimpl
        def register_schedules():
            return [Schedule("orders.nightly", "orders.fetch", daily_at="03:00")]
    """


@_kind("registration")
def register_services() -> Sequence[Service]:
    """Loops that workers keep running beside their jobs, such as a connection that waits for mail.

    Called once at start, outside any transaction. Names begin with the plugin's name and a dot.

    Example::

        @hookimpl
        def register_services():
            return [Service("orders.watch", _("Order watch"), watch)]
    """


@_kind("registration")
def register_reports() -> Sequence[Report]:
    """Tables over a span of time, for the page of reports.

    Called once at start, outside any transaction. Names begin with the plugin's name and a dot.

    Example::

        @hookimpl
        def register_reports():
            return [Report("orders.by_team", _("Orders by team"), orders_by_team)]
    """


@_kind("registration")
def register_importers() -> Sequence[Importer]:
    """Sources for ``helpdesk import``.

    Called once at start, outside any transaction.

    Example::

        @hookimpl
        def register_importers():
            return [Importer("orders", _("Orders as CSV"), read_csv, take_order)]
    """


@_kind("registration")
def register_acts() -> Sequence[Act]:
    """What the acts are called that the plugin records with ``audit``, for the room “Record”.

    Called once at start, outside any transaction. Names begin with the plugin's name and a dot. An act without a label
    is shown by its name.

    Example::

        @hookimpl
        def register_acts():
            return [Act("orders.price_changed", _("Price changed"))]
    """


@_kind("registration")
def register_hookspecs() -> Sequence[Any]:
    """Hooks that this plugin offers to others: functions marked with ``hookspec(kind)``, named ``<plugin>_...``.

    Called once at start, before any plugin's implementations are checked, outside any transaction. The plugin calls
    them with ``ask``, ``collect`` or ``publish``; others implement them with ``@hookimpl(optionalhook=True)``.

    Example::

        @hookspec("answer")
        def orders_find_price(article):
            \"\"\"The price of an article, or None.\"\"\"


        @hookimpl
        def register_hookspecs():
            return [orders_find_price]
    """


# ---- before: ahead of the write transaction, each on a copy; Reject stops, any other error is logged and skipped


@_kind("before")
def before_message_accepted(intake: Any) -> None:
    """Before an incoming item is threaded: change the ``IntakeDraft`` in place, or raise ``Reject``.

    Called in a worker (or the command line), outside any transaction; a rejected item is kept as ignored
    with the reason.

    Example::

        @hookimpl
        def before_message_accepted(intake):
            if intake.sender_address.endswith("@spam.example"):
                raise Reject("The sender is blocked.")
    """


@_kind("before")
def before_ticket_opened(draft: Any, actor: Any) -> None:
    """Before a ticket is made: change the ``TicketDraft`` in place, or raise ``Reject``.

    Called before the write transaction opens; versions are checked again inside it.

    Example::

        @hookimpl
        def before_ticket_opened(draft):
            if "invoice" in draft.subject.lower():
                draft.tags.append("billing")
    """


@_kind("before")
def before_message_added(ticket: Any, draft: Any, actor: Any) -> None:
    """Before a reply or note is written: change the ``MessageDraft`` in place, or raise ``Reject``.

    Called before the write transaction opens.

    Example::

        @hookimpl
        def before_message_added(ticket, draft):
            draft.text = draft.text.replace("colour", "color")
    """


@_kind("before")
def before_status_changed(ticket: Any, status: Any, actor: Any) -> None:
    """Before a ticket gets another status: raise ``Reject`` to refuse it with a reason.

    Called before the write transaction opens.

    Example::

        @hookimpl
        def before_status_changed(ticket, status):
            if status.category == "solved" and not ticket.tags:
                raise Reject("Tag the ticket before you solve it.")
    """


@_kind("before")
def before_delivery_sent(outgoing: Any) -> None:
    """Before one outgoing copy leaves: change the ``OutgoingMessage`` in place, or raise ``Reject``.

    Called in a worker, outside any transaction; a rejected delivery is cancelled with the reason.

    Example::

        @hookimpl
        def before_delivery_sent(outgoing):
            outgoing.text += "\\n\\nSent from our workshop"
    """


# ---- facts: after commit, from the events, in a worker, once per plugin; retried when one raises


@_kind("fact")
def ticket_opened(ticket: Any, event: Any) -> None:
    """A ticket was made.

    Called in a worker inside one transaction per fact and plugin: what the plugin writes and the note
    that it has seen this fact are committed together.

    Example::

        @hookimpl
        def ticket_opened(ticket):
            schedule("surveys.remind", at=now() + timedelta(days=1), ticket_id=ticket.id)
    """


@_kind("fact")
def message_added(ticket: Any, message: Any, event: Any) -> None:
    """A reply or note was written. Called like :func:`ticket_opened`.

    Example::

        @hookimpl
        def message_added(ticket, message):
            if message.visibility == "public":
                count_words(message.text)
    """


@_kind("fact")
def ticket_assigned(ticket: Any, event: Any) -> None:
    """A ticket has another assignee (``event.data``: ``from``, ``to`` ids). Called like :func:`ticket_opened`.

    Example::

        @hookimpl
        def ticket_assigned(ticket):
            notify(ticket.assignee)
    """


@_kind("fact")
def ticket_moved(ticket: Any, event: Any) -> None:
    """A ticket went to another team (``event.data``: ``from``, ``to`` ids). Called like :func:`ticket_opened`.

    Example::

        @hookimpl
        def ticket_moved(ticket, event):
            log_handover(event.data["from"], event.data["to"])
    """


@_kind("fact")
def ticket_status_changed(ticket: Any, event: Any) -> None:
    """A ticket has another status (``event.data``: ``from``, ``to`` keys and categories).

    Called like :func:`ticket_opened`.

    Example::

        @hookimpl
        def ticket_status_changed(ticket, event):
            if event.data["to_category"] == "solved":
                schedule("surveys.send", at=now() + timedelta(hours=2), ticket_id=ticket.id)
    """


@_kind("fact")
def ticket_updated(ticket: Any, event: Any) -> None:
    """Subject, priority, tags, followers or a field changed (``event.data["field"]``).

    Called like :func:`ticket_opened`.

    Example::

        @hookimpl
        def ticket_updated(ticket, event):
            if event.data["field"] == "priority":
                recompute_deadline(ticket)
    """


@_kind("fact")
def people_merged(merge_id: int, survivor_id: int, merged_id: int) -> None:
    """One customer's record went into another's: rows that name the person ``merged_id`` are ``survivor_id``'s now.

    Called like :func:`ticket_opened`, without a ticket. Move your rows by ``move_rows``, which notes each, so that
    they can be moved back. Rows of which a person has one at most are yours to join.

    Example::

        @hookimpl
        def people_merged(merge_id):
            move_rows(merge_id, Parcel.recipient_id)
    """


@_kind("fact")
def people_unmerged(merge_id: int, survivor_id: int, merged_id: int) -> None:
    """A merge of two customers was undone. Called like :func:`people_merged`; what came since stays where it is.

    Example::

        @hookimpl
        def people_unmerged(merge_id):
            move_back(merge_id, Parcel.recipient_id)
    """


@_kind("fact")
def event_recorded(event: Any) -> None:
    """Any event was recorded, a plugin's own too. Called like :func:`ticket_opened`.

    Example::

        @hookimpl
        def event_recorded(event):
            forward_to_webhook(event.kind, event.data)
    """


# ---- answers: the first that is not None


@_kind("answer")
def choose_team(draft: Any) -> Any:
    """The team that a new ticket goes to, or None. Called before the write transaction opens.

    Example::

        @hookimpl
        def choose_team(draft):
            return team_named("Workshop") if "brake" in draft.subject else None
    """


@_kind("answer")
def choose_assignee(ticket: Any) -> Any:
    """The agent that takes a new ticket, or None. Called inside the transaction that opens it; be quick.

    Example::

        @hookimpl
        def choose_assignee(ticket):
            return least_busy(ticket.team)
    """


@_kind("answer")
def find_ticket(intake: Any) -> Any:
    """The ticket that an incoming item belongs to, or None. Asked after reply token and References.

    Called outside any transaction. The sender must be a participant of that ticket all the same.

    Example::

        @hookimpl
        def find_ticket(intake):
            return ticket_of_order(intake.subject)
    """


# ---- guards: any False denies, an error denies, True never grants; one opens, within what the core allows


@_kind("guard")
def veto(user: Any, permission: str, obj: Any) -> bool | None:
    """Whether ``user`` may use ``permission`` on ``obj``: return False to deny. Called at each check.

    Example::

        @hookimpl
        def veto(user, permission):
            if permission == "ticket.reply" and in_training(user):
                return False
    """


@_kind("guard")
def limit_tickets(user: Any) -> Any:
    """An SQL criterion that every ticket the user sees must meet, or None. Lists, counts and search agree.

    Called at each query for tickets.

    Example::

        @hookimpl
        def limit_tickets(user):
            if user.role == "agent":
                return Ticket.channel != "vip"
    """


@_kind("guard")
def opened_permissions(user: Any) -> Collection[str]:
    """The permissions that ``user``, one of staff, has beyond their role: names. Called where the role does not grant.

    Only what supervisors have can be opened, and of plugins what they register for supervisors: never what
    administrators alone have, nothing outside the scopes of a token, nothing on a ticket that the person does not see.
    ``veto`` still denies. One that raises opens nothing. Be quick (keep what you need with ``cached``), and do not call
    ``allowed`` in it.

    Example::

        @hookimpl
        def opened_permissions(user):
            return ["ticket.export"] if is_deputy(user.id) else []
    """


@_kind("guard")
def limit_assignees(tickets: Sequence[Any], people: Sequence[Any]) -> Mapping[int, Collection[int]] | None:
    """Who of ``people`` may be given a ticket by itself: their numbers, for the id of each ticket that is limited.

    Tickets that are not named go to whom they would have gone; of several plugins all must agree. Called for all
    tickets and people at once inside the transaction that gives them out, after ``choose_assignee`` as well; by hand
    everybody may still be chosen. One that raises lets nobody take them.

    Example::

        @hookimpl
        def limit_assignees(tickets, people):
            seniors = [user.id for user in people if is_senior(user.id)]
            return {ticket.id: seniors for ticket in tickets if ticket.priority == "urgent"}
    """


# ---- slots: at render time; one that raises becomes a small box that names its plugin


@_kind("slot")
def nav_items(user: Any) -> Sequence[NavItem]:
    """Entries for the desk's main navigation. Called at each page.

    Example::

        @hookimpl
        def nav_items(user):
            return [NavItem(_("Surveys"), "surveys.index", icon="star")]
    """


@_kind("slot")
def admin_rooms(user: Any) -> Sequence[Room]:
    """Rooms of the administration, as cards on its first page. Called when it is opened.

    Example::

        @hookimpl
        def admin_rooms(user):
            waiting = orders_without_price()
            return [Room(_("Price lists"), "orders.prices", _("What things cost"), attention=waiting)]
    """


@_kind("slot")
def ticket_panels(ticket: Any, user: Any) -> Sequence[Panel]:
    """Boxes beside a ticket. Called when the side of a ticket page is loaded.

    Example::

        @hookimpl
        def ticket_panels(ticket):
            return [Panel(_("Orders"), "orders/panel.html", {"orders": orders_of(ticket.requester)})]
    """


@_kind("slot")
def message_blocks(messages: Sequence[Any], user: Any) -> Sequence[MessageBlock]:
    """Parts below the text of messages, and short words in their heads. Called once for all messages of a ticket's
    page: ask the database once.

    Example::

        @hookimpl
        def message_blocks(messages):
            spoken = transcripts_of([message.id for message in messages])
            return [MessageBlock(number, "calls/words.html", {"words": words}) for number, words in spoken.items()]
    """


@_kind("slot")
def ticket_actions(ticket: Any, user: Any) -> Sequence[Action]:
    """Entries in a ticket's menu. Called when the ticket's page is loaded.

    Example::

        @hookimpl
        def ticket_actions(ticket):
            return [Action(_("Order again"), "orders.again", {"number": ticket.number})]
    """


@_kind("slot")
def ticket_badges(tickets: Sequence[Any], user: Any) -> Mapping[int, Sequence[Badge]]:
    """Short words on tickets: for each id of ``tickets`` that has some. Called once for a whole list: ask the
    database once.

    Example::

        @hookimpl
        def ticket_badges(tickets):
            return {ticket.id: [Badge(_("VIP"), "violet")] for ticket in tickets if is_vip(ticket)}
    """


@_kind("slot")
def composer_tools(ticket: Any, user: Any) -> Sequence[ComposerTool]:
    """Buttons of the composer. Called when the ticket's page is loaded.

    Example::

        @hookimpl
        def composer_tools(ticket):
            return [ComposerTool(_("Price list"), "orders.prices")]
    """


@_kind("slot")
def reply_suggestions(ticket: Any, user: Any) -> Sequence[Suggestion]:
    """Answers that an agent may start from. Called after the ticket's page is shown, so it may take a moment.

    Example::

        @hookimpl
        def reply_suggestions(ticket):
            return [Suggestion(_("Where your order is"), text_for(ticket), reason=_("The ticket names an order."))]
    """


@_kind("slot")
def user_panels(person: Any, user: Any) -> Sequence[Panel]:
    """Boxes on a person's page; ``user`` is who looks. Called at each such page.

    Example::

        @hookimpl
        def user_panels(person):
            return [Panel(_("Orders"), "orders/of_person.html", {"orders": orders_of(person)})]
    """


@_kind("slot")
def team_panels(team: Any, user: Any) -> Sequence[Panel]:
    """Boxes on a team's page; ``user`` is who looks. Called at each such page.

    Example::

        @hookimpl
        def team_panels(team):
            return [Panel(_("Open orders"), "orders/of_team.html", {"count": open_orders(team)})]
    """


@_kind("slot")
def dashboard_widgets(user: Any) -> Sequence[Panel]:
    """Boxes on the dashboard. Called when it is loaded.

    Example::

        @hookimpl
        def dashboard_widgets(user):
            return [Panel(_("Orders today"), "orders/today.html", {"count": orders_today()}, wide=True)]
    """


@_kind("slot")
def portal_blocks(user: Any) -> Sequence[Panel]:
    """Boxes on the customers' start page. Called at each; ``user`` is None for somebody who has not signed in.

    Example::

        @hookimpl
        def portal_blocks():
            return [Panel(_("Opening hours"), "orders/hours.html")]
    """


# ---- personal data: asked of plugins that are off, too


@_kind("all")
def export_personal_data(user: Any) -> Mapping[str, Any]:
    """What the plugin keeps about a person, as JSON. Called outside any transaction, of plugins that are off, too.

    Example::

        @hookimpl
        def export_personal_data(user):
            return {"orders": [order.number for order in orders_of(user)]}
    """


@_kind("all")
def erase_personal_data(user: Any) -> None:
    """Delete or make anonymous what the plugin keeps about a person. Called inside the transaction that erases
    the person, of plugins that are off, too; when one raises nothing is erased and the operator is told.

    Example::

        @hookimpl
        def erase_personal_data(user):
            db.session.execute(delete(Order).where(Order.user_id == user.id))
    """


# ---- files: asked of plugins that are off, too


@_kind("all")
def stored_files_in_use(hashes: Sequence[str]) -> Collection[str]:
    """Which of these files, by their SHA-256, the plugin still needs: what nobody names is removed from the disk.

    Called by a job inside a transaction, of plugins that are off, too; when one raises, nothing is removed.

    Example::

        @hookimpl
        def stored_files_in_use(hashes):
            return db.session.scalars(select(Picture.sha256).where(Picture.sha256.in_(hashes))).all()
    """
