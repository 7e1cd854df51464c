"""What workers do for languages: translate what arrives for those who want it, join answers to what was sent."""

from datetime import timedelta

from sqlalchemy import select

from helpdesk.api import LATER, SOON, Event, Job, Message, Schedule, Ticket, User, Work, db, hookimpl, settings
from helpdesk_multilingual import agents, answering, engines, languages, reading, speech
from helpdesk_multilingual.models import MessageLanguage, ReaderChoice
from helpdesk_multilingual.settings import MultilingualSettings

SWEEP = "multilingual.sweep"


@hookimpl
def message_added(ticket: Ticket, message: Message, event: Event) -> None:
    """The customer's: what language it is. The desk's: whether it is an answer that was translated."""
    if message.author is not None and message.author.is_staff and message.author_id != ticket.requester_id:
        answering.keep_sent(ticket, message)
    else:
        speech.hear(ticket, message)


@hookimpl
def register_jobs() -> list[Job]:
    """Translations that nobody has clicked for; what was begun and never sent."""
    return [
        Job(speech.READ, read_by_itself, priority=SOON, max_attempts=2),
        Job(SWEEP, answering.drop_old, at_once=1, priority=LATER),
    ]


@hookimpl
def register_schedules() -> list[Schedule]:
    """Once a day."""
    return [Schedule(SWEEP, SWEEP, every=timedelta(days=1))]


def read_by_itself(work: Work, message_id: int) -> None:
    """Translate a message for those who want it always and do not read its language. Outside transactions.

    An engine's fault leaves nothing behind: the button is there for those who open the ticket.
    """
    message = db.session.get(Message, message_id)
    spoken = db.session.get(MessageLanguage, message_id)
    if message is None or spoken is None or not spoken.language:
        return
    for target in sorted(_targets(message, spoken.language)):
        try:
            reading.make(message, target)
        except engines.EngineProblem:
            # Another language may have an engine.
            continue


def _targets(message: Message, language: str) -> set[str]:
    """The languages into which it is wanted: of the assignee, or of everybody who chose it where nobody has it yet."""
    if settings(MultilingualSettings).always:
        query = select(User).where(User.active, User.role != "requester", User.is_service.is_(False))
    else:
        query = select(User).join(ReaderChoice, ReaderChoice.user_id == User.id).where(ReaderChoice.always, User.active)
    if message.ticket.assignee_id is not None:
        query = query.where(User.id == message.ticket.assignee_id)
    people = db.session.scalars(query.order_by(User.id).limit(200)).all()
    wanted = {reading.target_for(user) for user in people if not agents.can_read(user, language)}
    return {target for target in wanted if not languages.same(target, language)}
