"""Reports: who sees which, over which span, what is in their cells and files, and what a plugin that fails does."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from markupsafe import Markup

from helpdesk.api import Column, Permission, Report, Table, hookimpl, lazy_gettext
from helpdesk.core.clock import now
from helpdesk.plugins import manager

KINDS = ["text", "number", "percent", "duration", "moment", "date"]


class Asked:
    """What the report ``orders.all`` answers, and what it was asked for."""

    def __init__(self) -> None:
        self.answer: Any = Table([Column("Team")], [["Workshop"]])
        self.spans: list[tuple[datetime, datetime]] = []
        self.users: list[Any] = []

    def run(self, start: datetime, end: datetime, user: Any) -> Any:
        self.spans.append((start, end))
        self.users.append(user.name)
        return self.answer() if callable(self.answer) else self.answer


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def desk_plugins(asked: Asked) -> dict[str, Any]:
    reports = [
        Report("orders.all", lazy_gettext("All orders"), asked.run, hint="By team"),
        Report("orders.secret", "Margins", asked.run, permission="orders.margins"),
        Report("orders.open", "For everybody", asked.run, permission="desk.use"),
    ]
    permissions = [Permission("orders.margins", "See margins", roles=("admin",))]
    return {
        "orders": SimpleNamespace(
            register_reports=hookimpl(lambda: reports), register_permissions=hookimpl(lambda: permissions)
        )
    }


@pytest.fixture
def table(asked: Asked, as_supervisor: Any) -> Callable[..., Any]:
    """The page of the report with one row of these cells, each of its kind."""

    def show(kinds: list[str], row: list[Any], query: str = "") -> Any:
        asked.answer = Table([Column(f"The {kind}", kind) for kind in kinds], [row])
        return as_supervisor.get(f"/desk/reports/orders.all{query}")

    return show


def _file(answer: Any) -> list[list[str]]:
    assert answer.status_code == 200 and answer.content_type == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


# ---- who sees which


def test_a_report_is_listed_for_those_who_may_see_it(as_agent: Any, as_supervisor: Any, as_admin: Any) -> None:
    titles = ["All orders", "Margins", "For everybody"]
    seen = {
        name: [title in client.get("/desk/reports").text for title in titles]
        for name, client in [("agent", as_agent), ("supervisor", as_supervisor), ("admin", as_admin)]
    }
    assert seen == {"agent": [False, False, True], "supervisor": [True, False, True], "admin": [True, True, True]}
    assert "By team" in as_supervisor.get("/desk/reports").text


@pytest.mark.parametrize("name", ["orders.secret", "orders.nothing", "orders", "%00", "x" * 300])
def test_not_allowed_and_not_there_are_the_same(as_supervisor: Any, asked: Asked, name: str) -> None:
    answer = as_supervisor.get(f"/desk/reports/{name}")
    assert answer.status_code == 404 and answer.data == as_supervisor.get("/desk/reports/not.there").data
    assert asked.spans == []


def test_the_navigation_names_reports_when_there_is_one(app: Any, as_agent: Any, as_supervisor: Any) -> None:
    link = 'href="/desk/reports"'
    assert link in as_agent.get("/desk/me").text
    orders = manager.current().plugins["orders"].contributions
    orders["register_reports"] = [report for report in orders["register_reports"] if report.name == "orders.all"]
    assert link not in as_agent.get("/desk/me").text
    assert link in as_supervisor.get("/desk/me").text


def test_a_desk_without_reports_says_where_they_come_from(make_app: Any, as_admin: Any) -> None:
    manager.current().plugins["orders"].contributions["register_reports"] = []
    page = as_admin.get("/desk/reports").text
    assert "Plugins bring reports." in page and 'href="/desk/reports"' not in page


def test_a_plugin_that_is_off_has_no_reports(as_supervisor: Any) -> None:
    from helpdesk.core import plugin_states

    plugin_states.switch("orders", on=False, actor=None)
    assert as_supervisor.get("/desk/reports/orders.all").status_code == 404
    assert "All orders" not in as_supervisor.get("/desk/reports").text


# ---- the span


def test_without_dates_it_is_the_last_thirty_days(asked: Asked, sign_in: Any, make_user: Any, travel: Any) -> None:
    travel(datetime(2027, 3, 31, 12, tzinfo=UTC))
    page = sign_in(make_user("supervisor")).get("/desk/reports/orders.all").text
    assert asked.spans == [(datetime(2027, 3, 2, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC))]
    assert 'name="from" type="date" value="2027-03-02"' in page and 'value="2027-03-31"' in page


def test_days_are_those_of_the_reader(asked: Asked, sign_in: Any, make_user: Any) -> None:
    client = sign_in(make_user("supervisor", time_zone="America/New_York"))
    client.get("/desk/reports/orders.all?from=2026-03-08&to=2026-03-08")
    # The day on which summer time begins there has 23 hours.
    assert asked.spans == [(datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 3, 9, 4, tzinfo=UTC))]


def test_a_span_may_be_half_open(asked: Asked, sign_in: Any, make_user: Any, travel: Any) -> None:
    travel(datetime(2027, 3, 31, 12, tzinfo=UTC))
    client = sign_in(make_user("supervisor"))
    client.get("/desk/reports/orders.all?from=2027-01-01")
    client.get("/desk/reports/orders.all?to=2027-01-31&from=")
    client.get("/desk/reports/orders.all?from=2027-05-01")
    days = [(start.date().isoformat(), (end - timedelta(days=1)).date().isoformat()) for start, end in asked.spans]
    assert days == [("2027-01-01", "2027-03-31"), ("2027-01-02", "2027-01-31"), ("2027-05-01", "2027-05-01")]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=yesterday&to=2026-01-31", "This is no date"),
        ("from=2026-01-31&to=2026-02-30", "This is no date"),
        ("from=2026-01-31&to=2026-01-01", "The last day is before the first"),
        ("from=0001-01-01", "too far away"),
        ("to=9999-12-31", "too far away"),
        ("from=%3Cscript%3E", "This is no date"),
    ],
)
@pytest.mark.parametrize("form", ["", "&format=csv"])
def test_bad_dates_get_a_sentence_and_stay_typed(
    asked: Asked, as_supervisor: Any, query: str, sentence: str, form: str
) -> None:
    answer = as_supervisor.get(f"/desk/reports/orders.all?{query}{form}")
    assert answer.status_code == 422 and sentence in answer.text and asked.spans == []
    for pair in query.split("&"):
        typed = pair.split("=")[1].replace("%3C", "&lt;").replace("%3E", "&gt;")
        assert f'value="{typed}"' in answer.text


# ---- cells


def test_each_kind_is_shown_as_people_read_it(table: Callable[..., Any]) -> None:
    row = ["Workshop", 12345.678, 0.2534, 7500, datetime(2026, 3, 1, 23, 30, tzinfo=UTC), date(2026, 3, 1)]
    page = table(KINDS, row).text
    for words in ["Workshop", "12,345.68", "25.3%", "2 hr 5 min", "Mar 1, 2026, 11:30:00", "Mar 1, 2026"]:
        assert f"<bdi>{words}" in page, words


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("percent", 0.25, "25%"),
        ("percent", 1, "100%"),
        ("percent", Decimal("-0.005"), "-0.5%"),
        ("number", Decimal("7"), "7"),
        ("duration", 0, "0 sec"),
        ("duration", 59.6, "1 min"),
        ("duration", 86405, "1 day"),
        ("duration", -90, "-1 min 30 sec"),
        ("number", None, "–"),
        ("moment", None, "–"),
        ("text", "", "–"),
        ("text", 5, "5"),
        ("text", Markup("<b>x"), "&lt;b&gt;x"),
        ("date", datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "Mar 1, 2026"),
    ],
)
def test_a_cell(table: Callable[..., Any], kind: str, value: Any, words: str) -> None:
    assert f"<bdi>{words}</bdi>" in table([kind], [value]).text


@pytest.mark.parametrize(
    ("address", "leads"),
    [
        ("/desk/tickets/1", True),
        ("/p/orders/7?x=1", True),
        ("https://evil.example/", False),
        ("//evil.example/", False),
        ("/\\evil.example/", False),
        ("javascript:alert(1)", False),
        (None, False),
        ("", False),
        (7, False),
    ],
)
def test_a_row_leads_to_the_desk_or_nowhere(table: Callable[..., Any], address: Any, leads: bool) -> None:
    page = table(["text", "text"], ["Workshop", "other", address]).text
    body = page.split("<tbody>")[1].split("</tbody>")[0]
    assert ("<a href=" in body) is leads and "evil" not in body and "javascript" not in body
    assert "Workshop" in body and "could not make" not in page


def test_a_note_stands_below_and_nothing_found_is_said(asked: Asked, as_supervisor: Any) -> None:
    asked.answer = Table([Column("Team")], [], note="Counts closed orders only.")
    page = as_supervisor.get("/desk/reports/orders.all").text
    assert "Nothing in this span" in page and "Counts closed orders only." in page and "format=csv" not in page


def test_of_many_rows_the_page_shows_the_first_and_the_file_has_all(asked: Asked, as_supervisor: Any) -> None:
    asked.answer = lambda: Table([Column("Number", "number")], ([number] for number in range(1200)))
    page = as_supervisor.get("/desk/reports/orders.all").text
    assert page.count("<tr>") == 501 and "The first 500 of 1200 rows" in page
    assert len(_file(as_supervisor.get("/desk/reports/orders.all?format=csv"))) == 1201


# ---- the file


def test_the_file_has_plain_values_and_is_named_after_the_report(table: Callable[..., Any]) -> None:
    row = ["Wörkshop", -1234.5, 0.25, 7500, datetime(2026, 3, 1, 23, 30, tzinfo=UTC), date(2026, 3, 1), "/desk/"]
    answer = table(KINDS, row, "?from=2026-03-01&to=2026-03-31&format=csv")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert _file(answer) == [
        ["The text", "The number", "The percent", "The duration (seconds)", "The moment", "The date"],
        ["Wörkshop", "-1234.5", "0.25", "7500", "2026-03-01 23:30:00+00:00", "2026-03-01"],
    ]
    assert 'filename="orders.all_2026-03-01_2026-03-31.csv"' in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_is_a_formula(asked: Asked, as_supervisor: Any, text: str) -> None:
    asked.answer = Table([Column(text)], [[text], [f"a{text}"]])
    head, first, second = _file(as_supervisor.get("/desk/reports/orders.all?format=csv"))
    assert head[0].startswith("'") and first[0].startswith("'") and second[0].startswith("a")


# ---- what goes wrong


def _rows_that_raise() -> Any:
    yield ["Workshop"]
    raise RuntimeError("in the middle")


ONE = [Column("Team")]
WRONG: dict[str, Callable[[], Any]] = {
    "raises": lambda: 1 / 0,
    "exits": lambda: (_ for _ in ()).throw(SystemExit("gone")),
    "nothing": lambda: None,
    "text": lambda: "words",
    "rows_are_text": lambda: Table(ONE, "rows"),
    "rows_are_none": lambda: Table(ONE, None),  # type: ignore[arg-type]
    "row_is_text": lambda: Table(ONE, ["a"]),
    "row_is_short": lambda: Table(ONE, [[]]),
    "row_is_long": lambda: Table(ONE, [["a", "/b", "c"]]),
    "columns_are_text": lambda: Table(["Team"], [["a"]]),  # type: ignore[list-item]
    "kind_unknown": lambda: Table([Column("Team", "colour")], [["a"]]),
    "kind_unhashable": lambda: Table([Column("Team", [])], [["a"]]),  # type: ignore[arg-type]
    "number_is_text": lambda: Table([Column("Team", "number")], [["a"]]),
    "number_is_nan": lambda: Table([Column("Team", "duration")], [[float("nan")]]),
    "number_is_bool": lambda: Table([Column("Team", "number")], [[True]]),
    "moment_is_naive": lambda: Table([Column("Team", "moment")], [[datetime(2026, 1, 1)]]),  # noqa: DTZ001
    "date_is_text": lambda: Table([Column("Team", "date")], [["2026-01-01"]]),
    "rows_raise": lambda: Table(ONE, _rows_that_raise()),  # type: ignore[arg-type]
    "last_row_wrong": lambda: Table(ONE, [["a"]] * 700 + [[]]),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_report_that_fails_is_one_sentence_that_names_its_plugin(
    asked: Asked, as_supervisor: Any, wrong: str
) -> None:
    asked.answer = lambda: WRONG[wrong]()
    answer = as_supervisor.get("/desk/reports/orders.all?from=2026-03-01&to=2026-03-31")
    health = manager.current().plugins["orders"].health["register_reports"]
    assert answer.status_code == 200 and "The plugin “orders” could not make this report." in answer.text
    assert 'value="2026-03-01"' in answer.text and health.errors == 1
    if wrong != "number_is_nan":
        file = as_supervisor.get("/desk/reports/orders.all?format=csv")
        assert file.status_code == 500 and "The plugin “orders” could not make this report." in file.text
    asked.answer = Table(ONE, [["Workshop"]])
    assert "<bdi>Workshop</bdi>" in as_supervisor.get("/desk/reports/orders.all").text, "and the next time it works"


def test_a_title_that_fails_is_the_name(app: Any, as_admin: Any) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no words")

    from dataclasses import replace

    orders = manager.current().plugins["orders"].contributions
    orders["register_reports"] = [replace(orders["register_reports"][0], title=Broken(), permission=["x"])] + [
        replace(orders["register_reports"][2], title=Broken())
    ]
    page = as_admin.get("/desk/reports").text
    assert "orders.open" in page and "orders.all" not in page


def test_a_report_that_writes_changes_nothing(app: Any, asked: Asked, as_supervisor: Any, make_team: Any) -> None:
    from helpdesk.core.extensions import db
    from helpdesk.core.models import Team

    number = make_team("Workshop").id

    def write() -> Table:
        db.session.get(Team, number).name = "Stolen"  # type: ignore[union-attr]
        db.session.flush()
        return Table(ONE, [["done"]])

    asked.answer = write
    assert as_supervisor.get("/desk/reports/orders.all").status_code == 200
    db.session.rollback()
    assert db.session.get(Team, number).name == "Workshop"  # type: ignore[union-attr]


def test_its_time_is_counted(asked: Asked, as_supervisor: Any) -> None:
    as_supervisor.get("/desk/me")
    health = manager.current().plugins["orders"].health["register_reports"]
    before = health.seconds
    as_supervisor.get("/desk/reports/orders.all")
    assert health.seconds > before and asked.users == ["Sue Supervisor"] and now() > asked.spans[0][0]
