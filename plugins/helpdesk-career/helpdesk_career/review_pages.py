"""One review: written, shared, answered, corrected."""

from typing import Any

from flask import abort, flash, redirect, request, url_for

from helpdesk.api import NotAllowed, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_career import reviews, scopes
from helpdesk_career.blueprint import pages, show, trial
from helpdesk_career.models import DRAFT, GRADES, Review
from helpdesk_career.permissions import USE


@pages.get("/reviews/<int:review_id>")
@permission_required(USE)
def review(review_id: int) -> Any:
    """A review, or the form of one that is being written."""
    return _page(_review(review_id))


@pages.post("/reviews/<int:review_id>")
@permission_required(USE)
def act_on_review(review_id: int) -> Any:
    """Save, share, discard, answer or correct it, as the button says."""
    row, actor, do = _review(review_id), reader(), request.form.get("do", "save")
    made: list[Review] = []

    def work() -> None:
        if do in ("save", "share"):
            reviews.write(row, request.form, actor)
        if do == "share":
            reviews.share(row, actor)
        elif do == "discard":
            reviews.discard(row, actor)
        elif do == "answer":
            reviews.answer(row, request.form.get("reply", ""), actor)
        elif do == "correct":
            made.append(reviews.correct(row, actor))

    user_id = row.user_id
    try:
        errors = trial(work)
    except NotAllowed as refusal:
        errors = {"form": str(refusal)}
    if errors:
        return _page(_review(review_id), errors)
    said = {
        "share": _("Shared. It stays as it is now."),
        "discard": _("Thrown away."),
        "answer": _("Your answer was kept."),
        "correct": _("This is the correction; share it when it is right."),
    }
    flash(said.get(do, _("Saved.")))
    if do == "discard":
        return redirect(url_for("career.person", user_id=user_id, _anchor="reviews"), 303)
    return redirect(url_for("career.review", review_id=made[0].id if made else review_id), 303)


def _review(review_id: int) -> Review:
    found = reviews.find(reader(), review_id) if review_id < 2**31 else None
    if found is None:
        abort(404)
    return found


def _page(row: Review, errors: dict[str, str] | None = None) -> Any:
    actor = reader()
    return show(
        "review.html",
        422 if errors else 200,
        review=row,
        writes=row.state == DRAFT and row.by_id == actor.id,
        mine=row.user_id == actor.id,
        may_correct=row.state != DRAFT and scopes.may_lead(actor, row.user),
        newer=reviews.corrected_by(row),
        grades=(0, *GRADES),
        errors=errors or {},
        typed=request.form if errors else {},
    )
