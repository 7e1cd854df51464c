"""The pages of the team: the list with its filters, records, forms, orders, segments, fields, panels, the file."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from helpdesk_customers import consents, fields, ownership, records, segments, worth
from helpdesk_customers.models import Consent, Order, Ownership, Record, RecordField, Segment

from helpdesk.api import MessageDraft, Organization, Ticket, User, db, move, now, reply

ROOM = "/p/customers"


@pytest.fixture
def as_agent(sign_in: Any, agent: User) -> Any:
    return sign_in(agent)


@pytest.fixture
def as_boss(sign_in: Any, boss: User) -> Any:
    return sign_in(boss)


@pytest.fixture
def ticket(make_ticket: Any, anna: User, agent: User) -> Ticket:
    return make_ticket("Where is my order?", requester=anna, assignee=agent)


@pytest.fixture
def size(boss: User) -> RecordField:
    return fields.save_field(None, {"label": "Frame size", "kind": "number"}, boss)


def record(subject: User | Organization) -> Record:
    db.session.rollback()
    found = records.record_of(subject)
    assert found is not None
    return found


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


# ---- the list


def test_the_list_is_narrowed_by_words_tag_organization_and_segment(
    as_agent: Any, anna: User, firm: Organization, make_user: Any, boss: User
) -> None:
    """Each filter finds the right ones; the address keeps them; what finds nobody says so."""
    ben = make_user(name="Ben Stone", email="ben@other.example")
    records.change(anna, boss, tags=["vip"])
    dear = segments.save(
        None, {"name": "Dear ones", "conditions": [{"what": "tag", "how": "has", "value": "vip"}]}, boss
    )
    every = as_agent.get(f"{ROOM}/").text
    assert "Anna Berg" in every and "Ben Stone" in every and "Abe Agent" not in every.partition("<tbody>")[2]
    for query in ("q=anna", "q=BERG%20CYCLES", "tag=vip", f"segment={dear.id}", f"organization={firm.id}"):
        page = as_agent.get(f"{ROOM}/?{query}")
        body = page.text.partition("<tbody>")[2]
        assert page.status_code == 200 and "Anna Berg" in body and "Ben Stone" not in body, query
    assert "In the segment “Dear ones”." in as_agent.get(f"{ROOM}/?segment={dear.id}").text
    assert "Take “Berg Cycles” away" in as_agent.get(f"{ROOM}/?organization={firm.id}").text
    assert "Nobody found" in as_agent.get(f"{ROOM}/?q=zinnober").text
    assert as_agent.get(f"{ROOM}/?q=%25&segment=zz&organization=-1&after=~").status_code == 200
    assert ben.id != anna.id


def test_conditions_grow_by_a_button_and_are_saved_as_a_segment(
    as_boss: Any, as_agent: Any, anna: User, make_user: Any, order: Any
) -> None:
    """In the address, without a script: a row is added, filled in, taken out; a wrong one finds nobody and says why."""
    order(anna, {"A-1": 60_000})
    make_user(name="Ben Stone")
    grown = as_boss.get(f"{ROOM}/?new=revenue&add=1")
    assert grown.status_code == 200 and 'name="value-0"' in grown.text and "Ben Stone" in grown.text
    wrong = as_boss.get(f"{ROOM}/?what-0=revenue&how-0=least&value-0=lots")
    assert wrong.status_code == 422 and "Write the amount with its currency" in wrong.text
    assert 'value="lots"' in wrong.text and "Ben Stone" not in wrong.text
    dropped = as_boss.get(f"{ROOM}/?what-0=revenue&how-0=least&value-0=lots&drop=0")
    assert dropped.status_code == 200 and "Ben Stone" in dropped.text
    found = as_boss.get(f"{ROOM}/?what-0=revenue&how-0=least&value-0=500+EUR")
    body = found.text.partition("<tbody>")[2]
    assert "Anna Berg" in body and "Ben Stone" not in body
    form = re.search(r'href="([^"]*/segments/new[^"]*)"', found.text)
    assert form is not None
    asked = as_boss.get(form[1].replace("&amp;", "&")).text
    assert 'value="500 EUR"' in asked
    kept = as_boss.post(
        f"{ROOM}/segments/new",
        data={"name": "Big ones", "match": "all", "subject": "person", "what-0": "revenue", "how-0": "least",
              "value-0": "500 EUR"},
    )  # fmt: skip
    assert kept.status_code == 303
    [made] = db.session.scalars(db.select(Segment))
    assert made.name == "Big ones" and list(made.conditions) == [
        {"what": "revenue", "how": "least", "value": "EUR 50000"}
    ]
    listed = as_agent.get(f"{ROOM}/segments").text
    assert "Big ones" in listed and "€500.00" in listed and "New segment" not in listed
    assert as_agent.get(f"{ROOM}/segments/{made.id}").status_code == 403


def test_the_list_goes_on_by_keyset_in_a_fixed_number_of_queries(
    as_agent: Any, make_user: Any, order: Any, count_queries: Any
) -> None:
    people = [make_user(name=f"Person {number:03}") for number in range(53)]
    for person in people[:5]:
        order(person, {"A-1": 1_000})
    as_agent.get(f"{ROOM}/")
    with count_queries() as statements:
        first = as_agent.get(f"{ROOM}/")
    ours = [one for one in statements if "customers_" in one or "FROM user" in one or 'FROM "user"' in one]
    assert len(ours) <= 8, "\n".join(ours)
    onward = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert onward is not None and "Person 049" in first.text and "Person 050" not in first.text
    second = as_agent.get(onward[1].replace("&amp;", "&")).text
    assert "Person 052" in second and "Person 049" not in second and 'rel="next"' not in second


def test_a_file_has_everybody_of_the_list_and_calculates_nothing(
    as_boss: Any, as_agent: Any, anna: User, make_user: Any, boss: User, size: RecordField, order: Any
) -> None:
    """It is written down who took it; agents do not get it; each currency stands for itself."""
    records.change(
        anna, boss, note='=HYPERLINK("x")', values={size.key: "54.5"}, tags=["vip", "shop"], birthday="05-31"
    )
    make_user(name="Ben Stone")
    order(anna, {"A-1": 1_050})
    order(anna, {"A-1": 900}, currency="JPY")
    consents.note_consent(anna, "offers", True, boss, way="phone", words="Yes")
    file = as_boss.post(f"{ROOM}/people.csv?tag=vip")
    heads, *lines = rows_of(file.text)
    assert file.mimetype == "text/csv" and "attachment" in file.headers["Content-Disposition"] and len(lines) == 1
    found = dict(zip(heads, lines[0], strict=True))
    assert (found["Name"], found["Organization"], found["Tags"]) == ("Anna Berg", "Berg Cycles", "shop, vip")
    assert (found["Revenue"], found["Orders"], found["Birthday"]) == ("10.50 EUR; 900 JPY", "2", "05-31")
    assert found["Note"] == '\'=HYPERLINK("x")' and found["Frame size"] == "54.5" and found["Offers"] == "given"
    firms = rows_of(as_boss.post(f"{ROOM}/organizations.csv").text)
    assert firms[1][1] == "Berg Cycles"
    assert "Customers exported" in as_boss.get("/admin/audit").text
    assert (
        as_agent.post(f"{ROOM}/people.csv").status_code == 403 and as_boss.get(f"{ROOM}/people.csv").status_code == 405
    )


# ---- a record


def test_a_record_shows_everything_in_a_fixed_number_of_queries(
    as_agent: Any, agent: User, anna: User, boss: User, ticket: Ticket, order: Any, size: RecordField,
    count_queries: Any,
) -> None:  # fmt: skip
    records.change(
        anna, boss, birthday="1990-05-31", salutation="Frau Berg", contact_by="phone", contact_at="evening",
        note="Rides <b>daily</b>.", values={size.key: "54"}, tags=["vip"],
    )  # fmt: skip
    ownership.own(anna, "alba-7", boss, name="Alba 7", serial="LW-1")
    consents.note_consent(anna, "offers", True, boss, way="phone", words="Yes, please.", ticket=ticket)
    reply(ticket, MessageDraft(text="It is on its way."), agent)
    order(anna, {"SKU-1": 129_900})
    address = f"{ROOM}/people/{anna.id}"
    as_agent.get(address)
    with count_queries() as statements:
        page = as_agent.get(address).text
    few = len(statements)
    for words in ("Frau Berg", "May 31, 1990", "By phone", "In the evening", "Rides &lt;b&gt;daily", "54", "vip",
                  "Alba 7", "LW-1", "€1,299.00", "Yes, please.", "We answered: Where is my order?", "Berg Cycles",
                  "ALBA-7"):  # fmt: skip
        assert words in page, words
    for number in range(8):
        order(anna, {f"MORE-{number}": 1_000})
        ownership.own(anna, f"other-{number}", boss)
        consents.note_consent(anna, "news", bool(number % 2), boss, way="email", words="Said so.")
    with count_queries() as statements:
        more = as_agent.get(address).text
    assert len(statements) == few and few <= 15, f"{few} and {len(statements)}\n" + "\n".join(statements)
    assert "All orders" in more and "All of it" in more


def test_the_value_is_shown_with_its_parts_and_each_currency_for_itself(
    as_agent: Any, anna: User, make_user: Any, order: Any
) -> None:
    for number in range(6):
        order(make_user(), {"A-1": 1_000 * (number + 1)})
    order(anna, {"A-1": 90_000})
    order(anna, {"A-1": 4_900}, currency="USD")
    worth.rank()
    page = as_agent.get(f"{ROOM}/people/{anna.id}").text
    assert "€900.00" in page and "$49.00" in page and "5 of 5" in page and "too few to compare" in page
    assert "last 365 days" in page and "of 15" in page


def test_an_organization_has_a_record_of_its_own(
    as_agent: Any, as_boss: Any, anna: User, firm: Organization, boss: User, order: Any
) -> None:
    fields.save_field(None, {"label": "Contract", "kind": "text", "subject": "organization"}, boss)
    order(None, {"A-1": 5_000}, organization_id=firm.id)
    address = f"{ROOM}/organizations/{firm.id}"
    saved = as_agent.post(
        f"{address}/edit", data={"version": "1", "tags": "dealer", "note": "Buys in spring", "values.contract": "C-17"}
    )
    assert saved.status_code == 303
    page = as_agent.get(address).text
    assert "C-17" in page and "dealer" in page and "€50.00" in page and "Buys in spring" in page
    assert "Consents" not in page and f"{ROOM}/?organization={firm.id}" in page
    assert "Berg Cycles" in as_agent.get(f"{ROOM}/organizations").text
    assert "Berg Cycles" in as_agent.get(f"{ROOM}/organizations?q=berg").text
    added = as_agent.post(f"{address}/products", data={"sku": "plan-1", "quantity": "3"})
    assert added.status_code == 303 and "PLAN-1" in as_agent.get(address).text
    assert as_boss.get(f"{address}/orders").status_code == as_boss.get(f"{address}/timeline").status_code == 200


def test_strangers_colleagues_and_who_is_not_there_have_no_record(
    as_agent: Any, sign_in: Any, anna: User, agent: User
) -> None:
    """register_permissions: customers see no page of them; nav_items: nor the way there, which agents see."""
    assert f'href="{ROOM}/"' in as_agent.get(f"{ROOM}/").text
    for number in (agent.id, 950_017, 2**40):
        for page in ("", "/edit", "/consents", "/orders", "/timeline"):
            assert as_agent.get(f"{ROOM}/people/{number}{page}").status_code == 404, page
    for page in (f"/people/{anna.id}", "/", "/organizations", "/segments"):
        assert sign_in(anna).get(f"{ROOM}{page}").status_code == 403


def test_a_timeline_shows_only_tickets_that_the_reader_sees(
    sign_in: Any, make_user: Any, make_team: Any, anna: User, boss: User, make_ticket: Any, as_boss: Any
) -> None:
    """Of a private team's ticket neither the line nor its number as a proof."""
    hidden = make_ticket("Zinnober", requester=anna)
    team = make_team("Vault", private=True)
    move(hidden, team, None)
    consents.note_consent(anna, "offers", True, boss, way="email", words="Yes", ticket=hidden)
    outsider = sign_in(make_user("agent", name="Otto Outside"))
    for page in ("", "/timeline", "/consents"):
        text = outsider.get(f"{ROOM}/people/{anna.id}{page}").text
        assert "Zinnober" not in text and f"/desk/tickets/{hidden.id}" not in text, page
        seen = as_boss.get(f"{ROOM}/people/{anna.id}{page}").text
        assert f"/desk/tickets/{hidden.id}" in seen, page


def test_a_timeline_is_narrowed_and_goes_on(as_agent: Any, anna: User, ticket: Ticket, order: Any) -> None:
    for number in range(32):
        order(anna, {"A-1": 100}, placed_at=now() - timedelta(days=number + 1))
    address = f"{ROOM}/people/{anna.id}/timeline"
    first = as_agent.get(address).text
    onward = re.search(r'rel="next" href="([^"]+)"', first)
    assert onward is not None and "Where is my order?" in first
    second = as_agent.get(onward[1].replace("&amp;", "&")).text
    assert "Order A-32" in second and "Order A-1:" not in second and 'rel="next"' not in second
    only = as_agent.get(f"{address}?kind=ticket").text
    assert "Where is my order?" in only and "Order A-1:" not in only
    assert as_agent.get(f"{address}?kind=zinnober&after=xyz").status_code == 200


# ---- changing it


def test_a_form_comes_back_with_what_was_typed(as_agent: Any, anna: User, size: RecordField) -> None:
    """One sentence beside the field; nothing of it is kept; then all of it is."""
    address = f"{ROOM}/people/{anna.id}/edit"
    typed = {"version": "0", "salutation": "Frau <Berg>", "birthday": "31 May", "note": "Kept & typed", "tags": "a, b",
             "contact_by": "phone", "contact_at": "", f"values.{size.key}": "54"}  # fmt: skip
    assert 'name="values.frame_size"' in as_agent.get(address).text
    refused = as_agent.post(address, data=typed)
    assert refused.status_code == 422 and "is no day" in refused.text and "Kept &amp; typed" in refused.text
    assert "Frau &lt;Berg&gt;" in refused.text and records.record_of(anna) is None
    wrong = as_agent.post(address, data={**typed, "birthday": "", f"values.{size.key}": "large"})
    assert wrong.status_code == 422 and "is no number" in wrong.text and 'value="large"' in wrong.text
    assert as_agent.post(address, data={**typed, "birthday": "1990-05-31"}).status_code == 303
    kept = record(anna)
    assert (kept.salutation, kept.birthday, kept.birth_year) == ("Frau <Berg>", 531, 1990)
    assert [tag.tag for tag in kept.tags] == ["a", "b"] and kept.values[0].number == 54_000_000


def test_who_was_quicker_is_not_overwritten(as_agent: Any, anna: User, boss: User) -> None:
    address = f"{ROOM}/people/{anna.id}/edit"
    version = re.search(r'name="version" value="(\d+)"', as_agent.get(address).text)
    assert version is not None
    records.change(anna, boss, note="The boss's words")
    late = as_agent.post(address, data={"version": version[1], "note": "My words", "tags": ""})
    assert late.status_code == 409 and "Somebody has changed this record" in late.text and "My words" in late.text
    assert record(anna).note == "The boss's words"
    again = re.search(r'name="version" value="(\d+)"', late.text)
    assert again is not None
    assert as_agent.post(address, data={"version": again[1], "note": "My words", "tags": ""}).status_code == 303
    assert record(anna).note == "My words"


def test_a_choice_that_there_is_no_more_stays_until_another_is_chosen(as_agent: Any, anna: User, boss: User) -> None:
    club = fields.save_field(None, {"label": "Club", "kind": "choice", "choices": "Gold\nSilver"}, boss)
    records.change(anna, boss, values={"club": "Gold"})
    fields.save_field(club, {"choices": "Silver"}, boss)
    address = f"{ROOM}/people/{anna.id}/edit"
    version = re.search(r'name="version" value="(\d+)"', as_agent.get(address).text)
    assert version is not None
    sent = {"version": version[1], "note": "Hello", "tags": "", "values.club": "Gold"}
    assert as_agent.post(address, data=sent).status_code == 303
    assert record(anna).values[0].text == "Gold" and record(anna).note == "Hello"


def test_products_are_added_and_removed(as_agent: Any, anna: User) -> None:
    address = f"{ROOM}/people/{anna.id}/products"
    for values, sentence in (
        ({"sku": " ", "serial": "LW-9"}, "Write the article number."),
        ({"sku": "A", "quantity": "-1", "serial": "LW-9"}, "Enter a whole number from 1."),
        ({"sku": "A", "since": "soon", "serial": "LW-9"}, "Write the day as year-month-day"),
        ({"sku": "A", "since": "2026-02-01", "until": "2026-01-01", "serial": "LW-9"}, "The last day is before"),
    ):
        refused = as_agent.post(address, data=values)
        assert refused.status_code == 422 and sentence in refused.text and 'value="LW-9"' in refused.text, values
    sent = as_agent.post(address, data={"sku": "alba ７", "product_name": "Alba 7", "serial": "LW-9", "quantity": "2"})
    assert sent.status_code == 303
    [row] = db.session.scalars(db.select(Ownership))
    assert (row.sku, row.name, row.quantity, row.serial) == ("ALBA 7", "Alba 7", 2, "LW-9")
    gone = f"{ROOM}/products/{row.id}/remove"
    assert as_agent.post(gone).status_code == 303
    assert db.session.scalar(db.select(Ownership.id)) is None
    assert as_agent.post(gone).status_code == 404


def test_consents_are_noted_with_their_proof_and_none_is_overwritten(
    as_agent: Any, anna: User, agent: User, ticket: Ticket
) -> None:
    address = f"{ROOM}/people/{anna.id}/consents"
    for values, sentence in (
        ({"state": "given", "proof": "", "words": ""}, "Write what proves it"),
        ({"state": "maybe", "words": "Yes"}, "Choose one of the two."),
        ({"state": "given", "words": "Yes", "at": "2099-01-01"}, "Nobody agrees in the future"),
        ({"state": "given", "words": "Yes", "ticket": "950017"}, "There is no ticket with this number."),
        ({"state": "given", "words": "Yes", "way": "dream"}, "Choose how it was said."),
    ):
        refused = as_agent.post(address, data={"purpose": "offers", "way": "phone", **values})
        assert refused.status_code == 422 and sentence in refused.text, values
    said = {"purpose": "offers", "way": "phone", "state": "given", "words": "Yes, please.", "ticket": f"#{ticket.id}"}
    assert as_agent.post(address, data=said).status_code == 303
    assert as_agent.post(address, data={**said, "state": "withdrawn", "words": "", "ticket": ""}).status_code == 303
    rows = db.session.scalars(db.select(Consent).order_by(Consent.id)).all()
    assert [(row.state, row.newest, row.actor_id) for row in rows] == [
        ("given", False, agent.id), ("withdrawn", True, agent.id)
    ]  # fmt: skip
    page = as_agent.get(address).text
    assert "Yes, please." in page and "Withdrawn" in page and f"#{ticket.id}" in page and "Abe Agent" in page


def test_an_order_shows_its_lines_and_supervisors_set_its_state(
    as_agent: Any, as_boss: Any, anna: User, order: Any
) -> None:
    made = order(anna, {"SKU-1": 2_000, "SKU-2": 500})
    page = as_agent.get(f"{ROOM}/orders/{made.id}").text
    assert "The SKU-1" in page and "€20.00" in page and "€25.00" in page and "Save" not in page
    state = f"{ROOM}/orders/{made.id}/state"
    assert as_agent.post(state, data={"state": "returned"}).status_code == 403
    assert as_boss.post(state, data={"state": "lost"}).status_code == 303
    assert db.session.get_one(Order, made.id).state == "paid"
    assert as_boss.post(state, data={"state": "returned"}).status_code == 303
    db.session.expire_all()
    assert db.session.get_one(Order, made.id).state == "returned"
    assert "Revenue" not in as_agent.get(f"{ROOM}/people/{anna.id}").text


# ---- fields and segments


def test_fields_are_made_changed_ordered_and_switched(as_boss: Any, as_agent: Any) -> None:
    """admin_rooms: the fields stand among the rooms of the administration."""
    assert as_agent.get(f"{ROOM}/fields").status_code == 403
    new = f"{ROOM}/fields/new"
    assert "New field" in as_boss.get(f"{new}?subject=organization").text
    refused = as_boss.post(new, data={"label": "", "kind": "text", "subject": "person", "hint": "Kept & typed"})
    assert (
        refused.status_code == 422 and "Give the field a name." in refused.text and "Kept &amp; typed" in refused.text
    )
    none = as_boss.post(new, data={"label": "Club", "kind": "choice", "subject": "person", "choices": ""})
    assert none.status_code == 422 and "Write what may be chosen" in none.text
    for label, kind in (("Club", "choice"), ("Size", "number")):
        sent = {"label": label, "kind": kind, "subject": "person", "choices": "Gold\r\nSilver"}
        assert as_boss.post(new, data=sent).status_code == 303
    club, size = db.session.scalars(db.select(RecordField).order_by(RecordField.id)).all()
    assert club.choices == ["Gold", "Silver"] and (club.kind, size.kind) == ("choice", "number")
    as_boss.post(f"{ROOM}/fields/{size.id}/up")
    listed = as_boss.get(f"{ROOM}/fields").text
    assert listed.index(">Size<") < listed.index(">Club<")
    saved = as_boss.post(f"{ROOM}/fields/{club.id}", data={"label": "Card", "hint": "", "choices": "Gold"})
    assert saved.status_code == 303 and "Card" in as_boss.get(f"{ROOM}/fields/{club.id}").text
    assert as_boss.post(f"{ROOM}/fields/{club.id}/off").status_code == 303
    db.session.expire_all()
    assert (club.label, club.choices, club.active) == ("Card", ["Gold"], False)
    room = as_boss.get("/admin/").text
    assert "Fields of customer records" in room and f"{ROOM}/fields" in room


def test_a_segment_is_changed_and_removed(as_boss: Any, boss: User, anna: User) -> None:
    conditions = [{"what": "tag", "how": "has", "value": "vip"}]
    made = segments.save(None, {"name": "Dear ones", "conditions": conditions}, boss)
    address = f"{ROOM}/segments/{made.id}"
    shown = as_boss.get(address).text
    assert 'value="vip"' in shown and "Dear ones" in shown
    row = {"name": "Dear ones", "what-0": "tag", "how-0": "has", "value-0": "vip"}
    grown = as_boss.post(address, data={**row, "name": "Dearest", "new": "since", "add": "1"})
    assert grown.status_code == 200 and 'value="Dearest"' in grown.text and 'name="value-1"' in grown.text
    wrong = as_boss.post(address, data={**row, "what-1": "since", "how-1": "before", "value-1": "soon"})
    assert wrong.status_code == 422 and "is no day" in wrong.text and 'value="soon"' in wrong.text
    empty = as_boss.post(address, data={"name": "Dear ones"})
    assert empty.status_code == 422 and "at least one condition" in empty.text
    changed = as_boss.post(
        address, data={**row, "name": "Dearest", "match": "any", "what-1": "since", "how-1": "within", "value-1": "30"}
    )
    assert changed.status_code == 303
    db.session.expire_all()
    assert (made.name, made.match, len(made.conditions)) == ("Dearest", "any", 2)
    assert as_boss.post(f"{address}/remove").status_code == 303 and as_boss.get(address).status_code == 404
    assert "No segment yet" in as_boss.get(f"{ROOM}/segments").text


# ---- places on the desk's pages


def test_a_panel_stands_beside_tickets_and_on_the_person_in_one_query(
    anna: User, agent: User, boss: User, ticket: Ticket, order: Any, count_queries: Any, place: Any, as_agent: Any
) -> None:
    """ticket_panels, user_panels: the record in short; nothing of a colleague."""
    [empty] = place("ticket_panels", ticket, agent)
    assert "Nothing is noted yet." in empty.html and f"{ROOM}/people/{anna.id}" in empty.html
    records.change(
        anna, boss, birthday="05-31", contact_by="phone", note="Prefers <i>Spanish</i>", tags=["vip", "club"]
    )
    consents.note_consent(anna, "offers", True, boss, way="phone", words="Yes")
    ownership.own(anna, "plan", boss, name="Care plan")
    for number in range(6):
        order(anna, {f"SKU-{number}": 1_000})
    order(anna, {"SKU-0": 300}, currency="JPY")
    with count_queries() as statements:
        [panel] = place("ticket_panels", ticket, agent)
    ours = [one for one in statements if "customers_" in one]
    assert len(ours) == 1, "\n".join(ours)
    for words in ("€60.00", "¥300", "in 6 orders", "May 31", "By phone", "Given", "vip", "Care plan",
                  "Prefers &lt;i&gt;Spanish"):  # fmt: skip
        assert words in panel.html, words
    page = as_agent.get(f"/desk/people/{anna.id}").text
    assert "Customer record" in page and "Care plan" in page
    assert place("user_panels", agent, agent) == []


def test_home_points_out_birthdays(as_agent: Any, agent: User, anna: User, boss: User, place: Any) -> None:
    """dashboard_widgets: nothing where nobody has one in the next days."""
    assert place("dashboard_widgets", agent) == []
    soon = now().date() + timedelta(days=3)
    records.change(anna, boss, birthday=f"{soon.month:02}-{soon.day:02}")
    [widget] = place("dashboard_widgets", agent)
    assert "Anna Berg" in widget.html and "today" not in widget.html
    assert "Customer records" in as_agent.get(f"{ROOM}/").text


def test_it_rests_when_it_is_switched_off(as_boss: Any, anna: User, ticket: Ticket) -> None:
    as_boss.post("/admin/plugins/customers/off")
    assert as_boss.get(f"{ROOM}/").status_code == 404
    assert "Customer record" not in as_boss.get(f"/desk/tickets/{ticket.id}/side").text


@pytest.mark.parametrize("subject", ["", "organizations"])
def test_a_tag_that_nobody_can_have_finds_nobody(sign_in: Any, agent: User, anna: User, subject: str) -> None:
    answer = sign_in(agent).get(f"/p/customers/{subject}", query_string={"tag": "a" * 3000})
    assert answer.status_code == 200 and anna.name not in answer.text
