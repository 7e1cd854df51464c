"""Two records of a customer become one: the language that she is known to write in, and what undoing leaves."""

from typing import Any

import pytest
from helpdesk_multilingual import speech
from helpdesk_multilingual.models import PersonLanguage

from helpdesk.api import User, db, merge_people, unmerge_people

DE = "Meine Bestellung ist seit zwei Wochen nicht angekommen, wo bleibt sie?"
ES = "No me ha llegado el pedido y ya han pasado dos semanas."


@pytest.fixture
def other(make_user: Any) -> User:
    found: User = make_user(name="L. Ferrer", email="lucia@home.example")
    return found


@pytest.fixture
def boss(make_user: Any) -> User:
    found: User = make_user("supervisor")
    return found


def known(person: User) -> tuple[str, bool, list[str]] | None:
    db.session.expire_all()
    row = db.session.get(PersonLanguage, person.id)
    return (row.language, row.chosen, list(row.past)) if row is not None else None


def test_what_both_wrote_counts_and_is_parted_again(
    lucia: User, other: User, boss: User, make_ticket: Any, run_jobs: Any
) -> None:
    """people_merged, people_unmerged: rows go along, and come back."""
    make_ticket(text=DE, requester=lucia)
    for _turn in range(2):
        make_ticket(text=ES, requester=other)
    run_jobs()
    before = known(lucia), known(other)
    assert before == (("de", False, ["de"]), ("es", False, ["es", "es"]))
    merge = merge_people(lucia, other, boss)
    run_jobs()
    assert known(lucia) == ("es", False, ["es", "es", "de"])
    unmerge_people(merge, boss)
    run_jobs()
    assert (known(lucia), known(other)) == before


def test_who_wrote_nothing_gets_the_language_of_the_other_and_loses_it_again(
    lucia: User, other: User, boss: User, make_ticket: Any, run_jobs: Any
) -> None:
    make_ticket(text=ES, requester=other)
    run_jobs()
    merge = merge_people(lucia, other, boss)
    run_jobs()
    assert known(lucia) == ("es", False, ["es"])
    unmerge_people(merge, boss)
    run_jobs()
    assert known(lucia) is None and known(other) == ("es", False, ["es"])


def test_what_was_said_of_the_other_counts_until_undone(
    lucia: User, other: User, boss: User, make_ticket: Any, run_jobs: Any, travel: Any
) -> None:
    make_ticket(text=DE, requester=lucia)
    run_jobs()
    speech.set_person(other, "da", boss)
    before = known(lucia)
    travel(hours=1)
    merge = merge_people(lucia, other, boss)
    run_jobs()
    assert known(lucia) == ("da", True, ["de"])
    unmerge_people(merge, boss)
    run_jobs()
    assert known(lucia) == before and known(other) == ("da", True, [])


def test_what_was_said_of_the_survivor_stays(lucia: User, other: User, boss: User, run_jobs: Any, travel: Any) -> None:
    speech.set_person(lucia, "nb", boss)
    speech.set_person(other, "nb", boss)
    travel(hours=1)
    merge = merge_people(lucia, other, boss)
    run_jobs()
    unmerge_people(merge, boss)
    run_jobs()
    assert known(lucia) == known(other) == ("nb", True, [])
