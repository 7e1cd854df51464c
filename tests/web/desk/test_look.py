"""The look: the owner's colour, languages, themes, error pages, and what no template may hold."""

import re
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

import helpdesk
from helpdesk.core import settings
from helpdesk.web import brand
from helpdesk.web.look import initials, local_path

WEB = Path(helpdesk.__file__).parent / "web"
TEMPLATES = sorted((WEB / "templates").rglob("*.html")) + sorted((WEB.parents[1] / "themes").rglob("*.html"))
SHEETS = sorted((WEB / "static" / "css").glob("*.css")) + sorted((WEB.parents[1] / "themes").rglob("*.css"))


@hypothesis.settings(deadline=None)
@given(st.integers(0, 0xFFFFFF))
def test_every_colour_an_owner_can_choose_is_readable(number: int) -> None:
    rules = brand.stylesheet(f"#{number:06x}")
    found = {
        name: (light, dark)
        for name, light, dark in re.findall(r"--hd-(brand[a-z-]*): light-dark\((#\w+), (#\w+)\)", rules)
    }
    grounds = (("#f6f5f1", "#ffffff"), ("#14181b", "#1a1f23", "#22282d"))
    for mode in (0, 1):
        color, ink, tint = found["brand"][mode], found["brand-ink"][mode], found["brand-tint"][mode]
        assert brand.contrast(ink, color) >= brand.READABLE
        for ground in (*grounds[mode], tint):
            assert brand.contrast(color, ground) >= brand.READABLE, (color, ground)


@pytest.mark.parametrize("color", ["", "red", "#fff", "#12345g", "#0c6170;}body{display:none", "url(x)"])
def test_what_is_no_colour_gives_no_rules(color: str) -> None:
    assert brand.stylesheet(color) == ""


def test_contrast_is_that_of_wcag() -> None:
    assert brand.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert brand.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("/desk/views/mine?f=1", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("https://evil.example/", False),
        ("javascript:alert(1)", False),
        ("/a\nb", False),
        ("/a b", False),
        ("", False),
        (None, False),
    ],
)
def test_forms_send_people_nowhere_else(target: str | None, kept: bool) -> None:
    assert local_path(target) == (target if kept else None)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Sam Idris", "SI"),
        ("Lucía Ferrer Ruiz", "LR"),
        ("陈雨桐", "雨桐"),
        ("ليلى حداد", "لح"),
        ("sam@lark.example", "SL"),
        ("", "?"),
        ("🦊", "🦊"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_the_owners_colour_is_a_stylesheet_of_ours(world: Any, agent: FlaskClient) -> None:
    assert agent.get("/theme.css").data == b""
    world.read(lambda: settings.save(settings.DeskSettings, {"brand_color": "#a33b1f"}, None))
    sheet = agent.get("/theme.css")
    assert sheet.mimetype == "text/css" and b"--hd-brand: light-dark(#a33b1f" in sheet.data
    address = re.search(r'href="(/theme\.css\?v=\w+)"', agent.get("/desk/me").data.decode())[1]
    assert agent.get(address).cache_control.max_age > 10_000_000


def test_a_theme_changes_colours_and_templates_at_once(world: Any, agent: FlaskClient) -> None:
    assert b"No ticket is open" in agent.get("/desk/views/mine").data
    world.read(lambda: settings.save(settings.DeskSettings, {"theme": "ember"}, None))
    page = agent.get("/desk/views/mine").data
    assert b"Hello, Abe Agent" in page and b"No ticket is open" not in page
    assert b"--hd-spine: light-dark(#3a1d14" in agent.get("/theme.css").data
    assert agent.get("/theme/theme.css", buffered=True).status_code == 200
    assert agent.get("/theme/../theme.toml").status_code == 404
    world.read(lambda: settings.save(settings.DeskSettings, {"theme": "default"}, None))
    assert b"No ticket is open" in agent.get("/desk/views/mine").data
    assert agent.get("/theme/theme.css").status_code == 404


def test_the_language_is_remembered_for_the_visit(world: Any) -> None:
    client = world.client()
    answer = client.post("/language", data={"locale": "en", "next": "/desk/views/mine"})
    assert answer.status_code == 303 and answer.location == "/desk/views/mine"
    assert client.get_cookie("locale").value == "en"
    assert client.post("/language", data={"locale": "en", "next": "//evil.example"}).location == "/"
    assert client.post("/language", data={"locale": "../../etc"}).status_code == 422


@pytest.mark.parametrize("code", [400, 403, 404, 405, 409, 413, 422, 429, 500, 503])
def test_every_error_has_a_page_with_a_sentence(world: Any, code: int) -> None:
    from helpdesk.web.errors import error_page

    with world.app.test_request_context():
        page = error_page(code).get_data(as_text=True)
        said = error_page(code, "Exactly this went wrong.").get_data(as_text=True)
    assert f"Error {code}" in page and re.search(r"<h1>[^<]{5,}</h1>\s*<p>[^<]{20,}</p>", page)
    assert "Exactly this went wrong." in said or code in (500, 503)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: "/".join(path.parts[-3:]))
def test_templates_hold_nothing_that_the_policy_refuses(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle\s*=", text), "a style attribute"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), "an inline handler"
    assert "<style" not in text and not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"(?:src|href)=[\"'](?:https?:)?//", text), "something from elsewhere"
    assert not re.search(r"hx-(?:on|vals=[\"']js|headers=[\"']js)", text)
    assert "|safe" not in text.replace(" ", "")


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_style_sheets_read_both_ways(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    physical = r"(?<![-\w])(?:(?:margin|padding|border)-(?:left|right)|left|right)\s*:"
    assert not re.search(physical, text), re.search(physical, text)
    assert not re.search(r"float\s*:\s*(?:left|right)", text)
    assert "http://" not in text and "https://" not in text and "data:" not in text


def test_colours_stand_in_the_tokens_alone() -> None:
    for path in SHEETS:
        if path.name in ("tokens.css", "theme.css"):
            continue
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        found = [
            color
            for color in re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)", text)
            if color not in ("#000", "#0005", "#0006")
        ]
        assert not found, (path.name, found)


def test_every_icon_that_a_template_names_is_there() -> None:
    sprite = (WEB / "static" / "icons.svg").read_text()
    known = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    for path in TEMPLATES:
        for name in re.findall(r"icon\(\"([a-z0-9-]+[a-z0-9])\"", path.read_text()):
            assert name in known, (path.name, name)
