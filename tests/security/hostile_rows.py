"""Rows with hostile text in every column that holds text, made from the models: a new column is filled by itself.

A column that holds a key, a digest or an enumeration stands in ``KEYS`` with what is valid there; whoever adds a table
whose rows cannot be made says there what it wants.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.files import store_bytes
from helpdesk.core.models.columns import Json, UtcDateTime, storable
from tests.security.hostile import Hostile, representatives

# Who looks: the first users, in this order.
ACTORS = ("admin", "supervisor", "agent", "requester")
CUSTOMER = 3


def _digest(place: int) -> str:
    return hashlib.sha256(b"%d" % place).hexdigest()


def _one_of(*values: Any) -> Any:
    return lambda place: values[place % len(values)]


def _stored(place: int) -> str:
    raw = b"From: a@b.example\r\nSubject: <script>oracle(%d)</script>\r\n\r\n<svg onload=oracle(%d)>" % (place, place)
    return store_bytes(raw, "mail.eml", "message/rfc822").sha256


def _text(place: int) -> str:
    strings = representatives()
    return storable(strings[place % len(strings)].text)


def _questions(place: int) -> dict[str, Any]:
    """The words of a survey, all of them hostile."""
    said = {"en": _text(place)}
    names = ("question", "reason", "thanks", "subject", "intro")
    items = [
        {"key": f"q{number}", "kind": kind, "required": False, "page": number, "text": said, "most": 5,
         "options": [{"key": "1", "text": said}, {"key": "2", "text": said}]}
        for number, kind in enumerate(("single", "multiple", "text", "scale", "date"), 1)
    ]  # fmt: skip
    return {"texts": dict.fromkeys(names, said), "items": items}


def _course(place: int) -> dict[str, Any]:
    """The content of a course, all of it hostile."""
    text = _text(place)
    said = {"en": {name: text for name in ("title", "text", "explanation", "model", "subject", "message")}}
    said["en"] |= {"options": {"a": text, "b": text}}
    questions = [
        {"id": f"x{number}", "kind": kind, "points": 1, "options": [] if kind == "text" else ["a", "b"],
         "right": [] if kind == "text" else ["a"], "texts": said}
        for number, kind in enumerate(("single", "multiple", "order", "text"), 1)
    ]  # fmt: skip
    rubric = [{"id": "r1", "points": 1, "texts": {"en": text}}]
    task = {"id": "x1", "texts": said, "rubric": rubric, "pass_points": 1}
    return {"lessons": [{"id": "x1", "texts": said}], "questions": questions, "tasks": [task]}


def _evidence(place: int) -> dict[str, Any]:
    line = {
        "criterion": "career.solved", "choice": "", "days": 0, "label": _text(place), "unit": "number",
        "better": "more", "threshold": 1.0, "least_count": 0, "value": 1.0, "count": 1, "state": "met",
    }  # fmt: skip
    return {"at": "2026-11-28T00:00:00+00:00", "lines": [line]}


def _asked(place: int) -> list[dict[str, Any]]:
    return [
        {"key": "i1", "kind": "words", "text": _text(place), "competence_id": None},
        {"key": "i2", "kind": "grade", "text": _text(place), "competence_id": 1},
    ]


_SECURITY, _OAUTH = "tls", ""
# What is valid where not every text is: a value, or what makes one of the number of the row.
KEYS: dict[str, Any] = {
    "absence.kind": _one_of("holiday", "sick", "training", "other"),
    "api_token.digest": _digest,
    "attachment.sha256": _stored,
    "audit_entry.digest": None,
    "audit_entry.salt": None,
    "audit_link.chain": _digest,
    "audit_link.digest": _digest,
    "bulk_act.actions": [],
    "bulk_act.state": "done",
    "bulk_item.state": "skipped",
    "business_hours.country": "",
    "business_hours.subdivision": "",
    "business_hours.time_zone": "UTC",
    "business_hours.week": {"0": [["09:00", "17:00"]]},
    "callbacks_attempt.outcome": _one_of("reached", "no_answer", "busy", "wrong_number", "refused"),
    "callbacks_call.kind": "call",
    "callbacks_call.outcome": _one_of("", "reached", "no_answer"),
    "callbacks_call.priority": _one_of("low", "normal", "high", "urgent"),
    "callbacks_call.problem": _one_of("", "closed", "away"),
    "callbacks_call.source": _one_of("agent", "customer", "rule", "plugin"),
    "callbacks_call.state": _one_of("booked", "due", "missed", "done", "cancelled"),
    "callbacks_call.zone": _one_of("UTC", "Asia/Tokyo"),
    "callbacks_cell.owner": lambda place: f"a{place}",
    "callbacks_feed.digest": _digest,
    "callbacks_rule.kind": _one_of("call", "mail"),
    "callbacks_rule.priority": _one_of("", "high"),
    "career_goal.state": _one_of("open", "reached", "dropped"),
    "career_goal_entry.state": _one_of("open", "reached", "dropped"),
    "career_level.key": "",
    "career_measure.criterion": _one_of("career.solved", "career.reopened"),
    "career_proposal.evidence": lambda place: _evidence(place),
    "career_proposal.state": _one_of("open", "approved", "refused"),
    "career_recognition.kind": _one_of("praise", "incentive"),
    "career_review.answers": lambda place: {"i1": _text(place), "i2": 4},
    "career_review.items": lambda place: _asked(place),
    "career_review.state": _one_of("shared", "read"),
    "career_rule.act": _one_of("takes", "opens", "needs"),
    "career_rule.priority": _one_of("", "high"),
    "career_step.evidence": lambda place: _evidence(place),
    "career_step.kind": _one_of("placed", "promoted", "corrected"),
    "career_template.items": lambda place: _asked(place),
    "canned_response.shared_with": "everybody",
    "canned_text.locale": _one_of("en", "zh_Hans"),
    "corrected_string.digest": _digest,
    "corrected_string.locale": "zh_Hans",
    "customers_consent.purpose": "offers",
    "customers_consent.state": _one_of("given", "withdrawn"),
    "customers_duplicate.reasons": _one_of(["phone"], ["mail", "name"]),
    "customers_duplicate_key.kind": _one_of("phone", "mail", "name"),
    "customers_field.choices": lambda place: [_text(place)],
    "customers_field.key": lambda place: f"key_{place}",
    "customers_field.kind": _one_of("text", "number", "day", "yes", "choice"),
    "customers_field.subject": _one_of("person", "organization"),
    "customers_import.counts": {},
    "customers_import.delimiter": ",",
    "customers_import.encoding": "utf-8",
    "customers_import.header": lambda place: [_text(place)],
    "customers_import.mapping": {},
    "customers_import.place": "",
    "customers_import.state": _one_of("done", "stopped", "cancelled"),
    "customers_import_error.cells": lambda place: [_text(place)],
    "customers_moved.rows": {},
    "customers_order.currency": _one_of("EUR", "JPY"),
    "customers_order.state": _one_of("paid", "placed", "cancelled", "returned"),
    "customers_record.contact_at": _one_of("", "evening"),
    "customers_record.contact_by": _one_of("phone", ""),
    "customers_segment.conditions": lambda place: [{"what": "tag", "how": "has", "value": _text(place)}],
    "customers_segment.match": _one_of("all", "any"),
    "customers_segment.subject": _one_of("person", "organization"),
    "customers_worth.currency": "EUR",
    "customers_worth_bound.currency": "EUR",
    "customers_worth_bound.most": [1, 2, 3, 4],
    "customers_worth_bound.part": lambda place: f"part{place}",
    "customers_worth_bound.subject": "person",
    "delivery.channel": "email",
    "delivery.kind": "reply",
    "delivery.state": _one_of("waiting", "sent", "failed", "bounced", "cancelled"),
    "email_mailbox.afterwards": "seen",
    "email_mailbox.kind": _one_of("imap", "pop3", "handed"),
    "email_mailbox.locale": None,
    "email_mailbox.oauth": _OAUTH,
    "email_mailbox.security": _SECURITY,
    "email_rule.act": _one_of("ignore", "hold"),
    "email_rule.how": _one_of("is", "contains", "begins", "ends"),
    "email_rule.part": _one_of("sender", "header", "subject", "text"),
    "email_server.oauth": _OAUTH,
    "email_server.security": _SECURITY,
    "event.kind": _one_of(
        "ticket_subject_changed",
        "ticket_assigned",
        "ticket_moved",
        "ticket_tags_changed",
        "ticket_field_changed",
        "ticket_status_changed",
        "ticket_priority_changed",
        "follower_added",
        "message_added",
        "promise_made",
        "ticket_due_changed",
        "ticket_snoozed",
        "orders.happened",
    ),
    "idempotency_key.content_digest": _digest,
    "idempotency_key.digest": _digest,
    "intake.channel": "email",
    "intake.fingerprint": None,
    "intake.outcome": _one_of("ticket", "message", "ignored", "quarantined"),
    "intake.sha256": _stored,
    "intake.state": _one_of("done", "quarantined", "ignored", "discarded", "received"),
    "job.state": _one_of("failed", "done", "cancelled"),
    "job.token": None,
    "label_text.kind": _one_of("team", "field", "status"),
    "label_text.locale": _one_of("zh_Hans", "eo"),
    "macro.actions": [],
    "macro.shared_with": "everybody",
    "message.visibility": _one_of("public", "internal"),
    "multilingual_agent.level": _one_of("basic", "good", "native"),
    "multilingual_answer.warnings": [],
    "multilingual_order.engines": ["memory", "gone"],
    "multilingual_pair.digest": _digest,
    "multilingual_person.past": [],
    "multilingual_reading.warnings": [],
    "multilingual_variant.kind": _one_of("canned", "label", "mail"),
    "multilingual_variant.made": _one_of("machine", "person"),
    "notification.kind": _one_of("mentioned", "assigned", "overdue", "due_soon", "answered", "new_in_team"),
    "notification_choice.kind": _one_of("mentioned", "assigned", "overdue", "due_soon", "answered", "new_in_team"),
    "notification_choice.mail": _one_of("never", "at_once", "digest"),
    "plugin_health.plugin": "email",
    "promise.outcome": _one_of(None, "broken", "kept"),
    "quarantined_message.queue": "redis",
    "recovery_code.digest": _digest,
    "reply_draft.data": {},
    "reply_draft.files": [],
    "reply_draft.visibility": _one_of("public", "internal"),
    "schedule.catch_up": "once",
    "schedule.rule": {"hours": 1},
    "schedule.zone": "UTC",
    "search_due.kind": _one_of("ticket", "message", "person"),
    "second_factor.kind": "totp",
    "sign_in_attempt.key": _digest,
    "sign_in_session.digest": _digest,
    "shift.begins": "09:00",
    "shift.ends": "17:00",
    "special_day.times": [["10:00", "12:00"]],
    "status.category": _one_of("open", "pending", "solved"),
    "surveys_day.cut": "total",
    "surveys_follow_up.action": lambda place: f"tag{place}"[:3] if place else "tell",
    "surveys_follow_up.state": _one_of("open", "contacted", "resolved"),
    "surveys_invitation.key": lambda place: _digest(place)[:32],
    "surveys_invitation.source": _one_of("solved", "rhythm", "hand"),
    "surveys_invitation.state": _one_of("sent", "planned", "answered", "closed"),
    "surveys_invitation.tags": lambda place: [_text(place)],
    "surveys_response.answers": lambda place: {"q1": "1", "q2": ["1"], "q3": _text(place), "gone": _text(place)},
    "surveys_response.ballot": _digest,
    "surveys_suppression.why": _one_of("cap", "refused", "tag"),
    "surveys_survey.kind": _one_of("csat", "form", "nps", "ces"),
    "surveys_survey.link_key": lambda place: _digest(place)[:32],
    "surveys_survey.look": _one_of("faces", "stars", "numbers"),
    "surveys_survey.occasion": _one_of("solved", "link", "hand", "rhythm"),
    "surveys_survey.rules": [],
    "surveys_survey.skip_tags": lambda place: [_text(place)],
    "surveys_survey.texts": lambda place: _questions(place),
    "surveys_version.questions": lambda place: _questions(place),
    "training_answer.given": _text,
    "training_answer.question_id": "x4",
    "training_assignment.state": _one_of("begun", "waiting", "done", "failed"),
    "training_assignment.why": _one_of("hand", "self", "low", "path"),
    "training_attempt.answers": lambda place: {"x1": ["a"], "x4": _text(place)},
    "training_attempt.state": _one_of("failed", "grading", "passed"),
    "training_certificate.serial": lambda place: f"T-{place:04}",
    "training_course.draft": lambda place: _course(place),
    "training_course.language": "en",
    "training_course.state": "published",
    "training_course.titles": lambda place: {"es": {"name": _text(place), "summary": _text(place)}},
    "training_file.sha256": _stored,
    "training_lesson_done.lesson_id": "x1",
    "training_lesson_skill.lesson_id": "x1",
    "training_lesson_skill.titles": lambda place: {"en": _text(place)},
    "training_outside.sha256": _stored,
    "training_outside.skills": lambda place: [_text(place)],
    "training_outside.state": _one_of("claimed", "verified", "refused"),
    "training_rule.kind": "csat",
    "training_rule.occasion": _one_of("role", "team", "group", "new", "low"),
    "training_rule.role": _one_of("agent", "supervisor"),
    "training_task_work.marks": {"r1": 1},
    "training_task_work.state": _one_of("handed_in", "passed", "failed"),
    "training_task_work.task_id": "x1",
    "training_version.content": lambda place: _course(place),
    "team.assignment": _one_of("hand", "round_robin", "least_busy"),
    "team.color": "blue",
    "presence.writing": _one_of("", "reply", "note"),
    "ticket_link.kind": _one_of("related", "duplicate", "split", "follow_up"),
    "ticket_merge.data": {},
    "ticket.access_key": _digest,
    "ticket.category": "open",
    "ticket.last_message_by": "customer",
    "ticket.locale": None,
    "ticket.priority": "normal",
    "ticket_field.choices": [],
    "ticket_field.kind": "text",
    "ticket_field.plugin": None,
    "token.digest": _digest,
    "token.purpose": "reset",
    "trusted_device.digest": _digest,
    "upsell_pair.sku_b": lambda place: f"OTHER-{place}",
    "upsell_price.currency": "EUR",
    "upsell_price.period": _one_of("once", "month", "year"),
    "upsell_product.kind": _one_of("product", "plan", "addon"),
    "upsell_product.texts": lambda place: {"en": {"name": _text(place), "pitch": _text(place)}},
    "upsell_product.url": "https://shop.example/",
    "upsell_profile.known": {},
    "upsell_promotion.texts": lambda place: {"en": {"pitch": _text(place)}},
    "upsell_relation.kind": _one_of("goes_with", "requires", "replaces"),
    "upsell_rule.conditions": lambda place: [{"what": "tag", "value": [_text(place)]}],
    "upsell_rule.kind": _one_of("product", "together", "catalogue"),
    "upsell_rule.pitches": lambda place: {"en": _text(place)},
    "upsell_rule.reasons": lambda place: {"en": _text(place)},
    "upsell_rule.stop_reason": "satisfaction",
    "upsell_suggestion.currency": "EUR",
    "upsell_suggestion.grounds": lambda place: ["said", _text(place)],
    "upsell_suggestion.language": "en",
    "upsell_suggestion.parts": [["weight", 30]],
    "upsell_suggestion.period": "once",
    "upsell_suggestion.revenue_currency": "EUR",
    "upsell_suggestion.state": _one_of("offered", "shown", "declined", "bought"),
    "upsell_suggestion.why": "price",
    "upsell_trial.currency": "EUR",
    "user.auth_stamp": _digest,
    "user.color_scheme": "auto",
    "user.digest_at": "08:00",
    "user.locale": None,
    "user.password_hash": None,
    "user.quiet_from": "22:00",
    "user.quiet_until": "07:00",
    "user.role": lambda place: ACTORS[place] if place < len(ACTORS) else ("requester", "agent")[place % 2],
    "user.time_zone": None,
    "view.filters": {},
    "view.shared_with": "everybody",
    "view.sort": "-updated",
    "worker.queue": "redis",
}
# Columns of other kinds that decide what pages show.
_OTHERS: dict[str, Any] = {
    "audit_link.id": lambda place: place + 1,
    "audit_link.entry_id": lambda place: place + 1,
    "bulk_item.ticket_id": lambda place: place + 1,
    "callbacks_cell.place": lambda place: place,
    # Two different people; a record and a product are of a person or of an organization.
    "customers_duplicate.other_id": lambda place: 1 if place else 2,
    "customers_moved.merge_id": lambda place: place + 1,
    "customers_ownership.organization_id": None,
    "customers_record.organization_id": lambda place: place + 1 if place % 3 == 2 else None,
    "customers_record.user_id": lambda place: None if place % 3 == 2 else place + 1,
    "multilingual_band.band": lambda place: place + 1,
    "person_merge_row.row_id": lambda place: place + 1,
    "reply_draft.send_at": None,
    "search_person.id": lambda place: place + 1,
    "search_ticket.id": lambda place: place + 1,
    "label_text.object_id": lambda place: place // 3 + 1,
    "second_factor.confirmed_at": None,
    "surveys_follow_up.call_id": None,
    "surveys_response.invitation_id": lambda place: place + 1,
    "surveys_response.score": _one_of(2, None, 9, 4),
    "surveys_survey.active": True,
    "surveys_survey.version_id": lambda place: place + 1,
    "team.private": False,
    "training_assessment.grade": 2,
    "training_answer.waits": True,
    "training_answer.right": None,
    "training_assignment.version_id": lambda place: place + 1,
    "training_attempt.number": 1,
    "training_course.version_id": lambda place: place + 1,
    "training_low_answer.response_id": lambda place: place + 1,
    "training_outside.corrects_id": None,
    "training_rule.path_id": None,
    "training_task_work.number": 1,
    # No two of the same two tickets.
    "ticket_link.ticket_id": lambda place: place + 1,
    "ticket_link.other_id": lambda place: 1 if place else 2,
    "ticket_field.public": True,
    "ticket_field.required": False,
    "ticket.closed_at": None,
    "ticket.solved_at": None,
    "upsell_count.id": lambda place: place + 1,
    "upsell_rule.active": True,
    "upsell_rule.stopped_at": None,
    "upsell_trial.bought_at": None,
    "upsell_trial.dropped": False,
    "upsell_trial.held": lambda place: place % 2 == 0,
    "user.active": True,
    "user.is_service": False,
}


def text_columns() -> list[sa.Column[Any]]:
    """Every column of the desk and its plugins that holds text, or JSON with text in it."""
    tables = db.metadata.sorted_tables
    return [column for table in tables for column in table.columns if _is_text(column)]


def free_columns() -> list[sa.Column[Any]]:
    """Those that take any text."""
    return [column for column in text_columns() if str(column) not in KEYS]


def insert(strings: Sequence[Hostile]) -> None:
    """A row for each string in every table, with the string in each of its free columns. One transaction of its own.

    Raises AssertionError with the column whose value nobody has said.
    """
    with Session(db.engine) as session:
        made: dict[str, list[Any]] = {}
        for table in db.metadata.sorted_tables:
            rows = [_row(table, place, one, made) for place, one in enumerate(strings)]
            try:
                session.execute(sa.insert(table), rows)
            except sa.exc.SQLAlchemyError as error:
                raise AssertionError(
                    f"say in tests/security/hostile_rows.py how a row of {table.name} is made: {error.args[0]}"
                ) from error
            _note(session, table, len(rows), made)
        session.commit()


def missing(strings: Sequence[Hostile]) -> list[str]:
    """The columns that hold text and in which some of the strings are not."""
    found = []
    with Session(db.engine) as session:
        for column in free_columns():
            held = set(session.scalars(sa.select(sa.cast(column, sa.Text)).where(column.is_not(None))))
            if any(_written(column, one, place) not in held for place, one in enumerate(strings)):
                found.append(str(column))
    return found


def _written(column: sa.Column[Any], one: Hostile, place: int) -> str:
    """What stands in the database of a string."""
    if isinstance(column.type, Json):
        return json.dumps(hostile_json(storable(one.text)))
    return _fit(column, one, place)


def hostile_json(text: str) -> dict[str, Any]:
    """JSON with the text wherever pages look: under the keys of events, reports of jobs, and as a key itself."""
    names = "from to from_name to_name name label reason value old new key email note".split()
    return {text: text, **dict.fromkeys(names, text), "added": [text], "removed": [text], "names": [text]}


def _is_text(column: sa.Column[Any]) -> bool:
    kind = getattr(column.type, "impl", column.type)
    return isinstance(kind, sa.String | sa.JSON)


def _row(table: sa.Table, place: int, one: Hostile, made: dict[str, list[Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in table.columns:
        known = {**_OTHERS, **KEYS}
        if (name := str(column)) in known:
            row[column.key] = known[name](place) if callable(known[name]) else known[name]
        elif column.foreign_keys:
            row[column.key] = _parent(table, column, place, made)
        elif _is_text(column):
            row[column.key] = hostile_json(one.text) if isinstance(column.type, Json) else _fit(column, one, place)
        elif (value := _other(column, place)) is not None:
            row[column.key] = value
    return row


def _fit(column: sa.Column[Any], one: Hostile, place: int) -> str:
    """The string, cut to what the column takes; where no two may be alike, the number of the row ends it."""
    length: int | None = getattr(column.type, "length", None)
    text = storable(one.text)
    if length is None or len(text) <= length:
        return text
    return f"{text[: length - 2]}{place:02}"


def _parent(table: sa.Table, column: sa.Column[Any], place: int, made: dict[str, list[Any]]) -> Any:
    target = next(iter(column.foreign_keys)).column.table.name
    if target not in made:
        return None
    parents = made[target]
    if target == "ticket":
        # One conversation shows them all.
        return parents[0]
    if target == "user":
        return parents[_whose(table.name, column.key, place)]
    return parents[place % len(parents)]


def _whose(table: str, column: str, place: int) -> int:
    """The place of a user: what is a person's own is the actors', so that their own pages show it."""
    if table in ("sign_in_session", "trusted_device", "api_token", "view") or column == "assignee_id":
        return place % 3
    if table == "bulk_act":
        # Only who began one sees it: the one who is to be shown every page.
        return ACTORS.index("admin")
    if column == "requester_id":
        return CUSTOMER
    return place


def _other(column: sa.Column[Any], place: int) -> Any:
    if column.primary_key and isinstance(column.type, sa.Integer):
        return None
    if isinstance(column.type, UtcDateTime):
        later = timedelta(days=30) if column.key.endswith(("until", "expires_at")) else timedelta()
        return now() + later - timedelta(seconds=place) if not column.nullable or place % 2 else None
    if column.default is not None or column.server_default is not None or column.nullable:
        return None
    if isinstance(column.type, sa.Date):
        return date.today() - timedelta(days=place)
    return place + 1


def _note(session: Session, table: sa.Table, rows: int, made: dict[str, list[Any]]) -> None:
    """Remember the keys of the rows that were made, oldest first."""
    keys = list(table.primary_key.columns)
    if len(keys) == 1:
        order = keys[0] if isinstance(keys[0].type, sa.Integer) else sa.literal_column("rowid")
        made[table.name] = list(session.scalars(sa.select(keys[0]).order_by(order)))[-rows:]
