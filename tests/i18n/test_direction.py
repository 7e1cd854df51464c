"""Right to left: every page says so, and no style sheet knows left from right."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

ROOT = Path(__file__).parents[2]
SHEETS = [*sorted((ROOT / "helpdesk/web/static/css").glob("*.css")), *sorted(ROOT.glob("themes/*/static/*.css"))]
PHYSICAL = re.compile(
    r"(?:margin|padding|border)-(?:left|right)\b|\b(?:left|right)\s*:|text-align\s*:\s*(?:left|right)|float\s*:\s*(?:left|right)"
)


@pytest.fixture
def home(home: Path) -> Path:
    """A home with an Arabic catalog of one string: enough for the language to be offered."""
    target = home / "translations" / "ar" / "LC_MESSAGES"
    target.mkdir(parents=True)
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    (target / "messages.po").write_text(f'{head}msgid "Save"\nmsgstr "حفظ"\n', encoding="utf-8")
    return home


@pytest.mark.parametrize("page", ["/", "/auth/sign-in", "/desk/views/all", "/desk/me", "/admin/", "/nowhere"])
def test_pages_turn_around(app: Flask, make_user: Any, sign_in: Any, page: str) -> None:
    reader = sign_in(make_user("admin", locale="ar"))
    if page == "/auth/sign-in":
        reader = app.test_client()
        reader.set_cookie("locale", "ar")
    text = reader.get(page).text
    assert 'lang="ar" dir="rtl"' in text
    assert "tabler.rtl.min.css" in text and "tabler.min.css" not in text


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_style_sheets_use_logical_properties(sheet: Path) -> None:
    assert PHYSICAL.findall(re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL)) == []
