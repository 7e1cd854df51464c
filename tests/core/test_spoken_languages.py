"""The language of tickets and people, and the chain that is tried for a text: canned responses, names, corrections."""

from typing import Any

import pytest

from helpdesk.core import accounts, canned, corrections, i18n, labels, languages, wordings, workflow
from helpdesk.core.canned import Canned, InvalidCanned
from helpdesk.core.catalogs import digest_of
from helpdesk.core.extensions import db
from helpdesk.core.filter_criteria import criteria
from helpdesk.core.filters import InvalidFilter, parse_filter
from helpdesk.core.models import Event, Ticket
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.transaction import transaction
from helpdesk.core.wordings import InvalidWording
from helpdesk.core.workflow import Invalid, Stale


@pytest.mark.parametrize(
    ("code", "tidy", "chain"),
    [
        ("es", "es", ["es"]),
        ("pt-br", "pt_BR", ["pt_br", "pt_BR", "pt"]),
        ("zh_TW", "zh_Hant", ["zh_TW", "zh_Hant", "zh"]),
        ("zh-CN", "zh_Hans", ["zh_CN", "zh_Hans", "zh"]),
        ("zh", "zh_Hans", ["zh", "zh_Hans"]),
        ("", None, []),
        (None, None, []),
        ("<b>", None, ["<b>"]),
        ("x" * 30, None, ["x" * 30]),
    ],
)
def test_codes_are_made_tidy_and_have_a_chain(code: str | None, tidy: str | None, chain: list[str]) -> None:
    assert languages.tidy(code) == tidy and languages.chain(code) == chain


@pytest.mark.db
def test_a_ticket_is_said_to_be_in_a_language_and_lists_find_it(
    make_ticket: Any, make_user: Any, as_agent: Any
) -> None:
    agent, ticket, other = make_user("agent"), make_ticket("Pedido"), make_ticket("Rear brake")
    version = ticket.version
    workflow.set_language(ticket, "zh-tw", agent, version)
    workflow.set_language(ticket, "zh_Hant", agent)
    assert ticket.locale == "zh_Hant" and ticket.version == version + 1, "the same again changes nothing"
    told = db.session.scalars(db.select(Event).where(Event.kind == "ticket_updated")).all()
    assert [event.data for event in told] == [{"field": "language", "from": None, "to": "zh_Hant"}]
    assert "set the language to <b><bdi>Chinese (Traditional)" in as_agent.get(f"/desk/tickets/{ticket.id}").text
    with pytest.raises(Stale):
        workflow.set_language(ticket, "es", make_user("agent"), version)
    for wrong in ("", "xx", "x" * 40):
        with pytest.raises(Invalid):
            workflow.set_language(ticket, wrong, agent)
    with pytest.raises(NotAllowed):
        workflow.set_language(ticket, "es", ticket.requester)

    def found(*codes: str) -> list[int]:
        wanted = criteria(parse_filter({"language": list(codes)}), agent)
        return sorted(db.session.scalars(db.select(Ticket.id).where(*wanted)))

    assert found("zh_Hant") == [ticket.id] and found("fr") == []
    assert found("en") == found("none") == [other.id], "nothing said is the desk's own"
    with pytest.raises(InvalidFilter):
        parse_filter({"language": ["a b"]})
    page = as_agent.get("/desk/views/all?f=1&language=zh_Hant").text
    assert "Language: Chinese (Traditional)" in page and "Pedido" in page and "Rear brake" not in page
    assert 'name="language"' in as_agent.get("/desk/views/all/filter").text


def test_a_person_is_spoken_to_in_their_language_where_they_chose_none(app: Any, make_user: Any) -> None:
    tom, staff = make_user(), make_user("agent")
    assert not accounts.remember_language(tom, "xx") and not accounts.remember_language(staff, "zh_Hans")
    assert accounts.remember_language(tom, "zh-CN") and tom.locale == "zh_Hans"
    assert not accounts.remember_language(tom, "en"), "it may be the person's own choice now"
    assert accounts.remember_language(tom, "en", instead_of="zh_Hans") and tom.locale == "en"


def test_texts_are_looked_for_along_the_chain(app: Any, make_user: Any, make_team: Any) -> None:
    agent, team = make_user("agent"), make_team("Workshop")
    assert i18n.fallbacks("zh_TW") == ["zh_TW", "zh_Hant", "zh", "en"]
    texts = {"en": "Hello", "zh_Hans": "简", "zh_Hant": "繁"}
    response = canned.save(None, Canned("Hi", texts), agent)
    assert [canned.text_of(response, code) for code in ("zh_TW", "zh_HK", "zh_CN", "zh", "fr", None)] == [
        "繁", "繁", "简", "简", "Hello", "Hello",
    ]  # fmt: skip
    with transaction():
        labels.keep(labels.TEAM, team.id, {"zh_Hant": "工坊"})
    assert [labels.team_name(team, code) for code in ("zh_TW", "zh_Hant", "zh_Hans", "fr")] == [
        "工坊", "工坊", "Workshop", "Workshop",
    ]  # fmt: skip
    canned.save_text(response, "es", " Hola ", agent)
    canned.save_text(response, "zh_Hant", "", agent)
    assert {row.locale: row.text for row in response.texts} == {"en": "Hello", "zh_Hans": "简", "es": "Hola"}
    with pytest.raises(NotAllowed):
        canned.save_text(response, "es", "x", make_user("agent"))
    with pytest.raises(InvalidCanned):
        canned.save_text(response, "xx", "x", agent)


def test_what_the_owner_put_into_words_is_listed_and_kept_in_one_more_language(
    app: Any, make_user: Any, make_team: Any
) -> None:
    admin, team = make_user("admin"), make_team("Workshop")
    key = f"team:{team.id}"
    found = wordings.find(key)
    assert found is not None and (found.source, found.locale, dict(found.texts)) == ("Workshop", "en", {})
    assert {"status", "team"} >= {one.key.partition(":")[0] for one in wordings.named()}
    wordings.keep(found, "zh_Hans", "工坊", admin)
    assert labels.team_name(team, "zh_Hans") == "工坊"
    with pytest.raises(InvalidWording):
        wordings.keep(found, "zh_Hans", "x" * 101, admin)
    with pytest.raises(InvalidWording):
        wordings.keep(found, "en", "Garage", admin)
    with pytest.raises(NotAllowed):
        wordings.keep(found, "zh_Hans", "x", make_user("supervisor"))
    assert wordings.find("team:999999") is None and wordings.corrected() == []
    digest = digest_of((None, "Save"))
    text = corrections.known("en", digest)
    assert text is not None
    corrections.correct("en", text, ["Keep"], admin)
    (worded,) = wordings.corrected()
    assert (worded.key, worded.source, worded.locale) == (f"corrected:{digest}", "Keep", "en")
    wordings.keep(worded, "zh_Hans", "留着", admin)
    assert dict(wordings.corrected()[0].texts) == {"en": "Keep", "zh_Hans": "留着"}
    with pytest.raises(InvalidWording):
        wordings.keep(worded, "zh_Hans", " ", admin)
    with pytest.raises(NotAllowed):
        wordings.keep(worded, "zh_Hans", "x", make_user("supervisor"))
