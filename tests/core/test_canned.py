"""Canned responses: their words in each language, placeholders without holes, who has them, files."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.core import actions, bulk, canned, canned_exchange, macros, personal_data
from helpdesk.core.canned import Canned, InvalidCanned
from helpdesk.core.canned_exchange import NotTaken
from helpdesk.core.extensions import db
from helpdesk.core.macros import MacroDraft
from helpdesk.core.models import BulkAct, BulkItem, CannedResponse, Macro
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.placeholders import fill

_VALUES: dict[str, Callable[[], str | None]] = {
    "customer.first_name": lambda: None,
    "customer.organization": lambda: " ",
    "team.name": lambda: "Shop",
    "agent.name": lambda: "  {{ x }}  y ",
}
_PIECES = (
    "{{ customer.first_name }}", "{{customer.organization}}", "{{team.name}}", "{{agent.name}}",
    "{{ nothing | there }}",
    "{{ nothing | }}", "{{ nothing", "}}", "{", "}", " ", ",", ".", "\n", "(", ")", "Hello", "您好", "，",
)  # fmt: skip
texts = st.lists(st.sampled_from(_PIECES) | st.text(max_size=4), max_size=14).map("".join)


@given(texts)
def test_no_braces_and_no_double_space_are_left_and_filling_again_changes_nothing(text: str) -> None:
    found = fill(text, _VALUES).text
    assert "{{" not in found and "}}" not in found
    assert fill(found, _VALUES).text == found
    assert "  " in text or "  " not in found


@pytest.mark.parametrize(
    ("text", "reads", "missing"),
    [
        ("Hello {{ customer.first_name }}, thanks", "Hello, thanks", True),
        ("Hello {{ customer.first_name | there }}, thanks", "Hello there, thanks", False),
        ("{{ customer.first_name }}, thank you", "thank you", True),
        ("Hi ({{ customer.first_name }}) you", "Hi you", True),
        ("Hello, {{ customer.first_name }}.", "Hello.", True),
        ("A\n{{ customer.first_name }}\nB", "A\nB", True),
        ("您好{{ customer.first_name }}，感谢", "您好，感谢", True),
        ("From {{ customer.first_name | }} us", "From us", False),
        ("From {{ team.name }}", "From Shop", False),
    ],
)
def test_what_is_not_known_leaves_no_hole(text: str, reads: str, missing: bool) -> None:
    found = fill(text, _VALUES)
    assert (found.text, bool(found.missing)) == (reads, missing)


@pytest.mark.db
def test_a_ticket_fills_them_in_its_customers_language(
    app: Any, make_user: Any, make_team: Any, make_ticket: Any
) -> None:
    agent, team = make_user("agent", name="Anna Berg"), make_team("Workshop")
    customer = make_user(name="Radler, Mia", email="mia@post.example", locale="zh_Hans")
    ticket = make_ticket("Lock", requester=customer, team=team)
    words = {
        "en": "Dear {{customer.first_name}}, {{ ticket.number }} {{team.name}}",
        "zh_Hans": "您好 {{ agent.name }}",
    }
    response = canned.save(None, Canned("  Hello  there ", words, "A /  B//"), agent)
    assert (response.name, response.folder) == ("Hello there", "A / B")
    assert canned.text_of(response, canned.language_of(ticket)) == words["zh_Hans"]
    # Another form of the language, then the desk's own, then any.
    assert [canned.text_of(response, code) for code in ("zh_Hant", "de", None)] == [
        words["zh_Hans"],
        words["en"],
        words["en"],
    ]
    assert canned.render(words["en"], ticket, agent, "en").text == f"Dear Mia, {ticket.number} Workshop"
    for text in ("{{ customer.shoe_size }}", "{{ customer.name", "{{ field.nobody_has_it }}"):
        with pytest.raises(InvalidCanned):
            canned.save(None, Canned("X", {"en": text}), agent)


@pytest.mark.db
def test_each_has_their_own_their_teams_and_everybodys(app: Any, make_user: Any, make_team: Any) -> None:
    anna, otto, boss = make_user("agent"), make_user("agent"), make_user("supervisor")
    team = make_team("Workshop", members=[anna])
    mine = canned.save(None, Canned("Mine", {"en": "100% _mine_"}), anna)
    teams = canned.save(None, Canned("Team's", {"en": "x"}, shared_with="team", team_id=team.id), anna)
    with pytest.raises(NotAllowed):
        canned.save(None, Canned("All", {"en": "x"}, shared_with="everybody"), anna)
    with pytest.raises(NotAllowed):
        canned.save(None, Canned("Theirs", {"en": "x"}, shared_with="team", team_id=team.id), otto)
    everybodys = canned.save(None, Canned("All", {"en": "x"}, shared_with="everybody"), boss)
    assert {row.id for row in canned.listed(anna)} == {mine.id, teams.id, everybodys.id}
    assert [row.id for row in canned.listed(otto)] == [everybodys.id]
    assert [row.id for row in canned.listed(anna, "% _MINE")] == [mine.id]
    assert canned.find(mine.id, boss) is None
    with pytest.raises(NotAllowed):
        canned.delete(everybodys, otto)
    canned.count_use(everybodys)
    db.session.refresh(everybodys)
    assert everybodys.used == 1
    pages = canned.listed(anna, limit=2), canned.listed(anna, after=canned.listed(anna, limit=2)[-1])
    assert [len(page) for page in pages] == [2, 1]


def test_a_file_carries_them_to_another_desk(app: Any, make_user: Any) -> None:
    anna, otto = make_user("agent"), make_user("agent")
    texts = {"en": "=cmd() it", "zh_Hans": "您好"}
    canned.save(None, Canned("-Dash", texts, "Folder / Sub"), anna)
    for form in (canned_exchange.as_json(anna), canned_exchange.as_csv(anna)):
        taken = canned_exchange.take_in(form.encode(), otto)
        assert taken.made + taken.changed == 1
        (kept,) = canned.listed(otto)
        assert (kept.name, kept.folder) == ("-Dash", "Folder / Sub")
        assert {row.locale: row.text for row in kept.texts} == texts
    assert "\n=cmd" not in canned_exchange.as_csv(anna) and ",=cmd" not in canned_exchange.as_csv(anna)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe", b"[1]", b"[" * 100_000, b'[{"name": "A", "texts": {"en": "{{ no }}"}}]', b"a,b\n1,2\n", b"",
        b'[{"name": "Good", "texts": {"en": "x"}}, {"name": "", "texts": {"en": "x"}}]', b"x" * (6 << 20),
        b'[{"name": "A", "texts": {"klingon!": "x"}}]',
    ],
    ids=range(9),
)  # fmt: skip
def test_a_file_that_is_none_changes_nothing(app: Any, make_user: Any, data: bytes) -> None:
    with pytest.raises(NotTaken):
        canned_exchange.take_in(data, make_user("agent"))
    db.session.rollback()
    assert db.session.scalar(db.select(db.func.count(CannedResponse.id))) == 0


def test_a_person_takes_their_own_along(app: Any, make_user: Any, make_ticket: Any) -> None:
    anna, admin = make_user("agent", active=True), make_user("admin")
    boss = make_user("supervisor")
    canned.save(None, Canned("Mine", {"en": "My words"}), anna)
    steps = [{"do": "note", "value": "My step"}]
    macros.save(None, MacroDraft("My macro", steps), anna)
    wide = macros.save(None, MacroDraft("Ours", steps, "everybody"), boss)
    bulk.begin([make_ticket().id], actions.parse(steps, anna), anna)
    shared = canned.save(None, Canned("All", {"en": "x"}, shared_with="everybody"), boss)
    told = personal_data.export(anna, admin)
    assert told["canned_responses"][0]["texts"] == {"en": "My words"}
    assert told["macros"] == [{"name": "My macro", "shared_with": "mine", "actions": steps}]
    assert [(act["actions"], act["tickets"], act["state"]) for act in told["bulk_acts"]] == [(steps, 1, "done")]
    for person in (anna, boss):
        person.active = False
        db.session.commit()
        personal_data.erase(person, admin)
    assert [(row.id, row.owner_id) for row in db.session.scalars(db.select(CannedResponse))] == [(shared.id, None)]
    assert [(row.id, row.owner_id) for row in db.session.scalars(db.select(Macro))] == [(wide.id, None)]
    assert not db.session.scalars(db.select(BulkAct)).all() and not db.session.scalars(db.select(BulkItem)).all()
