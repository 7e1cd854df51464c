"""Moments as people type them, read by the reader's clock."""

from datetime import UTC, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.core import moments
from helpdesk.core.i18n import speaking
from helpdesk.core.moments import EVENING, NotAMoment, offered, parse

# A Friday, noon in Berlin.
NOON = datetime(2026, 11, 27, 11, 0, tzinfo=UTC)
ZONE = "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("3h", "2026-11-27T14:00"),
        ("in 90 minutes", "2026-11-27T12:30"),
        ("2 days", "2026-11-29T11:00"),
        ("1W", "2026-12-04T11:00"),
        ("2小时后", "2026-11-27T13:00"),
        ("tomorrow", "2026-11-28T08:00"),
        ("tomorrow 14:30", "2026-11-28T13:30"),
        ("Monday 9am", "2026-11-30T08:00"),
        ("friday", "2026-12-04T08:00"),
        ("workday", "2026-11-30T08:00"),
        ("next working day 8:15", "2026-11-30T07:15"),
        ("week", "2026-11-30T08:00"),
        ("today", "2026-11-27T16:00"),
        ("17:00", "2026-11-27T16:00"),
        ("8:00", "2026-11-28T07:00"),
        ("明天 9点", "2026-11-28T08:00"),
        ("2026-12-01", "2026-12-01T08:00"),
        ("2026-12-01T17:00", "2026-12-01T16:00"),
        ("2026-12-01 17:00", "2026-12-01T16:00"),
        ("2026-12-01T17:00:00Z", "2026-12-01T17:00"),
        # Summer time begins at two: there is no half past two.
        ("2027-03-28 02:30", "2027-03-28T01:30"),
    ],
)
def test_what_people_type(app: Any, travel: Any, text: str, means: str) -> None:
    travel(NOON)
    moment = parse(text, zone=ZONE)
    assert moment.replace(second=0, microsecond=0) == datetime.fromisoformat(means).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "  ", "soon", "9", "25:00", "13pm", "2026-02-30", "2026-11-27", "2020-01-01 9:00", "99999w", "9999-12-31",
     "tomorrow at noonish", "x" * 500, "2026-12-01T99:00", "٣h h"],
)  # fmt: skip
def test_what_is_no_moment_to_come_gets_a_sentence(app: Any, travel: Any, text: str) -> None:
    travel(NOON)
    with pytest.raises(NotAMoment) as problem:
        parse(text, zone=ZONE)
    assert str(problem.value).endswith(".") and len(str(problem.value)) < 200


def test_a_day_alone_means_its_evening_for_a_due_date_and_choices_come_once_in_order(app: Any, travel: Any) -> None:
    travel(NOON)
    assert parse("2026-11-27", zone=ZONE, day_at=EVENING).hour == 16
    found = offered(["week", "tomorrow", "1h", "workday", "today"], zone=ZONE)
    # Next Monday is the next working day: it is offered once.
    assert [choice.key for choice in found] == ["1h", "today", "tomorrow", "week"]
    with speaking("zh_Hans"):
        assert parse("星期一 10:00", zone=ZONE).hour == 9


@given(st.text(max_size=70), st.times())
def test_no_text_breaks_it(text: str, day_at: time) -> None:
    at = datetime(2026, 11, 27, 11, 0, tzinfo=UTC)
    from zoneinfo import ZoneInfo

    found = moments._written_out(text.casefold(), at, ZoneInfo(ZONE), None, day_at)
    assert found is None or found.tzinfo is not None
    found = moments._distance(text.casefold(), at, ZoneInfo(ZONE), None, day_at)
    assert found is None or found.tzinfo is not None
