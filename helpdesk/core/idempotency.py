"""What is sent twice counts once: a double click, a page that is loaded again, a request repeated on its way.

Each form carries a random key; a program may send one (draft-ietf-httpapi-idempotency-key-header). It is used up in the
very transaction that writes what was sent, so that of two at once one wins; the other learns what came of the first.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import delete

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import IdempotencyKey
from helpdesk.core.transaction import add_or_find, transaction

LIFETIME = timedelta(days=7)


class _Row(Protocol):
    @property
    def id(self) -> int: ...


_Made = TypeVar("_Made", bound=_Row)


class Repeated(Exception):
    """The same was sent before; nothing was written now. ``result_id`` is the number of the row made then."""

    def __init__(self, result_id: int) -> None:
        super().__init__()
        self.result_id = result_id


class Reused(Exception):
    """Something else was sent with this key before; nothing was written now. The text is a sentence for the person."""


@dataclass
class Once:
    """Something that was sent with a key, or with none ("": then it counts each time)."""

    digest: str
    content_digest: str
    # Whether the key is used up, so that what is sent next needs another.
    used: bool = False

    def check(self) -> None:
        """Raise :class:`Repeated` or :class:`Reused` when the key is used up. Reads only.

        For what is done before the transaction (limits, plugins that are asked): it is not done again then.
        """
        if self.digest and (row := self._find()) is not None:
            self._refuse(row)

    def run(self, act: Callable[[], _Made]) -> _Made:
        """Use the key up and ``act``, in one transaction (joins the open one). Answers the row that ``act`` made.

        Raises :class:`Repeated` or :class:`Reused` when somebody used the key up meanwhile, and what ``act`` raises:
        then nothing is written, and the key is as it was.
        """
        if not self.digest:
            return act()
        with transaction():
            row = IdempotencyKey(digest=self.digest, content_digest=self.content_digest)
            if (known := add_or_find(row, self._find)) is not row:
                self._refuse(known)
            made = act()
            row.result_id = made.id
        self.used = True
        return made

    def _find(self) -> IdempotencyKey | None:
        return db.session.get(IdempotencyKey, self.digest)

    def _refuse(self, row: IdempotencyKey) -> None:
        self.used = True
        if row.result_id is not None and hmac.compare_digest(row.content_digest, self.content_digest):
            raise Repeated(row.result_id)
        raise Reused(
            _("This form was sent before with other content. To send what is in it now as well, send it again.")
        )


def once(key: str, purpose: str, owner: str, content: Any) -> Once:
    """What ``owner`` sends for ``purpose``: ``content`` is all that makes it what it is, as JSON takes it.

    A key is worth nothing for another purpose or to another owner, so that nobody learns by one what was sent.
    """
    if not key:
        return Once("", "")
    return Once(_digest([purpose, owner, key]), _digest([purpose, owner, key, content]))


def forget_old() -> None:
    """Take away keys that nobody will send again. Joins or opens the transaction."""
    with transaction():
        db.session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now() - LIFETIME))


def _digest(parts: list[Any]) -> str:
    """Hashed with the installation's secret: who reads the table cannot try what somebody may have written."""
    secret = str(current_app.secret_key).encode()
    return hmac.new(secret, json.dumps(parts, sort_keys=True).encode(), hashlib.sha256).hexdigest()
