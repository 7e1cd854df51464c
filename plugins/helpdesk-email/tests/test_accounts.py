"""Which of our addresses is meant."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from helpdesk_email.accounts import mailbox_for, mailbox_of, own_address, own_addresses
from helpdesk_email.models import Mailbox
from helpdesk_email.settings import EmailSettings

from helpdesk.api import db, transaction


def test_addresses_are_ours_with_and_without_a_detail(
    app: Flask, configure: Callable[..., Any], count_queries: Any
) -> None:
    assert own_addresses() == frozenset()
    configure(EmailSettings, address="Help@Shop.example")
    with transaction():
        db.session.add_all([Mailbox(address="sales@shop.example"), Mailbox(address="sales+asia@shop.example")])
    with count_queries() as seen:
        assert own_addresses() == {"help@shop.example", "sales@shop.example", "sales+asia@shop.example"}
    assert len(seen) <= 2
    box = mailbox_for("Sales+1-2-abc@SHOP.example")
    assert box is not None and box.address == "sales@shop.example"
    special = mailbox_for("sales+asia@shop.example")
    assert special is not None and special.address == "sales+asia@shop.example"
    assert (mailbox_for("help@shop.example"), mailbox_for("nonsense"), mailbox_of("")) == (None, None, None)
    assert mailbox_of("sales@shop.example") == box
    assert own_address("help+x@shop.example") == "help@shop.example"
    assert own_address("helper@shop.example") is None
