"""The list of competences that reviews and courses share, and how well people have them."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from helpdesk.api import Invalid, User, audit, collect, db, hookimpl, now, require, transaction
from helpdesk.api import gettext as _
from helpdesk_career import words
from helpdesk_career.models import GRADES, NAME_LENGTH, Assessment, Competence, Person
from helpdesk_career.permissions import MANAGE
from helpdesk_career.scopes import require_lead


@dataclass(frozen=True)
class Known:
    """A competence of the list, or (without a row) one that only another plugin knows."""

    name: str
    competence: Competence | None


def normal(name: str) -> str:
    """The form in which names are compared: as people read them, whatever case, width or spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def listed(retired: bool = False) -> Sequence[Competence]:
    """The competences of the list by name."""
    query = select(Competence).order_by(Competence.norm)
    return db.session.scalars(query if retired else query.where(Competence.retired_at.is_(None))).all()


def known() -> list[Known]:
    """Those of the list, and the names that other plugins know and nobody has added yet."""
    own = listed(retired=True)
    found = {one.norm: Known(one.name, one) for one in own}
    for name in collect("career_competences"):
        if isinstance(name, str) and 0 < len(name.strip()) <= NAME_LENGTH:
            found.setdefault(normal(name), Known(name.strip(), None))
    return [found[key] for key in sorted(found) if (one := found[key].competence) is None or one.retired_at is None]


def save(competence: Competence | None, name: str, note: str, actor: User | None) -> Competence:
    """Add or rename a competence; one of the same name in another writing is the same one, and taken up again.

    Joins or opens; audited. Raises :class:`Invalid` (name, note), and :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    clean = words.clean(name, "name", NAME_LENGTH, _("Give the competence a name."))
    norm = normal(clean)
    if not norm or len(norm) > NAME_LENGTH:
        raise Invalid("name", _("Give the competence a shorter name."))
    about = words.clean(note, "note")
    with transaction():
        same = db.session.scalar(select(Competence).where(Competence.norm == norm))
        if competence is None:
            competence = same or Competence()
        elif same is not None and same.id != competence.id:
            raise Invalid("name", _("There is a competence of this name already. Choose another one."))
        competence.name, competence.norm, competence.note, competence.retired_at = clean, norm, about, None
        db.session.add(competence)
        db.session.flush()
        audit("career.competence_changed", actor, clean, {"competence": competence.id})
    return competence


def retire(competence: Competence, actor: User | None) -> None:
    """Offer a competence no more; what was assessed stays. Joins or opens; audited."""
    require(actor, MANAGE)
    with transaction():
        competence.retired_at = competence.retired_at or now()
        audit("career.competence_changed", actor, competence.name, {"competence": competence.id, "retired": True})


@hookimpl(optionalhook=True)
def training_skills() -> list[str]:
    """The names of competences, for courses to choose from."""
    return [one.name for one in listed()]


def assess(
    user: User, competence: Competence, grade: int, why: str, actor: User | None, review_id: int | None = None
) -> Assessment:
    """Write how well somebody has a competence. Nothing is overwritten: the newest counts, and 0 takes back.

    Joins or opens. Raises :class:`Invalid` (grade, why), and :class:`NotAllowed` (of oneself, too).
    """
    require_lead(actor, user)
    if grade not in (0, *GRADES):
        raise Invalid("grade", _("Choose a grade of the list."))
    needed = _("Say why the assessment is taken back.") if grade == 0 else ""
    reason = words.clean(why, "why", needed=needed)
    with transaction():
        made = Assessment(
            user_id=user.id, competence_id=competence.id, grade=grade, why=reason, by_id=actor.id if actor else None,
            review_id=review_id,
        )  # fmt: skip
        db.session.add(made)
        db.session.execute(db.update(Person).where(Person.user_id == user.id).values(stale=True))
        db.session.flush()
    return made


def current(user: User) -> list[Assessment]:
    """The newest assessment in each competence, by name. One query."""
    newest = (
        select(func.max(Assessment.id)).where(Assessment.user_id == user.id).group_by(Assessment.competence_id)
    ).scalar_subquery()
    query = (
        select(Assessment)
        .join(Competence, Competence.id == Assessment.competence_id)
        .where(Assessment.id.in_(newest))
        .order_by(Competence.norm)
        .options(joinedload(Assessment.competence), joinedload(Assessment.by))
    )
    return [one for one in db.session.scalars(query) if one.grade]


def history(user: User, competence: Competence | None = None, most: int = 100) -> Sequence[Assessment]:
    """What was assessed, the newest first."""
    query = select(Assessment).where(Assessment.user_id == user.id)
    if competence is not None:
        query = query.where(Assessment.competence_id == competence.id)
    query = query.order_by(Assessment.id.desc()).limit(most)
    return db.session.scalars(query.options(joinedload(Assessment.competence), joinedload(Assessment.by))).all()
