"""The hours on the command line."""

from collections.abc import Callable

from tests.cli.conftest import Said

Run = Callable[..., Said]


def test_hours_are_listed_shown_and_asked(helpdesk: Run) -> None:
    assert "round the clock" in helpdesk("hours", "list").out
    # Without hours every minute is one.
    said = helpdesk("hours", "after", "90", "--from", "2026-11-27T16:30+01:00")
    assert said.status == 0 and said.out.strip() == "2026-11-27T17:00+00:00"
    assert helpdesk("hours", "after", "90", "--from", "2026-11-27T16:30", "--json").json[0]["zone"] == "UTC"
    assert helpdesk("team", "add", "Workshop").status == 0
    days = helpdesk("hours", "show", "--team", "workshop", "--json").json
    assert len(days) == 14 and {day["open"] for day in days} == {"00:00-24:00"}
    for words in (("show", "--team", "Nobody"), ("after", "5", "--from", "soon"), ("after", "9999999")):
        said = helpdesk("hours", *words)
        assert said.status == 1 and len(said.err.splitlines()) == 1, words
