"""What two records of one person have in common: a number, an address in another form, a name in an organization.

Each is a text that is equal for both, so that an index finds who shares it, and nobody is compared with everybody.
"""

import unicodedata

from helpdesk.api import User
from helpdesk_customers.duplicate_models import MAIL, NAME, PHONE

# The last digits by which numbers are gathered; with the prefix of a country in front they are longer.
_DIGITS, _PREFIX = 7, 4
_ROLES = frozenset(
    "admin billing contact hello help hr info jobs kontakt mail marketing noreply no-reply office post postmaster"
    " sales service shop support team webmaster".split()
)
# Anybody has an address there: one name with two of them is two people.
_FREE = frozenset(
    "126.com 163.com aol.com freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net hotmail.com hotmail.de"
    " icloud.com live.com mail.com mail.ru outlook.com outlook.de proton.me protonmail.com qq.com t-online.de web.de"
    " yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yandex.ru zoho.com".split()
)
_SAME = {"googlemail.com": "gmail.com", "pm.me": "proton.me", "protonmail.com": "proton.me", "me.com": "icloud.com"}
# "acme.co.uk": the second to last says what kind of domain it is.
_SECOND = frozenset("ac co com edu gov net org".split())


def keys_of(person: User) -> dict[str, str]:
    """The keys of somebody by kind; what there is none of is left out."""
    found = {
        PHONE: phone_bucket(person.phone_key),
        MAIL: mail_form(person.email),
        NAME: name_in(person.name, person.organization_id),
    }
    return {kind: key[:200] for kind, key in found.items() if key}


def phone_bucket(key: str | None) -> str:
    """The last seven digits of a number, of its ``phone_key``; "" for an extension."""
    return key[:_DIGITS] if key is not None and len(key) >= _DIGITS else ""


def same_phone(one: str | None, other: str | None) -> bool:
    """Whether two numbers are one, with and without the prefix of a country."""
    if not one or not other:
        return False
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and len(long) - len(short) <= _PREFIX


def mail_form(address: str | None) -> str:
    """An address without what people write differently: tags, dots and hyphens of the name, the country of a firm."""
    name, _at, domain = (address or "").partition("@")
    name = name.partition("+")[0]
    plain = "".join(sign for sign in name if sign not in ".-_")
    if len(plain) < 3 or plain in _ROLES or name in _ROLES or not domain:
        return ""
    domain = _SAME.get(domain, domain)
    if domain in _FREE:
        return f"{plain}@{domain}"
    parts = domain.split(".")
    at = -3 if len(parts) > 2 and parts[-2] in _SECOND else -2
    return f"{plain}@{parts[at] if len(parts) >= -at else domain}"


def name_in(name: str, organization_id: int | None) -> str:
    """The words of a name in order of the alphabet, without accents and case, within an organization."""
    if organization_id is None:
        return ""
    folded = unicodedata.normalize("NFKD", name).casefold()
    letters = "".join(sign for sign in folded if not unicodedata.combining(sign))
    words = sorted("".join(sign if sign.isalnum() else " " for sign in letters).split())
    text = " ".join(words)
    # One word is a whole name in Chinese, Japanese and Korean only.
    is_whole = len(words) > 1 or (len(text) > 1 and all(ord(sign) > 0x3040 for sign in text))
    return f"{organization_id}:{text}" if is_whole else ""
