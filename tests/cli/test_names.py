"""Names that lead out of a folder, as arguments of commands: one clear sentence, and nothing is done."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Said

NAMES = ("../../etc/passwd", "/etc/passwd", "a\nb")
COMMANDS = (
    ("theme", "use"),
    ("theme", "new"),
    ("theme", "check"),
    ("plugin", "info"),
    ("plugin", "on"),
    ("plugin", "uninstall", "--yes"),
    ("plugin", "purge", "--yes"),
    ("translation", "new"),
    ("translation", "status", "--of"),
    ("restore",),
)


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    """The desk alone."""
    return {}


@pytest.mark.slow
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_name_that_is_none_is_one_sentence(
    helpdesk: Callable[..., Said], app: Any, home: Path, words: tuple[str, ...]
) -> None:
    folders = [home.parent, home, home / "themes", home / "translations", home / "plugins"]
    before = [sorted(path.name for path in folder.iterdir()) for folder in folders if folder.is_dir()]
    for name in NAMES:
        said = helpdesk(*words, name)
        assert said.status != 0 and said.out == "" and "Traceback" not in said.err, (name, said)
        assert "root:" not in said.err and len(said.err.strip().splitlines()) <= 1 + name.count("\n"), (name, said.err)
        assert said.err.strip().endswith("."), said.err
    assert [sorted(path.name for path in folder.iterdir()) for folder in folders if folder.is_dir()] == before
