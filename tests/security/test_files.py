"""Archives that somebody else has made, and tables for spreadsheets."""

import ast
import io
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.core.backups import archive
from helpdesk.core.backups.errors import Unusable
from helpdesk.core.spreadsheets import harmless

REPOSITORY = Path(__file__).parents[2]
NAMES = [
    "../outside",
    "files/../../outside",
    "files/../outside",
    "/etc/cron.d/outside",
    "//outside",
    "files//outside",
    "./outside",
    "files/./outside",
    "files/..",
    "..",
    ".",
    "files\\..\\outside",
    "C:\\outside",
    "outside",
    "files/a\x00b",
    "files/a\nb",
    "secret.key/outside",
    "database.sqlite3/outside",
    "FILES/outside",
    "files /outside",
    "\uff46iles/outside",
    "files/\u2025/outside",
    "plugins/../../outside",
]
KINDS = [
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.FIFOTYPE,
    tarfile.DIRTYPE,
    tarfile.CONTTYPE,
    tarfile.GNUTYPE_SPARSE,
    tarfile.XHDTYPE,
    b"Z",
]


def packed(path: Path, *members: tuple[str, bytes, bytes]) -> Path:
    """A tar with members of these names, kinds and contents."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, kind, data in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, "../outside" if kind in KINDS else "", len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def unpacked(tmp_path: Path, *members: tuple[str, bytes, bytes]) -> str:
    """What is said about it; nothing lies beside the folder, no link is in it."""
    folder = tmp_path / "home" / "inside"
    folder.mkdir(parents=True, exist_ok=True)
    path = packed(tmp_path / "backup.tar", *members)
    with pytest.raises(Unusable) as refused:
        archive.unpack(path, folder)
    assert {found.name for found in tmp_path.rglob("*") if folder not in (found, *found.parents)} == {
        "home",
        "backup.tar",
    }
    assert not any(found.is_symlink() for found in tmp_path.rglob("*"))
    return str(refused.value)


@pytest.mark.parametrize("name", NAMES)
def test_no_name_in_a_backup_leads_out(tmp_path: Path, name: str) -> None:
    assert unpacked(tmp_path, (name, tarfile.REGTYPE, b"x"))[-1] == "."


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_has_ordinary_files_only(tmp_path: Path, kind: bytes) -> None:
    unpacked(tmp_path, ("files/ab/link", kind, b""), ("files/ab/link/x", tarfile.REGTYPE, b"x"))


def test_nothing_is_in_a_backup_twice(tmp_path: Path) -> None:
    member = ("files/ab/" + "a" * 64, tarfile.REGTYPE, b"x")
    unpacked(tmp_path, member, member)


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60) | st.sampled_from(NAMES))
# The same examples each time, and no word about a machine that is slow.
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_member_is_called_it_stays_inside(tmp_path_factory: Any, name: str) -> None:
    try:
        unpacked(tmp_path_factory.mktemp("archive"), (name, tarfile.REGTYPE, b"x"))
    except (UnicodeError, ValueError):
        # A name that no tar can hold.
        return


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "=cmd|' /C calc'!A0",
    "\uff1d1+1",
    "\uff0b1",
    "\uff20A",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}" and harmless(f"a{text}") == f"a{text}"


def test_every_table_is_written_with_it() -> None:
    """Who writes a CSV file for people makes its cells harmless."""
    writers = {}
    for top in ("helpdesk", "plugins"):
        for path in (REPOSITORY / top).rglob("*.py"):
            text = path.read_text("utf-8")
            if "tests" in path.parts or not re.search(r"\bcsv\.(writer|DictWriter)\b", text):
                continue
            names = {
                alias.name
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.ImportFrom)
                for alias in node.names
            }
            writers[path.relative_to(REPOSITORY).as_posix()] = "harmless" in names
    # The list inside a wheel is for pip.
    assert writers.pop("helpdesk/plugins/wheels.py") is False
    assert len(writers) >= 2 and all(writers.values()), writers
