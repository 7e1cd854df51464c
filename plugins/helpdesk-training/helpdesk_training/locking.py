"""Lock rows before they are changed."""

from typing import Any

from helpdesk.api import db


def lock(row: Any) -> None:
    """Read a row anew and keep others from it until the transaction ends; what was changed in it before is kept."""
    db.session.flush()
    db.session.refresh(row, with_for_update={"of": type(row)})
