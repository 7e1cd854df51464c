"""What is decided about a mail before it is threaded."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from helpdesk_email import accepting, hours
from helpdesk_email.models import Mailbox
from helpdesk_email.settings import AnswerSettings, EmailSettings, IncomingSettings

from helpdesk.api import DeskSettings, IntakeDraft, db, transaction


@pytest.fixture
def workshop(app: Any, configure: Any, make_team: Any) -> Mailbox:
    """A mailbox beside the address of the settings."""
    configure(EmailSettings, address="help@desk.example")
    team = make_team()
    with transaction():
        box = Mailbox(address="workshop@desk.example", team_id=team.id, locale="zh_Hans")
        db.session.add(box)
    return box


@pytest.mark.parametrize(
    ("account", "headers", "verified"),
    [
        ("workshop@desk.example", {}, True),
        ("help@desk.example", {}, None),
        # A mail cannot choose a mailbox whose word counts.
        ("", {"to": ["workshop@desk.example"]}, None),
    ],
)
def test_a_mailbox_believes_servers_of_its_own(
    workshop: Mailbox, account: str, headers: dict[str, list[str]], verified: bool | None
) -> None:
    with transaction():
        workshop.trusted_hosts = "mx.other.example, MX.provider.example"
    results = {"authentication-results": ["mx.provider.example; dmarc=pass header.from=customer.example"]}
    assert decide(account=account, headers={**headers, **results}).verified is verified


def test_a_mailbox_at_exchange_believes_its_headers(workshop: Mailbox) -> None:
    headers = {"x-ms-exchange-organization-authas": ["Internal"]}
    mia = {"sender_address": "mia@desk.example", "account": "workshop@desk.example", "headers": headers}
    assert decide(**mia).verified is None
    with transaction():
        workshop.exchange = True
    assert decide(**mia).verified is True
    assert decide(**{**mia, "account": ""}).verified is None


def decide(**values: Any) -> IntakeDraft:
    intake = IntakeDraft("email", **{"sender_address": "anna@customer.example", **values})
    accepting.before_message_accepted(intake)
    return intake


@pytest.mark.parametrize(
    ("headers", "account"),
    [
        ({"to": ["Workshop <WORKSHOP@desk.example>"]}, "workshop@desk.example"),
        ({"to": ["workshop+abc@desk.example"]}, "workshop@desk.example"),
        ({"to": ["x@elsewhere.example, help@desk.example"], "cc": ["workshop@desk.example"]}, "help@desk.example"),
        (
            {"to": ["help@desk.example"], "delivered-to": ["workshop@desk.example"]},
            "workshop@desk.example",
        ),
        ({"to": ["undisclosed-recipients:;"]}, ""),
        ({}, ""),
    ],
)
def test_a_mail_belongs_to_the_address_that_it_was_sent_to(
    workshop: Mailbox, headers: dict[str, list[str]], account: str
) -> None:
    intake = decide(headers=headers)
    assert intake.account == account
    belongs = account == workshop.address
    assert (intake.team_id, intake.locale) == ((workshop.team_id, "zh_Hans") if belongs else (None, None))


def test_what_the_transport_and_the_mail_say_goes_first(workshop: Mailbox) -> None:
    intake = decide(account="help@desk.example", headers={"to": ["workshop@desk.example"]})
    assert (intake.account, intake.team_id) == ("help@desk.example", None)
    assert decide(account="workshop@desk.example", locale="de").locale == "de"
    other = IntakeDraft("phone", "anna@customer.example", headers={"to": ["workshop@desk.example"]})
    accepting.before_message_accepted(other)
    assert (other.account, other.notice, other.verified) == ("", False, None)


def test_many_recipients_cost_no_query_each(workshop: Mailbox, count_queries: Any) -> None:
    decide()
    crowd = ", ".join(f"p{number}@customer.example" for number in range(300))
    with count_queries() as statements:
        intake = decide(headers={"to": [crowd], "cc": ["workshop@desk.example"]})
    assert intake.account == "workshop@desk.example" and len(statements) <= 5, statements


def test_our_own_addresses_are_no_copies(workshop: Mailbox) -> None:
    copies = [("Help@desk.example", ""), ("workshop+tag@desk.example", ""), ("carl@customer.example", "Carl")]
    assert decide(copies=copies).copies == [("carl@customer.example", "Carl")]


def test_an_address_of_the_desk_that_nobody_has_told_of_follows_nothing(app: Any) -> None:
    headers = {"to": ["info@desk.example"], "cc": ["carl@customer.example"]}
    copies = [("info@desk.example", ""), ("carl@customer.example", "Carl")]
    assert decide(headers=headers, copies=copies).copies == [("carl@customer.example", "Carl")]


def test_a_switch_lets_agents_answer_by_mail(app: Any, configure: Any) -> None:
    assert decide().staff_may_answer
    configure(IncomingSettings, staff_by_mail=False)
    assert not decide().staff_may_answer


@pytest.mark.parametrize(("said", "proved"), [("pass", True), ("fail", False), ("none", None)])
def test_a_trusted_server_proves_or_disproves(app: Any, configure: Any, said: str, proved: bool | None) -> None:
    headers = {
        "from": ["anna@customer.example"],
        "authentication-results": [f"mx.desk.example; dmarc={said} header.from=customer.example"],
    }
    assert decide(headers=headers).verified is None
    configure(IncomingSettings, trusted_hosts="mx.desk.example")
    assert decide(headers=headers).verified is proved


# ---- the notice


def test_a_notice_is_sent_unless_it_is_switched_off(app: Any, configure: Any) -> None:
    assert (decide().notice, decide().notice_text) == (True, "")
    configure(AnswerSettings, received_notice=False)
    assert decide().notice is False


def test_out_of_hours_it_says_when_somebody_is_there(app: Any, configure: Any, travel: Any, make_user: Any) -> None:
    configure(DeskSettings, time_zone="Europe/Berlin")
    configure(AnswerSettings, received_notice=False, out_of_hours_notice=True)
    travel(to=datetime(2026, 3, 6, 14, 0, tzinfo=UTC))
    assert decide().notice is False
    # The clock goes forward on the 29th of March 2026.
    travel(to=datetime(2026, 3, 27, 18, 0, tzinfo=UTC))
    intake = decide()
    assert intake.notice is True
    assert "Monday, March 30, 2026, 9:00\u202fAM" in intake.notice_text
    make_user(email="wei@customer.example", locale="zh_Hans")
    assert "2026年3月30日" in decide(sender_address="Wei@customer.example").notice_text.replace(" ", "")


@pytest.mark.parametrize(
    ("moment", "answers", "is_open", "opens"),
    [
        ("2026-03-02 08:59", {}, False, "2026-03-02 09:00"),
        ("2026-03-02 09:00", {}, True, "2026-03-03 09:00"),
        ("2026-03-02 17:00", {}, False, "2026-03-03 09:00"),
        ("2026-03-07 12:00", {}, False, "2026-03-09 09:00"),
        ("2026-03-07 12:00", {"open_days": "1-6"}, True, "2026-03-09 09:00"),
        ("2026-03-08 12:00", {"open_days": "1-7"}, True, "2026-03-09 09:00"),
        # Over midnight: the night from Friday to Saturday is Friday's.
        ("2026-03-06 23:00", {"opens": "22:00", "closes": "06:00"}, True, "2026-03-09 22:00"),
        ("2026-03-07 05:59", {"opens": "22:00", "closes": "06:00"}, True, "2026-03-09 22:00"),
        ("2026-03-07 06:00", {"opens": "22:00", "closes": "06:00"}, False, "2026-03-09 22:00"),
        ("2026-03-02 05:00", {"opens": "22:00", "closes": "06:00"}, False, "2026-03-02 22:00"),
        # The same twice: it never closes.
        ("2026-03-02 03:00", {"opens": "09:00", "closes": "09:00", "open_days": "1-7"}, True, "2026-03-02 09:00"),
        # Spans of a weekday: the 2nd of March 2026 is a Monday.
        ("2026-03-02 12:30", {"monday": "09:00-12:00, 13:00 - 17:00"}, False, "2026-03-02 13:00"),
        ("2026-03-02 11:59", {"monday": "10-12, 13:00-17"}, True, "2026-03-02 13:00"),
        ("2026-03-02 08:00", {"opens": "8:00"}, True, "2026-03-03 08:00"),
        ("2026-03-02 23:59", {"monday": "9-24"}, True, "2026-03-03 09:00"),
        ("2026-03-02 11:59", {"monday": "09:00-12:00,13:00-17:00"}, True, "2026-03-02 13:00"),
        ("2026-03-07 12:00", {"saturday": "10:00-14:00"}, True, "2026-03-09 09:00"),
        ("2026-03-07 12:00", {"saturday": "10:00-24:00", "sunday": "00:00-06:00"}, True, "2026-03-08 00:00"),
        ("2026-03-02 12:00", {"monday": "-", "tuesday": "-"}, False, "2026-03-04 09:00"),
        ("2026-03-03 01:00", {"monday": "20:00-02:00"}, True, "2026-03-03 09:00"),
        # Holidays, every year and once.
        ("2026-03-02 12:00", {"holidays": "03-02 Carnival\r\n2026-03-03"}, False, "2026-03-04 09:00"),
        ("2026-03-02 12:00", {"holidays": "2027-03-02"}, True, "2026-03-03 09:00"),
        ("2026-03-03 01:00", {"monday": "20:00-02:00", "holidays": "03-02"}, False, "2026-03-03 09:00"),
    ],
)
def test_hours(moment: str, answers: dict[str, str], is_open: bool, opens: str) -> None:
    at, answer = datetime.fromisoformat(f"{moment}+00:00"), AnswerSettings(**answers)
    assert hours.is_open(at, answer, "UTC") is is_open
    assert f"{hours.next_opening(at, answer, 'UTC'):%Y-%m-%d %H:%M}" == opens


def test_a_desk_that_never_opens_says_no_day(app: Any, configure: Any) -> None:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    configure(AnswerSettings, out_of_hours_notice=True, **dict.fromkeys(days, "-"))
    assert decide().notice_text == "We are closed now. Somebody reads your message when we are back."


@pytest.mark.parametrize(
    ("name", "value", "good"),
    [
        ("monday", "09:00-12:00, 13:00-17:00", True),
        ("monday", "22:00-24:00", True),
        ("monday", "-", True),
        ("monday", "", True),
        ("monday", "9-17", True),
        ("monday", "8:00 - 12, 13-24", True),
        ("opens", "8:00", True),
        ("closes", "25", False),
        ("monday", "9.00-17.00", False),
        ("monday", "9:5-17", False),
        ("monday", "09:00-12:00;13:00-17:00", False),
        ("monday", "closed", False),
        ("holidays", "12-25 Christmas\r\n\r\n2027-03-26", True),
        ("holidays", "25.12.", False),
        ("holidays", "12-25\nChristmas", False),
        ("holidays", "13-01", False),
    ],
)
def test_hours_are_checked_where_they_are_typed(as_admin: Any, name: str, value: str, good: bool) -> None:
    data = {"received_notice": "1", "opens": "09:00", "closes": "17:00", "open_days": "1-5", name: value}
    assert as_admin.post("/admin/settings/email_answers", data=data).status_code == (303 if good else 422)


def test_hours_that_cannot_be_read_are_answered_with_an_example(as_admin: Any) -> None:
    data = {"received_notice": "1", "opens": "nine", "closes": "17:00", "open_days": "1-5", "friday": "till noon"}
    page = as_admin.post("/admin/settings/email_answers", data=data).text
    errors = re.findall(r"This does not have the right form: ([^<]*)", page)
    assert len(errors) == 2 and "for example 09:00" in errors[0] and "for example 09:00-12:00" in errors[1]
