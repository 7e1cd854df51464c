"""A plugin that somebody wants to install: fetched or built, looked into, and checked against what is here."""

import importlib.metadata
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from helpdesk.plugins import building, packages, wheels
from helpdesk.plugins.loading import CORE, ENTRY_POINTS, PluginError, find, range_problem
from helpdesk.plugins.manifest import Manifest
from helpdesk.plugins.wheels import Wheel

_HASH: Final = re.compile(r"(sha256[:=])?([0-9a-fA-F]{64})")


@dataclass(frozen=True)
class Candidate:
    """A wheel that may be installed. ``sha256`` is that of the file as it came, before it was sealed."""

    wheel: Path
    sha256: str
    manifest: Manifest
    # Whether the manifest came in the wheel, or was read and written into it here.
    came_sealed: bool
    # The version that it replaces, or an empty text.
    installed: str
    # Requirements that must be installed with it.
    lacks: tuple[str, ...]


def stage(
    source: str,
    out: Path,
    folder: Path | None,
    hashes: Sequence[str] = (),
    find_links: Sequence[Path] = (),
    wanted: str | None = None,
) -> Candidate:
    """Fetch or build the wheel of ``source`` (a folder, a wheel, a name in an index) into ``out``, and check it.

    None of the plugin's code runs. ``folder`` is where single-file plugins lie, ``wanted`` the name of the plugin
    that it must be. Raises :class:`PluginError` with one sentence.
    """
    allowed = [_hash(text) for text in hashes]
    path = Path(source).expanduser()
    if path.is_dir():
        if allowed:
            raise PluginError("A folder has no hash; build it with 'helpdesk plugin build' and install the wheel.")
        building.check_harmless(path)
        # Whoever has the folder has the code itself: nothing is missing when no manifest came with it.
        return replace(check(building.build(path.resolve(), out), out, folder, (), wanted), came_sealed=True)
    if path.suffix == ".whl" or path.exists():
        if not path.is_file():
            raise PluginError(f"There is no file {source}.")
        found = out / "given.whl"
        shutil.copyfile(path, found)
    elif "/" in source or source.startswith("."):
        raise PluginError(f"There is no folder or file {source}.")
    else:
        found = packages.fetch(source, out, find_links)
    return check(found, out, folder, allowed, wanted)


def check(
    wheel: Path, out: Path, folder: Path | None, hashes: Sequence[str] = (), wanted: str | None = None
) -> Candidate:
    """Check a wheel, and seal it when it has no manifest. Raises :class:`PluginError` with one sentence."""
    sha256 = wheels.digest(wheel)
    if hashes and sha256 not in hashes:
        raise PluginError(f"Its hash is sha256:{sha256}, which is none of those that you gave; do not use this file.")
    found = wheels.inspect(wheel)
    if wanted is not None and found.read.name != wanted:
        raise PluginError(f"This is the plugin “{found.read.name}” and not “{wanted}”.")
    _check_free(found, folder)
    lacks = _check_requirements(found.read)
    placed = out / found.file_name
    wheel.replace(placed)
    came_sealed = found.is_sealed
    sealed = wheels.seal(wheels.inspect(placed))
    return Candidate(placed, sha256, sealed.read, came_sealed, _installed(found.read.distribution), lacks)


def _hash(text: str) -> str:
    found = _HASH.fullmatch(text.strip())
    if found is None:
        raise PluginError(f"“{text}” is no hash; write sha256: and 64 digits from 0 to f.")
    return found[2].lower()


def _check_free(wheel: Wheel, folder: Path | None) -> None:
    """Neither the plugin's name nor its package may be somebody else's."""
    ours = canonicalize_name(wheel.read.distribution)
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS, name=wheel.read.name):
        if entry.dist is None or canonicalize_name(entry.dist.name) != ours:
            other = entry.dist.name if entry.dist is not None else "another package"
            raise PluginError(f"The name “{wheel.read.name}” is taken by {other}; uninstall that first.")
    if folder is not None and (folder / f"{wheel.read.name}.py").exists():
        raise PluginError(
            f"There is a plugin “{wheel.read.name}” in the file {wheel.read.name}.py; move it away first."
        )
    if packages.folder_of_editable(wheel.read.distribution) is not None:
        raise PluginError(
            f"{wheel.read.distribution} is worked on in {packages.folder_of_editable(wheel.read.distribution)}: "
            "what you change there counts at the next start. Take that away first ('pip uninstall') to install a copy."
        )
    owners = importlib.metadata.packages_distributions().get(wheel.package, ())
    if foreign := [name for name in owners if canonicalize_name(name) != ours]:
        raise PluginError(f"Its package {wheel.package} belongs to {foreign[0]}; it must have one of its own.")


def _check_requirements(manifest: Manifest) -> tuple[str, ...]:
    """The desk must be of its range and the plugins that it needs be here; answers what else is to be installed."""
    for text in manifest.requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if canonicalize_name(requirement.name) == CORE and (problem := range_problem(requirement)):
            raise PluginError(problem)
    lacks = packages.missing(manifest.requires)
    for text in lacks:
        name = canonicalize_name(Requirement(text).name)
        if name.startswith(f"{CORE}-"):
            raise PluginError(f"It needs the plugin {text}; install that first.")
    return tuple(lacks)


def _installed(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def needed_by(name: str, folder: Path | None) -> list[str]:
    """The plugins that need this one."""
    return sorted(found.plugin.name for found in find(folder) if name in found.plugin.needs)
