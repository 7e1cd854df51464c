"""Secrets are looked for in what leaves the desk: mails of every kind, and what is said and listed of a backup."""

import io
import json
import logging
import re
import tarfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from click.testing import CliRunner
from flask import Flask

from helpdesk.cli import main
from helpdesk.core import accounts, api_tokens, second_factors, staff, workflow
from helpdesk.core.backups.sealing import SHORTEST
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, SecondFactor, Setting, User
from helpdesk.core.transaction import transaction

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]

PASSWORD, CANARY = "a rather long pass phrase", "kanarienvogel"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, to the last detail."""
    written = io.StringIO()
    handler, root = logging.StreamHandler(written), logging.getLogger()
    before = root.level
    # The mail server of the tests logs what it is sent.
    handler.addFilter(lambda record: not record.name.startswith("mail.log"))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.setLevel(before)
    root.removeHandler(handler)


def rows_of_all_tables() -> str:
    """Everything in the database, as text."""
    tables = db.metadata.sorted_tables
    return "\n".join(str(row) for table in tables for row in db.session.execute(db.select(table)))


def text_of(mail: Any) -> str:
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), *parts])


def test_no_mail_carries_a_secret_but_the_one_it_is_for(
    app: Flask, make_user: Any, make_ticket: Any, client: Any, mailbox: Any, run_jobs: Any, log: io.StringIO
) -> None:
    mia: User = make_user("agent", name="Mia", email="mia@desk.example", password=PASSWORD)
    boss = make_user("admin", email="boss@desk.example")
    key = second_factors.prepare(mia).secret
    codes = second_factors.confirm(mia, pyotp.TOTP(key).now())
    token = api_tokens.make(mia, "Shop", ["ticket.read"], now() + timedelta(days=3), mia).secret
    second_factors.check(mia, codes[0])
    again = second_factors.new_recovery_codes(mia)
    ticket = make_ticket(requester=make_user(email="tom@post.example"), notice=True, channel="email")
    workflow.reply(ticket, MessageDraft(text="On its way.", channel="desk"), mia)
    accounts.invite("jonas@desk.example", "Jonas", "agent", boss)
    client.post("/auth/register", data={"email": "new@post.example", "name": "New"})
    client.post("/auth/forgot", data={"email": "boss@desk.example"})
    staff.send_password_link(mia, boss)
    second_factors.reset(mia, boss)
    accounts.set_password(mia, f"{PASSWORD} more", boss)
    db.session.refresh(mia)
    session = accounts.enter(mia, mia.auth_stamp, "192.0.2.7", "Firefox", known=True)
    accounts.enter(mia, mia.auth_stamp, "192.0.2.8", "Firefox", known=False)
    assert session is not None and mia.password_hash is not None
    run_jobs()
    kinds = set(db.session.scalars(db.select(Delivery.kind)))
    assert {"reset", "invitation", "reply"} <= kinds and len(mailbox.messages) >= 10, kinds
    secrets = [PASSWORD, key, token, *codes, *again, session, mia.password_hash, str(app.secret_key)]
    for mail in mailbox.messages:
        said = text_of(mail)
        assert not [secret[:12] for secret in secrets if secret in said], mail["Subject"]
    links = re.findall(r"/auth/password/\w+/([\w-]+)", "".join(map(text_of, mailbox.messages)))
    assert len(set(links)) >= 3
    kept = rows_of_all_tables()
    for secret in [PASSWORD, token, *codes, *again, session, *links]:
        assert secret not in kept and secret not in log.getvalue(), secret[:12]


def test_a_link_that_is_used_is_in_no_log_and_no_record(
    app: Flask, client: Any, make_user: Any, mailbox: Any, run_jobs: Any, log: io.StringIO
) -> None:
    make_user("agent", email="mia@desk.example", password=PASSWORD)
    client.post("/auth/forgot", data={"email": "mia@desk.example"})
    run_jobs()
    found = re.search(r"/auth/password/reset/([\w-]+)", text_of(mailbox.to("mia@desk.example")[-1]))
    assert found is not None
    for path, form in ((found[0], {"password": "x", "repeated": "y"}), (f"{found[0]}x", {})):
        client.get(path)
        client.post(path, data=form)
    used = client.post(found[0], data={"password": f"{PASSWORD} more", "repeated": f"{PASSWORD} more"})
    assert used.status_code == 303
    client.post(found[0], data={"password": PASSWORD, "repeated": PASSWORD})
    assert found[1] not in log.getvalue() and found[1] not in rows_of_all_tables()


@pytest.fixture
def helpdesk(app: Flask, home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A command on a desk that is full of canaries."""
    monkeypatch.setenv("HELPDESK_HOME", str(home))
    monkeypatch.setenv("HELPDESK_BACKUP_PASSPHRASE", CANARY * (1 + SHORTEST // len(CANARY)))
    with transaction():
        user = User(email="mia@desk.example", name="Mia", role="agent", password_hash=f"{CANARY}-hash")
        db.session.add_all([user, Setting(group="email", key="smtp_password", value=f"{CANARY}-smtp")])
        db.session.flush()
        db.session.add(SecondFactor(user_id=user.id, secret=f"{CANARY}-second", confirmed_at=now()))
    return lambda *words: CliRunner().invoke(main, list(words), prog_name="helpdesk")


@pytest.mark.parametrize("sealed", [True, False])
def test_what_is_said_of_a_backup_holds_none(
    helpdesk: Callable[..., Any], app: Flask, home: Path, monkeypatch: pytest.MonkeyPatch, sealed: bool
) -> None:
    if not sealed:
        monkeypatch.delenv("HELPDESK_BACKUP_PASSPHRASE")
    said = [helpdesk("backup", "--json")]
    file = Path(json.loads(said[0].output)["path"])
    said += [helpdesk("backup", "--list"), helpdesk("backup", "--list", "--json")]
    if not sealed:
        # To derive the key of one that is encrypted takes seconds.
        said += [helpdesk("backup"), helpdesk("restore", str(file), "--verify")]
    said += [helpdesk("user", "sessions", "mia@desk.example"), helpdesk("db", "current"), helpdesk("plugin", "list")]
    assert not [answer.output for answer in said if answer.exit_code]
    said += [helpdesk("doctor"), helpdesk("doctor", "--json")]
    texts = [answer.output for answer in said]
    notes = [path.read_text("utf-8") for path in file.parent.iterdir() if path.suffix == ".json"]
    if sealed:
        # Nothing of it can be read at all, its table of contents neither.
        with tarfile.open(file) as archive:
            assert archive.getnames() == ["key.age", "backup.tar.age"]
        assert CANARY.encode() not in file.read_bytes()
    else:
        with tarfile.open(file) as archive:
            texts += [archive.getnames().__str__()]
            listed = [name for name in archive.getnames() if name.endswith(".json")]
            texts += [archive.extractfile(name).read().decode() for name in listed]  # type: ignore[union-attr]
            assert listed
    key = str(app.secret_key)
    assert notes and not [text for text in (*texts, *notes) if CANARY in text or key in text]
