"""Answers: both texts are kept, whichever way they are sent; what was confirmed comes back; texts side by side."""

from typing import Any

import pytest
from helpdesk_multilingual import answering, memory, reading, variants
from helpdesk_multilingual.commands import group
from helpdesk_multilingual.engines import NoEngine
from helpdesk_multilingual.models import (
    AgentLanguage,
    Answer,
    MessageLanguage,
    Pair,
    PersonLanguage,
    Reading,
    Variant,
)
from helpdesk_multilingual.personal import erase_personal_data, export_personal_data

from helpdesk.api import (
    Invalid,
    Message,
    MessageDraft,
    NotAllowed,
    Ticket,
    User,
    db,
    drop_cached,
    note,
    now,
    reply,
    transaction,
)

ES = "No me ha llegado el pedido y ya han pasado dos semanas."
WORDS = "We have sent order 4471 again.\n\nIt arrives on Monday."


@pytest.fixture
def canned(app: Any) -> Any:
    """A canned response for everybody, in several languages; its number."""

    def make(name: str = "Late", **texts: str) -> int:
        with transaction():
            tables = db.metadata.tables
            values = {"name": name, "folder": "", "shared_with": "everybody", "active": True, "used": 0}
            row = db.session.execute(
                tables["canned_response"].insert().values(**values, created_at=now(), updated_at=now())
            )
            number = int(row.inserted_primary_key[0])
            for locale, text in texts.items():
                db.session.execute(tables["canned_text"].insert().values(response_id=number, locale=locale, text=text))
            drop_cached()
        return number

    return make


@pytest.mark.db
def test_the_customer_gets_the_translation_and_both_texts_stay_on_the_ticket(
    ticket: Ticket, mia: User, lucia: User, libretranslate: Any, run_jobs: Any, make_user: Any
) -> None:
    libretranslate.pairs |= {
        "We have sent order 4471 again.": "Hemos enviado otra vez el pedido 4471.",
        "It arrives on Monday.": "Llega el lunes.",
    }
    begun = answering.prepare(ticket, mia, WORDS, "en", "es")
    said = "Hemos enviado otra vez el pedido 4471.\n\nLlega el lunes."
    assert (begun.translated, begun.engine, begun.warnings) == (said, "libretranslate", [])
    assert answering.pending(ticket, mia) is begun
    # Not by a note, another text, or somebody else.
    note(ticket, MessageDraft(said), mia)
    reply(ticket, MessageDraft("Something else entirely, about bicycles and bells."), mia)
    reply(ticket, MessageDraft(said), make_user("agent"))
    run_jobs()
    assert answering.pending(ticket, mia) is not None
    message = reply(ticket, MessageDraft(said.replace("lunes", "lunes por la tarde")), mia)
    run_jobs()
    kept = answering.sent_with([message])[message.id]
    assert (kept.original, kept.translated, kept.edited) == (WORDS, message.text, True)
    assert answering.pending(ticket, mia) is None
    assert {pair.text: pair.translation for pair in db.session.scalars(db.select(Pair))} == {
        "We have sent order 4471 again.": "Hemos enviado otra vez el pedido 4471.",
        "It arrives on Monday.": "Llega el lunes por la tarde.",
    }
    # What was confirmed comes back without an engine.
    libretranslate.fault = "down"
    again = answering.prepare(ticket, mia, "It arrives on Monday.", "en", "es")
    assert (again.translated, again.engine) == ("Llega el lunes por la tarde.", "memory")
    with pytest.raises(Invalid):
        answering.edit(kept, "x", mia)


def test_an_answer_that_waits_is_joined_though_another_was_begun_since(
    ticket: Ticket, mia: User, libretranslate: Any, run_jobs: Any
) -> None:
    first = answering.prepare(ticket, mia, "The first answer about your order.", "en", "es")
    second = answering.by_hand(ticket, mia, "Thanks a lot for writing.", "en", "es", "Muchas gracias por escribirnos.")
    message = reply(ticket, MessageDraft(f"Hola:\n\n{first.translated}\n\nMia"), mia)
    run_jobs()
    assert answering.sent_with([message.id])[message.id].id == first.id
    assert answering.pending(ticket, mia) is second
    other = reply(ticket, MessageDraft("Muchas gracias por escribirnos."), mia)
    run_jobs()
    assert answering.sent_with([other])[other.id].engine == "" and answering.pending(ticket, mia) is None
    for number in range(8):
        answering.by_hand(ticket, mia, f"Text {number}", "en", "es", f"Texto {number}")
    count = db.select(db.func.count()).select_from(Answer).where(Answer.message_id.is_(None))
    assert db.session.scalar(count) == 5
    answering.discard(ticket, mia)
    assert db.session.scalar(count) == 0


def test_what_cannot_be_translated_is_said_and_nothing_is_kept(
    ticket: Ticket, mia: User, lucia: User, libretranslate: Any
) -> None:
    libretranslate.fault = "html"
    with pytest.raises(NoEngine):
        answering.prepare(ticket, mia, WORDS, "en", "es")
    assert answering.pending(ticket, mia) is None
    for text, target in ((" ", "es"), ("x", ""), ("x", "xx"), ("x" * 200_000, "es")):
        with pytest.raises(Invalid):
            answering.prepare(ticket, mia, text, "en", target)
    with pytest.raises(NotAllowed):
        answering.prepare(ticket, lucia, WORDS, "en", "es")


def test_with_no_engine_canned_responses_in_the_customers_language_come_first(
    make_ticket: Any, lucia: User, mia: User, place: Any, canned: Any, configure: Any, run_jobs: Any, speaks: Any
) -> None:
    """reply_suggestions: along the chain of the language; both texts are kept of what is used."""
    late = canned(en="Dear {{ customer.name }}, it is late.", zh_Hans="{{ customer.name }}，您好，快递晚了。")
    canned("English", en="Only English.")
    ticket = make_ticket("订单", "我上周二买了两个杯子，到现在还没有收到。", requester=lucia)
    (shown,) = place("reply_suggestions", ticket, mia)
    assert shown.text == "Lucía Ferrer，您好，快递晚了。" and "Chinese" in shown.reason
    assert place("reply_suggestions", ticket, speaks("zh_Hans")) == []
    (offer,) = answering.variants(ticket, mia, "zh_Hans")
    assert (offer.canned_id, offer.name, offer.original) == (late, "Late", "Dear {{ customer.name }}, it is late.")
    assert answering.variants(ticket, mia, "zh_Hant") == [], "another script is not read"
    begun = answering.use_variant(ticket, mia, late, "zh_Hans")
    assert (begun.original, begun.engine) == ("Dear Lucía Ferrer, it is late.", "variant")
    message = reply(ticket, MessageDraft(begun.translated), mia)
    run_jobs()
    assert answering.sent_with([message])[message.id].original == "Dear Lucía Ferrer, it is late."
    assert db.session.scalar(db.select(Pair)) is None, "canned responses have their own place"
    with pytest.raises(Invalid):
        answering.use_variant(ticket, mia, late, "fr")


def test_canned_responses_in_another_form_of_the_language_are_offered(
    make_ticket: Any, lucia: User, mia: User, canned: Any
) -> None:
    """Detection says Portuguese; the desk writes that of Brazil."""
    canned(en="It is late.", pt_BR="Está atrasado.")
    said = "Meu pedido ainda não chegou e já passaram duas semanas, o que faço?"
    ticket = make_ticket("Pedido", said, requester=lucia)
    assert ticket.locale == "pt"
    assert [offer.translated for offer in answering.variants(ticket, mia, "pt")] == ["Está atrasado."]


# ---- texts side by side


def test_texts_stand_beside_those_in_another_language_with_what_is_to_be_done(
    canned: Any, make_user: Any, libretranslate: Any, make_team: Any
) -> None:
    admin, agent = make_user("admin"), make_user("agent")
    one, two = canned("A", en="Good day.", es="Buenos días."), canned("B", en="Goodbye, see you soon.")

    def states(**how: Any) -> dict[str, str]:
        rows, _more = variants.listed("canned", "es", user=admin, **how)
        return {row.name: row.status for row in rows}

    assert states() == {"A": "checked", "B": "missing"} and states(status="missing") == {"B": "missing"}
    assert variants.counts("canned", "es", admin) == {"missing": 1, "outdated": 0, "machine": 0, "checked": 1}
    proposed = variants.suggest("canned", str(two), "es", admin)
    assert proposed == "es: Goodbye, see you soon."
    variants.save("canned", str(two), "es", proposed, admin, made="machine")
    assert states()["B"] == "machine"
    variants.check("canned", str(two), "es", admin)
    row = variants.find("canned", str(two), "es", admin)
    assert row is not None and (row.status, row.checked_by, row.text) == ("checked", admin.name, proposed)
    variants.save("canned", str(two), "en", "Goodbye!", admin)
    assert states() == {"A": "checked", "B": "outdated"}
    variants.save("canned", str(one), "es", "Buen día.", admin)
    assert states()["A"] == "checked"
    rows, more = variants.listed("canned", "es", limit=1, user=admin)
    assert [row.name for row in rows] == ["A"] and more
    assert [row.name for row in variants.listed("canned", "es", after=more, user=admin)[0]] == ["B"]
    assert len(variants.listed("canned", "es", after="rubbish", user=admin)[0]) == 2
    for key in ("0", "x", "-1", "99999999999999"):
        with pytest.raises(Invalid):
            variants.save("canned", key, "es", "x", admin)
    with pytest.raises(Invalid, match="placeholder"):
        variants.save("canned", str(two), "es", "{{ nobody.knows }}", admin)
    with pytest.raises(NotAllowed):
        variants.save("canned", str(two), "es", "x", agent)

    team = make_team("Workshop")
    key = f"team:{team.id}"
    named = {row.key: row for row in variants.listed("label", "es", user=admin)[0]}
    assert (named[key].source_text, named[key].status) == ("Workshop", "missing")
    variants.save("label", key, "es", "Taller", admin)
    found = variants.find("label", key, "es", admin)
    assert found is not None and (found.text, found.status) == ("Taller", "checked")
    with pytest.raises(NotAllowed):
        variants.save("label", key, "es", "x", make_user("supervisor"))
    assert variants.listed("mail", "es", user=admin) == ([], None)
    assert db.session.scalar(db.select(db.func.count()).select_from(Variant)) == 4


# ---- personal data, commands


def test_what_is_known_of_a_person_goes_out_and_is_erased(
    ticket: Ticket, mia: User, lucia: User, libretranslate: Any, run_jobs: Any, speaks: Any
) -> None:
    """export_personal_data, erase_personal_data: with the pairs that were said on their tickets."""
    run_jobs()
    number = db.session.scalar(db.select(MessageLanguage.message_id))
    reading.read(db.session.get_one(Message, number), mia)
    memory.confirm("Good day.", "Buen día.", "en", "es", mia)
    begun = answering.by_hand(ticket, mia, "Dear Lucía.", "en", "es", "Estimada Lucía.")
    reply(ticket, MessageDraft(begun.translated), mia)
    run_jobs()
    found = export_personal_data(lucia)
    assert (
        found["language"] == {"code": "es", "chosen": False, "past": ["es"]}
        and found["translations"][0]["text"] == f"en: {ES}"
    )
    ana = speaks("es")
    assert export_personal_data(ana)["speaks"] == {"es": "good"}
    assert export_personal_data(mia)["answers"][0]["original"] == "Dear Lucía."
    with transaction():
        erase_personal_data(lucia)
        erase_personal_data(ana)
    for model in (Reading, Answer, MessageLanguage, PersonLanguage, AgentLanguage):
        assert db.session.scalar(db.select(model)) is None, model.__tablename__
    assert [pair.text for pair in db.session.scalars(db.select(Pair))] == ["Good day."]
    with transaction():
        erase_personal_data(mia)
    assert [pair.confirmed_by_id for pair in db.session.scalars(db.select(Pair))] == [None]
    assert export_personal_data(lucia) == {} == export_personal_data(mia)


def test_the_command_line(app: Any, libretranslate: Any, tmp_path: Any) -> None:
    """register_commands."""
    runner = app.test_cli_runner()
    assert runner.invoke(group, ["detect", "--json", ES]).output.startswith('{"language": "es"')
    assert "unknown" in runner.invoke(group, ["detect"], input="😀").output
    assert "libretranslate: ready" in runner.invoke(group, ["engines"]).output
    file = tmp_path / "memory.csv"
    file.write_text("source,target,text,translation\nen,es,Good day,Buen día\nen,xx,a,b\n", "utf-8")
    done = runner.invoke(group, ["memory", "import", str(file)])
    assert "1 added, 0 changed, 1 left out." in done.output and "line 3" in done.output
    assert "Buen día" in runner.invoke(group, ["memory", "export", "-"]).output
    file.write_text("nothing", "utf-8")
    refused = runner.invoke(group, ["memory", "import", str(file)])
    assert refused.exit_code == 1 and "first line" in refused.output
