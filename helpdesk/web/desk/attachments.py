"""Files of tickets, and messages as they came in."""

from flask import Response, abort, request
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.core.extensions import db
from helpdesk.core.models import Attachment, Intake, Message
from helpdesk.core.permissions import find_ticket
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.downloads import stored_file
from helpdesk.web.session import reader


@desk.get("/attachments/<int:attachment_id>")
def attachment(attachment_id: int) -> Response:
    """A file of a ticket that the reader may see: downloaded, or shown if it is a picture and ``?show=1``."""
    query = select(Attachment).where(Attachment.id == attachment_id).options(joinedload(Attachment.message))
    found = db.session.scalar(query)
    if found is None or find_ticket(reader(), found.message.ticket_id) is None:
        abort(404)
    return stored_file(found.sha256, found.name, found.content_type, inline="show" in request.args)


@desk.get("/messages/<int:message_id>/original")
def original(message_id: int) -> Response:
    """The raw mail that a message came in as, for a mail program or an expert's eye."""
    row = db.session.execute(
        select(Intake.sha256, Message.ticket_id)
        .join(Message, Message.intake_id == Intake.id)
        .where(Message.id == message_id)
    ).one_or_none()
    if row is None or find_ticket(reader(), row.ticket_id) is None:
        abort(404)
    return stored_file(row.sha256, f"{row.ticket_id}-{message_id}.eml", "message/rfc822", inline=False)
