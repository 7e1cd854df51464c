"""What people decide for themselves: language, time zone, light or dark, signature."""

from flask_babel import gettext as _

from helpdesk.core import i18n
from helpdesk.core.accounts import AccountError
from helpdesk.core.models import User
from helpdesk.core.models.columns import storable
from helpdesk.core.transaction import transaction

SCHEMES = ("auto", "light", "dark")
SIGNATURE_LENGTH = 2000
NAME_LENGTH = 200


def set_preferences(user: User, *, name: str, locale: str, time_zone: str, color_scheme: str, signature: str) -> User:
    """Store a person's own choices; an empty language or zone is the desk's. Joins or opens the transaction.

    Raises :class:`AccountError` naming the field that cannot be used; nothing is stored then.
    """
    name = " ".join(storable(name).split())
    signature = storable(signature).replace("\r\n", "\n").strip()
    if not name:
        raise AccountError("name", _("Write the name that customers and colleagues see."))
    if len(name) > NAME_LENGTH:
        raise AccountError("name", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    if locale and i18n.known_locale(locale) is None:
        raise AccountError("locale", _("Choose one of the list."))
    if time_zone and not i18n.is_zone(time_zone):
        raise AccountError("time_zone", _("Choose one of the list."))
    if color_scheme not in SCHEMES:
        raise AccountError("color_scheme", _("Choose one of the list."))
    if len(signature) > SIGNATURE_LENGTH:
        raise AccountError(
            "signature", _("This signature is too long; %(number)s characters fit.", number=SIGNATURE_LENGTH)
        )
    with transaction():
        user.name, user.color_scheme, user.signature = name, color_scheme, signature
        user.locale, user.time_zone = locale or None, time_zone or None
    return user
