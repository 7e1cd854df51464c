"""The mail that asks, and the one that reminds, in the person's language. Inside the open transaction."""

from collections.abc import Sequence

from flask_babel import format_date

from helpdesk.api import Delivery, pgettext, speaking, write_care
from helpdesk.api import gettext as _
from helpdesk_surveys import wording
from helpdesk_surveys.clocks import closing_day
from helpdesk_surveys.links import url
from helpdesk_surveys.models import Invitation, Survey, Version


def invite(invitation: Invitation, survey: Survey, version: Version) -> Delivery | None:
    """Ask: the question, a link for each score, until when. None, and nothing is written, for who cannot be asked."""
    return _write(invitation, survey, version, reminds=False)


def remind(invitation: Invitation, survey: Survey, version: Version) -> Delivery | None:
    """Ask once more, with the same link."""
    return _write(invitation, survey, version, reminds=True)


def _write(invitation: Invitation, survey: Survey, version: Version, reminds: bool) -> Delivery | None:
    person, locale = invitation.person, invitation.language
    if person is None:
        return None
    with speaking(locale):
        questions, kind = version.questions, survey.kind
        subject = wording.subject(questions, kind, locale)
        about = invitation.ticket.subject if invitation.ticket is not None and not reminds else ""
        lines = [
            _("Hello %(name)s,", name=person.display_name) if person.name else _("Hello,"),
            _("Some days ago we asked you this. It is the only reminder.") if reminds else "",
            wording.intro(questions, kind, locale),
            _("It is about: %(subject)s", subject=about) if about else "",
            wording.question(questions, kind, locale) if kind != "form" else "",
            _choices(invitation, survey),
            _ending(invitation, survey),
        ]
        return write_care(
            person,
            _("Reminder: %(subject)s", subject=subject) if reminds else subject,
            "\n\n".join(line for line in lines if line),
            ticket=None if survey.anonymous else invitation.ticket,
            link=url(invitation),
            link_label=pgettext("survey", "Answer"),
        )


def _choices(invitation: Invitation, survey: Survey) -> str:
    """One line for each score with its own address, the best first, as mail programs without pictures show it."""
    offered: Sequence[int] = wording.scores(survey.kind, survey.look)
    return "\n".join(
        f"{wording.score_name(survey.kind, survey.look, score)}: {url(invitation, score)}"
        for score in reversed(offered)
    )


def _ending(invitation: Invitation, survey: Survey) -> str:
    lines = []
    if (last := closing_day(invitation)) is not None:
        day = format_date(last, "long", rebase=False)
        lines.append(_("You can answer, and change your answer, until %(day)s.", day=day))
    if survey.anonymous:
        lines.append(_("Your answer is anonymous: it is kept without your name, and nobody sees that it is yours."))
    return "\n".join(lines)
