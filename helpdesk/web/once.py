"""The key in a form by which it counts once (core/idempotency.py)."""

import secrets
from collections.abc import Sequence
from typing import Any

from flask import g, request, session

from helpdesk.core import idempotency, workflow
from helpdesk.core.drafts import MessageDraft, StoredFile
from helpdesk.core.idempotency import Once
from helpdesk.core.models import Message, Ticket, User
from helpdesk.core.models.message import INTERNAL
from helpdesk.core.permissions import require

_FIELD = "once"
_HEADER = "Idempotency-Key"


def form_key() -> str:
    """The key of a form that is rendered now (``once()`` of components/form.html writes it).

    A form that comes back keeps its key until that is used up: what was sent with it may arrive after all.
    """
    sent: str = request.form.get(_FIELD, "")
    current: Once | None = g.get("once")
    if sent and not (current is not None and current.used):
        return sent
    return secrets.token_urlsafe(16)


def of_form(purpose: str, user: User | None, content: Any) -> Once:
    """What this form sends, by the key in it; ``user`` is who sends it, None a stranger in this browser."""
    owner = f"user:{user.id}" if user is not None else f"browser:{session.get('csrf_token', '')}"
    g.once = idempotency.once(request.form.get(_FIELD, ""), purpose, owner, content)
    return g.once


def of_program(purpose: str, user: User, content: Any) -> Once:
    """What this request of a program sends, by the key in its header."""
    return idempotency.once(request.headers.get(_HEADER, ""), purpose, f"program:{user.id}", content)


def write_message(sent: Once, ticket: Ticket, draft: MessageDraft, user: User, version: int | None = None) -> Message:
    """Write a reply, or a note if the draft is internal, once.

    Raises Repeated and Reused, and what ``workflow.reply`` and ``workflow.note`` raise.
    """
    as_note = draft.visibility == INTERNAL
    require(user, "ticket.note" if as_note else "ticket.reply", ticket)
    sent.check()
    # Plugins are asked before the transaction that uses the key up.
    prepared = workflow.prepare_message(ticket, draft, user)
    verb = workflow.note if as_note else workflow.reply
    return sent.run(lambda: verb(ticket, prepared, user, version))


def of_files(files: Sequence[StoredFile]) -> list[tuple[str, str]]:
    """What makes files what they are."""
    return [(file.name, file.sha256) for file in files]
