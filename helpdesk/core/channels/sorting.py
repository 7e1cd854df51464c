"""What plugins say of the ticket that an item opens: its priority, type, topic and tags.

What there is not, or no longer, keeps nothing out: it is left out, and noted among the problems of the item.
"""

from flask_babel import gettext as _

from helpdesk.core import ticket_types, topics
from helpdesk.core.drafts import IntakeDraft, TicketDraft
from helpdesk.core.models.ticket import PRIORITIES
from helpdesk.core.workflow.editing import clean_tags
from helpdesk.core.workflow.errors import Invalid


def sort(ticket: TicketDraft, intake: IntakeDraft) -> None:
    """Take into the draft of a ticket what can be used of it. A query when types or topics have changed, else none."""
    if intake.priority in PRIORITIES:
        ticket.priority = intake.priority
    elif intake.priority is not None:
        intake.problems.append(_("there is no priority “%(name)s”; it was left out", name=intake.priority[:40]))
    if intake.type_id is not None:
        if any(one.id == intake.type_id and one.active for one in ticket_types.every()):
            ticket.type_id = intake.type_id
        else:
            intake.problems.append(_("the type that it should get is no longer in use; it was left out"))
    if intake.topic_id is not None:
        if any(one.id == intake.topic_id for one in topics.offered()):
            ticket.topic_id = intake.topic_id
        else:
            intake.problems.append(_("the topic that it should get is no longer in use; it was left out"))
    try:
        ticket.tags = clean_tags(intake.tags)
    except Invalid as problem:
        intake.problems.append(str(problem))
