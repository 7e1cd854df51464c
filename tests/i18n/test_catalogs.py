"""Every catalog in the repository: complete, with the placeholders of its source, by ordinary gettext tools."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
TEMPLATES = [ROOT / "translations/messages.pot", *sorted(ROOT.glob("plugins/*/*/translations/messages.pot"))]
CATALOGS = [path for template in TEMPLATES for path in sorted(template.parent.glob("*/LC_MESSAGES/messages.po"))]
# Languages that are promised to be complete beside English.
COMPLETE = ("ar", "es", "zh_Hans")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
HAN = r"[\u4e00-\u9fff]"
# After Chinese text the glossary asks for full-width marks.
HALF_WIDTH = re.compile(rf"{HAN}[,;:!?]|{HAN}\.(?:\s|$)|{HAN}\.\.\.")
# Arabic has marks of its own, and Spanish opens what it asks and calls.
MARKS = {
    # A number sign after Arabic letters goes to the other side of its number, unless a mark (U+200E) stands before it.
    "ar": re.compile(r"[\u0600-\u06ff][,;?]|[\u0600-\u06ff] ?#%"),
    "es": re.compile(r"^[^¿]*\?|^[^¡]*!"),
    "zh_Hans": HALF_WIDTH,
}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def texts(message: Message) -> tuple[list[str], list[str]]:
    """What is to be translated and the translation, each as a list of plural forms."""
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    strings = [message.string] if isinstance(message.string, str) else list(message.string)
    return ids, strings


@pytest.mark.parametrize("template", TEMPLATES, ids=name)
@pytest.mark.parametrize("locale", COMPLETE)
def test_promised_languages_are_complete(template: Path, locale: str) -> None:
    path = template.parent / locale / "LC_MESSAGES" / "messages.po"
    with template.open("rb") as source, path.open("rb") as file:
        wanted, catalog = read_po(source), read_po(file, locale=locale)
    missing = [
        message.id for message in wanted if message.id and not _translated(catalog.get(message.id, message.context))
    ]
    assert missing == []
    assert [message.id for message in catalog if message.id and message.fuzzy] == []


def _translated(message: Message | None) -> bool:
    return message is not None and all(texts(message)[1])


@pytest.mark.parametrize("path", CATALOGS, ids=name)
def test_placeholders_are_those_of_the_source(path: Path) -> None:
    with path.open("rb") as file:
        catalog = read_po(file, locale=path.parent.parent.name)
    for message in catalog:
        if not message.id or not _translated(message):
            continue
        ids, strings = texts(message)
        assert len(strings) == (1 if len(ids) == 1 else catalog.num_plurals), message.id
        for string in strings:
            assert set(PLACEHOLDER.findall(string)) <= set(PLACEHOLDER.findall(" ".join(ids))), message.id
        assert set(PLACEHOLDER.findall(" ".join(strings))) == set(PLACEHOLDER.findall(ids[-1])), message.id
        assert "<" not in "".join(strings) or "<" in ids[0], message.id


@pytest.mark.parametrize("path", [path for path in CATALOGS if MARKS.keys() & set(path.parts)], ids=name)
def test_punctuation_is_that_of_the_language(path: Path) -> None:
    locale = path.parent.parent.name
    with path.open("rb") as file:
        catalog = read_po(file, locale=locale)
    strings = [string for message in catalog if message.id for string in texts(message)[1]]
    assert [string for string in strings if MARKS[locale].search(string)] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=name)
def test_the_template_is_current(template: Path, tmp_path: Path) -> None:
    """Extraction finds nothing that is not there, and nothing is there that it does not find."""
    folder = next(parent for parent in template.parents if (parent / "setup.cfg").is_file())
    fresh = tmp_path / "messages.pot"
    run = f"import setuptools; setuptools.setup(script_args=['-q', 'extract_messages', '-o', {str(fresh)!r}])"
    subprocess.run([sys.executable, "-W", "ignore", "-c", run], cwd=folder, check=True)
    with template.open("rb") as kept, fresh.open("rb") as found:
        here = {(message.context, str(message.id)) for message in read_po(kept)}
        now = {(message.context, str(message.id)) for message in read_po(found)}
    assert here == now, "run: make translations"
