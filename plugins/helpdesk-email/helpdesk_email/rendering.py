"""Mails as people read them: the words of the core in our templates or a theme's, as text and as HTML."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template
from markupsafe import Markup

from helpdesk.api import DeskSettings, OutgoingFile, OutgoingMessage, clean_html, settings, text_to_html
from helpdesk_email.outgoing import one_line
from helpdesk_email.settings import IncomingSettings

_KINDS = frozenset({"reply", "notice", "agent", "care"})
_RIGHT_TO_LEFT = frozenset("ar dv fa he ps ur yi".split())


@dataclass(frozen=True)
class Link:
    """A file that is too large to be sent along."""

    name: str
    size: int
    url: str


def render(
    outgoing: OutgoingMessage, signature: str = "", links: Sequence[OutgoingFile] = (), *, proves: bool = False
) -> tuple[str, str]:
    """Text and HTML of a mail, in the language that is spoken now.

    ``signature`` is the mailbox's, below that of the author; ``links`` are the files that are not sent along.
    ``proves``: the mailbox that answers come to believes somebody who proves senders.
    """
    kind = outgoing.kind if outgoing.kind in _KINDS else "message"
    signatures = [text.strip() for text in (outgoing.signature, signature) if text.strip()]
    shown = {file.content_id for file in outgoing.files if file.content_id} - {file.content_id for file in links}
    body = clean_html(outgoing.html, lambda name: f"cid:{name}" if name in shown else None)
    body = body or text_to_html(outgoing.text)
    context = {
        "outgoing": outgoing,
        "desk": settings(DeskSettings),
        "body": Markup(body),  # nosec B704 # cleaned above, or made by us from text
        "signatures": [(text, Markup(text_to_html(text))) for text in signatures],
        "links": [Link(one_line(file.name), file.size, file.link) for file in links],
        "by_mail": settings(IncomingSettings).believes_staff(proves),
        "language": outgoing.locale.replace("_", "-"),
        "direction": "rtl" if outgoing.locale.split("_")[0] in _RIGHT_TO_LEFT else "ltr",
    }
    text = render_template(f"email/{kind}.txt", **context)
    return text.strip() + "\n", render_template(f"email/{kind}.html", **context).strip() + "\n"
