"""Parcels: where a customer's parcel is, as a plugin author wrote it for the first release."""

from helpdesk.api import (
    Channel,
    CheckStep,
    Command,
    Job,
    NavItem,
    Panel,
    Permission,
    Reject,
    SettingsGroup,
    Team,
    Ticket,
    allowed,
    db,
    hookimpl,
    lazy_gettext,
    now,
    record,
    schedule,
    settings,
    tag,
)
from helpdesk_parcels import channel, commands, service, views
from helpdesk_parcels.config import ParcelSettings
from helpdesk_parcels.models import Parcel


@hookimpl
def register_settings():
    return [SettingsGroup("parcels", lazy_gettext("Parcels"), ParcelSettings)]


@hookimpl
def register_permissions():
    return [Permission("parcels.see", lazy_gettext("See parcels"), ("agent", "supervisor", "admin"))]


@hookimpl
def register_channels():
    return [
        Channel(
            "parcels",
            lazy_gettext("Carrier"),
            parse=channel.parse,
            send=channel.send,
            new_identity=channel.new_identity,
            describe=lambda raw: {"bytes": len(raw)},
            check=lambda address: [CheckStep("Carrier", True, detail=address)],
        )
    ]


@hookimpl
def register_jobs():
    return [Job("parcels.look", service.look, max_attempts=3)]


@hookimpl
def register_blueprints():
    return [views.blueprint]


@hookimpl
def register_commands():
    return [Command(commands.parcels)]


@hookimpl
def before_message_accepted(intake):
    if intake.sender_address.endswith("@blocked.example"):
        raise Reject("The carrier is blocked.")
    intake.subject = intake.subject or "A parcel"


@hookimpl
def before_ticket_opened(draft, actor):
    if service.numbers_in(draft.subject):
        draft.tags.append("parcel")


@hookimpl
def before_message_added(ticket, draft, actor):
    if "do not send" in draft.text:
        return Reject("Somebody asked not to.")


@hookimpl
def before_status_changed(ticket, status, actor):
    if status.category == "solved" and any(one.name == "lost" for one in ticket.tags):
        raise Reject("Find the parcel first.")


@hookimpl
def before_delivery_sent(outgoing):
    outgoing.text += "\n\n" + settings(ParcelSettings).greeting


@hookimpl
def ticket_opened(ticket, event):
    for number in service.numbers_in(ticket.subject):
        db.session.add(Parcel(number=number, ticket_id=ticket.id, seen_at=now()))
        schedule("parcels.look", number=number)


@hookimpl
def message_added(ticket, message, event):
    if "lost" in message.text:
        tag(ticket, ["lost"], None)


@hookimpl
def ticket_assigned(ticket, event):
    record("parcels.assigned", ticket, None, {"to": event.data["to"]})


@hookimpl
def ticket_moved(ticket, event):
    service.heard.append(("moved", event.data["to"]))


@hookimpl
def ticket_status_changed(ticket, event):
    service.heard.append(("status", event.data["to_category"]))


@hookimpl
def ticket_updated(ticket, event):
    service.heard.append(("updated", event.data["field"]))


@hookimpl
def event_recorded(event):
    service.heard.append(("event", event.kind))


@hookimpl
def choose_team(draft):
    return db.session.scalar(db.select(Team).where(Team.name == "Parcels")) if "parcel" in draft.tags else None


@hookimpl
def choose_assignee(ticket):
    return ticket.team.members[0] if ticket.team and ticket.team.members else None


@hookimpl
def find_ticket(intake):
    return service.ticket_of(intake.subject)


@hookimpl
def veto(user, permission, obj):
    if permission == "ticket.close" and isinstance(obj, Ticket) and any(one.name == "lost" for one in obj.tags):
        return False


@hookimpl
def limit_tickets(user):
    return Ticket.subject != "secret parcel" if user.role == "agent" else None


@hookimpl
def nav_items(user):
    return [NavItem(lazy_gettext("Parcels"), "parcels.index", icon="package", permission="parcels.see", order=70)]


@hookimpl
def ticket_panels(ticket, user):
    if not allowed(user, "parcels.see", ticket):
        return []
    return [Panel(lazy_gettext("Parcels"), "parcels/panel.html", {"parcels": service.parcels_of(ticket)})]
