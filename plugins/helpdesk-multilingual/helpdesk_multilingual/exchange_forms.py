"""Files that are given out and taken in: CSV, with one sentence for each line that could not be used."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Response, request, stream_with_context

from helpdesk.api import User
from helpdesk.api import gettext as _

# A file of this size holds some hundred thousand translations.
MOST_BYTES = 50_000_000


def csv_answer(lines: Iterable[str], name: str) -> Response:
    """A file to be kept, written line by line."""
    answer = Response(stream_with_context(lines), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def taken(read: Callable[[bytes, User], Any], user: User) -> tuple[Any, str]:
    """What came of the file that was sent, and what is wrong with it as a whole."""
    file = request.files.get("file")
    data = file.read(MOST_BYTES + 1) if file is not None else b""
    if not data.strip():
        return None, _("Choose a CSV file with something in it.")
    if len(data) > MOST_BYTES:
        return None, _("This file is too large; split it into several.")
    try:
        return read(data, user), ""
    except ValueError as problem:
        return None, str(problem)
