"""Themes: what theme.toml may say, where they are found, what they inherit, and how the desk bears a broken one."""

import logging
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from helpdesk.core import colors, settings, theming
from helpdesk.core.settings import DeskSettings
from helpdesk.core.theming import sheet
from helpdesk.core.theming.finding import INTERVAL, Themes
from helpdesk.core.theming.palette import faint, read_tokens

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "theme.md"
TOKENS = ROOT / "helpdesk" / "web" / "static" / "css" / "tokens.css"
PART = "desk/parts/nothing.html"
OWN = "No ticket is open"

Write = Callable[..., Path]


@pytest.fixture
def write(home: Path) -> Write:
    """Write a theme into the home: ``write("harbour", 'title = "Harbour"', {"static/theme.css": "..."})``."""

    def put(name: str, about: str | bytes = "", files: dict[str, str | bytes] | None = None) -> Path:
        folder = home / "themes" / name
        for path, content in {"theme.toml": about, **(files or {})}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    return put


def use(name: str) -> None:
    settings.save(DeskSettings, {"theme": name}, None)


def problems(name: str) -> list[str]:
    return [str(one.problem) for one in theming.themes().left_out if one.name == name]


def said(name: str) -> str:
    found = theming.themes()
    return "\n".join(str(one.sentence) for one in theming.check(found, found[name]))


def part(app: Flask) -> str:
    with app.test_request_context():
        return render_template(PART)


# ---- theme.toml


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ("colors = 1", "no “colors”; did you mean “colours”?"),
        ("spam = 1", "no “spam”; leave it out"),
        ("title = 3", "“title” in theme.toml must be text on one line, with 60 characters"),
        ('title = "' + "x" * 61 + '"', "60 characters at most"),
        ('title = "a\\nb"', "one line"),
        ('name = "other"', "the name “other” and its folder “harbour”"),
        ("colours = 1", "tables [colours.light] and [colours.dark]"),
        ("[colours]\nlight = 1", "tables [colours.light] and [colours.dark]"),
        ("[colours.lite]", "did you mean “colours.light”"),
        ('[colours.light]\nacent = "#000"', "did you mean “colours.light.accent”"),
        (
            '[colours.light]\naccent = "red"',
            "colours.light.accent in theme.toml is no colour (red); write it as #rrggbb",
        ),
        ('[colours.dark]\naccent = "#12345"', "is no colour"),
        ('[colours.dark]\naccent = "#000;}body{display:none"', "is no colour"),
        ("[colours.dark]\naccent = 1", "is no colour (1)"),
        ("title = ", "not valid TOML"),
        (b"title = '\xff'", "theme.toml is not UTF-8"),
        ("#" * 70_000, "too big; 64 KB"),
        ('extends = "nowhere"', "extends “nowhere”, and there is no such theme"),
        ('extends = "../default"', "“../default” cannot be a theme's name"),
        ('extends = "harbour"', "extend one another: harbour → harbour"),
    ],
)
def test_a_theme_that_cannot_be_used_is_named_with_its_reason_and_the_desk_runs(
    app: Flask, write: Write, about: str | bytes, sentence: str
) -> None:
    write("harbour", about)
    assert "harbour" not in theming.themes() and {"default", "ember"} <= set(theming.themes())
    assert sentence in problems("harbour")[0]
    with pytest.raises(theming.ThemeError, match="cannot be used"):
        theming.find(theming.themes(), "harbour")
    assert OWN in part(app)


@pytest.mark.parametrize("name", ["Harbour", "1st", "a b", "x" * 41, "ö", "a.b"])
def test_a_folder_with_an_illegal_name_is_no_theme(app: Flask, write: Write, name: str) -> None:
    write(name)
    assert name not in theming.themes() and "cannot be a theme's name" in problems(name)[0]


@pytest.mark.parametrize("name", ["..", "../x", "/etc", "", "a\0", "a/b"])
def test_names_are_checked_before_they_touch_a_path(app: Flask, home: Path, name: str) -> None:
    for act in (
        lambda: theming.find(theming.themes(), name),
        lambda: theming.make_theme(theming.themes(), home / "themes", name),
    ):
        with pytest.raises(theming.ThemeError, match="cannot be a theme's name"):
            act()


def test_all_that_theme_toml_can_say(app: Flask, write: Write) -> None:
    about = 'name = "harbour"\ntitle = "Harbour"\nversion = "2"\nextends = "ember"\ndescription = "D"\nauthor = "A"\n'
    write("harbour", about + '[colours.light]\naccent = "#ABC"\n[colours.dark]\nink = "#ffffff"')
    theme = theming.themes()["harbour"]
    assert (theme.title, theme.version, theme.extends, theme.description, theme.author) == (
        "Harbour",
        "2",
        "ember",
        "D",
        "A",
    )
    assert theme.colors == {"accent": ("#aabbcc", ""), "ink": ("", "#ffffff")}


def test_colours_become_variables_for_light_and_dark(app: Flask, write: Write) -> None:
    write("harbour", '[colours.light]\naccent = "#0a3d62"\nspine-mark = "#82ccdd"\n[colours.dark]\nline = "#333333"')
    rules = theming.stylesheet(theming.themes(), "harbour")
    # What one of the two does not say, it has from the desk.
    assert "--hd-accent: light-dark(#0a3d62, #63c4d0);" in rules and "--hd-line: light-dark(#e4e1d9, #333333);" in rules
    assert read_tokens(rules)["spine-mark"] == ("#82ccdd", "#74cdd8")


# ---- extending


def test_what_a_theme_lacks_comes_from_those_that_it_extends(app: Flask, write: Write) -> None:
    colours = '[colours.light]\naccent = "{}"\n'
    write("grand", colours.format("#111111") + 'ink = "#222222"', {PART: "", "templates/a.html": "grand {{ 1 + 1 }}"})
    write(
        "parent", 'extends = "grand"\n' + colours.format("#333333"), {"static/theme.css": ".p{}", "static/a.svg": "p"}
    )
    write(
        "child", 'extends = "parent"\n', {"static/theme.css": ".c{}", "static/b.svg": "c", "templates/b.html": "child"}
    )
    use("child")
    with app.test_request_context():
        assert (render_template("a.html"), render_template("b.html")) == ("grand 2", "child")
    rules = theming.stylesheet(theming.themes(), "child")
    marks = ["#111111", "#333333", ".p{}", ".c{}"]
    assert [rules.index(mark) for mark in marks] == sorted(rules.index(mark) for mark in marks)
    palette = theming.palette(theming.themes(), "child")
    assert (palette["accent"][0], palette["ink"][0], palette["accent"][1]) == ("#333333", "#222222", "#63c4d0")


def test_a_circle_takes_nobody_else_with_it(app: Flask, write: Write) -> None:
    write("a", 'extends = "b"')
    write("b", 'extends = "a"')
    write("outside", 'extends = "a"')
    write("fine", 'extends = "ember"')
    assert "a → b → a" in problems("a")[0] and "b → a → b" in problems("b")[0]
    assert "extends “a”, and there is no such theme" in problems("outside")[0]
    assert "fine" in theming.themes()


def test_the_homes_theme_wins_and_gives_way_when_it_cannot_be_used(app: Flask, write: Write) -> None:
    folder = write("ember", 'title = "Ours"')
    assert theming.themes()["ember"].title == "Ours"
    (folder / "theme.toml").write_text('title = "Ours"\nextends = "nowhere"')
    assert theming.themes()["ember"].title == "Ember" and "nowhere" in problems("ember")[0]
    write("built", 'extends = "ember"')
    assert "built" in theming.themes()


# ---- packages


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, str]], None]]:
    """Install files as an ordinary installer leaves them: a folder of sys.path with packages and their dist-info."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])

    def install(files: dict[str, str]) -> None:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        # The clock of a file system may be coarser than two writes.
        os.utime(folder, ns=(time.time_ns(), time.time_ns()))

    yield install
    assert "harbour_theme" not in sys.modules


def dist(name: str, entries: str) -> dict[str, str]:
    folder = f"{name.replace('-', '_')}-1.0.dist-info"
    return {
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{folder}/entry_points.txt": f"[helpdesk.themes]\n{entries}\n",
    }


def test_a_package_is_a_theme_and_is_found_while_the_desk_runs_without_being_imported(
    app: Flask, site: Callable[[dict[str, str]], None]
) -> None:
    assert "harbour" not in theming.themes()
    package = {
        "harbour_theme/__init__.py": "raise RuntimeError('imported')",
        "harbour_theme/theme.toml": 'title = "Harbour"',
        "harbour_theme/templates/desk/parts/nothing.html": "from a package",
    }
    site({**package, **dist("helpdesk-theme-harbour", "harbour = harbour_theme")})
    assert theming.themes()["harbour"].origin == "package"
    use("harbour")
    assert part(app) == "from a package"


def test_a_package_may_hold_several_and_take_no_name(app: Flask, site: Callable[[dict[str, str]], None]) -> None:
    site(
        {
            "harbour_theme/__init__.py": "raise RuntimeError('imported')",
            "harbour_theme/looks/quay/theme.toml": "",
            "harbour_theme/looks/mole/theme.toml": "",
            "harbour_theme/looks/ember/theme.toml": "",
            **dist("helpdesk-theme-harbour", "looks = harbour_theme.looks\nlost = not_there_at_all\nodd = a-b:c"),
        }
    )
    assert {"quay", "mole"} <= set(theming.themes()) and theming.themes()["ember"].origin == "shipped"
    assert "has the name already" in problems("ember")[0]
    assert "“not_there_at_all” of helpdesk-theme-harbour holds no theme.toml" in problems("lost")[0]
    assert problems("odd")


@pytest.mark.slow
def test_the_package_of_the_page_is_built_and_found(
    app: Flask, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What docs/theme.md says of packages, word for word, with the theme that `theme new` writes."""
    blocks = re.findall(r"^```toml\n(# pyproject.toml\n.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    source = tmp_path / "source"
    made = theming.make_theme(theming.themes(), home / "themes", "harbour", "Harbour")
    shutil.copytree(made, source / "harbour_theme")
    shutil.rmtree(made)
    (source / "harbour_theme" / "templates" / "mine.html").write_text("of the package")
    (source / "harbour_theme" / "__init__.py").write_text("")
    (source / "pyproject.toml").write_text(blocks[0])
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    built = subprocess.run(
        [*command, "--wheel-dir", tmp_path, source], capture_output=True, text=True, timeout=120, check=False
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    assert "harbour" not in theming.themes()
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "site")])
    assert theming.themes()["harbour"].origin == "package" and said("harbour") == ""
    use("harbour")
    with app.test_request_context():
        assert render_template("mine.html") == "of the package"
    assert "harbour_theme" not in sys.modules


# ---- templates that fail


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("{% if %}", "Line 1: Expected an expression"),
        ("\n{{ 1 | nofilter }}", "Line 2: No filter named 'nofilter'"),
        ("{{ 1 / 0 }}", "ZeroDivisionError: division by zero"),
        ("{{ nothing.at.all }}", "UndefinedError: 'nothing' is undefined"),
        ("{% include 'desk/nowhere.html' %}", "TemplateNotFound: desk/nowhere.html"),
        ("{% extends 'desk/nowhere.html' %}", "TemplateNotFound"),
        ("{% include 'desk/parts/nothing.html' %}", "RecursionError"),
        ("{% include '../theme.toml' %}", "TemplateNotFound"),
        (b"\xff", "nothing.html is not UTF-8"),
        ("x" * 300_000, "too big; 256 KB"),
        ("(" * 5_000 + "{{" + "(" * 3_000 + "}}", "templates/desk/parts/nothing.html cannot be used"),
    ],
)
def test_a_broken_template_gives_way_to_the_desks_own(
    app: Flask, write: Write, caplog: pytest.LogCaptureFixture, source: str | bytes, sentence: str
) -> None:
    folder = write("harbour", "", {f"templates/{PART}": source})
    use("harbour")
    with caplog.at_level(logging.ERROR):
        assert OWN in part(app) and OWN in part(app)
    logged = [record.getMessage() for record in caplog.records if "theme harbour" in record.getMessage()]
    assert len(logged) == 1 and f"templates/{PART}" in logged[0]
    assert f"templates/{PART} cannot be used" in said("harbour") and sentence in said("harbour")
    # Repaired, it counts at once.
    path = folder / "templates" / PART
    path.write_text("repaired")
    os.utime(path, ns=(0, time.time_ns() + 10**9))
    assert part(app) == "repaired" and said("harbour") == ""


def test_a_broken_child_gives_way_to_its_parent(app: Flask, write: Write) -> None:
    write("parent", "", {f"templates/{PART}": "of the parent"})
    write("child", 'extends = "parent"', {f"templates/{PART}": "{{ 1 / 0 }}"})
    use("child")
    assert part(app) == "of the parent"


def test_two_broken_templates_of_one_page_both_give_way(app: Flask, write: Write) -> None:
    write("harbour", "", {"templates/layouts/base.html": "{{ 1 / 0 }}", "templates/layouts/plain.html": "{{ x.y.z }}"})
    use("harbour")
    with app.test_request_context():
        assert "<h1>" in render_template("errors/404.html", sentence="", code=404)
    assert said("harbour").count("cannot be used") == 2


def test_a_fault_of_the_desk_is_not_put_on_the_theme(app: Flask, write: Write) -> None:
    write(
        "harbour", "", {"templates/frame.html": "{% block inside %}{% endblock %}", "templates/mine.html": "{{ f() }}"}
    )
    use("harbour")

    def fails() -> None:
        raise LookupError("of the desk")

    with app.test_request_context(), pytest.raises(LookupError, match="of the desk"):
        template = app.jinja_env.from_string("{% extends 'frame.html' %}{% block inside %}{{ f() }}{% endblock %}")
        template.name = None
        template.render(f=fails)
    calls = []

    def fails_once() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise LookupError("of the desk")
        return "fine"

    with app.test_request_context():
        with pytest.raises(LookupError):
            render_template("mine.html", f=fails)
        # There is none of the desk's own: the theme's is used again as soon as what it calls works.
        with pytest.raises(LookupError):
            render_template("mine.html", f=fails_once)
    assert said("harbour") == ""


def test_a_template_that_leads_outside_is_not_read(app: Flask, write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret words")
    folder = write("harbour", "", {"templates/mine.html": "{% include '/etc/hostname' %}"})
    link = folder / "templates" / PART
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "secret")
    use("harbour")
    assert OWN in part(app) and "leads out of the theme's folder" in said("harbour")
    link.unlink()
    link.symlink_to(link)
    assert OWN in part(app)


def test_a_new_template_and_a_removed_one_are_seen(app: Flask, write: Write) -> None:
    folder = write("harbour")
    use("harbour")
    assert OWN in part(app)
    write("harbour", "", {f"templates/{PART}": "new"})
    assert part(app) == "new"
    (folder / "templates" / PART).unlink()
    assert OWN in part(app)


# ---- style sheets


@pytest.mark.parametrize(
    "rules", [".a { color: red", "/* open", "@media x { .a { b: c }", '.a { b: "}"', "/*/", ".a{/* } */"]
)
def test_open_rules_do_not_swallow_what_follows(rules: str) -> None:
    whole = sheet.closed(rules) + ":root { --hd-ink: #000000; }"
    assert read_tokens(whole)["ink"] == ("#000000", "#000000") and sheet._missing(whole) == ""


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ('@import "https://evil.example/x.css";', "has an @import"),
        (".a{background:url(https://evil.example/x.png)}", "https://evil.example/x.png from another host"),
        (".a{background:URL( '//evil.example/x.png')}", "//evil.example/x.png from another host"),
        (".a{background:url(ftp://evil.example/x)}", "from another host"),
        (".a{} </style><script>alert(1)</script>", "“</style”"),
        (".a{", "ends inside a block or a comment"),
        (":root{--hd-acent: #fff}", "did you mean --hd-accent?"),
        (".a{margin-left:1px}", "“margin-left”"),
    ],
)
def test_remarks_on_a_style_sheet(app: Flask, write: Write, rules: str, sentence: str) -> None:
    write("harbour", "", {"static/theme.css": rules})
    assert sentence in said("harbour")


@pytest.mark.parametrize(
    "rules",
    [
        '/* don\'t @import url(https://x.example) */ .a{background:url("/theme/a.svg")}',
        ":root{--hd-r: 2px; --hd-mine: 3px}",
        '.a{content:"@left: {"}',
        ".a{margin-inline-start:1px; text-align: start}",
    ],
)
def test_nothing_to_remark(app: Flask, write: Write, rules: str) -> None:
    write("harbour", "", {"static/theme.css": rules})
    assert said("harbour") == ""


def test_a_style_sheet_that_cannot_be_used_is_left_out_alone(app: Flask, write: Write, client: Any) -> None:
    write("harbour", '[colours.light]\nink = "#000"', {"static/theme.css": "x" * 300_000})
    use("harbour")
    assert "theme.css is too big; 256 KB" in said("harbour")
    sent = client.get("/theme.css").text
    assert "--hd-ink: light-dark(#000000" in sent and "xxx" not in sent


# ---- contrast


def test_figures_and_the_nearest_that_passes(app: Flask, write: Write) -> None:
    write("harbour", '[colours.light]\nink-3 = "#999"\nline-firm = "#ccc"\n[colours.dark]\naccent-ink = "#63c4d0"')
    words = said("harbour")
    assert "colours.light.ink-3 #999999 has a contrast of" in words and "text needs 4.5" in words
    assert "colours.light.line-firm #cccccc" in words and "an edge needs 3" in words
    assert "colours.dark.accent-ink #63c4d0 has a contrast of 1.00 on accent #63c4d0" in words
    found = {(one.mode, one.token): one for one in faint(theming.palette(theming.themes(), "harbour"))}
    for one in found.values():
        assert one.better and colors.contrast(one.better, one.ground_color) >= one.wanted > one.contrast
    assert set(found) == {("light", "ink-3"), ("light", "line-firm"), ("dark", "accent-ink")}


def test_colours_in_theme_css_are_computed_as_well(app: Flask, write: Write) -> None:
    write("harbour", "", {"static/theme.css": ":root { --hd-ink: light-dark(#aaaaaa, #fff); }"})
    assert "colours.light.ink #aaaaaa" in said("harbour")


def test_no_colour_may_be_enough(app: Flask, write: Write) -> None:
    write("harbour", '[colours.light]\ncanvas = "#000"')
    assert "no colour would pass" in said("harbour")


@trying(deadline=None)
@given(st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFFFF), st.sampled_from([colors.READABLE, colors.VISIBLE]))
def test_the_nearest_colour_always_passes(color: int, ground: int, wanted: float) -> None:
    found = colors.nearest(f"#{color:06x}", [f"#{ground:06x}"], wanted)
    assert found is not None and colors.contrast(found, f"#{ground:06x}") >= wanted


@pytest.mark.parametrize("name", ["default", "ember", "high-contrast"])
def test_shipped_themes_have_no_fault(app: Flask, name: str) -> None:
    assert said(name) == ""
    assert theming.themes()[name].origin == "shipped" and theming.themes()[name].description


def test_high_contrast_is_the_desks_own_palette_for_it(app: Flask) -> None:
    text = TOKENS.read_text()
    start = text.index(':root[data-contrast="more"]')
    wanted = read_tokens(":root" + text[text.index(" {", start) : text.index("@media", start)])
    palette = theming.palette(theming.themes(), "high-contrast")
    assert len(wanted) > 25 and {token: palette[token] for token in wanted} == wanted
    for ink in ("ink", "ink-2", "ink-3", "accent", "red", "green"):
        for mode in (0, 1):
            assert colors.contrast(palette[ink][mode], palette["surface"][mode]) >= 7


# ---- files


@pytest.mark.parametrize(
    "name",
    ["../theme.toml", "..%2ftheme.toml", "/etc/passwd", "a\0b", "", ".", "sub", "link", "linked/passwd", "x" * 5000],
)
def test_only_files_in_static_are_sent(app: Flask, write: Write, client: Any, name: str) -> None:
    folder = write("harbour", "", {"static/a.svg": "<svg/>", "static/sub/b.svg": "<svg/>"})
    (folder / "static" / "link").symlink_to("/etc/passwd")
    (folder / "static" / "linked").symlink_to("/etc")
    theme = theming.themes()["harbour"]
    assert theme.static_file("a.svg") and theme.static_file("sub/b.svg")
    assert theme.static_file(name) is None
    use("harbour")
    assert client.get(f"/theme/{name.replace(chr(0), '%00')}").status_code in (404, 308)
    assert "leads out of the theme's folder" in said("harbour")


# ---- a new one


def test_a_new_theme_works_at_once_and_changes_nothing_yet(app: Flask, home: Path) -> None:
    folder = theming.make_theme(theming.themes(), home / "themes", "harbour", 'The "Harbour" at 50%', "ember")
    theme = theming.themes()["harbour"]
    assert (theme.title, theme.extends) == ('The "Harbour" at 50%', "ember") and said("harbour") == ""
    assert theming.palette(theming.themes(), "harbour") == theming.palette(theming.themes(), "ember")
    text = (folder / "theme.toml").read_text()
    assert text.count('# accent = "') == 2
    (folder / "theme.toml").write_text(text.replace('# accent = "#a33b1f"', 'accent = "#0a3d62"'))
    assert theming.palette(theming.themes(), "harbour")["accent"] == ("#0a3d62", "#f2a184")
    # Every colour can be set: all marks away.
    (folder / "theme.toml").write_text(
        "\n".join(line.removeprefix("# ") for line in text.splitlines() if " = " in line or "[" in line)
    )
    assert problems("harbour") == []
    with pytest.raises(theming.ThemeError, match="is there already"):
        theming.make_theme(theming.themes(), home / "themes", "harbour")
    assert [path.name for path in (home / "themes").iterdir()] == ["harbour"]


def test_what_is_looked_at_less_often_is_still_seen_within_two_seconds(app: Flask, write: Write, home: Path) -> None:
    patient = Themes(home / "themes", ROOT / "themes", TOKENS)
    assert "harbour" not in patient
    write("harbour")
    assert INTERVAL <= 2
    # As if so much time had passed.
    patient._looked -= INTERVAL
    assert "harbour" in patient
