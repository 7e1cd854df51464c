"""B3 and the flow on several machines: many at once on one database, without a lost update and without an error."""

import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

from helpdesk.testing.mailbox import Mailbox
from helpdesk.testing.served import wait_for
from tests.faults import figures
from tests.faults.conftest import PLUGINS
from tests.faults.desk import PATIENCE, Desk
from tests.faults.form import amount
from tests.faults.served import ADMIN, Served, add_admin
from tests.faults.visitors import Visitor
from tests.faults.workers import Workers


def test_b3_no_update_is_lost(desk: Desk, engine: str) -> None:
    processes, times = amount(3, 8), amount(100, 250)
    desk.be_patient()
    with ThreadPoolExecutor(processes) as pool:
        said = list(pool.map(lambda _number: desk.try_to("effects", "count", str(times)), range(processes)))
    value = desk.value("SELECT value FROM effects_counter")
    lost = processes * times - value
    figures.keep("B3", engine, processes=processes, updates=processes * times, lost=lost)
    assert [one.err for one in said if one.status] == []
    assert lost == 0


def test_b3_nobody_meets_a_lock(desk: Desk, engine: str) -> None:
    clients, each, jobs = amount(10, 50), amount(3, 20), amount(50, 1000)
    add_admin(desk)
    desk.add_plugin(PLUGINS / "calm.py")
    desk.be_patient()
    web = Served(desk, "web")
    Workers(desk, 2).wait_until_they_beat()
    desk.run("effects", "ask", str(jobs), "0")

    def visit(client: int) -> list[int]:
        visitor = Visitor(web.port)
        subjects = [f"{client}-{number}" for number in range(each)]
        return [visitor.open_ticket(subject).status for subject in subjects]

    with ThreadPoolExecutor(clients) as pool:
        statuses = Counter(status for found in pool.map(visit, range(clients)) for status in found)
    wait_for(lambda: desk.open_work() == 0, PATIENCE * 3)
    locked = len(re.findall("is locked|deadlock detected", desk.said()))
    failed = desk.rows("SELECT name, error FROM job WHERE state = 'failed'")
    written = desk.value("SELECT count(*) FROM ticket")
    figures.keep(
        "B3", f"{engine}, HTTP and workers", clients=clients, tickets=written, jobs=jobs, errors_for_a_lock=locked
    )
    assert statuses == {303: clients * each}
    assert written == clients * each
    assert (locked, failed) == (0, [])


# The mailbox comes first, and so ends last: workers may still send.
def test_two_webs_and_two_workers_pass_the_flow(mailbox: Mailbox, several: Desk) -> None:
    """A customer asks at one web process, an agent replies at the other, the mail leaves, the answer joins."""
    add_admin(several)
    several.send_at_once()
    several.add_plugin(PLUGINS / "calm.py")
    several.write(
        'INSERT INTO setting ("group", key, value) VALUES '
        "('email', 'address', '\"help@desk.example\"'), ('email', 'smtp_host', '\"127.0.0.1\"'), "
        f"('email', 'smtp_port', '{mailbox.port}'), ('email', 'smtp_security', '\"none\"')"
    )
    webs = [Served(several, "web") for _number in range(2)]
    Workers(several, 2).wait_until_they_beat()
    flows = amount(2, 20)
    agents = [Visitor(web.port) for web in webs]
    agents[0].sign_in(ADMIN)
    # The session counts at both: they share the home's key.
    agents[1].cookies = agents[0].cookies
    for number in range(flows):
        here, there = webs[number % 2], agents[1 - number % 2]
        customer = f"rita{number}@customer.example"
        assert Visitor(here.port).open_ticket(f"Bell {number}", customer).status == 303
        ticket = several.value("SELECT id FROM ticket WHERE subject = :subject", subject=f"Bell {number}")
        assert there.reply(ticket, f"We look into bell {number}.").status == 303
        reply = wait_for_mail(mailbox, customer, f"We look into bell {number}.")
        answer = EmailMessage()
        answer["From"], answer["To"], answer["Subject"] = customer, str(reply["Reply-To"]), f"Re: {reply['Subject']}"
        answer["Message-ID"], answer["In-Reply-To"] = f"<{number}@customer.example>", reply["Message-ID"]
        answer.set_content(f"Thank you, bell {number} rings.")
        received = json.loads(several.run("mail", "receive", "--json", feed=answer.as_bytes()))
        assert (received["outcome"], received["ticket"]) == ("message", ticket)
        page = agents[number % 2].get(f"/desk/tickets/{ticket}").text
        assert f"bell {number} rings" in page and f"We look into bell {number}." in page
        sent = [mail for mail in mailbox.to(customer) if f"We look into bell {number}." in text_of(mail)]
        assert len(sent) == 1
    failed = several.rows("SELECT name, error FROM job WHERE state = 'failed'")
    figures.keep("Flows", "two web, two workers, PostgreSQL with Redis", flows=flows, mails=len(mailbox.messages))
    assert failed == []


def wait_for_mail(mailbox: Mailbox, address: str, words: str) -> EmailMessage:
    """The mail to somebody that has these words."""

    def look() -> EmailMessage | None:
        return next((mail for mail in mailbox.to(address) if words in text_of(mail)), None)

    wait_for(look, PATIENCE)
    found = look()
    assert found is not None
    return found


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""
