"""What levels of careers may ask for: that somebody has a language well."""

from typing import Any

from helpdesk_multilingual import agents, criteria


def test_well_or_as_the_first_one(app: Any, make_user: Any, sign_in: Any) -> None:
    native, good, basic, none = (make_user("agent") for _turn in range(4))
    for user, level in ((native, "native"), (good, "good"), (basic, "basic")):
        agents.save(user, {"es": level}, user)
    people = [native.id, good.id, basic.id, none.id]
    assert criteria.measure(people, None, "es") == {
        native.id: (1.0, 1), good.id: (1.0, 1), basic.id: (0.0, 1), none.id: (0.0, 1),
    }  # fmt: skip
    assert criteria.measure(people, None, "fr") == dict.fromkeys(people, (0.0, 1))
    described = criteria.career_criteria()[0]
    assert set(described) == {"key", "label", "unit", "better", "counts", "choices", "measure", "link"}
    assert described["unit"] == "yes" and "es" in dict(described["choices"]())
    with app.test_request_context():
        link = criteria.link(native.id, "es", 0)
    assert link is not None and sign_in(make_user("admin")).get(link).status_code == 200
