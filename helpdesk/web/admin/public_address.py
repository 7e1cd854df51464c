"""Whether customers reach the desk at the address that links in mails begin with."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import gettext as _

from helpdesk.core import links
from helpdesk.core.config import Config
from helpdesk.web.admin.blueprint import admin

_LINE = 'public_url = "https://help.shop.example"'


@admin.app_template_global("address_trouble")
def trouble() -> str:
    """What is wrong with the desk's public address for those who get its mail, and what to do; "" when nothing is."""
    address = links.address()
    parts = urlsplit(address)
    if _is_this_machine(parts.hostname or ""):
        return _(
            "Links in mails begin with %(address)s, which leads customers nowhere. Write the address at which they "
            "reach the desk into the file %(file)s, as a line like %(line)s, and start the desk again.",
            address=address,
            file=_file(),
            line=_LINE,
        )
    if parts.scheme == "http":
        return _(
            "Links in mails begin with %(address)s, so others can read what is opened by them. Give the desk an "
            "https address, write it into the file %(file)s, as a line like %(line)s, and start the desk again.",
            address=address,
            file=_file(),
            line=_LINE,
        )
    return ""


def _file() -> str:
    config: Config = current_app.config["HELPDESK"]
    return config.paths.config_file.name


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        found = ip_address(host)
    except ValueError:
        return False
    return found.is_loopback or found.is_unspecified
