"""The orders of a list, in words."""

from flask_babel import gettext as _

from helpdesk.web.desk.blueprint import desk


@desk.app_template_global()
def sort_words() -> list[tuple[str, str]]:
    """Each order with what it is called."""
    return [
        ("-updated", _("Changed last first")),
        ("updated", _("Changed first first")),
        ("-created", _("Newest first")),
        ("created", _("Oldest first")),
        ("due", _("Due first")),
        ("-due", _("Due last")),
        ("-priority", _("Most urgent first")),
        ("priority", _("Least urgent first")),
        ("-number", _("Highest number first")),
        ("number", _("Lowest number first")),
    ]
