"""The record in words, jobs and messages that are repaired, plugins that fail: what the owner reads and presses."""

import re
from typing import Any

import pytest

from helpdesk.api import Act
from helpdesk.core import plugin_states, settings
from helpdesk.core.clock import now
from helpdesk.core.deliveries import JOB
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import AuditEntry, Delivery, Job, PluginState
from helpdesk.core.settings import DeskSettings
from helpdesk.core.transaction import transaction
from helpdesk.plugins import manager
from helpdesk.web.admin.acts import NAMES

pytestmark = pytest.mark.plugins("email")


def table(page: str) -> str:
    return page[page.index("<tbody>") : page.index("</tbody>")] if "<tbody>" in page else ""


def test_a_change_of_settings_names_those_that_changed(as_admin: Any) -> None:
    as_admin.post("/admin/settings/desk", data={"name": "Larkwheel", "brand_color": "#a33b1f", "time_zone": "UTC"})
    page = table(as_admin.get("/admin/audit?action=settings.changed").text)
    assert "Settings changed" in page and "Desk: Name of your desk and Your colour" in page
    entry = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "settings.changed")).one()
    assert entry.data == {"name": "Larkwheel", "brand_color": "#a33b1f"}


def test_the_record_is_narrowed_down(as_admin: Any, make_user: Any) -> None:
    other = make_user("agent", name="Mia", email="mia@desk.example")
    as_admin.post(f"/admin/people/{other.id}", data={"name": "Mia", "role": "supervisor", "active": "1"})
    me = as_admin.user
    assert "Role changed" in table(as_admin.get("/admin/audit?text=MIA@").text)
    assert "Role changed" not in table(as_admin.get("/admin/audit?text=jonas").text)
    assert "Role changed" not in table(as_admin.get("/admin/audit?text=%25").text)
    assert "Role changed" in table(as_admin.get(f"/admin/audit?actor={me.id}").text)
    assert "Role changed" not in table(as_admin.get(f"/admin/audit?actor={other.id}").text)
    for odd in ("actor=x", "actor=99999999999999999999", "actor=-1", "action=%00", "after=x'--"):
        assert as_admin.get(f"/admin/audit?{odd}").status_code == 200, odd


def test_every_act_that_the_core_records_has_words() -> None:
    from pathlib import Path

    import helpdesk

    root = Path(helpdesk.__file__).parent
    sources = [path.read_text("utf-8") for folder in ("core", "web", "cli") for path in (root / folder).rglob("*.py")]
    calls = [call for source in sources for call in re.findall(r"\brecord\((.*?),", source, re.DOTALL)]
    codes = {code for call in calls for code in re.findall(r'"([a-z_]+\.[a-z_]+)"', call)}
    # A restore writes its entry as a row, before the desk runs on the new data.
    codes |= {code for source in sources for code in re.findall(r'"action": "([a-z_]+\.[a-z_]+)"', source)}
    assert len(codes) > 20
    assert codes == set(NAMES)


def test_an_act_of_a_plugin_has_the_name_that_it_gives(as_admin: Any, plug: Any) -> None:
    """By register_acts."""
    with transaction():
        db.session.add(AuditEntry(action="polls.sent", subject="all"))
    assert "<code>polls.sent</code>" in as_admin.get("/admin/audit").text
    plug("polls", register_acts=lambda: [Act("polls.sent", "Survey <sent>")])
    page = as_admin.get("/admin/audit?action=polls.sent").text
    assert "Survey &lt;sent&gt;" in table(page) and "polls.sent" not in table(page)
    assert '<option value="polls.sent" selected>Survey &lt;sent&gt;</option>' in page
    # What was done stays readable when its plugin is off; it is nothing to look for then.
    plugin_states.switch("polls", False, as_admin.user)
    page = as_admin.get("/admin/audit").text
    assert "Survey &lt;sent&gt;" in table(page) and '<option value="polls.sent"' not in page


def test_an_act_has_a_name_of_its_plugins_own(app: Any, plug: Any) -> None:
    assert "begin it with “polls.”" in plug("polls", register_acts=lambda: [Act("user.changed", "Sly")]).error


def test_an_act_without_a_name_is_shown_by_its_code(as_admin: Any) -> None:
    with transaction():
        db.session.add(AuditEntry(action="polls.sent<b>", subject="<b>all</b>", data={"<i>": "<script>"}))
    page = as_admin.get("/admin/audit").text
    assert "polls.sent&lt;b&gt;" in page and "<b>all" not in page and "<script>" not in table(page)


@pytest.fixture
def given_up(make_ticket: Any) -> tuple[Delivery, Job]:
    """A message that could not be sent, and the job that gave up."""
    make_ticket(notice=True)
    delivery = db.session.scalars(db.select(Delivery)).one()
    job = db.session.scalars(db.select(Job).where(Job.name == "core.deliver")).one()
    with transaction():
        delivery.state, delivery.error, job.state, job.error = "failed", "550 no", "failed", "550 no"
    return delivery, job


@pytest.mark.db
@pytest.mark.parametrize("door", ["mail/out", "jobs"])
def test_a_message_given_up_is_really_sent_again(
    as_admin: Any, given_up: tuple[Delivery, Job], mailbox: Any, run_jobs: Any, door: str
) -> None:
    delivery, job = given_up
    number = delivery.id if door == "mail/out" else job.id
    assert as_admin.post(f"/admin/{door}/{number}/retry").status_code == 303
    run_jobs()
    db.session.expire_all()
    assert delivery.state == "sent" and len(mailbox.to(delivery.address)) == 1
    assert "1 needs attention" not in as_admin.get("/admin/").text
    as_admin.post(f"/admin/{door}/{number}/retry")
    run_jobs()
    assert len(mailbox.to(delivery.address)) == 1, "what is sent is not sent again"


def test_the_desks_own_jobs_are_not_cancelled(as_admin: Any, make_ticket: Any) -> None:
    make_ticket(notice=True)
    own = db.session.scalars(db.select(Job).where(Job.name == JOB)).one()
    other = ledger.schedule("orders.refresh", shop="<b>")
    page = table(as_admin.get("/admin/jobs").text)
    assert f"/admin/jobs/{other.id}/cancel" in page and f"/admin/jobs/{own.id}/cancel" not in page
    assert "Send a message" in page and "orders.refresh" in page and "<b>" not in page
    as_admin.post(f"/admin/jobs/{own.id}/cancel")
    db.session.expire_all()
    assert own.state == "waiting"


def test_a_plugin_that_fails_says_so_on_its_card(as_admin: Any, plug: Any) -> None:
    def nav_items(user: Any) -> list[Any]:
        raise RuntimeError("no menu today")

    plug("orders", nav_items=nav_items)
    with transaction():
        db.session.add(PluginState(name="orders", error="TimeoutError: <b>shop</b>", failed_at=now()))
    as_admin.get("/admin/")
    # As the keeper of each process does from time to time.
    plugin_states.add_health(manager.current().counts())
    page = as_admin.get("/admin/plugins?show=attention").text
    card = page[page.index('id="plugin-orders"') :].split("</article>")[0]
    assert "1 error<" in card and "TimeoutError: &lt;b&gt;shop" in card and "Entry in the menu" in card
    assert 'id="plugin-email"' not in page
    as_admin.post("/admin/plugins/orders/off")
    off = as_admin.get("/admin/plugins?show=off").text
    assert 'id="plugin-orders"' in off and 'aria-checked="false"' in off and "TimeoutError" not in off
    assert as_admin.get("/admin/plugins?show=nonsense").status_code == 200


def test_settings_show_values_defaults_and_never_secrets(as_admin: Any) -> None:
    as_admin.post("/admin/settings/email", data={"smtp_password": "canary-55", "smtp_host": "mail.shop.example"})
    page = as_admin.get("/admin/settings").text
    assert "mail.shop.example" in page and "canary-55" not in page and "saved, and not shown" in page
    assert "Default: 587." in as_admin.get("/admin/settings/email").text
    assert "Default: Help desk." in as_admin.get("/admin/settings/desk").text


def test_only_a_theme_that_is_there_is_taken(as_admin: Any) -> None:
    page = as_admin.post("/admin/settings/desk", data={"name": "Kept", "theme": "../../etc"})
    assert page.status_code == 422 and "Kept" in page.text
    assert as_admin.post("/admin/settings/desk", data={"name": "Kept", "theme": "ember"}).status_code == 303
    assert settings.get(DeskSettings).theme == "ember"
