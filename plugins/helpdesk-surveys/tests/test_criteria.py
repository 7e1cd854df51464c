"""What levels of careers may ask surveys for: good answers of a hundred, and how many there were."""

from datetime import timedelta
from typing import Any

import pytest
from helpdesk_surveys import criteria
from helpdesk_surveys.models import BY_AGENT, Day, Survey

from helpdesk.api import User, db, now, transaction


def count(rows: list[tuple[int, int, int]], survey: Survey, ago: int = 0) -> None:
    """Kept counts as they are after answers: (agent, good, all)."""
    with transaction():
        for agent, good, every in rows:
            day = (now() - timedelta(days=ago)).date()
            db.session.add(
                Day(survey_id=survey.id, cut=BY_AGENT, day=day, agent_id=agent, answers=every, n5=good, n1=every - good)
            )


@pytest.mark.db
def test_of_one_survey_and_of_all_within_a_span(
    app: Any, survey: Any, agent: User, boss: User, count_queries: Any
) -> None:
    one, other = survey(name="One"), survey(name="Other")
    effort, silent = survey(name="Effort", kind="ces"), survey(name="Silent", anonymous=True)
    count([(agent.id, 3, 4), (boss.id, 0, 2)], one)
    count([(agent.id, 0, 4)], other)
    count([(agent.id, 5, 5)], one, ago=40)
    count([(agent.id, 9, 9)], effort)
    count([(agent.id, 9, 9)], silent)
    people, since, number = [agent.id, boss.id, 99_999], now() - timedelta(days=30), str(one.id)
    with count_queries() as statements:
        assert criteria.measure(people, since, number) == {agent.id: (75.0, 4), boss.id: (0.0, 2)}
    assert len(statements) == 1
    assert criteria.measure(people, None, str(one.id))[agent.id] == (pytest.approx(100 * 8 / 9), 9)
    assert criteria.measure(people, since, criteria.EVERY)[agent.id] == (37.5, 8)
    for nonsense in ("", "x", "99999", "１", "9" * 30):
        assert criteria.measure(people, None, nonsense) == {}


def test_what_may_be_chosen_and_where_it_leads(app: Any, survey: Any, agent: User, sign_in: Any) -> None:
    one = survey(name="One")
    survey(name="Effort", kind="ces")
    survey(name="Silent", anonymous=True)
    assert criteria.surveys_to_choose() == [("all", "all surveys"), (str(one.id), "One")]
    with app.test_request_context():
        links = [criteria.link(agent.id, choice, days) for choice in (str(one.id), "all") for days in (0, 30)]
    client = sign_in(agent)
    for link in links:
        assert link is not None and client.get(link).status_code == 200


def test_the_hook_describes_it_whole(app: Any) -> None:
    described = criteria.career_criteria()[0]
    assert set(described) == {"key", "label", "unit", "better", "counts", "choices", "measure", "link"}
    assert (described["key"], described["unit"], described["better"], described["counts"]) == (
        "surveys.csat", "percent", "more", True,
    )  # fmt: skip
