"""The signed link by which one person answers one invitation, without an account; and the link for everybody."""

import hashlib
import hmac
import re
import secrets

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api import address, db
from helpdesk_surveys.models import Invitation, Survey

# PostgreSQL numbers rows up to 2 ** 31.
_TOKEN = re.compile(r"([0-7]?[0-9a-f]{1,7})-([0-9a-f]{32})", re.IGNORECASE)
_KEY = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)


def new_key() -> str:
    """Something nobody guesses: for a link, for a paper that is handed out."""
    return secrets.token_hex(16)


def token(invitation: Invitation) -> str:
    """The last part of the link of an invitation: HMAC-SHA-256 cut to 128 bits (RFC 2104, section 5).

    Made anew each time it is mailed, so that our tables hold nothing by which somebody could answer for another. The
    mails themselves lie in the desk's outbox.
    """
    return f"{invitation.id:x}-{_signature(invitation)}"


def url(invitation: Invitation, score: int | None = None) -> str:
    """Where the person answers, on the configured address; ``score`` is shown there as chosen, and not kept yet."""
    asked = "" if score is None else f"?score={score}"
    return f"{address()}/p/surveys/a/{token(invitation)}{asked}"


def public_url(survey: Survey) -> str:
    """Where everybody answers a survey by link."""
    return f"{address()}/p/surveys/l/{survey.link_key}"


def redeem(text: str) -> Invitation | None:
    """The invitation that a token was made for, with survey, version, person; None for forged and unknown ones.

    One query. Case does not matter: mail programs fold it.
    """
    match = _TOKEN.fullmatch(text)
    if match is None:
        return None
    query = select(Invitation).where(Invitation.id == int(match[1], 16))
    found = db.session.scalar(
        query.options(
            joinedload(Invitation.survey),
            joinedload(Invitation.version),
            joinedload(Invitation.person),
            joinedload(Invitation.ticket),
        )  # fmt: skip
    )
    if found is None or not hmac.compare_digest(match[2].lower(), _signature(found)):
        return None
    return found


def redeem_public(text: str) -> Survey | None:
    """The survey of a link for everybody."""
    if _KEY.fullmatch(text) is None:
        return None
    return db.session.scalar(select(Survey).where(Survey.link_key == text.lower()))


def ballot_of(text: str) -> str:
    """The digest of a paper: of the link of an anonymous invitation, of the form of a link for everybody."""
    key = str(current_app.secret_key).encode()
    return hmac.new(key, f"surveys:ballot:{text.lower()}".encode(), hashlib.sha256).hexdigest()


def is_nonce(text: str) -> bool:
    """Whether this can be what :func:`new_key` made for a form."""
    return _KEY.fullmatch(text) is not None


def _signature(invitation: Invitation) -> str:
    key = str(current_app.secret_key).encode()
    text = f"surveys:answer:{invitation.id}:{invitation.key}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]
