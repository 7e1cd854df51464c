"""Confirmed translations: the same text, similar ones with the difference, files in and out, however many there are."""

from typing import Any

import pytest
from helpdesk_multilingual import glossary_exchange, memory, memory_exchange, similar
from helpdesk_multilingual.models import Pair, PairBand, Term
from helpdesk_multilingual.settings import MultilingualSettings
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.api import NotAllowed, db, transaction

EN = "Your order {} has left our warehouse and arrives on {}."
ES = "Su pedido {} ha salido de nuestro almacén y llega el {}."


@pytest.mark.db
def test_a_confirmed_pair_is_found_exactly_and_similar_with_the_difference(
    app: Any, make_user: Any, configure: Any
) -> None:
    agent = make_user("agent")
    pair = memory.confirm(EN.format(12, "Monday"), ES.format(12, "lunes"), "en", "es", agent)
    memory.confirm("How are you?", "¿Cómo está?", "en", "es", agent)
    assert pair is not None and pair.confirmed_by_id == agent.id
    (same,) = memory.look_up(f"  {EN.format(12, 'monday')} ", "en", "es")
    assert same.is_exact and same.pair.id == pair.id and same.changes == [(memory.SAME, pair.text)]
    (near,) = memory.look_up(EN.format(99, "Friday"), "en", "es")
    assert near.pair.id == pair.id and 0.75 <= near.score < 1
    assert [change for change in near.changes if change[0] != memory.SAME] == [
        (memory.GONE, "12"), (memory.NEW, "99"), (memory.GONE, "Monday"), (memory.NEW, "Friday"),
    ]  # fmt: skip
    assert memory.look_up(EN.format(12, "Monday"), "es", "en") == [], "another pair of languages"
    configure(MultilingualSettings, memory_percent=100)
    assert memory.look_up(EN.format(99, "Friday"), "en", "es") == []
    again = memory.confirm(EN.format(12, "Monday"), "Otra", "en", "es", agent)
    assert again is not None and again.id == pair.id and again.translation == "Otra"
    for text, said in (("", "x"), ("x", " "), ("x" * 5000, "y")):
        assert memory.confirm(text, said, "en", "es", agent) is None
    assert memory.confirm("same", "same", "en", "en", agent) is None
    with pytest.raises(NotAllowed):
        memory.forget(pair, agent)
    memory.forget(pair, make_user("supervisor"))
    assert memory.look_up(EN.format(12, "Monday"), "en", "es") == []
    assert db.session.scalar(db.select(PairBand).where(PairBand.pair_id == pair.id)) is None


def test_a_look_up_is_two_queries_however_many_are_alike(app: Any, make_user: Any, count_queries: Any) -> None:
    with transaction():
        rows = [("en", "es", EN.format(number, "Monday"), ES.format(number, "lunes")) for number in range(1500)]
        assert memory.keep_many(rows, None) == (1500, 0)
        assert memory.keep_many([("en", "es", EN.format(7, "Monday"), "Otra")], None) == (0, 1)
    db.session.rollback()
    memory.look_up("warm", "en", "es")
    with count_queries() as counted:
        found = memory.look_up(EN.format("A-99", "Monday"), "en", "es")
    assert len(found) == 5 and len(counted) <= 2


def test_files_go_out_and_come_back_and_each_wrong_line_is_named(app: Any, make_user: Any) -> None:
    boss = make_user("supervisor")
    memory.confirm("Good day", "=Buenos días", "en", "es", boss)
    out = "".join(memory_exchange.rows())
    assert out.splitlines()[1] == "en,es,Good day,'=Buenos días", "no formula for a spreadsheet"
    assert memory_exchange.read(out.encode(), boss).changed == 0
    lines = [
        "source;target;text;translation",
        "en;es;Good day;Buen día",
        "en;xx1;a;b",
        "en;en;a;b",
        "zh-TW;de;你好;Hallo",
    ]
    data = "\n".join([*lines, "en;es;;x"])
    outcome = memory_exchange.read(data.encode("utf-8-sig"), boss)
    assert (outcome.added, outcome.changed, [line for line, _said in outcome.skipped]) == (1, 1, [3, 4, 6])
    assert {(row.source, row.translation) for row in db.session.scalars(db.select(Pair))} == {
        ("en", "Buen día"), ("zh_Hant", "Hallo"),
    }  # fmt: skip
    for bad in (b"\xff\xfe\x00", b"a,b\n1,2\n", b"\x00" * 10):
        with pytest.raises(ValueError, match=r"UTF-8|first line"):
            memory_exchange.read(bad, boss)
    with pytest.raises(NotAllowed):
        memory_exchange.read(data.encode(), make_user("agent"))
    words = [
        "source,target,term,translation,keep,note",
        ",,Larkwheel,,yes,A bicycle",
        "en,es,rear brake,freno trasero,,",
    ]
    done = glossary_exchange.read("\n".join([*words, "en,es,bell,,,"]).encode(), boss)
    assert (done.added, [line for line, _said in done.skipped]) == (2, [4])
    again = glossary_exchange.read("".join(glossary_exchange.rows()).encode(), boss)
    assert (again.added, again.changed, again.skipped) == (0, 0, [])
    assert {term.term: term.keep for term in db.session.scalars(db.select(Term))} == {
        "Larkwheel": True,
        "rear brake": False,
    }


@given(st.text(min_size=1, max_size=300))
def test_a_text_is_itself_whatever_its_spaces_and_capitals(text: str) -> None:
    assert similar.digest_of(f"  {text}\n") == similar.digest_of(text)
    bands = similar.bands_of(text, "en", "es")
    assert bands == similar.bands_of(f" {text} ", "en", "es") and all(-(2**63) <= band < 2**63 for band in bands)
    assert not set(bands) & set(similar.bands_of(text, "en", "fr"))


@given(st.text(max_size=80), st.text(max_size=80))
def test_the_changes_between_two_texts_are_both_of_them(first: str, second: str) -> None:
    found = memory.changes(first, second)
    assert "".join(words for kind, words in found if kind != memory.NEW) == first
    assert "".join(words for kind, words in found if kind != memory.GONE) == second
