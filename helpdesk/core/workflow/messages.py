"""What replies, notes and first messages share."""

from collections.abc import Iterable

from helpdesk.core.drafts import StoredFile
from helpdesk.core.models import Attachment, Message, Ticket, User


def speaks_for_desk(author: User | None, ticket: Ticket) -> bool:
    """Whether a message is the desk's answer. Staff who ask for themselves are customers on their own ticket."""
    return author is None or (author.is_staff and author.id != ticket.requester_id)


def attach(message: Message, files: Iterable[StoredFile]) -> None:
    """Hang stored files on a message that is about to be added."""
    for file in files:
        message.attachments.append(
            Attachment(
                name=file.name,
                content_type=file.content_type,
                size=file.size,
                sha256=file.sha256,
                content_id=file.content_id,
            )
        )
