"""That the plugin is on, for those that build on it."""

from helpdesk.api import hookimpl


@hookimpl
def customers_is_on() -> bool:
    """It is on: while it is off nobody asks it."""
    return True
