"""What other plugins may hear of surveys, and say to them."""

from typing import Any

from helpdesk.api import hookimpl, hookspec, publish
from helpdesk_surveys.models import Response, Survey


@hookspec("fact")
def surveys_answered(
    response_id: int,
    survey_id: int,
    kind: str,
    score: int | None,
    comment: str,
    ticket_id: int | None,
    person_id: int | None,
    changed: bool,
) -> None:
    """A survey was answered; ``changed``: an answer to it was there already.

    Nothing is told of an anonymous survey: the record of facts would keep the moment of each answer.
    """


@hookspec("answer")
def surveys_before_sent(
    invitation_id: int, survey_id: int, kind: str, person_id: int, ticket_id: int | None
) -> str | None:
    """Whether somebody must not be asked: a sentence that says why, for the log; None: it is all right.

    Asked in a worker, inside the transaction in which the mail is written; be quick.
    """


@hookimpl
def register_hookspecs() -> list[Any]:
    """One fact, one answer."""
    return [surveys_answered, surveys_before_sent]


def tell_plugins(survey: Survey, response: Response, changed: bool) -> None:
    """Publish that a survey was answered, unless it is anonymous. Inside the transaction of the answer."""
    if survey.anonymous:
        return
    publish(
        "surveys_answered",
        response_id=response.id,
        survey_id=survey.id,
        kind=survey.kind,
        score=response.score,
        comment=response.comment,
        ticket_id=response.ticket_id,
        person_id=response.user_id,
        changed=changed,
    )
