"""A plugin as its author has it: a folder with a pyproject.toml that names an entry point of ours."""

import importlib
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

ENTRY_POINTS = "helpdesk.plugins"


class NoProject(Exception):
    """A folder holds no plugin; the text is a sentence that says what is missing."""


@dataclass(frozen=True)
class Project:
    """One plugin on disk. ``about`` is the table [project] of its pyproject.toml."""

    folder: Path
    name: str
    package: str
    about: Mapping[str, Any]

    @property
    def source(self) -> Path:
        """The folder of its package."""
        return self.folder / self.package

    @property
    def tests(self) -> Path:
        return self.folder / "tests"

    @property
    def distribution(self) -> str:
        return str(self.about.get("name", ""))

    @property
    def version(self) -> str:
        return str(self.about.get("version", ""))

    @cached_property
    def requirements(self) -> tuple[Requirement, ...]:
        """What it needs, as far as it can be read."""
        return tuple(_requirements(self.about.get("dependencies", ())))

    @property
    def others(self) -> tuple[str, ...]:
        """The packages of the plugins that it builds on."""
        names = (canonicalize_name(requirement.name) for requirement in self.requirements)
        return tuple(name.replace("-", "_") for name in names if name.startswith("helpdesk-"))

    def modules(self) -> Iterator[Path]:
        """The Python files of its package."""
        return (path for path in sorted(self.source.rglob("*.py")) if "__pycache__" not in path.parts)

    def load(self) -> ModuleType:
        """Import its package, from this folder unless it is imported already.

        The folder does not stay in the path: what a build has left there would be taken for what is installed.
        """
        sys.path.insert(0, str(self.folder))
        try:
            return importlib.import_module(self.package)
        finally:
            sys.path.remove(str(self.folder))


def read(folder: Path) -> Project:
    """The plugin in ``folder``. Raises :class:`NoProject`."""
    file = folder / "pyproject.toml"
    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except OSError:
        raise NoProject(f"{folder} has no pyproject.toml; give the folder of a plugin.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NoProject(f"{file} cannot be read: {error}.") from None
    about = found.get("project", {})
    entries = about.get("entry-points", {}).get(ENTRY_POINTS, {})
    if len(entries) != 1:
        raise NoProject(
            f'{file} names {len(entries)} plugins; write one line below [project.entry-points."{ENTRY_POINTS}"].'
        )
    ((name, target),) = entries.items()
    return Project(folder.resolve(), str(name), str(target).partition(":")[0].strip(), about)


def around(path: Path) -> Project | None:
    """The plugin in whose folder ``path`` lies, if it does."""
    for folder in (path, *path.parents):
        if (folder / "pyproject.toml").is_file():
            try:
                return read(folder)
            except NoProject:
                return None
    return None


def _requirements(texts: Any) -> Iterator[Requirement]:
    for text in texts:
        try:
            yield Requirement(text)
        except InvalidRequirement:
            continue
