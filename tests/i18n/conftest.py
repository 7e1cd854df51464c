"""A desk with one of everything, and the address of every page that it has: a new page is covered by itself."""

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from helpdesk_callbacks.models import Attempt, Call, FollowUpRule, Reason
from helpdesk_customers import consents, fields, orders, ownership, records, segments
from helpdesk_customers.duplicates import Pair as Duplicate
from helpdesk_customers.import_models import FailedRow, Import
from helpdesk_customers.orders import LineData, OrderData
from helpdesk_email.models import Mailbox, Rule, Server
from helpdesk_multilingual.models import Answer, MessageLanguage, Pair, PairOrder, Reading, Term
from helpdesk_surveys import links as survey_links
from helpdesk_surveys import surveys
from helpdesk_surveys.models import FollowUp, Invitation, Response, Suppression
from helpdesk_training import assigning, editing, learning, outside, paths, rules
from helpdesk_training import files as course_files
from helpdesk_training.models import Answer as QuizAnswer
from helpdesk_training.models import Certificate, TaskWork
from helpdesk_upsell import catalogue, offers, promotions
from helpdesk_upsell import rules as upsell_rules
from helpdesk_upsell.models import Count, Suggestion
from helpdesk_upsell.models import Pair as Together

from helpdesk.core import (
    accounts,
    actions,
    api_tokens,
    bulk,
    canned,
    hours_editing,
    labels,
    links,
    macros,
    plugin_uploads,
    reply_drafts,
    roster,
    schedules,
    service_accounts,
    settings,
    ticket_types,
    topics,
    workflow,
)
from helpdesk.core.canned import Canned
from helpdesk.core.channels import intake
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft, StoredFile, TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.files import store_bytes
from helpdesk.core.filters import TicketFilter
from helpdesk.core.hours_editing import HoursDraft
from helpdesk.core.i18n import speaking
from helpdesk.core.macros import MacroDraft
from helpdesk.core.models import (
    Attachment,
    CorrectedString,
    Event,
    HeldFact,
    Job,
    Message,
    Organization,
    PersonMerge,
    QuarantinedMessage,
    ScheduleRun,
    Ticket,
    TicketField,
    User,
    Worker,
)
from helpdesk.core.reply_drafts import Written
from helpdesk.core.roster import ShiftDraft
from helpdesk.core.settings import DeskSettings
from helpdesk.core.teams import make_team
from helpdesk.core.transaction import transaction
from helpdesk.core.views import save_view
from helpdesk.plugins import manager

# A mark of what people wrote: data, in no language of the desk.
DATA = "\u00a7"
# Addresses that are no pages of a desk that runs, each with the reason.
NO_PAGES = {
    "static": "a file",
    "callbacks.static": "a file",
    "callbacks.calendar": "a calendar, for programs",
    "callbacks.customer_calendar": "a file",
    "customers.static": "a file",
    "look.theme_file": "a file of a theme",
    "multilingual.export_glossary": "a file",
    "multilingual.export_memory": "a file",
    "multilingual.static": "a file",
    "career.static": "a file",
    "surveys.answers_file": "a file",
    "surveys.static": "a file",
    "training.course_file": "a file",
    "training.lesson_link": "leads to a lesson, or to what its course is about",
    "training.outside_file": "a file",
    "training.static": "a file",
    "upsell.static": "a file",
    "well_known.security_txt": "a text for programs",
    "setup.desk": "open until the first administrator is made",
    "setup.administrator": "open until the first administrator is made",
}


_MAIL = f"From: {DATA}Writer <writer@post.example>\r\nSubject: {DATA}Chain\r\n\r\n{DATA}It broke.\r\n"


@dataclass
class World:
    """The people of the sample desk, and what stands for the parameters of its addresses."""

    admin: Any
    customer: Any
    values: dict[str, Any]
    # For one endpoint, where a name means something else.
    special: dict[str, dict[str, Any]]

    def pages(self, app: Flask) -> Iterator[tuple[str, str]]:
        """Endpoint and address of every page; fails when nobody has said what a new parameter is."""
        adapter = app.url_map.bind("localhost")
        for rule in app.url_map.iter_rules():
            if "GET" not in (rule.methods or ()) or rule.endpoint in NO_PAGES:
                continue
            values = {**self.values, **self.special.get(rule.endpoint, {})}
            unknown = rule.arguments - set(values)
            assert not unknown, f"say in tests/i18n/conftest.py what {sorted(unknown)} of {rule.rule} is"
            yield rule.endpoint, adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments})


@pytest.fixture
def locale() -> str:
    """The language that the sample people speak; a module has its own."""
    return "en"


@pytest.fixture
def world(app: Flask, make_user: Callable[..., Any], locale: str) -> World:
    """A desk whose every text from people is marked as data."""
    admin = make_user("admin", name=f"{DATA}Admin", email=f"{DATA}admin@desk.example", locale=locale)
    customer = make_user(name=f"{DATA}Customer", email=f"{DATA}customer@post.example", locale=locale)
    with transaction():
        settings.save(DeskSettings, {"name": f"{DATA}Desk", "set_up": True}, None)
        team = make_team(f"{DATA}Team", None, members=[admin])
        field = TicketField(key="serial", label=f"{DATA}Serial", public=True)
        firm = Organization(name=f"{DATA}Firm", domain="firm.example", notes=f"{DATA}Notes")
        db.session.add_all([field, firm])
        view = save_view(f"{DATA}View", TicketFilter(tag=(f"{DATA}tag",)), "-updated", admin, "everybody")
        db.session.flush()
        labels.keep(labels.TEAM, team.id, {locale: f"{DATA}Team"})
        gone = CorrectedString(locale=locale, digest="0" * 64, message=f"{DATA}Gone", texts=[f"{DATA}Gone"])
        db.session.add(gone)
    file: StoredFile = store_bytes(b"x", f"{DATA}file.txt", "text/plain")
    words = {"quoted": f"{DATA}Quote", "tags": [f"{DATA}tag"], "files": [file], "team_id": team.id}
    ticket = workflow.open_ticket(TicketDraft(f"{DATA}Subject", customer.id, f"{DATA}Text", **words), None)
    workflow.reply(ticket, MessageDraft(text=f"{DATA}Answer"), admin)
    workflow.note(ticket, MessageDraft(text=f"{DATA}Note"), admin)
    workflow.assign(ticket, admin, admin)
    workflow.set_priority(ticket, "high", admin)
    workflow.set_due(ticket, now() + timedelta(hours=2), admin)
    workflow.promise_answer(ticket, now() + timedelta(days=2), admin, f"{DATA}Words")
    workflow.set_field(ticket, "serial", f"{DATA}17", admin)
    kind, topic = ticket_types.add_type(f"{DATA}Type", None), topics.add_topic(f"{DATA}Topic", None, None, public=True)
    workflow.set_type(ticket, kind, admin)
    workflow.set_topic(ticket, topic, admin)
    wanted = Canned(f"{DATA}Thanks", {locale: f"{DATA}Text {{{{ team.name }}}}"}, f"{DATA}Folder", "everybody")
    thanks = MacroDraft(
        f"{DATA}Thanks", [{"do": "reply", "value": f"{DATA}Thank you."}, {"do": "set_status", "value": "solved"}]
    )
    macro = macros.save(None, thanks, admin)
    act = bulk.begin([ticket.id], actions.parse([{"do": "add_tags", "value": f"{DATA}late"}], admin), admin)
    answer = canned.save(None, wanted, admin)
    reply_drafts.keep(ticket, Written(f"{DATA}Begun", visibility="internal"), admin)
    hours, shift_id = _working_time(admin)
    calls = _promised_calls(ticket, admin)
    spoken = _translations(ticket, admin, locale)
    asked = _surveys(ticket, admin, locale)
    learned = _training(admin, locale)
    careers = _careers(admin, locale)
    noted = _records(ticket, firm, admin)
    offered = _recommendations(ticket, admin, locale)
    by_link = links.link_token("callbacks:customer", ticket, customer)
    came_in = intake.receive("email", _MAIL.encode())
    attachment = db.session.scalars(db.select(Attachment)).one()
    job, held = _work_that_failed(ticket)
    values = {
        "number": ticket.id,
        "ticket_id": ticket.id,
        "attachment_id": attachment.id,
        "message_id": 1,
        "user_id": customer.id,
        "team_id": team.id,
        "field_id": field.id,
        "hours_id": hours,
        "shift_id": shift_id,
        "organization_id": firm.id,
        "view_id": view.id,
        "macro_id": macro.id,
        "act_id": act.id,
        "canned_id": answer.id,
        "type_id": kind.id,
        "topic_id": topic.id,
        "draft_id": 1,
        "item_id": came_in.intake_id,
        "job_id": job.id,
        "event_id": held.event_id,
        "id": 1,
        "key": "all",
        "code": locale,
        "token": links.token(links.FOLLOW, ticket, customer),
        "what": "team",
        "purpose": accounts.RESET,
        "upload": plugin_uploads.keep(_wheel(), admin),
        "secret": accounts.issue_token(accounts.RESET, admin),
        **_mail_rooms(),
        **calls,
        "survey_id": asked["survey_id"],
        "response_id": asked["response_id"],
        **learned,
        **noted,
        **{name: offered[name] for name in ("product_id", "promotion_id", "upsell_rule_id", "suggestion_id")},
        **spoken,
        **careers,
    }
    special = {
        "career.person": {"user_id": careers["step_user"]},
        "admin.settings_group": {"name": "desk"},
        "admin.plugin": {"name": next(iter(manager.current().plugins))},
        "admin.schedule": {"key": "core.backup"},
        "admin.service": {"user_id": _programs(admin)},
        "admin.confirm_discard": {"name": "orders"},
        "admin.confirm_retry_failed": {"name": "orders.fetch"},
        "callbacks.customer": {"token": by_link},
        "callbacks.customer_call": {"token": by_link},
        "desk.original": {"message_id": came_in.message_id or 1},
        "desk.report": {"name": next(_reports(), "none")},
        "desk.view_form": {"key": view.id},
        "surveys.ask": {"token": asked["token"]},
        "surveys.ask_public": {"token": asked["public"]},
        "training.edit_part": {"key": "x1", "part": "questions"},
        "training.person": {"user_id": admin.id},
        "training.quiz_result": {"number": 1},
        "upsell.offer": {"token": offered["token"]},
        "portal.unsubscribe": {"token": links.unsubscribe_url(customer).rpartition("/")[2]},
    }
    return World(admin, customer, values, special)


def _promised_calls(ticket: Ticket, admin: User) -> dict[str, int]:
    """A call that nobody answered at first, one in every other state, a reason with questions, a rule."""
    reason = Reason(name=f"{DATA}Reason", questions=f"{DATA}Why?")
    rule = FollowUpRule(name=f"{DATA}Rule", tag=f"{DATA}tag", words=f"{DATA}Words", kind="mail", priority="high")
    words = {"ticket": ticket, "person": ticket.requester, "phone": "+49 30 901820", "reason": f"{DATA}About"}
    calls = []
    for place, state in enumerate(("due", "missed", "booked", "done", "cancelled")):
        start = now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=place)
        until = start + timedelta(minutes=30)
        when = {"starts_at": start, "ends_at": until, "promised_from": start, "promised_until": until}
        calls.append(Call(**words, **when, state=state, agent=admin, zone="Europe/Berlin", reason_row=reason))
    calls[0].tries, calls[0].problem, calls[3].outcome, calls[3].kept = 1, "away", "reached", True
    tried = Attempt(call=calls[0], number=1, agent=admin, outcome="busy", note=f"{DATA}Note", next_step=f"{DATA}Step")
    tried.next_at = now()
    with transaction():
        db.session.add_all([reason, rule, *calls, tried])
    return {"call_id": calls[0].id, "follow_up_id": rule.id, "reason_id": reason.id}


def _careers(admin: User, locale: str) -> dict[str, Any]:
    """The usual ladder, and one of everything about a colleague."""
    from helpdesk_career import competences, goals, ladder, proposals, recognition, records, reviews
    from helpdesk_career import rules as career_rules

    # History and evidence keep names as they were said to who made them.
    with speaking(locale):
        levels = ladder.begin(admin).levels
        colleague = accounts.create_user("climber@desk.example", f"{DATA}Colleague", "agent", None)
        step = records.place(colleague, levels[0], f"{DATA}Begun", admin)
        skill = competences.save(None, f"{DATA}Brakes", f"{DATA}Note", admin)
        asked = [{"kind": "words", "text": f"{DATA}Question"}, {"kind": "grade", "competence_id": skill.id}]
        template = reviews.save_template(None, f"{DATA}Yearly", asked, admin)
        review = reviews.begin(colleague, template, admin)
        reviews.write(review, {"i1": f"{DATA}Words", "i2": 4}, admin)
        reviews.share(review, admin)
        goal = goals.add(colleague, f"{DATA}Goal", None, admin)
        goals.tell(goal, "reached", f"{DATA}Done", admin)
        ladder.save_requirements(levels[1], [{"criterion": "career.solved", "threshold": 2, "days": 30}], admin)
        opens = {"act": "opens", "level_id": levels[2].id, "permission": "ticket.export"}
        return {
            "step_user": colleague.id,
            "step_id": step.id,
            "goal_id": goal.id,
            "recognition_id": recognition.give(colleague, "incentive", f"{DATA}Fine", f"{DATA}Much", admin).id,
            "proposal_id": proposals.propose(colleague, levels[1], f"{DATA}Good", admin).id,
            "review_id": review.id,
            "level_id": levels[1].id,
            "track_id": levels[1].track_id,
            "competence_id": skill.id,
            "template_id": template.id,
            "right_id": career_rules.save(None, opens, admin).id,
            "act": "takes",
        }


def _surveys(ticket: Ticket, admin: User, locale: str) -> dict[str, Any]:
    """A survey with a question of each kind, somebody who was asked, an answer that is followed up, one not asked."""
    said = {locale: f"{DATA}Question"}
    items = [
        {"key": f"q{number}", "kind": kind, "required": False, "page": 1, "text": said, "most": 5,
         "options": [{"key": "1", "text": said}, {"key": "2", "text": said}]}
        for number, kind in enumerate(("single", "multiple", "text", "scale", "date"), 1)
    ]  # fmt: skip
    rules = [{"least": 1, "most": 2, "do": "tag", "team_id": None, "tag": f"{DATA}tag"}]
    asked = surveys.save(None, {"name": f"{DATA}Survey", "rules": rules}, admin)
    surveys.save_texts(asked, {"texts": {}, "items": items}, admin)
    surveys.publish_version(asked, admin)
    surveys.switch(asked, True, admin)
    public = surveys.save(None, {"name": f"{DATA}Link", "kind": "nps", "occasion": "link"}, admin)
    surveys.publish_version(public, admin)
    surveys.switch(public, True, admin)
    of = {"survey_id": asked.id, "version_id": asked.version_id, "user_id": ticket.requester_id, "ticket_id": ticket.id}
    sent = Invitation(**of, key=survey_links.new_key(), state="sent", sent_at=now(), language=locale)
    answer = Response(
        **of, score=1, comment=f"{DATA}Comment", answers={"q3": f"{DATA}Text"}, agent_id=admin.id, language=locale
    )
    task = FollowUp(response=answer, action="ticket", ticket_id=ticket.id, note=f"{DATA}Note")
    left = Suppression(survey_id=asked.id, user_id=ticket.requester_id, why="refused", words=f"{DATA}Words")
    with transaction():
        db.session.add_all([sent, answer, task, left])
    return {
        "survey_id": asked.id,
        "response_id": answer.id,
        "token": survey_links.token(sent),
        "public": public.link_key,
    }


def _training(admin: User, locale: str) -> dict[str, Any]:
    """A course with every kind of part, which the reader takes, has answered and has earned; a path, a rule."""
    texts = {"title": f"{DATA}Title", "text": f"{DATA}Text", "explanation": f"{DATA}Why", "model": f"{DATA}Model",
             "subject": f"{DATA}Subject", "message": f"{DATA}Message",
             "options": {"a": f"{DATA}Yes", "b": f"{DATA}No"}}  # fmt: skip
    said = {locale: texts}
    questions = [
        {"id": f"x{number}", "kind": kind, "texts": said, "options": ["a", "b"], "right": ["a"]}
        for number, kind in enumerate(("single", "multiple", "order", "text"), 1)
    ]
    line = {"id": "r1", "points": 1, "texts": {locale: f"{DATA}Kind"}}
    task = {"id": "x1", "texts": said, "rubric": [line], "pass_points": 1}
    content = {"lessons": [{"id": "x1", "texts": said}], "questions": questions, "tasks": [task]}
    named = {"language": locale, "summary": f"{DATA}Summary", "skills": [f"{DATA}Skill"], "minutes": 20}
    course = editing.save(None, {"name": f"{DATA}Course", "valid_days": 90, **named}, admin)
    editing.save_content(course, content, admin)
    course_files.add(course, store_bytes(b"x", f"{DATA}paper.txt", "text/plain"), admin)
    editing.publish(course, admin)
    # Who looks at every page is who takes it.
    taken = assigning.enroll(admin, course)
    learning.begin(taken, admin)
    answers = {"x1": ["b"], "x2": ["a"], "x3": ["a", "b"], "x4": f"{DATA}Answer"}
    learning.submit(learning.start_attempt(taken, admin), answers, admin)
    learning.hand_in(taken, "x1", f"{DATA}Work", admin)
    today = {"held_on": now().date(), "until": now().date()}
    claim = {"title": f"{DATA}Elsewhere", "provider": f"{DATA}School", "note": f"{DATA}Note", **today}
    record = outside.record(admin, claim, store_bytes(b"x", f"{DATA}proof.txt", "text/plain"), admin)
    path = paths.save(None, {"name": f"{DATA}Path", "items": [{"course_id": course.id, "due_days": 3}]}, admin)
    low = {"occasion": "low", "tag": f"{DATA}tag", "course_id": course.id, "active": False}
    rule = rules.save(None, {"name": f"{DATA}Rule", **low}, admin)
    with transaction():
        taken.due_at = now() - timedelta(days=1)
        earned = Certificate(user_id=admin.id, course_id=course.id, serial="T-0001", score=90, expires_at=now())
        db.session.add(earned)
    return {
        "course_id": course.id,
        "assignment_id": taken.id,
        "lesson_id": "x1",
        "task_id": "x1",
        "answer_id": db.session.scalar(db.select(QuizAnswer.id).where(QuizAnswer.waits)),
        "work_id": db.session.scalar(db.select(TaskWork.id)),
        "record_id": record.id,
        "serial": "T-0001",
        "path_id": path.id,
        "course_rule_id": rule.id,
    }


def _translations(ticket: Ticket, admin: User, locale: str) -> dict[str, int]:
    """A message that is translated, an answer that was, and what is kept for the next time."""
    first, second = db.session.scalars(
        db.select(Message).where(Message.ticket_id == ticket.id).order_by(Message.id)
    ).all()[:2]
    text = f"{DATA}Text"
    pair = Pair(source="fr", target=locale, text=text, digest="0" * 64, translation=text, confirmed_by_id=admin.id)
    term = Term(term=f"{DATA}Term", translation=f"{DATA}Term", note=f"{DATA}Note", source="fr", target=locale)
    sent = {"ticket_id": ticket.id, "user_id": admin.id, "message_id": second.id, "target": "fr"}
    with transaction():
        db.session.add_all([
            pair,
            term,
            MessageLanguage(message_id=first.id, language="fr", score=0.9),
            Reading(message_id=first.id, target=locale, text=text, engine="memory"),
            Answer(**sent, source=locale, original=text, translated=text, engine="libretranslate", edited=True),
            PairOrder(source="fr", target=locale, engines=["memory"]),
        ])  # fmt: skip
    return {"pair_id": pair.id, "term_id": term.id}


def _mail_rooms() -> dict[str, int]:
    """A mailbox that fails, a server that rests, a rule."""
    words = {"host": f"{DATA}host", "username": f"{DATA}user", "error": f"{DATA}Error", "failed_at": now()}
    box = Mailbox(address=f"{DATA}shop@desk.example", port=993, polled_at=now(), backlog=7, **words)
    server = Server(name=f"{DATA}Server", port=25, rests_until=now() + timedelta(hours=1), **words)
    rule = Rule(part="subject", how="contains", pattern=f"{DATA}words")
    with transaction():
        db.session.add_all([box, server, rule])
    return {"mailbox_id": box.id, "server_id": server.id, "rule_id": rule.id}


def _working_time(admin: User) -> tuple[int, int]:
    """Hours with a day that differs, and a shift; they do not hide who is there from anything else."""
    special = f"2026-12-24 closed {DATA}Eve"
    hours = hours_editing.make_hours(HoursDraft(f"{DATA}Hours", ("00:00-24:00",) * 7, special=special), admin)
    shift = roster.add_shift(ShiftDraft(admin, "00:00", "24:00", now().date()), admin)
    roster.add_absence(admin, now() - timedelta(days=400), now() - timedelta(days=399), admin, note=f"{DATA}Note")
    return hours.id, shift.id


def _programs(admin: User) -> int:
    """The account of a program with a token, and a token of the administrator's own that never ends."""
    shop = service_accounts.create(f"{DATA}Shop", "agent", [], admin)
    api_tokens.make(shop, f"{DATA}Till", ["ticket.read"], now() + timedelta(days=7), admin)
    api_tokens.make(admin, f"{DATA}Script", ["audit.read"], None, admin, never=True)
    return shop.id


def _work_that_failed(ticket: Ticket) -> tuple[Job, HeldFact]:
    """A job and a fact that failed, a job that runs at a worker, a forged message of the queue; schedules that ran."""
    schedules.sync()
    event = db.session.scalars(db.select(Event).where(Event.ticket_id == ticket.id).order_by(Event.id)).first()
    assert event is not None
    error, args = f"{DATA}Error", {"shop": f"{DATA}Shop"}
    job = Job(name="orders.fetch", state="failed", args=args, error=error, attempts=8, finished_at=now())
    held = HeldFact(plugin="orders", event_id=event.id, ticket_id=ticket.id, error=error, attempts=8)
    worker = Worker(id="0" * 32, host="2001:db8::1", pid=7, version="1.0.0", queue="redis", threads=2)
    runs = {"state": "running", "worker": worker.label, "started_at": now(), "progress_done": 1, "progress_total": 2}
    forged = QuarantinedMessage(queue="redis", data="eA==", size=1, reason=f"{DATA}No signature")
    with transaction():
        db.session.add_all([job, held, worker, forged, Job(name="core.backup", **runs)])
        db.session.flush()
        db.session.add(ScheduleRun(schedule_key="core.backup", due_at=now(), job_id=job.id))
    return job, held


def _wheel() -> io.BytesIO:
    """A plugin that waits for a yes: with a hook, and something that it would install along."""
    file, info = io.BytesIO(), "helpdesk_orders-1.0.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: helpdesk-orders\nVersion: 1.0.0\nSummary: {DATA}Orders.\n"
    metadata += f"Author: {DATA}Mia\nRequires-Dist: helpdesk>=1,<2\nRequires-Dist: parcels-of-tests\n"
    code = "from helpdesk.api import hookimpl\n\n@hookimpl\ndef nav_items(user):\n    return []\n"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("helpdesk_orders/__init__.py", code)
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", "[helpdesk.plugins]\norders = helpdesk_orders\n")
        archive.writestr(f"{info}/RECORD", "")
    file.seek(0)
    return file


def _reports() -> Iterator[str]:
    return (found.item.name for found in manager.current().contributions("register_reports"))


def _records(ticket: Ticket, firm: Organization, admin: User) -> dict[str, int]:
    """A record of a person and of an organization with everything in it, a segment, a pair, a merge that was undone."""
    person, twin = ticket.requester, User(name=f"{DATA}Twin", email=f"{DATA}twin@post.example")
    with transaction():
        db.session.add(twin)
        person.organization, person.phone = firm, f"{DATA}1"
    choices = [f"{DATA}Gold", f"{DATA}Silver"]
    club = fields.save_field(None, {"label": f"{DATA}Club", "kind": "choice", "choices": choices, "key": "club"}, admin)
    for place, kind in enumerate(("number", "day", "yes", "text")):
        fields.save_field(None, {"label": f"{DATA}Field {place}", "kind": kind, "key": f"field_{place}"}, admin)
    typed = {"club": choices[0], "field_0": "54", "field_1": "2026-03-31", "field_2": "yes", "field_3": f"{DATA}Text"}
    records.change(
        person, admin, birthday="1990-05-31", salutation=f"{DATA}Frau", contact_by="phone", contact_at="evening",
        note=f"{DATA}Note", values=typed, tags=[f"{DATA}tag"],
    )  # fmt: skip
    records.change(firm, admin, note=f"{DATA}Note", tags=[f"{DATA}tag"])
    kept = [{"what": "tag", "how": "has", "value": f"{DATA}tag"}, {"what": "revenue", "how": "least", "value": "5 EUR"}]
    segment = segments.save(None, {"name": f"{DATA}Riders", "about": f"{DATA}About", "conditions": kept}, admin)
    lines = [LineData(f"{DATA}SKU", f"{DATA}Bicycle", 2, 90_000)]
    bought = []
    for place, state in enumerate(("paid", "placed", "cancelled", "returned")):
        data = OrderData(f"{DATA}A-{place}", "EUR", lines, state=state, source=f"{DATA}Shop", user_id=person.id)
        bought.append(orders.save_order(data)[0])
    ownership.own(person, f"{DATA}SKU", admin, name=f"{DATA}Plan", serial=f"{DATA}1", until=now().date())
    consents.note_consent(person, "offers", True, admin, way="phone", words=f"{DATA}Yes", proof=f"{DATA}Call")
    consents.note_consent(person, "news", False, admin, way="email")
    words = {
        "size": 2_000,
        "kind": "customers-people",
        "name": f"{DATA}people.csv",
        "header": [f"{DATA}Name"],
        "note": f"{DATA}Note",
    }
    taken = Import(**words, state="stopped", rows=2, failed=1, counts={"created": 1}, made_by_id=admin.id)
    pair = Duplicate(one_id=person.id, other_id=twin.id, reasons=["phone", "mail", "name"], score=50)
    undone = PersonMerge(survivor_id=person.id, merged_id=twin.id, actor_id=admin.id, undone_at=now())
    with transaction():
        db.session.add_all([pair, undone, taken])
        db.session.flush()
        db.session.add(FailedRow(import_id=taken.id, row=2, reason=f"{DATA}Reason", cells=[f"{DATA}Cell"]))
    return {
        "record_field_id": club.id,
        "segment_id": segment.id,
        "order_id": bought[0].id,
        "import_id": taken.id,
        "duplicate_id": pair.id,
        "person_merge_id": undone.id,
    }


def _recommendations(ticket: Ticket, admin: User, locale: str) -> dict[str, Any]:
    """Two products with a price and a promotion, a rule with a condition, what goes together, what was offered."""
    texts = {locale: {"name": f"{DATA}Lock", "pitch": f"{DATA}Pitch"}}
    prices = [{"currency": "EUR", "period": "month", "amount": 1_000}]
    lock = catalogue.save_product(None, {"sku": f"{DATA}LOCK", "texts": texts, "prices": prices}, admin)
    bike = catalogue.save_product(None, {"sku": f"{DATA}BIKE", "texts": texts}, admin)
    days = {"starts": now().date(), "ends": now().date() + timedelta(days=9)}
    promotion = promotions.save_promotion(None, lock, {"name": f"{DATA}Spring", "percent": 10, **days}, admin)
    conditions = [{"what": "owns", "value": [bike.sku]}]
    values = {"name": f"{DATA}Rule", "product": lock, "conditions": conditions, "reasons": {locale: f"{DATA}Reason"}}
    rule = upsell_rules.switch_rule(upsell_rules.save_rule(None, values, admin), True, admin)
    offered = Suggestion(
        person=ticket.requester, ticket=ticket, rule_id=rule.id, product_id=lock.id, key=f"rule:{rule.id}",
        sku=lock.sku, name=f"{DATA}Lock", reason=f"{DATA}Reason", pitch=f"{DATA}Pitch", language=locale, score=30,
        parts=[["weight", 30]], state="offered", amount=900, list_amount=1_000, currency="EUR", period="month",
        valid_until=now() + timedelta(days=14), offered_at=now(), shown_by_id=admin.id,
    )  # fmt: skip
    pair = Together(sku_a=bike.sku, sku_b=lock.sku, together=8, count_a=10, count_b=8, baskets=20)
    with transaction():
        db.session.add_all([offered, pair, Count(id=1, counted_at=now(), baskets=20, pairs=1)])
    return {
        "product_id": lock.id,
        "promotion_id": promotion.id,
        "upsell_rule_id": rule.id,
        "suggestion_id": offered.id,
        "token": offers.offer_url(offered).rpartition("/")[2],
    }
