"""What the record calls what administrators do with the ladder."""

from helpdesk.api import Act, hookimpl
from helpdesk.api import lazy_gettext as _l


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
