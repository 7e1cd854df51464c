"""`helpdesk plugin strings`: collects what is new, keeps what was translated."""

from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from click.testing import CliRunner

from helpdesk.cli import main
from helpdesk.cli.plugin_new import Wish, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(Wish("parcels", frozenset(["panel", "badge"])), tmp_path)


def strings(*words: object) -> Any:
    return CliRunner().invoke(main, ["plugin", "strings", *map(str, words)], prog_name="helpdesk")


def catalog(folder: Path, code: str) -> dict[Any, Any]:
    file = folder / "helpdesk_parcels" / "translations" / code / "LC_MESSAGES" / "messages.po"
    with file.open("rb") as source:
        return {message.id: message.string for message in read_po(source, locale=code) if message.id}


def test_new_strings_come_in_old_ones_go_and_translations_stay(folder: Path) -> None:
    before = catalog(folder, "zh_Hans")
    package = folder / "helpdesk_parcels"
    (package / "__init__.py").write_text(
        "from helpdesk.api import gettext, lazy_pgettext, ngettext\n"
        '_l = gettext\n_l("Right away")\nlazy_pgettext("mail", "Post")\nngettext("%(num)s box", "%(num)s boxes", 2)\n'
    )
    said = strings(folder, "--language", "de")
    assert said.exit_code == 0, said.output
    found = catalog(folder, "zh_Hans")
    assert found["Right away"] == before["Right away"] != ""
    assert found["Post"] == "" and ("%(num)s box", "%(num)s boxes") in found and "Parcels" not in found
    assert set(catalog(folder, "de")) == set(found)
    template = (package / "translations" / "messages.pot").read_text("utf-8")
    assert 'msgctxt "mail"' in template and "#: helpdesk_parcels/__init__.py" in template
    assert strings(folder).exit_code == 0
    assert catalog(folder, "zh_Hans") == found


@pytest.mark.parametrize("code", ["../de", "xx_nowhere", "", "de-DE"])
def test_a_language_is_checked_before_it_touches_a_path(folder: Path, code: str) -> None:
    before = sorted(folder.rglob("*"))
    said = strings(folder, "--language", code)
    assert said.exit_code == 1 and said.stderr.count("\n") == 1
    assert sorted(folder.rglob("*")) == before


def test_a_folder_without_a_plugin_is_a_sentence(tmp_path: Path) -> None:
    said = strings(tmp_path)
    assert said.exit_code == 1 and "has no pyproject.toml" in said.stderr
