"""What language messages, tickets and people are in: heard, corrected by a click, remembered; who can read them."""

from typing import Any

import pytest
from helpdesk_multilingual import agents, reading, speech
from helpdesk_multilingual.engines import NoEngine
from helpdesk_multilingual.models import AgentLanguage, MessageLanguage, PersonLanguage, Reading
from helpdesk_multilingual.settings import MultilingualSettings

from helpdesk.api import (
    DeskSettings,
    Invalid,
    Message,
    MessageDraft,
    NotAllowed,
    RequestSettings,
    Ticket,
    User,
    db,
    note,
    reply,
)

ES = "No me ha llegado el pedido y ya han pasado dos semanas."
EN = "The parcel has not arrived and it has been two weeks already."


@pytest.fixture
def lucia(make_user: Any) -> User:
    return make_user(name="Lucía Ferrer", email="lucia@customer.example")


def first(ticket: Ticket) -> Message:
    return db.session.scalars(db.select(Message).where(Message.ticket_id == ticket.id).order_by(Message.id)).all()[-1]


@pytest.mark.db
def test_a_ticket_its_message_and_its_customer_have_the_language_that_they_write(
    make_ticket: Any, lucia: User, run_jobs: Any, make_user: Any
) -> None:
    """before_ticket_opened, message_added, register_jobs, register_schedules."""
    ticket = make_ticket("Pedido", ES, requester=lucia)
    assert ticket.locale == "es", "at once"
    run_jobs()
    kept = speech.of_messages([first(ticket).id])[first(ticket).id]
    assert kept.language == "es" and kept.score > 0.8 and kept.chosen_by_id is None
    assert speech.of_person(lucia) == ("es", False)
    # Nobody speaks for a customer: staff who write, notes, texts that say nothing.
    agent = make_user("agent")
    reply(ticket, MessageDraft(EN), agent)
    note(ticket, MessageDraft(EN), agent)
    reply(ticket, MessageDraft("👍 4471"), lucia)
    run_jobs()
    heard = db.session.scalars(db.select(MessageLanguage).order_by(MessageLanguage.message_id))
    assert [row.language for row in heard] == ["es", ""]
    assert ticket.locale == "es"
    short = make_ticket("no funciona", "no funciona", requester=lucia)
    assert short.locale == "es", "what was written before decides"
    # What is written next in another language is said of the ticket as well.
    reply(ticket, MessageDraft(f"{EN} Please write to me in English from now on."), lucia)
    run_jobs()
    db.session.refresh(ticket)
    assert ticket.locale == "en"


def test_the_screen_speaks_it_where_the_person_chose_nothing(
    make_ticket: Any, lucia: User, run_jobs: Any, configure: Any, make_user: Any
) -> None:
    configure(DeskSettings, default_locale="en")
    chinese = "我上周二买了两个杯子，到现在还没有收到，请帮我查一下。"
    make_ticket("订单", chinese, requester=lucia)
    chose = make_user(email="bo@customer.example")
    chose.locale = "en"
    db.session.commit()
    make_ticket("订单", chinese, requester=chose)
    run_jobs()
    assert (lucia.locale, chose.locale) == ("zh_Hans", "en")
    configure(MultilingualSettings, remember=False, detect=False)
    ticket = make_ticket("Pedido", ES, requester=make_user(email="li@customer.example"))
    run_jobs()
    assert ticket.locale is None and ticket.requester.locale is None


def test_one_click_corrects_and_is_remembered(make_ticket: Any, lucia: User, run_jobs: Any, make_user: Any) -> None:
    agent, ticket = make_user("agent"), make_ticket("Hallo", "Hallo daar", requester=lucia)
    run_jobs()
    speech.correct(first(ticket), "nl", agent)
    db.session.refresh(ticket)
    assert ticket.locale == "nl" and speech.of_person(lucia) == ("nl", True)
    kept = db.session.get_one(MessageLanguage, first(ticket).id)
    assert (kept.language, kept.score, kept.chosen_by_id) == ("nl", 1.0, agent.id)
    assert make_ticket("Hallo", "Hallo daar", requester=lucia).locale == "nl", "in doubt what somebody said"
    assert make_ticket("Pedido", ES, requester=lucia).locale == "es", "not against what is plain"
    for wrong in ("", "xx", "x" * 30, "<b>"):
        with pytest.raises(Invalid):
            speech.correct(first(ticket), wrong, agent)
    with pytest.raises(NotAllowed):
        speech.correct(first(ticket), "es", lucia)
    speech.set_person(lucia, "", agent)
    assert speech.of_person(lucia) == (None, False) and db.session.get(PersonLanguage, lucia.id) is None


# ---- who reads it


def test_who_reads_a_language_gets_its_tickets_and_what_nobody_reads_is_flagged(
    speaks: Any, make_ticket: Any, make_team: Any, lucia: User, count_queries: Any, configure: Any, make_user: Any
) -> None:
    """choose_assignee: of those who have it well the one with the least to do; the team counts, and who is away."""
    ana, bea, cid = speaks("es", name="Ana"), speaks(es="native", name="Bea"), speaks(es="basic", name="Cid")
    assert agents.of(ana) == {"es": "good"} and agents.readers("es") == [bea.id, ana.id, cid.id]
    assert agents.can_read(ana, "es") and agents.can_read(ana, "en") and not agents.can_read(ana, "fr")
    tickets = [make_ticket("Pedido", ES, requester=lucia) for _number in range(3)]
    assert [ticket.assignee_id for ticket in tickets] == [ana.id, bea.id, ana.id]
    team = make_team(members=[cid])
    assert make_ticket("Pedido", ES, requester=lucia, team=team).assignee_id == cid.id
    assert make_ticket("Pedido", ES, requester=lucia, team=make_team("Other")).assignee_id is None
    assert make_ticket("Order", EN, requester=lucia).assignee_id is None, "the desk's own language is everybody's"
    french = make_ticket("Commande", "Je n'ai toujours pas reçu ma commande depuis deux semaines.", requester=lucia)
    assert french.assignee_id is None and french.locale == "fr"
    assert agents.readers(french.locale) == [] and tickets[0].locale == "es"
    with count_queries() as counted:
        assert agents.unreadable(french) and not agents.unreadable(tickets[0])
    assert not counted
    ana.active = bea.active = False
    db.session.commit()
    assert make_ticket("Pedido", ES, requester=lucia).assignee_id == cid.id
    configure(MultilingualSettings, assign=False)
    assert make_ticket("Pedido", ES, requester=lucia).assignee_id is None


def test_who_may_say_what_somebody_speaks(speaks: Any, make_user: Any, lucia: User) -> None:
    ana, boss = speaks("es"), make_user("supervisor")
    with pytest.raises(NotAllowed):
        agents.save(boss, {"es": "good"}, ana)
    with pytest.raises(NotAllowed):
        agents.save(lucia, {"es": "good"}, boss)
    for wrong in ({"xx": "good"}, {"es": "perfect"}, {"": "good"}):
        with pytest.raises(Invalid):
            agents.save(ana, wrong, ana)
    agents.save(ana, {"zh_Hant": "native"}, boss)
    assert agents.readers("es") == [] and agents.readers("zh_Hant") == [ana.id] and agents.readers("zh_Hans") == []
    assert [row.language for row in db.session.scalars(db.select(AgentLanguage))] == ["zh_Hant"]


# ---- reading


def test_a_translation_is_made_once_by_a_click_or_by_itself(
    make_ticket: Any, lucia: User, run_jobs: Any, libretranslate: Any, speaks: Any, make_user: Any
) -> None:
    mia = make_user("agent")
    ticket = make_ticket("Pedido", ES, requester=lucia)
    run_jobs()
    message = first(ticket)
    libretranslate.fault = "down"
    with pytest.raises(NoEngine):
        reading.read(message, mia)
    assert reading.readings([message], "en") == {}
    libretranslate.fault = ""
    made = reading.read(message, mia)
    assert made.text == f"en: {ES}" and made.engine == "libretranslate" and message.text == ES
    assert reading.read(message, mia) is made and len(libretranslate.asked) == 1
    with pytest.raises(NotAllowed):
        reading.read(message, lucia)
    assert reading.choice_of(mia) == ("", False)
    speech.correct(message, "pt", mia)
    assert reading.readings([message.id], "en") == {}, "made of another language"
    speech.correct(message, "es", mia)
    assert reading.make(message, "en").text == f"en: {ES}"
    # Always: for her, into the language that she chose; not for who reads Spanish anyway.
    reading.choose(mia, "fr", True)
    reading.choose(speaks("es"), "de", True)
    assert reading.target_for(mia) == "fr" and reading.wants_always(mia)
    reply(ticket, MessageDraft(f"{ES} Gracias."), lucia)
    run_jobs()
    kept = db.session.scalars(db.select(Reading).where(Reading.message_id != message.id)).all()
    assert [(row.target, row.text) for row in kept] == [("fr", f"fr: {ES} Gracias.")]
    # A fault leaves the job done and nothing behind.
    libretranslate.fault = "down"
    reply(ticket, MessageDraft(f"{ES} ¿Hola?"), lucia)
    run_jobs()
    assert len(db.session.scalars(db.select(Reading)).all()) == 2


def test_odd_messages_have_a_sentence_instead_of_a_translation(
    make_ticket: Any, lucia: User, run_jobs: Any, libretranslate: Any, make_user: Any, configure: Any
) -> None:
    mia = make_user("agent")
    ticket = make_ticket("😀", "😀🎉", requester=lucia)
    run_jobs()
    with pytest.raises(NoEngine, match="what language this is"):
        reading.read(first(ticket), mia)
    long = make_ticket("Largo", f"{ES}\n\n" * 3600, requester=lucia)
    run_jobs()
    configure(MultilingualSettings, libretranslate_url=libretranslate.url, seconds=60, apertium=False)
    made = reading.read(first(long), mia)
    assert reading.warnings_of(made) == ["Only the beginning was translated: the text is very long."]
    assert len(made.text) < 25_000
    configure(RequestSettings, own_servers="")
