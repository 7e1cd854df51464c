"""Reviews: templates, what is written by one, sharing it with the person, their answer, and corrections."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from helpdesk.api import Invalid, NotAllowed, Refused, User, audit, db, now, require, transaction
from helpdesk.api import gettext as _
from helpdesk_career import competences, words
from helpdesk_career.models import (
    DRAFT,
    GRADE,
    GRADES,
    ITEMS,
    NAME_LENGTH,
    READ,
    SHARED,
    WORDS,
    Competence,
    Review,
    Template,
)
from helpdesk_career.permissions import LEAD, MANAGE, USE
from helpdesk_career.scopes import is_here, may_lead, require_lead, sees

MOST_ITEMS = 40


def templates(retired: bool = False) -> Sequence[Template]:
    """Templates by name."""
    query = select(Template).order_by(Template.name)
    return db.session.scalars(query if retired else query.where(Template.retired_at.is_(None))).all()


def save_template(
    template: Template | None, name: str, items: Sequence[Mapping[str, Any]], actor: User | None
) -> Template:
    """Make or change a template: items are ``kind`` (words, grade), ``text``, and of a grade ``competence_id``.

    Reviews that were begun keep what they ask. Joins or opens; audited. Raises :class:`Invalid` naming ``name``,
    ``items``, ``i1.text``, ``i1.competence_id`` ..., and :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    title = words.clean(name, "name", NAME_LENGTH, _("Give the template a name."))
    known = {one.id: one for one in competences.listed(retired=True)}
    cleaned = [_item(item, f"i{place}", known) for place, item in enumerate(items, 1)]
    if not cleaned or len(cleaned) > MOST_ITEMS:
        raise Invalid("items", _("A review asks between one and %(number)s things.", number=MOST_ITEMS))
    assessed = [item["competence_id"] for item in cleaned if item["kind"] == GRADE]
    if len(set(assessed)) < len(assessed):
        raise Invalid("items", _("A competence stands here twice. Take one of them away."))
    with transaction():
        taken = select(Template.id).where(Template.name == title, Template.id != (template.id if template else 0))
        if db.session.scalar(taken) is not None:
            raise Invalid("name", _("There is a template of this name already. Choose another one."))
        if template is None:
            template = Template()
            db.session.add(template)
        template.name, template.items, template.retired_at = title, cleaned, None
        db.session.flush()
        audit("career.template_changed", actor, title, {"template": template.id})
    return template


def retire_template(template: Template, actor: User | None) -> None:
    """Offer a template no more. Joins or opens; audited."""
    require(actor, MANAGE)
    with transaction():
        template.retired_at = template.retired_at or now()
        audit("career.template_changed", actor, template.name, {"template": template.id, "retired": True})


def _item(item: Mapping[str, Any], place: str, known: Mapping[int, Competence]) -> dict[str, Any]:
    kind = item.get("kind")
    if kind not in ITEMS:
        raise Invalid(f"{place}.kind", _("Choose what kind of question it is."))
    if kind == WORDS:
        text = words.clean(item.get("text"), f"{place}.text", 500, _("Write the question."))
        return {"key": place, "kind": WORDS, "text": text, "competence_id": None}
    number = item.get("competence_id")
    if not isinstance(number, int) or number not in known:
        raise Invalid(f"{place}.competence_id", _("Choose a competence of the list."))
    text = words.clean(item.get("text"), f"{place}.text", 500) or known[number].name
    return {"key": place, "kind": GRADE, "text": text, "competence_id": number}


def begin(user: User, template: Template, actor: User | None) -> Review:
    """Begin to write a review of somebody; they see nothing of it yet. Joins or opens. Raises Refused, NotAllowed."""
    require_lead(actor, user)
    if not is_here(user):
        raise Refused(_("%(name)s does not work here any more.", name=user.display_name))
    with transaction():
        made = Review(
            user_id=user.id, template_id=template.id, name=template.name, items=list(template.items), answers={},
            by_id=actor.id if actor else None,
        )  # fmt: skip
        db.session.add(made)
        db.session.flush()
    return made


def write(review: Review, answers: Mapping[str, Any], actor: User | None) -> Review:
    """Keep what is being written: words, or a grade from 1 to 5 (0: not assessed), by the keys of the items.

    Joins or opens. Raises :class:`Invalid` naming the key, :class:`Refused` once it is shared, :class:`NotAllowed`.
    """
    _require_writer(review, actor)
    cleaned = _answers(review, answers)
    with transaction():
        review = _locked(review)
        if review.state != DRAFT:
            raise Refused(_("This review is shared and is not changed any more. Write a correction."))
        review.answers = {**review.answers, **cleaned}
    return review


def _answers(review: Review, answers: Mapping[str, Any]) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    for item in review.items:
        key = item["key"]
        if key not in answers:
            continue
        if item["kind"] == WORDS:
            cleaned[key] = words.clean(answers[key], key)
            continue
        text = str(answers[key] or "0")
        grade = int(text) if text in {str(one) for one in (0, *GRADES)} else -1
        if grade < 0:
            raise Invalid(key, _("Choose a grade of the list."))
        cleaned[key] = grade
    return cleaned


def share(review: Review, actor: User | None) -> Review:
    """Show it to the person; its grades count as assessments from now on, and nothing of it is changed any more.

    Twice is once. Joins or opens. Raises :class:`Invalid` (answers) when nothing is written, :class:`NotAllowed`.
    """
    _require_writer(review, actor)
    with transaction():
        review = _locked(review)
        if review.state != DRAFT:
            return review
        if not any(review.answers.values()):
            raise Invalid("answers", _("Nothing is written yet. Answer something first."))
        review.state, review.shared_at = SHARED, now()
        user = db.session.get_one(User, review.user_id)
        for item in review.items:
            grade = review.answers.get(item["key"])
            competence = db.session.get(Competence, item["competence_id"]) if item["kind"] == GRADE else None
            if competence is not None and grade:
                competences.assess(user, competence, grade, review.name, actor, review.id)
    return review


def discard(review: Review, actor: User | None) -> None:
    """Throw a review away that was not shared. Joins or opens. Raises :class:`Refused`, :class:`NotAllowed`."""
    _require_writer(review, actor)
    with transaction():
        review = _locked(review)
        if review.state != DRAFT:
            raise Refused(_("This review is shared and is not changed any more. Write a correction."))
        db.session.delete(review)


def answer(review: Review, reply: str, actor: User) -> Review:
    """The person says that they have read it, with words of their own. Once. Joins or opens.

    Raises :class:`Invalid` (reply), :class:`Refused` when it was answered otherwise, :class:`NotAllowed`.
    """
    require(actor, USE)
    if actor.id != review.user_id:
        raise NotAllowed(USE)
    said = words.clean(reply, "reply")
    with transaction():
        review = _locked(review)
        if review.state == DRAFT:
            raise NotAllowed(USE)
        if review.state == READ:
            if review.reply == said:
                return review
            raise Refused(_("You have answered this review already; your answer stays as it was."))
        review.state, review.read_at, review.reply = READ, now(), said
    return review


def correct(review: Review, actor: User | None) -> Review:
    """Begin a new review that takes the place of one that was shared, with its answers to start from.

    The old one stays. One that is being written is answered again. Joins or opens. Raises :class:`Refused`,
    :class:`NotAllowed`.
    """
    user = db.session.get_one(User, review.user_id)
    require_lead(actor, user)
    with transaction():
        review = _locked(review)
        if review.state == DRAFT:
            raise Refused(_("This review is still being written. Change it as it is."))
        other = db.session.scalar(select(Review).where(Review.corrects_id == review.id))
        if other is not None:
            if other.state == DRAFT and actor is not None and other.by_id == actor.id:
                return other
            raise Refused(_("This review has been corrected already. Correct the correction."))
        made = Review(
            user_id=user.id, template_id=review.template_id, name=review.name, items=list(review.items),
            answers=dict(review.answers), by_id=actor.id if actor else None, corrects_id=review.id,
        )  # fmt: skip
        db.session.add(made)
        db.session.flush()
    return made


def of(user: User, actor: User, most: int = 100) -> Sequence[Review]:
    """Reviews of somebody that ``actor`` sees, the newest first: drafts only those of their own."""
    query = select(Review).where(Review.user_id == user.id, _seen_by(actor))
    return db.session.scalars(query.order_by(Review.id.desc()).limit(most).options(joinedload(Review.by))).all()


def find(actor: User, review_id: int) -> Review | None:
    """A review, if ``actor`` sees it; a draft is seen by who writes it alone."""
    found = db.session.scalar(select(Review).where(Review.id == review_id, _seen_by(actor)))
    return found if found is not None and sees(actor, found.user_id) else None


def corrected_by(review: Review) -> Review | None:
    """The review that has taken its place, once that is shared."""
    query = select(Review).where(Review.corrects_id == review.id, Review.state != DRAFT)
    return db.session.scalar(query)


def _seen_by(actor: User) -> Any:
    return or_(Review.state != DRAFT, Review.by_id == actor.id)


def _require_writer(review: Review, actor: User | None) -> None:
    user = db.session.get_one(User, review.user_id)
    if not may_lead(actor, user) or (actor is not None and review.by_id != actor.id):
        raise NotAllowed(LEAD)


def _locked(review: Review) -> Review:
    query = select(Review).where(Review.id == review.id).with_for_update(of=Review)
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise Refused(_("This review was thrown away meanwhile."))
    return found
