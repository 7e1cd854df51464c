"""Answers as CSV, of which no spreadsheet calculates a cell."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from helpdesk.api import User, harmless
from helpdesk.api import gettext as _
from helpdesk_surveys.figures import Wanted
from helpdesk_surveys.listing import every_answer
from helpdesk_surveys.models import Response


def answers_csv(
    user: User, wanted: Wanted, score: str | int | None = None, with_comment: bool = False
) -> Iterator[str]:
    """The lines of a file with the answers that :func:`listing.answers` shows: with a mark of UTF-8 in front."""
    heads = [
        _("Survey"), _("Version"), _("Answered"), _("Score"), _("Comment"), _("Answers"), _("Ticket"), _("Customer"),
        _("Agent"), _("Team"), _("Channel"), _("Language"),
    ]  # fmt: skip
    yield "\ufeff" + _line(heads)
    for response in every_answer(user, wanted, score, with_comment):
        yield _line(_cells(response))


def _cells(response: Response) -> list[Any]:
    """Of an anonymous answer nothing that tells small groups apart."""
    survey = response.survey
    moment = "" if survey.anonymous else response.answered_at.replace(microsecond=0).isoformat()
    return [
        survey.name,
        response.version.number,
        moment,
        "" if response.score is None else response.score,
        response.comment,
        "; ".join(f"{key}: {_said(value)}" for key, value in (response.answers or {}).items()),
        response.ticket_id or "",
        response.person.display_name if response.person is not None else "",
        response.agent.display_name if response.agent is not None else "",
        response.team.name if response.team is not None and not survey.anonymous else "",
        "" if survey.anonymous else response.channel,
        "" if survey.anonymous else response.language,
    ]


def _said(value: Any) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)


def _line(cells: list[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    return out.getvalue()
