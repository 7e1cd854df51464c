"""Links lead somewhere, commands and targets exist, and the examples in the pages run."""

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from helpdesk.cli import main

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        ROOT / "tests" / "README.md",
        *ROOT.glob("plugins/*/*.md"),
        *ROOT.glob("benchmarks/*.md"),
    ]
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[str]:
    return [code for language, code in BLOCK.findall(page.read_text("utf-8")) if language in languages]


def anchors(page: Path) -> set[str]:
    """The names under which a page's headings can be linked to, as GitHub makes them."""
    text = BLOCK.sub("", page.read_text("utf-8"))
    headings = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line) for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    text = re.sub(r"`[^`\n]*`", "", BLOCK.sub("", page.read_text("utf-8")))
    return re.findall(r"\]\(([^)\s]+)\)", text)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{link}: there is no such heading"


def commands(page: Path) -> Iterator[list[str]]:
    """What the page tells people to type: lines of shell blocks, and words in backquotes."""
    text = page.read_text("utf-8")
    lines = [line for code in blocks(page, "sh") for line in code.splitlines()]
    lines += re.findall(r"`((?:\.venv/bin/)?(?:helpdesk|make) [^`\n]*)`", BLOCK.sub("", text))
    for line in lines:
        words = shlex.split(line, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words.pop(0)
        if words and words[0].rsplit("/", 1)[-1] in ("helpdesk", "make"):
            yield [words[0].rsplit("/", 1)[-1], *words[1:]]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_people_are_told_to_type_exists(page: Path) -> None:
    for program, *words in commands(page):
        if program == "make":
            targets = [word for word in words if "=" not in word and not word.startswith("-")]
            assert targets and set(targets) <= TARGETS, f"make {' '.join(words)}"
        else:
            check_command(words)


def check_command(words: list[str]) -> None:
    """Walk down the command line as it is written: every command and option must be there.

    Words in capitals or angle brackets stand for something, and what follows three dots is left to the reader.
    """
    command: click.Command = main
    names: list[str] = []
    for word in words:
        if word == "..." or re.fullmatch(r"[A-Z]+|<\w+>", word):
            return
        if word.startswith("--"):
            known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
            assert word.split("=")[0] in known | {"--help"}, f"helpdesk {' '.join(names)} has no {word}"
        elif isinstance(command, click.Group):
            # What a plugin brings is the plugin's; "orders" is the made-up one of the pages.
            if not names and word == "orders":
                return
            if not names and (found := plugin_group(word)) is not None:
                command, names = found, [word]
                continue
            context = click.Context(command)
            assert word in command.list_commands(context), f"there is no helpdesk {' '.join([*names, word])}"
            found = command.get_command(context, word)
            assert found is not None
            command, names = found, [*names, word]


def plugin_group(word: str) -> click.Group | None:
    """The commands of a plugin of this repository; None where it has none."""
    if find_spec(f"helpdesk_{word}") is None:
        return None
    register = getattr(import_module(f"helpdesk_{word}"), "register_commands", None)
    return click.Group(word, [one.command for one in register()]) if register is not None else None


def test_every_command_says_what_it_does_with_an_example() -> None:
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        below = list(command.commands.values()) if isinstance(command, click.Group) else [command]
        for inner in below:
            assert "Example: " in (inner.help or ""), f"helpdesk {name} {inner.name} shows no example"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_in_the_pages_is_python(page: Path) -> None:
    for code in blocks(page, "python"):
        compile(code, name_of(page), "exec")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_are_plain(page: Path) -> None:
    """No shouting, nothing of one machine, and lines that fit."""
    text = page.read_text("utf-8")
    prose = re.sub(r"`[^`\n]*`", "", BLOCK.sub("", text)).replace("<!--", "")
    assert "!" not in prose
    assert not re.search(r"(?<![\w.])/(?:work|tmp|root|home)/", text)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_of_the_code_that_a_page_names_are_there(page: Path) -> None:
    """Names such as ``core/links.py``, from the top of the repository or from ``helpdesk/``; made-up ones have a <."""
    tops = "helpdesk|core|web|cli|plugins|scripts|themes"
    for name in re.findall(rf"`((?:{tops})/[\w./-]*)`", page.read_text("utf-8")):
        places = (ROOT / name, ROOT / "helpdesk" / name, page.parent / name)
        assert any(place.exists() for place in places), f"{name} is not there"
