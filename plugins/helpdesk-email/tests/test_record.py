"""The record says in words what is done with mailboxes, servers and rules."""

import re
from pathlib import Path
from typing import Any

import helpdesk_email
from helpdesk_email.rooms import register_acts

from helpdesk.api import Delivery, db, transaction


def test_every_act_of_the_plugin_has_words() -> None:
    """By register_acts."""
    sources = [path.read_text("utf-8") for path in Path(helpdesk_email.__file__).parent.glob("*.py")]
    calls = [call for source in sources for call in re.findall(r"(?:audit|_note)\((.*?),", source)]
    codes = {code for call in calls for code in re.findall(r'"(email\.[a-z_]+)"', call)}
    assert len(codes) > 15
    assert codes == {act.name for act in register_acts()}


def test_the_record_shows_them(as_admin: Any) -> None:
    data = {"part": "subject", "how": "contains", "act": "hold", "pattern": "casino"}
    assert as_admin.post("/p/email/rules/new", data=data).status_code == 303
    page = as_admin.get("/admin/audit?action=email.rule_added").text
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    assert "Mail rule added" in body and "<code>email.rule_added" not in body


def test_what_goes_out_is_named_in_words(as_admin: Any) -> None:
    with transaction():
        for kind in ("agent", "care"):
            db.session.add(Delivery(channel="email", kind=kind, address="a@b.example", identity=f"{kind}@b.example"))
    page = as_admin.get("/admin/mail/out").text
    assert "<td>Word to an agent</td>" in page and "<td>Care mail</td>" in page
    assert "<td>agent</td>" not in page and "<td>care</td>" not in page
