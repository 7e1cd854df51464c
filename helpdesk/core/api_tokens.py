"""Tokens by which programs act, for a person or for an account of their own: made, found again, ended.

A token leaves its user no more than its scopes (``permissions.narrow``); what the user may do is asked at each use. It
is shown once. At rest there is its SHA-256 alone, which is enough for 256 random bits.
"""

import secrets
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import joinedload

from helpdesk.core import audit, scopes, security_notices, throttle
from helpdesk.core.clock import now
from helpdesk.core.digests import digest_of
from helpdesk.core.extensions import db
from helpdesk.core.models import ApiToken, SignInAttempt, User
from helpdesk.core.models.columns import storable
from helpdesk.core.models.user import ADMIN
from helpdesk.core.permissions import NotAllowed, require
from helpdesk.core.transaction import count_rows, transaction

# Begins every token, so that a scanner of source code knows one when it sees one.
MARK = "hd_"
NAME_LENGTH, TOKENS = 80, 50
LONGEST = timedelta(days=365)
# So many wrong ones from one address in the window, then it waits.
_WRONG, _WINDOW = 20, timedelta(minutes=10)
_USED_EVERY = timedelta(minutes=1)
_SHOWN, _CHECK, _LENGTH = 10, 8, len(MARK) + 43 + 8


class TokenError(Exception):
    """A token cannot be made; the text is a sentence for the person. ``field`` names the input."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class WrongToken(Exception):
    """No token that can be used: unknown, expired, revoked, or its account is off. All look the same."""


class TooManyWrong(Exception):
    """Too many wrong tokens came from this address; ``seconds`` says when it may try again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(_("Too many wrong tokens came from your address. Wait, then try again."))
        self.seconds = seconds


@dataclass(frozen=True)
class Made:
    """A new token: its row, and the secret, which nobody can show again."""

    row: ApiToken
    secret: str


def make(
    user: User,
    name: str,
    wanted: Collection[str],
    expires_at: datetime | None,
    actor: User | None,
    *,
    never: bool = False,
) -> Made:
    """Make a token for ``actor`` themselves, or (who may ``user.edit``) for a service account.

    One transaction; audited, and the owner is told by mail, of a program's the administrators. ``expires_at`` is a
    moment within a year; None needs ``never``, which only administrators may say. Raises
    :class:`TokenError` for a name, scopes or a moment that do not fit, and NotAllowed.
    """
    if actor is not None and actor.id != user.id and not user.is_service:
        raise NotAllowed("user.edit")
    require(actor, "user.edit" if user.is_service else "desk.use")
    clean = _name(name)
    chosen = _scopes(user, wanted)
    _check_expiry(expires_at, never, actor)
    secret = _new_secret()
    row = ApiToken(
        user_id=user.id,
        created_by_id=actor.id if actor is not None else None,
        name=clean,
        digest=digest_of(secret),
        prefix=secret[:_SHOWN],
        scopes=chosen,
        expires_at=expires_at,
    )
    with transaction():
        db.session.refresh(user, with_for_update={"of": User})
        if not user.active:
            raise TokenError("form", _("This account is switched off; switch it on first."))
        if len(list_of(user)) >= TOKENS:
            raise TokenError("form", _("There are %(number)s tokens already; revoke some first.", number=TOKENS))
        db.session.add(row)
        db.session.flush()
        data = {"token": row.prefix, "scopes": chosen, "expires": expires_at.isoformat() if expires_at else None}
        audit.record("token.made", actor, _subject(user), data)
        if user.is_service:
            security_notices.tell_administrators(
                security_notices.PROGRAM_TOKEN_MADE, name=clean, program=user.display_name
            )
        else:
            security_notices.tell(user, security_notices.TOKEN_MADE, name=clean)
    return Made(row, secret)


def list_of(user: User) -> Sequence[ApiToken]:
    """The tokens of an account that were not revoked, newest first. One query."""
    query = select(ApiToken).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    return db.session.scalars(query.options(joinedload(ApiToken.created_by)).order_by(ApiToken.id.desc())).all()


def find(user: User, number: int) -> ApiToken | None:
    """A token of that account by its number, if it was not revoked."""
    return next((token for token in list_of(user) if token.id == number), None)


def revoke(token: ApiToken, actor: User | None) -> None:
    """End a token at once: one's own, or (who may ``user.edit``) anybody's. Once is enough.

    Joins or opens the transaction; audited. Raises NotAllowed.
    """
    if actor is None or actor.id != token.user_id:
        require(actor, "user.edit")
    with transaction():
        _end(ApiToken.id == token.id, actor)


def revoke_all(user: User, actor: User | None) -> None:
    """End every token of an account, when it is switched off, may do less, or is erased. Joins the open transaction."""
    _end(ApiToken.user_id == user.id, actor)


def use(secret: str, address: str) -> ApiToken:
    """The token of these characters, with its user; notes when and from where it is used, at most once a minute.

    Opens a transaction of its own when it notes that, and to count a wrong one by ``address``. A right token is never
    slowed down by others' wrong ones. Raises :class:`WrongToken`, :class:`TooManyWrong`.
    """
    token = _by_secret(secret) if _is_well_formed(secret) else None
    if token is None or not _is_alive(token):
        _refuse(token, address)
        raise WrongToken()
    if token.used_at is None or token.used_at < now() - _USED_EVERY:
        _note_use(token, address)
    return token


def is_expired(token: ApiToken) -> bool:
    """Whether its time is over."""
    return token.expires_at is not None and token.expires_at <= now()


def _end(which: ColumnElement[bool], actor: User | None) -> None:
    query = select(ApiToken).where(which, ApiToken.revoked_at.is_(None)).options(joinedload(ApiToken.user))
    for token in db.session.scalars(query.with_for_update(of=ApiToken)):
        token.revoked_at = now()
        audit.record("token.revoked", actor, _subject(token.user), {"token": token.prefix})


def _name(text: str) -> str:
    clean = " ".join(storable(text).split())
    if not clean:
        raise TokenError("name", _("Give the token a name that says what uses it."))
    if len(clean) > NAME_LENGTH:
        raise TokenError("name", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    return clean


def _scopes(user: User, wanted: Collection[str]) -> list[str]:
    offered = {scope.name for group in scopes.offered(user) for scope in group.scopes}
    if not wanted:
        raise TokenError("scopes", _("Choose what the token may do."))
    if not offered.issuperset(wanted):
        raise TokenError("scopes", _("A token may do no more than its account; choose from the list."))
    return sorted(set(wanted))


def _check_expiry(expires_at: datetime | None, never: bool, actor: User | None) -> None:
    if expires_at is None:
        if not never:
            raise TokenError("expires", _("Choose when the token expires."))
        if actor is not None and actor.role != ADMIN:
            raise TokenError("expires", _("Only administrators make tokens that never expire; choose a day."))
    elif not now() < expires_at <= now() + LONGEST + timedelta(days=1):
        raise TokenError("expires", _("Choose a day after today and within a year."))


def _new_secret() -> str:
    body = MARK + secrets.token_urlsafe(32)
    return body + _checksum(body)


def _checksum(body: str) -> str:
    """Tells a mistyped token, or a string that is none, without asking the database. It keeps nothing secret."""
    return f"{zlib.crc32(body.encode()):0{_CHECK}x}"


def _is_well_formed(secret: str) -> bool:
    if len(secret) != _LENGTH or not secret.startswith(MARK) or not secret.isascii():
        return False
    return _checksum(secret[:-_CHECK]) == secret[-_CHECK:]


def _by_secret(secret: str) -> ApiToken | None:
    query = select(ApiToken).where(ApiToken.digest == digest_of(secret))
    return db.session.scalar(query.options(joinedload(ApiToken.user)))


def _is_alive(token: ApiToken) -> bool:
    return token.revoked_at is None and not is_expired(token) and token.user.active


def _note_use(token: ApiToken, address: str) -> None:
    moment, number = now(), token.id
    due = or_(ApiToken.used_at.is_(None), ApiToken.used_at < moment - _USED_EVERY)
    with transaction():
        first = token.used_at is None
        noted = count_rows(
            update(ApiToken).where(ApiToken.id == number, due).values(used_at=moment, used_from=address[:64])
        )
        if first and noted:
            audit.record("token.first_used", token.user, _subject(token.user), {"token": token.prefix})


def _refuse(token: ApiToken | None, address: str) -> None:
    key, moment = throttle.key_of("token", throttle.network_of(address)), now()
    prefix, user = (token.prefix, token.user) if token is not None else ("", None)
    attempt = db.session.get(SignInAttempt, key)
    if attempt is not None and attempt.blocked_until is not None and attempt.blocked_until > moment:
        raise TooManyWrong(int((attempt.blocked_until - moment).total_seconds()) + 1)
    with transaction():
        row = throttle.count(key, _WINDOW)
        if row.failures >= _WRONG:
            row.blocked_until, row.failures, row.window_start = moment + _WINDOW, 0, moment
        audit.record("token.refused", user, _subject(user) if user else "", {"token": prefix} if prefix else {})


def _subject(user: User) -> str:
    return user.email or user.name or f"#{user.id}"
