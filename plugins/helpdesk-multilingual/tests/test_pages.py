"""The pages: below messages, the answer, people's languages, the rooms. Bad input gives one sentence, loses nothing."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from helpdesk_multilingual.models import (
    Answer,
    MessageLanguage,
    Pair,
    PairOrder,
    Reading,
    Term,
)

from helpdesk.api import Message, Ticket, User, db, transaction

ROOM = "/p/multilingual"
TEXT = "El freno trasero roza desde la revisión."


@pytest.fixture
def mia(make_user: Any) -> User:
    return make_user("agent", name="Mia Sorel")


@pytest.fixture
def ticket(make_ticket: Any, make_user: Any) -> Ticket:
    lucia = make_user(name="Lucía Ferrer", email="lucia@customer.example")
    return make_ticket("El freno roza", TEXT, requester=lucia)


@pytest.fixture
def spoken(ticket: Ticket) -> Callable[..., Message]:
    """The first message of the ticket is in a language; Spanish unless another is named."""

    def make(language: str = "es") -> Message:
        message = messages(ticket)[0]
        with transaction():
            row = db.session.get(MessageLanguage, message.id) or MessageLanguage(message_id=message.id)
            row.language = language
            db.session.add(row)
            ticket.locale = language or None
        return message

    return make


def messages(ticket: Ticket) -> list[Message]:
    query = db.select(Message).where(Message.ticket_id == ticket.id).order_by(Message.id)
    return list(db.session.scalars(query))


def file(text: str | bytes) -> dict[str, Any]:
    data = text.encode() if isinstance(text, str) else text
    return {"file": (io.BytesIO(data), "file.csv")}


# ---- below a message


def test_a_message_is_translated_below_its_original_and_its_language_corrected(
    sign_in: Any, mia: User, ticket: Ticket, spoken: Any, libretranslate: Any, make_user: Any
) -> None:
    """message_blocks, ticket_badges: a click, kept for the next reader; every fault of an engine is one sentence."""
    message, browser = spoken(), sign_in(mia)
    desk, address = f"/desk/tickets/{ticket.id}", f"{ROOM}/messages/{message.id}"
    page = browser.get(desk).text
    assert "Translate into English" in page and ">Spanish<" in page and "Not Spanish?" in page
    assert "Nobody reads Spanish" in browser.get("/desk/views/all").text
    # A correction changes more than the block below the message: the page comes anew.
    assert f'action="{address}/language"' in page and f'hx-post="{address}/language"' not in page

    part = {"HX-Request": "true"}
    for fault in ("slow", "down", "html", "wrong"):
        libretranslate.fault = fault
        failed = browser.post(f"{address}/reading", headers=part)
        assert failed.status_code == 200 and 'role="alert"' in failed.text and TEXT not in failed.text, fault
        assert "<script" not in failed.text and db.session.scalar(db.select(Reading)) is None, fault
        wake_up()
    libretranslate.fault = ""
    libretranslate.pairs[TEXT] = "The rear brake & its disc rub."
    done = browser.post(f"{address}/reading", headers=part).text
    assert '<div class="told" lang="en" dir="ltr">The rear brake &amp; its disc rub.</div>' in done
    assert "Translated from Spanish by a machine (LibreTranslate)" in done and "Translate into" not in done
    shown = sign_in(make_user("agent")).get(desk).text
    assert "its disc rub" in shown and TEXT in shown, "kept, and the original stays"

    # Without a script: a form like any other, and back to the message.
    plain = browser.post(f"{address}/reading")
    assert plain.status_code == 303 and plain.location.endswith(f"{desk}#m{message.id}")
    assert "<h1>Which language is this?</h1>" in browser.get(f"{address}/language").text
    for wrong in ("", "xx_XX", "x" * 300):
        answer = browser.post(f"{address}/language", data={"language": wrong})
        assert answer.status_code == 422 and "Choose one of the list." in answer.text
    assert browser.post(f"{address}/language", data={"language": "pt"}).status_code == 303
    db.session.expire_all()
    row = db.session.get_one(MessageLanguage, message.id)
    assert (row.language, row.chosen_by_id, db.session.get_one(Ticket, ticket.id).locale) == ("pt", mia.id, "pt")
    assert "Not Portuguese?" in browser.post(f"{address}/language", data={"language": "pt"}, headers=part).text
    assert browser.post(f"{ROOM}/messages/950017/reading").status_code == 404


def wake_up() -> None:
    """No engine rests because of what failed before."""
    from helpdesk_multilingual.models import EngineState

    with transaction():
        db.session.execute(db.delete(EngineState))


@pytest.mark.parametrize("language", ["ar", "", "en"])
def test_foreign_texts_say_their_direction_and_own_ones_need_nothing(
    place: Any, mia: User, ticket: Ticket, spoken: Any, language: str
) -> None:
    message = spoken(language)
    with transaction():
        if language == "ar":
            sent = {"ticket_id": ticket.id, "user_id": mia.id, "message_id": message.id}
            db.session.add(Answer(**sent, source="ar", target="en", original="مرحبا", translated="Hello", engine=""))
    found = {block.badge for some in place("message_blocks", ticket, [message], mia).values() for block in some}
    html = "".join(block.html for some in place("message_blocks", ticket, [message], mia).values() for block in some)
    if language == "ar":
        assert '<div class="told" lang="ar" dir="rtl">مرحبا</div>' in html and "Translated by a person" in html
    elif language:
        assert (found, html) == (set(), "")
    else:
        assert "Which language is this?" in html and found == {""}


def test_fifty_translations_cost_two_queries_at_most(
    sign_in: Any, mia: User, ticket: Ticket, spoken: Any, count_queries: Any, make_app: Any, desk_plugins: Any
) -> None:
    """Compared with the same ticket before; and the list costs nothing."""
    spoken("en")
    with transaction():
        words = {"ticket_id": ticket.id, "author_id": ticket.requester_id, "visibility": "public"}
        db.session.add_all([Message(text=f"Mensaje {number}", **words) for number in range(49)])
    browser, counted = sign_in(mia), []
    for is_translated in (False, True):
        if is_translated:
            with transaction():
                for message in messages(ticket):
                    row = db.session.get(MessageLanguage, message.id) or MessageLanguage(message_id=message.id)
                    row.language = "es"
                    db.session.add_all([row, Reading(message_id=message.id, target="en", text="Read", engine="memory")])
        for address in (f"/desk/tickets/{ticket.id}", "/desk/views/all"):
            browser.get(address)
            with count_queries() as statements:
                page = browser.get(address).text
            counted.append((len(statements), sum("multilingual_" in one for one in statements)))
            if "tickets/" in address:
                assert page.count('class="told"') == (50 if is_translated else 0)
    (before, _ours), listed_before, (after, ours), listed = counted
    assert after - before <= 2 and ours <= 2
    assert listed == listed_before and listed[1] == 0


# ---- the answer


def test_an_answer_is_translated_looked_over_and_sent_without_a_script(
    sign_in: Any, mia: User, ticket: Ticket, spoken: Any, libretranslate: Any, run_jobs: Any
) -> None:
    """composer_tools. Whatever goes wrong, both texts come back; the original can always be sent."""
    spoken()
    browser, address = sign_in(mia), f"{ROOM}/tickets/{ticket.id}/answer"
    assert f'href="{address}"' in browser.get(f"/desk/tickets/{ticket.id}").text
    form = {"words": "Order 4471 is <noted>.", "source": "en", "target": "es"}
    for values, sentence in (
        ({**form, "words": " \n"}, "Write your answer first."),
        ({**form, "target": ""}, "Choose the language of the customer."),
        ({**form, "target": "xx"}, "Choose the language of the customer."),
        ({**form, "source": "es"}, "These are the same language"),
        ({**form, "words": "x" * 200_000}, "This is too long to be translated; send it as it is."),
    ):
        refused = browser.post(address, data=values)
        assert refused.status_code == 422 and sentence in refused.text
    for fault in ("down", "html"):
        libretranslate.fault = fault
        failed = browser.post(address, data=form)
        assert failed.status_code == 200 and "Order 4471 is &lt;noted&gt;." in failed.text, fault
        assert "Your own text can be sent as it is." in failed.text and "Send your own text instead" in failed.text
        wake_up()
    libretranslate.fault = ""
    libretranslate.pairs["Order [#0#] is <noted>."] = "El pedido está anotado."
    made = browser.post(address, data=form).text
    assert "El pedido está anotado." in made and "Translated by a machine (LibreTranslate)" in made
    assert "4471" in re.findall(r"alertline-warn.*?</div>", made, re.DOTALL)[0], "the number is missing: said so"
    again = browser.get(address).text
    assert "El pedido está anotado." in again and "Order 4471 is &lt;noted&gt;." in again, "begun earlier"

    empty = browser.post(f"{address}/send", data={**form, "translated": " ", "act": "send"})
    assert empty.status_code == 422 and "Write your answer first." in empty.text
    sent = {**form, "translated": "El pedido 4471 está anotado.", "act": "send"}
    assert browser.post(f"{address}/send", data=sent).status_code == 303
    twice = browser.post(f"{address}/send", data=sent)
    assert twice.status_code == 409 and "has been sent already" in twice.text
    own = browser.post(f"{address}/send", data={**form, "words": "In English.", "act": "original"})
    assert own.status_code == 303
    assert [one.text for one in messages(ticket)[1:]] == ["El pedido 4471 está anotado.", "In English."]
    run_jobs()
    db.session.rollback()
    rows = db.session.scalars(db.select(Answer).where(Answer.message_id.is_not(None))).all()
    assert [(row.original, row.translated) for row in rows] == [(form["words"], "El pedido 4471 está anotado.")]
    shown = browser.get(f"/desk/tickets/{ticket.id}").text
    assert '<div class="told" lang="en" dir="ltr">Order 4471 is &lt;noted&gt;.</div>' in shown
    assert "changed before it was sent" in shown


def test_the_pane_of_the_composer_takes_what_was_written(
    sign_in: Any, mia: User, ticket: Ticket, spoken: Any, libretranslate: Any
) -> None:
    """By the script's own request; what was put into the answer is not translated once more."""
    spoken()
    browser, address = sign_in(mia), f"{ROOM}/tickets/{ticket.id}/answer"
    pane = {"HX-Request": "true", "HX-Target": "composer-tool-page"}
    begun = browser.get(address, headers=pane).text
    assert 'hx-trigger="load"' in begun and 'hx-include="#composer-text"' in begun
    assert 'hx-trigger="load"' not in browser.get(address).text
    libretranslate.pairs["We will fix it."] = "Lo arreglaremos."
    made = browser.post(address, data={"auto": "1", "text": "We will fix it."}, headers=pane).text
    assert "Lo arreglaremos." in made and 'data-insert-from="ml-translated"' in made and 'hx-trigger="load"' not in made
    asked = len(libretranslate.asked)
    for words in ("Lo arreglaremos.", "We will fix it.", ""):
        assert "Lo arreglaremos." in browser.post(address, data={"auto": "1", "text": words}, headers=pane).text
    assert len(libretranslate.asked) == asked
    own = {"words": "Thanks.", "source": "en", "target": "es"}
    assert "Use this translation" in browser.post(address, data={**own, "act": "hand"}, headers=pane).text
    kept = browser.post(address, data={**own, "act": "keep", "translated": "Gracias."}, headers=pane).text
    assert "Gracias.</textarea>" in kept


def test_what_was_sent_before_is_offered_with_the_difference(
    sign_in: Any, mia: User, ticket: Ticket, spoken: Any, as_supervisor: Any, libretranslate: Any
) -> None:
    spoken()
    rows = "source,target,text,translation\nen,es,Your order 4471 has left our shop today.,Su pedido 4471 salió hoy.\n"
    assert as_supervisor.post(f"{ROOM}/memory/import", data=file(rows)).status_code == 200
    with transaction():
        db.session.add(Term(term="Alba 7", keep=True))
    browser, address = sign_in(mia), f"{ROOM}/tickets/{ticket.id}/answer"
    form = {"words": "Your order 4471 has left our shop yesterday.\n\nYour Alba 7.", "source": "en", "target": "es"}
    page = browser.post(address, data=form).text
    assert "Translated before" in page and "<ins>" in page and "<del>" in page and "Su pedido 4471 salió hoy." in page
    act = re.search(r'value="(hit:0-\d+)"', page)
    assert act is not None
    taken = browser.post(address, data={**form, "translated": "Uno.\n\nDos.", "act": act[1]}).text
    assert "Su pedido 4471 salió hoy.\n\nDos.</textarea>" in taken
    assert browser.post(address, data={**form, "act": "hit:0-950017"}).status_code == 404
    assert browser.post(address, data={**form, "act": "variant:950017"}).status_code == 404


# ---- people


def test_people_have_languages(
    sign_in: Any, mia: User, ticket: Ticket, spoken: Any, as_supervisor: Any, place: Any, make_user: Any
) -> None:
    """user_panels, ticket_panels: one's own, a colleague's by supervisors, a customer's by everybody on the desk."""
    spoken()
    browser, me = sign_in(mia), f"{ROOM}/me"
    twice = browser.post(me, data={"language": ["es", "es"], "level": ["good", "basic"], "target": "de"})
    assert twice.status_code == 422 and "One language is there twice" in twice.text
    assert browser.post(me, data={"language": ["xx"], "level": ["good"]}).status_code == 422
    assert browser.post(me, data={"language": ["es"], "level": ["fluent"]}).status_code == 422
    right = {"language": ["es", ""], "level": ["good", "native"], "target": "de", "always": "1"}
    assert browser.post(me, data=right).status_code == 303
    page = browser.get(me).text
    assert '<option value="es" selected>' in page and '<option value="de" selected>' in page and " checked" in page
    assert "Nobody reads" not in browser.get("/desk/views/all").text
    assert "Mia Sorel" in place("ticket_panels", ticket, mia)[0].html
    assert "Spanish" in place("user_panels", mia, mia)[0].html

    jonas = make_user("agent", name="Jonas Adair")
    assert browser.get(f"{ROOM}/people/{jonas.id}").status_code == 403
    assert browser.get(f"{ROOM}/people").status_code == 403
    address = f"{ROOM}/people/{jonas.id}"
    assert as_supervisor.post(address, data={"language": ["fr"], "level": ["native"]}).status_code == 303
    listed = as_supervisor.get(f"{ROOM}/people").text
    assert "French · First language" in listed and "Spanish · Reads and writes well" in listed
    customer = f"{ROOM}/people/{ticket.requester_id}"
    assert browser.post(customer, data={"language": "xx"}).status_code == 422
    assert browser.post(customer, data={"language": "it"}).status_code == 303
    assert "Italian: somebody said so" in place("user_panels", ticket.requester, mia)[0].html
    assert browser.get(f"{ROOM}/people/950017").status_code == 404


# ---- rooms


def test_the_room_of_engines(as_admin: Any, as_supervisor: Any, libretranslate: Any) -> None:
    """admin_rooms, register_permissions, register_acts: how they do, a trial, the order; administrators alone."""
    room = f"{ROOM}/engines"
    assert as_supervisor.get(room).status_code == 403
    page = as_admin.get(room).text
    assert "LibreTranslate" in page and "Apertium" in page and f'href="{room}"' in as_admin.get("/admin/").text
    libretranslate.pairs["Hola"] = "Hello & bye"
    trial = {"engine": "libretranslate", "source": "es", "target": "en", "text": "Hola"}
    assert "Hello &amp; bye" in as_admin.post(f"{room}/try", data=trial).text
    for name, value in (("text", ""), ("engine", "none"), ("source", ""), ("text", "x" * 3000)):
        refused = as_admin.post(f"{room}/try", data={**trial, name: value})
        assert refused.status_code == 422 and "form-error" in refused.text
    libretranslate.fault = "down"
    assert "alertline-warn" in as_admin.post(f"{room}/try", data=trial).text
    as_admin.post(f"{room}/check", data={"engine": "libretranslate"})
    assert as_admin.post(f"{room}/check", data={"engine": "none"}).status_code == 422
    order = {"source": "es", "target": "en", "engine": ["libretranslate", "", "memory"]}
    assert as_admin.post(f"{room}/order", data=order).status_code == 303
    row = db.session.scalars(db.select(PairOrder)).one()
    assert (row.source, row.target, row.engines) == ("es", "en", ["libretranslate", "memory"])
    for values in ({**order, "engine": [""]}, {**order, "engine": ["none"]}, {**order, "source": "xx"}):
        assert as_admin.post(f"{room}/order", data=values).status_code == 422
    as_admin.post(f"{room}/order/forget", data={"source": "es", "target": "en"})
    assert db.session.scalar(db.select(PairOrder)) is None
    assert "Order of translation engines changed" in as_admin.get("/admin/audit").text


def test_the_rooms_of_the_memory_and_the_glossary(as_supervisor: Any, sign_in: Any, mia: User) -> None:
    for name, head, line, bad in (
        ("memory", "source,target,text,translation", "en,es,Good day,Buenos días", "en,,Empty,"),
        ("glossary", "source,target,term,translation,keep,note", "en,es,frame,cuadro,,", "en,es,,x,,"),
    ):
        room = f"{ROOM}/{name}"
        assert sign_in(mia).get(room).status_code == 403
        taken = as_supervisor.post(f"{room}/import", data=file(f"{head}\n{line}\n{bad}\n"))
        # The browser goes to this box.
        below = taken.text.partition('id="files"')[2]
        assert taken.status_code == 200 and "1 was added." in below and "Line 3:" in below
        for wrong in ("", "\xff\xfe\x00".encode("latin-1"), "a,b\n1,2\n"):
            refused = as_supervisor.post(f"{room}/import", data=file(wrong))
            assert refused.status_code == 422 and "form-error" in refused.text, (name, wrong)
        assert as_supervisor.post(f"{room}/import", data={}).status_code == 422
        got = as_supervisor.get(f"{room}/export")
        assert got.mimetype == "text/csv" and line.split(",")[2] in got.text
        assert as_supervisor.get(f"{room}?after=x!y&q=%00&source=xx").status_code == 200
        assert "Nothing found" in as_supervisor.get(f"{room}?q=nowhere").text
    pair, term = db.session.scalars(db.select(Pair)).one(), db.session.scalars(db.select(Term)).one()
    empty = as_supervisor.post(f"{ROOM}/memory/{pair.id}", data={"translation": " "})
    assert empty.status_code == 422 and "Fill this in." in empty.text
    assert as_supervisor.post(f"{ROOM}/memory/{pair.id}", data={"translation": "Buen día"}).status_code == 303
    assert "Buen día" in as_supervisor.get(f"{ROOM}/memory?q=good").text
    asked = as_supervisor.get(f"{ROOM}/memory/{pair.id}/delete").text
    assert "Delete this translation?" in asked and "“Good day” is not offered any more." in asked
    assert as_supervisor.post(f"{ROOM}/memory/{pair.id}/delete").status_code == 303
    assert db.session.scalar(db.select(Pair)) is None

    form = {"term": "Alba <7>", "translation": "", "source": "", "target": "", "note": "A bicycle"}
    refused = as_supervisor.post(f"{ROOM}/glossary", data=form)
    assert refused.status_code == 422 and "tick that the word stays" in refused.text
    assert "Alba &lt;7&gt;" in refused.text
    for name, value in (("source", "xx"), ("term", ""), ("term", "x" * 201)):
        assert as_supervisor.post(f"{ROOM}/glossary", data={**form, "keep": "1", name: value}).status_code == 422
    assert as_supervisor.post(f"{ROOM}/glossary", data={**form, "keep": "1"}).status_code == 303
    other = {**form, "term": "Alba", "translation": "Alba"}
    assert as_supervisor.post(f"{ROOM}/glossary/{term.id}", data=other).status_code == 303
    assert as_supervisor.post(f"{ROOM}/glossary/{term.id}/delete").status_code == 303
    assert as_supervisor.post(f"{ROOM}/glossary/950017/delete").status_code == 404


def test_texts_stand_side_by_side(as_admin: Any, as_supervisor: Any, libretranslate: Any) -> None:
    """Missing, proposed by an engine, by a person, outdated since the source was changed, right all the same."""
    data = {"name": "Thanks", "folder": "", "shared_with": "everybody", "text_en": "Thank you <so> much."}
    number = re.search(r"\d+", as_admin.post("/desk/canned/new", data=data).location.rpartition("/")[2])
    assert number is not None
    key, room = number[0], f"{ROOM}/texts"
    address = f"{room}?kind=canned&locale=es"
    page = as_supervisor.get(address).text
    assert "Thank you &lt;so&gt; much." in page and "Missing" in page and 'lang="es" dir="ltr"' in page
    assert 'dir="rtl"' in as_supervisor.get(f"{room}?kind=canned&locale=ar").text
    form = {"kind": "canned", "key": key, "locale": "es"}
    libretranslate.pairs[data["text_en"]] = "Muchas gracias."
    proposed = as_supervisor.post(room, data={**form, "act": "suggest"}).text
    assert "Muchas gracias.</textarea>" in proposed and "not saved yet" in proposed
    libretranslate.fault = "down"
    failed = as_supervisor.post(room, data={**form, "act": "suggest", "text": "Mil"})
    assert failed.status_code == 422 and "Mil</textarea>" in failed.text and "form-error" in failed.text
    assert as_supervisor.post(room, data={**form, "text": " "}).status_code == 422
    assert as_supervisor.post(room, data={**form, "text": "Gracias."}).status_code == 303
    assert "Checked" in as_supervisor.get(address).text
    as_admin.post(f"/desk/canned/{key}", data={**data, "text_en": "Thanks.", "text_es": "Gracias.", "active": "1"})
    assert "It is right" in as_supervisor.get(f"{address}&status=outdated").text
    assert as_supervisor.post(room, data={**form, "text": "Gracias.", "act": "check"}).status_code == 303
    assert "No text is in this state" in as_supervisor.get(f"{address}&status=outdated").text
    assert as_supervisor.post(room, data={**form, "key": "950017", "text": "x"}).status_code == 422
    for query in ("kind=nonsense&locale=xx&status=x&after=%00", "kind=label&locale=es"):
        assert as_supervisor.get(f"{room}?{query}").status_code == 200, query
    assert "No mail of your own yet" in as_supervisor.get(f"{room}?kind=mail&locale=zh_Hans").text
    # Nobody wants to see texts beside themselves: it begins with the reader's language, if they are not made in it.
    for locale in ("ar", "es", "en"):
        as_supervisor.user.locale = locale
        db.session.commit()
        page = as_supervisor.get(room).text
        assert f'name="locale" value="{locale if locale != "en" else "ar"}"' in page, locale
