"""Fetch the browser libraries that the pages use into ``helpdesk/web/static/vendor``, and those of tests.

Run ``python scripts/vendor_assets.py`` after changing ``LIBRARIES``; it needs npm. It writes each library's
files and licence, ``vendor.json`` (what ``tests/web/test_vendor.py`` checks) and ``VENDOR.md`` (for readers).
Nothing here runs when the help desk is installed or started.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "helpdesk" / "web" / "static" / "vendor"
TESTS_VENDOR = ROOT / "tests" / "vendor"


@dataclass(frozen=True)
class Library:
    """One npm package: where its files go, which of them are taken, and what they are for."""

    folder: str
    package: str
    version: str
    licence: str
    files: tuple[str, ...]
    purpose: str
    copyright: str = ""  # for a package that ships no licence text of its own (MIT only)


LIBRARIES = (
    Library(
        folder="tabler",
        package="@tabler/core",
        version="1.6.1",
        licence="MIT",
        files=("dist/css/tabler.min.css", "dist/css/tabler.rtl.min.css"),
        purpose="base styles, left-to-right and right-to-left",
        copyright="Copyright (c) 2018-2026 The Tabler Authors",
    ),
    Library(
        folder="htmx",
        package="htmx.org",
        version="2.0.11",
        licence="0BSD",
        files=("dist/htmx.min.js",),
        purpose="parts of pages that load and refresh by themselves",
    ),
    Library(
        folder="trix",
        package="trix",
        version="2.1.19",
        licence="MIT",
        files=("dist/trix.css", "dist/trix.umd.min.js"),
        purpose="the editor for replies (contains DOMPurify, Apache-2.0 or MPL-2.0)",
    ),
)
# Used by tests alone, and in no wheel.
TEST_LIBRARIES = (
    Library(
        folder="axe",
        package="axe-core",
        version="4.14.1",
        licence="MPL-2.0",
        files=("axe.min.js",),
        purpose="finds what keeps people from using a page",
    ),
)


def fetch(library: Library, scratch: Path) -> dict[str, bytes]:
    """Download one package with ``npm pack`` (npm checks its integrity); return the files to keep by name.

    Raises ``SystemExit`` with one sentence when npm fails or sends something else than was asked for.
    """
    wanted = f"{library.package}@{library.version}"
    packed = subprocess.run(
        ["npm", "pack", "--silent", wanted], cwd=scratch, capture_output=True, text=True, timeout=300
    )
    if packed.returncode:
        raise SystemExit(f"npm could not fetch {wanted}: {packed.stderr.strip()}")
    with tarfile.open(scratch / packed.stdout.strip().splitlines()[-1]) as archive:
        facts = json.loads(member(archive, "package.json"))
        kept = {Path(name).name: member(archive, name) for name in library.files}
        own = "package/LICENSE" in archive.getnames()
        kept["LICENSE"] = member(archive, "LICENSE") if own else mit_licence(library)
    got = f"{facts['name']}@{facts['version']}"
    if (got, facts["license"]) != (wanted, library.licence):
        raise SystemExit(f"Asked for {wanted} ({library.licence}), got {got} ({facts['license']}).")
    return kept


def member(archive: tarfile.TarFile, name: str) -> bytes:
    """The bytes of one file of a package."""
    stream = archive.extractfile(f"package/{name}")
    if stream is None:
        raise SystemExit(f"{archive.name} has no file {name}.")
    return stream.read()


def mit_licence(library: Library) -> bytes:
    """The MIT text with the holder that the files name, for a package that ships no licence text."""
    if not library.copyright:
        raise SystemExit(f"{library.package} ships no LICENSE; give its copyright line in {Path(__file__).name}.")
    lines = (ROOT / "LICENSE").read_text("utf-8").splitlines()
    text = "\n".join(library.copyright if line.startswith("Copyright") else line for line in lines)
    return f"{text}\n".encode()


def install(library: Library, files: dict[str, bytes], vendor: Path) -> dict[str, Any]:
    """Replace the library's folder with what was fetched and return its entry for ``vendor.json``."""
    folder = vendor / library.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {
        "name": library.package,
        "version": library.version,
        "licence": library.licence,
        "purpose": library.purpose,
        "files": {
            f"{library.folder}/{name}": hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())
        },
    }


def readable(entries: list[dict[str, Any]]) -> str:
    """``VENDOR.md``: the list for people."""
    lines = [
        "# Libraries of others",
        "",
        "Fetched by `python scripts/vendor_assets.py` and unchanged; checksums are in `vendor.json`.",
        "Do not edit anything here: change the list in the script and run it again.",
        "",
        "| library | version | licence | for | files |",
        "|---|---|---|---|---|",
    ]
    for entry in entries:
        files = ", ".join(f"`{name}`" for name in entry["files"])
        lines.append(f"| {entry['name']} | {entry['version']} | {entry['licence']} | {entry['purpose']} | {files} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fetch all libraries first, one package a call, and only then touch the vendor folder."""
    if shutil.which("npm") is None:
        raise SystemExit("npm is not installed: on Debian, run 'apt-get install npm' and try again.")
    with tempfile.TemporaryDirectory() as scratch:
        fetched = {
            vendor: [(library, fetch(library, Path(scratch))) for library in libraries]
            for vendor, libraries in ((VENDOR, LIBRARIES), (TESTS_VENDOR, TEST_LIBRARIES))
        }
    for vendor, found in fetched.items():
        entries = [install(library, unpacked, vendor) for library, unpacked in found]
        (vendor / "vendor.json").write_text(json.dumps({"libraries": entries}, indent=2) + "\n", "utf-8")
        (vendor / "VENDOR.md").write_text(readable(entries), "utf-8")
        print(f"{len(entries)} libraries are in {vendor.relative_to(ROOT)}.", file=sys.stderr)


if __name__ == "__main__":
    main()
