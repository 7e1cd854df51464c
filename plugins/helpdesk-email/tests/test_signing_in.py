"""Secrets that were saved: they go to nobody that they were not typed for, by no detour."""

from typing import Any

import pytest
from helpdesk_email.models import Mailbox
from sqlalchemy import select

from helpdesk.api import db

BOX = {"address": "shop@desk.example", "kind": "imap", "host": "imap.desk.example", "security": "tls",
       "username": "shop", "password": "very secret", "afterwards": "seen"}  # fmt: skip
TOKENS = {**BOX, "password": "", "oauth": "custom", "oauth_token_url": "https://id.desk.example/token",
          "oauth_client_id": "desk"}  # fmt: skip
SECRETS = {"oauth_client_secret": "hush", "oauth_refresh_token": "long-lasting"}


def saved(as_admin: Any, data: dict[str, str]) -> Mailbox:
    """A mailbox that was made so."""
    assert as_admin.post("/p/email/mailboxes/new", data=data).status_code == 303
    return db.session.scalars(select(Mailbox)).one()


@pytest.mark.parametrize("detour", [{"host": "evil.example"}, {"host": ""}])
def test_a_password_is_forgotten_where_the_server_changes_while_none_is_asked(
    as_admin: Any, detour: dict[str, str]
) -> None:
    box = saved(as_admin, BOX)
    here, data = f"/p/email/mailboxes/{box.id}", {**BOX, "password": ""}
    assert as_admin.post(here, data={**data, "kind": "handed"}).status_code == 303
    db.session.refresh(box)
    assert box.password == "very secret"
    assert as_admin.post(here, data={**data, "kind": "handed", **detour}).status_code == 303
    answer = as_admin.post(here, data={**data, "host": "evil.example"})
    assert answer.status_code == 422 and 'id="f-password-error"' in answer.text
    db.session.refresh(box)
    assert box.password == ""


@pytest.mark.parametrize(
    "elsewhere",
    [{"oauth_token_url": "https://evil.example/token"}, {"oauth": "google"}, {"host": "evil.example"}],
)
def test_tokens_are_typed_again_for_another_place(as_admin: Any, elsewhere: dict[str, str]) -> None:
    box = saved(as_admin, {**TOKENS, **SECRETS})
    here = f"/p/email/mailboxes/{box.id}"
    assert as_admin.post(here, data={**TOKENS, "sender_name": "Shop"}).status_code == 303
    answer = as_admin.post(here, data={**TOKENS, **elsewhere})
    assert answer.status_code == 422
    assert all(f'id="f-{name}-error"' in answer.text for name in SECRETS)
    assert as_admin.post(here, data={**TOKENS, **elsewhere, **SECRETS}).status_code == 303


def test_going_back_to_a_password_forgets_the_tokens(as_admin: Any) -> None:
    box = saved(as_admin, {**TOKENS, **SECRETS})
    assert as_admin.post(f"/p/email/mailboxes/{box.id}", data={**BOX, "oauth": ""}).status_code == 303
    db.session.refresh(box)
    assert (box.password, box.oauth_client_secret, box.oauth_refresh_token) == ("very secret", "", "")
