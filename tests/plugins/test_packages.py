"""Wheels of strangers: looked into without running them, refused with one sentence each, and sealed."""

import csv
import importlib.metadata
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpdesk.plugins import building, candidates, packages, wheels
from helpdesk.plugins.loading import PluginError

INIT = b"""raise SystemExit("this was run")
from helpdesk.api import hookimpl

@hookimpl
def nav_items(user):
    return []
"""
METADATA = (
    "Metadata-Version: 2.1\nName: helpdesk-orders\nVersion: 1.0.0\nSummary: Orders.\nRequires-Dist: helpdesk>=1,<2\n"
)
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
ENTRY = "[helpdesk.plugins]\norders = helpdesk_orders\n"
INFO = "helpdesk_orders-1.0.0.dist-info"
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A wheel made by hand; ``files`` are added to what belongs into one, or replace it (None: leave it out)."""

    def make(files: dict[str, bytes | str | None] | None = None, name: str = "given.whl") -> Path:
        content: dict[str, bytes | str | None] = {
            "helpdesk_orders/__init__.py": INIT,
            f"{INFO}/METADATA": METADATA,
            f"{INFO}/WHEEL": WHEEL,
            f"{INFO}/entry_points.txt": ENTRY,
            f"{INFO}/RECORD": "",
            **(files or {}),
        }
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, text in content.items():
                if text is not None:
                    archive.writestr(member, text)
        return path

    return make


def test_a_wheel_is_read_without_running_it(make: Make) -> None:
    found = wheels.inspect(make())
    assert (found.read.name, found.read.version, found.read.hooks) == ("orders", "1.0.0", ("nav_items",))
    assert found.file_name == "helpdesk_orders-1.0.0-py3-none-any.whl" and not found.is_sealed


def test_sealing_writes_the_manifest_and_its_line(make: Make) -> None:
    sealed = wheels.seal(wheels.inspect(make()))
    assert sealed.is_sealed and sealed.said == sealed.read
    with zipfile.ZipFile(sealed.path) as archive:
        assert json.loads(archive.read(f"{INFO}/helpdesk-plugin.json"))["hooks"] == ["nav_items"]
        rows = list(csv.reader(io.StringIO(archive.read(f"{INFO}/RECORD").decode())))
    assert [row[0] for row in rows] == [f"{INFO}/helpdesk-plugin.json", f"{INFO}/RECORD"]
    assert rows[0][1].startswith("sha256=")
    # Sealed again, and made again, it is the same file.
    assert wheels.seal(sealed).sha256 == sealed.sha256
    assert wheels.seal(wheels.inspect(make(name="again.whl"))).read == sealed.read


def test_a_manifest_that_lies_is_refused(make: Make) -> None:
    honest = wheels.seal(wheels.inspect(make()))
    assert honest.said is not None
    text = honest.said.dump()
    for lie in (text.replace('"nav_items"', ""), text.replace('"nav_items"', '"nav_items", "veto"')):
        with pytest.raises(PluginError, match="manifest does not fit its code .hooks: "):
            wheels.inspect(make({f"{INFO}/helpdesk-plugin.json": lie}))
    assert not wheels.inspect(make({f"{INFO}/helpdesk-plugin.json": '{"format": 99}'})).is_sealed


ENTRIES = {
    "two": ("[helpdesk.plugins]\norders = helpdesk_orders\nmore = helpdesk_orders\n", "holds 2 plugins"),
    "none": ("[something.else]\na = b\n", "no entry point of the group helpdesk.plugins"),
    "missing": (None, "no entry point of the group helpdesk.plugins"),
    "wrong name": ("[helpdesk.plugins]\n../Orders = helpdesk_orders\n", "cannot be a plugin's name"),
    "reserved name": ("[helpdesk.plugins]\nticket = helpdesk_orders\n", "cannot be a plugin's name"),
    "no module": ("[helpdesk.plugins]\norders = ../../x\n", "names no module"),
    "another package": ("[helpdesk.plugins]\norders = helpdesk_else\n", "beside its own package"),
    "programs": (ENTRY + "[console_scripts]\npython = helpdesk_orders:main\n", "programs of its own"),
    "broken": ("[helpdesk.plugins\n", "entry points of the wheel cannot be read"),
    "not utf-8": (b"[helpdesk.plugins]\norders = \xff\n", "not UTF-8"),
}


@pytest.mark.parametrize("case", ENTRIES)
def test_wrong_entry_points(make: Make, case: str) -> None:
    text, words = ENTRIES[case]
    with pytest.raises(PluginError, match=words):
        wheels.inspect(make({f"{INFO}/entry_points.txt": text}))


FILES: dict[str, tuple[dict[str, Any], str]] = {
    "up": ({"../evil.py": ""}, "outside its folder"),
    "up inside": ({"helpdesk_orders/../../evil.py": ""}, "outside its folder"),
    "absolute": ({"/etc/cron.d/evil": ""}, "outside its folder"),
    "backslash": ({"helpdesk_orders\\..\\evil.py": ""}, "outside its folder"),
    "drive": ({"C:evil.py": ""}, "outside its folder"),
    "pth": ({"evil.pth": "import os"}, "would put “evil.pth” beside its own package"),
    "the desk itself": ({"helpdesk/core/accounts.py": ""}, "would put “helpdesk” beside"),
    "another package": ({"flask/__init__.py": ""}, "would put “flask” beside"),
    "data": ({"helpdesk_orders-1.0.0.data/scripts/python": ""}, "beside its own package"),
    "no metadata": ({f"{INFO}/METADATA": None}, "This is no wheel"),
    "no wheel file": ({f"{INFO}/WHEEL": None}, "This is no wheel"),
    "metadata not utf-8": ({f"{INFO}/METADATA": b"Name: \xff"}, "METADATA in the wheel is not UTF-8"),
    "code not utf-8": ({"helpdesk_orders/more.py": b"a = '\xff'"}, "not Python that can be read"),
    "another name": ({f"{INFO}/METADATA": METADATA.replace("helpdesk-orders", "pip")}, "names itself “pip”"),
    "no version": ({f"{INFO}/METADATA": METADATA.replace("1.0.0", "../../x")}, "is no version"),
    "two infos": ({"other-1.0.dist-info/METADATA": ""}, "This is no wheel"),
    "other machine": ({f"{INFO}/WHEEL": WHEEL.replace("py3-none-any", "cp27-none-win32")}, "another kind of machine"),
    "newer python": ({f"{INFO}/METADATA": f"{METADATA}Requires-Python: >=4\n"}, "It needs Python >=4"),
    "too many": ({f"helpdesk_orders/{number}.txt": "" for number in range(5001)}, "more than 5000 files"),
    "same name": ({"helpdesk_orders/A.txt": "", "helpdesk_orders/a.txt": ""}, "two files of the same name"),
    "bomb": ({"helpdesk_orders/zeros": b"\0" * 8_000_000}, "unpacks to very much more"),
}


@pytest.mark.parametrize("case", FILES)
def test_hostile_files(make: Make, case: str) -> None:
    files, words = FILES[case]
    with pytest.raises(PluginError, match=words):
        wheels.inspect(make(files))


def test_the_desk_itself_is_no_plugin(make: Make) -> None:
    info = "helpdesk-1.0.0.dist-info"
    files = {f"{INFO}/{name}": None for name in ("METADATA", "WHEEL", "entry_points.txt", "RECORD")}
    files |= {f"{info}/METADATA": METADATA.replace("-orders", ""), f"{info}/WHEEL": WHEEL}
    files |= {f"{info}/entry_points.txt": ENTRY}
    with pytest.raises(PluginError, match="help desk itself"):
        wheels.inspect(make(files))


def test_a_link_is_refused(make: Make) -> None:
    path = make()
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("helpdesk_orders/link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(PluginError, match="outside its folder"):
        wheels.inspect(path)


def test_what_is_no_wheel_is_said(make: Make, tmp_path: Path) -> None:
    whole = make().read_bytes()
    changed = bytearray(whole)
    changed[60:80] = b"\0" * 20
    for number, content in enumerate((b"", b"PK", b"hello", whole[: len(whole) // 2], whole[:-10], bytes(changed))):
        path = tmp_path / f"broken{number}.whl"
        path.write_bytes(content)
        with pytest.raises(PluginError, match="wheel"):
            wheels.inspect(path)


def test_a_giant_declared_size_is_refused(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "_LARGEST_UNPACKED", 100)
    with pytest.raises(PluginError, match="would take more than"):
        wheels.inspect(make())
    monkeypatch.setattr(wheels, "LARGEST", 100)
    with pytest.raises(PluginError, match="larger than"):
        wheels.inspect(make())


# ---- checked against what is here


def stage(source: Path | str, tmp_path: Path, **options: Any) -> candidates.Candidate:
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    return candidates.stage(str(source), out, tmp_path / "single", **options)


def test_a_candidate_is_sealed_and_named_by_what_it_is(make: Make, tmp_path: Path) -> None:
    given = make(name="a totally wrong name.whl")
    found = stage(given, tmp_path)
    assert (found.wheel.name, found.came_sealed) == ("helpdesk_orders-1.0.0-py3-none-any.whl", False)
    assert found.sha256 == wheels.digest(given) != wheels.digest(found.wheel)
    assert wheels.inspect(found.wheel).is_sealed
    assert (found.installed, found.lacks) == ("", ())


def test_hashes_are_compared(make: Make, tmp_path: Path) -> None:
    given = make()
    right, wrong = f"sha256:{wheels.digest(given)}", "sha256:" + "0" * 64
    assert stage(given, tmp_path, hashes=[wrong, right.upper().replace("SHA256", "sha256")]).manifest.name == "orders"
    with pytest.raises(PluginError, match="none of those that you gave"):
        stage(given, tmp_path, hashes=[wrong])
    with pytest.raises(PluginError, match="is no hash"):
        stage(given, tmp_path, hashes=["md5:abc"])
    with pytest.raises(PluginError, match="A folder has no hash"):
        stage(tmp_path, tmp_path, hashes=[right])


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        ("helpdesk>=2", "It is made for helpdesk>=2 and this is helpdesk"),
        ("helpdesk-loyalty>=1", "It needs the plugin helpdesk-loyalty>=1; install that first"),
        ("helpdesk-email>=99", "It needs the plugin helpdesk-email>=99"),
        ("lib @ file:///tmp/lib", "from an address of its own"),
        ("!!!", "no requirement that can be understood"),
    ],
)
def test_what_it_needs_is_checked(make: Make, tmp_path: Path, needs: str, words: str) -> None:
    text = METADATA.replace("helpdesk>=1,<2", needs)
    with pytest.raises(PluginError, match=words):
        stage(make({f"{INFO}/METADATA": text}), tmp_path)


def test_what_is_missing_is_listed(make: Make, tmp_path: Path) -> None:
    more = "Requires-Dist: no-such-library>=3\nRequires-Dist: flask\nRequires-Dist: gone; python_version < '3'\n"
    assert stage(make({f"{INFO}/METADATA": METADATA + more}), tmp_path).lacks == ("no-such-library>=3",)


def test_a_name_that_is_taken(make: Make, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="“email” is taken by helpdesk-email"):
        stage(make({f"{INFO}/entry_points.txt": "[helpdesk.plugins]\nemail = helpdesk_orders\n"}), tmp_path)
    (tmp_path / "single").mkdir()
    (tmp_path / "single" / "orders.py").write_text("")
    with pytest.raises(PluginError, match="in the file orders.py"):
        stage(make(), tmp_path)


def test_a_package_of_somebody_else(make: Make, tmp_path: Path) -> None:
    files = {"helpdesk_orders/__init__.py": None, "flask/__init__.py": ""}
    files |= {f"{INFO}/entry_points.txt": "[helpdesk.plugins]\norders = flask\n"}
    with pytest.raises(PluginError, match="Its package flask belongs to Flask"):
        stage(make(files), tmp_path)
    files = {"helpdesk_orders/__init__.py": None, "json/__init__.py": ""}
    files |= {f"{INFO}/entry_points.txt": "[helpdesk.plugins]\norders = json\n"}
    with pytest.raises(PluginError, match="may not be named “json”"):
        stage(make(files), tmp_path)


def test_another_plugin_than_was_wanted(make: Make, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="“orders” and not “email”"):
        stage(make(), tmp_path, wanted="email")


def test_code_whose_names_cannot_be_told_is_named(make: Make, tmp_path: Path) -> None:
    source = "from helpdesk.api import Permission\nfound = [Permission(f'orders.{x}', '') for x in 'ab']\n"
    with pytest.raises(PluginError, match="read at helpdesk_orders/more.py, line 2; write the name"):
        stage(make({"helpdesk_orders/more.py": source}), tmp_path)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("./nowhere", "There is no folder or file"),
        ("nowhere.whl", "There is no file"),
        ("not a name", "no folder, no wheel and no name"),
        ("x @ https://pages.example/x.whl", "There is no file"),
        ("--index-url=pages.example", "no name of a package"),
    ],
)
def test_a_source_that_is_none(tmp_path: Path, source: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "run", lambda words: pytest.fail(f"{words} was run"))
    with pytest.raises(PluginError, match=words):
        stage(source, tmp_path)


# ---- building

PROJECT = """[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "helpdesk-orders"
version = "1.0.0"
[project.entry-points."helpdesk.plugins"]
orders = "helpdesk_orders"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "source of it"
    (folder / "helpdesk_orders").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "helpdesk_orders" / "__init__.py").write_bytes(INIT)
    return folder


@pytest.mark.slow
def test_a_folder_is_built_and_left_as_it_was(project: Path, tmp_path: Path) -> None:
    (project / "build" / "lib" / "helpdesk_orders").mkdir(parents=True)
    (project / "build" / "lib" / "helpdesk_orders" / "stale.py").write_text("")
    before = sorted(project.rglob("*"))
    found = stage(project, tmp_path)
    assert (found.manifest.hooks, found.came_sealed) == (("nav_items",), True)
    assert sorted(project.rglob("*")) == before
    with zipfile.ZipFile(found.wheel) as archive:
        assert "helpdesk_orders/stale.py" not in archive.namelist()


HARMFUL = {
    "setup.py": ("", "setup.py"),
    "hatch.toml": ("", "hatch.toml"),
    "setup.cfg": ("[options]\ncmdclass =\n  build_py = x.Y\n", "setup.cfg"),
}
PROJECTS = {
    "backend": PROJECT.replace("setuptools.build_meta", "mine"),
    "backend-path": PROJECT.replace("[project]", 'backend-path = ["."]\n[project]', 1),
    "needs": PROJECT.replace("setuptools>=77", "evil"),
    "attr": PROJECT + "[tool.setuptools.dynamic]\nversion = {attr = 'helpdesk_orders.V'}\n",
    "cmdclass": PROJECT + "[tool.setuptools.cmdclass]\nbuild_py = 'x.Y'\n",
    "hatch": PROJECT.replace("setuptools.build_meta", "hatchling.build") + "[tool.hatch.build.hooks.custom]\n",
    "flit": PROJECT.replace("setuptools.build_meta", "flit_core.buildapi").replace(
        'version = "1.0.0"', 'dynamic = ["version"]'
    ),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_files_that_would_run_when_it_is_built(project: Path, name: str) -> None:
    building.check_harmless(project)
    text, words = HARMFUL[name]
    (project / name).write_text(text)
    with pytest.raises(PluginError, match=f"would run code of its own .{words}"):
        building.check_harmless(project)


@pytest.mark.parametrize("case", PROJECTS)
def test_projects_that_would_run_when_they_are_built(project: Path, case: str) -> None:
    (project / "pyproject.toml").write_text(PROJECTS[case])
    with pytest.raises(PluginError, match="would run code of its own"):
        building.check_harmless(project)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[", "cannot be read"),
        (b"\xff", "cannot be read"),
        (b"build-system = 1", "must be a table"),
        (None, "no pyproject"),
    ],
)
def test_a_project_that_cannot_be_read(project: Path, content: bytes | None, words: str) -> None:
    (project / "pyproject.toml").unlink()
    if content is not None:
        (project / "pyproject.toml").write_bytes(content)
    with pytest.raises(PluginError, match=words):
        building.check_harmless(project)


# ---- the installer


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the installer was told, instead of telling it."""
    calls: list[list[str]] = []

    def run(words: list[str]) -> subprocess.CompletedProcess[str]:
        calls.append(words)
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(packages, "run", run)
    return calls


def test_what_is_installed_already_is_held_at_its_version(said: list[list[str]], tmp_path: Path) -> None:
    packages.install(tmp_path / "x.whl", "helpdesk-orders", ["flask", "no-such-library"], tmp_path, [tmp_path])
    needs, own = said
    assert needs[-1] == "no-such-library" and "flask" not in needs
    assert f"flask=={importlib.metadata.version('flask')}" in (tmp_path / "held.txt").read_text().splitlines()
    assert needs[needs.index("--find-links") + 1] == str(tmp_path)
    assert {"--no-deps", "--no-index"} <= set(own) and own[-1] == str(tmp_path / "x.whl")


def test_uv_does_it_where_pip_is_missing(
    said: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "has_pip", lambda: False)
    packages.install(tmp_path / "x.whl", "helpdesk-orders", (), tmp_path)
    packages.uninstall("helpdesk-orders")
    assert [Path(words[0]).name for words in said] == ["uv", "uv"]
    assert all(words[words.index("--python") + 1] == sys.executable for words in said)
    assert "--reinstall" in said[0] and said[1][-1] == "helpdesk-orders"
    monkeypatch.setattr(packages.shutil, "which", lambda name: None)
    monkeypatch.setattr(packages.sys, "executable", str(tmp_path / "python"))
    with pytest.raises(PluginError, match="Neither pip nor uv"):
        packages.uninstall("helpdesk-orders")
    with pytest.raises(PluginError, match="pip is needed to fetch"):
        packages.fetch("helpdesk-orders", tmp_path)


@pytest.mark.slow
def test_a_name_is_fetched_as_a_wheel_only(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    links = tmp_path / "links"
    links.mkdir()
    make().rename(links / "helpdesk_orders-1.0.0-py3-none-any.whl")
    assert stage("helpdesk-orders==1.0.0", tmp_path, find_links=[links]).manifest.version == "1.0.0"
    (tmp_path / "again").mkdir()
    with pytest.raises(PluginError, match="“helpdesk-orders==2” could not be fetched: "):
        packages.fetch("helpdesk-orders==2", tmp_path / "again", [links])


def test_what_is_installed_can_be_packed_again(tmp_path: Path) -> None:
    packed = packages.repack("pluggy", tmp_path)
    assert packed is not None and packed.name == f"pluggy-{importlib.metadata.version('pluggy')}-py3-none-any.whl"
    with zipfile.ZipFile(packed) as archive:
        names = archive.namelist()
    assert "pluggy/__init__.py" in names and not any("__pycache__" in name or "INSTALLER" in name for name in names)


def test_where_one_is_worked_on_is_known() -> None:
    assert packages.folder_of_editable("helpdesk-email") is not None
    assert packages.folder_of_editable("pluggy") is None
    assert packages.folder_of_editable("no-such-library") is None
