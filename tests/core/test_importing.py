"""Taking in files: item by item in savepoints, in batches, and what went wrong told by number."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from helpdesk.api import Importer, Invalid, Tag, TicketDraft, db, open_ticket, requester_for, transaction
from helpdesk.core import importing, plugin_states
from helpdesk.core.models import Job, Ticket
from helpdesk.core.transaction import in_transaction


def read_lines(file: Any) -> Iterator[Any]:
    for line in file:
        assert not in_transaction(), "nothing is read inside a transaction"
        yield json.loads(line)


def take_tag(item: Any) -> Any:
    name = item["name"]
    if name == "bad":
        db.session.add(Tag(name="half"))
        db.session.flush()
        raise Invalid("name", "This name cannot be used.")
    if name == "twice":
        db.session.add(Tag(name="a"))
        db.session.flush()
    if name == "later":
        # Refused by the database only when it is written.
        db.session.add(Tag(name="a"))
        return "created"
    if name == "exit":
        raise SystemExit
    if name == "mute":
        return None
    if db.session.scalar(db.select(Tag).where(Tag.name == name)) is not None:
        return "skipped"
    db.session.add(Tag(name=name))
    return "created"


TAGS = Importer("orders", "Orders", read_lines, take_tag)


def lines(*names: str) -> io.BytesIO:
    return io.BytesIO("".join(json.dumps({"name": name}) + "\n" for name in names).encode())


def tags() -> list[str]:
    return sorted(db.session.scalars(db.select(Tag.name)))


@pytest.mark.db
def test_each_item_by_itself(app: Any) -> None:
    result = importing.take_in(TAGS, lines("a", "bad", "b", "a", "twice", "later", "exit", "mute", "c"))
    assert result.counts == Counter(created=3, skipped=1) and tags() == ["a", "b", "c"]
    assert result.failed == 5 and result.stopped == "" and result.read == 9
    assert result.bad[0] == (2, "This name cannot be used.")
    assert [number for number, _sentence in result.bad] == [2, 5, 6, 7, 8]
    assert "IntegrityError" in result.bad[1][1] and "a word for what it did" in result.bad[4][1]
    again = importing.take_in(TAGS, lines("a", "b", "c"))
    assert again.counts == Counter(skipped=3) and tags() == ["a", "b", "c"]


@pytest.mark.db
def test_a_reader_that_fails_keeps_what_was_read(app: Any) -> None:
    broken = io.BytesIO(
        lines(*[f"tag {number}" for number in range(130)]).getvalue() + b"{broken\n" + b'{"name": "x"}\n'
    )
    result = importing.take_in(TAGS, broken)
    assert result.counts == Counter(created=130) and len(tags()) == 130
    assert result.read == 130 and result.stopped.startswith("JSONDecodeError: ")


def test_a_reader_that_is_none(app: Any) -> None:
    result = importing.take_in(Importer("orders", "", lambda file: None, take_tag), lines("a"))
    assert result.counts == Counter() and "not iterable" in result.stopped


def test_whole_batches_stay_when_it_is_killed(app: Any) -> None:
    def take(item: Any) -> str:
        if item["name"] == "tag 150":
            raise KeyboardInterrupt
        return str(take_tag(item))

    with pytest.raises(KeyboardInterrupt):
        importing.take_in(Importer("orders", "", read_lines, take), lines(*[f"tag {number}" for number in range(250)]))
    assert len(tags()) == 100
    again = importing.take_in(TAGS, lines(*[f"tag {number}" for number in range(250)]))
    assert again.counts == Counter(skipped=100, created=150)


def test_a_dry_run_keeps_nothing(app: Any) -> None:
    result = importing.take_in(TAGS, lines("a", "bad", *[f"tag {number}" for number in range(200)]), dry_run=True)
    assert result.counts == Counter(created=201) and result.failed == 1 and tags() == []


def test_only_the_first_that_failed_are_shown(app: Any) -> None:
    result = importing.take_in(TAGS, lines(*["bad"] * 130))
    assert result.failed == 130 and [number for number, _text in result.bad] == list(range(1, 21))


@pytest.mark.db
def test_an_importer_may_use_the_verbs_of_the_desk(app: Any) -> None:
    def take(item: Any) -> str:
        with transaction():
            person = requester_for(item["name"])
            open_ticket(TicketDraft("An order", person.id, "Where is it?"), None)
        return "created"

    source = Importer("orders", "", read_lines, take)
    result = importing.take_in(source, lines("tom@post.example", "no address", "ann@post.example"))
    assert result.counts == Counter(created=2) and result.bad == [(2, "“no address” is no e-mail address.")]
    assert db.session.scalar(db.select(db.func.count(Ticket.id))) == 2
    db.session.execute(db.delete(Job))
    db.session.commit()
    importing.take_in(source, lines("mia@post.example"), dry_run=True)
    assert db.session.scalars(db.select(Job)).all() == []


def test_sources_are_found_by_name(app: Any, plug: Any) -> None:
    with pytest.raises(importing.UnknownSource, match="There is no source “orders”"):
        importing.source_named("orders")
    plug("orders", register_importers=lambda: [TAGS, Importer("orders-old", "", read_lines, take_tag)])
    assert importing.source_named("orders") is TAGS
    with pytest.raises(importing.UnknownSource, match="there are: .*orders, orders-old"):
        importing.source_named("order")
    plugin_states.switch("orders", False, None)
    assert TAGS not in importing.sources()
