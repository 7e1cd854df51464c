"""Every form of the administration leaves an entry in the record; one that does not say which fails here."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from helpdesk_customers import importing, orders
from helpdesk_customers.duplicates import Pair as Duplicate
from helpdesk_customers.imports.kinds import kind_named
from helpdesk_customers.orders import LineData, OrderData

from helpdesk.core import api_tokens, generation, people_merging, schedules, service_accounts, ticket_types, topics
from helpdesk.core.catalogs import digest_of
from helpdesk.core.channels import intake
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import AuditEntry, BusinessHours, Delivery, Job, Organization, Status, TicketField, User
from helpdesk.core.transaction import transaction

pytestmark = pytest.mark.plugins

ROOT = Path(__file__).parents[2]
World = SimpleNamespace
Form = tuple[str, dict[str, Any]]
_BOX = {"address": "shop@desk.example", "kind": "handed"}
_FETCHED = {
    "address": "in@desk.example", "kind": "imap", "host": "imap.desk.example", "security": "tls", "username": "shop",
    "password": "very secret", "afterwards": "seen",
}  # fmt: skip
_RULE = {"part": "subject", "how": "is", "pattern": "x", "act": "hold"}
_FOLLOW_UP = {"name": "After", "kind": "call", "days": "3"}
_SURVEY = {"name": "A", "kind": "csat", "look": "faces", "occasion": "solved", "delay_hours": "24", "rhythm_days": "90",
           "quiet_from": "20", "quiet_until": "8", "reminder_days": "3", "closes_days": "14",
           "min_group": "5"}  # fmt: skip
_COURSE = {"name": "Other", "language": "en", "pass_mark": "80"}
_RULE_OF_TRAINING = {"name": "Agents", "occasion": "role", "role": "agent", "course_id": "1", "due_days": "14"}
_SEGMENT = {"name": "A", "subject": "person", "match": "all", "what-0": "tag", "how-0": "has", "value-0": "rider"}
_PRODUCT = {"sku": "ALBA", "kind": "product", "active": "1", "name-en": "Alba 7"}
_PROMOTION = {"sku": "ALBA", "name": "Spring", "percent": "10", "starts": "2026-03-01", "ends": "2026-03-31"}
_RECOMMENDATION = {"name": "Ride", "kind": "product", "sku": "ALBA", "weight": "3"}
_TERM = {"term": "Alba 7", "keep": "1", "source": "", "target": ""}
_SERVER = {"name": "Spare", "host": "smtp.desk.example", "security": "starttls", "username": "a", "password": "hush"}


def _file(text: str) -> dict[str, Any]:
    return {"file": (io.BytesIO(text.encode()), "file.csv")}


def _order(world: World) -> int:
    """An order of the customer."""
    return int(orders.save_order(OrderData("A-1", "EUR", [LineData("ALBA", amount=900)], user_id=world.customer))[0].id)


def _twins(world: World, **values: Any) -> tuple[int, int, int]:
    """Two people who may be one: the pair, and both."""
    with transaction():
        one, other = User(name="Anna"), User(name="Anna")
        db.session.add_all([one, other])
        db.session.flush()
        pair = Duplicate(one_id=one.id, other_id=other.id, reasons=["name"], **values)
        db.session.add(pair)
    return pair.id, one.id, other.id


def _import(state: str) -> str:
    """A file of customers that waits, runs or was stopped: its address."""
    kind = kind_named("customers-people")
    assert kind is not None
    made = importing.begin(io.BytesIO(b"Email\nann@customer.example\n"), "people.csv", kind, None)
    with transaction():
        made.state = state
    return f"/p/customers/imports/{made.id}"


def _merged(world: World) -> int:
    """A merge of two people."""
    _pair, one, other = _twins(world)
    return int(people_merging.merge_people(db.session.get_one(User, one), db.session.get_one(User, other), None).id)


# What is sent where, and the act that has to be written down.
_FORMS: list[tuple[str, str, Callable[[World], Form]]] = [
    ("admin.add_field", "field.created", lambda w: ("/admin/fields/new", {"label": "Size", "kind": "text"})),
    ("admin.save_field", "field.changed", lambda w: (
        f"/admin/fields/{w.field}", {"label": "S", "kind": "text", "active": "1"})),
    ("admin.order_field", "field.moved", lambda w: (f"/admin/fields/{w.field}/down", {})),
    ("admin.add_hours", "hours.created", lambda w: ("/admin/hours/new", {"name": "Late", "day_0": "12:00-20:00"})),
    ("admin.save_hours", "hours.changed", lambda w: (f"/admin/hours/{w.hours}", {"name": "B", "day_1": "9-17"})),
    ("admin.delete_hours", "hours.deleted", lambda w: (f"/admin/hours/{w.hours}/delete", {})),
    ("admin.add_organization", "organization.created", lambda w: ("/admin/organizations/new", {"name": "Other"})),
    ("admin.save_organization", "organization.changed", lambda w: (
        f"/admin/organizations/{w.organization}", {"name": "B"})),
    ("admin.add_service", "service.created", lambda w: ("/admin/services/new", {"name": "Phone", "role": "agent"})),
    ("admin.make_service_token", "token.made", lambda w: (
        f"/admin/services/{w.service}/tokens", {"name": "A", "scopes": ["ticket.read"], "expires": "30"})),
    ("admin.revoke_service_token", "token.revoked", lambda w: (
        f"/admin/services/{w.service}/tokens/{w.token}/revoke", {})),
    ("admin.change_service", "service.changed", lambda w: (
        f"/admin/services/{w.service}", {"name": "Till", "role": "agent", "active": "1"})),
    ("admin.revoke_person_token", "token.revoked", lambda w: (
        f"/admin/people/{w.person}/tokens/{w.persons_token}/revoke", {})),
    ("admin.add_status", "status.created", lambda w: ("/admin/statuses", {"name": "At the shop", "category": "open"})),
    ("admin.save_status", "status.changed", lambda w: (f"/admin/statuses/{w.status}", {"name": "N", "active": "1"})),
    ("admin.order_status", "status.moved", lambda w: (f"/admin/statuses/{w.second_status()}/up", {})),
    ("admin.add_team", "team.created", lambda w: ("/admin/teams/new", {"name": "Sales", "color": "green"})),
    ("admin.save_team", "team.changed", lambda w: (f"/admin/teams/{w.team}", {"name": "Selling", "color": "blue"})),
    ("admin.add_type", "type.created", lambda w: ("/admin/types", {"name": "Repair"})),
    ("admin.save_type", "type.changed", lambda w: (f"/admin/types/{w.type}", {"name": "Repairs", "active": "1"})),
    ("admin.order_type", "type.moved", lambda w: (f"/admin/types/{w.type}/down", {})),
    ("admin.add_topic", "topic.created", lambda w: ("/admin/topics", {"name": "Chains"})),
    ("admin.save_topic", "topic.changed", lambda w: (f"/admin/topics/{w.topic}", {"name": "Brake", "active": "1"})),
    ("admin.order_topic", "topic.moved", lambda w: (f"/admin/topics/{w.topic}/down", {})),
    ("admin.delete_topic", "topic.deleted", lambda w: (f"/admin/topics/{w.topic}/delete", {})),
    ("admin.back_up", "schedule.run", lambda w: ("/admin/backups", {})),
    ("admin.settle_schedule", "schedule.switched_off", lambda w: ("/admin/schedules/core.tidy/off", {})),
    ("admin.change_person", "user.changed", lambda w: (
        f"/admin/people/{w.person}", {"name": "Mia Other", "role": "agent", "active": "1"})),
    ("admin.send_password_link", "user.link_sent", lambda w: (f"/admin/people/{w.person}/reset", {})),
    ("admin.show_invitation_link", "user.link_made", lambda w: (f"/admin/people/{w.person}/link", {})),
    ("admin.sign_person_out", "user.sessions_ended", lambda w: (f"/admin/people/{w.person}/sign-out", {})),
    ("admin.invite_person", "user.created", lambda w: (
        "/admin/people/new", {"name": "Jo", "email": "jo@desk.example", "role": "agent"})),
    ("admin.export_audit", "audit.exported", lambda w: ("/admin/audit/export", {"format": "csv"})),
    ("admin.save_settings", "settings.changed", lambda w: (
        "/admin/settings/desk", {"name": "Larkwheel", "brand_color": "#a33b1f", "time_zone": "UTC"})),
    ("admin.use_theme", "settings.changed", lambda w: ("/admin/themes/ember", {})),
    ("admin.add_language", "language.file_kept", lambda w: (
        "/admin/languages", {"code": "eo", "of": "core", "file": (io.BytesIO(w.catalog), "eo.po")})),
    ("admin.correct_text", "language.corrected", lambda w: (
        f"/admin/languages/zh_Hans/texts/{w.text}", {"text_0": "Hinein"})),
    ("admin.import_language", "language.corrected", lambda w: (
        "/admin/languages/zh_Hans/import",
        {"as": "corrections", "of": "core", "file": (io.BytesIO(w.catalog), "a.po")})),
    ("admin.settle_mail", "incoming.discarded", lambda w: (f"/admin/mail/{w.item}/discard", {})),
    ("admin.settle_mails", "incoming.discarded", lambda w: (
        "/admin/mail", {"items": [w.second_item], "act": "discard"})),
    ("admin.retry_outgoing", "outgoing.retried", lambda w: ("/admin/mail/out/retry-failed", {})),
    ("admin.try_outgoing", "outgoing.tried", lambda w: (w.paused(), {})),
    ("admin.settle_outgoing", "outgoing.retried", lambda w: (f"/admin/mail/out/{w.failed()}/retry", {})),
    ("admin.settle_job", "job.retried", lambda w: (f"/admin/jobs/{w.failed_job()}/retry", {})),
    ("admin.retry_failed", "job.retried", lambda w: ("/admin/jobs/retry-failed?name=orders.refresh", {})),
    ("admin.switch_plugin", "plugin.switched_off", lambda w: ("/admin/plugins/email/off", {})),
    ("admin.switch_plugin", "plugin.switched_on", lambda w: ("/admin/plugins/email/on", {})),
    ("desk.mail_arrives", "user.address_works", lambda w: (f"/desk/people/{w.customer}/mail-arrives", {})),
    ("desk.wants_care", "user.care_wanted", lambda w: (f"/desk/people/{w.customer}/wants-care", {})),
    ("desk.make_token", "token.made", lambda w: (
        "/desk/me/tokens", {"name": "A", "scopes": ["ticket.read"], "expires": "30"})),
    ("email.add_mailbox", "email.mailbox_added", lambda w: ("/p/email/mailboxes/new", _BOX)),
    ("email.add_mailbox", "email.mailbox_added", lambda w: ("/p/email/mailboxes/new", _FETCHED)),
    ("email.new_secret", "email.mailbox_secret_made", lambda w: ("/p/email/mailboxes/1/secret", {})),
    ("email.switch_mailbox", "email.mailbox_paused", lambda w: ("/p/email/mailboxes/1/pause", {})),
    ("email.save_mailbox", "email.mailbox_changed", lambda w: ("/p/email/mailboxes/1", {**_BOX, "sender_name": "S"})),
    ("email.fetch_mailbox", "email.mailbox_asked", lambda w: ("/p/email/mailboxes/2/fetch", {})),
    ("email.take_mailbox", "email.mailbox_begun_anew", lambda w: ("/p/email/mailboxes/2/take", {"there": "take"})),
    ("email.delete_mailbox", "email.mailbox_deleted", lambda w: ("/p/email/mailboxes/1/delete", {})),
    ("email.block", "email.sender_blocked", lambda w: (f"/p/email/tickets/{w.ticket}/block", {})),
    ("email.add_rule", "email.rule_added", lambda w: ("/p/email/rules/new", _RULE)),
    ("email.save_rule", "email.rule_changed", lambda w: ("/p/email/rules/1", {**_RULE, "pattern": "y"})),
    ("email.switch_rule", "email.rule_changed", lambda w: ("/p/email/rules/1/off", {})),
    ("email.add_rule", "email.rule_added", lambda w: ("/p/email/rules/new", {**_RULE, "pattern": "z"})),
    ("email.order_rule", "email.rule_moved", lambda w: ("/p/email/rules/2/up", {})),
    ("email.delete_rule", "email.rule_deleted", lambda w: ("/p/email/rules/1/delete", {})),
    ("email.add_server", "email.server_added", lambda w: ("/p/email/servers/new", _SERVER)),
    ("email.save_server", "email.server_changed", lambda w: ("/p/email/servers/1", {**_SERVER, "name": "Third"})),
    ("email.switch_server", "email.server_paused", lambda w: ("/p/email/servers/1/pause", {})),
    ("email.add_server", "email.server_added", lambda w: ("/p/email/servers/new", {**_SERVER, "name": "Second"})),
    ("email.order_server", "email.server_moved", lambda w: ("/p/email/servers/2/up", {})),
    ("email.delete_server", "email.server_deleted", lambda w: ("/p/email/servers/1/delete", {})),
    ("callbacks.add_rule", "callbacks.rule_added", lambda w: ("/p/callbacks/rules/new", _FOLLOW_UP)),
    ("callbacks.save_rule", "callbacks.rule_changed", lambda w: ("/p/callbacks/rules/1", {**_FOLLOW_UP, "days": "4"})),
    ("callbacks.switch_rule", "callbacks.rule_changed", lambda w: ("/p/callbacks/rules/1/on", {})),
    ("callbacks.delete_rule", "callbacks.rule_deleted", lambda w: ("/p/callbacks/rules/1/delete", {})),
    ("callbacks.add_reason", "callbacks.reason_added", lambda w: ("/p/callbacks/reasons", {"name": "Delivery"})),
    ("callbacks.save_reason", "callbacks.reason_changed", lambda w: ("/p/callbacks/reasons/1", {"name": "Parcel"})),
    ("callbacks.order_reason", "callbacks.reason_moved", lambda w: ("/p/callbacks/reasons/1/up", {})),
    ("callbacks.save_capacity", "callbacks.capacity_changed", lambda w: (
        f"/p/callbacks/teams/{w.team}/capacity", {"most": "3"})),
    ("callbacks.renew_feed", "callbacks.feed_made", lambda w: ("/p/callbacks/feed", {})),
    ("callbacks.stop_feed", "callbacks.feed_stopped", lambda w: ("/p/callbacks/feed/stop", {})),
    ("surveys.add_survey", "surveys.survey_added", lambda w: ("/p/surveys/surveys/new", _SURVEY)),
    ("surveys.save_survey", "surveys.survey_changed", lambda w: ("/p/surveys/surveys/1", {**_SURVEY, "name": "B"})),
    ("surveys.save_words", "surveys.texts_changed", lambda w: (
        "/p/surveys/surveys/1/words", {"locale": "en", "question": "All well?"})),
    ("surveys.save_words", "surveys.version_published", lambda w: (
        "/p/surveys/surveys/1/words", {"locale": "en", "question": "All well?", "publish": "1"})),
    ("surveys.switch_survey", "surveys.survey_switched", lambda w: ("/p/surveys/surveys/1/on", {})),
    ("surveys.renew_link", "surveys.link_renewed", lambda w: ("/p/surveys/surveys/1/link", {})),
    ("surveys.ask_by_hand", "surveys.asked_by_hand", lambda w: (f"/p/surveys/tickets/{w.ticket}/ask", {"survey": "1"})),
    ("training.add_course", "training.course_added", lambda w: ("/p/training/manage/courses/new", _COURSE)),
    ("training.save_course", "training.course_changed", lambda w: ("/p/training/manage/courses/1/settings", _COURSE)),
    ("training.save_part", "training.content_changed", lambda w: (
        "/p/training/manage/courses/1/lessons/new", {"locale": "en", "title": "A", "text": "B"})),
    ("training.move_part", "training.content_changed", lambda w: (
        "/p/training/manage/courses/1/down", {"part": "lessons", "id": "l1"})),
    ("training.publish_course", "training.version_published", lambda w: (
        "/p/training/manage/courses/1/publish", {})),
    ("training.add_files", "training.file_added", lambda w: (
        "/p/training/manage/courses/1/files", {"files": (io.BytesIO(b"a"), "a.txt")})),
    ("training.drop_file", "training.file_removed", lambda w: (
        "/p/training/manage/courses/1/files/a.txt/drop", {})),
    ("training.add_path", "training.path_added", lambda w: (
        "/p/training/manage/paths/new", {"name": "Week", "i-0-course": "1"})),
    ("training.save_path", "training.path_changed", lambda w: (
        "/p/training/manage/paths/1", {"name": "Month", "i-0-course": "1"})),
    ("training.add_rule", "training.rule_added", lambda w: ("/p/training/manage/rules/new", _RULE_OF_TRAINING)),
    ("training.save_rule", "training.rule_changed", lambda w: ("/p/training/manage/rules/1", _RULE_OF_TRAINING)),
    ("training.switch_rule", "training.rule_changed", lambda w: ("/p/training/manage/rules/1/off", {})),
    ("training.delete_rule", "training.rule_deleted", lambda w: ("/p/training/manage/rules/1/delete", {})),
    ("training.assign", "training.assigned", lambda w: (
        "/p/training/assign", {"course": "1", "person": str(w.person)})),
    ("training.set_due", "training.due_changed", lambda w: (
        "/p/training/assignments/1/due", {"due": ""})),
    ("training.withdraw", "training.withdrawn", lambda w: (
        "/p/training/assignments/1/withdraw", {"why": "A"})),
    ("training.assess", "training.skill_assessed", lambda w: (
        f"/p/training/people/{w.person}/assess", {"skill": "Law", "grade": "2"})),
    ("training.retire_course", "training.course_retired", lambda w: ("/p/training/manage/courses/1/retire", {})),
    ("career.begin_ladder", "career.ladder_changed", lambda w: ("/p/career/ladder", {})),
    ("career.add_track", "career.ladder_changed", lambda w: ("/p/career/tracks", {"name": "Sales"})),
    ("career.save_track", "career.ladder_changed", lambda w: ("/p/career/tracks/2", {"name": "Selling"})),
    ("career.save_level", "career.ladder_changed", lambda w: ("/p/career/levels/1", {"name": "Beginner"})),
    ("career.save_level", "career.requirements_changed", lambda w: (
        "/p/career/levels/2", {"do": "asks", "rows": "1", "r1.criterion": "career.solved", "r1.threshold": "5"})),
    ("career.add_competence", "career.competence_changed", lambda w: ("/p/career/competences", {"name": "Brakes"})),
    ("career.save_competence", "career.competence_changed", lambda w: ("/p/career/competences/1", {"name": "Gears"})),
    ("career.add_template", "career.template_changed", lambda w: (
        "/p/career/templates/new", {"name": "A", "rows": "1", "i1.what": "words", "i1.text": "B"})),
    ("career.save_template", "career.template_changed", lambda w: ("/p/career/templates/1", {"do": "retire"})),
    ("career.add_rule", "career.rule_changed", lambda w: (
        "/p/career/rules/new/opens", {"who": "level:2", "permission": "ticket.export"})),
    ("career.save_rule", "career.rule_removed", lambda w: ("/p/career/rules/1", {"do": "remove"})),
    ("customers.add_field", "customers.field_added", lambda w: (
        "/p/customers/fields/new", {"label": "Size", "kind": "number", "subject": "person"})),
    ("customers.save_field", "customers.field_changed", lambda w: ("/p/customers/fields/1", {"label": "S"})),
    ("customers.switch_field", "customers.field_switched", lambda w: ("/p/customers/fields/1/off", {})),
    ("customers.add_segment", "customers.segment_added", lambda w: ("/p/customers/segments/new", _SEGMENT)),
    ("customers.save_segment", "customers.segment_changed", lambda w: (
        "/p/customers/segments/1", {**_SEGMENT, "name": "B"})),
    ("customers.people_file", "customers.exported", lambda w: ("/p/customers/people.csv", {})),
    ("customers.organizations_file", "customers.exported", lambda w: ("/p/customers/organizations.csv", {})),
    ("customers.set_order_state", "customers.order_changed", lambda w: (
        f"/p/customers/orders/{_order(w)}/state", {"state": "returned"})),
    ("customers.dismiss_pair", "customers.duplicate_dismissed", lambda w: (
        f"/p/customers/duplicates/{_twins(w)[0]}/dismiss", {})),
    ("customers.restore_pair", "customers.duplicate_restored", lambda w: (
        f"/p/customers/duplicates/{_twins(w, dismissed_at=now())[0]}/restore", {})),
    ("customers.merge_pair", "user.merged", lambda w: (
        "/p/customers/duplicates/{}/merge".format(*(twins := _twins(w))), {"survivor": str(twins[1])})),
    ("customers.merge_by_hand", "user.merged", lambda w: (
        "/p/customers/people/{1}/merge?other=%23{2}".format(*(twins := _twins(w))), {"survivor": str(twins[1])})),
    ("customers.undo_merge", "user.unmerged", lambda w: (f"/p/customers/merges/{_merged(w)}/undo", {})),
    ("customers.describe_import", "customers.imported", lambda w: (
        _import("draft"), {"encoding": "utf-8", "delimiter": "comma", "column-email": "0", "do": "start"})),
    ("customers.resume_import", "customers.imported", lambda w: (f"{_import('stopped')}/resume", {})),
    ("customers.cancel_import", "customers.import_cancelled", lambda w: (f"{_import('running')}/cancel", {})),
    ("customers.remove_segment", "customers.segment_removed", lambda w: ("/p/customers/segments/1/remove", {})),
    ("upsell.add_product", "upsell.product_saved", lambda w: ("/p/upsell/products/new", _PRODUCT)),
    ("upsell.save_product", "upsell.price_changed", lambda w: ("/p/upsell/products/1", {
        **_PRODUCT, "price-0-amount": "5", "price-0-currency": "EUR", "price-0-period": "once"})),
    ("upsell.add_promotion", "upsell.promotion_saved", lambda w: ("/p/upsell/promotions/new", _PROMOTION)),
    ("upsell.save_promotion", "upsell.promotion_saved", lambda w: (
        "/p/upsell/promotions/1", {**_PROMOTION, "percent": "20"})),
    ("upsell.delete_promotion", "upsell.promotion_saved", lambda w: ("/p/upsell/promotions/1/delete", {})),
    ("upsell.add_rule", "upsell.rule_saved", lambda w: ("/p/upsell/rules/new", _RECOMMENDATION)),
    ("upsell.save_rule", "upsell.rule_saved", lambda w: ("/p/upsell/rules/1", {**_RECOMMENDATION, "weight": "4"})),
    ("upsell.switch_rule", "upsell.rule_switched", lambda w: ("/p/upsell/rules/1/on", {})),
    ("upsell.delete_rule", "upsell.rule_deleted", lambda w: ("/p/upsell/rules/1/delete", {})),
    ("multilingual.add_term", "multilingual.term_added", lambda w: ("/p/multilingual/glossary", _TERM)),
    ("multilingual.save_term", "multilingual.term_changed", lambda w: (
        "/p/multilingual/glossary/1", {**_TERM, "note": "A bicycle"})),
    ("multilingual.import_glossary", "multilingual.glossary_imported", lambda w: (
        "/p/multilingual/glossary/import", _file("source,target,term,translation,keep,note\n,,Alba 9,,1,\n"))),
    ("multilingual.delete_term", "multilingual.term_deleted", lambda w: ("/p/multilingual/glossary/1/delete", {})),
    ("multilingual.import_memory", "multilingual.memory_imported", lambda w: (
        "/p/multilingual/memory/import", _file("source,target,text,translation\nen,es,Brake,Freno\n"))),
    ("multilingual.save_pair", "multilingual.pair_changed", lambda w: (
        "/p/multilingual/memory/1", {"translation": "El freno"})),
    ("multilingual.forget_pair", "multilingual.pair_forgotten", lambda w: ("/p/multilingual/memory/1/delete", {})),
    ("multilingual.save_order", "multilingual.order_saved", lambda w: (
        "/p/multilingual/engines/order", {"source": "en", "target": "es", "engine": "memory"})),
    ("multilingual.forget_order", "multilingual.order_dropped", lambda w: (
        "/p/multilingual/engines/order/forget", {"source": "en", "target": "es"})),
    ("multilingual.save_person", "multilingual.agent_languages_changed", lambda w: (
        f"/p/multilingual/people/{w.person}", {"language": "es", "level": "good"})),
    ("multilingual.save_text", "multilingual.text_saved", lambda w: ("/p/multilingual/texts", {
        "kind": "label", "key": f"team:{w.team}", "locale": "es", "text": "Taller"})),
]  # fmt: skip
# Where more has to be there than fits here: the file whose tests see the act.
_SEEN_IN = {
    "admin.hand_over": ("tests/core/test_handover.py", "user.handed_over"),
    "admin.reset_second_factor": ("tests/web/test_second_factor.py", "user.second_factor_reset"),
    "admin.verify_backup": ("tests/web/test_admin_work.py", "backup.tried"),
    "admin.clear_quarantine": ("tests/web/test_admin_work.py", "queue.cleared"),
    "admin.discard_fact": ("tests/web/test_admin_facts.py", "fact.discarded"),
    "admin.replay_fact": ("tests/cli/test_work.py", "fact.replayed"),
    "admin.install_plugin": ("tests/cli/test_plugin_life.py", "plugin.installed"),
    "admin.uninstall_plugin": ("tests/cli/test_plugin_life.py", "plugin.uninstalled"),
    "admin.purge_plugin": ("tests/web/test_admin_plugins.py", "plugin.purged"),
    "admin.release": ("tests/web/test_admin_work.py", "desk.released"),
    "admin.restart": ("tests/web/test_admin_plugins.py", "desk.restarted"),
    "desk.revoke_token": ("tests/web/test_api.py", "token."),
    "training.allow_attempt": ("plugins/helpdesk-training/tests/test_team_pages.py", "training.attempt_allowed"),
    "training.decide_outside": ("plugins/helpdesk-training/tests/test_team_pages.py", "training.outside_decided"),
    "training.import_course": ("plugins/helpdesk-training/tests/test_team_pages.py", "training.course_added"),
    "training.revoke": ("plugins/helpdesk-training/tests/test_team_pages.py", "training.certificate_revoked"),
}
# What is no act of the administration, and why.
_NONE = {
    "admin.preview_theme": "the reader alone sees it",
    "admin.stop_preview": "the reader alone saw it",
    "admin.upload_plugin": "it is put aside to be looked at; installing it is the act",
    "desk.save_me": "the reader's own name, language and signature",
    **dict.fromkeys(
        (
            "callbacks.add_call",
            "callbacks.add_call_to",
            "callbacks.cancel_call",
            "callbacks.customer_books",
            "callbacks.customer_cancels",
            "callbacks.customer_moves",
            "callbacks.done",
            "callbacks.hand_call_over",
            "callbacks.move_call",
        ),
        "the history of the ticket says it",
    ),
    "email.test_mailbox": "it tries a connection and changes nothing",
    "email.test_server": "it tries a connection and changes nothing",
    "email.test_main_server": "it tries a connection and changes nothing",
    "multilingual.check_engine": "it asks an engine and changes nothing",
    "multilingual.try_engine": "it asks an engine and changes nothing",
    "multilingual.save_me": "the reader's own languages",
    "multilingual.read_message": "a translation for reading; the message stays as it is",
    **dict.fromkeys(
        ("multilingual.correct_language", "multilingual.prepare_answer", "multilingual.send_answer"),
        "the history of the ticket says it",
    ),
    **dict.fromkeys(("surveys.answer", "surveys.answer_public"), "a customer's answer; the list of answers has it"),
    "surveys.mark_follow_up": "the history of the ticket says it",
    **dict.fromkeys(
        (
            "training.answer_quiz",
            "training.answer_task",
            "training.begin",
            "training.begin_quiz",
            "training.enroll",
            "training.finish_lesson",
            "training.move_to_newest",
        ),
        "what the reader learns; the list of assignments has it",
    ),
    **dict.fromkeys(("training.grade_answer", "training.grade_task"), "the answer keeps who graded it, and how"),
    "training.add_outside": "a claim, which keeps who recorded it; deciding on it is the act",
    **dict.fromkeys(
        (
            "career.act_on_review",
            "career.add_goal",
            "career.assess",
            "career.begin_review",
            "career.correct_recognition",
            "career.correct_step",
            "career.decide_proposal",
            "career.end",
            "career.place",
            "career.propose",
            "career.recognize",
            "career.tell_goal",
        ),
        "the person's own history, which keeps who did it and is never overwritten",
    ),
    "surveys.turn_preview": "the reader alone sees it",
    "upsell.count_now": "what is bought together is counted anew, and nothing else is changed",
    "upsell.look": "what was shown on a ticket; the list of recommendations has it",
    **dict.fromkeys(
        ("upsell.answer_offer", "upsell.answer_suggestion", "upsell.offer_text", "upsell.send_offer"),
        "the history of the ticket says it",
    ),
    **dict.fromkeys(
        (
            "customers.add_product",
            "customers.add_product_of_organization",
            "customers.remove_product",
            "customers.save_organization",
            "customers.save_person",
        ),
        "everyday work on a record, no act of the administration",
    ),
    **dict.fromkeys(
        ("customers.add_import", "customers.discard_import", "customers.import_errors"),
        "a file that nothing was taken in from, and what could not be taken; taking it in is the act",
    ),
    "customers.note_consent": "the ledger of consents says who noted it",
    "customers.look_for_duplicates": "people are compared anew, and nothing of theirs is changed",
    "customers.order_field": "the order of fields on a page",
    "email.take_posted": "a message comes in; the list of incoming mail has it",
}
_OURS = re.compile(r"admin\.|desk\.(me|save_me|make_token|revoke_token|mail_arrives|wants_care)$")
# Forms of the desk and of customers change tickets, whose history says so; they are not the administration's.
_TICKETS = re.compile(r"(desk|portal|look|setup|auth|api)\.")


def of_administration(app: Flask) -> set[str]:
    """The endpoints of forms: the administration's own, and those of every plugin that is on."""
    found = set()
    for rule in app.url_map.iter_rules():
        if (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"} and (
            _OURS.match(rule.endpoint) or not _TICKETS.match(rule.endpoint)
        ):
            found.add(rule.endpoint)
    return found


def test_each_form_says_which_act_it_is(app: Flask) -> None:
    known = {endpoint for endpoint, _act, _form in _FORMS} | set(_SEEN_IN) | set(_NONE)
    assert of_administration(app) <= known, f"say which entry each of these leaves: {of_administration(app) - known}"
    assert known - of_administration(app) == set(), "there is no such form any more"
    assert all(act in (ROOT / file).read_text("utf-8") for file, act in _SEEN_IN.values())


def test_a_form_that_is_added_is_noticed(app: Flask) -> None:
    from helpdesk.web.admin.blueprint import admin

    app._got_first_request = False
    app.add_url_rule("/admin/new-thing", endpoint="admin.new_thing", view_func=lambda: "", methods=["POST"])
    assert admin.name == "admin"
    with pytest.raises(AssertionError, match="say which entry"):
        test_each_form_says_which_act_it_is(app)


@pytest.fixture
def world(app: Flask, make_user: Any, make_team: Any, make_ticket: Any) -> World:
    """One of each thing that a form is about."""
    customer, service = make_user(), service_accounts.create("Shop", "agent", [], None)
    ticket = make_ticket(requester=customer, notice=True, channel="email")
    delivery = db.session.scalars(db.select(Delivery)).one()
    item, second_item = intake.store("post", b"raw"), intake.store("post", b"another")
    with transaction():
        fields = [TicketField(key=key, label=key, kind="text", position=place) for place, key in enumerate("ab")]
        organization = Organization(name="Shop")
        hours = BusinessHours(name="Shop", week={"0": [["09:00", "17:00"]]})
        db.session.add_all([*fields, organization, hours])
        generation.bump()
        customer.bounced_at, customer.care_mail = delivery.created_at, False
        item.state = second_item.state = "quarantined"
    schedules.sync()

    def failed() -> int:
        with transaction():
            delivery.state = "failed"
            db.session.get(Job, delivery.job_id).state = "failed"
        return int(delivery.id)

    def paused() -> str:
        with transaction():
            delivery.state, delivery.next_at = "waiting", now() + timedelta(hours=1)
            job = db.session.get(Job, delivery.job_id)
            job.state, job.run_at = "waiting", delivery.next_at
        return "/admin/mail/out/try-waiting"

    failed()
    made = api_tokens.make(service, "Old", ["ticket.read"], None, None, never=True)
    mia = make_user("agent", name="Mia")
    mias = api_tokens.make(mia, "Old", ["ticket.read"], None, None, never=True)

    def failed_job() -> int:
        number = ledger.schedule("orders.refresh").id
        with transaction():
            db.session.get(Job, number).state = "failed"
            db.session.get(Job, ledger.schedule("orders.refresh", shop=2).id).state = "failed"
        return int(number)

    def second_status() -> int:
        return int(db.session.scalar(db.select(Status.id).where(Status.category == "open").order_by(Status.id.desc())))

    return World(
        field=fields[0].id,
        organization=organization.id,
        hours=hours.id,
        type=[ticket_types.add_type(name, None).id for name in ("Return", "Question")][0],
        topic=[topics.add_topic(name, None, None).id for name in ("Brakes", "Wheels")][0],
        service=service.id,
        token=made.row.id,
        status=db.session.scalar(db.select(Status.id).where(Status.category == "new")),
        second_status=second_status,
        team=make_team().id,
        person=mia.id,
        persons_token=mias.row.id,
        customer=customer.id,
        item=item.id,
        failed=failed,
        paused=paused,
        second_item=second_item.id,
        ticket=ticket.id,
        failed_job=failed_job,
        text=digest_of((None, "Sign in")),
        catalog=b'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Search"\nmsgstr "Finden"\n',
    )


@pytest.mark.slow
def test_each_form_leaves_its_entry(world: World, as_admin: Any) -> None:
    silent = []
    for endpoint, act, form in _FORMS:
        before = db.session.scalar(db.select(db.func.max(AuditEntry.id))) or 0
        path, values = form(world)
        answer = as_admin.post(path, data=values)
        query = db.select(AuditEntry).where(AuditEntry.id > before, AuditEntry.action == act)
        entries = db.session.scalars(query).all()
        if [(entry.actor_id, entry.address) for entry in entries] != [(as_admin.user.id, "127.0.0.1")]:
            silent.append((endpoint, answer.status_code, len(entries)))
        assert all(entry.salt and entry.digest for entry in entries)
    assert silent == [], str(silent)
