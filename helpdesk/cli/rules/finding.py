"""What a rule finds, and the levels that rules belong to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpdesk.cli.rules.project import Project

BRONZE, SILVER, GOLD = "bronze", "silver", "gold"
LEVELS = (BRONZE, SILVER, GOLD)


@dataclass(frozen=True)
class Finding:
    """Something to change: a sentence that says what to do, and where."""

    rule: str
    sentence: str
    file: Path | None = None
    line: int | None = None


@dataclass(frozen=True)
class Seen:
    """What a plugin was seen to be when it was loaded into a desk of its own (helpdesk.cli.rules.live)."""

    error: str = ""
    # Where it was raised, if in a file of the plugin: file, line
    where: dict[str, Any] = field(default_factory=dict)
    # hook, kind, file, line, doc (whether it has a docstring)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    # rule, row (what its row in access.toml is called), access (None: it says nothing), file, line
    routes: list[dict[str, Any]] = field(default_factory=list)
    # Columns that point to people, tables whose name is not the plugin's.
    keys_to_people: list[str] = field(default_factory=list)
    foreign_tables: list[str] = field(default_factory=list)
    # group, field, label
    settings: list[dict[str, str]] = field(default_factory=list)
    # Texts of contributions that are not translated when they are shown: where, text.
    fixed_texts: list[dict[str, str]] = field(default_factory=list)
    # hook -> names of what it contributes
    names: dict[str, list[str]] = field(default_factory=dict)
    migrations: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Tried:
    """How the plugin's own tests went. ``failed``: name, file, line, reason; ``called``: calls by hook."""

    problem: str = ""
    passed: int = 0
    failed: list[dict[str, Any]] = field(default_factory=list)
    called: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """All that rules are asked about. ``tried`` is None where the tests were not run."""

    project: Project
    seen: Seen
    tried: Tried | None = None


Rule = Callable[[Case], Iterator[Finding]]
