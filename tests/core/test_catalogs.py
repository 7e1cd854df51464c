"""Catalogs of the core, the plugins, packs and the home: merged, compiled, live, and never the end of a page."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from helpdesk.core import catalogs, generation, packs, pofiles
from helpdesk.core.catalogs import Catalogs
from helpdesk.core.packs import CORE, HOME, PACK, PLUGIN, Place
from helpdesk.testing.served import wait_for

HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
Write = Callable[..., Path]


def write(folder: Path, code: str, domain: str = "messages", head: str = HEAD, **strings: str) -> Path:
    path = folder / code / "LC_MESSAGES" / f"{domain}.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + "".join(f'msgid "{key}"\nmsgstr "{value}"\n\n' for key, value in strings.items()), "utf-8")
    return path


@pytest.fixture
def places(tmp_path: Path) -> list[Place]:
    """A desk with one plugin, a home and a language pack."""
    names = ((CORE, "core"), (PLUGIN, "parcels"), (HOME, "home"), (PACK, "pack"))
    return [Place(kind, name, tmp_path / name) for kind, name in names]


@pytest.fixture
def load(app: Flask, places: list[Place], tmp_path: Path) -> Callable[[], Catalogs]:
    """Make the catalogs of these places, as another process would."""
    return lambda: Catalogs(places, tmp_path / "cache")


def test_the_weight_of_catalogs(load: Callable[[], Catalogs], places: list[Place]) -> None:
    core, plugin, home, pack = (place.folder for place in places)
    write(core, "de", Core="core", Plugin="core")
    write(plugin, "de", Plugin="plugin", Added="plugin", Parcel="plugin", Both="plugin")
    write(home, "de", Core="home")
    write(home, "de", "parcels", Parcel="home", Plugin="home: a plugin's catalog never changes the desk's words")
    write(home, "de", "ghost", Ghost="?")
    write(pack, "de", Core="pack", Both="pack", Filled="pack")
    write(pack, "de", "parcels", Parcel="pack", Rest="pack")
    said = load().translations("de").gettext
    assert {word: said(word) for word in ("Core", "Plugin", "Added", "Parcel", "Both", "Filled", "Rest", "Ghost")} == {
        "Core": "home",
        "Plugin": "core",
        "Added": "plugin",
        "Parcel": "home",
        "Both": "plugin",
        "Filled": "pack",
        "Rest": "pack",
        "Ghost": "Ghost",
    }


def test_a_language_is_offered_once_the_desk_has_a_word_in_it(
    load: Callable[[], Catalogs], places: list[Place]
) -> None:
    core, plugin, home, pack = (place.folder for place in places)
    write(core, "de", Save="Sichern")
    write(plugin, "fr", Parcel="Colis")
    write(home, "eo", Save="")
    write(pack, "nl", Save="Opslaan")
    assert [code for code, _name in load().languages] == ["en", "de", "nl"]
    write(home, "eo", Save="Konservi")
    assert dict(load().languages)["eo"] == "Esperanto"


@pytest.mark.parametrize(
    "name", ["..", "DE", "de-AT", "zh_CN", "pt_br", "zh_hans", "tlh", "x" * 300, "de_DE_x", "de.UTF-8", "C", "d e"]
)
def test_what_is_no_language_touches_no_path(load: Callable[[], Catalogs], places: list[Place], name: str) -> None:
    assert not packs.is_code(name)
    with pytest.raises(ValueError, match="is no language; write|is written"):
        packs.check_code(name)
    if len(name) < 200:
        write(places[2].folder, name, Save="?")
        found = load()
        assert [code for code, _name in found.languages] == ["en"]
        if name != "..":
            ((_path, problem),) = found.folder_problems()
            assert "is no language" in problem.sentence


@pytest.mark.parametrize("name", ["../x", "de/../../x", "de\0", "", "zh_Hans\n"])
def test_codes_with_something_behind(name: str) -> None:
    assert not packs.is_code(name)


@pytest.mark.parametrize("name", ["de", "zh_Hans", "zh_Hans_CN", "pt_BR", "es_419", "ckb", "eo"])
def test_codes_that_are_languages(name: str) -> None:
    assert packs.is_code(name)


def test_a_link_out_of_the_home_is_not_followed(
    load: Callable[[], Catalogs], places: list[Place], tmp_path: Path
) -> None:
    write(tmp_path / "elsewhere", "de", Save="Sichern")
    places[2].folder.mkdir(exist_ok=True)
    (places[2].folder / "de").symlink_to(tmp_path / "elsewhere" / "de")
    found = load()
    assert [code for code, _name in found.languages] == ["en"]
    assert "outside the home" in found.folder_problems()[0][1].sentence


# ---- what is broken


def test_broken_texts_are_left_out_and_the_others_stay(load: Callable[[], Catalogs], places: list[Place]) -> None:
    path = write(places[0].folder, "de", Save="Sichern")
    bad = (
        ("Hello %(name)s", "Hallo %(nmae)s"),
        ("Half", "50 % fertig"),
        ("Go on", "<script>go()</script>"),
        ("Sent", '\\" onload=\\"go()'),
    )
    text = "".join(f'msgid "{key}"\nmsgstr "{value}"\n\n' for key, value in bad)
    broken = 'msgid "Cut off\nmsgstr "Abge"\n\nmsgid "Odd"\nmsgstr [[[\n\n#, fuzzy\nmsgid "Guess"\nmsgstr "Rat"\n\n'
    plural = 'msgid "%(num)s box"\nmsgid_plural "%(num)s boxes"\nmsgstr[0] "%(num)s Kiste"\nmsgstr[1] ""\n\n'
    path.write_text(path.read_text("utf-8") + text + broken + plural + 'msgid "Last"\nmsgstr "Letzte"\n', "utf-8")
    found = load()
    said = found.translations("de")
    assert (said.gettext("Save"), said.gettext("Last")) == ("Sichern", "Letzte")
    for key in (*(key for key, _value in bad), "Cut off", "Odd", "Guess"):
        assert said.gettext(key) == key
    assert said.ngettext("%(num)s box", "%(num)s boxes", 2) == "%(num)s boxes"
    kinds = [problem.kind for _path, problem in found.problems("de")]
    assert sorted(kinds) == sorted(["file"] * 2 + ["placeholder"] * 2 + ["html", "quotes", "fuzzy", "plural"])


def test_another_encoding_costs_only_its_letters(load: Callable[[], Catalogs], places: list[Place]) -> None:
    path = write(places[0].folder, "de", Save="Sichern", Search="Gr\u00f6\u00dfe", Close="Zu")
    path.write_bytes(path.read_text("utf-8").encode("latin-1"))
    found = load()
    said = found.translations("de").gettext
    assert (said("Save"), said("Search"), said("Close")) == ("Sichern", "Search", "Zu")
    assert "save it as UTF-8" in found.problems("de")[0][1].sentence
    path.write_bytes(path.read_bytes().replace(b"UTF-8", b"ISO-8859-1"))
    assert load().translations("de").gettext("Search") == "Gr\u00f6\u00dfe"
    path.write_bytes(path.read_bytes().replace(b"ISO-8859-1", b"rot13"))
    assert load().translations("de").gettext("Save") == "Sichern"


@pytest.mark.parametrize(
    "rule",
    ["nplurals=2; plural=n%0;", "nplurals=2; plural=__import__('os');", "nplurals=99; plural=n;", "nonsense"]
    + ["nplurals=2; plural=" + "(" * 200 + "n" + ")" * 200 + ";", "nplurals=1; plural=n>1;"],
)
def test_a_wrong_plural_rule_is_named_and_the_language_has_its_own(
    load: Callable[[], Catalogs], places: list[Place], rule: str
) -> None:
    head = HEAD.replace('\\n"', f'\\nPlural-Forms: {rule}\\n"')
    path = write(places[0].folder, "de", head=head, Save="Sichern")
    boxes = 'msgid "box"\nmsgid_plural "boxes"\nmsgstr[0] "Kiste"\nmsgstr[1] "Kisten"\n'
    path.write_text(path.read_text("utf-8") + boxes, "utf-8")
    found = load()
    said = found.translations("de")
    assert [said.ngettext("box", "boxes", number) for number in (0, 1, 2)] == ["Kisten", "Kiste", "Kisten"]
    assert [problem.kind for _path, problem in found.problems("de")] == ["head"]


def test_forms_in_the_order_of_another_tool(load: Callable[[], Catalogs], places: list[Place]) -> None:
    """French as some tools count it has three forms, the last for millions; here it has two."""
    rule = "nplurals=3; plural=(n==0 || n==1) ? 0 : n != 0 && n % 1000000 == 0 ? 1 : 2;"
    path = write(places[0].folder, "fr", head=HEAD.replace('\\n"', f'\\nPlural-Forms: {rule}\\n"'))
    boxes = 'msgid "box"\nmsgid_plural "boxes"\nmsgstr[0] "caisse"\nmsgstr[1] "de caisses"\nmsgstr[2] "caisses"\n'
    path.write_text(path.read_text("utf-8") + boxes, "utf-8")
    found = load()
    said = found.translations("fr")
    assert [said.ngettext("box", "boxes", number) for number in (1, 5)] == ["caisse", "caisses"]
    assert found.problems("fr") == []


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"\xff\xfe\x00m", b"msgid\n", b'"', b'msgstr "x"', os.urandom(5000)]
)
def test_any_bytes_can_be_read(app: Flask, data: bytes) -> None:
    found = pofiles.read(data)
    assert found.for_language("de") == [] and len(found.problems) <= pofiles.MOST_PROBLEMS


# ---- what a file says of English is not believed

FORM = "x<form action='//evil'><input name=password>"
FORGED = {"Save": FORM, "Send": 'x\\" onload=\\"go()', "Hello": "%(secret)s", "Half": "50 % x", "%(num)s box": FORM}


def template(folder: Path, *texts: str | tuple[str, str]) -> Path:
    """The English texts of the desk or of a plugin, as extraction writes them."""
    path = folder / packs.TEMPLATE
    folder.mkdir(parents=True, exist_ok=True)
    singles = "".join(f'msgid "{one}"\nmsgstr ""\n\n' for one in texts if isinstance(one, str))
    pairs = [one for one in texts if not isinstance(one, str)]
    plurals = "".join(f'msgid "{one}"\nmsgid_plural "{two}"\nmsgstr[0] ""\nmsgstr[1] ""\n\n' for one, two in pairs)
    path.write_text(HEAD + singles + plurals, "utf-8")
    return path


def forge(path: Path, word: str, text: str, plural: str | None = None) -> None:
    """Put a plural into a catalog that English does not have, to excuse the text."""
    forms = f'msgid "{word}"\nmsgid_plural "{plural or text}"\nmsgstr[0] "{text}"\n'
    forms += f'msgstr[1] "{text}"\n' if path.parts[-3] != "ja" else ""
    path.write_text(f"{path.read_text('utf-8')}{forms}\n", "utf-8")


@pytest.mark.parametrize("has_template", [True, False])
@pytest.mark.parametrize(
    ("number", "domain"), [(0, "messages"), (1, "messages"), (2, "messages"), (2, "parcels"), (3, "messages")]
)
def test_a_forged_plural_lets_nothing_in(
    load: Callable[[], Catalogs], places: list[Place], number: int, domain: str, has_template: bool
) -> None:
    """In the desk's own, a plugin's, the home's and a pack's catalog, with templates and without."""
    if has_template:
        template(places[0].folder, "Save", "Send", "Hello", "Half", "Close", ("%(num)s box", "%(num)s boxes"))
        template(places[1].folder, "Parcel")
    for code in ("de", "ja"):
        path = write(places[number].folder, code, domain, Close=f"{code}: Close")
        for word, text in FORGED.items():
            forge(path, word, text)
    found = load()
    for code in ("de", "ja"):
        said = found.translations(code)
        for word in FORGED:
            assert (said.gettext(word), said.ngettext(word, "plural", 2)) == (word, "plural")
        assert said.gettext("Close") == f"{code}: Close", "the others stay"
        named = [problem for _path, problem in found.problems(code) if problem.kind in pofiles.BREAKING]
        assert len(named) >= len(FORGED)
        assert not {text.entry.plural for text in found.texts(code)} & set(FORGED.values())


def test_the_plural_of_the_template_is_what_counts(load: Callable[[], Catalogs], places: list[Place]) -> None:
    template(places[0].folder, ("One box", "<b>%(num)s</b> boxes"), "Save", "Close")
    path = write(places[2].folder, "de", Close="Zu", **{"One box": "Eine Kiste"})
    forge(path, "Save", "Sichern", "Save")
    found = load()
    said = found.translations("de")
    assert (said.gettext("Save"), said.gettext("Close")) == ("Save", "Zu"), "a plural where English has none"
    assert said.ngettext("One box", "boxes", 1) == "One box", "none where English has one"
    assert [problem.kind for _path, problem in found.problems("de")] == ["plural", "plural"]
    plural = 'msgid "One box"\nmsgid_plural "an older plural"\nmsgstr[0] "Kiste"\nmsgstr[1] "<b>%(num)s</b> Kisten"\n'
    path.write_text(HEAD + plural, "utf-8")
    found = load()
    said = found.translations("de")
    assert [said.ngettext("One box", "", number) for number in (1, 2)] == ["Kiste", "<b>%(num)s</b> Kisten"]
    assert found.problems("de") == []


def test_a_plugins_plural_does_not_open_a_text_of_the_desk(load: Callable[[], Catalogs], places: list[Place]) -> None:
    """Its template as well: the desk's comes first."""
    template(places[0].folder, "Save")
    template(places[1].folder, ("Save", FORM), "Parcel")
    forge(write(places[1].folder, "de", Parcel="Paket"), "Save", FORM)
    said = load().translations("de")
    assert (said.gettext("Save"), said.gettext("Parcel")) == ("Save", "Paket")


def test_a_text_of_nobody_is_left_out(load: Callable[[], Catalogs], places: list[Place]) -> None:
    template(places[0].folder, "Save")
    write(places[2].folder, "de", Save="Sichern", Parcel="Paket")
    assert load().translations("de").gettext("Parcel") == "Paket", "the plugin has no template: it may be its text"
    template(places[1].folder, "Letter")
    said = load().translations("de")
    assert (said.gettext("Save"), said.gettext("Parcel")) == ("Sichern", "Parcel")
    template(places[1].folder, "Parcel")
    assert load().translations("de").gettext("Parcel") == "Paket", "a newer template is not the older one's cache"


@pytest.mark.parametrize("has_template", [True, False])
@pytest.mark.parametrize(
    "entry",
    [
        f'msgid "Save\0{FORM}"\nmsgstr "{FORM}"\n',
        f'msgctxt "Save\0x"\nmsgid "{FORM}"\nmsgstr "{FORM}"\n',
        f'msgid "menu\x04Save"\nmsgid_plural "{FORM}"\nmsgstr[0] "{FORM}"\nmsgstr[1] "{FORM}"\n',
        f'msgctxt ""\nmsgid "Save"\nmsgid_plural "{FORM}"\nmsgstr[0] "{FORM}"\nmsgstr[1] "{FORM}"\n',
        'msgid "a\0b\0c"\nmsgstr "x"\n',
        'msgctxt "x"\nmsgid ""\nmsgstr "Content-Type: text/plain; charset=nonsense\\n"\n',
    ],
)
def test_a_name_that_the_compiled_catalog_reads_otherwise(
    load: Callable[[], Catalogs], places: list[Place], entry: str, has_template: bool
) -> None:
    """Its parts are divided by characters that no text has: between singular and plural, and before the text."""
    if has_template:
        template(places[0].folder, "Save", "Close")
        template(places[1].folder, "Parcel")
    path = write(places[2].folder, "de", Close="Zu")
    path.write_text(path.read_text("utf-8") + entry, "utf-8")
    said = load().translations("de")
    assert (said.gettext("Save"), said.pgettext("menu", "Save"), said.gettext("Close")) == ("Save", "Save", "Zu")


def test_what_was_compiled_before_the_template_counted_is_made_anew(
    load: Callable[[], Catalogs], places: list[Place]
) -> None:
    forge(write(places[2].folder, "de"), "Save", "Save %(name)s", "Saves %(name)s")
    path = template(places[0].folder, ("Save", "Saves %(name)s"))
    template(places[1].folder)
    found = load()
    assert found.translations("de").ngettext("Save", "", 2) == "Save %(name)s"
    path.write_text(path.read_text("utf-8").replace(" %(name)s", ""), "utf-8")
    found.look_again()
    found.refresh()
    assert found.translations("de").ngettext("Save", "Saves", 2) == "Saves"
    assert load().translations("de").ngettext("Save", "Saves", 2) == "Saves"


# ---- the cache


def compiled(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "translations").glob("*.mo"))


def test_they_are_compiled_once_for_the_same_content(
    load: Callable[[], Catalogs], places: list[Place], tmp_path: Path
) -> None:
    path = write(places[0].folder, "de", Save="Sichern")
    load().translations("de")
    (first,) = compiled(tmp_path)
    stamp = first.stat().st_mtime_ns
    os.utime(path, ns=(1, 1))
    load().translations("de")
    assert compiled(tmp_path) == [first] and first.stat().st_mtime_ns == stamp
    os.utime(first, (0, 0))
    (tmp_path / "cache" / "translations" / "folder-of-an-older-release").mkdir()
    write(places[0].folder, "de", Save="Speichern")
    assert load().translations("de").gettext("Save") == "Speichern"
    (other,) = (tmp_path / "cache" / "translations").iterdir()
    assert other != first


@pytest.mark.parametrize("harm", [b"", b"\xde\x12\x04\x95" + b"\xff" * 30, b"rubbish"])
def test_a_compiled_catalog_that_is_cut_off_is_made_anew(
    load: Callable[[], Catalogs], places: list[Place], tmp_path: Path, harm: bytes
) -> None:
    write(places[0].folder, "de", Save="Sichern")
    load().translations("de")
    (file,) = compiled(tmp_path)
    good = file.read_bytes()
    file.write_bytes(harm)
    assert load().translations("de").gettext("Save") == "Sichern"
    assert file.read_bytes() == good


def test_a_cache_that_cannot_be_written_is_no_problem(
    load: Callable[[], Catalogs], places: list[Place], tmp_path: Path, caplog: Any
) -> None:
    write(places[0].folder, "de", Save="Sichern")
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert load().translations("de").gettext("Save") == "Sichern"
    assert "cannot be kept" in caplog.text


def test_a_file_replaced_while_it_is_compiled_never_stands_under_the_name_of_the_new_one(
    load: Callable[[], Catalogs], places: list[Place], monkeypatch: Any
) -> None:
    """The texts were read before the change and the name is made after it."""
    write(places[0].folder, "de", Save="before")
    found = load()
    found.texts("de")
    named = packs.digest

    def replaced(*told: Any) -> str:
        aside = write(places[0].folder / "aside", "de", Save="afterwards")
        aside.replace(places[0].folder / "de" / "LC_MESSAGES" / "messages.po")
        return named(*told)

    monkeypatch.setattr(packs, "digest", replaced)
    assert found.translations("de").gettext("Save") == "before"
    monkeypatch.setattr(packs, "digest", named)
    assert load().translations("de").gettext("Save") == "afterwards"


def test_many_at_once_see_whole_catalogs(load: Callable[[], Catalogs], places: list[Place], app: Flask) -> None:
    """Four processes' worth of catalogs, compiled by threads at once, while the file changes below them.

    Each state of the file is seen by somebody before the next one comes.
    """
    write(places[0].folder, "de", Save="word 0", Close="word 0")
    found = [load() for _each in range(4)]
    wrong: list[Any] = []
    heard: set[str] = set()
    done = threading.Event()

    def reads(catalogs: Catalogs) -> None:
        with app.app_context():
            while not done.is_set():
                catalogs.look_again()
                catalogs.refresh()
                said = catalogs.translations("de")
                heard.add(said.gettext("Save"))
                if said.gettext("Save") != said.gettext("Close") or "word" not in said.gettext("Save"):
                    wrong.append((said.gettext("Save"), said.gettext("Close")))

    threads = [threading.Thread(target=reads, args=(one,)) for one in found for _twice in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(1, 15):
            aside = write(places[0].folder / "aside", "de", Save=f"word {number}", Close=f"word {number}")
            # Two that are as long may come within one tick of the file system's clock.
            os.utime(aside, ns=(number, number))
            aside.replace(places[0].folder / "de" / "LC_MESSAGES" / "messages.po")
            wait_for(lambda number=number: f"word {number}" in heard)
    finally:
        done.set()
        for thread in threads:
            thread.join(60)
    assert wrong == [] and not any(thread.is_alive() for thread in threads)
    for one in found:
        one.look_again()
        one.refresh()
        assert one.translations("de").gettext("Save") == "word 14"


# ---- live


def test_files_are_looked_at_often_enough() -> None:
    """Within two seconds, as it is promised: the files each second, and what is corrected by the generation."""
    assert catalogs.INTERVAL <= 2 and generation.INTERVAL <= 2


def test_a_new_language_is_spoken_without_a_restart(app: Flask, client: Any, home: Path) -> None:
    def page() -> str:
        return str(client.get("/auth/sign-in", headers={"Accept-Language": "eo"}).text)

    assert 'lang="en"' in page()
    path = write(home / "translations", "eo", **{"Sign in": "Ensaluti"})
    wait_for(lambda: "Ensaluti" in page())
    assert 'lang="eo"' in page()
    write(home / "translations", "eo", **{"Sign in": "Eniri"})
    wait_for(lambda: "Eniri" in page())
    path.unlink()
    wait_for(lambda: 'lang="en"' in page())


def test_a_pack_that_is_installed_is_spoken_without_a_restart(
    app: Flask, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    assert 'lang="en"' in client.get("/auth/sign-in", headers={"Accept-Language": "eo"}).text
    write(site / "desk_in_esperanto", "eo", **{"Sign in": "Ensaluti"})
    (site / "desk_in_esperanto" / "__init__.py").write_text("raise RuntimeError('a pack has no code to run')\n")
    info = site / "desk_in_esperanto-1.4.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: desk-in-esperanto\nVersion: 1.4\n")
    (info / "entry_points.txt").write_text("[helpdesk.translations]\neo = desk_in_esperanto\n")
    wait_for(lambda: "Ensaluti" in client.get("/auth/sign-in", headers={"Accept-Language": "eo"}).text)
    pack = catalogs.current().places()[-1]
    assert (pack.kind, pack.name, pack.version) == (PACK, "desk-in-esperanto", "1.4")
