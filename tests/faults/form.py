"""How much of it: the short form belongs to every test run, the long one to `make faults`."""

import os

FORM = os.environ.get("HELPDESK_FAULTS", "short")


def amount(short: int, long: int) -> int:
    """How many of something: ``HELPDESK_FAULTS=long`` asks for all, ``medium`` for a tenth, else few."""
    if FORM == "long":
        return long
    return max(short, long // 10) if FORM == "medium" else short
