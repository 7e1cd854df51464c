"""Builds the wheel of a plugin from its folder."""

import configparser
import importlib.metadata
import shutil
import tomllib
from pathlib import Path
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from helpdesk.plugins import packages
from helpdesk.plugins.loading import PluginError

# Builds that read a folder and run none of its code, and what they may ask for.
_SETUPTOOLS, _HATCH, _FLIT = "setuptools.build_meta", "hatchling.build", "flit_core.buildapi"
_BACKENDS: Final = (_SETUPTOOLS, _HATCH, _FLIT, "uv_build")
_BUILD_NEEDS: Final = frozenset({"setuptools", "wheel", "hatchling", "flit-core", "uv-build"})
_LEFT_BEHIND: Final = shutil.ignore_patterns(
    ".git", ".venv", "venv", "build", "dist", "*.egg-info", "__pycache__", "node_modules", ".*_cache", "*.sqlite3*"
)


def build(folder: Path, out: Path) -> Path:
    """Build the wheel of the distribution in ``folder`` into ``out``. Raises :class:`PluginError`.

    From a copy: nothing is left in the folder, and nothing of an earlier build gets in.
    """
    if not (folder / "pyproject.toml").is_file():
        raise PluginError(f"{folder} is no plugin: it has no pyproject.toml.")
    copy = out / "source"
    shutil.copytree(folder, copy, ignore=_LEFT_BEHIND, symlinks=True)
    wheels = out / "built"
    wheels.mkdir()
    alone = [] if not _can_build_here(copy) else ["--no-build-isolation"]
    if packages.has_pip():
        words = ["wheel", "--no-deps", "--wheel-dir", str(wheels), *alone, str(copy)]
        done = packages.run([*packages.pip(), *words])
    else:
        done = packages.run([*packages.uv(), "build", "--wheel", "--out-dir", str(wheels), *alone, str(copy)])
    built = sorted(wheels.glob("*.whl"))
    if done.returncode != 0 or len(built) != 1:
        raise PluginError(f"It could not be built: {packages.reason(done)}")
    shutil.rmtree(copy, ignore_errors=True)
    return built[0]


def check_harmless(folder: Path) -> None:
    """Raise :class:`PluginError` when building a folder would run code of the plugin's own."""
    if (culprit := _code_in_build(folder)) is not None:
        raise PluginError(
            f"Building it would run code of its own ({culprit}); build it yourself with 'helpdesk plugin build', "
            "and install the wheel."
        )


def _code_in_build(folder: Path) -> str | None:
    for name in ("setup.py", "hatch.toml"):
        if (folder / name).exists():
            return name
    project = _project(folder)
    system = _table(project, "build-system")
    backend = system.get("build-backend", _SETUPTOOLS)
    if backend not in _BACKENDS or "backend-path" in system:
        return f"build-backend {backend}"
    for text in system.get("requires", ()):
        if _requirement_name(str(text)) not in _BUILD_NEEDS:
            return f"build requirement {text}"
    if backend == _FLIT and project.get("project", {}).get("dynamic"):
        return "dynamic"
    hatch = _table(project, "tool", "hatch")
    if backend == _HATCH and ("hooks" in _keys(hatch) or _table(hatch, "version").get("source") == "code"):
        return "tool.hatch"
    setuptools = _table(project, "tool", "setuptools")
    if "cmdclass" in setuptools or "attr" in _keys(setuptools.get("dynamic")):
        return "tool.setuptools"
    return "setup.cfg" if (folder / "setup.cfg").exists() and _runs_code(folder / "setup.cfg") else None


def _runs_code(file: Path) -> bool:
    found = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        found.read_string(file.read_text(encoding="utf-8"))
    except (configparser.Error, UnicodeDecodeError, OSError) as error:
        raise PluginError("Its setup.cfg cannot be read; correct it.") from error
    values = [value for section in found.sections() for _key, value in found.items(section)]
    return found.has_option("options", "cmdclass") or any("attr:" in value for value in values)


def _table(found: dict[str, Any], *keys: str) -> dict[str, Any]:
    for key in keys:
        inner = found.get(key, {})
        if not isinstance(inner, dict):
            raise PluginError(f"{key} in its pyproject.toml must be a table; correct it.")
        found = inner
    return found


def _project(folder: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PluginError(f"{folder} is no plugin: it has no pyproject.toml.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PluginError(f"Its pyproject.toml cannot be read: {error}.") from error


def _keys(value: object) -> set[str]:
    """All the keys in a table and the tables inside it."""
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(_keys(inner) for inner in value.values()))


def _can_build_here(folder: Path) -> bool:
    """Whether what the build asks for is in this environment: then nothing is fetched for it."""
    system = _table(_project(folder), "build-system")
    if system.get("build-backend", _SETUPTOOLS) != _SETUPTOOLS:
        return False
    try:
        for text in ("setuptools>=70.1", *system.get("requires", ())):
            requirement = Requirement(text)
            # Since 70.1 setuptools makes wheels by itself.
            if canonicalize_name(requirement.name) == "wheel":
                continue
            if not requirement.specifier.contains(importlib.metadata.version(requirement.name), prereleases=True):
                return False
    except (InvalidRequirement, importlib.metadata.PackageNotFoundError):
        return False
    return True


def _requirement_name(text: str) -> str:
    try:
        return str(canonicalize_name(Requirement(text).name))
    except InvalidRequirement:
        return text
