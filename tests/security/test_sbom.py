"""What the desk is made of: each package with its hashes, and a bill that names exactly what runs."""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
OURS = {"helpdesk", *(folder.name for folder in (ROOT / "plugins").iterdir() if (folder / "pyproject.toml").is_file())}
HASH = re.compile(r"sha256:[0-9a-f]{64}")


@cache
def locked() -> dict[str, dict[str, Any]]:
    packages = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
    assert len({package["name"] for package in packages}) == len(packages), "each package once, in one version"
    return {package["name"]: package for package in packages}


def runtime() -> set[str]:
    """Every package that our own need while they run, with all extras, and without what developers use."""
    found: set[str] = set()
    waiting = sorted(OURS)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            package = locked()[name]
            needs = [*package.get("dependencies", ()), *sum(package.get("optional-dependencies", {}).values(), [])]
            waiting += [needed["name"] for needed in needs]
    return found


@cache
def bill() -> dict[str, Any]:
    run = [sys.executable, str(ROOT / "scripts" / "sbom.py")]
    found: dict[str, Any] = json.loads(subprocess.run(run, check=True, stdout=subprocess.PIPE).stdout)
    return found


def parts(kind: str) -> list[dict[str, Any]]:
    return [part for part in bill()["components"] if part.get("purl", "pkg:pypi/").startswith(f"pkg:{kind}/")]


def test_every_package_comes_from_the_index_with_hashes() -> None:
    for name, package in locked().items():
        if name in OURS:
            assert "editable" in package["source"], name
            continue
        assert package["source"] == {"registry": "https://pypi.org/simple"}, name
        files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]
        assert files, name
        for file in files:
            assert HASH.fullmatch(file["hash"]), name
            assert file["url"].startswith("https://files.pythonhosted.org/"), name


def test_the_bill_names_exactly_what_runs() -> None:
    named = {part["name"]: part["version"] for part in parts("pypi")}
    assert len(named) == len(parts("pypi"))
    assert named == {name: locked()[name]["version"] for name in runtime()}
    assert "pytest" not in named and "flask" in named


def test_the_bill_has_the_shape_of_cyclonedx() -> None:
    assert (bill()["bomFormat"], bill()["specVersion"], bill()["version"]) == ("CycloneDX", "1.5", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill()["serialNumber"])
    known = [bill()["metadata"]["component"]["bom-ref"], *(part["bom-ref"] for part in bill()["components"])]
    assert len(set(known)) == len(known)
    for link in bill()["dependencies"]:
        assert {link["ref"], *link.get("dependsOn", ())} <= set(known)
    for part in bill()["components"]:
        assert part["type"] == "library" and part["version"]
        for licence in part.get("licenses", ()):
            assert set(licence) in ({"expression"}, {"license"})


def test_what_comes_from_others_has_its_hashes_in_the_bill() -> None:
    for part in parts("pypi"):
        if part["name"] in OURS:
            continue
        assert part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}"
        assert part["externalReferences"]
        for reference in part["externalReferences"]:
            assert [entry["alg"] for entry in reference["hashes"]] == ["SHA-256"]
    installed = [part for part in parts("pypi") if part["name"] in {"flask", "sqlalchemy", "helpdesk"}]
    assert len(installed) == 3 and all(part["licenses"] for part in installed)


def test_what_browsers_load_is_in_the_bill_as_it_lies_there() -> None:
    vendor = ROOT / "helpdesk" / "web" / "static" / "vendor"
    named = {file["name"]: file["hashes"][0]["content"] for part in parts("npm") for file in part["components"]}
    there = {path.relative_to(vendor).as_posix() for path in vendor.glob("*/**/*") if path.is_file()}
    assert set(named) == there
    for name, digest in named.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest
