"""People who may be one: the list, both side by side, the merge and the way back."""

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from helpdesk.api import (
    Invalid,
    PersonMerge,
    Refused,
    Ticket,
    User,
    db,
    merge_people,
    number_in,
    permission_required,
    reader,
    unmerge_people,
    visible_tickets,
)
from helpdesk.api import gettext as _
from helpdesk_customers import duplicates as looking
from helpdesk_customers.blueprint import pages, show
from helpdesk_customers.duplicates import Pair
from helpdesk_customers.finding import person_of, row_of
from helpdesk_customers.models import Order

MERGE = looking.RIGHT
_SIZE = 50
_DISMISSED = "dismissed"


@pages.get("/duplicates")
@permission_required(MERGE)
def duplicates() -> Any:
    """Pairs that wait for a decision, or those that are not the same."""
    wanted = _DISMISSED if request.args.get("show") == _DISMISSED else ""
    after = number_in(request.args.get("after")) or 0
    found = (looking.dismissed_pairs if wanted else looking.open_pairs)(after, _SIZE + 1)
    return show(
        "duplicates.html",
        pairs=found[:_SIZE],
        after=found[_SIZE - 1].id if len(found) > _SIZE else None,
        show=wanted,
        shows=[("", _("To decide")), (_DISMISSED, _("Not the same"))],
        reason_label=looking.reason_label,
    )


@pages.post("/duplicates/look")
@permission_required(MERGE)
def look_for_duplicates() -> Any:
    """Look again now, in the background."""
    looking.look_now()
    flash(_("The desk is looking. Come back in a minute."))
    return redirect(url_for("customers.duplicates"), 303)


@pages.get("/duplicates/<int:duplicate_id>")
@permission_required(MERGE)
def pair(duplicate_id: int) -> Any:
    """Both side by side."""
    found = row_of(Pair, duplicate_id)
    return _compare(found.one, found.other, found)


@pages.post("/duplicates/<int:duplicate_id>/merge")
@permission_required(MERGE)
def merge_pair(duplicate_id: int) -> Any:
    """They are one: merge them as chosen."""
    found = row_of(Pair, duplicate_id)
    return _merge(found.one, found.other, found)


@pages.post("/duplicates/<int:duplicate_id>/dismiss")
@permission_required(MERGE)
def dismiss_pair(duplicate_id: int) -> Any:
    """They are two people; nobody is asked again."""
    looking.dismiss(row_of(Pair, duplicate_id), reader())
    flash(_("Noted: these are two people."))
    return redirect(url_for("customers.duplicates"), 303)


@pages.post("/duplicates/<int:duplicate_id>/restore")
@permission_required(MERGE)
def restore_pair(duplicate_id: int) -> Any:
    """Put the question again."""
    looking.restore(row_of(Pair, duplicate_id), reader())
    flash(_("The pair is among those to decide again."))
    return redirect(url_for("customers.duplicates"), 303)


# ---- two people who were found by hand


@pages.get("/people/<int:user_id>/merge")
@permission_required(MERGE)
def merge_form(user_id: int) -> Any:
    """Choose the other one, by address, then compare."""
    one = person_of(user_id)
    text = request.args.get("other", "").strip()
    other, error = _other(one, text) if text else (None, "")
    if other is None:
        return show("merge.html", 422 if error else 200, person=one, typed=text, error=error)
    return _compare(one, other, None)


@pages.post("/people/<int:user_id>/merge")
@permission_required(MERGE)
def merge_by_hand(user_id: int) -> Any:
    """Merge two people as chosen."""
    one = person_of(user_id)
    text = request.args.get("other", "").strip()
    other, error = _other(one, text)
    if other is None:
        return show("merge.html", 422, person=one, typed=text, error=error)
    return _merge(one, other, None)


def _other(one: User, text: str) -> tuple[User | None, str]:
    """Another customer by address, or by number after a #; a sentence where there is none."""
    number = number_in(text.removeprefix("#"))
    which = User.id == number if number is not None else User.email == text.lower()
    found = db.session.scalar(select(User).where(which, User.role == "requester", ~User.is_service))
    if found is None:
        return None, _("There is no customer with this address.")
    if found.id == one.id:
        return None, _("This is the same record. Enter another one.")
    return found, ""


def _merge(one: User, other: User, found: Pair | None) -> Any:
    survivor = {one.id: one, other.id: other}.get(number_in(request.form.get("survivor")) or 0)
    if survivor is None:
        return _compare(one, other, found, {"survivor": _("Choose who stays.")})
    gone = other if survivor is one else one
    take = [row.key for row in looking.compare(one, other) if number_in(request.form.get(f"take-{row.key}")) == gone.id]
    try:
        if found is not None:
            looking.merge_pair(found, survivor, reader(), take)
        else:
            merge_people(survivor, gone, reader(), take)
    except (Invalid, Refused) as problem:
        db.session.rollback()
        return _compare(one, other, found, {"form": str(problem)})
    flash(_("The two records are one now."))
    return redirect(url_for("customers.person", user_id=survivor.id), 303)


def _compare(one: User, other: User, found: Pair | None, errors: dict[str, str] | None = None) -> Any:
    survivor = number_in(request.form.get("survivor")) or min(one, other, key=lambda person: person.created_at).id
    differences = looking.compare(one, other)
    if found is not None:
        merge_url = url_for("customers.merge_pair", duplicate_id=found.id)
    else:
        merge_url = url_for("customers.merge_by_hand", user_id=one.id, other=f"#{other.id}")
    return show(
        "pair.html",
        422 if errors else 200,
        one=one,
        other=other,
        differences=differences,
        facts=_facts(one, other),
        survivor=survivor,
        taken={row.key: number_in(request.form.get(f"take-{row.key}")) for row in differences} if errors else {},
        reasons=found.reasons if found is not None else [],
        reason_label=looking.reason_label,
        merge_url=merge_url,
        dismiss_url=url_for("customers.dismiss_pair", duplicate_id=found.id) if found is not None else "",
        errors=errors or {},
    )


def _facts(one: User, other: User) -> list[tuple[str, list[int]]]:
    """How many tickets that the reader sees and how many orders each of them has. Two queries."""
    both = (one.id, other.id)
    seen = visible_tickets(reader()).where(Ticket.requester_id.in_(both))
    tickets = seen.with_only_columns(Ticket.requester_id, func.count(Ticket.id)).group_by(Ticket.requester_id)
    bought = select(Order.user_id, func.count(Order.id)).where(Order.user_id.in_(both)).group_by(Order.user_id)
    found = []
    for label, query in ((_("Tickets"), tickets), (_("Orders"), bought)):
        counts = dict(db.session.execute(query).all())
        found.append((label, [counts.get(number, 0) for number in both]))
    return found


# ---- the way back


@pages.get("/merges")
@permission_required(MERGE)
def merges() -> Any:
    """Who was merged into whom, the newest first."""
    after = number_in(request.args.get("after"))
    query = select(PersonMerge).options(
        joinedload(PersonMerge.survivor), joinedload(PersonMerge.merged), joinedload(PersonMerge.actor)
    )
    if after is not None:
        query = query.where(PersonMerge.id < after)
    rows: Sequence[PersonMerge] = db.session.scalars(query.order_by(PersonMerge.id.desc()).limit(_SIZE + 1)).all()
    return show("merges.html", merges=rows[:_SIZE], after=rows[_SIZE - 1].id if len(rows) > _SIZE else None)


@pages.post("/merges/<int:person_merge_id>/undo")
@permission_required(MERGE)
def undo_merge(person_merge_id: int) -> Any:
    """Make two people of one again."""
    merge = row_of(PersonMerge, person_merge_id)
    try:
        unmerge_people(merge, reader())
    except (Invalid, Refused) as problem:
        db.session.rollback()
        flash(str(problem), "error")
        return redirect(url_for("customers.merges"), 303)
    flash(_("They are two people again."))
    return redirect(url_for("customers.person", user_id=merge.merged_id), 303)
