"""Mails as people read them: the words of the core in our templates, as text and as HTML."""

from flask import render_template
from markupsafe import Markup

from helpdesk.api import DeskSettings, OutgoingMessage, clean_html, settings, text_to_html

_KINDS = frozenset({"reply", "notice"})
_RIGHT_TO_LEFT = frozenset("ar dv fa he ps ur yi".split())


def render(outgoing: OutgoingMessage) -> tuple[str, str]:
    """Text and HTML of a mail, in the language that is spoken now."""
    kind = outgoing.kind if outgoing.kind in _KINDS else "message"
    desk = settings(DeskSettings)
    context = {
        "outgoing": outgoing,
        "desk": desk,
        "body": Markup(clean_html(outgoing.html) or text_to_html(outgoing.text)),
        "language": outgoing.locale.replace("_", "-"),
        "direction": "rtl" if outgoing.locale.split("_")[0] in _RIGHT_TO_LEFT else "ltr",
    }
    text = render_template(f"email/{kind}.txt", **context)
    return text.strip() + "\n", render_template(f"email/{kind}.html", **context).strip() + "\n"
