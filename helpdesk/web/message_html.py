"""A message as harmless HTML, for staff and for customers alike."""

from collections.abc import Callable

from markupsafe import Markup

from helpdesk.core import markup
from helpdesk.core.models import Message


def html_of(message: Message, address_of: Callable[[int], str]) -> Markup:
    """What a person wrote, cleaned whoever stored it. Pictures that came with it are read from its attachments.

    ``address_of`` is where the reader fetches an attachment by its number.
    """
    if not message.html:
        return Markup(markup.text_to_html(message.text))
    pictures = {file.content_id: file.id for file in message.attachments if file.content_id}

    def source(content_id: str) -> str | None:
        number = pictures.get(content_id)
        return address_of(number) if number else None

    return Markup(markup.clean_html(message.html, source))
