"""OAuth 2 (RFC 6749, section 6): a token that lasts an hour for one that lasts until somebody takes it back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from helpdesk.api import FetchFailed, FetchRefused, db, fetch, now, transaction
from helpdesk.api import gettext as _
from helpdesk_email.access import AccessFailed, SignInFailed
from helpdesk_email.models import Mailbox, Server
from helpdesk_email.outgoing import one_line

_TIMEOUT = 20.0
_LONGEST = 64 * 1024
# A token is not used in its last minute: the server may look at it a moment later.
_MARGIN = timedelta(minutes=1)
_LASTS = timedelta(hours=1)
CUSTOM = "custom"


@dataclass(frozen=True)
class Provider:
    """Who gives out tokens: where they are asked for, and what they are to allow."""

    title: str
    token_url: str = ""
    scopes: tuple[str, ...] = ()


PROVIDERS: Mapping[str, Provider] = {
    "google": Provider("Google", "https://oauth2.googleapis.com/token", ("https://mail.google.com/",)),
    "microsoft": Provider(
        "Microsoft",
        "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        (
            "https://outlook.office.com/IMAP.AccessAsUser.All",
            "https://outlook.office.com/POP.AccessAsUser.All",
            "https://outlook.office.com/SMTP.Send",
            "offline_access",
        ),
    ),
    CUSTOM: Provider("OAuth 2"),
}


class _Ended(SignInFailed):
    """The refresh token is good no longer."""


def access_token(access: Mailbox | Server) -> str:
    """A token for a mailbox or server whose ``oauth`` is set: the kept one, or a new one, kept in a transaction of its
    own. Call it outside transactions. Raises AccessFailed (a DeliveryFailed) with a sentence.
    """
    model, number, sent = type(access), access.id, access.oauth_refresh_token
    try:
        return _token(access)
    except _Ended:
        # Somebody else may have been given a new one meanwhile, and the old one ended by that.
        again = db.session.get(model, number, populate_existing=True)
        if again is None or again.oauth_refresh_token == sent:
            raise
        return _token(again)


def _token(access: Mailbox | Server) -> str:
    expires = access.oauth_expires_at
    if access.oauth_access_token and expires is not None and expires - _MARGIN > now():
        return access.oauth_access_token
    model, number = type(access), access.id
    url = access.oauth_token_url or PROVIDERS.get(access.oauth, Provider("")).token_url
    form = {
        "grant_type": "refresh_token",
        "refresh_token": access.oauth_refresh_token,
        "client_id": access.oauth_client_id,
        "client_secret": access.oauth_client_secret,
    }
    # Nothing is held open while the network is waited for.
    db.session.rollback()
    answer = _ask(url, {key: value for key, value in form.items() if value})
    token = answer.get("access_token")
    if not isinstance(token, str) or not token.isascii():
        raise AccessFailed(_("%(host)s gave no token. Check the address for tokens.", host=_host(url)))
    _keep(model, number, form["refresh_token"], answer)
    return token


def _keep(model: type[Mailbox] | type[Server], number: int, sent: str, answer: Mapping[str, Any]) -> None:
    with transaction():
        row = db.session.get(model, number, with_for_update=True)
        # Who asked later, or an owner, has written a newer one.
        if row is None or row.oauth_refresh_token != sent:
            return
        row.oauth_access_token = answer["access_token"]
        row.oauth_expires_at = now() + _lasts(answer.get("expires_in"))
        if isinstance(renewed := answer.get("refresh_token"), str) and renewed:
            # Some hand out a new one each time, and the old one ends.
            row.oauth_refresh_token = renewed


def _lasts(seconds: object) -> timedelta:
    try:
        return min(timedelta(seconds=max(0, int(str(seconds)))), timedelta(days=30))
    except (ValueError, OverflowError):
        return _LASTS


def _ask(url: str, form: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        answer = fetch(
            url,
            method="POST",
            body=urlencode(form).encode("ascii"),
            headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
            seconds=_TIMEOUT,
            largest=_LONGEST,
        )
    except FetchRefused as error:
        raise AccessFailed(_("Check the address for tokens. %(reason)s", reason=str(error))) from error
    except FetchFailed as error:
        raise AccessFailed(_("No token could be asked for. %(reason)s", reason=str(error))) from error
    if not 200 <= answer.status < 300:
        raise _refusal(url, answer.status, _read(answer.body))
    return _read(answer.body)


def _read(said: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _refusal(url: str, status: int, answer: Mapping[str, Any]) -> AccessFailed:
    kind = str(answer.get("error", ""))
    words = one_line(str(answer.get("error_description") or kind or status))[:200]
    if kind == "invalid_grant":
        return _Ended(
            _(
                "Sign in again at %(host)s and enter the new refresh token: the old one has ended or was taken back "
                "(%(words)s).",
                host=_host(url),
                words=words,
            )
        )
    if kind in ("invalid_client", "unauthorized_client"):
        return SignInFailed(
            _(
                "%(host)s does not know this desk: check client ID and client secret (%(words)s).",
                host=_host(url),
                words=words,
            )
        )
    return AccessFailed(_("%(host)s gave no token: %(words)s.", host=_host(url), words=words))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url[:100]
    except ValueError:
        return url[:100]
