"""The command line for operators: one file per noun, loaded only when it is called."""

import importlib
import logging
import sys
from typing import Any

import click

import helpdesk
from helpdesk import garbage
from helpdesk.core import logs
from helpdesk.plugins import start

# Commands whose output is the log of the desk.
_SERVING = (["serve"], ["web"], ["worker"])
# Command -> module of helpdesk.cli that holds it (as NAME_command), and what `helpdesk --help` says, with an example.
COMMANDS = {
    "serve": ("serve", "Run the desk: web server and worker.", "helpdesk serve --port 8080"),
    "web": ("serve", "Run the web server alone.", "helpdesk web --host 0.0.0.0"),
    "worker": ("serve", "Run a worker alone.", "helpdesk worker"),
    "init": ("init", "Make a home and print the setup link.", "helpdesk init --home /srv/helpdesk"),
    "demo": ("demo", "Fill a home of its own with sample data.", "helpdesk demo --serve"),
    "doctor": ("doctor", "Say what is right and wrong with this installation.", "helpdesk doctor"),
    "db": ("database", "Bring the database up to date.", "helpdesk db upgrade"),
    "backup": ("backup", "Back up database, files and keys.", "helpdesk backup /mnt/disk/helpdesk.tar"),
    "restore": ("backup", "Restore a backup, or try one.", "helpdesk restore helpdesk.tar --verify"),
    "release": ("backup", "Let a restored desk send and poll again.", "helpdesk release"),
    "user": ("user", "People and their roles.", "helpdesk user add sam@shop.example --role admin"),
    "token": ("token", "Tokens by which programs act.", "helpdesk token list"),
    "audit": ("audit", "The record of administrative acts.", "helpdesk audit verify"),
    "team": ("team", "Teams.", "helpdesk team add Workshop --member jonas@shop.example"),
    "hours": ("hours", "Business hours.", "helpdesk hours after 240 --team Workshop"),
    "ticket": ("ticket", "Read, open and answer tickets.", "helpdesk ticket list --category open"),
    "canned": ("canned", "Canned responses.", "helpdesk canned export sam@shop.example"),
    "mail": ("mail", "Mail in and out.", "helpdesk mail receive < message.eml"),
    "job": ("job", "Work for later: what waits, runs and failed.", "helpdesk job list --state failed"),
    "schedule": ("schedule", "Work that comes again.", "helpdesk schedule run-now orders.nightly"),
    "event": ("event", "What happened, in order.", "helpdesk event list --ticket 7"),
    "fact": ("fact", "What plugins have not taken in.", "helpdesk fact list"),
    "search": ("search", "The index of the search.", "helpdesk search rebuild"),
    "workers": ("workers", "Who does the work.", "helpdesk workers list"),
    "import": ("importing", "Take in what another program has kept.", "helpdesk import orders orders.csv"),
    "plugin": ("plugin", "Plugins: list them, switch them on and off.", "helpdesk plugin off email"),
    "theme": ("theme", "Themes.", "helpdesk theme use ember"),
    "translation": ("translation", "Language packs.", "helpdesk translation status"),
}


def _loaded(name: str) -> Any:
    """A module. To search for garbage while the application is loaded would take a fifth of the time of a command."""
    if name in sys.modules:
        return sys.modules[name]
    with garbage.kept():
        return importlib.import_module(name)


class Commands(click.Group):
    """Finds a command in its module, then among the plugins; prints errors as one sentence."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            module = _loaded(f"helpdesk.cli.{COMMANDS[name][0]}")
            command: click.Command = getattr(module, f"{name}_command")
            return command
        # Imported only here: an ordinary command does not load the application to find its name.
        from helpdesk.cli.frame import plugin_command

        return plugin_command(name)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands, each with an example"):
            # "\b" keeps the example on a line of its own.
            formatter.write_dl([(name, f"\b\n{text}\n{line}") for name, (_module, text, line) in COMMANDS.items()])

    def main(self, *args: Any, **kwargs: Any) -> Any:
        debug = "--debug" in (kwargs.get("args") or sys.argv[1:])
        if not args and kwargs.get("args") is None:
            start.again = [sys.executable, "-m", "helpdesk.cli", *sys.argv[1:]]
        words = [word for word in (kwargs.get("args") or sys.argv[1:]) if not word.startswith("-")]
        logs.begin_brief()
        loading = logging.getLogger("helpdesk.plugins.manager")
        if not debug and words[:1] not in _SERVING:
            loading.addFilter(_without_traceback)
        try:
            sys.exit(super().main(*args, **{**kwargs, "standalone_mode": False}))
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message())
            sys.exit(error.exit_code)
        except click.ClickException as error:
            click.echo(_usage_sentence(error), err=True)
            sys.exit(error.exit_code)
        except click.Abort:
            click.echo("Stopped; nothing more was done.", err=True)
            sys.exit(1)
        except Exception as error:  # noqa: BLE001 - the operator gets a sentence; --debug shows the rest
            if debug:
                raise
            click.echo(_sentence(error), err=True)
            sys.exit(1)
        finally:
            loading.removeFilter(_without_traceback)


def _without_traceback(record: logging.LogRecord) -> bool:
    """A plugin that was left out is a line before what a command prints; the log of 'serve' has the rest."""
    record.exc_info = record.exc_text = None
    return True


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="'helpdesk COMMAND --help' tells more. HELPDESK_HOME says which home (default ./instance).",
)
@click.version_option(helpdesk.__version__, prog_name="helpdesk")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
def main(debug: bool) -> None:
    """A help desk that a small business runs by itself."""


def _usage_sentence(error: click.ClickException) -> str:
    """What was wrong with the words of the command, and where it says how they go."""
    context = getattr(error, "ctx", None)
    more = f" ('{context.command_path} --help' says how.)" if context is not None else ""
    return f"{error.format_message()}{more}"


def _sentence(error: Exception) -> str:
    """What went wrong in one sentence, and where to look further."""
    text = " ".join(str(error).split())
    if type(error).__module__.startswith("helpdesk."):
        return text
    return f"{type(error).__name__}: {text[:500]} (run it again as 'helpdesk --debug ...' to see where)"
