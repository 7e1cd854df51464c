"""``helpdesk career``: begin, place, measure and keep, and what they say of mistakes (register_commands)."""

from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from helpdesk_career import cli, ladder, records
from helpdesk_career.models import Measure, Person, Track

from helpdesk.api import db, now, transaction


def run(command: str, *words: str) -> Result:
    db.session.rollback()
    return CliRunner().invoke(getattr(cli, command), list(words))


def test_begin_makes_the_ladder_once(app: Any) -> None:
    """register_commands: the four levels, and the same again when it runs twice."""
    assert [one.command.name for one in cli.register_commands()] == ["begin", "measure", "place", "keep"]
    said = "Customer service: Junior agent, Intermediate agent, Senior agent, Supervisor\n"
    assert [run("begin").output for _turn in range(2)] == [said, said]
    assert len(db.session.scalars(db.select(Track)).all()) == 1


def test_place_measure_and_keep(agent: Any, asks: Any, solved: Any, level_of: Any) -> None:
    asks("intermediate", ("career.solved", 3))
    done = run("place", " ABE@desk.example ", "junior", "--why", "She has begun.", "--since", "2026-01-05")
    assert (done.exit_code, done.output) == (0, "Abe Agent: Junior agent (Customer service)\n")
    [step] = records.history(agent)
    assert level_of(agent) == "junior" and step.held_from.isoformat()[:10] == "2026-01-05" and step.by_id is None
    solved(agent)
    assert run("measure").output == "Measured 1 person.\n"
    assert db.session.scalars(db.select(Measure.value)).all() == [1.0]
    # By the name, and by the number.
    senior = next(level for level in ladder.levels() if level.key == "senior")
    assert run("place", agent.email, "Senior agent", "--why", "As it was before the desk.").exit_code == 0
    assert run("place", agent.email, str(senior.id), "--why", "Again.").exit_code == 1
    with transaction():
        agent.active = False
    assert run("keep").output == "Ended 1, forgot 0.\n" and level_of(agent) == ""
    with transaction():
        db.session.get_one(Person, agent.id).left_at = now() - timedelta(days=2_000)
    assert run("keep").output == "Ended 0, forgot 1.\n"
    assert db.session.get(Person, agent.id) is None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nobody@desk.example", "junior", "--why", "So."), "Nobody has the address nobody@desk.example"),
        (("abe@desk.example", "master", "--why", "So."), "Name one level by its number"),
        (("abe@desk.example", "junior", "--why", " "), "Say why"),
        (("abe@desk.example", "junior", "--why", "So.", "--since", "2999-01-01"), "has not come yet"),
        (("abe@desk.example", "junior", "--why", "So.", "--since", "soon"), "soon"),
        (("abe@desk.example", "junior"), "--why"),
    ],
)
def test_place_says_what_is_wrong(agent: Any, track: Any, level_of: Any, words: Any, sentence: str) -> None:
    answer = run("place", *words)
    assert answer.exit_code != 0 and sentence in answer.output and level_of(agent) == ""


def test_without_a_ladder_there_is_no_level_to_name(agent: Any) -> None:
    assert "there are none yet" in run("place", agent.email, "junior", "--why", "So.").output
