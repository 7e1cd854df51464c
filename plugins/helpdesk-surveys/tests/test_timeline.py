"""What the plugin of customer records is given for its timeline."""

from types import SimpleNamespace
from typing import Any

import pytest
from helpdesk_surveys.models import Response

from helpdesk.api import User, collect, db, hookimpl, hookspec, transaction


@pytest.fixture
def desk_plugins(desk_plugins: dict[str, Any]) -> dict[str, Any]:
    """This plugin, and one that asks for entries as that of customer records does."""

    @hookspec("slot")
    def customers_timeline(page: Any) -> list[Any]:
        """Entries of a page."""

    offers = hookimpl(lambda: [customers_timeline])
    return {**desk_plugins, "customers": SimpleNamespace(register_hookspecs=offers)}


def _asked(viewer: User, person: User | None = None, organization_id: int | None = None) -> list[Any]:
    def newest(kind: str, query: Any, at: Any, number: Any) -> Any:
        assert kind == "surveys_answer"
        return db.session.scalars(query.order_by(at.desc(), number.desc())).unique().all()

    def entry(kind: str, number: int, at: Any, title: str, **more: Any) -> Any:
        return SimpleNamespace(id=number, at=at, title=title, **more)

    page = SimpleNamespace(
        person_ids=(person.id,) if person is not None else (), organization_id=organization_id, viewer=viewer,
        newest=newest, entry=entry,
    )  # fmt: skip
    return collect("customers_timeline", page=page)


def test_answers_stand_in_the_timeline(
    app: Any, survey: Any, anna: User, agent: User, boss: User, make_user: Any, count_queries: Any
) -> None:
    """Those that the reader may see; what somebody said anonymously leads to nobody."""
    items = [{"key": "q1", "kind": "text", "page": 1, "text": {"en": "What else?"}}]
    asked, form = survey(), survey({"texts": {}, "items": items}, name="Words", kind="form")
    with transaction():
        for one, score in ((asked, 2), (form, None)):
            db.session.add(Response(survey_id=one.id, version_id=one.version_id, score=score, comment="Late.",
                                    user_id=anna.id, agent_id=agent.id))  # fmt: skip
        db.session.add(Response(survey_id=asked.id, version_id=asked.version_id, score=5))
    # What every page has read by then.
    with app.test_request_context():
        assert len(_asked(boss, anna)) == 2
    with app.test_request_context(), count_queries() as statements:
        found = _asked(boss, anna)
    assert len(statements) == 1, statements
    assert [one.title for one in found] == ["Answered: Words", "Answered: How was it?, 2 of 5"]
    assert found[1].text == "Late." and found[1].by == "Anna Berg" and "/p/surveys/answers/" in found[1].url
    with app.test_request_context():
        assert len(_asked(agent, anna)) == 2 and _asked(make_user("agent"), anna) == []
        assert _asked(boss, organization_id=1) == []
