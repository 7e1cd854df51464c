"""`helpdesk translation`: begin a language, see how far it is, and find what would break a page."""

from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk.cli import catalogs
from tests.cli.conftest import Said

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
    "unknown": (entry("Hello %(name)s", "Hallo %(nmae)s"), "placeholder", "has no %(nmae)s"),
    "left out": (entry("Hello %(name)s", "Hallo"), "placeholder", "leaves out %(name)s"),
    "cut off": (entry("Hello %(name)s", "Hallo %(name)s %("), "placeholder", "broken placeholder"),
    "no kind": (entry("Hello %(name)s", "Hallo %(name) und"), "placeholder", "broken placeholder"),
    "single percent": (entry("Half", "50 % fertig"), "placeholder", "a single %"),
    "plural form": (
        'msgid "%(num)s ticket"\nmsgid_plural "%(num)s tickets"\nmsgstr[0] "%(num)s Ticket"\nmsgstr[1] ""\n\n',
        "plural",
        "1 of 2 plural forms",
    ),
    "fuzzy": (entry("Save", "Speichern", "#, fuzzy\n"), "fuzzy", "marked fuzzy"),
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
    assert problem["file"] == str(path) and problem["line"] > 5


def test_a_file_that_is_no_catalog_is_a_problem(home: Path, write: Callable[..., Path]) -> None:
    path = write()
    path.write_bytes(b'msgid "\xff\xfe"\nmsgstr [[[')
    (problem,) = catalogs.problems(path, "de")
    assert problem.kind == "file" and "cannot be read" in problem.sentence


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


def test_what_is_no_language_is_said(helpdesk: Run) -> None:
    said = helpdesk("translation", "new", "klingon")
    assert said.status == 1 and said.err == "“klingon” is no language; write a code such as de, pt_BR or zh_Hans.\n"
    assert "There are no catalogs of “ghost”" in helpdesk("translation", "status", "--of", "ghost").err
    assert "checkout" in helpdesk("translation", "extract", "--of", "home").err
