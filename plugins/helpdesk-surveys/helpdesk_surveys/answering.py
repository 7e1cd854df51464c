"""Open a link, and keep what was answered by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from helpdesk.api import Invalid, Refused, Ticket, User, db, default_locale, now, record, speaking, transaction
from helpdesk.api import gettext as _
from helpdesk_surveys import acting, counting
from helpdesk_surveys.content import LONGEST_ANSWER, clean_answers, clean_score, storable
from helpdesk_surveys.gates import pass_gates
from helpdesk_surveys.links import ballot_of, is_nonce, new_key, redeem, redeem_public
from helpdesk_surveys.links import token as token_of
from helpdesk_surveys.models import ANSWERED, LINK, SENT, Invitation, Response, ResponseTag, Survey, Version
from helpdesk_surveys.offering import tell_plugins

# So often an answer may be changed: a program that plays with a link writes no more.
MOST_CHANGES = 100
_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Asked:
    """What a link opens: ``state`` is open or closed; ``response`` is what was answered by it so far."""

    survey: Survey
    version: Version
    state: str
    response: Response | None
    locale: str
    invitation: Invitation | None = None
    person: User | None = None
    ticket: Ticket | None = None
    closes_at: datetime | None = None
    # Of a link for everybody: comes back with the form, so that sending it twice is one answer.
    nonce: str = ""
    ballot: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it can still be answered."""
        return self.state == "open"

    @property
    def person_name(self) -> str:
        """Whose answer it is, so that whoever got the mail passed on sees it; "" where nobody is to know."""
        return self.person.display_name if self.person is not None else ""


def open_link(token: str) -> Asked | None:
    """What a person's link opens, without writing anything; None for forged, altered and unknown ones. Two queries."""
    invitation = redeem(token)
    if invitation is None or invitation.version is None:
        return None
    survey, person = invitation.survey, invitation.person
    # Of the link as it is made, not as it was typed: zeros in front would be another paper.
    ballot = ballot_of(token_of(invitation)) if survey.anonymous else ""
    where = Response.ballot == ballot if survey.anonymous else Response.invitation_id == invitation.id
    return Asked(
        survey,
        invitation.version,
        "open" if _is_open(invitation) else "closed",
        db.session.scalar(select(Response).where(where).options(selectinload(Response.tags))),
        invitation.language or default_locale(),
        invitation,
        None if survey.anonymous else person,
        None if survey.anonymous else invitation.ticket,
        invitation.closes_at,
        ballot=ballot,
    )


def open_public(token: str, nonce: str = "", locale: str = "") -> Asked | None:
    """What a link for everybody opens; None for an unknown one. ``locale``: the reader's."""
    survey = redeem_public(token)
    version = db.session.get(Version, survey.version_id) if survey is not None and survey.version_id else None
    if survey is None or version is None or survey.occasion != LINK:
        return None
    given = nonce.lower() if is_nonce(nonce) else ""
    ballot = ballot_of(f"{survey.id}:{given}") if given else ""
    query = select(Response).where(Response.ballot == ballot).options(selectinload(Response.tags))
    found = db.session.scalar(query) if ballot else None
    return Asked(
        survey,
        # What was answered keeps its questions.
        version if found is None else found.version,
        "open" if survey.active else "closed",
        found,
        locale or default_locale(),
        nonce=given or new_key(),
        ballot=ballot,
    )


def answer(
    asked: Asked,
    score: int | None,
    comment: str | None = None,
    answers: Mapping[str, Any] | None = None,
    page: int | None = None,
    final: bool = True,
    address: str = "",
) -> Response:
    """Keep an answer, or change the one that was given by the same link; sent twice it is kept once.

    ``comment`` None leaves it as it is; of ``answers`` only those of ``page`` are looked at, if that is given, and
    without ``final`` others may still be missing. ``address`` is the sender's, by a link for everybody. One
    transaction: the answer, the kept counts, the fact ``surveys_answered``, and what rules make of it is asked for.

    Raises :class:`Invalid` naming score, comment or a question, and :class:`Refused` when the survey has closed or
    too much was sent.
    """
    try:
        return _answer(asked, score, comment, answers or {}, page, final, address)
    except IntegrityError:
        # PostgreSQL: the same form came twice at the same moment, and the other one was kept a moment ago.
        db.session.rollback()
        return _answer(asked, score, comment, answers or {}, page, final, address)


def _answer(
    asked: Asked,
    score: int | None,
    comment: str | None,
    answers: Mapping[str, Any],
    page: int | None,
    final: bool,
    address: str,
) -> Response:
    with transaction():
        survey = asked.survey
        invitation = _locked(asked)
        found = _response(asked)
        kept_score = clean_score(survey.kind, survey.look, score)
        words = found.comment if found is not None else ""
        if comment is not None:
            words = _comment(comment)
        kept = clean_answers(asked.version.questions, answers, found.answers if found is not None else {}, page, final)
        if found is not None and (found.score, found.comment, found.answers) == (kept_score, words, kept):
            return found
        if found is not None and found.changes >= MOST_CHANGES:
            raise Refused(_("This answer was changed too often. It stays as it is."))
        if invitation is None:
            pass_gates(survey, address)
        response = found if found is not None else _new(asked, invitation)
        tags = [one.tag for one in response.tags]
        changes = [] if found is None else [(counting.counts_for(found, tags), _less(found.score))]
        response.score, response.comment, response.answers = kept_score, words, kept
        response.changes += 1 if found is not None else 0
        response.changed_at = response.answered_at if survey.anonymous else now()
        counting.add([*changes, (counting.counts_for(response, tags), counting.of_score(kept_score))])
        if invitation is not None and not survey.anonymous:
            invitation.state, invitation.due_at = ANSWERED, invitation.closes_at
            _note(asked, response, found is not None)
        db.session.flush()
        tell_plugins(survey, response, found is not None)
        acting.ask_to_act(survey, response)
    return response


def _less(score: int | None) -> dict[str, int]:
    """What an answer had added, taken away."""
    return {name: -number for name, number in counting.of_score(score).items()}


def _locked(asked: Asked) -> Invitation | None:
    if asked.invitation is None:
        db.session.refresh(asked.survey)
        if not asked.survey.active or not asked.ballot:
            raise Refused(_("This survey is closed. Thank you for wanting to answer it."))
        return None
    invitation = db.session.scalar(
        select(Invitation).where(Invitation.id == asked.invitation.id)
        .with_for_update(of=Invitation).execution_options(populate_existing=True)
    )  # fmt: skip
    if invitation is None or not _is_open(invitation):
        raise Refused(_("This survey is closed. Thank you for wanting to answer it."))
    return invitation


def _response(asked: Asked) -> Response | None:
    where = Response.ballot == asked.ballot if asked.ballot else Response.invitation_id == _number(asked.invitation)
    query = select(Response).where(where).options(selectinload(Response.tags))
    return db.session.scalar(query.with_for_update(of=Response).execution_options(populate_existing=True))


def _number(invitation: Invitation | None) -> int:
    return invitation.id if invitation is not None else 0


def _new(asked: Asked, invitation: Invitation | None) -> Response:
    """An answer that is not filled in yet: of an anonymous survey without all that leads to the person."""
    survey, moment = asked.survey, now()
    secret = survey.anonymous
    response = Response(
        survey_id=survey.id,
        version_id=asked.version.id,
        answered_at=counting.week_of(moment) if secret else moment,
        changes=0,
        ballot=asked.ballot or None,
        ballot_until=_ballot_until(survey, invitation, moment),
        language=asked.locale,
        channel=LINK if invitation is None else invitation.channel,
    )
    if invitation is not None:
        response.team_id = invitation.team_id
        response.tags = [ResponseTag(tag=tag) for tag in sorted(set(invitation.tags or ()))]
        if not secret:
            response.invitation_id, response.user_id = invitation.id, invitation.user_id
            response.ticket_id, response.agent_id = invitation.ticket_id, invitation.agent_id
    db.session.add(response)
    return response


def _ballot_until(survey: Survey, invitation: Invitation | None, moment: datetime) -> datetime:
    """Until when the same paper changes the answer.

    Of an anonymous survey the end of the week in which the invitation closes, at which it is forgotten already: its own
    moment, kept here, would say whose answer it is.
    With a link for everybody only the same form can be sent twice, and nobody waits a day for that.
    """
    end = (invitation.closes_at if invitation is not None else None) or moment + _A_DAY
    return counting.week_of(end) + timedelta(days=7) if survey.anonymous else end


def _note(asked: Asked, response: Response, changed: bool) -> None:
    """Say in the history of the ticket that its person has answered."""
    if asked.ticket is None or changed:
        return
    with speaking(None):
        text = _("The survey “%(name)s” was answered.", name=asked.survey.name)
    record(
        "surveys.given", asked.ticket, asked.person, {"survey": asked.survey.id, "score": response.score, "text": text}
    )


def _comment(text: str) -> str:
    words = storable(text)
    if len(words) > LONGEST_ANSWER:
        raise Invalid("comment", _("This is too long; %(number)s characters fit.", number=LONGEST_ANSWER))
    return words


def _is_open(invitation: Invitation) -> bool:
    """Whether it may be answered: it was sent, and its time has not passed, whether or not a worker has seen that."""
    if invitation.state not in (SENT, ANSWERED):
        return False
    return invitation.closes_at is None or now() < invitation.closes_at
