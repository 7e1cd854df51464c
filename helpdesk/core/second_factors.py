"""What is asked for after the password: codes of an app (TOTP, RFC 6238), and recovery codes on paper.

Another way, such as a passkey, is one more kind of :class:`SecondFactor` and a branch in :func:`check`.
"""

import hmac
import re
import secrets
from datetime import timedelta

import pyotp
from flask_babel import gettext as _
from sqlalchemy import delete, func, insert, select, update

from helpdesk.core import audit, guesses, security_notices, settings, sign_in_sessions, trusted_devices
from helpdesk.core.account_errors import AccountError
from helpdesk.core.clock import now
from helpdesk.core.digests import digest_of
from helpdesk.core.extensions import db
from helpdesk.core.models import RecoveryCode, SecondFactor, User
from helpdesk.core.models.sign_in import TOTP
from helpdesk.core.models.user import ADMIN, AGENT, SUPERVISOR, session_stamp
from helpdesk.core.permissions import require
from helpdesk.core.transaction import count_rows, transaction

STEP = 30
# What proved somebody, in the words of the record.
CODE, RECOVERY_CODE = "code", "recovery_code"
RECOVERY_CODES, FEW = 10, 3
# A clock may be one step early or late.
_STEPS = (0, -1, 1)
# Signs that nobody takes for another; 24 of them are more than 112 bits, so that SHA-256 alone keeps them.
_SIGNS, _GROUPS, _GROUP = "abcdefghjkmnpqrstuvwxyz23456789", 6, 4
_UNFINISHED = timedelta(hours=1)


def of(user: User) -> SecondFactor | None:
    """The second factor that counts for a person, or None. Reads only."""
    mine = (SecondFactor.user_id == user.id) & SecondFactor.confirmed_at.is_not(None)
    return db.session.scalar(select(SecondFactor).where(mine).order_by(SecondFactor.id).limit(1))


def is_required(user: User) -> bool:
    """Whether the owner wants a second factor of people with this role. Asks no database once settings are cached."""
    wanted = settings.get(settings.SecuritySettings)
    return {
        AGENT: wanted.second_factor_agents,
        SUPERVISOR: wanted.second_factor_supervisors,
        ADMIN: wanted.second_factor_admins,
    }.get(user.role, False)


def is_required_of_anybody() -> bool:
    """Whether the owner wants a second factor of some role."""
    wanted = settings.get(settings.SecuritySettings)
    return wanted.second_factor_agents or wanted.second_factor_supervisors or wanted.second_factor_admins


# ---- set up and taken away


def prepare(user: User, *, anew: bool = False) -> SecondFactor:
    """A factor that counts once :func:`confirm` has seen a code of it. Joins or opens the transaction.

    One that was prepared within the hour is answered again, unless it shall be ``anew``: whoever has seen the key of
    one that was left half-way must not have that which counts in the end.
    """
    with transaction():
        open_ones = (SecondFactor.user_id == user.id) & SecondFactor.confirmed_at.is_(None)
        fresh = open_ones & (SecondFactor.created_at > now() - _UNFINISHED)
        found = db.session.scalar(select(SecondFactor).where(fresh).order_by(SecondFactor.id.desc()).limit(1))
        if found is None or anew:
            db.session.execute(delete(SecondFactor).where(open_ones))
            found = SecondFactor(user_id=user.id, kind=TOTP, secret=pyotp.random_base32(32))
            db.session.add(found)
    return found


def address(factor: SecondFactor, user: User) -> str:
    """What the picture for the app says: an ``otpauth:`` address."""
    desk = settings.get(settings.DeskSettings).name
    return pyotp.TOTP(factor.secret).provisioning_uri(name=user.email or user.name, issuer_name=desk)


def confirm(user: User, code: str, keep: int | None = None) -> list[str]:
    """The factor that was prepared counts from now on, in place of the one before. One transaction; audited.

    Ends every session but ``keep`` and forgets the remembered devices; the person is told by mail. Answers the
    recovery codes, to be shown once. Raises :class:`AccountError` for a wrong code, TooManyTries after several.
    """
    guesses.check(guesses.code_key(user.id))
    factor = prepare(user)
    step = _step_of(factor, code)
    if step is None:
        with transaction():
            guesses.count(guesses.code_key(user.id), guesses.CODE_FAILURES)
        raise AccountError("code", _("This code is not right. Type the one that your app shows now."))
    with transaction():
        db.session.execute(delete(SecondFactor).where(SecondFactor.user_id == user.id, SecondFactor.id != factor.id))
        factor.confirmed_at, factor.last_step = now(), step
        guesses.forgive(guesses.code_key(user.id))
        _changed(user, keep)
        audit.record("user.second_factor_on", user, user.email or "")
        security_notices.tell(user, security_notices.FACTOR_ON)
        return _new_recovery_codes(user)


def switch_off(user: User, keep: int | None = None) -> None:
    """The person asks for no code any more. One transaction; audited, and told by mail.

    Raises :class:`AccountError` where the owner wants a second factor.
    """
    if is_required(user):
        raise AccountError("form", _("Your role needs the second step, so it cannot be switched off."))
    with transaction():
        _take_away(user, keep)
        audit.record("user.second_factor_off", user, user.email or "")
        security_notices.tell(user, security_notices.FACTOR_OFF)


def reset(user: User, actor: User | None) -> bool:
    """Take away the second factor of somebody who has lost it; False when there is none.

    Their sessions end. One transaction; audited, and the person is told by mail. Raises NotAllowed.
    """
    require(actor, "user.edit")
    with transaction():
        if not _take_away(user, None):
            return False
        audit.record("user.second_factor_reset", actor, user.email or "")
        security_notices.tell(user, security_notices.FACTOR_TAKEN)
    return True


def _take_away(user: User, keep: int | None) -> int:
    taken = count_rows(delete(SecondFactor).where(SecondFactor.user_id == user.id))
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    _changed(user, keep)
    return taken


def _changed(user: User, keep: int | None) -> None:
    # Whoever is between the password and the second step begins anew.
    user.auth_stamp = session_stamp()
    sign_in_sessions.end_all(user, but=keep)
    trusted_devices.forget_all(user)


# ---- asked for


def check(user: User, code: str, address: str = "") -> bool:
    """Whether a code proves a person, as :func:`proof_of`."""
    return bool(proof_of(user, code, address))


def proof_of(user: User, code: str, address: str = "") -> str:
    """What proves a person: a ``CODE`` of the app, a ``RECOVERY_CODE``, or "" for neither.

    Each counts once, also of many at once. Counts failures per account and, when it is given, per ``address``;
    the person is told by mail when there were many. Opens a transaction. Raises TooManyTries.
    """
    code_key, address_keys = guesses.code_key(user.id), [guesses.address_key(address)] if address else []
    guesses.check(code_key, *address_keys)
    factor = of(user)
    step = _step_of(factor, code) if factor is not None else None
    with transaction():
        if proof := _used(user, factor, step, code):
            guesses.forgive(code_key)
            return proof
        for key in address_keys:
            guesses.count(key, guesses.ADDRESS_FAILURES)
        audit.record("user.code_wrong", user, user.email or "")
        if guesses.count(code_key, guesses.CODE_FAILURES):
            security_notices.tell(user, security_notices.CODES_TRIED)
    return ""


def _used(user: User, factor: SecondFactor | None, step: int | None, code: str) -> str:
    if factor is not None and step is not None and _use(factor.id, step):
        return CODE
    return RECOVERY_CODE if _use_recovery_code(user, code) else ""


def _step_of(factor: SecondFactor, code: str) -> int | None:
    typed = re.sub(r"[\s-]", "", code)
    if not re.fullmatch("[0-9]{6}", typed):
        return None
    present, app = int(now().timestamp()) // STEP, pyotp.TOTP(factor.secret, interval=STEP)
    right = [present + by for by in _STEPS if hmac.compare_digest(app.generate_otp(present + by), typed)]
    return right[0] if right else None


def _use(factor_id: int, step: int) -> bool:
    unused = (SecondFactor.id == factor_id) & (SecondFactor.last_step < step)
    return bool(count_rows(update(SecondFactor).where(unused).values(last_step=step, used_at=now())))


# ---- recovery codes


def new_recovery_codes(user: User) -> list[str]:
    """Ten codes in place of those before, to be shown once. One transaction; audited, and told by mail."""
    with transaction():
        codes = _new_recovery_codes(user)
        audit.record("user.recovery_codes_made", user, user.email or "")
        security_notices.tell(user, security_notices.RECOVERY_MADE)
    return codes


def recovery_codes_left(user: User) -> int:
    """How many recovery codes of a person are unused. Reads only."""
    unused = (RecoveryCode.user_id == user.id) & RecoveryCode.used_at.is_(None)
    return db.session.scalar(select(func.count(RecoveryCode.id)).where(unused)) or 0


def _new_recovery_codes(user: User) -> list[str]:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = [_random_code() for _code in range(RECOVERY_CODES)]
    db.session.execute(insert(RecoveryCode), [{"user_id": user.id, "digest": _digest(code)} for code in codes])
    return codes


def _use_recovery_code(user: User, code: str) -> bool:
    unused = (RecoveryCode.user_id == user.id) & (RecoveryCode.digest == _digest(code)) & RecoveryCode.used_at.is_(None)
    if not count_rows(update(RecoveryCode).where(unused).values(used_at=now())):
        return False
    audit.record("user.recovery_code_used", user, user.email or "")
    security_notices.tell(user, security_notices.RECOVERY_USED, left=recovery_codes_left(user))
    return True


def _random_code() -> str:
    groups = ("".join(secrets.choice(_SIGNS) for _sign in range(_GROUP)) for _group in range(_GROUPS))
    return "-".join(groups)


def _digest(code: str) -> str:
    return digest_of(re.sub(r"[\W_]", "", code).lower())
