"""What a plugin will use: read from its code without running it, and compared with what it registers."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from helpdesk.plugins import loading, manifest, reading
from helpdesk.plugins.loading import Found, Plugin, PluginError
from helpdesk.plugins.manager import Manager
from helpdesk.plugins.manifest import Manifest

SOURCE = b"""
raise SystemExit("this was run")
from datetime import timedelta
import helpdesk.api
from helpdesk import api
from helpdesk.api import Command, Field, Job, Report, Schedule, Service, SettingsGroup, Table, db, hookimpl
from helpdesk.api import Permission as P
from sqlalchemy import Table as SqlTable
READ = "orders.read"
pages = object()

@hookimpl
def register_permissions():
    more = [api.Permission(name="orders.edit", label="Edit"), helpdesk.api.Permission("orders." + "see", "")]
    return [P(READ, "Read"), *more]

@api.hookimpl(optionalhook=True)
def loyalty_points(user): ...

@hookimpl(specname="nav_items")
def menu(user): ...

ticket_panels = hookimpl(lambda ticket: [])
veto = hookimpl(tryfirst=True)(lambda user: None)

def not_a_hook(ticket): ...

class Order(db.Model):
    __tablename__ = "orders_order"

both = SqlTable("orders_tag", db.metadata)
shown = Table([], [])
def rest():
    Job(f"orders.{'fetch'}", print), Schedule("orders.nightly", "orders.fetch", every=timedelta(days=1))
    Field("orders_number", "Number"), Report("orders.turnover", "Turnover", print), SettingsGroup("orders", "", object)
    Command(print_orders), Service("orders.watch", "Watch", print)

@pages.get("/")
def index(): ...
@pages.route("/<int:number>", methods=["POST"])
def order(number): ...
"""


def test_everything_is_read_and_nothing_is_run() -> None:
    found = reading.read({"helpdesk_orders/__init__.py": SOURCE})
    assert found.unclear == []
    assert found.sorted() == {
        "hooks": ("loyalty_points", "nav_items", "register_permissions", "ticket_panels", "veto"),
        "permissions": ("orders.edit", "orders.read", "orders.see"),
        "tables": ("orders_order", "orders_tag"),
        "jobs": ("orders.fetch",),
        "services": ("orders.watch",),
        "schedules": ("orders.nightly",),
        "fields": ("orders_number",),
        "reports": ("orders.turnover",),
        "settings": ("orders",),
        "commands": ("print-orders",),
        "pages": ("/", "/<int:number>"),
    }


def test_a_constant_of_another_module_is_known() -> None:
    files = {
        "x/names.py": b'READ: str = "x.read"\nTWICE = "x.one"\n',
        "x/more.py": b'TWICE = "x.two"\n',
        "x/__init__.py": b"from helpdesk.api import Permission\nfrom x import names\nPermission(names.READ, '')\n",
    }
    assert reading.read(files).sorted() == {"permissions": ("x.read",)}
    files["x/__init__.py"] = b"from helpdesk.api import *\nfrom x.names import TWICE\nPermission(TWICE, '')\n"
    assert reading.read(files).unclear == ["x/__init__.py, line 3"]


@pytest.mark.parametrize(
    "line",
    [
        "Permission(f'x.{verb}', '')",
        "Permission(*names)",
        "Permission(**names)",
        "Permission('x.%s' % verb, '')",
        "hookimpl(specname=verb)(print)",
    ],
)
def test_a_name_that_cannot_be_told_is_unclear(line: str) -> None:
    source = f"from helpdesk.api import Permission, hookimpl\nfound = {line}\n".encode()
    found = reading.read({"x.py": source})
    assert found.unclear == ["x.py, line 2"] and not found.uses


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"def", "x.py, line 1 is not Python"),
        (b"a = '\xff'", "is not Python"),
        (b"a\x00b", "is not Python"),
        (b"(" * 5000, "x.py"),
        (b"-" * 500_000 + b"1", "nested too deeply"),
        (b" " * 3_000_000, "too long"),
    ],
)
def test_code_that_cannot_be_read_is_named(source: bytes, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        reading.read({"x.py": source})


def test_it_comes_back_as_it_was_written() -> None:
    one = Manifest("orders", "helpdesk-orders", "1.0", author="Mia Sörel", hooks=("nav_items",), tables=("orders_x",))
    assert manifest.parse(one.dump()) == one
    assert one.dump() == one.dump()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "{" * 100_000,
        '{"format": 1}',
        '{"format": 1, "name": 7, "distribution": "", "version": ""}',
        '{"format": 1, "name": "x", "distribution": "x", "version": "1", "hooks": "nav_items"}',
        '{"format": 1, "name": "x", "distribution": "x", "version": "1", "extra": []}',
        " " * 1_000_001,
    ],
)
def test_a_broken_one_is_said(text: str) -> None:
    with pytest.raises(PluginError, match="helpdesk-plugin.json"):
        manifest.parse(text)


def test_one_of_another_format_is_none() -> None:
    assert manifest.parse(json.dumps({"format": 99, "whatever": 1})) is None


def test_differences_are_named() -> None:
    said = Manifest("orders", "helpdesk-orders", "1.0", hooks=("nav_items", "ghost"))
    read = Manifest("orders", "helpdesk-orders", "1.1", hooks=("nav_items", "veto"))
    assert manifest.differences(said, read) == [
        "version: it says “1.0”, the wheel has “1.1”",
        "hooks: veto is not in it",
        "hooks: ghost is not in the code",
    ]
    assert manifest.differences(said, said) == []


# ---- compared when it loads


def loaded(source: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugin:
    module = ModuleType("probe_of_manifests")
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def load() -> Any:
        exec(source, vars(module))
        return module

    plugin = Plugin("probe", manifest=text)
    Manager().load([Found(plugin, load)])
    return plugin


HIDING = {
    "hooks": "from helpdesk.api import hookimpl\nnav_items = hookimpl(lambda user: [])\n"
    "globals()['ve' + 'to'] = hookimpl(lambda user: None)\n",
    "permissions": "from helpdesk.api import Permission, hookimpl\n"
    "register_permissions = hookimpl(lambda: [Permission('probe.' + x, '') for x in ['a']])\n",
    "schedules": "from datetime import timedelta\nfrom helpdesk.api import Job, Schedule, hookimpl\n"
    "register_jobs = hookimpl(lambda: [Job('probe.x', print)])\n"
    "register_schedules = hookimpl(lambda: [Schedule('probe.' + x, 'probe.x', every=timedelta(1)) for x in ['a']])\n",
    "services": "from helpdesk.api import Service, hookimpl\n"
    "register_services = hookimpl(lambda: [Service('probe.' + x, '', print) for x in ['a']])\n",
    "tables": "from sqlalchemy import Column, Integer, MetaData, Table\n"
    "mine = Table('probe_' + 'x', MetaData(), Column('id', Integer, primary_key=True))\n",
}


@pytest.mark.parametrize("kind", HIDING)
def test_one_that_uses_more_than_it_said_is_left_out(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = ("nav_items", "register_jobs", "register_permissions", "register_schedules", "register_services")
    said = Manifest("probe", "helpdesk-probe", "1", hooks=hooks)
    plugin = loaded(HIDING[kind], said.dump(), tmp_path, monkeypatch)
    assert f"It uses more than it said when it was installed ({kind}: " in plugin.error
    # Without a manifest, and with one that says it, it loads.
    assert loaded(HIDING[kind], "", tmp_path, monkeypatch).error == ""
    honest = Manifest(
        "probe",
        "helpdesk-probe",
        "1",
        hooks=(*hooks, "veto"),
        permissions=("probe.a",),
        schedules=("probe.a",),
        services=("probe.a",),
        tables=("probe_x",),
    )
    assert loaded(HIDING[kind], honest.dump(), tmp_path, monkeypatch).error == ""


def test_a_broken_manifest_leaves_it_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cannot be read" in loaded("", "-", tmp_path, monkeypatch).error


def test_a_manifest_that_is_not_utf8_does_not_stop_discovery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "helpdesk_odd-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: helpdesk-odd\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[helpdesk.plugins]\nodd = helpdesk_odd\n")
    (info / "helpdesk-plugin.json").write_bytes(b"\xff\xfe")
    (tmp_path / "helpdesk_odd.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    (odd,) = [one.plugin for one in loading.find(None) if one.plugin.name == "odd"]
    manager = Manager()
    manager.discover(None)
    assert odd.manifest and "cannot be read" in manager.plugins["odd"].error
