"""People and their way in: making users, passwords, sign-in, single-use links."""

import hashlib
import re
import secrets
from datetime import timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import delete, func, select, update

from helpdesk.core import audit, deliveries, i18n, throttle
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Organization, SignInAttempt, Team, Token, User
from helpdesk.core.models.columns import storable
from helpdesk.core.models.user import ADMIN, REQUESTER, ROLES, session_stamp
from helpdesk.core.permissions import require
from helpdesk.core.transaction import add_or_find, count_rows, transaction

SETUP, INVITATION, RESET = "setup", "invitation", "reset"
LIFETIMES = {SETUP: timedelta(days=7), INVITATION: timedelta(days=7), RESET: timedelta(hours=2)}
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1024
# After so many failures within the window, the account (or the address) waits.
FAILURES, ADDRESS_FAILURES = 8, 40
WINDOW, PAUSE = timedelta(minutes=15), timedelta(minutes=15)
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,255}")


class AccountError(Exception):
    """Something about an account cannot be done; the text is a sentence for the person. ``field`` names the input."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class TooManyTries(AccountError):
    """Sign-in is paused for this account or address; ``minutes`` says how long."""

    def __init__(self, minutes: int) -> None:
        super().__init__("password", _("Too many tries. Wait %(minutes)s minutes, then try again.", minutes=minutes))
        self.minutes = minutes


# ---- people


def clean_email(text: str) -> str:
    """An address as it is stored: lower case. Raises :class:`AccountError`."""
    address = text.strip().lower()
    if len(address) > 254 or not _ADDRESS.fullmatch(address) or not address.isprintable():
        raise AccountError("email", _("“%(address)s” is no e-mail address.", address=text.strip()[:80]))
    return address


def by_email(text: str) -> User | None:
    """The user with that address, whatever its case."""
    return db.session.scalar(select(User).where(User.email == text.strip().lower()))


def requester_for(email: str, name: str = "", locale: str | None = None) -> User:
    """The user with that address, made as a requester if there is none. Joins or opens the transaction.

    A missing name is filled in; what is there is never overwritten. Raises :class:`AccountError`.
    """
    address = clean_email(email)
    with transaction():
        user = by_email(address)
        if user is None:
            new = User(
                email=address,
                name=_one_line(name),
                locale=i18n.known_locale(locale),
                organization_id=_organization_of(address),
            )
            user = add_or_find(new, lambda: by_email(address))
        if not user.name and name.strip():
            user.name = _one_line(name)
    return user


def create_user(
    email: str,
    name: str,
    role: str,
    actor: User | None,
    *,
    password: str | None = None,
    teams: list[Team] | None = None,
    locale: str | None = None,
) -> User:
    """Make a user, or give an existing requester a role. Joins or opens the transaction; audited.

    Raises :class:`AccountError` when the address is taken by staff or something does not fit, NotAllowed.
    """
    require(actor, "user.edit")
    if role not in ROLES:
        raise AccountError("role", _("There is no role “%(name)s”.", name=role))
    address = clean_email(email)
    if password is not None:
        check_password_rules(password)
    with transaction():
        user = by_email(address)
        if user is not None and user.is_staff:
            raise AccountError("email", _("%(address)s is in use already.", address=address))
        if user is None:
            user = User(email=address, organization_id=_organization_of(address))
            db.session.add(user)
        user.name = _one_line(name) or user.name or address.split("@")[0]
        user.role, user.active = role, True
        user.locale = i18n.known_locale(locale) or user.locale
        user.teams = list(teams or [])
        user.auth_stamp = session_stamp()
        if password is not None:
            user.password_hash = _hasher().hash(password)
        db.session.flush()
        audit.record("user.created", actor, address, {"role": role})
    return user


def change_role(user: User, role: str, actor: User | None) -> None:
    """Change what somebody may do; their sessions die. Joins or opens the transaction; audited."""
    require(actor, "user.edit")
    if role not in ROLES:
        raise AccountError("role", _("There is no role “%(name)s”.", name=role))
    with transaction():
        if user.role != role:
            _keep_an_admin(user, staying=role == ADMIN)
            audit.record("user.role_changed", actor, user.email or "", {"from": user.role, "to": role})
            user.role, user.auth_stamp = role, session_stamp()


def set_active(user: User, active: bool, actor: User | None) -> None:
    """Switch an account off (its sessions die at once) or on. Joins or opens the transaction; audited."""
    require(actor, "user.edit")
    with transaction():
        if user.active != active:
            _keep_an_admin(user, staying=active)
            user.active, user.auth_stamp = active, session_stamp()
            audit.record("user.enabled" if active else "user.disabled", actor, user.email or "")


def _keep_an_admin(user: User, staying: bool) -> None:
    if staying or user.role != ADMIN:
        return
    # Locked, so that two who demote each other at once do not leave nobody.
    query = select(User.id).where(User.role == ADMIN, User.active).order_by(User.id).with_for_update()
    if not set(db.session.scalars(query)) - {user.id}:
        raise AccountError("role", _("This is the last administrator; make somebody else one first."))


def has_admin() -> bool:
    """Whether anybody can administer this desk; if not, it waits for its first start."""
    return db.session.scalar(select(User.id).where(User.role == ADMIN, User.active).limit(1)) is not None


def _organization_of(address: str) -> int | None:
    domain = address.rsplit("@", 1)[1]
    return db.session.scalar(select(Organization.id).where(Organization.domain == domain))


def _one_line(text: str) -> str:
    return " ".join(storable(text).split())[:200]


# ---- passwords


def check_password_rules(password: str) -> None:
    """Raise :class:`AccountError` for a password that is too short, too long, or of one sign only."""
    if len(password) < SHORTEST_PASSWORD:
        raise AccountError(
            "password",
            _("Use %(number)s characters or more; several words are fine.", number=SHORTEST_PASSWORD),
        )
    if len(password) > LONGEST_PASSWORD:
        raise AccountError(
            "password", _("This password is too long; %(number)s characters fit.", number=LONGEST_PASSWORD)
        )
    if len(set(password)) < 4:
        raise AccountError("password", _("This password is too easy to guess; use more different characters."))


def set_password(user: User, password: str, actor: User | None) -> None:
    """Give a user a new password; every session made before dies at once. Joins or opens the transaction; audited."""
    check_password_rules(password)
    hashed = _hasher().hash(password)
    with transaction():
        user.password_hash, user.auth_stamp = hashed, session_stamp()
        db.session.execute(delete(Token).where(Token.user_id == user.id, Token.purpose == RESET))
        audit.record("user.password_changed", actor, user.email or "")


def check_password(user: User | None, password: str) -> bool:
    """Whether the password is right. Takes the same time when there is no such user."""
    stored = user.password_hash if user is not None and user.password_hash else _decoy()
    try:
        _hasher().verify(stored, password[: LONGEST_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return False
    return user is not None and bool(user.password_hash) and user.active


def sign_in(login: str, password: str, address: str) -> User | None:
    """The user whom these words let in, or None; counts failures per account and per address in the database.

    ``address`` is where the try comes from. Raises :class:`TooManyTries`, the same for accounts that do not exist.
    """
    account_key, address_key = throttle.key_of("account", login), throttle.key_of("address", address)
    _check_throttle(account_key, address_key)
    user = by_email(login)
    if not check_password(user, password):
        with transaction():
            _count_failure(account_key, FAILURES)
            _count_failure(address_key, ADDRESS_FAILURES)
            audit.record("user.sign_in_failed", None, login.strip()[:254].lower())
        return None
    assert user is not None
    rehash = _hasher().hash(password) if _hasher().check_needs_rehash(user.password_hash or "") else None
    with transaction():
        db.session.execute(delete(SignInAttempt).where(SignInAttempt.key == account_key))
        user.last_sign_in_at = now()
        if rehash:
            user.password_hash = rehash
        audit.record("user.signed_in", user, user.email or "")
    return user


def _check_throttle(*keys: str) -> None:
    query = select(func.max(SignInAttempt.blocked_until)).where(SignInAttempt.key.in_(keys))
    until, moment = db.session.scalar(query), now()
    if until is not None and until > moment:
        raise TooManyTries(max(1, -int((moment - until).total_seconds() // 60)))


def _count_failure(key: str, limit: int) -> None:
    row = throttle.count(key, WINDOW)
    if row.failures >= limit:
        row.blocked_until, row.failures, row.window_start = now() + PAUSE, 0, now()


def _hasher() -> PasswordHasher:
    hasher: PasswordHasher = current_app.extensions.setdefault("helpdesk.hasher", PasswordHasher())
    return hasher


@cache
def _decoy_password() -> str:
    return secrets.token_urlsafe(16)


def _decoy() -> str:
    decoy: str = current_app.extensions.setdefault("helpdesk.decoy", _hasher().hash(_decoy_password()))
    return decoy


# ---- single-use links


def issue_token(purpose: str, user: User | None = None) -> str:
    """A new single-use secret; earlier ones for the same purpose and person die. Joins or opens the transaction."""
    secret = secrets.token_urlsafe(24)
    with transaction():
        owner = Token.user_id == user.id if user is not None else Token.user_id.is_(None)
        db.session.execute(delete(Token).where(Token.purpose == purpose, owner))
        row = Token(
            purpose=purpose,
            user_id=user.id if user is not None else None,
            digest=_digest(secret),
            expires_at=now() + LIFETIMES[purpose],
        )
        db.session.add(row)
    return secret


def find_token(purpose: str, secret: str) -> Token | None:
    """The token if it can still be used. Unknown, used and expired look alike."""
    query = select(Token).where(
        Token.purpose == purpose,
        Token.digest == _digest(secret),
        Token.used_at.is_(None),
        Token.expires_at > now(),
    )
    return db.session.scalar(query)


def use_token(purpose: str, secret: str) -> bool:
    """Use a token up; True for exactly one of many that try at once. Joins or opens the transaction."""
    with transaction():
        used = count_rows(
            update(Token)
            .where(
                Token.purpose == purpose,
                Token.digest == _digest(secret),
                Token.used_at.is_(None),
                Token.expires_at > now(),
            )
            .values(used_at=now())
        )
    return bool(used)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def invite(email: str, name: str, role: str, actor: User | None, teams: list[Team] | None = None) -> User:
    """Make a member of staff and send them a link to choose a password. One transaction.

    The link is made when the mail is rendered, so that its secret is nowhere at rest.
    """
    with transaction():
        user = create_user(email, name, role, actor, teams=teams)
        deliveries.queue("invitation", [user])
    return user


def request_reset(email: str) -> None:
    """Send a reset link if there is such an account that may have one; the caller cannot tell. One transaction.

    At most one per account in five minutes.
    """
    user = by_email(email)
    if user is None or not user.active or not (user.is_staff or user.password_hash):
        return
    recent = select(Token.id).where(
        Token.user_id == user.id, Token.purpose == RESET, Token.created_at > now() - timedelta(minutes=5)
    )
    if db.session.scalar(recent) is not None:
        return
    with transaction():
        deliveries.queue("reset", [user])


def register(email: str, name: str) -> None:
    """A customer asks for an account: sends them a link to choose a password. Tells nothing about who exists."""
    address = clean_email(email)
    with transaction():
        user = requester_for(address, name)
        if user.role == REQUESTER and user.active:
            deliveries.queue("invitation", [user])
