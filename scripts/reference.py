"""Write the pages of the documentation that are read from the code (``python scripts/reference.py``).

``docs/plugins/hooks.md`` from the hook specifications, ``docs/commands.md`` from the command line. A test says when
one of them is old.
"""

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from helpdesk.cli import main
from helpdesk.plugins import hookspecs

ROOT = Path(__file__).resolve().parent.parent
NOTICE = "<!-- Written by scripts/reference.py; change the code, then run it again. -->"
EXAMPLE = "Example::"

# What the kind of a hook says: when it is called, inside which transaction, what it answers, what an error does.
KINDS = {
    "registration": (
        "once, when a process starts",
        "none",
        "a list of contributions",
        "The plugin is left out, with its error; the others start.",
    ),
    "before": (
        "before the write",
        "none, unless the verb was called inside one",
        "nothing: the draft is changed in place. Or `Reject(reason)`, raised or returned",
        "`Reject` stops the action and shows the reason. Any other error is logged, counted and skipped, and the "
        "plugin's changes to the draft do not count.",
    ),
    "fact": (
        "after the commit, in a worker, once for each plugin",
        "one for each fact and plugin",
        "ignored",
        "What the plugin wrote for this fact is undone. The fact becomes a job that is tried again with growing "
        "pauses; the facts behind it go on.",
    ),
    "answer": (
        "when an answer is needed",
        "as the hook says",
        "the first that is not `None`; the plugins behind it are not asked",
        "It is logged and counted, and the next plugin is asked.",
    ),
    "guard": (
        "at each check",
        "whatever is open; read only",
        "any `False` denies, and no answer grants (`opened_permissions` opens to agents what supervisors have)",
        "An error denies, and opens nothing.",
    ),
    "slot": (
        "while a page is rendered",
        "none; read only",
        "a list of contributions; never HTML",
        "A small box says which plugin could not be shown; the page stands.",
    ),
    "all": (
        "of every plugin that is loaded, off or on",
        "as the hook says",
        "as the hook says",
        "As the hook says: personal data is never half gone.",
    ),
}


# ---- hooks


def hooks_page() -> str:
    """The page of all hooks, sorted by kind as they stand in the file."""
    parts = [
        "# Hooks",
        NOTICE,
        "What the desk asks plugins, and when. An implementation carries `@hookimpl`, has the name of its hook, and "
        "names only the arguments that it wants. [The tutorial](tutorial.md) shows a whole plugin, "
        "[the list of names](api.md) what a plugin may use.",
        "The kind of a hook says how it is called:",
        _kinds_table(),
    ]
    for kind in KINDS:
        parts.append(f"## {kind.capitalize()}")
        parts += [_hook(name) for name, its in hookspecs.KINDS.items() if its == kind]
    return "\n\n".join(parts) + "\n"


def _kinds_table() -> str:
    rows = ["| kind | called | transaction | answer | when one raises |", "|---|---|---|---|---|"]
    rows += [f"| [{kind}](#{kind}) | {' | '.join(said)} |" for kind, said in KINDS.items()]
    return "\n".join(rows)


def _hook(name: str) -> str:
    function = getattr(hookspecs, name)
    text, example = split_docstring(inspect.getdoc(function) or "")
    arguments = ", ".join(inspect.signature(function).parameters)
    return "\n\n".join([f"### {name}", f"`{name}({arguments})`", _markdown(text), f"```python\n{example}\n```"])


def split_docstring(text: str) -> tuple[str, str]:
    """What a docstring says, and the code of its example."""
    said, _, example = text.partition(EXAMPLE)
    return said.strip(), textwrap.dedent(example).strip()


def _markdown(text: str) -> str:
    text = re.sub(r":func:`(\w+)`", r"[`\1`](#\1)", text)
    text = re.sub(r":\w+:`([\w.]+)`", r"`\1`", text)
    return re.sub(r"``(.+?)``", r"`\1`", text)


# ---- commands


def commands_page() -> str:
    """The page of all commands, as `helpdesk --help` sorts them."""
    parts = [
        "# Commands",
        NOTICE,
        "In a checkout the program is `.venv/bin/helpdesk`; [operate.md](operate.md) says what to use when. "
        "`HELPDESK_HOME`, or `--home` where it is offered, says which home. Errors are one sentence on standard error, "
        "with an exit status other than 0; `helpdesk --debug COMMAND` shows where they come from. With `--json` a list "
        "is printed as one line of JSON for each row. A plugin that is on may bring commands under its name: "
        "`helpdesk NAME --help`.",
    ]
    for path, command in commands():
        if isinstance(command, click.Group):
            parts += [f"## {path}", _summary(command)]
        else:
            parts.append(_command(path, command))
    return "\n\n".join(parts) + "\n"


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command of the core with its path, groups before what is in them."""
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for below, inner in command.commands.items():
                # Hidden ones are the desk's own, which calls itself.
                if inner.hidden:
                    continue
                yield f"{name} {below}", inner


def _command(path: str, command: click.Command) -> str:
    level = "###" if " " in path else "##"
    usage = command.collect_usage_pieces(click.Context(command))
    parts = [f"{level} {path}", f"`helpdesk {' '.join([path, *usage])}`", _summary(command)]
    rows = [row for param in command.params if (row := _option(param)) is not None]
    if rows:
        parts.append("\n".join(["| option | |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def _option(param: click.Parameter) -> str | None:
    if not isinstance(param, click.Option) or param.hidden:
        return None
    names = ", ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))
    takes = "" if param.is_flag else f" {_cell(param.make_metavar(click.Context(click.Command('x'))))}"
    default = param.default if param.show_default else None
    shown = f" Default: `{default}`." if isinstance(default, str | int) else ""
    return f"| {names}{takes} | {_cell(param.help or '')}{shown} |"


def _summary(command: click.Command) -> str:
    """The help of a command, its example as a code block."""
    said, _, example = inspect.cleandoc(command.help or "").partition("Example:")
    paragraphs = [" ".join(part.split()) for part in said.split("\n\n") if part.strip()]
    if example.strip():
        paragraphs.append(f"```sh\n{example.strip()}\n```")
    return "\n\n".join(paragraphs)


def _cell(text: Any) -> str:
    return str(text).replace("|", "\\|")


PAGES = {"docs/plugins/hooks.md": hooks_page, "docs/commands.md": commands_page}


if __name__ == "__main__":
    for place, page in PAGES.items():
        (ROOT / place).write_text(page(), "utf-8")
        print(place)
