"""The commands for themes, as an operator gives them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


def test_a_theme_from_nothing_to_use(helpdesk: Command, home: Path) -> None:
    made = helpdesk("theme", "new", "harbour", "--title", 'The "Harbour"', "--extends", "ember")
    assert made.status == 0 and str(home / "themes" / "harbour") in made.out and "theme use harbour" in made.out
    assert sorted(path.relative_to(home / "themes").as_posix() for path in (home / "themes").rglob("*.*")) == [
        "harbour/static/theme.css",
        "harbour/templates/README.md",
        "harbour/theme.toml",
    ]
    assert helpdesk("theme", "check", "harbour").out == "All is well.\n"
    assert helpdesk("theme", "use", "harbour").status == 0
    rows = {row["name"]: row for row in helpdesk("theme", "list", "--json").json}
    assert set(rows) == {"default", "ember", "harbour", "high-contrast"}
    assert rows["harbour"] == {
        "name": "harbour",
        "title": 'The "Harbour"',
        "version": "0.1",
        "used": True,
        "origin": "home",
        "extends": "ember",
        "folder": str(home / "themes" / "harbour"),
        "problem": None,
    }
    assert [name for name, row in rows.items() if row["used"]] == ["harbour"]
    assert "harbour" in helpdesk("theme", "list").out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("new", "../x"), "“../x” cannot be a theme's name"),
        (("new", "Harbour"), "small letters"),
        (("new", "x", "--extends", "nowhere"), "There is no theme “nowhere”; there are default, ember"),
        (("new", "x", "--extends", "../x"), "cannot be a theme's name"),
        (("new", "ember", "--extends", "ember"), "cannot extend itself"),
        (("new", "default"), "There is a theme “default” already"),
        (("new", "x", "--title", "a\nb"), "one line"),
        (("use", "nowhere"), "There is no theme “nowhere”"),
        (("use", "broken"), "The theme “broken” cannot be used: theme.toml has no “colors”"),
        (("check", "broken"), "did you mean “colours”?"),
        (("check", "../broken"), "cannot be a theme's name"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    helpdesk: Command, home: Path, words: tuple[str, ...], sentence: str
) -> None:
    (home / "themes" / "broken").mkdir()
    (home / "themes" / "broken" / "theme.toml").write_text("colors = 1")
    said = helpdesk("theme", *words)
    assert said.status == 1 and sentence in said.err and "Traceback" not in said.err
    assert len(said.err.splitlines()) == 1, "nothing is said twice"
    assert [path.name for path in (home / "themes").iterdir()] == ["broken"]
    assert helpdesk("theme", "list", "--json").json[0]["used"] is True


def test_the_check_ends_with_status_1_when_something_is_not_used(helpdesk: Command, home: Path) -> None:
    helpdesk("theme", "new", "harbour")
    folder = home / "themes" / "harbour"
    (folder / "theme.toml").write_text('[colours.light]\nline-firm = "#cccccc"')
    said = helpdesk("theme", "check", "harbour")
    assert said.status == 0 and "harbour: warning: colours.light.line-firm #cccccc has a contrast of" in said.out
    assert said.out.endswith("0 problems, 1 warning.\n")
    (folder / "templates" / "x.html").write_text("{% if %}")
    said = helpdesk("theme", "check", "--json")
    assert said.status == 1
    assert [(row["theme"], row["level"]) for row in said.json] == [("harbour", "problem"), ("harbour", "warning")]
    (home / "themes" / "lost").mkdir()
    (home / "themes" / "lost" / "theme.toml").write_text('extends = "nowhere"')
    assert "lost: problem: It extends “nowhere”" in helpdesk("theme", "check").out


def test_a_second_one_of_the_name_is_not_written_over(helpdesk: Command, home: Path) -> None:
    assert helpdesk("theme", "new", "harbour").status == 0
    (home / "themes" / "harbour" / "theme.toml").write_text("# mine")
    said = helpdesk("theme", "new", "harbour")
    assert said.status == 1 and "is there already" in said.err
    assert (home / "themes" / "harbour" / "theme.toml").read_text() == "# mine"
    (home / "themes" / "link").symlink_to("/nowhere")
    assert "is there already" in helpdesk("theme", "new", "link").err
