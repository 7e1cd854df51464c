"""What the record calls what is done with training."""

from helpdesk.api import Act, hookimpl
from helpdesk.api import lazy_gettext as _l


@hookimpl
def register_acts() -> list[Act]:
    """Courses, paths, rules, and what is decided about people."""
    return [
        Act("training.course_added", _l("Course added")),
        Act("training.course_changed", _l("Course changed")),
        Act("training.content_changed", _l("Content of a course changed")),
        Act("training.version_published", _l("Course published")),
        Act("training.course_retired", _l("Course retired")),
        Act("training.course_restored", _l("Course brought back")),
        Act("training.file_added", _l("File of a course added")),
        Act("training.file_removed", _l("File of a course removed")),
        Act("training.path_added", _l("Learning path added")),
        Act("training.path_changed", _l("Learning path changed")),
        Act("training.path_deleted", _l("Learning path deleted")),
        Act("training.rule_added", _l("Rule of training added")),
        Act("training.rule_changed", _l("Rule of training changed")),
        Act("training.rule_deleted", _l("Rule of training deleted")),
        Act("training.assigned", _l("Course assigned")),
        Act("training.withdrawn", _l("Assignment withdrawn")),
        Act("training.due_changed", _l("Due date of a course changed")),
        Act("training.attempt_allowed", _l("Another attempt allowed")),
        Act("training.certificate_revoked", _l("Certificate revoked")),
        Act("training.outside_decided", _l("Training elsewhere decided on")),
        Act("training.skill_assessed", _l("Skill assessed")),
    ]
