"""Names of teams, fields, choices and statuses in the reader's language: on pages, in mails, without more queries."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale

from helpdesk.core import i18n, labels, statuses, workflow
from helpdesk.core.extensions import db
from helpdesk.core.fields import change_field, make_field
from helpdesk.core.models import LabelText, Status, TicketField
from helpdesk.core.status_editing import change_status
from helpdesk.core.teams import change_team, make_team
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import Invalid

HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'


@pytest.fixture
def home(home: Path) -> Path:
    """A desk that speaks German beside English and Chinese."""
    target = home / "translations" / "de" / "LC_MESSAGES"
    target.mkdir(parents=True)
    (target / "messages.po").write_text(f'{HEAD}msgid "Save"\nmsgstr "Sichern"\n', "utf-8")
    return home


@pytest.fixture
def world(app: Flask, make_ticket: Any, make_user: Any) -> dict[str, Any]:
    team = make_team("Workshop", None, texts={"de": "Werkstatt", "zh_Hans": ""})
    field = make_field(
        "Wheel size",
        "choice",
        None,
        choices=["Small", "Large"],
        public=True,
        texts={"de": "Radgröße"},
        choice_texts={"de": ["Klein", "Groß"]},
    )
    status = statuses.by_key("pending")
    assert status is not None
    change_status(status, "Waits", True, None, {"de": "Wartet"})
    ticket = make_ticket("Brake", team=team, requester=make_user(locale="de"))
    workflow.set_field(ticket, "wheel_size", "Large", None)
    workflow.set_status(ticket, "pending", None)
    return {"team": team, "field": field, "status": status, "ticket": ticket}


def test_each_reader_has_a_language(world: dict[str, Any]) -> None:
    with force_locale("de"):
        assert labels.team_name(world["team"]) == "Werkstatt"
        assert labels.field_label(world["field"]) == "Radgröße"
        assert labels.choices_of(world["field"]) == [("Small", "Klein"), ("Large", "Groß")]
        assert statuses.label(world["status"]) == "Wartet"
    with force_locale("zh_Hans"):
        assert labels.team_name(world["team"]) == "Workshop" and statuses.label(world["status"]) == "Waits"
        assert labels.choice_label(world["field"], "Large") == "Large"
    assert labels.team_name(world["team"], "de") == "Werkstatt"


def test_pages_show_them(world: dict[str, Any], sign_in: Any, make_user: Any, client: Any) -> None:
    ticket = world["ticket"]
    reader = sign_in(make_user("admin", locale="de"))
    page = reader.get(f"/desk/tickets/{ticket.id}").text
    for word in ("Werkstatt", "Radgröße", "Groß", "Wartet"):
        assert word in page, word
    for word in ("Workshop", "Wheel size", ">Large<", "Waits"):
        assert word not in page, word
    for path in ("/desk/views/all", f"/desk/views/team-{world['team'].id}", "/desk/tickets/new", "/admin/teams"):
        assert "Werkstatt" in reader.get(path).text, path
    form = client.get("/", headers={"Accept-Language": "de"}).text
    assert "Radgröße" in form and 'value="Large">Groß<' in form
    assert "Workshop" in sign_in(make_user("admin")).get("/desk/views/all").text


def test_they_cost_no_query(world: dict[str, Any], sign_in: Any, make_user: Any, count_queries: Any) -> None:
    reader = sign_in(make_user("admin", locale="de"))
    reader.get("/desk/views/all")
    with count_queries() as few:
        reader.get("/desk/views/all")
    for number in range(20):
        with transaction():
            labels.keep(labels.TEAM, 1000 + number, {"de": f"Gruppe {number}"})
    reader.get("/desk/views/all")
    with count_queries() as many:
        reader.get("/desk/views/all")
    assert len(many) == len(few)


@pytest.mark.db
def test_what_is_removed_falls_back_and_other_languages_stay(world: dict[str, Any]) -> None:
    team = world["team"]
    values = {"name": "Garage", "color": "blue", "private": False, "active": True, "members": []}
    change_team(team, None, texts={"zh_Hans": "维修"}, **values)
    assert labels.texts(labels.TEAM, team.id) == {"de": "Werkstatt", "zh_Hans": "维修"}
    change_team(team, None, texts={"de": " \n "}, **values)
    assert labels.team_name(team, "de") == "Garage" and labels.team_name(team, "zh_Hans") == "维修"
    change_team(team, None, **values)
    assert labels.texts(labels.TEAM, team.id) == {"zh_Hans": "维修"}


@pytest.mark.db
def test_choices_keep_their_words_when_their_order_changes(world: dict[str, Any]) -> None:
    field = world["field"]
    values = {"label": "Wheel size", "public": True, "required": False, "active": True}
    change_field(field, None, choices=["Large", "Middle", "Small"], **values)
    assert labels.choice_texts(field.id, field.choices) == {"de": ["Groß", "", "Klein"]}
    change_field(field, None, choices=["Large", "Middle"], choice_texts={"de": ["Groß", "Mittel"]}, **values)
    assert labels.choices_of(field) == [("Large", "Large"), ("Middle", "Middle")]
    assert labels.choice_label(field, "Middle", "de") == "Mittel"
    change_field(field, None, choices=["Large", "Middle"], choice_texts={"de": []}, **values)
    assert db.session.scalar(db.select(LabelText).where(LabelText.kind == "choices")) is None


@pytest.mark.parametrize("kind", ["team", "field", "status", "choice"])
def test_one_that_is_too_long_is_refused_and_nothing_changes(world: dict[str, Any], kind: str) -> None:
    long = {"de": "x" * 81}
    team_values = {"name": "Other", "color": "blue", "private": False, "active": True, "members": []}
    field_values = {"label": "Other", "choices": ["A"], "public": True, "required": False, "active": True}
    acts: dict[str, Callable[[], None]] = {
        "team": lambda: change_team(world["team"], None, texts=long, **team_values),
        "field": lambda: change_field(world["field"], None, texts=long, **field_values),
        "status": lambda: change_status(world["status"], "Other", True, None, long),
        "choice": lambda: change_field(world["field"], None, choice_texts={"de": ["x" * 81]}, **field_values),
    }
    with pytest.raises(Invalid) as refused:
        acts[kind]()
    assert refused.value.field == ("choices_de" if kind == "choice" else "text_de")
    db.session.expire_all()
    assert (world["team"].name, world["field"].label, world["status"].name) == ("Workshop", "Wheel size", "Waits")


def test_other_processes_see_it(world: dict[str, Any], make_app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from helpdesk.core import generation

    other = make_app()
    with other.app_context():
        assert labels.name(labels.TEAM, world["team"].id, "own", "de") == "Werkstatt"
    with transaction():
        labels.keep(labels.TEAM, world["team"].id, {"de": "Werkbank"})
    monkeypatch.setattr(generation, "INTERVAL", 0.0)
    with other.app_context():
        assert labels.name(labels.TEAM, world["team"].id, "own", "de") == "Werkbank"


# ---- the owner's forms


def test_a_team_has_a_name_in_each_language(world: dict[str, Any], as_admin: Any) -> None:
    team, address = world["team"], f"/admin/teams/{world['team'].id}"
    page = as_admin.get(address).text
    assert 'name="text_de" type="text" value="Werkstatt"' in page and 'name="text_zh_Hans"' in page
    assert 'name="text_en"' not in page
    form = {"name": "Workshop", "color": "blue", "active": "1"}
    answer = as_admin.post(address, data={**form, "text_de": "y" * 81, "text_zh_Hans": "维修"})
    assert answer.status_code == 422 and "y" * 81 in answer.text and "维修" in answer.text and "too long" in answer.text
    assert as_admin.post(address, data={**form, "text_de": "Werkbank", "text_xx": "?"}).status_code == 303
    assert labels.texts(labels.TEAM, team.id) == {"de": "Werkbank"}
    assert as_admin.post("/admin/teams/new", data={"name": "Shop", "text_de": "Laden"}).status_code == 303
    assert labels.name(labels.TEAM, team.id + 1, "Shop", "de") == "Laden"


def test_a_field_has_a_name_and_choices_in_each_language(world: dict[str, Any], as_admin: Any) -> None:
    field, address = world["field"], f"/admin/fields/{world['field'].id}"
    page = as_admin.get(address).text
    assert 'value="Radgröße"' in page and "Klein\nGroß</textarea>" in page
    form = {"label": "Wheel size", "choices": "Small\r\nLarge", "active": "1", "public": "1"}
    answer = as_admin.post(address, data={**form, "text_de": "Radmaß", "choices_de": "K\r\n" + "z" * 81})
    assert answer.status_code == 422 and "z" * 81 in answer.text and "Radmaß" in answer.text
    assert as_admin.post(address, data={**form, "text_de": "Radmaß", "choices_de": "\r\nRiesig"}).status_code == 303
    assert labels.field_label(field, "de") == "Radmaß"
    assert [labels.choice_label(field, choice, "de") for choice in ("Small", "Large")] == ["Small", "Riesig"]
    new = {"label": "Colour", "kind": "choice", "choices": "Red", "text_de": "Farbe", "choices_de": "Rot"}
    assert as_admin.post("/admin/fields/new", data=new).status_code == 303
    made = db.session.scalars(db.select(TicketField).where(TicketField.key == "colour")).one()
    assert labels.choice_label(made, "Red", "de") == "Rot"


def test_a_status_has_a_name_in_each_language(world: dict[str, Any], as_admin: Any) -> None:
    status = world["status"]
    page = as_admin.get("/admin/statuses").text
    assert 'value="Wartet"' in page
    address = f"/admin/statuses/{status.id}"
    answer = as_admin.post(address, data={"name": "Waits", "active": "1", "text_de": "w" * 41})
    assert answer.status_code == 422 and "w" * 41 in answer.text and "too long" in answer.text
    assert as_admin.post(address, data={"name": "", "active": "1", "text_de": "Liegt"}).status_code == 303
    status = db.session.get(Status, status.id)
    assert statuses.label(status) == "Pending"
    with force_locale("de"):
        assert statuses.label(status) == "Liegt"


def test_the_desks_own_language_is_the_name_itself(world: dict[str, Any], as_admin: Any) -> None:
    from helpdesk.core import settings

    settings.save(settings.DeskSettings, {"default_locale": "de"}, None)
    page = as_admin.get(f"/admin/teams/{world['team'].id}").text
    assert 'name="text_en"' in page
    assert 'name="text_de"' in page, "a name that is kept is still shown, so that it can be removed"
    assert 'name="text_de"' not in as_admin.get("/admin/teams/new").text
    assert i18n.default_locale() == "de"
