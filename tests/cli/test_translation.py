"""`helpdesk translation`: begin a language, see how far it is, and find what would break a page."""

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po, write_po

from helpdesk.cli import catalogs
from helpdesk.core import pofiles
from tests.cli.conftest import Said, wait_for

Run = Callable[..., Said]

HEAD = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
)


def entry(msgid: str, msgstr: str, flags: str = "") -> str:
    return f'{flags}msgid "{msgid}"\nmsgstr "{msgstr}"\n\n'


@pytest.fixture
def write(home: Path) -> Callable[..., Path]:
    """Write a catalog into the home."""

    def put(*entries: str, code: str = "de") -> Path:
        path = home / "translations" / code / "LC_MESSAGES" / "messages.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + "".join(entries), encoding="utf-8")
        return path

    return put


def test_a_language_in_the_home_is_spoken(helpdesk: Run, write: Callable[..., Path]) -> None:
    write(entry("Team", "Gruppe"))
    rows = {row["code"]: row for row in helpdesk("translation", "list", "--json").json}
    assert rows["en"]["percent"] == 100
    assert rows["de"]["name"] == "Deutsch" and rows["de"]["corrected"] and rows["de"]["direction"] == "ltr"
    (row,) = helpdesk("translation", "status", "--of", "home", "--json").json
    assert (row["language"], row["translated"], row["missing"], row["percent"]) == ("de", 1, 0, 100)
    said = helpdesk("translation", "compile", "--json")
    assert said.status == 0 and "de" in said.json[0]["languages"] and Path(said.json[0]["folder"]).is_dir()


GOOD = [
    entry("Welcome %(name)s", "Willkommen %(name)s"),
    entry("%(number)s of %(total)s", "%(total)s, davon %(number)s"),
    entry("Close", ""),
    'msgid "%(num)s box"\nmsgid_plural "%(num)s boxes"\nmsgstr[0] "eine Kiste"\nmsgstr[1] "%(num)s Kisten"\n\n',
    entry("50 %% done", "50 %% fertig"),
]
BAD = {
    "unknown": (entry("Hello %(name)s", "Hallo %(nmae)s"), "placeholder", "%(nmae)s is not in the English text"),
    "left out": (entry("Hello %(name)s", "Hallo"), "incomplete", "leaves out %(name)s"),
    "cut off": (entry("Hello %(name)s", "Hallo %(name)s %("), "placeholder", "broken placeholder"),
    "no kind": (entry("Hello %(name)s", "Hallo %(name) und"), "placeholder", "broken placeholder"),
    "single percent": (entry("Half", "50 % fertig"), "placeholder", "a single %"),
    "plural form": (
        'msgid "%(num)s ticket"\nmsgid_plural "%(num)s tickets"\nmsgstr[0] "%(num)s Ticket"\nmsgstr[1] ""\n\n',
        "plural",
        "1 of 2 plural forms",
    ),
    "fuzzy": (entry("Save", "Speichern", "#, fuzzy\n"), "fuzzy", "marked fuzzy"),
    "other tags": (entry("Go <b>on</b>", "Weiter <i>so</i>"), "html", "other HTML"),
    "a script": (entry("Go on", "Weiter<img src=x onerror=go()>"), "html", "other HTML"),
    "a tag left open": (entry("Go <b>on</b>", "<b>Weiter"), "html", "other HTML"),
    "quotes": (entry("Sent on", r"\" onload=\"go()"), "quotes", "straight quotation marks"),
    "long": (entry("Send", "Diese Nachricht jetzt sofort abschicken"), "long", "too long for a button: 39"),
    "space": (entry("Sent on", "Gesendet am "), "space", "begins or ends with a space"),
    "new line": (entry(r"Sent on\n", "Gesendet am"), "space", "begins or ends with a space or a new line"),
    "braces": (entry("Remove {name}", "{nom} entfernen"), "placeholder", "{nom} is not in the English text"),
    "twice": (entry("Close", "Zu"), "duplicate", "stands here twice"),
    "not ended": ('msgid "Sent on\nmsgstr "Gesendet"\n\n', "file", "cannot be read here"),
}


def test_a_sound_catalog_has_no_problem(helpdesk: Run, write: Callable[..., Path]) -> None:
    write(*GOOD)
    said = helpdesk("translation", "check", "--of", "home")
    assert (said.status, said.out) == (0, "No problem was found.\n")
    said = helpdesk("translation", "check", "--of", "home", "--complete", "--json")
    assert said.status == 1 and said.json[0]["kind"] == "missing" and "1 strings" in said.json[0]["problem"]


@pytest.mark.parametrize("fault", BAD)
def test_what_would_break_a_page_is_found(helpdesk: Run, write: Callable[..., Path], fault: str) -> None:
    text, kind, sentence = BAD[fault]
    path = write(*GOOD, text)
    said = helpdesk("translation", "check", "--of", "home", "--json")
    assert said.status == 1
    (problem,) = said.json
    assert problem["kind"] == kind and sentence in problem["problem"]
    assert problem["file"] == str(path) and problem["line"] > 5, problem


def test_a_file_that_is_no_catalog_is_a_problem(home: Path, write: Callable[..., Path]) -> None:
    path = write()
    path.write_bytes(b'msgid "\xff\xfe"\nmsgstr [[[')
    problems = list(catalogs.problems(path, "de"))
    assert {problem.kind for problem in problems} == {"file"} and "save it as UTF-8" in problems[0].sentence


def test_what_is_quoted_is_cut_between_words_and_shows_no_control_character(
    helpdesk: Run, write: Callable[..., Path]
) -> None:
    long = "The theme “%(name)s” was written into the folder of themes, where nobody had looked before"
    path = write(entry(long, "Das Thema “%(adres)s”"))
    said = helpdesk("translation", "check", "--of", "home", "--json")
    cut = "“The theme ‘%(name)s’ was written into the folder of themes,…”"
    assert said.json[0]["problem"] == f"%(adres)s is not in the English text {cut}."
    path.write_bytes(bytes(range(256)) * 20)
    said = helpdesk("translation", "check", "--of", "home")
    assert said.status == 1 and "\x1b" not in said.out and "\x07" not in said.out and "\x9b" not in said.out


def test_a_language_with_one_plural_form_is_begun_without_noise(helpdesk: Run) -> None:
    said = helpdesk("translation", "new", "ja", "--into-home", "--json")
    assert said.status == 0 and len(said.out.splitlines()) == 1 and said.err == ""


def test_what_the_repository_ships_is_sound(helpdesk: Run) -> None:
    said = helpdesk("translation", "check", "--json")
    assert said.status == 0, said.out


def checkout(folder: Path) -> catalogs.Pack:
    """A plugin's checkout with two strings."""
    package = folder / "helpdesk_parcels"
    (package / "templates").mkdir(parents=True)
    (package / "__init__.py").write_text(
        "from helpdesk.api import ngettext\nngettext('%(num)s box', '%(num)s boxes', 2)\n"
    )
    (package / "templates" / "box.html").write_text("<p>{{ _('Parcel of %(name)s', name=who) }}</p>\n")
    (folder / "pyproject.toml").write_text(
        '[[tool.babel.mappings]]\nmethod = "python"\npattern = "**.py"\n'
        '[[tool.babel.mappings]]\nmethod = "jinja2"\npattern = "**/templates/**.html"\n'
    )
    (folder / "setup.cfg").write_text(
        "[extract_messages]\nmapping_file = pyproject.toml\ninput_dirs = helpdesk_parcels\nproject = helpdesk\n"
        "output_file = helpdesk_parcels/translations/messages.pot\nkeywords = _ ngettext:1,2\nsort_by_file = true\n"
        "[update_catalog]\nignore_obsolete = true\n"
    )
    return catalogs.Pack("parcels", package / "translations", folder)


def test_strings_are_collected_from_code_and_templates(tmp_path: Path) -> None:
    pack = checkout(tmp_path)
    assert catalogs.extract(pack) == 2
    first = pack.template.read_bytes()
    assert catalogs.extract(pack) == 2 and pack.template.read_bytes() == first
    template = catalogs.read(pack.template)
    assert template.get("Parcel of %(name)s") is not None and "VERSION" not in first.decode()


def test_a_new_language_has_its_plural_forms_and_follows_the_template(tmp_path: Path) -> None:
    pack = checkout(tmp_path)
    catalogs.extract(pack)
    path = catalogs.begin(pack, "ar")
    assert catalogs.read(path, "ar").num_plurals == 6
    with pytest.raises(FileExistsError):
        catalogs.begin(pack, "ar")
    (pack.folder.parent / "more.py").write_text("_('One more')\n")
    catalogs.extract(pack)
    assert catalogs.update(pack) == ["ar"]
    assert catalogs.read(path, "ar").get("One more") is not None
    assert catalogs.coverage(pack, "ar").total == 3 and catalogs.coverage(pack, "ar").percent == 0


def test_what_is_no_language_is_said(helpdesk: Run, home: Path) -> None:
    said = helpdesk("translation", "new", "klingon")
    assert said.status == 1 and said.err == "“klingon” is no language; write a code such as de, pt_BR or zh_Hans.\n"
    (home / "translations" / "de" / "LC_MESSAGES").mkdir(parents=True)
    (home / "translations" / "de" / "LC_MESSAGES" / "email.po").write_text(HEAD)
    said = helpdesk("translation", "status", "--of", "ghost")
    assert "There are no catalogs of “ghost”" in said.err and said.err.count("home") == 1
    assert "There is zh_Hans already" in helpdesk("translation", "new", "zh", "--into-home").err
    assert "checkout" in helpdesk("translation", "extract", "--of", "home").err


# ---- docs/translate.md, word for word

DOC = (Path(__file__).parents[2] / "docs" / "translate.md").read_text("utf-8")


def doc_blocks(language: str, heading: str) -> list[str]:
    section = DOC.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the desk came from a wheel: there is no checkout."""
    monkeypatch.setattr(catalogs, "_checkout", lambda _place: None)


def translate(path: Path, texts: str) -> None:
    """What a translator's editor does with what the page shows."""
    catalog = read_po(io.BytesIO(path.read_bytes()), locale=path.parent.parent.name)
    for message in (one for one in read_po(io.StringIO(texts)) if one.id):
        found = catalog.get(message.id)
        assert found is not None, f"there is no “{message.id}” any more"
        found.string = message.string
    with path.open("wb") as file:
        write_po(file, catalog)


@pytest.mark.sqlite
@pytest.mark.parametrize("where", ["checkout", "wheel"])
def test_the_page_for_translators_word_for_word(
    helpdesk: Run, request: pytest.FixtureRequest, home: Path, make_app: Callable[..., Any], where: str
) -> None:
    if where == "wheel":
        request.getfixturevalue("installed")
    running = make_app().test_client()
    words = ("user", "add", "sam@larkwheel.example", "--role", "admin", "--password-stdin")
    assert helpdesk(*words, feed="a rather long pass phrase\n").status == 0
    ((first,), later) = (block.splitlines() for block in doc_blocks("sh", "From nothing to a live page"))
    said = helpdesk(*first.split()[1:])
    assert said.status == 0 and said.out.count("Translate ") >= 2
    path = home / "translations" / "eo" / "LC_MESSAGES" / "messages.po"
    assert f"Translate {path}\n" in said.out and (path.parent / "email.po").is_file()
    assert 'value="eo"' not in running.get("/").text, "an empty catalog is no language yet"
    (texts,) = doc_blocks("po", "From nothing to a live page")
    translate(path, texts)
    wait_for(lambda: "Demandu nin" in running.get("/", headers={"Accept-Language": "eo"}).text)
    page = running.get("/", headers={"Accept-Language": "eo"}).text
    assert re.search(r">\s*Sendi</button>", page), "both texts are seen, not only in a title"
    menu = running.get("/").text
    assert 'value="eo"' in menu and "Esperanto" in menu
    for line in later:
        said = helpdesk(*line.split()[1:])
        assert said.status == 0, said.err
        assert "translation status" not in line or " eo " in said.out, "the commands look at the same folder"
    assert "already" in helpdesk(*first.split()[1:]).err


def test_the_rest_of_the_page(helpdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`extract` and `update` run on a checkout of a plugin's, not on ours."""
    pack = checkout(tmp_path)
    monkeypatch.setattr(catalogs, "packs", lambda _config: [pack])
    (block,) = doc_blocks("sh", "Go on with one")
    assert helpdesk("translation", "extract").status == 0
    assert helpdesk("translation", "new", "eo").status == 0
    (pack.folder.parent / "more.py").write_text("_('One more')\n")
    statuses = [helpdesk(*line.split()[1:]).status for line in block.splitlines()]
    assert statuses == [0, 0, 1], "nothing is translated yet"
    kinds = set(re.findall(r"^\| (`[a-z`, ]+) \|", DOC, re.MULTILINE))
    named = {kind for cell in kinds for kind in re.findall(r"`(\w+)`", cell)}
    assert {kind for _text, kind, _sentence in BAD.values()} <= named and pofiles.BREAKING <= named


@pytest.mark.slow
def test_a_pack_as_the_page_says_is_spoken(tmp_path: Path, make_app: Callable[..., Any]) -> None:
    (project,) = doc_blocks("toml", "Ship a language as a package")
    source, site = tmp_path / "helpdesk-translation-eo", tmp_path / "site"
    catalog = source / "helpdesk_translation_eo" / "eo" / "LC_MESSAGES" / "messages.po"
    catalog.parent.mkdir(parents=True)
    (source / "pyproject.toml").write_text(project)
    (source / "helpdesk_translation_eo" / "__init__.py").write_text("")
    catalog.write_text(HEAD + entry("Sign in", "Ensaluti") + entry("Send", "Sendi"), "utf-8")
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*wheel, "--wheel-dir", tmp_path, source], check=True, timeout=300)
    app = make_app()
    assert "eo" not in dict(app.extensions["helpdesk.locales"])
    site.mkdir()
    sys.path.append(str(site))
    try:
        (built,) = tmp_path.glob("*.whl")
        with zipfile.ZipFile(built) as archive:
            archive.extractall(site)
        client = app.test_client()
        wait_for(lambda: "Ensaluti" in client.get("/auth/sign-in", headers={"Accept-Language": "eo"}).text)
    finally:
        sys.path.remove(str(site))


def test_a_language_in_the_home_beside_a_checkout(helpdesk: Run, home: Path) -> None:
    said = helpdesk("translation", "new", "eo", "--into-home", "--plugin", "email", "--json")
    assert said.json[0]["files"] == [str(home / "translations" / "eo" / "LC_MESSAGES" / "email.po")]
    assert helpdesk("translation", "new", "eo", "--into-home", "--of", "core").status == 0
    assert sorted(path.name for path in (home / "translations" / "eo" / "LC_MESSAGES").iterdir()) == [
        "email.po",
        "messages.po",
    ]


def test_a_link_is_not_written_through(helpdesk: Run, home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (home / "translations" / "eo").symlink_to(tmp_path / "elsewhere")
    said = helpdesk("translation", "new", "eo", "--into-home")
    assert said.status == 1 and "leads to another place" in said.err
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("code", ["../../x", "DE", "pt_br", "zh_CN", "x" * 300, ".", "de/x"])
def test_a_code_is_checked_before_it_touches_a_path(helpdesk: Run, home: Path, code: str) -> None:
    said = helpdesk("translation", "new", code, "--into-home")
    assert said.status == 1 and ("is no language" in said.err or "is written" in said.err)
    assert list((home / "translations").iterdir()) == []
