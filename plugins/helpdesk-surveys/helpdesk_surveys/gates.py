"""How many answers come by a link for everybody: floods are slowed down, and a blocked one writes nothing."""

import hashlib
import ipaddress
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from helpdesk.api import Refused, db, now, settings
from helpdesk.api import gettext as _
from helpdesk_surveys.models import Gate, Survey
from helpdesk_surveys.settings import SurveySettings

WINDOW = timedelta(minutes=10)
# From one network address within the window.
MOST_OF_ONE = 20


def pass_gates(survey: Survey, address: str) -> None:
    """Count one more answer by the link, from an address and in all. Raises :class:`Refused` when there are too many.

    Inside the transaction of the answer. Addresses are hashed with the installation's secret.
    """
    everybody, one = _key(survey, ""), _key(survey, _network(address)) if address else ""
    for key, most in ((one, MOST_OF_ONE), (everybody, settings(SurveySettings).link_most)):
        if key and not _within(key, most):
            raise Refused(_("Too many answers came in a short time. Wait ten minutes, then send yours again."))


def clear_gates() -> None:
    """Forget windows that are over. Inside the transaction."""
    db.session.execute(delete(Gate).where(Gate.began_at < now() - WINDOW))


def _within(key: str, most: int) -> bool:
    moment = now()
    row = db.session.execute(select(Gate.began_at, Gate.count).where(Gate.key == key)).first()
    began, count = row if row is not None else (moment, 0)
    if moment - began <= WINDOW and count >= most:
        return False
    if row is None:
        try:
            with db.session.begin_nested():
                db.session.add(Gate(key=key, began_at=moment, count=1))
            return True
        except IntegrityError:
            # Somebody else was the first at the same moment.
            began = moment
    is_over = moment - began > WINDOW
    change: dict[str, Any] = {"began_at": moment, "count": 1} if is_over else {"count": Gate.count + 1}
    db.session.execute(
        update(Gate).where(Gate.key == key).values(change), execution_options={"synchronize_session": False}
    )
    return True


def _key(survey: Survey, text: str) -> str:
    return hashlib.sha256(f"surveys:{survey.id}:{current_app.secret_key!s}:{text}".encode()).hexdigest()


def _network(address: str) -> str:
    """One place: an IPv4 address, or the /64 that a connection with IPv6 has to itself."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
