"""Training that somebody had elsewhere, and assessments by who has seen somebody at work. Nothing is overwritten."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api import (
    Invalid,
    NotAllowed,
    Refused,
    StoredFile,
    User,
    audit,
    db,
    drop_cached,
    now,
    require,
    transaction,
)
from helpdesk.api import gettext as _
from helpdesk_training import skills
from helpdesk_training.cleaning import storable
from helpdesk_training.locking import lock
from helpdesk_training.models import CLAIMED, GRADES, REFUSED, VERIFIED, Assessment, Outside
from helpdesk_training.permissions import ASSIGN, USE
from helpdesk_training.scopes import require_about

TITLE_LENGTH, NOTE_LENGTH = 200, 5_000
_EARLIEST = date(1950, 1, 1)


def record(
    user: User,
    values: Mapping[str, Any],
    stored: StoredFile | None,
    actor: User,
    corrects: Outside | None = None,
) -> Outside:
    """Record training elsewhere: ``title``, ``provider``, ``skills``, ``held_on``, ``until``, ``note``, and a proof.

    One's own is a claim until somebody has verified it; of others it counts at once. ``corrects``: the record that it
    stands for from now on. Joins or opens the transaction. Raises :class:`Invalid`, :class:`Refused`,
    :class:`NotAllowed`.
    """
    is_own = actor.id == user.id
    if is_own:
        require(actor, USE)
    else:
        require_about(actor, user.id)
    made = _made(user, values)
    with transaction():
        if corrects is not None:
            _correct(corrects, user)
            made.corrects_id = corrects.id
        if stored is not None:
            made.file_name, made.file_type = stored.name[:200], stored.content_type
            made.file_size, made.sha256 = stored.size, stored.sha256
        elif corrects is not None:
            for name in ("file_name", "file_type", "file_size", "sha256"):
                setattr(made, name, getattr(corrects, name))
        made.recorded_by_id, made.recorded_at = actor.id, now()
        if not is_own:
            made.state, made.decided_by_id, made.decided_at = VERIFIED, actor.id, now()
        db.session.add(made)
        db.session.flush()
        drop_cached()
    return made


def decide(record: Outside, ok: bool, words: str, actor: User) -> Outside:
    """Verify a claim or refuse it, with a reason. Joins or opens the transaction.

    Raises :class:`Invalid` (words), :class:`Refused` when somebody has decided already, :class:`NotAllowed`.
    """
    require_about(actor, record.user_id)
    said = _text(words, "words", NOTE_LENGTH)
    if not ok and not said:
        raise Invalid("words", _("Say why, so that the person knows."))
    with transaction():
        lock(record)
        if record.state != CLAIMED:
            raise Refused(_("Somebody else has decided on this meanwhile."))
        record.state, record.decision = VERIFIED if ok else REFUSED, said
        record.decided_by_id, record.decided_at = actor.id, now()
        audit("training.outside_decided", actor, record.title,
              {"record": record.id, "person": record.user_id, "ok": ok})  # fmt: skip
        drop_cached()
    return record


def assess(user: User, skill: str, grade: int, note: str, actor: User) -> Assessment:
    """Say how well somebody can do something, 1 to 4; 0 takes what was said before back. Nobody assesses themselves.

    Joins or opens the transaction. Raises :class:`Invalid` (skill, grade, note), :class:`NotAllowed`.
    """
    require_about(actor, user.id)
    if actor.id == user.id:
        raise NotAllowed(ASSIGN)
    names = skills.clean([skill], "skill")
    if not names:
        raise Invalid("skill", _("Choose a skill, or write a new one."))
    if isinstance(grade, bool) or grade not in (0, *GRADES):
        raise Invalid("grade", _("Choose one of these."))
    with transaction():
        found = Assessment(
            user_id=user.id, key=skills.key_of(names[0]), name=names[0], grade=grade,
            note=_text(note, "note", NOTE_LENGTH), by_id=actor.id, at=now(),
        )  # fmt: skip
        db.session.add(found)
        db.session.flush()
        audit("training.skill_assessed", actor, names[0], {"person": user.id, "grade": grade})
    return found


def of(user_id: int) -> Sequence[Outside]:
    """What somebody has learnt elsewhere, the newest first, corrected records too."""
    query = select(Outside).where(Outside.user_id == user_id).order_by(Outside.id.desc()).limit(200)
    return db.session.scalars(query.options(joinedload(Outside.decided_by), joinedload(Outside.recorded_by))).all()


def corrected(records: Sequence[Outside]) -> set[int]:
    """The numbers of those that another one stands for."""
    return {one.corrects_id for one in records if one.corrects_id is not None}


def assessments_of(user_id: int) -> Sequence[Assessment]:
    """What was said about how well somebody can do things, the newest first."""
    query = select(Assessment).where(Assessment.user_id == user_id).options(joinedload(Assessment.by))
    return db.session.scalars(query.order_by(Assessment.id.desc()).limit(200)).all()


def _made(user: User, values: Mapping[str, Any]) -> Outside:
    title = " ".join(_text(str(values.get("title") or ""), "title", TITLE_LENGTH).split())
    if not title:
        raise Invalid("title", _("Say what was learnt."))
    held_on, until = values.get("held_on"), values.get("until")
    if not isinstance(held_on, date) or not _EARLIEST <= held_on <= now().date():
        raise Invalid("held_on", _("Choose the day on which it was; it cannot be still to come."))
    if until is not None and (not isinstance(until, date) or until < held_on):
        raise Invalid("until", _("It cannot end before it was."))
    return Outside(
        user_id=user.id, title=title, provider=" ".join(_text(str(values.get("provider") or ""), "provider",
        TITLE_LENGTH).split()), skills=skills.clean(values.get("skills") or ()), held_on=held_on, until=until,
        note=_text(str(values.get("note") or ""), "note", NOTE_LENGTH), state=CLAIMED, file_name="", file_type="",
        file_size=0, sha256="", decision="",
    )  # fmt: skip


def _correct(record: Outside, user: User) -> None:
    lock(record)
    if record.user_id != user.id:
        raise NotAllowed(USE)
    if db.session.scalar(select(Outside.id).where(Outside.corrects_id == record.id)) is not None:
        raise Refused(_("This was corrected already. Correct the newest record."))


def _text(text: str, name: str, most: int) -> str:
    words = storable(text)
    if len(words) > most:
        raise Invalid(name, _("This is too long; %(number)s characters fit.", number=most))
    return words
