"""Write what the help desk is made of as CycloneDX (``python scripts/sbom.py [FILE]``, else standard output).

Every package that runs, with its hashes, from ``uv.lock`` (read by uv, offline); its licence, from what is installed;
and the browser's libraries, from ``vendor.json``. The same lock gives the same file.
"""

import json
import subprocess
import sys
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "helpdesk" / "web" / "static" / "vendor"
UV = Path(sys.executable).parent / "uv"
EXPORT = (
    *("export", "--frozen", "--offline", "--quiet", "--no-dev", "--all-packages", "--all-extras"),
    *("--preview-features", "sbom-export", "--format", "cyclonedx1.5"),
)
# Longer than any name of a licence: some packages write the whole text into its place.
LONGEST_NAME = 40


def bill() -> dict[str, Any]:
    """The bill of materials. Raises CalledProcessError when uv cannot read the lock."""
    written = subprocess.run([UV, *EXPORT], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    found: dict[str, Any] = json.loads(written)
    for component in found["components"]:
        if licences := licences_of(component["name"], component["version"]):
            component["licenses"] = licences
    found["components"] += [browser_library(library) for library in json.loads(read("vendor.json"))["libraries"]]
    found["metadata"]["component"]["type"] = "application"
    # When it was written says nothing about what is in it.
    del found["metadata"]["timestamp"], found["serialNumber"]
    found["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(found)).urn
    return found


def licences_of(name: str, version: str) -> list[dict[str, Any]]:
    """What an installed package says about its licence; nothing when it says nothing, or another version is there."""
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return []
    if told["Version"] != version:
        return []
    if expression := told.get("License-Expression"):
        return [{"expression": expression}]
    classes = [text.rpartition(" :: ")[2] for text in told.get_all("Classifier") or () if text.startswith("License ::")]
    names = [text for text in (told.get("License") or "", *reversed(classes)) if 0 < len(text) <= LONGEST_NAME]
    return [{"license": {"name": names[0]}}] if names else []


def browser_library(library: dict[str, Any]) -> dict[str, Any]:
    """A library that browsers load, with the hash of each of its files."""
    name, version = library["name"], library["version"]
    address = f"pkg:npm/{quote(name)}@{version}"
    files = [
        {"type": "file", "name": file, "hashes": [{"alg": "SHA-256", "content": digest}]}
        for file, digest in library["files"].items()
    ]
    return {
        "type": "library",
        "bom-ref": address,
        "name": name,
        "version": version,
        "purl": address,
        "licenses": [{"license": {"id": library["licence"]}}],
        "components": files,
    }


def read(name: str) -> str:
    return (VENDOR / name).read_text("utf-8")


if __name__ == "__main__":
    text = json.dumps(bill(), indent=2) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, "utf-8")
    else:
        print(text, end="")
