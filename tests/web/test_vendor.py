"""The libraries of others are the files that were fetched, with their licences, and ask no other host."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "helpdesk" / "web" / "static" / "vendor"
LIBRARIES = json.loads((VENDOR / "vendor.json").read_text("utf-8"))["libraries"]
SUMS = {name: digest for library in LIBRARIES for name, digest in library["files"].items()}


def test_every_file_has_the_listed_checksum() -> None:
    found = {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for name in SUMS}
    assert found == SUMS


def test_nothing_stands_there_unlisted() -> None:
    files = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    assert files - {"vendor.json", "VENDOR.md"} == set(SUMS)


def test_every_library_comes_with_its_licence() -> None:
    for library in LIBRARIES:
        folder = next(iter(library["files"])).split("/")[0]
        assert f"{folder}/LICENSE" in library["files"], library["name"]
        assert library["licence"] and library["version"]


def test_the_readable_list_names_each_library_and_version() -> None:
    text = (VENDOR / "VENDOR.md").read_text("utf-8")
    for library in LIBRARIES:
        assert f"| {library['name']} | {library['version']} | {library['licence']} |" in text


def test_no_style_sheet_asks_another_host() -> None:
    for sheet in VENDOR.rglob("*.css"):
        addresses = re.findall(r"(?:url\(|@import)\s*[\"']?(?!data:)([^\"')\s]*)", sheet.read_text("utf-8"))
        assert [address for address in addresses if address] == [], sheet.name
