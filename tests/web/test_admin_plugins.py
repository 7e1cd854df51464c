"""The rooms about plugins: how each does, what is in trouble, the way of a file from the upload to the question."""

import io
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from helpdesk.core import generation, plugin_uploads
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, PluginHealth, PluginState, Setting
from helpdesk.core.transaction import transaction

INFO = "helpdesk_orders-1.0.0.dist-info"
CODE = "from helpdesk.api import hookimpl\n\n@hookimpl\ndef veto(user, permission):\n    return None\n"
PASSWORD = "a rather long pass phrase"


def wheel(code: str = CODE) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("helpdesk_orders/__init__.py", code)
        metadata = "Metadata-Version: 2.1\nName: helpdesk-orders\nVersion: 1.0.0\nSummary: <b>Orders</b>\n"
        archive.writestr(f"{INFO}/METADATA", metadata + "Requires-Dist: helpdesk>=1,<2\n")
        archive.writestr(f"{INFO}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{INFO}/entry_points.txt", "[helpdesk.plugins]\norders = helpdesk_orders\n")
        archive.writestr(f"{INFO}/RECORD", "")
    return file.getvalue()


def upload(client: Any, content: bytes, name: str = "x.whl") -> Any:
    return client.post("/admin/plugin-install", data={"file": (io.BytesIO(content), name)})


def typed(name: str) -> dict[str, str]:
    """What is asked for before something is taken away."""
    return {"typed": name, "password": PASSWORD}


def acts() -> list[str]:
    return list(db.session.scalars(db.select(AuditEntry.action)))


@pytest.fixture
def as_admin(sign_in: Any, make_user: Any) -> Any:
    """An administrator who has a password to say yes with."""
    return sign_in(make_user("admin", name="Ada Admin", password=PASSWORD))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would have been started, instead of starting it: nothing is installed into our environment."""
    calls: list[list[str]] = []

    class Process:
        pid = 2**22 + 1

        def __init__(self, words: list[str], **options: Any) -> None:
            calls.append(words)

        def wait(self) -> int:
            return 0

    monkeypatch.setattr(plugin_uploads.subprocess, "Popen", Process)
    return calls


# ---- how plugins do


def test_health_is_that_of_all_processes(as_admin: Any, plug: Any) -> None:
    plug("probe", nav_items=lambda: [])
    row = {"plugin": "probe", "hook": "nav_items", "slow": 0, "error": "ValueError: the shop is shut"}
    with transaction():
        db.session.add(PluginHealth(day=now().date(), calls=10, errors=3, seconds=0.25, **row))
        db.session.add(PluginHealth(day=now().date() - timedelta(days=9), calls=10, errors=900, seconds=9.0, **row))
    card = as_admin.get("/admin/plugins").text
    assert "3 errors" in card and "25 ms a call" in card and 'title="10 calls since yesterday"' in card
    page = as_admin.get("/admin/plugins/probe").text
    assert "ValueError: the shop is shut" in page and "Entry in the menu" in page


@pytest.mark.parametrize("where", ["/admin/", "/admin/plugins"])
def test_trouble_is_told(as_admin: Any, plug: Any, where: str) -> None:
    assert "See why" not in as_admin.get(where).text
    plug("slow", nav_items=lambda: [])
    plug("tired", nav_items=lambda: [])
    plug("broken", no_such_hook=lambda: [])
    with transaction():
        db.session.add(PluginState(name="slow", enabled=True, paused_at=now(), paused_reason="It took 10 s."))
        rests = now() + timedelta(hours=1)
        counts = {"calls": 5, "errors": 5, "slow": 0, "seconds": 1.0, "error": "x"}
        db.session.add(PluginHealth(plugin="tired", hook="nav_items", day=now().date(), rests_until=rests, **counts))
        generation.bump()
    page = as_admin.get(where).text
    assert "See why" in page
    if where == "/admin/plugins":
        assert "3 plugins do not do what they should" in page and "It took 10 s." in page
        assert page.count("Switch on again") == 1 and "kept failing and rests" in page and "could not be loaded" in page
    else:
        assert "“slow” was paused" in page and "“tired” kept failing" in page and "“broken” could not be loaded" in page


def test_a_paused_one_is_switched_on_again(as_admin: Any, plug: Any) -> None:
    plug("slow", nav_items=lambda: [])
    with transaction():
        db.session.add(PluginState(name="slow", enabled=True, paused_at=now(), paused_reason="It took 10 s."))
        generation.bump()
    assert as_admin.post("/admin/plugins/slow/on", data={"back": "details"}).location.endswith("/admin/plugins/slow")
    assert db.session.get_one(PluginState, "slow").paused_at is None
    assert "It took 10 s." not in as_admin.get("/admin/plugins").text


def test_one_that_was_left_out_is_tried_at_a_fresh_start(as_admin: Any, plug: Any) -> None:
    plug("broken", no_such_hook=lambda: [])
    before = generation.restarts()
    as_admin.post("/admin/plugins/broken/on")
    assert generation.restarts() == before + 1 and "desk.restarted" in acts()


def test_the_desk_is_started_anew(as_admin: Any) -> None:
    before = generation.restarts()
    assert as_admin.post("/admin/restart").status_code == 303
    assert generation.restarts() == before + 1 and "desk.restarted" in acts()


# ---- taken away


@pytest.mark.plugins
def test_what_is_worked_on_says_why_it_stays(as_admin: Any) -> None:
    assert "is worked on in" in as_admin.get("/admin/plugins/email").text
    page = as_admin.post("/admin/plugins/email/uninstall", data=typed("email"))
    assert page.status_code == 422 and "is worked on in" in page.text


@pytest.mark.plugins("email")
def test_data_goes_when_the_name_was_typed_and_it_is_off(as_admin: Any) -> None:
    with transaction():
        db.session.add(Setting(group="email", key="host", value="x"))
    page = as_admin.post("/admin/plugins/email/purge", data={"typed": "mail"})
    assert page.status_code == 422 and "Type “email” to go on." in page.text
    page = as_admin.post("/admin/plugins/email/purge", data=typed("email"))
    assert page.status_code == 422 and "is on; switch it off first" in page.text
    as_admin.post("/admin/plugins/email/off")
    assert "1 saved setting" in as_admin.get("/admin/plugins/email").text
    assert as_admin.post("/admin/plugins/email/purge", data=typed("email")).status_code == 303
    assert db.session.get(Setting, ("email", "host")) is None and "plugin.purged" in acts()
    assert not db.session.get_one(PluginState, "email").enabled


@pytest.mark.db
def test_data_of_one_that_is_gone(as_admin: Any, database_url: str) -> None:
    with transaction():
        db.session.execute(db.text("CREATE TABLE loyalty_card (id INTEGER PRIMARY KEY)"))
        refers = "card INTEGER REFERENCES loyalty_card (id)"
        db.session.execute(db.text(f"CREATE TABLE loyalty_point (id INTEGER PRIMARY KEY, {refers})"))
        db.session.execute(db.text("CREATE TABLE loyalty_plus_card (id INTEGER PRIMARY KEY)"))
        for name in ("loyalty", "loyalty_plus"):
            db.session.execute(db.text(f"CREATE TABLE alembic_version_{name} (version_num VARCHAR(32))"))
        db.session.execute(db.text("INSERT INTO loyalty_card (id) VALUES (7)"))
        db.session.execute(db.text("INSERT INTO loyalty_point (id, card) VALUES (1, 7)"))
        generation.bump()
    assert "Data of plugins that are gone" in as_admin.get("/admin/plugins").text
    page = as_admin.get("/admin/plugins/loyalty").text
    assert "1 row in the table loyalty_card" in page and "loyalty_plus_card" not in page
    assert as_admin.post("/admin/plugins/loyalty/purge", data={"typed": ""}).status_code == 422
    assert as_admin.post("/admin/plugins/loyalty/purge", data=typed("loyalty")).status_code == 303
    left = set(db.inspect(db.engine).get_table_names())
    assert {name for name in left if "loyalty" in name} == {"loyalty_plus_card", "alembic_version_loyalty_plus"}
    assert as_admin.get("/admin/plugins/loyalty").status_code == 404
    assert as_admin.get("/admin/plugins/ghost").status_code == 404


@pytest.mark.plugins
@pytest.mark.parametrize(("act", "data"), [("purge", True), ("uninstall", False)])
def test_taking_away_needs_the_own_password(as_admin: Any, act: str, data: bool) -> None:
    as_admin.post("/admin/plugins/email/off")
    for wrong in ("", "not this one"):
        page = as_admin.post(f"/admin/plugins/email/{act}", data={"typed": "email", "password": wrong})
        assert page.status_code == 422 and "That is not your password." in page.text
    # What was typed is still there, the password never is.
    assert ('value="email"' in page.text) is data and "not this one" not in page.text
    assert "plugin.purged" not in acts() and acts().count("user.password_wrong") == 2
    statuses = {as_admin.post(f"/admin/plugins/email/{act}", data={"typed": "email"}).status_code for _try in range(30)}
    assert statuses == {422, 429}


def test_data_that_another_plugin_points_to_stays(as_admin: Any) -> None:
    with transaction():
        db.session.execute(db.text("CREATE TABLE loyalty_card (id INTEGER PRIMARY KEY)"))
        refers = "card INTEGER REFERENCES loyalty_card (id)"
        db.session.execute(db.text(f"CREATE TABLE bonus_point (id INTEGER PRIMARY KEY, {refers})"))
        for name in ("loyalty", "bonus"):
            db.session.execute(db.text(f"CREATE TABLE alembic_version_{name} (version_num VARCHAR(32))"))
        db.session.execute(db.text("INSERT INTO loyalty_card (id) VALUES (7)"))
        db.session.execute(db.text("INSERT INTO bonus_point (id, card) VALUES (1, 7)"))
        generation.bump()
    page = as_admin.post("/admin/plugins/loyalty/purge", data=typed("loyalty"))
    assert page.status_code == 422 and "Data of another plugin points to the data of “loyalty”" in page.text
    assert db.session.scalar(db.text("SELECT count(*) FROM loyalty_card")) == 1
    for name in ("bonus", "loyalty"):
        assert as_admin.post(f"/admin/plugins/{name}/purge", data=typed(name)).status_code == 303


# ---- a file is uploaded


def test_what_it_uses_is_shown_before_a_yes(as_admin: Any, home: Path, started: list[list[str]]) -> None:
    answer = upload(as_admin, wheel("raise SystemExit('run')\n" + CODE), "../../evil name.whl")
    assert answer.status_code == 303
    page = as_admin.get(answer.location)
    assert "Decides who may see and do what" in page.text and "&lt;b&gt;Orders" in page.text
    (kept,) = (home / "cache" / "uploads").iterdir()
    assert {file.name for file in kept.iterdir()} == {"plugin.whl", "note.json"} and kept.stat().st_mode & 0o077 == 0
    assert not list(home.rglob("*evil*")) and started == []


def test_a_yes_needs_the_own_password(sign_in: Any, make_user: Any, started: list[list[str]], home: Path) -> None:
    admin = sign_in(make_user("admin", password=PASSWORD))
    where = upload(admin, wheel()).location
    for wrong in ("", "not this one"):
        page = admin.post(where, data={"password": wrong})
        assert page.status_code == 422 and "That is not your password." in page.text
    assert started == [] and acts().count("user.password_wrong") == 2
    # Sent twice, it is started once, and with the hash of what was shown.
    for _time in range(2):
        assert admin.post(where, data={"password": PASSWORD}).status_code == 303
    (words,) = started
    assert words[1:5] == ["-m", "helpdesk.cli", "plugin", "install"] and "--hash" in words
    assert words[words.index("--by") + 1] == str(admin.user.id)
    page = admin.get(where)
    assert "The installation was cut short" in page.text and "Refresh" not in page.headers
    (kept,) = (home / "cache" / "uploads").iterdir()
    (kept / "out").write_text("{}")
    page = admin.get(where)
    assert "It is installed. The desk starts anew" in page.text and page.headers["Refresh"]
    # It does not ask for ever: a desk that nobody keeps has to be started by hand.
    again = page.headers["Refresh"].partition("url=")[2]
    for _look in range(40):
        page = admin.get(again)
        if "Refresh" not in page.headers:
            break
        again = page.headers["Refresh"].partition("url=")[2]
    assert "Start it again." in page.text and "Refresh" not in page.headers


def test_guessing_is_slowed_down(sign_in: Any, make_user: Any, started: list[list[str]]) -> None:
    admin = sign_in(make_user("admin", password=PASSWORD))
    where = upload(admin, wheel()).location
    statuses = {admin.post(where, data={"password": "wrong"}).status_code for _try in range(30)}
    assert statuses == {422, 429}
    assert admin.post(where, data={"password": PASSWORD}).status_code == 429 and started == []


def test_hostile_files_are_one_sentence(as_admin: Any, home: Path) -> None:
    cases = {
        (b"", "x.whl"): "Choose the wheel of a plugin",
        (b"hello", "x.whl"): "This is no wheel",
        (wheel(), "x.zip"): "A plugin comes as a wheel",
        (wheel()[:200], "x.whl"): "This is no wheel",
        (wheel("def"), "x.whl"): "is not Python that can be read",
    }
    for (content, name), words in cases.items():
        page = upload(as_admin, content, name)
        assert page.status_code == 422 and words in page.text, words
    assert as_admin.post("/admin/plugin-install").status_code == 422
    assert list((home / "cache" / "uploads").iterdir()) == []


def test_a_file_that_is_too_large(as_admin: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_uploads, "LARGEST", 100)
    page = upload(as_admin, wheel())
    assert page.status_code == 422 and "is larger than" in page.text
    assert list((home / "cache" / "uploads").iterdir()) == []


def test_the_size_that_is_promised_is_taken_in(as_admin: Any, app: Any) -> None:
    assert "50 MB at most" in as_admin.get("/admin/plugin-install").text
    # As with max_upload_mb = 1.
    app.config["MAX_CONTENT_LENGTH"] = 7 * 1024 * 1024
    assert "6 MB at most" in as_admin.get("/admin/plugin-install").text


def test_one_that_cannot_be_started_can_be_tried_again(
    as_admin: Any, monkeypatch: pytest.MonkeyPatch, started: list[list[str]]
) -> None:
    where = upload(as_admin, wheel()).location
    fake = plugin_uploads.subprocess.Popen

    def fails(*words: Any, **options: Any) -> Any:
        raise OSError("no more processes")

    monkeypatch.setattr(plugin_uploads.subprocess, "Popen", fails)
    page = as_admin.post(where, data={"password": PASSWORD})
    assert page.status_code == 503 and "could not be started; try again." in page.text
    monkeypatch.setattr(plugin_uploads.subprocess, "Popen", fake)
    assert as_admin.post(where, data={"password": PASSWORD}).status_code == 303 and len(started) == 1


def test_the_door_can_be_closed(as_admin: Any, app: Any, started: list[list[str]]) -> None:
    where = upload(as_admin, wheel()).location
    app.config["HELPDESK"] = replace(app.config["HELPDESK"], install_plugins=False)
    assert "Add from a file" not in as_admin.get("/admin/plugins").text
    assert "switched off on this desk" in as_admin.get("/admin/plugin-install").text
    assert upload(as_admin, wheel()).status_code == 403 and as_admin.get(where).status_code == 403
    assert as_admin.post(where, data={"password": PASSWORD}).status_code == 403
    assert as_admin.post("/admin/plugins/email/uninstall", data=typed("email")).status_code == 403
    assert started == []


def test_another_administrator_does_not_see_it(as_admin: Any, sign_in: Any, make_user: Any) -> None:
    where = upload(as_admin, wheel()).location
    other = sign_in(make_user("admin", email="other@desk.example"))
    assert other.get(where).status_code == 404 and other.post(where).status_code == 404
    for key in ("0" * 32, "x", "..", "0" * 31 + "/"):
        assert as_admin.get(f"/admin/plugin-install/{key}").status_code in (308, 404)
