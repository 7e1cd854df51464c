"""The room in the administration, and what the record calls what is done there."""

from helpdesk.api import Act, Room, User, hookimpl
from helpdesk.api import gettext as _
from helpdesk.api import lazy_gettext as _l
from helpdesk_surveys.permissions import MANAGE


@hookimpl
def register_acts() -> list[Act]:
    """What the record calls what is done with surveys."""
    return [
        Act("surveys.survey_added", _l("Survey added")),
        Act("surveys.survey_changed", _l("Survey changed")),
        Act("surveys.texts_changed", _l("Words of a survey changed")),
        Act("surveys.version_published", _l("Words of a survey published")),
        Act("surveys.survey_switched", _l("Survey switched on or off")),
        Act("surveys.link_renewed", _l("Link of a survey renewed")),
        Act("surveys.asked_by_hand", _l("Customer asked by hand")),
    ]


@hookimpl
def admin_rooms(user: User) -> list[Room]:
    """What customers are asked, and when."""
    about = _("What customers are asked, when, and what a low score leads to")
    return [Room(_("Surveys"), "surveys.surveys", about, "star", MANAGE, order=45)]
