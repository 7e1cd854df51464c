"""A filled desk for the matrix: everybody who has a column in access.toml, and the objects that its lines name.

What may be seen by some only has a word in it that is looked for in every answer. The desk is put back to how it was
after each request that wrote something.
"""

import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from helpdesk_callbacks import feed
from helpdesk_callbacks.models import Call, Feed, FollowUpRule, Reason
from helpdesk_career import competences, goals, ladder, proposals, recognition, reviews
from helpdesk_career import records as career_records
from helpdesk_career import rules as career_rules
from helpdesk_customers import consents, fields, orders, ownership, records, segments
from helpdesk_customers.duplicates import Pair as Duplicate
from helpdesk_customers.import_models import Import
from helpdesk_customers.orders import LineData, OrderData
from helpdesk_email.models import Mailbox, Rule, Server
from helpdesk_email.settings import IncomingSettings
from helpdesk_multilingual.models import Pair, Term
from helpdesk_surveys import links as survey_links
from helpdesk_surveys import surveys
from helpdesk_surveys.models import FollowUp, Invitation, Response
from helpdesk_training import assigning, editing, learning, outside, paths, rules
from helpdesk_training import files as course_files
from helpdesk_training.models import Answer, Certificate, TaskWork
from helpdesk_upsell import catalogue, offers, promotions
from helpdesk_upsell import rules as upsell_rules
from helpdesk_upsell.models import Suggestion

from helpdesk.app import create_app
from helpdesk.core import (
    accounts,
    api_tokens,
    canned,
    catalogs,
    files,
    generation,
    links,
    macros,
    schedules,
    service_accounts,
    settings,
    views,
    workflow,
)
from helpdesk.core.canned import Canned
from helpdesk.core.channels import intake
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.drafts import MessageDraft, TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.filters import TicketFilter
from helpdesk.core.macros import MacroDraft
from helpdesk.core.models import (
    Absence,
    ApiToken,
    Attachment,
    BulkAct,
    BusinessHours,
    Delivery,
    Event,
    HeldFact,
    Intake,
    Job,
    Message,
    Organization,
    PersonMerge,
    Schedule,
    Shift,
    SignInSession,
    Status,
    Team,
    Ticket,
    TicketField,
    TicketMerge,
    TicketType,
    Token,
    Topic,
    TrustedDevice,
    User,
)
from helpdesk.core.permissions import ROLE_PERMISSIONS
from helpdesk.core.transaction import transaction
from helpdesk.testing.browsers import browser_of
from helpdesk.testing.desk import prepare

# Stand in the ticket of the private team, and in a note on the open one.
SECRET, NOTE = "Quixmark", "Notemark"
# The number of the private ticket is looked for, too: it is like no other number on a page.
FIRST_NUMBER = 907331
NOBODYS = 950017
# Says of incoming mail whether its sender is proved, and is believed.
MAIL_SERVER = "mx.desk.example"


@dataclass
class FilledDesk:
    """``values``: what stands for each argument of an address, by object; ``hidden``: what an actor never sees."""

    app: Flask
    folder: Path
    people: dict[str, int] = field(default_factory=dict)
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    hidden: dict[str, tuple[str, ...]] = field(default_factory=dict)
    # What each sends along: the cookie of a session, or a token.
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)

    def begin(self) -> None:
        """Remember how it is now."""
        self._browser: FlaskClient = self.app.test_client(use_cookies=False)
        self._pristine = sqlite3.connect(":memory:", check_same_thread=False)
        with closing(sqlite3.connect(self.database)) as source:
            source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            source.backup(self._pristine)
        self._watch = sqlite3.connect(self.database, check_same_thread=False)
        self._seen = self._version()

    @property
    def database(self) -> Path:
        return next(self.folder.glob("helpdesk.sqlite3"))

    def ask(self, actor: str, method: str, path: str, **options: Any) -> Any:
        """The answer to one request of somebody; cookies that it sets are forgotten."""
        headers = {**self.headers.get(actor, {}), **options.pop("headers", {})}
        return self._browser.open(path, method=method, headers=headers, **options)

    def has_changed(self) -> bool:
        """Whether anything was written since it was put back."""
        return self._version() != self._seen

    def changes(self) -> dict[str, int]:
        """By how many rows each table that differs has changed; 0 where rows themselves did."""
        now, then = self._tables(self._watch), self._tables(self._pristine)
        return {name: len(rows) - len(then.get(name, ())) for name, rows in now.items() if rows != then.get(name)}

    def put_back(self) -> None:
        """Undo what was written."""
        if not self.has_changed():
            return
        with closing(sqlite3.connect(self.database)) as target:
            self._pristine.backup(target)
        self.app.extensions.pop(generation.EXTENSION, None)
        self._seen = self._version()

    def without_the_private_ticket(self) -> None:
        """Take the private ticket away, as if it had never been; :meth:`put_back` brings it again."""
        with closing(sqlite3.connect(self.database)) as target:
            target.execute("PRAGMA foreign_keys = ON")
            number = self.values["number"]["private"]
            target.execute("DELETE FROM tag WHERE id IN (SELECT tag_id FROM ticket_tag WHERE ticket_id = ?)", (number,))
            target.execute("DELETE FROM ticket WHERE id = ?", (number,))
            target.commit()
        self.app.extensions.pop(generation.EXTENSION, None)

    def close(self) -> None:
        self._watch.close()
        self._pristine.close()
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()

    def _version(self) -> int:
        return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    @staticmethod
    def _tables(connection: sqlite3.Connection) -> dict[str, list[Any]]:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in names}


def fill(template: Path, folder: Path) -> FilledDesk:
    """Make the desk in ``folder``, which is not there yet."""
    shutil.copytree(template, folder, ignore=shutil.ignore_patterns("*-wal", "*-shm", "queue.sqlite3"))
    app = create_app(Config(home=folder, testing=True, public_url="http://desk.example"))
    prepare(app)
    desk = FilledDesk(app, folder)
    with app.app_context():
        people = _people(desk)
        _tickets(desk, people)
        _rooms(desk, people)
        _calls(desk, people)
        _surveys(desk, people)
        _training(desk, people)
        _careers(desk, people)
        _records(desk, people)
        _recommendations(desk, people)
        _files_on_disk(desk)
        for name, user in people.items():
            browser: Any = browser_of(app, user)
            cookie = browser.get_cookie("helpdesk")
            desk.headers[name] = {"Cookie": f"{cookie.key}={cookie.value}"}
            desk.people[name], desk.emails[name] = user.id, str(user.email)
        _programs(desk, people)
        db.session.remove()
    customers_words = (SECRET, str(FIRST_NUMBER), NOTE, "Karl Kundmark", "karl@silent.example")
    for name in ("stranger", "requester", "colleague", "neighbour"):
        desk.hidden[name] = customers_words
    desk.hidden["customer"] = (NOTE,)
    desk.hidden["program"] = desk.hidden["outsider"] = (SECRET, str(FIRST_NUMBER))
    desk.begin()
    return desk


def _people(desk: FilledDesk) -> dict[str, User]:
    with transaction():
        shared = Organization(name="Shared Bicycles", shares_tickets=True)
        silent = Organization(name="Silent Bicycles")
        db.session.add_all([shared, silent])
    found = {}
    with transaction():
        for name, role, words, organization in (
            ("requester", "requester", "Rita Radler", shared),
            ("colleague", "requester", "Cora Radler", shared),
            ("neighbour", "requester", "Nora Kundt", silent),
            ("customer", "requester", "Karl Kundmark", silent),
            ("agent", "agent", "Abe Agent", None),
            ("outsider", "agent", "Otto Outside", None),
            ("supervisor", "supervisor", "Sue Supervisor", None),
            ("administrator", "admin", "Ada Admin", None),
        ):
            host = f"{organization.name.split()[0].lower()}.example" if organization else "desk.example"
            user = accounts.create_user(f"{words.split()[0].lower()}@{host}", words, role, None)
            user.organization = organization
            found[name] = user
    with transaction():
        opened = Team(name="Workshop", members=[found["agent"]])
        private = Team(name="Vault", members=[found["agent"]], private=True)
        db.session.add_all([opened, private, Team(name="Sales", members=[found["outsider"]])])
    desk.values["team_id"] = {"own": opened.id, "any": opened.id, "private": private.id, "missing": NOBODYS}
    return found


def _stored(name: str, text: str) -> Any:
    return files.store_bytes(text.encode(), name, "text/plain")


def _tickets(desk: FilledDesk, people: Mapping[str, User]) -> None:
    teams = desk.values["team_id"]
    with transaction():
        db.session.execute(
            db.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('ticket', :n)"), {"n": FIRST_NUMBER - 1}
        )
    # The private one first: what is counted by events or numbers goes on after it.
    private = workflow.open_ticket(
        TicketDraft(
            f"{SECRET} Zinnober",
            people["customer"].id,
            f"{SECRET} by Zinnober.",
            team_id=teams["private"],
            priority="urgent",
            tags=[SECRET.lower(), "brakes"],
            files=[_stored(f"{SECRET}.txt", f"{SECRET} in a file")],
        ),
        None,
    )
    workflow.note(private, MessageDraft(f"{SECRET} {NOTE}"), people["agent"])
    workflow.reply(private, MessageDraft(f"{SECRET} is answered."), people["agent"])
    own = _by_mail(people["requester"])
    workflow.move(own, db.session.get(Team, teams["own"]), None)
    noted = MessageDraft(f"{NOTE} for us", files=[_stored(f"{NOTE}.txt", f"{NOTE} in a file")])
    workflow.note(own, noted, people["agent"])
    workflow.reply(own, MessageDraft("It is repaired.", files=[_stored("invoice.txt", "Invoice")]), people["agent"])
    desk.values["number"] = {"own": own.id, "any": own.id, "note": own.id, "crossed": own.id, "private": private.id}
    desk.values["number"]["missing"] = NOBODYS
    desk.values["merge_id"] = {"own": _undone(own), "private": _undone(private), "missing": NOBODYS}
    desk.values["attachment_id"] = {
        "own": _file_of(own, "invoice.txt"),
        "note": _file_of(own, f"{NOTE}.txt"),
        "private": _file_of(private, f"{SECRET}.txt"),
        "crossed": _file_of(private, f"{SECRET}.txt"),
        "forged": _file_of(own, "invoice.txt"),
        "missing": NOBODYS,
    }
    sources = db.select(Message.id).where(Message.intake_id.is_not(None), Message.ticket_id == own.id)
    desk.values["message_id"] = {"own": db.session.scalar(sources), "missing": NOBODYS}
    desk.values["message_id"]["private"] = _with_source(private)
    follow = links.token(links.FOLLOW, own, people["requester"])
    head, _, signature = follow.rpartition("-")
    desk.values["token"] = {
        "own": follow,
        "note": follow,
        "forged": f"{head}-{signature[::-1]}",
        # The signature of one ticket with the number of the other.
        "crossed": f"{links.token(links.FOLLOW, private, people['customer']).rpartition('-')[0]}-{signature}",
        "missing": f"zzzzzzzzzzzzz-zzzzzzzzzzzzz-{signature}",
    }
    desk.values["token of portal.file"] = {**desk.values["token"], "crossed": follow}
    leave = links.unsubscribe_url(people["customer"]).rpartition("/")[2]
    leaving = {"own": leave, "forged": f"{leave.partition('-')[0]}-{'k' * 26}"}
    desk.values["token of portal.unsubscribe"] = desk.values["token of portal.stop_care"] = leaving
    people_ids = {"any": people["customer"].id, "own": people["requester"].id, "private": people["customer"].id}
    desk.values["user_id"] = {**people_ids, "missing": NOBODYS}


def _undone(ticket: Ticket) -> int:
    """A merge that was undone: asking for that again changes nothing."""
    with transaction():
        row = TicketMerge(survivor_id=ticket.id, merged_id=ticket.id, undone_at=now())
        db.session.add(row)
        db.session.flush()
        return row.id


def _by_mail(sender: User) -> Ticket:
    mail = f"From: {sender.name} <{sender.email}>\r\nTo: help@desk.example\r\nMessage-ID: <1@shared.example>\r\n"
    outcome = intake.receive("email", f"{mail}Subject: Rear brake\r\n\r\nIt rubs on every turn.\r\n".encode())
    return db.session.get_one(Ticket, outcome.ticket_id)


def _with_source(ticket: Ticket) -> int:
    """Give the first message of a ticket a source, as if it had come by mail."""
    kept = _stored("mail.eml", f"Subject: {SECRET}\r\n\r\n{SECRET}")
    with transaction():
        item = Intake(channel="email", transport_id=SECRET, sha256=kept.sha256, size=kept.size, state="done")
        db.session.add(item)
        db.session.flush()
        message = db.session.scalar(db.select(Message).where(Message.ticket_id == ticket.id).order_by(Message.id))
        assert message is not None
        message.intake_id, item.ticket_id = item.id, ticket.id
        return message.id


def _file_of(ticket: Ticket, name: str) -> int:
    query = db.select(Attachment.id).join(Attachment.message)
    return db.session.scalars(query.where(Message.ticket_id == ticket.id, Attachment.name == name)).one()


def _rooms(desk: FilledDesk, people: Mapping[str, User]) -> None:
    agent, supervisor = people["agent"], people["supervisor"]
    mine = views.save_view("Brakes", TicketFilter(tag=("brakes",)), "-updated", agent)
    shared = views.save_view("Everybody's", TicketFilter(), "-updated", supervisor, views.EVERYBODY)
    own = canned.save(None, Canned("Brakes", {"en": "We see to it."}), agent)
    everybodys = canned.save(None, Canned("Thanks", {"en": "Thank you."}, shared_with=views.EVERYBODY), supervisor)
    desk.values["canned_id"] = {"own": own.id, "shared": everybodys.id, "missing": NOBODYS}
    desk.values["canned_id of desk.canned_text"] = {"any": everybodys.id}
    solves = [{"do": "add_tags", "value": "seen"}]
    macro = macros.save(None, MacroDraft("Seen", solves), agent)
    shared_macro = macros.save(None, MacroDraft("Looked at", solves, views.EVERYBODY), supervisor)
    desk.values["macro_id"] = {"own": macro.id, "shared": shared_macro.id, "missing": NOBODYS}
    for page in ("preview_macro", "use_macro"):
        desk.values[f"macro_id of desk.{page}"] = {"any": shared_macro.id}
    desk.values["draft_id"] = {"any": 1}
    event_id = db.session.scalar(
        db.select(db.func.max(Event.id)).where(Event.ticket_id == desk.values["number"]["own"])
    )
    with transaction():
        rows: dict[str, Any] = {
            "type_id": TicketType(key="return", name="Return"),
            "topic_id": Topic(name="Brakes", path="/1/"),
            "field_id": TicketField(key="frame", label="Frame", kind="text"),
            "job_id": Job(name="desk.nothing", state="failed"),
            "mailbox_id": Mailbox(address="shop@desk.example", kind="handed", secret="not a secret"),
            "server_id": Server(name="Second", host="127.0.0.1", port=1, security="none"),
            "rule_id": Rule(pattern="robot@robot.example"),
            "hours_id": BusinessHours(name="Shop", week={"0": [["09:00", "17:00"]]}),
            "pair_id": Pair(source="en", target="es", text="Brake", digest="0" * 64, translation="Freno"),
            "term_id": Term(term="Alba 7", keep=True),
        }
        db.session.add_all([*rows.values(), HeldFact(plugin="email", event_id=event_id, error="It failed.")])
        db.session.flush()
        absence = Absence(user_id=people["agent"].id, begins_at=now(), ends_at=now() + timedelta(days=1))
        shift = Shift(user_id=people["agent"].id, weekday=0, begins="09:00", ends="17:00", first_day=now().date())
        act = BulkAct(actor_id=agent.id, actions=solves, state="done")
        db.session.add_all([absence, shift, act])
        db.session.flush()
        desk.values["act_id"] = {"own": act.id, "missing": NOBODYS}
        desk.values["absence_id"] = {"own": absence.id, "missing": NOBODYS}
        desk.values["shift_id"] = {"any": shift.id, "missing": NOBODYS}
        for name, row in rows.items():
            desk.values[name] = {"any": row.id, "missing": NOBODYS}
    first = db.select(db.func.min(Intake.id)).where(Intake.ticket_id == desk.values["number"]["own"])
    desk.values["item_id"] = {"any": db.session.scalar(first), "missing": NOBODYS}
    settings.save(IncomingSettings, {"trusted_hosts": MAIL_SERVER}, None)
    desk.values["organization_id"] = {"any": people["requester"].organization_id, "missing": NOBODYS}
    desk.values["status_id"] = {"any": db.session.scalar(db.select(db.func.min(Status.id))), "missing": NOBODYS}
    desk.values["delivery_id"] = {"any": db.session.scalar(db.select(db.func.min(Delivery.id))), "missing": NOBODYS}
    desk.values["event_id"] = {"any": event_id, "missing": NOBODYS}
    desk.values["key of desk"] = {
        "any": "all",
        "own": mine.id,
        "shared": shared.id,
        "private": f"team-{desk.values['team_id']['private']}",
        "missing": NOBODYS,
    }
    schedules.sync()
    schedule = db.session.scalar(db.select(Schedule.key).order_by(Schedule.key).limit(1))
    desk.values["key"] = {"any": schedule, "missing": "nobody.knows"}
    desk.values["address"] = {"any": "shop@desk.example", "missing": "nobody@desk.example"}


def _calls(desk: FilledDesk, people: Mapping[str, User]) -> None:
    """A promised call on the own ticket and one on the private; the links of their customers; the agent's calendar."""
    numbers, start = desk.values["number"], now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    until = start + timedelta(minutes=30)
    when = {"starts_at": start, "ends_at": until, "promised_from": start, "promised_until": until}
    calls = {
        thing: Call(ticket_id=numbers[thing], person_id=people[name].id, phone="+49 30 901820", reason=words, **when)
        for thing, name, words in (("own", "requester", "Rear brake"), ("private", "customer", SECRET))
    }
    rule, reason = FollowUpRule(name="After repairs"), Reason(name="Repair")
    with transaction():
        db.session.add_all([*calls.values(), rule, reason])
    desk.values["call_id"] = {thing: call.id for thing, call in calls.items()} | {"missing": NOBODYS}
    desk.values["call_id"]["forged"] = calls["own"].id
    desk.values["follow_up_id"] = {"any": rule.id, "missing": NOBODYS}
    desk.values["reason_id"] = {"any": reason.id, "missing": NOBODYS}
    own, private = (
        links.link_token("callbacks:customer", db.session.get_one(Ticket, call.ticket_id), people[name])
        for call, name in ((calls["own"], "requester"), (calls["private"], "customer"))
    )
    head, _, signature = own.rpartition("-")
    forged = f"{head}-{signature[::-1]}"
    desk.values["token of callbacks"] = {
        "own": own,
        "forged": forged,
        "crossed": f"{private.rpartition('-')[0]}-{signature}",
        "missing": f"zzzzzzzzzzzzz-zzzzzzzzzzzzz-{signature}",
    }
    for page in ("customer_call", "customer_calendar", "customer_moves", "customer_cancels"):
        desk.values[f"token of callbacks.{page}"] = {"any": own, "forged": forged}
    address = feed.renew(people["agent"])
    secret = address.rpartition("/")[2].removesuffix(".ics")
    desk.values["secret of callbacks"] = {"own": secret, "forged": secret[::-1]}
    with transaction():
        # However long the tests take: that it was read is not noted again.
        db.session.execute(db.update(Feed).values(read_at=now() + timedelta(days=1)))


def _surveys(desk: FilledDesk, people: Mapping[str, User]) -> None:
    """A survey, the agent's answer about the own ticket, nobody's about the private one, a follow-up of each."""
    numbers, team = desk.values["number"], {"own": "own", "private": "private"}
    asked = surveys.save(None, {"name": "After a solution", "quiet_from": 0, "quiet_until": 0}, None)
    surveys.publish_version(asked, None)
    surveys.switch(asked, True, None)
    public = surveys.save(None, {"name": "On the counter", "kind": "nps", "occasion": "link"}, None)
    surveys.publish_version(public, None)
    surveys.switch(public, True, None)
    of = {"survey_id": asked.id, "version_id": asked.version_id}
    invitations, answers = {}, {}
    for thing, name, agent_id in (("own", "requester", people["agent"].id), ("private", "customer", None)):
        about = {"user_id": people[name].id, "ticket_id": numbers[thing], "agent_id": agent_id,
                 "team_id": desk.values["team_id"][team[thing]]}  # fmt: skip
        invitations[thing] = Invitation(
            **of, **about, key=survey_links.new_key(), state="sent", sent_at=now(), closes_at=now() + timedelta(days=14)
        )
        answers[thing] = Response(**of, **about, score=2, comment=SECRET if thing == "private" else "Rear brake")
    tasks = {thing: FollowUp(response=answers[thing], action="tell") for thing in answers}
    with transaction():
        db.session.add_all([*invitations.values(), *answers.values(), *tasks.values()])
    desk.values["survey_id"] = {"any": asked.id, "missing": NOBODYS}
    desk.values["response_id"] = {thing: row.id for thing, row in answers.items()} | {"missing": NOBODYS}
    desk.values["task_id"] = {thing: row.id for thing, row in tasks.items()} | {"missing": NOBODYS}
    token = survey_links.token(invitations["own"])
    for page in ("ask", "answer"):
        desk.values[f"token of surveys.{page}"] = {"any": token, "forged": f"{token[:-4]}{token[-4:][::-1]}0"}
    for page in ("ask_public", "answer_public"):
        desk.values[f"token of surveys.{page}"] = {"any": public.link_key, "forged": "0" * 32}


def _training(desk: FilledDesk, people: Mapping[str, User]) -> None:
    """A course that can be taken and a draft; what the agent takes, has written, earned, and learned elsewhere."""
    agent, supervisor = people["agent"], people["supervisor"]
    said = {"en": {"title": "Brakes", "text": "Press.", "options": {"a": "Yes", "b": "No"}}}
    question = {"id": "x1", "kind": "single", "options": ["a", "b"], "right": ["a"], "texts": said}
    free = {"id": "x2", "kind": "text", "texts": said}
    task = {"id": "x1", "texts": said, "rubric": [{"id": "r1", "points": 1, "texts": {"en": "Kind"}}], "pass_points": 1}
    content = {"lessons": [{"id": "x1", "texts": said}], "questions": [question, free], "tasks": [task]}
    made = {}
    for name in ("Brakes", "Gears"):
        made[name] = editing.save(None, {"name": name, "pass_mark": 100}, None)
        editing.save_content(made[name], content, None)
        course_files.add(made[name], _stored("form.txt", "A form"), None)
    course, draft = made["Brakes"], made["Gears"]
    editing.publish(course, None)
    [taken] = assigning.assign([agent], course, supervisor)
    learning.begin(taken, agent)
    attempt = learning.start_attempt(taken, agent)
    learning.submit(attempt, {"x1": ["b"], "x2": "Kindly"}, agent)
    learning.hand_in(taken, "x1", "Dear Rita", agent)
    said_elsewhere = {"title": "First aid", "held_on": now().date(), "skills": ["First aid"]}
    record = outside.record(agent, said_elsewhere, _stored("paper.txt", "A paper"), agent)
    path = paths.save(None, {"name": "First week", "items": [{"course_id": course.id}]}, None)
    rule = rules.save(None, {"name": "Agents", "role": "agent", "course_id": course.id, "active": False}, None)
    with transaction():
        earned = Certificate(user_id=agent.id, course_id=course.id, serial="T-0001")
        db.session.add(earned)
    waits = db.session.scalar(db.select(Answer.id).where(Answer.waits))
    work = db.session.scalar(db.select(TaskWork.id))
    missing = {"missing": NOBODYS}
    of_training: dict[str, dict[str, Any]] = {
        "course_id": {"any": course.id, "draft": draft.id, **missing},
        "assignment_id": {"own": taken.id, **missing},
        "answer_id": {"own": waits, **missing},
        "work_id": {"own": work, **missing},
        "record_id": {"own": record.id, **missing},
        "serial": {"own": "T-0001", "missing": "T-0002"},
        "user_id": {"own": agent.id, **missing},
        "path_id": {"any": path.id, **missing},
        "course_rule_id": {"any": rule.id, **missing},
        "number": {"any": attempt.number},
        "name": {"any": "form.txt"},
        **dict.fromkeys(("lesson_id", "task_id", "key"), {"any": "x1"}),
    }
    for name, values in of_training.items():
        desk.values[f"{name} of training"] = values


def _records(desk: FilledDesk, people: Mapping[str, User]) -> None:
    """A record with everything, a field, a segment, a pair that is to be decided on, a merge that was undone."""
    requester, customer = people["requester"], people["customer"]
    records.change(requester, None, note="Rides to work", tags=["rider"])
    field = fields.save_field(None, {"label": "Frame size", "kind": "number"}, None)
    conditions = [{"what": "tag", "how": "has", "value": "rider"}]
    riders = segments.save(None, {"name": "Riders", "conditions": conditions}, None)
    bought, _said = orders.save_order(OrderData("A-1", "EUR", [LineData("ALBA", amount=900)], user_id=requester.id))
    owned = ownership.own(requester, "ALBA", None)
    private = db.session.get_one(Ticket, desk.values["number"]["private"])
    consents.note_consent(customer, "offers", True, None, way="phone", words="Yes", ticket=private)
    one, other = sorted((requester.id, people["colleague"].id))
    pair = Duplicate(one_id=one, other_id=other, reasons=["phone"], score=50)
    undone = PersonMerge(survivor_id=requester.id, merged_id=people["colleague"].id, undone_at=now())
    with transaction():
        db.session.add_all([pair, undone])
    taken = Import(kind="customers-people", name="people.csv", state="done")
    with transaction():
        db.session.add(taken)
    desk.values["import_id"] = {"any": taken.id, "missing": NOBODYS}
    rows = {"record_field_id": field, "segment_id": riders, "order_id": bought, "ownership_id": owned,
            "duplicate_id": pair, "person_merge_id": undone}  # fmt: skip
    for name, row in rows.items():
        desk.values[name] = {"any": row.id, "missing": NOBODYS}


def _recommendations(desk: FilledDesk, people: Mapping[str, User]) -> None:
    """A product with a promotion and a rule, what was offered on the own ticket, and on the private one."""
    numbers = desk.values["number"]
    lock = catalogue.save_product(None, {"sku": "LOCK", "texts": {"en": {"name": "Lock", "pitch": ""}}}, None)
    days = {"starts": "2026-03-01", "ends": "2026-03-31"}
    promotion = promotions.save_promotion(None, lock, {"name": "Spring", "percent": 10, **days}, None)
    rule = upsell_rules.save_rule(None, {"name": "Lock it", "product": lock}, None)
    offered = {}
    for thing, name in (("own", "requester"), ("private", "customer")):
        offered[thing] = Suggestion(
            user_id=people[name].id, ticket_id=numbers[thing], rule_id=rule.id, product_id=lock.id,
            key=f"rule:{rule.id}", sku="LOCK", name="Lock", reason=SECRET if thing == "private" else "Rides to work",
            state="offered", amount=1_000, list_amount=1_000, currency="EUR", valid_until=now() + timedelta(days=14),
        )  # fmt: skip
    with transaction():
        db.session.add_all(offered.values())
    desk.values["product_id"] = {"any": lock.id, "missing": NOBODYS}
    desk.values["promotion_id"] = {"any": promotion.id, "missing": NOBODYS}
    desk.values["upsell_rule_id"] = {"any": rule.id, "missing": NOBODYS}
    desk.values["suggestion_id"] = {thing: row.id for thing, row in offered.items()} | {"missing": NOBODYS}
    token = offers.offer_url(offered["own"]).rpartition("/")[2]
    for page in ("offer", "answer_offer"):
        desk.values[f"suggestion_id of upsell.{page}"] = dict.fromkeys(("any", "forged"), offered["own"].id)
        desk.values[f"token of upsell.{page}"] = {"any": token, "forged": f"{token[:-4]}{token[-4:][::-1]}0"}


def _programs(desk: FilledDesk, people: Mapping[str, User]) -> None:
    """A service account with a token, and what the others have for themselves."""
    administrator, agent, requester = (people[name] for name in ("administrator", "agent", "requester"))
    opened = db.session.get_one(Team, desk.values["team_id"]["own"])
    service = service_accounts.create("Till", "agent", [opened], administrator)
    later = now() + timedelta(days=30)
    scopes = sorted(ROLE_PERMISSIONS["agent"])
    token = api_tokens.make(service, "Till", scopes, later, administrator)
    own = api_tokens.make(agent, "Scripts", scopes, later, agent)
    desk.headers["program"] = {"Authorization": f"Bearer {token.secret}"}
    session = db.session.scalars(db.select(SignInSession).where(SignInSession.user_id == requester.id)).one()
    with transaction():
        device = TrustedDevice(user_id=requester.id, digest="0" * 64, expires_at=later)
        db.session.add(device)
    desk.values |= {
        "number of desk.revoke_token": {"own": own.row.id, "missing": NOBODYS},
        "number of admin.revoke_service_token": {"any": token.row.id, "crossed": own.row.id, "missing": NOBODYS},
        "number of admin.revoke_person_token": {"any": own.row.id, "crossed": token.row.id, "missing": NOBODYS},
        "user_id of admin.revoke_person_token": {"any": agent.id, "missing": NOBODYS},
        "session_id": {"own": session.id, "missing": NOBODYS},
        "device_id": {"own": device.id, "missing": NOBODYS},
    }
    for row in ("service", "change_service", "make_service_token", "revoke_service_token"):
        desk.values[f"user_id of admin.{row}"] = {"any": service.id, "missing": NOBODYS}
    # The first use of a token is written down.
    desk.app.test_client().get("/api/v1/me", headers=desk.headers["program"])
    with transaction():
        # However long the tests take: nobody is asked for a proof again, no further use is noted, no link is too old.
        tomorrow = now() + timedelta(days=1)
        db.session.execute(db.update(SignInSession).values(seen_at=tomorrow, proved_at=tomorrow))
        db.session.execute(db.update(ApiToken).values(used_at=tomorrow))
        db.session.execute(db.update(Token).values(expires_at=later))


def _files_on_disk(desk: FilledDesk) -> None:
    desk.values |= {
        "name": {"any": "email", "missing": "nothing"},
        "name of admin.use_theme": {"any": "default", "missing": "nothing"},
        "name of admin.preview_theme": {"any": "default", "missing": "nothing"},
        "upload": {"missing": "0" * 32},
        "code": {"any": "zh_Hans", "missing": "tlh"},
        "digest": {"any": catalogs.current().texts("zh_Hans")[0].digest, "missing": "0" * 64},
        "filename": {"any": "css/tokens.css", "missing": "css/nothing.css"},
        "secret": {"own": accounts.issue_token(accounts.SETUP), "forged": "k" * 32},
        "purpose": {"own": accounts.RESET, "forged": accounts.RESET},
    }
    reader = db.session.get_one(User, desk.values["user_id"]["own"])
    desk.values["secret of auth"] = {"own": accounts.issue_token(accounts.RESET, reader), "forged": "k" * 32}


# What is sent with forms, so that more is asked than whether they are empty. ``json``: as programs send it.
FORMS: Mapping[str, Callable[[FilledDesk], dict[str, Any]]] = {
    "desk.write": lambda _desk: {"data": {"mode": "reply", "text": "We look into it."}},
    "desk.add_view": lambda _desk: {"data": {"name": "Mine", "view": "all"}},
    "desk.add_ticket": lambda desk: {
        "data": {"email": desk.emails["requester"], "subject": "Lamp", "text": "It is dark.", "written_by": "us"}
    },
    "desk.edit": lambda _desk: {"data": {"value": ""}},
    "desk.set_time": lambda _desk: {"data": {"choice": "tomorrow"}},
    "portal.deny": lambda _desk: {"data": {"text": "It rubs still."}},
    "portal.reply": lambda _desk: {"data": {"text": "It rubs again."}},
    "portal.set_status": lambda _desk: {"data": {"status": "solved"}},
    "portal.ask": lambda _desk: {"data": {"subject": "Lamp", "text": "It is dark.", "email": "new@elsewhere.example"}},
    "api.open_ticket": lambda desk: {
        "json": {"subject": "Lamp", "text": "It is dark.", "requester": {"email": desk.emails["requester"]}}
    },
    "api.write_message": lambda _desk: {"json": {"text": "We look into it."}},
    "api.change_ticket": lambda _desk: {"json": {"priority": "high"}},
}


def _careers(desk: FilledDesk, people: Mapping[str, User]) -> None:
    """The usual ladder, and one of everything about the agent, which nobody else of the agents sees."""
    agent, supervisor = people["agent"], people["supervisor"]
    levels = ladder.begin(None).levels
    step = career_records.place(agent, levels[0], "Begun.", supervisor)
    skill = competences.save(None, "Brakes", "", None)
    template = reviews.save_template(None, "Yearly", [{"kind": "grade", "competence_id": skill.id}], None)
    review = reviews.begin(agent, template, supervisor)
    reviews.write(review, {"i1": 4}, supervisor)
    reviews.share(review, supervisor)
    opens = {"act": "opens", "level_id": levels[2].id, "permission": "ticket.export"}
    own = {
        "user_id of career": agent.id,
        "step_id": step.id,
        "goal_id": goals.add(agent, "Learn.", None, agent).id,
        "recognition_id": recognition.give(agent, "praise", "Well done.", "", supervisor).id,
        "proposal_id": proposals.propose(agent, levels[1], "Good.", supervisor).id,
        "review_id": review.id,
    }
    desk.values |= {name: {"own": number, "missing": NOBODYS} for name, number in own.items()}
    every = {
        "level_id": levels[2].id, "track_id": levels[2].track_id, "competence_id": skill.id,
        "template_id": template.id, "right_id": career_rules.save(None, opens, None).id,
    }  # fmt: skip
    desk.values |= {f"{name} of career": {"any": number, "missing": NOBODYS} for name, number in every.items()}
