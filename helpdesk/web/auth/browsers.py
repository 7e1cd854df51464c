"""Two cookies that tell browsers apart: one is remembered for the second step, one says who was here before."""

from typing import Any

from flask import current_app, request
from itsdangerous import BadData, URLSafeSerializer

from helpdesk.core import trusted_devices
from helpdesk.core.models import User
from helpdesk.web.look import YEAR

_DEVICE, _KNOWN = "device", "known"
# Of so many people one browser is known.
_PEOPLE = 10


def device_secret() -> str:
    """What the cookie of a remembered device says; empty without one."""
    return request.cookies.get(_name(_DEVICE), "")


def remember_device(answer: Any, secret: str) -> None:
    """Keep the secret of a remembered device in this browser."""
    _set(answer, _DEVICE, secret, int(trusted_devices.LIFETIME.total_seconds()))


def is_known(user: User) -> bool:
    """Whether the person has signed in with this browser before. The cookie is signed; it lets nobody in."""
    return user.id in _known()


def make_known(answer: Any, user: User) -> None:
    """Note in this browser that the person has signed in with it."""
    people = [user.id, *(number for number in _known() if number != user.id)][:_PEOPLE]
    _set(answer, _KNOWN, _signer().dumps(people), YEAR)


def _known() -> list[int]:
    try:
        found = _signer().loads(request.cookies.get(_name(_KNOWN), ""))
    except BadData:
        return []
    return found if isinstance(found, list) else []


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="known browsers")


def _set(answer: Any, name: str, value: str, seconds: int) -> None:
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    answer.set_cookie(_name(name), value, max_age=seconds, secure=secure, httponly=True, samesite="Lax")


def _name(name: str) -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}-{name}"
