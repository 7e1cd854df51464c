"""Addresses in files."""

import re

from helpdesk.api import gettext as _
from helpdesk_customers.imports.kinds import BadRow

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,189}")


def read_address(text: str) -> str:
    """An address in lower case, as the desk stores it. Raises :class:`BadRow`."""
    address = text.strip().strip("'\"").removeprefix("mailto:").lower()
    if not _ADDRESS.fullmatch(address) or not address.isprintable():
        raise BadRow(_("“%(address)s” is no e-mail address.", address=text.strip()[:80]))
    return address
