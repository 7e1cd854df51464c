"""What was answered and written goes after the time that the owner has set; scores and certificates stay."""

from datetime import timedelta

from sqlalchemy import Text, cast, delete, select, update

from helpdesk.api import Work, db, now, settings
from helpdesk_training.models import DRAFT, GRADING, HANDED_IN, OPEN, Answer, Attempt, LowAnswer, TaskWork
from helpdesk_training.settings import TrainingSettings

FORGET = "training.forget"
_BATCH = 500


def forget(work: Work) -> None:
    """Blank what is older than that (a job in steps, once a day); its result says how many attempts."""
    before = now() - timedelta(days=settings(TrainingSettings).keep_answers_days)
    # What waits to be graded is not over, as long as that takes.
    over = Attempt.state.not_in((OPEN, GRADING))
    old = (Attempt.submitted_at < before, over, cast(Attempt.answers, Text) != "{}")
    gone = 0
    while ids := list(db.session.scalars(select(Attempt.id).where(*old).order_by(Attempt.id).limit(_BATCH))):
        with work.step(done=gone + len(ids)):
            blank = update(Answer).where(Answer.attempt_id.in_(ids))
            db.session.execute(blank.values(given="", comment="", waits=False))
            db.session.execute(update(Attempt).where(Attempt.id.in_(ids)).values(answers={}))
        gone += len(ids)
    with work.last_step(result={"attempts": gone}):
        works = (TaskWork.handed_in_at < before, TaskWork.state.not_in((DRAFT, HANDED_IN)), TaskWork.text != "")
        db.session.execute(update(TaskWork).where(*works).values(text="", comment=""))
        db.session.execute(delete(LowAnswer).where(LowAnswer.at < before))
