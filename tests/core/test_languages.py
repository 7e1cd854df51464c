"""The reader's language and time zone."""

from pathlib import Path
from typing import Any

import pytest

from helpdesk.core import i18n, settings
from helpdesk.core.settings import DeskSettings

HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'


def write(folder: Path, code: str, **strings: str) -> Path:
    path = folder / code / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + "".join(f'msgid "{key}"\nmsgstr "{value}"\n\n' for key, value in strings.items()), "utf-8")
    return path


@pytest.mark.parametrize(
    ("wanted", "served"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("zh-CN", "zh_Hans"),
        ("zh", "zh_Hans"),
        ("zh-TW", "zh_Hant"),
        ("zh-Hant-HK", "zh_Hant"),
        ("pt-BR", "pt_BR"),
        ("pt", None),
        ("fr", None),
        ("", None),
        ("x" * 50, None),
        ("*", None),
    ],
)
def test_the_catalog_that_serves_a_reader(wanted: str, served: str | None) -> None:
    assert i18n.match(wanted, ["en", "de", "zh_Hans", "zh_Hant", "pt_BR"]) == served


@pytest.fixture
def german(home: Path) -> None:
    write(home / "translations", "de", **{"Please sign in.": "Bitte melden Sie sich an."})


def test_the_reader_decides_then_the_visit_then_the_browser_then_the_desk(
    german: None, app: Any, make_user: Any, sign_in: Any, client: Any
) -> None:
    def language(browser: Any, **headers: str) -> str:
        page = browser.get("/auth/forgot" if browser is client else "/desk/me", headers=headers).data.decode()
        return page.split('<html lang="')[1].split('"')[0]

    assert language(client) == "en"
    assert language(client, **{"Accept-Language": "fr, de-AT;q=0.8"}) == "de"
    settings.save(DeskSettings, {"default_locale": "de"}, None)
    assert language(client) == "de"
    assert language(client, **{"Accept-Language": "en-GB"}) == "en"
    client.set_cookie("locale", "de", domain="localhost")
    assert language(client, **{"Accept-Language": "en"}) == "de"
    jonas = make_user("agent", locale="de")
    assert jonas.locale == "de"
    assert language(sign_in(jonas), **{"Accept-Language": "en"}) == "de"


def test_a_mail_is_written_in_its_readers_language(german: None, app: Any) -> None:
    from flask_babel import gettext

    with i18n.speaking("de") as spoken:
        assert spoken == "de" and gettext("Please sign in.") == "Bitte melden Sie sich an."
        with i18n.speaking("tlh") as fallback:
            assert fallback == "en" and gettext("Please sign in.") == "Please sign in."
        assert gettext("Please sign in.") == "Bitte melden Sie sich an."


def test_names_and_directions() -> None:
    assert (i18n.locale_name("zh_Hans"), i18n.locale_name("de")) == ("中文 (简体)", "Deutsch")
    assert [i18n.text_direction(code) for code in ("ar", "ar_EG", "he", "en", "zh_Hans")] == ["rtl"] * 3 + ["ltr"] * 2
    assert i18n.html_lang("zh_Hans") == "zh-Hans"
    assert i18n.is_zone("Europe/Madrid") and not i18n.is_zone("../etc/passwd") and not i18n.is_zone("")
