"""A plugin comes into a desk that runs, by command and by upload, and nobody does anything else for it."""

import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from helpdesk.testing.served import ServedDesk, wait_for
from tests.browser.owner import PASSWORD, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# For a pip that installs and a desk that starts anew, on a machine that is busy with other tests.
PATIENCE = 300
MS = 1000 * PATIENCE
INIT = """from flask import Blueprint
from helpdesk.api import NavItem, hookimpl, public_page

pages = Blueprint("NAME", __name__)

@pages.get("/")
@public_page
def index():
    return "TEXT"

@hookimpl
def register_blueprints():
    return [pages]

@hookimpl
def nav_items(user):
    return [NavItem("Entry of NAME", "NAME.index")]
"""
PROJECT = """[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "helpdesk-orders"
version = "1.0.0"
dependencies = ["helpdesk>=1,<2"]

[project.entry-points."helpdesk.plugins"]
orders = "helpdesk_orders"
"""


@pytest.fixture
def own_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything that is started runs in an environment of this test's own, which sees ours."""
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    ours = Path(sysconfig.get_path("purelib"))
    site = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    (site / "ours.pth").write_text(f"import site; site.addsitedir({str(ours)!r})\n")
    monkeypatch.setattr(sys, "executable", str(folder / "bin" / "python"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    before = {path.name for path in ours.iterdir()}
    yield
    assert {path.name for path in ours.iterdir()} - before <= {"__pycache__"}


def test_by_command_and_by_upload_and_what_does_not_load_is_undone(
    own_python: None, serve_desk: Callable[..., ServedDesk], browser: Browser, tmp_path: Path
) -> None:
    desk = serve_desk()
    page = sign_in(browser, desk, locale="en-GB")

    # By command: the owner reloads the page and it is there.
    source = tmp_path / "helpdesk-orders"
    (source / "helpdesk_orders").mkdir(parents=True)
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "helpdesk_orders" / "__init__.py").write_text(written("orders", "seven orders"))
    desk.run("plugin", "install", str(source), "--yes")
    wait_for(lambda: shown(page, desk, "/p/orders/") == "seven orders", PATIENCE)
    page.goto(f"{desk.url}/desk")
    expect(page.get_by_role("link", name="Entry of orders")).to_be_visible()

    # By upload: what it uses is shown first, a wrong password installs nothing, the right one does.
    page.goto(f"{desk.url}/admin/plugins")
    page.get_by_role("link", name="Add from a file").click()
    page.get_by_label("The file of the plugin").set_input_files(wheel(tmp_path, "parcels", "nine parcels"))
    page.get_by_role("button", name="Look into it").click()
    expect(page.locator("h1")).to_have_text("Install parcels?")
    expect(page.locator("dl.uses")).to_contain_text("nav_items")
    page.get_by_label("Your password").fill("not this one")
    page.get_by_role("button", name="Install").click()
    expect(page.locator("body")).to_contain_text("That is not your password.")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Install").click()
    # The page goes on by itself, over the restart, to the plugin's own page.
    expect(page).to_have_url(re.compile(r"/admin/plugins/parcels$"), timeout=MS)
    expect(page.locator("body")).to_contain_text("“parcels” 1.0.0 is installed.")
    wait_for(lambda: shown(page, desk, "/p/parcels/") == "nine parcels", PATIENCE)

    # And away again, once its name was typed.
    page.goto(f"{desk.url}/admin/plugins/parcels")
    page.locator("#typed-uninstall").fill("parcel")
    page.locator("#password-uninstall").fill(PASSWORD)
    page.get_by_role("button", name="Uninstall").click()
    expect(page.locator("body")).to_contain_text("Type “parcels” to go on.")
    page.locator("#typed-uninstall").fill("parcels")
    page.locator("#password-uninstall").fill(PASSWORD)
    page.get_by_role("button", name="Uninstall").click()
    expect(page.locator("h1")).to_have_text("Plugins", timeout=MS)
    wait_for(lambda: shown(page, desk, "/p/parcels/") not in ("", "nine parcels"), PATIENCE)
    page.goto(f"{desk.url}/admin/plugins")
    expect(page.get_by_role("link", name="Entry of parcels")).to_have_count(0)
    page.get_by_role("link", name="parcels", exact=True).click()
    page.locator("#typed-purge").fill("parcels")
    page.locator("#password-purge").fill(PASSWORD)
    page.get_by_role("button", name="Take out its data").click()
    expect(page.locator("body")).to_contain_text("The data of “parcels” is gone.", timeout=MS)
    acts = desk.run("plugin", "list")
    assert "orders" in acts and "parcels" not in acts

    # One that does not load is undone.
    page.goto(f"{desk.url}/admin/plugin-install")
    bad = wheel(tmp_path, "parcels", "nine parcels", "raise SystemError('no luck')\n")
    page.get_by_label("The file of the plugin").set_input_files(bad)
    page.get_by_role("button", name="Look into it").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Install").click()
    expect(page.locator("body")).to_contain_text("SystemError: no luck", timeout=MS)
    expect(page.locator("body")).to_contain_text("the desk is as it was before")
    assert "parcels" not in desk.run("plugin", "list")


def written(name: str, text: str) -> str:
    return INIT.replace("NAME", name).replace("TEXT", text)


def wheel(folder: Path, name: str, text: str, more: str = "") -> Path:
    info = f"helpdesk_{name}-1.0.0.dist-info"
    path = folder / f"helpdesk_{name}-1.0.0-py3-none-any.whl"
    metadata = f"Metadata-Version: 2.1\nName: helpdesk-{name}\nVersion: 1.0.0\nRequires-Dist: helpdesk>=1,<2\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"helpdesk_{name}/__init__.py", written(name, text) + more)
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", f"[helpdesk.plugins]\n{name} = helpdesk_{name}\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def shown(page: Page, desk: ServedDesk, path: str) -> str:
    """What a page says; nothing while the desk starts anew."""
    try:
        return page.request.get(desk.url + path).text()
    except Error:
        return ""
