"""How one signs in at a server, as forms take it: mailboxes and outgoing servers have the same fields."""

from collections.abc import Collection, Mapping
from typing import Any

from helpdesk.api import gettext as _
from helpdesk_email import oauth
from helpdesk_email.forms import MailForm
from helpdesk_email.models import Mailbox, Server

SECRETS = ("password", "oauth_client_secret", "oauth_refresh_token")
# A token of another account is worth nothing.
FORGOTTEN: Mapping[str, Any] = {"oauth_access_token": "", "oauth_expires_at": None}
# What no page shows and no record names.
_HIDDEN = {*SECRETS, *FORGOTTEN, "secret"}
_ACCOUNT = ("host", "username", "oauth", "oauth_token_url", "oauth_client_id", "oauth_client_secret",
            "oauth_refresh_token")  # fmt: skip


def read(
    form: MailForm,
    saved: Mailbox | Server | None,
    *,
    needed: bool,
    port: int,
    usual_before: int = 0,
    anonymous: bool = False,
) -> None:
    """Take host, port, user and secrets. ``needed``: there must be a server; ``anonymous``: it may ask for no user.

    ``port`` is the usual one for what was chosen, ``usual_before`` that of what is saved: nobody typed that one, so
    it goes with the choice.
    """
    host = form.host("host", required=needed)
    typed = form.number("port", default=port, smallest=1, largest=65_535)
    if saved is not None and typed == saved.port == usual_before:
        form.values["port"] = port
    username = form.line("username", longest=320, required=needed and not anonymous)
    password = form.secret("password")
    provider = form.choice("oauth", ("", *oauth.PROVIDERS))
    form.line("oauth_token_url", longest=500)
    form.line("oauth_client_id", longest=500, required=needed and bool(provider))
    for name in SECRETS[1:]:
        form.secret(name)
    if saved is not None and _goes_elsewhere(form, saved, host):
        wanted = SECRETS[1:] if provider else SECRETS[:1] if username else ()
        _ask_again(form, saved, wanted if needed else ())
    if not needed:
        return
    if provider:
        _need_oauth(form, saved, provider)
    elif username and not password and not (saved and saved.password):
        form.refuse("password", _("Fill this in."))


def _need_oauth(form: MailForm, saved: Mailbox | Server | None, provider: str) -> None:
    if not form.values.get("oauth_refresh_token") and not (saved and saved.oauth_refresh_token):
        form.refuse("oauth_refresh_token", _("Fill this in."))
    address = form.values["oauth_token_url"]
    if address and not address.startswith(("https://", "http://")):
        form.refuse("oauth_token_url", _("Enter an address that begins with https://."))
    if not address and provider in oauth.PROVIDERS and not oauth.PROVIDERS[provider].token_url:
        form.refuse("oauth_token_url", _("Fill this in."))


def _goes_elsewhere(form: MailForm, saved: Mailbox | Server, host: str) -> bool:
    """Whether secrets would be sent to somebody else: the server, or whoever gives out tokens for it."""
    there = (host, form.values["oauth"], form.values["oauth_token_url"])
    return there != (saved.host, saved.oauth, saved.oauth_token_url)


def _ask_again(form: MailForm, saved: Mailbox | Server, wanted: Collection[str]) -> None:
    """A saved secret goes to nobody that it was not typed for: typed again where it is ``wanted``, else forgotten."""
    for name in SECRETS:
        if name in form.values or not getattr(saved, name):
            continue
        if name in wanted:
            form.refuse(name, _("Type it again: the server is another one."))
        else:
            form.values[name] = ""


def change(row: Mailbox | Server, form: MailForm, **reset: Any) -> dict[str, Any]:
    """Write what a form says, inside the open transaction; answer what is other than it was.

    What was wrong was wrong with what it was before: that goes, and so does what ``reset`` names.
    """
    changed = {key: value for key, value in form.values.items() if getattr(row, key) != value}
    if any(name in changed for name in _ACCOUNT):
        changed |= FORGOTTEN
    for key, value in {**changed, "error": "", "failed_at": None, **reset}.items():
        setattr(row, key, value)
    return changed


def for_the_record(changed: Mapping[str, Any]) -> dict[str, Any]:
    """What changed, as JSON for the record: of secrets only that they did."""
    return {key: "…" if key in _HIDDEN else value for key, value in changed.items()}


def as_saved(row: Mailbox | Server) -> dict[str, Any]:
    """What a form shows of a row; no secret among it."""
    return {column.key: getattr(row, column.key) for column in row.__table__.columns if column.key not in _HIDDEN}


def as_typed(form: MailForm) -> dict[str, Any]:
    """What was typed, to be corrected; no secret among it."""
    return {key: value for key, value in form.typed.items() if key not in SECRETS}


def which_are_saved(access: Mailbox | Server | None) -> dict[str, bool]:
    """Which secrets there are, without saying any."""
    return {name: bool(access and getattr(access, name)) for name in SECRETS}


def provider_choices() -> list[tuple[str, str]]:
    """The providers for a form."""
    return [("", _("None: with a password")), *((name, found.title) for name, found in oauth.PROVIDERS.items())]
