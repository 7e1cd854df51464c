"""The room of the themes: cards, what cannot be used, and the preview that one administrator sees alone."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from helpdesk.core import settings, theming
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry
from helpdesk.core.settings import DeskSettings
from helpdesk.core.transaction import transaction

DOCS = Path(__file__).parents[2] / "docs" / "theme.md"
BAR = "You are previewing"
EMBER = "--hd-canvas: light-dark(#faf5f0"


@pytest.fixture(autouse=True)
def _set_up(app: Flask) -> None:
    settings.save(DeskSettings, {"set_up": True}, None)


@pytest.fixture
def write(home: Path) -> Callable[..., Path]:
    def put(name: str, about: str = "", files: dict[str, str] | None = None) -> Path:
        folder = home / "themes" / name
        for path, text in {"theme.toml": about, **(files or {})}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return folder

    return put


def look_of(client: FlaskClient, path: str) -> str:
    """The rules that a page links to."""
    page = client.get(path)
    assert page.status_code in (200, 404), page.status
    address = re.search(r'href="(/theme\.css\?v=\w+)"', page.text)
    assert address, path
    return client.get(address[1]).text


def test_each_theme_is_a_card_with_a_picture_of_its_colours(as_admin: Any, write: Any) -> None:
    write("harbour", 'title = "Harbour"\n[colours.dark]\naccent = "#abcdef"')
    page = as_admin.get("/admin/themes").text
    assert re.findall(r"<h2 id=\"theme-([\w-]+)-title\"", page) == ["default", "ember", "harbour", "high-contrast"]
    assert page.count('<svg class="theme-picture"') == 4 and 'fill="#abcdef"' in page and 'fill="#faf5f0"' in page
    assert "style=" not in page
    assert page.count("In use") == 1


def test_what_cannot_be_used_is_named_with_its_reason(as_admin: Any, write: Any) -> None:
    write("harbour", "colors = 1")
    write("leaky", "", {"templates/desk/me.html": "{% if %}", "static/theme.css": "@import 'x';"})
    settings.save(DeskSettings, {"theme": "leaky"}, None)
    page = as_admin.get("/admin/themes").text
    assert "<code>harbour</code> theme.toml has no “colors”; did you mean “colours”?" in page
    assert "templates/desk/me.html cannot be used" in page and "has an @import" in page
    assert "1 remark for its author" in page
    assert as_admin.get("/desk/me").status_code == 200


def test_a_chosen_theme_that_is_gone_is_said_and_the_desk_goes_on(as_admin: Any, write: Any) -> None:
    folder = write("harbour")
    settings.save(DeskSettings, {"theme": "harbour"}, None)
    (folder / "theme.toml").write_text("title = 1")
    page = as_admin.get("/admin/themes").text
    assert "The theme “harbour” is chosen and cannot be used" in page and "one line" in page
    assert as_admin.get("/desk/views/mine").status_code == 200


def test_names_of_themes_are_text(as_admin: Any, write: Any) -> None:
    write("harbour", 'title = "<script>x</script> 100% %(a)s"\nauthor = "<b>A"\ndescription = "<i>D 5%"')
    assert as_admin.post("/admin/themes/harbour/preview").status_code == 303
    for path in ("/admin/themes", "/"):
        page = as_admin.get(path).text
        assert "<script>x" not in page and "<b>A" not in page and "<i>D" not in page
        assert "You are previewing “&lt;script&gt;x&lt;/script&gt; 100% %(a)s”" in page


def test_a_theme_is_put_into_use_and_noted(as_admin: Any, as_agent: Any) -> None:
    assert EMBER not in look_of(as_agent, "/desk/views/mine")
    assert as_admin.post("/admin/themes/ember").status_code == 303
    assert EMBER in look_of(as_agent, "/desk/views/mine")
    entry = db.session.scalars(db.select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None and entry.data == {"theme": "ember"}
    for name in ("nowhere", "..", "%2e%2e"):
        assert as_admin.post(f"/admin/themes/{name}").status_code in (404, 405)


def test_a_preview_is_seen_by_one_administrator_on_every_page(
    app: Flask, as_admin: Any, as_agent: Any, client: FlaskClient, make_user: Any, sign_in: Any
) -> None:
    other = sign_in(make_user("admin"))
    assert as_admin.post("/admin/themes/ember/preview").status_code == 303
    for path in ("/admin/themes", "/desk/views/mine", "/", "/tickets", "/nowhere-at-all", "/desk/me", "/auth/forgot"):
        page = as_admin.get(path, follow_redirects=True)
        assert page.text.count(BAR) == 1 and "“Ember”" in page.text and "Nobody else" in page.text, path
        assert EMBER in look_of(as_admin, page.request.path), path
    assert "Hello, " in as_admin.get("/desk/views/mine").text, "its templates as well"
    for someone in (other, as_agent, client):
        for path in ("/desk/views/mine", "/"):
            page = someone.get(path, follow_redirects=True)
            assert BAR not in page.text and EMBER not in look_of(someone, page.request.path)
    assert "No ticket is open" in as_agent.get("/desk/views/mine").text
    assert theming.used_name() == "default"


def test_parts_of_pages_get_no_bar(as_admin: Any) -> None:
    as_admin.post("/admin/themes/ember/preview")
    part = as_admin.get("/desk/views/mine", headers={"HX-Request": "true"})
    assert part.text.count(BAR) == part.text.count("</body>")
    assert BAR not in as_admin.get("/theme.css").text


def test_the_bar_stops_uses_and_changes_light_and_dark(as_admin: Any) -> None:
    as_admin.post("/admin/themes/ember/preview")
    answer = as_admin.post("/admin/themes/ember/preview", data={"scheme": "dark", "next": "/desk/me"})
    assert answer.location == "/desk/me"
    page = as_admin.get("/desk/me").text
    assert 'data-bs-theme="dark"' in page and re.search(r'value="dark" aria-pressed="true"', page)
    as_admin.post("/admin/themes/ember/preview", data={"scheme": "light", "next": "//evil.example"})
    assert '<html lang="en" dir="ltr" data-bs-theme="light">' in as_admin.get("/").text
    assert as_admin.post("/admin/theme-preview/stop", data={"next": "/desk/me"}).location == "/desk/me"
    assert BAR not in as_admin.get("/desk/me").text and theming.used_name() == "default"
    as_admin.post("/admin/themes/ember/preview", data={"next": "//evil.example"})
    assert as_admin.post("/admin/themes/ember").status_code == 303
    assert BAR not in as_admin.get("/desk/me").text and theming.used_name() == "ember"


def test_forms_go_nowhere_else(as_admin: Any) -> None:
    for path in ("/admin/themes/ember/preview", "/admin/theme-preview/stop"):
        assert as_admin.post(path, data={"next": "//evil.example/"}).location == "/admin/themes"


def test_a_preview_ends_with_the_hour_and_with_the_right_to_it(as_admin: Any, travel: Any, write: Any) -> None:
    as_admin.post("/admin/themes/ember/preview")
    assert BAR in as_admin.get("/").text
    travel(timedelta(minutes=61))
    assert BAR not in as_admin.get("/").text
    folder = write("harbour")
    as_admin.post("/admin/themes/harbour/preview")
    assert BAR in as_admin.get("/").text
    (folder / "theme.toml").write_text("title = 1")
    assert BAR not in as_admin.get("/").text
    as_admin.post("/admin/themes/ember/preview")
    with transaction():
        as_admin.user.role = "agent"
    assert BAR not in as_admin.get("/").text


@pytest.mark.parametrize("path", ["/admin/themes/ember/preview", "/admin/theme-preview/stop", "/admin/themes/ember"])
def test_only_who_may_change_the_look_may_try_it(
    as_agent: Any, as_supervisor: Any, client: FlaskClient, path: str
) -> None:
    for someone in (as_agent, as_supervisor):
        assert someone.post(path).status_code == 403
    assert client.post(path).status_code == 303
    assert BAR not in as_agent.get("/").text


def test_a_theme_cannot_leave_the_bar_out(as_admin: Any, write: Any) -> None:
    files = {
        "templates/layouts/base.html": "<html><body>Nothing else</BODY></html>",
        "templates/look/preview_bar.html": "nothing",
        "templates/components/form.html": "",
    }
    write("harbour", 'title = "Harbour"', files)
    as_admin.post("/admin/themes/harbour/preview")
    page = as_admin.get("/")
    assert "Nothing else" in page.text and BAR in page.text and "/admin/theme-preview/stop" in page.text
    assert int(page.headers["Content-Length"]) == len(page.data)
    as_admin.post("/admin/theme-preview/stop")
    assert "Nothing else" not in as_admin.get("/").text


def test_addresses_of_the_look_are_the_same_for_everybody(as_admin: Any, as_agent: Any, client: FlaskClient) -> None:
    def address(someone: FlaskClient) -> str:
        found = re.search(r'href="(/theme\.css\?v=\w+)"', someone.get("/").text)
        assert found
        return found[1]

    ours = address(as_agent)
    as_admin.post("/admin/themes/ember/preview")
    theirs = address(as_admin)
    assert ours != theirs and address(as_agent) == ours
    # Whoever asks, an address has one answer, which may be kept; no cookie decides it.
    for someone in (as_admin, as_agent, client):
        for path, rules in ((ours, False), (theirs, True)):
            answer = someone.get(path)
            assert (EMBER in answer.text) is rules
            assert answer.cache_control.max_age > 10_000_000
    for junk in ("0123456789ab", "ember_0123456789ab", "../ember_0", "_"):
        stale = client.get("/theme.css", query_string={"v": junk})
        assert stale.cache_control.no_cache and not stale.cache_control.max_age and EMBER not in stale.text


def test_files_of_a_theme_have_addresses_of_their_own(as_admin: Any, client: FlaskClient, write: Any) -> None:
    rule = '.a { background: url("/theme/waves.svg") } .b { background: url(/theme/none.svg?x) }'
    write("sea", "", {"static/theme.css": rule, "static/waves.svg": "<svg>sea</svg>"})
    write("lake", 'extends = "sea"', {"static/waves.svg": "<svg>lake</svg>"})
    found = {}
    for name in ("sea", "lake"):
        settings.save(DeskSettings, {"theme": name}, None)
        found[name] = re.search(r'url\("(/theme/waves\.svg[^"]*)"', client.get("/theme.css").text)[1]
        assert client.get("/theme/waves.svg").cache_control.no_cache
    assert found["sea"] != found["lake"]
    for name, path in found.items():
        answer = client.get(path)
        assert answer.text == f"<svg>{name}</svg>" and answer.cache_control.max_age > 10_000_000
        assert "default-src 'none'; sandbox" in answer.headers["Content-Security-Policy"]
    assert client.get("/theme/waves.svg?theme=../sea").status_code == 404


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)


def test_the_theme_of_the_page_works_word_for_word(home: Path, as_admin: Any, as_agent: Any) -> None:
    """Each block of docs/theme.md that begins with a file's name is that file."""
    written = []
    for language in ("toml", "css", "jinja", "svg"):
        for block in blocks(language):
            named = re.match(r"\s*(?:#|/\*|\{#-?|<!--) (themes/harbour/\S+)", block)
            if named:
                path = home / named[1]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block)
                written.append(path.name)
    assert sorted(written) == ["nothing.html", "theme.css", "theme.toml", "waves.svg"]
    found = theming.themes()
    assert [str(one.sentence) for one in theming.check(found, found["harbour"])] == []
    assert as_admin.post("/admin/themes/harbour").status_code == 303
    page = as_agent.get("/desk/views/mine").text
    assert f"All quiet in the harbour, {as_agent.user.display_name}" in page
    rules = look_of(as_agent, "/desk/views/mine")
    assert "--hd-accent: light-dark(#1b4f72, #85c1e9);" in rules and "--hd-r: 2px" in rules
    picture = re.search(r'url\("(/theme/waves\.svg[^"]*)"', rules)
    assert picture and as_agent.get(picture[1]).mimetype == "image/svg+xml"
