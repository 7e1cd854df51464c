"""The help of the command line: quick, complete, with an example for each command."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from helpdesk.cli import COMMANDS, main


def commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(main)
    for name in main.list_commands(context):  # type: ignore[attr-defined]
        command = main.get_command(context, name)  # type: ignore[attr-defined]
        assert command is not None
        if not isinstance(command, click.Group):
            yield name, command
            continue
        for inner, found in command.commands.items():
            yield f"{name} {inner}", found


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_has_help_and_an_example(name: str, command: click.Command) -> None:
    assert command.help is not None
    assert f"helpdesk {name}" in command.help.split("Example:")[1], "the example shows another command"
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name not in ("help", "subject"):
            assert parameter.help or parameter.show_default, f"{parameter.name} does not say what it is for"


def test_the_list_of_commands_has_an_example_for_each() -> None:
    for name, (_module, summary, example) in COMMANDS.items():
        assert example.startswith(f"helpdesk {name}")
        assert summary.endswith(".")


def test_the_first_help_loads_nothing_that_is_slow() -> None:
    look = (
        "import sys; sys.argv = ['helpdesk', '--help']\n"
        "from helpdesk.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        "slow = {'flask', 'sqlalchemy', 'huey', 'rich', 'babel'} & set(sys.modules)\n"
        "assert not slow, slow\n"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for name in COMMANDS:
        assert f"  {name} " in done.stdout
