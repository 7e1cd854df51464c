"""The room in the administration, and what the record calls what is done there."""

from helpdesk.api import Act, Room, User, hookimpl
from helpdesk.api import gettext as _
from helpdesk.api import lazy_gettext as _l
from helpdesk_career.permissions import MANAGE


@hookimpl
def register_acts() -> list[Act]:
    """What the record calls what is done with the ladder."""
    return [
        Act("career.ladder_changed", _l("Career ladder changed")),
        Act("career.requirements_changed", _l("Requirements of a career level changed")),
        Act("career.competence_changed", _l("Competence changed")),
        Act("career.template_changed", _l("Template of reviews changed")),
        Act("career.rule_changed", _l("Rule of a career level changed")),
        Act("career.rule_removed", _l("Rule of a career level removed")),
    ]


@hookimpl
def admin_rooms(user: User) -> list[Room]:
    """The ladder, competences, templates and rules."""
    about = _("Levels, what each asks for, and what it opens")
    return [Room(_("Careers"), "career.ladder_page", about, "route", MANAGE, order=46)]
