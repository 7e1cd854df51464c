"""The form with a field for each kind of action: in macros, and for many tickets at once."""

from flask_babel import gettext as _

from helpdesk.core import actions, statuses, ticket_types, topics
from helpdesk.core import labels as names
from helpdesk.core.models import User
from helpdesk.core.models.ticket import PRIORITIES
from helpdesk.web.desk import choices

Options = list[tuple[str, str]]


def options(user: User | None = None) -> dict[str, Options]:
    """What each field with a menu offers, by kind; only statuses that ``user`` may give. Four queries at most."""
    same = ("", _("As it is"))
    return {
        "set_status": [same, *((one.key, choices.status_label(one)) for one in choices.offered_statuses(user))],
        "assign": [
            *(same, ("me", _("Me")), ("none", _("Nobody"))),
            *((str(one.id), one.display_name) for one in choices.agents()),
        ],
        "move": [same, ("none", _("No team")), *((str(one.id), names.team_name(one)) for one in choices.teams())],
        "set_priority": [same, *((name, statuses.priority_label(name)) for name in reversed(PRIORITIES))],
        "set_type": [same, ("none", _("No type")), *((str(number), name) for number, name in ticket_types.options())],
        "set_topic": [same, ("none", _("No topic")), *((str(number), name) for number, name in topics.options())],
    }


def labels() -> dict[str, str]:
    """What each kind of action is called."""
    return {do: kind.label() for do, kind in actions.KINDS.items()}
