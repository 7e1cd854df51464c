"""What is installed is what stands in the tree: the wheel, the lock, the versions and the import contracts agree."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import helpdesk

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))


def build_wheel(distribution: Path, scratch: Path) -> set[str]:
    """The names in the wheel of one distribution, built from a copy so that the tree stays clean."""
    patterns = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "instance*")

    def ignored(folder: str, names: list[str]) -> set[str]:
        # The tests at the top, not those of the scaffold.
        return {*patterns(folder, names), *(["tests"] if Path(folder) == distribution else [])}

    copy = shutil.copytree(distribution, scratch / "source", ignore=ignored)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    built = subprocess.run(
        [*command, "--wheel-dir", scratch, copy], capture_output=True, text=True, timeout=300, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = scratch.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def files_below(folder: Path, name: str) -> set[str]:
    """What the wheel should hold of a folder, under the name that it has there."""
    left_out = {"__pycache__"}
    return {
        f"{name}/{path.relative_to(folder).as_posix()}"
        for path in folder.rglob("*")
        if path.is_file() and not left_out & set(path.parts) and path.suffix not in (".mo", ".pyc")
    }


@pytest.mark.slow
def test_the_wheel_holds_everything_that_the_desk_needs(tmp_path: Path) -> None:
    names = build_wheel(ROOT, tmp_path)
    wanted = (
        files_below(ROOT / "helpdesk", "helpdesk")
        | files_below(ROOT / "themes", "helpdesk/themes")
        | files_below(ROOT / "translations", "helpdesk/translations")
    )
    assert wanted - names == set()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"helpdesk"}


@pytest.mark.slow
@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_the_wheel_of_a_plugin_holds_all_of_it(plugin: Path, tmp_path: Path) -> None:
    package = plugin.name.replace("-", "_")
    names = build_wheel(plugin, tmp_path)
    assert files_below(plugin / package, package) - names == set()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {package}


def test_the_lock_names_public_addresses_only() -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text("utf-8")))
    assert hosts and all(re.fullmatch(r"[a-z]+(\.[a-z]+)*\.org", host) for host in hosts), "a mirror got into the lock"


def test_the_version_is_the_same_everywhere() -> None:
    assert helpdesk.__version__ == PROJECT["project"]["version"]


def test_the_import_contracts_watch_every_plugin() -> None:
    packages = {path.name.replace("-", "_") for path in PLUGINS}
    settings = PROJECT["tool"]["importlinter"]
    assert set(settings["root_packages"]) == {"helpdesk"} | packages
    forbidden, strangers = settings["contracts"][2:4]
    assert set(forbidden["source_modules"]) == packages
    assert {name.strip() for name in strangers["layers"][0].split("|")} == packages
