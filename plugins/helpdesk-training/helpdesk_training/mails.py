"""What people are told by mail: what they are to learn, by when, that it is late, what runs out, what waits.

All are called inside the open transaction of what they tell about, each in the language and zone of its reader.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask_babel import get_locale
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from helpdesk.api import DeskSettings, User, address, db, ngettext, pgettext, settings, speaking, write_letter
from helpdesk.api import gettext as _
from helpdesk_training.models import Assignment, Certificate


def assigned(person: User, found: Sequence[Assignment]) -> None:
    """Tell somebody what they have been given, in one mail."""
    with speaking(person.locale):
        if len(found) == 1:
            subject = _("A course for you: %(name)s", name=_name(found[0]))
        else:
            subject = ngettext("%(num)s course for you", "%(num)s courses for you", len(found))
        lines = "\n".join(_line(one, person) for one in found)
        said = list(dict.fromkeys(one.words for one in found if one.words))
        text = "\n\n".join([_("You have been given this to learn:"), lines, *said])
        write_letter(person, subject, text, link=_link(), link_label=pgettext("training", "Begin"))


def reminder(assignment: Assignment) -> None:
    """Remind somebody of a course that is due soon."""
    person = assignment.person
    with speaking(person.locale):
        subject = _("Due soon: %(name)s", name=_name(assignment))
        text = _("This course is to be done soon:")
        write_letter(person, subject, f"{text}\n\n{_line(assignment, person)}", link=_link(), link_label=_("Go on"))


def late(assignment: Assignment) -> None:
    """Tell somebody that a course is late."""
    person = assignment.person
    with speaking(person.locale):
        subject = _("Late: %(name)s", name=_name(assignment))
        text = _("This course should have been done by now:")
        write_letter(person, subject, f"{text}\n\n{_line(assignment, person)}", link=_link(), link_label=_("Go on"))


def escalation(chief: User, found: Sequence[Assignment]) -> None:
    """Tell a supervisor whose courses are late, in one mail."""
    with speaking(chief.locale):
        lines = [f"- {one.person.display_name}: {_line(one, chief)[2:]}" for one in found]
        subject = ngettext("A course of your team is late", "%(num)s courses of your team are late", len(lines))
        text = _("These courses should have been done by now:") + "\n\n" + "\n".join(lines)
        write_letter(chief, subject, text, link=_link(), link_label=pgettext("training", "Look at it"))


def expiring(certificate: Certificate) -> None:
    """Tell somebody that a certificate runs out, and that the course waits for them again."""
    person = certificate.person
    with speaking(person.locale):
        name, day = _named(certificate)
        subject = _("Your certificate runs out: %(name)s", name=name)
        text = _("Your certificate “%(name)s” counts until %(day)s. Take the course again before.", name=name, day=day)
        write_letter(person, subject, text, link=_link(), link_label=pgettext("training", "Begin"))


def expired(certificate: Certificate) -> None:
    """Tell somebody that a certificate counts no more."""
    person = certificate.person
    with speaking(person.locale):
        name, day = _named(certificate)
        subject = _("Your certificate has run out: %(name)s", name=name)
        text = _("Your certificate “%(name)s” counted until %(day)s. Take the course again to renew it.",
                 name=name, day=day)  # fmt: skip
        write_letter(person, subject, text, link=_link(), link_label=pgettext("training", "Begin"))


def graded(assignment: Assignment, passed: bool) -> None:
    """Tell somebody what became of what a person has graded."""
    person = assignment.person
    with speaking(person.locale):
        name = _name(assignment)
        text = _("It was passed.") if passed else _("It was not passed yet. Read what was said, and try again.")
        write_letter(
            person,
            _("Graded: %(name)s", name=name),
            f"{name}\n\n{text}",
            link=_link(),
            link_label=pgettext("training", "Look at it"),
        )


def chiefs_of(people: Iterable[User]) -> dict[int, list[User]]:
    """Who is told about each person: supervisors of their teams, else those who look after all, else administrators.

    Nobody is told about themselves. Two queries.
    """
    query = select(User).where(User.role.in_(("supervisor", "admin")), User.active, ~User.is_service)
    found = db.session.scalars(query.order_by(User.id).options(selectinload(User.teams))).all()
    teams = {chief.id: {team.id for team in chief.teams} for chief in found}
    supervisors = [one for one in found if one.role == "supervisor"]
    told = {}
    for person in people:
        mine = {team.id for team in person.teams}
        near = [one for one in supervisors if teams[one.id] & mine and one.id != person.id]
        wide = [one for one in supervisors if not teams[one.id] and one.id != person.id]
        told[person.id] = near or wide or [one for one in found if one.role == "admin" and one.id != person.id]
    return told


def _named(certificate: Certificate) -> tuple[str, str]:
    """What a certificate is of, and until which day it counts."""
    ends = certificate.expires_at or certificate.earned_at
    return certificate.course.title(str(get_locale())), _day(ends, certificate.person)


def _name(assignment: Assignment) -> str:
    return assignment.course.title(str(get_locale()))


def _line(assignment: Assignment, reader: User) -> str:
    if assignment.due_at is None:
        return f"- {_name(assignment)}"
    return "- " + _("%(name)s, by %(day)s", name=_name(assignment), day=_day(assignment.due_at, reader))


def _day(moment: datetime, reader: User) -> str:
    zone = ZoneInfo(reader.time_zone or settings(DeskSettings).time_zone)
    return format_date(moment.astimezone(zone).date(), "medium", locale=get_locale())


def _link() -> str:
    return f"{address()}/p/training/"
