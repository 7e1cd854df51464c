"""The doors through which text comes in: mail, forms, import on the command line, settings, mail posted by HTTP."""

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_type_hints
from unittest import mock

from click.testing import CliRunner
from flask.testing import FlaskClient
from helpdesk_email.models import Mailbox

from helpdesk.cli import main
from helpdesk.core import settings
from helpdesk.core.channels import intake
from helpdesk.core.extensions import db
from helpdesk.core.models.columns import storable
from helpdesk.core.transaction import transaction
from helpdesk.web.settings_form import shown_fields
from tests.security.hostile import Hostile

# A plugin of the home that takes in tickets, as the owner's own would.
IMPORTER = """
import json
from helpdesk.api import Importer, TicketDraft, hookimpl, open_ticket, requester_for

def read(file):
    yield from json.load(file)

def take(item):
    person = requester_for(item["email"], item["text"])
    tags = [item["text"][:50].replace(",", " ")]
    open_ticket(TicketDraft(item["text"], person.id, item["text"], tags=tags, html=item["text"]), None)
    return "created"

@hookimpl
def register_importers():
    return [Importer("letters", "Letters", read, take)]
"""
_SECRET = "not a secret"


def by_mail(strings: Sequence[Hostile]) -> int:
    """Each as name, subject, text, HTML and file name of a mail; answers how many became tickets."""
    return sum(intake.receive("email", _mail(one)).ticket_id is not None for one in strings)


def by_post(client: FlaskClient, strings: Sequence[Hostile]) -> int:
    """The same as a mail provider posts it; answers how many were kept."""
    with transaction():
        db.session.add(Mailbox(address="posted@desk.example", kind="handed", secret=_SECRET))
    headers = {"Authorization": "Basic " + base64.b64encode(f"x:{_SECRET}".encode()).decode()}
    path, kind = "/p/email/in/posted@desk.example", "message/rfc822"
    answers = [client.post(path, data=_mail(one, "posted"), content_type=kind, headers=headers) for one in strings]
    return sum(answer.status_code == 202 for answer in answers)


def by_form(client: FlaskClient, agent: FlaskClient, number: int, strings: Sequence[Hostile]) -> int:
    """Each in the form of the portal and in the rich editor of the desk; answers how many were taken."""
    taken = 0
    for place, one in enumerate(strings):
        words = dict.fromkeys(("subject", "text", "name"), storable(one.text))
        words["email"] = f"form{place}@customer.example"
        # The form slows down whoever sends many of them from one place.
        there = {"REMOTE_ADDR": f"198.51.100.{place}"}
        asked = client.post("/ask", data=words, environ_overrides=there)
        reply = {
            "mode": "reply",
            "html": storable(one.text),
            "text": storable(one.text),
            "files": (io.BytesIO(b"x"), storable(one.text)),
        }
        written = agent.post(f"/desk/tickets/{number}/messages", data=reply)
        assert asked.status_code < 500 and written.status_code < 500, one
        taken += (asked.status_code == 303) + (written.status_code in (200, 204, 303))
    return taken


def by_import(home: Path, strings: Sequence[Hostile]) -> dict[str, Any]:
    """Each by `helpdesk import`, from a plugin that trusts its source; answers what the command says."""
    items = [{"email": f"letter{place}@customer.example", "text": one.text} for place, one in enumerate(strings)]
    with mock.patch.dict("os.environ", {"HELPDESK_HOME": str(home)}):
        said = CliRunner().invoke(main, ["import", "letters", "-", "--json"], input=json.dumps(items))
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def by_settings(admin: FlaskClient, strings: Sequence[Hostile]) -> int:
    """In every text of every group of settings, those of plugins too; answers how many texts were kept."""
    kept = 0
    for group in settings.groups():
        kinds = get_type_hints(group.model)
        texts = [field for field in shown_fields(group.model) if kinds[field.name] is str]
        for place, field in enumerate(texts):
            text = storable(strings[place % len(strings)].text)
            answer = admin.post(f"/admin/settings/{group.name}", data={field.name: text})
            assert answer.status_code < 500, (group.name, field.name)
            kept += text.strip() == getattr(settings.get(group.model), field.name)
    return kept


def _mail(one: Hostile, way: str = "mailed") -> bytes:
    text = storable(one.text).encode()
    word = base64.b64encode(text[:1500]).decode()
    encoded = f"=?utf-8?B?{word}?="
    name = base64.b64encode(text[:300]).decode()
    head = (
        f"From: {encoded} <{way}{one.number}@customer.example>\r\nTo: shop@desk.example\r\nSubject: {encoded}\r\n"
        f"Message-ID: <{way}{one.number}@customer.example>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=x\r\n"
    )
    parts = [
        "Content-Type: multipart/alternative; boundary=y\r\n\r\n"
        f"--y\r\n{_part('text/plain', text)}\r\n--y\r\n{_part('text/html', text + b'<img src=cid:x>')}\r\n--y--",
        _part(
            f'image/png; name="=?utf-8?B?{name}?="',
            b"\x89PNG\r\n\x1a\n",
            f'Content-ID: <x>\r\nContent-Disposition: attachment; filename="=?utf-8?B?{name}?="\r\n',
        ),
        _part("image/svg+xml; name=x.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='oracle(1)'/>"),
    ]
    return (head + "\r\n" + "".join(f"--x\r\n{part}\r\n" for part in parts) + "--x--\r\n").encode()


def _part(kind: str, body: bytes, more: str = "") -> str:
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return f"Content-Type: {kind}\r\n{more}Content-Transfer-Encoding: base64\r\n\r\n{base64.b64encode(body).decode()}"
