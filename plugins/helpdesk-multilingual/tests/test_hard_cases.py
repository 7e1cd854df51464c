"""What happens meanwhile: answers that wait, messages that change while they are translated, tickets of others."""

from typing import Any

import pytest
from helpdesk_multilingual import answering, engines, memory, reading, speech
from helpdesk_multilingual.engines import EngineProblem, NoEngine
from helpdesk_multilingual.models import Answer, MessageLanguage, Pair, PersonLanguage, Reading
from helpdesk_multilingual.personal import erase_personal_data, export_personal_data

from helpdesk.api import (
    Message,
    MessageDraft,
    NotAllowed,
    Ticket,
    User,
    db,
    reply,
    transaction,
)

ES = "No me ha llegado el pedido y ya han pasado dos semanas."


def first(ticket: Ticket) -> Message:
    query = db.select(Message).where(Message.ticket_id == ticket.id).order_by(Message.id)
    return db.session.scalars(query).all()[0]


# ---- answers


@pytest.mark.db
def test_a_short_answer_is_not_found_inside_another_one_and_one_that_waits_keeps_its_original(
    ticket: Ticket, mia: User, run_jobs: Any
) -> None:
    """message_added: two letters stand in nearly every text; what is sent later is joined later."""
    short = answering.by_hand(ticket, mia, "Yes.", "en", "es", "Sí.")
    other = reply(ticket, MessageDraft("Lo hicimos así. Mañana le escribimos otra vez con todos los detalles."), mia)
    run_jobs()
    assert answering.sent_with([other]) == {} and answering.pending(ticket, mia) is short
    waits = answering.by_hand(ticket, mia, "The bell is on its way.", "en", "es", "El timbre está en camino.")
    later = answering.by_hand(ticket, mia, "Thanks a lot for writing.", "en", "es", "Muchas gracias por escribirnos.")
    sent = reply(ticket, MessageDraft("Hola:\n\nMuchas gracias por escribirnos.\n\nMia"), mia)
    run_jobs()
    assert answering.sent_with([sent])[sent.id].id == later.id
    assert answering.pending(ticket, mia) is None, "what is older is not offered again"
    sent = reply(ticket, MessageDraft("El timbre está en camino."), mia)
    run_jobs()
    assert answering.sent_with([sent])[sent.id].id == waits.id
    sent = reply(ticket, MessageDraft("Sí. Un saludo"), mia)
    run_jobs()
    assert answering.sent_with([sent])[sent.id].id == short.id


def test_a_long_answer_asks_the_memory_once_when_it_is_joined(
    ticket: Ticket, mia: User, count_queries: Any, app: Any
) -> None:
    """And what was confirmed twice at once is there once."""
    original = "\n\n".join(f"Paragraph {chr(97 + number)} of it." for number in range(26))
    said = "\n\n".join(f"Párrafo {chr(97 + number)} de ello." for number in range(26))
    memory.confirm("Paragraph a of it.", "Viejo", "en", "es", mia)
    answering.by_hand(ticket, mia, f"{original}\n\nParagraph a of it.", "en", "es", f"{said}\n\nPárrafo a de ello.")
    message = reply(ticket, MessageDraft(f"{said}\n\nPárrafo a de ello."), mia)
    with transaction(), count_queries() as counted:
        assert answering.keep_sent(ticket, message) is not None
    assert len([one for one in counted if one.startswith("SELECT")]) <= 8
    pairs = {pair.text: pair for pair in db.session.scalars(db.select(Pair))}
    assert len(pairs) == 26 and pairs["Paragraph a of it."].translation == "Párrafo a de ello."
    assert {pair.ticket_id for pair in pairs.values()} == {ticket.id}
    assert memory.look_up("Paragraph 7 of it.", "en", "es") != []


# ---- readings


def test_what_became_of_a_message_meanwhile_counts(
    ticket: Ticket, mia: User, lucia: User, run_jobs: Any, plug: Any, configure: Any
) -> None:
    """Corrected, or erased, while an engine was asked: nothing is kept of what it was made of."""
    run_jobs()
    message = first(ticket)
    number = message.id
    meanwhile: list[Any] = []

    def answer(texts: Any, source: str, target: str, seconds: float) -> Any:
        for act in meanwhile:
            act()
        return [f"{source}: {text}" for text in texts]

    plug("slow", multilingual_engines=lambda: [engines.Engine("slow.engine", "Slow", answer)])
    configure(engines.MultilingualSettings, apertium=False, seconds=60)

    def correct() -> None:
        speech.correct(db.session.get_one(Message, number), "pt", db.session.get_one(User, mia_id))

    def erase() -> None:
        with transaction():
            db.session.get_one(Message, number).text = "erased"

    mia_id = mia.id
    meanwhile.append(correct)
    assert reading.read(message, mia).text.startswith("es: ")
    db.session.rollback()
    assert db.session.scalar(db.select(Reading)) is None, "made as another language"
    meanwhile[:] = [erase]
    with pytest.raises(NoEngine):
        reading.read(db.session.get_one(Message, number), mia)
    db.session.rollback()
    assert db.session.scalar(db.select(Reading)) is None, "nothing of what is erased stays"


def test_one_language_that_nothing_translates_into_leaves_the_others_their_translation(
    ticket: Ticket, lucia: User, run_jobs: Any, libretranslate: Any, make_user: Any
) -> None:
    """Translated by itself: "bg" is asked for before "fr", and the engine has only the second."""
    for code in ("bg", "fr"):
        reading.choose(make_user("agent"), code, True)
    reply(ticket, MessageDraft(f"{ES} Gracias."), lucia)
    run_jobs()
    assert {row.target for row in db.session.scalars(db.select(Reading))} == {"fr"}


def test_mail_that_nobody_proved_does_not_say_what_the_next_one_makes_of_a_screen(
    make_ticket: Any, lucia: User, run_jobs: Any
) -> None:
    """Anybody may write in somebody's name: three times in Arabic, and the owner of the address once in Spanish."""
    arabic = "لم تصل الطلبية بعد وقد مضى أسبوعان، أرجو أن تخبروني متى ستصل."
    for _time in range(3):
        make_ticket("4471", arabic, requester=lucia, verified=False)
    run_jobs()
    assert lucia.locale is None
    make_ticket("Pedido", ES, requester=lucia)
    run_jobs()
    assert lucia.locale != "ar"


# ---- whose it is


def test_the_memory_shows_nothing_that_was_said_on_tickets_that_somebody_may_not_see(
    make_ticket: Any, lucia: User, mia: User, make_team: Any, make_user: Any
) -> None:
    inside, boss = make_user("agent"), make_user("supervisor")
    secret = make_ticket("Pedido", ES, requester=lucia, team=make_team("Board", private=True, members=[inside]))
    said = "Your contract with us ends on the last day of June."
    memory.confirm(said, "Su contrato termina el último día de junio.", "en", "es", inside, secret.id)
    like = "Your contract with us ends on the last day of May."
    for user, count in ((mia, 0), (inside, 1), (boss, 1), (None, 1)):
        assert len(memory.look_up(like, "en", "es", user=user)) == count
    run = first(secret)
    with pytest.raises(NotAllowed):
        speech.correct(run, "pt", mia)
    with pytest.raises(NotAllowed):
        reading.read(run, mia)
    with pytest.raises((NotAllowed, EngineProblem)):
        answering.prepare(secret, mia, "Hello", "en", "es")


def test_the_languages_of_a_persons_last_messages_go_out_as_well(ticket: Ticket, lucia: User, run_jobs: Any) -> None:
    run_jobs()
    assert export_personal_data(lucia)["language"]["past"] == ["es"]
    with transaction():
        erase_personal_data(lucia)
    for model in (PersonLanguage, MessageLanguage, Answer):
        assert db.session.scalar(db.select(model)) is None
