"""What surveys say to recommendations: hooks upsell_objections and upsell_satisfaction."""

from collections.abc import Callable
from typing import Any

from helpdesk_surveys.answering import answer, open_link
from helpdesk_surveys.links import token
from helpdesk_surveys.models import Survey
from helpdesk_surveys.settings import SurveySettings
from helpdesk_surveys.upselling import upsell_objections, upsell_satisfaction

from helpdesk.api import Ticket, User

Make = Callable[..., Survey]


def test_a_low_answer_lately_speaks_against_it(
    survey: Make, solved: Any, ticket: Ticket, anna: User, agent: User, travel: Any, configure: Any
) -> None:
    """A better one does not, nor an old one, nor one of somebody else."""
    configure(SurveySettings, low_days=10)
    survey()
    link = open_link(token(solved()))
    assert upsell_objections(ticket, anna) == []
    answer(link, 2)
    assert upsell_objections(ticket, anna) == ["the customer was dissatisfied in a survey lately"]
    assert upsell_objections(ticket, agent) == []
    answer(link, 3)
    assert upsell_objections(ticket, anna) == []
    answer(link, 1)
    assert upsell_objections(ticket, anna)
    travel(days=11)
    assert upsell_objections(ticket, anna) == []


def test_how_satisfied_people_were(survey: Make, solved: Any, ticket: Ticket, make_ticket: Any) -> None:
    """As a share of the scale: four of one to five is three quarters; nothing of a ticket nobody was asked about."""
    survey()
    other = make_ticket("Another")
    assert upsell_satisfaction([ticket.id, other.id]) == []
    answer(open_link(token(solved())), 4)
    assert upsell_satisfaction([ticket.id, other.id]) == [(ticket.id, 0.75)]


def test_an_anonymous_answer_speaks_against_nothing(survey: Make, solved: Any, ticket: Ticket, anna: User) -> None:
    survey(anonymous=True)
    answer(open_link(token(solved())), 1)
    assert upsell_objections(ticket, anna) == [] and upsell_satisfaction([ticket.id]) == []
