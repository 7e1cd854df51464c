"""People and their way in: making users, passwords, sign-in, single-use links."""

import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from helpdesk.core import (
    api_tokens,
    audit,
    deliveries,
    guesses,
    i18n,
    languages,
    passwords,
    search,
    security_notices,
    settings,
    sign_in_sessions,
    trusted_devices,
)
from helpdesk.core.account_errors import AccountError as AccountError
from helpdesk.core.account_errors import TooManyTries as TooManyTries
from helpdesk.core.clock import now
from helpdesk.core.digests import digest_of
from helpdesk.core.extensions import db
from helpdesk.core.guesses import ADDRESS_FAILURES as ADDRESS_FAILURES
from helpdesk.core.guesses import FAILURES as FAILURES
from helpdesk.core.models import (
    ApiToken,
    Notification,
    NotificationChoice,
    Organization,
    RecoveryCode,
    SecondFactor,
    Team,
    Token,
    User,
)
from helpdesk.core.models.columns import storable
from helpdesk.core.models.user import ADMIN, REQUESTER, ROLES, session_stamp
from helpdesk.core.permissions import require
from helpdesk.core.phones import phone_key
from helpdesk.core.transaction import add_or_find, count_rows, transaction

SETUP, INVITATION, RESET = "setup", "invitation", "reset"
LIFETIMES = {SETUP: timedelta(days=7), INVITATION: timedelta(days=7), RESET: timedelta(hours=2)}
# What turns the direction of writing, and with it what a name seems to say.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,255}")


# ---- people


def clean_email(text: str) -> str:
    """An address as it is stored: lower case. Raises :class:`AccountError`."""
    address = text.strip().lower()
    if len(address) > 254 or not _ADDRESS.fullmatch(address) or not address.isprintable():
        raise AccountError("email", _("“%(address)s” is no e-mail address.", address=text.strip()[:80]))
    return address


def clean_reachable_email(text: str) -> str:
    """:func:`clean_email` for what somebody types who can be asked again: its domain has a dot.

    One without is fine where the team's own addresses have it, as on the network of a company. At most one query.
    """
    address = clean_email(text)
    domain = address.rpartition("@")[2]
    if "." in domain or domain.startswith("["):
        return address
    team = select(User.id).where(User.role != REQUESTER, User.email.endswith(f"@{domain}", autoescape=True))
    if db.session.scalar(team.limit(1)) is None:
        sentence = _("“%(address)s” lacks its ending, such as .com; write the whole address.", address=address[:80])
        raise AccountError("email", sentence)
    return address


def account_of(text: str) -> User | None:
    """The user with that very address, whatever its case: what signs in, and what is made. It follows no merge."""
    return db.session.scalar(select(User).where(User.email == text.strip().lower()))


def by_email(text: str) -> User | None:
    """Who has that address, whatever its case: of a person that was merged, who has it now. Never to sign in by."""
    return db.session.scalar(select(User).where(User.id == number_of(text.strip().lower())))


def number_of(address: str) -> Any:
    """The number of who has an address (in lower case) as a scalar query, merges considered."""
    known = aliased(User)
    query = select(func.coalesce(known.merged_into_id, known.id)).where(known.email == address)
    return query.scalar_subquery()


def has_address(user: User, address: str) -> bool:
    """Whether an address (in lower case) is the person's, or of a record that went into theirs. One query at most."""
    if not address or user.email == address:
        return bool(address)
    merged = select(User.id).where(User.email == address, User.merged_into_id == user.id)
    return db.session.scalar(merged) is not None


def requester_for(email: str, name: str = "", locale: str | None = None) -> User:
    """The user with that address, made as a requester if there is none. Joins or opens the transaction.

    A missing name is filled in; what is there is never overwritten. Raises :class:`AccountError`.
    """
    return requesters_for([(email, name)], locale)[0]


def remember_language(user: User, locale: str, instead_of: str | None = None) -> bool:
    """Speak to a person in the language that they write in, where they chose none themselves; whether it is so now.

    ``instead_of`` is the language that was remembered before: another one is the person's own choice and stays, as
    does a language that the desk does not speak. Staff choose their own. Joins or opens the transaction.
    """
    known = i18n.known_locale(languages.tidy(locale)) or i18n.known_locale(locale)
    if known is None or user.is_staff:
        return False
    if user.locale is not None and user.locale != instead_of:
        return user.locale == known
    with transaction():
        user.locale = known
    return True


def requesters_for(
    people: Iterable[tuple[str, str]],
    locale: str | None = None,
    known: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[User]:
    """:func:`requester_for` for many addresses and names, in as many statements as for one; each address once.

    ``known`` says by address what else those who are new have: ``phone``, ``organization_id``, ``locale``.
    """
    named = {clean_email(email): _person_name(name) for email, name in people}
    with transaction():
        found = having(named)
        if missing := sorted(named.keys() - found.keys()):
            _insert_requesters(missing, named, i18n.known_locale(locale), known or {})
            found |= having(missing)
        for address, name in named.items():
            if name and not found[address].name:
                found[address].name = name
    return [found[address] for address in named]


def having(addresses: Iterable[str]) -> dict[str, User]:
    """Who has each of these addresses (in lower case), by address, merges considered. Two queries at most."""
    found = {user.email or "": user for user in db.session.scalars(select(User).where(User.email.in_(addresses)))}
    merged = {address: user.merged_into_id for address, user in found.items() if user.merged_into_id is not None}
    if not merged:
        return found
    survivors = {user.id: user for user in db.session.scalars(select(User).where(User.id.in_(merged.values())))}
    return found | {address: survivors[number] for address, number in merged.items()}


def add_requesters(
    people: Iterable[tuple[str, str]],
    locale: str | None = None,
    known: Mapping[str, Mapping[str, Any]] | None = None,
) -> set[str]:
    """:func:`requesters_for` for thousands: makes those whom nobody knows and answers their addresses; loads none.

    Who is there already stays as they are. Joins or opens the transaction. Raises :class:`AccountError`.
    """
    named = {clean_email(email): _person_name(name) for email, name in people}
    with transaction():
        missing = sorted(named.keys() - set(db.session.scalars(select(User.email).where(User.email.in_(named)))))
        if missing:
            _insert_requesters(missing, named, i18n.known_locale(locale), known or {})
    return set(missing)


def _insert_requesters(
    addresses: Sequence[str], named: Mapping[str, str], locale: str | None, known: Mapping[str, Mapping[str, Any]]
) -> None:
    organizations = _organizations_of(addresses)
    rows = []
    for address in addresses:
        more = known.get(address, {})
        phone = more.get("phone") or None
        rows.append(
            {
                "email": address,
                "name": named[address],
                "locale": more.get("locale") or locale,
                "organization_id": more.get("organization_id") or organizations.get(_domain_of(address)),
                "phone": phone,
                "phone_key": phone_key(phone),
            }
        )
    table: Any = User.__table__
    try:
        with db.session.begin_nested():
            db.session.execute(insert(table), rows)
    except IntegrityError:
        # Somebody else has just made one of them.
        for row in rows:
            add_or_find(User(**row), partial(account_of, str(row["email"])))
        return
    # A statement has made them, which leaves no mark by itself.
    search.mark_people(select(User.id).where(User.email.in_(addresses)))


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
        passwords.check_rules(password, [name, address, settings.get(settings.DeskSettings).name])
        hashed = passwords.hash_of(password)
    with transaction():
        user = account_of(address)
        if user is not None and user.is_staff:
            raise AccountError("email", _("%(address)s is in use already.", address=address))
        if user is not None and (role != REQUESTER or user.merged_into_id is not None):
            _keep_merged(user)
        if user is None:
            user = User(email=address, organization_id=_organization_of(address))
            db.session.add(user)
        user.name = _one_line(name) or user.name or address.split("@")[0]
        user.role, user.active = role, True
        user.locale = i18n.known_locale(locale) or user.locale
        user.teams = list(teams or [])
        db.session.flush()
        shut_out(user)
        if password is not None:
            user.password_hash = hashed
        audit.record("user.created", actor, address, {"role": role})
    return user


def change_role(user: User, role: str, actor: User | None) -> None:
    """Change what somebody may do; their sessions die, and their tokens if it is less.

    Joins or opens the transaction; audited. Raises :class:`AccountError`, NotAllowed.
    """
    require(actor, "user.edit")
    if role not in ROLES:
        raise AccountError("role", _("There is no role “%(name)s”.", name=role))
    with transaction():
        if user.role != role:
            _keep_merged(user)
            _keep_an_admin(user, staying=role == ADMIN)
            if ROLES.index(role) < ROLES.index(user.role):
                api_tokens.revoke_all(user, actor)
            audit.record("user.role_changed", actor, user.email or user.name, {"from": user.role, "to": role})
            user.role = role
            shut_out(user)


def set_active(user: User, active: bool, actor: User | None) -> None:
    """Switch an account off (its sessions and tokens die at once) or on. Joins or opens the transaction; audited."""
    require(actor, "user.edit")
    with transaction():
        if user.active != active:
            if active and user.merged_into_id is not None:
                _keep_merged(user)
            _keep_an_admin(user, staying=active)
            if not active:
                api_tokens.revoke_all(user, actor)
            user.active = active
            shut_out(user)
            audit.record("user.enabled" if active else "user.disabled", actor, user.email or user.name)


def _keep_merged(user: User) -> None:
    """A merged record is nobody's account; and whoever answers for others' addresses must not become staff by it."""
    if user.merged_into_id is not None:
        raise AccountError(
            "user", _("%(name)s was merged with somebody else; undo that first.", name=user.display_name)
        )
    others = select(User.id).where(User.merged_into_id == user.id)
    if db.session.scalar(others.limit(1)) is not None:
        sentence = _("Others were merged into %(name)s; undo that first.", name=user.display_name)
        raise AccountError("user", sentence)


def _keep_an_admin(user: User, staying: bool) -> None:
    if staying or user.role != ADMIN:
        return
    # Locked, so that two who demote each other at once do not leave nobody.
    query = select(User.id).where(_is_an_admin()).order_by(User.id).with_for_update()
    if not set(db.session.scalars(query)) - {user.id}:
        raise AccountError("role", _("This is the last administrator; make somebody else one first."))


def check_erasable(user: User, actor: User | None) -> None:
    """Raise :class:`AccountError` for oneself, for the last administrator, and for staff whose account is on."""
    if actor is not None and actor.id == user.id:
        raise AccountError("user", _("You cannot erase yourself; ask another administrator."))
    if user.merged_into_id is not None:
        sentence = _(
            "%(name)s was merged with somebody else; erase that person, or undo it first.", name=user.display_name
        )
        raise AccountError("user", sentence)
    if user.active:
        _keep_an_admin(user, staying=False)
    if user.is_staff and user.active:
        raise AccountError("user", _("%(name)s works here; switch the account off first.", name=user.display_name))


def make_anonymous(user: User, name: str) -> None:
    """Leave nothing of an account but its number and ``name``: nobody can sign in to it. Joins the open transaction."""
    by_number = (guesses.known_key, guesses.confirm_key, guesses.code_key)
    guesses.forgive(guesses.account_key(user.email or ""), *(key(user.id) for key in by_number))
    for kept in (Token, SecondFactor, RecoveryCode, ApiToken, Notification, NotificationChoice):
        db.session.execute(delete(kept).where(kept.user_id == user.id))
    shut_out(user)
    user.email = user.phone = user.locale = user.time_zone = user.password_hash = None
    user.organization_id = user.last_sign_in_at = user.bounced_at = user.merged_into_id = None
    user.name, user.signature, user.color_scheme, user.bounce_reason = name, "", "auto", ""
    user.quiet_from, user.quiet_until, user.digest_at = None, None, "08:00"
    user.role, user.active, user.teams = REQUESTER, False, []


def has_admin() -> bool:
    """Whether anybody can administer this desk; if not, it waits for its first start."""
    return db.session.scalar(select(User.id).where(_is_an_admin()).limit(1)) is not None


def _is_an_admin() -> ColumnElement[bool]:
    """A person who can administer: an account of a program opens no page."""
    return and_(User.role == ADMIN, User.active, ~User.is_service)


def _organization_of(address: str) -> int | None:
    return _organizations_of([address]).get(_domain_of(address))


def _organizations_of(addresses: Sequence[str]) -> dict[str | None, int]:
    domains = {_domain_of(address) for address in addresses}
    query = select(Organization.domain, Organization.id).where(Organization.domain.in_(domains))
    return {domain: number for domain, number in db.session.execute(query)}


def _domain_of(address: str) -> str:
    return address.rsplit("@", 1)[1]


def _person_name(text: str) -> str:
    """A name as a mail program or a form gives it. One that is an address says nothing, or pretends to be another."""
    name = _one_line(_DIRECTION.sub("", text)).strip("\"' ")
    return "" if "@" in name else name


def _one_line(text: str) -> str:
    return " ".join(storable(text).split())[:200]


# ---- the way in


def set_password(user: User, password: str, actor: User | None, keep: int | None = None) -> None:
    """Give a user a new password. Joins or opens the transaction; audited, and the person is told by mail.

    Every session dies at once, but ``keep``, and so do open links, half sign-ins and remembered devices. Raises
    :class:`AccountError` for a password that must not be used.
    """
    if user.is_service:
        raise AccountError("password", _("This account acts by tokens; it has no password."))
    check_password_rules(password, user)
    hashed = passwords.hash_of(password)
    with transaction():
        had_one = user.password_hash is not None
        user.password_hash = hashed
        shut_out(user, keep)
        db.session.execute(delete(Token).where(Token.user_id == user.id))
        audit.record("user.password_changed", actor, user.email or "")
        if had_one:
            security_notices.tell(user, security_notices.PASSWORD_CHANGED)


def check_password_rules(password: str, user: User | None = None) -> None:
    """Raise :class:`AccountError` for a password that is too short, too long, or easily guessed for that person."""
    about = [user.name, user.email or ""] if user is not None else []
    passwords.check_rules(password, [*about, settings.get(settings.DeskSettings).name])


def check_password(user: User | None, password: str) -> bool:
    """Whether the password is right, of an account that may sign in. The same work when there is no such user."""
    right = passwords.matches(user.password_hash if user is not None else None, password)
    return right and user is not None and user.active and not user.is_service


def confirm_password(user: User, password: str) -> bool:
    """Whether somebody who is signed in knows the password, before something that cannot be undone.

    Counts failures per account. Opens a transaction of its own when it is wrong. Raises :class:`TooManyTries`.
    """
    key = guesses.confirm_key(user.id)
    guesses.check(key)
    if check_password(user, password):
        return True
    with transaction():
        guesses.count(key, FAILURES)
        audit.record("user.password_wrong", user, user.email or "")
    return False


def sign_in(
    login: str, password: str, address: str, knows: Callable[[User], bool] = lambda user: False
) -> tuple[User, str] | None:
    """The user whom these words belong to, with the ``auth_stamp`` of that moment, or None.

    Counts failures per account and per address in the database. Nobody is in by that: a second factor may be asked
    for, then :func:`enter` signs in with the stamp. ``address`` is where the try comes from. A browser that ``knows``
    the person, who has signed in with it before, is counted apart: strangers who guess do not keep people out of their
    own browsers. Raises :class:`TooManyTries`. What is done, and how long it takes, is the same for accounts that do
    not exist or may not sign in.
    """
    user = account_of(login)
    if user is not None and knows(user):
        limits = {guesses.known_key(user.id): FAILURES}
    else:
        limits = {guesses.account_key(login): FAILURES, guesses.address_key(address): ADDRESS_FAILURES}
    guesses.check(*limits)
    stamp = user.auth_stamp if user is not None else ""
    if not check_password(user, password):
        with transaction():
            for key, limit in limits.items():
                guesses.count(key, limit)
            audit.record("user.sign_in_failed", None, login.strip()[:254].lower())
        return None
    assert user is not None
    rehash = passwords.hash_of(password) if passwords.needs_rehash(user.password_hash or "") else None
    with transaction():
        if user.auth_stamp != stamp:
            # It was changed while it was compared.
            return None
        guesses.forgive(next(iter(limits)))
        if rehash:
            same = (User.id == user.id) & (User.auth_stamp == stamp)
            db.session.execute(update(User).where(same).values(password_hash=rehash))
    return user, stamp


def enter(
    user: User, stamp: str, address: str = "", agent: str = "", *, known: bool = True, by: Sequence[str] = ()
) -> str | None:
    """Sign in somebody who has proved who they are, by whatever means: the one way to a session. One transaction.

    ``stamp`` is the account's ``auth_stamp`` at the time of the proof: None is answered when the password, the role or
    the account has changed since. Members of staff are told by mail when the browser is not ``known``. Answers the
    secret for the cookie. Audited, with what proved them (``by``, such as ``password`` and ``code``).
    """
    with transaction():
        # Locked: whoever changes the password meanwhile ends this session as well.
        db.session.refresh(user, with_for_update={"of": User})
        if not user.active or user.is_service or user.auth_stamp != stamp:
            return None
        if user.is_staff and not known and user.last_sign_in_at is not None:
            security_notices.tell(user, security_notices.NEW_BROWSER)
        user.last_sign_in_at = now()
        audit.record("user.signed_in", user, user.email or "", {"by": list(by)} if by else {})
        return sign_in_sessions.begin(user, address, agent)


def leave(user: User, session_id: int) -> None:
    """End the session that somebody signs out of. One transaction; audited."""
    with transaction():
        if sign_in_sessions.end(user, session_id):
            audit.record("user.signed_out", user, user.email or "")


def end_session(user: User, session_id: int) -> bool:
    """Sign a person out of one browser, as they wish; False when it is not theirs. One transaction; audited."""
    with transaction():
        if not sign_in_sessions.end(user, session_id):
            return False
        audit.record("user.session_ended", user, user.email or "")
    return True


def end_sessions(user: User, actor: User | None, keep: int | None = None) -> int:
    """Sign a person out of every browser but ``keep``; answers of how many. One transaction; audited.

    Raises NotAllowed for who is neither the person nor may edit people.
    """
    if actor is None or actor.id != user.id:
        require(actor, "user.edit")
    with transaction():
        ended = sign_in_sessions.end_all(user, but=keep)
        if actor is None or actor.id != user.id:
            # Those who are between the two steps, too.
            user.auth_stamp = session_stamp()
        audit.record("user.sessions_ended", actor, user.email or "", {"number": ended})
    return ended


def forget_device(user: User, device_id: int) -> bool:
    """Ask for the second factor again in one browser of a person; False when it is not theirs. One transaction."""
    with transaction():
        if not trusted_devices.forget(user, device_id):
            return False
        audit.record("user.device_forgotten", user, user.email or "")
    return True


def shut_out(user: User, keep: int | None = None) -> None:
    """End every session but ``keep``, every half sign-in and every remembered device. Joins the open transaction."""
    user.auth_stamp = session_stamp()
    sign_in_sessions.end_all(user, but=keep)
    trusted_devices.forget_all(user)


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
            digest=digest_of(secret),
            expires_at=now() + LIFETIMES[purpose],
        )
        db.session.add(row)
    return secret


def find_token(purpose: str, secret: str) -> Token | None:
    """The token if it can still be used. Unknown, used and expired look alike."""
    query = select(Token).where(
        Token.purpose == purpose,
        Token.digest == digest_of(secret),
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
                Token.digest == digest_of(secret),
                Token.used_at.is_(None),
                Token.expires_at > now(),
            )
            .values(used_at=now())
        )
    return bool(used)


def invite(email: str, name: str, role: str, actor: User | None, teams: list[Team] | None = None) -> User:
    """Make a member of staff and send them a link to choose a password. One transaction.

    The link is made when the mail is rendered, so that its secret is nowhere at rest.
    """
    with transaction():
        user = create_user(email, name, role, actor, teams=teams)
        deliveries.queue("invitation", [user])
    return user
