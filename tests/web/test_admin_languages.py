"""The owner's room of languages: coverage, texts to search and correct, files in and out."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from flask import Flask

from helpdesk.core import catalogs, corrections
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, CorrectedString

HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'


def po(**strings: str) -> bytes:
    return (HEAD + "".join(f'msgid "{key}"\nmsgstr "{value}"\n\n' for key, value in strings.items())).encode()


@pytest.fixture
def home(home: Path) -> Path:
    """A desk that speaks a little German."""
    target = home / "translations" / "de" / "LC_MESSAGES"
    target.mkdir(parents=True)
    text = po(**{"Sign in": "Anmelden", "Teams": "Gruppen"}).decode()
    boxes = 'msgid "%(num)s ticket"\nmsgid_plural "%(num)s tickets"\n'
    boxes += 'msgstr[0] "%(num)s Vorgang"\nmsgstr[1] "%(num)s Vorgänge"\n'
    (target / "messages.po").write_text(f"{text}{boxes}", "utf-8")
    return home


def digest(message: str, context: str | None = None) -> str:
    return catalogs.digest_of((context, message))


@pytest.fixture
def correct(as_admin: Any) -> Callable[..., Any]:
    """Send the form of one text."""

    def send(message: str, *texts: str, code: str = "de", context: str | None = None, **values: str) -> Any:
        data = {f"text_{number}": text for number, text in enumerate(texts)} | values
        return as_admin.post(f"/admin/languages/{code}/texts/{digest(message, context)}", data=data)

    return send


def sign_in_page(client: Any, language: str = "de") -> str:
    return str(client.get("/auth/sign-in", headers={"Accept-Language": language}).text)


def test_the_list_says_how_much_each_language_has(as_admin: Any) -> None:
    page = as_admin.get("/admin/languages").text
    rows = dict(re.findall(r'<bdi lang="([\w-]+)">[^<]*</bdi></a> <code>\w+</code></td><td class="r">(\d+)%', page))
    assert rows["en"] == "100" and int(rows["zh-Hans"]) > 50 and rows["de"] == "0"
    assert "translations/de/LC_MESSAGES/messages.po" in page
    assert "Languages" in as_admin.get("/admin/").text


@pytest.mark.db
def test_a_corrected_text_is_shown_at_once_and_can_be_taken_back(correct: Any, as_admin: Any, client: Any) -> None:
    assert "Anmelden" in sign_in_page(client)
    answer = correct("Sign in", "Hereinspaziert", q="sign")
    assert answer.status_code == 303 and f"q=sign#t-{digest('Sign in')[:12]}" in answer.location
    assert "Hereinspaziert" in sign_in_page(client) and "Anmelden" not in sign_in_page(client)
    page = as_admin.get("/admin/languages/de?show=corrected").text
    assert "Hereinspaziert" in page and page.count('class="textrow"') == 1
    assert correct("Sign in", undo="1").status_code == 303
    assert "Anmelden" in sign_in_page(client)
    acts = db.session.scalars(db.select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert acts[-2:] == ["language.corrected", "language.restored"]


def test_english_can_be_corrected_too(correct: Any, client: Any) -> None:
    assert correct("Sign in", "Step inside", code="en").status_code == 303
    assert "Step inside" in sign_in_page(client, "en") and "Anmelden" in sign_in_page(client)


def test_what_is_typed_as_it_stands_is_no_correction(correct: Any, app: Flask) -> None:
    correct("Sign in", "Hereinspaziert")
    correct("Sign in", " Anmelden\r\n")
    correct("Sign in", "Sign in", code="en")
    assert db.session.scalar(db.select(db.func.count(CorrectedString.id))) == 0


def test_all_plural_forms_are_corrected(correct: Any, as_admin: Any, app: Flask) -> None:
    page = as_admin.get("/admin/languages/de?q=%25(num)s+ticket").text
    assert "Text for 1<" in page and "Text for 0, 2, 3, 4<" in page and "%(num)s Vorgänge</textarea>" in page
    assert correct("%(num)s ticket", "%(num)s Fall", "%(num)s Fälle").status_code == 303
    catalogs.refresh()
    said = catalogs.current().translations("de")
    assert [said.ngettext("%(num)s ticket", "%(num)s tickets", number) for number in (1, 2)] == [
        "%(num)s Fall",
        "%(num)s Fälle",
    ]


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (("%(num)s Fall", "%(nmu)s Fälle"), "%(nmu)s is not in the English text"),
        (("%(num)s Fall", "50 % Fälle %(num)s"), "a single %"),
        (("%(num)s Fall", ""), "Write a translation"),
        (("%(num)s Fall", "<b>%(num)s</b> Fälle"), "other HTML"),
        (("%(num)s Fall", '" onload="go() %(num)s'), "straight quotation marks"),
        (("%(num)s Fall", "x" * 5001), "too long"),
    ],
)
def test_a_text_that_would_break_a_page_comes_back_as_typed(
    correct: Any, app: Flask, texts: tuple[str, str], sentence: str
) -> None:
    answer = correct("%(num)s ticket", *texts, show="missing", q="nothing like it")
    assert answer.status_code == 422
    from markupsafe import escape

    assert sentence in answer.text and str(escape(texts[1])) in answer.text and "%(num)s Fall</textarea>" in answer.text
    row = answer.text.split(f'id="t-{digest("%(num)s ticket")[:12]}"')[1].split("</details>")[0]
    assert "open>" in row.split("<summary>")[0] and 'aria-invalid="true"' in row
    assert f"f-{digest('%(num)s ticket')[:12]}-1-error" in row, "beside the form that is wrong"
    assert 'name="show" value="missing"' in row and "nothing like it" in row
    assert db.session.scalar(db.select(db.func.count(CorrectedString.id))) == 0


def test_spaces_at_both_ends_follow_the_english_text(app: Flask) -> None:
    text = catalogs.Text("core", corrections.Entry(None, "\nHello \n"), None)
    assert corrections._checked("de", text.entry, [" Hallo\r\nDu  "]) == ("\nHallo\nDu \n",)


def test_what_is_searched_and_shown(as_admin: Any) -> None:
    def shown(query: str) -> int:
        return int(as_admin.get(f"/admin/languages/de?{query}").text.count('class="textrow"'))

    assert shown("q=Gruppen") == 1 and shown("q=gRuPPen") == 1
    assert shown("q=zzzz") == 0 and shown("show=corrected") == 0
    assert shown("") == 50 and shown("page=2") == 50 and shown("page=9999") == 0
    assert shown("show=missing&q=Sign+in") < shown("q=Sign+in")
    assert shown("page=-1&show=x&of=ghost&q=" + "%00" * 3) == 0 and shown("page=x&of=ghost") == 50
    assert as_admin.get("/admin/languages/de?of=email").text.count('class="textrow"') > 0
    for code in ("tlh", "fr", "..", "%2e%2e%2fx", "DE", "x" * 300):
        assert as_admin.get(f"/admin/languages/{code}").status_code in (404, 308), code
    assert as_admin.post(f"/admin/languages/de/texts/{'0' * 64}", data={"text_0": "x"}).status_code == 404


def test_problems_of_a_catalog_are_named_on_the_page(as_admin: Any, home: Path) -> None:
    path = home / "translations" / "de" / "LC_MESSAGES" / "messages.po"
    path.write_text(path.read_text("utf-8") + '\nmsgid "Save"\nmsgstr "50 % <i>"\n\nmsgid "Odd\nmsgstr [\n', "utf-8")
    (home / "translations" / "Klingon" / "LC_MESSAGES").mkdir(parents=True)
    (home / "translations" / "Klingon" / "LC_MESSAGES" / "messages.po").write_bytes(po(Save="?"))
    catalogs.current().look_again()
    page = as_admin.get("/admin/languages/de").text
    for words in ("a single %", "other HTML", "cannot be read here", "translations/de/LC_MESSAGES/messages.po"):
        assert words in page, words
    overview = as_admin.get("/admin/languages").text
    assert "Klingon" in overview and "is no language" in overview and str(home) not in overview + page


def test_a_catalog_broken_in_every_way_lets_its_own_readers_work(make_app: Any, home: Path) -> None:
    """From the start on, and for a reader of that language: what is said about it cannot come from it."""
    path = home / "translations" / "de" / "LC_MESSAGES" / "messages.po"
    broken = b'\nmsgid "Save"\nmsgstr "50 % <i>"\n\nmsgid "Odd\nmsgstr [\n\n\xff\xfe\nPlural-Forms: nplurals=n%0'
    path.write_bytes(path.read_bytes() + broken)
    (home / "translations" / "ghost" / "LC_MESSAGES").mkdir(parents=True)
    (home / "translations" / "ghost" / "LC_MESSAGES" / "messages.po").write_bytes(b"?")
    app = make_app()
    assert "Anmelden" in sign_in_page(app.test_client())
    path.write_bytes(path.read_bytes().replace(b"Anmelden", b"Herein"))
    with app.app_context():
        catalogs.current().look_again()
    assert "Herein" in sign_in_page(app.test_client())


# ---- files


def exported(as_admin: Any, query: str = "", code: str = "de") -> Catalog:
    answer = as_admin.get(f"/admin/languages/{code}/export?{query}")
    assert answer.status_code == 200 and f"-{code}" in answer.headers["Content-Disposition"]
    return read_po(io.BytesIO(answer.data), locale=code, abort_invalid=True)


@pytest.mark.plugins
def test_ordinary_po_files_come_out(correct: Any, as_admin: Any) -> None:
    correct("Sign in", "Herein")
    assert [message.string for message in exported(as_admin, "what=corrected") if message.id] == ["Herein"]
    everything = exported(as_admin)
    assert everything.get("Sign in").string == "Herein" and everything.get("Teams").string == "Gruppen"
    missing = exported(as_admin, "what=missing")
    assert missing.get("Teams") is None and missing.num_plurals == 2 and len(missing) > 500
    only = exported(as_admin, "of=email")
    assert only.get("Teams") is None and 0 < len(only) < 500


@pytest.mark.db
def test_a_file_is_taken_as_corrections(as_admin: Any, client: Any) -> None:
    data = po(**{"Sign in": "Herein", "Teams": "Gruppen", "Ghost": "?", "Save": "50 %"})
    answer = as_admin.post(
        "/admin/languages/de/import", data={"file": (io.BytesIO(data), "de.po"), "as": "corrections"}
    )
    assert answer.status_code == 200 and "a single %" in answer.text and "1 text was taken" in answer.text
    assert [row.message for row in db.session.scalars(db.select(CorrectedString))] == ["Sign in"]
    assert "Herein" in sign_in_page(client)
    again = as_admin.get("/admin/languages/de/export?what=corrected").data
    as_admin.post(f"/admin/languages/de/texts/{digest('Sign in')}", data={"undo": "1"})
    assert "Anmelden" in sign_in_page(client)
    answer = as_admin.post(
        "/admin/languages/de/import", data={"file": (io.BytesIO(again), "x.po"), "as": "corrections"}
    )
    assert answer.status_code == 303 and "Herein" in sign_in_page(client), "out and in again"


FORM = "<form action='//evil'><input name=password>"
FORGED = {
    "Sign in": FORM,
    "Teams": '\\" onmouseover=\\"go()',
    "Save": "%(secret)s",
    "Cancel": "50 %",
    "%(num)s ticket": f"%(num)s {FORM}",
}


def forged() -> bytes:
    """A file that claims an English plural for each of its texts, so that the text seems to be like it."""
    entry = 'msgid "{0}"\nmsgid_plural "{1}"\nmsgstr[0] "{1}"\nmsgstr[1] "{1}"\n\n'
    return (HEAD + "".join(entry.format(word, text) for word, text in FORGED.items())).encode()


@pytest.mark.parametrize("way", ["corrections", "file"])
def test_a_file_cannot_say_what_english_is(as_admin: Any, client: Any, home: Path, way: str) -> None:
    """Templates render texts unescaped: a plural of the file's own must not let in what English does not have."""
    for data, status in ((forged(), 422), (forged() + po(Close="Zu").partition(b"\n\n")[2], 200)):
        before = sorted(home.rglob("*.po*"))
        sent = {"file": (io.BytesIO(data), "de.po"), "as": way, "of": "core"}
        answer = as_admin.post("/admin/languages/de/import", data=sent)
        if way == "corrections":
            assert answer.status_code == 200 and "“Sign in” has 2 of 0 plural forms" in answer.text
            assert "The translation of “%(num)s ticket” has other HTML" in answer.text
            assert {row.message for row in db.session.scalars(db.select(CorrectedString))} <= {"Close"}
        else:
            assert answer.status_code == status and (status == 200 or sorted(home.rglob("*.po*")) == before)
    catalogs.current().look_again()
    page = sign_in_page(client)
    assert "evil" not in page and ("Anmelden" if way == "corrections" else "Sign in") in page
    said = catalogs.current().translations("de")
    assert said.gettext("Close") == "Zu" and "secret" not in said.gettext("Save")
    assert "evil" not in said.ngettext("%(num)s ticket", "%(num)s tickets", 2)


def test_a_plural_that_english_has_otherwise_is_told_in_every_language(as_admin: Any, app: Flask) -> None:
    """Also where there is one form, so that the number of texts says nothing."""
    plural = b'msgid "Close"\nmsgid_plural "Closes"\nmsgstr[0] "\xe9\x97\xad"\n\n'
    for data in (HEAD.encode() + plural, po(**{"%(num)s ticket": "%(num)s"})):
        taken = corrections.take("zh_Hans", data, None)
        assert (taken.texts, taken.new, [one.kind for one in taken.problems]) == (0, 0, ["plural"])


def test_a_correction_of_other_english_is_not_shown(correct: Any, client: Any, app: Flask, tmp_path: Path) -> None:
    """An update may make a plural of a text, or put other placeholders into it."""
    correct("%(num)s ticket", "%(num)s Fall", "%(num)s Fälle")
    correct("Sign in", "Herein")
    english = catalogs.current()
    english.fixed[0] = replace(english.fixed[0], folder=tmp_path)
    (tmp_path / "messages.pot").write_bytes(po(**{"%(num)s ticket": "", "Sign in": ""}))
    english.look_again()
    catalogs.refresh()
    said = english.translations("de")
    assert said.ngettext("%(num)s ticket", "English", 2) == "English" and said.gettext("Sign in") == "Herein"
    found = {text.entry.id: text.corrected for text in english.texts("de", "core")}
    assert found == {"%(num)s ticket": None, "Sign in": ("Herein",)}


def test_a_language_is_begun_and_added_on_the_page_alone(as_admin: Any, client: Any, home: Path) -> None:
    assert as_admin.get("/admin/languages/begin?code=e/o").status_code == 422
    assert "is written “pt_BR” here" in as_admin.get("/admin/languages/begin?code=pt-br").text
    answer = as_admin.get("/admin/languages/begin?code=eo")
    catalog = read_po(io.BytesIO(answer.data), locale="eo")
    catalog.get("Sign in").string = "Ensaluti"
    file = io.BytesIO()
    write_po(file, catalog)
    sent = {"code": "eo", "of": "core"}
    answer = as_admin.post("/admin/languages", data={**sent, "file": (io.BytesIO(file.getvalue()), "eo.po")})
    assert answer.status_code == 303 and answer.location.endswith("/admin/languages/eo")
    assert "Ensaluti" in sign_in_page(client, "eo") and "Esperanto" in as_admin.get("/admin/languages").text
    newer = file.getvalue().replace(b"Ensaluti", b"Eniri")
    as_admin.post("/admin/languages", data={**sent, "file": (io.BytesIO(newer), "eo.po")})
    assert "Eniri" in sign_in_page(client, "eo")
    kept = sorted(path.name for path in (home / "translations" / "eo" / "LC_MESSAGES").iterdir())
    assert kept == ["messages.po", "messages.po.before"]


@pytest.mark.parametrize("code", ["../../x", "de/../../x", "", "DE", "..", "x" * 100])
def test_a_code_is_checked_before_it_touches_a_path(as_admin: Any, home: Path, code: str) -> None:
    before = sorted(home.rglob("*.po"))
    sent = {"code": code, "of": "core", "file": (io.BytesIO(po(Save="x")), "eo.po")}
    answer = as_admin.post("/admin/languages", data=sent)
    assert answer.status_code == 422 and "is no language" in answer.text or "is written" in answer.text
    assert sorted(home.rglob("*.po")) == before


@pytest.mark.parametrize("owner", ["../x", "ghost", "", "messages/../../x"])
def test_an_owner_is_checked_too(as_admin: Any, home: Path, owner: str) -> None:
    before = sorted(home.rglob("*.po"))
    sent = {"code": "eo", "of": owner, "file": (io.BytesIO(po(Save="x")), "eo.po")}
    assert as_admin.post("/admin/languages", data=sent).status_code == 422
    assert sorted(home.rglob("*.po")) == before


def test_files_that_are_no_catalogs_change_nothing(as_admin: Any, home: Path) -> None:
    before = sorted(home.rglob("*.po"))
    for data in (b"", b"\x00\x01\x02", b"PK\x03\x04 a zip", po(Save="")):
        for path, extra in (("/admin/languages", {"code": "eo"}), ("/admin/languages/de/import", {"as": "file"})):
            answer = as_admin.post(path, data={**extra, "of": "core", "file": (io.BytesIO(data), "x.po")})
            assert answer.status_code == 422 and "no translation in this file" in answer.text
    assert as_admin.post("/admin/languages", data={"code": "eo"}).status_code == 422
    assert sorted(home.rglob("*.po")) == before


def test_other_processes_see_a_correction(correct: Any, make_app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from helpdesk.core import generation

    other = make_app().test_client()
    assert "Anmelden" in sign_in_page(other)
    correct("Sign in", "Herein")
    monkeypatch.setattr(generation, "INTERVAL", 0.0)
    assert "Herein" in sign_in_page(other)


@pytest.mark.db
def test_corrections_of_texts_that_are_gone_do_no_harm(app: Flask, as_admin: Any, client: Any) -> None:
    from helpdesk.core import generation
    from helpdesk.core.transaction import transaction

    with transaction():
        db.session.add(CorrectedString(locale="de", digest="1" * 64, message="Gone", texts=["Weg"]))
        db.session.add(CorrectedString(locale="de", digest="2" * 64, message="Odd", texts={"not": "a list"}))
        db.session.add(CorrectedString(locale="../x", digest="3" * 64, message="Odd", texts=["x"]))
        generation.bump()
    assert as_admin.get("/admin/languages").status_code == 200
    assert "Anmelden" in sign_in_page(client)


def test_two_thousand_texts_cost_no_query_each(as_admin: Any, count_queries: Any, home: Path, tmp_path: Path) -> None:
    words = {f"Text number {number}": f"Wort Nummer {number}" for number in range(2000)}
    found = catalogs.current()
    (tmp_path / "messages.pot").write_bytes(po(**dict.fromkeys(words, "")))
    found.fixed[:] = [replace(found.fixed[0], folder=tmp_path), found.fixed[-1]]
    with (home / "translations" / "de" / "LC_MESSAGES" / "messages.po").open("ab") as file:
        file.write(b"\n" + po(**words).partition(b"\n\n")[2])
    catalogs.current().look_again()
    assert as_admin.get("/admin/languages/de?q=nummer").text.count('class="textrow"') == 50
    for path in ("/admin/languages", "/admin/languages/de?q=nummer&page=40"):
        with count_queries() as asked:
            assert as_admin.get(path).status_code == 200
        assert len(asked) <= 8, path
    data = po(**{word: f"{text}!" for word, text in words.items()})
    with count_queries() as asked:
        as_admin.post("/admin/languages/de/import", data={"file": (io.BytesIO(data), "x.po"), "as": "corrections"})
    assert db.session.scalar(db.select(db.func.count(CorrectedString.id))) == 2000 and len(asked) < 20
