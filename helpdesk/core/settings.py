"""Settings that an owner changes while the desk runs: typed dataclasses, kept as rows, forms generated from them."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, get_type_hints
from zoneinfo import available_timezones

from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from helpdesk.core import audit, generation
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Setting, User
from helpdesk.core.transaction import after_commit, transaction
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import SettingsGroup, setting

_T = TypeVar("_T")
LOCALES = "helpdesk.locales"
THEMES = "helpdesk.themes"


class InvalidSettings(Exception):
    """Some values cannot be used; ``errors`` maps field names to sentences."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = dict(errors)


def zone_choices() -> list[tuple[str, str]]:
    """IANA zones for a form."""
    return [(zone, zone) for zone in _zones()]


@cache
def _zones() -> tuple[str, ...]:
    """Looked for once: it is a search through all folders of zones, and takes longer than a page."""
    return tuple(zone for zone in sorted(available_timezones()) if "/" in zone or zone == "UTC")


def locale_choices() -> list[tuple[str, str]]:
    """The languages that the screen speaks, each by its own name."""
    found: list[tuple[str, str]] = current_app.extensions[LOCALES]
    return found


def theme_choices() -> list[tuple[str, str]]:
    """The themes that were found, each by its title."""
    found: dict[str, Any] = current_app.extensions[THEMES]
    return sorted(((name, theme.title) for name, theme in found.items()), key=lambda pair: pair[1].casefold())


@dataclasses.dataclass(frozen=True)
class DeskSettings:
    """The desk itself."""

    name: str = setting(
        "Help desk", _l("Name of your desk"), _l("Customers see it on every page and mail."), required=True
    )
    welcome: str = setting("", _l("Welcome line"), _l("Stands below the heading of the customers' start page."))
    contact: str = setting(
        "", _l("Contact line"), _l("Opening hours or a phone number, in the foot of customers' pages.")
    )
    default_locale: str = setting(
        "en", _l("Language"), _l("Used for everybody who has not chosen one."), choices=locale_choices
    )
    time_zone: str = setting(
        "UTC", _l("Time zone"), _l("Used for everybody who has not chosen one."), choices=zone_choices
    )
    brand_color: str = setting(
        "#0c6170",
        _l("Your colour"),
        _l("For customers' pages and mails, as #rrggbb."),
        pattern="#[0-9a-fA-F]{6}",
    )
    theme: str = setting("default", _l("Theme"), _l("The look of all pages."), choices=theme_choices)
    tell_staff: bool = setting(
        False,
        _l("Tell agents by mail when a customer writes"),
        _l("The assignee, and agents who follow the ticket, get the message and can answer it by mail."),
    )
    undo_seconds: int = setting(
        10,
        _l("Seconds in which a reply can be taken back"),
        _l("An agent's reply leaves so long after it was sent, and can be stopped until then. 0: it leaves at once."),
        minimum=0,
        maximum=60,
    )
    security_contact: str = setting(
        "",
        _l("Where to report security holes"),
        _l(
            "A mail address or an https:// address. Programs look for it in /.well-known/security.txt. "
            "Empty: the form on your start page."
        ),
        pattern=r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+|https://[!-~]+",
    )
    set_up: bool = setting(False, _l("Set up"), _l("Whether the first start is finished."), internal=True)


@dataclasses.dataclass(frozen=True)
class BackupSettings:
    """Backups that the desk makes by itself; the schedule core.backup says whether it does."""

    at: str = setting(
        "03:00",
        _l("Time of the daily backup"),
        _l("In the time zone of the desk, for example 03:00."),
        required=True,
        pattern="([01][0-9]|2[0-3]):[0-5][0-9]",
    )
    keep_daily: int = setting(7, _l("Days that are kept"), _l("The newest backup of each."), minimum=1, maximum=366)
    keep_weekly: int = setting(4, _l("Weeks that are kept"), _l("The newest backup of each."), minimum=0, maximum=520)
    keep_monthly: int = setting(0, _l("Months that are kept"), _l("The newest backup of each."), minimum=0, maximum=600)
    verify: bool = setting(
        True,
        _l("Try a backup every week"),
        _l("It is restored into a throw-away place; that needs as much room as the whole desk for some minutes."),
    )


@dataclasses.dataclass(frozen=True)
class IntakeSettings:
    """Which ticket a message belongs to that comes in, and who follows it."""

    reopen_days: int = setting(
        14,
        _l("Days in which a closed ticket opens again"),
        _l("An answer that comes later begins a new ticket, which names the old one. 0: always a new one."),
        minimum=0,
        maximum=3650,
    )
    new_subject_days: int = setting(
        30,
        _l("Days after which a new subject is a new ticket"),
        _l("Who answers a message older than this, or a solved ticket, under another subject begins a new ticket."),
        minimum=1,
        maximum=3650,
    )
    copies_follow: bool = setting(
        True,
        _l("People in Cc follow the ticket"),
        _l("They get the answers from then on, and never what was written before. Ten at most."),
    )


# A name or an address with its port.
_SERVER = r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9]([A-Za-z0-9._-]{0,200}[A-Za-z0-9])?):[0-9]{1,5}"


@dataclasses.dataclass(frozen=True)
class RequestSettings:
    """What the desk may ask of web servers."""

    own_servers: str = setting(
        "",
        _l("Servers in your own network"),
        _l(
            "The desk asks no web server of your own network, so that nobody can look around in it. Write those here "
            "that it may, each with its port, separated by commas: 127.0.0.1:11333."
        ),
        pattern=rf"{_SERVER}(\s*,\s*{_SERVER})*",
    )

    @property
    def servers(self) -> frozenset[tuple[str, int]]:
        """``own_servers`` one by one: name or address in small letters, and port."""
        pairs = (text.strip().lower().rpartition(":") for text in self.own_servers.split(",") if text.strip())
        return frozenset((host.strip("[]"), int(port)) for host, _colon, port in pairs)


@dataclasses.dataclass(frozen=True)
class SecuritySettings:
    """Who needs a second step to sign in."""

    second_factor_agents: bool = setting(
        False,
        _l("Agents need a second step to sign in"),
        _l("A code of an app, asked for after the password. Who has none sets it up at the next visit."),
    )
    second_factor_supervisors: bool = setting(False, _l("Supervisors need a second step to sign in"))
    second_factor_admins: bool = setting(False, _l("Administrators need a second step to sign in"))


_SNOOZE = r"[1-9][0-9]{0,2}[hdw]|tomorrow|workday|week"


@dataclasses.dataclass(frozen=True)
class LatenessSettings:
    """When a ticket is near its time, for how long it may rest, and what happens after it was solved."""

    due_soon_hours: int = setting(
        4,
        _l("Hours before a ticket is due soon"),
        _l("Agents are told so long before a due date or a promised answer. 0: only when it has passed."),
        minimum=0,
        maximum=720,
    )
    snooze_choices: str = setting(
        "1h, 3h, tomorrow, workday, week",
        _l("Choices for snoozing"),
        _l("With commas between them: 3h, 2d, 1w, tomorrow, workday (the next working day), week (next Monday)."),
        pattern=rf"({_SNOOZE})(\s*,\s*({_SNOOZE})){{0,9}}",
    )
    ask_customer: bool = setting(
        True,
        _l("Ask customers whether it is solved"),
        _l("A mail with two links goes out when a ticket is solved: yes, or no, open it again."),
    )
    close_days: int = setting(
        7,
        _l("Days after which a solved ticket closes by itself"),
        _l("Counted from when it was solved, if the customer says nothing. 0: never."),
        minimum=0,
        maximum=3650,
    )


CORE_GROUPS = (
    SettingsGroup("desk", _l("Desk"), DeskSettings),
    SettingsGroup("security", _l("Security"), SecuritySettings),
    SettingsGroup("intake", _l("Incoming messages"), IntakeSettings),
    SettingsGroup("lateness", _l("Due dates and solving"), LatenessSettings),
    SettingsGroup("backup", _l("Backups"), BackupSettings),
    SettingsGroup("requests", _l("Requests to other servers"), RequestSettings),
)


def groups() -> list[SettingsGroup]:
    """Every group of settings: the core's, then those of the plugins that are on."""
    return [*CORE_GROUPS, *(found.item for found in manager.current().contributions("register_settings"))]


def group(name: str) -> SettingsGroup | None:
    """The group of that name, or None."""
    return next((found for found in groups() if found.name == name), None)


def get(model: type[_T]) -> _T:
    """The current values of a settings dataclass; what was never set has its default."""
    return generation.cached(
        f"settings:{model.__module__}.{model.__qualname__}", lambda: _made(model, stored(_group_of(model).name).items())
    )


def stored(group: str) -> Mapping[str, Any]:
    """What is kept of one group, as it is. All groups are read at once: the first page after a change needs several."""
    return generation.cached("settings", _stored).get(group, {})


def _stored() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for group, key, value in db.session.execute(select(Setting.group, Setting.key, Setting.value)):
        found.setdefault(group, {})[key] = value
    return found


def _load(model: type[_T]) -> _T:
    rows = db.session.execute(select(Setting.key, Setting.value).where(Setting.group == _group_of(model).name))
    return _made(model, ((key, value) for key, value in rows))


def _made(model: type[_T], rows: Iterable[tuple[str, Any]]) -> _T:
    known = {field.name: field for field in dataclasses.fields(model)}  # type: ignore[arg-type]
    types = get_type_hints(model)
    values = {key: value for key, value in rows if key in known and isinstance(value, types[key])}
    return model(**values)


def _group_of(model: type) -> SettingsGroup:
    groups = [
        *CORE_GROUPS,
        *(found.item for found in manager.current().contributions("register_settings", include_off=True)),
    ]
    for found in groups:
        if found.model is model:
            return found
    raise LookupError(f"{model.__qualname__} is not a registered settings class; return it from register_settings().")


def save(model: type[_T], values: Mapping[str, Any], actor: User | None) -> _T:
    """Check and store some values of a settings dataclass, with an audit entry of what changed; the rest stays.

    Values may be text from a form. Joins or opens a transaction. Raises :class:`InvalidSettings`;
    nothing is stored then.
    """
    found = _group_of(model)
    checked = check(model, values)
    secrets = {field.name for field in dataclasses.fields(model) if field.metadata.get("secret")}  # type: ignore[arg-type]
    with transaction():
        before = _load(model)
        for key, value in checked.items():
            db.session.merge(Setting(group=found.name, key=key, value=value))
        changed = {key: value for key, value in checked.items() if value != getattr(before, key)}
        shown = {key: "…" if key in secrets else value for key, value in changed.items()}
        audit.record("settings.changed", actor, found.name, shown)
        generation.bump()
        # Workers look at the schedules anew: one may be due at another time now.
        after_commit(lambda: ledger.nudge(now()))
    return get(model)


def check(model: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert and check ``values`` by the dataclass. Raises :class:`InvalidSettings`."""
    fields = {field.name: field for field in dataclasses.fields(model)}
    types = get_type_hints(model)
    checked: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for key, value in values.items():
        if key not in fields:
            errors[key] = _("There is no setting “%(name)s”.", name=key)
            continue
        try:
            checked[key] = _check_value(fields[key], types[key], value)
        except ValueError as error:
            errors[key] = str(error)
    if errors:
        raise InvalidSettings(errors)
    return checked


def choices_of(field: dataclasses.Field[Any]) -> list[tuple[str, Any]]:
    """The choices of a setting, asked for now."""
    choices = field.metadata.get("choices") or ()
    return list(choices() if callable(choices) else choices)


def _check_value(field: dataclasses.Field[Any], kind: Any, value: Any) -> Any:
    meta = field.metadata
    if kind is bool:
        return value if isinstance(value, bool) else str(value).lower() in ("1", "true", "on", "yes", "y")
    if kind is int:
        return _check_number(meta, value)
    text = str(value) if meta.get("secret") else str(value).strip()
    if meta.get("required") and not text:
        raise ValueError(_("Fill this in."))
    choices = choices_of(field)
    if choices and text not in {key for key, _label in choices}:
        raise ValueError(_("Choose one of the list."))
    if meta.get("pattern") and text and not re.fullmatch(meta["pattern"], text):
        raise ValueError(_("This does not have the right form: %(hint)s", hint=meta.get("hint") or meta["pattern"]))
    if not meta.get("multiline") and any(mark in text for mark in "\r\n\x00"):
        raise ValueError(_("Write it on one line."))
    if len(text) > 10_000:
        raise ValueError(_("This is too long; 10,000 characters fit."))
    return text


def _check_number(meta: Mapping[str, Any], value: Any) -> int:
    try:
        number = int(str(value).strip())
    except ValueError:
        raise ValueError(_("Write a whole number.")) from None
    low, high = meta.get("minimum"), meta.get("maximum")
    if low is not None and number < low:
        raise ValueError(_("Use %(number)s or more.", number=low))
    if high is not None and number > high:
        raise ValueError(_("Use %(number)s or less.", number=high))
    return number
